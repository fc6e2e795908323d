//! Confirming a note and adding to it on the command line.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use serde_json::json;

use crate::support::people::{Person, exchange, pair, text};

#[test]
fn a_note_is_confirmed_locked_and_added_to() {
    let amina = Person::new("Amina");
    amina.json(&["space", "create", "Mine", "--kind", "personal"]);
    let note = amina.json(&["note", "new", "Mine"]);
    let note = text(&note["document"])[..8].to_owned();
    let confirm = ["note", "confirm", &note, "--on", "2026-12-08"];
    let named = [&confirm[..], &["--text", "ffff"]].concat();
    amina.fails(&confirm, "TEXT_EMPTY", 3);
    amina.json(&["note", "edit", &note, "--section", "close", "--text", "We meet in May."]);
    amina.json(&["note", "edit", &note, "--add-action", "--text", "Call the clinic."]);
    amina.fails(&named, "UNKNOWN_ITEM", 3);
    let confirmed = amina.json(&confirm);
    assert_eq!((&confirmed["state"], &confirmed["confirmed"]["state"]), (&json!("locked"), &json!("locked")));
    amina.fails(&confirm, "LOCKED_NOTE", 3);
    amina.fails(&["note", "append", &note, "--section", "close", "--text", "Or June."], "LOCKED_NOTE", 3);
    // Whether an action is done is no part of what is locked.
    let view = amina.json(&["note", "show", &note])["document"]["view"].clone();
    let action = text(&view["actions"][0]["id"])[..8].to_owned();
    amina.json(&["note", "edit", &note, "--action", &action, "--done"]);
    amina.fails(&["note", "edit", &note, "--action", &action, "--owner", "Ben"], "LOCKED_NOTE", 3);
    amina.fails(&["note", "addendum", &note, "--adopt", "1"], "UNKNOWN_ITEM", 3);
    amina.json(&["note", "addendum", &note, "--text", "The clinic called back.\nOn Monday."]);
    let shown = amina.text(&["note", "show", &note]);
    println!("{shown}");
    let expected =
        ["· locked", "We meet in May.", "done", "Addenda", "Amina:", "On Monday.", "this text · Amina on 2026-12-08"];
    for expected in expected {
        assert!(shown.contains(expected), "{expected} is not in\n{shown}");
    }
    let found = amina.text(&["search", "Monday"]);
    assert!(found.contains("an addendum"), "{found}");
}

/// J5 as two people type it.
#[test]
fn two_people_confirm_the_note_of_their_session() {
    let data = tempfile::tempdir().unwrap();
    let (relay, amina, ben) = pair(data.path());
    let says = |person: &Person, name: &str, words: &[&str]| {
        let said = person.text(words);
        println!("{name} $ alliance {}\n{said}", words.join(" "));
        said
    };
    let sync = || exchange(&amina, &ben);
    let session = amina.json(&["session", "new", "Amina and Ben", "--set", "date=2026-12-01"]);
    let session = text(&session["document"])[..8].to_owned();
    sync();
    // Apart, each begins the note: it is one.
    let begun = [&amina, &ben].map(|person| person.json(&["session", "note", &session])["document"].clone());
    assert_eq!(begun[0], begun[1]);
    let note = text(&begun[0])[..8].to_owned();
    let append = |text| ["note", "append", &note, "--section", "exploration", "--text", text].map(str::to_owned);
    for (person, words) in [(&amina, "I was afraid of him."), (&ben, "She names her fear.")] {
        person.json(&append(words).each_ref().map(String::as_str));
    }
    sync();
    let confirm = ["note", "confirm", &note, "--on", "2026-12-08"];
    let first = says(&amina, "Amina", &confirm);
    assert!(first.contains("Still to confirm: Ben."), "{first}");
    sync();
    let last = says(&ben, "Ben", &confirm);
    assert!(last.contains("Everybody who was there has: the note is locked."), "{last}");
    // Amina does not know yet, and has an afterthought.
    amina.json(&append("He called on Monday.").each_ref().map(String::as_str));
    sync();
    let shown = says(&ben, "Ben", &["note", "show", &note]);
    for expected in ["· locked", "1. exploration, by Amina", "+ He called on Monday.", "this text · "] {
        assert!(shown.contains(expected), "{expected} is not in\n{shown}");
    }
    ben.fails(&["note", "addendum", &note, "--adopt", "1"], "NOT_AUTHOR", 3);
    says(&amina, "Amina", &["note", "addendum", &note, "--adopt", "1"]);
    sync();
    let shown = says(&ben, "Ben", &["note", "show", &note]);
    assert!(
        shown.contains("Addenda\n  Amina:\n    He called on Monday.") && !shown.contains("Written without"),
        "{shown}"
    );
    relay.stop();
}
