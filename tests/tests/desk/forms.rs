//! Goals, feedback, remarks, reviews, closing summaries, charter and contract as people type them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use serde_json::{Value, json};

use crate::support::people::{Person, exchange, pair, text};

const SPACE: &str = "Amina and Ben";

/// What a command says, printed as the guide shows it.
fn says(person: &Person, words: &[&str]) -> String {
    let run = person.run(words);
    println!("$ alliance {}\n{}{}", words.join(" "), run.stdout, run.stderr);
    format!("{}{}", run.stdout, run.stderr)
}

/// The first digits of what a command began or added.
#[track_caller]
fn id(value: &Value) -> String {
    text(value)[..8].to_owned()
}

/// An item of a form that is shown, by the first digits of its id.
#[track_caller]
fn item(shown: &Value, id: &str) -> Value {
    let items = shown["document"]["view"]["items"].as_array().unwrap();
    items.iter().find(|item| text(&item["id"]).starts_with(id)).unwrap_or_else(|| panic!("{shown}")).clone()
}

#[track_caller]
fn contains(shown: &str, expected: &[&str]) {
    for expected in expected {
        assert!(shown.contains(expected), "{expected} is not in\n{shown}");
    }
}

#[test]
fn a_goal_is_ones_own_to_word_and_both_say_what_becomes_of_it() {
    let data = tempfile::tempdir().unwrap();
    let (relay, amina, ben) = pair(data.path());
    let list = |person: &Person| person.json(&["goal", "list", SPACE]);
    assert_eq!(list(&amina)["document"]["view"]["items"], json!([]));
    contains(&amina.text(&["goal", "list", SPACE]), &["alliance goal add"]);
    // What is refused begins nothing.
    let wrong = ["goal", "add", SPACE, "--text", "Bear not knowing.", "--area", "nonsense"];
    let refused = amina.fails(&wrong, "UNKNOWN_WORD", 3);
    contains(text(&refused["words"]), &["confidence_with_uncertainty"]);
    amina.fails(&["goal", "add", SPACE, "--text", " "], "TEXT_EMPTY", 3);
    amina.fails(&["goal", "say", SPACE, "agreed", "--item", "01234567"], "UNKNOWN_ITEM", 3);
    assert_eq!(list(&amina)["document"]["document"], json!(null));

    let area = "confidence_with_uncertainty";
    let added = amina.json(&["goal", "add", SPACE, "--text", "Bear not knowing.", "--area", area]);
    let goal = id(&added["item"]);
    exchange(&amina, &ben);
    ben.fails(&["goal", "edit", SPACE, &goal, "--text", "Know everything."], "NOT_AUTHOR", 3);
    ben.fails(&["goal", "set", SPACE, &goal, "area", "skill"], "NOT_AUTHOR", 3);
    ben.fails(&["goal", "remove", SPACE, &goal], "NOT_AUTHOR", 3);
    ben.fails(&["goal", "say", SPACE, "achieved", "--item", &goal], "NOT_AUTHOR", 3);
    ben.json(&["goal", "say", SPACE, "agreed", "--item", &goal]);
    let his = id(&ben.json(&["goal", "add", SPACE, "--text", "Ask before I advise."])["item"]);
    exchange(&amina, &ben);
    amina.json(&["goal", "say", SPACE, "agreed", "--item", &his]);
    amina.fails(&["goal", "edit", SPACE, &his, "--text", "Advise."], "NOT_AUTHOR", 3);
    assert_eq!(item(&list(&amina), &goal)["state"], "agreed");

    let refused = amina.fails(&["goal", "say", SPACE, "nonsense", "--item", &goal], "UNKNOWN_WORD", 3);
    contains(text(&refused["words"]), &["agreed", "progress"]);
    let refused = amina.fails(&["goal", "set", SPACE, &goal, "nonsense", "x"], "UNKNOWN_FIELD", 3);
    assert_eq!(refused["fields"], "area");
    let progress = ["goal", "say", SPACE, "progress", "--item", &goal, "--on", "2027-01-15", "--number"];
    amina.fails(&[&progress[..], &["5"]].concat(), "NUMBER_INVALID", 3);
    amina.json(&[&progress[..], &["2", "--text", "I waited before I answered."]].concat());
    ben.json(&["goal", "say", SPACE, "review_on", "--item", &goal, "--on", "2027-06-01"]);
    let refused = amina.fails(&["goal", "say", SPACE, "agreed", "--item", &goal, "--number", "1"], "UNKNOWN_FIELD", 3);
    assert_eq!(refused["fields"], "text");

    // They say two things apart; whoever says one more ends it.
    amina.json(&["goal", "say", SPACE, "working", "--item", &goal]);
    ben.json(&["goal", "say", SPACE, "reviewed", "--item", &goal]);
    exchange(&amina, &ben);
    assert_eq!(item(&list(&ben), &goal)["state"], "disputed");
    amina.json(&["goal", "say", SPACE, "achieved", "--item", &goal, "--text", "I can wait."]);
    exchange(&amina, &ben);
    assert_eq!(item(&list(&ben), &goal)["state"], "achieved");
    amina.json(&["goal", "edit", SPACE, &goal, "--text", "Bear not knowing, and say so."]);
    let shown = says(&amina, &["goal", "list", SPACE]);
    contains(
        &shown,
        &[
            "Learning goals",
            "area: confidence with uncertainty",
            "Bear not knowing, and say so.",
            "Ask before I advise.",
            "2027-01-15",
            "review on",
            "Read by Amina, Ben.",
        ],
    );
    ben.json(&["goal", "remove", SPACE, &his]);
    assert_eq!(list(&ben)["document"]["view"]["items"].as_array().unwrap().len(), 1);
    relay.stop();
}

