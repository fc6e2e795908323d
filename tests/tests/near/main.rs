//! Devices on one network: finding each other, and what somebody learns who listens.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod loopback;
mod passive;
#[path = "../desk/support/people.rs"]
#[allow(dead_code, unreachable_pub)]
mod people;
mod rooms;
