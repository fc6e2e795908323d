//! A look at a relay's replica from outside: for the operator's commands, while the relay runs or not.

use std::path::Path;

use alliance_wire::Instance;

use crate::error::OpenError;
use crate::file::page_key::{PageKey, key_for};
use crate::file::{Files, look};
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
    let files = Files::new(folder);
    let path = files.database();
    if !path.is_file() {
        return Err(OpenError::Absent);
    }
    let key = key_for(&files, &path)?;
    let mut connection = look(&path, key.as_ref().map(PageKey::access), false)?;
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
