//! How much of a space's room each log takes: what a relay's quotas are judged by.

use alliance_wire::{DeviceKey, LogId, SpaceId};

use crate::error::StoreError;
use crate::replica::SqliteReplica;
use crate::sql::{Row as _, uint};

/// What a header with its signature and suffix counts, beside its payload, in bytes.
pub const ENTRY_BYTES: u64 = 192;

/// What one log takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogUsage {
    /// The log, or a fork's continuation.
    pub log: LogId,
    /// Who writes it.
    pub device: DeviceKey,
    /// Bytes of its entries: [`ENTRY_BYTES`] each, and their payloads as their headers say.
    pub bytes: u64,
}

impl SqliteReplica {
    /// What each log of a space takes, worked out from its entries.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn usage(&self, space: SpaceId) -> Result<Vec<LogUsage>, StoreError> {
        let read = move |connection: &rusqlite::Connection| {
            let mut statement = connection.prepare_cached(
                "select l.log, l.device, count(e.id), coalesce(sum(e.payload_len), 0) \
                 from space s join log l on l.space = s.id join entry e on e.log = l.id \
                 where s.space = ?1 group by l.id",
            )?;
            let mut rows = statement.query([space.as_bytes()])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(LogUsage {
                    log: row.id(0)?,
                    device: row.id(1)?,
                    bytes: ENTRY_BYTES * uint(row.get(2)?) + uint(row.get(3)?),
                });
            }
            Ok(found)
        };
        self.engine().read(read).await
    }
}
