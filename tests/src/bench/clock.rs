//! Clocks that two processes can compare, and that know nothing of who else uses the machine.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Seconds of processor time of this process, all its threads.
#[must_use]
pub fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Nanoseconds of a clock that all processes of this machine share.
#[must_use]
pub fn monotonic_nanos() -> u64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::Monotonic);
    u64::try_from(tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(tv_nsec).unwrap_or(0)
}
