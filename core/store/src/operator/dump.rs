//! Everything that a relay's databases hold, cell by cell: for whoever wants to look for a word in it.

use std::path::Path;

use rusqlite::types::ValueRef;

use crate::error::OpenError;
use crate::file::page_key::{PageKey, key_for};
use crate::file::{Files, look, require_sound};

/// The databases of a relay's folder.
pub const DATABASES: [&str; 3] = ["store.db", "operator.db", "sessions.db"];

/// One cell: the database, the table, and the bytes as they are stored; numbers as decimal digits.
#[derive(Debug, Clone, Copy)]
pub struct Cell<'a> {
    /// The file's name.
    pub database: &'a str,
    /// The table's name.
    pub table: &'a str,
    /// The value.
    pub bytes: &'a [u8],
}

/// Gives every cell of every table of a relay's databases; a relay may have them open. Nothing is changed.
///
/// # Errors
/// [`OpenError::Absent`] where no relay has started yet, and whatever keeps a database from being read.
pub fn dump(folder: &Path, mut give: impl FnMut(Cell<'_>) -> std::io::Result<()>) -> Result<(), OpenError> {
    let files = Files::new(folder);
    if !files.database().is_file() {
        return Err(OpenError::Absent);
    }
    for database in DATABASES {
        let path = folder.join(database);
        if path.is_file() {
            dump_one(&files, database, &path, &mut give)?;
        }
    }
    Ok(())
}

fn dump_one(
    files: &Files,
    database: &str,
    path: &Path,
    give: &mut impl FnMut(Cell<'_>) -> std::io::Result<()>,
) -> Result<(), OpenError> {
    let key = key_for(files, path)?;
    let connection = look(path, key.as_ref().map(PageKey::access), false)?;
    let tables: Vec<String> = {
        let mut statement =
            connection.prepare("select name from sqlite_schema where type = 'table' and rootpage > 0 order by name")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        rows.collect::<Result<_, _>>()?
    };
    for table in &tables {
        let mut statement = connection.prepare(&format!("select * from \"{table}\""))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                let text;
                let bytes = match row.get_ref(column)? {
                    ValueRef::Null => continue,
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
                    ValueRef::Integer(number) => {
                        text = number.to_string();
                        text.as_bytes()
                    }
                    ValueRef::Real(number) => {
                        text = number.to_string();
                        text.as_bytes()
                    }
                };
                give(Cell { database, table, bytes })?;
            }
        }
    }
    Ok(require_sound(&connection)?)
}
