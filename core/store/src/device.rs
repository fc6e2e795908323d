//! What only a device has: its profile, keys, drafts, documents and lists, in one encrypted file with the log.
//!
//! The log is the truth; documents, lists and [`EntryState`]s are made from it and can be made again. The profile,
//! epoch keys and drafts cannot. Rows change through [`DeviceOp`]s, a closed list, so that several become durable
//! together and with entries: [`Device::apply`] for rows alone, [`Device::append`] for this device's own entries with
//! the rows that they replace (a draft and the entry that seals it).

mod append;
mod backup;
mod documents;
mod drafts;
mod dropping;
mod entries;
mod forked;
mod lists;
mod ops;
mod people;
mod profile;
mod search;
mod whereabouts;

use std::path::Path;
use std::sync::Arc;

use alliance_sync::{Batch, Persisted};
use alliance_wire::Incarnation;

use crate::engine::Engine;
use crate::error::{OpenError, StoreError};
use crate::file::making::Making;
use crate::file::{self, Files, Fresh, Kind, Lock, Opened, Opening, Options, StoreHeader, StoreKey};
use crate::replica::{Roster, SqliteReplica};

pub use append::AppendError;
pub use backup::{RestoreError, backup_header, read_backup, restore};
pub use documents::{Document, DocumentHead, Opened as OpenedDocument};
pub use drafts::{Command, Draft};
pub use entries::{DocumentEntry, EntryRef, EntryState, EntryStretch, Quarantine, Trying};
pub use lists::{LIST_ROWS_MAX, ListCursor, ListPage, ListQuery, Listing};
pub use ops::DeviceOp;
pub use people::{Contact, Direction, EpochKeyRow, LocalSpace, Pending, RelayRow, SpaceState};
pub use profile::Profile;
pub(crate) use profile::mend_profile;
pub use search::{SEARCH_ROWS_MAX, SearchHit, SearchPage, SearchPhrase, SearchQuery, Searchable, Unsearched};
pub use whereabouts::Whereabouts;

/// One device's store. Copies share the database; it closes when the last one goes, or by [`Device::close`].
#[derive(Debug, Clone)]
pub struct Device {
    engine: Arc<Engine>,
    replica: SqliteReplica,
    files: Files,
}

impl Device {
    /// Makes a store in a folder that has none, without a profile. Blocks on the disk.
    ///
    /// # Errors
    /// [`OpenError::Exists`], [`OpenError::WrongKey`] when `header` was made for another key, or another
    /// [`OpenError`]; the folder then has no store, as before.
    pub fn create(
        folder: &Path,
        header: &StoreHeader,
        key: &StoreKey,
        fresh: Fresh,
        options: Options,
    ) -> Result<(Self, Opened), OpenError> {
        Self::make(folder, header, key, None, fresh, options)
    }

    /// Makes a store of a device with this profile in a folder that has none: both or neither, however the process
    /// ends. What an interrupted making left is removed. Blocks on the disk.
    ///
    /// # Errors
    /// As [`Device::create`].
    pub fn create_for(
        profile: &Profile,
        folder: &Path,
        header: &StoreHeader,
        key: &StoreKey,
        fresh: Fresh,
        options: Options,
    ) -> Result<(Self, Opened), OpenError> {
        Self::make(folder, header, key, Some(profile), fresh, options)
    }

    fn make(
        folder: &Path,
        header: &StoreHeader,
        key: &StoreKey,
        profile: Option<&Profile>,
        fresh: Fresh,
        options: Options,
    ) -> Result<(Self, Opened), OpenError> {
        let files = Files::new(folder);
        header.verify(key)?;
        files.make_folder()?;
        let lock = Lock::take(&files)?;
        file::room::look(files.folder(), 0)?;
        let making = Making::begin(&files, &lock)?;
        let made = header.write(&files.header()).and_then(|()| {
            let (device, opened) = Self::start(files.clone(), header, key, lock, fresh, options)?;
            if let Some(profile) = profile {
                let mut connection = device.engine.connection()?;
                let transaction = connection.transaction()?;
                profile::put_profile(&transaction, profile)?;
                transaction.commit()?;
                device.engine.keep(connection);
            }
            Ok((device, opened))
        });
        match made {
            Ok(made) => making.end().map(|()| made),
            Err(error) => {
                // The lock went with the database.
                if let Ok(lock) = Lock::take(&files) {
                    making.give_up(&files, &lock);
                }
                Err(error)
            }
        }
    }

