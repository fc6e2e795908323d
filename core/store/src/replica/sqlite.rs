//! The replica in SQLite.

use std::path::Path;
use std::sync::Arc;

use alliance_sync::{Batch, Page, Persisted, Since, Tail};
use alliance_wire::frame::Answer;
use alliance_wire::receipt::SignedReceipt;
use alliance_wire::{DeviceKey, Entry, HashPrefix, Instance, LogId, LogName, SpaceId};
use rusqlite::Connection;

use super::entries::{DamageList, Reader};
use super::logs::space_id;
use super::numbers::Numbers;
use super::{ANSWER_BYTES_MAX, Cursor, Damaged, Replica, Roster, Stats, ViewParts};
use super::{cursors, entries, logs, receipts, since, views};
use crate::engine::Engine;
use crate::error::{OpenError, StoreError};
use crate::file::page_key::PageKey;
use crate::file::{Files, Fresh, Kind, Lock, Opened, Opening, Options, migrations};
use crate::sql::{Row as _, int, uint};

/// The log in one SQLite database. Copies share the database; it closes when the last one goes, or by
/// [`SqliteReplica::close`].
#[derive(Debug, Clone)]
pub struct SqliteReplica {
    engine: Arc<Engine>,
    damage: Arc<DamageList>,
    instance: Instance,
    /// Absent, unless R2 is off.
    numbers: Option<Arc<Numbers>>,
}

impl SqliteReplica {
    /// Opens or makes a relay's replica in a folder. What it holds is sealed already; its pages are signed under a key in
    /// the same folder. Blocks on the disk.
    ///
    /// `renew` draws a new instance although the marker agrees: the operator says that the database was restored (R7).
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(folder: &Path, fresh: Fresh, renew: bool, options: Options) -> Result<(Self, Opened), OpenError> {
        let files = Files::new(folder);
        files.make_folder()?;
        let lock = Lock::take(&files)?;
        let page_key = options.signed.then(|| PageKey::of(folder)).transpose()?;
        if let Some(page_key) = &page_key {
            page_key.take_over(&files.database(), migrations::version())?;
        }
        let key = page_key.as_ref().map(PageKey::access);
        let opening = Opening { files: &files, kind: Kind::Relay, key, fresh, renew, options };
        let (engine, opened) = Engine::start(&opening, lock)?;
        let numbers = (!engine.rules().commit_order).then(Arc::default);
        Ok((Self { numbers, ..Self::on(Arc::new(engine), opened.instance) }, opened))
    }

    pub(crate) fn on(engine: Arc<Engine>, instance: Instance) -> Self {
        Self { engine, damage: Arc::default(), instance, numbers: None }
    }

    /// The database, for what a relay counts beside the trait.
    pub(crate) const fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Finishes what was asked for and closes the database; every later call answers [`StoreError::Closed`]. Blocks on
    /// the disk. A phone does this before it is suspended, and opens again afterwards.
    pub fn close(&self) {
        self.engine.close();
    }

    /// Keeps the writer from committing until the answer is dropped; what is asked for meanwhile gathers in its queue.
    /// For tests of group commit.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    pub async fn hold_writer(&self) -> Result<HeldWriter, StoreError> {
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (held, holding) = tokio::sync::oneshot::channel();
        let engine = Arc::clone(&self.engine);
        // Not awaited here: it ends when the guard goes.
        let write = async move {
            let wait = move |_: &Connection| {
                let _ = held.send(());
                let _ = released.recv();
                Ok(())
            };
            engine.write(0, 0, wait).await
        };
        let task = tokio::spawn(write);
        holding.await.map_err(|_| StoreError::Closed)?;
        Ok(HeldWriter { _release: release, _task: task })
    }

    pub(crate) const fn damage(&self) -> &Arc<DamageList> {
        &self.damage
    }

    /// Reads with the row of a space, or answers the default where the space was never named here.
    async fn of_space<T, F>(&self, space: SpaceId, work: F) -> Result<T, StoreError>
    where
        T: Default + Send + 'static,
        F: FnOnce(&Connection, i64) -> Result<T, StoreError> + Send + 'static,
    {
        self.engine
            .read(move |connection| match space_id(connection, space)? {
                Some(row) => work(connection, row),
                None => Ok(T::default()),
            })
            .await
    }
}

/// See [`SqliteReplica::hold_writer`].
#[derive(Debug)]
pub struct HeldWriter {
    _release: std::sync::mpsc::Sender<()>,
    _task: tokio::task::JoinHandle<Result<(), StoreError>>,
}

