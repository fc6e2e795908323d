//! What the tests share: people with a store and the program, a terminal, a session bus.
#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub)]

pub(crate) mod bus;
pub(crate) mod people;
pub(crate) mod terminal;
