//! What became of each data entry, and the entries that documents are made from.

use std::sync::Arc;

use alliance_wire::{DocumentId, Entry, LogId, LogName, SpaceId};
use rusqlite::{Connection, OptionalExtension};

use super::Device;
use super::documents::{find_document, intern_document};
use crate::error::StoreError;
use crate::replica::{self, intern_space, space_id};
use crate::sql::{Row as _, int, uint};

/// An entry by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryRef {
    /// The space.
    pub space: SpaceId,
    /// The log under its present id; a fork moves entries to continuations.
    pub log: LogId,
    /// The number.
    pub seq: u64,
}

/// What became of a data entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    /// Its changes are in the document, as far as documents are concerned.
    Applied,
    /// Never shown, at any replica; the reason's code.
    ParkedForGood(u32),
    /// Tried again by a program of at least this version.
    ParkedUntil(u32),
    /// Waits for something: membership heads, a key, a payload, an earlier change; the reason's code.
    Waiting(u32),
    /// Kept for a person to admit or discard.
    Quarantined(Quarantine),
}

/// Why an entry is quarantined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quarantine {
    /// It stands on a branch of a forked log that is not applied: it was written on a copied device.
    Branch,
    /// It lies above a cut-off, or its device has no counting admission.
    CutOff,
}

/// An entry of a document.
#[derive(Debug, Clone)]
pub struct DocumentEntry {
    /// Its arrival number.
    pub arrival: u64,
    /// The log that it stands in.
    pub name: Arc<LogName>,
    /// The log's id.
    pub log: LogId,
    /// The entry; its payload is absent when it is missing or damaged.
    pub entry: Entry,
    /// The document that it belongs to, once known.
    pub document: Option<DocumentId>,
    /// What became of it.
    pub state: EntryState,
}

/// Entries in arrival order.
#[derive(Debug, Clone, Default)]
pub struct EntryStretch {
    /// The entries.
    pub entries: Vec<DocumentEntry>,
    /// Continue after this arrival number; absent at the end.
    pub next: Option<u64>,
}

/// A trial that did not come to its end: the program aborted, hung or was killed in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trying {
    /// The document.
    pub document: DocumentId,
    /// One of the entries that were tried.
    pub entry: EntryRef,
}

/// Bytes after which a stretch of entries ends.
const STRETCH_BYTES_MAX: usize = replica::ANSWER_BYTES_MAX;

