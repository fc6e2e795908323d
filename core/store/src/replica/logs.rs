//! Rows of the tables `space` and `log`.

use alliance_sync::Tail;
use alliance_wire::{HashPrefix, HeaderHash, LogId, LogName, SpaceId, Stream, vector};
use rusqlite::{Connection, OptionalExtension};

use crate::error::StoreError;
use crate::sql::{Row as _, int, uint};

/// A space as one transaction sees and changes it.
#[derive(Debug, Clone)]
pub(super) struct SpaceRow {
    pub(super) id: i64,
    pub(super) tail: Tail,
    /// Bytes of headers and payloads; 0 while nothing is here.
    pub(super) bytes: u64,
}

/// A log as one transaction sees and changes it.
#[derive(Debug, Clone)]
pub(super) struct LogRow {
    pub(super) id: i64,
    pub(super) log: LogId,
    pub(super) signed: LogId,
    pub(super) name: LogName,
    pub(super) base: HeaderHash,
    /// Number of the first entry.
    pub(super) first: u64,
    /// Number and hash of the newest; `first - 1` and `base` while there is none.
    pub(super) seq: u64,
    pub(super) head: HeaderHash,
    pub(super) forked: bool,
}

const LOG_COLUMNS: &str = "id, log, signed, device, incarnation, stream, path, base, first, seq, head, forked";

/// The tail of a space of which nothing is here.
pub(super) fn empty_tail(space: SpaceId) -> Tail {
    Tail { space, digest: vector::digest(space, []), arrival: 0, hash: HashPrefix([0; 16]) }
}

/// The row of a space; absent when it was never named here.
pub(super) fn find_space(connection: &Connection, space: SpaceId) -> Result<Option<SpaceRow>, StoreError> {
    let mut statement =
        connection.prepare_cached("select id, arrival, hash, digest, bytes from space where space = ?1")?;
    let mut rows = statement.query([space.as_bytes()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let digest = row.get::<_, Vec<u8>>(3)?.try_into().map_err(|_| StoreError::Shape("a digest"))?;
    let tail = Tail { space, digest, arrival: uint(row.get(1)?), hash: row.id(2)? };
    Ok(Some(SpaceRow { id: row.get(0)?, tail, bytes: uint(row.get(4)?) }))
}

/// The number of a space's row, making one where there is none.
pub(crate) fn intern_space(connection: &Connection, space: SpaceId) -> Result<i64, StoreError> {
    if let Some(found) = find_space(connection, space)? {
        return Ok(found.id);
    }
    connection
        .prepare_cached("insert into space(space, digest) values (?1, ?2)")?
        .execute((space.as_bytes(), empty_tail(space).digest))?;
    Ok(connection.last_insert_rowid())
}

/// The number of a space's row, if there is one.
pub(crate) fn space_id(connection: &Connection, space: SpaceId) -> Result<Option<i64>, StoreError> {
    Ok(find_space(connection, space)?.map(|row| row.id))
}

/// The log of this id in a space.
pub(super) fn find_log(connection: &Connection, space: i64, log: LogId) -> Result<Option<LogRow>, StoreError> {
    let sql = select_logs("where space = ?1 and log = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((space, log.as_bytes()))?;
    rows.next()?.map(log_row).transpose()
}

/// The log in this row.
pub(super) fn log_by_row(connection: &Connection, id: i64) -> Result<LogRow, StoreError> {
    let sql = select_logs("where id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(log_row).transpose()?.ok_or(StoreError::Shape("a log that rows refer to"))
}

/// The row of an entry.
pub(crate) fn entry_row(
    connection: &Connection,
    space: SpaceId,
    log: LogId,
    seq: u64,
) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select e.id from space s join log l on l.space = s.id and l.log = ?2 \
         join entry e on e.log = l.id and e.seq = ?3 where s.space = ?1",
    )?;
    let found = statement.query_row((space.as_bytes(), log.as_bytes(), int(seq)), |row| row.get(0));
    Ok(found.optional()?)
}

/// A log and all its continuations, by row; empty where the author's log is unknown.
pub(super) fn family(connection: &Connection, space: i64, signed: LogId) -> Result<Vec<LogRow>, StoreError> {
    let sql = select_logs("where space = ?1 and signed = ?2 order by id");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((space, signed.as_bytes()))?;
    let mut logs = Vec::new();
    while let Some(row) = rows.next()? {
        logs.push(log_row(row)?);
    }
    Ok(logs)
}

/// All logs of a space, sorted by id.
pub(super) fn all_logs(connection: &Connection, space: i64) -> Result<Vec<LogRow>, StoreError> {
    let sql = select_logs("where space = ?1 order by log");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([space])?;
    let mut logs = Vec::new();
    while let Some(row) = rows.next()? {
        logs.push(log_row(row)?);
    }
    Ok(logs)
}

/// The digest over a space's logs as they stand in the tables.
pub(super) fn digest(connection: &Connection, space: i64, name: SpaceId) -> Result<[u8; 8], StoreError> {
    let mut statement =
        connection.prepare_cached("select log, seq, head from log where space = ?1 and seq >= first order by log")?;
    let mut rows = statement.query([space])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.id::<LogId>(0)?, uint(row.get(1)?), row.id::<HeaderHash>(2)?));
    }
    Ok(vector::digest(name, found))
}

