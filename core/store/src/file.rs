//! The files of a store and the rules by which they are opened.
//!
//! | file | what it is |
//! |---|---|
//! | `store.db` (`-wal`, `-shm`) | the database |
//! | `store.head` | a device's only: salt and parameters of the passphrase, and a value that proves the right key |
//! | `marker` | the incarnation marker (docs/PROTOCOL.md section 1); no backup takes it along |
//! | `store.lock` | held while the store is open; names the holder's process |
//! | `store.db.quarantine-<n>` | damaged databases, set aside and never deleted |

pub mod header;
mod identity;
mod lock;
mod marker;
pub(crate) mod migrations;
mod open;
mod quarantine;
pub(crate) mod small;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::Disk;
pub use header::{Kdf, StoreHeader, StoreKey};
pub use identity::{Fresh, Opened};
pub(crate) use identity::{mark, renew};
pub use lock::Lock;
pub use marker::Marker;
pub use migrations::version as schema_version;
pub(crate) use open::{Kind, Opening, connect, open, open_raw};
pub use quarantine::quarantine;
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

    /// The incarnation marker.
    #[must_use]
    pub fn marker(&self) -> PathBuf {
        self.folder.join("marker")
    }

    /// The lock.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.folder.join("store.lock")
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
    /// What stands between the store and its disk in a simulation; absent everywhere else. With it the store has no
    /// threads.
    pub disk: Option<Arc<dyn Disk>>,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 3, pages_max: None, disk: None }
    }
}
