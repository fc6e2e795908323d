//! Sealed backups: one file with the header and a consistent copy of the encrypted database. Whoever knows the
//! passphrase can restore it anywhere; the marker is not in it, so that a restored store begins a new incarnation.
//!
//! ```text
//! magic ‖ version (1) ‖ header length (u32) ‖ header file ‖ database length (u64) ‖ database ‖ BLAKE3 of all before (32)
//! ```

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use super::Device;
use crate::error::OpenError;
use crate::file::making::Making;
use crate::file::{Files, Lock, StoreHeader, require_sound, room, sync_folder};

const MAGIC: &[u8; 16] = b"alliance backup\0";
const VERSION: u8 = 1;
/// Length of a header file in a backup.
const HEADER_BYTES_MAX: u32 = 4 * 1024;
const COPY_BYTES: usize = 64 * 1024;

/// Why a backup was not restored. The folder holds no store then.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// It is not a backup.
    #[error("this is not a backup")]
    NotABackup,
    /// It was made by a newer version.
    #[error("the backup was made by a newer version (format {0})")]
    Newer(u8),
    /// It is cut short or damaged.
    #[error("the backup is damaged")]
    Damaged,
    /// The folder cannot take it.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<io::Error> for RestoreError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::Damaged } else { Self::Open(error.into()) }
    }
}

impl Device {
    /// Writes a backup of the store as it is at this moment, drafts included; writing goes on meanwhile. Blocks on the
    /// disk. A copy of the database lies in the store's folder until it is written out.
    ///
    /// # Errors
    /// [`OpenError::LowStorage`] or another [`OpenError`].
    pub fn backup_to(&self, out: &mut dyn Write) -> Result<(), OpenError> {
        let scratch = self.files.folder().join("store.backup");
        remove_if_there(&scratch)?;
        room::look(self.files.folder(), fs::metadata(self.files.database())?.len())?;
        let written = self.snapshot(&scratch).and_then(|()| self.write_backup(&scratch, out));
        remove_if_there(&scratch)?;
        written
    }

    /// A consistent copy of the database under the same key.
    fn snapshot(&self, to: &Path) -> Result<(), OpenError> {
        let connection = self.engine.connection()?;
        let name = to.to_str().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
        connection.execute("vacuum into ?1", [name])?;
        // A backup of zeros would be worse than none.
        Ok(require_sound(&connection)?)
    }

    fn write_backup(&self, database: &Path, out: &mut dyn Write) -> Result<(), OpenError> {
        let header = fs::read(self.files.header())?;
        let mut file = File::open(database)?;
        let len = file.metadata()?.len();
        let mut out = Hashing { inner: out, hasher: blake3::Hasher::new() };
        out.write_all(MAGIC)?;
        out.write_all(&[VERSION])?;
        out.write_all(&u32::try_from(header.len()).map_err(|_| OpenError::Header)?.to_be_bytes())?;
        out.write_all(&header)?;
        out.write_all(&len.to_be_bytes())?;
        io::copy(&mut file, &mut out)?;
        let hash = *out.hasher.finalize().as_bytes();
        out.inner.write_all(&hash)?;
        out.inner.flush()?;
        Ok(())
    }
}

/// Restores a backup into a folder that has no store. It is opened with the passphrase of the store that it was made
/// of. Blocks on the disk.
///
/// # Errors
/// [`RestoreError`]; the folder then has no store, as before.
pub fn restore(folder: &Path, from: &mut dyn Read) -> Result<(), RestoreError> {
    let files = Files::new(folder);
    files.make_folder().map_err(OpenError::from)?;
    let lock = Lock::take(&files)?;
    let making = Making::begin(&files, &lock)?;
    let beside = folder.join("store.restore");
    let restored = File::create(&beside).map_err(RestoreError::from).and_then(|mut database| {
        let header = read_backup(from, &mut database)?;
        database.sync_all()?;
        // No marker: an old one would vouch for a database that it never saw.
        remove_if_there(&files.marker())?;
        fs::rename(&beside, files.database())?;
        header.write(&files.header())?;
        Ok(sync_folder(&files.database())?)
    });
    let removed = remove_if_there(&beside).map_err(RestoreError::from);
    match restored.and(removed) {
        Ok(()) => Ok(making.end()?),
        Err(error) => {
            making.give_up(&files, &lock);
            Err(error)
        }
    }
}

/// Reads a backup and checks that it is whole; its encrypted database goes to `database` piece by piece.
///
/// # Errors
/// [`RestoreError`]; what went to `database` is then worth nothing.
pub fn read_backup(from: &mut dyn Read, database: &mut dyn Write) -> Result<StoreHeader, RestoreError> {
    let mut hasher = blake3::Hasher::new();
    let header = read_head(from, &mut hasher)?;
    let mut left = u64::from_be_bytes(take(from, &mut hasher)?);
    let mut buffer = vec![0; COPY_BYTES];
    while left > 0 {
        let part = usize::try_from(left).unwrap_or(COPY_BYTES).min(COPY_BYTES);
        from.read_exact(&mut buffer[..part])?;
        hasher.update(&buffer[..part]);
        database.write_all(&buffer[..part])?;
        left -= part as u64;
    }
    let computed = *hasher.finalize().as_bytes();
    let stored: [u8; 32] = take(from, &mut hasher)?;
    if computed != stored {
        return Err(RestoreError::Damaged);
    }
    Ok(header)
}

/// The header at the beginning of a backup: how the store is opened that it was made of. The rest is not looked at.
///
/// # Errors
/// [`RestoreError`].
pub fn backup_header(from: &mut dyn Read) -> Result<StoreHeader, RestoreError> {
    read_head(from, &mut blake3::Hasher::new())
}

fn read_head(from: &mut dyn Read, hasher: &mut blake3::Hasher) -> Result<StoreHeader, RestoreError> {
    let start: [u8; MAGIC.len() + 1] = take(from, hasher).map_err(|_| RestoreError::NotABackup)?;
    if start[..MAGIC.len()] != MAGIC[..] {
        return Err(RestoreError::NotABackup);
    }
    if start[MAGIC.len()] != VERSION {
        return Err(RestoreError::Newer(start[MAGIC.len()]));
    }
    let len = u32::from_be_bytes(take(from, hasher)?);
    if len > HEADER_BYTES_MAX {
        return Err(RestoreError::Damaged);
    }
    let mut header = vec![0; len as usize];
    from.read_exact(&mut header)?;
    hasher.update(&header);
    StoreHeader::parse(&header).map_err(|_| RestoreError::Damaged)
}

fn take<const N: usize>(from: &mut dyn Read, hasher: &mut blake3::Hasher) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    hasher.update(&bytes);
    Ok(bytes)
}

fn remove_if_there(path: &Path) -> Result<(), OpenError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

struct Hashing<'a> {
    inner: &'a mut dyn Write,
    hasher: blake3::Hasher,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
