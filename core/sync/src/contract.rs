//! What a session asks of the replica that it runs in, and what it is told.
//!
//! A session never touches a store or a socket. It emits [`Effect`]s and is fed [`Input`]s; a host performs the
//! effects in their order and feeds every reply back. A bug report is a list of `(now, Input)`.

use std::collections::BTreeMap;
use std::sync::Arc;

use alliance_crypto::{Membership, Verified, VerifiedReceipt};
use alliance_wire::frame::{Answer, ForkProof, Reason};
use alliance_wire::membership::Admission;
use alliance_wire::receipt::SignedReceipt;
use alliance_wire::{DeviceKey, Entry, Frame, HashPrefix, HeaderHash, Instance, LogId, LogName, SpaceId};

/// Milliseconds of a monotonic clock; where it starts does not matter.
pub type Millis = u64;

/// Names one question, so that its reply finds the place that asked.
pub type Ticket = u64;

/// What a session is fed.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "an input lives for one call")]
pub enum Input {
    /// The connection stands and the peer's key is proven.
    Start,
    /// A frame of the peer, in the order in which it was sent.
    Frame(Frame),
    /// The answer to [`Effect::Ask`].
    Reply(Ticket, Reply),
    /// Everything that was sent so far has left: there is credit for more.
    Flushed,
    /// The store changed through somebody else: another session, or this device's own writing.
    Changed(Tail),
    /// Tell the peer that somebody has a document open (sealed by the writer; a relay passes it on).
    Watch(SpaceId, Vec<u8>),
    /// Ask the peer for payloads that are missing or damaged here.
    Want(SpaceId, Vec<(LogId, u64)>),
    /// The time that [`crate::Session::next_deadline`] named has come.
    Tick,
    /// The connection is over: what came in whole is still made durable (R8). No frame will leave any more.
    Ended,
}

/// What a session wants done, in this order.
#[derive(Debug)]
pub enum Effect {
    /// Send a frame.
    Send(Frame),
    /// Ask the replica; the reply comes back as [`Input::Reply`]. Questions may be answered in any order.
    Ask(Ticket, Query),
    /// Tell whoever watches this session.
    Notify(Event),
    /// Close the connection; no further input is needed.
    Close(CloseReason),
}

/// A question to the replica.
#[derive(Debug)]
pub enum Query {
    /// The spaces shared with the peer, and those that one of both was put out of. Answered by [`Reply::Shared`].
    Shared {
        /// The asking replica's own key.
        own: DeviceKey,
    },
    /// Whatever is needed to judge entries of a space. Answered by [`Reply::View`].
    View(SpaceId),
    /// What stands at these arrival numbers (R1). Answered by [`Reply::Hashes`], in order.
    HashesAt(Vec<(SpaceId, u64)>),
    /// What arrived after a number, oldest first. Answered by [`Reply::Page`].
    Since(Since),
    /// Payloads that the peer lacks. Answered by [`Reply::Fetched`], in order.
    Fetch(SpaceId, Vec<(LogId, u64)>),
    /// May a new space be created here? Answered by [`Reply::Admitted`]. Only relays are asked.
    Admit(SpaceId, Option<Admission>),
    /// Make this durable in one transaction. Answered by [`Reply::Persisted`].
    Persist(Batch),
}

/// Which part of a space is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The space.
    pub space: SpaceId,
    /// Arrival number after which to begin.
    pub after: u64,
    /// Which kinds of items.
    pub part: Part,
    /// Stop after this many bytes of payload and headers, but not before the first item.
    pub bytes: usize,
}

/// Which items of a space a [`Since`] gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Entries of membership logs only: they go first in a session.
    Membership,
    /// Entries, receipts and fork proofs.
    Everything,
    /// Receipts and fork proofs only: the peer's digest equals ours.
    Receipts,
}

