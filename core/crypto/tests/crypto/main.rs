//! Tests of the crate: keys and what is sealed and signed with them, invitations, memberships, golden vectors.

mod cards;
mod discovery;
mod entries;
mod invitation;
mod membership;
mod membership_model;
mod membership_random;
mod pin;
#[path = "../../../../tests/src/soak.rs"]
#[allow(unreachable_pub, clippy::disallowed_methods, reason = "shared with a library that is no pure crate")]
mod soak;
mod support;
mod vectors;
