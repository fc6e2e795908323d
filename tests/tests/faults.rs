//! What machines do to stores: processes are killed, disks fill up, clocks are wrong, programs are replaced by newer
//! ones at the worst moment.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "faults/clocks.rs"]
mod clocks;
#[path = "faults/disks.rs"]
mod disks;
#[path = "faults/fixtures.rs"]
mod fixtures;
#[path = "faults/kills.rs"]
mod kills;
#[path = "faults/steps.rs"]
mod steps;
#[path = "faults/upgrades.rs"]
mod upgrades;
