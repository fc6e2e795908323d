//! Whether what a space's rows say of it follows from its entries.

use alliance_wire::SpaceId;
use rusqlite::{Connection, OptionalExtension};

use super::entries::{DamageList, Reader};
use super::{cursors, forks, logs, receipts};
use crate::error::StoreError;
use crate::sql::{int, uint};

/// Reads all of a space. Damaged entries go to the list; answered is what does not follow from them.
pub(crate) fn check_space(
    connection: &Connection,
    damage: &DamageList,
    (row, space): (i64, SpaceId),
) -> Result<Vec<&'static str>, StoreError> {
    let mut found = Vec::new();
    Reader::new(connection, space, damage).each("e.space = ?1 order by e.arrival", [row], |_| true)?;
    let Some(tail) = logs::find_space(connection, space)? else {
        return Ok(vec!["its row is not found by its id"]);
    };
    if logs::digest(connection, row, space)? != tail.tail.digest {
        found.push("its digest is not that of its logs");
    }
    if !logs_end_where_they_say(connection, row)? {
        found.push("a log does not end where its row says");
    }
    let newest: Option<i64> = connection.query_row(
        "select max(a) from (select max(arrival) a from entry where space = ?1 \
         union all select max(arrival) from receipt where space = ?1 \
         union all select max(arrival) from fork where space = ?1)",
        [row],
        |row| row.get(0),
    )?;
    if newest.is_some_and(|newest| uint(newest) > tail.tail.arrival) {
        found.push("an arrival number was not given yet");
    }
    let top = cursors::hash_at(connection, row, tail.tail.arrival)?;
    if tail.bytes > 0 && top.is_some_and(|hash| hash != tail.tail.hash) {
        found.push("its newest hash is not that of what arrived last");
    }
    if receipts::all(connection, row)?.iter().any(|receipt| receipt.parse().is_err()) {
        found.push("a receipt is not one");
    }
    forks::proofs(connection, "f.space = ?1", row)?;
    Ok(found)
}

/// Every log's numbers are without a gap, and its row names the newest one's hash.
fn logs_end_where_they_say(connection: &Connection, space: i64) -> Result<bool, StoreError> {
    for log in logs::all_logs(connection, space)? {
        let (count, last): (i64, Option<i64>) = connection.query_row(
            "select count(*), max(seq) from entry where log = ?1 and seq >= ?2",
            (log.id, int(log.first)),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let expected = log.seq + 1 - log.first;
        if uint(count) != expected || last.is_some_and(|last| uint(last) != log.seq) {
            return Ok(false);
        }
        let head: Option<Vec<u8>> = connection
            .query_row("select hash from entry where log = ?1 and seq = ?2", (log.id, int(log.seq)), |row| row.get(0))
            .optional()?;
        if head.is_some_and(|head| head != log.head.as_bytes()) {
            return Ok(false);
        }
    }
    Ok(true)
}
