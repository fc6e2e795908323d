//! Tables of a damaged database, each readable by its root page alone.
//!
//! A page is encrypted and signed under the database's key and its own number. So the first page of another database
//! with the same key and salt can stand in for the damaged one's: it holds a schema of one table, whose tree begins at
//! the page where that table's tree begins in the damaged database.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::Access;
use crate::error::{OpenError, StoreError};
use crate::file::{self, Files, Kind, Options, roots, wal};

/// Bytes of a page.
const PAGE_BYTES: usize = 4096;
const PAGE: u64 = PAGE_BYTES as u64;
/// The most that one row of the filler has, in bytes: below SQLite's limit of a value.
const FILLER_BYTES: u64 = 64 * 1024 * 1024;

/// The index of the table `space` over its ids, read as a table: where a space's own row cannot be read, this names it.
pub(super) const SPACE_NAMES: &str = "sqlite_autoindex_space_1";

/// The tables that are taken over; what is not here can be made anew from the log, or must not be kept.
pub(super) const fn taken(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Relay => &["space", SPACE_NAMES, "log", "entry", "payload", "fork"],
        Kind::Device => &[
            "space",
            SPACE_NAMES,
            "log",
            "entry",
            "payload",
            "fork",
            "profile",
            "setting",
            "local_space",
            "epoch_key",
            "draft",
            "command",
            "pending",
            "relay",
            "contact",
        ],
    }
}

/// How one table is read.
pub(super) struct Table {
    /// Its columns in order.
    pub(super) columns: Vec<String>,
    /// Columns of its primary key, where it has no row numbers.
    pub(super) without_rowid: Option<Vec<String>>,
    sql: String,
}

/// The damaged database and what stands in for its first page.
pub(super) struct Tables<'a> {
    key: Access<'a>,
    copy: PathBuf,
    stand_in: PathBuf,
    roots: HashMap<String, u32>,
    shapes: HashMap<String, Table>,
    pages: u64,
}

impl<'a> Tables<'a> {
    /// Copies the damaged database, its write-ahead log included, and finds out where its tables begin. `model`: a
    /// whole database of the present form.
    ///
    /// # Errors
    /// [`OpenError::Damaged`] where nobody knows where the tables begin.
    pub(super) fn of(files: &Files, work: &Path, key: Access<'a>, model: &Connection) -> Result<Self, OpenError> {
        let (copy, stand_in) = (work.join("copy.db"), work.join("page.db"));
        let pages = copy_with_log(files, &copy)?;
        let shapes = shapes(model)?;
        let roots = match read_roots(&copy, key) {
            Ok(roots) if roots.contains_key("entry") => roots,
            _ => roots::read(&files.roots())?.ok_or(OpenError::Damaged)?.into_iter().collect(),
        };
        let pages = pages.max(roots.values().copied().max().unwrap_or(0).into()) + 1;
        make_filler(&stand_in, key, pages)?;
        // As long as the stand-in says that the database is.
        let room = fs::metadata(&stand_in)?.len().max(pages * PAGE);
        OpenOptions::new().write(true).open(&copy)?.set_len(room)?;
        Ok(Self { key, copy, stand_in, roots, shapes, pages })
    }

    /// How a table is read; absent for one that the damaged database does not have.
    pub(super) fn table(&self, name: &str) -> Option<&Table> {
        self.roots.contains_key(name).then(|| self.shapes.get(name)).flatten()
    }

    /// Puts the first page for a table in place.
    pub(super) fn turn_to(&self, name: &str) -> Result<(), OpenError> {
        let (Some(table), Some(root)) = (self.table(name), self.roots.get(name)) else {
            return Err(OpenError::Damaged);
        };
        if u64::from(*root) > self.pages {
            return Err(OpenError::Damaged);
        }
        let connection = file::connect(&self.stand_in, Some(self.key), &Options::default(), false)?;
        connection.query_row("pragma journal_mode = delete", [], |_| Ok(()))?;
        connection.execute_batch("pragma writable_schema = on; begin; delete from sqlite_schema")?;
        connection.execute(
            "insert into sqlite_schema(type, name, tbl_name, rootpage, sql) values ('table', 'taken', 'taken', ?1, ?2)",
            (root, &table.sql),
        )?;
        connection.execute_batch("commit")?;
        drop(connection);
        let mut page = [0; PAGE_BYTES];
        fs::File::open(&self.stand_in)?.read_exact(&mut page)?;
        let mut copy = OpenOptions::new().write(true).open(&self.copy)?;
        copy.seek(SeekFrom::Start(0))?;
        copy.write_all(&page)?;
        Ok(())
    }

