//! Where what this device wrote has arrived: everything that a view says of it, in one reading.

use alliance_wire::receipt::SignedReceipt;
use alliance_wire::{DeviceKey, DocumentId, SpaceId, Stream};
use rusqlite::{Connection, OptionalExtension};

use super::people::{LocalSpace, local_space};
use super::{Device, OpenedDocument, documents};
use crate::error::StoreError;
use crate::replica::{receipts_of, space_id};
use crate::sql::{int, uint};

/// What is known of where a device's entries of a space are, as of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// Drafts of the space.
    pub drafts: u64,
    /// The newest receipt of each device.
    pub receipts: Vec<SignedReceipt>,
    /// Up to which arrival number one of the relays acknowledged; 0 for nothing.
    pub relay_acked: u64,
    /// The same of any peer.
    pub acked: u64,
    /// Arrival number of the device's newest data entry; 0 if it wrote none.
    pub newest: u64,
    /// Its data entries behind `acked`.
    pub unsent: u64,
    /// Entries of the space are kept and not applied.
    pub open: bool,
}

impl Device {
    /// The space in which this device has a document with this id, the first by title if there are several, and what
    /// bringing the document into memory asks for: one reading.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn look(&self, document: DocumentId) -> Result<Option<(LocalSpace, OpenedDocument)>, StoreError> {
        let read = move |connection: &Connection| {
            let Some((space, _)) = documents::place_of(connection, document)? else { return Ok(None) };
            let found = (local_space(connection, space)?, documents::opened(connection, space, document)?);
            Ok(if let (Some(local), Some(opened)) = found { Some((local, opened)) } else { None })
        };
        self.engine.read(read).await
    }

    /// A space as this device's person sees it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn local_space(&self, space: SpaceId) -> Result<Option<LocalSpace>, StoreError> {
        self.engine.read(move |connection| local_space(connection, space)).await
    }

    /// Where a device's data entries of a space are, by what these relays and other devices acknowledged. Reads no
    /// payload.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn whereabouts(
        &self,
        space: SpaceId,
        device: DeviceKey,
        relays: Vec<DeviceKey>,
        others: Vec<DeviceKey>,
    ) -> Result<Whereabouts, StoreError> {
        let read = move |connection: &Connection| {
            let Some(row) = space_id(connection, space)? else { return Ok(Whereabouts::default()) };
            let relay_acked = acked_by(connection, row, &relays)?;
            let acked = relay_acked.max(acked_by(connection, row, &others)?);
            Ok(Whereabouts {
                drafts: count(connection, "select count(*) from draft where space = ?1", [row])?,
                receipts: receipts_of(connection, row)?,
                relay_acked,
                acked,
                newest: newest_of(connection, row, device)?,
                unsent: written_behind(connection, row, device, acked)?,
                open: count(
                    connection,
                    "select exists (select 1 from document_entry where space = ?1 and state <> 0)",
                    [row],
                )? > 0,
            })
        };
        self.engine.read(read).await
    }
}

/// Up to which arrival number one of these peers acknowledged a space.
fn acked_by(connection: &Connection, space: i64, peers: &[DeviceKey]) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(
        "select c.acked from peer p join cursor c on c.instance = p.instance and c.space = ?2 where p.device = ?1",
    )?;
    let mut most = 0;
    for peer in peers {
        let acked: Option<i64> = statement.query_row((peer.as_bytes(), space), |row| row.get(0)).optional()?;
        most = most.max(acked.map_or(0, uint));
    }
    Ok(most)
}

/// The arrival number of a device's newest data entry. Numbers rise along a log, so its head has the highest.
fn newest_of(connection: &Connection, space: i64, device: DeviceKey) -> Result<u64, StoreError> {
    let newest = "select ifnull(max(e.arrival), 0) from log l join entry e on e.log = l.id and e.seq = l.seq \
                  where l.space = ?1 and l.device = ?2 and l.stream = ?3";
    count(connection, newest, (space, device.as_bytes(), Stream::Data as u8))
}

fn written_behind(connection: &Connection, space: i64, device: DeviceKey, after: u64) -> Result<u64, StoreError> {
    count(connection, &format!("select count(*) {WRITTEN_BEHIND}"), (space, int(after), device.as_bytes()))
}

/// The data entries that device ?3 wrote into space ?1 behind arrival number ?2. The stream is no parameter: with an
/// index for one stream alone, SQLite would plan the statement anew each time that it is used.
pub(super) const WRITTEN_BEHIND: &str = "from entry e cross join log l on l.id = e.log \
    where e.space = ?1 and e.arrival > ?2 and e.stream = 1 and l.device = ?3";
const _: () = assert!(Stream::Data as u8 == 1);

fn count(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Result<u64, StoreError> {
    Ok(connection.prepare_cached(sql)?.query_row(parameters, |row| row.get(0).map(uint))?)
}
