//! One process per store.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};

use super::Files;
use crate::error::OpenError;

/// Held while a store is open. The operating system releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock and writes this process's id into it.
    ///
    /// # Errors
    /// [`OpenError::Busy`] with the holder's process id, or an I/O error.
    pub fn take(files: &Files) -> Result<Self, OpenError> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(files.lock())?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // A holder that has not written its id yet is a holder all the same.
                let pid = (&file).take(16).read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(OpenError::Busy { pid });
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // A full disk takes no id; the lock holds without it.
        let told = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
        if let Err(error) = told {
            tracing::warn!(%error, "the lock file does not name this process");
        }
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Emptied, so that nobody reads the id of a process that is gone. The lock itself goes with the file.
        if let Err(error) = self.file.set_len(0) {
            tracing::warn!(%error, "the lock file could not be emptied");
        }
        // Said, not left to the closing: a child that this process is just starting holds the file for a moment, too.
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the lock could not be released");
        }
    }
}
