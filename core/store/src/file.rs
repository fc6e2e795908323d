//! The files of a store and the rules by which they are opened.
//!
//! | file | what it is |
//! |---|---|
//! | `store.db` (`-wal`, `-shm`) | the database |
//! | `store.head` | a device's only: salt and parameters of the passphrase, and a value that proves the right key |
//! | `store.pin`, `store.pin.copy` | a profile's only: the key under a PIN, and the nickname ([`pin`]) |
//! | `store.help`, `store.help.copy` | a profile's only: the key under two shares, one of them a helper's ([`help`]) |
//! | `store.tries` | a profile's only: how many wrong PINs were tried ([`tries`]) |
//! | `store.kept` | one half of the key, where a keyring keeps the other; no backup takes it along |
//! | `store.key` | a relay's only: the key under which its databases' pages are signed ([`page_key`]) |
//! | `store.head.copy`, `store.key.copy` | the same once more ([`pair`]) |
//! | `store.making` | a device's store is being made, or its making was interrupted (`making`) |
//! | `marker` | the incarnation marker (docs/PROTOCOL.md section 1); no backup takes it along |
//! | `store.roots` | where each table begins, for a salvage ([`roots`]) |
//! | `store.suspect` | there when a page could not be read: the next opening looks at all of them |
//! | `store.lock` | held while the store is open; names the holder's process |
//! | `bundles` | a folder of the client's: what waits in bundles, and what is carried for others |
//! | `store.db.quarantine-<n>` | damaged databases, set aside and never deleted |

pub mod header;
pub mod help;
mod identity;
mod kept;
mod lock;
pub(crate) mod making;
mod marker;
pub(crate) mod migrations;
mod open;
pub(crate) mod page_key;
pub mod pair;
pub mod pin;
mod quarantine;
pub(crate) mod room;
pub(crate) mod roots;
pub(crate) mod small;
pub mod tries;
pub(crate) mod wal;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use alliance_crypto::Rules;

use crate::disk::Disk;
pub use header::{Kdf, StoreHeader, StoreKey};
pub use identity::{Fresh, Opened};
pub(crate) use identity::{mark, renew};
pub use kept::KeptHalf;
pub use lock::Lock;
pub use marker::Marker;
pub use migrations::version as schema_version;
pub(crate) use open::{
    Kind, Opening, connect, connect_without_log, is_sound, look, open, open_for_reading, raw_key, require_sound,
    wipe_what_is_freed,
};
pub use quarantine::quarantine;
pub(crate) use quarantine::replace;
pub use room::STORAGE_RESERVE_BYTES;
pub use small::SmallError;
pub(crate) use small::sync_folder;

/// Where the files of one store lie.
#[derive(Debug, Clone)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// The store in this folder.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.folder.join("store.db")
    }

    /// The header of a device's store.
    #[must_use]
    pub fn header(&self) -> PathBuf {
        self.folder.join("store.head")
    }

    /// One half of the key, where a keyring keeps the other.
    #[must_use]
    pub fn kept(&self) -> PathBuf {
        self.folder.join("store.kept")
    }

    /// The key under a PIN.
    #[must_use]
    pub fn pin(&self) -> PathBuf {
        self.folder.join("store.pin")
    }

    /// What a locked profile left to be sent.
    #[must_use]
    pub fn outbox(&self) -> PathBuf {
        self.folder.join("store.outbox")
    }

    /// The key under two shares.
    #[must_use]
    pub fn help(&self) -> PathBuf {
        self.folder.join("store.help")
    }

    /// How many wrong PINs were tried.
    #[must_use]
    pub fn tries(&self) -> PathBuf {
        self.folder.join("store.tries")
    }

    /// The incarnation marker.
    #[must_use]
    pub fn marker(&self) -> PathBuf {
        self.folder.join("marker")
    }

    /// There while a device's store is made: what lies beside it is no store yet.
    pub(crate) fn making(&self) -> PathBuf {
        self.folder.join("store.making")
    }

    /// The lock.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.folder.join("store.lock")
    }

    /// Whether the write-ahead log holds frames that no longer fit ([`wal`]).
    pub(crate) fn log_is_cut(&self) -> std::io::Result<bool> {
        self.log_is_cut_of(&self.database())
    }

    /// The same of another database in the folder.
    pub(crate) fn log_is_cut_of(&self, database: &Path) -> std::io::Result<bool> {
        wal::holds_lost_frames(&wal::log_of(database))
    }

    /// Where tables begin ([`roots`]).
    pub(crate) fn roots(&self) -> PathBuf {
        self.folder.join("store.roots")
    }

    /// There when a page could not be read: the next opening looks at the whole database.
    pub(crate) fn suspect(&self) -> PathBuf {
        self.folder.join("store.suspect")
    }

    /// Makes the folder where it is missing, readable by its owner only.
    pub(crate) fn make_folder(&self) -> std::io::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.folder)
    }
}

/// How a store is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections that read beside the writer.
    pub readers: usize,
    /// The most pages of 4 KiB that the database may have; unlimited where absent. A full disk in miniature.
    pub pages_max: Option<u32>,
    /// Every page is encrypted and signed, so that a flipped bit in it is an error. False in tests only: it shows what
    /// a flipped bit does otherwise.
    pub signed: bool,
    /// What stands between the store and its disk in a simulation; absent everywhere else. With it the store has no
    /// threads.
    pub disk: Option<Arc<dyn Disk>>,
    /// [`Rules::ALL`] everywhere but in tests.
    pub rules: Rules,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 3, pages_max: None, signed: true, disk: None, rules: Rules::ALL }
    }
}
