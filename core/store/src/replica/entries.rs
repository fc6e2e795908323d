//! Rows of the tables `entry` and `payload`: writing them, and reading them back with their hashes checked.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use alliance_crypto::Verified;
use alliance_wire::entry::{Header, SignedHeader};
use alliance_wire::hash::content_hash;
use alliance_wire::{Entry, HeaderHash, LogId, LogName, SpaceId, Suffix};
use rusqlite::{Connection, OptionalExtension};

use super::Damaged;
use super::logs::{self, LogRow};
use crate::error::StoreError;
use crate::sql::{Row as _, int, uint};

/// Findings that are remembered; more are only logged.
const DAMAGED_MAX: usize = 1_024;

/// What was read back otherwise than it was written, since the store was opened.
#[derive(Debug, Default)]
pub(crate) struct DamageList(Mutex<BTreeSet<Damaged>>);

impl DamageList {
    fn report(&self, found: Damaged) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if list.len() < DAMAGED_MAX && list.insert(found) {
            tracing::warn!(log = %found.log, seq = found.seq, header = found.header, "a stored entry is damaged");
        }
    }

    /// Forgets findings about an entry of which something was replaced. What is still damaged will be found again.
    pub(super) fn repaired(&self, space: SpaceId, log: LogId, seq: u64) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for header in [false, true] {
            list.remove(&Damaged { space, log, seq, header });
        }
    }

    pub(crate) fn all(&self) -> Vec<Damaged> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

/// Where an entry goes.
pub(super) struct Place {
    pub(super) space: i64,
    pub(super) log: i64,
    pub(super) arrival: u64,
}

/// Writes an entry and its payload.
pub(super) fn insert(connection: &Connection, place: &Place, entry: &Verified) -> Result<(), StoreError> {
    let header = entry.header();
    connection
        .prepare_cached(
            "insert into entry(space, log, seq, arrival, stream, missing, payload_len, payload_hash, hash, signature, \
             suffix, guard) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(rusqlite::params![
            place.space,
            place.log,
            int(header.seq),
            int(place.arrival),
            entry.name().stream as u8,
            entry.payload().is_none(),
            header.payload_len,
            header.payload_hash,
            entry.hash().as_bytes(),
            entry.entry().signed.signature,
            header.suffix.as_bytes(),
            guard(entry.name().stream as u8, place.arrival)(&entry.entry().signed.signature),
        ])?;
    if let Some(payload) = entry.payload() {
        let id = connection.last_insert_rowid();
        connection.prepare_cached("insert into payload(entry, bytes) values (?1, ?2)")?.execute((id, payload))?;
    }
    Ok(())
}

/// Checksum over what the header hash does not cover (stream, arrival number, signature), so that a flipped bit there
/// is noticed here and not by a peer.
fn guard(stream: u8, arrival: u64) -> impl Fn(&[u8; 64]) -> u32 {
    move |signature| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(signature);
        hasher.update(&arrival.to_be_bytes());
        hasher.update(&[stream]);
        hasher.finalize().as_bytes()[..4].iter().fold(0, |sum, byte| (sum << 8) | u32::from(*byte))
    }
}

/// The blob in a column, if it is one.
fn blob<'r>(row: &'r rusqlite::Row<'_>, column: usize) -> Result<Option<&'r [u8]>, StoreError> {
    Ok(row.get_ref(column)?.as_blob().ok())
}

/// The header hash in a column, or that of nothing: what follows from it finds the damage.
fn hash_or_none(row: &rusqlite::Row<'_>, column: usize) -> Result<HeaderHash, StoreError> {
    Ok(blob(row, column)?.and_then(|bytes| HeaderHash::try_from(bytes).ok()).unwrap_or(HeaderHash::NONE))
}

/// The number in a column, if it is one.
fn number(row: &rusqlite::Row<'_>, column: usize) -> Option<i64> {
    row.get(column).ok()
}

/// Writes the header of an entry anew over one that was damaged, if what stands beside it says that it is the same:
/// the entry behind it names it as its predecessor, or the log names it as its newest.
pub(super) fn restore(
    connection: &Connection,
    damage: &DamageList,
    log: &LogRow,
    id: i64,
    entry: &Verified,
) -> Result<bool, StoreError> {
    let header = entry.header();
    connection.execute_batch("savepoint restore")?;
    let arrival: i64 = connection.query_row("select arrival from entry where id = ?1", [id], |row| row.get(0))?;
    let stream = log.name.stream as u8;
    connection.execute(
        "update entry set stream = ?2, payload_len = ?3, payload_hash = ?4, hash = ?5, signature = ?6, suffix = ?7, \
         guard = ?8 where id = ?1",
        rusqlite::params![
            id,
            stream,
            header.payload_len,
            header.payload_hash,
            entry.hash().as_bytes(),
            entry.entry().signed.signature,
            header.suffix.as_bytes(),
            guard(stream, uint(arrival))(&entry.entry().signed.signature),
        ],
    )?;
    let mut reader = Reader::new(connection, entry.space(), damage);
    let fits = if log.seq == entry.seq() {
        log.head == entry.hash()
    } else {
        reader.by_seq(log.id, entry.seq() + 1)?.is_some_and(|behind| behind.entry.is_some())
    };
    let whole = fits && reader.by_row(id)?.entry.is_some();
    connection.execute_batch(if whole { "release restore" } else { "rollback to restore; release restore" })?;
    if whole {
        damage.repaired(entry.space(), log.log, entry.seq());
    }
    Ok(whole)
}

