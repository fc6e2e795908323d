//! One process holds a store; commands of others are served by it.
//!
//! While a long command runs, its process listens on a socket in the store's folder ([`Serving`]). A second `alliance`
//! finds it there ([`connect`]), sends its arguments and its passphrase, and prints what comes back ([`Holder::ask`]).
//! The holder runs the same function that the second process would have run, on the store that it has open.
//!
//! The socket is its owner's alone (mode 0600), and both sides check that the other runs as the same user. The
//! passphrase, or the store's key where the login keyring helps to keep it, is asked for all the same: an open store must
//! not be readable by whoever can start a program. It is compared with a keyed hash that lives in the holder's memory,
//! one try a second after a wrong one.

mod ask;
mod serve;
mod wire;

pub(crate) use ask::{Holder, connect};
pub(crate) use serve::Serving;
pub use wire::Request;
pub(crate) use wire::{Proof, VERSION};
