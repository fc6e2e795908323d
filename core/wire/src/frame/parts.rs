//! What frames are made of.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::Number;
use crate::entry::Signature;
use crate::hash::{Domain, hash};
use crate::ids::{HeaderHash, Instance, SignerKey, SpaceId};

/// The opening of a session.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Hello {
    /// [`super::PROTOCOL_VERSION`].
    #[n(0)]
    pub version: u16,
    /// The sender's database.
    #[n(1)]
    pub instance: Instance,
    /// First eight bytes of the receiver's database as the sender knows it, all zero if it does not.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub known: [u8; 8],
    /// How many spaces the sender shares with the receiver.
    #[n(3)]
    pub spaces: u32,
    /// Root over their digests.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub root: [u8; 16],
    /// Which cursors follow.
    #[n(5)]
    pub cursors: Cursors,
    /// [`crate::vector::cursor_check`] of the cursors that are not 0.
    #[n(6)]
    #[cbor(with = "minicbor::bytes")]
    pub check: [u8; 8],
}

/// How far the sender of a Hello has everything that the receiver had: arrival numbers of the receiver, 0 for none.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Cursors {
    /// One for each shared space, in id order.
    #[n(0)]
    All(#[n(0)] Vec<u64>),
    /// Only those that moved since the receiver last acknowledged anything.
    #[n(1)]
    Moved(#[n(0)] Vec<(SpaceId, u64)>),
}

/// One space's digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct DigestRow {
    /// The space.
    #[n(0)]
    pub space: SpaceId,
    /// [`crate::vector::digest`].
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub digest: [u8; 8],
}

/// Consecutive entries of one log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Run {
    /// Number of the log.
    #[n(0)]
    pub log: Number,
    /// Number of the first entry.
    #[n(1)]
    pub first: u64,
    /// Header hash before it; absent where the receiver is known to have it.
    #[n(2)]
    pub prev: Option<HeaderHash>,
    /// The entries, at most [`crate::limits::RUN_ENTRIES_MAX`].
    #[n(3)]
    pub entries: Vec<RunEntry>,
}

/// One entry of a run: the rest of its header follows from its place.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RunEntry {
    /// The suffix as signed.
    #[n(0)]
    pub suffix: ByteVec,
    /// The author's signature.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub signature: Signature,
    /// The payload or what remains of it.
    #[n(2)]
    pub payload: RunPayload,
}

/// A payload, or what the header says of one that is not sent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum RunPayload {
    /// The payload.
    #[n(0)]
    Here(#[n(0)] ByteVec),
    /// Dropped: its length and hash.
    #[n(1)]
    Absent {
        /// Length in bytes.
        #[n(0)]
        len: u32,
        /// BLAKE3.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        hash: [u8; 32],
    },
}

/// What there is of an entry that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Answer {
    /// Its payload.
    #[n(0)]
    Payload(#[n(0)] ByteVec),
    /// Dropped by an erasure that counts.
    #[n(1)]
    Erased,
    /// Not here, or not yours.
    #[n(2)]
    Absent,
}

/// Two signed headers of the same log and number.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ForkProof {
    /// The number.
    #[n(0)]
    pub seq: u64,
    /// Header hash before both.
    #[n(1)]
    pub prev: HeaderHash,
    /// One header.
    #[n(2)]
    pub one: ForkHeader,
    /// The other.
    #[n(3)]
    pub other: ForkHeader,
}

/// A header of a fork's proof, without what both share.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ForkHeader {
    /// The suffix as signed.
    #[n(0)]
    pub suffix: ByteVec,
    /// Length of the payload.
    #[n(1)]
    pub payload_len: u32,
    /// BLAKE3 of the payload.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub payload_hash: [u8; 32],
    /// The author's signature.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub signature: Signature,
}

/// Why something is refused. A number that is not known reads as a decode error: a newer peer sends a newer version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Reason {
    /// There is no such space, or it is not yours: one answer for both.
    #[n(0)]
    Absent,
    /// The relay takes no new space without its operator's token.
    #[n(1)]
    TokenNeeded,
    /// The space is full.
    #[n(2)]
    Quota,
    /// Larger than this replica takes.
    #[n(3)]
    Size,
    /// A signature does not verify.
    #[n(4)]
    Signature,
    /// The author may not write here.
    #[n(5)]
    NotMember,
    /// A header, suffix or payload is not what it should be.
    #[n(6)]
    Malformed,
    /// Too many entries of one device.
    #[n(7)]
    TooMany,
    /// No more room on the disk.
    #[n(8)]
    Storage,
    /// The asker was put out of the space: the membership entries that say so were sent before. A hint, never a proof.
    #[n(9)]
    Revoked,
}

impl Reason {
    /// The stable code that people and logs see.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Absent => "ABSENT",
            Self::TokenNeeded => "TOKEN_NEEDED",
            Self::Quota => "RELAY_QUOTA",
            Self::Size => "SIZE",
            Self::Signature => "BAD_SIGNATURE",
            Self::NotMember => "NOT_MEMBER",
            Self::Malformed => "MALFORMED",
            Self::TooMany => "TOO_MANY",
            Self::Storage => "LOW_STORAGE",
            Self::Revoked => "REVOKED",
        }
    }
}

/// A message for a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Post {
    /// Whose mailbox: the invitation's one-time key.
    #[n(0)]
    pub once: SignerKey,
    /// At most [`crate::limits::MAILBOX_MESSAGE_BYTES_MAX`].
    #[n(1)]
    pub message: ByteVec,
    /// By the one-time key over [`mailbox_message`]; absent when a steward's device writes.
    #[n(2)]
    pub proof: Option<ByteVec>,
}

/// Where a mailbox lies at a relay.
#[must_use]
pub fn mailbox_address(once: SignerKey) -> [u8; 32] {
    hash(Domain::Mailbox, &[&once.0])
}

/// What the one-time key signs to write `message` into its mailbox, or to read it (`message` empty).
#[must_use]
pub fn mailbox_message(once: SignerKey, message: &[u8]) -> [u8; 32] {
    hash(Domain::MailboxUse, &[&once.0, message])
}
