//! Where each table begins, kept beside the database: with it tables can be read although the schema cannot
//! ([`crate::salvage_device`]). Names of tables and numbers of pages are all that it holds.

use std::path::Path;

use rusqlite::Connection;

use super::small::{self, SmallError};
use crate::error::{OpenError, StoreError};

const MAGIC: &[u8] = b"alliance table roots\0";
const VERSION: u8 = 1;

type Roots = Vec<(String, u32)>;

/// Where the tables and indexes of a database begin.
pub(crate) fn of(connection: &Connection) -> Result<Roots, StoreError> {
    let mut statement =
        connection.prepare("select name, rootpage from sqlite_schema where rootpage > 0 order by rootpage")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps it where it is not kept yet. That a disk takes no writing is no reason not to open.
pub(crate) fn keep(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let roots = of(connection)?;
    if !matches!(read(path), Ok(Some(kept)) if kept == roots) {
        let body = minicbor::to_vec(&roots).expect("writing to a vector cannot fail");
        if let Err(error) = small::write(path, &small::encode(MAGIC, VERSION, &body)) {
            tracing::warn!(%error, "where tables begin could not be kept");
        }
    }
    Ok(())
}

/// What was kept; absent when there is nothing or it is damaged.
pub(crate) fn read(path: &Path) -> Result<Option<Roots>, OpenError> {
    match small::read(path, MAGIC, VERSION) {
        Ok(body) => Ok(body.and_then(|body| minicbor::decode(&body).ok())),
        Err(SmallError::Damaged | SmallError::Newer(_)) => Ok(None),
        Err(SmallError::Io(error)) => Err(error.into()),
    }
}
