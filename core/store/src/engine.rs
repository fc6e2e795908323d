//! One writer, a few readers.
//!
//! All writing goes through one thread with a queue. It takes what waits, up to [`GROUP_ROWS_MAX`] rows or
//! [`GROUP_BYTES_MAX`], runs each request in a savepoint of one transaction, commits once, and answers all: while one
//! commit waits for the disk the next group gathers, so no timer is needed. Reading goes through a few threads with a
//! connection each; every read sees one snapshot. A simulation has the same without threads (`here`).

mod here;
mod reading;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use alliance_crypto::{Rules, wipe_stack};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use here::Here;

use crate::disk::Disk;
use crate::error::{OpenError, StoreError};
use crate::file::{
    Kind, Lock, Opened, Opening, Options, StoreKey, connect, is_sound, open, require_sound, room, wipe_what_is_freed,
};

/// Rows after which a group is committed.
pub(crate) const GROUP_ROWS_MAX: usize = 1_000;
/// Bytes after which a group is committed.
pub(crate) const GROUP_BYTES_MAX: usize = 1024 * 1024;
/// Requests that wait for the writer, and for the readers; whoever asks beyond waits to ask.
const QUEUE_MAX: usize = 1_024;

type Finish = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Gets the connection, or why there is none; answers whether its own work went well, and what to do at the end.
type Run = Box<dyn FnOnce(Result<&Connection, StoreError>) -> (Result<(), StoreError>, Finish) + Send>;

/// A request to the writer: it runs once and leaves behind what to do when its commit is known.
struct Write {
    rows: usize,
    bytes: usize,
    run: Run,
}

type Read = Box<dyn FnOnce(&mut Connection) + Send>;

/// The threads of one open database.
pub(crate) struct Engine {
    /// Instead of threads, in a simulation.
    here: Option<Here>,
    /// A connection that is only to be closed with the others.
    kept: Mutex<Option<Connection>>,
    queues: Mutex<Option<Queues>>,
    threads: Mutex<Threads>,
    commits: Arc<AtomicU64>,
    place: Arc<Place>,
    marker: PathBuf,
}

/// Where the database lies, and how another connection to it is had.
struct Place {
    path: PathBuf,
    suspect: PathBuf,
    key: Option<(StoreKey, [u8; 16])>,
    /// Its pages hold keys.
    secret: bool,
    options: Options,
}

impl Place {
    fn of(opening: &Opening<'_>) -> Self {
        Self {
            path: opening.files.database(),
            suspect: opening.files.suspect(),
            key: opening.key.map(|(key, salt)| (key.clone(), salt)),
            secret: opening.kind == Kind::Device,
            options: opening.options.clone(),
        }
    }

    fn connect(&self, reader: bool) -> Result<Connection, OpenError> {
        let key = self.key.as_ref().map(|(key, salt)| (key, *salt));
        connect(&self.path, key, &self.options, reader)
    }

    /// Leaves word for the next opening, and a connection that reads again: SQLCipher gives nothing more on one that met
    /// a damaged page.
    fn renew(&self, connection: &mut Connection, reader: bool) {
        tracing::error!("a page of the database is damaged; the next opening looks at all of it");
        if let Err(error) = std::fs::write(&self.suspect, b"") {
            tracing::warn!(%error, "no word could be left for the next opening");
        }
        match self.connect(reader) {
            Ok(other) => *connection = other,
            Err(error) => tracing::warn!(%error, "the database could not be opened again"),
        }
    }
}

