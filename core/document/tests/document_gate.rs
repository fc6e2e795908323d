//! The admission gate, rule by rule: each bad change beside the honest one that passes.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

#[path = "../../../tests/src/mutate.rs"]
#[allow(dead_code)]
mod mutate;
#[path = "support/replica.rs"]
mod replica;

use std::collections::BTreeSet;

use alliance_document::Document;
use alliance_document::gate::{
    Candidate, Gate, ParkCode, Recovery, Rules, Trying, Verdict, Waiting, change_id, rebuild,
};
use alliance_model::agreement::{AgreementCommand as A, ClauseSection, Modality, ProtectiveTerm, ProtectiveValue};
use alliance_model::note::{NoteCommand as N, Stage};
use alliance_model::{Command, DocumentKind, ItemId, Splice};
use automerge::legacy::{ElementId, Key, ObjectId, Op, OpId, OpType};
use automerge::{ActorId, Change, ExpandedChange, ObjType, ScalarValue};
use mutate::{Parts, frame};
use replica::{DOCUMENT, Replica, actor_of};

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

fn asha_op(n: u64) -> OpId {
    OpId::new(n, &ActorId::from(&actor_of("asha").0[..]))
}

#[test]
fn framing_and_header() {
    let honest = scene().1.changes[0].clone();
    let mut flipped = honest.clone();
    flipped[5] ^= 1;
    check("checksum", flipped, ParkCode::ChunkDamaged);
    check("nothing", Vec::new(), ParkCode::ChunkDamaged);
    check("other magic", b"not a change".to_vec(), ParkCode::ChunkType);
    for chunk_type in [0, 2, 3, 4] {
        check("chunk type", with_parts(|p| p.chunk_type = chunk_type), ParkCode::ChunkType);
    }
    check("two chunks", [honest.clone(), honest.clone()].concat(), ParkCode::Footer);
    check("too long", vec![0; 32 * 1024 + 1], ParkCode::ChangeLimit);
    check("empty data", frame(1, &[]), ParkCode::ChunkDamaged);
    check("footer", with_parts(|p| p.extra = vec![1, 2, 3]), ParkCode::Footer);
    check("message", with_parts(|p| p.message = b"hi".to_vec()), ParkCode::Message);
    check("time", with_parts(|p| p.time = 1), ParkCode::Message);
    check("start op", with_parts(|p| p.start_op += 1), ParkCode::StartOp);
    check("start op far ahead", with_parts(|p| p.start_op = u64::from(u32::MAX) - 20), ParkCode::StartOp);
    check("start op 0", with_parts(|p| p.start_op = 0), ParkCode::StartOp);
    check("unsorted actors", with_parts(|p| p.others.reverse()), ParkCode::NotCanonical);
    check("an actor too many", with_parts(|p| p.others.push(vec![0xff; 16])), ParkCode::NotCanonical);
}

#[test]
fn actor_sequence_and_dependencies() {
    check("genesis actor", with_parts(|p| p.actor = vec![0]), ParkCode::NotCanonical);
    check(
        "another's actor",
        with_parts(|p| (p.actor, p.others) = (actor_of("carol").0.to_vec(), p.others.clone())),
        ParkCode::Actor,
    );
    check("sequence repeated", with_parts(|p| p.seq = 1), ParkCode::Seq);
    check("sequence skipped", with_parts(|p| p.seq = 3), ParkCode::Seq);
    check("no deps", with_parts(|p| p.deps.clear()), ParkCode::Deps);
    check("dep twice", with_parts(|p| p.deps.push(p.deps[0])), ParkCode::Deps);
    let (asha, honest) = scene();
    let unknown = Candidate { changes: vec![with_parts(|p| p.deps = vec![[9; 32]])], ..honest.clone() };
    assert_eq!(verdict(&asha, &unknown), Verdict::Waiting(Waiting::Missing));
    // The same bytes under the entry of another author are parked, and admitted under their own afterwards.
    let mut asha = asha;
    let stolen = Candidate { actor: actor_of("ben"), entry: 9, ..honest.clone() };
    let judged = asha.judge(&[stolen, honest]);
    assert_eq!(judged.verdicts[0].1, Verdict::ParkedForGood(ParkCode::Actor));
    assert_eq!(judged.verdicts[1].1, Verdict::Admitted);
}