/// The answer to a [`Query`].
#[derive(Debug)]
pub enum Reply {
    /// To [`Query::Shared`].
    Shared(Shared),
    /// To [`Query::View`]; absent when the space is unknown here and not expected.
    View(SpaceId, Option<View>),
    /// To [`Query::HashesAt`].
    Hashes(Vec<Option<HashPrefix>>),
    /// To [`Query::Since`].
    Page(Page),
    /// To [`Query::Fetch`].
    Fetched(SpaceId, Vec<(LogId, u64, Answer)>),
    /// To [`Query::Admit`].
    Admitted(SpaceId, bool),
    /// To [`Query::Persist`].
    Persisted(Persisted),
    /// To [`Query::Since`] for more than membership, and to [`Query::Fetch`]: the peer was put out of the space.
    Revoked(SpaceId),
    /// The replica could not answer: the disk is full, or the store broke. The session ends.
    Failed(Reason),
}

/// The spaces shared with a peer (PROTOCOL section 3, "Shared with a peer").
#[derive(Debug, Clone, Default)]
pub struct Shared {
    /// This replica's own database.
    pub instance: Option<Instance>,
    /// The peer's database, as of the last contact; the cursors below refer to it.
    pub peer_instance: Option<Instance>,
    /// The spaces, sorted by id.
    pub spaces: Vec<SharedSpace>,
    /// Spaces that are here and that the peer was put out of, sorted by id: shared with it no more.
    pub revoked: Vec<Tail>,
    /// Spaces that this replica was put out of and would share with the peer else, sorted by id.
    pub out: Vec<SharedSpace>,
}

/// One shared space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedSpace {
    /// Its newest state here.
    pub tail: Tail,
    /// How far this replica durably has everything that the peer had: (the peer's arrival number, hash there).
    pub cursor: Option<(u64, HashPrefix)>,
    /// How far the peer has acknowledged what this replica has (this replica's arrival number).
    pub acked: u64,
    /// Behind `acked` there is an entry of somebody else than this device: the peer may have it from where it came from.
    pub others: bool,
}

/// The newest state of a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// The space.
    pub space: SpaceId,
    /// Digest over its rows; that of no rows for a space that is only expected.
    pub digest: [u8; 8],
    /// The newest arrival number, 0 for none.
    pub arrival: u64,
    /// Hash of what stands there, all zero for none.
    pub hash: HashPrefix,
}

/// What entries of a space are judged by.
#[derive(Debug, Clone)]
pub struct View {
    /// Its logs, fork continuations included.
    pub heads: BTreeMap<LogId, Head>,
    /// Its membership, as evaluated.
    pub membership: Arc<Membership>,
    /// Proofs of its forks, by the id of the log that forked.
    pub forks: BTreeMap<LogId, (LogName, ForkProof)>,
    /// Its newest state.
    pub tail: Tail,
}

/// The newest verified header of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What certifies the log.
    pub name: LogName,
    /// Its number.
    pub seq: u64,
    /// Its hash.
    pub hash: HeaderHash,
}

/// A stretch of a space in arrival order.
#[derive(Debug, Clone)]
pub struct Page {
    /// The space.
    pub space: SpaceId,
    /// What arrived.
    pub items: Vec<Outgoing>,
    /// Everything up to this arrival number is in this page or before it.
    pub upto: u64,
    /// Hash of what stands there.
    pub hash: HashPrefix,
    /// There is more behind it.
    pub more: bool,
}

/// Something that can be sent.
#[derive(Debug, Clone)]
pub enum Outgoing {
    /// An entry and the log that it stands in.
    Entry(Arc<LogName>, Entry),
    /// A receipt.
    Receipt(SignedReceipt),
    /// The proof that a log forked.
    Fork(Arc<LogName>, ForkProof),
}

/// What is made durable together.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Whom it came from, and which database that is: for the cursors below.
    pub peer: Option<(DeviceKey, Instance)>,
    /// In order; each judged on its own.
    pub items: Vec<Incoming>,
    /// Cursors into the peer's arrival numbers that hold once `items` are durable: where an item of a space is refused or
    /// has a gap before it, the space's cursor is left out.
    pub cursors: Vec<(SpaceId, u64, HashPrefix)>,
    /// Spaces of which `items` brings something that no cursor covers: what is here is more than the cursor into the
    /// peer's arrival numbers says, so that it is forgotten, and the next Hello asks by vector (R8).
    pub void: Vec<SpaceId>,
    /// What the peer acknowledged of this replica's arrival numbers.
    pub acked: Vec<(SpaceId, u64)>,
    /// Spaces that the peer was put out of. Entries of these count for it, [`alliance_wire::limits::HANDED_BYTES_MAX`] in
    /// all; what is beyond is refused.
    pub handed: Vec<SpaceId>,
    /// Spaces that did not exist here and are created by this batch, with the admission that allows it (relays).
    pub creates: Vec<(SpaceId, Option<Admission>)>,
}

