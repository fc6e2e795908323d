//! Small pieces of the command line: the table of codes, the edits that a new text becomes, the demo's search.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;

use alliance_client::Code;
use alliance_desk::demo::search::search;
use alliance_desk::exit::{Status, TABLE, status_of};
use alliance_desk::{DeskCode, Failure};
use alliance_model::limits::INSERT_BYTES_MAX;
use alliance_model::{RefusalCode, Splice};

const GUIDE: &str = include_str!("../../docs/GUIDE.md");

/// Every code with its sentence: of the desk, the client and the model.
fn codes() -> Vec<(&'static str, String)> {
    let desk = DeskCode::ALL.iter().map(|code| (code.code(), code.sentence().to_owned()));
    let client = Code::ALL.iter().map(|code| (code.code(), code.sentence().to_owned()));
    let model = RefusalCode::ALL.iter().map(|code| (code.code(), format!("{} {}", code.sentence(), code.next_step())));
    desk.chain(client).chain(model).collect()
}

/// The rows of the guide's table: code, status, sentence.
fn rows(guide: &str) -> Vec<(String, u8, String)> {
    let cells = |line: &str| -> Option<(String, u8, String)> {
        let cells: Vec<&str> = line.strip_prefix("| `")?.strip_suffix(" |")?.split(" | ").collect();
        let [code, status, sentence] = cells.as_slice() else { return None };
        Some((code.strip_suffix('`')?.to_owned(), status.parse().ok()?, (*sentence).to_owned()))
    };
    guide.lines().filter_map(cells).collect()
}

/// What is wrong with a table and a guide, in words.
fn complaints(table: &[(&str, Status)], guide: &str) -> Vec<String> {
    let documented = rows(guide);
    let mut complaints = Vec::new();
    let codes = codes();
    for (code, sentence) in &codes {
        let statuses: Vec<u8> = table.iter().filter(|(known, _)| known == code).map(|(_, status)| status.0).collect();
        let [status] = statuses.as_slice() else {
            complaints.push(format!("{code} has {} rows in exit.rs", statuses.len()));
            continue;
        };
        if !documented.contains(&((*code).to_owned(), *status, sentence.clone())) {
            complaints.push(format!("docs/GUIDE.md lacks the row | `{code}` | {status} | {sentence} |"));
        }
    }
    let known: BTreeSet<&str> = codes.iter().map(|(code, _)| *code).collect();
    complaints.extend(
        table.iter().filter(|(code, _)| !known.contains(code)).map(|(code, _)| format!("{code} is nobody's code")),
    );
    complaints.extend(
        documented
            .iter()
            .filter(|(code, ..)| !known.contains(code.as_str()))
            .map(|row| format!("{} is nobody's", row.0)),
    );
    complaints
}

#[test]
fn every_code_has_one_status_and_stands_in_the_guide() {
    assert_eq!(complaints(TABLE, GUIDE), Vec::<String>::new());
    // Controls: a missing row, a missing line of the guide, and rows that nobody needs are noticed.
    assert!(!complaints(&TABLE[1..], GUIDE).is_empty());
    let twice = [TABLE, &TABLE[..1]].concat();
    assert!(!complaints(&twice, GUIDE).is_empty());
    assert!(!complaints(TABLE, &GUIDE.replace("`STORE_BUSY`", "`STORE_IDLE`")).is_empty());
    assert!(!complaints(TABLE, &GUIDE.replace("in use by another process", "elsewhere")).is_empty());
    assert_eq!(status_of("A_CODE_OF_NOBODY"), Status::BUG);
}

#[test]
fn codes_are_nobody_elses() {
    let codes: Vec<&str> = codes().iter().map(|(code, _)| *code).collect();
    let different: BTreeSet<&str> = codes.iter().copied().collect();
    assert_eq!(codes.len(), different.len());
}

#[test]
fn a_failure_is_one_sentence_or_one_object() {
    let failure = Failure::from(DeskCode::SyncIncomplete).with("with", "relay 192.0.2.1:4433");
    assert_eq!(
        failure.print(false),
        "alliance: Not everything was exchanged; what is missing follows at a later sync. (with: relay 192.0.2.1:4433) [SYNC_INCOMPLETE]\n"
    );
    let printed = failure.print(true);
    let object: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(object["error"]["code"], "SYNC_INCOMPLETE");
    assert_eq!(object["error"]["params"]["with"], "relay 192.0.2.1:4433");
    assert_eq!(printed.lines().count(), 1);
}

fn apply(text: &str, splices: &[Splice]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for splice in splices {
        let (pos, delete) = (splice.pos as usize, splice.delete as usize);
        splice.check(text.len()).unwrap();
        text.splice(pos..pos + delete, splice.insert.chars());
    }
    text.into_iter().collect()
}

#[test]
fn a_new_text_becomes_the_smallest_edit() {
    let long = "ä".repeat(INSERT_BYTES_MAX);
    let cases: &[(&str, &str, usize)] = &[
        ("", "", 0),
        ("same", "same", 0),
        ("", "all of it", 1),
        ("all of it", "", 1),
        ("one two three", "one 2 three", 1),
        ("aaa", "aaaa", 1),
        ("aaaa", "aa", 1),
        ("naïve 日本 text", "naïve 日本語 text", 1),
        ("x", &long, 2),
        ("keep ", &format!("keep {long} this"), 3),
    ];
    for (old, new, edits) in cases {
        let splices = alliance_desk::splice::splices(old, new);
        assert_eq!(splices.len(), *edits, "{} edits for a text of {}", splices.len(), new.len());
        assert_eq!(apply(old, &splices), *new);
        assert!(splices.iter().all(|splice| splice.insert.len() <= INSERT_BYTES_MAX));
    }
    let [edit] = alliance_desk::splice::splices("one two three", "one 2 three").try_into().unwrap();
    assert_eq!(edit, Splice { pos: 4, delete: 3, insert: "2".to_owned() });
}

#[test]
fn appending_begins_a_line() {
    let cases: &[(&str, &str, &str)] =
        &[("", "first", "first"), ("first", "second", "first\nsecond"), ("first\n", "second", "first\nsecond")];
    for (old, text, expected) in cases {
        assert_eq!(apply(old, &alliance_desk::splice::append(old, text)), *expected);
    }
    assert!(alliance_desk::splice::append("something", "").is_empty());
}

#[test]
fn the_search_reads_every_byte_of_every_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("deep/deeper")).unwrap();
    let mut bytes = vec![0xff, 0x00, b'w', b'w', b'o'];
    bytes.extend_from_slice(b"word\x00tail");
    std::fs::write(folder.path().join("deep/deeper/file-wal"), &bytes).unwrap();
    std::fs::write(folder.path().join("plain"), b"nothing here, wor d").unwrap();
    std::fs::write(folder.path().join("end"), b"at the end a word").unwrap();
    let searched = search(folder.path(), &["word", "absent", "tail"]).unwrap();
    let mut found: Vec<(String, String)> =
        searched.found.iter().map(|found| (found.word.clone(), found.file.display().to_string())).collect();
    found.sort();
    let expected = [("tail", "deep/deeper/file-wal"), ("word", "deep/deeper/file-wal"), ("word", "end")];
    assert_eq!(found, expected.map(|(word, file)| (word.to_owned(), file.to_owned())));
    assert_eq!((searched.files, searched.bytes), (3, bytes.len() as u64 + 19 + 17));
}
