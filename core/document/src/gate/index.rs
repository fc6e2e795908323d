//! What the admitted changes of one document did, as far as stage 1 asks: which operation lies at which object and
//! key, which objects exist, and who is whose ancestor.
//!
//! Operations are kept as runs: the letters of a paragraph are one row. A two-kilobyte note written in 40 sessions
//! has about a hundred rows of 32 bytes; the index never dominates the document itself.

use std::collections::HashMap;

use alliance_wire::PersonTag;

use super::chunk::{Action, Chunk, Key, LocalId, Value};
use crate::heads::ChangeId;

/// An actor's row number in the index.
pub(crate) type ActorRow = u32;

/// An operation's id in the index: ordered by actor row, not by Lamport time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct OpId {
    pub(crate) actor: ActorRow,
    pub(crate) counter: u32,
}

/// An object: the root or what a make operation made.
pub(crate) type Object = Option<OpId>;

/// The kinds of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    Map,
    List,
    Text,
}

/// An object's row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ObjectRow {
    pub(crate) kind: ObjectKind,
    /// Steps from the root.
    pub(crate) depth: usize,
    /// Whether it is a grow-only log (made under a key that says so).
    pub(crate) log: bool,
    /// Whether it keeps an item alive (made under the key `alive`): whoever removes the item deletes all that it holds.
    pub(crate) alive: bool,
    /// Whose it is.
    pub(crate) ward: Ward,
}

/// Whose an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ward {
    /// Everybody's who writes.
    Common,
    /// A map of items each of which is of the person who made it.
    OfItems,
    /// Such an item, its text, or what keeps it alive: of the person who made it.
    Own,
}

/// Where an operation lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// At an interned key of a map.
    Key(u32),
    /// It is an element of a list or text itself.
    Inserted,
    /// It updates the element that this operation inserted.
    Element(OpId),
}

/// What an operation left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// A value.
    Value,
    /// A counter.
    Counter,
    /// An object.
    Object,
    /// Nothing that can have a successor: a deletion or an increment.
    Nothing,
}

/// Consecutive operations of one actor that lie alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) start: u32,
    pub(crate) len: u32,
    pub(crate) object: Object,
    pub(crate) place: Place,
    pub(crate) left: Left,
}

#[derive(Debug, Default, Clone)]
struct ActorState {
    /// First and last operation of the actor's changes, by sequence number from 1.
    changes: Vec<(u32, u32)>,
    runs: Vec<Run>,
    /// Who writes as this actor, if the caller knows.
    person: Option<PersonTag>,
}

#[derive(Debug, Clone)]
struct ChangeRow {
    actor: ActorRow,
    seq: u32,
    max_op: u32,
    /// How many changes of each actor row are this change or its ancestors.
    clock: Box<[u32]>,
}

/// The ancestors of a change that is being judged.
#[derive(Debug, Clone)]
pub(crate) struct Ancestry {
    clock: Vec<u32>,
    pub(crate) max_op: u32,
}

/// The index of one document's admitted changes.
#[derive(Debug, Default, Clone)]
pub struct OpIndex {
    rows: HashMap<Box<[u8]>, ActorRow>,
    actors: Vec<ActorState>,
    changes: HashMap<ChangeId, ChangeRow>,
    objects: HashMap<OpId, ObjectRow>,
    keys: HashMap<Box<str>, u32>,
}

impl OpIndex {
    /// How many changes are admitted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether no change is admitted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether this change is admitted.
    #[must_use]
    pub fn contains(&self, id: &ChangeId) -> bool {
        self.changes.contains_key(id)
    }

