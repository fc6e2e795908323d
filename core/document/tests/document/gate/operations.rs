//! What a change does, and where objects may stand.

use alliance_document::gate::{Candidate, Gate, ParkCode, Rules, Verdict};
use alliance_model::agreement::{AgreementCommand as A, ProtectiveTerm, ProtectiveValue};
use alliance_model::note::NoteCommand as N;
use alliance_model::{Command, DocumentKind, ItemId};
use automerge::legacy::{ElementId, Key, ObjectId, Op, OpId, OpType};
use automerge::{ActorId, Change, ExpandedChange, ObjType, ScalarValue};

use super::{GENESIS_OPS, asha_op, check, genesis_op, scene, verdict, with_ops};
use crate::mutate::Parts;
use crate::support::replica::{DOCUMENT, Replica, actor_of};

#[test]
fn operations_fit_their_ancestors() {
    // The honest change: three deletions, two insertions, one put at a map key.
    let insert = 3_usize;
    let put = 5;
    check("object of nobody", with_ops(|o| o[insert].obj = ObjectId::Id(asha_op(900))), ParkCode::Object);
    check(
        "object is no object",
        with_ops(|o| o[insert].obj = ObjectId::Id(asha_op(GENESIS_OPS + 2))),
        ParkCode::Object,
    );
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
            o[put].pred = vec![asha_op(GENESIS_OPS + 12)].into();
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
