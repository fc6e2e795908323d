//! A seeded driver of session machines: several replicas, any number of connections, and everything that goes wrong.
//!
//! Nothing here waits or sleeps. Each step does one thing that could happen next, chosen by the seed: a frame arrives,
//! a question is answered, somebody writes, a connection is cut in the middle of a frame, a process dies before or
//! after its transaction, a database is restored from a backup or copied. A run is repeated from its seed alone.

mod cut;
mod link;
mod out;
mod trouble;

use std::collections::BTreeMap;

use alliance_crypto::{Rules, VerifiedReceipt, sign_receipt};
use alliance_sync::{Batch, Incoming, Input, Tail};
use alliance_wire::receipt::{RECEIPT_VERSION, ReceiptRow};
use alliance_wire::{DeviceKey, HeaderHash, Incarnation, Instance, Receipt, SpaceId};

use link::Link;
pub use out::PutOut;

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
pub const FAULTS: [&str; 13] = [
    "cut between frames",
    "cut inside a frame",
    "a page's beginning kept",
    "frame lost",
    "frame duplicated",
    "frames reordered",
    "killed before the transaction",
    "killed after the transaction",
    "restored from a backup",
    "copied database",
    "entry lost in silence",
    "disk full",
    "relay's database lost",
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
    /// Nothing gets lost on the way or in a database without a trace: then every acknowledgement is true.
    pub faithful: bool,
    /// Entries that were acknowledged, and those of them that were not there (I2).
    pub acknowledged: (u64, u64),
    /// Rows of vectors that were told, and those of them whose entries were not there.
    pub told: (u64, u64),
    /// The first that was acknowledged and not there.
    pub missed: Option<String>,
    written: u64,
    /// Somebody may be put out.
    pub puts_out: bool,
    /// Who was put out.
    pub out: Option<PutOut>,
    /// Data entries that were sent to a device by a replica which knew that it was out.
    pub leaks: u64,
    /// Clean meetings that ended because somebody waited in vain.
    pub stalls: u64,
    /// A clean meeting is under way.
    clean: bool,
    /// What arrived in runs, and was written: the node and the entry's signature, which no other has.
    pub arrived: Option<Vec<(usize, [u8; 64])>>,
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
                replica.own = Some(writer.key());
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
            faithful: false,
            acknowledged: (0, 0),
            told: (0, 0),
            missed: None,
            written: 0,
            puts_out: false,
            out: None,
            leaks: 0,
            stalls: 0,
            clean: false,
            arrived: None,
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
                22 if !self.faithful && self.random.chance(15) => self.copy_any(),
                23 => self.tick_any(),
                24 if !self.faithful && self.random.chance(10) => self.lose_any(),
                26 => self.fill_any(),
                27 if self.random.chance(20) => self.lose_relay(),
                28 if self.puts_out && self.random.chance(30) => self.put_out_or_back(),
                _ => self.step_any(),
            }
        }
        self.links.clear();
        self.nodes.iter_mut().for_each(|node| node.replica.full = false);
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
            let inside = |(node, _): &(usize, &Tail)| Some(*node) != self.is_out();
            if before == after
                && after.iter().enumerate().filter(inside).all(|(_, tail)| tail.digest == after[0].digest)
            {
                return Some(round + 1);
            }
        }
        None
    }

    /// One clean connection between two replicas, until both are done.
    pub fn meet(&mut self, a: usize, b: usize) -> Meeting {
        self.clean = true;
        self.open(a, b, false);
        let meeting = self.finish_meeting();
        self.clean = false;
        meeting
    }

    /// Lets the newest connection go on until both are done.
    fn finish_meeting(&mut self) -> Meeting {
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
        if it.replica.full || it.replica.hashes(space).len() < self.world.membership.len() {
            return;
        }
        // Who knows that it is out writes nothing more.
        if it.replica.is_former(space, it.key) {
            return;
        }
        let Some(writer) = &mut it.writer else { return };
        let entry = writer.write(space, epoch, text.as_bytes());
        if let Some(arrived) = &mut self.arrived {
            arrived.push((node, entry.entry().signed.signature));
        }
        let tail = it.replica.append(entry);
        self.tell(node, usize::MAX, tail);
    }

    /// A device says what it has: a receipt of the next counter, if it holds the space.
    pub fn sign_receipt_on(&mut self, node: usize) {
        let space = self.space;
        let it = &mut self.nodes[node];
        let Some(writer) = &mut it.writer else { return };
        if it.replica.full || it.replica.hashes(space).len() < self.world.membership.len() {
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
            vector: it.replica.rows(space).iter().map(ReceiptRow::from).collect(),
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
}
