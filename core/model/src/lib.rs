//! The domain: nouns, rules, refusals and policy (docs/DOMAIN.md), without knowing how they are stored or sent.
//!
//! A *document* has a [`DocumentKind`]. A person changes it by a [`Command`], which [`agreement::check`],
//! [`note::check`], [`session::check`], [`preparation::check`], [`decision::check`], [`exports::check`] or
//! [`form::check`] accepts or refuses on the *view* that the person saw: a [`Refusal`] is data, a stable code with
//! parameters, the same online and offline. Views ([`AgreementView`], [`NoteView`], [`SessionView`],
//! [`PreparationView`], [`DecisionView`], [`FormView`]) are plain structs: what apps show and what `--json` prints, with
//! the author of each stretch of text and every value that people wrote apart.
//!
//! Nothing here reads a clock, draws random bytes or opens a file: ids and dates are arguments.
//!
//! | module | holds |
//! |---|---|
//! | [`agreement`], [`note`], [`session`], [`preparation`], [`decision`], [`exports`] | one document type each: its words, commands, view and rules |
//! | [`form`] | the document types that a table describes: charter, contract, goals, feedback, remarks, review, closing |
//! | [`audience`] | whom a space is for, and what may live in it |
//! | [`command`] | the commands of all types and their stored form |
//! | [`cosign`] | frozen texts and signatures, shared by all that people sign together |
//! | [`signed`] | what people signed, as files that stand alone |
//! | [`search`] | words as they are searched for, in any script |
//! | [`policy`] | meeting kinds, templates and texts as data; how packs tighten what is shipped |
//! | [`merge`] | several documents shown as one: a session that was written down twice |
//! | [`snapshot`] | a view as the commands that write it again |
//! | [`refusal`] | the table of codes, sentences and next steps |
//! | [`log`] | state logs and what they say |
//! | [`text`], [`view`] | splices, author spans, claims and conflicts, shared by all views |
//! | [`kind`], [`meeting`], [`date`], [`name`], [`scheme`], [`position`], [`limits`] | small pieces |
//!
//! A further document type is a table in `form/table.rs` and a variant of [`DocumentKind`]. One that a table cannot say
//! adds one file (and folder) like `note` and a variant to [`Command`]; the other floors follow as the document crate
//! says.

pub mod agreement;
pub mod audience;
pub mod command;
pub mod cosign;
pub mod date;
pub mod decision;
pub mod exports;
pub mod form;
pub mod kind;
pub mod limits;
pub mod log;
pub mod meeting;
pub mod merge;
pub mod name;
pub mod note;
pub mod policy;
pub mod position;
pub mod preparation;
pub mod refusal;
pub mod scheme;
pub mod search;
pub mod session;
pub mod signed;
pub mod snapshot;
pub mod text;
pub mod view;
mod vocabulary;

pub use agreement::{AgreementCommand, AgreementView};
pub use command::{COMMAND_FORMAT, Command, CommandError};
pub use cosign::{Cosignature, CosignatureView, Party, PartyView};
pub use date::CivilDate;
pub use decision::{DecisionCommand, DecisionView};
pub use exports::{ExportsCommand, ExportsView};
pub use form::{FormCommand, FormView};
pub use kind::{DocumentKind, ItemId};
pub use log::LogEntry;
pub use meeting::MeetingKind;
pub use name::display_name;
pub use note::{NoteCommand, NoteView};
pub use policy::{MeetingPolicy, Pack, Policy};
pub use preparation::{PreparationCommand, PreparationView};
pub use refusal::{Refusal, RefusalCode};
pub use session::{SessionCommand, SessionView};
pub use text::{Span, Splice, TextView};
pub use view::{Claim, FieldConflict};