#[test]
fn feedback_is_heard_taken_back_and_paused() {
    let data = tempfile::tempdir().unwrap();
    let (relay, amina, ben) = pair(data.path());
    let give =
        |person: &Person, to: &str, text: &str| person.json(&["feedback", "give", SPACE, "--to", to, "--text", text]);
    ben.fails(&["feedback", "give", SPACE, "--to", "Nobody", "--text", "Well."], "UNKNOWN_MEMBER", 4);
    let session = ben.json(&["session", "new", SPACE, "--set", "kind=clinical"]);
    let words = ["feedback", "give", SPACE, "--to", "amina", "--text", "You interrupt me.", "--sort", "non_evaluative"];
    let first = id(&ben.json(&[&words[..], &["--session", &id(&session["document"])]].concat())["item"]);
    let second = id(&give(&ben, "Amina", "You were late.")["item"]);
    exchange(&amina, &ben);
    amina.fails(&["feedback", "edit", SPACE, &first, "--text", "I do not."], "NOT_AUTHOR", 3);
    amina.fails(&["feedback", "retract", SPACE, &first], "NOT_AUTHOR", 3);
    ben.fails(&["feedback", "acknowledge", SPACE, &first], "NOT_AUTHOR", 3);
    amina.json(&["feedback", "acknowledge", SPACE, &first, "--text", "I did not notice."]);
    exchange(&amina, &ben);
    contains(&says(&ben, &["feedback", "retract", SPACE, &first]), &["Amina has acknowledged it, so it stays."]);
    ben.json(&["feedback", "retract", SPACE, &second]);
    exchange(&amina, &ben);
    let list = amina.json(&["feedback", "list", SPACE]);
    assert_eq!(item(&list, &first)["text"]["text"], "You interrupt me.");
    assert_eq!(
        (&item(&list, &second)["text"]["text"], &item(&list, &second)["state"]),
        (&json!(""), &json!("retracted"))
    );
    contains(&says(&amina, &["feedback", "list", SPACE]), &["to: Amina", "sort: non evaluative", "I did not notice."]);

    // None for now, until she says otherwise; nobody else ends it.
    amina.json(&["feedback", "pause", SPACE]);
    assert_eq!(amina.json(&["feedback", "pause", SPACE])["commands"], 0);
    exchange(&amina, &ben);
    let more = ["feedback", "give", SPACE, "--to", "Amina", "--text", "You listened."];
    ben.fails(&more, "FEEDBACK_PAUSED", 3);
    give(&amina, "Ben", "You listened.");
    assert_eq!(ben.json(&["feedback", "resume", SPACE])["commands"], 0);
    ben.json(&["charter", "say", SPACE, "feedback_again"]);
    exchange(&amina, &ben);
    ben.fails(&more, "FEEDBACK_PAUSED", 3);
    amina.json(&["feedback", "resume", SPACE]);
    exchange(&amina, &ben);
    ben.json(&more);
    relay.stop();
}

