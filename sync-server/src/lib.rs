//! The relay: a replica without keys (docs/PROTOCOL.md section 5).
//!
//! Devices meet a relay at different times, and it gives each what the others left: sealed entries that it verifies and
//! cannot read. It holds no accounts. Who may have a space follows from the space's own membership log, which the relay
//! evaluates like every other replica; whether it takes a new space at all follows from an operator's token.
//!
//! [`Relay::start`] opens the data folder ([`folder`]), listens, and gives each connection a task. That task is one
//! event loop (`contact`): it runs an [`alliance_sync::Session`] and performs its effects in order. Questions go to
//! `answers`, which puts the relay's own rules around the store's: admission, quotas ([`Quotas`]), and that a peer sees
//! nothing of a space in which the merged membership does not know it. Changes go from the store through `hub` to the
//! connections of those members that are here. Mailboxes of invitations are in `mail`.
//!
//! What is absent: keys, documents, names, network addresses at rest or in logs, and any way to tell a space that does
//! not exist from one that is not the asker's.

mod answers;
pub mod cli;
mod commands;
mod contact;
pub mod failure;
pub mod folder;
mod hub;
mod mail;
mod outbox;
mod output;
mod quota;
mod relay;
mod service;
mod verify;

pub use quota::Quotas;
pub use relay::{CONNECTIONS_MAX, Clock, Config, Relay, StartError, Stats};
pub use service::{Opened, Service};
