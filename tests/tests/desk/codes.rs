//! Invitations as QR codes and links, for one person and for several: read back by readers that share no code with what
//! draws them, and joined with.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use serde_json::Value;
use zune_png::PngDecoder;
use zune_png::zune_core::bytestream::ZCursor;

use crate::support::people::{Person, Relay, text, words};

/// Modules of a code with its quiet zone, row by row; true is dark.
type Modules = Vec<Vec<bool>>;

/// Pixels of a module in a picture.
const MODULE_PIXELS: usize = 8;
/// Modules of the quiet zone.
const QUIET: usize = 4;

/// The text of the code in a PNG file, and its modules.
fn png(file: &Path) -> (String, Modules) {
    let bytes = std::fs::read(file).unwrap();
    let mut decoder = PngDecoder::new(ZCursor::new(&bytes));
    let pixels = decoder.decode().unwrap().u8().expect("one byte a pixel");
    let (width, height) = decoder.dimensions().unwrap();
    assert_eq!((width, pixels.len()), (height, width * height));
    // However the reader widens one bit: dark is nothing, light is something.
    let grey: Vec<u8> = pixels.iter().map(|pixel| if *pixel == 0 { 0 } else { 255 }).collect();
    let mut reader = quircs::Quirc::default();
    let codes: Vec<_> = reader.identify(width, height, &grey).collect();
    assert_eq!(codes.len(), 1, "one code is in the picture");
    let payload = codes.into_iter().next().unwrap().unwrap().decode().unwrap().payload;
    let side = width / MODULE_PIXELS;
    let module = |x: usize, y: usize| grey[y * MODULE_PIXELS * width + x * MODULE_PIXELS] == 0;
    for (at, pixel) in grey.iter().enumerate() {
        let (x, y) = (at % width / MODULE_PIXELS, at / width / MODULE_PIXELS);
        assert_eq!(*pixel == 0, module(x, y), "a module is of one colour");
    }
    let modules = (0..side).map(|y| (0..side).map(|x| module(x, y)).collect()).collect();
    (String::from_utf8(payload).unwrap(), modules)
}

/// The modules of half blocks, in which a block is light.
fn terminal(lines: &Value) -> Modules {
    let mut rows = Modules::new();
    for line in lines.as_array().unwrap() {
        let halves = text(line).chars().map(|half| match half {
            '█' => (false, false),
            '▀' => (false, true),
            '▄' => (true, false),
            ' ' => (true, true),
            other => panic!("{other:?} is no half block"),
        });
        let (upper, lower) = halves.unzip();
        rows.extend([upper, lower]);
    }
    let side = rows[0].len();
    assert!(rows.iter().all(|row| row.len() == side));
    // A code has an odd number of rows: the lower half of the last line lies beyond it.
    assert!(rows.len() == side + 1 && rows[side].iter().all(|dark| !dark));
    rows.truncate(side);
    rows
}

/// The modules of the only path of an SVG file.
fn svg(file: &Path) -> Modules {
    let picture = std::fs::read_to_string(file).unwrap();
    let between = |from: &str, to: &str| {
        let start = picture.split_once(from).unwrap_or_else(|| panic!("{from} is not in {picture}")).1;
        start.split_once(to).unwrap().0
    };
    let side: usize = between("viewBox=\"0 0 ", " ").parse().unwrap();
    assert!(picture.contains(&format!("<rect width=\"{side}\" height=\"{side}\" fill=\"#ffffff\"/>")), "{picture}");
    let mut rows = vec![vec![false; side]; side];
    for run in between("<path d=\"M", "z\"").split("zM") {
        let (place, run) = run.split_once('h').unwrap();
        let (x, y) = place.split_once(',').unwrap();
        let (length, back) = run.split_once("v1h-").unwrap();
        assert_eq!(length, back);
        let (x, y, length): (usize, usize, usize) = (x.parse().unwrap(), y.parse().unwrap(), length.parse().unwrap());
        rows[y][x..x + length].fill(true);
    }
    rows
}

