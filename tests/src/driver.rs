//! A seeded driver of session machines: several replicas, any number of connections, and everything that goes wrong.
//!
//! Nothing here waits or sleeps. Each step does one thing that could happen next, chosen by the seed: a frame arrives,
//! a question is answered, somebody writes, a connection is cut in the middle of a frame, a process dies before or
//! after its transaction, a database is restored from a backup or copied. A run is repeated from its seed alone.

use std::collections::{BTreeMap, VecDeque};

use alliance_crypto::{Rules, VerifiedReceipt, sign_receipt};
use alliance_sync::{Batch, Config, Effect, Event, Incoming, Input, Query, Role, Session, Tail, Ticket};
use alliance_wire::receipt::RECEIPT_VERSION;
use alliance_wire::{DeviceKey, Frame, HeaderHash, Incarnation, Instance, Receipt, SpaceId};

use crate::memory::MemoryReplica;
use crate::random::Random;
use crate::world::{World, Writer};

/// What can go wrong, and how often it did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// How often each fault fired, by name.
    pub fired: BTreeMap<&'static str, u64>,
}

/// Every fault that the driver knows.
pub const FAULTS: [&str; 10] = [
    "cut between frames",
    "cut inside a frame",
    "frame lost",
    "frame duplicated",
    "frames reordered",
    "killed before the transaction",
    "killed after the transaction",
    "restored from a backup",
    "copied database",
    "entry lost in silence",
];

impl Faults {
    fn fire(&mut self, name: &'static str) {
        debug_assert!(FAULTS.contains(&name), "a fault of the list");
        *self.fired.entry(name).or_default() += 1;
    }

    /// Adds another run's counts.
    pub fn add(&mut self, other: &Self) {
        for (name, count) in &other.fired {
            *self.fired.entry(name).or_default() += count;
        }
    }
}

/// One replica of a run.
pub struct Node {
    /// Its key.
    pub key: DeviceKey,
    /// What it holds.
    pub replica: MemoryReplica,
    /// Absent for a relay.
    pub writer: Option<Writer>,
    /// A copy of the database, with what its writer would go on with.
    backup: Option<(MemoryReplica, Incarnation, (u64, HeaderHash))>,
}

/// One end of a connection.
struct End {
    node: usize,
    session: Session,
    /// Frames on their way to this end.
    arriving: VecDeque<Vec<u8>>,
    asked: VecDeque<(Ticket, Query)>,
    flush: bool,
    bytes: u64,
    settled: bool,
}

struct Link {
    ends: [End; 2],
    faulty: bool,
    open: bool,
}

/// A run.
pub struct Driver {
    random: Random,
    /// The replicas; the last is a relay if there is one.
    pub nodes: Vec<Node>,
    links: Vec<Link>,
    /// The space that all share.
    pub space: SpaceId,
    world: World,
    rules: Rules,
    now: u64,
    /// What went wrong so far.
    pub faults: Faults,
    /// Alarms that a space differs after a repair (R6).
    pub alarms: u64,
    /// Forks that sessions told of.
    pub forks: u64,
    /// Pages that were read, for proving that nothing was.
    pub pages: u64,
    written: u64,
    /// Keep a line for every frame and event, for whoever replays a seed.
    pub trace: Option<Vec<String>>,
}

/// What a clean meeting of two replicas cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meeting {
    /// Protocol bytes of both directions.
    pub bytes: u64,
    /// Both said that they have the same.
    pub settled: bool,
}

