//! The command line finds what was written, and shows what was written before.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use serde_json::json;

use crate::support::people::{self, Person, text};

#[test]
fn notes_are_found_by_their_words() {
    let amina = Person::new("Amina");
    amina.json(&["space", "create", "Mine", "--kind", "personal"]);
    let kitchen = amina.json(&["note", "new", "Mine", "--title", "The locked kitchen", "--date", "2026-10-02"]);
    let kitchen = text(&kitchen["document"]).to_owned();
    amina.json(&["note", "append", &kitchen, "--section", "focus", "--text", "Élodie's grandmother: «no entry»."]);
    amina.json(&["note", "append", &kitchen, "--section", "close", "--text", "奶奶不让我进厨房"]);
    amina.json(&["note", "new", "Mine", "--title", "Another kitchen"]);
    amina.json(&["agreement", "new", "Mine"]);

    let found = amina.json(&["search", "elodie", "grand"])["found"].clone();
    assert_eq!((found["hits"].as_array().unwrap().len(), &found["not_searched"]), (1, &json!(0)));
    let hit = &found["hits"][0];
    assert_eq!((&hit["document"], &hit["place"]), (&json!(kitchen), &json!("sections.focus")));
    assert_eq!((&hit["kind"], &hit["title"]), (&json!("note"), &json!("The locked kitchen")));
    assert_eq!(hit["snippet"]["marks"], json!([{"start": 0, "len": 6}, {"start": 9, "len": 11}]));
    let shown = amina.text(&["search", "elodie grand"]);
    for expected in ["The locked kitchen", "2026-10-02", "focus", "[Élodie]'s [grandmother]: «no entry»."] {
        assert!(shown.contains(expected), "{expected} is not in\n{shown}");
    }
    assert!(amina.text(&["search", "厨房"]).contains("奶奶不让我进[厨房]"));
    assert_eq!(amina.json(&["search", "kitchen"])["found"]["hits"].as_array().unwrap().len(), 2);
    assert_eq!(amina.json(&["search", "\"locked kitchen\""])["found"]["hits"].as_array().unwrap().len(), 1);
    let page = amina.text(&["search", "kitchen", "--limit", "1"]);
    assert!(page.contains("--offset 1"), "{page}");
    assert_eq!(amina.json(&["search", "working", "--kind", "note"])["found"]["hits"], json!([]));
    assert_eq!(amina.json(&["search", "working", "--kind", "agreement"])["found"]["hits"][0]["kind"], "agreement");
    assert!(amina.text(&["search", "nowhere"]).contains("Nothing was found."));
    let listed = amina.json(&["note", "list", "--search", "LOCKED"])["documents"].clone();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["searched"]), (1, &json!(true)));
    // Nothing of a query is a language; what cannot be one is refused with a code.
    assert!(amina.text(&["search", "--", "-locked", "(kitchen*)"]).contains("The [locked] [kitchen]"));
    assert!(amina.text(&["search", "locked", "OR", "absent"]).contains("Nothing was found."));
    amina.fails(&["search", "*"], "QUERY_EMPTY", 3);
    amina.fails(&["search", &"word ".repeat(2_000)], "QUERY_TOO_LONG", 3);
    amina.fails(&["search"], "USAGE", 2);
    amina.fails(&["search", "kitchen", "--space", "absent"], "UNKNOWN_SPACE", 4);
}

#[test]
fn a_note_has_a_history() {
    let amina = Person::new("Amina");
    amina.json(&["space", "create", "Mine", "--kind", "personal"]);
    let note = amina.json(&["note", "new", "Mine", "--title", "Kitchen"]);
    let note = text(&note["document"])[..8].to_owned();
    let section = ["--section", "close", "--text"];
    amina.json(&[&["note", "append", &note][..], &section[..], &["We met in May. It rained."]].concat());
    amina.json(&[&["note", "edit", &note][..], &section[..], &["It rained."]].concat());
    let page = amina.json(&["note", "history", &note])["history"].clone();
    assert_eq!(page["total"], 3);
    let versions = page["versions"].as_array().unwrap();
    assert!(versions.iter().all(|version| version["by"] == "Amina" && version["not_shown"].is_null()));
    assert_eq!(versions[0]["changed"], json!([{"place": "sections.close", "added": 0, "removed": 15}]));
    let middle = &text(&versions[1]["version"])[..8];
    let then = amina.json(&["note", "history", &note, "--at", middle])["version"].clone();
    assert_eq!(then["view"]["sections"][4]["text"]["text"], "We met in May. It rained.");
    let shown = amina.text(&["note", "history", &note]);
    for expected in ["Amina", middle, "close −15", "close +25", "title"] {
        assert!(shown.contains(expected), "{expected} is not in\n{shown}");
    }
    assert!(amina.text(&["note", "history", &note, "--at", middle]).contains("We met in May."));
    let compared = amina.text(&["note", "history", &note, "--compare", middle]);
    assert!(compared.contains("[-We met in May. -]It rained."), "{compared}");
    let restore = ["note", "history", &note, "--restore", middle, "--section", "close", "--passage"];
    amina.json(&[&restore[..], &["We met in May. "]].concat());
    assert_eq!(people::whole_section(&amina, &note, "close"), "We met in May. It rained.");
    assert_eq!(amina.json(&["note", "history", &note])["history"]["total"], 4);
    amina.fails(&[&restore[..], &["We met in May. "]].concat(), "NOTHING_MISSING", 3);
    amina.fails(&[&restore[..], &["We met in June."]].concat(), "NO_PASSAGE", 4);
    amina.fails(&["note", "history", &note, "--at", "ffffffff"], "UNKNOWN_VERSION", 4);
    amina.fails(&["note", "history", &note, "--restore", middle], "USAGE", 2);
}
