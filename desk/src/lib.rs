//! The command line of an Alliance device: `alliance`.
//!
//! A command goes one way through this crate. [`run`] parses the arguments (`cli`), finds the store (`place`), asks for
//! the passphrase or PIN (`secret`) or the login keyring (`keyring`, `unlock`) and opens the store, or finds the process that has it open (`holder`). `command` turns the
//! options into calls of [`alliance_client::Client`] and the outcome into an answer, as text (`show`) and as JSON, which
//! `output` prints, the only module that does. An invitation is drawn as a code (`code`) and written as a picture (`pictures`). What fails is a [`Failure`]: one sentence, a stable code, and a status
//! from the one table of [`exit`].
//!
//! Commands are functions of an open store and a teller, so that a process which holds a store (`alliance sync --live`)
//! runs them for others: nobody has to end a sync to write a line.
//!
//! [`demo`] tells the whole story with real parts, and checks it.
//!
//! What is absent: decisions. Who may do what, what merges with what and what is sent are the client's and the model's;
//! this crate imports nothing else of ours.

mod cli;
mod code;
mod command;
pub mod demo;
pub mod exit;
pub mod failure;
mod holder;
mod input;
mod keyring;
mod output;
mod pictures;
mod place;
mod random;
mod run;
mod secret;
mod show;
pub mod splice;
mod threads;
mod unlock;
mod words;

pub use failure::{DeskCode, Failure};
pub use holder::Request;
pub use output::{Answer, Line, Look, Teller};
pub use run::run;
