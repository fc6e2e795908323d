//! Stage 1 on one change whose ancestors are known: a pure function, so that all replicas come to one verdict.

use std::collections::{HashMap, HashSet};

use alliance_model::ItemId;
use alliance_wire::PersonTag;
use alliance_wire::limits::NESTING_MAX;

use super::ParkCode;
use super::chunk::{Action, Chunk, Key, LocalId, Op, Value};
use super::index::{Ancestry, Left, ObjectKind, ObjectRow, OpId, OpIndex, Place, Ward, left_by};

/// Which rules are in force. A test switches one off to show that it is this rule that refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Objects, keys, elements and predecessors must exist as the operation needs them.
    pub structure: bool,
    /// The root is the schema's, objects are never replaced, logs only grow.
    pub schema: bool,
    /// Operation numbers continue those of the ancestors without a gap.
    pub start_op: bool,
    /// What is a person's alone is written by that person (DOMAIN 2.5).
    pub author: bool,
}

impl Rules {
    /// Everything on: the only value outside tests.
    pub const ALL: Self = Self { structure: true, schema: true, start_op: true, author: true };
}

/// Who writes a change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer {
    /// The person, if the caller knows.
    pub(crate) person: Option<PersonTag>,
    /// Whether this person may make items that are each of one person.
    pub(crate) makes_items: bool,
}

/// The key of the map that keeps an item alive.
const ALIVE: &str = "alive";
/// The key of an item's place in its list.
const POSITION: &str = "pos";

/// A map made under such a key is a grow-only log (DOMAIN 2.3, G).
pub(crate) fn is_log_key(key: &str) -> bool {
    key == "log" || key.starts_with("log.")
}

/// The objects that an accepted change makes.
pub(crate) type Made = Vec<(u32, ObjectRow)>;

/// Judges a change whose dependencies are all admitted. Actor, sequence and dependencies are judged by the caller.
pub(crate) fn judge(index: &OpIndex, chunk: &Chunk<'_>, writer: Writer, rules: Rules) -> Result<Made, ParkCode> {
    let ancestry = index.ancestry(&chunk.deps);
    let first = u32::try_from(chunk.start_op).map_err(|_| ParkCode::StartOp)?;
    let last = u64::from(first) + chunk.ops.len() as u64;
    // Numbers beyond u32 stop Automerge for ever, so a gap would let one member use up the document's future.
    if first == 0 || last > u64::from(u32::MAX) || (rules.start_op && first - 1 != ancestry.max_op) {
        return Err(ParkCode::StartOp);
    }
    let mut judge = Judge {
        index,
        chunk,
        writer,
        rules,
        first,
        current: first,
        rows: chunk.actors.iter().map(|actor| index.actor_row(actor)).collect(),
        ancestry,
        made: HashMap::new(),
        superseded: HashSet::new(),
        latest: HashMap::new(),
    };
    for (counter, op) in (first..).zip(&chunk.ops) {
        judge.current = counter;
        judge.op(counter, op)?;
    }
    let mut made: Made = judge.made.into_iter().collect();
    made.sort_unstable_by_key(|(counter, _)| *counter);
    Ok(made)
}

struct Judge<'a> {
    index: &'a OpIndex,
    chunk: &'a Chunk<'a>,
    writer: Writer,
    rules: Rules,
    /// Number of the change's first operation.
    first: u32,
    /// Number of the operation at hand: nothing refers to it or behind it.
    current: u32,
    /// The index's row of each actor that the change names; `None` for one without admitted changes.
    rows: Vec<Option<u32>>,
    ancestry: Ancestry,
    /// Objects of this change.
    made: HashMap<u32, ObjectRow>,
    /// Predecessors named so far: an operation is superseded once per change.
    superseded: HashSet<LocalId>,
    /// The value that this change itself left at a map key: whoever writes there again has seen it.
    latest: HashMap<(Option<LocalId>, &'a str), LocalId>,
}

/// What a referenced operation is.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Target<'a> {
    object: Option<LocalId>,
    /// As the operation itself names it; an insert is its own element.
    key: TargetKey<'a>,
    left: Left,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TargetKey<'a> {
    Text(&'a str),
    Interned(u32),
    Element(LocalId),
    /// Of no use as a target.
    None,
}

impl<'a> Judge<'a> {
    fn op(&mut self, counter: u32, op: &Op<'a>) -> Result<(), ParkCode> {
        let object = self.object(op.object)?;
        let preds = &self.chunk.preds[op.preds.clone()];
        if self.rules.structure {
            self.check_key(op, object.kind)?;
            check_value(op, object.kind)?;
            check_pred_count(op, object.kind, preds.len())?;
        }
        if self.rules.schema {
            self.check_schema(op, object, preds)?;
        }
        if self.rules.author {
            self.check_author(op, object)?;
        }
        self.check_preds(op, preds)?;
        if self.rules.structure {
            self.check_latest(counter, op, preds)?;
        }
        if let Some(kind) = made_by(op.action) {
            let depth = object.depth + 1;
            if depth > NESTING_MAX {
                return Err(ParkCode::Nesting);
            }
            let log = matches!(op.key, Key::Map(key) if is_log_key(key));
            let alive = op.key == Key::Map(ALIVE);
            // The log of an item says what became of it, which is for everybody to say.
            let ward = match object.ward {
                Ward::OfItems | Ward::Own if !log => Ward::Own,
                Ward::OfItems | Ward::Own | Ward::Common => Ward::Common,
            };
            self.made.insert(counter, ObjectRow { kind, depth, log, alive, ward });
        }
        Ok(())
    }

