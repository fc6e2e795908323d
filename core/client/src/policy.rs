//! What a kind of meeting allows (DOMAIN 1.D, 2.11): the shipped policy, tightened by the packs that a space adopted.
//!
//! A pack counts for what is dated from its adoption on, so that old sessions keep their rules.

use alliance_document::View;
use alliance_model::agreement::{AgreementCommand, ProtectiveTerm};
use alliance_model::audience::Audience;
use alliance_model::form::{FormView, Said};
use alliance_model::note::NoteCommand;
use alliance_model::policy::{
    AgendaOrigin, AttendanceMax, ContentAudience, EvidenceSource, Pack, Policy, SignedPack, Template,
};
use alliance_model::session::{SessionCommand, SessionRole, SessionValue};
use alliance_model::{CivilDate, Command, Cosignature, DocumentKind, MeetingKind, Refusal, RefusalCode, SessionView};
use alliance_wire::{DocumentId, SpaceId};

use crate::error::Error;
use crate::inner::{Client, Inner, Work};

/// What is said when a pack is taken up.
pub(crate) const PACK: &str = "adopted_pack";

impl Client {
    /// Signs a pack as a member of a space: a file that other spaces can adopt.
    ///
    /// # Errors
    /// `PACK_BROKEN`, `SCHEMA_NEWER` (a newer version made it), `PACK_LOOSENS` (it allows more than the shipped policy),
    /// `DATE_INVALID`, `UNKNOWN_SPACE`, `NOT_MEMBER`, `ROLE_FORBIDS`, and those of the store.
    pub async fn sign_pack(&self, space: SpaceId, pack: &[u8], on: CivilDate) -> Result<Vec<u8>, Error> {
        let inner = &self.inner;
        inner.may_write(space).await?;
        if !on.is_valid() {
            return Err(Refusal::new(RefusalCode::DateInvalid).into());
        }
        let pack = Pack::parse(pack).map_err(Refusal::from)?;
        Policy::check(&pack)?;
        let language = pack.language.clone().unwrap_or_else(|| "und".to_owned());
        let signature = inner.cosignature(space, pack.frozen(), &language, on).await?;
        Ok(SignedPack::new(pack, &signature).encode())
    }

    /// Takes up a signed pack in a space: what it does not allow is refused from that date on. It can tighten, never
    /// loosen.
    ///
    /// # Errors
    /// `PACK_BROKEN`, `SCHEMA_NEWER`, `PACK_LOOSENS`, `DATE_INVALID`, and as [`Client::command`].
    pub async fn adopt_pack(&self, space: SpaceId, file: &[u8], on: CivilDate) -> Result<Pack, Error> {
        let (pack, _) = prove_pack(file)?;
        Policy::check(&pack)?;
        self.keep_file(space, file, Said { on: Some(on), ..Said::word(PACK) }).await?;
        Ok(pack)
    }

    /// The packs that a space adopted.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, and those of the store.
    pub async fn packs(&self, space: SpaceId) -> Result<Vec<Pack>, Error> {
        self.inner.unlocked(space)?;
        let mut work = self.inner.work.lock().await;
        let charter = self.inner.form_here(&mut work, space, DocumentKind::Charter).await?;
        Ok(charter.as_ref().map(|charter| packs_of(charter, None)).unwrap_or_default())
    }

    /// The templates of agreements that a space can begin with: the shipped ones and those of its packs, in this order.
    ///
    /// # Errors
    /// As [`Client::packs`].
    pub async fn templates(&self, space: SpaceId) -> Result<Vec<Template>, Error> {
        let packs = self.packs(space).await?;
        let templates = packs.iter().chain([Pack::shipped()]).flat_map(|pack| pack.templates.clone());
        Ok(templates.collect())
    }

    /// Copies a template into an agreement's draft: clauses behind those that are there, and terms of which nobody has
    /// said anything (DOMAIN A10).
    ///
    /// # Errors
    /// `UNKNOWN_ITEM` (no such template), `SCHEMA_NEWER`, `PACK_BROKEN`, `WRONG_KIND`, and as [`Client::command`].
    pub async fn apply_template(&self, agreement: DocumentId, name: &str) -> Result<(), Error> {
        let view = self.view(agreement).await?;
        let templates = self.templates(view.space).await?;
        let unknown = || Refusal::new(RefusalCode::UnknownItem).with("item", name);
        let template = templates.into_iter().find(|template| template.name == name).ok_or_else(unknown)?;
        let View::Agreement(shown) = view.view else { return Err(Refusal::new(RefusalCode::WrongKind).into()) };
        let mut failed = None;
        let fresh = || {
            self.inner.fresh_item().unwrap_or_else(|error| {
                failed = Some(error);
                alliance_model::ItemId([0; 8])
            })
        };
        let commands = template.commands_into(&shown, fresh)?;
        if let Some(error) = failed {
            return Err(error);
        }
        for command in commands {
            self.command(agreement, None, Command::Agreement(command)).await?;
        }
        Ok(())
    }
}