impl Driver {
    /// `devices` that write and one relay, all empty but for the founder's membership log.
    #[must_use]
    pub fn new(seed: u64, devices: usize, rules: Rules) -> Self {
        let mut random = Random::new(seed);
        let writers: Vec<Writer> = (0..devices).map(|_| Writer::new(&mut random)).collect();
        let relay = Writer::new(&mut random).key();
        let world = World::new(&mut random, &writers, Some(relay));
        let mut nodes: Vec<Node> = writers
            .into_iter()
            .map(|writer| {
                let mut replica = MemoryReplica::new(Instance(random.bytes16()));
                replica.expected.push(world.space);
                Node { key: writer.key(), replica, writer: Some(writer), backup: None }
            })
            .collect();
        let replica = MemoryReplica::new(Instance(random.bytes16()));
        nodes.push(Node { key: relay, replica, writer: None, backup: None });
        for entry in &world.membership {
            nodes[0].replica.append(entry.clone());
        }
        Self {
            random,
            nodes,
            links: Vec::new(),
            space: world.space,
            world,
            rules,
            now: 0,
            faults: Faults::default(),
            alarms: 0,
            forks: 0,
            pages: 0,
            written: 0,
            trace: None,
        }
    }

    /// Does `steps` things with faults.
    pub fn storm(&mut self, steps: usize) {
        for _ in 0..steps {
            match self.random.below(100) {
                0..=11 => self.write(),
                25 => {
                    let node = self.random.below(self.nodes.len() - 1);
                    self.sign_receipt_on(node);
                }
                12..=17 => self.connect_any(),
                18 => self.cut_any(),
                19 => self.crash_any(),
                20 => self.back_up_any(),
                21 if self.random.chance(30) => self.restore_any(),
                22 if self.random.chance(15) => self.copy_any(),
                23 => self.tick_any(),
                24 if self.random.chance(10) => self.lose_any(),
                _ => self.step_any(),
            }
        }
        self.links.clear();
    }

    /// Lets every pair meet, cleanly, until a whole round moves nothing; `None` if that does not happen in `rounds`.
    pub fn converge(&mut self, rounds: usize) -> Option<usize> {
        for round in 0..rounds {
            let before: Vec<Tail> = self.nodes.iter().map(|node| node.replica.tail(self.space)).collect();
            for a in 0..self.nodes.len() {
                for b in 0..a {
                    self.meet(a, b);
                }
            }
            let after: Vec<Tail> = self.nodes.iter().map(|node| node.replica.tail(self.space)).collect();
            if before == after && after.iter().all(|tail| tail.digest == after[0].digest) {
                return Some(round + 1);
            }
        }
        None
    }

    /// One clean connection between two replicas, until both are done.
    pub fn meet(&mut self, a: usize, b: usize) -> Meeting {
        self.open(a, b, false);
        let at = self.links.len() - 1;
        for _ in 0..200_000 {
            if !self.links[at].open {
                break;
            }
            if !self.progress(at) {
                let next = self.links[at].ends.iter().filter_map(|end| end.session.next_deadline()).min();
                let settled = self.links[at].ends.iter().all(|end| end.session.is_settled());
                let Some(next) = next.filter(|next| !settled || *next <= self.now + 2_000) else { break };
                self.now = self.now.max(next);
                for side in 0..2 {
                    self.feed(at, side, Input::Tick);
                }
            }
        }
        let link = &self.links[at];
        let meeting = Meeting {
            bytes: link.ends.iter().map(|end| end.bytes).sum(),
            settled: link.ends.iter().all(|end| end.session.is_settled()),
        };
        self.close(at);
        self.links.pop();
        meeting
    }

    /// Connects two replicas cleanly and keeps the connection.
    pub fn keep(&mut self, a: usize, b: usize) {
        self.open(a, b, false);
    }

    /// Ends every connection.
    pub fn hang_up(&mut self) {
        for at in 0..self.links.len() {
            if self.links[at].open {
                self.close(at);
            }
        }
        self.links.clear();
    }

    /// Lets everything happen that can, on every connection, without any time passing.
    pub fn run_dry(&mut self) {
        while (0..self.links.len()).any(|at| self.links[at].open && self.progress(at)) {}
    }

    /// Writes one entry on a device that is already a member.
    fn write(&mut self) {
        let node = self.random.below(self.nodes.len() - 1);
        self.write_on(node);
    }