    /// Whether the making of a store in this folder was interrupted, or is under way: making one removes what it left.
    #[must_use]
    pub fn is_unfinished(folder: &Path) -> bool {
        file::making::is_unfinished(&Files::new(folder))
    }

    /// Opens the store of a folder. Blocks on the disk. A missing database (one that was set aside) is made anew, with
    /// a new incarnation.
    ///
    /// # Errors
    /// [`OpenError::Absent`] or [`OpenError::Unfinished`] when there is no store, [`OpenError::WrongKey`] before the
    /// database is touched, or another [`OpenError`].
    pub fn open(folder: &Path, key: &StoreKey, fresh: Fresh, options: Options) -> Result<(Self, Opened), OpenError> {
        let files = Files::new(folder);
        file::making::require_finished(&files)?;
        let header = match StoreHeader::read(&files.header())? {
            Some(header) => header,
            None if files.database().exists() => return Err(OpenError::Header),
            None => return Err(OpenError::Absent),
        };
        header.verify(key)?;
        let lock = Lock::take(&files)?;
        Self::start(files, &header, key, lock, fresh, options)
    }

    /// Whether a folder holds a device's store, and with which salt and parameters its key is made.
    ///
    /// # Errors
    /// [`OpenError::Header`], [`OpenError::Newer`] or an I/O error.
    pub fn header(folder: &Path) -> Result<Option<StoreHeader>, OpenError> {
        StoreHeader::read(&Files::new(folder).header())
    }

    fn start(
        files: Files,
        header: &StoreHeader,
        key: &StoreKey,
        lock: Lock,
        fresh: Fresh,
        options: Options,
    ) -> Result<(Self, Opened), OpenError> {
        let key = options.signed.then_some((key, header.salt));
        let opening = Opening { files: &files, kind: Kind::Device, key, fresh, renew: false, options };
        let (engine, opened) = Engine::start(&opening, lock)?;
        let engine = Arc::new(engine);
        let replica = SqliteReplica::on(Arc::clone(&engine), opened.instance);
        Ok((Self { engine, replica, files }, opened))
    }

    /// The key under which this store is encrypted.
    ///
    /// # Panics
    /// Never: a device's store is opened with a key.
    #[must_use]
    pub fn key(&self) -> &StoreKey {
        self.engine.key().expect("a device's store is opened with a key")
    }

    /// The log in this store.
    #[must_use]
    pub const fn replica(&self) -> &SqliteReplica {
        &self.replica
    }

    /// Where the files lie.
    #[must_use]
    pub const fn files(&self) -> &Files {
        &self.files
    }

    /// Finishes what was asked for and closes the database; every later call answers [`StoreError::Closed`]. Blocks on
    /// the disk. A phone does this before it is suspended, and opens again afterwards.
    pub fn close(&self) {
        self.engine.close();
    }

    /// Begins a new incarnation, because a peer holds more of this device's log than it does itself, or a fork of it
    /// became known. `incarnation`: 16 random bytes.
    ///
    /// # Errors
    /// [`OpenError`]. If the marker could not be written, the next opening begins another incarnation.
    pub async fn new_incarnation(&self, incarnation: Incarnation) -> Result<Opened, OpenError> {
        let renewed = self.engine.write(1, 0, move |connection| file::renew(connection, incarnation)).await?;
        // After the commit: the database goes first, then the marker.
        file::mark(&self.engine.marker(), &renewed)?;
        Ok(renewed)
    }

    /// Changes rows in one transaction, in order.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed.
    pub async fn apply(&self, ops: Vec<DeviceOp>) -> Result<(), StoreError> {
        let (rows, bytes) = ops::weight(&ops);
        self.engine.write(rows, bytes, move |connection| ops::apply(connection, &ops)).await
    }

    /// Appends this device's own entries and changes rows in one transaction: all of it or nothing. Called through
    /// [`crate::Spaces::persist_with`], so that sessions hear of it.
    ///
    /// # Errors
    /// [`AppendError::NotTaken`] unless every item is new: a device never writes beside what it wrote before.
    pub async fn append(
        &self,
        batch: Batch,
        rosters: Vec<Roster>,
        ops: Vec<DeviceOp>,
    ) -> Result<Persisted, AppendError> {
        append::append(&self.engine, &self.replica, batch, rosters, ops).await
    }
}
