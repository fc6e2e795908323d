//! Frames: what two replicas say to each other (PROTOCOL section 3). The same over QUIC, TLS and in files.
//!
//! A session is symmetric. Each direction of a connection numbers the spaces and logs that it names, in the order in
//! which it first names them ([`Frame::Space`], [`Frame::Log`]), and refers to them by that number from then on: a live
//! edit does not carry forty bytes of ids.

mod beginning;
mod parts;

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

pub use parts::{
    Answer, Cursors, DigestRow, ForkHeader, ForkProof, Hello, Post, Reason, Run, RunEntry, RunPayload, mailbox_address,
    mailbox_message,
};

use crate::bundle::Carry;
use crate::codec::{self, DecodeError};
use crate::ids::{HashPrefix, Instance, LogId, SignerKey, SpaceId};
use crate::limits;
use crate::receipt::SignedReceipt;
use crate::vector::{LogName, Row};

/// Version of the session protocol.
pub const PROTOCOL_VERSION: u16 = 1;

/// Number that a direction of a connection gave a space or a log when it first named it, from 0.
pub type Number = u32;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[expect(clippy::large_enum_variant, reason = "a frame lives for one turn of a loop, and none is kept in bulk")]
pub enum Frame {
    /// Opens a session; the first frame of each direction that does not answer [`Frame::Same`].
    #[n(0)]
    Hello(#[n(0)] Hello),
    /// The answer to a Hello whose root equals one's own: nothing else need be said.
    #[n(1)]
    Same {
        /// The answering replica's database.
        #[n(0)]
        instance: Instance,
        /// The root that both have.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        root: [u8; 16],
        /// In how many spaces there are newer receipts: an [`Frame::Upto`] follows for each.
        #[n(2)]
        follow: u32,
    },
    /// Digests of the spaces that the sender shares with the receiver, by id.
    #[n(2)]
    Digests {
        /// Sorted by space.
        #[n(0)]
        rows: Vec<DigestRow>,
        /// No more follow.
        #[n(1)]
        last: bool,
    },
    /// Gives a space the next number of this direction.
    #[n(3)]
    Space {
        /// The space.
        #[n(0)]
        space: SpaceId,
    },
    /// Gives a log the next number of this direction.
    #[n(4)]
    Log {
        /// Number of its space.
        #[n(0)]
        space: Number,
        /// What certifies the log's id.
        #[n(1)]
        name: LogName,
    },
    /// What the sender has of a space.
    #[n(5)]
    Vector {
        /// Number of the space.
        #[n(0)]
        space: Number,
        /// Rows; the first frame of a vector begins it anew.
        #[n(1)]
        rows: Vec<Row>,
        /// The rows begin a vector.
        #[n(2)]
        begins: bool,
        /// The rows end it.
        #[n(3)]
        ends: bool,
    },
    /// Consecutive entries of one log.
    #[n(6)]
    Run(#[n(0)] Run),
    /// Everything up to an arrival number of the sender was sent, as far as it will be.
    #[n(7)]
    Upto {
        /// Number of the space.
        #[n(0)]
        space: Number,
        /// The sender's arrival number.
        #[n(1)]
        arrival: u64,
        /// Hash of what stands there.
        #[n(2)]
        hash: HashPrefix,
    },
    /// Everything up to the peer's [`Frame::Upto`] is durable here.
    #[n(8)]
    Ack {
        /// Number of the space, as the *sender of the acknowledgement* named it.
        #[n(0)]
        space: Number,
        /// The arrival number acknowledged.
        #[n(1)]
        arrival: u64,
    },
    /// Asks for payloads or entries by number.
    #[n(9)]
    Want {
        /// Number of the space.
        #[n(0)]
        space: Number,
        /// Which; at most [`limits::WANT_ROWS_MAX`].
        #[n(1)]
        rows: Vec<(LogId, u64)>,
    },
    /// Answers one row of a [`Frame::Want`].
    #[n(10)]
    Give {
        /// Number of the space.
        #[n(0)]
        space: Number,
        /// The log.
        #[n(1)]
        log: LogId,
        /// The number in it.
        #[n(2)]
        seq: u64,
        /// What there is.
        #[n(3)]
        answer: Answer,
    },
    /// A signed receipt of any member device.
    #[n(11)]
    Receipt {
        /// Number of the space.
        #[n(0)]
        space: Number,
        /// The receipt.
        #[n(1)]
        receipt: SignedReceipt,
    },
    /// Somebody has a document open: sealed, never stored.
    #[n(12)]
    Watching {
        /// Number of the space.
        #[n(0)]
        space: Number,
        /// Sealed document id; at most [`limits::WATCHING_BYTES_MAX`].
        #[n(1)]
        sealed: ByteVec,
    },
    /// The sender has nothing more to send and has everything durable that it received.
    #[n(13)]
    Settled {
        /// How many spaces the root covers.
        #[n(0)]
        spaces: u32,
        /// Root over their digests.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        root: [u8; 16],
    },
    /// Two headers of one number: proof that a log forked. Travels before what follows from it.
    #[n(14)]
    Fork {
        /// Number of the space.
        #[n(0)]
        space: Number,
        /// The log that forks.
        #[n(1)]
        name: LogName,
        /// Both headers with their signatures.
        #[n(2)]
        proof: ForkProof,
    },
    /// Something is not taken or not given, and why.
    #[n(15)]
    Refused {
        /// The space.
        #[n(0)]
        space: SpaceId,
        /// The entry, if it is about one.
        #[n(1)]
        entry: Option<(LogId, u64)>,
        /// Why.
        #[n(2)]
        reason: Reason,
    },
    /// Leaves a message in a relay's mailbox.
    #[n(16)]
    Post(#[n(0)] Post),
    /// Asks for what lies in a mailbox.
    #[n(17)]
    Collect {
        /// Whose mailbox: the invitation's one-time key.
        #[n(0)]
        once: SignerKey,
        /// By the one-time key over [`mailbox_message`] of nothing; absent when a steward's device asks.
        #[n(1)]
        proof: Option<ByteVec>,
    },
    /// What lies in a mailbox, oldest first. The answer to [`Frame::Post`] and [`Frame::Collect`].
    #[n(18)]
    Mail {
        /// Whose mailbox.
        #[n(0)]
        once: SignerKey,
        /// The messages; absent when there is no such mailbox or it is not the asker's.
        #[n(1)]
        messages: Option<Vec<ByteVec>>,
    },
    /// Entries of somebody else, in the sender's hands (PROTOCOL section 3, carried).
    #[n(20)]
    Carry(#[n(0)] Carry),
    /// The answer to each [`Frame::Carry`]: what could be taken of it is durable. It does not say whether anything was.
    #[n(21)]
    Carried {},
    /// The sender begins a space anew, from the peer's vector: what it sent of it before is superseded.
    #[n(19)]
    Anew {
        /// Number of the space.
        #[n(0)]
        space: Number,
    },
}

impl Frame {
    /// The CBOR of the frame, without a length prefix.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Whether it goes beside the session, to whoever runs it: mailboxes, and what is carried.
    #[must_use]
    pub const fn is_aside(&self) -> bool {
        matches!(self, Self::Post(_) | Self::Collect { .. } | Self::Mail { .. } | Self::Carry(_) | Self::Carried {})
    }

    /// Reads a frame and checks its limits.
    ///
    /// # Errors
    /// [`DecodeError`] when it is no frame or over a limit.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::within("frame", bytes.len(), limits::FRAME_BYTES_MAX)?;
        let frame: Self = codec::decode(bytes)?;
        match &frame {
            Self::Hello(hello) => match &hello.cursors {
                Cursors::All(all) => codec::within("cursors", all.len(), limits::HELLO_CURSORS_MAX)?,
                Cursors::Moved(moved) => codec::within("cursors", moved.len(), limits::DIGEST_ROWS_MAX)?,
            },
            Self::Digests { rows, .. } => codec::within("digest rows", rows.len(), limits::DIGEST_ROWS_MAX)?,
            Self::Vector { rows, .. } => codec::within("vector rows", rows.len(), limits::VECTOR_ROWS_MAX)?,
            Self::Run(run) => codec::within("entries of a run", run.entries.len(), limits::RUN_ENTRIES_MAX)?,
            Self::Want { rows, .. } => codec::within("wanted rows", rows.len(), limits::WANT_ROWS_MAX)?,
            Self::Receipt { receipt, .. } => {
                codec::within("receipt", receipt.body.len(), limits::RECEIPT_BYTES_MAX)?;
            }
            Self::Watching { sealed, .. } => {
                codec::within("watching notice", sealed.len(), limits::WATCHING_BYTES_MAX)?;
            }
            Self::Log { name, .. } | Self::Fork { name, .. } => {
                codec::within("fork depth", name.path.len(), limits::CONTINUATIONS_MAX)?;
            }
            Self::Carry(carry) => carry.check()?,
            Self::Post(post) => {
                codec::within("mailbox message", post.message.len(), limits::MAILBOX_MESSAGE_BYTES_MAX)?;
            }
            Self::Mail { messages: Some(messages), .. } => {
                codec::within("mailbox", messages.len(), limits::MAILBOX_MESSAGES_MAX)?;
            }
            Self::Same { .. }
            | Self::Space { .. }
            | Self::Upto { .. }
            | Self::Ack { .. }
            | Self::Give { .. }
            | Self::Settled { .. }
            | Self::Refused { .. }
            | Self::Collect { .. }
            | Self::Carried {}
            | Self::Anew { .. }
            | Self::Mail { messages: None, .. } => {}
        }
        Ok(frame)
    }
}
