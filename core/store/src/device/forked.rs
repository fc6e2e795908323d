//! What is known of forks, without the proofs.

use alliance_wire::{DeviceKey, Incarnation, SpaceId};
use rusqlite::Connection;

use super::Device;
use crate::error::StoreError;
use crate::replica::space_id;
use crate::sql::uint;

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
