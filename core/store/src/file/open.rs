//! Opening a database: key, version, damage, pragmas, migrations, identity, in this order.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use zeroize::Zeroizing;

use super::identity::{self, Fresh, Opened};
use super::{Files, Lock, Options, StoreKey, migrations, room, roots, wal};
use crate::checkup;
use crate::error::{OpenError, StoreError};

/// How long a connection waits for a lock.
const BUSY: Duration = Duration::from_secs(5);
/// Databases up to this size are checked as a whole at every opening; larger ones page by page as they are read.
const CHECK_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// Which tables a database has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The log and a device's own tables.
    Device,
    /// The log.
    Relay,
}

impl Kind {
    /// SQLite's `application_id`: "ALLD" or "ALLR".
    pub(crate) const fn application_id(self) -> u32 {
        match self {
            Self::Device => 0x414c_4c44,
            Self::Relay => 0x414c_4c52,
        }
    }
}

/// What to open, and how.
#[derive(Debug)]
pub(crate) struct Opening<'a> {
    pub(crate) files: &'a Files,
    pub(crate) kind: Kind,
    /// Key and salt of an encrypted database.
    pub(crate) key: Option<(&'a StoreKey, [u8; 16])>,
    pub(crate) fresh: Fresh,
    /// Draw new ids even though database and marker agree.
    pub(crate) renew: bool,
    pub(crate) options: Options,
}

/// Opens or makes the database of a folder whose lock is held. Answers the writing connection.
pub(crate) fn open(opening: &Opening<'_>, _lock: &Lock) -> Result<(Connection, Opened), OpenError> {
    let path = opening.files.database();
    // Looked at before SQLite does, which drops what it does not take.
    let cut = opening.files.log_is_cut()?;
    if path.exists() {
        let (application, found) = peek(&path, opening.key)?;
        let known = migrations::version();
        if found > known {
            return Err(OpenError::Newer { found, known });
        }
        if found > 0 && application != opening.kind.application_id() {
            return Err(OpenError::OtherKind);
        }
    }
    let mut connection = connect(&path, opening.key, &opening.options, false)?;
    check(&connection, &path)?;
    migrations::migrate(&mut connection, opening.kind)?;
    if opening.kind == Kind::Device {
        // What is deleted is overwritten: drafts and erased text do not linger in free pages.
        connection.pragma_update(None, "secure_delete", true)?;
    }
    if cut {
        tracing::warn!("the write-ahead log was cut: what it ended with is lost here and comes back from peers");
    }
    // Where the log was cut, pages that were written back already may be newer than what it still gives.
    let suspect = opening.files.suspect();
    if cut || suspect.exists() {
        checkup::require_whole(&connection)?;
        if suspect.exists() {
            std::fs::remove_file(&suspect)?;
        }
    }
    // From here on nobody may rewrite the schema or SQLite's own tables, not even by a damaged statement.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    require_sound(&connection)?;
    roots::keep(&connection, &opening.files.roots())?;
    let opened = identity::raise(
        &connection,
        &opening.files.marker(),
        opening.fresh,
        opening.renew || cut,
        opening.options.rules,
    )?;
    Ok((connection, opened))
}

/// Opens a device's database for reading on a disk without room; no file is changed. What has to be changed before it
/// is read needs room first: an older schema, damage that was met before, a log that was cut.
pub(crate) fn open_for_reading(opening: &Opening<'_>, _lock: &Lock) -> Result<(Connection, Opened), OpenError> {
    let path = opening.files.database();
    let (application, found) = peek(&path, opening.key)?;
    let known = migrations::version();
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    if found > 0 && application != opening.kind.application_id() {
        return Err(OpenError::OtherKind);
    }
    if found < known || opening.files.suspect().exists() || opening.files.log_is_cut()? {
        return Err(OpenError::LowStorage);
    }
    let connection = alone(&path, opening.key)?;
    for (pragma, value) in [("temp_store", "memory"), ("cell_size_check", "true"), ("trusted_schema", "false")] {
        connection.pragma_update(None, pragma, value)?;
    }
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "query_only", true)?;
    check(&connection, &path)?;
    require_sound(&connection)?;
    let opened = identity::present(&connection)?.ok_or(OpenError::LowStorage)?;
    Ok((connection, opened))
}

/// Reads `application_id` and `user_version` without changing a byte of any file.
pub(super) fn peek(path: &Path, key: Option<(&StoreKey, [u8; 16])>) -> Result<(u32, u32), OpenError> {
    let connection = undisturbed(path, key)?;
    let application = connection.query_row("pragma application_id", [], |row| row.get(0))?;
    let version = connection.query_row("pragma user_version", [], |row| row.get(0))?;
    Ok((application, version))
}

