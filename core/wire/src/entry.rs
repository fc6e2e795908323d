//! Entries: the unit that is signed, chained, stored and sent (PROTOCOL section 2).
//!
//! ```text
//! signed bytes    = prefix ‖ suffix ‖ payload length (u32, big-endian) ‖ BLAKE3(payload)
//! prefix          = "alliance entry\0" ‖ version (1) ‖ space (16) ‖ log (20) ‖ seq (u64, big-endian) ‖ prev (32)
//! suffix          = CBOR {0: kind, 1: epoch or absent, ...}, kept verbatim
//! header hash     = BLAKE3(signed bytes)
//! associated data = prefix ‖ suffix
//! ```
//!
//! Payloads lie apart: one can be dropped and the chain still verifies.

use minicbor::{Decode, Encode};

use crate::codec::{self, DecodeError};
use crate::hash::content_hash;
use crate::ids::{EpochId, HeaderHash, LogId, SpaceId};
use crate::limits;

/// What every entry's signed bytes begin with: a type, then the version.
const MAGIC: &[u8; 15] = b"alliance entry\0";
/// Version of the entry's layout.
pub const ENTRY_VERSION: u8 = 1;
/// Length of the prefix in bytes.
pub const PREFIX_BYTES: usize = MAGIC.len() + 1 + SpaceId::LEN + LogId::LEN + 8 + HeaderHash::LEN;

/// An Ed25519 signature (RFC 8032).
pub type Signature = [u8; 64];

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// Keys, roles and epochs, readable by a relay.
    #[n(0)]
    Membership,
    /// Sealed content.
    #[n(1)]
    Data,
}

/// Why bytes or parts are not an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The suffix is not what a suffix is.
    #[error("suffix: {0}")]
    Suffix(#[from] DecodeError),
    /// A sealed entry names its epoch, a membership entry none.
    #[error("a data entry names an epoch and a membership entry none")]
    Epoch,
    /// Numbers start at 1, and only number 1 has no predecessor.
    #[error("number and predecessor do not fit each other")]
    Number,
    /// The payload is over the limit of its kind.
    #[error("payload of {len} bytes over the limit of {limit}")]
    PayloadSize {
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The payload is not the one that the header names.
    #[error("payload differs from what the header names")]
    Payload,
}

/// The variable part of a header: the bytes as signed, and what they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suffix {
    bytes: Vec<u8>,
    fields: SuffixFields,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct SuffixFields {
    #[n(0)]
    kind: Kind,
    #[n(1)]
    epoch: Option<EpochId>,
}

impl Suffix {
    /// The suffix of an entry of this kind, sealed under `epoch` if it is a data entry.
    #[must_use]
    pub fn new(kind: Kind, epoch: Option<EpochId>) -> Self {
        let fields = SuffixFields { kind, epoch };
        Self { bytes: codec::encode(&fields), fields }
    }

    /// Reads a suffix; unknown keys stay in the bytes.
    ///
    /// # Errors
    /// [`EntryError::Suffix`] or [`EntryError::Epoch`].
    pub fn parse(bytes: Vec<u8>) -> Result<Self, EntryError> {
        codec::within("suffix", bytes.len(), limits::SUFFIX_BYTES_MAX)?;
        let fields: SuffixFields = codec::decode(&bytes)?;
        if fields.epoch.is_some() != (fields.kind == Kind::Data) {
            return Err(EntryError::Epoch);
        }
        Ok(Self { bytes, fields })
    }

    /// The bytes as signed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// An entry's header: all that is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The audience.
    pub space: SpaceId,
    /// The log that the author signed for (for an entry after a fork: the log that forked).
    pub log: LogId,
    /// Number in the log, from 1.
    pub seq: u64,
    /// Header hash of the entry before it, [`HeaderHash::NONE`] for number 1.
    pub prev: HeaderHash,
    /// Kind and epoch.
    pub suffix: Suffix,
    /// Length of the payload in bytes.
    pub payload_len: u32,
    /// BLAKE3 of the payload.
    pub payload_hash: [u8; 32],
}

impl Header {
    /// A header for `payload`.
    ///
    /// # Errors
    /// [`EntryError::Number`] or [`EntryError::PayloadSize`].
    pub fn new(
        space: SpaceId,
        log: LogId,
        seq: u64,
        prev: HeaderHash,
        suffix: Suffix,
        payload: &[u8],
    ) -> Result<Self, EntryError> {
        let payload_len = u32::try_from(payload.len())
            .map_err(|_| EntryError::PayloadSize { len: payload.len(), limit: payload_limit(suffix.fields.kind) })?;
        let header = Self { space, log, seq, prev, suffix, payload_len, payload_hash: content_hash(payload) };
        header.check()?;
        Ok(header)
    }

    /// Checks number, predecessor and size.
    ///
    /// # Errors
    /// [`EntryError::Number`] or [`EntryError::PayloadSize`].
    pub fn check(&self) -> Result<(), EntryError> {
        if self.seq == 0 || (self.seq == 1) != (self.prev == HeaderHash::NONE) || self.seq > i64::MAX.unsigned_abs() {
            return Err(EntryError::Number);
        }
        let (len, limit) = (self.payload_len as usize, payload_limit(self.kind()));
        if len > limit { Err(EntryError::PayloadSize { len, limit }) } else { Ok(()) }
    }

    /// What the entry is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.suffix.fields.kind
    }

    /// The epoch that a data entry is sealed under.
    #[must_use]
    pub const fn epoch(&self) -> Option<EpochId> {
        self.suffix.fields.epoch
    }

    /// Prefix and suffix: what the payload is sealed with.
    #[must_use]
    pub fn associated_data(&self) -> Vec<u8> {
        associated_data(self.space, self.log, self.seq, self.prev, &self.suffix)
    }

    /// The bytes that the author signs.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = self.associated_data();
        bytes.extend_from_slice(&self.payload_len.to_be_bytes());
        bytes.extend_from_slice(&self.payload_hash);
        bytes
    }

    /// BLAKE3 of the signed bytes.
    #[must_use]
    pub fn hash(&self) -> HeaderHash {
        HeaderHash(content_hash(&self.signed_bytes()))
    }
}