#[test]
fn columns_and_run_lengths() {
    let long_run = |run: i64| {
        let mut bytes = Vec::new();
        mutate::signed(&mut bytes, run);
        bytes.push(1);
        bytes
    };
    for run in [1 << 60, 20_000_000, 65_537] {
        let all = with_parts(|p| p.columns.iter_mut().for_each(|(_, data)| *data = long_run(run)));
        assert!(all.len() < 400, "a short change that claims {run} operations");
        check("claims very many operations", all, ParkCode::OpsLimit);
    }
    let literal = with_parts(|p| p.columns.iter_mut().for_each(|(_, data)| *data = long_run(-(1 << 60))));
    check("a literal run of 2^60", literal, ParkCode::OpsLimit);
    check(
        "preds of 2^60",
        with_parts(|p| {
            let group = p.columns.iter_mut().find(|(spec, _)| *spec == 112).unwrap();
            let mut data = Vec::new();
            mutate::signed(&mut data, 8);
            mutate::unsigned(&mut data, 1 << 60);
            group.1 = data;
        }),
        ParkCode::OpsLimit,
    );
    check("deflated column", with_parts(|p| p.columns[0].0 |= 8), ParkCode::Columns);
    check("marks", with_parts(|p| p.columns.push((148, vec![0, 1]))), ParkCode::Columns);
    check("unknown column", with_parts(|p| p.columns.push((0x1f5, vec![1]))), ParkCode::Columns);
    check("column twice", with_parts(|p| p.columns.insert(0, p.columns[0].clone())), ParkCode::Columns);
    check("empty column", with_parts(|p| p.columns.insert(0, (1, Vec::new()))), ParkCode::Columns);
    check("no columns", with_parts(|p| p.columns.clear()), ParkCode::OpsLimit);
    // One value as a run of one is readable and not what an honest writer sends.
    check(
        "another encoding",
        with_parts(|p| {
            let action = p.columns.iter_mut().find(|(spec, _)| *spec == 66).unwrap();
            let first = action.1[1];
            assert!(action.1[0] < 0x40 && action.1[0] > 1, "the honest column opens with a run");
            let rest = action.1.split_off(2);
            let mut split = vec![1, first];
            mutate::signed(&mut split, i64::from(action.1[0]) - 1);
            split.push(first);
            action.1 = [split, rest].concat();
        }),
        ParkCode::NotCanonical,
    );
}

#[test]
fn operations_fit_their_ancestors() {
    // The honest change: three deletions, two insertions, one put at a map key.
    let insert = 3_usize;
    let put = 5;
    check("object of nobody", with_ops(|o| o[insert].obj = ObjectId::Id(asha_op(900))), ParkCode::Object);
    check("object is no object", with_ops(|o| o[insert].obj = ObjectId::Id(asha_op(14))), ParkCode::Object);
    check("a text where a map is needed", with_ops(|o| o[put].obj = ObjectId::Id(genesis_op(5))), ParkCode::Key);
    check("a map where a text is needed", with_ops(|o| o[insert].obj = ObjectId::Id(genesis_op(10))), ParkCode::Key);
    check("another text's element", with_ops(|o| o[insert].obj = ObjectId::Id(genesis_op(6))), ParkCode::Element);
    check("element of nobody", with_ops(|o| o[insert].key = Key::Seq(ElementId::Id(asha_op(900)))), ParkCode::Element);
    check("element is itself", with_ops(|o| o[insert].key = Key::Seq(ElementId::Id(own(3)))), ParkCode::Element);
    check("element comes later", with_ops(|o| o[insert].key = Key::Seq(ElementId::Id(own(4)))), ParkCode::Element);
    check("update at the head", with_ops(|o| o[0].key = Key::Seq(ElementId::Head)), ParkCode::Key);
    check("insert into a map", with_ops(|o| o[put].insert = true), ParkCode::Key);
    check("predecessor of nobody", with_ops(|o| o[0].pred = vec![asha_op(900)].into()), ParkCode::Pred);
    check("predecessor elsewhere", with_ops(|o| o[0].pred = o[1].pred.clone()), ParkCode::Pred);

    check("superseded twice", with_ops(|o| o[1] = o[0].clone()), ParkCode::Pred);
    check("two values beside each other", with_ops(|o| o.push(o[put].clone())), ParkCode::Pred);
    check("insert with a predecessor", with_ops(|o| o[insert].pred = o[0].pred.clone()), ParkCode::PredCount);
    check("delete without one", with_ops(|o| o[0].pred = Vec::new().into()), ParkCode::PredCount);
    check(
        "increment of no counter",
        with_ops(|o| {
            o[put].action = OpType::Increment(1);
            o[put].obj = ObjectId::Id(genesis_op(12));
            o[put].key = Key::Map("0101010101010101".into());
            o[put].pred = vec![asha_op(24)].into();
        }),
        ParkCode::Counter,
    );
    check("two letters in one element", with_ops(|o| o[insert].action = OpType::Put("ab".into())), ParkCode::Value);
    check("a number in a text", with_ops(|o| o[insert].action = OpType::Put(ScalarValue::Int(1))), ParkCode::Value);
    check("an object in a text", with_ops(|o| o[insert].action = OpType::Make(ObjType::Map)), ParkCode::Value);
    check("a table", with_ops(|o| o[put].action = OpType::Make(ObjType::Table)), ParkCode::Action);
    check(
        "an unknown value",
        with_ops(|o| o[put].action = OpType::Put(ScalarValue::Unknown { type_code: 12, bytes: vec![1] })),
        ParkCode::Value,
    );
}

