//! What can go wrong in a simulation, counted: a fault that never fires proves nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What happens where people say something beside their notes ([`Saying::All`](super::Saying)).
pub const SAYINGS: [&str; 2] = ["something said beside notes", "what one may not say refused"];

/// Every fault that the simulator knows.
pub const FAULTS: [&str; 40] = [
    "packet lost",
    "packet reordered",
    "packet duplicated",
    "line cut between frames",
    "line cut inside a frame",
    "a page's beginning kept",
    "partition, short",
    "partition, long",
    "dialled in vain",
    "device killed at rest",
    "device killed inside a commit",
    "relay killed at rest",
    "relay killed inside a commit",
    "write-ahead log cut inside a transaction",
    "write-ahead log cut behind a transaction that nobody heard of",
    "marker one opening behind",
    "commit failed: disk full",
    "commit failed: I/O error",
    "read failed: I/O error",
    "device restored from a backup",
    "relay restored from a backup",
    "relay put back from an image of its disk",
    "device put back from an image of its disk",
    "device copied",
    "device copied, marker and all",
    "relay lost",
    "clock moved",
    "clock before 1970",
    "random source repeats itself",
    "frame altered by the relay",
    "file taken",
    "file taken again",
    "file cut",
    "file damaged",
    "command refused",
    "stopped in the middle of an exchange",
    "somebody let in",
    "somebody given another role",
    "device suspended by another",
    "device let in again by the words",
];

/// What follows from a fault and is allowed: a draft of a backup was sealed again (docs/PROTOCOL.md, drafts).
pub const TWICE: &str = "(a piece is shown twice after a restore)";

/// What follows from a fault and is allowed: a piece stands on a branch that is kept and not shown.
pub const KEPT: &str = "(a piece is kept as written on a copied device)";

/// The most disk accesses that any meeting at rest cost (I8).
pub const MOST_WORK: &str = "(most disk accesses of a meeting at rest)";

/// Counts, shared by everything that can go wrong. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Faults {
    /// It happened once more.
    ///
    /// # Panics
    /// If the list does not know it.
    pub fn fire(&self, name: &'static str) {
        self.count(name, 1);
    }

    /// It happened so many times.
    ///
    /// # Panics
    /// If the list does not know it.
    pub fn count(&self, name: &'static str, times: u64) {
        assert!(FAULTS.contains(&name) || SAYINGS.contains(&name), "{name} is no fault of the list");
        if times > 0 {
            *self.lock().entry(name).or_default() += times;
        }
    }

    /// Something happened that is no fault, and that whoever reads the counts should know.
    pub fn notice(&self, name: &'static str) {
        *self.lock().entry(name).or_default() += 1;
    }

    /// The largest of numbers that whoever reads the counts should know.
    pub fn most(&self, name: &'static str, number: u64) {
        let mut counts = self.lock();
        let most = counts.entry(name).or_default();
        *most = number.max(*most);
    }

    /// How often each fault fired, by name.
    #[must_use]
    pub fn fired(&self) -> BTreeMap<&'static str, u64> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
