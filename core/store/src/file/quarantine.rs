//! Setting a damaged database aside. Nothing is ever deleted: what was not sent can still be salvaged from it.

use std::fs;
use std::path::{Path, PathBuf};

use super::small::sync_folder;
use super::{Files, Lock};
use crate::error::OpenError;

/// How many damaged databases a folder keeps.
const QUARANTINES_MAX: u32 = 1_000;

/// Renames the database of this folder, with its `-wal` and `-shm` files, to `store.db.quarantine-<n>` and answers
/// where it lies now. A copy of the header goes with it, so that the same passphrase still opens it. The next opening
/// makes a new database, and with it a new incarnation.
///
/// # Errors
/// [`OpenError::Busy`] while the store is open, [`OpenError::Absent`] when there is no database, or an I/O error.
pub fn quarantine(folder: &Path) -> Result<PathBuf, OpenError> {
    let files = Files::new(folder);
    if !files.database().exists() {
        return Err(OpenError::Absent);
    }
    let _lock = Lock::take(&files)?;
    let aside = free_name(&files)?;
    // The write-ahead log first: a crash in between leaves a database without its newest part, which the next call
    // sets aside under the next number; the other order would pair an old log with a new database.
    for suffix in ["-wal", "-shm", ""] {
        let from = with_suffix(&files.database(), suffix);
        if from.exists() {
            fs::rename(&from, with_suffix(&aside, suffix))?;
        }
    }
    if files.header().exists() {
        fs::copy(files.header(), with_suffix(&aside, ".head"))?;
    }
    sync_folder(&aside)?;
    Ok(aside)
}

/// Puts another database in the place of this one, which stays under its quarantine name with its write-ahead log and a
/// copy of its header. A crash at any moment leaves the damaged one or the new one in place, never a mixture, and the
/// damaged one under the other name in either case. The marker goes: whichever is opened next begins a new incarnation.
/// Hold the store's lock.
///
/// # Errors
/// An I/O error.
pub(crate) fn replace(files: &Files, new: &Path) -> Result<PathBuf, OpenError> {
    fs::File::open(new)?.sync_all()?;
    let aside = free_name(files)?;
    for suffix in ["-wal", ""] {
        let from = with_suffix(&files.database(), suffix);
        if from.exists() {
            let to = with_suffix(&aside, suffix);
            // Not every file system has links.
            fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(|_| ()))?;
        }
    }
    if files.header().exists() {
        fs::copy(files.header(), with_suffix(&aside, ".head"))?;
    }
    sync_folder(&aside)?;
    for path in [files.marker(), with_suffix(&files.database(), "-wal"), with_suffix(&files.database(), "-shm")] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        sync_folder(&path)?;
    }
    fs::rename(new, files.database())?;
    sync_folder(&aside)?;
    Ok(aside)
}

fn free_name(files: &Files) -> Result<PathBuf, OpenError> {
    (1..=QUARANTINES_MAX)
        .map(|n| with_suffix(&files.database(), &format!(".quarantine-{n}")))
        .find(|path| !path.exists() && !with_suffix(path, "-wal").exists())
        .ok_or(OpenError::Exists)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(suffix);
    PathBuf::from(name)
}