    /// How many rows hold the operations: what the index costs, in units of 32 bytes.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.actors.iter().map(|actor| actor.runs.len()).sum()
    }

    /// How many changes of this actor are admitted.
    pub(crate) fn seq_of(&self, actor: &[u8]) -> u64 {
        self.rows.get(actor).map_or(0, |row| self.actors[*row as usize].changes.len() as u64)
    }

    /// Whether this change is admitted as one of this actor.
    pub(crate) fn is_of(&self, id: &ChangeId, actor: &[u8]) -> bool {
        self.changes.get(id).is_some_and(|row| self.rows.get(actor) == Some(&row.actor))
    }

    /// Whether this change is the actor's change with this number.
    pub(crate) fn is_change_of(&self, id: &ChangeId, actor: &[u8], seq: u64) -> bool {
        self.changes.get(id).is_some_and(|row| {
            u64::from(row.seq) == seq && self.rows.get(actor).is_some_and(|actor| *actor == row.actor)
        })
    }

    pub(crate) fn actor_row(&self, actor: &[u8]) -> Option<ActorRow> {
        self.rows.get(actor).copied()
    }

    /// The ancestors of a change with these dependencies, all of them admitted.
    pub(crate) fn ancestry(&self, deps: &[ChangeId]) -> Ancestry {
        let mut ancestry = Ancestry { clock: vec![0; self.actors.len()], max_op: 0 };
        for row in deps.iter().filter_map(|dep| self.changes.get(dep)) {
            ancestry.max_op = ancestry.max_op.max(row.max_op);
            for (mine, theirs) in ancestry.clock.iter_mut().zip(&row.clock) {
                *mine = (*mine).max(*theirs);
            }
        }
        ancestry
    }

    /// The run that holds this operation, if a change among the ancestors made it.
    pub(crate) fn find(&self, ancestry: &Ancestry, id: OpId) -> Option<&Run> {
        let actor = self.actors.get(id.actor as usize)?;
        let change = actor.changes.partition_point(|(_, last)| *last < id.counter);
        let (first, _) = actor.changes.get(change)?;
        let known = ancestry.clock.get(id.actor as usize).is_some_and(|seq| (change as u64) < u64::from(*seq));
        if *first > id.counter || !known {
            return None;
        }
        let run = actor.runs.partition_point(|run| run.start <= id.counter).checked_sub(1)?;
        actor.runs.get(run).filter(|run| id.counter - run.start < run.len)
    }

    /// The object that this operation made. Callers have found the operation among the ancestors.
    pub(crate) fn object(&self, id: OpId) -> Option<ObjectRow> {
        self.objects.get(&id).copied()
    }

    /// The number of a key; `None` if no operation of the document has it.
    pub(crate) fn key(&self, key: &str) -> Option<u32> {
        self.keys.get(key).copied()
    }

    /// Who writes as the actor of this row.
    pub(crate) fn person(&self, actor: ActorRow) -> Option<PersonTag> {
        self.actors.get(actor as usize)?.person
    }

    /// Whether an actor can be of this person: nobody's yet, or of the same.
    pub(crate) fn may_be(&self, actor: &[u8], person: Option<PersonTag>) -> bool {
        let known = self.actor_row(actor).and_then(|row| self.person(row));
        known.is_none() || known == person
    }

    /// Says that the items of a map that genesis made are each of the person who makes it.
    pub(crate) fn own_items(&mut self, genesis: &[u8], counter: u32) {
        let map = self.actor_row(genesis).map(|actor| OpId { actor, counter });
        if let Some(row) = map.and_then(|map| self.objects.get_mut(&map)) {
            row.ward = Ward::OfItems;
        }
    }

    /// Takes in a change of a person that stage 1 has accepted, with its objects' rows.
    pub(crate) fn admit(&mut self, chunk: &Chunk<'_>, person: Option<PersonTag>, objects: &[(u32, ObjectRow)]) {
        let ancestry = self.ancestry(&chunk.deps);
        let rows: Vec<ActorRow> = chunk.actors.iter().map(|actor| self.intern_actor(actor)).collect();
        let own = rows[0];
        let first = u32::try_from(chunk.start_op).expect("stage 1 bounds operation numbers by u32");
        let count = u32::try_from(chunk.ops.len()).expect("stage 1 bounds the number of operations");
        let last = first + count - 1;
        for (counter, op) in (first..).zip(&chunk.ops) {
            let global = |id: LocalId| OpId { actor: rows[id.actor], counter: id.counter };
            let place = match op.key {
                Key::Map(key) => Place::Key(self.intern_key(key)),
                Key::Element(element) if !op.insert => Place::Element(global(element)),
                Key::Head | Key::Element(_) => Place::Inserted,
            };
            let left = left_by(op.action, op.value);
            push_run(
                &mut self.actors[own as usize].runs,
                Run { start: counter, len: 1, object: op.object.map(global), place, left },
            );
        }
        for (counter, row) in objects {
            self.objects.insert(OpId { actor: own, counter: *counter }, *row);
        }
        let state = &mut self.actors[own as usize];
        state.changes.push((first, last));
        state.person = person;
        let seq = u32::try_from(state.changes.len()).expect("an actor has fewer changes than operations");
        let mut clock = ancestry.clock;
        clock.resize(self.actors.len(), 0);
        clock[own as usize] = seq;
        let row = ChangeRow { actor: own, seq, max_op: last.max(ancestry.max_op), clock: clock.into_boxed_slice() };
        self.changes.insert(chunk.id, row);
    }

    fn intern_actor(&mut self, actor: &[u8]) -> ActorRow {
        if let Some(row) = self.rows.get(actor) {
            return *row;
        }
        let row = u32::try_from(self.actors.len()).expect("fewer actors than changes, fewer changes than u32::MAX");
        self.rows.insert(actor.into(), row);
        self.actors.push(ActorState::default());
        row
    }

    fn intern_key(&mut self, key: &str) -> u32 {
        if let Some(number) = self.keys.get(key) {
            return *number;
        }
        let number = u32::try_from(self.keys.len()).expect("fewer keys than operations");
        self.keys.insert(key.into(), number);
        number
    }
}

/// What an operation leaves behind for later ones.
pub(crate) const fn left_by(action: Action, value: Value) -> Left {
    match (action, value) {
        (Action::MakeMap | Action::MakeList | Action::MakeText, _) => Left::Object,
        (Action::Set, Value::Counter) => Left::Counter,
        (Action::Set, _) => Left::Value,
        (Action::Delete | Action::Increment, _) => Left::Nothing,
    }
}

/// Appends an operation: to the last run if it lies like it. Objects stay apart, and so do keys and updates, whose
/// place names one thing; deletions need no place at all.
fn push_run(runs: &mut Vec<Run>, mut next: Run) {
    if next.left == Left::Nothing {
        (next.object, next.place) = (None, Place::Inserted);
    }
    if let Some(last) = runs.last_mut()
        && last.start + last.len == next.start
        && (last.object, last.place, last.left) == (next.object, next.place, next.left)
        && next.place == Place::Inserted
    {
        last.len += 1;
    } else {
        runs.push(next);
    }
}
