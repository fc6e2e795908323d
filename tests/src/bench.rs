//! The bench: a known workload, real processes, and figures that can be repeated (docs/BENCHMARKS.md).
//!
//! `alliance-bench MODE` prepares a [`world::World`] once, copies it, starts a relay and devices as processes of their
//! own, puts a counting link ([`crate::proxy`]) between them and prints one line of JSON. Bytes and counts are exact;
//! times are of this machine, and stand beside the time of bare work of the same run.

use sha2::{Digest as _, Sha256};

pub mod bare;
pub mod clock;
pub mod device;
pub mod ledger;
pub mod modes;
pub mod notes;
pub mod process;
pub mod workload;
pub mod world;

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
