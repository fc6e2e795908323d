//! What a session knows of one space.

use std::collections::{BTreeMap, BTreeSet};

use alliance_wire::vector::Row;
use alliance_wire::{HashPrefix, LogId};

use crate::contract::{Incoming, SharedSpace, Tail, View};

/// One space of a session.
#[derive(Debug)]
pub(super) struct Space {
    /// Its newest state here, as far as this session has heard.
    pub(super) tail: Tail,
    /// Whether the two replicas share it.
    pub(super) standing: Standing,
    /// How far we durably have everything of the peer's: its arrival number and the hash there.
    pub(super) cursor: Option<(u64, HashPrefix)>,
    /// How far the peer has acknowledged ours.
    pub(super) acked: u64,
    /// Behind what the peer has acknowledged there is something that this device had from others.
    pub(super) others: bool,
    /// This device was put out of it as far as it knows, and the peer does not know that: it gets nothing of others.
    pub(super) limited: bool,
    pub(super) sending: Sending,
    pub(super) receiving: Receiving,
}

/// Whether the two replicas share a space.
#[derive(Debug)]
pub(super) enum Standing {
    /// Both do.
    Shared,
    /// The peer presents membership logs of a space in which we do not know it (relays only): held until they show
    /// the peer as a member and the space as admitted.
    Candidate(Candidate),
    /// One of us does not, as it said: left out of roots for the rest of the session.
    Excluded,
    /// The peer was put out of it: it may hear so and hand over what it had not sent.
    Revoked(Told),
    /// This replica's device was put out of it, or the peer says so: it may hand over what it had not sent.
    Out(Out),
}

/// How much of the membership a peer that was put out was told on this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It has not asked.
    Nothing,
    /// Everything up to this arrival number.
    Upto(u64),
    /// Everything.
    All,
}

/// This device was put out of a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Out {
    /// The peer has said so on this connection: what it tells of itself is what it lacks.
    pub(super) heard: bool,
    /// By what is here, it is true.
    pub(super) really: bool,
}

/// What of a space is sent to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    /// Everything.
    All,
    /// Membership, and what this device wrote.
    Own,
    /// Membership only.
    Membership,
}

/// Membership that is presented and not yet accepted.
#[derive(Debug, Default)]
pub(super) struct Candidate {
    pub(super) held: Vec<Incoming>,
    pub(super) bytes: usize,
    /// The admission was asked for; nothing more is judged until the answer.
    pub(super) asked: bool,
    /// What was shown so far does not admit the space; more membership may.
    pub(super) denied: bool,
}

/// How far the peer is in our arrival order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position {
    /// Not known yet.
    Unknown,
    /// It has everything up to where sending began.
    Reached,
    /// It has what its vector says.
    Rows(BTreeMap<LogId, u64>),
    /// It has every entry up to this arrival number of ours, as its digest shows; receipts may be missing.
    Equal(u64),
}

/// The sending half.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) position: Position,
    /// The newest arrival number here when we said Hello.
    pub(super) at_hello: u64,
    /// Counts rounds of sending: a page that was asked for in an earlier one is void.
    pub(super) round: u32,
    /// Where this round of sending began.
    pub(super) from: u64,
    /// Everything up to here was read and sent or skipped.
    pub(super) sent: u64,
    /// How far the membership pass is, while it runs.
    pub(super) membership: Option<u64>,
    /// The newest `Upto` of this round.
    pub(super) upto: u64,
    /// Something was sent, and no `Upto` behind it yet: it is durable at the peer only with one.
    pub(super) uncovered: bool,
    /// The highest `Upto` of the session: no acknowledgement can be above it.
    pub(super) upto_max: u64,
    /// The highest one that was said before the space was shared anew on this connection: an acknowledgement of it may
    /// still come, and says nothing.
    pub(super) void: u64,
    /// An `Upto` that only says that the peer's own entries arrived, to be sent when the line is quiet.
    pub(super) owed: Option<(u64, HashPrefix)>,
    /// What the peer is known to have: it sent it, or we did.
    pub(super) peer_has: BTreeMap<LogId, u64>,
    /// Receipts that went over this connection, by the beginning of their hash: none goes back where it came from.
    pub(super) receipts: BTreeSet<[u8; 16]>,
    /// The peer was told that newer receipts follow here.
    pub(super) promised: bool,
    /// The peer refused something of ours: no acknowledgement will come.
    pub(super) refused: bool,
    /// We told it our digest, and it has not said where it is.
    pub(super) probing: bool,
}

/// The receiving half.
#[derive(Debug, Default)]
pub(super) struct Receiving {
    /// What entries are judged by, with what this session has accepted on top.
    pub(super) view: Option<View>,
    /// Another session changed the space: read the view anew when nothing of ours is under way.
    pub(super) stale: bool,
    /// Items of this space in the pending batch or in the one that is being made durable.
    pub(super) under_way: usize,
    /// An `Upto` of the peer's has come.
    pub(super) heard: bool,
    /// A predecessor is missing: nothing counts until the peer begins anew from our vector.
    pub(super) gap: bool,
    /// We refused something: the peer's `Upto` does not move our cursor.
    pub(super) refused: bool,
    /// We told our vector, or shall when the view is here, and the peer has not begun anew from it yet.
    pub(super) vector_sent: bool,
    /// We told our vector at least once in this round of comparing.
    pub(super) vector_told: bool,
    /// Our vector is to be told when the view is here and nothing of the space is under way.
    pub(super) vector_due: bool,
    /// Logs whose entries did not build on ours: left out of our vector, so that the peer sends them whole and the
    /// fork shows.
    pub(super) suspect: BTreeSet<LogId>,
    /// Rows of the peer's vector, until it ends.
    pub(super) vector: Option<Vec<Row>>,
}

