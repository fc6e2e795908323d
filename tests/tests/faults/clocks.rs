//! Wrong clocks: real processes under libfaketime, at 1970, at 2076, and jumping while they run. Writing, syncing and
//! reading go on, and a clock wins nothing.
//!
//! What is faked is the calendar. Timeouts run on the monotonic clock, which no person sets.

#[path = "../desk/support/people.rs"]
#[allow(dead_code, unreachable_pub)]
mod people;

use std::path::Path;
use std::process::Command;

use alliance_tests::binaries;
use alliance_tests::calendar::{Calendar, to_1970};
use people::{Person, Relay, Run, introduce, object, text, whole_section};

const DAY: u64 = 86_400;

/// Fifty years on.
const TO_2076: i64 = 50 * 365 + 12;

fn relay(data: &Path, calendar: &Calendar) -> Relay {
    Relay::start_in(data, "127.0.0.1:0", &["--open"], &calendar.environment())
}

fn synced(person: &Person) {
    let report = person.json(&["sync", "--once"])["reports"][0].clone();
    assert!(report["settled"] == true && report["forks"] == 0 && report["diverged"] == 0, "{report}");
    assert_eq!(report["refused"].as_array().map(Vec::len), Some(0), "{report}");
}

/// Both have what the other wrote.
fn exchange(amina: &Person, ben: &Person) {
    for person in [amina, ben, amina] {
        synced(person);
    }
}

fn append(person: &Person, note: &str, words: &str) {
    person.json(&["note", "append", note, "--section", "focus", "--text", words]);
}

/// The year in which a store was made, as its device believes.
fn year_of_store(person: &Person) -> u64 {
    1970 + person.json(&["whoami"])["whoami"]["created"].as_u64().unwrap() / (365 * DAY + DAY / 4)
}

#[test]
#[ignore = "needs faketime; .ci/run"]
fn clocks_that_are_fifty_years_off_change_nothing() {
    for (amina_days, ben_days, relay_days) in [(to_1970(), TO_2076, TO_2076), (TO_2076, to_1970(), to_1970())] {
        let what = format!("days off: Amina {amina_days}, Ben {ben_days}, the relay {relay_days}");
        let data = tempfile::tempdir().unwrap();
        let calendar = Calendar::new(relay_days);
        let running = relay(data.path(), &calendar);
        let (hers, his) = (Calendar::new(amina_days), Calendar::new(ben_days));
        let amina = Person::with_environment("Amina", hers.environment());
        let ben = Person::with_environment("Ben", his.environment());
        // The control: the programs do believe it.
        for (person, days) in [(&amina, amina_days), (&ben, ben_days)] {
            let year = year_of_store(person);
            assert!(if days < 0 { year == 1970 } else { year > 2070 }, "{what}: {year}");
        }
        for person in [&amina, &ben] {
            person.json(&["relay", "add", &running.connect]);
        }
        amina.json(&["space", "create", "Pair"]);
        introduce(&amina, &ben, "Pair");
        let note = amina.json(&["note", "new", "Pair", "--title", "First"])["document"].clone();
        let note = text(&note);
        // Each writes after having read the other: that order stands, whatever the clocks say.
        append(&amina, note, "one");
        exchange(&amina, &ben);
        append(&ben, note, "two");
        ben.json(&["note", "edit", note, "--title", "Second"]);
        exchange(&ben, &amina);
        append(&amina, note, "three");
        exchange(&amina, &ben);
        for person in [&amina, &ben] {
            let words: Vec<String> =
                whole_section(person, note, "focus").split_whitespace().map(str::to_owned).collect();
            assert_eq!(words, ["one", "two", "three"], "{what}");
            assert_eq!(person.json(&["note", "show", note])["document"]["view"]["title"], "Second", "{what}");
        }
        // Apart and at once: both show the same.
        amina.json(&["note", "edit", note, "--title", "Hers"]);
        ben.json(&["note", "edit", note, "--title", "His"]);
        append(&amina, note, "hers");
        append(&ben, note, "his");
        exchange(&amina, &ben);
        let shown = |person: &Person| {
            let view = person.json(&["note", "show", note])["document"]["view"].clone();
            (view["title"].clone(), view["sections"].clone())
        };
        assert_eq!(shown(&amina).0, shown(&ben).0, "{what}");
        assert_eq!(whole_section(&amina, note, "focus"), whole_section(&ben, note, "focus"), "{what}");
        println!("{what}: both show {}", shown(&amina).0);
        // The relay starts again at another time.
        running.stop();
        calendar.set(-relay_days);
        let running = relay(data.path(), &calendar);
        for person in [&amina, &ben] {
            person.json(&["relay", "add", &running.connect]);
        }
        append(&ben, note, "four");
        exchange(&ben, &amina);
        assert!(whole_section(&amina, note, "focus").contains("four"), "{what}");
        running.stop();
    }
}

