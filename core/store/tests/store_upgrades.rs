//! Stores that older programs left (`tests/fixtures`), upgraded by this one: killed at every moment of it, on a disk
//! that fills up meanwhile, and never less than before.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use alliance_crypto::{Cost, passphrase_key};
use alliance_store::file::schema_version;
use alliance_store::{Device, Fresh, OpenError, Opened, Options, SqliteReplica, StoreKey};
use alliance_wire::{Incarnation, Instance};
use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;

const PASSPHRASE: &str = "a passphrase";
/// Bytes of a frame's header in a write-ahead log, of the log's own header, and of a page.
const FRAME_HEADER: usize = 24;
const LOG_HEADER: usize = 32;
const PAGE: usize = 4_096;

/// Tables with their columns and rows.
type Tables = BTreeMap<String, (Vec<String>, Vec<Vec<Value>>)>;

/// A device's or a relay's store of a schema.
struct Fixture {
    schema: u32,
    device: bool,
    folder: PathBuf,
}

/// Every store of a schema before this program's.
fn older() -> Vec<Fixture> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let mut found = Vec::new();
    for schema in 1..schema_version() {
        for device in [true, false] {
            let folder = fixtures.join(format!("schema-{schema}/{}", if device { "device" } else { "relay" }));
            assert!(folder.join("store.db").exists(), "{} is missing", folder.display());
            found.push(Fixture { schema, device, folder });
        }
    }
    assert!(!found.is_empty(), "there are older schemas");
    found
}

impl Fixture {
    fn name(&self) -> String {
        format!("schema {} of a {}", self.schema, if self.device { "device" } else { "relay" })
    }

    fn copy(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(&self.folder).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        folder
    }

    fn key(&self) -> Option<(StoreKey, [u8; 16])> {
        let header = Device::header(&self.folder).unwrap()?;
        let key = passphrase_key(PASSPHRASE, &header.salt, Cost::TEST).unwrap();
        Some((StoreKey::new(*key), header.salt))
    }

    /// Opens a copy, does something while it is open, and closes it.
    fn open<T>(&self, folder: &Path, options: Options, during: impl FnOnce() -> T) -> Result<(Opened, T), OpenError> {
        let fresh = Fresh { incarnation: Incarnation([1; 16]), instance: Instance([2; 16]) };
        if let Some((key, _)) = self.key() {
            let (device, opened) = Device::open(folder, &key, fresh, options)?;
            let result = during();
            device.close();
            Ok((opened, result))
        } else {
            let (replica, opened) = SqliteReplica::open(folder, fresh, false, options)?;
            let result = during();
            replica.close();
            Ok((opened, result))
        }
    }

    /// The database as SQLite sees it; nothing of this crate's looks at it.
    fn raw(&self, folder: &Path) -> Connection {
        let connection = Connection::open(folder.join("store.db")).unwrap();
        if self.device {
            let header = Device::header(&self.folder).unwrap().unwrap();
            let key = passphrase_key(PASSPHRASE, &header.salt, Cost::TEST).unwrap();
            let hex: String = key.iter().chain(&header.salt).map(|byte| format!("{byte:02x}")).collect();
            connection.execute_batch(&format!("pragma key = \"x'{hex}'\"")).unwrap();
        }
        connection
    }

    fn version(&self, folder: &Path) -> u32 {
        self.raw(folder).query_row("pragma user_version", [], |row| row.get(0)).unwrap()
    }

    fn tables(&self, folder: &Path) -> Tables {
        let connection = self.raw(folder);
        let names = "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'";
        let mut statement = connection.prepare(names).unwrap();
        let names: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        names.into_iter().map(|name| (name.clone(), rows(&connection, &name))).collect()
    }

