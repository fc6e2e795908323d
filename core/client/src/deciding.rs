//! Decisions (DOMAIN 2.5, decision): the supervisee words one, the supervisor checks it, and both seal it.

use std::collections::BTreeSet;

use alliance_document::View;
use alliance_model::decision::trail::{Proof, Trail};
use alliance_model::decision::{DecisionCommand, EthicsCheck, Sealed};
use alliance_model::exports::ExportScope;
use alliance_model::kind::{decision_of, exports_of};
use alliance_model::session::SessionRole;
use alliance_model::{CivilDate, Command, DecisionView, DocumentKind, Party, Refusal, RefusalCode, SessionView};
use alliance_wire::{DocumentId, FrozenHash, PersonTag, SpaceId};

use crate::error::{Code, Error};
use crate::inner::{Client, Inner, Work};
use crate::names::People;
use crate::views::Change;

/// What a trail of sealed decisions proves, with nothing but its file ([`Client::decision_trail`]).
///
/// # Errors
/// `TRAIL_BROKEN`.
pub fn prove_trail(file: &[u8]) -> Result<Proof, Refusal> {
    let verifies =
        |it: &alliance_model::Cosignature| alliance_crypto::verify(it.device, &it.message(), &it.signature).is_ok();
    let proof = Trail::parse(file).and_then(|trail| trail.prove(verifies));
    proof.map_err(|error| Refusal::new(RefusalCode::TrailBroken).with("what", error))
}

impl Client {
    /// Begins a decision of this person, of a session or of none. Its wording is this person's alone.
    ///
    /// # Errors
    /// `NOT_AUTHOR` (this person was the session's supervisor: the supervisee decides), `WRONG_KIND` (no session of this
    /// space), `KIND_FORBIDS` (the space's audience holds no decisions), `UNKNOWN_DOCUMENT`, `UNKNOWN_SPACE`, `NOT_MEMBER`, `ROLE_FORBIDS`, and those of the store.
    pub async fn begin_decision(&self, space: SpaceId, session: Option<DocumentId>) -> Result<DocumentId, Error> {
        let inner = &self.inner;
        inner.may_write(space).await?;
        inner.may_hold(space, DocumentKind::Decision).await?;
        let person = inner.own_tag(space).await?;
        let people = inner.people(space).await?;
        let mut work = inner.work.lock().await;
        if let Some(session) = session {
            let view = inner.session_of_space(&mut work, space, session, &people).await?;
            if is_role(&view, person, SessionRole::Supervisor) && !is_role(&view, person, SessionRole::Supervisee) {
                return Err(Refusal::new(RefusalCode::NotAuthor).into());
            }
        }
        let id = inner.new_decision_id(space, person).await?;
        inner.put_new_document(&mut work, space, id, DocumentKind::Decision).await?;
        drop(work);
        self.command(id, None, Command::Decision(DecisionCommand::Begin { person, session })).await?;
        Ok(id)
    }

    /// Says something to another's decision from the side of ethics: whether it is sound, and helpful to clients and
    /// organisation (C14). It is sealed at once and never changed.
    ///
    /// # Errors
    /// `NOT_AUTHOR` (one's own decision, or the session's supervisor is somebody else), `SEALED`, `TEXT_EMPTY`,
    /// `TEXT_TOO_LONG`, `TEXT_INVALID`, `TOO_MANY_ITEMS`, `WRONG_KIND`, `UNKNOWN_DOCUMENT`, `WAITING_FOR_KEYS`,
    /// `NOT_MEMBER`, `ROLE_FORBIDS`, and those of the store.
    pub async fn check_decision(&self, decision: DocumentId, text: &str) -> Result<(), Error> {
        let inner = &self.inner;
        let space = inner.decision_space(decision).await?;
        let person = inner.own_tag(space).await?;
        let people = inner.people(space).await?;
        let mut work = inner.work.lock().await;
        let view = inner.decision_view(&mut work, space, decision, &people).await?;
        if let Some(session) = view.session.as_deref().and_then(|session| session.parse::<DocumentId>().ok())
            && inner.device.find_document(session).await?.is_some()
        {
            let session = inner.session_of_space(&mut work, space, session, &people).await?;
            let mut people = session.participants.iter().filter_map(|it| it.person.parse::<PersonTag>().ok());
            let is_supervised = people.any(|it| is_role(&session, it, SessionRole::Supervisor));
            if is_supervised && !is_role(&session, person, SessionRole::Supervisor) {
                return Err(Refusal::new(RefusalCode::NotAuthor).into());
            }
        }
        let check = EthicsCheck { person, text: text.to_owned() };
        let command = Command::Decision(DecisionCommand::Check { op: inner.fresh_item()?, check });
        inner.sealed(&mut work, space, decision).await?;
        inner.write_and_seal(&mut work, space, decision, &command).await?;
        drop(work);
        inner.tell(Change::Document(space, decision));
        Ok(())
    }

