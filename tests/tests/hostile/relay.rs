//! A relay that serves stale states, shows two histories, hides what came last, replays, swaps entries between spaces and
//! ignores a suspension: nothing false is shown, nothing is taken for safe that is not, what can be noticed is told, and
//! whoever meets honestly afterwards comes to the same (docs/THREATS.md, the relay and its operator).
//!
//! Each story begins with the same relay being honest. Real clients meet it over QUIC.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::wildcard_enum_match_arm, missing_docs)]

mod forks;
mod hides;
mod replays;
mod revocation;
mod scene;
mod stale;
mod swaps;
