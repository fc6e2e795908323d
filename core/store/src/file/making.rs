//! The making of a device's store, which is whole or did not happen.
//!
//! `store.making` is durable before the first file of a new store and goes when all of it is durable, before anybody is
//! told that there is a store. A folder with it holds what an interrupted making left: a key that nobody was shown the
//! words of, and nothing that anybody wrote. Making a store again removes that. Where the file is not there nothing is
//! ever removed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::small::sync_folder;
use super::{Files, Lock, pair};
use crate::error::OpenError;

/// Held while a store is made, with its lock.
#[derive(Debug)]
pub(crate) struct Making {
    path: PathBuf,
}

impl Making {
    /// Begins, in a folder that has no store.
    ///
    /// # Errors
    /// [`OpenError::Exists`], or an I/O error.
    pub(crate) fn begin(files: &Files, _lock: &Lock) -> Result<Self, OpenError> {
        let path = files.making();
        if is_unfinished(files) {
            tracing::info!("what an interrupted making of a store left is removed");
            remove_all(files)?;
        } else {
            if [files.header(), pair::copy_of(&files.header()), files.database()].iter().any(|path| path.exists()) {
                return Err(OpenError::Exists);
            }
            File::create(&path)?.sync_all()?;
            sync_folder(&path)?;
        }
        Ok(Self { path })
    }

    /// All of the store is durable.
    ///
    /// # Errors
    /// An I/O error: the store is not made, then.
    pub(crate) fn end(self) -> Result<(), OpenError> {
        fs::remove_file(&self.path)?;
        Ok(sync_folder(&self.path)?)
    }

    /// Removes what was made so far; what cannot be removed the next making will.
    pub(crate) fn give_up(self, files: &Files, _lock: &Lock) {
        // Another process may have made a store here while the lock was let go of.
        if !is_unfinished(files) {
            return;
        }
        if let Err(error) = remove_all(files).and_then(|()| self.end()) {
            tracing::warn!(%error, "what an unfinished store left could not be removed");
        }
    }
}

/// Whether the making of a store in this folder is under way, or was interrupted.
pub(crate) fn is_unfinished(files: &Files) -> bool {
    files.making().exists()
}

/// `Err` where there is no store but what an interrupted making left.
///
/// # Errors
/// [`OpenError::Unfinished`]; [`OpenError::Busy`] while the store is being made.
pub(crate) fn require_finished(files: &Files) -> Result<(), OpenError> {
    if is_unfinished(files) {
        let _lock = Lock::take(files)?;
        if is_unfinished(files) {
            return Err(OpenError::Unfinished);
        }
    }
    Ok(())
}

/// Removes the files of a store. The header goes last: while it is there, so is the key of the rest.
fn remove_all(files: &Files) -> Result<(), OpenError> {
    let database = files.database();
    let beside = |suffix: &str| {
        let mut name = database.clone().into_os_string();
        name.push(suffix);
        PathBuf::from(name)
    };
    let header = files.header();
    let paths: [PathBuf; 9] = [
        files.folder().join("store.restore"),
        beside("-wal"),
        beside("-shm"),
        database.clone(),
        files.marker(),
        files.roots(),
        files.suspect(),
        header.clone(),
        pair::copy_of(&header),
    ];
    for path in &paths {
        remove(path)?;
    }
    Ok(sync_folder(&database)?)
}

fn remove(path: &Path) -> Result<(), OpenError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
