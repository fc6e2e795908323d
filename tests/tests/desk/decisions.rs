//! J5's decision and J11's trail as two people and somebody else type them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use crate::support::people::{Person, exchange, pair, text};

#[test]
fn a_decision_is_worded_checked_sealed_and_proven() {
    let data = tempfile::tempdir().unwrap();
    let (relay, amina, ben) = pair(data.path());
    let sync = || exchange(&amina, &ben);
    let says = |person: &Person, words: &[&str]| {
        let run = person.run(words);
        println!("$ alliance {}\n{}{}", words.join(" "), run.stdout, run.stderr);
        format!("{}{}", run.stdout, run.stderr)
    };
    let question = "May I tell the school what the mother told me?";
    let begun = amina.json(&["decision", "new", "Amina and Ben", "--ethical", "--text", question]);
    let id = text(&begun["document"])[..8].to_owned();
    amina.json(&["decision", "edit", &id, "--field", "rationale", "--text", "She trusts me."]);
    amina.json(&["decision", "edit", &id, "--text", "I ask her first."]);
    amina.json(&["decision", "add", &id, "option", "--text", "Say nothing."]);
    amina.json(&["decision", "add", &id, "code", "--text", "Confidentiality, section 4"]);
    let other = amina.json(&["decision", "add", &id, "option", "--text", "Ask the police."]);
    assert_eq!(other["commands"], 2);
    let shown = amina.json(&["decision", "show", &id]);
    let listed = shown["document"]["view"]["listed"].as_array().unwrap();
    let police = listed.iter().find(|part| part["text"]["text"] == "Ask the police.").unwrap();
    amina.json(&["decision", "remove", &id, text(&police["id"])]);
    amina.fails(&["decision", "remove", &id, text(&police["id"])], "UNKNOWN_ITEM", 3);
    amina.fails(&["decision", "seal", &id, "--on", "2026-12-05"], "INCOMPLETE", 3);
    sync();
    ben.fails(&["decision", "edit", &id, "--text", "No."], "NOT_AUTHOR", 3);
    amina.fails(&["decision", "check", &id, "--text", "Sound."], "NOT_AUTHOR", 3);
    says(&ben, &["decision", "check", &id, "--text", "You ask first, and nobody is in danger meanwhile."]);
    let sealed = says(&ben, &["decision", "seal", &id, "--on", "2026-12-05"]);
    assert!(sealed.contains("Still to seal: Amina."), "{sealed}");
    sync();
    let sealed = says(&amina, &["decision", "seal", &id, "--on", "2026-12-06"]);
    assert!(sealed.contains("it never changes any more"), "{sealed}");
    amina.fails(&["decision", "edit", &id, "--text", "No."], "SEALED", 3);
    let shown = says(&amina, &["decision", "show", &id]);
    let expected = [
        "Ethical decision\n",
        "of Amina · sealed",
        "Amina │ I ask her first.",
        "Say nothing.",
        "Confidentiality, section 4",
        "Ben: You ask first",
        "Sealed by Amina: on 2026-12-06 in en",
    ];
    for expected in expected {
        assert!(shown.contains(expected), "{expected} is not in\n{shown}");
    }
    assert!(!shown.contains("police"), "{shown}");
    let listed = says(&amina, &["decision", "list"]);
    assert!(listed.contains(&id) && listed.contains("May I tell the school"), "{listed}");
    let found = says(&amina, &["search", "trusts"]);
    assert!(found.contains(&id) && found.contains("\n  rationale\n"), "{found}");
    // The file proves itself to somebody who has no store at all.
    let file = data.path().join("trail.json");
    std::fs::write(&file, amina.run(&["decision", "trail", "Amina and Ben", "--on", "2026-12-20"]).stdout).unwrap();
    let nobody = Person::without_store("nothing");
    let proof = says(&nobody, &["decision", "prove", file.to_str().unwrap()]);
    assert!(proof.contains("1 decision is sealed, word for word as people signed."), "{proof}");
    let words = std::fs::read_to_string(&file).unwrap().replace("I ask her first", "I ask nobody");
    std::fs::write(&file, words).unwrap();
    nobody.fails(&["decision", "prove", file.to_str().unwrap()], "TRAIL_BROKEN", 6);
    gives_out(&amina, &ben, &nobody, &sync);
    relay.stop();
}

/// Amina gives the space out; Ben sees that she did, and somebody without a store whose it is.
fn gives_out(amina: &Person, ben: &Person, nobody: &Person, sync: &dyn Fn()) {
    let folder = nobody.file("handed over");
    let to = folder.to_str().unwrap();
    let words = ["export", "write", "Amina and Ben", to, "--on", "2026-12-21", "--reason", "for the ethics board"];
    let written = amina.json(&words);
    let files = written["files"].as_array().unwrap();
    assert_eq!(&files[..4], ["space.json", "space.json.signature", "sessions.csv", "actions.csv"]);
    amina.fails(&words, "FILE_EXISTS", 5);
    sync();
    let listed = ben.text(&["export", "list", "Amina and Ben"]);
    println!("$ alliance export list\n{listed}");
    let rows: Vec<&str> = listed.lines().collect();
    assert!(rows[1].starts_with("2026-12-20  Amina  decisions"), "{listed}");
    assert!(rows[2].starts_with("2026-12-21  Amina  space") && rows[2].ends_with("for the ethics board"), "{listed}");
    let file = folder.join("space.json");
    let proof = nobody.text(&["export", "prove", file.to_str().unwrap()]);
    println!("$ alliance export prove\n{proof}");
    assert!(proof.contains(text(&amina.json(&["whoami"])["whoami"]["device"])), "{proof}");
    let words = std::fs::read_to_string(&file).unwrap().replace("I ask her first", "I ask nobody");
    std::fs::write(&file, words).unwrap();
    nobody.fails(&["export", "prove", file.to_str().unwrap()], "EXPORT_BROKEN", 6);
}