    /// Writes one entry on this device, if it is a member by what it holds.
    pub fn write_on(&mut self, node: usize) {
        self.written += 1;
        let text = format!("entry {} by {node}", self.written);
        let (space, epoch) = (self.space, self.world.epoch);
        let it = &mut self.nodes[node];
        if it.replica.hashes(space).len() < self.world.membership.len() {
            return;
        }
        let Some(writer) = &mut it.writer else { return };
        let entry = writer.write(space, epoch, text.as_bytes());
        let tail = it.replica.append(entry);
        self.tell(node, usize::MAX, tail);
    }

    /// A device says what it has: a receipt of the next counter, if it holds the space.
    pub fn sign_receipt_on(&mut self, node: usize) {
        let space = self.space;
        let it = &mut self.nodes[node];
        let Some(writer) = &mut it.writer else { return };
        if it.replica.hashes(space).len() < self.world.membership.len() {
            return;
        }
        writer.receipts += 1;
        let receipt = Receipt {
            version: RECEIPT_VERSION,
            space,
            device: it.key,
            incarnation: writer.incarnation,
            counter: writer.receipts,
            closes: writer.closed.clone(),
            vector: it.replica.rows(space),
            heads: Vec::new(),
            parked: Vec::new(),
            parked_count: 0,
        };
        let signed = sign_receipt(&writer.secret, &receipt).expect("a small receipt");
        let verified = VerifiedReceipt::verify(space, signed).expect("signed just now");
        let done = it.replica.persist(Batch { items: vec![Incoming::Receipt(verified)], ..Batch::default() });
        for tail in done.tails {
            self.tell(node, usize::MAX, tail);
        }
    }

    fn connect_any(&mut self) {
        if self.links.len() < 6 {
            let a = self.random.below(self.nodes.len());
            let b = self.random.below(self.nodes.len());
            if a != b {
                let faulty = self.random.chance(30);
                self.open(a, b, faulty);
            }
        }
    }

    fn open(&mut self, a: usize, b: usize, faulty: bool) {
        let relay = self.nodes.len() - 1;
        // A relay never dials.
        let (a, b) = if a == relay { (b, a) } else { (a, b) };
        let end = |node: usize, peer: usize, dials: bool| {
            let role = if node == relay {
                Role::Relay { key: self.nodes[relay].key, open: true }
            } else {
                Role::Device { towards_relay: peer == relay }
            };
            let config =
                Config { role, own: self.nodes[node].key, peer: self.nodes[peer].key, dials, rules: self.rules };
            End {
                node,
                session: Session::new(config, self.now),
                arriving: VecDeque::new(),
                asked: VecDeque::new(),
                flush: false,
                bytes: 0,
                settled: false,
            }
        };
        self.links.push(Link { ends: [end(a, b, true), end(b, a, false)], faulty, open: true });
        let at = self.links.len() - 1;
        for side in 0..2 {
            self.feed(at, side, Input::Start);
        }
    }

    fn any_link(&mut self) -> Option<usize> {
        self.links.retain(|link| link.open);
        (!self.links.is_empty()).then(|| self.random.below(self.links.len()))
    }

    fn step_any(&mut self) {
        if let Some(at) = self.any_link() {
            self.progress(at);
        }
    }

    fn tick_any(&mut self) {
        self.now += 700;
        if let Some(at) = self.any_link() {
            let side = self.random.below(2);
            self.feed(at, side, Input::Tick);
        }
    }

    fn cut_any(&mut self) {
        let Some(at) = self.any_link() else { return };
        let side = self.random.below(2);
        if let Some(frame) = self.links[at].ends[side].arriving.front() {
            // The frame that the cut goes through never arrives whole; a decoder must not take the part for a frame.
            let len = self.random.below(frame.len());
            let whole = Frame::decode(frame);
            assert!(whole.is_err() || Frame::decode(&frame[..len]) != whole, "a part of a frame is not the frame");
            self.faults.fire("cut inside a frame");
        } else {
            self.faults.fire("cut between frames");
        }
        self.close(at);
    }

    /// Ends a connection: both ends still keep what came in whole.
    fn close(&mut self, at: usize) {
        self.links[at].open = false;
        for side in 0..2 {
            self.links[at].ends[side].arriving.clear();
            self.feed(at, side, Input::Ended);
            while let Some((ticket, query)) = self.links[at].ends[side].asked.pop_front() {
                if matches!(query, Query::Persist(_)) {
                    self.answer(at, side, ticket, query);
                }
            }
        }
    }

