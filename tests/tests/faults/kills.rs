//! Writing devices and relays are killed at random points, and nothing that they acknowledged is lost.
//!
//! The log of acknowledgements is kept here, in another process than the one that is killed. A kill is *inside a write*
//! if a command was sent and its acknowledgement never came, not even what lay in the pipe when the process was gone.

#[path = "kills/device.rs"]
pub(crate) mod device;
#[path = "kills/relay.rs"]
mod relay;

use std::time::{Duration, Instant};

use alliance_tests::random::Random;
use alliance_tests::relay::watched;
use alliance_tests::soak::each_seed;

use device::DeviceStory;
use relay::RelayStory;

/// Kills of one store before a story begins anew with another.
const KILLS_PER_STORY: usize = 100;
/// Kills in a hundred that fall while the program starts.
const AT_START_PERCENT: usize = 10;

/// Where kills fell.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    /// A command was sent, and its acknowledgement never came.
    pub(crate) inside: usize,
    /// The acknowledgement came before the kill.
    pub(crate) after: usize,
    /// While the program started.
    pub(crate) start: usize,
    /// Of those inside a write: what was written is there all the same, so the kill fell behind the commit.
    pub(crate) kept: usize,
    /// Starts of a relay on a log whose last write was torn.
    pub(crate) torn: usize,
    /// Acknowledged writes that were looked for after kills.
    pub(crate) acknowledged: usize,
}

impl Tally {
    fn kills(&self) -> usize {
        self.inside + self.after + self.start
    }

    /// At least a third of the kills fell inside a write, on both sides of the commit.
    fn check(&self, what: &str, kills: usize) {
        println!("{what}: {} kills, 0 acknowledged writes lost of {}: {self:?}", self.kills(), self.acknowledged);
        assert_eq!(self.kills(), kills);
        assert!(self.inside * 3 >= kills, "{what}: too few kills inside a write: {self:?}");
        assert!(self.start > 0 && self.acknowledged > kills, "{what}: {self:?}");
    }
}

/// How long something usually takes: the median of what was seen last.
#[derive(Debug, Default)]
pub(crate) struct Usual(Vec<Duration>);

impl Usual {
    pub(crate) fn saw(&mut self, took: Duration) {
        if self.0.len() == 15 {
            self.0.remove(0);
        }
        self.0.push(took);
    }

    /// A random moment of it: `percent` of the usual time at most.
    pub(crate) fn moment(&self, random: &mut Random, percent: u32) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let usual = sorted.get(sorted.len() / 2).copied().unwrap_or(Duration::from_millis(2));
        let parts = u32::try_from(random.below(1_000)).unwrap();
        usual * percent / 100 * parts / 1_000
    }
}

/// Lets a random moment pass, without giving the processor away: sleeping is too coarse.
pub(crate) fn pass(moment: Duration) {
    let from = Instant::now();
    while from.elapsed() < moment {
        std::hint::spin_loop();
    }
}

#[test]
fn a_killed_device_has_everything_that_it_acknowledged() {
    let mut story = DeviceStory::begin(false);
    for seed in 0..60 {
        assert_eq!(story.kill(seed), Vec::<String>::new(), "seed {seed}: acknowledged and lost");
    }
    story.end().check("device, seeds 0..60", 60);
}

#[test]
fn a_device_that_acknowledges_too_early_is_noticed() {
    let mut story = DeviceStory::begin(true);
    let lost = (0..60).map(|seed| (seed, story.kill(seed))).find(|(_, lost)| !lost.is_empty());
    let (seed, lost) = lost.expect("no kill in 60 fell between an acknowledgement and its commit");
    println!("seed {seed}: {lost:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_relay_has_everything_that_it_acknowledged() {
    watched(async {
        let mut story = RelayStory::begin(0).await;
        for seed in 0..40 {
            assert_eq!(story.kill(seed).await, [], "seed {seed}: acknowledged and lost");
        }
        story.end().await.check("relay, seeds 0..40", 40);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_loses_an_acknowledged_entry_is_noticed() {
    watched(async {
        let mut story = RelayStory::begin(1).await;
        for seed in 0..3 {
            assert_eq!(story.kill(seed).await, []);
        }
        let old = story.copy();
        for seed in 3..6 {
            assert_eq!(story.kill(seed).await, []);
        }
        // The folder of before, marker and all: the relay cannot know.
        story.put_back(&old);
        let lost = story.lost().await;
        assert!(!lost.is_empty(), "what was acknowledged since the copy is gone, and nobody notices");
        println!("{} entries are missed", lost.len());
    })
    .await;
}

/// One kill for each seed: six in ten of a device, the others of a relay.
#[test]
#[ignore = "needs ALLIANCE_SEED; .ci/soak kills"]
fn many_kills() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (mut device, mut relay): (Option<DeviceStory>, Option<RelayStory>) = (None, None);
    let (mut devices, mut relays) = ((Tally::default(), 0), (Tally::default(), 0));
    each_seed(|seed| {
        // A story that fails is not put back: the next seed begins another.
        if seed % 10 < 6 {
            let mut story = device.take().unwrap_or_else(|| DeviceStory::begin(false));
            assert_eq!(story.kill(seed), Vec::<String>::new(), "acknowledged and lost; {}", replay(seed));
            devices.1 += 1;
            if story.kills() >= KILLS_PER_STORY {
                devices.0.add(story.end());
            } else {
                device = Some(story);
            }
        } else {
            runtime.block_on(watched(async {
                let mut story = match relay.take() {
                    Some(story) => story,
                    None => RelayStory::begin(seed).await,
                };
                assert_eq!(story.kill(seed).await, [], "acknowledged and lost; {}", replay(seed));
                relays.1 += 1;
                if story.kills() >= KILLS_PER_STORY {
                    relays.0.add(story.end().await);
                } else {
                    relay = Some(story);
                }
            }));
        }
    });
    if let Some(story) = device {
        devices.0.add(story.end());
    }
    if let Some(story) = relay {
        relays.0.add(runtime.block_on(story.end()));
    }
    for (what, (tally, kills)) in [("device", devices), ("relay", relays)] {
        if kills > 0 {
            tally.check(what, kills);
        }
    }
}

fn replay(seed: u64) -> String {
    format!("replay: bash .ci/soak kills 100 --seed {} (moments differ with the machine)", seed.saturating_sub(99))
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.inside += other.inside;
        self.after += other.after;
        self.start += other.start;
        self.kept += other.kept;
        self.acknowledged += other.acknowledged;
    }
}
