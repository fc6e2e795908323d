//! Roles, leaving, a second device and a lost one, as people type them.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::ffi::OsStr;

use alliance_tests::binaries::binaries;
use serde_json::{Value, json};

use crate::support::people::{Person, Relay, text, words};
use crate::support::terminal::Terminal;

/// The person who was invited is let in with the words that both see.
fn confirm(inviter: &Person, id: &str) -> Value {
    let invite = inviter.json(&["invite", "show", id])["invite"].clone();
    let heard = words(&json!([invite]));
    let mut arguments = vec!["invite", "confirm", id];
    arguments.extend(heard.iter().map(String::as_str));
    inviter.json(&arguments)
}

/// Lets `newcomer` into a space of `inviter`'s, by the relay.
fn let_in(inviter: &Person, newcomer: &Person, space: &str) {
    let invite = inviter.json(&["invite", "new", space, "--role", "writer"])["invite"].clone();
    inviter.json(&["sync"]);
    newcomer.json(&["join", text(&invite["text"]), "--title", space]);
    for person in [newcomer, inviter] {
        person.json(&["sync"]);
    }
    confirm(inviter, text(&invite["id"]));
    for person in [inviter, newcomer] {
        person.json(&["sync"]);
    }
}

#[test]
fn a_group_has_roles_and_people_go() {
    let data = tempfile::tempdir().unwrap();
    let relay = Relay::open(data.path());
    let (ben, amina) = (Person::new("Ben"), Person::new("Amina"));
    ben.json(&["relay", "add", &relay.connect]);
    ben.json(&["space", "create", "Circle", "--kind", "group"]);
    let_in(&ben, &amina, "Circle");
    let members = ben.json(&["person", "list", "Circle"])["members"].clone();
    assert_eq!(members.as_array().unwrap().len(), 2, "{members}");
    let member = ben.json(&["person", "role", "Circle", "Amina", "reader"])["member"].clone();
    assert_eq!((&member["name"], &member["role"]), (&json!("Amina"), &json!("reader")));
    amina.fails(&["person", "role", "Circle", "Ben", "reader"], "ROLE_FORBIDS", 3);
    amina.fails(&["person", "remove", "Circle", "Nobody"], "UNKNOWN_MEMBER", 4);
    ben.fails(&["space", "leave", "Circle"], "LAST_STEWARD", 3);
    assert_eq!(ben.json(&["space", "offered", "Circle"])["offered"], json!([]));
    ben.fails(&["space", "admit", "Circle", "0123abcd"], "UNKNOWN_VERSION", 4);
    assert_eq!(amina.json(&["space", "leave", "Circle"])["space"]["standing"], "closed");
    assert_eq!(ben.json(&["space", "end", "Circle"])["space"]["standing"], "closed");
    let shown = ben.text(&["person", "list", "Circle"]);
    assert!(shown.contains("Ben (you)"), "{shown}");
}

#[test]
fn a_second_device_gets_everything_and_a_lost_one_is_put_out() {
    let data = tempfile::tempdir().unwrap();
    let relay = Relay::open(data.path());
    let (laptop, phone) = (Person::without_store("the laptop's"), Person::new("Amina"));
    let paper = laptop.file("words");
    laptop.json(&["init", "--name", "Amina", "--words-file", paper.to_str().unwrap()]);
    laptop.json(&["relay", "add", &relay.connect]);
    laptop.json(&["space", "create", "Mine", "--kind", "group"]);
    let note = laptop.json(&["note", "new", "Mine", "--title", "Everywhere"])["document"].clone();
    let invite = laptop.json(&["device", "invite"])["invite"].clone();
    let join = phone.json(&["join", text(&invite["text"])])["join"].clone();
    let answered = laptop.json(&["invite", "answer", text(&join["accept"])])["invite"].clone();
    phone.json(&["join", "reveal", text(&answered["reveal"])]);
    confirm(&laptop, text(&invite["id"]));
    for person in [&laptop, &phone, &laptop, &phone] {
        person.json(&["sync"]);
    }
    assert_eq!(phone.json(&["note", "show", text(&note)])["document"]["view"]["title"], "Everywhere");
    assert_eq!(phone.json(&["space", "list"])["spaces"].as_array().unwrap().len(), 1, "the home is not among them");
    let key = phone.json(&["whoami"])["whoami"]["device"].clone();
    let key = &text(&key)[..8];
    let listed = laptop.text(&["device", "list"]);
    assert!(listed.contains(key) && listed.contains("(this one)"), "{listed}");
    laptop.fails(&["device", "suspend", "0000"], "UNKNOWN_DEVICE", 4);
    let out = laptop.json(&["device", "suspend", key])["device"].clone();
    assert_eq!((out["active"].as_array().unwrap().len(), out["suspended"].as_array().unwrap().len()), (0, 2));
    std::fs::write(
        phone.file("others"),
        "legal winner thank year wave sausage worth useful legal winner thank yellow\n",
    )
    .unwrap();
    let others = phone.file("others");
    laptop.fails(&["device", "lost", key, "--words-file", others.to_str().unwrap()], "WORDS_OF_NOBODY", 6);
    let lost = laptop.json(&["device", "lost", key, "--words-file", paper.to_str().unwrap()])["device"].clone();
    assert_eq!(lost["lost"].as_array().unwrap().len(), 2);
}

