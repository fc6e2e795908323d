//! A small file in two copies, so that one flipped bit in it loses nothing: `name` and `name.copy`, each with a checksum
//! of its own. What cannot be read is written anew from the other.

use std::io;
use std::path::{Path, PathBuf};

use super::small::{self, SmallError};

/// Where the second copy of a small file lies.
#[must_use]
pub fn copy_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(".copy");
    PathBuf::from(name)
}

/// Writes both copies durably, the first one first.
///
/// # Errors
/// An I/O error.
pub fn write(path: &Path, magic: &[u8], version: u8, body: &[u8]) -> io::Result<()> {
    let bytes = small::encode(magic, version, body);
    small::write(path, &bytes)?;
    small::write(&copy_of(path), &bytes)
}

/// Reads what both copies say, and mends the one that is damaged, missing or older from the other; absent when there is
/// neither.
///
/// # Errors
/// [`SmallError::Damaged`] when neither can be read, [`SmallError::Newer`] when the first was written by a newer
/// version (nothing is mended then), or an I/O error.
pub fn read(path: &Path, magic: &[u8], version: u8) -> Result<Option<Vec<u8>>, SmallError> {
    let copy = copy_of(path);
    let (first, second) = (small::read(path, magic, version), small::read(&copy, magic, version));
    match (first, second) {
        (Ok(Some(body)), Ok(Some(same))) if same == body => Ok(Some(body)),
        // A crash between the two leaves the first one newer.
        (Ok(Some(body)), Ok(_) | Err(SmallError::Damaged)) => {
            mend(&copy, magic, version, &body);
            Ok(Some(body))
        }
        (Ok(None) | Err(SmallError::Damaged), Ok(Some(body))) => {
            mend(path, magic, version, &body);
            Ok(Some(body))
        }
        (Ok(None), Ok(None)) => Ok(None),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

/// What was read holds without it: a disk that takes no writing is no reason to refuse it.
fn mend(path: &Path, magic: &[u8], version: u8, body: &[u8]) {
    match small::write(path, &small::encode(magic, version, body)) {
        Ok(()) => tracing::warn!(path = %path.display(), "a copy was damaged or missing and is written anew"),
        Err(error) => tracing::warn!(path = %path.display(), %error, "a copy is damaged and cannot be written anew"),
    }
}
