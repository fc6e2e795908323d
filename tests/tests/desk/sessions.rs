//! Sessions on the command line.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use serde_json::json;

use crate::support::people::{Person, text};

#[test]
fn a_session_is_planned_held_and_closed() {
    let amina = Person::new("Amina");
    amina.json(&["space", "create", "Mine", "--kind", "personal"]);
    let set = ["--set", "kind=clinical", "--set", "date=2026-12-04", "--set", "time=14:30", "--set", "minutes=60"];
    let session = amina.json(&[&["session", "new", "Mine"][..], &set[..]].concat());
    let session = text(&session["document"])[..8].to_owned();
    amina.fails(&["session", "new", "Mine", "--set", "date=tomorrow"], "BAD_TERM", 5);
    amina.fails(&["session", "new", "Mine", "--set", "minutes=0"], "NUMBER_INVALID", 3);
    assert_eq!(amina.json(&["session", "list"])["documents"].as_array().unwrap().len(), 1, "nothing empty was begun");
    amina.json(&["session", "edit", &session, "--add", "--text", "The locked kitchen", "--about", "focus=ethical"]);
    amina.json(&["session", "edit", &session, "--set", "place=Under the tree", "--stakeholder", "client"]);
    amina.json(&["session", "person", &session, "Amina", "--role", "supervisee", "--attendance", "attended"]);
    amina.json(&["session", "person", &session, "amina", "--chose-focus"]);
    amina.fails(&["session", "person", &session, "Nobody", "--role", "guest"], "UNKNOWN_MEMBER", 4);
    amina.fails(&["session", "mark", &session, "closed"], "NOT_HELD", 3);
    amina.json(&["session", "mark", &session, "held"]);
    let view = amina.json(&["session", "show", &session])["document"].clone();
    let item = text(&view["view"]["agenda"][0]["id"])[..8].to_owned();
    amina.json(&["session", "edit", &session, "--item", &item, "--says", "discussed"]);
    amina.fails(&["session", "edit", &session, "--item", "0000", "--says", "discussed"], "UNKNOWN_ITEM", 3);
    amina.fails(&["session", "edit", &session, "--set", "kind=training"], "KIND_FIXED", 3);
    amina.json(&["session", "mark", &session, "closed"]);
    let shown = amina.text(&["session", "show", &session]);
    println!("{shown}");
    let expected = [
        "Clinical session",
        "closed",
        "Date: 2026-12-04",
        "Time: 14:30",
        "Place: Under the tree",
        "Focus chosen by: Amina",
        "About: client",
        "Held, says Amina",
        "Amina · supervisee · attended",
        "discussed · brought by Amina · focus ethical",
        "The locked kitchen",
    ];
    for expected in expected {
        assert!(shown.contains(expected), "{expected} is not in\n{shown}");
    }
    // Its note: begun once, with the session's date and kind.
    let note = amina.json(&["session", "note", &session]);
    assert_eq!(note["begun"], json!(true));
    assert_eq!(amina.json(&["session", "note", &session])["begun"], json!(false));
    let view = amina.json(&["note", "show", text(&note["document"])])["document"]["view"].clone();
    assert_eq!((&view["date"], &view["kind"]), (&json!("2026-12-04"), &json!("clinical")));
    assert!(amina.text(&["session", "list"]).contains("Session, clinical"));
    let found = amina.json(&["search", "tree"])["found"]["hits"].clone();
    assert_eq!((&found[0]["kind"], &found[0]["place"]), (&json!("session"), &json!("place")));
}
