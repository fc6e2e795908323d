//! A relay's process that is killed while a device pushes to it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use alliance_sync::Event;
use alliance_tests::random::Random;
use alliance_tests::relay::{Device, Live};
use alliance_tests::running::{RunningRelay, relay_command};
use alliance_tests::sim::wal::end_is_torn;
use alliance_tests::world::{World, Writer};
use alliance_wire::HeaderHash;
use alliance_wire::membership::Operation;
use rustix::process::Signal;
use tempfile::TempDir;

use super::{AT_START_PERCENT, Tally, Usual, pass};
use crate::fixtures::copy;

/// A relay's folder, a device that writes, and what that device was told.
pub(crate) struct RelayStory {
    folder: TempDir,
    instance: String,
    /// The last write of the log was torn before a start that was killed: that start may have begun anew.
    torn_at_start: bool,
    random: Random,
    writers: Vec<Writer>,
    world: World,
    author: Device,
    /// What the author wrote, by its own arrival numbers.
    written: BTreeMap<u64, HeaderHash>,
    /// How far the relay said that it holds everything.
    acknowledged: u64,
    starting: Usual,
    answering: Usual,
    tally: Tally,
}

impl RelayStory {
    /// A new relay, and a space of two members that names it.
    pub(crate) async fn begin(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let relay = RunningRelay::start(&folder.path().join("data"), &["--open"]);
        let mut random = Random::new(seed);
        let writers: Vec<Writer> = (0..2).map(|_| Writer::new(&mut random)).collect();
        let mut world = World::new(&mut random, &writers, None);
        world.operate(&writers[0], world.founder, Operation::Relay(relay.address().pin(None)));
        let author = Device::new(&mut random, &writers[0]);
        let arrivals = author.store(world.membership.clone()).await;
        let hashes = world.membership.iter().map(alliance_crypto::Verified::hash);
        Self {
            instance: relay.instance(),
            torn_at_start: false,
            folder,
            random,
            writers,
            author,
            written: arrivals.into_iter().zip(hashes).collect(),
            world,
            acknowledged: 0,
            starting: Usual::default(),
            answering: Usual::default(),
            tally: Tally::default(),
        }
    }

