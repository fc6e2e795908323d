//! One file per document type: the objects of its genesis, what its commands write, how its view is read.

pub(crate) mod agreement;
pub(crate) mod decision;
pub(crate) mod differences;
pub(crate) mod exports;
pub(crate) mod form;
mod frozen;
pub(crate) mod log;
pub(crate) mod note;
pub(crate) mod parts;
pub(crate) mod preparation;
pub(crate) mod read;
pub(crate) mod session;

use alliance_model::decision::DecisionCommand;
use alliance_model::kind::Shape;
use alliance_model::preparation::PreparationCommand;
use alliance_model::session::SessionCommand;
use alliance_model::{
    AgreementCommand, AgreementView, Command, Cosignature, DecisionView, DocumentKind, ExportsView, FormCommand,
    FormView, ItemId, NoteCommand, NoteView, PreparationView, SessionView, Splice,
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
    /// A document that a table describes.
    Form(FormView),
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
    /// A text of a form that everybody words, by its place in the table.
    Shared(DocumentKind, u8),
    /// Somebody's own item of a form.
    Own(DocumentKind, ItemId),
}

impl TextTarget {
    /// Whether it is worded by the person who made it only.
    pub(crate) const fn is_own(self) -> bool {
        matches!(self, Self::AgendaItem(_) | Self::Decided(_) | Self::Own(..))
    }
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
    match kind.shape() {
        Shape::Agreement => agreement::write_genesis(tx),
        Shape::Note => note::write_genesis(tx),
        Shape::Session => session::write_genesis(tx),
        Shape::Preparation => preparation::write_genesis(tx),
        Shape::Decision => decision::write_genesis(tx),
        Shape::Exports => exports::write_genesis(tx),
        Shape::Form(form) => form::write_genesis(tx, form),
    }
}

/// What the upgrade of a kind's first schema to its newest makes; nothing for a kind that has one schema.
pub(crate) fn write_upgrade(tx: &mut Transaction<'_>, kind: DocumentKind) -> Result<(), AutomergeError> {
    if kind == DocumentKind::Note { note::write_upgrade(tx) } else { Ok(()) }
}

/// The maps that genesis made, by operation number, whose items are each of the person who made it (DOMAIN 2.5): the gate
/// lets nobody else word them.
pub(crate) fn own_items(kind: DocumentKind) -> &'static [u32] {
    match kind.shape() {
        Shape::Session => &[session::AGENDA_OPERATION],
        Shape::Decision => &[decision::PARTS_OPERATION],
        Shape::Form(_) => &[form::ITEMS_OPERATION],
        Shape::Agreement | Shape::Note | Shape::Preparation | Shape::Exports => &[],
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
        Command::Form(kind, command) => form::write(tx, *kind, command, session),
    }
}

pub(crate) fn view(document: &impl Whole, kind: DocumentKind, id: String, context: ViewContext<'_>) -> View {
    match kind.shape() {
        Shape::Agreement => View::Agreement(agreement::view(document, id, context)),
        Shape::Note => View::Note(note::view(document, id, context)),
        Shape::Session => View::Session(session::view(document, id, context)),
        Shape::Preparation => View::Preparation(preparation::view(document, id, context)),
        Shape::Decision => View::Decision(decision::view(document, id, context)),
        Shape::Exports => View::Exports(exports::view(document, id, context)),
        Shape::Form(form) => View::Form(form::view(document, form, id, context)),
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
        Command::Form(kind, command) => form::text_edit(*kind, command),
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
        TextTarget::Shared(kind, place) => Command::Form(kind, form::edit_text(kind, place, splice)),
        TextTarget::Own(kind, id) => Command::Form(kind, FormCommand::EditItem { id, splice }),
    }
}

/// Whether a command removes an item that is there all the same in the state of these heads, because somebody who did
/// not know of the removal edited it.
pub(crate) fn removal_lost(document: &Automerge, command: &Command, heads: &[ChangeHash]) -> bool {
    let removed = match command {
        Command::Agreement(AgreementCommand::RemoveClause { id }) => Some((agreement::clauses(), *id)),
        Command::Note(NoteCommand::RemoveAction { id }) => Some((note::actions(), *id)),
        Command::Session(SessionCommand::RemoveItem { id }) => Some((session::agenda(), *id)),
        Command::Preparation(PreparationCommand::RemoveEntry { id }) => Some((preparation::entries(), *id)),
        Command::Decision(DecisionCommand::Remove { id }) => Some((decision::parts(), *id)),
        Command::Form(_, command) => form::removed(command).map(|id| (form::items(), id)),
        Command::Agreement(_)
        | Command::Note(_)
        | Command::Session(_)
        | Command::Preparation(_)
        | Command::Decision(_)
        | Command::Exports(_) => None,
    };
    let Some((map, id)) = removed else { return false };
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
        Command::Form(kind, command) => form::register(*kind, command),
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
        TextTarget::Shared(_, place) => Some(form::text_at(place)),
        TextTarget::Own(_, id) => parts::item_text(document, &form::items(), id),
    }
}
