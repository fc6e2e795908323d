//! The simulator: whole devices and relays on virtual time, with everything that goes wrong.
//!
//! A node is the real thing: a device is an `alliance_client::Client`, a relay an `alliance_relay::Service`, each on a
//! real store in a folder of its own. What a program takes from the machine around it comes from the seed: the clock
//! and the random source ([`source`]), the disk ([`disk`]), the lines to others ([`line`](mod@line), [`network`]). Time is
//! tokio's, stopped: it passes when nothing else can happen, so that a day of simulation takes no time, and the one
//! thread does everything in one order. A seed therefore is a run.
//!
//! A run begins with three people, one of them with two devices, who share two spaces through a relay ([`fixture`]),
//! goes through a number of steps in which people write and meet while everything breaks ([`storm`], [`trouble`]), and
//! ends in calm: everything works again, all meet, and what they have is compared ([`rest`]). After each step everything
//! that became durable anywhere is looked at ([`watcher`]). Backups are restored, disks put back from images, and a
//! device's files copied to another node that lives beside it under the same key ([`trouble`]).
//!
//! | invariant (docs: "reliability") | looked at |
//! |---|---|
//! | I1 what was shown as saved is there | whenever a device starts, and at rest |
//! | I2 what a relay acknowledged is there | after each step |
//! | I3 nobody drops own entries | at rest |
//! | I4 one number, one entry, or a proof; signed, chained | after each step |
//! | I5 all agree in bounded rounds | at rest |
//! | I6 nobody outside reads | at rest |
//! | I7 nobody but members writes | after each step |
//! | I8 work per received byte is bounded: disk accesses of both sides | at each meeting at rest |
//! | I9 no nonce twice | after each step |
//! | I10 what is refused changes nothing | when something is refused |

pub mod alter;
pub mod disk;
pub mod fault;
pub mod fixture;
pub mod hand;
pub mod ledger;
pub mod line;
pub mod network;
pub mod node;
pub mod rest;
pub mod source;
pub mod storm;
pub mod story;
pub mod trouble;
pub mod wal;
pub mod watcher;
pub mod world;

use std::collections::BTreeMap;

use alliance_client::Rules;

use fault::Faults;
use fixture::Fixture;
use network::Network;
use node::Common;
use storm::Storm;
use world::{World, runtime, scratch};

use crate::random::Random;

/// Steps of one run.
pub const STEPS: usize = 120;

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The rounds until all agreed, or the invariant that does not hold.
    pub result: Result<usize, String>,
    /// How often each fault fired.
    pub fired: BTreeMap<&'static str, u64>,
    /// Entries and acknowledgements that were looked at.
    pub looked: u64,
    /// Pieces of text that people were told are saved.
    pub saved: usize,
    /// A line for every step.
    pub trace: Vec<String>,
}

/// Runs a seed.
///
/// # Panics
/// If the simulator itself fails.
#[must_use]
pub fn run(fixture: &Fixture, seed: u64, rules: Rules) -> Outcome {
    run_saying(fixture, seed, rules, Saying::Notes)
}

/// What people write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saying {
    /// Notes.
    Notes,
    /// Sessions, decisions, goals, feedback and closing summaries as well.
    All,
}

/// The same, where people say so much. A seed of [`Saying::Notes`] is another run than the same of [`Saying::All`].
#[must_use]
pub fn run_saying(fixture: &Fixture, seed: u64, rules: Rules, saying: Saying) -> Outcome {
    let folder = scratch();
    let faults = Faults::default();
    let runtime = runtime();
    runtime.block_on(async {
        let mut random = Random::new(seed);
        let network = Network::new(Random::new(random.next()), faults.clone());
        let common = Common { home: folder.path().to_owned(), network, faults: faults.clone(), rules };
        let world = World::of(fixture, common, random).await;
        let mut storm = Storm::new(world, fixture).saying(saying);
        let result = match storm.run(STEPS).await {
            Ok(()) => storm.calm().await,
            Err(what) => Err(what),
        };
        Outcome {
            result,
            fired: faults.fired(),
            looked: storm.watcher.looked,
            saved: storm.ledger.saved.len(),
            trace: storm.trace,
        }
    })
}
