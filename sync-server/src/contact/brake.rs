//! A brake on what a peer may ask for: a bucket that fills with time.

use alliance_sync::Millis;

/// Allows `burst` at once, and one more every so many milliseconds.
#[derive(Debug)]
pub(super) struct Brake {
    burst: u32,
    every: Millis,
    left: u32,
    since: Millis,
}

impl Brake {
    pub(super) const fn new(burst: u32, every: Millis, now: Millis) -> Self {
        Self { burst, every, left: burst, since: now }
    }

    /// Takes one; `false` when there is none.
    pub(super) fn take(&mut self, now: Millis) -> bool {
        let ticks = now.saturating_sub(self.since) / self.every;
        self.since += ticks * self.every;
        self.left = self.left.saturating_add(u32::try_from(ticks).unwrap_or(u32::MAX)).min(self.burst);
        let taken = self.left > 0;
        self.left -= u32::from(taken);
        taken
    }
}
