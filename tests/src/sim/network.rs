//! The network between nodes: who reaches whom, how well, and what breaks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use alliance_net::ConnectionLost;
use alliance_wire::DeviceKey;
use tokio::time::Instant;

use super::fault::Faults;
use super::line::{Core, SimLine};
use crate::random::Random;

/// After so long without a packet a connection is given up, as the transport's settings say.
const IDLE: Duration = Duration::from_secs(30);

/// How good a line is.
#[derive(Debug, Clone, Copy)]
pub struct Quality {
    /// One way.
    pub delay_millis: u64,
    /// At most so much more.
    pub jitter_millis: usize,
    /// Packets of a hundred that must be sent again.
    pub loss_percent: usize,
    /// Packets of a hundred that come behind their successors.
    pub reorder_percent: usize,
    /// Packets of a hundred that come twice.
    pub duplicate_percent: usize,
    /// Bytes in a second, each way.
    pub rate: u64,
}

impl Quality {
    /// A quick line on which nothing goes wrong.
    pub const GOOD: Self = Self {
        delay_millis: 2,
        jitter_millis: 0,
        loss_percent: 0,
        reorder_percent: 0,
        duplicate_percent: 0,
        rate: 10_000_000,
    };

    /// Any line that people have: a colleague's hotspot, village Wi-Fi, 2G.
    pub fn any(random: &mut Random) -> Self {
        let kinds = [(5, 5, 0, 1_000_000), (80, 40, 2, 100_000), (300, 200, 5, 6_000), (600, 100, 10, 6_000)];
        let (delay_millis, jitter_millis, loss_percent, rate) = kinds[random.below(kinds.len())];
        Self { delay_millis, jitter_millis, loss_percent, reorder_percent: 3, duplicate_percent: 2, rate }
    }
}

/// The network of a simulation. Clones are the same network.
#[derive(Debug, Clone)]
pub struct Network(Arc<Mutex<Inner>>, Faults);

#[derive(Debug)]
struct Inner {
    random: Random,
    lines: Vec<(usize, usize, Weak<Core>)>,
    /// Until when two nodes do not reach each other.
    apart: BTreeMap<(usize, usize), Instant>,
    healed: bool,
    /// Frames of a hundred that the relay alters before it passes them on.
    altering: usize,
    /// After so many bytes a line breaks.
    breaking: Option<usize>,
}

impl Network {
    /// A network without lines.
    #[must_use]
    pub fn new(random: Random, faults: Faults) -> Self {
        let inner =
            Inner { random, lines: Vec::new(), apart: BTreeMap::new(), healed: false, altering: 0, breaking: None };
        Self(Arc::new(Mutex::new(inner)), faults)
    }

    /// A line between two nodes with these keys, as its two ends; `None` if they do not reach each other.
    pub fn connect(
        &self,
        (from, from_key): (usize, DeviceKey),
        (to, to_key): (usize, DeviceKey),
    ) -> Option<(SimLine, SimLine)> {
        let mut inner = self.lock();
        let now = Instant::now();
        if !inner.healed && inner.apart.get(&pair(from, to)).is_some_and(|until| *until > now) {
            self.1.fire("dialled in vain");
            return None;
        }
        let quality = if inner.healed { Quality::GOOD } else { Quality::any(&mut inner.random) };
        let random = Random::new(inner.random.next());
        let altering = if to == super::fixture::RELAY { inner.altering } else { 0 };
        let core = Arc::new(Core::new(quality, random, (altering, inner.breaking), self.1.clone()));
        inner.lines.retain(|(_, _, core)| core.strong_count() > 0);
        inner.lines.push((from, to, Arc::downgrade(&core)));
        Some((SimLine::new(&core, 0, to_key), SimLine::new(&core, 1, from_key)))
    }

    /// A random line breaks.
    pub fn cut_one(&self) {
        let mut inner = self.lock();
        let lines: Vec<Arc<Core>> = inner.lines.iter().filter_map(|(_, _, core)| core.upgrade()).collect();
        if lines.is_empty() {
            return;
        }
        let core = &lines[inner.random.below(lines.len())];
        drop(inner);
        if let Some(inside) = core.cut(Instant::now(), [ConnectionLost::TimedOut; 2]) {
            self.1.fire(if inside { "line cut inside a frame" } else { "line cut between frames" });
        }
    }

    /// Two nodes do not reach each other for so long.
    pub fn part(&self, a: usize, b: usize, long: Duration) {
        let mut inner = self.lock();
        let now = Instant::now();
        inner.apart.insert(pair(a, b), now + long);
        self.1.fire(if long < IDLE { "partition, short" } else { "partition, long" });
        for (from, to, core) in &inner.lines {
            let Some(core) = core.upgrade().filter(|_| pair(*from, *to) == pair(a, b)) else { continue };
            if long < IDLE {
                core.hold_up(now, long);
            } else {
                core.cut(now + IDLE, [ConnectionLost::TimedOut; 2]);
            }
        }
    }

    /// A node's process is gone: what it sent may still arrive for a moment, then its peers hear nothing.
    pub fn bury(&self, node: usize) {
        let mut inner = self.lock();
        let late = Duration::from_millis(inner.random.below(200) as u64);
        for (from, to, core) in &inner.lines {
            if let Some(core) = core.upgrade().filter(|_| *from == node || *to == node) {
                core.abandon(usize::from(*to == node), late);
            }
        }
    }

    /// The relay alters so many of a hundred frames on lines that are made from now on.
    pub fn set_altering(&self, percent: usize) {
        self.lock().altering = percent;
    }

    /// Lines that are made from now on break when they have carried so many bytes to the listener, if any number is given.
    pub fn set_breaking(&self, bytes: Option<usize>) {
        self.lock().breaking = bytes;
    }

    /// From here on everything arrives, at once and whole.
    pub fn heal(&self) {
        let mut inner = self.lock();
        inner.healed = true;
        inner.altering = 0;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn pair(a: usize, b: usize) -> (usize, usize) {
    if a < b { (a, b) } else { (b, a) }
}