/// Opens a database that nobody else has open so that no file is changed.
fn undisturbed(path: &Path, key: Option<(&StoreKey, [u8; 16])>) -> Result<Connection, OpenError> {
    let pending = std::fs::metadata(wal::log_of(path)).is_ok_and(|meta| meta.len() > 0);
    if pending {
        alone(path, key)
    } else {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | NO_MUTEX;
        let connection = open_raw(immutable_uri(path), flags)?;
        apply_key(&connection, key)?;
        Ok(connection)
    }
}

/// Opens a database with what was committed last, which lies in the write-ahead log. Exclusive locking keeps the log's
/// index in memory, and no checkpoint runs at the end, so that neither file changes.
fn alone(path: &Path, key: Option<(&StoreKey, [u8; 16])>) -> Result<Connection, OpenError> {
    let connection = open_raw(path, OpenFlags::SQLITE_OPEN_READ_WRITE | NO_MUTEX)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    apply_key(&connection, key)?;
    connection.pragma_update(None, "locking_mode", "exclusive")?;
    Ok(connection)
}

/// Opens a database for reading, beside whoever has it open, or `alone`: then no file is changed.
pub(crate) fn look(path: &Path, key: Option<(&StoreKey, [u8; 16])>, alone: bool) -> Result<Connection, OpenError> {
    if alone {
        return undisturbed(path, key);
    }
    let connection = open_raw(path, OpenFlags::SQLITE_OPEN_READ_WRITE | NO_MUTEX)?;
    apply_key(&connection, key)?;
    // Reading a write-ahead log takes its shared index, which a read-only connection may not make.
    connection.pragma_update(None, "query_only", true)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

const NO_MUTEX: OpenFlags = OpenFlags::SQLITE_OPEN_NO_MUTEX;

/// Opens a connection once the library stands. Every connection of this crate is opened here.
///
/// SQLite initialises itself at the first opening and calls itself initialised before SQLCipher, which it starts last,
/// is: a thread that opened at that moment would be told that `pragma key` is an error. So the first opening is one
/// for itself, and the others wait for it.
///
/// OpenSSL is started before SQLCipher starts it, without its cleaning up at exit: that frees what threads still use
/// which end at the same moment, such as those of an async runtime, and a program that had done its work then died by a
/// signal, one time in some hundreds.
pub(crate) fn open_raw(path: impl AsRef<Path>, flags: OpenFlags) -> rusqlite::Result<Connection> {
    static STANDS: OnceLock<()> = OnceLock::new();
    STANDS.get_or_init(|| {
        openssl_sys::init();
        if let Err(error) = Connection::open_in_memory() {
            tracing::warn!(%error, "SQLite could not be started");
        }
    });
    Connection::open_with_flags(path, flags)
}

/// From here on SQLite overwrites what it frees, in this whole process. Called before connections to a device's database
/// are closed, whose pages hold keys, and whose statements hold the store's: until then they keep what they have, and what
/// is freed on the way is little. It cannot be turned off again, and makes reading four times as slow: see
/// docs/decisions/0017-what-is-wiped.md. A relay has no secret in its pages.
pub(crate) fn wipe_what_is_freed() {
    let wiped = open_raw(":memory:", OpenFlags::default())
        .and_then(|connection| connection.execute_batch("pragma cipher_memory_security = on"));
    if let Err(error) = wiped {
        tracing::warn!(%error, "SQLite frees its memory as it is");
    }
}

/// `file:` URI of a file that nobody changes: SQLite then makes no side files.
fn immutable_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            other => {
                let _ = write!(uri, "%{other:02X}");
            }
        }
    }
    uri.push_str("?immutable=1");
    uri
}

/// Opens one connection with all its pragmas.
pub(crate) fn connect(
    path: &Path,
    key: Option<(&StoreKey, [u8; 16])>,
    options: &Options,
    reader: bool,
) -> Result<Connection, OpenError> {
    // Readers go on while the writer writes, and a commit is one append.
    connect_with(path, key, options, reader, "wal")
}