/// A pack of which somebody signed this text, and who: with nothing but the file, so that whose the device is that it
/// names nobody has looked at.
///
/// # Errors
/// `PACK_BROKEN`, `SCHEMA_NEWER`.
pub fn prove_pack(file: &[u8]) -> Result<(Pack, Cosignature), Refusal> {
    let verifies = |it: &Cosignature| alliance_crypto::verify(it.device, &it.message(), &it.signature).is_ok();
    let signed = SignedPack::parse(file).map_err(Refusal::from)?;
    let (pack, by) = signed.verify(verifies).map_err(Refusal::from)?;
    Ok((pack.clone(), by))
}

/// The packs of a charter that were adopted by a date, or ever. One that would loosen, which no program of ours takes up,
/// counts for nothing.
fn packs_of(charter: &FormView, by: Option<CivilDate>) -> Vec<Pack> {
    let mut packs = Vec::new();
    for said in charter.log.iter().filter(|it| it.word == PACK && by.is_none_or(|by| it.on.is_some_and(|on| on <= by)))
    {
        let Some(file) = charter.files.iter().find(|file| said.text.as_deref() == Some(file.file.as_str())) else {
            continue;
        };
        let pack = prove_pack(file.text.as_bytes()).ok().map(|it| it.0).filter(|pack| Policy::check(pack).is_ok());
        packs.extend(pack.filter(|pack| !packs.contains(pack)));
    }
    packs
}

fn forbids(kind: MeetingKind, rule: &str) -> Error {
    refusal(kind, rule).into()
}

fn refusal(kind: MeetingKind, rule: &str) -> Refusal {
    Refusal::new(RefusalCode::KindForbids).with("kind", kind).with("rule", rule)
}

impl Inner {
    /// What holds in a space for what is dated so.
    pub(crate) async fn policy(&self, work: &mut Work, space: SpaceId, on: Option<CivilDate>) -> Result<Policy, Error> {
        let charter = self.form_here(work, space, DocumentKind::Charter).await?;
        let packs = charter.as_ref().map(|charter| packs_of(charter, on)).unwrap_or_default();
        Ok(Policy::in_force(&packs))
    }

    /// Whether the policy of a space lets somebody do this to a document.
    pub(crate) async fn policy_allows(
        &self,
        work: &mut Work,
        space: SpaceId,
        document: DocumentId,
        command: &Command,
    ) -> Result<(), Error> {
        match command {
            Command::Session(SessionCommand::Set { value: SessionValue::Kind(kind) })
            | Command::Note(NoteCommand::SetKind { kind }) => self.may_meet(work, space, *kind).await,
            Command::Session(SessionCommand::AddItem { .. }) => self.may_bring(work, (space, document), None).await,
            Command::Session(SessionCommand::BringItem { origin, .. }) => {
                self.may_bring(work, (space, document), Some(*origin)).await
            }
            Command::Agreement(AgreementCommand::Protect { value, .. })
                if value.term == ProtectiveTerm::ContentRecordRule =>
            {
                let kind = self.usual_kind(work, space).await?;
                let policy = self.policy(work, space, None).await?;
                let allowed = policy.kind(kind).allows_record_rule(value.name());
                if allowed { Ok(()) } else { Err(forbids(kind, "content_record_rules")) }
            }
            Command::Agreement(_)
            | Command::Note(_)
            | Command::Session(_)
            | Command::Preparation(_)
            | Command::Decision(_)
            | Command::Exports(_)
            | Command::Form(..) => Ok(()),
        }
    }

    /// The kind of the meetings that a space is for.
    pub(crate) async fn usual_kind(&self, work: &mut Work, space: SpaceId) -> Result<MeetingKind, Error> {
        let audience = self.audience(work, space).await?;
        Ok(if audience == Audience::Management { MeetingKind::Management } else { MeetingKind::Clinical })
    }

    /// Whether meetings of a kind are held in a space, by its audience (DOMAIN D2, D7) and its contract.
    async fn may_meet(&self, work: &mut Work, space: SpaceId, kind: MeetingKind) -> Result<(), Error> {
        let charter = self.form_here(work, space, DocumentKind::Charter).await?;
        let packs = charter.as_ref().map(|charter| packs_of(charter, None)).unwrap_or_default();
        let here = match self.audience_in(space, charter.as_ref()).await? {
            Audience::Management => ContentAudience::Management,
            Audience::Personal | Audience::Alliance | Audience::Scope | Audience::Disclosure => {
                ContentAudience::Alliance
            }
            Audience::Organisation => return Err(forbids(kind, "content_audience")),
        };
        if Policy::in_force(&packs).kind(kind).audience() != here {
            return Err(forbids(kind, "content_audience"));
        }
        let allowed = charter.is_none_or(|charter| crate::charter::Contract::of(&charter).allows(kind));
        if allowed { Ok(()) } else { Err(forbids(kind, "contract")) }
    }

