//! Stories that are told of a simulation's nodes: nothing is left to chance, and nothing goes wrong but what is told.

use std::path::{Path, PathBuf};

use alliance_client::{DocumentId, Rules, SpaceId, SyncReport};
use alliance_store::Replica as _;

use super::fault::Faults;
pub use super::fixture::{BEN, LAPTOP};
use super::fixture::{Fixture, RELAY};
use super::network::Network;
use super::node::Common;
use super::world::{World, runtime, scratch};
use crate::people::insert;
use crate::random::Random;

/// The founder of both spaces.
pub const ASHA: usize = 0;
/// A writer in the first.
pub const CHLOE: usize = 2;

/// Three people, one of them with two devices, a relay, and one note of the first space.
pub struct Story {
    /// The nodes.
    pub world: World,
    /// The first space.
    pub space: SpaceId,
    /// Its first note.
    pub note: DocumentId,
    /// Ben's recovery words.
    pub words: String,
}

/// Tells a story of a fixture of its own, in which every rule holds.
///
/// # Panics
/// If the fixture cannot be made.
pub fn story<F: Future<Output = ()>>(tell: impl FnOnce(Story) -> F) {
    let fixture = Fixture::new();
    runtime().block_on(async {
        let folder = scratch();
        tell(Story::begin(&fixture, folder.path(), Rules::ALL).await).await;
    });
}

/// The fixture's nodes under these rules, in folders below this one, on a network on which nothing goes wrong.
///
/// # Panics
/// If they do not start.
pub async fn world(fixture: &Fixture, home: &Path, rules: Rules) -> World {
    let faults = Faults::default();
    let network = Network::new(Random::new(1), faults.clone());
    network.heal();
    World::of(fixture, Common { home: home.to_owned(), network, faults, rules }, Random::new(2)).await
}

impl Story {
    /// The beginning of every story, under these rules.
    ///
    /// # Panics
    /// If the nodes do not start.
    pub async fn begin(fixture: &Fixture, home: &Path, rules: Rules) -> Self {
        let world = world(fixture, home, rules).await;
        let (space, note) = fixture.notes[0];
        Self { world, space, note, words: fixture.words.clone() }
    }

    /// Somebody writes into the note.
    ///
    /// # Panics
    /// If that is not taken.
    pub async fn write(&self, device: usize, text: &str) {
        self.world.client(device).command(self.note, None, insert(0, text)).await.expect("what was written is saved");
    }

    /// Somebody meets the relay.
    ///
    /// # Panics
    /// If the meeting does not end in order.
    pub async fn sync(&mut self, device: usize) -> SyncReport {
        self.world.sync(device, RELAY).await.expect("a meeting that ends in order")
    }

    /// Whether the relay has all entries of the space that a device has.
    ///
    /// # Panics
    /// If one of them is dead.
    pub async fn relay_has_what(&self, device: usize) -> bool {
        let mut digests = Vec::new();
        for node in [device, RELAY] {
            let replica = self.world.nodes[node].replica().expect("a node that lives");
            digests.push(replica.tails(vec![self.space]).await.expect("the store answers")[0].digest);
        }
        digests[0] == digests[1]
    }

    /// The relay's process dies and another starts on the files that are put into the second folder; in the first are
    /// those that it had.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn relay_goes_on_with(&mut self, fill: impl FnOnce(PathBuf, PathBuf)) {
        let relay = &mut self.world.nodes[RELAY];
        let (before, next) = (relay.folder.clone(), relay.next_folder());
        std::fs::create_dir_all(&next).expect("a folder");
        relay.kill();
        self.world.bury();
        fill(before, next.clone());
        self.world.nodes[RELAY].start(&next, false).await;
    }
}
