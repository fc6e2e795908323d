//! The memory card: two people who never meet and have no network, and one who carries for them; and a file that is much
//! larger than the memory that may be used.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::path::Path;
use std::process::{Command, Stdio};

use alliance_tests::binaries;
use alliance_tests::hostile::{self, Member, after};
use alliance_tests::random::Random;
use alliance_tests::soak::each_seed;

use crate::support::people::{Person, Run, text, words};

/// Lets `newcomer` into a space by texts that go from hand to hand.
fn let_in(founder: &Person, newcomer: &Person, space: &str) {
    let invite = founder.json(&["invite", "new", space])["invite"].clone();
    let join = newcomer.json(&["join", text(&invite["text"]), "--title", space])["join"].clone();
    let invite = founder.json(&["invite", "answer", text(&join["accept"])])["invite"].clone();
    newcomer.json(&["join", "reveal", text(&invite["reveal"])]);
    let read = words(&newcomer.json(&["join", "list"])["joins"]);
    let read: Vec<&str> = read.iter().map(String::as_str).collect();
    founder.json(&[&["invite", "confirm", text(&invite["id"])], read.as_slice()].concat());
}

/// Amina writes a card for Ben; Chidi, who drives there, cannot read it and carries it; Ben takes it and writes one back.
#[test]
fn the_story_of_the_memory_card() {
    let [amina, ben, chidi] = ["Amina", "Ben", "Chidi"].map(Person::new);
    amina.json(&["space", "create", "Amina and Ben"]);
    let_in(&amina, &ben, "Amina and Ben");
    let note = amina.json(&["note", "new", "Amina and Ben", "--title", "First session"]);
    let note = text(&note["document"]).to_owned();
    amina.json(&["note", "append", &note, "--section", "focus", "--text", "How to say no?"]);

    let card = amina.file("for-ben.bundle");
    let card = card.to_str().unwrap();
    let said = amina.text(&["bundle", "export", card, "--for", "Ben"]);
    let device = ben.json(&["whoami"])["whoami"]["device"].clone();
    assert!(said.contains("can be read by") && said.contains("Ben") && said.contains(&text(&device)[..8]), "{said}");
    amina.fails(&["bundle", "export", card, "--for", "Ben"], "BUNDLE_EXISTS", 5);
    amina.json(&["bundle", "export", card, "--for", "Ben", "--force"]);

    let params = chidi.fails(&["bundle", "import", card], "BUNDLE_NOT_FOR_YOU", 5);
    assert_eq!(params["file"], card);
    let looked = chidi.text(&["bundle", "inspect", card]);
    assert!(looked.contains("for others") && !looked.contains("Amina"), "{looked}");
    let carried = chidi.json(&["bundle", "carry", card]);
    let id = text(&carried["carried"]["id"]).to_owned();
    assert!(chidi.text(&["bundle", "list"]).contains(&id[..8]));
    let there = chidi.file("there.bundle");
    let there = there.to_str().unwrap();
    chidi.json(&["bundle", "hand-on", &id[..8], there]);
    assert_eq!(std::fs::read(card).unwrap(), std::fs::read(there).unwrap());

    let report = ben.json(&["bundle", "import", there])["bundles"][0].clone();
    assert!(report["whole"] == true && report["from"][0] == "Amina", "{report}");
    assert!(ben.text(&["note", "show", &note]).contains("How to say no?"));
    ben.json(&["note", "append", &note, "--section", "focus", "--text", " By saying it."]);
    let back = ben.file("for-amina.bundle");
    let back = back.to_str().unwrap();
    ben.json(&["bundle", "export", back, "--everything"]);
    let said = amina.text(&["bundle", "import", back]);
    assert!(said.contains("new"), "{said}");
    assert!(amina.text(&["note", "show", &note]).contains("By saying it."));
    // The same once more, and something that is none.
    assert_eq!(amina.json(&["bundle", "import", back])["bundles"][0]["new"], 0);
    std::fs::write(amina.file("letter"), "Dear Ben").unwrap();
    amina.fails(&["bundle", "import", "letter"], "BUNDLE_DAMAGED", 5);
    amina.fails(&["bundle", "import", "."], "FILE_UNREADABLE", 8);
    amina.fails(&["bundle", "import", "/dev/zero"], "FILE_UNREADABLE", 8);
    chidi.json(&["bundle", "drop", &id[..8]]);
    chidi.fails(&["bundle", "hand-on", &id[..8], "x"], "UNKNOWN_BUNDLE", 4);

    codes(&amina, &ben, &note);
}

/// A short note goes from one screen to another camera.
fn codes(amina: &Person, ben: &Person, note: &str) {
    amina.json(&["note", "append", note, "--section", "focus", "--text", " Seen."]);
    amina.json(&["bundle", "export", "small.bundle", "--for", "Ben"]);
    let lines = amina.text(&["bundle", "codes", "small.bundle"]);
    assert!(lines.lines().count() > 1 && lines.lines().all(|line| line.starts_with("alliance-bundle:")), "{lines}");
    let drawn = amina.json(&["bundle", "codes", "small.bundle", "--qr", "--png", "code.png"]);
    assert_eq!(drawn["files"].as_array().unwrap().len(), lines.lines().count());
    assert_eq!(drawn["codes"].as_array().unwrap().len(), lines.lines().count());
    assert!(amina.file("code-1.png").is_file());
    let file = ben.file("lines.txt");
    let first = lines.lines().next().unwrap();
    std::fs::write(&file, first).unwrap();
    ben.fails(&["bundle", "import", "--texts", "lines.txt"], "BUNDLE_TEXTS_MISSING", 5);
    std::fs::write(&file, &lines).unwrap();
    ben.json(&["bundle", "import", "--texts", "lines.txt"]);
    assert!(ben.text(&["note", "show", note]).contains("Seen."));
}