/// Prefix and suffix of an entry whose payload does not exist yet: sealing needs them first.
#[must_use]
pub fn associated_data(space: SpaceId, log: LogId, seq: u64, prev: HeaderHash, suffix: &Suffix) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PREFIX_BYTES + suffix.bytes.len() + 36);
    bytes.extend_from_slice(MAGIC);
    bytes.push(ENTRY_VERSION);
    bytes.extend_from_slice(&space.0);
    bytes.extend_from_slice(&log.0);
    bytes.extend_from_slice(&seq.to_be_bytes());
    bytes.extend_from_slice(&prev.0);
    bytes.extend_from_slice(&suffix.bytes);
    bytes
}

/// The largest payload of a kind, in bytes.
#[must_use]
pub const fn payload_limit(kind: Kind) -> usize {
    match kind {
        Kind::Membership => limits::MEMBERSHIP_PAYLOAD_BYTES_MAX,
        Kind::Data => limits::DATA_PAYLOAD_BYTES_MAX,
    }
}

/// A header with its author's signature: what proves a fork.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHeader {
    /// What is signed.
    pub header: Header,
    /// Ed25519 over [`Header::signed_bytes`].
    pub signature: Signature,
}

/// An entry as stored and sent. Nothing here is verified: see `alliance_crypto::Verified`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Header and signature.
    pub signed: SignedHeader,
    /// The payload, unless it was dropped.
    pub payload: Option<Vec<u8>>,
}

impl Entry {
    /// An entry with its payload, which must be the one that the header names.
    ///
    /// # Errors
    /// [`EntryError::Payload`] when it is another.
    pub fn new(signed: SignedHeader, payload: Vec<u8>) -> Result<Self, EntryError> {
        let header = &signed.header;
        if payload.len() != header.payload_len as usize || content_hash(&payload) != header.payload_hash {
            return Err(EntryError::Payload);
        }
        Ok(Self { signed, payload: Some(payload) })
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.signed.header
    }
}