/// The same for a database that is written now and then and by several processes: nothing of it waits in a log, where a
/// flipped bit would take the newest commits away and nothing would say so. A commit costs two writes more.
pub(crate) fn connect_without_log(
    path: &Path,
    key: Option<(&StoreKey, [u8; 16])>,
    options: &Options,
) -> Result<Connection, OpenError> {
    let mut journal = path.as_os_str().to_os_string();
    journal.push("-journal");
    // A commit that did not come to its end is taken back from it.
    let interrupted = std::fs::metadata(Path::new(&journal)).is_ok_and(|meta| meta.len() > 0);
    let connection = connect_with(path, key, options, false, "truncate")?;
    if interrupted {
        checkup::require_whole(&connection)?;
    }
    Ok(connection)
}

fn connect_with(
    path: &Path,
    key: Option<(&StoreKey, [u8; 16])>,
    options: &Options,
    reader: bool,
    journal: &str,
) -> Result<Connection, OpenError> {
    if let Some(folder) = path.parent() {
        room::writable(folder)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | NO_MUTEX;
    let connection = open_raw(path, flags)?;
    // Checkpoints and the snapshot for a backup may meet a lock for a moment; so may the operator's commands.
    connection.busy_timeout(BUSY)?;
    apply_key(&connection, key)?;
    connection.pragma_update(None, "journal_mode", journal)?;
    // A commit has reached the disk when it returns: what is shown as saved survives a power cut.
    connection.pragma_update(None, "synchronous", "full")?;
    // On Apple systems fsync alone leaves data in the drive's cache.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    // Sorting spills to memory, never to an unencrypted temporary file.
    connection.pragma_update(None, "temp_store", "memory")?;
    // A damaged page gives an error, where a mapped file would give a signal.
    connection.pragma_update(None, "mmap_size", 0)?;
    // A damaged page is noticed when it is read, not when it is followed.
    connection.pragma_update(None, "cell_size_check", true)?;
    // A damaged or foreign schema cannot run functions.
    connection.pragma_update(None, "trusted_schema", false)?;
    // After a burst the write-ahead log gives its space back.
    connection.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)?;
    // KiB, negative by SQLite's convention: the writer keeps the upper pages of its indexes.
    connection.pragma_update(None, "cache_size", if reader { -4_000 } else { -8_000 })?;
    if let Some(pages) = options.pages_max {
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    if reader {
        // A reader that writes by mistake fails.
        connection.pragma_update(None, "query_only", true)?;
    }
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// Gives SQLCipher the raw key and the salt, so that it derives nothing from a passphrase itself.
pub(crate) fn apply_key(connection: &Connection, key: Option<(&StoreKey, [u8; 16])>) -> Result<(), OpenError> {
    let Some(access) = key else {
        return Ok(());
    };
    let mut pragma = Zeroizing::new(String::with_capacity(160));
    let _ = write!(pragma, "pragma key = \"{}\"", raw_key(access).as_str());
    connection.execute_batch(&pragma)?;
    // Damage comes back as an error, and is reported by whoever handles that; SQLCipher would print it, too.
    connection.execute_batch("pragma cipher_log_level = none")?;
    Ok(())
}

/// `Err` once a page of this connection did not bear its signature.
///
/// SQLCipher then gives zeros for this page and for every one that is read later, without an error of its own: a long
/// value, which lies on pages that SQLite does not look into, would read as zeros. So this is asked after each piece of
/// work, before its answer counts.
pub(crate) fn require_sound(connection: &Connection) -> Result<(), StoreError> {
    let first = |pragma: &str| -> Result<Option<String>, StoreError> {
        Ok(connection.query_row(pragma, [], |row| row.get(0)).optional()?)
    };
    // A database without a key, which only tests have, has no good status and no salt either.
    if first("pragma cipher_status")?.as_deref() == Some("1") || first("pragma cipher_salt")?.is_none() {
        return Ok(());
    }
    Err(StoreError::Damaged)
}

/// The same for a connection that only reads, at the cost of a look at one flag: SQLCipher makes it read-only then.
pub(crate) fn is_sound(reader: &Connection) -> bool {
    !reader.is_readonly(rusqlite::MAIN_DB).unwrap_or(true)
}

/// A raw key and salt as SQLCipher reads them.
pub(crate) fn raw_key((key, salt): (&StoreKey, [u8; 16])) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(100));
    text.push_str("x'");
    for byte in key.bytes().iter().chain(&salt) {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\'');
    text
}

/// Looks for damage: the schema always, the whole database while it is small.
fn check(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    connection.query_row("select count(*) from sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    if std::fs::metadata(path)?.len() > CHECK_BYTES_MAX {
        return Ok(());
    }
    let verdict: String = connection.query_row("pragma quick_check(1)", [], |row| row.get(0))?;
    require_sound(connection)?;
    if verdict == "ok" { Ok(()) } else { Err(OpenError::Damaged) }
}
