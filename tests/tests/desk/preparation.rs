//! What a person prepares, on the command line.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use serde_json::json;

use crate::support::people::{Person, text};

fn state(of: &Person, entry: &str) -> String {
    let shown = of.json(&["prep", "show", entry]);
    text(&shown["document"]["view"]["entries"][0]["state"]).to_owned()
}

#[test]
fn what_is_prepared_is_shared_and_withdrawn() {
    let amina = Person::new("Amina");
    assert!(amina.text(&["prep", "list"]).starts_with("Nothing is prepared"));
    amina.json(&["space", "create", "Amina and Ben"]);
    let session = amina.json(&["session", "new", "Amina and Ben", "--set", "date=2026-12-04"]);
    let session = text(&session["document"])[..8].to_owned();
    let set = ["--set", "kind=upsetting", "--set", "priority=1", "--set", "occurred_on=2026-11-20"];
    let add = ["prep", "add", "--text", "The grandmother locked the kitchen.", "--feel", "shame"];
    let kitchen = text(&amina.json(&[&add[..], &set[..]].concat())["entry"])[..8].to_owned();
    let rota = text(&amina.json(&["prep", "add", "--text", "The rota", "--feel", "anger"])["entry"])[..8].to_owned();
    // What cannot be is refused before anything is begun.
    for (wrong, code, status) in [
        (&["--text", "x", "--set", "kind=boring"][..], "BAD_TERM", 5),
        (&["--text", "x", "--set", "priority=10"][..], "NUMBER_INVALID", 3),
        (&["--text", " "][..], "TEXT_EMPTY", 3),
        (&["--text", "a\u{7}b"][..], "TEXT_INVALID", 3),
        (&["--text", "x", "--feel", "boredom"][..], "USAGE", 2),
        (&[][..], "USAGE", 2),
    ] {
        amina.fails(&[&["prep", "add"][..], wrong].concat(), code, status);
    }
    assert_eq!(amina.json(&["prep", "list"])["entries"].as_array().unwrap().len(), 2);

    amina.json(&["prep", "set", &kitchen, "client_alias=the boy", "function_hint=room to breathe"]);
    amina.json(&["prep", "set", &kitchen, "--clear", "function_hint", "--says", "selected"]);
    amina.json(&["prep", "feel", &kitchen, "guilt", "--not", "shame"]);
    amina.fails(&["prep", "feel", &kitchen, "--not", "pride"], "UNKNOWN_ITEM", 3);
    amina.fails(&["prep", "set", &kitchen], "USAGE", 2);
    amina.fails(&["prep", "set", "0000", "priority=1"], "UNKNOWN_ITEM", 3);
    amina.json(&["prep", "edit", &kitchen, "--text", "The grandmother locked the kitchen again.", "--after", &rota]);
    let selected = amina.json(&["prep", "list", "--state", "selected"])["entries"].clone();
    assert_eq!(selected.as_array().unwrap().len(), 1);
    let order: Vec<String> = amina.json(&["prep", "list"])["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| text(&entry["id"])[..8].to_owned())
        .collect();
    assert_eq!(order, [rota.clone(), kitchen.clone()]);

    let wording = "How to say no in somebody's home?";
    let share = ["prep", "share", &kitchen, &session, "--text", wording, "--minutes", "20"];
    assert_eq!(amina.json(&share)["shared"]["begun"], json!(true));
    assert_eq!(amina.json(&share)["shared"]["begun"], json!(false), "there is one copy");
    amina.fails(&["prep", "share", "0000", &session], "UNKNOWN_ITEM", 3);
    amina.fails(&["prep", "share", &kitchen, "ffff0000"], "UNKNOWN_DOCUMENT", 4);
    amina.fails(&["prep", "withdraw", &rota, &session], "UNKNOWN_ITEM", 3);
    let agenda = amina.text(&["session", "show", &session]);
    assert!(agenda.contains(wording) && agenda.contains("minutes 20") && !agenda.contains("grandmother"), "{agenda}");
    let shown = amina.text(&["prep", "show"]);
    println!("{}\n{shown}", amina.text(&["prep", "list"]));
    for expected in [
        "yours alone",
        "shared · occurred on 2026-11-20 · kind upsetting · priority 1",
        "client alias the boy",
        "Feelings: guilt",
        "The grandmother locked the kitchen again.",
        "on 2026-12-04: shared; on the agenda: open",
        "Feelings: anger",
        "Read by Amina",
    ] {
        assert!(shown.contains(expected), "{expected} is not in\n{shown}");
    }
    assert!(!shown.contains("room to breathe"));

    amina.json(&["prep", "withdraw", &kitchen, &session]);
    assert_eq!(state(&amina, &kitchen), "withdrawn");
    assert!(amina.text(&["session", "show", &session]).contains("withdrawn"));
    amina.json(&["prep", "set", &kitchen, "--says", "carried_over"]);
    assert_eq!(state(&amina, &kitchen), "carried_over");
    amina.json(&["prep", "remove", &kitchen]);
    amina.fails(&["prep", "show", &kitchen], "UNKNOWN_ITEM", 3);
    assert_eq!(state(&amina, &rota), "private");
    // It is found like everything, and stays out of what is renewed.
    let found = amina.json(&["search", "rota"])["found"]["hits"].clone();
    assert_eq!(found[0]["kind"], json!("preparation"));
}
