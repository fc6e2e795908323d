//! The open document: published at the draft's base heads, plus the draft, and nothing else (PROTOCOL section 2).

use std::collections::VecDeque;
use std::sync::OnceLock;

use alliance_model::agreement::ProtectiveValue;
use alliance_model::kind::Shape;
use alliance_model::note::NoteCommand;
use alliance_model::{
    Command, DocumentKind, ItemId, Refusal, RefusalCode, agreement, decision, exports, form, note, preparation, session,
};
use automerge::transaction::CommitOptions;
use automerge::{Automerge, ObjId, ReadDoc as _};

use crate::actor::Actor;
use crate::document::Document;
use crate::guard::{Panicked, guarded};
use crate::heads::{ChangeId, Heads};
use crate::rebase::{RebaseError, move_commands};
use crate::schema::{self, TextTarget, View, ViewContext, parts};
use crate::seal::{Base, SealError, SealedChange, base, seal};

/// Cuts whose older views can still be mapped.
pub const CUTS_KEPT: usize = 8;

/// What is shown while somebody writes. Remote changes enter only at a [`WorkingCopy::cut`].
#[derive(Debug, Clone)]
pub struct WorkingCopy {
    kind: DocumentKind,
    id: String,
    actor: Actor,
    automerge: Automerge,
    base: Heads,
    session: String,
    commands: Vec<Command>,
    revision: u64,
    /// The state of earlier revisions in terms of this copy, the newest last.
    earlier: VecDeque<(u64, Heads)>,
    /// Whether the note is locked, once somebody had to ask: what others say enters at a cut only, so that whoever types
    /// on asks once.
    locked: OnceLock<bool>,
}

impl WorkingCopy {
    /// Opens a document at a draft's base heads and replays the draft. `revision` is the number that the first view
    /// carries; it must be above every number that this document's views had before.
    ///
    /// # Errors
    /// [`SealError`], above all [`SealError::BaseBehindActor`]: rebase the draft first.
    pub fn open(
        document: &Document,
        heads: &Heads,
        actor: Actor,
        commands: Vec<Command>,
        revision: u64,
    ) -> Result<Self, SealError> {
        let Base { automerge, session, .. } = base(document, heads, actor)?;
        let mut copy = Self {
            kind: document.kind(),
            id: document.id().to_string(),
            actor,
            automerge,
            base: heads.clone(),
            session,
            commands: Vec::new(),
            revision,
            earlier: VecDeque::new(),
            locked: OnceLock::new(),
        };
        for command in commands {
            copy.write(&command)?;
            copy.commands.push(command);
        }
        Ok(copy)
    }

    /// The revision that a command on the present view carries. It changes at a cut, not with every command: who
    /// writes knows what they wrote themselves.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Earlier states of the published document that were shown, the oldest first, with the revisions that their views
    /// carried: commands on them can be mapped.
    #[must_use]
    pub fn with_earlier(mut self, shown: impl IntoIterator<Item = (u64, Heads)>) -> Self {
        self.earlier.extend(shown);
        while self.earlier.len() > CUTS_KEPT {
            self.earlier.pop_front();
        }
        self
    }

    /// The draft's base heads.
    #[must_use]
    pub const fn base(&self) -> &Heads {
        &self.base
    }

    pub(crate) const fn automerge(&self) -> &Automerge {
        &self.automerge
    }

    pub(crate) const fn kind(&self) -> DocumentKind {
        self.kind
    }

    /// The draft's actor.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// The draft's commands in order.
    #[must_use]
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// Maps a command that was made on an older revision to the present one, checks it, and says what the draft's
    /// rows have to become: the returned commands, to be made durable and then handed to [`WorkingCopy::record`].
    /// Usually it is the command itself. `context` says who writes; [`ViewContext::BARE`] does where
    /// [`WorkingCopy::needs_people`] says no.
    ///
    /// # Errors
    /// The refusal: of the rules, or `STALE_VIEW` if the revision is too old to be mapped.
    pub fn prepare(&self, revision: u64, command: &Command, context: ViewContext<'_>) -> Result<Vec<Command>, Refusal> {
        if command.kind() != self.kind {
            return Err(Refusal::new(RefusalCode::WrongKind).with("kind", self.kind));
        }
        if revision == self.revision {
            self.check(command, context)?;
            return Ok(vec![command.clone()]);
        }
        let stale = || Refusal::new(RefusalCode::StaleView).with("revision", self.revision);
        let (_, seen) = self.earlier.iter().find(|(number, _)| *number == revision).ok_or_else(stale)?;
        let now = Heads::from(self.automerge.get_heads());
        let moved = guarded(|| {
            if self.replaces_unseen(command, seen) {
                return Err(RebaseError::StaleView);
            }
            move_commands(&self.automerge, core::slice::from_ref(command), seen, &now)
        });
        let moved = moved.map_err(|_| stale())?.map_err(|_| stale())?;
        if moved.is_empty() {
            return Err(stale());
        }
        let mut trial = self.clone();
        for command in &moved {
            trial.check(command, context)?;
            trial.write(command).map_err(|_| stale())?;
        }
        Ok(moved)
    }

