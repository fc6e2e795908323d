//! The admission gate, rule by rule: each bad change beside the honest one that passes.
//!
//! `authors` is about whose something is, `bytes` about what a change chunk looks like, `operations` about what it does, `entries` about what becomes of
//! entries one after the other, and of what is cached.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod authors;
mod bytes;
mod entries;
mod operations;

use alliance_document::gate::{Candidate, ParkCode, Verdict};
use alliance_model::note::{NoteCommand as N, Stage};
use alliance_model::{Command, DocumentKind, ItemId, Splice};
use automerge::legacy::{Op, OpId};
use automerge::{ActorId, Change, ExpandedChange};

use crate::mutate::Parts;
use crate::support::replica::{Replica, actor_of};

fn type_in(pos: u32, text: &str) -> Command {
    Command::Note(N::EditSection { stage: Stage::Focus, splice: Splice::insert(pos, text) })
}

fn cut_out(pos: u32, delete: u32) -> Command {
    Command::Note(N::EditSection { stage: Stage::Focus, splice: Splice { pos, delete, insert: String::new() } })
}

/// Mallory's honest next change on a note that asha and mallory wrote; mallory is a real member.
fn scene() -> (Replica, Candidate) {
    let mut asha = Replica::new("asha", DocumentKind::Note);
    let mut mallory = Replica::new("mallory", DocumentKind::Note);
    let action = Command::Note(N::AddAction { id: ItemId([1; 8]), after: None });
    let start = asha.write(&[type_in(0, "hello world"), action]);
    mallory.receive(std::slice::from_ref(&start));
    let second = mallory.write(&[type_in(5, ",")]);
    asha.receive(&[second]);
    let title = Command::Note(N::SetTitle { title: "t".into() });
    let honest = mallory.write(&[cut_out(1, 3), type_in(2, "ey"), title]);
    (asha, honest)
}

fn verdict(replica: &Replica, candidate: &Candidate) -> Verdict {
    let mut replica = replica.clone();
    let before = (replica.document.content_id(), replica.document.heads());
    let judged = replica.judge(std::slice::from_ref(candidate));
    let verdict = judged.verdicts[0].1;
    if verdict != Verdict::Admitted {
        assert_eq!(
            before,
            (replica.document.content_id(), replica.document.heads()),
            "a parked change leaves no trace"
        );
    }
    verdict
}

#[track_caller]
fn check(what: &str, bytes: Vec<u8>, code: ParkCode) {
    let (asha, honest) = scene();
    assert_eq!(verdict(&asha, &honest), Verdict::Admitted, "the positive control");
    assert_ne!(honest.changes[0], bytes, "{what}: the mutation does something");
    let bad = Candidate { changes: vec![bytes], ..honest };
    assert_eq!(verdict(&asha, &bad), Verdict::ParkedForGood(code), "{what}");
}

fn with_parts(edit: impl FnOnce(&mut Parts)) -> Vec<u8> {
    let (_, honest) = scene();
    let mut parts = Parts::parse(&honest.changes[0]).unwrap();
    assert_eq!(parts.encode(), honest.changes[0], "taking apart and putting together changes nothing");
    edit(&mut parts);
    parts.encode()
}

fn with_ops(edit: impl FnOnce(&mut Vec<Op>)) -> Vec<u8> {
    let (_, honest) = scene();
    let mut expanded: ExpandedChange = Change::try_from(honest.changes[0].as_slice()).unwrap().decode();
    edit(&mut expanded.operations);
    Change::from(expanded).raw_bytes().to_vec()
}

fn genesis_op(n: u64) -> OpId {
    OpId::new(n, &ActorId::from(&[0_u8][..]))
}

/// Operations of a note's genesis and upgrade: those of its first author follow.
const GENESIS_OPS: u64 = 14;

fn asha_op(n: u64) -> OpId {
    OpId::new(n, &ActorId::from(&actor_of("asha").0[..]))
}
