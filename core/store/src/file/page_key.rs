//! The key of a relay's databases.
//!
//! What a relay holds is sealed already, and whoever reads its folder reads this key as well: no secret is kept by it.
//! It makes SQLCipher sign every page, indexes, free pages and tokens included, so that a flipped bit is an error and
//! never another answer (docs/decisions/0009-relay-pages-are-keyed.md).

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::OpenFlags;
use zeroize::Zeroizing;

use super::header::StoreKey;
use super::small::{SmallError, sync_folder};
use super::{Files, open, pair, wal};
use crate::error::OpenError;

const MAGIC: &[u8] = b"alliance page key\0";
const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const SALT_BYTES: usize = 16;
/// How a database begins that has no key.
const PLAIN: &[u8; 16] = b"SQLite format 3\0";

/// Key and salt of the databases in one relay's folder.
#[derive(Debug, Clone)]
pub(crate) struct PageKey {
    key: StoreKey,
    salt: [u8; SALT_BYTES],
}

impl PageKey {
    /// The key of a folder, made where it has none yet.
    ///
    /// # Errors
    /// [`OpenError::Header`] when both copies are damaged, or missing beside a database that was made with them.
    pub(crate) fn of(folder: &Path) -> Result<Self, OpenError> {
        if let Some(known) = Self::read(folder)? {
            return Ok(known);
        }
        // The operator's commands may come while the relay starts for the first time: one of them makes the key.
        let guard = File::open(folder)?;
        guard.lock()?;
        if let Some(known) = Self::read(folder)? {
            return Ok(known);
        }
        for name in ["store.db", "operator.db"] {
            let path = folder.join(name);
            if fs::metadata(&path).is_ok_and(|meta| meta.len() > 0) && !is_plain(&path)? {
                return Err(OpenError::Header);
            }
        }
        let random: Vec<u8> =
            open::open_raw(":memory:", OpenFlags::default())?
                .query_row("select randomblob(48)", [], |row| row.get(0))?;
        let random = Zeroizing::new(random);
        pair::write(&folder.join("store.key"), MAGIC, VERSION, &random)?;
        Self::parse(&random)
    }

    /// The key of a folder, if it has one.
    ///
    /// # Errors
    /// [`OpenError::Header`] when both copies are damaged.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, OpenError> {
        match pair::read(&folder.join("store.key"), MAGIC, VERSION) {
            Ok(body) => body.map(|body| Self::parse(&Zeroizing::new(body))).transpose(),
            Err(SmallError::Damaged) => Err(OpenError::Header),
            Err(SmallError::Newer(found)) => Err(OpenError::Newer { found: found.into(), known: VERSION.into() }),
            Err(SmallError::Io(error)) => Err(error.into()),
        }
    }

    fn parse(body: &[u8]) -> Result<Self, OpenError> {
        let (key, salt) = body.split_at_checked(KEY_BYTES).ok_or(OpenError::Header)?;
        let key = key.try_into().map_err(|_| OpenError::Header)?;
        let salt = salt.try_into().map_err(|_| OpenError::Header)?;
        Ok(Self { key: StoreKey::new(key), salt })
    }

    /// As a connection takes it.
    pub(crate) const fn access(&self) -> (&StoreKey, [u8; SALT_BYTES]) {
        (&self.key, self.salt)
    }

    /// Puts a database that has no key, as earlier versions made it, under this one. The old file stays as it is until
    /// the new one is whole. Nothing happens to one that has a key, is empty or is not there.
    ///
    /// # Errors
    /// [`OpenError::Newer`] for a schema beyond `known`, which is left as it was; [`OpenError`].
    pub(crate) fn take_over(&self, database: &Path, known: u32) -> Result<(), OpenError> {
        if !is_plain(database)? {
            return Ok(());
        }
        let (_, found) = open::peek(database, None)?;
        if found > known {
            return Err(OpenError::Newer { found, known });
        }
        let beside = beside(database);
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        self.export(database, &beside)?;
        File::open(&beside)?.sync_all()?;
        fs::rename(&beside, database)?;
        Ok(sync_folder(database)?)
    }

    fn export(&self, database: &Path, to: &Path) -> Result<(), OpenError> {
        let connection = open::open_raw(
            database,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.pragma_update(None, "busy_timeout", 5_000)?;
        // All that was committed goes into the one file, and nobody else has it open: or this fails.
        let mode: String = connection.query_row("pragma journal_mode = delete", [], |row| row.get(0))?;
        // An empty log is none: an earlier try emptied it and could not remove it.
        if mode != "delete" || fs::metadata(wal::log_of(database)).is_ok_and(|meta| meta.len() > 0) {
            return Err(OpenError::Busy { pid: None });
        }
        let verdict: String = connection.query_row("pragma integrity_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(OpenError::Damaged);
        }
        let name = to.to_str().ok_or_else(|| std::io::Error::from(std::io::ErrorKind::InvalidFilename))?;
        let hex = open::raw_key(self.access());
        connection.execute("attach database ?1 as keyed key ?2", (name, hex.as_str()))?;
        // Begun anew if it does not come to its end, and brought to the disk as a whole before it is put in place: each
        // statement of the copy need not be.
        connection.execute_batch("pragma keyed.journal_mode = off; pragma keyed.synchronous = off")?;
        connection.query_row("select sqlcipher_export('keyed')", [], |_| Ok(()))?;
        for pragma in ["application_id", "user_version"] {
            let value: u32 = connection.query_row(&format!("pragma main.{pragma}"), [], |row| row.get(0))?;
            connection.execute_batch(&format!("pragma keyed.{pragma} = {value}"))?;
        }
        connection.execute_batch("detach database keyed")?;
        Ok(())
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_os_string();
    name.push(".keying");
    PathBuf::from(name)
}

/// Whether there is a database without a key.
pub(crate) fn is_plain(database: &Path) -> Result<bool, OpenError> {
    let mut file = match File::open(database) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        other => other?,
    };
    let mut start = [0; PLAIN.len()];
    match file.read_exact(&mut start) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        other => Ok(other.map(|()| start == *PLAIN)?),
    }
}

/// The key under which a database of a relay's folder is read: none for one that has none.
///
/// # Errors
/// [`OpenError::Header`] when it has one that cannot be read.
pub(crate) fn key_for(files: &Files, database: &Path) -> Result<Option<PageKey>, OpenError> {
    if is_plain(database)? {
        return Ok(None);
    }
    PageKey::read(files.folder())?.map(Some).ok_or(OpenError::Header)
}
