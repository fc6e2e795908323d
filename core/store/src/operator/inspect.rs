//! A look at a relay's replica from outside: for the operator's commands, while the relay runs or not.

use std::path::Path;

use alliance_wire::Instance;
use rusqlite::OpenFlags;

use crate::error::OpenError;
use crate::file::{Files, open_raw};
use crate::sql::{Row as _, uint};

/// What a relay's folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inspection {
    /// The database's own id.
    pub instance: Instance,
    /// Spaces with something in them.
    pub spaces: u64,
    /// Entries.
    pub entries: u64,
    /// Bytes of headers and payloads, as quotas count them.
    pub bytes: u64,
    /// Bytes of the database file, its write-ahead log not counted.
    pub file_bytes: u64,
}

/// Reads the counts of the replica in a folder. Nothing is written, and a relay that has it open is not disturbed.
///
/// # Errors
/// [`OpenError::Absent`] where no relay has started yet, and whatever else keeps the database from being read.
pub fn inspect(folder: &Path) -> Result<Inspection, OpenError> {
    let path = Files::new(folder).database();
    if !path.is_file() {
        return Err(OpenError::Absent);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = open_raw(path, flags)?;
    // Reading a write-ahead log takes its shared index, which a read-only connection may not make.
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "busy_timeout", 5_000)?;
    let snapshot = connection.transaction()?;
    let count = |sql: &str| -> Result<u64, OpenError> { Ok(uint(snapshot.query_row(sql, [], |row| row.get(0))?)) };
    let instance = {
        let mut statement = snapshot.prepare("select instance from identity where one = 1")?;
        let mut rows = statement.query([])?;
        rows.next()?.ok_or(OpenError::Absent)?.id(0)?
    };
    Ok(Inspection {
        instance,
        spaces: count("select count(*) from space where bytes > 0")?,
        entries: count("select count(*) from entry")?,
        bytes: count("select coalesce(sum(bytes), 0) from space")?,
        file_bytes: count("select page_count * page_size from pragma_page_count, pragma_page_size")?,
    })
}
