//! What stands in a parcel: pages of frames as they go over a line, each signed by who wrote the bundle.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::{BundleId, ParcelId};
use crate::codec::{self, DecodeError};
use crate::entry::Signature;
use crate::frame::Frame;
use crate::hash::{Domain, hash};
use crate::ids::{DeviceKey, SpaceId};
use crate::limits;

/// A page as a finder of the file sees it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SealedPage {
    /// The parcel.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub parcel: ParcelId,
    /// Its number in the parcel, from 0.
    #[n(1)]
    pub number: u64,
    /// A [`SignedPage`], sealed.
    #[n(2)]
    pub sealed: ByteVec,
}

/// A page with the signature of the device that wrote the bundle: what is taken of it is judged as if that device were met.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SignedPage {
    /// Who wrote the bundle.
    #[n(0)]
    pub writer: DeviceKey,
    /// By the writer over [`SignedPage::message`].
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub signature: Signature,
    /// A [`PageBody`], as it was signed.
    #[n(2)]
    pub body: ByteVec,
}

/// What a page says.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PageBody {
    /// The space.
    #[n(0)]
    pub space: SpaceId,
    /// How many entries stand in the parcel before this page: what is missing before it can be counted.
    #[n(1)]
    pub before: u64,
    /// [`Frame::Carry`], [`Frame::Receipt`] and [`Frame::Fork`], each encoded; the space's number is 0 in all of them.
    #[n(2)]
    pub frames: Vec<ByteVec>,
    /// The parcel ends with this page.
    #[n(3)]
    pub end: Option<PageEnd>,
}

/// What the last page of a parcel says of all of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PageEnd {
    /// Pages, this one included.
    #[n(0)]
    pub pages: u64,
    /// Entries.
    #[n(1)]
    pub entries: u64,
    /// Receipts.
    #[n(2)]
    pub receipts: u64,
    /// BLAKE3 of what is sealed in each page before this one, in order.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub hash: [u8; 32],
    /// The bundle behind which this one begins; absent where it begins behind receipts, or at the beginning.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub since: Option<BundleId>,
}

impl SealedPage {
    /// The bytes of the record's body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads the body of a record.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::within("page of a bundle", bytes.len(), limits::RECORD_BYTES_MAX)?;
        codec::decode(bytes)
    }
}

impl SignedPage {
    /// What the writer signs.
    #[must_use]
    pub fn message(parcel: ParcelId, number: u64, body: &[u8]) -> [u8; 32] {
        hash(Domain::BundlePage, &[&parcel, &number.to_be_bytes(), body])
    }

    /// The bytes that are sealed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads what was sealed.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::within("page of a bundle", bytes.len(), limits::RECORD_BYTES_MAX)?;
        codec::decode(bytes)
    }
}

impl PageBody {
    /// The bytes that are signed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a page and its frames, and checks their limits.
    ///
    /// # Errors
    /// [`DecodeError`], also for a frame that has no place in a bundle.
    pub fn decode(bytes: &[u8]) -> Result<(Self, Vec<Frame>), DecodeError> {
        codec::within("page of a bundle", bytes.len(), limits::RECORD_BYTES_MAX)?;
        let body: Self = codec::decode(bytes)?;
        codec::within("frames of a page", body.frames.len(), limits::PAGE_FRAMES_MAX)?;
        let mut frames = Vec::with_capacity(body.frames.len());
        for frame in &body.frames {
            let frame = Frame::decode(frame)?;
            let fits = if let Frame::Carry(carry) = &frame {
                carry.space == body.space
            } else {
                matches!(frame, Frame::Receipt { space: 0, .. } | Frame::Fork { space: 0, .. })
            };
            if !fits {
                return Err(DecodeError::Shape("a frame that has no place in a bundle".into()));
            }
            frames.push(frame);
        }
        Ok((body, frames))
    }
}
