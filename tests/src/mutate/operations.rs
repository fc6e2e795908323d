//! Mutations of decoded operations: each is a change that Automerge itself encodes.

use automerge::legacy::{ElementId, Key, ObjectId, Op, OpId, OpType};
use automerge::{ActorId, Change, ExpandedChange, ObjType, ScalarValue};

use super::{Mutation, Mutator};

impl Mutator {
    /// Changes decoded operations, sometimes several; encoding is Automerge's own, so only what they say is wrong.
    pub(super) fn operations(&mut self) -> Option<Mutation> {
        let change = Change::try_from(self.honest.as_slice()).ok()?;
        let mut expanded: ExpandedChange = change.decode();
        let edits = if self.random.below(3) == 0 { 2 + self.random.below(3) } else { 1 };
        let mut what = "operations";
        for _ in 0..edits {
            what = self.operation(&mut expanded)?;
        }
        let what = if edits > 1 { "several operations" } else { what };
        // The engine's encoder panics on some nonsense; that is no input then.
        let bytes = std::panic::catch_unwind(move || Change::from(expanded).raw_bytes().to_vec()).ok()?;
        Some(Mutation { bytes, what })
    }

    fn operation(&mut self, expanded: &mut ExpandedChange) -> Option<&'static str> {
        let at = self.random.below(expanded.operations.len());
        let reference = self.some_op(expanded);
        let op = expanded.operations.get_mut(at)?;
        Some(match self.random.below(14) {
            0 => {
                op.obj = ObjectId::Id(reference);
                "another object"
            }
            1 => {
                op.obj = ObjectId::Root;
                "the root"
            }
            2 => {
                op.key = Key::Seq(ElementId::Id(reference));
                "another element"
            }
            3 => {
                op.key = Key::Seq(ElementId::Head);
                "the head"
            }
            4 => {
                op.key = Key::Map("log".into());
                "a map key"
            }
            5 => {
                op.pred = vec![reference].into();
                "another predecessor"
            }
            6 => {
                op.pred = Vec::new().into();
                "no predecessor"
            }
            7 => {
                op.insert = !op.insert;
                "insert flipped"
            }
            8 => {
                op.action = OpType::Delete;
                "delete"
            }
            9 => {
                op.action = OpType::Increment(1);
                "increment"
            }
            10 => {
                op.action = OpType::Make([ObjType::Map, ObjType::List, ObjType::Text][self.random.below(3)]);
                "make"
            }
            11 => {
                op.action = OpType::Put(self.some_value());
                "another value"
            }
            12 => {
                let copy: Op = op.clone();
                expanded.operations.insert(at, copy);
                "operation twice"
            }
            _ => {
                expanded.operations.remove(at);
                "operation dropped"
            }
        })
    }

    fn some_op(&mut self, change: &ExpandedChange) -> OpId {
        let own = change.start_op.get() + self.random.below(change.operations.len() + 2) as u64;
        match self.random.below(4) {
            0 => OpId::new(own, &change.actor_id),
            1 => OpId::new(own + 1_000_000, &ActorId::from(self.some_actor())),
            _ => {
                let at = self.random.below(self.known.len());
                self.known.get(at).cloned().unwrap_or_else(|| OpId::new(own, &change.actor_id))
            }
        }
    }

    fn some_value(&mut self) -> ScalarValue {
        match self.random.below(6) {
            0 => ScalarValue::Null,
            1 => ScalarValue::Str("longer than one letter".into()),
            2 => ScalarValue::Str("".into()),
            3 => ScalarValue::Counter(7.into()),
            4 => ScalarValue::Unknown { type_code: 12, bytes: vec![1, 2, 3] },
            _ => ScalarValue::Bytes(vec![0xff; 20]),
        }
    }
}
