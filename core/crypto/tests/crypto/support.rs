//! What tests of memberships share: people with their logs, a group of them, histories without keys.
#![allow(clippy::unwrap_used, clippy::panic)]

pub(crate) mod crowd;
pub(crate) mod history;

// The golden vectors are written with the same people.
pub(crate) use crate::vectors::generate::history::fixture;
