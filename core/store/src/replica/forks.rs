//! How an author's entries are cut into logs when they branch (docs/PROTOCOL.md section 1, forks).
//!
//! The entries that one incarnation signed for one log form a tree by their predecessors; an honest author's tree is a
//! chain. A log is the stretch up to the first entry with several successors; each successor begins a continuation,
//! whose id comes from the log that it continues and its own hash. So ids follow from the tree alone. When an earlier
//! branching point becomes known, the stretch behind it becomes a continuation and everything below gets a new id.
//! A proof whose entries are not here makes a branching point like any other: replicas agree on logs even where one of
//! them lacks an entry.

use alliance_wire::entry::{Header, SignedHeader};
use alliance_wire::frame::{ForkHeader, ForkProof, Reason};
use alliance_wire::{HeaderHash, LogId, LogName, SpaceId, Stream, Suffix, limits};
use rusqlite::Connection;

use super::logs::{self, LogRow};
use crate::error::StoreError;
use crate::sql::{Row as _, int, uint};

/// The proof that two headers of one number give, the smaller hash first so that both orders give one proof.
pub(super) fn proof(one: &SignedHeader, other: &SignedHeader) -> ForkProof {
    let (one, other) = if one.header.hash() <= other.header.hash() { (one, other) } else { (other, one) };
    let part = |signed: &SignedHeader| ForkHeader {
        suffix: signed.header.suffix.as_bytes().to_vec().into(),
        payload_len: signed.header.payload_len,
        payload_hash: signed.header.payload_hash,
        signature: signed.signature,
    };
    ForkProof { seq: one.header.seq, prev: one.header.prev, one: part(one), other: part(other) }
}

/// `Err` unless a proof has the shape of one: two possible headers of one number that differ.
pub(super) fn check_proof(space: SpaceId, name: &LogName, proof: &ForkProof) -> Result<(), Reason> {
    let header = |part: &ForkHeader| {
        let suffix = Suffix::parse(part.suffix.to_vec()).map_err(|_| Reason::Malformed)?;
        let header = Header {
            space,
            log: name.signed_log(space),
            seq: proof.seq,
            prev: proof.prev,
            suffix,
            payload_len: part.payload_len,
            payload_hash: part.payload_hash,
        };
        header.check().map_err(|_| Reason::Malformed)?;
        Ok(header.hash())
    };
    if header(&proof.one)? == header(&proof.other)? { Err(Reason::Malformed) } else { Ok(()) }
}

/// `Err` when `more` further continuations below a log of this depth are more than is kept.
pub(super) fn check_room(family: &[LogRow], depth: usize, more: usize) -> Result<(), Reason> {
    // What can be named in a frame bounds the depth; in data logs one continuation is applied and few others wait.
    let ends = family.iter().filter(|log| !log.forked).count();
    let data = family.first().is_some_and(|log| log.name.stream == Stream::Data);
    if depth > limits::CONTINUATIONS_MAX || (data && ends + more > limits::CONTINUATIONS_MAX) {
        return Err(Reason::TooMany);
    }
    Ok(())
}

/// The deepest path among a log and its continuations.
pub(super) fn depth_below(family: &[LogRow], log: &LogRow) -> usize {
    let below = |other: &&LogRow| other.name.path.starts_with(&log.name.path);
    family.iter().filter(below).map(|other| other.name.path.len()).max().unwrap_or(0)
}

/// Ends a log before number `seq`, where its last entry has hash `prev`: what stands from there on, the continuations
/// included, becomes the continuation that begins with the entry `first`.
pub(super) fn split(
    connection: &Connection,
    space: i64,
    log: &mut LogRow,
    seq: u64,
    prev: HeaderHash,
    first: HeaderHash,
) -> Result<(), StoreError> {
    let name = log.name.branch(first);
    let mut behind = LogRow { id: 0, log: log.log.continuation(first), name, base: prev, first: seq, ..log.clone() };
    // The log's own id stays with the part before the branching point, so the new row takes over what lies behind.
    logs::insert_log(connection, space, Some(log.id), &mut behind)?;
    connection.prepare_cached("update entry set log = ?2 where log = ?1 and seq >= ?3")?.execute((
        log.id,
        behind.id,
        int(seq),
    ))?;
    connection
        .prepare_cached("update log set parent = ?2 where parent = ?1 and id <> ?2")?
        .execute((log.id, behind.id))?;
    connection.prepare_cached("update fork set log = ?2 where log = ?1")?.execute((log.id, behind.id))?;
    log.seq = seq - 1;
    log.head = prev;
    log.forked = true;
    logs::update_end(connection, log)?;
    rename_below(connection, &behind)
}