#[test]
fn remarks_say_what_one_sees_and_the_charter_what_a_space_is() {
    let data = tempfile::tempdir().unwrap();
    let (relay, amina, ben) = pair(data.path());
    let add =
        |person: &Person, more: &[&str]| id(&person.json(&[&["remark", "add", SPACE][..], more].concat())["item"]);
    let refused = ben.fails(&["remark", "add", SPACE, "nonsense", "--text", "Well."], "UNKNOWN_FIELD", 3);
    contains(text(&refused["fields"]), &["perspective", "criterion"]);
    let refused =
        ben.fails(&["remark", "add", SPACE, "criterion", "--of", "Amina", "--text", "Well."], "UNKNOWN_FIELD", 3);
    assert_eq!(refused["field"], "of");
    let perspective = add(&ben, &["perspective", "--text", "She may be ashamed."]);
    add(&ben, &["strength", "--of", "Amina", "--text", "You stayed in the room."]);
    ben.fails(&["remark", "say", SPACE, "useful", "--item", &perspective], "NOT_AUTHOR", 3);
    let challenge = ["challenge", "--text", "You spoke of everybody but him.", "--topic"];
    let refused = [&["remark", "add", SPACE][..], &challenge, &["mistake"]].concat();
    ben.fails(&refused, "KIND_FORBIDS", 3);
    let rests =
        |on: &'static str| [&["remark", "add", SPACE][..], &challenge, &["blind_spot", "--evidence", on]].concat();
    ben.fails(&rests("work_situation"), "EVIDENCE_SOURCE", 3);
    ben.json(&rests("clinical_session"));
    // A challenge on what was agreed, and a criterion of each.
    let broken = ["challenge", "--text", "We began late.", "--topic", "broken_clause", "--clause", "We begin on time."];
    add(&ben, &broken);
    let criterion = add(&ben, &["criterion", "--text", "The client knows what is written."]);
    add(&amina, &["criterion", "--text", "Nobody decides alone."]);
    exchange(&amina, &ben);
    amina.json(&["remark", "say", SPACE, "shared", "--item", &criterion]);
    let list = amina.json(&["remark", "list", SPACE]).to_string();
    contains(&list, &["We begin on time.", "The client knows what is written.", "Nobody decides alone.", "shared"]);
    amina.json(&["remark", "say", SPACE, "useful", "--item", &perspective, "--text", "I had not seen it so."]);
    let shown = says(&amina, &["remark", "list", SPACE]);
    contains(&shown, &["PERSPECTIVE", "She may be ashamed.", "useful", "STRENGTH", "of: Amina"]);

    contains(&amina.text(&["charter", "show", SPACE]), &["alliance charter set"]);
    let refused = amina.fails(&["charter", "set", SPACE, "nonsense", "x"], "UNKNOWN_FIELD", 3);
    contains(text(&refused["fields"]), &["independence", "employed"]);
    let refused = amina.fails(&["charter", "put", SPACE, "nonsense", "x"], "UNKNOWN_FIELD", 3);
    assert_eq!(refused["fields"], "purpose");
    assert_eq!(amina.json(&["charter", "show", SPACE])["document"]["document"], json!(null));
    amina.json(&["charter", "set", SPACE, "label_supervisor", "critical friend"]);
    amina.json(&["charter", "set", SPACE, "stage", "training"]);
    amina.json(&["charter", "clear", SPACE, "stage"]);
    amina.json(&["charter", "put", SPACE, "purpose", "practice"]);
    amina.json(&["charter", "put", SPACE, "purpose", "theme"]);
    amina.json(&["charter", "take", SPACE, "purpose", "theme"]);
    let train = ["charter", "train", SPACE, "--profession", "social worker", "--registration", "SW 4711"];
    amina.json(&[&train[..], &["--text", "A course of two years."]].concat());
    contains(&amina.json(&["charter", "show", SPACE]).to_string(), &["SW 4711", "A course of two years."]);
    amina.json(&["charter", "say", SPACE, "active"]);
    amina.json(&["charter", "say", SPACE, "paused", "--text", "Until March."]);
    let shown = says(&amina, &["charter", "show", SPACE]);
    let expected = ["paused", "label supervisor: critical friend", "purpose: practice", "profession: social worker"];
    contains(&shown, &expected);
    assert!(!shown.contains("theme") && !shown.contains("stage:"), "{shown}");
    assert_eq!(amina.json(&["charter", "audience", SPACE])["audience"], "alliance");
    amina.fails(&["charter", "audience", SPACE, "management"], "KIND_FIXED", 3);
    relay.stop();
}

