//! What a client takes from the machine around it: time, randomness, the disk.

use std::sync::Arc;

use alliance_crypto::{Uptime, on_wiped_stack};
use alliance_store::Disk;

use crate::error::{Code, Error};
use crate::random;

/// The operating system's clock and random source, or a simulation's.
pub trait Source: Send + Sync + core::fmt::Debug {
    /// Fills all of `out` with random bytes; `false` if there is no random source.
    fn fill(&self, out: &mut [u8]) -> bool;

    /// Milliseconds since 1970 by this device's clock; 0 before that.
    fn now_millis(&self) -> u64;

    /// How long the machine has been running, and which start of it this is: a clock that nobody sets.
    fn uptime(&self) -> Uptime;
}

/// What is around a client. Programs use [`Surroundings::system`]; a simulation gives everything from its seed.
#[derive(Debug, Clone)]
pub struct Surroundings {
    source: Arc<dyn Source>,
    disk: Option<Arc<dyn Disk>>,
}

impl Surroundings {
    /// The operating system's.
    #[must_use]
    pub fn system() -> Self {
        Self { source: Arc::new(random::System), disk: None }
    }

    /// Another source, such as a phone's, on the operating system's disk.
    #[must_use]
    pub fn of(source: Arc<dyn Source>) -> Self {
        Self { source, disk: None }
    }

    /// A simulation's. The store then has no threads: it works where it is called, as its disk says.
    #[must_use]
    pub fn simulated(source: Arc<dyn Source>, disk: Arc<dyn Disk>) -> Self {
        Self { source, disk: Some(disk) }
    }

    /// `N` random bytes.
    pub(crate) fn bytes<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut out = [0; N];
        if self.source.fill(&mut out) {
            Ok(out)
        } else {
            Err(Error::new(Code::Internal).with("what", "no random source"))
        }
    }

    /// Milliseconds since 1970 by this device's clock. Shown and compared with nothing but itself.
    pub(crate) fn now_millis(&self) -> u64 {
        self.source.now_millis()
    }

    /// How long the machine has been running.
    pub(crate) fn uptime(&self) -> Uptime {
        self.source.uptime()
    }

    /// Seconds since 1970 by this device's clock.
    pub(crate) fn now_seconds(&self) -> u64 {
        self.now_millis() / 1_000
    }

    /// How the store is run.
    pub(crate) fn store(&self, rules: alliance_crypto::Rules) -> alliance_store::Options {
        alliance_store::Options { disk: self.disk.clone(), rules, ..alliance_store::Options::default() }
    }

    /// Runs what blocks on the disk, costs much CPU or handles a passphrase away from the event loop; in a simulation, here
    /// and now.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        if self.disk.is_some() {
            return work();
        }
        // The stack of a thread that waits for more work stays as the last one left it.
        let work = || on_wiped_stack(work);
        tokio::task::spawn_blocking(work).await.map_err(|_| Error::new(Code::Internal).with("what", "a task died"))?
    }
}
