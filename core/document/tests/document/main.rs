//! Tests of the crate: what documents become whoever writes when, and the gate before them.

mod confirmed;
mod converge;
mod costs;
mod decision;
mod draft;
mod exports;
mod form;
mod gate;
mod genesis;
mod history;
mod merge;
#[path = "../../../../tests/src/mutate.rs"]
#[allow(unreachable_pub, reason = "shared with a library")]
mod mutate;
mod mutations;
mod orders;
mod preparation;
#[path = "../../../../tests/src/random.rs"]
#[allow(unreachable_pub, dead_code, reason = "shared with a library")]
mod random;
mod session;
#[path = "../../../../tests/src/soak.rs"]
#[allow(unreachable_pub, clippy::disallowed_methods, reason = "shared with a library that is no pure crate")]
mod soak;
mod support;
mod versions;
mod views;
