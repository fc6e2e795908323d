//! Receipts (`seen`): what a device says that it has, signed, outside the logs (PROTOCOL section 3).

use minicbor::{Decode, Encode};

use crate::codec::{self, DecodeError};
use crate::entry::Signature;
use crate::hash::{Domain, hash};
use crate::ids::{DeviceKey, HashPrefix, Incarnation, LogId, SpaceId};
use crate::limits;
use crate::vector::Row;

/// Version of the receipt's layout.
pub const RECEIPT_VERSION: u8 = 1;

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
    pub vector: Vec<Row>,
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
        if receipt.version != RECEIPT_VERSION {
            return Err(DecodeError::Shape("receipt of another version".into()));
        }
        codec::within("parked ids", receipt.parked.len(), limits::RECEIPT_IDS_MAX)?;
        codec::within("receipt heads", receipt.heads.len(), limits::HEADS_MAX)?;
        codec::within("closed incarnations", receipt.closes.len(), limits::INCARNATIONS_MAX)?;
        Ok(receipt)
    }
}
