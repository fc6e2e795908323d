//! A hostile member: really admitted, with the epoch's key, and bound by nothing.
//!
//! `mutations` starts the worker that feeds an honest client two thousand mutated Automerge changes. `frames` hands
//! damaged, foreign and repeated entries to a client and to a relay. `sealed` seals what no program of ours would.
//! `membership` decides what it may not, and floods. `authors` writes what is another's to write. `history` looks at what is
//! kept and not shown. `copied` is a member who is not hostile: it copied its store, and both copies wrote.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod authors;
mod copied;
mod frames;
mod history;
mod membership;
mod mutations;
mod scene;
mod sealed;
