//! How often a PIN may be tried on a device: a count of wrong tries and a wait that grows with it.
//!
//! The count is raised before a try, durably, and falls to nothing by a right one: a process that is killed in between
//! has used its try. Waits are measured on a clock that nobody sets: milliseconds since the machine started, with what
//! tells one start from another. Where that says less than before, or another start, the wait begins anew. Nothing is
//! ever erased for too many tries: a child with the phone must not cost a worker her notes.

use minicbor::{Decode, Encode};

/// Wrong tries before the first wait.
pub const PIN_TRIES_FREE: u32 = 5;
const MINUTE: u64 = 60 * 1_000;
/// Waits in milliseconds after that many wrong tries and one more, two more and so on; the last one stays.
const WAITS: [u64; 4] = [MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE];

/// How long a machine has been running, and which start of it this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uptime {
    /// 16 bytes that are others after each start of the machine.
    pub boot: [u8; 16],
    /// Milliseconds since then, those included in which it slept.
    pub millis: u64,
}

/// Wrong tries since the last right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Tries {
    #[n(0)]
    failed: u32,
    /// When the last one began.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    boot: [u8; 16],
    #[n(2)]
    since: u64,
}

/// What may be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A PIN may be tried.
    Free,
    /// Not for so many milliseconds.
    Wait(u64),
    /// Not for so many milliseconds, counted anew from now on: what is given takes the place of what was looked at, durably.
    Anew(u64, Tries),
}

impl Tries {
    /// No wrong tries.
    pub const NONE: Self = Self { failed: 0, boot: [0; 16], since: 0 };
    /// The count is lost: as if the first wait had been earned. Whoever removes the count wins nothing.
    pub const LOST: Self = Self { failed: PIN_TRIES_FREE, boot: [0; 16], since: 0 };

    /// How many wrong tries there were since the last right one.
    #[must_use]
    pub const fn failed(&self) -> u32 {
        self.failed
    }

    /// How many more may follow each other without a wait.
    #[must_use]
    pub const fn free(&self) -> u32 {
        PIN_TRIES_FREE.saturating_sub(self.failed)
    }

    /// The wait in milliseconds that this many wrong tries earn.
    #[must_use]
    pub fn wait(&self) -> u64 {
        let Some(beyond) = self.failed.checked_sub(PIN_TRIES_FREE) else { return 0 };
        let last = WAITS.len() - 1;
        WAITS[usize::try_from(beyond).unwrap_or(last).min(last)]
    }

    /// What may be done at this moment.
    #[must_use]
    pub fn look(&self, now: Uptime) -> Look {
        let wait = self.wait();
        if wait == 0 {
            return Look::Free;
        }
        if now.boot != self.boot || now.millis < self.since {
            return Look::Anew(wait, Self { boot: now.boot, since: now.millis, ..*self });
        }
        match wait.saturating_sub(now.millis - self.since) {
            0 => Look::Free,
            left => Look::Wait(left),
        }
    }

    /// The count while a PIN is tried, as if it were wrong: durable before the try.
    #[must_use]
    pub const fn with_one_more(&self, now: Uptime) -> Self {
        Self { failed: self.failed.saturating_add(1), boot: now.boot, since: now.millis }
    }
}
