//! The model as Automerge documents, and the gate before them.
//!
//! A [`Document`] is a *published* document: its computed [`genesis()`] and the changes that were admitted. It is a
//! cache of the log and can always be made anew ([`gate::rebuild`]). Nobody writes into it directly.
//!
//! Writing goes through a [`WorkingCopy`]: the document at a draft's base heads plus the draft's commands. A command
//! is checked, made durable as a row, and recorded. [`seal()`] replays the whole draft as *one* change, which is sealed
//! into an entry and comes back through the gate like everybody's. Remote changes enter the open view at a *cut*;
//! commands made on an older view are moved by [`rebase()`].
//!
//! History is read, never written: a document as it was at given [`Heads`], what differs between two states, and the
//! commands of today that bring back a passage.
//!
//! What comes from others passes the admission [`gate`]: a decoder of our own and rules on structure first, then the
//! engine on a clone with panics caught. This needs unwinding builds, which every profile of the workspace is.
//!
//! The crate is pure: no clock, no randomness, no I/O. It is the only one that knows Automerge; no type of it shows.
//!
//! # How to add a document type
//!
//! One place per floor:
//!
//! 1. `core/model`: a file like `note.rs` (words, commands, view) with `note/check.rs` (rules); a variant in
//!    `DocumentKind` (`kind.rs`) with the next number and schema 1, and one in `Command` (`command.rs`).
//! 2. `core/document`: a file like `schema/note.rs`: the objects of its genesis, how each command is written, how the
//!    view is read; a variant in [`View`] and an arm in each function of `schema.rs`, which the compiler asks for.
//!    Texts, registers, item lists and logs are in `schema/parts.rs`. Then let
//!    `cargo test --test document genesis:: -- --ignored` write its golden vector and commit it.
//! 3. `core/client`: its row for lists and its texts for the search, made from the view.
//! 4. `desk` (and the bindings): commands that build the model's commands and print the view.
//!
//! Nothing changes in `wire`, `crypto`, `sync`, `store` or the relay: they do not know what a document is.

mod actor;
mod document;
pub mod gate;
mod genesis;
mod guard;
mod heads;
mod history;
mod rebase;
mod runs;
mod schema;
mod seal;
mod working;

pub use actor::Actor;
pub use alliance_model::view::{Difference, Piece, PieceKind};
pub use document::{ApplyError, Document, LoadError, SaveError};
pub use genesis::{genesis, upgrade};
pub use guard::Panicked;
pub use heads::{ChangeId, Heads};
pub use history::{ChangePlace, HistoryError};
pub use rebase::{RebaseError, rebase};
pub use schema::agreement::ProtectiveEntry;
pub use schema::log::StateEntry;
pub use schema::preparation::ShareEntry;
pub use schema::{View, ViewContext};
pub use seal::{SealError, SealedChange, covering, seal};
pub use working::{CUTS_KEPT, WorkingCopy};