/// Runs the program on a store of the test's under a limit of its address space, in KiB.
fn limited(store: &Path, kib: u64, arguments: &[&str]) -> Run {
    let passphrase = store.with_extension("passphrase");
    std::fs::write(&passphrase, hostile::PASSPHRASE).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v \"$1\" && shift && exec \"$@\"", "sh", &kib.to_string()]);
    command.arg(&binaries().alliance).arg("--store").arg(store).arg("--passphrase-file").arg(&passphrase);
    // What the allocator sets aside for each thread counts as well.
    command.args(arguments).env("MALLOC_ARENA_MAX", "1").stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run { status: output.status.code().unwrap_or(-1), stdout: said(&output.stdout), stderr: said(&output.stderr) }
}

/// A bundle of so many MiB is written and taken in the address space that one of a few KiB needs, and a fixed amount more
/// that is far below its size. What less is not enough for is looked for first, so that the limit is known to bite.
fn in_bounded_memory(mib: u64, seed: u64) {
    const STEP_KIB: u64 = 8 * 1024;
    const MORE_KIB: u64 = 40 * 1024;
    assert!(mib * 1024 > MORE_KIB);
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let space = runtime.block_on(async {
        let mut random = Random::new(seed);
        let amina = hostile::person(&place("amina"), "Amina", &mut random).await;
        let ben = hostile::person(&place("ben"), "Ben", &mut random).await;
        let space = hostile::group(&amina).await;
        hostile::admit(&amina, space, &ben).await;
        hostile::meet(&amina, &ben).await;
        amina.close().await.unwrap();
        ben.close().await.unwrap();
        space
    });
    let space = space.to_string();
    let file = |name: &str| place(name).to_str().unwrap().to_owned();
    let (small, large) = (file("small.bundle"), file("large.bundle"));
    let export = |file: &str, kib| {
        limited(&place("amina"), kib, &["bundle", "export", file, "--space", &space, "--all", "--force"])
    };
    let import = |file: &str, kib| limited(&place("ben"), kib, &["bundle", "import", file]);
    let (mut least, mut most) = (0, 1024 * 1024);
    assert_eq!(export(&small, most).status, 0, "without a limit that bites");
    while most - least > STEP_KIB {
        let middle = least.midpoint(most);
        let works = export(&small, middle).status == 0 && import(&small, middle).status == 0;
        *(if works { &mut most } else { &mut least }) = middle;
    }
    assert!(least > 0, "the limit bites");
    runtime.block_on(fill(&place("amina"), &space, mib, seed));
    let limit = most + MORE_KIB;
    println!("seed {seed}: {mib} MiB within {limit} KiB, where {least} KiB are not enough for a small one");
    let written = export(&large, limit);
    assert_eq!(written.status, 0, "{written:?} within {limit} KiB");
    let bytes = std::fs::metadata(&large).unwrap().len();
    assert!(bytes > mib * 1024 * 1024, "{bytes}");
    let taken = import(&large, limit);
    assert_eq!(taken.status, 0, "{taken:?} within {limit} KiB");
    assert!(taken.stdout.contains("new"), "{taken:?}");
    let again = import(&large, limit);
    assert!(again.status == 0 && again.stdout.contains(" 0 entries are new"), "{again:?}");
}

/// So many MiB of entries of Amina's, as her program would pass them on: what is in them nobody can read.
async fn fill(store: &Path, space: &str, mib: u64, seed: u64) {
    const PAYLOAD_BYTES: usize = 60 * 1024;
    let mut random = Random::new(seed);
    let amina = Member::take_over(store, space.parse().unwrap(), Random::new(seed + 1)).await;
    let mut place = amina.place().await;
    let entries = (mib * 1024 * 1024).div_ceil(PAYLOAD_BYTES as u64);
    let mut batch = Vec::new();
    for n in 0..=entries {
        let payload = random.bytes32().iter().copied().cycle().take(PAYLOAD_BYTES).collect();
        let entry = amina.signed(&place, payload);
        place = after(&place, &entry);
        batch.push(entry);
        if batch.len() == 64 || n == entries {
            amina.store(std::mem::take(&mut batch)).await;
        }
    }
    amina.close();
}

/// Found by the search for the least address space: tokio waits in silence for a thread that the system does not give,
/// and where it had no other the program waited for ever.
#[test]
fn where_the_system_gives_no_thread_the_program_says_so() {
    const STEP_KIB: u64 = 1024;
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("nobody");
    let whoami = |kib| limited(&store, kib, &["whoami", "--json"]);
    // A store that is not there is looked for after the threads were made.
    let found = whoami(1024 * 1024);
    assert!(found.stderr.contains("STORE_ABSENT"), "the control: {found:?}");
    let runs = (16..96).map(|mib| whoami(mib * STEP_KIB));
    let without: Vec<Run> = runs.filter(|run| run.stderr.contains("NO_THREADS")).collect();
    assert!(!without.is_empty() && without.iter().all(|run| run.status == 8), "{without:?}");
}

#[test]
fn sixty_four_mib_in_bounded_memory() {
    in_bounded_memory(64, 1);
}

#[test]
#[ignore = "a soak: .ci/soak bundles"]
fn one_gib() {
    each_seed(|seed| in_bounded_memory(1024, seed));
}