/// Derives the names and ids of all continuations of a log anew.
fn rename_below(connection: &Connection, log: &LogRow) -> Result<(), StoreError> {
    // Depth and number of continuations are bounded by `check_room`.
    for (id, first) in children(connection, log.id)? {
        let mut child = logs::log_by_row(connection, id)?;
        child.name = log.name.branch(first);
        child.log = log.log.continuation(first);
        logs::update_name(connection, &child)?;
        rename_below(connection, &child)?;
    }
    Ok(())
}

/// The continuations of a log, with the hash of the entry that each begins with.
fn children(connection: &Connection, log: i64) -> Result<Vec<(i64, HeaderHash)>, StoreError> {
    let mut statement = connection.prepare_cached("select id, path from log where parent = ?1 order by id")?;
    let mut rows = statement.query([log])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let path = row.get_ref(1)?.as_blob().map_err(|_| StoreError::Shape("a path"))?;
        let first = path.last_chunk::<32>().ok_or(StoreError::Shape("a path"))?;
        found.push((row.get(0)?, HeaderHash(*first)));
    }
    Ok(found)
}

/// The continuation of a log that begins with an entry of this hash, and the entry's row.
pub(super) fn continuation_with(
    connection: &Connection,
    log: &LogRow,
    first: HeaderHash,
) -> Result<Option<i64>, StoreError> {
    for (child, hash) in children(connection, log.id)? {
        if hash == first {
            return Ok(super::entries::find(connection, child, log.seq + 1)?.map(|(entry, _)| entry));
        }
    }
    Ok(None)
}

/// A new continuation of a log that ended, without entries yet.
pub(super) fn open_continuation(
    connection: &Connection,
    space: i64,
    log: &LogRow,
    first: HeaderHash,
) -> Result<LogRow, StoreError> {
    let mut continuation = LogRow {
        id: 0,
        log: log.log.continuation(first),
        signed: log.signed,
        name: log.name.branch(first),
        base: log.head,
        first: log.seq + 1,
        seq: log.seq,
        head: log.head,
        forked: false,
    };
    logs::insert_log(connection, space, Some(log.id), &mut continuation)?;
    Ok(continuation)
}

/// Keeps the proof of a log that forked.
pub(super) fn insert_proof(
    connection: &Connection,
    space: i64,
    log: i64,
    arrival: u64,
    proof: &ForkProof,
) -> Result<Vec<u8>, StoreError> {
    let bytes = alliance_wire::encode(proof);
    connection.prepare_cached("insert into fork(space, log, arrival, proof) values (?1, ?2, ?3, ?4)")?.execute((
        space,
        log,
        int(arrival),
        &bytes,
    ))?;
    Ok(bytes)
}

/// A fork proof as it was stored: the log that forked, its arrival number, the proof and its encoded form.
pub(super) struct StoredProof {
    pub(super) log: LogId,
    pub(super) name: LogName,
    pub(super) proof: ForkProof,
    pub(super) bytes: Vec<u8>,
}

/// The proofs that a condition on `fork` selects.
pub(super) fn proofs(connection: &Connection, condition: &str, parameter: i64) -> Result<Vec<StoredProof>, StoreError> {
    let sql = format!(
        "select l.log, l.device, l.incarnation, l.stream, l.path, f.proof, f.arrival from fork f \
         join log l on l.id = f.log where {condition} order by f.arrival"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([parameter])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(5)?;
        let Ok(proof) = alliance_wire::decode(&bytes) else {
            // Damage: a fork that is real will be proven again.
            tracing::warn!(arrival = uint(row.get(6)?), "a stored fork proof is damaged");
            continue;
        };
        found.push(StoredProof { log: row.id(0)?, name: logs::name_at(row, 1)?, proof, bytes });
    }
    Ok(found)
}

/// All proofs of a space, in the order in which they arrived.
pub(crate) fn all_proofs(connection: &Connection, space: i64) -> Result<Vec<(LogName, ForkProof)>, StoreError> {
    let found = proofs(connection, "f.space = ?1", space)?;
    Ok(found.into_iter().map(|stored| (stored.name, stored.proof)).collect())
}
