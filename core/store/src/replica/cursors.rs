//! What this replica knows of peers and of who may have a space: `cursor`, `peer`, `roster`, `absent`,
//! `handed`.

use std::collections::HashSet;

use alliance_sync::Batch;
use alliance_wire::{DeviceKey, HashPrefix, Instance, SpaceId};
use rusqlite::{Connection, OptionalExtension};

use super::logs::intern_space;
use super::{Cursor, Roster};
use crate::error::StoreError;
use crate::sql::{Row as _, int, uint};

const READER: i64 = 0;
const RELAY: i64 = 1;
const FORMER: i64 = 2;

/// Keeps whom a batch came from, its cursors and its acknowledgements, with its items (R3). Neither goes back: both
/// say what holds from some moment on, and two sessions with one peer may report in any order. The cursors of spaces
/// that lack something of the batch are left out.
pub(super) fn apply(connection: &Connection, batch: &Batch, lacking: &HashSet<SpaceId>) -> Result<(), StoreError> {
    let Some((device, instance)) = &batch.peer else {
        return Ok(());
    };
    meet(connection, *device, *instance)?;
    for space in &batch.void {
        let space = intern_space(connection, *space)?;
        connection
            .prepare_cached("update cursor set number = 0, hash = zeroblob(16) where instance = ?1 and space = ?2")?
            .execute((instance.as_bytes(), space))?;
    }
    for (space, number, hash) in batch.cursors.iter().filter(|(space, _, _)| !lacking.contains(space)) {
        let space = intern_space(connection, *space)?;
        connection
            .prepare_cached(
                "insert into cursor(instance, space, number, hash) values (?1, ?2, ?3, ?4) \
                 on conflict do update set number = excluded.number, hash = excluded.hash \
                 where excluded.number > number",
            )?
            .execute((instance.as_bytes(), space, int(*number), hash.as_bytes()))?;
    }
    for (space, acked) in &batch.acked {
        let space = intern_space(connection, *space)?;
        connection
            .prepare_cached(
                "insert into cursor(instance, space, acked) values (?1, ?2, ?3) \
                 on conflict do update set acked = max(acked, excluded.acked)",
            )?
            .execute((instance.as_bytes(), space, int(*acked)))?;
    }
    Ok(())
}

/// Keeps which database a peer has. Cursors into one that no peer has any more are useless and go (R7).
fn meet(connection: &Connection, device: DeviceKey, instance: Instance) -> Result<(), StoreError> {
    let before = peer_instance(connection, device)?;
    if before == Some(instance) {
        return Ok(());
    }
    connection
        .prepare_cached("insert or replace into peer(device, instance) values (?1, ?2)")?
        .execute((device.as_bytes(), instance.as_bytes()))?;
    if let Some(before) = before {
        connection
            .prepare_cached(
                "delete from cursor where instance = ?1 and not exists (select 1 from peer where instance = ?1)",
            )?
            .execute([before.as_bytes()])?;
    }
    Ok(())
}

pub(super) fn peer_instance(connection: &Connection, device: DeviceKey) -> Result<Option<Instance>, StoreError> {
    let mut statement = connection.prepare_cached("select instance from peer where device = ?1")?;
    let mut rows = statement.query([device.as_bytes()])?;
    rows.next()?.map(|row| row.id(0)).transpose()
}

pub(super) fn of_instance(connection: &Connection, instance: Instance) -> Result<Vec<Cursor>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select s.space, c.number, c.hash, c.acked from cursor c join space s on s.id = c.space \
         where c.instance = ?1 order by s.space",
    )?;
    let mut rows = statement.query([instance.as_bytes()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (number, acked) = (uint(row.get(1)?), uint(row.get(3)?));
        found.push(Cursor { space: row.id(0)?, number, hash: row.id(2)?, acked });
    }
    Ok(found)
}

/// Which of these spaces have an entry behind an arrival number of another device than `own`.
pub(super) fn others_behind(
    connection: &Connection,
    own: DeviceKey,
    mut behind: Vec<(SpaceId, u64)>,
) -> Result<Vec<SpaceId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select exists(select 1 from space s join entry e on e.space = s.id join log l on l.id = e.log \
         where s.space = ?1 and e.arrival > ?2 and l.device <> ?3)",
    )?;
    let mut found = Vec::new();
    for (space, arrival) in behind.drain(..) {
        if statement.query_row((space.as_bytes(), int(arrival), own.as_bytes()), |row| row.get(0))? {
            found.push(space);
        }
    }
    Ok(found)
}

