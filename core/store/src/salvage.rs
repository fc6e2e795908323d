//! Salvage: a new database with every row that can still be read of a damaged one, which is kept as it is.
//!
//! Each table is read by its root page alone, under a first page made for it ([`mod@tables`]): whatever else is damaged,
//! the schema and the indexes included, does not matter. Entries are verified and put in anew in the order in which they
//! arrived; one behind a gap stays in the database that was set aside, and comes from peers who have it. Of
//! a device's own tables those are taken over that cannot be made from the log: profile, keys, drafts, settings, what it
//! knows of its spaces, relays and contacts. Cursors are not: they would say that what was lost is here. The new
//! database begins a new incarnation and a new instance, so that peers compare anew.

mod rows;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use alliance_crypto::{MembershipRules, Rules, Verified};
use alliance_sync::{Batch, Incoming, Outcome};
use alliance_wire::{LogName, SpaceId};
use rusqlite::Connection;
use zeroize::Zeroizing;

use crate::device::mend_profile;
use crate::error::{OpenError, StoreError};
use crate::file::page_key::PageKey;
use crate::file::{self, Files, Fresh, Kind, Lock, Opening, Options, StoreHeader, StoreKey};
use crate::replica::{self, DamageList};
use crate::spaces::{roster_of, view_of};
use crate::sql::{Row as _, uint};

/// Entries that are put in at a time.
const BATCH_ENTRIES: usize = 500;

/// What came of a salvage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// Where the damaged database lies now, as it was.
    pub aside: PathBuf,
    /// Tables of which rows could not be read.
    pub damaged: Vec<String>,
    /// Entries that are in the new database.
    pub entries: u64,
    /// Entries that could be read and not be put in: they do not verify, or one before them is missing.
    pub waiting: u64,
    /// Whether the device's profile is there: without it the store cannot be opened.
    pub profile: bool,
    /// Drafts that are in the new database.
    pub drafts: u64,
}

/// Salvages a device's store, which must not be open. Blocks on the disk.
///
/// # Errors
/// [`OpenError`]; the store is then as it was before.
pub fn salvage_device(folder: &Path, key: &StoreKey, fresh: Fresh) -> Result<Salvaged, OpenError> {
    let files = Files::new(folder);
    let header = StoreHeader::read(&files.header())?.ok_or(OpenError::Absent)?;
    header.verify(key)?;
    file::wipe_what_is_freed();
    salvage(&files, Kind::Device, (key, header.salt), fresh)
}

/// Salvages the log of a relay that does not run. Blocks on the disk.
///
/// # Errors
/// [`OpenError`]; the folder is then as it was before.
pub fn salvage_relay(folder: &Path, fresh: Fresh) -> Result<Salvaged, OpenError> {
    let files = Files::new(folder);
    let key = PageKey::read(folder)?.ok_or(OpenError::Header)?;
    salvage(&files, Kind::Relay, key.access(), fresh)
}

type Access<'a> = (&'a StoreKey, [u8; 16]);

fn salvage(files: &Files, kind: Kind, key: Access<'_>, fresh: Fresh) -> Result<Salvaged, OpenError> {
    if !files.database().exists() {
        return Err(OpenError::Absent);
    }
    let _lock = Lock::take(files)?;
    let work = files.folder().join("store.salvage");
    remove_folder(&work)?;
    let new = Files::new(&work);
    new.make_folder()?;
    let mut salvaged = Salvaged::default();
    let raw = raw_rows(files, &work, kind, key, &mut salvaged)?;
    refill(&new, kind, key, fresh, &raw, &mut salvaged)?;
    salvaged.aside = file::replace(files, &new.database())?;
    remove_folder(&work)?;
    Ok(salvaged)
}

/// A database of this form with the rows as they could be read, nothing verified.
fn raw_rows(
    files: &Files,
    work: &Path,
    kind: Kind,
    key: Access<'_>,
    salvaged: &mut Salvaged,
) -> Result<PathBuf, OpenError> {
    let raw = work.join("raw.db");
    let mut connection = file::connect(&raw, Some(key), &Options::default(), false)?;
    file::migrations::migrate(&mut connection, kind)?;
    connection.pragma_update(None, "synchronous", "off")?;
    let tables = tables::Tables::of(files, work, key, &connection)?;
    let transaction = connection.transaction()?;
    for name in tables::taken(kind) {
        if !rows::copy(&tables, name, &transaction)? {
            salvaged.damaged.push((*name).to_owned());
        }
    }
    // An entry whose log cannot be read is nobody's here: it comes from peers who have it.
    let without_log = transaction.execute("delete from entry where log not in (select id from log)", [])?;
    salvaged.waiting += without_log as u64;
    transaction.commit()?;
    Ok(raw)
}