#[test]
fn a_review_and_a_closing_summary_are_signed_by_both_and_prove_themselves() {
    let data = tempfile::tempdir().unwrap();
    let (relay, amina, ben) = pair(data.path());
    let sync = || exchange(&amina, &ben);
    let review = id(&amina.json(&["review", "new", SPACE])["document"]);
    amina.json(&["review", "answer", &review, "improve", "--text", "I would like to prepare."]);
    amina.json(&["review", "answer", &review, "improve", "--text", "I would like to prepare more."]);
    sync();
    ben.json(&["review", "answer", &review, "improve", "--text", "I talk too much."]);
    let refused = ben.fails(&["review", "answer", &review, "nonsense", "--text", "x"], "UNKNOWN_WORD", 3);
    contains(text(&refused["words"]), &["relationship"]);
    let refused = ben.fails(&["review", "edit", &review, "--field", "nonsense", "--text", "x"], "UNKNOWN_FIELD", 3);
    assert_eq!(refused["fields"], "summary");
    ben.json(&["review", "edit", &review, "--text", "We go on."]);
    let refused = ben.fails(&["review", "sign", &review, "--on", "2027-05-30"], "INCOMPLETE", 3);
    assert_eq!(refused["missing"], "outcome");
    ben.json(&["review", "set", &review, "outcome", "continue"]);
    ben.json(&["review", "say", &review, "held"]);
    sync();
    contains(&says(&amina, &["review", "sign", &review, "--on", "2027-05-30"]), &["Still to sign: Ben."]);
    amina.fails(&["review", "sign", &review, "--on", "2027-05-30"], "ALREADY_SIGNED", 3);
    amina.fails(&["review", "give", &review, "--on", "2027-05-30"], "INCOMPLETE", 3);
    sync();
    let signed = says(&ben, &["review", "sign", &review, "--on", "2027-05-31", "--language", "sw"]);
    contains(&signed, &["it never changes any more"]);
    sync();
    amina.fails(&["review", "edit", &review, "--text", "We stop."], "SEALED", 3);
    let shown = says(&amina, &["review", "show", &review]);
    contains(&shown, &["signed by all", "outcome: continue", "I would like to prepare more.", "I talk too much."]);
    contains(&says(&amina, &["review", "list"]), &[review.as_str()]);

    let closing = id(&amina.json(&["closing", "new", SPACE])["document"]);
    amina.json(&["closing", "edit", &closing, "--text", "We met for a year. She leads now."]);
    amina.json(&["closing", "edit", &closing, "--field", "open_questions", "--text", "Who visits in spring?"]);
    amina.json(&["closing", "set", &closing, "ends_on", "2027-06-30"]);
    sync();
    for (person, on) in [(&ben, "2027-06-29"), (&amina, "2027-06-30")] {
        person.json(&["closing", "sign", &closing, "--on", on]);
        sync();
    }
    let file = data.path().join("closing.json");
    let give = ["closing", "give", &closing, "--on", "2027-07-01", "--reason", "for whoever goes on"];
    std::fs::write(&file, amina.run(&give).stdout).unwrap();
    sync();
    contains(&ben.text(&["export", "list", SPACE]), &["2027-07-01", "signed", "for whoever goes on"]);
    proves(&amina, &file);
    relay.stop();
}