/// Rows and bytes that a batch will write, for the writer's groups.
pub(crate) fn weight(batch: &Batch) -> (usize, usize) {
    let bytes = batch.items.iter().map(|item| match item {
        alliance_sync::Incoming::Entry(entry) => 256 + entry.payload().map_or(0, <[u8]>::len),
        alliance_sync::Incoming::Receipt(receipt) => 256 + receipt.signed().body.len(),
        alliance_sync::Incoming::Fork(..) => 1024,
        alliance_sync::Incoming::Payload(.., bytes) => bytes.len(),
    });
    (batch.items.len() + batch.cursors.len() + batch.acked.len(), bytes.sum())
}

impl Replica for SqliteReplica {
    fn instance(&self) -> Instance {
        self.instance
    }

    async fn put(&self, batch: Batch, rosters: Vec<Roster>) -> Result<Persisted, StoreError> {
        let (rows, bytes) = weight(&batch);
        let (damage, rules) = (Arc::clone(&self.damage), self.engine.rules());
        let reserved = match &self.numbers {
            Some(numbers) => Some(numbers.reserve(self, &batch).await?),
            None => None,
        };
        let put = move |connection: &Connection| super::put(connection, &damage, rules, &batch, &rosters, reserved);
        self.engine.write(rows, bytes, put).await
    }

    async fn set_roster(&self, roster: Roster) -> Result<(), StoreError> {
        let set = move |connection: &Connection| cursors::keep_roster(connection, &roster);
        self.engine.write(1, 0, set).await
    }

    async fn range(
        &self,
        space: SpaceId,
        log: LogId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(Arc<LogName>, Entry)>, StoreError> {
        let damage = Arc::clone(&self.damage);
        self.of_space(space, move |connection, row| {
            let Some(log) = logs::find_log(connection, row, log)? else {
                return Ok(Vec::new());
            };
            let (mut found, mut bytes) = (Vec::new(), 0);
            Reader::new(connection, space, &damage).each(
                "e.log = ?1 and e.seq > ?2 order by e.seq limit ?3",
                (log.id, int(after), int(limit as u64)),
                |item| {
                    bytes += item.bytes;
                    let Some(entry) = item.entry else {
                        return false;
                    };
                    found.push((item.name, entry));
                    bytes < ANSWER_BYTES_MAX
                },
            )?;
            Ok(found)
        })
        .await
    }

    async fn since(&self, since: Since) -> Result<Page, StoreError> {
        let damage = Arc::clone(&self.damage);
        self.engine.read(move |connection| since::page(connection, &damage, &since)).await
    }

    async fn view_parts(&self, space: SpaceId) -> Result<Option<ViewParts>, StoreError> {
        let damage = Arc::clone(&self.damage);
        self.engine.read(move |connection| views::parts(connection, &damage, space)).await
    }

    async fn tails(&self, spaces: Vec<SpaceId>) -> Result<Vec<Tail>, StoreError> {
        let read = move |connection: &Connection| {
            let tail = |space: &SpaceId| {
                Ok(logs::find_space(connection, *space)?.map_or_else(|| logs::empty_tail(*space), |row| row.tail))
            };
            spaces.iter().map(tail).collect()
        };
        self.engine.read(read).await
    }

    async fn hashes_at(&self, at: Vec<(SpaceId, u64)>) -> Result<Vec<Option<HashPrefix>>, StoreError> {
        let read = move |connection: &Connection| {
            let hash = |(space, number): &(SpaceId, u64)| match space_id(connection, *space)? {
                Some(row) => cursors::hash_at(connection, row, *number),
                None => Ok(None),
            };
            at.iter().map(hash).collect()
        };
        self.engine.read(read).await
    }

    async fn fetch(&self, space: SpaceId, rows: Vec<(LogId, u64)>) -> Result<Vec<(LogId, u64, Answer)>, StoreError> {
        let damage = Arc::clone(&self.damage);
        let read = move |connection: &Connection| {
            let row = space_id(connection, space)?;
            let mut reader = Reader::new(connection, space, &damage);
            let (mut found, mut bytes) = (Vec::new(), 0);
            for (log, seq) in rows {
                if bytes >= ANSWER_BYTES_MAX {
                    break;
                }
                let stored = match row {
                    Some(row) => logs::find_log(connection, row, log)?,
                    None => None,
                };
                let entry = match stored {
                    Some(stored) => reader.by_seq(stored.id, seq)?.and_then(|found| found.entry),
                    None => None,
                };
                let payload = entry.and_then(|entry| entry.payload);
                bytes += payload.as_ref().map_or(0, Vec::len);
                found.push((log, seq, payload.map_or(Answer::Absent, |payload| Answer::Payload(payload.into()))));
            }
            Ok(found)
        };
        self.engine.read(read).await
    }

    async fn spaces(&self) -> Result<Vec<SpaceId>, StoreError> {
        let read = move |connection: &Connection| {
            let mut statement = connection.prepare_cached("select space from space where bytes > 0 order by space")?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(row.id(0)?);
            }
            Ok(found)
        };
        self.engine.read(read).await
    }