/// The row of an entry: its number and its header hash.
pub(super) fn find(connection: &Connection, log: i64, seq: u64) -> Result<Option<(i64, HeaderHash)>, StoreError> {
    let mut statement = connection.prepare_cached("select id, hash from entry where log = ?1 and seq = ?2")?;
    let mut rows = statement.query((log, int(seq)))?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some((row.get(0)?, hash_or_none(row, 1)?)))
}

/// Puts a payload where it is missing or damaged; answers whether it was.
pub(super) fn fill(connection: &Connection, id: i64, payload: &[u8]) -> Result<bool, StoreError> {
    let hash = content_hash(payload);
    let mut statement = connection
        .prepare_cached("select e.id, p.bytes from entry e left join payload p on p.entry = e.id where e.id = ?1")?;
    let whole = statement.query_row([id], |row| {
        let stored = row.get_ref(1)?.as_blob().ok();
        Ok(stored.is_some_and(|stored| content_hash(stored) == hash))
    })?;
    if whole {
        return Ok(false);
    }
    connection
        .prepare_cached("insert or replace into payload(entry, bytes) values (?1, ?2)")?
        .execute((id, payload))?;
    connection.prepare_cached("update entry set missing = 0 where id = ?1 and missing = 1")?.execute([id])?;
    Ok(true)
}

/// The length and hash that an entry's header names.
pub(super) fn payload_named(connection: &Connection, id: i64) -> Result<(u32, [u8; 32]), StoreError> {
    let mut statement = connection.prepare_cached("select payload_len, payload_hash from entry where id = ?1")?;
    Ok(statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// What was read back of one entry.
pub(crate) struct Found {
    pub(crate) row: i64,
    pub(crate) name: Arc<LogName>,
    pub(crate) log: LogId,
    pub(crate) hash: HeaderHash,
    pub(crate) arrival: u64,
    /// Absent when the header is damaged. A damaged payload reads as a missing one.
    pub(crate) entry: Option<Entry>,
    /// Bytes of header and payload, as pages count them.
    pub(crate) bytes: usize,
}

/// Reads entries of one space and checks what it reads.
pub(super) struct Reader<'c> {
    connection: &'c Connection,
    space: SpaceId,
    damage: &'c DamageList,
    logs: HashMap<i64, (Arc<LogName>, LogRow)>,
}

/// The prev of an entry is the hash before it, which is not stored a second time.
const SELECT: &str = "select e.id, e.log, e.seq, e.arrival, e.payload_len, e.payload_hash, e.hash, e.signature, \
    e.suffix, p.bytes, b.hash, e.guard, e.stream, e.missing from entry e left join payload p on p.entry = e.id \
    left join entry b on b.log = e.log and b.seq = e.seq - 1 where ";

impl<'c> Reader<'c> {
    pub(super) fn new(connection: &'c Connection, space: SpaceId, damage: &'c DamageList) -> Self {
        Self { connection, space, damage, logs: HashMap::new() }
    }

    /// The entry in a row.
    pub(super) fn by_row(&mut self, id: i64) -> Result<Found, StoreError> {
        let mut found = None;
        self.each("e.id = ?1", [id], |entry| {
            found = Some(entry);
            true
        })?;
        found.ok_or(StoreError::Shape("an entry that rows refer to"))
    }

    /// The entry of a number.
    pub(super) fn by_seq(&mut self, log: i64, seq: u64) -> Result<Option<Found>, StoreError> {
        let mut found = None;
        self.each("e.log = ?1 and e.seq = ?2", (log, int(seq)), |entry| {
            found = Some(entry);
            true
        })?;
        Ok(found)
    }

    /// Goes through the entries that a condition selects until `take` answers false.
    pub(super) fn each(
        &mut self,
        condition: &str,
        parameters: impl rusqlite::Params,
        mut take: impl FnMut(Found) -> bool,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("{SELECT}{condition}"))?;
        let mut rows = statement.query(parameters)?;
        while let Some(row) = rows.next()? {
            let found = self.read(row)?;
            if !take(found) {
                break;
            }
        }
        Ok(())
    }

    fn read(&mut self, row: &rusqlite::Row<'_>) -> Result<Found, StoreError> {
        let (log, name) = {
            let (name, log) = self.log(row.get(1)?)?;
            (log.clone(), Arc::clone(name))
        };
        let seq = uint(row.get(2)?);
        let arrival = uint(row.get(3)?);
        // A flipped bit may change a value's type as well: whatever does not read as it was written is damage.
        let hash = hash_or_none(row, 6)?;
        let prev = blob(row, 10)?.and_then(|bytes| HeaderHash::try_from(bytes).ok()).unwrap_or(log.base);
        let guarded = guard(log.name.stream as u8, arrival);
        let header = self.header(row, &log, seq, prev)?.filter(|signed| {
            signed.header.hash() == hash && number(row, 11) == Some(i64::from(guarded(&signed.signature)))
        });
        let header = header.filter(|_| number(row, 12) == Some(i64::from(log.name.stream as u8)));
        let Some(signed) = header else {
            self.damage.report(Damaged { space: self.space, log: log.log, seq, header: true });
            return Ok(Found { row: row.get(0)?, name, log: log.log, hash, arrival, entry: None, bytes: 0 });
        };
        let kept = row.get_ref(9)?;
        let payload =
            kept.as_blob().ok().filter(|bytes| content_hash(bytes) == signed.header.payload_hash).map(<[u8]>::to_vec);
        // A payload row that cannot be found is damage, too, unless it is known not to be here.
        if payload.is_none() && (kept != rusqlite::types::ValueRef::Null || number(row, 13) != Some(1)) {
            self.damage.report(Damaged { space: self.space, log: log.log, seq, header: false });
        }
        let bytes = signed.header.suffix.as_bytes().len() + 64 + payload.as_ref().map_or(36, Vec::len);
        Ok(Found { row: row.get(0)?, name, log: log.log, hash, arrival, entry: Some(Entry { signed, payload }), bytes })
    }

    /// Puts a header together again; absent when its parts cannot be one.
    fn header(
        &self,
        row: &rusqlite::Row<'_>,
        log: &LogRow,
        seq: u64,
        prev: HeaderHash,
    ) -> Result<Option<SignedHeader>, StoreError> {
        let suffix = blob(row, 8)?.and_then(|bytes| Suffix::parse(bytes.to_vec()).ok());
        let hash = blob(row, 5)?.and_then(|bytes| bytes.try_into().ok());
        let signature = blob(row, 7)?.and_then(|bytes| bytes.try_into().ok());
        let len = number(row, 4).and_then(|len| u32::try_from(len).ok());
        let (Some(suffix), Some(payload_hash), Some(signature), Some(payload_len)) = (suffix, hash, signature, len)
        else {
            return Ok(None);
        };
        let header = Header { space: self.space, log: log.signed, seq, prev, suffix, payload_len, payload_hash };
        Ok(Some(SignedHeader { header, signature }))
    }

    fn log(&mut self, id: i64) -> Result<&(Arc<LogName>, LogRow), StoreError> {
        if !self.logs.contains_key(&id) {
            let log = logs::log_by_row(self.connection, id)?;
            self.logs.insert(id, (Arc::new(log.name.clone()), log));
        }
        self.logs.get(&id).ok_or(StoreError::Shape("a log that rows refer to"))
    }
}