#[derive(Default)]
struct Threads {
    readers: Vec<JoinHandle<()>>,
    writer: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Queues {
    writes: mpsc::Sender<Write>,
    reads: mpsc::Sender<Read>,
}

impl core::fmt::Debug for Engine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Engine").field("commits", &self.commits).finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens the database and starts its threads. Blocks on the disk.
    pub(crate) fn start(opening: &Opening<'_>, lock: Lock) -> Result<(Self, Opened), OpenError> {
        if reading::is_all_there_is_room_for(opening) {
            return Self::start_reading(opening, lock);
        }
        let (writer, opened) = open(opening, &lock)?;
        let place = Arc::new(Place::of(opening));
        let marker = opening.files.marker();
        let commits = Arc::new(AtomicU64::new(0));
        if let Some(disk) = &opening.options.disk {
            let here = Some(Here::new(Arc::clone(disk), writer, place.connect(true)?, lock));
            let (kept, queues, threads) = (Mutex::default(), Mutex::default(), Mutex::default());
            return Ok((Self { here, kept, queues, threads, commits, place, marker }, opened));
        }
        let readers: Vec<Connection> =
            (0..opening.options.readers.max(1)).map(|_| place.connect(true)).collect::<Result<_, _>>()?;
        let (writes, write_queue) = mpsc::channel(QUEUE_MAX);
        let (reads, read_queue) = mpsc::channel(QUEUE_MAX);
        let read_queue = Arc::new(Mutex::new(read_queue));
        let mut threads = Threads::default();
        for connection in readers {
            let (queue, place) = (Arc::clone(&read_queue), Arc::clone(&place));
            threads.readers.push(spawn("store-read", move || read_loop(connection, &queue, &place))?);
        }
        let (counter, here) = (Arc::clone(&commits), Arc::clone(&place));
        let write = move || write_loop(writer, write_queue, &counter, &here, lock);
        threads.writer = Some(spawn("store-write", write)?);
        let engine = Self {
            here: None,
            kept: Mutex::default(),
            queues: Mutex::new(Some(Queues { writes, reads })),
            threads: Mutex::new(threads),
            commits,
            place,
            marker,
        };
        Ok((engine, opened))
    }

    /// Runs `work` in a transaction that is durable when this returns. `rows` and `bytes` estimate what it writes.
    pub(crate) async fn write<T, F>(&self, rows: usize, bytes: usize, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let run = move |connection: Result<&Connection, StoreError>| {
            let result = connection.and_then(work);
            let own = result.as_ref().map(|_| ()).map_err(Clone::clone);
            let finish = move |commit: Result<(), StoreError>| {
                // Whoever asked may have gone; the work is durable all the same.
                let _ = answer.send(result.and_then(|value| commit.map(|()| value)));
            };
            (own, Box::new(finish) as Finish)
        };
        let write = Write { rows, bytes, run: Box::new(run) };
        match &self.here {
            Some(here) => here.write(write, &self.commits).await?,
            None => self.queues()?.writes.send(write).await.map_err(|_| StoreError::Closed)?,
        }
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Runs `work` on one snapshot.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let run = move |connection: &mut Connection| {
            let result = connection.transaction().map_err(StoreError::from).and_then(|snapshot| work(&snapshot));
            let _ = answer.send(if is_sound(connection) { result } else { Err(StoreError::Damaged) });
        };
        match &self.here {
            Some(here) => here.read(Box::new(run)).await?,
            None => self.queues()?.reads.send(Box::new(run)).await.map_err(|_| StoreError::Closed)?,
        }
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// How many transactions were committed since the database was opened.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Which rules hold.
    pub(crate) fn rules(&self) -> Rules {
        self.place.options.rules
    }

    /// The marker's file.
    pub(crate) fn marker(&self) -> PathBuf {
        self.marker.clone()
    }

    /// A connection of its own, outside the threads. Blocks on the disk.
    pub(crate) fn connection(&self) -> Result<Connection, OpenError> {
        self.place.connect(false)
    }

    /// Keeps a connection that wrote a key: its pages are wiped when the database closes.
    pub(crate) fn keep(&self, connection: Connection) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    }

    /// The key of an encrypted database.
    pub(crate) fn key(&self) -> Option<&StoreKey> {
        self.place.key.as_ref().map(|(key, _)| key)
    }

    /// Finishes what was asked for, closes every connection and releases the lock. Blocks until that is done.
    pub(crate) fn close(&self) {
        if let Some(here) = &self.here {
            here.close();
        }
        let queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner).take();
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        if queues.is_some() && self.place.secret {
            wipe_what_is_freed();
        }
        drop(kept);
        let threads = core::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let (reads, writes) = queues.map(|queues| (queues.reads, queues.writes)).unzip();
        // Readers first: the writer's connection is then the last one, and closing it empties the write-ahead log.
        drop(reads);
        threads.readers.into_iter().for_each(join);
        drop(writes);
        threads.writer.into_iter().for_each(join);
    }

    fn queues(&self) -> Result<Queues, StoreError> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(StoreError::Closed)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    Ok(std::thread::Builder::new().name(name.into()).spawn(body)?)
}

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a thread of the store panicked");
    }
}