impl Device {
    /// The entries of a document, whatever became of them, in arrival order: what a rebuild reads.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entries_of(
        &self,
        space: SpaceId,
        document: DocumentId,
        after: u64,
    ) -> Result<EntryStretch, StoreError> {
        let damage = Arc::clone(self.replica.damage());
        let read = move |connection: &Connection| {
            let Some((_, id)) = find_document(connection, space, document)? else {
                return Ok(EntryStretch::default());
            };
            let condition = "e.id in (select entry from document_entry where document = ?1) and e.arrival > ?2";
            stretch(connection, &damage, space, condition, (id, int(after)))
        };
        self.engine.read(read).await
    }

    /// The entries of a space that are not applied, in arrival order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_entries(&self, space: SpaceId, after: u64) -> Result<EntryStretch, StoreError> {
        let damage = Arc::clone(self.replica.damage());
        let read = move |connection: &Connection| {
            let Some(row) = space_id(connection, space)? else {
                return Ok(EntryStretch::default());
            };
            let condition = "e.id in (select entry from document_entry where space = ?1 and state <> 0) \
                             and e.arrival > ?2";
            stretch(connection, &damage, space, condition, (row, int(after)))
        };
        self.engine.read(read).await
    }

    /// The entries of a space that a program of this number tries again, in arrival order: those that wait, and those
    /// that are parked until one of up to this number. Those that wait for `in_vain` and of which not even the document
    /// is known are left out: nothing that arrives changes that, and there may be any number of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entries_to_try(
        &self,
        space: SpaceId,
        after: u64,
        program: u32,
        in_vain: u32,
    ) -> Result<EntryStretch, StoreError> {
        let damage = Arc::clone(self.replica.damage());
        let read = move |connection: &Connection| {
            let Some(row) = space_id(connection, space)? else {
                return Ok(EntryStretch::default());
            };
            let condition = "e.id in (select entry from document_entry where space = ?1 and \
                             (state = 3 and (detail <> ?4 or document is not null) or state = 2 and detail <= ?3)) \
                             and e.arrival > ?2";
            stretch(connection, &damage, space, condition, (row, int(after), program, in_vain))
        };
        self.engine.read(read).await
    }

    /// How many entries of a space are in which state but applied: (parked for good, parked until, waiting,
    /// quarantined).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_open(&self, space: SpaceId) -> Result<[u64; 4], StoreError> {
        let read = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(
                "select d.state, count(*) from document_entry d join space s on s.id = d.space \
                 where s.space = ?1 and d.state <> 0 group by d.state",
            )?;
            let mut rows = statement.query([space.as_bytes()])?;
            let mut counts = [0; 4];
            while let Some(row) = rows.next()? {
                let state: usize = row.get::<_, u8>(0)?.into();
                if let Some(count) = counts.get_mut(state.wrapping_sub(1)) {
                    *count = uint(row.get(1)?);
                }
            }
            Ok(counts)
        };
        self.engine.read(read).await
    }

    /// What became of one entry; absent when nothing was said yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entry_state(&self, entry: EntryRef) -> Result<Option<EntryState>, StoreError> {
        let read = move |connection: &Connection| {
            let Some(id) = replica::entry_row(connection, entry.space, entry.log, entry.seq)? else {
                return Ok(None);
            };
            Ok(state_of(connection, id)?.map(|(_, state)| state))
        };
        self.engine.read(read).await
    }

    /// What became of the entries of a space behind one arrival number, up to another; entries of which nothing was said
    /// yet are absent. Reads no payload.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn states_behind(
        &self,
        space: SpaceId,
        after: u64,
        upto: u64,
    ) -> Result<Vec<(EntryRef, EntryState)>, StoreError> {
        let read = move |connection: &Connection| {
            let Some(row) = space_id(connection, space)? else { return Ok(Vec::new()) };
            let mut statement = connection.prepare_cached(
                "select l.log, e.seq, d.state, d.detail from entry e cross join document_entry d on d.entry = e.id \
                 cross join log l on l.id = e.log where e.space = ?1 and e.arrival > ?2 and e.arrival <= ?3",
            )?;
            let mut rows = statement.query((row, int(after), int(upto)))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let entry = EntryRef { space, log: row.id(0)?, seq: uint(row.get(1)?) };
                let state = decode_state(row.get(2)?, row.get(3)?).ok_or(StoreError::Shape("the state of an entry"))?;
                found.push((entry, state));
            }
            Ok(found)
        };
        self.engine.read(read).await
    }

    /// Up to which arrival number a space was taken into documents.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn applied_upto(&self, space: SpaceId) -> Result<u64, StoreError> {
        let read = move |connection: &Connection| {
            let mut statement = connection
                .prepare_cached("select a.arrival from applied a join space s on s.id = a.space where s.space = ?1")?;
            let arrival: Option<i64> = statement.query_row([space.as_bytes()], |row| row.get(0)).optional()?;
            Ok(arrival.map_or(0, uint))
        };
        self.engine.read(read).await
    }

    /// Trials that did not come to their end. Asked for once, at the start.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn trying(&self) -> Result<Vec<Trying>, StoreError> {
        self.engine.read(trying).await
    }
}

pub(super) fn set_entry(
    connection: &Connection,
    entry: &EntryRef,
    document: Option<DocumentId>,
    state: EntryState,
) -> Result<(), StoreError> {
    let id = replica::entry_row(connection, entry.space, entry.log, entry.seq)?
        .ok_or(StoreError::Shape("the state of an entry that is not here"))?;
    let space = intern_space(connection, entry.space)?;
    let document = match document {
        Some(document) => Some(intern_document(connection, entry.space, document)?.1),
        None => None,
    };
    let (number, detail) = encode_state(state);
    connection
        .prepare_cached(
            "insert into document_entry(entry, space, document, state, detail) values (?1, ?2, ?3, ?4, ?5) \
             on conflict do update set document = coalesce(excluded.document, document), state = excluded.state, \
             detail = excluded.detail",
        )?
        .execute((id, space, document, number, detail))?;
    Ok(())
}