    fn object(&self, object: Option<LocalId>) -> Result<ObjectRow, ParkCode> {
        let Some(id) = object else {
            return Ok(ObjectRow { kind: ObjectKind::Map, depth: 0, log: false, alive: false, ward: Ward::Common });
        };
        if self.is_own(id) {
            return self.made.get(&id.counter).copied().ok_or(ParkCode::Object);
        }
        let global = self.global(id).ok_or(ParkCode::Object)?;
        self.index.find(&self.ancestry, global).ok_or(ParkCode::Object)?;
        self.index.object(global).ok_or(ParkCode::Object)
    }

    fn check_key(&self, op: &Op<'_>, kind: ObjectKind) -> Result<(), ParkCode> {
        match (kind, op.key) {
            (ObjectKind::Map, Key::Map(_)) if !op.insert => Ok(()),
            (ObjectKind::List | ObjectKind::Text, Key::Head) if op.insert => Ok(()),
            (ObjectKind::List | ObjectKind::Text, Key::Element(element)) => {
                let target = self.target(element).ok_or(ParkCode::Element)?;
                let is_element = target.key == TargetKey::Element(element) && target.object == op.object;
                if is_element { Ok(()) } else { Err(ParkCode::Element) }
            }
            _ => Err(ParkCode::Key),
        }
    }

    fn check_preds(&mut self, op: &Op<'a>, preds: &[LocalId]) -> Result<(), ParkCode> {
        let mut last: Option<(u32, &[u8])> = None;
        for pred in preds {
            let order = (pred.counter, self.chunk.actors[pred.actor]);
            if last.is_some_and(|last| last >= order) || !self.superseded.insert(*pred) {
                return Err(ParkCode::Pred);
            }
            last = Some(order);
            if !self.rules.structure {
                continue;
            }
            let target = self.target(*pred).ok_or(ParkCode::Pred)?;
            if target.left == Left::Nothing || target.object != op.object || !self.same_key(op.key, target.key) {
                return Err(ParkCode::Pred);
            }
            if op.action == Action::Increment && target.left != Left::Counter {
                return Err(ParkCode::Counter);
            }
            if self.rules.schema && target.left == Left::Object {
                return Err(ParkCode::SchemaFixed);
            }
        }
        Ok(())
    }

    /// A change that left a value at a key replaces it when it writes there again; otherwise a few bytes could leave
    /// 65,536 values beside each other.
    fn check_latest(&mut self, counter: u32, op: &Op<'a>, preds: &[LocalId]) -> Result<(), ParkCode> {
        let Key::Map(key) = op.key else { return Ok(()) };
        let place = (op.object, key);
        if self.latest.get(&place).is_some_and(|latest| !preds.contains(latest)) {
            return Err(ParkCode::Pred);
        }
        if left_by(op.action, op.value) == Left::Nothing {
            self.latest.remove(&place);
        } else {
            self.latest.insert(place, LocalId { actor: 0, counter });
        }
        Ok(())
    }

    /// The schema's own rules: nobody but genesis writes at the root; logs only grow and hold plain values.
    fn check_schema(&self, op: &Op<'_>, object: ObjectRow, preds: &[LocalId]) -> Result<(), ParkCode> {
        let genesis = self.chunk.deps.is_empty();
        if op.object.is_none() && !genesis {
            return Err(ParkCode::SchemaFixed);
        }
        if object.log && (op.action != Action::Set || !preds.is_empty()) {
            return Err(ParkCode::LogOnlyGrows);
        }
        if made_by(op.action).is_some() && !genesis && !self.is_place_of_object(op, object) {
            return Err(ParkCode::SchemaFixed);
        }
        match op.key {
            Key::Map(key) if is_log_key(key) && (op.action != Action::MakeMap || !preds.is_empty()) => {
                Err(ParkCode::LogOnlyGrows)
            }
            Key::Map(_) | Key::Head | Key::Element(_) => Ok(()),
        }
    }

