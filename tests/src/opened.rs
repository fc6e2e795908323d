//! Everything that a device's store holds, opened with its owner's key: for tests that look for a word in it.
//!
//! A database's pages are encrypted, and so is what each entry says: a search in the files finds nothing, whatever the
//! store holds. Here every cell is read as SQLCipher gives it, and every entry is opened whose epoch's key is there.

use std::path::Path;

use alliance_crypto::{Cost, EpochKey, Rules, open, passphrase_key};
use alliance_store::{Device, Fresh, Replica as _};
use alliance_sync::{Outgoing, Part, Since};
use alliance_wire::{Incarnation, Instance, Stream};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::hostile::{PASSPHRASE, open_store};

/// What one closed store of this crate's people holds.
#[derive(Debug)]
pub struct Opened {
    cells: Vec<Vec<u8>>,
    entries: Vec<Vec<u8>>,
}

impl Opened {
    /// Reads a store that nobody has open. It is the same store afterwards.
    ///
    /// # Panics
    /// If it cannot be read.
    pub async fn of(store: &Path) -> Self {
        let entries = entries(store).await;
        Self { cells: cells(store), entries }
    }

    /// How many cells of the database, and how many entries that its keys open, hold a text.
    #[must_use]
    pub fn count(&self, text: &str) -> (usize, usize) {
        let holds = |bytes: &&Vec<u8>| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        (self.cells.iter().filter(holds).count(), self.entries.iter().filter(holds).count())
    }
}

/// What the data entries of every space say.
async fn entries(store: &Path) -> Vec<Vec<u8>> {
    let (device, _) = open_store(store, Fresh { incarnation: Incarnation([0x0d; 16]), instance: Instance([0x0d; 16]) });
    let mut found = Vec::new();
    for local in device.local_spaces().await.expect("the store answers") {
        let keys = device.epoch_keys(local.space).await.expect("the store answers");
        let mut after = 0;
        loop {
            let since = Since { space: local.space, after, part: Part::Everything, bytes: 1 << 20 };
            let page = device.replica().since(since).await.expect("the store answers");
            for item in page.items {
                let Outgoing::Entry(name, entry) = item else { continue };
                let header = entry.header();
                let key = keys.iter().find(|row| Some(row.epoch) == header.epoch());
                let (Stream::Data, Some(row), Some(payload)) = (name.stream, key, &entry.payload) else { continue };
                let key = EpochKey::from_bytes(*row.key);
                let opened = open(Rules::ALL, &key, header.log, &header.associated_data(), payload);
                found.push(opened.expect("honest members seal well").to_vec());
            }
            if !page.more {
                break;
            }
            after = page.upto;
        }
    }
    device.close();
    found
}

/// Every cell of every table.
fn cells(store: &Path) -> Vec<Vec<u8>> {
    let header = Device::header(store).expect("a readable header").expect("a store");
    let key = passphrase_key(PASSPHRASE, &header.salt, Cost::TEST).expect("a short passphrase");
    let digits: String = key.iter().chain(&header.salt).map(|byte| format!("{byte:02x}")).collect();
    let path = store.join("store.db");
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("a database");
    connection.execute_batch(&format!("pragma key = \"x'{digits}'\"")).expect("SQLCipher");
    let mut names = connection
        .prepare("select name from sqlite_schema where type = 'table' and rootpage > 0 order by name")
        .expect("the key opens the database");
    let tables: Vec<String> =
        names.query_map([], |row| row.get(0)).expect("names").collect::<Result<_, _>>().expect("names");
    let mut cells = Vec::new();
    for table in tables {
        let mut statement = connection.prepare(&format!("select * from \"{table}\"")).expect("a table");
        let columns = statement.column_count();
        let mut rows = statement.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            for column in 0..columns {
                match row.get_ref(column).expect("a cell") {
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => cells.push(bytes.to_vec()),
                    // A number holds no words.
                    ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => {}
                }
            }
        }
    }
    cells
}
