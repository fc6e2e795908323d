//! The encoded forms of Alliance: everything that is signed, stored or sent.
//!
//! A *space* is an audience. Each incarnation of a device writes two *logs* in a space, one of membership and one of
//! sealed data; a log is a chain of [`Entry`]s, each signed over its verbatim bytes and naming its predecessor by hash.
//! Replicas compare [`vector`]s of logs and exchange [`frame`]s. What stands inside a membership entry's payload is in
//! [`membership`]; what stands inside a data entry's sealed payload is in [`content`].
//!
//! The crate is pure: no clock, no randomness, no I/O. It checks shape and limits ([`limits`]); who may sign what is
//! `alliance-crypto`'s business.
//!
//! Encoding is CBOR ([RFC 8949](https://www.rfc-editor.org/rfc/rfc8949)) with integer keys through `minicbor`: unknown
//! trailing fields are skipped, and whatever is signed is kept as the bytes that were signed, so no canonical form of
//! CBOR is needed.

pub mod bundle;
pub mod bundle_file;
pub mod codec;
pub mod content;
pub mod entry;
pub mod frame;
pub mod hash;
pub mod ids;
pub mod limits;
pub mod membership;
pub mod receipt;
pub mod vector;

pub use codec::{DecodeError, decode, encode};
pub use entry::{Entry, EntryError, Header, Kind, Signature, SignedHeader, Suffix};
pub use frame::Frame;
pub use ids::{
    BoxKey, DeviceKey, DocumentId, DraftId, EpochId, FrozenHash, HashPrefix, HeaderHash, IdError, Incarnation,
    Instance, LogId, PersonTag, SignerKey, SpaceId, Stream,
};
pub use receipt::Receipt;
pub use vector::{LogName, Row};