    /// An item that is a person's own is worded, filled in and taken away by that person. Others move it, keep it and say
    /// what became of it.
    fn check_author(&self, op: &Op<'_>, object: ObjectRow) -> Result<(), ParkCode> {
        if object.ward == Ward::OfItems && !self.writer.makes_items {
            return Err(ParkCode::NotAuthor);
        }
        let Some(item) = op.object.filter(|item| object.ward == Ward::Own && !self.is_own(*item)) else {
            return Ok(());
        };
        let common = match object.kind {
            ObjectKind::Map if object.alive => op.action != Action::Delete,
            ObjectKind::Map => op.key == Key::Map(POSITION),
            ObjectKind::List | ObjectKind::Text => false,
        };
        // Actor 0 is the change's own: what this device made earlier.
        let is_same =
            || item.actor == 0 || (self.writer.person.is_some() && self.writer.person == self.person_of(item));
        if common || is_same() { Ok(()) } else { Err(ParkCode::NotAuthor) }
    }

    fn person_of(&self, id: LocalId) -> Option<PersonTag> {
        self.index.person(self.global(id)?.actor)
    }

    /// An object stands where no program ever writes a value: at an item's id, or under an item's own names in an item
    /// that the same change makes. Elsewhere it would lie in the way of honest people for ever, since an object is never
    /// replaced: whoever set the date or removed the item next would be refused.
    fn is_place_of_object(&self, op: &Op<'_>, parent: ObjectRow) -> bool {
        let Key::Map(key) = op.key else { return false };
        let own = op.object.is_some_and(|id| self.is_own(id));
        let name = matches!(key, ALIVE | "text") || is_log_key(key);
        !parent.alive && (ItemId::from_key(key).is_some() || (own && name))
    }

    fn same_key(&self, key: Key<'_>, target: TargetKey<'_>) -> bool {
        match (key, target) {
            (Key::Map(key), TargetKey::Text(other)) => key == other,
            (Key::Map(key), TargetKey::Interned(number)) => self.index.key(key) == Some(number),
            (Key::Element(element), TargetKey::Element(other)) => element == other,
            _ => false,
        }
    }

    /// What the referenced operation is, if it is earlier in this change or among the ancestors.
    fn target(&self, id: LocalId) -> Option<Target<'a>> {
        if self.is_own(id) {
            if id.counter >= self.current {
                return None;
            }
            let op = self.chunk.ops.get(usize::try_from(id.counter - self.first).ok()?)?;
            let key = match op.key {
                Key::Map(key) => TargetKey::Text(key),
                Key::Head | Key::Element(_) if op.insert => TargetKey::Element(id),
                Key::Element(element) => TargetKey::Element(element),
                Key::Head => TargetKey::None,
            };
            return Some(Target { object: op.object, key, left: left_by(op.action, op.value) });
        }
        let run = self.index.find(&self.ancestry, self.global(id)?)?;
        let key = match run.place {
            Place::Key(number) => TargetKey::Interned(number),
            Place::Inserted => TargetKey::Element(id),
            Place::Element(element) => TargetKey::Element(self.local(element)?),
        };
        let object = match run.object {
            None => None,
            Some(object) => Some(self.local(object)?),
        };
        Some(Target { object, key, left: run.left })
    }

    const fn is_own(&self, id: LocalId) -> bool {
        id.actor == 0 && id.counter >= self.first
    }

    fn global(&self, id: LocalId) -> Option<OpId> {
        self.rows.get(id.actor).copied().flatten().map(|actor| OpId { actor, counter: id.counter })
    }

    /// The change's own name of an operation; `None` if the change does not name its actor, so cannot mean it.
    fn local(&self, id: OpId) -> Option<LocalId> {
        let actor = self.rows.iter().position(|row| *row == Some(id.actor))?;
        Some(LocalId { actor, counter: id.counter })
    }
}

const fn made_by(action: Action) -> Option<ObjectKind> {
    match action {
        Action::MakeMap => Some(ObjectKind::Map),
        Action::MakeList => Some(ObjectKind::List),
        Action::MakeText => Some(ObjectKind::Text),
        Action::Set | Action::Delete | Action::Increment => None,
    }
}

/// A text holds single scalar values, inserted once and never updated: positions are scalar values everywhere.
fn check_value(op: &Op<'_>, kind: ObjectKind) -> Result<(), ParkCode> {
    let fits = match op.action {
        Action::Set if kind == ObjectKind::Text => op.insert && op.value == Value::Scalar,
        Action::Set => true,
        Action::MakeMap | Action::MakeList | Action::MakeText => kind != ObjectKind::Text && op.value == Value::Null,
        Action::Delete => op.value == Value::Null,
        Action::Increment => op.value == Value::Integer,
    };
    if fits { Ok(()) } else { Err(ParkCode::Value) }
}

fn check_pred_count(op: &Op<'_>, kind: ObjectKind, preds: usize) -> Result<(), ParkCode> {
    let removes = matches!(op.action, Action::Delete | Action::Increment);
    let fits = match (op.insert, kind) {
        (true, _) => preds == 0 && !removes,
        (false, ObjectKind::List | ObjectKind::Text) => preds > 0,
        (false, ObjectKind::Map) => preds > 0 || !removes,
    };
    if fits { Ok(()) } else { Err(ParkCode::PredCount) }
}
