//! The operating system's randomness and clock: asked for here and nowhere else in the core.

use std::time::{SystemTime, UNIX_EPOCH};

use alliance_model::ItemId;

use crate::error::{Code, Error};

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut out = [0; N];
    getrandom::fill(&mut out).map_err(|_| Error::new(Code::Internal).with("what", "no random source"))?;
    Ok(out)
}

/// A fresh id for a clause, an action or a log entry.
///
/// # Errors
/// `INTERNAL` if the operating system has no random source.
pub fn item_id() -> Result<ItemId, Error> {
    bytes().map(ItemId)
}

/// Milliseconds since 1970 by this device's clock; 0 before that. Shown and compared with nothing but itself.
pub(crate) fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Seconds since 1970 by this device's clock.
pub(crate) fn now_seconds() -> u64 {
    now_millis() / 1_000
}