pub(super) fn set_applied(connection: &Connection, space: SpaceId, arrival: u64) -> Result<(), StoreError> {
    let space = intern_space(connection, space)?;
    connection
        .prepare_cached("insert or replace into applied(space, arrival) values (?1, ?2)")?
        .execute((space, int(arrival)))?;
    Ok(())
}

pub(super) fn begin_trying(
    connection: &Connection,
    document: DocumentId,
    entries: &[EntryRef],
) -> Result<(), StoreError> {
    for entry in entries {
        let space = intern_space(connection, entry.space)?;
        connection
            .prepare_cached("insert or replace into trying(space, document, log, seq) values (?1, ?2, ?3, ?4)")?
            .execute((space, document.as_bytes(), entry.log.as_bytes(), int(entry.seq)))?;
    }
    Ok(())
}

pub(super) fn end_trying(connection: &Connection, space: SpaceId, document: DocumentId) -> Result<(), StoreError> {
    connection
        .prepare_cached("delete from trying where space = (select id from space where space = ?1) and document = ?2")?
        .execute((space.as_bytes(), document.as_bytes()))?;
    Ok(())
}

fn trying(connection: &Connection) -> Result<Vec<Trying>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select s.space, t.document, t.log, t.seq from trying t join space s on s.id = t.space \
         order by s.space, t.document, t.log, t.seq",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let entry = EntryRef { space: row.id(0)?, log: row.id(2)?, seq: uint(row.get(3)?) };
        found.push(Trying { document: row.id(1)?, entry });
    }
    Ok(found)
}

fn stretch(
    connection: &Connection,
    damage: &replica::DamageList,
    space: SpaceId,
    condition: &str,
    parameters: impl rusqlite::Params,
) -> Result<EntryStretch, StoreError> {
    let (mut stretch, mut bytes, mut failed) = (EntryStretch::default(), 0, None);
    let mut states = Vec::new();
    // Rows first: put in order together with their payloads, all entries would be in memory at once.
    let mut statement =
        connection.prepare_cached(&format!("select e.id from entry e where {condition} order by e.arrival"))?;
    let rows: Vec<i64> = statement.query_map(parameters, |row| row.get(0))?.collect::<Result<_, _>>()?;
    replica::read_rows(connection, space, damage, &rows, |found| {
        bytes += found.bytes;
        match state_of(connection, found.row) {
            Ok(state) => states.push(state),
            Err(error) => {
                failed = Some(error);
                return false;
            }
        }
        if let (Some(entry), Some(Some((document, state)))) = (found.entry, states.last()) {
            let (arrival, document, state) = (found.arrival, *document, *state);
            stretch.entries.push(DocumentEntry { arrival, name: found.name, log: found.log, entry, document, state });
        }
        stretch.next = Some(found.arrival);
        bytes < STRETCH_BYTES_MAX
    })?;
    if bytes < STRETCH_BYTES_MAX {
        stretch.next = None;
    }
    failed.map_or(Ok(stretch), Err)
}

/// The document and state of an entry, by its row.
fn state_of(connection: &Connection, entry: i64) -> Result<Option<(Option<DocumentId>, EntryState)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select d.document, e.state, e.detail from document_entry e left join document d on d.id = e.document \
         where e.entry = ?1",
    )?;
    let mut rows = statement.query([entry])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let state = decode_state(row.get(1)?, row.get(2)?).ok_or(StoreError::Shape("the state of an entry"))?;
    Ok(Some((row.id_or_null(0)?, state)))
}

const fn encode_state(state: EntryState) -> (u8, u32) {
    match state {
        EntryState::Applied => (0, 0),
        EntryState::ParkedForGood(code) => (1, code),
        EntryState::ParkedUntil(version) => (2, version),
        EntryState::Waiting(code) => (3, code),
        EntryState::Quarantined(Quarantine::Branch) => (4, 0),
        EntryState::Quarantined(Quarantine::CutOff) => (4, 1),
    }
}

const fn decode_state(number: u8, detail: u32) -> Option<EntryState> {
    match number {
        0 => Some(EntryState::Applied),
        1 => Some(EntryState::ParkedForGood(detail)),
        2 => Some(EntryState::ParkedUntil(detail)),
        3 => Some(EntryState::Waiting(detail)),
        4 if detail == 0 => Some(EntryState::Quarantined(Quarantine::Branch)),
        4 if detail == 1 => Some(EntryState::Quarantined(Quarantine::CutOff)),
        _ => None,
    }
}
