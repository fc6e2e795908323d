//! Stores that older programs left, and what is in them as SQLite alone sees it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use alliance_crypto::{Cost, passphrase_key};
use alliance_store::file::schema_version;
use alliance_store::operator::Operator;
use alliance_store::{Device, Fresh, OpenError, Opened, Options, SqliteReplica, StoreKey};
use alliance_tests::people::PASSPHRASE;
use alliance_tests::sim::world::scratch;
use alliance_wire::{Incarnation, Instance};
use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;

use crate::fixtures::{copy, folder};

/// How a database begins that has no key.
const PLAIN: &[u8] = b"SQLite format 3\0";
/// Before key and salt in a relay's `store.key`: the file's name and its version.
const PAGE_KEY_AT: usize = b"alliance page key\0".len() + 1;
const KEY_AND_SALT: usize = 32 + 16;

/// Tables by their database and name, with their columns and rows.
pub(crate) type Tables = BTreeMap<String, (Vec<String>, Vec<Vec<Value>>)>;

/// Every statement of a schema.
pub(crate) type Schema = Vec<(String, String, Option<String>)>;

/// A device's or a relay's store of a schema.
pub(crate) struct Old {
    pub(crate) schema: u32,
    pub(crate) device: bool,
    pub(crate) folder: PathBuf,
}

/// Every store that this program changes when it opens it: an older schema, or a relay's pages without a key.
pub(crate) fn older() -> Vec<Old> {
    let mut found = Vec::new();
    for schema in 1..=schema_version() {
        for device in [true, false] {
            let folder = folder().join(format!("schema-{schema}/{}", if device { "device" } else { "relay" }));
            let database = folder.join("store.db");
            if schema < schema_version() || (database.exists() && !device && is_plain(&database)) {
                assert!(database.exists(), "{} is missing", folder.display());
                found.push(Old { schema, device, folder });
            }
        }
    }
    assert!(found.iter().any(|old| old.device) && found.iter().any(|old| !old.device), "older stores of both kinds");
    found
}

pub(crate) fn is_plain(database: &Path) -> bool {
    fs::read(database).unwrap().starts_with(PLAIN)
}

impl Old {
    pub(crate) fn name(&self) -> String {
        format!("schema {} of a {}", self.schema, if self.device { "device" } else { "relay" })
    }

    pub(crate) fn copy(&self) -> TempDir {
        let place = scratch();
        copy(&self.folder, place.path());
        place
    }

    /// Opens a copy, does something while it is open, and closes it.
    pub(crate) fn open<T>(
        &self,
        folder: &Path,
        options: Options,
        during: impl FnOnce() -> T,
    ) -> Result<(Opened, T), OpenError> {
        let fresh = Fresh { incarnation: Incarnation([1; 16]), instance: Instance([2; 16]) };
        if self.device {
            let (key, _) = passphrase(folder);
            let (device, opened) = Device::open(folder, &StoreKey::new(key), fresh, options)?;
            let result = during();
            device.close();
            Ok((opened, result))
        } else {
            let (replica, opened) = SqliteReplica::open(folder, fresh, false, options)?;
            let operator = Operator::open(folder)?;
            let result = during();
            drop(operator);
            replica.close();
            Ok((opened, result))
        }
    }

    /// A database of the folder, opened by SQLite under its key, if it has one: nothing of the store's looks at it.
    pub(crate) fn raw(&self, folder: &Path, database: &str) -> Connection {
        let path = folder.join(database);
        let key = if is_plain(&path) {
            None
        } else if self.device {
            let (key, salt) = passphrase(folder);
            Some([key.as_slice(), &salt].concat())
        } else {
            Some(page_key(folder))
        };
        let connection = Connection::open(path).unwrap();
        if let Some(key) = key {
            let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
            connection.execute_batch(&format!("pragma key = \"x'{hex}'\"")).unwrap();
        }
        connection
    }

    pub(crate) fn version(&self, folder: &Path) -> u32 {
        self.raw(folder, "store.db").query_row("pragma user_version", [], |row| row.get(0)).unwrap()
    }

    /// The databases that hold what nobody else has.
    fn databases(&self) -> &'static [&'static str] {
        if self.device { &["store.db"] } else { &["store.db", "operator.db"] }
    }

    /// All rows of the folder's databases.
    pub(crate) fn tables(&self, folder: &Path) -> Tables {
        let mut tables = Tables::new();
        for database in self.databases() {
            let connection = self.raw(folder, database);
            let names = "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'";
            let mut statement = connection.prepare(names).unwrap();
            let names: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            for name in names {
                let rows = rows(&connection, &name);
                tables.insert(format!("{database} {name}"), rows);
            }
        }
        tables
    }

    pub(crate) fn schema(&self, folder: &Path) -> Schema {
        let connection = self.raw(folder, "store.db");
        let all = "select type, name, sql from sqlite_schema order by type, name";
        let mut statement = connection.prepare(all).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }
}

/// Key and salt of a device's store.
pub(crate) fn passphrase(folder: &Path) -> ([u8; 32], [u8; 16]) {
    let header = Device::header(folder).unwrap().unwrap();
    (*passphrase_key(PASSPHRASE, &header.salt, Cost::TEST).unwrap(), header.salt)
}

/// Key and salt of a relay's pages, from whichever copy is there.
fn page_key(folder: &Path) -> Vec<u8> {
    let file = ["store.key", "store.key.copy"].iter().find_map(|name| fs::read(folder.join(name)).ok()).unwrap();
    file[PAGE_KEY_AT..PAGE_KEY_AT + KEY_AND_SALT].to_vec()
}

fn rows(connection: &Connection, table: &str) -> (Vec<String>, Vec<Vec<Value>>) {
    let mut statement = connection.prepare(&format!("select * from {table}")).unwrap();
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let count = columns.len();
    let row = |row: &rusqlite::Row<'_>| (0..count).map(|at| row.get(at)).collect::<Result<Vec<Value>, _>>();
    let mut rows: Vec<Vec<Value>> = statement.query_map([], row).unwrap().map(Result::unwrap).collect();
    rows.sort_by_key(|row| format!("{row:?}"));
    (columns, rows)
}

/// What was in a store and is not in it now: each row of each table that both have, in the columns that both have.
/// Which opening it was may differ.
pub(crate) fn missing(before: &Tables, after: &Tables) -> Vec<String> {
    let mut missing = Vec::new();
    for (table, (columns, rows)) in before.iter().filter(|(table, _)| *table != "store.db identity") {
        let Some((later, found)) = after.get(table) else {
            missing.push(table.clone());
            continue;
        };
        let both: Vec<&String> = columns.iter().filter(|name| later.contains(name)).collect();
        let part = |columns: &[String], rows: &[Vec<Value>]| {
            let at: Vec<usize> =
                both.iter().map(|name| columns.iter().position(|column| column == *name).unwrap()).collect();
            let mut part: Vec<String> =
                rows.iter().map(|row| format!("{:?}", at.iter().map(|at| &row[*at]).collect::<Vec<_>>())).collect();
            part.sort();
            part
        };
        if part(columns, rows) != part(later, found) {
            missing.push(table.clone());
        }
    }
    missing
}

/// How many rows there are.
pub(crate) fn count(tables: &Tables) -> usize {
    tables.values().map(|(_, rows)| rows.len()).sum()
}
