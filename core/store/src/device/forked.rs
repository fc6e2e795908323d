//! What is known of forks, without the proofs.

use alliance_wire::{DeviceKey, HeaderHash, Incarnation, LogName, SpaceId, Stream};
use rusqlite::Connection;

use super::Device;
use crate::error::StoreError;
use crate::replica::{name_at, space_id};
use crate::sql::{int, uint};

impl Device {
    /// How many logs of a space are known to have forked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forks(&self, space: SpaceId) -> Result<u64, StoreError> {
        let read = move |connection: &Connection| {
            let Some(row) = space_id(connection, space)? else { return Ok(0) };
            let mut statement = connection.prepare_cached("select count(*) from fork where space = ?1")?;
            Ok(uint(statement.query_row([row], |row| row.get(0))?))
        };
        self.engine.read(read).await
    }

    /// Of entries in data logs, known by author, number and header hash, those that are here, with the logs in which
    /// they stand.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn data_logs_with(
        &self,
        space: SpaceId,
        entries: Vec<(DeviceKey, u64, HeaderHash)>,
    ) -> Result<Vec<(LogName, u64, HeaderHash)>, StoreError> {
        let read = move |connection: &Connection| {
            let Some(row) = space_id(connection, space)? else { return Ok(Vec::new()) };
            let mut statement = connection.prepare_cached(
                "select l.device, l.incarnation, l.stream, l.path from log l cross join entry e on e.log = l.id \
                 where l.space = ?1 and l.device = ?2 and l.stream = 1 and e.seq = ?3 and e.hash = ?4",
            )?;
            let mut found = Vec::new();
            for (device, seq, hash) in &entries {
                let mut rows = statement.query((row, device.as_bytes(), int(*seq), hash.as_bytes()))?;
                if let Some(row) = rows.next()? {
                    found.push((name_at(row, 0)?, *seq, *hash));
                }
            }
            Ok(found)
        };
        self.engine.read(read).await
    }

    /// Whether any log of this incarnation of a device is known to have forked, in whatever space.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_forked(&self, device: DeviceKey, incarnation: Incarnation) -> Result<bool, StoreError> {
        let read = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(
                "select exists(select 1 from fork f cross join log l on l.id = f.log \
                 where l.device = ?1 and l.incarnation = ?2)",
            )?;
            Ok(statement.query_row((device.as_bytes(), incarnation.as_bytes()), |row| row.get(0))?)
        };
        self.engine.read(read).await
    }
}

// The statement above names the stream by its number.
const _: () = assert!(Stream::Data as u8 == 1);