    /// A process dies: its connections are gone, and a transaction under way happened or did not.
    fn crash_any(&mut self) {
        let node = self.random.below(self.nodes.len());
        for at in 0..self.links.len() {
            for side in 0..2 {
                if self.links[at].ends[side].node == node && self.links[at].open {
                    let asked = std::mem::take(&mut self.links[at].ends[side].asked);
                    for (_, query) in asked {
                        let Query::Persist(batch) = query else { continue };
                        if self.random.chance(50) {
                            self.faults.fire("killed after the transaction");
                            let done = self.nodes[node].replica.persist(batch);
                            for tail in done.tails {
                                self.tell(node, at, tail);
                            }
                        } else {
                            self.faults.fire("killed before the transaction");
                        }
                    }
                    self.links[at].open = false;
                    let other = 1 - side;
                    self.feed(at, other, Input::Ended);
                }
            }
        }
    }

    fn back_up_any(&mut self) {
        let node = self.random.below(self.nodes.len());
        let it = &mut self.nodes[node];
        let writer = it.writer.as_ref().map(|writer| (writer.incarnation, writer.data));
        let (incarnation, data) = writer.unwrap_or((Incarnation([0; 16]), (0, HeaderHash::NONE)));
        it.backup = Some((it.replica.clone(), incarnation, data));
    }

    /// The database is lost and an older one restored: a new instance, and a new incarnation for what is written.
    fn restore_any(&mut self) {
        let node = self.random.below(self.nodes.len());
        self.disconnect(node);
        let it = &mut self.nodes[node];
        let Some((backup, _, _)) = it.backup.clone() else { return };
        self.faults.fire("restored from a backup");
        it.replica = backup;
        it.replica.instance = Instance(self.random.bytes16());
        if let Some(writer) = &mut it.writer {
            writer.begin_anew(Incarnation(self.random.bytes16()));
        }
    }

    /// A whole disk was copied with its marker: the same incarnation writes on from an old number. Nothing can tell
    /// until two entries of one number meet.
    fn copy_any(&mut self) {
        let node = self.random.below(self.nodes.len() - 1);
        self.disconnect(node);
        let it = &mut self.nodes[node];
        let Some((backup, incarnation, data)) = it.backup.clone() else { return };
        let Some(writer) = &mut it.writer else { return };
        if writer.data == data && writer.incarnation == incarnation {
            return;
        }
        self.faults.fire("copied database");
        it.replica = backup;
        writer.incarnation = incarnation;
        writer.data = data;
        // The first contact shows it; a device that learns of its own fork starts a new incarnation. Until then it
        // writes once more into the old log.
        self.write_on(node);
        let it = &mut self.nodes[node];
        if let Some(writer) = &mut it.writer {
            writer.begin_anew(Incarnation(self.random.bytes16()));
        }
    }

    /// A file system loses an entry of somebody else's, and nobody notices (R6).
    fn lose_any(&mut self) {
        let node = self.random.below(self.nodes.len());
        self.disconnect(node);
        let it = &mut self.nodes[node];
        if it.replica.lose(self.space, it.key) {
            self.faults.fire("entry lost in silence");
            it.backup = None;
        }
    }

    fn disconnect(&mut self, node: usize) {
        for at in 0..self.links.len() {
            if self.links[at].open && self.links[at].ends.iter().any(|end| end.node == node) {
                self.close(at);
            }
        }
    }

