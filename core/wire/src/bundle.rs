//! Entries on their way in somebody else's hands (PROTOCOL section 3, carried): what a locked profile left to be sent.
//!
//! A bundle is parcels, one for each space. A parcel is sealed under a key of its own that lies in a slot for each replica
//! that may have it. What opens a slot is that replica's public key, which whoever carries the bundle learns by meeting
//! it, and not from the bundle.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::codec::{self, DecodeError};
use crate::frame::RunEntry;
use crate::ids::{HeaderHash, SpaceId};
use crate::limits;
use crate::vector::LogName;

/// Version of the bundle's form.
pub const BUNDLE_VERSION: u8 = 1;

/// Consecutive entries of one log, with everything that says where they belong: they follow nothing on the connection.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Carry {
    /// The space.
    #[n(0)]
    pub space: SpaceId,
    /// The log.
    #[n(1)]
    pub name: LogName,
    /// Number of the first entry.
    #[n(2)]
    pub first: u64,
    /// Header hash before it; nothing before the first of all.
    #[n(3)]
    pub prev: HeaderHash,
    /// The entries, at most [`limits::CARRY_ENTRIES_MAX`].
    #[n(4)]
    pub entries: Vec<RunEntry>,
}

/// What lies outside an encrypted store until somebody carries it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Bundle {
    /// [`BUNDLE_VERSION`].
    #[n(0)]
    pub version: u8,
    /// Random; the slots' keys depend on it.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub salt: [u8; 16],
    /// At most [`limits::BUNDLE_PARCELS_MAX`].
    #[n(2)]
    pub parcels: Vec<Parcel>,
}

/// The entries of one space.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Parcel {
    /// The parcel's key for each replica that may have it, at most [`limits::PARCEL_SLOTS_MAX`].
    #[n(0)]
    pub slots: Vec<ByteVec>,
    /// [`Contents`], sealed.
    #[n(1)]
    pub sealed: ByteVec,
}

/// What is in a parcel, in the order in which it is to be stored.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Contents {
    /// The runs.
    #[n(0)]
    pub carries: Vec<Carry>,
}

impl Carry {
    /// Checks the limits.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn check(&self) -> Result<(), DecodeError> {
        codec::within("entries carried", self.entries.len(), limits::CARRY_ENTRIES_MAX)?;
        codec::within("fork depth", self.name.path.len(), limits::CONTINUATIONS_MAX)
    }
}

impl Bundle {
    /// The bytes of the bundle.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a bundle and checks its limits.
    ///
    /// # Errors
    /// [`DecodeError`]; nothing is allocated beyond the input's own length.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::within("bundle", bytes.len(), limits::BUNDLE_BYTES_MAX)?;
        let bundle: Self = codec::decode(bytes)?;
        codec::within("bundle version", usize::from(bundle.version), usize::from(BUNDLE_VERSION))?;
        codec::within("parcels", bundle.parcels.len(), limits::BUNDLE_PARCELS_MAX)?;
        for parcel in &bundle.parcels {
            codec::within("slots", parcel.slots.len(), limits::PARCEL_SLOTS_MAX)?;
        }
        Ok(bundle)
    }
}

impl Contents {
    /// The bytes of the contents.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads the contents of a parcel and checks their limits.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::within("parcel", bytes.len(), limits::BUNDLE_BYTES_MAX)?;
        let contents: Self = codec::decode(bytes)?;
        contents.carries.iter().try_for_each(Carry::check)?;
        Ok(contents)
    }
}
