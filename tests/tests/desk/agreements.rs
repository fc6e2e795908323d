//! Proposing and signing on the command line.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use serde_json::json;

use crate::support::people::{Person, text};

#[test]
fn an_agreement_is_proposed_signed_and_read_word_for_word() {
    let amina = Person::new("Amina");
    amina.json(&["space", "create", "Mine", "--kind", "personal"]);
    let agreement = amina.json(&["agreement", "new", "Mine"]);
    let agreement = text(&agreement["document"])[..8].to_owned();
    let of = |command: &str| ["agreement", command, &agreement].map(str::to_owned);
    let run = |command: &str, more: &[&str]| {
        let words = of(command);
        let words: Vec<&str> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        words.into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    let json = |command: &str, more: &[&str]| {
        let words = run(command, more);
        amina.json(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let says = |command: &str, more: &[&str]| {
        let words = run(command, more);
        amina.text(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let fails = |command: &str, more: &[&str], code: &str| {
        let words = run(command, more);
        amina.fails(&words.iter().map(String::as_str).collect::<Vec<_>>(), code, 3);
    };
    assert!(says("versions", &[]).contains("Nothing was proposed yet."));
    // While dates only are kept, a note says so.
    json("edit", &["--protect", "content_record_rule=attendance_only"]);
    let note = amina.json(&["note", "new", "Mine"]);
    let note = text(&note["document"])[..8].to_owned();
    amina.json(&["note", "edit", &note, "--date", "2026-11-29"]);
    amina.fails(&["note", "edit", &note, "--section", "focus", "--text", "She said."], "RECORD_RULE", 3);
    let shown = amina.text(&["note", "show", &note]);
    assert!(shown.contains("Begun when you had agreed to keep dates only.\n"), "{shown}");
    fails("sign", &["--on", "2026-11-30"], "NOTHING_PROPOSED");
    json("edit", &["--add", "responsibilities_roles", "--must", "--text", "We both prepare."]);
    json("edit", &["--add", "confidentiality", "--must", "--text", "It stays between us."]);
    fails("propose", &["--on", "2026-11-30"], "INCOMPLETE");
    json("edit", &["--set", "review_due=2027-05-30", "--protect", "recording=no"]);
    fails("propose", &["--on", "2026-11-30", "--language", "not a tag"], "LANGUAGE_INVALID");
    let version = text(&json("propose", &["--on", "2026-11-30"])["version"]).to_owned();
    let short = &version[..8];

    let view = json("show", &[])["document"]["view"].clone();
    let clause = text(&view["clauses"][0]["id"])[..8].to_owned();
    json("clause", &[&clause, "--understood", "--remark", "Every month."]);
    fails("clause", &["00000000", "--understood"], "UNKNOWN_ITEM");
    let shown = says("show", &[]);
    for expected in
        ["Amina: Every month.", "Understood by Amina", "waits for Amina, says what stands here", "· proposed"]
    {
        assert!(shown.contains(expected), "{expected} is not in\n{shown}");
    }
    // An edit makes a new draft: who signs what is shown is told so, who names the version has read it.
    json("edit", &["--clause", &clause, "--text", "We both prepare, always."]);
    fails("sign", &["--on", "2026-11-30"], "STALE_TEXT");
    let word_for_word = says("versions", &["--show", short]);
    println!("{word_for_word}");
    for expected in ["We both prepare.", "Recording: no", "Review due: 2027-05-30", "Amina has not signed", &version] {
        assert!(word_for_word.contains(expected), "{expected} is not in\n{word_for_word}");
    }
    assert!(!word_for_word.contains("always"));
    let signed = json("sign", &["--on", "2026-12-01", "--version", short, "--language", "sw"]);
    assert_eq!(signed["version"]["state"], json!("active"));
    fails("sign", &["--on", "2026-12-01", "--version", short], "ALREADY_SIGNED");
    fails("sign", &["--on", "2026-12-01", "--version", "ffffffff"], "UNKNOWN_ITEM");
    let listed = says("versions", &["--as-of", "2027-06-01"]);
    println!("{listed}");
    for expected in [short, "active", "signed by Amina", "A review is due"] {
        assert!(listed.contains(expected), "{expected} is not in\n{listed}");
    }
    assert_eq!(json("versions", &["--as-of", "2027-05-01"])["review_due"], json!(false));
    let canonical = json("versions", &["--show", short])["canonical"].clone();
    let canonical: serde_json::Value = serde_json::from_str(text(&canonical)).unwrap();
    assert_eq!(canonical["parties"][0]["name"], json!("Amina"));
}
