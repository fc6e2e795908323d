//! Who may do what: every command and every call that has a rule about it, attempted in every role in every kind of
//! space, compared with the table that people wrote from docs/DOMAIN.md 2.5 and 1.D (tests/permissions.csv).
//!
//! Real clients with real stores, who met directly. Each attempt finds the store as it was before all others, and what
//! is refused changes nothing. The control is in each test: a table in which one row says the opposite, or in which it
//! is missing, differs in that row, one row after the other.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "permission_matrix/attempts.rs"]
mod attempts;
#[path = "permission_matrix/calls.rs"]
mod calls;
#[path = "permission_matrix/commands.rs"]
mod commands;
#[path = "permission_matrix/deciding.rs"]
mod deciding;
#[path = "permission_matrix/documents.rs"]
mod documents;
#[path = "permission_matrix/forming.rs"]
mod forming;
#[path = "permission_matrix/papers.rs"]
mod papers;
#[path = "permission_matrix/people.rs"]
mod people;
#[path = "permission_matrix/table.rs"]
mod table;

use std::time::Duration;

use people::Kind;
use table::{differences, every_row_counts, expected, rows};

/// Ends a test that hangs. Hundreds of stores are opened, so that it takes longer than others.
const HANG: Duration = Duration::from_secs(900);

async fn watched(test: impl Future<Output = ()>) {
    tokio::time::timeout(HANG, test).await.expect("the test hangs");
}

async fn everybody_may_what_the_table_says(kind: Kind) {
    let (expected, performed) = (expected(kind), attempts::all(kind).await);
    let found = differences(&expected, &performed);
    assert!(found.is_empty(), "{} rows differ:\n  {}\n", found.len(), found.join("\n  "));
    every_row_counts(&expected, &performed);
}

#[tokio::test]
async fn who_may_do_what_in_a_joint_space() {
    watched(everybody_may_what_the_table_says(Kind::Joint)).await;
}

#[tokio::test]
async fn who_may_do_what_in_a_group() {
    watched(everybody_may_what_the_table_says(Kind::Group)).await;
}

#[tokio::test]
async fn who_may_do_what_at_home() {
    watched(everybody_may_what_the_table_says(Kind::Personal)).await;
}

#[test]
fn the_table_is_in_order() {
    let sizes = Kind::ALL.iter().map(|kind| expected(*kind).len());
    assert!(sizes.clone().all(|rows| rows > 100), "{:?}", sizes.collect::<Vec<_>>());
    let head = "command,role,kind,expected,source\n";
    let row = "note.edit,writer,joint,allowed,2.5 note\n";
    assert_eq!(rows(&format!("{head}# why\n{row}")).unwrap().len(), 1);
    for (control, text) in [
        ("no head", row.to_owned()),
        ("the same row twice", [head, row, row].concat()),
        ("a cell too few", format!("{head}note.edit,writer,joint,allowed\n")),
        ("a role that no such space has", format!("{head}note.edit,writer,personal,allowed,2.5 note\n")),
        ("a code that nothing answers with", format!("{head}note.edit,reader,joint,NEVER,2.5 note\n")),
        ("no source", format!("{head}note.edit,writer,joint,allowed,\n")),
    ] {
        assert!(rows(&text).is_err(), "{control}");
    }
}
