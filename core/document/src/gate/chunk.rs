//! Decodes a change chunk without Automerge: bounded work whatever the bytes claim.

mod values;

use alliance_wire::limits::{CHANGE_BYTES_MAX, CHANGE_OPS_MAX};
use sha2::{Digest as _, Sha256};

use super::ParkCode;
use super::columns::{decode_booleans, decode_deltas, decode_runs, encode_booleans, encode_deltas, encode_runs};
use super::reader::{Reader, write_unsigned};
use crate::actor::Actor;
use crate::heads::ChangeId;
use values::Values;

/// The first bytes of every Automerge chunk.
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
/// The chunk type of an uncompressed change.
const CHANGE: u8 = 1;
/// Dependencies of one change: as many as 32 KiB can name.
const DEPS_MAX: u64 = 1_000;
/// Actors that one change names.
const ACTORS_NAMED_MAX: u64 = 1_024;
/// Bytes of an actor: ours have 16, genesis has one.
const ACTOR_BYTES_MAX: u64 = 16;
/// Rows of a column.
#[expect(clippy::cast_possible_truncation, reason = "65,536 fits in every usize that the workspace is built for")]
const ROWS_MAX: usize = CHANGE_OPS_MAX as usize;

/// An operation's id within a change: index into the change's actors (0 is its author), and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LocalId {
    pub(crate) actor: usize,
    pub(crate) counter: u32,
}

/// Where in its object an operation acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    Map(&'a str),
    Head,
    Element(LocalId),
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    MakeMap,
    MakeList,
    MakeText,
    Set,
    Delete,
    Increment,
}

/// The kinds of value that rules tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Integer,
    Counter,
    /// A string of exactly one scalar value, as text holds it.
    Scalar,
    Other,
}

/// One operation.
#[derive(Debug, Clone)]
pub(crate) struct Op<'a> {
    pub(crate) object: Option<LocalId>,
    pub(crate) key: Key<'a>,
    pub(crate) insert: bool,
    pub(crate) action: Action,
    pub(crate) value: Value,
    /// Where its predecessors lie in [`Chunk::preds`].
    pub(crate) preds: core::ops::Range<usize>,
}

/// A change as decoded.
#[derive(Debug, Clone)]
pub(crate) struct Chunk<'a> {
    pub(crate) id: ChangeId,
    pub(crate) deps: Vec<ChangeId>,
    /// The author first, then the others in ascending order.
    pub(crate) actors: Vec<&'a [u8]>,
    pub(crate) seq: u64,
    pub(crate) start_op: u64,
    pub(crate) ops: Vec<Op<'a>>,
    pub(crate) preds: Vec<LocalId>,
}

impl<'a> Chunk<'a> {
    /// Decodes one change chunk and proves that encoding it again gives the same bytes.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, ParkCode> {
        if bytes.len() > CHANGE_BYTES_MAX {
            return Err(ParkCode::ChangeLimit);
        }
        let (id, data) = frame(bytes)?;
        let mut reader = Reader::new(data);
        let deps = parse_deps(&mut reader)?;
        let actor_len = bounded(reader.unsigned()?, ACTOR_BYTES_MAX)?;
        let mut actors = vec![reader.take(actor_len)?];
        let seq = reader.unsigned()?;
        let start_op = reader.unsigned()?;
        if reader.signed()? != 0 || reader.unsigned()? != 0 {
            return Err(ParkCode::Message);
        }
        for _ in 0..bounded(reader.unsigned()?, ACTORS_NAMED_MAX)? {
            let len = bounded(reader.unsigned()?, ACTOR_BYTES_MAX)?;
            let actor = reader.take(len)?;
            if actor == actors[0] || (actors.len() > 1 && actors.last().is_some_and(|last| *last >= actor)) {
                return Err(ParkCode::NotCanonical);
            }
            actors.push(actor);
        }
        let columns = Columns::parse(&mut reader)?;
        if !reader.is_empty() {
            return Err(ParkCode::Footer);
        }
        let (ops, preds) = columns.decode(actors.len())?;
        Ok(Self { id, deps, actors, seq, start_op, ops, preds })
    }
}

/// Id of a chunk whose framing is whole, and its dependencies: before anything that costs more than a hash.
pub(crate) fn peek(bytes: &[u8]) -> Result<(ChangeId, Result<Vec<ChangeId>, ParkCode>), ParkCode> {
    if bytes.len() > CHANGE_BYTES_MAX {
        return Err(ParkCode::ChangeLimit);
    }
    let (id, data) = frame(bytes)?;
    Ok((id, parse_deps(&mut Reader::new(data))))
}

/// The actor of a chunk whose framing is whole.
pub(crate) fn author(bytes: &[u8]) -> Result<Actor, ParkCode> {
    let (_, data) = frame(bytes)?;
    let mut reader = Reader::new(data);
    parse_deps(&mut reader)?;
    if reader.unsigned()? == ACTOR_BYTES_MAX { Ok(Actor(reader.array()?)) } else { Err(ParkCode::Actor) }
}