fn quiet_zone_is_light(modules: &Modules) {
    let side = modules.len();
    let quiet = |at: usize| at < QUIET || at >= side - QUIET;
    for (y, row) in modules.iter().enumerate() {
        assert!(row.iter().enumerate().all(|(x, dark)| !dark || !(quiet(x) || quiet(y))));
    }
    // The control: right inside it the corner of a finder pattern begins.
    assert!(modules[QUIET][QUIET] && modules[QUIET][side - QUIET - 1] && modules[side - QUIET - 1][QUIET]);
}

#[test]
fn scanned_codes_bring_in_whose_words_agree_and_nobody_else() {
    let data = tempfile::tempdir().unwrap();
    let relay = Relay::open(data.path());
    let [amina, ben, chidi, dina] = ["Amina", "Ben", "Chidi", "Dina"].map(Person::new);
    for person in [&amina, &ben, &chidi, &dina] {
        person.json(&["relay", "add", &relay.connect]);
    }
    amina.json(&["space", "create", "Circle", "--kind", "group"]);
    amina.does("note new --date 2026-10-02 --kind clinical --title", &["First session", "Circle"]);
    let made = amina.does("invite new Circle --uses 3 --qr --png c.png --svg c.svg", &[])["invites"].clone();
    let made = made.as_array().unwrap();
    assert_eq!(made.len(), 3);
    let mut scanned = Vec::new();
    for (number, invite) in (1..).zip(made) {
        let (png_file, svg_file) = (amina.file(&format!("c-{number}.png")), amina.file(&format!("c-{number}.svg")));
        assert_eq!(invite["files"], serde_json::json!([png_file, svg_file]));
        for file in [&png_file, &svg_file] {
            assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
        }
        let (said, modules) = png(&png_file);
        assert_eq!(said, text(&invite["text"]).to_uppercase());
        quiet_zone_is_light(&modules);
        assert!(modules.len() <= 69, "{} modules do not fit a usual terminal", modules.len());
        assert!(terminal(&invite["qr"]) == modules, "the terminal shows another code");
        assert!(svg(&svg_file) == modules, "the SVG shows another code");
        assert_eq!((&invite["uses"], &invite["open"]), (&3.into(), &3.into()));
        scanned.push(said);
    }
    scanned.dedup();
    assert_eq!(scanned.len(), 3, "each person has a text of its own");

    // Ben scans his; Chidi follows his as a link between angle brackets.
    amina.json(&["sync"]);
    ben.json(&["join", &scanned[0], "--title", "Circle"]);
    chidi.json(&["join", &format!(" <{}>\n", text(&made[1]["text"])), "--title", "Circle"]);
    for person in [&ben, &chidi, &amina, &ben, &chidi] {
        person.json(&["sync"]);
    }
    let [id_ben, id_chidi, id_dina] = [0, 1, 2].map(|at: usize| text(&made[at]["id"]));
    let read = words(&ben.json(&["join", "list"])["joins"]);
    let read: Vec<&str> = read.iter().map(String::as_str).collect();
    amina.json(&[&["invite", "confirm", id_ben], read.as_slice()].concat());
    // The words of another are not Chidi's.
    amina.fails(&[&["invite", "confirm", id_chidi], read.as_slice()].concat(), "CODE_MISMATCH", 6);
    amina.fails(&["invite", "show", id_chidi, "--qr"], "INVITATION_USED", 5);
    assert_eq!(amina.json(&["invite", "show", id_chidi])["invite"]["state"]["state"], "spent");
    // His own words come too late: the key is spent.
    let late = words(&chidi.json(&["join", "list"])["joins"]);
    let late: Vec<&str> = late.iter().map(String::as_str).collect();
    amina.fails(&[&["invite", "confirm", id_chidi], late.as_slice()].concat(), "INVITATION_USED", 5);

    // One is left; it can be shown again, and taken back.
    let list = amina.json(&["invite", "list"])["invites"].clone();
    assert!(list.as_array().unwrap().iter().all(|row| row["uses"] == 3 && row["open"] == 1), "{list}");
    assert!(amina.text(&["invite", "list"]).contains("Circle: 1 of 3 open"));
    amina.json(&["invite", "show", id_dina, "--png", "again.png"]);
    assert_eq!(png(&amina.file("again.png")).0, scanned[2]);
    assert_eq!(amina.json(&["invite", "reject", id_dina])["invite"]["open"], 0);
    amina.fails(&["invite", "reject", id_dina], "INVITATION_USED", 5);
    let asked = dina.json(&["join", &scanned[2]])["join"].clone();
    amina.fails(&["invite", "answer", text(&asked["accept"])], "INVITATION_USED", 5);

    for person in [&amina, &ben, &chidi, &dina] {
        person.json(&["sync"]);
    }
    let has = |person: &Person| {
        let standing = person.json(&["space", "list"])["spaces"][0]["standing"].clone();
        (standing == "member", person.json(&["note", "list"])["documents"].as_array().unwrap().len())
    };
    assert_eq!([&ben, &chidi, &dina].map(has), [(true, 1), (false, 0), (false, 0)]);
    relay.stop();
}

