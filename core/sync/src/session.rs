//! One connection's replication.

mod bundled;
mod candidate;
mod carried;
mod digests;
mod names;
mod opening;
mod out;
mod persisting;
mod receiving;
mod revoked;
mod sending;
mod settling;
mod space;
mod verify;
mod wanting;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use alliance_crypto::Rules;
use alliance_wire::frame::{Hello, Reason};
use alliance_wire::limits;
use alliance_wire::{DeviceKey, Frame, HashPrefix, Instance, LogId, SpaceId};

use crate::contract::{
    Batch, CloseReason, Effect, Event, Input, Millis, Query, Reply, Shared, SharedSpace, Tail, Ticket,
};
pub use bundled::{Judged, judge_bundled, view_of_nothing};
pub use carried::{judge_carried, to_be_carried};
use names::{InNames, OutNames};
use space::{Space, Standing};

/// How a session is set up.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Which kind of replica runs it.
    pub role: Role,
    /// This replica's own key.
    pub own: DeviceKey,
    /// The peer's proven key.
    pub peer: DeviceKey,
    /// This side dialled: it says Hello first.
    pub dials: bool,
    /// The last connection to this peer broke, so that acknowledgements may have been lost: before anything is pushed, the
    /// peer says how far it is.
    pub asks_first: bool,
    /// This side comes with recovery words and knows nothing yet: it takes up every space that the peer asks about.
    pub takes_all: bool,
    /// [`Rules::ALL`] everywhere but in tests.
    pub rules: Rules,
}

/// Which kind of replica runs a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A person's device: it takes entries of spaces that it shares with the peer or expects.
    Device {
        /// The peer is a relay: what it does not know is presented to it.
        towards_relay: bool,
    },
    /// A relay: it also takes the membership logs of spaces that it does not know, as a candidate.
    Relay {
        /// Its own key, which a space's membership must name.
        key: DeviceKey,
        /// It needs no operator's token.
        open: bool,
    },
}

/// Where the session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Waiting for [`Input::Start`] and the list of shared spaces.
    Starting,
    /// Waiting for the peer's Hello, or for its answer to ours.
    Opening,
    /// Both know what the other is; entries flow.
    Open,
    /// Over.
    Closed,
}

/// What a ticket was handed out for.
#[derive(Debug)]
enum Asked {
    Shared,
    View(SpaceId),
    Hashes(Box<Hello>, Vec<SpaceId>),
    Page { space: SpaceId, round: u32, membership: bool },
    Fetch,
    Admit(SpaceId),
    Persist(persisting::UnderWay),
}

/// Replication over one connection.
///
/// The loop: [`Session::handle`] is fed one [`Input`] and appends [`Effect`]s, to be performed in order. After a
/// batch of effects with a `Send` in it has left, the host feeds [`Input::Flushed`]: only then is more read from the
/// store. Frames of the peer are handed over one by one while [`Session::wants_frames`]; those that must wait for a
/// reply wait inside. [`Session::next_deadline`] says when to feed [`Input::Tick`]. After [`Effect::Close`] nothing
/// more happens.
#[derive(Debug)]
pub struct Session {
    config: Config,
    phase: Phase,
    now: Millis,
    started: Millis,
    heard: Millis,
    tickets: Ticket,
    asked: BTreeMap<Ticket, Asked>,
    instance: Option<Instance>,
    peer_instance: Option<Instance>,
    spaces: BTreeMap<SpaceId, Space>,
    /// Spaces that were not shared when the peer sent something of them, which is gone: what it says to have sent counts
    /// only once it has begun anew.
    forgone: BTreeSet<SpaceId>,
    inbox: VecDeque<Frame>,
    /// The front of the inbox waits for a reply.
    blocked: bool,
    out_names: OutNames,
    in_names: InNames,
    /// A page is being read, or was sent and has not left.
    sending_busy: bool,
    credit: bool,
    /// How much the next page may hold.
    page_bytes: usize,
    pending: Batch,
    pending_bytes: usize,
    /// `Upto`s of devices that were put out: acknowledged like others, and no cursor.
    handed: Vec<(SpaceId, u64, HashPrefix)>,
    /// What waits is made durable although no cursor completes it: something before it was refused.
    overdue: bool,
    persisting: bool,
    settling: settling::Settling,
    verified: verify::Budget,
}

impl Session {
    /// A session that waits for [`Input::Start`].
    #[must_use]
    pub fn new(config: Config, now: Millis) -> Self {
        Self {
            config,
            phase: Phase::Starting,
            now,
            started: now,
            heard: now,
            tickets: 0,
            asked: BTreeMap::new(),
            instance: None,
            peer_instance: None,
            spaces: BTreeMap::new(),
            forgone: BTreeSet::new(),
            inbox: VecDeque::new(),
            blocked: false,
            out_names: OutNames::default(),
            in_names: InNames::default(),
            sending_busy: false,
            credit: true,
            page_bytes: sending::PAGE_BYTES_FIRST,
            pending: Batch::default(),
            pending_bytes: 0,
            handed: Vec::new(),
            overdue: false,
            persisting: false,
            settling: settling::Settling::default(),
            verified: verify::Budget::new(now),
        }
    }