/// An operation of mallory's honest change by its place.
fn own(place: u64) -> OpId {
    let start = Parts::parse(&scene().1.changes[0]).unwrap().start_op;
    OpId::new(start + place, &ActorId::from(&actor_of("mallory").0[..]))
}

#[test]
fn the_schema_is_fixed() {
    let put = 5;
    check("write at the root", with_ops(|o| o[put].obj = ObjectId::Root), ParkCode::SchemaFixed);
    check(
        "replace an object",
        with_ops(|o| {
            o[put].obj = ObjectId::Id(genesis_op(4));
            o[put].key = Key::Map("focus".into());
            o[put].pred = vec![genesis_op(5)].into();
        }),
        ParkCode::SchemaFixed,
    );
    check("a log that is no map", with_ops(|o| o[put].key = Key::Map("log".into())), ParkCode::LogOnlyGrows);
    let deep = with_ops(|o| {
        let make = |obj, pred: Vec<OpId>| Op {
            action: OpType::Make(ObjType::Map),
            obj,
            key: Key::Map(ITEM.into()),
            pred: pred.into(),
            insert: false,
        };
        *o = vec![make(ObjectId::Id(genesis_op(10)), Vec::new())];
        for place in 0..40 {
            o.push(make(ObjectId::Id(own(place)), Vec::new()));
        }
    });
    check("nested too deep", deep, ParkCode::Nesting);
    let (asha, honest) = scene();
    let shallow = Candidate { changes: vec![with_object(10, ITEM)], ..honest };
    assert_eq!(verdict(&asha, &shallow), Verdict::Admitted, "nesting as such is allowed");
}

/// An item's key.
const ITEM: &str = "0707070707070707";

/// Mallory's change with nothing in it but a map made at a key of an object that genesis made.
fn with_object(parent: u64, key: &str) -> Vec<u8> {
    with_ops(|o| {
        *o = vec![Op {
            action: OpType::Make(ObjType::Map),
            obj: ObjectId::Id(genesis_op(parent)),
            key: Key::Map(key.into()),
            pred: Vec::new().into(),
            insert: false,
        }];
    })
}

