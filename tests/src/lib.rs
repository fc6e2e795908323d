//! Scenarios, simulator, faults and tidiness of the whole workspace.
//!
//! The package exists for its tests: they may import every floor at once, which nothing else may. Here lies what they
//! share. A test that starts programs gets them from [`binaries()`], which builds them and never skips.

pub mod agreements;
pub mod bench;
pub mod binaries;
pub mod calendar;
pub mod decoders;
pub mod driver;
pub mod flights;
pub mod forms;
pub mod hostile;
pub mod journey;
pub mod memory;
pub mod multicast;
pub mod mutate;
pub mod opened;
pub mod people;
pub mod proxy;
pub mod random;
pub mod relay;
pub mod room;
pub mod running;
#[cfg(target_os = "linux")]
pub mod scan;
#[allow(clippy::panic, reason = "a world that cannot be built ends its test")]
pub mod sim;
pub mod soak;
pub mod world;

pub use binaries::{Binaries, binaries};
