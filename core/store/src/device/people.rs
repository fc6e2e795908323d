//! Settings, spaces as this device's person sees them, keys, pending invitations, relays and contacts.

use alliance_crypto::KeyBytes;
use alliance_wire::{DeviceKey, EpochId, HashPrefix, Instance, SpaceId};
use rusqlite::{Connection, OptionalExtension};

use super::Device;
use super::whereabouts::WRITTEN_BEHIND;
use crate::error::StoreError;
use crate::replica::{Replica, intern_space, space_id};
use crate::sql::{Row as _, int, uint};

/// Where this device stands in a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpaceState {
    /// Invited, and nothing of it is here yet.
    Expected,
    /// In it.
    Joined,
    /// No longer in it.
    Left,
}

/// What a device knows of a space beside its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalSpace {
    /// The space.
    pub space: SpaceId,
    /// What the person calls it.
    pub title: String,
    /// The person's part in it, a number of the caller's.
    pub role: u8,
    /// Where this device stands.
    pub state: SpaceState,
    /// More of the caller's, encoded.
    pub detail: Vec<u8>,
}

/// An epoch's key.
#[derive(Debug, Clone)]
pub struct EpochKeyRow {
    /// The space.
    pub space: SpaceId,
    /// The epoch.
    pub epoch: EpochId,
    /// Its key.
    pub key: KeyBytes,
}

/// An invitation given or a join asked for that is not settled.
#[derive(Clone, PartialEq, Eq)]
pub struct Pending {
    /// Which kind, a number of the caller's.
    pub kind: u8,
    /// Its id.
    pub id: Vec<u8>,
    /// Its encoded state.
    pub value: Vec<u8>,
}

/// A relay that this device uses.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayRow {
    /// Its pinned key.
    pub relay: DeviceKey,
    /// Where it listens, `host:port`.
    pub address: String,
    /// The operator's admission token, as given.
    pub token: Option<Vec<u8>>,
    /// Milliseconds since 1970 at which it was added.
    pub added: u64,
}

impl core::fmt::Debug for Pending {
    /// Its state holds seeds of invitations.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Pending").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl core::fmt::Debug for RelayRow {
    /// The token is a secret of the operator's.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RelayRow").field("relay", &self.relay).field("address", &self.address).finish_non_exhaustive()
    }
}

/// Who reached whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The peer reached this device.
    Incoming,
    /// This device reached the peer.
    Outgoing,
}

/// When a peer was last met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The peer.
    pub device: DeviceKey,
    /// Its name here; empty if it has none.
    pub name: String,
    /// Milliseconds since 1970, by this device's clock.
    pub at: u64,
    /// Who reached whom.
    pub direction: Direction,
}

impl Device {
    /// A setting's encoded value.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn setting(&self, name: &'static str) -> Result<Option<Vec<u8>>, StoreError> {
        let read = move |connection: &Connection| {
            let mut statement = connection.prepare_cached("select value from setting where name = ?1")?;
            Ok(statement.query_row([name], |row| row.get(0)).optional()?)
        };
        self.engine.read(read).await
    }

    /// All spaces that this device knows of, by title.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn local_spaces(&self) -> Result<Vec<LocalSpace>, StoreError> {
        self.engine.read(local_spaces).await
    }

    /// The epoch keys of a space.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn epoch_keys(&self, space: SpaceId) -> Result<Vec<EpochKeyRow>, StoreError> {
        self.engine.read(move |connection| epoch_keys(connection, space)).await
    }

    /// What is pending of a kind, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pending(&self, kind: u8) -> Result<Vec<Pending>, StoreError> {
        let read = move |connection: &Connection| {
            let mut statement =
                connection.prepare_cached("select id, value from pending where kind = ?1 order by id")?;
            let rows = statement.query_map([kind], |row| Ok(Pending { kind, id: row.get(0)?, value: row.get(1)? }))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        self.engine.read(read).await
    }

    /// The relays, in the order in which they were added.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn relays(&self) -> Result<Vec<RelayRow>, StoreError> {
        self.engine.read(relays).await
    }

    /// The peers that were met, the latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn contacts(&self) -> Result<Vec<Contact>, StoreError> {
        self.engine.read(contacts).await
    }

    /// What a peer's database acknowledged of a space: this device's arrival number, 0 for nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn acked(&self, instance: Instance, space: SpaceId) -> Result<u64, StoreError> {
        let cursors = self.replica.cursors(instance).await?;
        Ok(cursors.iter().find(|cursor| cursor.space == space).map_or(0, |cursor| cursor.acked))
    }

    /// Arrival numbers behind `after` of the data entries that a device wrote into a space, ascending. Reads no payload.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn arrivals_of(&self, space: SpaceId, device: DeviceKey, after: u64) -> Result<Vec<u64>, StoreError> {
        let read = move |connection: &Connection| {
            let Some(space) = space_id(connection, space)? else { return Ok(Vec::new()) };
            let mut statement =
                connection.prepare_cached(&format!("select e.arrival {WRITTEN_BEHIND} order by e.arrival"))?;
            let rows = statement.query_map((space, int(after), device.as_bytes()), |row| row.get(0).map(uint))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        self.engine.read(read).await
    }

    /// What stands at an arrival number of a space.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hash_at(&self, space: SpaceId, arrival: u64) -> Result<Option<HashPrefix>, StoreError> {
        Ok(self.replica.hashes_at(vec![(space, arrival)]).await?.pop().flatten())
    }
}

