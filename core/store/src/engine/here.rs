//! A database without threads, for simulations: the same transactions, where and when the caller says.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::mpsc;

use super::{Ground, QUEUE_MAX, Read, Write, write_group};
use crate::disk::{Access, Disk};
use crate::error::StoreError;
use crate::file::Lock;

/// The connections of one open database.
pub(super) struct Here {
    disk: Arc<dyn Disk>,
    writes: mpsc::Sender<Write>,
    open: Mutex<Option<Open>>,
}

struct Open {
    queue: mpsc::Receiver<Write>,
    writer: Connection,
    reader: Connection,
    // Last, so that whoever takes it finds a closed database.
    _lock: Lock,
}

impl Here {
    pub(super) fn new(disk: Arc<dyn Disk>, writer: Connection, reader: Connection, lock: Lock) -> Self {
        let (writes, queue) = mpsc::channel(QUEUE_MAX);
        Self { disk, writes, open: Mutex::new(Some(Open { queue, writer, reader, _lock: lock })) }
    }

    /// Puts a request into the queue and, when the disk is reached, commits what waits there by then.
    pub(super) async fn write(&self, write: Write, commits: &AtomicU64) -> Result<(), StoreError> {
        self.writes.send(write).await.map_err(|_| StoreError::Closed)?;
        let reached = self.disk.reach(Access::Write).await;
        let mut open = self.open();
        let Open { queue, writer, .. } = open.as_mut().ok_or(StoreError::Closed)?;
        // Somebody who reached the disk earlier may have taken this request along.
        if let Ok(first) = queue.try_recv() {
            match reached {
                Ok(()) => write_group(writer, first, queue, commits, Ground::Simulated(&*self.disk)),
                Err(error) => (first.run)(Err(error.clone())).1(Err(error)),
            }
        }
        Ok(())
    }

    /// Runs a read when the disk is reached.
    pub(super) async fn read(&self, read: Read) -> Result<(), StoreError> {
        self.disk.reach(Access::Read).await?;
        let mut open = self.open();
        read(&mut open.as_mut().ok_or(StoreError::Closed)?.reader);
        Ok(())
    }

    pub(super) fn close(&self) {
        let open = self.open().take();
        if let Some(Open { reader, writer, .. }) = open {
            // The writer's connection is the last one, and closing it empties the write-ahead log.
            drop(reader);
            drop(writer);
        }
    }

    fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