/// An object is never replaced, so one at a place where honest people write values would lie in their way for ever.
#[test]
fn objects_stand_where_nobody_writes_values() {
    let (fields, functions) = (10, 11);
    for key in ["date", "title", "kind", "nothing in particular"] {
        check(key, with_object(fields, key), ParkCode::SchemaFixed);
    }
    check("a function", with_object(functions, "scheme/function"), ParkCode::SchemaFixed);
    // An item as `AddAction` makes it, with one object too many.
    let (asha, _) = scene();
    let mut eve = Replica::new("eve", DocumentKind::Note);
    eve.receive(&asha.log);
    let honest = eve.write(&[Command::Note(N::AddAction { id: ItemId([7; 8]), after: None })]);
    let with = |parent: usize, key: &str| {
        let mut expanded: ExpandedChange = Change::try_from(honest.changes[0].as_slice()).unwrap().decode();
        let at = OpId::new(expanded.start_op.get() + parent as u64, &expanded.actor_id);
        expanded.operations.push(Op {
            action: OpType::Make(ObjType::Map),
            obj: ObjectId::Id(at),
            key: Key::Map(key.into()),
            pred: Vec::new().into(),
            insert: false,
        });
        Candidate { changes: vec![Change::from(expanded).raw_bytes().to_vec()], ..honest.clone() }
    };
    let (item, alive) = (0, 2);
    let fixed = Verdict::ParkedForGood(ParkCode::SchemaFixed);
    for (parent, key) in [(item, "pos"), (item, "owner"), (item, "due"), (alive, "anything"), (alive, ITEM)] {
        assert_eq!(verdict(&asha, &with(parent, key)), fixed, "{key}");
    }
    assert_eq!(verdict(&asha, &with(item, ITEM)), Verdict::Admitted, "the positive control");
    // It is the schema's rule that refuses it.
    let mut lax = Gate::new(DOCUMENT, DocumentKind::Note, Rules { schema: false, ..Rules::ALL });
    let history: Vec<Candidate> = asha.log.iter().cloned().chain([with(item, "due")]).collect();
    let judged = lax.judge(&history);
    assert!(judged.verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Admitted));
}

#[test]
fn logs_only_grow() {
    let mut asha = Replica::new("asha", DocumentKind::Agreement);
    let mut mallory = Replica::new("mallory", DocumentKind::Agreement);
    let value = ProtectiveValue::from_name(ProtectiveTerm::Recording, "no").unwrap();
    let start = asha.write(&[Command::Agreement(A::Protect { op: ItemId([5; 8]), value, lifts: Vec::new() })]);
    mallory.receive(&[start]);
    let honest = mallory.write(&[Command::Agreement(A::Protect { op: ItemId([6; 8]), value, lifts: Vec::new() })]);
    assert_eq!(verdict(&asha, &honest), Verdict::Admitted);
    let mut expanded: ExpandedChange = Change::try_from(honest.changes[0].as_slice()).unwrap().decode();
    let first = OpId::new(expanded.start_op.get() - 1, &ActorId::from(&asha.actor.0[..]));
    expanded.operations[0].key = Key::Map("0505050505050505".into());
    expanded.operations[0].pred = vec![first].into();
    let bad = |operations: OpType| {
        let mut expanded = expanded.clone();
        expanded.operations[0].action = operations;
        Candidate { changes: vec![Change::from(expanded).raw_bytes().to_vec()], ..honest.clone() }
    };
    let park = Verdict::ParkedForGood(ParkCode::LogOnlyGrows);
    assert_eq!(verdict(&asha, &bad(OpType::Delete)), park);
    assert_eq!(verdict(&asha, &bad(OpType::Put("x".into()))), park);
    // Without the rule the same change would go through: it is this rule that refuses it.
    let mut lax = Gate::new(DOCUMENT, DocumentKind::Agreement, Rules { schema: false, ..Rules::ALL });
    assert_eq!(lax.judge(&asha.log).verdicts[0].1, Verdict::Admitted);
    assert_eq!(lax.judge(&[bad(OpType::Delete)]).verdicts[0].1, Verdict::Admitted);
}

