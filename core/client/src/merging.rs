//! A session that was written down twice: merged by alias, shown as one, exactly undone (DOMAIN 2.9).
//!
//! Which sessions are one is computed from what their logs say. Rows of lists say which sessions have such a log, so that
//! no other document is loaded for it; the answer is kept until something of the space changes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use alliance_document::{View, ViewContext};
use alliance_model::kind::note_of_session;
use alliance_model::session::{AliasTransition, AliasView, SessionCommand, groups};
use alliance_model::{Command, DocumentKind, NoteView, Refusal, RefusalCode, SessionView, merge};
use alliance_store::device::Listing;
use alliance_wire::{DocumentId, SpaceId};

use crate::error::Error;
use crate::inner::{Client, Inner, Work};
use crate::listing::ALIASED;
use crate::names::People;
use crate::views::Change;

/// Documents of a space that are shown as one: sessions and their notes.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    /// Each document's group, in order; the first stands for all.
    of: BTreeMap<DocumentId, Arc<[DocumentId]>>,
}

impl Merged {
    /// The documents that are shown as one with this.
    pub(crate) fn group(&self, document: DocumentId) -> Option<&Arc<[DocumentId]>> {
        self.of.get(&document)
    }

    /// The same with the document, also of one that stands alone.
    fn together(&self, document: DocumentId) -> Vec<DocumentId> {
        self.group(document).map_or_else(|| vec![document], |group| group.to_vec())
    }

    /// The documents for which another stands in lists.
    pub(crate) fn hidden(&self) -> impl Iterator<Item = DocumentId> {
        self.of.iter().filter(|(document, group)| group.first() != Some(*document)).map(|(document, _)| *document)
    }
}

impl Client {
    /// Says that two sessions are one, written down twice. It is sealed at once. In whichever direction it is said, and
    /// by whoever, the session with the smaller id stands for both; each document stays what it is. What was confirmed
    /// of their notes stays with its text and is asked for again.
    ///
    /// # Errors
    /// `DIFFERENT_ALLIANCE`, `KIND_FIXED` (they are of different kinds), `ALREADY_MERGED`, `LOCKED_NOTE` (some of their
    /// notes are locked and some are not), `WRONG_KIND` (no session), `UNKNOWN_DOCUMENT`, `WAITING_FOR_KEYS`,
    /// `NOT_MEMBER`, `ROLE_FORBIDS`, and those of the store.
    pub async fn merge_sessions(&self, session: DocumentId, other: DocumentId) -> Result<(), Error> {
        let inner = &self.inner;
        let space = inner.session_space(session).await?;
        if inner.session_space(other).await? != space {
            return Err(Refusal::new(RefusalCode::DifferentAlliance).into());
        }
        inner.may_write(space).await?;
        let people = inner.people(space).await?;
        let mut work = inner.work.lock().await;
        let merged = inner.merged(&mut work, space).await?;
        let together = |group: &Arc<[DocumentId]>| group.contains(&other);
        if session == other || merged.group(session).is_some_and(together) {
            return Err(Refusal::new(RefusalCode::AlreadyMerged).into());
        }
        let (one, two) = (
            inner.session_view(&mut work, space, session, &people).await?,
            inner.session_view(&mut work, space, other, &people).await?,
        );
        if let (Some(kind), Some(another)) = (one.kind(), two.kind())
            && kind != another
        {
            return Err(Refusal::new(RefusalCode::KindFixed).with("kind", kind).into());
        }
        let mut sessions = merged.together(session);
        sessions.extend(merged.together(other));
        let notes = inner.notes_of(&mut work, space, &sessions, &people).await?;
        let said = notes.iter().filter(|note| note.is_locked() || !note.says_nothing());
        let (locked, open): (Vec<&NoteView>, Vec<&NoteView>) = said.partition(|note| note.is_locked());
        if let Some(locked) = locked.first().filter(|_| !open.is_empty()) {
            return Err(Refusal::new(RefusalCode::LockedNote).with("note", &locked.document).into());
        }
        let cites = one.alias(other).map(AliasView::newest).unwrap_or_default();
        inner.alias(&mut work, (space, session), other, (AliasTransition::Same, cites)).await?;
        drop(work);
        inner.tell(Change::Document(space, session));
        Ok(())
    }

