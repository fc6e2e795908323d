//! Mailboxes of invitations (docs/PROTOCOL.md section 4, Invitation): sealed messages that wait for the other side.

use alliance_wire::SpaceId;
use alliance_wire::hash::content_hash;
use alliance_wire::limits;
use rusqlite::{Connection, OptionalExtension};

use super::{Operator, RelayDay, sound, space_at, transaction};
use crate::error::StoreError;
use crate::sql::int;

/// Messages that lie in all mailboxes of one space together: 1 MiB, whatever its members list.
pub const MAILBOX_MESSAGES_PER_SPACE_MAX: u64 = 256;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// It lies there, now or since it was posted before.
    Kept,
    /// There is no room for it.
    Full,
}

impl Operator {
    /// Notes in which space these mailboxes are. The first space that lists an address keeps it: a one-time key is
    /// random, so a second listing is somebody's who read the first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn list_mailboxes(&self, space: SpaceId, addresses: &[[u8; 32]]) -> Result<(), StoreError> {
        let mut connection = self.connection();
        transaction(&mut connection, |connection| {
            let mut statement =
                connection.prepare_cached("insert or ignore into mailbox(address, space) values (?1, ?2)")?;
            for address in addresses {
                statement.execute((address, space.as_bytes()))?;
            }
            Ok(())
        })
    }

    /// The space in which a mailbox is listed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn mailbox_space(&self, address: &[u8; 32]) -> Result<Option<SpaceId>, StoreError> {
        sound(&self.connection(), |connection| {
            let mut statement = connection.prepare_cached("select space from mailbox where address = ?1")?;
            let found = statement.query_row([address], |row| Ok(space_at(row, 0))).optional()?;
            found.transpose()
        })
    }

    /// Leaves a message. The same message is kept once, however often it is posted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn post(
        &self,
        address: &[u8; 32],
        space: SpaceId,
        today: RelayDay,
        message: &[u8],
    ) -> Result<Posted, StoreError> {
        let hash = content_hash(message);
        let mut connection = self.connection();
        transaction(&mut connection, |connection| {
            let known: bool = connection
                .prepare_cached("select exists(select 1 from mail where address = ?1 and hash = ?2)")?
                .query_row((address, hash), |row| row.get(0))?;
            if known {
                return Ok(Posted::Kept);
            }
            let here: i64 = connection
                .prepare_cached("select count(*) from mail where address = ?1")?
                .query_row([address], |row| row.get(0))?;
            let in_space: i64 = connection
                .prepare_cached("select count(*) from mail where space = ?1")?
                .query_row([space.as_bytes()], |row| row.get(0))?;
            if here >= int(limits::MAILBOX_MESSAGES_MAX as u64) || in_space >= int(MAILBOX_MESSAGES_PER_SPACE_MAX) {
                return Ok(Posted::Full);
            }
            connection
                .prepare_cached("insert into mail(address, space, day, hash, message) values (?1, ?2, ?3, ?4, ?5)")?
                .execute((address, space.as_bytes(), today.0, hash, message))?;
            Ok(Posted::Kept)
        })
    }

    /// What lies in a mailbox, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn collect(&self, address: &[u8; 32]) -> Result<Vec<Vec<u8>>, StoreError> {
        sound(&self.connection(), |connection| {
            let mut statement = connection.prepare_cached("select message from mail where address = ?1 order by id")?;
            let rows = statement.query_map([address], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// Drops messages that have lain for [`limits::MAILBOX_DAYS_MAX`] relay-days.
pub(super) fn expire(connection: &Connection, today: RelayDay) -> Result<(), StoreError> {
    connection.prepare_cached("delete from mail where day + ?2 <= ?1")?.execute((today.0, limits::MAILBOX_DAYS_MAX))?;
    Ok(())
}