/// Checks magic, type, length and checksum; the id is recomputed, never believed.
fn frame(bytes: &[u8]) -> Result<(ChangeId, &[u8]), ParkCode> {
    let mut reader = Reader::new(bytes);
    if reader.array::<4>()? != MAGIC {
        return Err(ParkCode::ChunkType);
    }
    let checksum = reader.array::<4>()?;
    if reader.array::<1>()? != [CHANGE] {
        return Err(ParkCode::ChunkType);
    }
    let len = reader.unsigned()?;
    let data = reader.take(len)?;
    if !reader.is_empty() {
        return Err(ParkCode::Footer);
    }
    let mut head = vec![CHANGE];
    write_unsigned(&mut head, len);
    let id: [u8; 32] = Sha256::new().chain_update(&head).chain_update(data).finalize().into();
    if id[..4] != checksum {
        return Err(ParkCode::ChunkDamaged);
    }
    Ok((ChangeId(id), data))
}

fn parse_deps(reader: &mut Reader<'_>) -> Result<Vec<ChangeId>, ParkCode> {
    let count = bounded(reader.unsigned()?, DEPS_MAX)?;
    let mut deps = Vec::new();
    for _ in 0..count {
        let dep = ChangeId(reader.array()?);
        if deps.last().is_some_and(|last| *last >= dep) {
            return Err(ParkCode::Deps);
        }
        deps.push(dep);
    }
    Ok(deps)
}

fn bounded(value: u64, max: u64) -> Result<u64, ParkCode> {
    if value <= max { Ok(value) } else { Err(ParkCode::ChunkDamaged) }
}

/// The column specifications that our writers produce: (id << 4) + type.
const SPECS: [u64; 12] = [1, 2, 17, 19, 21, 52, 66, 86, 87, 112, 113, 115];

/// The raw columns in the order of [`SPECS`], absent ones empty.
struct Columns<'a> {
    data: [&'a [u8]; SPECS.len()],
}

impl<'a> Columns<'a> {
    fn parse(reader: &mut Reader<'a>) -> Result<Self, ParkCode> {
        let count = reader.unsigned()?;
        if count > SPECS.len() as u64 {
            return Err(ParkCode::Columns);
        }
        let mut lens = [0_u64; SPECS.len()];
        let mut next = 0;
        for _ in 0..count {
            let spec = reader.unsigned()?;
            let found = SPECS.iter().skip(next).position(|known| *known == spec).ok_or(ParkCode::Columns)? + next;
            lens[found] = reader.unsigned()?;
            if lens[found] == 0 {
                return Err(ParkCode::Columns);
            }
            next = found + 1;
        }
        let mut data: [&[u8]; SPECS.len()] = [&[]; SPECS.len()];
        for (column, len) in data.iter_mut().zip(lens) {
            *column = reader.take(len)?;
        }
        Ok(Self { data })
    }

    /// Decodes all columns and proves that encoding them again gives the same bytes.
    fn decode(&self, actors: usize) -> Result<(Vec<Op<'a>>, Vec<LocalId>), ParkCode> {
        let table = Table::decode(&self.data)?;
        let preds: Vec<LocalId> = table
            .pred_actor
            .iter()
            .zip(&table.pred_ctr)
            .map(|(a, c)| local(*a, *c, actors))
            .collect::<Result<_, _>>()?;
        let ops = table.ops(actors)?;
        all_actors_used(&ops, &preds, actors)?;
        if table.encode().iter().zip(self.data).any(|(again, given)| again != given) {
            return Err(ParkCode::NotCanonical);
        }
        Ok((ops, preds))
    }
}

/// The columns as rows, all of one length but the predecessors', which are as many as `group` says.
struct Table<'a> {
    obj_actor: Vec<Option<u64>>,
    obj_ctr: Vec<Option<u64>>,
    key_actor: Vec<Option<u64>>,
    key_ctr: Vec<Option<i64>>,
    key_str: Vec<Option<&'a str>>,
    insert: Vec<bool>,
    action: Vec<Option<u64>>,
    meta: Vec<Option<u64>>,
    raw: &'a [u8],
    group: Vec<Option<u64>>,
    pred_actor: Vec<Option<u64>>,
    pred_ctr: Vec<Option<i64>>,
}

