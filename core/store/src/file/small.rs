//! Small files that are replaced as a whole: magic, version, body, checksum.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

/// No small file is larger, in bytes.
const BYTES_MAX: u64 = 4 * 1024;
/// Room for one, and for the look behind its end.
const READ_BYTES: usize = 5 * 1024;
/// Bytes of BLAKE3 at the end. They tell damage from content; they are no defence against a forger.
const CHECK_BYTES: usize = 8;

/// A small file that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SmallError {
    /// Damaged, or something else.
    #[error("damaged")]
    Damaged,
    /// Of a version that this program does not know.
    #[error("of version {0}")]
    Newer(u8),
    /// The file system failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The bytes of a small file.
pub(crate) fn encode(magic: &[u8], version: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(magic.len() + 1 + body.len() + CHECK_BYTES);
    bytes.extend_from_slice(magic);
    bytes.push(version);
    bytes.extend_from_slice(body);
    let check = blake3::hash(&bytes);
    bytes.extend_from_slice(&check.as_bytes()[..CHECK_BYTES]);
    bytes
}

/// Writes a small file durably: beside the old one first, then over it, then the folder.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    sync_folder(path)
}

/// Reads the body of a small file of exactly this version; absent when there is no file.
pub(crate) fn read(path: &Path, magic: &[u8], version: u8) -> Result<Option<Vec<u8>>, SmallError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // Some of them hold keys. Room for all of it at once: growing would leave parts in freed memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(READ_BYTES));
    file.take(BYTES_MAX).read_to_end(&mut bytes)?;
    parse(&bytes, magic, version).map(Some)
}

/// The body inside the bytes of a small file.
pub(crate) fn parse(bytes: &[u8], magic: &[u8], version: u8) -> Result<Vec<u8>, SmallError> {
    let rest = bytes.strip_prefix(magic).ok_or(SmallError::Damaged)?;
    let found = *rest.first().ok_or(SmallError::Damaged)?;
    let end = bytes.len().checked_sub(CHECK_BYTES).filter(|end| *end > magic.len()).ok_or(SmallError::Damaged)?;
    if blake3::hash(&bytes[..end]).as_bytes()[..CHECK_BYTES] != bytes[end..] {
        return Err(SmallError::Damaged);
    }
    if found != version {
        return Err(SmallError::Newer(found));
    }
    Ok(bytes[magic.len() + 1..end].to_vec())
}

/// Makes renames in the folder of `path` durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        #[cfg(unix)]
        Some(folder) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