/// The file proves itself to somebody who has no store at all, and is taken up in another space.
fn proves(amina: &Person, file: &std::path::Path) {
    let path = file.to_str().unwrap();
    let nobody = Person::without_store("nothing");
    let proof = says(&nobody, &["signed", "prove", path]);
    let device = amina.json(&["whoami"])["whoami"]["device"].clone();
    contains(&proof, &["Closing summary", "She leads now.", "ends on: 2027-06-30", "Signed by Ben", text(&device)]);
    amina.json(&["space", "create", "Amina and Chen"]);
    let adopted = amina.json(&["charter", "adopt", "Amina and Chen", path, "--on", "2027-08-01"]);
    assert_eq!(adopted["adopted"]["kind"], "closing");
    contains(&amina.text(&["charter", "adopted", "Amina and Chen"]), &["Closing summary", "Signed by"]);
    let words = std::fs::read_to_string(file).unwrap().replace("She leads now", "She left");
    std::fs::write(file, words).unwrap();
    nobody.fails(&["signed", "prove", path], "SIGNED_BROKEN", 6);
    amina.fails(&["charter", "adopt", "Amina and Chen", path, "--on", "2027-08-01"], "SIGNED_BROKEN", 6);
}

/// A contract of Chen's organisation, signed by Chen; its file.
fn contract(chen: &Person) -> std::path::PathBuf {
    let space = chen.json(&["space", "create", "Clinic", "--kind", "group", "--audience", "organisation"]);
    assert_eq!(space["space"]["audience"], "organisation");
    contains(&chen.text(&["space", "list"]), &["group, organisation"]);
    contains(&chen.text(&["space", "show", "Clinic"]), &["audience  organisation"]);
    // Nothing of any session is in the organisation's space.
    chen.fails(&["session", "new", "Clinic"], "KIND_FORBIDS", 3);
    chen.fails(&["goal", "add", "Clinic", "--text", "Grow."], "KIND_FORBIDS", 3);
    let contract = id(&chen.json(&["contract", "new", "Clinic"])["document"]);
    chen.fails(&["charter", "audience", "Clinic", "management"], "KIND_FIXED", 3);
    let needed = ["purpose", "manner", "responsibilities", "assessment_methods", "confidentiality_limits"];
    for name in needed.into_iter().chain(["employer_commitments"]) {
        chen.json(&["contract", "edit", &contract, "--field", name, "--text", "As the code of ethics says."]);
    }
    chen.fails(&["contract", "sign", &contract, "--on", "2026-12-01"], "INCOMPLETE", 3);
    chen.fails(&["contract", "set", &contract, "retention_months", "0"], "NUMBER_INVALID", 3);
    for (field, value) in [
        ("organisation", "The clinic"),
        ("attendance_projection", "dates"),
        ("retention_months", "24"),
        ("line_manager_supervises", "yes"),
        ("cadence_days", "30"),
    ] {
        chen.json(&["contract", "set", &contract, field, value]);
    }
    chen.json(&["contract", "clear", &contract, "cadence_days"]);
    chen.json(&["contract", "put", &contract, "kinds_allowed", "clinical"]);
    chen.json(&["contract", "put", &contract, "codes", "Code of ethics"]);
    contains(&says(chen, &["contract", "sign", &contract, "--on", "2026-12-01"]), &["Everybody who has to has"]);
    chen.fails(&["contract", "set", &contract, "retention_months", "84"], "SEALED", 3);
    let shown = says(chen, &["contract", "show", &contract]);
    contains(&shown, &["Overall contract", "organisation: The clinic", "signed by all", "Read by Chen."]);
    let file = chen.file("contract.json");
    std::fs::write(&file, chen.run(&["contract", "give", &contract, "--on", "2026-12-01"]).stdout).unwrap();
    file
}