    /// Every statement of the schema.
    fn schema(&self, folder: &Path) -> Vec<(String, String, Option<String>)> {
        let connection = self.raw(folder);
        let all = "select type, name, sql from sqlite_schema order by type, name";
        let mut statement = connection.prepare(all).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }
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

/// What was in a store is in it: each row of each table that both have, in the columns that both have. How often it
/// was opened may differ.
fn missing(before: &Tables, after: &Tables) -> Vec<String> {
    let mut missing = Vec::new();
    for (table, (columns, rows)) in before {
        let Some((later, found)) = after.get(table) else {
            missing.push(table.clone());
            continue;
        };
        let both: Vec<&String> = columns.iter().filter(|name| later.contains(name) && *name != "opens").collect();
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

#[test]
fn an_upgraded_schema_equals_a_fresh_one() {
    for fixture in older() {
        let upgraded = fixture.copy();
        fixture.open(upgraded.path(), Options::default(), || ()).unwrap();
        // A fresh store of the same key: the header alone is there.
        let fresh = fixture.copy();
        fs::remove_file(fresh.path().join("store.db")).unwrap();
        fixture.open(fresh.path(), Options::default(), || ()).unwrap();
        let (upgraded_schema, fresh_schema) = (fixture.schema(upgraded.path()), fixture.schema(fresh.path()));
        assert_eq!(upgraded_schema, fresh_schema, "{}", fixture.name());
        assert_eq!(fixture.version(upgraded.path()), schema_version());
        // The control: what was opened was another schema.
        assert_eq!(fixture.version(fixture.copy().path()), fixture.schema);
    }
}

/// The write-ahead log up to a frame, and a part of the next one.
fn cuts(log: &[u8]) -> Vec<(String, Vec<u8>)> {
    let frame = FRAME_HEADER + PAGE;
    assert_eq!((log.len() - LOG_HEADER) % frame, 0, "whole frames");
    let mut cuts = Vec::new();
    for at in 0..=(log.len() - LOG_HEADER) / frame {
        let end = LOG_HEADER + at * frame;
        cuts.push((format!("{at} frames"), log[..end].to_vec()));
        if end < log.len() {
            cuts.push((format!("{at} frames and a part"), log[..end + frame / 2].to_vec()));
            // Space was given to the file, and the disk wrote the half of it.
            let mut torn = log[..end + frame].to_vec();
            torn[end + frame / 2..].fill(0);
            cuts.push((format!("{at} frames and a torn one"), torn));
        }
    }
    cuts.push(("a part of the log's header".into(), log[..LOG_HEADER / 2].to_vec()));
    cuts
}

#[test]
fn an_upgrade_that_is_killed_at_any_moment_loses_nothing() {
    for fixture in older() {
        let before = fixture.tables(fixture.copy().path());
        assert!(before.values().map(|(_, rows)| rows.len()).sum::<usize>() > 20, "{}", fixture.name());
        let whole = fixture.copy();
        let during = || {
            // As it stands when nothing was copied from the log into the database yet.
            let log = fs::read(whole.path().join("store.db-wal")).unwrap();
            (fs::read(whole.path().join("store.db")).unwrap(), log)
        };
        let (opened, (database, log)) = fixture.open(whole.path(), Options::default(), during).unwrap();
        assert!(!opened.fresh);
        assert!(database == fs::read(fixture.folder.join("store.db")).unwrap(), "the log holds all of the upgrade");
        let (mut old, mut new) = (0, 0);
        for (what, log) in cuts(&log) {
            let what = format!("{}, killed with {what}", fixture.name());
            let place = || {
                let folder = fixture.copy();
                fs::write(folder.path().join("store.db-wal"), &log).unwrap();
                folder
            };
            let found = fixture.version(place().path());
            if found == fixture.schema {
                old += 1;
            } else {
                new += 1;
            }
            let folder = place();
            let (again, ()) = fixture.open(folder.path(), Options::default(), || ()).unwrap();
            assert_eq!((again.fresh, again.incarnation, again.instance), (false, opened.incarnation, opened.instance));
            assert_eq!(fixture.version(folder.path()), schema_version(), "{what}");
            assert_eq!(missing(&before, &fixture.tables(folder.path())), Vec::<String>::new(), "{what}");
        }
        println!("{}: {} moments, {old} before the upgrade's commit and {new} behind it", fixture.name(), old + new);
        assert!(old > 3 && new > 1, "{}: {old} and {new}", fixture.name());
        // The control: the same look notices one row that is gone.
        fixture.raw(whole.path()).execute("delete from log where id = (select max(id) from log)", []).unwrap();
        assert_eq!(missing(&before, &fixture.tables(whole.path())), ["log"]);
    }
}

#[test]
fn an_upgrade_without_room_leaves_the_old_store_as_it_was() {
    let mut failed = 0;
    for fixture in older() {
        let pages = |folder: &Path| -> u32 {
            fixture.raw(folder).query_row("pragma page_count", [], |row| row.get(0)).unwrap()
        };
        let whole = fixture.copy();
        let (from, before) = (pages(whole.path()), fixture.tables(whole.path()));
        let schema = fixture.schema(whole.path());
        fixture.open(whole.path(), Options::default(), || ()).unwrap();
        let to = pages(whole.path());
        for pages_max in from..to {
            let what = format!("{}: {pages_max} of {to} pages", fixture.name());
            let folder = fixture.copy();
            let options = Options { pages_max: Some(pages_max), ..Options::default() };
            let error = fixture.open(folder.path(), options, || ()).map(|_| ()).unwrap_err();
            assert!(matches!(error, OpenError::LowStorage), "{what}: {error}");
            failed += 1;
            // What the older program knows, to the last row: it could go on.
            assert_eq!(fixture.version(folder.path()), fixture.schema, "{what}");
            assert!(fixture.schema(folder.path()) == schema && fixture.tables(folder.path()) == before, "{what}");
            // With room it succeeds.
            let (opened, ()) = fixture.open(folder.path(), Options::default(), || ()).unwrap();
            assert!(!opened.fresh, "{what}");
            assert_eq!(missing(&before, &fixture.tables(folder.path())), Vec::<String>::new(), "{what}");
        }
        println!("{}: {} upgrades without room", fixture.name(), to - from);
    }
    assert!(failed > 0, "no upgrade ran out of room");
}
