//! One file per document type: the objects of its genesis, what its commands write, how its view is read.

pub(crate) mod agreement;
pub(crate) mod decision;
pub(crate) mod differences;
pub(crate) mod exports;
mod frozen;
pub(crate) mod log;
pub(crate) mod note;
pub(crate) mod parts;
pub(crate) mod preparation;
pub(crate) mod read;
pub(crate) mod session;

use alliance_model::decision::DecisionCommand;
use alliance_model::preparation::PreparationCommand;
use alliance_model::session::SessionCommand;
use alliance_model::{
    AgreementCommand, AgreementView, Command, Cosignature, DecisionView, DocumentKind, ExportsView, ItemId,
    NoteCommand, NoteView, PreparationView, SessionView, Splice,
};
use alliance_wire::PersonTag;
use automerge::transaction::Transaction;
use automerge::{Automerge, AutomergeError, ChangeHash, ObjId};
use serde::{Deserialize, Serialize};

use crate::genesis::GENESIS_ACTOR;
use read::{At, Read, Whole};

/// A document as apps and `--json` show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum View {
    /// A working agreement.
    Agreement(AgreementView),
    /// A session note.
    Note(NoteView),
    /// A session.
    Session(SessionView),
    /// A preparation log.
    Preparation(PreparationView),
    /// A decision.
    Decision(DecisionView),
    /// What was given out of a space.
    Exports(ExportsView),
}

/// What a view needs beyond the document.
#[derive(Clone, Copy)]
pub struct ViewContext<'a> {
    /// Names an actor's person; actors are [`crate::Actor`] bytes. Who wrote what comes from entries' signatures.
    pub author: &'a dyn Fn(&[u8]) -> String,
    /// The persons, as `author` names them, whose lifts loosen a protective term. Empty: nothing is ever lifted.
    pub protectors: &'a [String],
    /// Whether a signature verifies and its device is the person's. Without it, what people sign is left out: each
    /// proposal costs reading the document once more, which lists and searches have no use for.
    pub verifies: Option<&'a dyn Fn(&Cosignature) -> bool>,
    /// Names a person by its tag, as `author` names it by its actors.
    pub name: &'a dyn Fn(PersonTag) -> String,
    /// The person who looks and writes, as `author` names it.
    pub me: &'a str,
}

impl ViewContext<'static> {
    /// For views of which only the content matters: everybody is one, nothing is lifted, nothing is proposed.
    pub const BARE: Self =
        Self { author: &|_| String::new(), protectors: &[], verifies: None, name: &|_| String::new(), me: "" };
}

/// The text that an edit changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextTarget {
    Section(alliance_model::note::Stage),
    Clause(ItemId),
    Action(ItemId),
    AgendaItem(ItemId),
    Prepared(ItemId),
    Decided(ItemId),
}

/// A command whose target is not in the document: it was made on another one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("the command names something that the document does not have")]
    Missing,
    #[error(transparent)]
    Engine(#[from] AutomergeError),
}

/// The object that genesis made with its operation number `n`. Commands address these by id, not by key, so that
/// nothing that a member writes can hide them.
pub(crate) fn genesis_object(n: u64) -> ObjId {
    ObjId::Id(n, automerge::ActorId::from(&GENESIS_ACTOR[..]), 0)
}

pub(crate) fn write_genesis(tx: &mut Transaction<'_>, kind: DocumentKind) -> Result<(), AutomergeError> {
    match kind {
        DocumentKind::Agreement => agreement::write_genesis(tx),
        DocumentKind::Note => note::write_genesis(tx),
        DocumentKind::Session => session::write_genesis(tx),
        DocumentKind::Preparation => preparation::write_genesis(tx),
        DocumentKind::Decision => decision::write_genesis(tx),
        DocumentKind::Exports => exports::write_genesis(tx),
    }
}

/// What the upgrade of a kind's first schema to its newest makes; nothing for a kind that has one schema.
pub(crate) fn write_upgrade(tx: &mut Transaction<'_>, kind: DocumentKind) -> Result<(), AutomergeError> {
    match kind {
        DocumentKind::Note => note::write_upgrade(tx),
        DocumentKind::Agreement
        | DocumentKind::Session
        | DocumentKind::Preparation
        | DocumentKind::Decision
        | DocumentKind::Exports => Ok(()),
    }
}

/// The maps that genesis made, by operation number, whose items are each of the person who made it (DOMAIN 2.5): the gate
/// lets nobody else word them.
pub(crate) const fn own_items(kind: DocumentKind) -> &'static [u32] {
    match kind {
        DocumentKind::Session => &[session::AGENDA_OPERATION],
        DocumentKind::Decision => &[decision::PARTS_OPERATION],
        DocumentKind::Agreement | DocumentKind::Note | DocumentKind::Preparation | DocumentKind::Exports => &[],
    }
}

