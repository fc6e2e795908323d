//! Receipts (`seen`): what a device says that it has, signed, outside the logs (PROTOCOL section 3).

use minicbor::{Decode, Encode};

use crate::codec::{self, DecodeError};
use crate::entry::Signature;
use crate::hash::{Domain, hash};
use crate::ids::{DeviceKey, HashPrefix, Incarnation, LogId, SpaceId};
use crate::limits;
use crate::vector::Row;

/// Version of the receipt's layout. Those of version 1 are read: their rows are those of vectors.
pub const RECEIPT_VERSION: u8 = 2;

/// What a receipt says of one log: enough to know it among those of its space, and to see that it forked. A receipt names
/// every log of its space, and everybody's newest is passed on by everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReceiptRow {
    /// First eight bytes of [`Row::log`].
    pub log: [u8; 8],
    /// [`Row::seq`], at most `u32::MAX`.
    pub seq: u32,
    /// First four bytes of [`Row::hash`].
    pub hash: [u8; 4],
}

impl ReceiptRow {
    /// Whether it says that an entry of a log is there.
    #[must_use]
    pub fn has(&self, log: LogId, seq: u64) -> bool {
        log.0.starts_with(&self.log) && u64::from(self.seq) >= seq
    }
}

impl From<&Row> for ReceiptRow {
    fn from(row: &Row) -> Self {
        let seq = u32::try_from(row.seq).unwrap_or(u32::MAX);
        Self { log: first(&row.log.0), seq, hash: first(&row.hash.0) }
    }
}

/// The first bytes of an id.
fn first<const N: usize>(id: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&id[..N]);
    bytes
}

/// What a device has of a space, by its own word. A higher counter replaces a lower one; a receipt of an incarnation
/// that closes another, and is not closed by it, replaces that one's whatever the counter.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Receipt {
    /// [`RECEIPT_VERSION`].
    #[n(0)]
    pub version: u8,
    /// The space.
    #[n(1)]
    pub space: SpaceId,
    /// Whose receipt it is.
    #[n(2)]
    pub device: DeviceKey,
    /// The database that it speaks of.
    #[n(3)]
    pub incarnation: Incarnation,
    /// Above that of every receipt of the device that its writer knows.
    #[n(4)]
    pub counter: u64,
    /// Incarnations that this one closes.
    #[n(5)]
    pub closes: Vec<Incarnation>,
    /// What the device has.
    #[n(6)]
    #[cbor(with = "rows")]
    pub vector: Vec<ReceiptRow>,
    /// The membership heads that it knows.
    #[n(7)]
    pub heads: Vec<HashPrefix>,
    /// Entries that it holds but does not show, at most [`limits::RECEIPT_IDS_MAX`].
    #[n(8)]
    pub parked: Vec<(LogId, u64)>,
    /// How many it holds but does not show.
    #[n(9)]
    pub parked_count: u64,
}

/// Rows one after the other in a byte string: log, number with the highest byte first, hash.
mod rows {
    use minicbor::data::Type;
    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};

    use super::{ReceiptRow, Row, first};

    const ROW_BYTES: usize = 16;

    pub(super) fn encode<C, W: Write>(
        rows: &[ReceiptRow],
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        let mut bytes = Vec::with_capacity(rows.len() * ROW_BYTES);
        for row in rows {
            bytes.extend_from_slice(&row.log);
            bytes.extend_from_slice(&row.seq.to_be_bytes());
            bytes.extend_from_slice(&row.hash);
        }
        encoder.bytes(&bytes)?;
        Ok(())
    }

    pub(super) fn decode<'b, C>(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Vec<ReceiptRow>, DecodeError> {
        if decoder.datatype()? == Type::Array {
            // Version 1.
            let rows: Vec<Row> = decoder.decode()?;
            return Ok(rows.iter().map(ReceiptRow::from).collect());
        }
        let (rows, rest) = decoder.bytes()?.as_chunks::<ROW_BYTES>();
        if !rest.is_empty() {
            return Err(DecodeError::message("half a row"));
        }
        let row = |bytes: &[u8; ROW_BYTES]| ReceiptRow {
            log: first(&bytes[..8]),
            seq: u32::from_be_bytes(first(&bytes[8..12])),
            hash: first(&bytes[12..]),
        };
        Ok(rows.iter().map(row).collect())
    }
}

/// A receipt's bytes with their signature, not verified.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SignedReceipt {
    /// CBOR of a [`Receipt`], as signed.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub body: Vec<u8>,
    /// Ed25519 by the device over [`SignedReceipt::message`].
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub signature: Signature,
}

impl SignedReceipt {
    /// What is signed for a body.
    #[must_use]
    pub fn message(body: &[u8]) -> [u8; 32] {
        hash(Domain::Receipt, &[body])
    }

    /// Reads the body, without verifying the signature.
    ///
    /// # Errors
    /// [`DecodeError`] when it is not a receipt of this version or over a limit.
    pub fn parse(&self) -> Result<Receipt, DecodeError> {
        codec::within("receipt", self.body.len(), limits::RECEIPT_BYTES_MAX)?;
        let receipt: Receipt = codec::decode(&self.body)?;
        if !(1..=RECEIPT_VERSION).contains(&receipt.version) {
            return Err(DecodeError::Shape("receipt of another version".into()));
        }
        codec::within("parked ids", receipt.parked.len(), limits::RECEIPT_IDS_MAX)?;
        codec::within("receipt heads", receipt.heads.len(), limits::HEADS_MAX)?;
        codec::within("closed incarnations", receipt.closes.len(), limits::INCARNATIONS_MAX)?;
        Ok(receipt)
    }
}