/// Makes a log's row; its `id` is set.
pub(super) fn insert_log(
    connection: &Connection,
    space: i64,
    parent: Option<i64>,
    log: &mut LogRow,
) -> Result<(), StoreError> {
    let path: Vec<u8> = log.name.path.iter().flat_map(|hash| hash.0).collect();
    connection
        .prepare_cached(
            "insert into log(space, log, signed, device, incarnation, stream, path, parent, base, first, seq, head, \
             forked) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(rusqlite::params![
            space,
            log.log.as_bytes(),
            log.signed.as_bytes(),
            log.name.device.as_bytes(),
            log.name.incarnation.as_bytes(),
            log.name.stream as u8,
            path,
            parent,
            log.base.as_bytes(),
            int(log.first),
            int(log.seq),
            log.head.as_bytes(),
            log.forked,
        ])?;
    log.id = connection.last_insert_rowid();
    Ok(())
}

/// Writes where a log ends.
pub(super) fn update_end(connection: &Connection, log: &LogRow) -> Result<(), StoreError> {
    connection.prepare_cached("update log set seq = ?2, head = ?3, forked = ?4 where id = ?1")?.execute((
        log.id,
        int(log.seq),
        log.head.as_bytes(),
        log.forked,
    ))?;
    Ok(())
}

/// Writes a log's new place among the continuations.
pub(super) fn update_name(connection: &Connection, log: &LogRow) -> Result<(), StoreError> {
    let path: Vec<u8> = log.name.path.iter().flat_map(|hash| hash.0).collect();
    connection.prepare_cached("update log set log = ?2, path = ?3 where id = ?1")?.execute((
        log.id,
        log.log.as_bytes(),
        path,
    ))?;
    Ok(())
}

/// Reads the name that certifies a log from four neighbouring columns: device, incarnation, stream, path.
pub(crate) fn name_at(row: &rusqlite::Row<'_>, column: usize) -> Result<LogName, StoreError> {
    let stream = Stream::from_number(row.get(column + 2)?).ok_or(StoreError::Shape("a stream"))?;
    let path = row.get_ref(column + 3)?.as_blob().map_err(|_| StoreError::Shape("a path"))?;
    let (hashes, rest) = path.as_chunks::<32>();
    if !rest.is_empty() {
        return Err(StoreError::Shape("a path"));
    }
    Ok(LogName {
        device: row.id(column)?,
        incarnation: row.id(column + 1)?,
        stream,
        path: hashes.iter().map(|hash| HeaderHash(*hash)).collect(),
    })
}

fn select_logs(condition: &str) -> String {
    format!("select {LOG_COLUMNS} from log {condition}")
}

fn log_row(row: &rusqlite::Row<'_>) -> Result<LogRow, StoreError> {
    Ok(LogRow {
        id: row.get(0)?,
        log: row.id(1)?,
        signed: row.id(2)?,
        name: name_at(row, 3)?,
        base: row.id(7)?,
        first: uint(row.get(8)?),
        seq: uint(row.get(9)?),
        head: row.id(10)?,
        forked: row.get(11)?,
    })
}

/// Writes a space's newest state.
pub(super) fn update_space(connection: &Connection, space: &SpaceRow) -> Result<(), StoreError> {
    connection
        .prepare_cached("update space set arrival = ?2, hash = ?3, digest = ?4, bytes = ?5 where id = ?1")?
        .execute((
            space.id,
            int(space.tail.arrival),
            space.tail.hash.as_bytes(),
            space.tail.digest,
            int(space.bytes),
        ))?;
    Ok(())
}
