//! The operating system's randomness and clock: asked for here and nowhere else in the core.

use std::time::{SystemTime, UNIX_EPOCH};

use alliance_model::ItemId;

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
}

/// A fresh id for a clause, an action or a log entry.
///
/// # Errors
/// `INTERNAL` if the operating system has no random source.
pub fn item_id() -> Result<ItemId, Error> {
    Surroundings::system().bytes().map(ItemId)
}