fn read_loop(mut connection: Connection, queue: &Mutex<mpsc::Receiver<Read>>, place: &Place) {
    loop {
        // Held while waiting: the next thread takes over as soon as this one has something to do.
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        match next {
            Some(read) => read(&mut connection),
            None => break,
        }
        if !is_sound(&connection) {
            place.renew(&mut connection, true);
        }
    }
    drop(connection);
    // The stack of a thread that ended stays in memory.
    wipe_stack();
}

fn write_loop(
    mut connection: Connection,
    mut queue: mpsc::Receiver<Write>,
    commits: &AtomicU64,
    place: &Place,
    lock: Lock,
) {
    while let Some(first) = queue.blocking_recv() {
        write_group(&connection, first, &mut queue, commits, Ground::Disk(&place.path));
        if require_sound(&connection).is_err() {
            place.renew(&mut connection, false);
        }
    }
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the database could not be closed cleanly");
    }
    wipe_stack();
    // The lock goes last: whoever takes it finds a closed database.
    drop(lock);
}

/// What lies under the database: a disk whose room is looked at, or a simulation's.
enum Ground<'a> {
    Disk(&'a Path),
    Simulated(&'a dyn Disk),
}

impl Ground<'_> {
    fn begin(&self) -> Result<(), StoreError> {
        match self {
            // It may have become a disk that can only be read, as one does that fails.
            Self::Disk(path) => room::writable(path).and_then(|()| room::look(path, 0)),
            Self::Simulated(_) => Ok(()),
        }
    }

    fn commit(&self) -> Result<(), StoreError> {
        match self {
            Self::Disk(_) => Ok(()),
            Self::Simulated(disk) => disk.commit(),
        }
    }

    fn committed(&self) -> Result<(), StoreError> {
        match self {
            Self::Disk(_) => Ok(()),
            Self::Simulated(disk) => disk.committed(),
        }
    }
}

fn write_group(
    connection: &Connection,
    first: Write,
    queue: &mut mpsc::Receiver<Write>,
    commits: &AtomicU64,
    ground: Ground<'_>,
) {
    let mut finishes = Vec::new();
    let mut outcome = ground.begin().and_then(|()| run(connection, "begin immediate"));
    let (mut rows, mut bytes) = (0, 0);
    let mut next = Some(first);
    while let Some(write) = next {
        rows += write.rows;
        bytes += write.bytes;
        let (finish, transaction) = match outcome {
            Ok(()) => run_one(connection, write),
            Err(error) => ((write.run)(Err(error.clone())).1, Err(error)),
        };
        finishes.push(finish);
        outcome = transaction;
        next = if outcome.is_ok() && rows < GROUP_ROWS_MAX && bytes < GROUP_BYTES_MAX {
            queue.try_recv().ok()
        } else {
            None
        };
    }
    outcome = outcome.and_then(|()| ground.commit());
    if outcome.is_ok() {
        outcome = require_sound(connection).and_then(|()| run(connection, "commit"));
        commits.fetch_add(1, Ordering::Relaxed);
        outcome = outcome.and_then(|()| ground.committed());
    }
    if outcome.is_err() && !connection.is_autocommit() {
        // Nothing of the group was committed.
        if let Err(error) = run(connection, "rollback") {
            tracing::warn!(%error, "a failed transaction could not be rolled back");
        }
    }
    for finish in finishes {
        finish(outcome.clone());
    }
}

/// Runs one request in a savepoint. The second answer says whether the group's transaction still stands: SQLite rolls
/// it back as a whole on a full disk or an I/O error.
fn run_one(connection: &Connection, write: Write) -> (Finish, Result<(), StoreError>) {
    if let Err(error) = run(connection, "savepoint request") {
        return ((write.run)(Err(error.clone())).1, Err(error));
    }
    let (own, finish) = (write.run)(Ok(connection));
    if connection.is_autocommit() {
        return (finish, Err(own.err().unwrap_or(StoreError::LowStorage)));
    }
    let end = if own.is_ok() { "release request" } else { "rollback to request; release request" };
    (finish, run(connection, end))
}

fn run(connection: &Connection, statements: &str) -> Result<(), StoreError> {
    connection.execute_batch(statements).map_err(StoreError::from)
}