#[test]
#[ignore = "needs faketime; .ci/run"]
fn a_clock_that_jumps_while_programs_run_changes_nothing() {
    let data = tempfile::tempdir().unwrap();
    let (hers, at_relay) = (Calendar::new(0), Calendar::new(0));
    let running = relay(data.path(), &at_relay);
    let amina = Person::with_environment("Amina", hers.environment());
    let ben = Person::new("Ben");
    for person in [&amina, &ben] {
        person.json(&["relay", "add", &running.connect]);
    }
    amina.json(&["space", "create", "Pair"]);
    introduce(&amina, &ben, "Pair");
    let note = amina.json(&["note", "new", "Pair", "--title", "First"])["document"].clone();
    let note = text(&note);
    let live = amina.start(&["sync", "--live"]);
    live.event("settled");
    let mut expected = Vec::new();
    for (number, (hers_days, relay_days)) in
        [(TO_2076, 0), (to_1970(), TO_2076), (0, to_1970()), (TO_2076, to_1970()), (to_1970(), 0)]
            .into_iter()
            .enumerate()
    {
        let what = format!("Amina's clock jumps to {hers_days} days off, the relay's to {relay_days}");
        hers.set(hers_days);
        at_relay.set(relay_days);
        // Amina's running process writes and sends; Ben, whose clock is right, reads and answers.
        let (one, two) = (format!("amina{number}"), format!("ben{number}"));
        append(&amina, note, &one);
        amina.json(&["sync", "--once"]);
        synced(&ben);
        expected.push(one);
        let read = whole_section(&ben, note, "focus");
        assert_eq!(read.split_whitespace().collect::<Vec<_>>(), expected, "{what}");
        append(&ben, note, &two);
        synced(&ben);
        expected.push(two);
        amina.json(&["sync", "--once"]);
        let read = whole_section(&amina, note, "focus");
        assert_eq!(read.split_whitespace().collect::<Vec<_>>(), expected, "{what}");
    }
    // The control: the last jump was believed, by a command that ran after it.
    let made = amina.json(&["note", "new", "Pair", "--title", "At another time"]);
    assert!(made["document"].is_string(), "{made}");
    assert_eq!(live.stop(), 0);
    let probe = Person::with_environment("Probe", hers.environment());
    assert_eq!(year_of_store(&probe), 1970);
    running.stop();
}

#[test]
#[ignore = "needs faketime; .ci/run"]
fn a_calendar_that_jumps_shortens_no_wait_for_a_pin() {
    let folder = tempfile::tempdir().unwrap();
    let calendar = Calendar::new(0);
    let run = |pin: &str, arguments: &[&str]| {
        std::fs::write(folder.path().join("pin"), pin).unwrap();
        let mut command = Command::new(&binaries().alliance);
        command.args(["--profiles", "there", "--passphrase-file", "pin", "--json"]).args(arguments);
        command.current_dir(folder.path()).env_remove("RUST_LOG").envs(calendar.environment());
        Run::of(&command.stdin(std::process::Stdio::null()).output().unwrap())
    };
    let refused = |pin: &str| {
        let said = run(pin, &["--profile", "Amina", "whoami"]);
        let error = object(&said.stderr)["error"].clone();
        let wait = error["params"]["wait_seconds"].as_str().map(|seconds| seconds.parse::<u64>().unwrap());
        (text(&error["code"]).to_owned(), wait)
    };
    assert_eq!(run("5309", &["profile", "add", "--name", "Amina", "--nickname", "Amina"]).status, 0);
    for _ in 0..4 {
        assert_eq!(refused("5308"), ("PIN_WRONG".into(), None));
    }
    assert_eq!(refused("5308"), ("PIN_WRONG".into(), Some(60)));
    for days in [TO_2076, to_1970(), 0] {
        calendar.set(days);
        let (code, wait) = refused("5309");
        assert!(code == "PIN_LOCKED" && wait.is_some_and(|wait| (1..=60).contains(&wait)), "{days}: {code} {wait:?}");
    }
    // The control: the program believes the calendar.
    calendar.set(to_1970());
    assert_eq!(run("7150", &["profile", "add", "--name", "Ben", "--nickname", "Ben"]).status, 0);
    let made = object(&run("7150", &["--profile", "Ben", "whoami"]).stdout)["whoami"]["created"].as_u64().unwrap();
    assert!(made < 10 * 365 * DAY, "{made}");
}
