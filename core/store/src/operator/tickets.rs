//! TLS session tickets: what lets a device that the relay knows speak in its first datagram (docs/PROTOCOL.md section 5).

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use alliance_wire::DeviceKey;
use rusqlite::{Connection, OptionalExtension};

use crate::error::{OpenError, StoreError};
use crate::file::page_key::PageKey;
use crate::file::{Files, Options, connect};
use crate::sql::int;

const SCHEMA: &str = "
create table if not exists ticket(
  id integer primary key,
  key blob not null unique,
  device blob not null,
  at integer not null,
  value blob not null
);
create index if not exists ticket_device on ticket(device, id);
";

/// How many tickets are kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketLimits {
    /// Of one device.
    pub per_device: usize,
    /// In all.
    pub total: usize,
    /// Milliseconds.
    pub millis: u64,
}

/// Tickets in a database of their own, each handed out once. Times are milliseconds since 1970.
#[derive(Debug)]
pub struct Tickets {
    connection: Mutex<Connection>,
    limits: TicketLimits,
}

impl Tickets {
    /// Opens or makes `sessions.db` in a relay's folder. One that cannot be read is made anew: a lost ticket costs its
    /// device one round trip.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(folder: &Path, limits: TicketLimits) -> Result<Self, OpenError> {
        Files::new(folder).make_folder()?;
        let path = folder.join("sessions.db");
        let page_key = PageKey::of(folder)?;
        let connection = match prepare(&path, &page_key) {
            Err(OpenError::Damaged) => {
                for suffix in ["", "-wal", "-shm"] {
                    let mut name = path.as_os_str().to_os_string();
                    name.push(suffix);
                    match std::fs::remove_file(&name) {
                        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                        _ => {}
                    }
                }
                prepare(&path, &page_key)?
            }
            other => other?,
        };
        Ok(Self { connection: Mutex::new(connection), limits })
    }

    /// Keeps a ticket; the device's oldest goes beyond its share, the oldest of all beyond the whole.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put(&self, device: DeviceKey, key: &[u8], value: &[u8], now: u64) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let limits = self.limits;
        super::transaction(&mut connection, |connection| {
            connection
                .prepare_cached("insert or replace into ticket(key, device, at, value) values (?1, ?2, ?3, ?4)")?
                .execute((key, device.as_bytes(), int(now), value))?;
            let newest = connection.last_insert_rowid();
            connection
                .prepare_cached(
                    "delete from ticket where device = ?1 and id not in \
                     (select id from ticket where device = ?1 order by id desc limit ?2)",
                )?
                .execute((device.as_bytes(), int(limits.per_device as u64)))?;
            // Rows are numbered in order of arrival. Those that were taken leave gaps, so this keeps at most `total`.
            connection.prepare_cached("delete from ticket where id <= ?1 or at > ?2 or at + ?3 <= ?2")?.execute((
                newest - int(limits.total as u64),
                int(now),
                int(limits.millis),
            ))?;
            Ok(())
        })
    }

    /// Hands a ticket out and forgets it. `None` for one that is unknown, too old, or of a time that has not come.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn take(&self, key: &[u8], now: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self
            .connection()
            .prepare_cached("delete from ticket where key = ?1 returning at, value")?
            .query_row([key], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))
            .optional()?;
        let fresh = |at: i64| at <= int(now) && int(now).saturating_sub(at) < int(self.limits.millis);
        Ok(found.filter(|(at, _)| fresh(*at)).map(|(_, value)| value))
    }

    /// Forgets a device's tickets.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget(&self, device: DeviceKey) -> Result<(), StoreError> {
        self.connection().prepare_cached("delete from ticket where device = ?1")?.execute([device.as_bytes()])?;
        Ok(())
    }

    /// How many are kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn count(&self) -> Result<u64, StoreError> {
        let count: i64 = self.connection().query_row("select count(*) from ticket", [], |row| row.get(0))?;
        Ok(crate::sql::uint(count))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn prepare(path: &Path, page_key: &PageKey) -> Result<Connection, OpenError> {
    let connection = connect(path, Some(page_key.access()), &Options::default(), false)?;
    // Handshakes wait for these calls. A power cut may cost the last tickets, or all of them; a crash costs none.
    connection.pragma_update(None, "synchronous", "off")?;
    // A ticket is a secret: a used one does not linger in a free page.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.execute_batch(SCHEMA)?;
    let verdict: String = connection.query_row("pragma quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(connection) } else { Err(OpenError::Damaged) }
}
