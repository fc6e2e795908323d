//! Confirming a note together (DOMAIN 2.10): what is confirmed is sealed first, because a confirmation names a state that
//! everybody can have.

use std::collections::BTreeSet;

use alliance_document::View;
use alliance_model::kind::note_of_session;
use alliance_model::note::{Confirmation, NoteState};
use alliance_model::session::Attendance;
use alliance_model::{
    CivilDate, Command, DocumentKind, NoteCommand, NoteView, Party, Refusal, RefusalCode, SessionView, merge,
};
use alliance_wire::{DocumentId, FrozenHash, SpaceId};

use crate::error::{Code, Error};
use crate::inner::{Client, Inner, Work};
use crate::names::People;
use crate::views::Change;

impl Client {
    /// Confirms what a note says, and returns the name of the text that is confirmed. `seen` is the text that the person
    /// looked at: [`NoteView::text`], or that of a text that another has confirmed. What was typed is sealed.
    ///
    /// Those confirm it who were at the session, and everybody who wrote in the note; where nobody said who was there,
    /// all who write in the space. When all have, the note is locked.
    ///
    /// # Errors
    /// `STALE_TEXT` (it says something else by now), `ALREADY_SIGNED`, `SAME_PERSON_COSIGN`, `NOT_PARTY`,
    /// `LOCKED_NOTE`, `TWO_LOCKS`, `NEEDS_CHOICE`, `TEXT_EMPTY`, `LANGUAGE_INVALID`, `DATE_INVALID`, `WAITING_FOR_KEYS`,
    /// `WRONG_KIND`, `UNKNOWN_DOCUMENT`, `NOT_MEMBER`, `ROLE_FORBIDS`, and those of the store.
    pub async fn confirm_note(
        &self,
        note: DocumentId,
        seen: FrozenHash,
        language: &str,
        on: CivilDate,
    ) -> Result<FrozenHash, Error> {
        let inner = &self.inner;
        let (space, kind) = inner.find(note).await?;
        if kind != DocumentKind::Note {
            return Err(Refusal::new(RefusalCode::WrongKind).with("kind", kind).into());
        }
        inner.may_write(space).await?;
        let people = inner.people(space).await?;
        let mut work = inner.work.lock().await;
        let together = inner.notes_together(&mut work, space, note).await?;
        let frozen = if together.is_empty() {
            inner.confirm_one(&mut work, (space, note), &people, (seen, &[]), (language, on)).await?
        } else {
            inner.confirm_together(&mut work, (space, &together), &people, seen, (language, on)).await?
        };
        drop(work);
        inner.tell(Change::Document(space, note));
        Ok(frozen)
    }

    /// Adds something to a note that is never changed: the way to say more once the note is locked. It is sealed at once.
    ///
    /// # Errors
    /// `TEXT_EMPTY`, `TEXT_TOO_LONG`, `TEXT_INVALID`, `TOO_MANY_ITEMS`, `RECORD_RULE`, and as [`Client::command`].
    pub async fn add_addendum(&self, note: DocumentId, text: &str) -> Result<(), Error> {
        let op = self.inner.fresh_item()?;
        let command = Command::Note(NoteCommand::AddAddendum { op, text: text.to_owned() });
        self.command(note, None, command).await?;
        self.seal(note).await
    }

    /// Adds what this person wrote apart from a locked note, at this place ([`alliance_model::note::ApartView`]), as an
    /// addendum; a long one as several. What others wrote apart is theirs to add. Of notes that are shown as one it is
    /// the one in which it stands.
    ///
    /// # Errors
    /// `UNKNOWN_ITEM` (nothing was written apart there), `NOT_AUTHOR`, and as [`Client::add_addendum`].
    pub async fn adopt(&self, note: DocumentId, place: &str) -> Result<(), Error> {
        let inner = &self.inner;
        let (space, _) = inner.find(note).await?;
        let view = note_of(inner.shown(space, note).await?)?;
        let apart = view.apart.iter().find(|apart| apart.difference.place == place);
        let apart = apart.ok_or_else(|| Refusal::new(RefusalCode::UnknownItem).with("item", place))?;
        let me = inner.people(space).await?.me;
        if apart.by.is_empty() || apart.by.iter().any(|by| view.authors.get(*by) != Some(&me)) {
            return Err(Refusal::new(RefusalCode::NotAuthor).into());
        }
        for splice in alliance_model::snapshot::splices(&apart.difference.added_text()) {
            self.add_addendum(note, &splice.insert).await?;
        }
        Ok(())
    }
}

