//! What can go wrong with a store, by operation.

use std::io;

/// Why a store cannot be opened, created, set aside or restored. Nothing was changed, unless a variant says so.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another part of this one, has the store open.
    #[error("the store is in use{}", .pid.map(|pid| format!(" by process {pid}")).unwrap_or_default())]
    Busy {
        /// The holder, when it could be read.
        pid: Option<u32>,
    },
    /// The passphrase is not the one that this store was made with.
    #[error("the passphrase is not the one of this store")]
    WrongKey,
    /// A newer version of the program wrote this store. Not a byte was changed.
    #[error("the store was written by a newer version (schema {found}; this one knows {known})")]
    Newer {
        /// Version found.
        found: u32,
        /// Newest version that this program knows.
        known: u32,
    },
    /// The database is not readable: see [`crate::file::quarantine`].
    #[error("the database is damaged")]
    Damaged,
    /// The database belongs to the other kind of replica: a device's and a relay's hold different tables.
    #[error("the database belongs to another kind of replica")]
    OtherKind,
    /// There is a database, but its header file (salt and parameters of the passphrase) is gone or damaged.
    #[error("the header file beside the database is missing or damaged")]
    Header,
    /// There is no store in this folder.
    #[error("there is no store in this folder")]
    Absent,
    /// There is no store in this folder, but what an interrupted making of one left; making one again removes it.
    #[error("the making of a store in this folder was interrupted")]
    Unfinished,
    /// There is a store in this folder already.
    #[error("there is a store in this folder already")]
    Exists,
    /// No room left on the disk.
    #[error("no room left on the disk")]
    LowStorage,
    /// The disk can only be read.
    #[error("the disk can only be read")]
    ReadOnly,
    /// The folder or a file in it could not be read or written.
    #[error("the folder of the store: {0}")]
    Io(io::Error),
    /// SQLite failed in another way.
    #[error("the database could not be opened (SQLite result code {code})")]
    Database {
        /// Extended result code.
        code: i32,
    },
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            Self::LowStorage
        } else if error.kind() == io::ErrorKind::ReadOnlyFilesystem {
            Self::ReadOnly
        } else {
            Self::Io(error)
        }
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LowStorage => Self::LowStorage,
            StoreError::ReadOnly => Self::ReadOnly,
            StoreError::Damaged | StoreError::Shape(_) => Self::Damaged,
            StoreError::Closed => Self::Absent,
            StoreError::Database { code } => Self::Database { code },
        }
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::from(error).into()
    }
}

/// Why an open store did not answer. What was asked for did not happen, wholly or in part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Less room on the disk than [`crate::file::STORAGE_RESERVE_BYTES`]. The store stays usable: reading works, and
    /// writing once there is room.
    #[error("no room left on the disk")]
    LowStorage,
    /// The disk can only be read, or has become so. Reading goes on as far as it needs no file to be written.
    #[error("the disk can only be read")]
    ReadOnly,
    /// The database is damaged: close it and see [`crate::file::quarantine`].
    #[error("the database is damaged")]
    Damaged,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// A stored value is not of the form in which it was written.
    #[error("a stored value is damaged: {0}")]
    Shape(&'static str),
    /// SQLite failed in another way.
    #[error("the database could not be read or written (SQLite result code {code})")]
    Database {
        /// Extended result code.
        code: i32,
    },
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error;
        use rusqlite::ffi::ErrorCode;
        let Some(inner) = error.sqlite_error() else {
            let shape = matches!(
                error,
                Error::InvalidColumnType(..) | Error::FromSqlConversionFailure(..) | Error::IntegralValueOutOfRange(..)
            );
            return if shape { Self::Shape("a column") } else { Self::Database { code: 0 } };
        };
        if inner.code == ErrorCode::DiskFull {
            Self::LowStorage
        } else if inner.code == ErrorCode::ReadOnly {
            Self::ReadOnly
        } else if matches!(inner.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::OutOfMemory) {
            // SQLCipher says "out of memory" where a page does not bear its signature; a real lack ends the process.
            Self::Damaged
        } else {
            Self::Database { code: inner.extended_code }
        }
    }
}