#[test]
fn entries_stand_or_fall_as_a_whole_and_wait_for_their_log() {
    let (asha, honest) = scene();
    let empty = Candidate { changes: Vec::new(), ..honest.clone() };
    assert_eq!(verdict(&asha, &empty), Verdict::ParkedForGood(ParkCode::EntryLimit));
    let many = Candidate { changes: vec![honest.changes[0].clone(); 17], ..honest.clone() };
    assert_eq!(verdict(&asha, &many), Verdict::ParkedForGood(ParkCode::EntryLimit));
    let bad = with_parts(|p| (p.seq, p.deps) = (3, vec![change_id(&honest.changes[0]).unwrap().0]));
    let half = Candidate { changes: vec![honest.changes[0].clone(), bad], ..honest.clone() };
    assert_eq!(
        verdict(&asha, &half),
        Verdict::ParkedForGood(ParkCode::StartOp),
        "the first change goes with the second"
    );
    let mut replica = asha.clone();
    replica.receive(std::slice::from_ref(&honest));
    let before = replica.document.content_id();
    replica.receive(std::slice::from_ref(&honest));
    assert_eq!(replica.document.content_id(), before, "handing in again changes nothing");
    let newer = Candidate { schema: 2, ..honest.clone() };
    assert_eq!(verdict(&asha, &newer), Verdict::Waiting(Waiting::SchemaNewer));
    let mut replica = asha.clone();
    let judged = replica.judge(&[newer, Candidate { entry: 1, ..honest.clone() }]);
    assert_eq!(judged.verdicts[1].1, Verdict::Waiting(Waiting::Behind), "later entries of the log wait behind it");

    // What builds on a change that is parked for good is parked too.
    let bad = with_ops(|o| o[0].pred = vec![asha_op(900)].into());
    let bad_id = change_id(&bad).unwrap();
    let mut carol = Parts::parse(&honest.changes[0]).unwrap();
    carol.deps = vec![bad_id.0];
    let builds_on_it = Candidate { entry: 1, actor: actor_of("carol"), schema: 1, changes: vec![carol.encode()] };
    let mut replica = asha.clone();
    let judged = replica.judge(&[Candidate { changes: vec![bad], ..honest }, builds_on_it]);
    assert_eq!(judged.verdicts[1].1, Verdict::ParkedForGood(ParkCode::DependsOnParked));
}

/// A gate that is opened from the cache and told what was parked judges like the one that parked it.
#[test]
fn what_was_parked_is_remembered() {
    let (asha, honest) = scene();
    let bad = Candidate { changes: vec![with_ops(|o| o[0].pred = vec![asha_op(900)].into())], ..honest.clone() };
    let id = change_id(&bad.changes[0]).unwrap();
    let mut parts = Parts::parse(&honest.changes[0]).unwrap();
    parts.deps = vec![id.0];
    let builds_on_it = Candidate { entry: 1, actor: actor_of("carol"), schema: 1, changes: vec![parts.encode()] };
    let mut gate = Gate::open(&asha.document, Rules::ALL).unwrap();
    let judge = |gate: &mut Gate| gate.judge(std::slice::from_ref(&builds_on_it)).verdicts[0].1;
    assert_eq!(judge(&mut gate), Verdict::Waiting(Waiting::Missing));
    gate.remember(id, ParkCode::Actor);
    assert_eq!(judge(&mut gate), Verdict::Waiting(Waiting::Missing), "a wrong entry says nothing of the change");
    gate.remember(id, ParkCode::Pred);
    assert_eq!(judge(&mut gate), Verdict::ParkedForGood(ParkCode::DependsOnParked));
    for code in ParkCode::ALL {
        assert_eq!(ParkCode::from_code(code.code()), Some(*code));
    }
}

/// Every order of arrival ends in one state, and a gate opened from the cache judges like the one that grew.
#[test]
fn arrival_order_does_not_matter() {
    let mut asha = Replica::new("asha", DocumentKind::Note);
    let mut ben = Replica::new("ben", DocumentKind::Note);
    for turn in 0..6_u32 {
        let a = asha.write(&[type_in(turn, "a")]);
        let b = ben.write(&[type_in(0, "b"), cut_out(0, 1)]);
        asha.receive(&[b]);
        ben.receive(&[a]);
    }
    let mut all: Vec<Candidate> = asha.log.iter().chain(&ben.log).cloned().collect();
    for (entry, candidate) in (0..).zip(&mut all) {
        candidate.entry = entry;
    }
    let log: Vec<Candidate> = all.clone();
    for shift in 0..4 {
        // One by one, each author's in order: those that wait are handed in again.
        let mut carol = Replica::new("carol", DocumentKind::Note);
        let mut pending: Vec<Candidate> = Vec::new();
        let (mut first, mut second) = (log[..6].to_vec(), log[6..].to_vec());
        first.rotate_left(0);
        while !(first.is_empty() && second.is_empty()) {
            let source = if second.is_empty() || (!first.is_empty() && (first.len() + shift) % 3 > 0) {
                &mut first
            } else {
                &mut second
            };
            pending.push(source.remove(0));
            let judged = carol.judge(&pending);
            let waiting: Vec<u64> =
                judged.verdicts.iter().filter(|(_, v)| matches!(v, Verdict::Waiting(_))).map(|(e, _)| *e).collect();
            pending.retain(|candidate| waiting.contains(&candidate.entry));
        }
        assert!(pending.is_empty());
        assert_eq!(carol.document.content_id(), asha.document.content_id());
        assert_eq!(carol.note(), asha.note());
        let bytes = carol.document.verified_save().unwrap();
        let loaded = Document::load(DOCUMENT, DocumentKind::Note, &bytes).unwrap();
        let gate = Gate::open(&loaded, Rules::ALL).unwrap();
        assert_eq!(gate.index().len(), carol.gate.index().len());
        assert_eq!(gate.index().rows(), carol.gate.index().rows());
    }
}

