//! The log of what was given out: it only grows, and nobody writes in another's name.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

use alliance_document::View;
use alliance_model::exports::{ExportRecord, ExportScope, ExportsCommand, check};
use alliance_model::{CivilDate, Command, DocumentKind, ExportsView, ItemId, RefusalCode};
use alliance_wire::FrozenHash;

use crate::support::replica::{PEOPLE, Replica, reading};

fn record(op: u8, who: usize, day: u8) -> ExportsCommand {
    let on = CivilDate::new(2026, 12, day).unwrap();
    let (person, reason) = (PEOPLE[who].0, format!("reason {op}"));
    let record = ExportRecord { person, scope: ExportScope::Space, on, reason, file: FrozenHash([op; 32]) };
    ExportsCommand::Record { op: ItemId([op; 8]), record }
}

fn shown(replica: &Replica) -> ExportsView {
    let View::Exports(view) = replica.document.view(reading(&[])).unwrap() else { panic!("a log") };
    view
}

#[test]
fn what_was_given_out_is_said_by_whoever_did_in_the_order_of_dates() {
    let (mut asha, mut ben) = (Replica::new("asha", DocumentKind::Exports), Replica::new("ben", DocumentKind::Exports));
    let one = asha.write(&[Command::Exports(record(1, 0, 20))]);
    // Ben's program says that Asha gave out something.
    let other = ben.write(&[Command::Exports(record(2, 1, 5)), Command::Exports(record(3, 0, 1))]);
    asha.receive(&[other]);
    ben.receive(&[one]);
    assert_eq!(shown(&asha), shown(&ben));
    let view = shown(&asha);
    let said: Vec<(&str, &str)> =
        view.exports.iter().map(|it| (view.authors[it.by].as_str(), it.reason.as_str())).collect();
    assert_eq!(said, [("ben", "reason 2"), ("asha", "reason 1")]);
    let code = |command: &ExportsCommand| check(&view, command).err().map(|refusal| refusal.code);
    assert_eq!(code(&record(4, 0, 1)), None);
    assert_eq!(code(&record(1, 0, 1)), Some(RefusalCode::ItemExists));
    let ExportsCommand::Record { op, record } = record(5, 0, 1);
    let long = ExportsCommand::Record { op, record: ExportRecord { reason: "x".repeat(201), ..record } };
    assert_eq!(code(&long), Some(RefusalCode::TextTooLong));
}