/// Replaces who may have a space.
pub(super) fn set_roster(connection: &Connection, space: i64, roster: &Roster) -> Result<(), StoreError> {
    connection.prepare_cached("delete from roster where space = ?1")?.execute([space])?;
    let mut insert = connection.prepare_cached("insert or ignore into roster(space, what, key) values (?1, ?2, ?3)")?;
    for (what, keys) in [(READER, &roster.readers), (RELAY, &roster.relays), (FORMER, &roster.former)] {
        for key in keys {
            insert.execute((space, what, key.as_bytes()))?;
        }
    }
    connection
        .prepare_cached("update space set heads = ?2 where id = ?1")?
        .execute((space, roster.heads.as_bytes()))?;
    Ok(())
}

/// Replaces who may have a space that is named here.
pub(crate) fn keep_roster(connection: &Connection, roster: &Roster) -> Result<(), StoreError> {
    let space = intern_space(connection, roster.space)?;
    set_roster(connection, space, roster)
}

/// Spaces of which a device is an active member.
pub(super) fn member_spaces(connection: &Connection, device: DeviceKey) -> Result<Vec<SpaceId>, StoreError> {
    spaces(
        connection,
        "select s.space from roster r join space s on s.id = r.space where r.key = ?1 and r.what = 0 \
         and s.bytes > 0 order by s.space",
        device,
    )
}

/// Spaces that a device was put out of.
pub(super) fn former_spaces(connection: &Connection, device: DeviceKey) -> Result<Vec<SpaceId>, StoreError> {
    spaces(
        connection,
        "select s.space from roster r join space s on s.id = r.space where r.key = ?1 and r.what = 2 \
         and s.bytes > 0 order by s.space",
        device,
    )
}

/// Bytes of entries that a device handed over after it was put out of a space.
pub(super) fn handed(connection: &Connection, space: i64, device: DeviceKey) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached("select bytes from handed where space = ?1 and device = ?2")?;
    let found: Option<i64> = statement.query_row((space, device.as_bytes()), |row| row.get(0)).optional()?;
    Ok(found.map_or(0, uint))
}

/// Counts more of them.
pub(super) fn add_handed(connection: &Connection, space: i64, device: DeviceKey, bytes: u64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "insert into handed(space, device, bytes) values (?1, ?2, ?3) \
             on conflict do update set bytes = bytes + excluded.bytes",
        )?
        .execute((space, device.as_bytes(), int(bytes)))?;
    Ok(())
}

/// Spaces whose membership names a relay, but for those that it answered ABSENT at these very membership heads.
pub(super) fn relay_spaces(connection: &Connection, relay: DeviceKey) -> Result<Vec<SpaceId>, StoreError> {
    spaces(
        connection,
        "select s.space from roster r join space s on s.id = r.space \
         left join absent a on a.relay = r.key and a.space = r.space \
         where r.key = ?1 and r.what = 1 and s.bytes > 0 and (a.heads is null or a.heads <> s.heads) \
         order by s.space",
        relay,
    )
}

fn spaces(connection: &Connection, sql: &str, key: DeviceKey) -> Result<Vec<SpaceId>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([key.as_bytes()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(row.id(0)?);
    }
    Ok(found)
}

/// Keeps that a relay does not have a space for us, at the heads of the roster.
pub(super) fn set_absent(connection: &Connection, relay: DeviceKey, space: SpaceId) -> Result<(), StoreError> {
    let space = intern_space(connection, space)?;
    connection
        .prepare_cached(
            "insert or replace into absent(relay, space, heads) \
             select ?1, id, coalesce(heads, x'') from space where id = ?2",
        )?
        .execute((relay.as_bytes(), space))?;
    Ok(())
}

/// Keeps the token under which a space was created; the first one stays.
pub(super) fn set_token(connection: &Connection, space: i64, token: Option<[u8; 8]>) -> Result<(), StoreError> {
    if let Some(token) = token {
        connection
            .prepare_cached("update space set token = coalesce(token, ?2) where id = ?1")?
            .execute((space, token))?;
    }
    Ok(())
}

pub(super) fn spaces_of_token(connection: &Connection, token: [u8; 8]) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached("select count(*) from space where token = ?1")?;
    Ok(uint(statement.query_row([token], |row| row.get(0))?))
}

/// What stands at an arrival number of a space.
pub(super) fn hash_at(connection: &Connection, space: i64, arrival: u64) -> Result<Option<HashPrefix>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select 0, hash from entry where space = ?1 and arrival = ?2 \
         union all select 1, hash from replaced where space = ?1 and arrival = ?2 \
         union all select 2, body from receipt where space = ?1 and arrival = ?2 \
         union all select 2, proof from fork where space = ?1 and arrival = ?2",
    )?;
    let mut rows = statement.query((space, int(arrival)))?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let bytes = row.get_ref(1)?.as_blob().map_err(|_| StoreError::Shape("a hash"))?;
    match row.get::<_, i64>(0)? {
        2 => Ok(Some(super::put::prefix_of(bytes))),
        _ => bytes.first_chunk::<16>().map(|prefix| Some(HashPrefix(*prefix))).ok_or(StoreError::Shape("a hash")),
    }
}