    pub(crate) fn kills(&self) -> usize {
        self.tally.kills()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts the relay, looks as a newcomer for all that was acknowledged, pushes, and kills it. Answers what was
    /// lost.
    pub(crate) async fn kill(&mut self, seed: u64) -> Vec<HeaderHash> {
        let mut random = Random::new(seed);
        let at_start = random.chance(AT_START_PERCENT) || self.kills() == 2;
        if at_start {
            self.torn_at_start = self.last_write_is_torn();
            let mut child =
                relay_command(&["serve", "--listen", "127.0.0.1:0", "--open"], &self.data()).spawn().unwrap();
            pass(self.starting.moment(&mut random, 100));
            child.kill().unwrap();
            child.wait().unwrap();
            self.tally.start += 1;
            return self.lost().await;
        }
        let relay = self.start();
        let lost = self.missing(&relay).await;
        let mut live = self.author.live(&relay.address()).await;
        // Equality says as much as an acknowledgement: the relay has what was there when they met.
        live.until(|event| *event == Event::Settled).await.expect("the relay answers");
        self.acknowledged = self.written.last_key_value().map_or(0, |(arrival, _)| *arrival);
        for _ in 0..1 + random.below(5) {
            let started = Instant::now();
            let newest = self.write(&mut random).await;
            self.wait(&mut live, newest).await;
            self.answering.saw(started.elapsed());
        }
        // The last one: sent for certain, and then at any moment until its answer or a little later.
        let sent = live.frames_sent();
        let started = Instant::now();
        let newest = self.write(&mut random).await;
        live.sent_after(sent).await;
        let left = self.answering.moment(&mut random, 150);
        pass(left.saturating_sub(started.elapsed()));
        relay.end(Signal::KILL);
        for event in live.abandon().await {
            self.hear(&event);
        }
        if self.acknowledged >= newest {
            self.tally.after += 1;
        } else {
            self.tally.inside += 1;
        }
        lost
    }

    /// Starts the relay and asks whether all that was acknowledged is there.
    pub(crate) async fn lost(&mut self) -> Vec<HeaderHash> {
        let relay = self.start();
        let lost = self.missing(&relay).await;
        relay.end(Signal::TERM);
        lost
    }

    fn last_write_is_torn(&self) -> bool {
        end_is_torn(&self.data().join("store.db-wal")).unwrap()
    }

    fn start(&mut self) -> RunningRelay {
        let torn = self.last_write_is_torn();
        let started = Instant::now();
        let relay = RunningRelay::start(&self.data(), &["--open"]);
        self.starting.saw(started.elapsed());
        // A kill is no restore, and devices need not push again. But a log whose last write was torn cannot be told from
        // one that lost something: then, and only then, the relay begins anew.
        let (instance, torn_at_start) = (relay.instance(), std::mem::take(&mut self.torn_at_start));
        assert_eq!(instance != self.instance, torn || (torn_at_start && instance != self.instance), "anew if torn");
        self.tally.torn += usize::from(torn);
        self.instance = instance;
        relay
    }

    /// The author writes one entry, or several at once. Answers the arrival number of the last.
    async fn write(&mut self, random: &mut Random) -> u64 {
        let count = if random.chance(30) { 2 + random.below(20) } else { 1 };
        let mut entries = Vec::new();
        for _ in 0..count {
            let payload = vec![7; 100 + random.below(12_000)];
            entries.push(self.writers[0].write(self.world.space, self.world.epoch, &payload));
        }
        let hashes: Vec<HeaderHash> = entries.iter().map(alliance_crypto::Verified::hash).collect();
        let arrivals = self.author.store(entries).await;
        let newest = *arrivals.last().unwrap();
        self.written.extend(arrivals.into_iter().zip(hashes));
        newest
    }

    async fn wait(&mut self, live: &mut Live, newest: u64) {
        while self.acknowledged < newest {
            let event = live.until(|event| matches!(event, Event::Acknowledged { .. })).await;
            self.hear(&event.expect("the relay answers"));
        }
    }

    fn hear(&mut self, event: &Event) {
        if let Event::Acknowledged { space, arrival } = event
            && *space == self.world.space
        {
            self.acknowledged = self.acknowledged.max(*arrival);
        }
        if let Event::Refused { ours: true, reason, .. } = event {
            assert_eq!(reason.code(), "ABSENT", "{event:?}");
        }
        assert!(!matches!(event, Event::Fork { .. } | Event::Diverged(_)), "{event:?}");
    }

    /// What was acknowledged and the relay does not give to a member who has nothing. The author has all of it.
    async fn missing(&mut self, relay: &RunningRelay) -> Vec<HeaderHash> {
        let mut newcomer = Device::new(&mut self.random, &self.writers[1]);
        newcomer.expected.push(self.world.space);
        let visit = newcomer.visit(&relay.address()).await;
        assert!(self.acknowledged == 0 || visit.settled(), "{visit:?}");
        let there = newcomer.hashes(self.world.space).await;
        let here = self.author.hashes(self.world.space).await;
        assert!(self.written.values().all(|hash| here.binary_search(hash).is_ok()), "the author has what it wrote");
        let told = self.written.range(..=self.acknowledged);
        self.tally.acknowledged += told.clone().count();
        let later = self.written.range(self.acknowledged + 1..);
        self.tally.kept += later.filter(|(_, hash)| there.binary_search(hash).is_ok()).count();
        told.map(|(_, hash)| *hash).filter(|hash| there.binary_search(hash).is_err()).collect()
    }

    /// The relay's folder as it is.
    pub(crate) fn copy(&self) -> TempDir {
        let to = tempfile::tempdir().unwrap();
        copy(&self.data(), to.path());
        to
    }

    /// The relay's folder as it was.
    pub(crate) fn put_back(&self, from: &TempDir) {
        std::fs::remove_dir_all(self.data()).unwrap();
        copy(from.path(), &self.data());
    }

    /// Everything arrives in the end, and the relay holds what the author holds.
    pub(crate) async fn end(mut self) -> Tally {
        assert_eq!(self.lost().await, []);
        let relay = self.start();
        let visit = self.author.visit(&relay.address()).await;
        assert!(visit.settled(), "{visit:?}");
        self.acknowledged = *self.written.last_key_value().unwrap().0;
        assert_eq!(self.missing(&relay).await, []);
        relay.end(Signal::TERM);
        self.tally
    }
}