/// Fills the new database.
fn refill(
    new: &Files,
    kind: Kind,
    key: Access<'_>,
    fresh: Fresh,
    raw: &Path,
    salvaged: &mut Salvaged,
) -> Result<(), OpenError> {
    let lock = Lock::take(new)?;
    let opening = Opening { files: new, kind, key: Some(key), fresh, renew: false, options: Options::default() };
    let (mut to, _) = file::open(&opening, &lock)?;
    let from = file::connect(raw, Some(key), &Options::default(), true)?;
    for (row, space) in spaces(&from)? {
        let transaction = to.transaction()?;
        replica::intern_space(&transaction, space)?;
        transaction.commit()?;
        put_space(&from, &mut to, (row, space), salvaged)?;
    }
    drop(from);
    take_over_rows(&mut to, raw, kind, key)?;
    let count = |sql: &str| -> Result<u64, StoreError> { Ok(uint(to.query_row(sql, [], |row| row.get(0))?)) };
    salvaged.entries = count("select count(*) from entry")?;
    if kind == Kind::Device {
        salvaged.drafts = count("select count(*) from draft")?;
        salvaged.profile = count("select count(*) from profile")? > 0;
    }
    // All of it in the one file that is put in place.
    to.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))?;
    to.close().map_err(|(_, error)| OpenError::from(error))
}

fn spaces(from: &Connection) -> Result<Vec<(i64, SpaceId)>, StoreError> {
    let mut statement = from.prepare("select id, space from space order by id")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.get(0)?, row.id(1)?));
    }
    Ok(found)
}

/// Puts in what verifies of a space, in the order in which it arrived, and who may have the space.
fn put_space(
    from: &Connection,
    to: &mut Connection,
    (row, space): (i64, SpaceId),
    salvaged: &mut Salvaged,
) -> Result<(), StoreError> {
    let damage = DamageList::default();
    let (mut items, mut waiting) = (Vec::new(), 0);
    replica::read_entries(from, space, &damage, "e.space = ?1 order by e.arrival", [row], |found| {
        let verified = found.entry.map(|entry| Verified::verify(space, &LogName::clone(&found.name), entry));
        match verified {
            Some(Ok(entry)) => items.push(Incoming::Entry(entry)),
            Some(Err(_)) | None => waiting += 1,
        }
        true
    })?;
    items.extend(replica::fork_proofs(from, row)?.into_iter().map(|(name, proof)| Incoming::Fork(space, name, proof)));
    for part in items.chunks(BATCH_ENTRIES) {
        let batch = Batch { items: part.to_vec(), ..Batch::default() };
        let transaction = to.transaction()?;
        let persisted = replica::put(&transaction, &damage, Rules::ALL, &batch, &[], None)?;
        transaction.commit()?;
        let untaken = |outcome: &&Outcome| matches!(outcome, Outcome::Gap | Outcome::Refused(_));
        waiting += persisted.outcomes.iter().filter(untaken).count() as u64;
    }
    salvaged.waiting += waiting;
    let transaction = to.transaction()?;
    if let Some(parts) = replica::view_parts(&transaction, &damage, space)? {
        let roster = roster_of(&view_of(MembershipRules::ALL, space, parts).membership);
        replica::keep_roster(&transaction, &roster)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Takes over rows that are no part of the log. Rows of spaces have other numbers in the new database.
fn take_over_rows(to: &mut Connection, raw: &Path, kind: Kind, key: Access<'_>) -> Result<(), StoreError> {
    const SPACE: &str = "join raw.space o on o.id = t.space join main.space n on n.space = o.space";
    let name = raw.to_str().ok_or(StoreError::Shape("a file's name"))?;
    let hex: Zeroizing<String> = file::raw_key(key);
    to.execute("attach database ?1 as raw key ?2", (name, hex.as_str()))?;
    let transaction = to.transaction()?;
    match kind {
        Kind::Relay => {
            transaction.execute_batch(
                "update main.space set token = (select o.token from raw.space o where o.space = main.space.space)",
            )?;
        }
        Kind::Device => {
            for table in ["profile", "setting", "pending", "relay", "contact"] {
                transaction.execute_batch(&format!("insert or replace into main.{table} select * from raw.{table}"))?;
            }
            transaction.execute_batch(&format!(
                "insert or replace into main.local_space(space, title, role, state, detail) \
                 select n.id, t.title, t.role, t.state, t.detail from raw.local_space t {SPACE}; \
                 insert or replace into main.epoch_key(space, epoch, key) \
                 select n.id, t.epoch, t.key from raw.epoch_key t {SPACE}; \
                 insert or replace into main.draft(id, draft, space, document, kind, schema, base, incarnation, format, \
                 revision, opened) select t.id, t.draft, n.id, t.document, t.kind, t.schema, t.base, t.incarnation, \
                 t.format, t.revision, t.opened from raw.draft t {SPACE}; \
                 insert or replace into main.command(draft, n, bytes) select t.draft, t.n, t.bytes from raw.command t \
                 where t.draft in (select id from main.draft); \
                 delete from main.command where n > (select min(c.n) from main.command c \
                 where c.draft = main.command.draft and not exists (select 1 from main.command d \
                 where d.draft = c.draft and d.n = c.n + 1));"
            ))?;
            mend_profile(&transaction)?;
        }
    }
    transaction.commit()?;
    to.execute_batch("detach database raw")?;
    Ok(())
}

fn remove_folder(path: &Path) -> Result<(), OpenError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
