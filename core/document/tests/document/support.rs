//! What the tests share: a person's device, and commands at random.
#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub)]

pub(crate) mod commands;
pub(crate) mod replica;
