//! Two processes: one store that a long command holds, and two devices that meet with no relay between them.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;

use alliance_client::{Client, Options};

use crate::support::people::{self, Person, Relay, section, text, whole_section, words};

/// Amina and Ben in one space, though no relay was ever there: all of it by texts and by one direct meeting.
fn met_directly() -> (Person, Person) {
    let (amina, ben) = (Person::new("Amina"), Person::new("Ben"));
    let space = amina.json(&["space", "create", "Pair"])["space"].clone();
    assert!(space["relay"].is_null());
    let invite = amina.json(&["invite", "new", "Pair"])["invite"].clone();
    let join = ben.json(&["join", text(&invite["text"]), "--title", "Pair"])["join"].clone();
    let invite = amina.json(&["invite", "answer", text(&join["accept"])])["invite"].clone();
    let join = ben.json(&["join", "reveal", text(&invite["reveal"])])["join"].clone();
    let seen = words(&amina.json(&["invite", "list"])["invites"]);
    let read = words(&ben.json(&["join", "list"])["joins"]);
    assert_eq!(seen, read);
    assert_eq!(join["state"]["state"], "words");
    let read: Vec<&str> = read.iter().map(String::as_str).collect();
    amina.json(&[&["invite", "confirm", text(&invite["id"])], read.as_slice()].concat());
    (amina, ben)
}

/// One direct meeting; both say that they have the same.
fn meet(listens: &Person, dials: &Person) {
    let listening = listens.start(&["sync", "--once", "--listen", "127.0.0.1:0"]);
    let with = listening.next()["listening"]["with"].clone();
    let report = dials.json(&["sync", "--with", text(&with)])["reports"][0].clone();
    assert_eq!(report["settled"], true, "{report}");
    let report = listening.next()["reports"][0].clone();
    assert_eq!(report["settled"], true, "{report}");
    assert_eq!(listening.ended(), 0);
}

/// What the kernel says of a process's core files: the limit, and how far it may be raised.
#[cfg(target_os = "linux")]
fn core_file_limit(pid: u32) -> Vec<String> {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    line.split_whitespace().take(2).map(str::to_owned).collect()
}

/// A core file would hold keys.
#[cfg(target_os = "linux")]
#[test]
fn neither_program_leaves_a_core_file() {
    let mut other = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let may = core_file_limit(other.id());
    other.kill().unwrap();
    other.wait().unwrap();
    assert_ne!(may[1], "0", "nobody here may have core files: this says nothing");

    let data = tempfile::tempdir().unwrap();
    let relay = alliance_tests::running::RunningRelay::start(data.path(), &["--open"]);
    assert_eq!(core_file_limit(relay.id()), ["0", "0"]);
    let amina = Person::new("Amina");
    let listening = amina.start(&["sync", "--listen", "127.0.0.1:0"]);
    listening.next();
    assert_eq!(core_file_limit(listening.pid()), ["0", "0"]);
}

#[test]
fn two_devices_meet_with_no_relay() {
    let (amina, ben) = met_directly();
    meet(&amina, &ben);
    let note = amina.json(&["note", "new", "Pair", "--title", "By the well"])["document"].clone();
    let note = text(&note);
    amina.json(&["note", "append", note, "--section", "focus", "--text", "One paragraph."]);
    meet(&ben, &amina);
    amina.json(&["note", "edit", note, "--section", "focus", "--text", "Amina begins. One paragraph."]);
    ben.json(&["note", "edit", note, "--section", "focus", "--text", "One paragraph. Ben ends."]);
    meet(&ben, &amina);
    for person in [&amina, &ben] {
        assert_eq!(whole_section(person, note, "focus"), "Amina begins. One paragraph. Ben ends.");
        let authors: Vec<String> = section(person, note, "focus").into_iter().map(|(author, _)| author).collect();
        assert!(authors.contains(&"Amina".to_owned()) && authors.contains(&"Ben".to_owned()), "{authors:?}");
    }
    // Another device than the one that was named, and nobody.
    let listening = amina.start(&["sync", "--listen", "127.0.0.1:0"]);
    let said = listening.next()["listening"].clone();
    let own = ben.json(&["whoami"])["whoami"]["device"].clone();
    let wrong = format!("{}@{}", text(&own), text(&said["address"]));
    ben.fails(&["sync", "--with", &wrong], "WRONG_DEVICE_KEY", 6);
    // A stranger learns nothing.
    let chidi = Person::new("Chidi");
    chidi.fails(&["sync", "--with", text(&said["with"])], "PEER_REFUSED", 9);
    assert_eq!(ben.json(&["sync", "--with", text(&said["with"])])["reports"][0]["settled"], true);
    assert_eq!(listening.stop(), 0);
    ben.fails(&["sync", "--with", text(&said["with"])], "UNREACHABLE", 9);
}