    /// Seals what a decision says, and returns the name of what is sealed. `seen` is the text that the person looked at:
    /// [`DecisionView::text`]. Whose it is and whoever checked it seal it; then it never changes, and the next one goes
    /// on from it.
    ///
    /// # Errors
    /// `STALE_TEXT` (it says something else by now), `INCOMPLETE`, `NOT_PARTY`, `ALREADY_SIGNED`, `SAME_PERSON_COSIGN`,
    /// `SEALED`, `LANGUAGE_INVALID`, `DATE_INVALID`, and as [`Client::check_decision`].
    pub async fn seal_decision(
        &self,
        decision: DocumentId,
        seen: FrozenHash,
        language: &str,
        on: CivilDate,
    ) -> Result<FrozenHash, Error> {
        let inner = &self.inner;
        let space = inner.decision_space(decision).await?;
        let people = inner.people(space).await?;
        let mut work = inner.work.lock().await;
        let previous = inner.newest_sealed(&mut work, space, &people).await?;
        let open = inner.sealed(&mut work, space, decision).await?;
        let heads = open.copy.as_ref().ok_or(Code::Internal)?.base().to_bytes();
        let view = decision_in(open.view(&people)?)?;
        if view.is_sealed() {
            return Err(Refusal::new(RefusalCode::Sealed).into());
        }
        let needed: BTreeSet<&str> = view.needed().collect();
        let mut parties: Vec<Party> = inner.parties(space, &people).await?;
        parties.retain(|party| needed.contains(party.person.to_string().as_str()));
        let sealing = view.sealing(seen, heads, parties, previous).ok_or_else(|| {
            let refusal = Refusal::new(RefusalCode::StaleText).with("signed", seen.short());
            refusal.with("current", alliance_model::cosign::short(&view.text))
        })?;
        let signature = inner.cosignature(space, sealing.frozen, language, on).await?;
        let (op, frozen) = (inner.fresh_item()?, sealing.frozen);
        let sealed = Box::new(Sealed { sealing, signature });
        let command = Command::Decision(DecisionCommand::Seal { op, sealed, seen });
        inner.write_and_seal(&mut work, space, decision, &command).await?;
        drop(work);
        inner.tell(Change::Document(space, decision));
        Ok(frozen)
    }

    /// Gives out the sealed decisions of a space, to be kept in a file ([`Trail::encode`]) that says by itself what was
    /// decided, why and by whom ([`prove_trail`]; C10). It holds their words; that it was given out stands in the space's
    /// log of exports ([`Client::exports`]).
    ///
    /// # Errors
    /// As [`Client::export_space`].
    pub async fn decision_trail(&self, space: SpaceId, on: CivilDate, reason: &str) -> Result<Trail, Error> {
        let inner = &self.inner;
        inner.may_write(space).await?;
        let people = inner.people(space).await?;
        let mut work = inner.work.lock().await;
        let trail = Trail::of(&inner.decisions(&mut work, space, &people).await?);
        inner.given_out(&mut work, space, ExportScope::Decisions, &trail.encode(), (on, reason)).await?;
        drop(work);
        inner.tell(Change::Document(space, exports_of(&space)));
        Ok(trail)
    }
}

impl Inner {
    async fn decision_space(&self, decision: DocumentId) -> Result<SpaceId, Error> {
        let (space, kind) = self.find(decision).await?;
        if kind != DocumentKind::Decision {
            return Err(Refusal::new(RefusalCode::WrongKind).with("kind", kind).into());
        }
        self.may_write(space).await?;
        Ok(space)
    }

    async fn new_decision_id(&self, space: SpaceId, person: PersonTag) -> Result<DocumentId, Error> {
        let mut count: u64 = 0;
        loop {
            let id = decision_of(&person, self.derive16("decision", &[&space.0, &count.to_be_bytes()])?);
            if self.device.find_document(id).await?.is_none() {
                return Ok(id);
            }
            count += 1;
        }
    }

    async fn decisions(&self, work: &mut Work, space: SpaceId, people: &People) -> Result<Vec<DecisionView>, Error> {
        let mut views = Vec::new();
        for decision in self.documents_of(space, DocumentKind::Decision).await? {
            views.push(self.decision_view(work, space, decision, people).await?);
        }
        Ok(views)
    }

    /// The names of the sealed decisions of a space that no other sealed one goes on from.
    async fn newest_sealed(&self, work: &mut Work, space: SpaceId, people: &People) -> Result<Vec<FrozenHash>, Error> {
        let views = self.decisions(work, space, people).await?;
        let sealed: Vec<_> = views.iter().filter_map(DecisionView::sealed).collect();
        let named: BTreeSet<&String> = sealed.iter().flat_map(|seal| &seal.previous).collect();
        let newest = sealed.iter().filter(|seal| !named.contains(&seal.name));
        Ok(newest.filter_map(|seal| seal.name.parse().ok()).collect())
    }

    async fn decision_view(
        &self,
        work: &mut Work,
        space: SpaceId,
        decision: DocumentId,
        people: &People,
    ) -> Result<DecisionView, Error> {
        let open = self.open_document(work, space, decision, None).await?;
        open.let_others_in()?;
        decision_in(open.view(people)?)
    }

    async fn session_of_space(
        &self,
        work: &mut Work,
        space: SpaceId,
        session: DocumentId,
        people: &People,
    ) -> Result<SessionView, Error> {
        let (of, kind) = self.find(session).await?;
        if of != space || kind != DocumentKind::Session {
            return Err(Refusal::new(RefusalCode::WrongKind).with("kind", kind).into());
        }
        self.session_view(work, space, session, people).await
    }
}

fn is_role(session: &SessionView, person: PersonTag, role: SessionRole) -> bool {
    let person = person.to_string();
    let of = session.participants.iter().filter(|it| it.person == person).flat_map(|it| &it.role);
    of.into_iter().any(|claim| claim.value == role.name())
}

fn decision_in(view: View) -> Result<DecisionView, Error> {
    let View::Decision(view) = view else { return Err(Refusal::new(RefusalCode::WrongKind).into()) };
    Ok(view)
}