/// Writes a command that was accepted on the state at hand. `session` names the editing session: the key under which
/// an edited item is kept alive.
pub(crate) fn write(tx: &mut Transaction<'_>, command: &Command, session: &str) -> Result<(), WriteError> {
    match command {
        Command::Agreement(command) => agreement::write(tx, command, session),
        Command::Note(command) => note::write(tx, command, session),
        Command::Session(command) => session::write(tx, command, session),
        Command::Preparation(command) => preparation::write(tx, command, session),
        Command::Decision(command) => decision::write(tx, command, session),
        Command::Exports(command) => exports::write(tx, command),
    }
}

pub(crate) fn view(document: &impl Whole, kind: DocumentKind, id: String, context: ViewContext<'_>) -> View {
    match kind {
        DocumentKind::Agreement => View::Agreement(agreement::view(document, id, context)),
        DocumentKind::Note => View::Note(note::view(document, id, context)),
        DocumentKind::Session => View::Session(session::view(document, id, context)),
        DocumentKind::Preparation => View::Preparation(preparation::view(document, id, context)),
        DocumentKind::Decision => View::Decision(decision::view(document, id, context)),
        DocumentKind::Exports => View::Exports(exports::view(document, id, context)),
    }
}

/// The text that a command edits, and how; `None` for a command that edits no text.
pub(crate) fn text_edit(command: &Command) -> Option<(TextTarget, &Splice)> {
    match command {
        Command::Agreement(command) => agreement::text_edit(command),
        Command::Note(command) => note::text_edit(command),
        Command::Session(command) => session::text_edit(command),
        Command::Preparation(command) => preparation::text_edit(command),
        Command::Decision(command) => decision::text_edit(command),
        Command::Exports(_) => None,
    }
}

/// The command that edits this text.
pub(crate) fn edit_text(target: TextTarget, splice: Splice) -> Command {
    match target {
        TextTarget::Clause(id) => Command::Agreement(AgreementCommand::EditClause { id, splice }),
        TextTarget::Section(stage) => Command::Note(NoteCommand::EditSection { stage, splice }),
        TextTarget::Action(id) => Command::Note(NoteCommand::EditAction { id, splice }),
        TextTarget::AgendaItem(id) => Command::Session(SessionCommand::EditItem { id, splice }),
        TextTarget::Prepared(id) => Command::Preparation(PreparationCommand::EditEntry { id, splice }),
        TextTarget::Decided(id) => Command::Decision(DecisionCommand::Edit { id, splice }),
    }
}

/// Whether a command removes an item that is there all the same in the state of these heads, because somebody who did
/// not know of the removal edited it.
pub(crate) fn removal_lost(document: &Automerge, command: &Command, heads: &[ChangeHash]) -> bool {
    let (map, id) = match command {
        Command::Agreement(AgreementCommand::RemoveClause { id }) => (agreement::clauses(), *id),
        Command::Note(NoteCommand::RemoveAction { id }) => (note::actions(), *id),
        Command::Session(SessionCommand::RemoveItem { id }) => (session::agenda(), *id),
        Command::Preparation(PreparationCommand::RemoveEntry { id }) => (preparation::entries(), *id),
        Command::Decision(DecisionCommand::Remove { id }) => (decision::parts(), *id),
        Command::Agreement(_)
        | Command::Note(_)
        | Command::Session(_)
        | Command::Preparation(_)
        | Command::Decision(_)
        | Command::Exports(_) => return false,
    };
    parts::is_alive(&At { document, heads }, &map, id)
}

/// The register that a command sets, where two values written apart must both be kept: its object and key. Nobody may
/// replace a value there that they have not seen.
pub(crate) fn register(document: &Automerge, command: &Command) -> Option<(ObjId, String)> {
    match command {
        Command::Agreement(command) => agreement::register(document, command),
        Command::Note(command) => note::register(document, command),
        Command::Session(command) => session::register(document, command),
        // Its registers are one person's: the newest value stands, and earlier ones are in its history (DOMAIN 2.3, R).
        Command::Preparation(_) | Command::Decision(_) | Command::Exports(_) => None,
    }
}

/// The Automerge object of a text.
pub(crate) fn text_object(document: &impl Read, target: TextTarget) -> Option<ObjId> {
    match target {
        TextTarget::Section(stage) => Some(note::section_object(stage)),
        TextTarget::Clause(id) => parts::item_text(document, &agreement::clauses(), id),
        TextTarget::Action(id) => parts::item_text(document, &note::actions(), id),
        TextTarget::AgendaItem(id) => parts::item_text(document, &session::agenda(), id),
        TextTarget::Prepared(id) => parts::item_text(document, &preparation::entries(), id),
        TextTarget::Decided(id) => parts::item_text(document, &decision::parts(), id),
    }
}