/// Goes through the entries of a space that a condition selects until `take` answers false.
pub(crate) fn read_entries(
    connection: &Connection,
    space: SpaceId,
    damage: &DamageList,
    condition: &str,
    parameters: impl rusqlite::Params,
    take: impl FnMut(Found) -> bool,
) -> Result<(), StoreError> {
    Reader::new(connection, space, damage).each(condition, parameters, take)
}

/// Goes through the entries of a space in these rows until `take` answers false.
pub(crate) fn read_rows(
    connection: &Connection,
    space: SpaceId,
    damage: &DamageList,
    rows: &[i64],
    mut take: impl FnMut(Found) -> bool,
) -> Result<(), StoreError> {
    let mut reader = Reader::new(connection, space, damage);
    for row in rows {
        if !take(reader.by_row(*row)?) {
            break;
        }
    }
    Ok(())
}

/// Entries of a space without payload.
pub(super) fn missing(connection: &Connection, space: i64, limit: usize) -> Result<Vec<(LogId, u64)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select l.log, e.seq from entry e join log l on l.id = e.log where e.space = ?1 and e.missing = 1 \
         order by e.arrival limit ?2",
    )?;
    let mut rows = statement.query((space, int(limit as u64)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.id(0)?, uint(row.get(1)?)));
    }
    Ok(found)
}

/// The signed header in a row, for a fork's proof.
pub(super) fn signed_header(
    connection: &Connection,
    space: SpaceId,
    log: i64,
    seq: u64,
    damage: &DamageList,
) -> Result<Option<SignedHeader>, StoreError> {
    let found = Reader::new(connection, space, damage).by_seq(log, seq)?;
    Ok(found.and_then(|found| found.entry).map(|entry| entry.signed))
}

/// The row and log of the entry with this number and hash among a family of logs.
pub(super) fn locate(
    connection: &Connection,
    family: &[LogRow],
    seq: u64,
    hash: HeaderHash,
) -> Result<Option<(usize, i64)>, StoreError> {
    for (at, log) in family.iter().enumerate() {
        if seq < log.first || seq > log.seq {
            continue;
        }
        let mut statement =
            connection.prepare_cached("select id from entry where log = ?1 and seq = ?2 and hash = ?3")?;
        let id = statement.query_row((log.id, int(seq), hash.as_bytes()), |row| row.get(0)).optional()?;
        if let Some(id) = id {
            return Ok(Some((at, id)));
        }
    }
    Ok(None)
}