/// Something verified that came in.
#[derive(Debug, Clone)]
pub enum Incoming {
    /// An entry whose signature, chain and author were checked.
    Entry(Verified),
    /// A receipt of an active member's device.
    Receipt(VerifiedReceipt),
    /// A fork whose two signatures were checked: the log, its space, the proof.
    Fork(SpaceId, LogName, ForkProof),
    /// A payload for an entry whose header is here and whose payload is missing or damaged.
    Payload(SpaceId, LogId, u64, Vec<u8>),
}

impl Incoming {
    /// The space that it is of.
    #[must_use]
    pub fn space(&self) -> SpaceId {
        match self {
            Self::Entry(entry) => entry.space(),
            Self::Receipt(receipt) => receipt.receipt().space,
            Self::Fork(space, ..) | Self::Payload(space, ..) => *space,
        }
    }
}

/// What became of a [`Batch`].
#[derive(Debug, Clone, Default)]
pub struct Persisted {
    /// One for each item, in order.
    pub outcomes: Vec<Outcome>,
    /// The newest state of every space that the batch touched.
    pub tails: Vec<Tail>,
}

/// What became of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "forks are rare, and outcomes are not kept")]
pub enum Outcome {
    /// New here, with this arrival number.
    Stored(u64),
    /// Already here, the same bytes.
    Duplicate,
    /// Another entry stands at its number: it was kept as a continuation, and this is the proof.
    Forked(LogName, ForkProof),
    /// Its predecessor is not here: nothing was stored.
    Gap,
    /// Not taken, for a stable reason; nothing was stored.
    Refused(Reason),
}

/// What whoever watches a session is told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "an event lives for one turn of a loop")]
pub enum Event {
    /// The peer said Hello: this is its database.
    Met(Instance),
    /// Entries or receipts of this space became durable here.
    Stored {
        /// The space.
        space: SpaceId,
        /// How many items are new.
        items: usize,
    },
    /// The peer holds everything of this space up to this replica's arrival number.
    Acknowledged {
        /// The space.
        space: SpaceId,
        /// This replica's arrival number.
        arrival: u64,
    },
    /// Both replicas have the same of everything that they share, and nothing is under way.
    Settled,
    /// Something was refused: by the peer (`ours`) or here.
    Refused {
        /// The space.
        space: SpaceId,
        /// The entry, if it is about one.
        entry: Option<(LogId, u64)>,
        /// Why.
        reason: Reason,
        /// The peer refused something of ours.
        ours: bool,
    },
    /// A log has two entries of one number.
    Fork {
        /// The space.
        space: SpaceId,
        /// The log.
        log: LogId,
        /// The number.
        seq: u64,
    },
    /// After a full exchange and a repair this space still differs (R6): something is wrong with one of the replicas.
    Diverged(SpaceId),
    /// The peer's database has less of this space than it had acknowledged: it was put back to an older state, or it is
    /// lying. What it lacks is sent again.
    Lost(SpaceId),
    /// A member has a document of this space open.
    Watching(SpaceId, Vec<u8>),
    /// A frame that only hosts deal with: a mailbox's.
    Mail(Frame),
}

/// Why a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// The peer speaks another version.
    #[error("the peer speaks another version of the protocol")]
    Version,
    /// The peer broke the protocol.
    #[error("the peer broke the protocol: {0}")]
    Misbehaved(&'static str),
    /// The peer said nothing for too long.
    #[error("the peer said nothing for too long")]
    Silent,
    /// This replica's store failed.
    #[error("the store could not be read or written")]
    Store,
    /// More waits for what it builds on than is kept.
    #[error("too much waits for what it builds on")]
    Stash,
}