    /// Writes a prepared command: its row is durable now.
    ///
    /// # Errors
    /// [`SealError::CommandMisfit`] if the command was not prepared on this state.
    pub fn record(&mut self, command: Command) -> Result<(), SealError> {
        self.write(&command)?;
        self.commands.push(command);
        Ok(())
    }

    /// [`WorkingCopy::prepare`] and [`WorkingCopy::record`] in one, whoever writes.
    ///
    /// # Errors
    /// The refusal.
    pub fn apply(&mut self, revision: u64, command: &Command) -> Result<Vec<Command>, Refusal> {
        let prepared = self.prepare(revision, command, ViewContext::BARE)?;
        for command in &prepared {
            self.record(command.clone()).map_err(|_| Refusal::new(RefusalCode::StaleView))?;
        }
        Ok(prepared)
    }

    /// What a note has to cite beside this command, if this record rule is in force (DOMAIN 2.6 row 5): a rule that lets
    /// nothing be kept, while there is nothing; with text, one that lets it be kept, where one was cited that does not.
    #[must_use]
    pub fn rule_to_cite(&self, rule: Option<ProtectiveValue>, command: &Command) -> Option<Command> {
        let (Some(rule), Command::Note(command)) = (rule, command) else { return None };
        let cited = schema::note::rule_cited(&self.automerge);
        let cites = if note::content_permitted(Some(rule)).is_ok() {
            command.is_content() && note::content_permitted(cited).is_err()
        } else {
            cited != Some(rule) && !self.has_content()
        };
        cites.then_some(Command::Note(NoteCommand::CiteRule { rule }))
    }

    fn has_content(&self) -> bool {
        match self.view(ViewContext::BARE) {
            Ok(View::Note(view)) => view.has_content(),
            Ok(_) | Err(_) => true,
        }
    }