#[test]
fn a_contract_is_signed_elsewhere_and_holds_where_it_is_adopted() {
    let data = tempfile::tempdir().unwrap();
    let (relay, amina, ben) = pair(data.path());
    let chen = Person::new("Chen");
    let file = contract(&chen);
    amina.fails(&["contract", "new", SPACE], "KIND_FORBIDS", 3);
    amina.fails(&["space", "create", "Mine", "--audience", "personal"], "KIND_FORBIDS", 3);
    assert_eq!(amina.json(&["space", "list"])["spaces"].as_array().unwrap().len(), 1, "nothing was founded");

    let agreement = id(&amina.json(&["agreement", "new", SPACE])["document"]);
    let edit = |more: &[&str]| amina.json(&[&["agreement", "edit", &agreement][..], more].concat());
    edit(&["--add", "responsibilities_roles", "--must", "--text", "We both prepare."]);
    edit(&["--add", "confidentiality", "--must", "--text", "It stays between us."]);
    edit(&["--set", "review_due=2027-05-30", "--set", "retention_months=36"]);
    amina.json(&["charter", "set", SPACE, "independence", "line_manager"]);
    let propose = ["agreement", "propose", &agreement, "--on", "2026-12-02"];
    amina.fails(&propose, "INDEPENDENCE", 3);
    assert_eq!(amina.json(&["charter", "adopted", SPACE])["adopted"], json!([]));
    let adopt = ["charter", "adopt", SPACE, file.to_str().unwrap(), "--on", "2026-12-02"];
    contains(&says(&amina, &adopt), &["Overall contract", "It holds here from now on"]);
    amina.json(&adopt);
    exchange(&amina, &ben);
    let adopted = ben.json(&["charter", "adopted", SPACE])["adopted"].clone();
    assert_eq!(adopted.as_array().unwrap().len(), 1, "{adopted}");
    let words = &adopted[0]["proved"]["words"];
    assert_eq!(words["fields"]["retention_months"], "24");
    assert_eq!(words["sets"]["codes"], json!(["Code of ethics"]));
    assert_eq!(words["texts"]["employer_commitments"], "As the code of ethics says.");
    let shown = says(&ben, &["charter", "adopted", SPACE]);
    contains(&shown, &["Signed by", "read by Amina; not yet by Ben"]);
    let file_name = text(&adopted[0]["file"])[..8].to_owned();
    let read = ["charter", "acknowledge", SPACE, &file_name, "--on", "2026-12-03"];
    contains(&says(&ben, &read), &["read by Amina, Ben; file"]);
    assert_eq!(ben.json(&read)["adopted"]["outstanding"], json!([]), "once more adds nothing");
    ben.fails(&["charter", "acknowledge", SPACE, "ffff", "--on", "2026-12-03"], "UNKNOWN_ITEM", 3);
    contains(&shown, &["organisation: The clinic", "retention months: 24", "attendance projection: dates"]);
    let refused = amina.fails(&propose, "RETENTION_LONGER_THAN_CONTRACT", 3);
    assert_eq!(refused["most"], "24");
    edit(&["--set", "retention_months=24"]);
    amina.json(&propose);
    relay.stop();
}