#[test]
fn a_picture_that_cannot_be_written_makes_no_invitation() {
    let amina = Person::new("Amina");
    amina.json(&["space", "create", "Circle", "--kind", "group"]);
    amina.json(&["space", "create", "Pair"]);
    std::fs::write(amina.file("taken.png"), "a picture of hers").unwrap();
    std::fs::write(amina.file("some-2.svg"), "another").unwrap();
    symlink("nowhere", amina.file("link.png")).unwrap();
    let before = names(&amina);
    let cases: &[(&[&str], &str, i32)] = &[
        (&["invite", "new", "Circle", "--png", "taken.png"], "FILE_EXISTS", 5),
        (&["invite", "new", "Circle", "--png", "link.png"], "FILE_EXISTS", 5),
        (&["invite", "new", "Circle", "--uses", "3", "--png", "some.png", "--svg", "some.svg"], "FILE_EXISTS", 5),
        (&["invite", "new", "Circle", "--svg", "absent/code.svg"], "FILE_UNWRITABLE", 8),
        (&["invite", "new", "Circle", "--png", "/proc/code.png"], "FILE_UNWRITABLE", 8),
        (&["invite", "new", "Circle", "--uses", "0"], "USAGE", 2),
        (&["invite", "new", "Circle", "--uses", "201"], "USAGE", 2),
        // As many as have a place: Amina has one of two, and one of two hundred.
        (&["invite", "new", "Pair", "--uses", "2"], "TOO_MANY_ITEMS", 3),
        (&["invite", "new", "Circle", "--uses", "200"], "TOO_MANY_ITEMS", 3),
        (&["invite", "show", "0123abcd", "--qr"], "UNKNOWN_INVITATION", 4),
        (&["invite", "reject", "0123abcd"], "UNKNOWN_INVITATION", 4),
    ];
    for (arguments, code, status) in cases {
        amina.fails(arguments, code, *status);
        assert_eq!(amina.json(&["invite", "list"])["invites"].as_array().unwrap().len(), 0, "{arguments:?}");
    }
    assert_eq!(names(&amina), before, "nothing is left behind");
    assert_eq!(std::fs::read_to_string(amina.file("taken.png")).unwrap(), "a picture of hers");

    // The controls: as many as there are places, and a name that is free.
    amina.json(&["invite", "new", "Pair", "--uses", "1", "--png", "free.png"]);
    let made = amina.json(&["invite", "new", "Circle", "--uses", "199"])["invites"].as_array().unwrap().len();
    assert_eq!(made, 199);
    // A digit is not enough to name one of two hundred, and what is left open is not touched by asking.
    amina.fails(
        &["invite", "reject", &text(&amina.json(&["invite", "list"])["invites"][0]["id"])[..1]],
        "UNKNOWN_INVITATION",
        4,
    );
    let shown = amina.text(&["invite", "new", "Pair", "--qr"]);
    assert!(shown.contains("██") && shown.contains("alliance-invite:") && !shown.contains('\u{1b}'), "{shown}");
}

/// The files of a person's folder beside the store.
fn names(person: &Person) -> Vec<String> {
    let folder = person.file("");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}
