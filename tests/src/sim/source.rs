//! A device's clock and random source, from its seed.

use std::sync::{Mutex, PoisonError};

use alliance_client::{Source, Uptime};
use tokio::time::Instant;

use crate::random::Random;

/// Where the clocks of a simulation begin: some day in 2026, in milliseconds since 1970.
const BEGIN_MILLIS: i64 = 1_790_000_000_000;

/// One device's source; it outlives the device's processes.
#[derive(Debug)]
pub struct SimSource {
    started: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    random: Random,
    again: Random,
    skew: i64,
}

impl SimSource {
    /// A source of this seed, its clock right. Called on the simulation's runtime.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let random = Random::new(seed);
        let inner = Mutex::new(Inner { again: random.clone(), random, skew: 0 });
        Self { started: Instant::now(), inner }
    }

    /// Another source that will say the same: a virtual machine's, copied while it ran.
    #[must_use]
    pub fn copy(&self) -> Self {
        let inner = self.lock();
        let inner = Inner { random: inner.random.clone(), again: inner.again.clone(), skew: inner.skew };
        Self { started: self.started, inner: Mutex::new(inner) }
    }

    /// Sets the clock off by so many milliseconds from what it should show.
    pub fn set_skew(&self, millis: i64) {
        self.lock().skew = millis;
    }

    /// The source says once more everything that it has said since it was made.
    pub fn repeat(&self) {
        let mut inner = self.lock();
        inner.random = inner.again.clone();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for SimSource {
    fn fill(&self, out: &mut [u8]) -> bool {
        let mut inner = self.lock();
        for chunk in out.chunks_mut(32) {
            chunk.copy_from_slice(&inner.random.bytes32()[..chunk.len()]);
        }
        true
    }

    fn now_millis(&self) -> u64 {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        u64::try_from(BEGIN_MILLIS.saturating_add(elapsed).saturating_add(self.lock().skew)).unwrap_or(0)
    }

    fn uptime(&self) -> Uptime {
        Uptime { boot: [1; 16], millis: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX) }
    }
}