    /// Whether the host should read more frames from the peer: bounds what a session holds.
    #[must_use]
    pub fn wants_frames(&self) -> bool {
        self.inbox.is_empty() && self.pending_bytes < limits::STASH_BYTES_MAX && self.phase != Phase::Closed
    }

    /// When to feed [`Input::Tick`], if nothing happens before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        match self.phase {
            Phase::Closed => None,
            Phase::Starting | Phase::Opening => Some(self.started + limits::HANDSHAKE_MILLIS),
            Phase::Open => {
                let silence = self.expects_something().then(|| self.heard + limits::PROGRESS_MILLIS);
                [silence, self.settling.due].into_iter().flatten().min()
            }
        }
    }

    /// Takes one input at a time `now` that never goes back, and appends what is to be done.
    pub fn handle(&mut self, now: Millis, input: Input, out: &mut Vec<Effect>) {
        self.now = self.now.max(now);
        if self.phase == Phase::Closed {
            return;
        }
        match input {
            Input::Start => self.ask(Query::Shared { own: self.config.own }, Asked::Shared, out),
            Input::Frame(frame) => {
                self.heard = self.now;
                self.inbox.push_back(frame);
            }
            Input::Reply(ticket, reply) => self.reply(ticket, reply, out),
            Input::Flushed => self.credit = true,
            Input::Changed(tail) => self.changed(tail, out),
            Input::Watch(space, sealed) => self.watch(space, sealed, out),
            Input::Want(space, rows) => self.want(space, rows, out),
            Input::Tick => self.tick(out),
            Input::Ended => return self.ended(out),
        }
        self.work(out);
    }

    /// Whatever can go on, goes on.
    fn work(&mut self, out: &mut Vec<Effect>) {
        while !self.blocked && self.phase != Phase::Closed && self.phase != Phase::Starting {
            let Some(frame) = self.inbox.pop_front() else { break };
            self.frame(frame, out);
        }
        if self.phase == Phase::Closed {
            return;
        }
        self.flush_pending(out);
        self.pump(out);
        self.settle(out);
    }

    fn frame(&mut self, frame: Frame, out: &mut Vec<Effect>) {
        let opening = matches!(frame, Frame::Hello(_) | Frame::Same { .. });
        let mail = frame.is_aside();
        // A dialler that knows our instance sends right behind its Hello, so the listener is open by then.
        if !opening && !mail && self.phase == Phase::Opening {
            return self.close(CloseReason::Misbehaved("a frame before Hello"), out);
        }
        match frame {
            Frame::Hello(hello) => self.on_hello(hello, out),
            Frame::Same { instance, root, follow } => self.on_same(instance, root, follow, out),
            Frame::Digests { rows, last } => self.on_digests(&rows, last, out),
            Frame::Space { space } => {
                let taken = self.in_names.add_space(space);
                self.expect(taken, "too many spaces named", out);
            }
            Frame::Log { space, name } => {
                let taken = self.in_names.add_log(space, name);
                self.expect(taken, "a log that cannot be named", out);
            }
            Frame::Vector { space, rows, begins, ends } => self.on_vector(space, rows, begins, ends, out),
            Frame::Anew { space } => self.on_anew(space, out),
            Frame::Run(run) => self.on_run(run, out),
            Frame::Upto { space, arrival, hash } => self.on_upto(space, arrival, hash, out),
            Frame::Ack { space, arrival } => self.on_ack(space, arrival, out),
            Frame::Want { space, rows } => self.on_want(space, rows, out),
            Frame::Give { space, log, seq, answer } => self.on_give(space, log, seq, answer, out),
            Frame::Receipt { space, receipt } => self.on_receipt(space, receipt, out),
            Frame::Watching { space, sealed } => self.on_watching(space, sealed.into(), out),
            Frame::Settled { spaces, root } => self.on_settled(spaces, root),
            Frame::Fork { space, name, proof } => self.on_fork(space, name, proof, out),
            Frame::Refused { space, entry, reason } => self.on_refused(space, entry, reason, out),
            mail @ (Frame::Post(_)
            | Frame::Collect { .. }
            | Frame::Mail { .. }
            | Frame::Carry(_)
            | Frame::Carried {}) => {
                out.push(Effect::Notify(Event::Mail(mail)));
            }
        }
    }

    fn reply(&mut self, ticket: Ticket, reply: Reply, out: &mut Vec<Effect>) {
        let Some(asked) = self.asked.remove(&ticket) else { return };
        match (asked, reply) {
            (_, Reply::Failed(_)) => self.close(CloseReason::Store, out),
            (Asked::Shared, Reply::Shared(shared)) => self.on_shared(shared, out),
            (Asked::View(space), Reply::View(_, view)) => self.on_view(space, view, out),
            (Asked::Hashes(hello, spaces), Reply::Hashes(hashes)) => self.on_hashes(&hello, &spaces, &hashes, out),
            (Asked::Page { space, round, membership }, Reply::Page(page)) => {
                self.on_page(space, round, membership, page, out);
            }
            (Asked::Fetch, Reply::Fetched(space, rows)) => self.on_fetched(space, rows, out),
            (Asked::Admit(space), Reply::Admitted(_, admitted)) => self.on_admitted(space, admitted, out),
            (Asked::Persist(under_way), Reply::Persisted(done)) => self.on_persisted(under_way, done, out),
            (Asked::Page { space, .. }, Reply::Revoked(_)) if self.config.rules.revoke => {
                self.sending_busy = false;
                self.revoke(space, out);
            }
            (Asked::Fetch, Reply::Revoked(space)) if self.config.rules.revoke => self.revoke(space, out),
            // The host answered another question than was asked: its bug, and nothing here can be trusted any more.
            _ => self.close(CloseReason::Store, out),
        }
    }

    fn on_shared(&mut self, shared: Shared, out: &mut Vec<Effect>) {
        self.instance = shared.instance;
        self.peer_instance = shared.peer_instance;
        for space in shared.spaces {
            self.spaces.insert(space.tail.space, Space::new(space, Standing::Shared));
        }
        self.begin_out(shared.revoked, shared.out);
        self.phase = Phase::Opening;
        if self.config.dials {
            self.say_hello(out);
        }
    }

    /// Another session, or this device, changed a space.
    fn changed(&mut self, tail: Tail, out: &mut Vec<Effect>) {
        if let Some(space) = self.spaces.get_mut(&tail.space) {
            if tail.arrival > space.tail.arrival {
                space.tail = tail;
                space.receiving.stale = true;
                self.settling.disturbed();
            }
            match space.standing {
                Standing::Revoked(_) => return self.look_again(tail.space, out),
                Standing::Out(_) => return,
                Standing::Shared | Standing::Candidate(_) | Standing::Excluded => {}
            }
            // Somebody whom we did not know may have been let in. What the peer does not take stays left out, whatever
            // is written here.
            let ours = matches!(self.config.role, Role::Relay { .. });
            if !matches!(space.standing, Standing::Excluded) || self.phase != Phase::Open || !ours {
                return;
            }
        }
        // Newly shared: somebody added the peer, or this device wrote the first entry of a space.
        self.share(SharedSpace { tail, cursor: None, acked: 0, others: false });
        if self.phase == Phase::Open {
            self.settling.disturbed();
            self.probe(&[tail.space], out);
        }
    }

    /// From here on a space is shared.
    fn share(&mut self, shared: SharedSpace) {
        let id = shared.tail.space;
        let mut space = Space::new(shared, Standing::Shared);
        space.receiving.gap = self.forgone.remove(&id);
        let said = self.spaces.get(&id).map_or(0, |known| known.sending.upto_max.max(known.sending.void));
        space.sending.void = said;
        self.spaces.insert(id, space);
    }

    fn tick(&mut self, out: &mut Vec<Effect>) {
        let silent = match self.phase {
            Phase::Starting | Phase::Opening => self.now >= self.started + limits::HANDSHAKE_MILLIS,
            Phase::Open => self.expects_something() && self.now >= self.heard + limits::PROGRESS_MILLIS,
            Phase::Closed => false,
        };
        if silent {
            self.close(CloseReason::Silent, out);
        }
    }

    /// Something of the peer's is due: an acknowledgement, an answer to our digests or vector, receipts that it
    /// promised, or its word that it is done.
    fn expects_something(&self) -> bool {
        let due = |space: &Space| {
            let unacknowledged = space.acked < space.sending.upto && !space.sending.refused && !self.persisting;
            unacknowledged || space.sending.probing || (space.is_shared() && space.receiving.vector_sent)
        };
        self.settling.waits() || self.spaces.values().any(|space| space.sends() && due(space))
    }

    fn ask(&mut self, query: Query, asked: Asked, out: &mut Vec<Effect>) {
        self.tickets += 1;
        self.asked.insert(self.tickets, asked);
        out.push(Effect::Ask(self.tickets, query));
    }

    fn refuse(&mut self, space: SpaceId, entry: Option<(LogId, u64)>, reason: Reason, out: &mut Vec<Effect>) {
        out.push(Effect::Send(Frame::Refused { space, entry, reason }));
        out.push(Effect::Notify(Event::Refused { space, entry, reason, ours: false }));
    }

    fn expect(&mut self, taken: Option<()>, complaint: &'static str, out: &mut Vec<Effect>) {
        if taken.is_none() {
            self.close(CloseReason::Misbehaved(complaint), out);
        }
    }

    fn close(&mut self, reason: CloseReason, out: &mut Vec<Effect>) {
        if self.phase != Phase::Closed {
            self.phase = Phase::Closed;
            out.push(Effect::Close(reason));
        }
    }
}
