//! A look at a whole database: every page, every index, every entry's hash, and whether what the log says of itself
//! (numbers, newest hashes, digests) follows from its entries.

use std::path::Path;

use alliance_wire::SpaceId;
use rusqlite::Connection;

use crate::error::{OpenError, StoreError};
use crate::file::page_key::{PageKey, key_for};
use crate::file::{Files, Kind, Lock, StoreHeader, StoreKey, look, wipe_what_is_freed};
use crate::replica::{DamageList, Damaged, check_space};
use crate::sql::{Row as _, uint};

/// Findings about pages and tables that are listed.
const LINES_MAX: usize = 100;

/// What a look at a whole database found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkup {
    /// Pages and indexes that are damaged, as SQLite names them. What lies behind them was not looked at.
    pub pages: Vec<String>,
    /// Spaces that say something else of themselves than follows from their entries, and what.
    pub spaces: Vec<(SpaceId, &'static str)>,
    /// Entries that do not read as they were written.
    pub entries: Vec<Damaged>,
    /// Spaces that were looked at.
    pub spaces_read: u64,
    /// Entries that were looked at.
    pub entries_read: u64,
    /// The write-ahead log ends with frames that no longer fit: what they held is lost, or was never whole.
    pub log_cut: bool,
}

impl Checkup {
    /// Whether nothing is damaged.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.pages.is_empty() && self.spaces.is_empty() && self.entries.is_empty() && !self.log_cut
    }
}

/// Looks at a device's store, which must not be open. Nothing in it is changed. Blocks on the disk.
///
/// # Errors
/// [`OpenError::Absent`], [`OpenError::Header`], [`OpenError::WrongKey`], [`OpenError::Busy`] or an I/O error. A
/// database that is damaged is a finding, not an error.
pub fn check_device(folder: &Path, key: &StoreKey) -> Result<Checkup, OpenError> {
    let files = Files::new(folder);
    let header = StoreHeader::read(&files.header())?.ok_or_else(|| match files.database().exists() {
        true => OpenError::Header,
        false => OpenError::Absent,
    })?;
    header.verify(key)?;
    if !files.database().exists() {
        return Err(OpenError::Absent);
    }
    let _lock = Lock::take(&files)?;
    let log_cut = files.log_is_cut()?;
    wipe_what_is_freed();
    let connection = look(&files.database(), Some((key, header.salt)), true)?;
    let mut found = of_connection(&connection);
    found.log_cut = log_cut;
    Ok(found)
}

/// Looks at a database of a relay's folder, `store.db` or `operator.db`; the relay may run meanwhile. Nothing in it is
/// changed. Blocks on the disk.
///
/// # Errors
/// As [`check_device`].
pub fn check_relay(folder: &Path, name: &str) -> Result<Checkup, OpenError> {
    let (files, path) = (Files::new(folder), folder.join(name));
    if !path.is_file() {
        return Err(OpenError::Absent);
    }
    let key = key_for(&files, &path)?;
    // A running relay writes its log on, and its end may be half written at this moment.
    let lock = Lock::take(&files);
    let log_cut = lock.is_ok() && files.log_is_cut_of(&path)?;
    let connection = look(&path, key.as_ref().map(PageKey::access), lock.is_ok())?;
    let mut found = of_connection(&connection);
    found.log_cut = log_cut;
    Ok(found)
}

/// Looks at an open database.
pub(crate) fn of_connection(connection: &Connection) -> Checkup {
    let mut found = Checkup::default();
    if let Err(error) = check(connection, &mut found) {
        // What stopped the look is damage; where there is no better word for it SQLite's is taken.
        if found.pages.is_empty() {
            found.pages.push(error.to_string());
        }
    }
    found
}

/// `Err` unless an open database is whole.
pub(crate) fn require_whole(connection: &Connection) -> Result<(), OpenError> {
    let found = of_connection(connection);
    if found.is_whole() {
        return Ok(());
    }
    tracing::error!(pages = ?found.pages, spaces = ?found.spaces, entries = found.entries.len(), "the database is damaged");
    Err(OpenError::Damaged)
}

fn check(connection: &Connection, found: &mut Checkup) -> Result<(), StoreError> {
    let lines = |pragma: &str| -> Result<Vec<String>, StoreError> {
        let mut statement = connection.prepare(pragma)?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        Ok(rows.take(LINES_MAX).collect::<Result<_, _>>()?)
    };
    let verdict = lines("pragma integrity_check(100)");
    if verdict.as_ref().is_ok_and(|lines| lines.len() == 1 && lines[0] == "ok") {
        return check_log(connection, found);
    }
    // Which pages: SQLCipher says it of the file, without following any tree.
    found.pages = lines("pragma cipher_integrity_check").unwrap_or_default();
    match verdict {
        Ok(verdict) => found.pages.extend(verdict),
        Err(error) if found.pages.is_empty() => return Err(error),
        Err(_) => {}
    }
    Ok(())
}

fn check_log(connection: &Connection, found: &mut Checkup) -> Result<(), StoreError> {
    let kind: u32 = connection.query_row("pragma application_id", [], |row| row.get(0))?;
    if kind != Kind::Device.application_id() && kind != Kind::Relay.application_id() {
        return Ok(());
    }
    let spaces: Vec<(i64, SpaceId)> = {
        let mut statement = connection.prepare("select id, space from space order by id")?;
        let mut rows = statement.query([])?;
        let mut spaces = Vec::new();
        while let Some(row) = rows.next()? {
            spaces.push((row.get(0)?, row.id(1)?));
        }
        spaces
    };
    let damage = DamageList::default();
    for (row, space) in spaces {
        found.spaces_read += 1;
        found.spaces.extend(check_space(connection, &damage, (row, space))?.into_iter().map(|what| (space, what)));
    }
    found.entries = damage.all();
    found.entries_read = uint(connection.query_row("select count(*) from entry", [], |row| row.get(0))?);
    Ok(())
}
