//! Packs and templates as people type them: shown, signed, adopted, refused; and what somebody brings to an agenda.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::path::{Path, PathBuf};

use alliance_model::Pack;
use serde_json::{Value, json};

use crate::support::people::{Person, exchange, pair, text};

const SPACE: &str = "Amina and Ben";

/// What a command prints, its lines as one: where they are broken the terminal says.
fn says(person: &Person, words: &[&str]) -> String {
    let run = person.run(words);
    println!("$ alliance {}\n{}{}", words.join(" "), run.stdout, run.stderr);
    flat(&format!("{}{}", run.stdout, run.stderr))
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn contains(shown: &str, expected: &[&str]) {
    for expected in expected {
        assert!(shown.contains(expected), "{expected} is not in\n{shown}");
    }
}

#[track_caller]
fn id(value: &Value) -> String {
    text(value)[..8].to_owned()
}

/// A file of a pack with the shipped record of clinical meetings, changed.
fn ours(person: &Person, name: &str, change: impl FnOnce(&mut Value)) -> PathBuf {
    let shipped: Value = serde_json::from_slice(&Pack::shipped().encode()).unwrap();
    let kinds = shipped["kinds"].as_array().unwrap();
    let mut record = kinds.iter().find(|record| record["kind"] == "clinical").unwrap().clone();
    change(&mut record);
    let mut template = shipped["templates"][0].clone();
    template["name"] = json!("our_pair");
    let values = json!({"name": "values", "language": "en", "lines": ["We ask before we tell."]});
    let pack = json!({
        "pack": 1, "name": "ours", "version": 3, "language": "en",
        "kinds": [record], "templates": [template], "texts": [values],
    });
    let file = person.file(name);
    std::fs::write(&file, pack.to_string()).unwrap();
    file
}

/// Signs a pack and keeps the file as the terminal prints it.
fn signed(person: &Person, file: &Path) -> PathBuf {
    let run = person.run(&["pack", "sign", SPACE, file.to_str().unwrap(), "--on", "2026-12-10"]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let file = person.file("signed.json");
    std::fs::write(&file, run.stdout).unwrap();
    file
}

#[test]
fn templates_are_listed_and_copied_and_overwrite_nothing() {
    let amina = Person::new("Amina");
    amina.json(&["space", "create", SPACE]);
    let list = amina.json(&["agreement", "templates", SPACE])["templates"].clone();
    let title = "Supervision of one person by another";
    let expected = json!({"name": "clinical_pair", "language": "en", "title": title, "pack": "shipped"});
    assert_eq!(list[0], expected, "{list}");
    contains(&says(&amina, &["agreement", "templates", SPACE]), &["clinical_pair en", "shipped", "peer_group"]);

    let refused = amina.fails(&["agreement", "new", SPACE, "--template", "nonsense"], "UNKNOWN_ITEM", 3);
    assert_eq!(refused["templates"], "clinical_pair, peer_group");
    assert_eq!(amina.json(&["agreement", "list"])["documents"], json!([]), "nothing was begun");

    let clauses = Pack::shipped().template("clinical_pair").unwrap().clauses.len();
    let view = |agreement: &str| amina.json(&["agreement", "show", agreement])["document"]["view"].clone();
    let begun = id(&amina.json(&["agreement", "new", SPACE, "--template", "clinical_pair"])["document"]);
    assert_eq!(view(&begun)["clauses"].as_array().unwrap().len(), clauses);

    // Into one that is there, behind what it says.
    let other = id(&amina.json(&["agreement", "new", SPACE])["document"]);
    amina.json(&["agreement", "edit", &other, "--add", "language", "--must", "--text", "We speak Kiswahili."]);
    amina.json(&["agreement", "edit", &other, "--set", "duration_min=90"]);
    amina.fails(&["agreement", "template", &other, "nonsense"], "UNKNOWN_ITEM", 3);
    amina.json(&["agreement", "template", &other, "clinical_pair"]);
    let shown = view(&other);
    assert_eq!(shown["clauses"].as_array().unwrap().len(), 1 + clauses);
    assert_eq!(shown["clauses"][0]["text"]["text"], "We speak Kiswahili.");
    let terms = shown["terms"].as_array().unwrap();
    let minutes = terms.iter().find(|term| term["name"] == "duration_min").unwrap();
    assert_eq!((minutes["values"].as_array().unwrap().len(), &minutes["values"][0]["value"]), (1, &json!("90")));
}

#[test]
fn the_shipped_pack_says_its_rules_and_its_texts() {
    // No store is needed.
    let nobody = Person::without_store("nothing");
    let shown = says(&nobody, &["pack", "show", "shipped"]);
    let expected = [
        "Pack shipped version 1 · in en",
        "D1 agenda: The agenda is mostly the supervisee's.",
        "owned by supervisee; supervisor brings from sessions, working relationship",
        "D3 information: Some information, to widen the supervisee's own options.",
        "for: widen own options",
        "resting on: clinical session",
        "outside meetings: report unsafe practice",
        "D6 brought out: Reflection, learning from experience",
        "DISCIPLINARY",
        "PEER GROUP",
        "clinical_pair en",
        "before_solving en 5",
    ];
    contains(&shown, &expected);
    let shown = nobody.json(&["pack", "show", "shipped"]);
    assert_eq!((&shown["signed"], &shown["loosens"]), (&json!(null), &json!([])));
    assert_eq!(shown["pack"]["kinds"].as_array().unwrap().len(), 7);

    for it in &Pack::shipped().texts {
        let shown = says(&nobody, &["pack", "text", &it.name]);
        let lines: Vec<String> = it.lines.iter().map(|line| flat(&format!("- {line}"))).collect();
        assert!(shown.ends_with(&lines.join(" ")), "{}: {shown}", it.name);
    }
    let refused = nobody.fails(&["pack", "text", "nonsense"], "UNKNOWN_ITEM", 3);
    contains(text(&refused["texts"]), &["values", "first_session", "purpose_questions"]);
}

#[test]
fn a_pack_tightens_from_its_day_on_for_both() {
    let data = tempfile::tempdir().unwrap();
    let (relay, amina, ben) = pair(data.path());
    contains(&says(&amina, &["pack", "list", SPACE]), &["No pack was adopted here"]);

    // The agenda is the supervisee's; a supervisor says where something comes from.
    let session = ["session", "new", SPACE, "--set", "kind=clinical", "--set", "date=2026-12-04"];
    let session = id(&ben.json(&session)["document"]);
    ben.json(&["session", "person", &session, "Ben", "--role", "supervisor"]);
    ben.json(&["session", "person", &session, "Amina", "--role", "supervisee"]);
    let bring = |more: &[&'static str]| {
        let words = ["session", "edit", &session, "--add", "--text", "You spoke of the kitchen three times."];
        [&words[..], more].concat().into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    let refused = |more: &[&'static str]| {
        let words = bring(more);
        ben.fails(&words.iter().map(String::as_str).collect::<Vec<_>>(), "KIND_FORBIDS", 3)
    };
    let brought = |more: &[&'static str]| {
        let words = bring(more);
        ben.json(&words.iter().map(String::as_str).collect::<Vec<_>>());
    };
    let without = refused(&[]);
    assert_eq!((&without["kind"], &without["rule"]), (&json!("clinical"), &json!("agenda_owner")));
    assert_eq!(without["from"], "from_sessions, working_relationship");
    refused(&["--from", "from_work"]);
    brought(&["--from", "working_relationship"]);

    // Ben signs one that allows less, and Amina takes it up.
    let file = signed(&ben, &ours(&ben, "ours.json", |record| record["proposers"] = from_sessions()));
    let path = file.to_str().unwrap();
    let device = ben.json(&["whoami"])["whoami"]["device"].clone();
    let proof = says(&Person::without_store("nothing"), &["pack", "show", path]);
    contains(&proof, &["Pack ours version 3", "Signed on 2026-12-10", text(&device), "our_pair"]);
    exchange(&amina, &ben);
    let adopted = says(&amina, &["pack", "adopt", SPACE, path, "--on", "2026-12-10"]);
    contains(&adopted, &["ours", "It counts here for what is dated from 2026-12-10 on"]);
    exchange(&amina, &ben);
    let packs = ben.json(&["pack", "list", SPACE])["packs"].clone();
    assert_eq!((packs.as_array().unwrap().len(), &packs[0]["name"]), (1, &json!("ours")));

    // The session of the fourth keeps its rules; one of the eleventh does not.
    brought(&["--from", "working_relationship"]);
    ben.json(&["session", "edit", &session, "--set", "date=2026-12-11"]);
    assert_eq!(refused(&["--from", "working_relationship"])["from"], "from_sessions");
    brought(&["--from", "from_sessions"]);
    exchange(&amina, &ben);
    let view = amina.json(&["session", "show", &session])["document"]["view"].clone();
    assert_eq!(view["agenda"].as_array().unwrap().len(), 3);

    // Its texts and templates stand before the shipped ones.
    contains(&says(&amina, &["pack", "text", "values", "--space", SPACE]), &["We ask before we tell."]);
    contains(&says(&amina, &["pack", "text", "climate", "--space", SPACE]), &["CLIMATE"]);
    let list = amina.json(&["agreement", "templates", SPACE])["templates"].clone();
    assert_eq!((&list[0]["name"], &list[0]["pack"]), (&json!("our_pair"), &json!("ours")));
    amina.json(&["agreement", "new", SPACE, "--template", "our_pair"]);
    relay.stop();
}

fn from_sessions() -> Value {
    json!({"supervisor": ["from_sessions"]})
}

#[test]
fn a_pack_that_loosens_or_is_broken_is_named_and_not_taken_up() {
    let amina = Person::new("Amina");
    amina.json(&["space", "create", SPACE]);
    let loose = ours(&amina, "loose.json", |record| {
        record["evidence_sources"] = json!(["clinical_session", "work_situation"]);
        record["challenge_topics"] = json!(["blind_spot", "private_life"]);
    });
    let loose = loose.to_str().unwrap();
    let both = ["clinical.evidence_sources", "clinical.challenge_topics"];
    let sign = ["pack", "sign", SPACE, loose, "--on", "2026-12-10"];
    assert_eq!(amina.fails(&sign, "PACK_LOOSENS", 3)["path"], both.join(", "));
    contains(&says(&amina, &sign), &both);
    contains(&says(&amina, &["pack", "show", loose]), &["[PACK_LOOSENS]", both[0], both[1]]);
    assert_eq!(amina.json(&["pack", "show", loose])["loosens"], json!(both));

    // What is no pack, what nobody signed, and what is not what was signed.
    std::fs::write(amina.file("broken.json"), "{\"pack\": 1, \"name\": \"a\", \"name\": \"b\"}").unwrap();
    assert_eq!(amina.fails(&["pack", "show", "broken.json"], "PACK_BROKEN", 6)["reason"], "json");
    amina.fails(&["pack", "sign", SPACE, "broken.json", "--on", "2026-12-10"], "PACK_BROKEN", 6);
    let adopt = |file: &Path| {
        let words = ["pack", "adopt", SPACE, file.to_str().unwrap(), "--on", "2026-12-10"];
        amina.fails(&words, "PACK_BROKEN", 6)["reason"].clone()
    };
    let plain = ours(&amina, "ours.json", |record| record["proposers"] = from_sessions());
    assert_eq!(adopt(&plain), "file");
    let good = signed(&amina, &plain);
    let forged = amina.file("forged.json");
    let words = std::fs::read_to_string(&good).unwrap().replace("We ask before", "We tell before");
    std::fs::write(&forged, words).unwrap();
    assert_eq!(adopt(&forged), "signature");
    amina.fails(&["pack", "show", "forged.json"], "PACK_BROKEN", 6);
    assert_eq!(amina.json(&["pack", "list", SPACE])["packs"], json!([]));
    // The control.
    amina.json(&["pack", "adopt", SPACE, good.to_str().unwrap(), "--on", "2026-12-10"]);
    assert_eq!(amina.json(&["pack", "list", SPACE])["packs"].as_array().unwrap().len(), 1);
}
