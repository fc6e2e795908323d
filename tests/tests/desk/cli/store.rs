//! Making a store, opening it, backing it up.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use alliance_tests::binaries;

use crate::support::people::{Person, Relay, Run, introduce, text, whole_section};

#[test]
fn an_init_that_was_interrupted_is_run_again() {
    let amina = Person::new("Amina");
    amina.fails(&["init", "--name", "Amina"], "STORE_EXISTS", 7);
    // What an interrupted one leaves, whole but for its end (`faults::steps`): nobody was shown the words.
    std::fs::write(amina.store.join("store.making"), "").unwrap();
    let params = amina.fails(&["whoami"], "STORE_ABSENT", 4);
    assert!(text(&params["what"]).contains("interrupted"), "{params}");
    let said = amina.text(&["init", "--name", "Amina"]);
    assert!(said.contains("did not come to its end") && said.contains("twelve words"), "{said}");
    amina.json(&["whoami"]);
    amina.fails(&["init", "--name", "Amina"], "STORE_EXISTS", 7);
    let ben = Person::without_store("a passphrase");
    let said = ben.text(&["init", "--name", "Ben"]);
    assert!(!said.contains("did not come to its end"), "{said}");
}

#[test]
fn the_passphrase_opens_and_nothing_else_does() {
    let amina = Person::new("Amina");
    let whoami = amina.json(&["whoami"])["whoami"].clone();
    assert_eq!(whoami["name"], "Amina");
    std::fs::write(&amina.passphrase, "not this one\n").unwrap();
    amina.fails(&["whoami"], "WRONG_PASSPHRASE", 6);
    std::fs::write(&amina.passphrase, "\n").unwrap();
    amina.fails(&["whoami"], "BAD_PASSPHRASE", 5);
    std::fs::write(&amina.passphrase, "Amina knows this").unwrap();
    assert_eq!(amina.json(&["whoami"])["whoami"], whoami);
    // The same letter, written in two ways by two keyboards.
    let keyboards = Person::without_store("caf\u{e9}");
    keyboards.json(&["init", "--name", "Zo\u{eb}"]);
    std::fs::write(&keyboards.passphrase, "cafe\u{301}").unwrap();
    keyboards.json(&["whoami"]);
    // Nobody can be asked: a process in a session of its own has no terminal.
    let mut command = Command::new("setsid");
    command.arg("--wait").arg(&binaries().alliance).arg("--store").arg(&amina.store).arg("whoami");
    let run = Run::of(&command.stdin(std::process::Stdio::null()).output().unwrap());
    assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{}", run.stderr);
    assert!(run.stderr.contains("[NO_TERMINAL]"), "{}", run.stderr);
}

#[test]
fn the_recovery_words_are_shown_once() {
    let amina = Person::without_store("a passphrase");
    let made = amina.json(&["init", "--name", "Amina"]);
    let words = text(&made["recovery_words"]);
    assert_eq!(words.split(' ').count(), 12);
    let later = [amina.text(&["whoami"]), amina.text(&["status"]), amina.text(&["export"])].concat();
    assert!(!later.contains(words));
    let shown = Person::without_store("a passphrase").text(&["init", "--name", "Ben"]);
    assert!(shown.contains("Write these twelve words on paper"), "{shown}");
    // For scripts: words go to a file of the owner's alone, and come from one that is there.
    let (chidi, again) = (Person::without_store("a passphrase"), Person::without_store("a passphrase"));
    let file = chidi.file("words");
    let path = file.to_str().unwrap();
    let made = chidi.json(&["init", "--name", "Chidi", "--words-file", path]);
    assert!(made.get("recovery_words").is_none());
    assert_eq!(std::fs::read_to_string(&file).unwrap().split_whitespace().count(), 12);
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions()) & 0o777,
        0o600
    );
    again.json(&["init", "--name", "Chidi", "--words-file", path]);
    std::fs::write(&file, "twelve words that are none at all").unwrap();
    let third = Person::without_store("a passphrase");
    third.fails(&["init", "--name", "Chidi", "--words-file", path], "BAD_RECOVERY_WORDS", 5);
}

/// Every file of a folder with its bytes.
fn bytes(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
}

#[test]
fn a_newer_store_is_not_touched() {
    let amina = Person::new("Amina");
    amina.json(&["whoami"]);
    // The header is a magic, a version and a body, with a checksum: the next version of it.
    let header = amina.store.join("store.head");
    let old = std::fs::read(&header).unwrap();
    let version = b"alliance store head\0".len();
    assert!(old.starts_with(b"alliance store head\0"), "{old:?}");
    let mut new = old[..old.len() - 8].to_vec();
    new[version] += 1;
    let check = blake3::hash(&new);
    new.extend_from_slice(&check.as_bytes()[..8]);
    std::fs::write(&header, &new).unwrap();
    let before = bytes(&amina.store);
    amina.fails(&["status"], "STORE_NEWER", 7);
    amina.fails(&["sync", "--live"], "STORE_NEWER", 7);
    assert_eq!(bytes(&amina.store), before);
    std::fs::write(&header, &old).unwrap();
    assert_eq!(amina.json(&["whoami"])["whoami"]["name"], "Amina");
}

#[test]
fn a_restored_backup_writes_a_new_history_and_loses_nothing() {
    let data = tempfile::tempdir().unwrap();
    let relay = Relay::open(data.path());
    let (amina, ben) = (Person::new("Amina"), Person::new("Ben"));
    for person in [&amina, &ben] {
        person.json(&["relay", "add", &relay.connect]);
    }
    amina.json(&["space", "create", "Pair"]);
    introduce(&amina, &ben, "Pair");
    let note = amina.json(&["note", "new", "Pair", "--title", "Before"])["document"].clone();
    let note = text(&note);
    amina.json(&["note", "append", note, "--section", "focus", "--text", "before the backup"]);
    amina.json(&["sync"]);
    let backup = amina.json(&["backup", "amina.backup"])["backup"].clone();
    assert!(backup["bytes"].as_u64().unwrap() > 0);
    // Written after the backup: one line that reached the relay, while the phone is then lost.
    amina.json(&["note", "append", note, "--section", "focus", "--text", "after the backup"]);
    amina.json(&["sync"]);
    let before = amina.json(&["whoami"])["whoami"].clone();

    let mut restored = Person::without_store("Amina knows this");
    restored.store = restored.file("restored");
    let file = amina.file("amina.backup");
    let said = restored.json(&["restore", file.to_str().unwrap()])["restored"].clone();
    assert_eq!(said["device"], before["device"]);
    assert_ne!(said["incarnation"], before["incarnation"]);
    assert_eq!(whole_section(&restored, note, "focus"), "before the backup");
    // It writes before it has met anybody; then it meets the relay, and so does Ben.
    restored.json(&["note", "append", note, "--section", "close", "--text", "from the new phone"]);
    for person in [&restored, &ben, &restored] {
        person.json(&["sync"]);
    }
    for person in [&restored, &ben] {
        assert_eq!(whole_section(person, note, "focus"), "before the backup\nafter the backup");
        assert_eq!(whole_section(person, note, "close"), "from the new phone");
        assert_eq!(person.json(&["status"])["status"]["spaces"][0]["forks"], 0);
    }
    restored.fails(&["restore", file.to_str().unwrap()], "STORE_EXISTS", 7);
    let mut other = Person::without_store("another passphrase");
    other.store = other.file("other");
    let run = other.run(&["restore", file.to_str().unwrap(), "--json"]);
    assert!([5, 6].contains(&run.status), "{}", run.stderr);
    relay.stop();
}