    /// Takes a session out of those that it was merged with, or says of one that it may be the same that it is not
    /// ([`Client::possible_duplicates`]). Everything is as it was.
    ///
    /// # Errors
    /// `LOCKED_NOTE` (their notes were confirmed together by everybody), `UNKNOWN_ITEM` (nothing was merged, and none was
    /// named), and as [`Client::merge_sessions`].
    pub async fn keep_sessions_apart(&self, session: DocumentId, other: Option<DocumentId>) -> Result<(), Error> {
        let inner = &self.inner;
        let space = inner.session_space(session).await?;
        inner.may_write(space).await?;
        let people = inner.people(space).await?;
        let mut work = inner.work.lock().await;
        let merged = inner.merged(&mut work, space).await?;
        let group: Vec<DocumentId> = merged.group(session).map(|group| group.to_vec()).unwrap_or_default();
        for note in inner.notes_of(&mut work, space, &group, &people).await? {
            if note.locks().any(|lock| !lock.merged.is_empty()) {
                return Err(Refusal::new(RefusalCode::LockedNote).with("note", note.document).into());
            }
        }
        // The two that are named, else everything that says that this one is another.
        let others: Vec<DocumentId> = match other {
            Some(other) => vec![other],
            None => group.iter().copied().filter(|member| *member != session).collect(),
        };
        let mut said = false;
        for other in others {
            said |= inner.part(&mut work, space, (session, other), &people).await?;
            said |= inner.part(&mut work, space, (other, session), &people).await?;
        }
        // Nothing says that they are one: then it is said that they are not.
        if let Some(other) = other.filter(|other| !said && *other != session && !group.contains(other)) {
            inner.alias(&mut work, (space, session), other, (AliasTransition::Apart, Vec::new())).await?;
            said = true;
        }
        drop(work);
        if !said {
            return Err(Refusal::new(RefusalCode::UnknownItem).with("item", session.short()).into());
        }
        inner.tell(Change::Document(space, session));
        Ok(())
    }

    /// Pairs of sessions that may be one, written down twice: in one space, of one kind, at about one time
    /// (`POSSIBLE_DUPLICATE`). Only sessions of neighbouring dates are looked into.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, `DEVICE_SUSPENDED`, `DEVICE_PUT_OUT`, and those of the store.
    pub async fn possible_duplicates(&self, space: SpaceId) -> Result<Vec<(DocumentId, DocumentId)>, Error> {
        let inner = &self.inner;
        inner.unlocked(space)?;
        let people = inner.people(space).await?;
        let mut work = inner.work.lock().await;
        let merged = inner.merged(&mut work, space).await?;
        let mut rows: Vec<(u32, DocumentId)> = Vec::new();
        for row in inner.session_rows(space).await? {
            let date = row.date.parse::<alliance_model::CivilDate>();
            rows.extend(date.ok().map(|date| (date.day_number(), row.document)));
        }
        rows.sort_unstable();
        // Each session is read once, and of a whole year in memory only those of neighbouring days.
        let mut near: VecDeque<(u32, SessionView)> = VecDeque::new();
        let mut pairs = Vec::new();
        for (n, (day, session)) in rows.iter().enumerate() {
            near.retain(|(before, _)| day - before <= 1);
            if near.is_empty() && rows.get(n + 1).is_none_or(|(next, _)| next - day > 1) {
                continue;
            }
            let view = inner.session_view(&mut work, space, *session, &people).await?;
            for (other, before) in near.iter().filter_map(|(_, it)| Some((it.document.parse().ok()?, it))) {
                let one = merged.group(*session).is_some_and(|group| group.contains(&other));
                if !one && view.may_be(before) {
                    pairs.push((*session.min(&other), *session.max(&other)));
                }
            }
            near.push_back((*day, view));
        }
        Ok(pairs)
    }
}

impl Inner {
    async fn session_space(&self, session: DocumentId) -> Result<SpaceId, Error> {
        let (space, kind) = self.find(session).await?;
        if kind == DocumentKind::Session {
            Ok(space)
        } else {
            Err(Refusal::new(RefusalCode::WrongKind).with("kind", kind).into())
        }
    }

    /// Which documents of a space are shown as one.
    pub(crate) async fn merged(&self, work: &mut Work, space: SpaceId) -> Result<Arc<Merged>, Error> {
        if let Some(known) = work.merged.get(&space) {
            return Ok(Arc::clone(known));
        }
        let mut same: Vec<(DocumentId, DocumentId)> = Vec::new();
        let (mut known, mut aliased) = (BTreeSet::new(), Vec::new());
        for row in self.session_rows(space).await? {
            known.insert(row.document);
            aliased.extend((row.markers & ALIASED != 0).then_some(row.document));
        }
        for session in aliased {
            let open = self.open_document(work, space, session, None).await?;
            // What is said of sessions is sealed at once, and counts whoever says it.
            let View::Session(view) = open.document.view(ViewContext::BARE)? else { continue };
            // A log may name what is not here, or what is not in this space: nothing is merged with that.
            same.extend(view.same().filter(|other| known.contains(other)).map(|other| (session, other)));
        }
        let mut merged = Merged::default();
        for group in groups(same).into_values() {
            let mut notes: Vec<DocumentId> = Vec::new();
            for session in &group {
                let note = note_of_session(&session.0, &space);
                notes.extend(self.device.find_document(note).await?.map(|_| note));
            }
            notes.sort_unstable();
            for group in [group, notes].into_iter().filter(|group| group.len() > 1) {
                let group: Arc<[DocumentId]> = group.into();
                merged.of.extend(group.iter().map(|document| (*document, Arc::clone(&group))));
            }
        }
        let merged = Arc::new(merged);
        work.merged.insert(space, Arc::clone(&merged));
        Ok(merged)
    }