impl Inner {
    /// Confirms notes that are shown as one: they are read as one, and each is confirmed for itself.
    async fn confirm_together(
        &self,
        work: &mut Work,
        (space, together): (SpaceId, &[DocumentId]),
        people: &People,
        seen: FrozenHash,
        (language, on): (&str, CivilDate),
    ) -> Result<FrozenHash, Error> {
        let mut views = Vec::new();
        for part in together {
            views.push(note_of(self.sealed(work, space, *part).await?.view(people)?)?);
        }
        // What was locked twice apart is settled where it was locked.
        let shown = seen.to_string();
        let twice = |view: &NoteView| view.state == NoteState::TwoLocks;
        let settles = |view: &NoteView| twice(view) && view.locks().any(|lock| lock.text == shown);
        if let Some((part, _)) = together.iter().zip(&views).find(|(_, view)| settles(view)) {
            return self.confirm_one(work, (space, *part), people, (seen, together), (language, on)).await;
        }
        if views.iter().any(twice) {
            return Err(Refusal::new(RefusalCode::TwoLocks).into());
        }
        let merged = merge::notes(&views);
        if merged.state == NoteState::Locked {
            return Err(Refusal::new(RefusalCode::LockedNote).into());
        }
        if merged.text != shown {
            return Err(stale(&merged, seen));
        }
        let mut frozen = None;
        for (part, view) in together.iter().zip(&views) {
            // What is empty, or was locked before, has nothing to confirm; what this person confirmed before a kill, too.
            if view.is_locked() || view.says_nothing() {
                continue;
            }
            let seen = view.text.parse().map_err(|_| Code::Internal)?;
            match self.confirm_one(work, (space, *part), people, (seen, together), (language, on)).await {
                Ok(one) => frozen = Some(one),
                Err(Error::Refused(refusal)) if refusal.code == RefusalCode::AlreadySigned => {}
                Err(error) => return Err(error),
            }
        }
        frozen.ok_or_else(|| Refusal::new(RefusalCode::AlreadySigned).into())
    }

    /// Confirms one note, which is read together with others or alone.
    async fn confirm_one(
        &self,
        work: &mut Work,
        (space, note): (SpaceId, DocumentId),
        people: &People,
        (seen, together): (FrozenHash, &[DocumentId]),
        (language, on): (&str, CivilDate),
    ) -> Result<FrozenHash, Error> {
        let present = self.who_confirms(work, (space, note), people).await?;
        let open = self.sealed(work, space, note).await?;
        let heads = open.copy.as_ref().ok_or(Code::Internal)?.base().to_bytes();
        let view = note_of(open.view(people)?)?;
        if view.lock().is_some() {
            return Err(Refusal::new(RefusalCode::LockedNote).into());
        }
        let rendering = view.rendering(seen, heads, present, together).ok_or_else(|| stale(&view, seen))?;
        let signature = self.cosignature(space, rendering.frozen, language, on).await?;
        let (op, frozen) = (self.fresh_item()?, rendering.frozen);
        let confirmation = Box::new(Confirmation { rendering, signature });
        let command = Command::Note(NoteCommand::Confirm { op, confirmation, seen });
        self.write_and_seal(work, space, note, &command).await?;
        Ok(frozen)
    }

    /// Who confirms a note: everybody who was at its session, and everybody who wrote in it, of those who write in the
    /// space.
    async fn who_confirms(
        &self,
        work: &mut Work,
        (space, note): (SpaceId, DocumentId),
        people: &People,
    ) -> Result<Vec<Party>, Error> {
        let mut parties = self.parties(space, people).await?;
        let Some(session) = self.session_of_note(work, space, note, people).await? else { return Ok(parties) };
        let mut present = attending(&session);
        if present.is_empty() {
            return Ok(parties);
        }
        let open = self.open_document(work, space, note, None).await?;
        open.let_others_in()?;
        let wrote = open.authors.values().filter_map(|device| people.directory.tag(*device));
        present.extend(wrote.map(|person| person.to_string()));
        present.insert(self.own_tag(space).await?.to_string());
        parties.retain(|party| present.contains(&party.person.to_string()));
        Ok(parties)
    }

    /// The session whose note this is, if this device has it.
    async fn session_of_note(
        &self,
        work: &mut Work,
        space: SpaceId,
        note: DocumentId,
        people: &People,
    ) -> Result<Option<SessionView>, Error> {
        let sessions = self.documents_of(space, DocumentKind::Session).await?;
        let Some(session) = sessions.into_iter().find(|session| note_of_session(&session.0, &space) == note) else {
            return Ok(None);
        };
        let open = self.open_document(work, space, session, None).await?;
        open.let_others_in()?;
        let View::Session(view) = open.view(people)? else { return Ok(None) };
        Ok(Some(view))
    }
}

/// Everybody of whom somebody said that they were there, by tag.
fn attending(session: &SessionView) -> BTreeSet<String> {
    let there = |value: &str| {
        Attendance::from_name(value).is_some_and(|it| matches!(it, Attendance::Attended | Attendance::InPart))
    };
    let participants = session.participants.iter();
    let there = participants.filter(|it| it.attendance.iter().any(|claim| there(&claim.value)));
    there.map(|it| it.person.clone()).collect()
}

fn stale(view: &NoteView, seen: FrozenHash) -> Error {
    let refusal = Refusal::new(RefusalCode::StaleText).with("signed", seen.short());
    refusal.with("current", alliance_model::cosign::short(&view.text)).into()
}

fn note_of(view: View) -> Result<NoteView, Error> {
    let View::Note(view) = view else { return Err(Refusal::new(RefusalCode::WrongKind).into()) };
    Ok(view)
}
