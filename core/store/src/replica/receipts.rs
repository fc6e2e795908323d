//! Rows of the table `receipt`: one for each device and space.

use alliance_crypto::VerifiedReceipt;
use alliance_wire::HashPrefix;
use alliance_wire::receipt::SignedReceipt;
use rusqlite::{Connection, OptionalExtension};

use super::REPLACED_MAX;
use super::put::prefix_of;
use crate::error::StoreError;
use crate::sql::{int, uint};

/// Keeps a receipt if it replaces what is here; answers the hash at its arrival number if so.
pub(super) fn store(
    connection: &Connection,
    space: i64,
    arrival: u64,
    receipt: &VerifiedReceipt,
) -> Result<Option<HashPrefix>, StoreError> {
    let (said, signed) = (receipt.receipt(), receipt.signed());
    let device = said.device.as_bytes();
    let old = {
        let mut statement = connection
            .prepare_cached("select arrival, body, signature from receipt where space = ?1 and device = ?2")?;
        statement
            .query_row((space, device), |row| {
                let signed = SignedReceipt { body: row.get(1)?, signature: row.get(2)? };
                Ok((uint(row.get(0)?), signed))
            })
            .optional()?
    };
    if let Some((old_arrival, old)) = old {
        // A stored receipt that cannot be read any more is damaged, and any good one replaces it.
        if old.parse().is_ok_and(|old| !receipt.replaces(&old)) {
            return Ok(None);
        }
        keep_hash(connection, space, old_arrival, prefix_of(&old.body))?;
    }
    connection
        .prepare_cached(
            "insert or replace into receipt(space, device, incarnation, counter, arrival, body, signature) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(rusqlite::params![
            space,
            device,
            said.incarnation.as_bytes(),
            int(said.counter),
            int(arrival),
            signed.body,
            signed.signature,
        ])?;
    Ok(Some(prefix_of(&signed.body)))
}

/// Keeps what stood at a number whose receipt is replaced, for cursors that name it. The oldest go.
fn keep_hash(connection: &Connection, space: i64, arrival: u64, hash: HashPrefix) -> Result<(), StoreError> {
    connection
        .prepare_cached("insert or replace into replaced(space, arrival, hash) values (?1, ?2, ?3)")?
        .execute((space, int(arrival), hash.as_bytes()))?;
    connection
        .prepare_cached(
            "delete from replaced where space = ?1 and arrival <= \
             (select arrival from replaced where space = ?1 order by arrival desc limit 1 offset ?2)",
        )?
        .execute((space, int(REPLACED_MAX)))?;
    Ok(())
}

/// The receipt in a row.
pub(super) fn by_row(connection: &Connection, id: i64) -> Result<SignedReceipt, StoreError> {
    let mut statement = connection.prepare_cached("select body, signature from receipt where id = ?1")?;
    Ok(statement.query_row([id], |row| Ok(SignedReceipt { body: row.get(0)?, signature: row.get(1)? }))?)
}

/// All receipts of a space, by device.
pub(crate) fn all(connection: &Connection, space: i64) -> Result<Vec<SignedReceipt>, StoreError> {
    let mut statement =
        connection.prepare_cached("select body, signature from receipt where space = ?1 order by device")?;
    let rows = statement.query_map([space], |row| Ok(SignedReceipt { body: row.get(0)?, signature: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