    async fn session_rows(&self, space: SpaceId) -> Result<Vec<Listing>, Error> {
        self.rows_of(space, Some(DocumentKind::Session)).await
    }

    /// A group's documents as one; nothing for a document that stands alone.
    pub(crate) async fn shown_as_one(
        &self,
        work: &mut Work,
        space: SpaceId,
        document: DocumentId,
        people: &People,
    ) -> Result<Option<(View, Arc<[DocumentId]>)>, Error> {
        let merged = self.merged(work, space).await?;
        let Some(group) = merged.group(document) else { return Ok(None) };
        let (mut sessions, mut notes) = (Vec::new(), Vec::new());
        for member in group.iter() {
            let open = self.open_document(work, space, *member, None).await?;
            open.let_others_in()?;
            match open.view(people)? {
                View::Session(view) => sessions.push(view),
                View::Note(view) => notes.push(view),
                View::Agreement(_) | View::Preparation(_) | View::Decision(_) | View::Exports(_) | View::Form(_) => {
                    return Ok(None);
                }
            }
        }
        let view =
            if notes.is_empty() { View::Session(merge::sessions(&sessions)) } else { View::Note(merge::notes(&notes)) };
        Ok(Some((view, Arc::clone(group))))
    }

    pub(crate) async fn session_view(
        &self,
        work: &mut Work,
        space: SpaceId,
        session: DocumentId,
        people: &People,
    ) -> Result<SessionView, Error> {
        let open = self.open_document(work, space, session, None).await?;
        open.let_others_in()?;
        let View::Session(view) = open.view(people)? else { return Err(Refusal::new(RefusalCode::WrongKind).into()) };
        Ok(view)
    }

    /// The notes of these sessions that are here.
    async fn notes_of(
        &self,
        work: &mut Work,
        space: SpaceId,
        sessions: &[DocumentId],
        people: &People,
    ) -> Result<Vec<NoteView>, Error> {
        let mut notes = Vec::new();
        for session in sessions {
            let note = note_of_session(&session.0, &space);
            if self.device.find_document(note).await?.is_none() {
                continue;
            }
            let open = self.open_document(work, space, note, None).await?;
            open.let_others_in()?;
            if let View::Note(view) = open.view(people)? {
                notes.push(view);
            }
        }
        Ok(notes)
    }

    /// Says in a session's log that another is not the same, where the log says that it is. `false` where it does not.
    async fn part(
        &self,
        work: &mut Work,
        space: SpaceId,
        (session, other): (DocumentId, DocumentId),
        people: &People,
    ) -> Result<bool, Error> {
        let view = self.session_view(work, space, session, people).await?;
        let Some(alias) = view.alias(other).filter(|alias| alias.is_same()) else { return Ok(false) };
        self.alias(work, (space, session), other, (AliasTransition::Apart, alias.newest())).await?;
        Ok(true)
    }

    async fn alias(
        &self,
        work: &mut Work,
        (space, session): (SpaceId, DocumentId),
        other: DocumentId,
        (transition, cites): (AliasTransition, Vec<alliance_model::ItemId>),
    ) -> Result<(), Error> {
        let command = SessionCommand::Alias { op: self.fresh_item()?, other, transition, cites };
        self.sealed(work, space, session).await?;
        self.write_and_seal(work, space, session, &Command::Session(command)).await
    }

    /// The notes that are confirmed together with this one, in order; none for one that stands alone.
    pub(crate) async fn notes_together(
        &self,
        work: &mut Work,
        space: SpaceId,
        note: DocumentId,
    ) -> Result<Vec<DocumentId>, Error> {
        let merged = self.merged(work, space).await?;
        Ok(merged.group(note).map(|group| group.to_vec()).unwrap_or_default())
    }
}

/// What a space's documents say of each other is read anew.
pub(crate) fn forget(work: &mut Work, space: SpaceId) {
    work.record_rules.remove(&space);
    work.merged.remove(&space);
}
