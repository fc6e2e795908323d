//! Reading a space in arrival order, a bounded stretch at a time.

use std::sync::Arc;

use alliance_sync::{Outgoing, Page, Part, Since};
use alliance_wire::HashPrefix;
use rusqlite::Connection;

use super::entries::{DamageList, Reader};
use super::put::prefix_of;
use super::{forks, logs, receipts};
use crate::error::StoreError;
use crate::sql::{int, uint};

/// Items of one page at most.
const ITEMS_MAX: usize = 1_024;

const ENTRIES: &str = "select arrival, 0, id from entry where space = ?1 and arrival > ?2";
const MEMBERSHIP: &str = "select arrival, 0, id from entry where space = ?1 and arrival > ?2 and stream = 0";
const RECEIPTS: &str = "select arrival, 1, id from receipt where space = ?1 and arrival > ?2 \
    union all select arrival, 2, id from fork where space = ?1 and arrival > ?2";

/// One item by reference: arrival number, kind, row.
type Reference = (u64, i64, i64);

/// One page: see [`super::Replica::since`].
pub(super) fn page(connection: &Connection, damage: &DamageList, since: &Since) -> Result<Page, StoreError> {
    let tail = logs::empty_tail(since.space);
    let mut page = Page { space: since.space, items: Vec::new(), upto: 0, hash: tail.hash, more: false };
    let Some(space) = logs::find_space(connection, since.space)? else {
        return Ok(page);
    };
    let references = references(connection, space.id, since)?;
    let mut reader = Reader::new(connection, since.space, damage);
    let mut bytes = 0;
    let mut last: Option<(usize, u64, HashPrefix)> = None;
    for (at, (arrival, kind, row)) in references.iter().enumerate() {
        if bytes >= since.bytes && at > 0 {
            break;
        }
        let hash = match kind {
            0 => {
                let found = reader.by_row(*row)?;
                bytes += found.bytes;
                // An entry whose header is damaged cannot be sent; it was reported, and peers see a gap.
                if let Some(entry) = found.entry {
                    page.items.push(Outgoing::Entry(found.name, entry));
                }
                found.hash.prefix()
            }
            1 => {
                let receipt = receipts::by_row(connection, *row)?;
                bytes += receipt.body.len() + receipt.signature.len();
                let hash = prefix_of(&receipt.body);
                page.items.push(Outgoing::Receipt(receipt));
                hash
            }
            _ => match forks::proofs(connection, "f.id = ?1", *row)?.pop() {
                Some(stored) => {
                    bytes += stored.bytes.len();
                    page.items.push(Outgoing::Fork(Arc::new(stored.name), stored.proof));
                    prefix_of(&stored.bytes)
                }
                None => continue,
            },
        };
        last = Some((at, *arrival, hash));
    }
    let rest = last.map_or(references.len(), |(at, ..)| references.len() - at - 1);
    page.more = rest > 0 || references.len() == ITEMS_MAX;
    // At the end the page covers the numbers that this part leaves out, too.
    (page.upto, page.hash) = match last {
        Some((_, arrival, hash)) if page.more => (arrival, hash),
        _ => (space.tail.arrival, space.tail.hash),
    };
    Ok(page)
}

fn references(connection: &Connection, space: i64, since: &Since) -> Result<Vec<Reference>, StoreError> {
    let select = match since.part {
        Part::Membership => MEMBERSHIP.to_owned(),
        Part::Everything => format!("{ENTRIES} union all {RECEIPTS}"),
        Part::Receipts => RECEIPTS.to_owned(),
    };
    let mut statement = connection.prepare_cached(&format!("{select} order by arrival limit ?3"))?;
    let rows = statement.query_map((space, int(since.after), int(ITEMS_MAX as u64)), |row| {
        Ok((uint(row.get(0)?), row.get(1)?, row.get(2)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
