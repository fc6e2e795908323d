//! The simulator: its seeds, its stories, and the driver of sessions below it (tests/src/sim.rs).

mod copies;
mod cuts;
mod devices;
mod elsewhere;
mod ends;
mod rules;
mod seeds;
mod session_driver;
mod session_revoked;
mod stories;
