//! What a device lets go of when it was put out of a space for good.

use alliance_wire::{DeviceKey, SpaceId, Stream};
use rusqlite::Connection;

use super::search;
use crate::error::StoreError;
use crate::replica::space_id;
use crate::sql::int;

const _: () = assert!(Stream::Data as u8 == 1);

/// Drops documents, words, drafts, and what was sealed; see [`super::DeviceOp::DropContent`].
pub(super) fn drop_content(
    connection: &Connection,
    space: SpaceId,
    own: DeviceKey,
    acked: u64,
) -> Result<(), StoreError> {
    let Some(row) = space_id(connection, space)? else { return Ok(()) };
    let mut statement = connection.prepare("select id from document where space = ?1")?;
    let documents: Vec<i64> = statement.query_map([row], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for document in documents {
        search::drop_document(connection, document)?;
        connection.prepare_cached("delete from saved where document = ?1")?.execute([document])?;
    }
    connection.execute("delete from command where draft in (select id from draft where space = ?1)", [row])?;
    for table in ["listing", "document_entry", "document", "draft", "trying"] {
        connection.execute(&format!("delete from {table} where space = ?1"), [row])?;
    }
    connection.execute(
        "delete from payload where entry in (select e.id from entry e join log l on l.id = e.log \
         where e.space = ?1 and e.stream = 1 and not (l.device = ?2 and e.arrival > ?3))",
        (row, own.as_bytes(), int(acked)),
    )?;
    connection.execute(
        "update entry set missing = 1 where space = ?1 and stream = 1 and missing = 0 \
         and not exists (select 1 from payload p where p.entry = entry.id)",
        [row],
    )?;
    Ok(())
}