impl Receiving {
    /// Lets go of a view that says something else than the store, once nothing is under way; says whether it did.
    pub(super) fn refresh(&mut self) -> bool {
        let now = self.stale && self.under_way == 0;
        if now {
            (self.view, self.stale) = (None, false);
        }
        now
    }
}

impl Space {
    pub(super) fn new(shared: SharedSpace, standing: Standing) -> Self {
        Self {
            tail: shared.tail,
            standing,
            cursor: shared.cursor,
            acked: shared.acked,
            others: shared.others,
            limited: false,
            sending: Sending {
                position: Position::Unknown,
                at_hello: 0,
                round: 0,
                from: 0,
                sent: 0,
                membership: None,
                upto: shared.acked,
                uncovered: false,
                upto_max: shared.acked,
                void: 0,
                owed: None,
                peer_has: BTreeMap::new(),
                receipts: BTreeSet::new(),
                promised: false,
                refused: false,
                probing: false,
            },
            receiving: Receiving::default(),
        }
    }

    pub(super) const fn is_shared(&self) -> bool {
        matches!(self.standing, Standing::Shared)
    }

    /// Something of it may be sent, be it shared or handed over.
    pub(super) const fn sends(&self) -> bool {
        matches!(self.standing, Standing::Shared | Standing::Out(_))
    }

    /// What of it is sent.
    pub(super) const fn gives(&self) -> Gives {
        if let Standing::Out(Out { really: false, .. }) = self.standing {
            return Gives::Membership;
        }
        if self.limited || matches!(self.standing, Standing::Out(_)) { Gives::Own } else { Gives::All }
    }

    /// Nothing of it is under way in either direction, as far as this side can see.
    pub(super) fn is_done(&self) -> bool {
        match self.standing {
            Standing::Shared => self.is_delivered() && self.is_received(),
            Standing::Out(_) => {
                !self.sending.probing && (self.sending.position == Position::Unknown || self.is_delivered())
            }
            Standing::Revoked(told) => !matches!(told, Told::Upto(_)) && self.receiving.under_way == 0,
            Standing::Candidate(_) | Standing::Excluded => true,
        }
    }

    /// From here on it is no longer shared like others: nothing is sent until somebody says where to begin.
    pub(super) fn stop(&mut self, standing: Standing) {
        self.standing = standing;
        self.sending.round += 1;
        self.sending.position = Position::Unknown;
        self.sending.membership = None;
        self.sending.owed = None;
        self.sending.upto = self.acked;
        self.sending.probing = false;
        self.sending.promised = false;
        self.sending.refused = false;
        self.receiving.vector = None;
        self.receiving.vector_sent = false;
        self.receiving.vector_due = false;
        self.receiving.refused = false;
    }

    /// Begins sending from here.
    pub(super) fn begin(&mut self, position: Position, from: u64) {
        /// Below this many items a pass over membership alone is not worth its query.
        const MEMBERSHIP_PASS_MIN: u64 = 32;
        let sending = &mut self.sending;
        // A relay that does not know the space judges it by all of its membership, before anything else.
        let presents = match &position {
            Position::Rows(rows) => rows.is_empty(),
            // It has acknowledged nothing of the space.
            Position::Reached => from == 0,
            Position::Unknown | Position::Equal(_) => false,
        };
        if presents {
            sending.peer_has.clear();
        }
        let long = self.tail.arrival.saturating_sub(from) >= MEMBERSHIP_PASS_MIN;
        let worth = (long || presents) && !matches!(position, Position::Equal(_));
        sending.round += 1;
        sending.membership = worth.then_some(from);
        let nothing_left = matches!(position, Position::Equal(upto) if upto <= from);
        sending.position = if nothing_left { Position::Reached } else { position };
        sending.from = from;
        sending.sent = from;
        sending.owed = None;
        // Acknowledgements of an earlier round are not waited for.
        sending.upto = self.acked;
    }

    /// A log turned out to have forked: what the peer has under its number may be the other branch. This round of
    /// sending begins again; what the peer has already it will know for a duplicate.
    pub(super) fn forked(&mut self, log: LogId) {
        let sending = &mut self.sending;
        sending.peer_has.remove(&log);
        if let Position::Rows(rows) = &mut sending.position {
            rows.remove(&log);
        }
        if sending.position != Position::Unknown {
            let position = std::mem::replace(&mut sending.position, Position::Unknown);
            let from = sending.from;
            self.begin(position, from);
        }
    }

    /// There is something to read and send.
    pub(super) fn has_more(&self) -> bool {
        self.sends() && self.sending.position != Position::Unknown && self.sending.sent < self.tail.arrival
    }

    /// Nothing of ours is missing at the peer, as far as it will take it.
    pub(super) fn is_delivered(&self) -> bool {
        let sending = &self.sending;
        sending.position != Position::Unknown
            && sending.sent >= self.tail.arrival
            && (self.acked >= sending.upto || sending.refused)
    }

    /// Nothing of the peer's is under way here.
    pub(super) const fn is_received(&self) -> bool {
        self.receiving.under_way == 0 && !self.receiving.gap && !self.receiving.vector_sent && !self.sending.probing
    }

    /// The peer is known to have this entry.
    pub(super) fn peer_has(&self, log: LogId, seq: u64) -> bool {
        let sending = &self.sending;
        sending.peer_has.get(&log).is_some_and(|has| *has >= seq)
            || matches!(&sending.position, Position::Rows(rows) if rows.get(&log).is_some_and(|has| *has >= seq))
    }
}