    /// One thing happens on a connection; `false` if nothing can.
    fn progress(&mut self, at: usize) -> bool {
        let first = self.random.below(2);
        for side in [first, 1 - first] {
            // Whatever can happen on this side, in an order that the seed chooses.
            let choice = self.random.below(3);
            for action in (0..3).map(|n| (choice + n) % 3) {
                let end = &mut self.links[at].ends[side];
                match action {
                    0 if end.flush => {
                        end.flush = false;
                        self.feed(at, side, Input::Flushed);
                        return true;
                    }
                    1 if !end.asked.is_empty() => {
                        let index = self.random.below(end.asked.len());
                        let (ticket, query) = end.asked.remove(index).expect("an index below the length");
                        self.answer(at, side, ticket, query);
                        return true;
                    }
                    2 if end.session.wants_frames() => {
                        let Some(bytes) = end.arriving.pop_front() else { continue };
                        match Frame::decode(&bytes) {
                            Ok(frame) => self.feed(at, side, Input::Frame(frame)),
                            Err(_) => self.links[at].open = false,
                        }
                        return true;
                    }
                    _ => {}
                }
            }
        }
        false
    }

    fn answer(&mut self, at: usize, side: usize, ticket: Ticket, query: Query) {
        let node = self.links[at].ends[side].node;
        let peer = self.nodes[self.links[at].ends[1 - side].node].key;
        if matches!(query, Query::Since(_)) {
            self.pages += 1;
        }
        let reply = self.nodes[node].replica.answer(peer, query);
        if let alliance_sync::Reply::Persisted(done) = &reply {
            for tail in done.tails.clone() {
                self.tell(node, at, tail);
            }
        }
        self.feed(at, side, Input::Reply(ticket, reply));
    }

    /// Tells a node's other sessions that a space changed.
    fn tell(&mut self, node: usize, except: usize, tail: Tail) {
        for at in 0..self.links.len() {
            for side in 0..2 {
                let it = &self.links[at];
                if at != except && it.open && it.ends[side].node == node {
                    self.feed(at, side, Input::Changed(tail));
                }
            }
        }
    }

    fn feed(&mut self, at: usize, side: usize, input: Input) {
        let mut effects = Vec::new();
        self.links[at].ends[side].session.handle(self.now, input, &mut effects);
        for effect in effects {
            if let Some(trace) = &mut self.trace {
                let (from, to) = (self.links[at].ends[side].node, self.links[at].ends[1 - side].node);
                match &effect {
                    Effect::Send(frame) => trace.push(format!("{from} -> {to}: {frame:?}")),
                    Effect::Notify(event) => trace.push(format!("{from} ({to}): {event:?}")),
                    Effect::Close(reason) => trace.push(format!("{from} ({to}) closes: {reason}")),
                    Effect::Ask(_, query) => trace.push(format!("{from} ({to}) asks: {query:.200?}")),
                }
            }
            match effect {
                Effect::Send(frame) => {
                    let bytes = frame.encode();
                    // The length prefix of the transport.
                    let prefix = if bytes.len() < 128 {
                        1
                    } else if bytes.len() < 16_384 {
                        2
                    } else {
                        3
                    };
                    let end = &mut self.links[at].ends[side];
                    end.bytes += bytes.len() as u64 + prefix;
                    end.flush = true;
                    if self.links[at].open {
                        self.send(at, 1 - side, bytes);
                    }
                }
                Effect::Ask(ticket, query) => self.links[at].ends[side].asked.push_back((ticket, query)),
                Effect::Notify(Event::Diverged(_)) => self.alarms += 1,
                Effect::Notify(Event::Fork { .. }) => self.forks += 1,
                Effect::Notify(Event::Settled) => self.links[at].ends[side].settled = true,
                Effect::Notify(_) => {}
                Effect::Close(_) => self.links[at].open = false,
            }
        }
    }

    fn send(&mut self, at: usize, to: usize, bytes: Vec<u8>) {
        let link = &mut self.links[at];
        let queue = &mut link.ends[to].arriving;
        if !link.faulty {
            return queue.push_back(bytes);
        }
        match self.random.below(60) {
            0 => self.faults.fire("frame lost"),
            1 => {
                self.faults.fire("frame duplicated");
                queue.push_back(bytes.clone());
                queue.push_back(bytes);
            }
            2 if !queue.is_empty() => {
                self.faults.fire("frames reordered");
                let before = queue.len() - 1;
                queue.insert(before, bytes);
            }
            _ => queue.push_back(bytes),
        }
    }
}