#[test]
fn the_holder_of_a_store_serves_others() {
    let data = tempfile::tempdir().unwrap();
    let relay = Relay::open(data.path());
    let (amina, ben) = (Person::new("Amina"), Person::new("Ben"));
    for person in [&amina, &ben] {
        person.json(&["relay", "add", &relay.connect]);
    }
    amina.json(&["space", "create", "Pair"]);
    people::introduce(&amina, &ben, "Pair");

    let live = amina.start(&["sync", "--live"]);
    live.event("settled");
    let socket = amina.store.join("socket");
    let metadata = std::fs::symlink_metadata(&socket).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);

    // Commands work as usual: their output, their input, their files, their failures.
    let note = amina.json(&["note", "new", "Pair", "--title", "While it runs"])["document"].clone();
    let note = text(&note);
    let appended =
        amina.run_with_input(&["note", "append", note, "--section", "focus", "--file", "-"], "from standard input");
    assert_eq!((appended.status, appended.stderr.as_str()), (0, ""));
    std::fs::write(amina.file("close.txt"), "from a file").unwrap();
    amina.json(&["note", "append", note, "--section", "close", "--file", "close.txt"]);
    assert!(amina.text(&["note", "show", "while it runs"]).contains("from standard input"));
    assert_eq!(
        amina.json(&["backup", "beside.backup"])["backup"]["file"],
        amina.file("beside.backup").to_str().unwrap()
    );
    assert!(amina.file("beside.backup").is_file());
    amina.fails(&["note", "show", "No such note"], "UNKNOWN_DOCUMENT", 4);
    assert_eq!(amina.json(&["sync", "--once"])["reports"][0]["settled"], true);

    // The passphrase is asked for all the same.
    let right = std::fs::read(&amina.passphrase).unwrap();
    std::fs::write(&amina.passphrase, "not this one").unwrap();
    amina.fails(&["whoami"], "WRONG_PASSPHRASE", 6);
    std::fs::write(&amina.passphrase, right).unwrap();

    // What is no request is refused, and harms nobody.
    for garbage in ["\n", "{}\n", "not even JSON\n", "{\"version\":999}\n"] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.write_all(garbage.as_bytes()).unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        assert!(said.contains("HOLDER_OTHER") && said.ends_with("{\"end\":7}\n"), "{said}");
    }
    drop(UnixStream::connect(&socket).unwrap());
    assert_eq!(amina.json(&["whoami"])["whoami"]["name"], "Amina");

    // A long command of another process is served until that process is asked to end.
    let listening = amina.start(&["sync", "--listen", "127.0.0.1:0"]);
    let with = listening.next()["listening"]["with"].clone();
    assert_eq!(ben.json(&["sync", "--with", text(&with)])["reports"][0]["settled"], true);
    assert_eq!(whole_section(&ben, note, "focus"), "from standard input");
    assert_eq!(listening.stop(), 0);

    // The holder ends when it is asked to, and leaves nothing behind.
    assert_eq!(live.stop(), 0);
    assert!(!socket.exists());
    assert_eq!(whole_section(&amina, note, "close"), "from a file");
    relay.stop();
}

#[test]
fn a_killed_holder_is_replaced() {
    let data = tempfile::tempdir().unwrap();
    let relay = Relay::open(data.path());
    let amina = Person::new("Amina");
    amina.json(&["relay", "add", &relay.connect]);
    amina.json(&["space", "create", "Pair"]);
    let live = amina.start(&["sync", "--live"]);
    live.event("settled");
    let note = amina.json(&["note", "new", "Pair", "--title", "Kept"])["document"].clone();
    live.kill();
    assert!(amina.store.join("socket").exists(), "a killed process leaves its socket behind");
    assert_eq!(amina.json(&["note", "list"])["documents"][0]["document"], note);
    let live = amina.start(&["sync", "--live"]);
    live.event("settled");
    assert_eq!(amina.json(&["note", "list"])["documents"][0]["document"], note);
    assert_eq!(live.stop(), 0);
    relay.stop();
}

#[tokio::test]
async fn a_store_that_somebody_else_holds_is_busy() {
    let amina = Person::new("Amina");
    let held = Client::open(&amina.store, "Amina knows this", Options::default()).await.unwrap();
    let params = amina.fails(&["status"], "STORE_BUSY", 7);
    assert_eq!(params["pid"], std::process::id().to_string());
    let params = amina.fails(&["sync", "--live"], "STORE_BUSY", 7);
    assert_eq!(params["pid"], std::process::id().to_string());
    held.close().await.unwrap();
    amina.json(&["status"]);
}
