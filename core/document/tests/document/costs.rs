//! What things cost: prints figures, asserts counts and outcomes, never times. Run with
//! `cargo test --test document costs:: -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::time::{Duration, Instant};

use alliance_document::gate::{Candidate, Gate, Rules, Verdict};
use alliance_document::{Document, WorkingCopy};
use alliance_model::note::{NoteCommand as N, Stage};
use alliance_model::{Command, DocumentKind, Splice};
use automerge::legacy::{ElementId, Key, ObjectId, Op, OpId, OpType};
use automerge::{ActorId, Change, ExpandedChange, ObjType, ScalarValue};

use crate::support::replica::{self, DOCUMENT, Replica, actor_of};

fn type_in(pos: u32, text: &str) -> Command {
    Command::Note(N::EditSection { stage: Stage::Exploration, splice: Splice::insert(pos, text) })
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// The benchmark's note: 40 edits by two people in turns, 1.6 kB.
#[test]
#[ignore = "prints figures"]
fn a_note_of_forty_edits() {
    let mut asha = Replica::new("asha", DocumentKind::Note);
    let mut ben = Replica::new("ben", DocumentKind::Note);
    let mut len = 0;
    for turn in 0..40_u32 {
        let text = format!("In turn {turn} we said some forty letters. ");
        let (me, other) = if turn % 2 == 0 { (&mut asha, &mut ben) } else { (&mut ben, &mut asha) };
        let entry = me.write(&[type_in(len / 2, &text)]);
        other.receive(&[entry]);
        len += u32::try_from(text.len()).unwrap();
    }
    let log: Vec<Candidate> =
        asha.log.iter().chain(&ben.log).zip(0..).map(|(c, entry)| Candidate { entry, ..c.clone() }).collect();
    let bytes = asha.document.verified_save().unwrap();
    let rounds = 20;
    let (_, load) =
        timed(|| (0..rounds).for_each(|_| drop(Document::load(DOCUMENT, DocumentKind::Note, &bytes).unwrap())));
    let (_, stage_one) = timed(|| {
        for _ in 0..rounds {
            assert_eq!(Gate::new(DOCUMENT, DocumentKind::Note, Rules::ALL).judge(&log).admitted.len(), 40);
        }
    });
    let admitted = Gate::new(DOCUMENT, DocumentKind::Note, Rules::ALL).judge(&log).admitted;
    let (_, stage_two) =
        timed(|| (0..rounds).for_each(|_| Document::new(DOCUMENT, DocumentKind::Note).apply(&admitted).unwrap()));
    let (_, verify) = timed(|| (0..rounds).for_each(|_| drop(asha.document.verified_save().unwrap())));
    let (_, view) = timed(|| (0..rounds).for_each(|_| drop(asha.note())));
    let (_, open) =
        timed(|| (0..rounds).for_each(|_| drop(Gate::open(&asha.document, Rules::ALL, replica::person).unwrap())));
    let mut copy = WorkingCopy::open(&asha.document, &asha.document.heads(), asha.actor, Vec::new(), 0).unwrap();
    let (_, typing) = timed(|| (0..rounds).for_each(|_| drop(copy.apply(0, &type_in(7, "x")).unwrap())));
    let (_, seal) = timed(|| (0..rounds).for_each(|_| drop(copy.seal(&asha.document).unwrap())));
    println!(
        "40 changes, {len} letters, save {} B, index {} rows; each of {rounds}:",
        bytes.len(),
        asha.gate.index().rows()
    );
    for (what, time) in [
        ("load", load),
        ("stage 1", stage_one),
        ("stage 2", stage_two),
        ("verified save", verify),
        ("view", view),
        ("gate from cache", open),
        ("one command", typing),
        ("seal", seal),
    ] {
        println!("  {what:16} {:>8.1} us", time.as_secs_f64() * 1e6 / f64::from(rounds));
    }
}

/// Changes of few bytes or simple shape that make the engine do much.
fn shapes() -> Vec<(&'static str, Vec<Op>)> {
    let fields = ObjectId::Id(OpId::new(10, &ActorId::from(&[0_u8][..])));
    let text = ObjectId::Id(OpId::new(5, &ActorId::from(&[0_u8][..])));
    let own = |n: u64| OpId::new(13 + n, &ActorId::from(&actor_of("mallory").0[..]));
    let op = |action, obj: &ObjectId, key, pred: Vec<OpId>, insert| Op {
        action,
        obj: obj.clone(),
        key,
        pred: pred.into(),
        insert,
    };
    let null = || OpType::Put(ScalarValue::Null);
    let map_key = |key: &str| Key::Map(key.into());
    let head = || Key::Seq(ElementId::Head);
    vec![
        (
            "puts at one key, each replacing the last",
            (0..65_536)
                .map(|n| {
                    let pred = if n == 0 { Vec::new() } else { vec![own(n - 1)] };
                    op(null(), &fields, map_key("k"), pred, false)
                })
                .collect(),
        ),
        (
            "puts at one key, none replacing",
            (0..65_536).map(|_| op(null(), &fields, map_key("k"), Vec::new(), false)).collect(),
        ),
        (
            "objects at many keys",
            (0..8_000)
                .map(|n| op(OpType::Make(ObjType::Map), &fields, map_key(&format!("{n:x}")), Vec::new(), false))
                .collect(),
        ),
        (
            "letters, each at the head",
            (0..32_000).map(|_| op(OpType::Put("a".into()), &text, head(), Vec::new(), true)).collect(),
        ),
        (
            "letters, each behind the last",
            (0..32_000)
                .map(|n| {
                    let key = if n == 0 { head() } else { Key::Seq(ElementId::Id(own(n - 1))) };
                    op(OpType::Put("a".into()), &text, key, Vec::new(), true)
                })
                .collect(),
        ),
        (
            "letters, all behind the first",
            (0..32_000)
                .map(|n| {
                    let key = if n == 0 { head() } else { Key::Seq(ElementId::Id(own(0))) };
                    op(OpType::Put("a".into()), &text, key, Vec::new(), true)
                })
                .collect(),
        ),
        (
            "list elements at the head",
            std::iter::once(op(OpType::Make(ObjType::List), &fields, map_key("l"), Vec::new(), false))
                .chain((0..65_000).map(|_| op(null(), &ObjectId::Id(own(0)), head(), Vec::new(), true)))
                .collect(),
        ),
    ]
}

/// The most expensive changes that stage 1 lets through.
#[test]
#[ignore = "prints figures"]
fn the_worst_that_is_admitted() {
    for (what, operations) in shapes() {
        let mut mallory = Replica::new("mallory", DocumentKind::Note);
        let honest = mallory.write(&[type_in(0, "x")]);
        let mut expanded: ExpandedChange = Change::try_from(honest.changes[0].as_slice()).unwrap().decode();
        expanded.operations = operations;
        let bytes = Change::from(expanded).raw_bytes().to_vec();
        let size = bytes.len();
        let candidate = Candidate { changes: vec![bytes], ..honest };
        let mut asha = Replica::new("asha", DocumentKind::Note);
        let (judged, stage_one) = timed(|| asha.gate.judge(std::slice::from_ref(&candidate)));
        let (_, stage_two) = timed(|| asha.document.apply(&judged.admitted).unwrap());
        let (_, save) = timed(|| asha.document.verified_save().unwrap());
        let (_, view) = timed(|| asha.note());
        let verdict = judged.verdicts[0].1;
        println!(
            "{what}: {size} B, {verdict:?}, stage 1 {stage_one:?}, stage 2 {stage_two:?}, save+load {save:?}, view {view:?}"
        );
        assert!(matches!(verdict, Verdict::Admitted | Verdict::ParkedForGood(_)));
    }
}
