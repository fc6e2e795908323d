//! The bare work that ours is compared with: a row into SQLite, a splice and a commit in Automerge, and nothing else.

use std::path::Path;

use automerge::transaction::{CommitOptions, Transactable as _};
use automerge::{Automerge, LoadOptions, ObjId, ROOT, ReadDoc as _, TextEncoding};
use rusqlite::Connection;

/// A database with one table, durable as ours is: write-ahead log, synchronous FULL.
#[derive(Debug)]
pub struct BareStore {
    connection: Connection,
}

impl BareStore {
    /// A new database; with a key if `encrypted`.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn create(path: &Path, encrypted: bool) -> Self {
        let connection = Connection::open(path).expect("a database");
        if encrypted {
            let key = "11".repeat(48);
            connection.execute_batch(&format!("pragma key = \"x'{key}'\"")).expect("SQLCipher");
        }
        let settings = "pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -8000; \
                        create table row(n integer primary key, bytes blob not null);";
        connection.execute_batch(settings).expect("a table");
        Self { connection }
    }

    /// One row, durable when this returns.
    ///
    /// # Panics
    /// If the disk does not take it.
    pub fn insert(&self, n: usize, bytes: &[u8]) {
        let mut statement =
            self.connection.prepare_cached("insert into row(n, bytes) values (?1, ?2)").expect("a statement");
        statement.execute((n as i64, bytes)).expect("a row");
    }

    /// Rows in groups of one commit each.
    ///
    /// # Panics
    /// If the disk does not take them.
    pub fn insert_groups(&self, rows: usize, group: usize, bytes: &[u8]) {
        for n in 0..rows {
            if n % group == 0 {
                self.connection.execute_batch("begin immediate").expect("a transaction");
            }
            self.insert(n, bytes);
            if n % group == group - 1 || n == rows - 1 {
                self.connection.execute_batch("commit").expect("a commit");
            }
        }
    }
}

/// A note in the engine, without anything of ours.
#[derive(Debug)]
pub struct BareNote {
    document: Automerge,
    exploration: ObjId,
}

impl BareNote {
    /// Loads a note as the engine loads it.
    ///
    /// # Panics
    /// If the bytes are no note.
    #[must_use]
    pub fn new(saved: &[u8]) -> Self {
        let options = LoadOptions::new().text_encoding(TextEncoding::UnicodeCodePoint);
        let document = Automerge::load_with_options(saved, options).expect("a document");
        let (_, sections) = document.get(ROOT, "sections").expect("a map").expect("sections");
        let (_, exploration) = document.get(&sections, "exploration").expect("a map").expect("a text");
        Self { document, exploration }
    }

    /// Inserts text at the beginning and commits.
    ///
    /// # Panics
    /// If the engine does not take it.
    pub fn splice(&mut self, text: &str) {
        let mut transaction = self.document.transaction();
        transaction.splice_text(&self.exploration, 0, 0, text).expect("a splice");
        transaction.commit_with(CommitOptions::default().with_time(0));
    }
}