pub(super) fn put_setting(connection: &Connection, name: &str, value: Option<&[u8]>) -> Result<(), StoreError> {
    match value {
        Some(value) => connection
            .prepare_cached("insert or replace into setting(name, value) values (?1, ?2)")?
            .execute((name, value))?,
        None => connection.prepare_cached("delete from setting where name = ?1")?.execute([name])?,
    };
    Ok(())
}

pub(super) fn put_space(connection: &Connection, space: &LocalSpace) -> Result<(), StoreError> {
    let row = intern_space(connection, space.space)?;
    let state = match space.state {
        SpaceState::Expected => 0,
        SpaceState::Joined => 1,
        SpaceState::Left => 2,
    };
    connection
        .prepare_cached(
            "insert or replace into local_space(space, title, role, state, detail) values (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((row, &space.title, space.role, state, &space.detail))?;
    Ok(())
}

fn local_spaces(connection: &Connection) -> Result<Vec<LocalSpace>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select s.space, l.title, l.role, l.state, l.detail from local_space l join space s on s.id = l.space \
         order by l.title, s.space",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read_local_space(row)?);
    }
    Ok(found)
}

pub(super) fn local_space(connection: &Connection, space: SpaceId) -> Result<Option<LocalSpace>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select s.space, l.title, l.role, l.state, l.detail from local_space l join space s on s.id = l.space \
         where s.space = ?1",
    )?;
    let mut rows = statement.query([space.as_bytes()])?;
    rows.next()?.map(read_local_space).transpose()
}

fn read_local_space(row: &rusqlite::Row<'_>) -> Result<LocalSpace, StoreError> {
    let state = match row.get(3)? {
        0 => SpaceState::Expected,
        1 => SpaceState::Joined,
        2 => SpaceState::Left,
        _ => return Err(StoreError::Shape("the state of a space")),
    };
    let (title, role, detail) = (row.get(1)?, row.get(2)?, row.get(4)?);
    Ok(LocalSpace { space: row.id(0)?, title, role, state, detail })
}

pub(super) fn put_epoch_key(connection: &Connection, row: &EpochKeyRow) -> Result<(), StoreError> {
    let space = intern_space(connection, row.space)?;
    connection.prepare_cached("insert or replace into epoch_key(space, epoch, key) values (?1, ?2, ?3)")?.execute((
        space,
        row.epoch.as_bytes(),
        row.key.as_slice(),
    ))?;
    Ok(())
}

pub(super) fn forget_epoch_keys(connection: &Connection, space: SpaceId) -> Result<(), StoreError> {
    connection
        .prepare_cached("delete from epoch_key where space = (select id from space where space = ?1)")?
        .execute([space.as_bytes()])?;
    Ok(())
}

fn epoch_keys(connection: &Connection, space: SpaceId) -> Result<Vec<EpochKeyRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select k.epoch, k.key from epoch_key k join space s on s.id = k.space where s.space = ?1 order by k.epoch",
    )?;
    let mut rows = statement.query([space.as_bytes()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(EpochKeyRow { space, epoch: row.id(0)?, key: KeyBytes::new(row.get(1)?) });
    }
    Ok(found)
}

pub(super) fn put_pending(connection: &Connection, pending: &Pending) -> Result<(), StoreError> {
    connection.prepare_cached("insert or replace into pending(kind, id, value) values (?1, ?2, ?3)")?.execute((
        pending.kind,
        &pending.id,
        &pending.value,
    ))?;
    Ok(())
}

pub(super) fn drop_pending(connection: &Connection, kind: u8, id: &[u8]) -> Result<(), StoreError> {
    connection.prepare_cached("delete from pending where kind = ?1 and id = ?2")?.execute((kind, id))?;
    Ok(())
}

pub(super) fn put_relay(connection: &Connection, relay: &RelayRow) -> Result<(), StoreError> {
    connection
        .prepare_cached("insert or replace into relay(relay, address, token, added) values (?1, ?2, ?3, ?4)")?
        .execute((relay.relay.as_bytes(), &relay.address, &relay.token, int(relay.added)))?;
    Ok(())
}

pub(super) fn drop_relay(connection: &Connection, relay: DeviceKey) -> Result<(), StoreError> {
    connection.prepare_cached("delete from relay where relay = ?1")?.execute([relay.as_bytes()])?;
    Ok(())
}

fn relays(connection: &Connection) -> Result<Vec<RelayRow>, StoreError> {
    let mut statement =
        connection.prepare_cached("select relay, address, token, added from relay order by added, relay")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (address, token) = (row.get(1)?, row.get(2)?);
        found.push(RelayRow { relay: row.id(0)?, address, token, added: uint(row.get(3)?) });
    }
    Ok(found)
}

pub(super) fn put_contact(connection: &Connection, contact: &Contact) -> Result<(), StoreError> {
    connection
        .prepare_cached("insert or replace into contact(device, name, at, direction) values (?1, ?2, ?3, ?4)")?
        .execute((
            contact.device.as_bytes(),
            &contact.name,
            int(contact.at),
            contact.direction == Direction::Outgoing,
        ))?;
    Ok(())
}

fn contacts(connection: &Connection) -> Result<Vec<Contact>, StoreError> {
    let mut statement =
        connection.prepare_cached("select device, name, at, direction from contact order by at desc, device")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let direction = if row.get(3)? { Direction::Outgoing } else { Direction::Incoming };
        found.push(Contact { device: row.id(0)?, name: row.get(1)?, at: uint(row.get(2)?), direction });
    }
    Ok(found)
}
