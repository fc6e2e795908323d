//! A relay that serves stale states, shows two histories, hides what came last, replays, swaps entries between spaces and
//! ignores a suspension: nothing false is shown, nothing is taken for safe that is not, what can be noticed is told, and
//! whoever meets honestly afterwards comes to the same (docs/THREATS.md, the relay and its operator).
//!
//! Each story begins with the same relay being honest. Real clients meet it over QUIC.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::wildcard_enum_match_arm, missing_docs)]

#[path = "hostile_relay/forks.rs"]
mod forks;
#[path = "hostile_relay/hides.rs"]
mod hides;
#[path = "hostile_relay/replays.rs"]
mod replays;
#[path = "hostile_relay/revocation.rs"]
mod revocation;
#[path = "hostile_relay/scene.rs"]
mod scene;
#[path = "hostile_relay/stale.rs"]
mod stale;
#[path = "hostile_relay/swaps.rs"]
mod swaps;