    /// Whether somebody may put something on the agenda of a session: whoever owns it anything, others what comes from
    /// where the policy says (DOMAIN D1). Without a kind or a role in the session nothing is known, and nothing refused.
    async fn may_bring(
        &self,
        work: &mut Work,
        (space, session): (SpaceId, DocumentId),
        origin: Option<AgendaOrigin>,
    ) -> Result<(), Error> {
        let people = self.people(space).await?;
        let view = self.session_view(work, space, session, &people).await?;
        let me = self.own_tag(space).await?.to_string();
        let Some(kind) = view.kind() else { return Ok(()) };
        let roles = roles_in(&view, &me);
        if roles.is_empty() {
            return Ok(());
        }
        let policy = self.policy(work, space, date_of(&view)).await?;
        let record = policy.kind(kind);
        // Whoever may bring something from everywhere owns the agenda, and need not say where it comes from.
        let origins = origin.map_or(AgendaOrigin::ALL.to_vec(), |origin| vec![origin]);
        let may = roles.iter().any(|role| origins.iter().all(|origin| record.may_propose(*role, *origin)));
        if may {
            return Ok(());
        }
        let brings = |origin: &AgendaOrigin| roles.iter().any(|role| record.may_propose(*role, *origin));
        let from: Vec<&str> = AgendaOrigin::ALL.iter().filter(|it| brings(it)).map(|it| it.name()).collect();
        let from = if from.is_empty() { "none".to_owned() } else { from.join(", ") };
        Err(refusal(kind, "agenda_owner").with("from", from).into())
    }

    /// Whether a challenge may be made so: on a topic of its kind of meeting, resting on what that kind may cite, and never
    /// on what another space holds (DOMAIN D4, 2.6 row 3).
    pub(crate) async fn may_challenge<'f>(
        &self,
        work: &mut Work,
        space: SpaceId,
        value: &impl Fn(&str) -> Option<&'f str>,
    ) -> Result<(), Error> {
        let people = self.people(space).await?;
        let mut kind = self.usual_kind(work, space).await?;
        let mut on = None;
        if let Some(session) = value("session").and_then(|it| it.parse::<DocumentId>().ok()) {
            let view = self.session_here(work, space, session, &people).await?;
            kind = view.kind().unwrap_or(kind);
            on = date_of(&view);
        }
        let policy = self.policy(work, space, on).await?;
        let record = policy.kind(kind);
        if value("topic").is_some_and(|topic| !record.may_challenge(topic)) {
            return Err(forbids(kind, "challenge_topics"));
        }
        let evidence = |what: &str| Refusal::new(RefusalCode::EvidenceSource).with("kind", kind).with("evidence", what);
        if let Some(said) = value("evidence")
            && !EvidenceSource::from_name(said).is_some_and(|source| record.may_cite(source))
        {
            return Err(evidence(said).into());
        }
        if let Some(session) = value("evidence_session").and_then(|it| it.parse::<DocumentId>().ok()) {
            // What is not here, or in another space of this device, is no evidence here, whatever it is called.
            let cited =
                self.session_here(work, space, session, &people).await.map_err(|_| evidence("evidence_session"))?;
            let clinical = cited.kind().is_some_and(|kind| !kind.is_management());
            let needed = if clinical { EvidenceSource::ClinicalSession } else { EvidenceSource::WorkSituation };
            if !record.may_cite(needed) {
                return Err(evidence(needed.name()).into());
            }
        }
        Ok(())
    }

    /// A session of this space.
    async fn session_here(
        &self,
        work: &mut Work,
        space: SpaceId,
        session: DocumentId,
        people: &crate::names::People,
    ) -> Result<SessionView, Error> {
        let (of, kind) = self.find(session).await?;
        if of != space || kind != DocumentKind::Session {
            return Err(Refusal::new(RefusalCode::WrongKind).with("kind", kind).into());
        }
        self.session_view(work, space, session, people).await
    }

    /// What the policy lets an organisation learn of attendance where no contract says more or less.
    pub(crate) async fn attendance_allowed(&self, work: &mut Work, space: SpaceId) -> Result<AttendanceMax, Error> {
        let kind = self.usual_kind(work, space).await?;
        let policy = self.policy(work, space, None).await?;
        Ok(policy.kind(kind).attendance_max())
    }
}

/// What somebody is in a session.
fn roles_in(session: &SessionView, person: &str) -> Vec<SessionRole> {
    let of = session.participants.iter().filter(|it| it.person == person).flat_map(|it| &it.role);
    of.filter_map(|claim| SessionRole::from_name(&claim.value)).collect()
}

/// The date of a session, for the rules that held then.
fn date_of(session: &SessionView) -> Option<CivilDate> {
    crate::listing::session_date(session).parse().ok()
}
