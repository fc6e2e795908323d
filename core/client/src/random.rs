//! The operating system's randomness and clock: asked for here and nowhere else in the core.

use std::time::{SystemTime, UNIX_EPOCH};

use alliance_crypto::Uptime;
use alliance_model::ItemId;
use rustix::time::{ClockId, clock_gettime};

use crate::error::Error;
use crate::surroundings::{Source, Surroundings};

/// The operating system.
#[derive(Debug)]
pub(crate) struct System;

impl Source for System {
    fn fill(&self, out: &mut [u8]) -> bool {
        getrandom::fill(out).is_ok()
    }

    fn now_millis(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn uptime(&self) -> Uptime {
        let since = clock_gettime(SINCE_START);
        let millis = since.tv_sec.saturating_mul(1_000).saturating_add(since.tv_nsec / 1_000_000);
        Uptime { boot: boot(), millis: u64::try_from(millis).unwrap_or(0) }
    }
}

/// The time since the machine started, sleep included.
#[cfg(any(target_os = "linux", target_os = "android"))]
const SINCE_START: ClockId = ClockId::Boottime;
/// The same, by another name.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const SINCE_START: ClockId = ClockId::Monotonic;

/// Which start of the machine this is, where the kernel says so; elsewhere a new start shows by the time that begins
/// again.
fn boot() -> [u8; 16] {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let mut boot = [0; 16];
    if !text.is_empty() {
        boot.copy_from_slice(&blake3::hash(text.trim().as_bytes()).as_bytes()[..16]);
    }
    boot
}

/// A fresh id for a clause, an action or a log entry.
///
/// # Errors
/// `INTERNAL` if the operating system has no random source.
pub fn item_id() -> Result<ItemId, Error> {
    Surroundings::system().bytes().map(ItemId)
}
