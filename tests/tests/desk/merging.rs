//! J6 as two people type it: a session that both wrote down.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use serde_json::json;

use crate::support::people::{Person, exchange, pair, text};

#[test]
fn a_session_that_was_written_down_twice_is_merged_and_taken_apart() {
    let data = tempfile::tempdir().unwrap();
    let (relay, amina, ben) = pair(data.path());
    let sync = || exchange(&amina, &ben);
    let recorded = |person: &Person, start: &str, words: &str| {
        let start = format!("start={start}");
        let session = person.json(&["session", "new", "Amina and Ben", "--set", &start, "--held-unplanned"]);
        let session = text(&session["document"])[..8].to_owned();
        let note = text(&person.json(&["session", "note", &session])["document"])[..8].to_owned();
        person.json(&["note", "append", &note, "--section", "exploration", "--text", words]);
        (session, note)
    };
    let (hers, her_note) = recorded(&amina, "2026-12-01 10:00", "I was afraid of him.");
    let (his, _) = recorded(&ben, "2026-12-01 10:20", "She names her fear.");
    sync();
    let says = |words: &[&str]| {
        let run = ben.run(words);
        println!("$ alliance {}\n{}{}", words.join(" "), run.stdout, run.stderr);
        format!("{}{}", run.stdout, run.stderr)
    };
    let listed = says(&["session", "list"]);
    for expected in ["POSSIBLE_DUPLICATE", &hers, &his, "alliance session apart"] {
        assert!(listed.contains(expected), "{expected} is not in\n{listed}");
    }
    // The inbox says so too, and what there is to do on a date.
    let waits = says(&["inbox"]);
    let (first, second) = ((&hers).min(&his), (&hers).max(&his));
    let expected = [format!("perhaps one session: {first} and {second}"), format!("new: {her_note} ")];
    for expected in expected {
        assert!(waits.contains(&expected), "{expected} is not in\n{waits}");
    }
    let accepted = ben.json(&["inbox", "--accept", "--space", "Amina and Ben"]);
    assert_eq!((&accepted["accepted"], &accepted["inbox"][0]["new"]), (&json!(2), &json!([])));
    let due = says(&["today", "2026-12-24"]);
    assert!(due.contains("Amina and Ben · with Amina\n  last met on 2026-12-01\n"), "{due}");
    ben.fails(&["session", "apart", &hers], "UNKNOWN_ITEM", 3);
    let merged = ben.json(&["session", "merge", &his, &hers]);
    let stands = text(&merged["session"])[..8].to_owned();
    assert_eq!(stands, *(&hers).min(&his));
    ben.fails(&["session", "merge", &hers, &his], "ALREADY_MERGED", 3);
    sync();
    let listed = amina.text(&["session", "list"]);
    assert!(listed.contains(&stands) && !listed.contains((&hers).max(&his)), "{listed}");
    let shown = says(&["session", "show", &stands]);
    for expected in ["2026-12-01 10:00 (Amina) or 2026-12-01 10:20 (Ben)", "Written down twice and shown as one"] {
        assert!(shown.contains(expected), "{expected} is not in\n{shown}");
    }
    let shown = says(&["note", "show", &her_note]);
    for expected in ["Amina │ I was afraid of him.", "Ben   │ She names her fear."] {
        assert!(shown.contains(expected), "{expected} is not in\n{shown}");
    }
    // What is chosen of the one is chosen of both.
    ben.json(&["session", "edit", &stands, "--set", "start=2026-12-01 10:20"]);
    let shown = ben.text(&["session", "show", &stands]);
    assert!(shown.contains("Start: 2026-12-01 10:20\n") && !shown.contains("Please choose"), "{shown}");
    // What only the other part says is taken away there, and what no part says nowhere.
    let other = (&hers).max(&his);
    ben.json(&["session", "edit", other, "--stakeholder", "the school"]);
    assert!(ben.text(&["session", "show", &stands]).contains("the school"));
    let cleared = ben.json(&["session", "edit", &stands, "--no-stakeholder", "the school"]);
    assert_eq!(cleared["commands"], json!(1));
    assert!(!ben.text(&["session", "show", &stands]).contains("the school"));
    ben.fails(&["session", "edit", &stands, "--no-stakeholder", "the school"], "UNKNOWN_ITEM", 3);
    // A note for which another stands in lists is found by its own words.
    for words in ["afraid", "names"] {
        let found = ben.text(&["note", "list", "--search", words]);
        assert_eq!(found.matches("2026-12-01").count(), 1, "{found}");
    }
    sync();
    let confirmed = amina.text(&["note", "confirm", &her_note, "--on", "2026-12-08"]);
    assert!(confirmed.contains("Still to confirm: Ben."), "{confirmed}");
    amina.json(&["session", "apart", &stands]);
    sync();
    let listed = says(&["session", "list"]);
    assert!(listed.contains(&hers) && listed.contains(&his) && !listed.contains("POSSIBLE_DUPLICATE"), "{listed}");
    relay.stop();
}
