//! A phone that several people share, and its clocks.

use std::sync::{Arc, Mutex};

use alliance_client::{Profiles, Source, Surroundings, Uptime};
use alliance_tests::people::options;
use tempfile::TempDir;

/// The machine's clocks, as somebody sets or restarts them. Randomness is the system's.
#[derive(Debug)]
pub(crate) struct Machine {
    wall: Mutex<u64>,
    up: Mutex<Uptime>,
}

impl Source for Machine {
    fn fill(&self, out: &mut [u8]) -> bool {
        getrandom::fill(out).is_ok()
    }

    fn now_millis(&self) -> u64 {
        *self.wall.lock().unwrap()
    }

    fn uptime(&self) -> Uptime {
        *self.up.lock().unwrap()
    }
}

impl Machine {
    fn new() -> Arc<Self> {
        let up = Uptime { boot: [1; 16], millis: 5_000_000 };
        Arc::new(Self { wall: Mutex::new(1_790_000_000_000), up: Mutex::new(up) })
    }

    /// Time passes, as every clock sees it.
    pub(crate) fn passes(&self, millis: u64) {
        *self.wall.lock().unwrap() += millis;
        self.up.lock().unwrap().millis += millis;
    }

    /// Somebody sets the calendar.
    pub(crate) fn set(&self, wall: u64) {
        *self.wall.lock().unwrap() = wall;
    }

    pub(crate) fn restarts(&self) {
        let mut up = self.up.lock().unwrap();
        up.boot[0] += 1;
        up.millis = 20_000;
    }
}

/// A phone with a folder for profiles.
pub(crate) struct Phone {
    pub(crate) folder: TempDir,
    pub(crate) machine: Arc<Machine>,
}

impl Phone {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), machine: Machine::new() }
    }

    /// The profiles, as a program sees them that was just started.
    pub(crate) fn profiles(&self) -> Profiles {
        let around = Surroundings::of(Arc::clone(&self.machine) as _);
        Profiles::new_in(around, &self.folder.path().join("profiles"), options())
    }
}
