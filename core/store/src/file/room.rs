//! Room on the disk: looked at before a write, so that the last of it is never what a commit runs into.

use std::path::Path;

use crate::error::StoreError;

/// Bytes that stay free on the disk of a store, at the least: with less, nothing is written. A group of the writer
/// ([`crate::engine`]) is at most some 3 MiB in the write-ahead log with its indexes, and a checkpoint writes the log's
/// 4 MiB once more into the database. What is left is for opening, for closing, and for whoever frees space.
pub const STORAGE_RESERVE_BYTES: u64 = 8 * 1024 * 1024;

/// `Err` unless so many bytes can be written and the reserve stays. Where the system does not say how much is free,
/// the write itself will.
///
/// # Errors
/// [`StoreError::LowStorage`].
pub(crate) fn look(folder: &Path, bytes: u64) -> Result<(), StoreError> {
    match free(folder) {
        Some(free) if free < STORAGE_RESERVE_BYTES.saturating_add(bytes) => Err(StoreError::LowStorage),
        _ => Ok(()),
    }
}

/// Bytes that opening a database for writing takes: the log's shared index, a commit with the count of openings, the
/// marker and where tables begin, some 100 KiB; and room for a checkpoint's surprises.
const OPENING_BYTES: u64 = 1024 * 1024;

/// Whether there is not even room to open a database for writing.
pub(crate) fn is_too_full_to_open(folder: &Path) -> bool {
    free(folder).is_some_and(|free| free < OPENING_BYTES)
}

/// `Err` where the disk was mounted to be read only: SQLite itself would say that it cannot open the file.
///
/// # Errors
/// [`StoreError::ReadOnly`].
#[cfg(unix)]
pub(crate) fn writable(folder: &Path) -> Result<(), StoreError> {
    let read_only = |stat: rustix::fs::StatVfs| stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY);
    if rustix::fs::statvfs(folder).is_ok_and(read_only) { Err(StoreError::ReadOnly) } else { Ok(()) }
}

#[cfg(not(unix))]
pub(crate) fn writable(_: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// Bytes that this user may still write.
#[cfg(unix)]
pub(crate) fn free(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(not(unix))]
pub(crate) fn free(_: &Path) -> Option<u64> {
    None
}
