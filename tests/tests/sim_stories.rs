//! What the simulator found, each as a story of its own: the same nodes, nothing left to chance.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::path::PathBuf;

use alliance_client::{DocumentId, Rules, SpaceId, SyncReport};
use alliance_store::Replica as _;
use alliance_tests::people::insert;
use alliance_tests::random::Random;
use alliance_tests::sim::disk::copy_files;
use alliance_tests::sim::fault::Faults;
use alliance_tests::sim::fixture::{Fixture, RELAY};
use alliance_tests::sim::network::Network;
use alliance_tests::sim::node::Common;
use alliance_tests::sim::world::{World, runtime, scratch};

const ASHA: usize = 0;
const BEN: usize = 1;

struct Story {
    world: World,
    space: SpaceId,
    note: DocumentId,
}

/// Three people, a relay, and a network on which nothing goes wrong.
fn story<F: Future<Output = ()>>(tell: impl FnOnce(Story) -> F) {
    let (fixture, folder, faults) = (Fixture::new(), scratch(), Faults::default());
    runtime().block_on(async {
        let network = Network::new(Random::new(1), faults.clone());
        network.heal();
        let common = Common { home: folder.path().to_owned(), network, faults, rules: Rules::ALL };
        let world = World::of(&fixture, common, Random::new(2)).await;
        let (space, note) = fixture.notes[0];
        tell(Story { world, space, note }).await;
    });
}

impl Story {
    async fn write(&self, device: usize, text: &str) {
        self.world.client(device).command(self.note, None, insert(0, text)).await.unwrap();
    }

    async fn sync(&mut self, device: usize) -> SyncReport {
        self.world.sync(device, RELAY).await.unwrap()
    }

    /// Whether the relay has all entries of the space that a device has.
    async fn relay_has_what(&self, device: usize) -> bool {
        let mut digests = Vec::new();
        for node in [device, RELAY] {
            let tails = self.world.nodes[node].replica().unwrap().tails(vec![self.space]).await.unwrap();
            digests.push(tails[0].digest);
        }
        digests[0] == digests[1]
    }

    /// The relay's process dies and another starts on these files.
    async fn relay_goes_on_with(&mut self, fill: impl FnOnce(PathBuf, PathBuf)) {
        let relay = &mut self.world.nodes[RELAY];
        let (before, next) = (relay.folder.clone(), relay.next_folder());
        std::fs::create_dir_all(&next).unwrap();
        relay.kill();
        self.world.bury();
        fill(before, next.clone());
        self.world.nodes[RELAY].start(&next, false).await;
    }
}

/// A relay lost its disk, and the device has written since. Right behind its Hello it sent what the lost database had
/// not acknowledged; the new one took that for a presentation that fails, and heard nothing more of the space.
#[test]
fn a_lost_relay_heals_from_a_device_that_has_something_newer() {
    story(|mut story| async move {
        story.write(ASHA, "Before. ").await;
        story.sync(ASHA).await;
        assert!(story.relay_has_what(ASHA).await, "the control: the relay has everything");
        story.write(ASHA, "Since. ").await;
        story.world.client(ASHA).seal_all().await.unwrap();
        story
            .relay_goes_on_with(|before, next| {
                std::fs::copy(before.join("secrets"), next.join("secrets")).unwrap();
            })
            .await;
        assert!(!story.relay_has_what(ASHA).await, "it is lost");
        let report = story.sync(ASHA).await;
        assert!(report.settled && story.relay_has_what(ASHA).await, "{report:?}");
    });
}

/// A relay was restored. It took what a device sent ahead to the database before it, and acknowledged with it what only
/// that had; the device took this for an acknowledgement of what was not sent and hung up, at every meeting.
#[test]
fn a_restored_relay_acknowledges_nothing_that_it_lost() {
    story(|mut story| async move {
        let backup = story.world.nodes[RELAY].next_folder();
        copy_files(&story.world.nodes[RELAY].folder, &backup).unwrap();
        std::fs::remove_file(backup.join("marker")).unwrap();
        story.write(ASHA, "Asha's. ").await;
        story.sync(ASHA).await;
        story.sync(BEN).await;
        assert!(story.relay_has_what(BEN).await, "the control: the relay has everything");
        story.relay_goes_on_with(|_, next| copy_files(&backup, &next).unwrap()).await;
        assert!(!story.relay_has_what(BEN).await, "it has lost what Asha wrote");
        story.write(BEN, "Ben's. ").await;
        let report = story.sync(BEN).await;
        assert!(report.settled && story.relay_has_what(BEN).await, "{report:?}");
    });
}

/// A relay takes 24 receipts of a device in a day. The next was refused without naming an entry, and the device took
/// the whole space for refused: the two then waited for each other until one hung up.
#[test]
fn a_receipt_too_many_keeps_nothing_else_back() {
    story(|mut story| async move {
        let mut refused = 0;
        for n in 0..30 {
            story.write(ASHA, &format!("{n}. ")).await;
            let report = story.sync(ASHA).await;
            refused += report.refused.len();
            assert!(report.settled && story.relay_has_what(ASHA).await, "meeting {n}: {report:?}");
        }
        assert!(refused > 0, "the relay never refused a receipt: this proves nothing");
    });
}

/// The relay's disk was full. A vector that it told while it wrote had counted what the disk then refused, and the
/// `Upto` behind it was acknowledged.
#[test]
fn what_a_full_disk_refused_is_sent_again_when_there_is_room() {
    story(|mut story| async move {
        story.write(ASHA, "No room. ").await;
        story.world.nodes[RELAY].disk.set_full(true);
        // The meeting may end in order or not; what counts is what is said of the entry.
        let full = story.world.sync(ASHA, RELAY).await;
        println!("{full:?}");
        assert!(!story.relay_has_what(ASHA).await, "there was no room for it");
        let status = story.world.client(ASHA).status().await.unwrap();
        let said = status.spaces.iter().find(|status| status.space == story.space).unwrap().delivery;
        assert!(!said.on_relay && said.unsent > 0, "nor is it said to be there: {said:?}");
        story.world.nodes[RELAY].disk.set_full(false);
        let report = story.sync(ASHA).await;
        assert!(report.settled && story.relay_has_what(ASHA).await, "{report:?}");
    });
}
