//! The command line as people and scripts use it: real processes of `alliance` and `alliance-relay`.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod store;

use std::process::Command;

use alliance_tests::binaries;
use serde_json::{Value, json};

use crate::support::people::{self, Person, Relay, Run, introduce, object, section, text, whole_section};

#[test]
fn two_people_write_apart_and_a_relay_carries_it() {
    let data = tempfile::tempdir().unwrap();
    let relay = Relay::start(data.path(), "127.0.0.1:0", &[]);
    let token = Relay::token(data.path());
    let (amina, ben) = (Person::new("Amina"), Person::new("Ben"));
    amina.json(&["relay", "add", &relay.connect, "--token", &token]);
    let relays = amina.json(&["relay", "list"]);
    assert_eq!(
        (relays["relays"][0]["address"].as_str(), relays["relays"][0]["has_token"].as_bool()),
        (Some(relay.address.as_str()), Some(true))
    );
    ben.json(&["relay", "add", &relay.connect]);
    let space = amina.json(&["space", "create", "Amina and Ben"])["space"].clone();
    assert_eq!((&space["kind"], &space["standing"]), (&json!("pair"), &json!("member")));
    introduce(&amina, &ben, "Amina and Ben");
    assert_eq!(ben.json(&["space", "show", "Amina and Ben"])["space"]["space"], space["space"]);

    let (agreement, note) = amina_writes(&amina, &ben);
    both_write_apart(&amina, &ben, &agreement, &note);
    for person in [&ben, &amina, &ben, &amina] {
        person.json(&["sync"]);
    }
    both_have_it(&amina, &ben, &agreement, &note);

    // For people: who wrote what, in the margin; nothing here is a terminal, so nothing is coloured.
    let shown = amina.text(&["note", "show", "first session"]);
    assert!(shown.contains("Amina │ She would not open") && shown.contains("Ben   │"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    assert!(amina.text(&["status"]).contains("1 of 1"));
    relay.stop();
    assert_eq!(amina.json(&["note", "list"])["documents"].as_array().unwrap().len(), 1);
}

/// Amina writes; the relay is met by one at a time.
fn amina_writes(amina: &Person, ben: &Person) -> (String, String) {
    let made = amina.does("agreement new", &["Amina and Ben"])["document"].clone();
    let agreement = text(&made).to_owned();
    let edit = format!("agreement edit {agreement} --set duration_min=60 --add confidentiality --must --text");
    amina.does(&edit, &["It stays between us."]);
    let made = amina.does("note new --date 2026-10-02 --kind clinical --title", &["First session", "Amina and Ben"]);
    let note = text(&made["document"]).to_owned();
    amina.does(&format!("note append {note} --section exploration --text"), &["She would not open. I left early."]);
    let before = amina.json(&["status"])["status"]["spaces"][0]["delivery"].clone();
    assert!(before["unsent"].as_u64().unwrap() > 0 && before["on_relay"] == false, "{before}");
    assert_eq!(amina.json(&["sync", "--once"])["only_here"], json!([]));
    ben.json(&["sync"]);
    let expected = [("Amina".to_owned(), "She would not open. I left early.".to_owned())];
    assert_eq!(section(ben, "First session", "exploration"), expected);
    (agreement, note)
}

/// Both write in the same paragraph while apart, and differ about a term.
fn both_write_apart(amina: &Person, ben: &Person, agreement: &str, note: &str) {
    let edit = format!("note edit {note} --section exploration --text");
    amina.does(&edit, &["She would not open the door. I left early."]);
    amina.does(&format!("agreement edit {agreement} --set"), &["cadence=1 month"]);
    let edit = ["note", "edit", note, "--section", "exploration", "--file", "-"];
    let run = ben.run_with_input(&edit, "She would not open. I left early. What did you feel?\n");
    assert_eq!(run.status, 0, "{}", run.stderr);
    ben.does(&format!("agreement edit {agreement} --set"), &["cadence=2 week"]);
    ben.does(&format!("note edit {note} --add-action --owner Amina --due 2026-10-09 --text"), &["Visit again"]);
}

fn both_have_it(amina: &Person, ben: &Person, agreement: &str, note: &str) {
    let merged = "She would not open the door. I left early. What did you feel?";
    for person in [amina, ben] {
        assert_eq!(whole_section(person, note, "exploration"), merged);
        let shown = person.json(&["agreement", "show", agreement]);
        let conflicts = shown["document"]["view"]["conflicts"].as_array().unwrap();
        assert!(conflicts.iter().any(|conflict| conflict["values"].as_array().unwrap().len() == 2), "{conflicts:?}");
        let delivery = person.json(&["status"])["status"]["spaces"][0]["delivery"].clone();
        let expected = json!({"drafts": 0, "unsent": 0, "on_relay": true, "on_devices": 1, "of_devices": 1});
        assert_eq!(delivery, expected);
    }
    let exported =
        |person: &Person| person.json(&["export", "--space", "Amina and Ben"])["spaces"][0]["documents"].clone();
    assert_eq!(exported(amina), exported(ben));
    assert_eq!(exported(amina).as_array().unwrap().len(), 2);
}

#[test]
fn a_note_has_everything_that_a_session_needs() {
    let amina = Person::new("Amina");
    amina.json(&["space", "create", "Mine", "--kind", "personal"]);
    let note = amina.json(&["note", "new", "Mine", "--title", "Alone"])["document"].clone();
    let note = &text(&note)[..8];
    // From a file; a line break at its end is none of the text's. A second text begins a line.
    std::fs::write(amina.file("focus.txt"), "How do I say no?\n").unwrap();
    amina.json(&["note", "append", note, "--section", "focus", "--file", "focus.txt"]);
    amina.json(&["note", "append", note, "--section", "focus", "--text", "And to whom?"]);
    assert_eq!(whole_section(&amina, note, "focus"), "How do I say no?\nAnd to whom?");
    // The same text again writes nothing.
    let again = amina.json(&["note", "edit", note, "--section", "focus", "--text", "How do I say no?\nAnd to whom?"]);
    assert_eq!(again["commands"], 0);
    // A text longer than one command may insert.
    let long = "word ".repeat(4_000);
    assert_eq!(amina.run_with_input(&["note", "edit", note, "--section", "close", "--file", "-"], &long).status, 0);
    assert_eq!(whole_section(&amina, note, "close"), long);
    amina.json(&["note", "edit", note, "--function", "proctor3/restorative=60", "--date", "2026-02-28"]);
    let action = |person: &Person| person.json(&["note", "show", note])["document"]["view"]["actions"][0].clone();
    amina.json(&["note", "edit", note, "--add-action", "--text", "Ask Ben", "--owner", "Amina", "--due", "2026-03-01"]);
    let id = text(&action(&amina)["id"]).to_owned();
    amina.json(&["note", "edit", note, "--action", &id[..6], "--done"]);
    assert_eq!(action(&amina)["state"], "done");
    amina.json(&["note", "edit", note, "--action", &id, "--reopen", "--no-due"]);
    assert_eq!((&action(&amina)["state"], &action(&amina)["due"]), (&json!("open"), &json!([])));
    amina.json(&["note", "edit", note, "--action", &id, "--remove"]);
    assert_eq!(amina.json(&["note", "show", note])["document"]["view"]["actions"], json!([]));
    // What the model refuses, it refuses here.
    amina.json(&["note", "edit", note, "--kind", "clinical"]);
    amina.fails(&["note", "edit", note, "--kind", "training"], "KIND_FIXED", 3);
    amina.fails(&["note", "edit", note, "--function", "proctor3/mediation=10"], "UNKNOWN_FUNCTION", 3);
    amina.fails(&["note", "edit", note, "--function", "proctor3/normative=101"], "WEIGHT_INVALID", 3);
    amina.fails(&["note", "append", note, "--section", "focus", "--text", ""], "TEXT_EMPTY", 3);
    amina.fails(&["note", "append", note, "--section", "focus", "--text", "\u{1b}[2J"], "TEXT_INVALID", 3);
    amina.fails(&["note", "edit", note, "--action", "ffffffff", "--done"], "UNKNOWN_ITEM", 3);
    let shown = amina.text(&["note", "show", "alone"]);
    for expected in ["Alone", "2026-02-28", "clinical", "How do I say no?", "restorative (proctor3): 60%"] {
        assert!(shown.contains(expected), "{expected} is not in\n{shown}");
    }
}

#[test]
fn an_agreement_has_clauses_and_terms() {
    let amina = Person::new("Amina");
    amina.json(&["space", "create", "Mine", "--kind", "personal"]);
    let agreement = amina.json(&["agreement", "new", "Mine"])["document"].clone();
    let agreement = text(&agreement);
    let view = || amina.json(&["agreement", "show", agreement])["document"]["view"].clone();
    amina.json(&[
        "agreement",
        "edit",
        agreement,
        "--set",
        "cadence=2 week",
        "--set",
        "review_due=2027-01-31",
        "--set",
        "venue=by the river",
    ]);
    assert_eq!(view()["terms"].as_array().unwrap().len(), 3);
    amina.json(&["agreement", "edit", agreement, "--clear", "venue"]);
    assert_eq!(view()["terms"].as_array().unwrap().len(), 2);
    for (section, say) in [("hopes", "--may"), ("confidentiality", "--must")] {
        amina.json(&["agreement", "edit", agreement, "--add", section, say, "--text", section]);
    }
    let clauses = |view: &Value| -> Vec<(String, String, String)> {
        let clauses = view["clauses"].as_array().unwrap().iter();
        clauses
            .map(|c| (text(&c["id"]).to_owned(), text(&c["modality"]).to_owned(), text(&c["text"]["text"]).to_owned()))
            .collect()
    };
    let [first, second] = clauses(&view()).try_into().unwrap();
    assert_eq!((first.1.as_str(), second.1.as_str(), second.2.as_str()), ("may", "must", "confidentiality"));
    amina.json(&[
        "agreement",
        "edit",
        agreement,
        "--clause",
        &first.0[..8],
        "--after",
        &second.0[..8],
        "--must",
        "--text",
        "hopes and fears",
    ]);
    let [now_first, now_second] = clauses(&view()).try_into().unwrap();
    assert_eq!(
        (now_first.0, now_second.1.as_str(), now_second.2.as_str()),
        (second.0.clone(), "must", "hopes and fears")
    );
    amina.json(&["agreement", "edit", agreement, "--clause", &second.0, "--remove"]);
    assert_eq!(clauses(&view()).len(), 1);
    amina.json(&["agreement", "edit", agreement, "--protect", "recording=no"]);
    amina.fails(&["agreement", "edit", agreement, "--set", "cadence=often"], "BAD_TERM", 5);
    amina.fails(&["agreement", "edit", agreement, "--set", "duration_min=0"], "NUMBER_INVALID", 3);
    let shown = amina.text(&["agreement", "show", agreement]);
    for expected in ["Cadence: 2 week", "Recording: no", "we must", "hopes and fears"] {
        assert!(shown.contains(expected), "{expected} is not in\n{shown}");
    }
}

#[test]
fn each_failure_has_a_code_and_a_status() {
    let amina = Person::new("Amina");
    let stranger = Person::without_store("some passphrase");
    amina.json(&["space", "create", "Mine", "--kind", "personal"]);
    let cases: &[(&Person, &[&str], &str, i32)] = &[
        (&amina, &["space", "show", "Yours"], "UNKNOWN_SPACE", 4),
        (&amina, &["note", "show", "0123abcd"], "UNKNOWN_DOCUMENT", 4),
        (&amina, &["note", "show", "No such title"], "UNKNOWN_DOCUMENT", 4),
        (&amina, &["invite", "confirm", "0123abcd", "one", "two", "three", "four"], "UNKNOWN_INVITATION", 4),
        (&amina, &["sync"], "NO_RELAY", 4),
        (&amina, &["relay", "add", "alliance-relay:nonsense"], "BAD_CONNECT_STRING", 5),
        (&amina, &["join", "alliance-something:nonsense"], "INVITATION_DAMAGED", 5),
        (&amina, &["sync", "--listen", "nowhere"], "BAD_ADDRESS", 5),
        (&amina, &["init", "--name", "Amina again"], "STORE_EXISTS", 7),
        (&amina, &["backup", "no/such/folder/backup"], "FILE_UNWRITABLE", 8),
        (&amina, &["backup", "passphrase"], "FILE_EXISTS", 5),
        (&stranger, &["restore", "absent.backup"], "FILE_UNREADABLE", 8),
        (&amina, &["note", "append", "abcd", "--section", "focus", "--file", "absent.txt"], "FILE_UNREADABLE", 8),
        (&amina, &["space", "create", "Many", "--kind", "peers"], "USAGE", 2),
        (&amina, &["note", "show"], "USAGE", 2),
        (&amina, &["note", "append", "abcd", "--section", "focus"], "USAGE", 2),
        (&stranger, &["status"], "STORE_ABSENT", 4),
        (&stranger, &["init", "--name", "\u{202e}"], "NAME_INVALID", 3),
        (&stranger, &["restore", "passphrase"], "BACKUP_DAMAGED", 5),
    ];
    for (person, arguments, code, status) in cases {
        person.fails(arguments, code, *status);
    }
    // For people it is one line that ends with the code.
    let run = amina.run(&["space", "show", "Yours"]);
    assert_eq!(
        (run.status, run.stdout.as_str(), run.stderr.as_str()),
        (4, "", "alliance: There is no such space in this store. (space: Yours) [UNKNOWN_SPACE]\n")
    );
    assert!(!stranger.store.join("store.head").exists(), "a command that fails makes no store");
}

#[test]
fn invitations_are_for_one_person_once() {
    let data = tempfile::tempdir().unwrap();
    let relay = Relay::open(data.path());
    let [amina, ben, chidi] = ["Amina", "Ben", "Chidi"].map(Person::new);
    for person in [&amina, &ben, &chidi] {
        person.json(&["relay", "add", &relay.connect]);
    }
    amina.json(&["space", "create", "Circle", "--kind", "group"]);
    let invite = amina.json(&["invite", "new", "Circle", "--role", "writer", "--days", "3"])["invite"].clone();
    let invitation = text(&invite["text"]).to_owned();
    assert_eq!(invite["state"]["state"], "open");

    // Damaged: a digit is another one, the end is missing.
    let last = if invitation.ends_with('a') { 'b' } else { 'a' };
    let other_digit = format!("{}{last}", &invitation[..invitation.len() - 1]);
    ben.fails(&["join", &other_digit], "INVITATION_DAMAGED", 5);
    ben.fails(&["join", &invitation[..invitation.len() - 7]], "INVITATION_DAMAGED", 5);
    // Foreign: an answer to somebody else's invitation.
    let join = ben.json(&["join", &invitation])["join"].clone();
    chidi.fails(&["invite", "answer", text(&join["accept"])], "INVITATION_FOREIGN", 5);
    amina.fails(&["invite", "confirm", text(&invite["id"]), "one", "two", "three", "four"], "NOT_ANSWERED", 10);

    // Asking again before anybody has answered changes nothing.
    assert_eq!(ben.json(&["join", &invitation])["join"]["accept"], join["accept"]);
    for person in [&amina, &ben, &amina, &ben] {
        person.json(&["sync"]);
    }
    let read = people::words(&ben.json(&["join", "list"])["joins"]);
    let read: Vec<&str> = read.iter().map(String::as_str).collect();
    amina.json(&[&["invite", "confirm", text(&invite["id"])], read.as_slice()].concat());
    amina.fails(&[&["invite", "confirm", text(&invite["id"])], read.as_slice()].concat(), "INVITATION_USED", 5);
    amina.json(&["sync"]);
    ben.json(&["sync"]);
    assert_eq!(ben.json(&["space", "list"])["spaces"][0]["standing"], "member");

    // Used twice, by one and by another.
    ben.fails(&["join", &invitation], "INVITATION_USED", 5);
    let late = chidi.json(&["join", &invitation])["join"].clone();
    amina.fails(&["invite", "answer", text(&late["accept"])], "INVITATION_USED", 5);

    // Words that differ spend the invitation.
    let invite = amina.json(&["invite", "new", "Circle"])["invite"].clone();
    let join = chidi.json(&["join", text(&invite["text"])])["join"].clone();
    amina.json(&["invite", "answer", text(&join["accept"])]);
    let id = text(&invite["id"]);
    amina.fails(&["invite", "confirm", id, "abandon", "ability", "able", "about"], "CODE_MISMATCH", 6);
    let invites = amina.json(&["invite", "list"])["invites"].clone();
    assert!(
        invites.as_array().unwrap().iter().all(|row| row["id"] != id || row["state"]["state"] == "spent"),
        "{invites}"
    );
    relay.stop();
}

#[test]
fn another_relay_in_the_place_of_the_pinned_one_gets_nothing() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let relay = Relay::open(data.path());
    let address = relay.address.clone();
    let amina = Person::new("Amina");
    amina.json(&["relay", "add", &relay.connect]);
    amina.json(&["space", "create", "Amina and Ben"]);
    relay.stop();
    amina.fails(&["sync"], "UNREACHABLE", 9);
    let impostor = Relay::start(other.path(), &address, &["--open"]);
    amina.fails(&["sync"], "WRONG_RELAY_KEY", 6);
    impostor.stop();
    let info = Command::new(&binaries().relay).args(["info", "--json", "--data"]).arg(other.path()).output().unwrap();
    assert_eq!(object(&Run::of(&info).stdout)["spaces"], 0);
    // The pinned one, back at its place, is welcome.
    let relay = Relay::start(data.path(), &address, &["--open"]);
    let report = amina.json(&["sync"])["reports"][0].clone();
    assert!(report["settled"] == true && report["acknowledged"].as_u64().unwrap() > 0, "{report}");
    relay.stop();
}

#[test]
fn help_is_for_people() {
    let plain = |arguments: &[&str]| Run::of(&Command::new(&binaries().alliance).args(arguments).output().unwrap());
    for arguments in
        [&["--help"][..], &["note", "--help"], &["note", "edit", "--help"], &["sync", "--help"], &["demo", "--help"]]
    {
        let run = plain(arguments);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""));
        assert!(run.stdout.contains("Usage: alliance") && run.stdout.contains("--store"), "{}", run.stdout);
    }
    let run = plain(&["--version"]);
    assert!(run.stdout.starts_with("alliance 0."), "{}", run.stdout);
    let run = plain(&["nonsense", "--json"]);
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    assert_eq!(object(&run.stderr)["error"]["code"], "USAGE");
}