    /// Replays the draft on the published document as one change.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(&self, document: &Document) -> Result<Vec<SealedChange>, SealError> {
        seal(document, &self.base, self.actor, &self.commands)
    }

    /// The cut: a new working copy on all that is published, with an empty draft. `sealed` is the last change that
    /// this draft became (already in `document`); `None` if the draft was empty. Commands that carry this copy's
    /// revision can still be mapped.
    ///
    /// # Errors
    /// [`SealError::CommandMisfit`] if there is a draft that was not sealed: its commands would be lost.
    pub fn cut(&self, document: &Document, sealed: Option<ChangeId>) -> Result<Self, SealError> {
        let seen = match sealed {
            Some(change) => Heads::new(vec![change]),
            None if self.commands.is_empty() => self.base.clone(),
            None => return Err(SealError::CommandMisfit),
        };
        let mut next = Self::open(document, &document.heads(), self.actor, Vec::new(), self.revision + 1)?;
        next.earlier.clone_from(&self.earlier);
        next.earlier.push_back((self.revision, seen));
        // What an earlier cut saw is a state of the published document too, so it stays mappable for a while.
        next.earlier.retain(|(_, heads)| document.covers(heads));
        while next.earlier.len() > CUTS_KEPT {
            next.earlier.pop_front();
        }
        Ok(next)
    }

    /// The working copy as it is shown.
    ///
    /// # Errors
    /// [`Panicked`].
    pub fn view(&self, context: ViewContext<'_>) -> Result<View, Panicked> {
        guarded(|| schema::view(&self.automerge, self.kind, self.id.clone(), context))
    }

    /// Whether a command is accepted or refused by who writes it: [`WorkingCopy::prepare`] has to be told.
    #[must_use]
    pub fn needs_people(&self, command: &Command) -> bool {
        match schema::text_edit(command) {
            Some((target, _)) => target.is_own() || self.has_to_ask(),
            None => true,
        }
    }

    /// Whether somebody has confirmed something here, and nobody has asked yet whether it locks the note.
    fn has_to_ask(&self) -> bool {
        let said = match self.kind.shape() {
            Shape::Note => schema::note::is_confirmed(&self.automerge),
            Shape::Decision => schema::decision::is_sealed_by_some(&self.automerge),
            Shape::Form(_) => schema::form::is_signed_by_some(&self.automerge),
            Shape::Agreement | Shape::Session | Shape::Preparation | Shape::Exports => false,
        };
        said && self.locked.get().is_none()
    }

    /// Whether nobody edits a text of this any more.
    fn is_locked(&self, context: ViewContext<'_>) -> bool {
        if !self.has_to_ask() {
            return self.locked.get().copied().unwrap_or(false);
        }
        let view = schema::view(&self.automerge, self.kind, self.id.clone(), context);
        let locked = match view {
            View::Note(note) => note.is_locked(),
            View::Decision(decision) => decision.is_sealed(),
            View::Form(form) => form.signed,
            View::Agreement(_) | View::Session(_) | View::Preparation(_) | View::Exports(_) => false,
        };
        // Who does not know whose signatures verify has no answer to keep.
        if context.verifies.is_some() { *self.locked.get_or_init(|| locked) } else { locked }
    }

    /// Accepts or refuses a command on the present state. An edit of a text needs the text's length only, and its author
    /// where it is somebody's own; a whole view is made for the rarer commands.
    fn check(&self, command: &Command, context: ViewContext<'_>) -> Result<(), Refusal> {
        let text = schema::text_edit(command);
        let result = guarded(|| {
            if let Some((target, splice)) = text {
                if self.is_locked(context) {
                    let note = self.kind == DocumentKind::Note;
                    return Err(Refusal::new(if note { RefusalCode::LockedNote } else { RefusalCode::Sealed }));
                }
                let length = self.length_of(target)?;
                if target.is_own()
                    && let Some(ObjId::Id(_, actor, _)) = schema::text_object(&self.automerge, target)
                    && (context.author)(actor.to_bytes()) != context.me
                {
                    return Err(Refusal::new(RefusalCode::NotAuthor));
                }
                return splice.check(length);
            }
            match (schema::view(&self.automerge, self.kind, self.id.clone(), context), command) {
                (View::Agreement(view), Command::Agreement(command)) => agreement::check(&view, command),
                (View::Note(view), Command::Note(command)) => note::check(&view, command),
                (View::Session(view), Command::Session(command)) => session::check(&view, command, context.me),
                (View::Preparation(view), Command::Preparation(command)) => preparation::check(&view, command),
                (View::Decision(view), Command::Decision(command)) => decision::check(&view, command, context.me),
                (View::Exports(view), Command::Exports(command)) => exports::check(&view, command),
                (View::Form(view), Command::Form(_, command)) => form::check(&view, command, context.me),
                _ => Err(Refusal::new(RefusalCode::WrongKind).with("kind", self.kind)),
            }
        });
        result.unwrap_or_else(|_| Err(Refusal::new(RefusalCode::StaleView)))
    }

    /// Whether a command would replace a value that its author has not seen: where several values written apart are
    /// kept, that would hide one.
    fn replaces_unseen(&self, command: &Command, seen: &Heads) -> bool {
        let Some((object, key)) = schema::register(&self.automerge, command) else { return false };
        let then = self.automerge.get_all_at(&object, key.as_str(), &seen.hashes()).unwrap_or_default();
        let now = self.automerge.get_all(&object, key.as_str()).unwrap_or_default();
        let ids = |values: &[(automerge::Value<'_>, ObjId)]| -> Vec<ObjId> {
            values.iter().map(|(_, id)| id.clone()).collect()
        };
        ids(&then) != ids(&now)
    }

    fn length_of(&self, target: TextTarget) -> Result<usize, Refusal> {
        let (map, id) = match target {
            TextTarget::Section(_) | TextTarget::Shared(..) => (None, ItemId([0; 8])),
            TextTarget::Clause(id) => (Some(schema::agreement::clauses()), id),
            TextTarget::Action(id) => (Some(schema::note::actions()), id),
            TextTarget::AgendaItem(id) => (Some(schema::session::agenda()), id),
            TextTarget::Prepared(id) => (Some(schema::preparation::entries()), id),
            TextTarget::Decided(id) => (Some(schema::decision::parts()), id),
            TextTarget::Own(_, id) => (Some(schema::form::items()), id),
        };
        if map.is_some_and(|map| !parts::is_alive(&self.automerge, &map, id)) {
            return Err(Refusal::new(RefusalCode::UnknownItem).with("item", id));
        }
        Ok(schema::text_object(&self.automerge, target).map_or(0, |text| self.automerge.length(&text)))
    }

    fn write(&mut self, command: &Command) -> Result<(), SealError> {
        // What is written may be what locks it.
        if schema::text_edit(command).is_none() {
            self.locked = OnceLock::new();
        }
        let session = &self.session;
        let automerge = &mut self.automerge;
        guarded(|| {
            let mut tx = automerge.transaction();
            match schema::write(&mut tx, command, session) {
                Ok(()) => {
                    tx.commit_with(CommitOptions::default().with_time(0));
                    Ok(())
                }
                Err(_) => {
                    tx.rollback();
                    Err(SealError::CommandMisfit)
                }
            }
        })?
    }
}

impl From<RebaseError> for Refusal {
    fn from(_: RebaseError) -> Self {
        Self::new(RefusalCode::StaleView)
    }
}