    async fn member_spaces(&self, device: DeviceKey) -> Result<Vec<SpaceId>, StoreError> {
        self.engine.read(move |connection| cursors::member_spaces(connection, device)).await
    }

    async fn former_spaces(&self, device: DeviceKey) -> Result<Vec<SpaceId>, StoreError> {
        self.engine.read(move |connection| cursors::former_spaces(connection, device)).await
    }

    async fn relay_spaces(&self, relay: DeviceKey) -> Result<Vec<SpaceId>, StoreError> {
        self.engine.read(move |connection| cursors::relay_spaces(connection, relay)).await
    }

    async fn set_absent(&self, relay: DeviceKey, space: SpaceId) -> Result<(), StoreError> {
        self.engine.write(1, 0, move |connection| cursors::set_absent(connection, relay, space)).await
    }

    async fn peer_instance(&self, device: DeviceKey) -> Result<Option<Instance>, StoreError> {
        self.engine.read(move |connection| cursors::peer_instance(connection, device)).await
    }

    async fn cursors(&self, peer: Instance) -> Result<Vec<Cursor>, StoreError> {
        self.engine.read(move |connection| cursors::of_instance(connection, peer)).await
    }

    async fn others_behind(&self, own: DeviceKey, behind: Vec<(SpaceId, u64)>) -> Result<Vec<SpaceId>, StoreError> {
        self.engine.read(move |connection| cursors::others_behind(connection, own, behind)).await
    }

    async fn receipts(&self, space: SpaceId) -> Result<Vec<SignedReceipt>, StoreError> {
        self.of_space(space, receipts::all).await
    }

    async fn missing(&self, space: SpaceId, limit: usize) -> Result<Vec<(LogId, u64)>, StoreError> {
        let damaged = self.damage.all();
        let mut found = self.of_space(space, move |connection, row| entries::missing(connection, row, limit)).await?;
        for damaged in damaged.into_iter().filter(|damaged| damaged.space == space && !damaged.header) {
            let row = (damaged.log, damaged.seq);
            if found.len() < limit && !found.contains(&row) {
                found.push(row);
            }
        }
        Ok(found)
    }

    fn damaged(&self) -> Vec<Damaged> {
        self.damage.all()
    }

    async fn spaces_of_token(&self, token: [u8; 8]) -> Result<u64, StoreError> {
        self.engine.read(move |connection| cursors::spaces_of_token(connection, token)).await
    }

    async fn space_bytes(&self, space: SpaceId) -> Result<u64, StoreError> {
        self.engine.read(move |connection| Ok(logs::find_space(connection, space)?.map_or(0, |row| row.bytes))).await
    }

    async fn forget_space(&self, space: SpaceId) -> Result<(), StoreError> {
        self.engine.write(FORGET_ROWS, 0, move |connection| forget(connection, space)).await
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        let commits = self.engine.commits();
        let read = move |connection: &Connection| {
            let count =
                |sql: &str| -> Result<u64, StoreError> { Ok(uint(connection.query_row(sql, [], |row| row.get(0))?)) };
            // SQLCipher says the size of its pages as text.
            let pages = count("select page_count from pragma_page_count")?;
            let page_bytes = count("select cast(page_size as integer) from pragma_page_size")?;
            Ok(Stats {
                spaces: count("select count(*) from space where bytes > 0")?,
                logs: count("select count(*) from log")?,
                entries: count("select count(*) from entry")?,
                bytes: pages * page_bytes,
                commits,
            })
        };
        self.engine.read(read).await
    }
}

/// Forgetting a space ends the writer's group.
const FORGET_ROWS: usize = 1_000;

fn forget(connection: &Connection, space: SpaceId) -> Result<(), StoreError> {
    let Some(row) = space_id(connection, space)? else {
        return Ok(());
    };
    connection.execute("delete from payload where entry in (select id from entry where space = ?1)", [row])?;
    for table in ["entry", "log", "receipt", "fork", "replaced", "roster", "cursor", "absent", "handed"] {
        connection.execute(&format!("delete from {table} where space = ?1"), [row])?;
    }
    // The row stays: arrival numbers must never be given twice by one instance, or a peer's cursor would lie.
    let empty = logs::empty_tail(space);
    connection.execute(
        "update space set hash = ?2, digest = ?3, bytes = 0, heads = null, token = null where id = ?1",
        (row, empty.hash.as_bytes(), empty.digest),
    )?;
    Ok(())
}
