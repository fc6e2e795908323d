//! Connections of two sessions each: frames, questions and time.

use std::collections::{BTreeSet, VecDeque};

use alliance_sync::{CloseReason, Config, Effect, Event, Input, Query, Role, Session, Tail, Ticket};
use alliance_wire::{Frame, HashPrefix, HeaderHash, SpaceId, Stream};

use super::Driver;

/// One end of a connection.
pub(super) struct End {
    pub(super) node: usize,
    pub(super) session: Session,
    /// Frames on their way to this end.
    pub(super) arriving: VecDeque<Vec<u8>>,
    pub(super) asked: VecDeque<(Ticket, Query)>,
    pub(super) flush: bool,
    pub(super) bytes: u64,
    pub(super) settled: bool,
    /// The logs that this end has named, in order.
    pub(super) named: Vec<Stream>,
}

pub(super) struct Link {
    pub(super) ends: [End; 2],
    pub(super) faulty: bool,
    pub(super) open: bool,
    pub(super) cut: Option<super::cut::Cut>,
}

impl Driver {
    pub(super) fn connect_any(&mut self) {
        if self.links.len() < 6 {
            let a = self.random.below(self.nodes.len());
            let b = self.random.below(self.nodes.len());
            if a != b {
                let faulty = !self.faithful && self.random.chance(30);
                self.open(a, b, faulty);
            }
        }
    }

    pub(super) fn open(&mut self, a: usize, b: usize, faulty: bool) {
        // After every other connection, as if that had broken.
        self.open_after(a, b, faulty, faulty || self.links.len() % 2 == 1);
    }

    /// Connects two replicas; `asks_first` if both know that their last connection broke.
    pub(super) fn open_after(&mut self, a: usize, b: usize, faulty: bool, asks_first: bool) {
        let relay = self.nodes.len() - 1;
        // A relay never dials.
        let (a, b) = if a == relay { (b, a) } else { (a, b) };
        let end = |node: usize, peer: usize, dials: bool| {
            let role = if node == relay {
                Role::Relay { key: self.nodes[relay].key, open: true }
            } else {
                Role::Device { towards_relay: peer == relay }
            };
            let config = Config {
                role,
                own: self.nodes[node].key,
                peer: self.nodes[peer].key,
                dials,
                asks_first,
                takes_all: false,
                rules: self.rules,
            };
            End {
                node,
                session: Session::new(config, self.now),
                arriving: VecDeque::new(),
                asked: VecDeque::new(),
                flush: false,
                bytes: 0,
                settled: false,
                named: Vec::new(),
            }
        };
        self.links.push(Link { ends: [end(a, b, true), end(b, a, false)], faulty, open: true, cut: None });
        let at = self.links.len() - 1;
        for side in 0..2 {
            self.feed(at, side, Input::Start);
        }
    }

    pub(super) fn any_link(&mut self) -> Option<usize> {
        self.links.retain(|link| link.open);
        (!self.links.is_empty()).then(|| self.random.below(self.links.len()))
    }

    pub(super) fn step_any(&mut self) {
        if let Some(at) = self.any_link() {
            self.progress(at);
        }
    }

    pub(super) fn tick_any(&mut self) {
        self.now += 700;
        if let Some(at) = self.any_link() {
            let side = self.random.below(2);
            self.feed(at, side, Input::Tick);
        }
    }

    /// Ends a connection: both ends still keep what came in whole.
    pub(super) fn close(&mut self, at: usize) {
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

    /// One thing happens on a connection; `false` if nothing can.
    pub(super) fn progress(&mut self, at: usize) -> bool {
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
                            Ok(frame) => self.hear_frame(at, side, frame),
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
    pub(super) fn tell(&mut self, node: usize, except: usize, tail: Tail) {
        for at in 0..self.links.len() {
            for side in 0..2 {
                let it = &self.links[at];
                if at != except && it.open && it.ends[side].node == node {
                    self.feed(at, side, Input::Changed(tail));
                }
            }
        }
    }

    pub(super) fn feed(&mut self, at: usize, side: usize, input: Input) {
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
                    self.look_for_leaks(at, side, &frame);
                    self.look_at_vector(at, side, &frame);
                    let bytes = frame.encode();
                    let end = &mut self.links[at].ends[side];
                    end.bytes += on_line(&bytes);
                    end.flush = true;
                    if self.links[at].open {
                        self.send(at, 1 - side, bytes);
                    }
                }
                Effect::Ask(ticket, query) => self.links[at].ends[side].asked.push_back((ticket, query)),
                Effect::Notify(Event::Diverged(_)) => self.alarms += 1,
                Effect::Notify(Event::Fork { .. }) => self.forks += 1,
                Effect::Notify(Event::Acknowledged { space, arrival }) => {
                    self.hear_acknowledged(at, side, space, arrival)
                }
                Effect::Notify(Event::Settled) => self.links[at].ends[side].settled = true,
                Effect::Notify(_) => {}
                Effect::Close(reason) => {
                    self.stalls += u64::from(self.clean && reason == CloseReason::Silent);
                    self.links[at].open = false;
                }
            }
        }
    }

    /// What a vector says is there: the peer sends nothing of it any more.
    fn look_at_vector(&mut self, at: usize, side: usize, frame: &Frame) {
        let Frame::Vector { rows, .. } = frame else { return };
        let replica = &self.nodes[self.links[at].ends[side].node].replica;
        let has: BTreeSet<HashPrefix> = replica.hashes(self.space).iter().map(HeaderHash::prefix).collect();
        self.told.0 += rows.len() as u64;
        self.told.1 += rows.iter().filter(|row| !has.contains(&row.hash)).count() as u64;
    }

    /// I2: what one side acknowledged is there.
    fn hear_acknowledged(&mut self, at: usize, side: usize, space: SpaceId, arrival: u64) {
        let (node, peer) = (self.links[at].ends[side].node, self.links[at].ends[1 - side].node);
        if !self.faithful || !self.links[at].open {
            return;
        }
        let has = self.nodes[peer].replica.hashes(space);
        // Of a device that was put out nothing but its own was asked for.
        let replica = &self.nodes[node].replica;
        let sent = if self.out.as_ref().is_some_and(|out| out.victim == node) {
            replica.arrived_of(space, arrival, self.nodes[node].key)
        } else {
            replica.arrived(space, arrival)
        };
        for hash in sent {
            self.acknowledged.0 += 1;
            if !has.contains(&hash) {
                self.acknowledged.1 += 1;
                self.missed.get_or_insert_with(|| format!("{peer} acknowledged {arrival} of {node} without {hash}"));
            }
        }
    }

    fn send(&mut self, at: usize, to: usize, bytes: Vec<u8>) {
        let link = &mut self.links[at];
        if link.cut.as_mut().is_some_and(|cut| !cut.lets_through(to, &bytes)) {
            return;
        }
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

/// Bytes of a frame on the line, with the length prefix of the transport.
pub(super) fn on_line(frame: &[u8]) -> u64 {
    let mut prefix = Vec::new();
    alliance_net::encode_prefix(frame.len(), &mut prefix);
    (prefix.len() + frame.len()) as u64
}
