//! A node's disk: it takes its time, is full, fails, and is what remains when the process dies.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alliance_store::{Access, Disk, Reaching, StoreError};

use super::fault::Faults;
use super::wal::{self, Extent};
use crate::random::Random;

/// SQLite's result code for a failed read or write.
const IOERR: i32 = 10;

/// Called when the process dies, before anybody is told.
pub type OnDeath = Box<dyn Fn() + Send + Sync>;

/// The disk of one process of a node.
pub struct SimDisk {
    folder: PathBuf,
    faults: Faults,
    relay: bool,
    on_death: OnDeath,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    random: Random,
    /// Whoever checks invariants reads without waiting and without faults.
    quiet: bool,
    full: bool,
    /// How many of a hundred commits and reads fail.
    failing: usize,
    /// So many of a hundred reads wait so long, and nothing else does.
    pace: Option<(usize, Duration)>,
    /// Commits until the process dies inside one.
    dies_in: Option<u32>,
    /// The log's extent when a commit began: everything before it is acknowledged.
    acknowledged: Extent,
    /// What a crash left, once the process is dead.
    left: Option<PathBuf>,
    calls: u64,
}

impl core::fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SimDisk").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl SimDisk {
    /// The disk under a folder.
    #[must_use]
    pub fn new(folder: &Path, relay: bool, random: Random, faults: Faults, on_death: OnDeath) -> Arc<Self> {
        let inner = Inner {
            random,
            quiet: false,
            full: false,
            failing: 0,
            pace: None,
            dies_in: None,
            acknowledged: Extent::default(),
            left: None,
            calls: 0,
        };
        Arc::new(Self { folder: folder.to_owned(), faults, relay, on_death, inner: Mutex::new(inner) })
    }

    /// No room is left, or there is again.
    pub fn set_full(&self, full: bool) {
        self.lock().full = full;
    }

    /// So many of a hundred commits and reads fail.
    pub fn set_failing(&self, percent: usize) {
        self.lock().failing = percent;
    }

    /// So many of a hundred reads wait so long from now on, and nothing else does: two that are under way at once
    /// overtake each other.
    pub fn set_pace(&self, percent: usize, wait: Duration) {
        self.lock().pace = Some((percent, wait));
    }

    /// The process dies inside the commit that comes after so many.
    pub fn die_in(&self, commits: u32) {
        self.lock().dies_in = Some(commits);
    }

    /// Nobody dies inside a commit any more.
    pub fn live_on(&self) {
        self.lock().dies_in = None;
    }

    /// While set, nothing waits and nothing fails: for whoever checks.
    pub fn set_quiet(&self, quiet: bool) {
        self.lock().quiet = quiet;
    }

    /// The folder that a dead process left.
    #[must_use]
    pub fn left(&self) -> Option<PathBuf> {
        self.lock().left.clone()
    }

    /// How often the disk was reached.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// The process dies now, between two transactions.
    ///
    /// # Panics
    /// If what it leaves cannot be copied.
    pub fn die(&self) {
        let mut inner = self.lock();
        if inner.left.is_none() {
            inner.acknowledged = self.extent();
            self.faults.fire(if self.relay { "relay killed at rest" } else { "device killed at rest" });
            self.end(inner);
        }
    }

    fn extent(&self) -> Extent {
        Extent::of(&self.log(&self.folder)).expect("the write-ahead log can be read")
    }

    fn log(&self, folder: &Path) -> PathBuf {
        folder.join("store.db-wal")
    }

    /// Leaves a copy of the files whose write-ahead log ends at random behind what was acknowledged.
    fn end(&self, mut inner: MutexGuard<'_, Inner>) {
        let mut name = self.folder.clone().into_os_string();
        name.push("+");
        let left = PathBuf::from(name);
        copy_files(&self.folder, &left).expect("the files can be copied");
        let extent = self.extent();
        let (from, to) = extent.may_be_cut(inner.acknowledged);
        let spread = usize::try_from(to - from).expect("a small file") + 1;
        let at = from + inner.random.below(spread) as u64;
        // A crash in the middle of a transaction is the rule; now and then it was complete, and nobody knew.
        let at = if spread > 1 && inner.random.chance(25) { to } else { at };
        if from < to {
            self.faults.fire(if at < to {
                "write-ahead log cut inside a transaction"
            } else {
                "write-ahead log cut behind a transaction that nobody heard of"
            });
        }
        wal::cut(&self.log(&left), at).expect("the write-ahead log can be cut");
        inner.left = Some(left);
        drop(inner);
        (self.on_death)();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Copies the files of a store, but not what only a running process has: the lock and the log's index.
///
/// # Errors
/// A file cannot be copied.
pub fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for file in fs::read_dir(from)? {
        let file = file?;
        let name = file.file_name();
        let text = name.to_string_lossy();
        if file.file_type()?.is_file() && !text.ends_with("-shm") && text != "store.lock" {
            fs::copy(file.path(), to.join(&name))?;
        }
    }
    Ok(())
}

impl Disk for SimDisk {
    fn reach(&self, access: Access) -> Reaching<'_> {
        let mut inner = self.lock();
        if inner.quiet {
            return Box::pin(async { Ok(()) });
        }
        inner.calls += 1;
        let millis = |wait: usize| Duration::from_millis(wait as u64);
        let wait = match (access, inner.pace) {
            (Access::Read, Some((percent, wait))) if inner.random.chance(percent) => wait,
            (_, Some(_)) => Duration::ZERO,
            // Most reads come from memory.
            (Access::Read, None) if inner.random.chance(80) => Duration::ZERO,
            (Access::Read, None) => millis(inner.random.below(3)),
            (Access::Write, None) => millis(inner.random.below(25)),
        };
        drop(inner);
        Box::pin(async move {
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            let mut inner = self.lock();
            if inner.left.is_some() {
                return Err(StoreError::Closed);
            }
            let failing = inner.failing;
            if access == Access::Read && failing > 0 && inner.random.chance(failing) {
                self.faults.fire("read failed: I/O error");
                return Err(StoreError::Database { code: IOERR });
            }
            Ok(())
        })
    }

    fn commit(&self) -> Result<(), StoreError> {
        let mut inner = self.lock();
        if inner.left.is_some() {
            return Err(StoreError::Closed);
        }
        if inner.quiet {
            return Ok(());
        }
        if inner.full {
            self.faults.fire("commit failed: disk full");
            return Err(StoreError::LowStorage);
        }
        let failing = inner.failing;
        if failing > 0 && inner.random.chance(failing) {
            self.faults.fire("commit failed: I/O error");
            return Err(StoreError::Database { code: IOERR });
        }
        if inner.dies_in == Some(0) {
            inner.acknowledged = self.extent();
        }
        Ok(())
    }

    fn committed(&self) -> Result<(), StoreError> {
        let mut inner = self.lock();
        match inner.dies_in {
            _ if inner.quiet => Ok(()),
            None => Ok(()),
            Some(0) => {
                self.faults.fire(if self.relay {
                    "relay killed inside a commit"
                } else {
                    "device killed inside a commit"
                });
                self.end(inner);
                Err(StoreError::Closed)
            }
            Some(commits) => {
                inner.dies_in = Some(commits - 1);
                Ok(())
            }
        }
    }
}
