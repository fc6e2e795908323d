//! Bundles in files (PROTOCOL section 3, bundles): records that stand alone, so that what is damaged costs what it hits.
//!
//! ```text
//! file   = record...
//! record = mark (8) ‖ kind (1) ‖ length of the body (4, big-endian) ‖ check (16) ‖ body
//! check  = first 16 bytes of H(BundleRecord, kind ‖ length ‖ body)
//! ```
//!
//! A reader that meets anything else looks for the next mark: [`Scanner`]. A record of a kind that is not known is passed
//! over. What a finder of the file can read is a [`Start`], a [`Head`] for each space with as many sealed keys as there are
//! receivers or a few more, and how large the sealed [`SealedPage`]s are.

mod page;
mod scanner;

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::codec::{self, DecodeError};
use crate::hash::{Domain, hash};
use crate::limits;

pub use page::{PageBody, PageEnd, SealedPage, SignedPage};
pub use scanner::{Scanned, Scanner};

/// Version of the form of bundles in files.
pub const BUNDLE_FILE_VERSION: u8 = 1;
/// Begins every record. The first byte is no ASCII, and a copy that changes line ends breaks it, as in PNG's signature.
pub const MARK: [u8; 8] = *b"\x89ALB\r\n\x1a\n";
/// Mark, kind, length and check.
pub const RECORD_HEAD_BYTES: usize = MARK.len() + 1 + 4 + CHECK_BYTES;
const CHECK_BYTES: usize = 16;
/// Length of the record of a [`Finish`].
pub const FINISH_RECORD_BYTES: usize = RECORD_HEAD_BYTES + 16 + 4;
/// Length of a [`Start`].
const START_BYTES: usize = 1 + 16 + 4 + 4;
/// A key sealed to a device: see `alliance_crypto`.
pub const DEVICE_SLOT_BYTES: usize = 80;
/// A key sealed for a relay: see `alliance_crypto`.
pub const RELAY_SLOT_BYTES: usize = 73;

/// Names a bundle: drawn when it is written.
pub type BundleId = [u8; 16];
/// Names what one bundle holds of one space: drawn when it is written.
pub type ParcelId = [u8; 16];

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RecordKind {
    /// A [`Start`]: the first of each part.
    Start = 0,
    /// A [`Head`]: before a parcel's pages, and again behind each MiB of them and at their end.
    Head = 1,
    /// A [`SealedPage`].
    Page = 2,
    /// A [`Finish`]: the last of each part.
    Finish = 3,
}

impl RecordKind {
    /// The kind with this number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Start),
            1 => Some(Self::Head),
            2 => Some(Self::Page),
            3 => Some(Self::Finish),
            _ => None,
        }
    }
}

/// The bytes of a record. The body is at most [`limits::RECORD_BYTES_MAX`] long: its writer has seen to that.
#[must_use]
pub fn record(kind: RecordKind, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut bytes = Vec::with_capacity(RECORD_HEAD_BYTES + body.len());
    bytes.extend_from_slice(&MARK);
    bytes.push(kind as u8);
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(&check(kind as u8, length, body));
    bytes.extend_from_slice(body);
    bytes
}

fn check(kind: u8, length: [u8; 4], body: &[u8]) -> [u8; CHECK_BYTES] {
    let mut out = [0; CHECK_BYTES];
    out.copy_from_slice(&hash(Domain::BundleRecord, &[&[kind], &length, body])[..CHECK_BYTES]);
    out
}

/// What the first record of a file says. Its layout is fixed, so that the number of parts can be put in when it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The bundle.
    pub bundle: BundleId,
    /// Which part this is, from 1.
    pub part: u32,
    /// How many there are; 0 if its writer did not come to its end.
    pub parts: u32,
}

impl Start {
    /// Version (1) ‖ bundle (16) ‖ part (4) ‖ parts (4).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [&[BUNDLE_FILE_VERSION][..], &self.bundle, &self.part.to_be_bytes(), &self.parts.to_be_bytes()].concat()
    }

    /// Reads the body of the record. `Ok(None)` if it is of a newer version.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Option<Self>, DecodeError> {
        let shape = || DecodeError::Shape("the start of a bundle".into());
        match bytes.first() {
            Some(version) if *version > BUNDLE_FILE_VERSION => return Ok(None),
            Some(&BUNDLE_FILE_VERSION) if bytes.len() == START_BYTES => {}
            _ => return Err(shape()),
        }
        let (bundle, numbers) = bytes[1..].split_first_chunk::<16>().ok_or_else(shape)?;
        let (part, parts) = numbers.split_first_chunk::<4>().ok_or_else(shape)?;
        let parts = parts.try_into().map_err(|_| shape())?;
        Ok(Some(Self { bundle: *bundle, part: u32::from_be_bytes(*part), parts: u32::from_be_bytes(parts) }))
    }
}

/// What the last record of a file says: nothing was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finish {
    /// The bundle.
    pub bundle: BundleId,
    /// Which part ends, from 1.
    pub part: u32,
}

impl Finish {
    /// Bundle (16) ‖ part (4).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [&self.bundle[..], &self.part.to_be_bytes()].concat()
    }

    /// Reads the body of the record.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let shape = || DecodeError::Shape("the end of a bundle".into());
        let (bundle, part) = bytes.split_first_chunk::<16>().ok_or_else(shape)?;
        let part = part.try_into().map_err(|_| shape())?;
        Ok(Self { bundle: *bundle, part: u32::from_be_bytes(part) })
    }
}

/// The key of a parcel, once for each receiver. It says neither which space the parcel is of, nor who the receivers are.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Head {
    /// [`BUNDLE_FILE_VERSION`].
    #[n(0)]
    pub version: u8,
    /// The bundle.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub bundle: BundleId,
    /// The parcel.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub parcel: ParcelId,
    /// Slots of [`DEVICE_SLOT_BYTES`], filled up with random ones to a multiple of eight.
    #[n(3)]
    pub devices: ByteVec,
    /// Slots of [`RELAY_SLOT_BYTES`]; none unless whoever wrote the bundle wanted a relay to be able to take it.
    #[n(4)]
    pub relays: ByteVec,
}

impl Head {
    /// The bytes of the record's body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads the body of a record and checks its limits. `Ok(None)` if it is of a newer version.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Option<Self>, DecodeError> {
        let head: Self = codec::decode(bytes)?;
        if head.version > BUNDLE_FILE_VERSION {
            return Ok(None);
        }
        for (slots, bytes) in [(&head.devices, DEVICE_SLOT_BYTES), (&head.relays, RELAY_SLOT_BYTES)] {
            codec::within("slots of a bundle", slots.len(), limits::PARCEL_SLOTS_MAX * bytes)?;
            if slots.len() % bytes != 0 {
                return Err(DecodeError::Shape("slots of another length".into()));
            }
        }
        Ok(Some(head))
    }
}