impl<'a> Table<'a> {
    fn decode(data: &[&'a [u8]; SPECS.len()]) -> Result<Self, ParkCode> {
        let [obj_actor, obj_ctr, key_actor, key_ctr, key_str, insert, action, meta, raw, group, pred_actor, pred_ctr] =
            *data;
        let action = decode_runs::<u64>(action, ROWS_MAX)?;
        let rows = action.len();
        if rows == 0 {
            return Err(ParkCode::OpsLimit);
        }
        let group = decode_runs::<u64>(group, rows)?;
        let total = group.iter().flatten().fold(0_u64, |sum, count| sum.saturating_add(*count));
        let preds = usize::try_from(total).ok().filter(|total| *total <= ROWS_MAX).ok_or(ParkCode::OpsLimit)?;
        let table = Self {
            obj_actor: full(decode_runs(obj_actor, rows)?, rows)?,
            obj_ctr: full(decode_runs(obj_ctr, rows)?, rows)?,
            key_actor: full(decode_runs(key_actor, rows)?, rows)?,
            key_ctr: full(decode_deltas(key_ctr, rows)?, rows)?,
            key_str: full(decode_runs(key_str, rows)?, rows)?,
            insert: decode_booleans(insert, rows)?,
            action,
            meta: decode_runs(meta, rows)?,
            raw,
            group,
            pred_actor: decode_runs(pred_actor, preds)?,
            pred_ctr: decode_deltas(pred_ctr, preds)?,
        };
        let rows_fit = [table.insert.len(), table.meta.len(), table.group.len()] == [rows; 3];
        let preds_fit = [table.pred_actor.len(), table.pred_ctr.len()] == [preds; 2];
        if rows_fit && preds_fit { Ok(table) } else { Err(ParkCode::ColumnDamaged) }
    }

    fn ops(&self, actors: usize) -> Result<Vec<Op<'a>>, ParkCode> {
        let mut values = Values { raw: Reader::new(self.raw) };
        let mut next_pred = 0;
        let mut ops = Vec::with_capacity(self.action.len());
        for row in 0..self.action.len() {
            let count = self.group[row].and_then(|count| usize::try_from(count).ok()).ok_or(ParkCode::ColumnDamaged)?;
            let object = match (self.obj_actor[row], self.obj_ctr[row]) {
                (None, None) => None,
                (actor, counter) => Some(local(actor, counter.map(|c| i64::try_from(c).unwrap_or(-1)), actors)?),
            };
            let key = match (self.key_actor[row], self.key_ctr[row], self.key_str[row]) {
                (None, None, Some(name)) => Key::Map(name),
                (None, Some(0), None) => Key::Head,
                (actor, counter, None) => Key::Element(local(actor, counter, actors)?),
                _ => return Err(ParkCode::Key),
            };
            ops.push(Op {
                object,
                key,
                insert: self.insert[row],
                action: action_of(self.action[row])?,
                value: values.next(self.meta[row])?,
                preds: next_pred..next_pred + count,
            });
            next_pred += count;
        }
        if values.raw.is_empty() { Ok(ops) } else { Err(ParkCode::ColumnDamaged) }
    }

    fn encode(&self) -> [Vec<u8>; SPECS.len()] {
        [
            encode_runs(&self.obj_actor),
            encode_runs(&self.obj_ctr),
            encode_runs(&self.key_actor),
            encode_deltas(&self.key_ctr),
            encode_runs(&self.key_str),
            encode_booleans(&self.insert),
            encode_runs(&self.action),
            encode_runs(&self.meta),
            self.raw.to_vec(),
            encode_runs(&self.group),
            encode_runs(&self.pred_actor),
            encode_deltas(&self.pred_ctr),
        ]
    }
}

/// A column that is absent when all its rows are null.
fn full<T: Copy>(mut column: Vec<Option<T>>, rows: usize) -> Result<Vec<Option<T>>, ParkCode> {
    if column.is_empty() {
        column.resize(rows, None);
    }
    if column.len() == rows { Ok(column) } else { Err(ParkCode::ColumnDamaged) }
}

fn local(actor: Option<u64>, counter: Option<i64>, actors: usize) -> Result<LocalId, ParkCode> {
    let actor = actor.and_then(|actor| usize::try_from(actor).ok()).filter(|actor| *actor < actors);
    let counter = counter.and_then(|counter| u32::try_from(counter).ok()).filter(|counter| *counter > 0);
    match (actor, counter) {
        (Some(actor), Some(counter)) => Ok(LocalId { actor, counter }),
        _ => Err(ParkCode::ColumnDamaged),
    }
}

/// A change names exactly the actors that its operations use: the form that an honest writer gives.
fn all_actors_used(ops: &[Op<'_>], preds: &[LocalId], actors: usize) -> Result<(), ParkCode> {
    let mut used = vec![false; actors];
    used[0] = true;
    for op in ops {
        if let Some(object) = op.object {
            used[object.actor] = true;
        }
        if let Key::Element(element) = op.key {
            used[element.actor] = true;
        }
    }
    for pred in preds {
        used[pred.actor] = true;
    }
    if used.into_iter().all(|used| used) { Ok(()) } else { Err(ParkCode::NotCanonical) }
}

fn action_of(number: Option<u64>) -> Result<Action, ParkCode> {
    match number {
        Some(0) => Ok(Action::MakeMap),
        Some(1) => Ok(Action::Set),
        Some(2) => Ok(Action::MakeList),
        Some(3) => Ok(Action::Delete),
        Some(4) => Ok(Action::MakeText),
        Some(5) => Ok(Action::Increment),
        // Tables, marks and what may come: documents of the known schemas hold none.
        Some(_) => Err(ParkCode::Action),
        None => Err(ParkCode::ColumnDamaged),
    }
}