    /// A connection to the table that was turned to, under the name `taken`.
    pub(super) fn connect(&self) -> Result<Connection, OpenError> {
        file::look(&self.copy, Some(self.key), true)
    }
}

/// Copies the database and writes into the copy what its log holds. Answers how many pages there are.
fn copy_with_log(files: &Files, copy: &Path) -> Result<u64, OpenError> {
    fs::copy(files.database(), copy)?;
    let mut file = OpenOptions::new().write(true).open(copy)?;
    let mut pending: Vec<(u32, Vec<u8>)> = Vec::new();
    wal::walk(&wal::log_of(&files.database()), |number, committed, page| {
        pending.push((number, page.to_vec()));
        if committed == 0 {
            return Ok(());
        }
        for (number, page) in pending.drain(..) {
            file.seek(SeekFrom::Start(u64::from(number.max(1) - 1) * PAGE))?;
            file.write_all(&page)?;
        }
        Ok(())
    })?;
    Ok(file.metadata()?.len() / PAGE)
}

/// Where tables begin, by the damaged database itself.
fn read_roots(copy: &Path, key: Access<'_>) -> Result<HashMap<String, u32>, OpenError> {
    let connection = file::look(copy, Some(key), true)?;
    let roots = roots::of(&connection)?;
    file::require_sound(&connection)?;
    Ok(roots.into_iter().collect())
}

/// The tables of a whole database.
fn shapes(model: &Connection) -> Result<HashMap<String, Table>, StoreError> {
    let mut found = HashMap::new();
    let mut statement =
        model.prepare("select name, sql from sqlite_schema where type = 'table' and sql is not null")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, sql): (String, String) = (row.get(0)?, row.get(1)?);
        let body = sql.find('(').map_or("", |at| &sql[at..]);
        let mut columns = Vec::new();
        let mut keys: Vec<(i64, String)> = Vec::new();
        let mut info = model.prepare("select name, pk from pragma_table_info(?1) order by cid")?;
        let mut lines = info.query([&name])?;
        while let Some(line) = lines.next()? {
            columns.push(line.get::<_, String>(0)?);
            if line.get::<_, i64>(1)? > 0 {
                keys.push((line.get(1)?, line.get(0)?));
            }
        }
        keys.sort();
        let bare = sql.to_lowercase().contains("without rowid");
        let without_rowid = bare.then(|| keys.into_iter().map(|(_, name)| name).collect());
        // Comments go: the statement has to fit on one page.
        let body: String = body.lines().map(|line| line.split("--").next().unwrap_or("")).collect::<Vec<_>>().join(" ");
        found.insert(name, Table { columns, without_rowid, sql: format!("create table taken{body}") });
    }
    let names = ["space", "id"].map(str::to_owned);
    found.insert(
        SPACE_NAMES.to_owned(),
        Table {
            columns: names.to_vec(),
            without_rowid: Some(names.to_vec()),
            sql: "create table taken(space, id, primary key(space, id)) without rowid".to_owned(),
        },
    );
    Ok(found)
}

/// Makes a database of at least so many pages, which are free.
fn make_filler(path: &Path, key: Access<'_>, pages: u64) -> Result<(), OpenError> {
    let connection = file::connect(path, Some(key), &Options::default(), false)?;
    connection.query_row("pragma journal_mode = delete", [], |_| Ok(()))?;
    connection.execute_batch("pragma synchronous = off; create table filler(x)")?;
    let mut left = pages * PAGE;
    while left > 0 {
        let part = left.min(FILLER_BYTES);
        connection.execute("insert into filler values(zeroblob(?1))", [i64::try_from(part).unwrap_or(0)])?;
        left -= part;
    }
    connection.execute_batch("drop table filler")?;
    Ok(())
}