/// Nothing is left but the paper: a new phone, twelve words and the relay's address.
#[test]
fn a_new_phone_comes_back_with_the_words() {
    let data = tempfile::tempdir().unwrap();
    let relay = Relay::open(data.path());
    let (laptop, phone) = (Person::without_store("the laptop's"), Person::without_store("the new phone's"));
    let paper = laptop.file("words");
    let paper = paper.to_str().unwrap();
    laptop.json(&["init", "--name", "Amina", "--words-file", paper]);
    laptop.json(&["relay", "add", &relay.connect]);
    laptop.json(&["space", "create", "Mine", "--kind", "group"]);
    let note = laptop.json(&["note", "new", "Mine", "--title", "Everywhere"])["document"].clone();
    laptop.json(&["sync"]);
    phone.json(&["init", "--name", "Amina", "--words-file", paper]);
    phone.fails(&["recover", "--words-file", paper], "NO_RELAY", 4);
    phone.json(&["relay", "add", &relay.connect]);
    phone.fails(&["recover", "--words-file", paper, "--keep", "0000"], "UNKNOWN_DEVICE", 4);
    let recovered = phone.json(&["recover", "--words-file", paper])["recovered"].clone();
    assert_eq!((recovered["spaces"].as_array().unwrap().len(), &recovered["missing"]), (1, &json!([])), "{recovered}");
    assert_eq!(phone.json(&["note", "show", text(&note)])["document"]["view"]["title"], "Everywhere");
    let said = phone.text(&["recover", "--words-file", paper]);
    assert!(said.contains("You are yourself again: 1 space") && said.contains("  Mine\n"), "{said}");
    let status = laptop.json(&["sync"]);
    assert_eq!(status["reports"][0]["settled"], json!(true), "{status}");
    laptop.fails(&["note", "show", text(&note)], "DEVICE_SUSPENDED", 3);
    // Words that nobody lists come back to nothing.
    let stranger = Person::new("Somebody");
    let others = stranger.file("others");
    std::fs::write(&others, "legal winner thank year wave sausage worth useful legal winner thank yellow\n").unwrap();
    let third = Person::without_store("a third's");
    third.json(&["init", "--name", "Nobody", "--words-file", others.to_str().unwrap()]);
    third.json(&["relay", "add", &relay.connect]);
    third.fails(&["recover", "--words-file", others.to_str().unwrap()], "NOTHING_TO_RECOVER", 4);
}

/// New words are shown once, and three of them asked back until they are right; `words add` does the same before any
/// space lists the further ones.
#[test]
fn recovery_words_are_asked_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let program = &binaries().alliance;
    let start = |rest: &[&str]| {
        let mut line: Vec<&OsStr> = vec![program.as_os_str(), "--store".as_ref(), store.as_os_str()];
        line.extend(rest.iter().map(OsStr::new));
        Terminal::start(&line, &[("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")])
    };
    let mut terminal = start(&["init", "--name", "Amina"]);
    terminal.until("Choose a passphrase for this store: ");
    terminal.types("a passphrase\n");
    terminal.until("The same again: ");
    terminal.types("a passphrase\n");
    let first = terminal.words_asked_back();
    assert_eq!(terminal.ended().0, 0);

    let mut terminal = start(&["words", "add"]);
    terminal.until("Recovery words: ");
    terminal.types(&format!("{first}\n"));
    let further = terminal.words_asked_back();
    terminal.until("Passphrase: ");
    terminal.types("a passphrase\n");
    let (status, said) = terminal.ended();
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("Listed in 1 space"), "{said}");
    assert_ne!(first, further);
}

/// Two people without a relay: the inviter listens, the newcomer asks and comes again.
#[test]
fn an_invitation_on_one_network() {
    let (amina, ben) = (Person::new("Amina"), Person::new("Ben"));
    amina.json(&["space", "create", "Two"]);
    let invite = amina.json(&["invite", "new", "Two"])["invite"].clone();
    let listening = amina.start(&["sync", "--listen", "127.0.0.1:0"]);
    let with = text(&listening.next()["listening"]["with"]).to_owned();
    let (_, address) = with.split_once('@').unwrap();
    let join = ben.json(&["join", text(&invite["text"]), "--title", "Two", "--at", address])["join"].clone();
    assert_eq!(join["state"]["state"], "words", "{join}");
    confirm(&amina, text(&invite["id"]));
    let joined = ben.json(&["join", "meet", text(&join["id"]), address])["join"].clone();
    assert_eq!(joined["state"]["state"], "joined", "{joined}");
    assert_eq!(listening.stop(), 0);
    assert_eq!(ben.json(&["space", "show", "Two"])["space"]["members"].as_array().unwrap().len(), 2);
}
