//! A device's database on a disk without room: it is read, and whoever wants to write is told why not.
//!
//! To open a database for writing takes room: for the log's shared index, and for the count of openings. Without it one
//! connection reads with locks and index of its own, and changes no byte of any file. The count is not raised, so that
//! nothing may be written until the store is opened again, whatever becomes free meanwhile.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;

use super::{Engine, Place, QUEUE_MAX, Queues, Threads, Write, read_loop, spawn};
use crate::error::{OpenError, StoreError};
use crate::file::{Kind, Lock, Opened, Opening, open_for_reading, room};

/// Whether this opening can do no more than read.
pub(super) fn is_all_there_is_room_for(opening: &Opening<'_>) -> bool {
    opening.kind == Kind::Device
        && opening.options.disk.is_none()
        && opening.files.database().exists()
        && room::is_too_full_to_open(opening.files.folder())
}

impl Engine {
    pub(super) fn start_reading(opening: &Opening<'_>, lock: Lock) -> Result<(Self, Opened), OpenError> {
        let (connection, opened) = open_for_reading(opening, &lock)?;
        tracing::warn!("there is no room on the disk: the store is opened for reading");
        let place = Arc::new(Place::of(opening));
        let (writes, write_queue) = mpsc::channel(QUEUE_MAX);
        let (reads, read_queue) = mpsc::channel(QUEUE_MAX);
        let (read_queue, here) = (Arc::new(Mutex::new(read_queue)), Arc::clone(&place));
        let reader = spawn("store-read", move || read_loop(connection, &read_queue, &here))?;
        let writer = spawn("store-write", move || refuse_loop(write_queue, lock))?;
        let threads = Threads { readers: vec![reader], writer: Some(writer) };
        let engine = Self {
            here: None,
            kept: Mutex::default(),
            queues: Mutex::new(Some(Queues { writes, reads })),
            threads: Mutex::new(threads),
            commits: Arc::new(AtomicU64::new(0)),
            place,
            marker: opening.files.marker(),
        };
        Ok((engine, opened))
    }
}

fn refuse_loop(mut queue: mpsc::Receiver<Write>, lock: Lock) {
    while let Some(write) = queue.blocking_recv() {
        (write.run)(Err(StoreError::LowStorage)).1(Err(StoreError::LowStorage));
    }
    drop(lock);
}