#[test]
fn a_held_change_parks_what_waits_behind_it_and_nothing_else() {
    let mut asha = Replica::new("asha", DocumentKind::Note);
    let mut ben = Replica::new("ben", DocumentKind::Note);
    let a1 = asha.write(&[type_in(0, "one ")]);
    ben.receive(std::slice::from_ref(&a1));
    let b1 = ben.write(&[type_in(4, "two ")]);
    let a2 = asha.write(&[type_in(4, "apart ")]);
    asha.receive(std::slice::from_ref(&b1));
    let a3 = asha.write(&[type_in(0, "on both ")]);
    let log: Vec<Candidate> =
        [a1, a2, a3, b1].into_iter().zip(0..).map(|(c, entry)| Candidate { entry, ..c }).collect();
    let control = rebuild(DOCUMENT, DocumentKind::Note, Rules::ALL, &log, &BTreeSet::new());
    assert!(control.held.is_empty());
    assert_eq!(control.document.content_id(), asha.document.content_id());

    let id = change_id(&log[3].changes[0]).unwrap();
    let rebuilt = rebuild(DOCUMENT, DocumentKind::Note, Rules::ALL, &log, &BTreeSet::from([id]));
    let verdicts: Vec<Verdict> = rebuilt.verdicts.iter().map(|(_, verdict)| *verdict).collect();
    assert_eq!(
        verdicts,
        [Verdict::Admitted, Verdict::Admitted, Verdict::Waiting(Waiting::Behind), Verdict::ParkedUntilUpdate(id)]
    );
    rebuilt.document.verified_save().unwrap();
    // The trying row: alone it names the culprit, in company each is tried again.
    let trying = |entries: &[u64]| Trying { document: DOCUMENT, entries: entries.to_vec() };
    assert_eq!(trying(&[4]).recover(), Recovery::Hold(4));
    assert_eq!(trying(&[4, 5]).recover(), Recovery::OneByOne(vec![4, 5]));
}

#[test]
fn cached_bytes_are_not_trusted() {
    let mut asha = Replica::new("asha", DocumentKind::Note);
    asha.write(&[type_in(0, "hello")]);
    let bytes = asha.document.verified_save().unwrap();
    let load = |bytes: &[u8]| Document::load(DOCUMENT, DocumentKind::Note, bytes);
    assert!(load(&bytes).is_ok());
    assert!(load(&[]).is_err());
    assert!(load(&bytes[..bytes.len() / 2]).is_err());
    assert!(Document::load(DOCUMENT, DocumentKind::Agreement, &bytes).is_err());
    for place in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[place] ^= 0x15;
        assert!(load(&bad).is_err() || load(&bad).unwrap().content_id() == asha.document.content_id());
    }
}

#[test]
fn the_index_stays_small() {
    let mut asha = Replica::new("asha", DocumentKind::Note);
    let mut len = 0;
    for session in 0..40_u32 {
        let text = format!("Session {session} brought this sentence of some fifty letters. ");
        asha.write(&[type_in(len * session % (len + 1), &text)]);
        len += u32::try_from(text.chars().count()).unwrap();
    }
    assert!(len > 2_000);
    assert!(asha.gate.index().rows() < 200, "{} rows for {len} letters", asha.gate.index().rows());
}

#[test]
fn an_agreement_passes_too() {
    let mut asha = Replica::new("asha", DocumentKind::Agreement);
    let id = ItemId([1; 8]);
    asha.write(&[
        Command::Agreement(A::AddClause { id, section: ClauseSection::Roles, modality: Modality::May, after: None }),
        Command::Agreement(A::EditClause { id, splice: Splice::insert(0, "We begin on time.") }),
        Command::Agreement(A::RemoveClause { id }),
    ]);
    assert!(asha.agreement(&[]).clauses.is_empty());
}
