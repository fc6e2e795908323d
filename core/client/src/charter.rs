//! What a space is (DOMAIN 2.1, 2.2 Alliance): whom it is for, under which contract, and where it stands.
//!
//! It stands in the charter, a document of the space that everybody in it writes: only what its founder says of the
//! audience counts. A contract is signed elsewhere, in the organisation's space; what comes here is the file of what was
//! signed, and nothing of this space goes there.

use std::collections::BTreeSet;

use alliance_crypto::MemberRole;
use alliance_model::agreement::{ProtectiveTerm, ProtectiveValue, Term, TermName};
use alliance_model::audience::Audience;
use alliance_model::form::{FilePiece, FormCommand, Said, SaidView, form_of_space};
use alliance_model::limits::{FILE_PIECE_BYTES_MAX, FILE_PIECES_MAX};
use alliance_model::signed::ProvedText;
use alliance_model::{
    AgreementView, CivilDate, Command, DocumentKind, FormView, ItemId, MeetingKind, Refusal, RefusalCode, cosign,
};
use alliance_wire::membership::SpaceKind;
use alliance_wire::{FrozenHash, SpaceId};

use crate::error::{Code, Error};
use crate::forms::prove_signed;
use crate::inner::{Client, Inner, Work};
use crate::names::People;
use crate::policy::PACK;

const AUDIENCE: &str = "audience";
/// What is said when a signed file is taken up.
const CONTRACT: &str = "adopted_contract";
const HANDED_OVER: &str = "handed_over";
/// What is said by whom it binds.
const ACKNOWLEDGED: &str = "acknowledged";
/// What is said when it is to hold no longer.
const RELEASED: &str = "released";

/// A signed file that holds in a space.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Adopted {
    /// What it is.
    pub kind: DocumentKind,
    /// The hash of the file.
    pub file: String,
    /// What it proves.
    pub proved: ProvedText,
    /// The members of the space who took it up or acknowledged it, by name.
    pub acknowledged: Vec<String>,
    /// The members who did neither yet. It binds them all the same.
    pub outstanding: Vec<String>,
}

impl Client {
    /// Whom a space is for. Where its founder said nothing it is for one person, or for an alliance.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, `DEVICE_SUSPENDED`, `DEVICE_PUT_OUT`, and those of the store.
    pub async fn audience(&self, space: SpaceId) -> Result<Audience, Error> {
        self.inner.unlocked(space)?;
        let mut work = self.inner.work.lock().await;
        self.inner.audience(&mut work, space).await
    }

    /// Says whom a space is for: its founder, before anything else is in it, and for ever.
    ///
    /// # Errors
    /// `ROLE_FORBIDS` (somebody else founded it), `KIND_FIXED` (it was said, or something is in the space), `KIND_FORBIDS`
    /// (a space of one person's devices is for nobody else, and one of others is not personal), and as
    /// [`Client::command`].
    pub async fn set_audience(&self, space: SpaceId, audience: Audience) -> Result<(), Error> {
        self.inner.may_write(space).await?;
        {
            // Before anything is begun.
            let mut work = self.inner.work.lock().await;
            self.inner.may_say_audience(&mut work, space, audience.name()).await?;
        }
        let (charter, _) = self.form_of_space(space, DocumentKind::Charter).await?;
        let (id, person) = (self.inner.fresh_item()?, self.inner.own_tag(space).await?);
        let list = AUDIENCE.to_owned();
        let add = FormCommand::Add { id, list: list.clone(), after: None, person };
        let set = FormCommand::SetItem { id, field: list, value: audience.name().to_owned() };
        for command in [add, set] {
            self.command(charter, None, Command::Form(DocumentKind::Charter, command)).await?;
        }
        self.seal(charter).await
    }

    /// Takes up a signed file in a space: the contract of an organisation, or a closing summary that is handed over. The
    /// file goes into the charter, where everybody in the space has it.
    ///
    /// # Errors
    /// `SIGNED_BROKEN` (it is none, or not all have signed it), `WRONG_KIND` (it is signed and nothing that is taken up),
    /// `TEXT_TOO_LONG`, `DATE_INVALID`, and as [`Client::command`].
    pub async fn adopt_file(&self, space: SpaceId, file: &[u8], on: CivilDate) -> Result<Adopted, Error> {
        let taken = adopted(file)?;
        let word = if taken.kind == DocumentKind::Contract { CONTRACT } else { HANDED_OVER };
        self.keep_file(space, file, Said { on: Some(on), ..Said::word(word) }).await?;
        let here = self.adopted_files(space).await?.into_iter().find(|known| known.file == taken.file);
        Ok(here.unwrap_or(taken))
    }

    /// Acknowledges a file that holds in a space, by the first digits of its name (DOMAIN 2.4, OverallContract): whom it
    /// binds says to have read it. The same again adds nothing.
    ///
    /// # Errors
    /// `UNKNOWN_ITEM` (no such file holds here, or several), `DATE_INVALID`, and as [`Client::command`].
    pub async fn acknowledge_file(&self, space: SpaceId, file: &str, on: CivilDate) -> Result<Adopted, Error> {
        self.inner.may_write(space).await?;
        let (name, adoptions) = self.adoptions(space, file).await?;
        // A pack binds whom it binds without being read.
        let here = self.adopted_files(space).await?.into_iter().find(|it| it.file == name);
        let mut here = here.ok_or_else(|| unknown(file))?;
        let me = self.inner.people(space).await?.me;
        if !here.acknowledged.contains(&me) {
            let said = Said { on: Some(on), cites: adoptions, text: Some(name), ..Said::word(ACKNOWLEDGED) };
            self.say_in_charter(space, said).await?;
            here.outstanding.retain(|name| *name != me);
            here.acknowledged.push(me);
            here.acknowledged.sort();
        }
        Ok(here)
    }

    /// The signed files that hold in a space.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, and those of the store.
    pub async fn adopted_files(&self, space: SpaceId) -> Result<Vec<Adopted>, Error> {
        self.inner.unlocked(space)?;
        let mut work = self.inner.work.lock().await;
        let charter = self.inner.form_here(&mut work, space, DocumentKind::Charter).await?;
        let people = self.inner.people(space).await?;
        let mut files = charter.as_ref().map(adopted_in).unwrap_or_default();
        for file in &mut files {
            let did = |name: &&String| file.acknowledged.contains(name);
            file.outstanding = people.protectors.iter().filter(|name| !did(name)).cloned().collect();
        }
        Ok(files)
    }

    /// Lets go of a file that a space took up, by the first digits of its name: once every member has, it holds no longer.
    ///
    /// # Errors
    /// `UNKNOWN_ITEM` (no such file holds here, or several), and as [`Client::command`].
    pub async fn release(&self, space: SpaceId, file: &str) -> Result<(), Error> {
        let (name, cites) = self.adoptions(space, file).await?;
        self.say_in_charter(space, Said { cites, text: Some(name), ..Said::word(RELEASED) }).await
    }

    /// The name of the one file that begins so and holds in a space, and where it was said that it does.
    async fn adoptions(&self, space: SpaceId, file: &str) -> Result<(String, Vec<ItemId>), Error> {
        let view = {
            let mut work = self.inner.work.lock().await;
            self.inner.form_here(&mut work, space, DocumentKind::Charter).await?
        };
        let named = |it: &&SaidView| it.text.as_deref().is_some_and(|name| !file.is_empty() && name.starts_with(file));
        let log = view.map(|view| view.log).unwrap_or_default();
        let adoptions: Vec<&SaidView> = log.iter().filter(|it| adopts(it)).filter(named).collect();
        let names: BTreeSet<&String> = adoptions.iter().filter_map(|it| it.text.as_ref()).collect();
        let mut names = names.into_iter();
        match (names.next(), names.next()) {
            (Some(name), None) => Ok((name.clone(), adoptions.iter().map(|it| it.op).collect())),
            _ => Err(unknown(file).into()),
        }
    }

    async fn say_in_charter(&self, space: SpaceId, said: Said) -> Result<(), Error> {
        let charter = form_of_space(DocumentKind::Charter, &space);
        let command = FormCommand::Say { op: self.inner.fresh_item()?, item: None, said };
        self.command(charter, None, Command::Form(DocumentKind::Charter, command)).await?;
        self.seal(charter).await
    }

    /// Puts a file into a space's charter, in pieces, and says that it holds. The same again adds nothing.
    pub(crate) async fn keep_file(&self, space: SpaceId, file: &[u8], said: Said) -> Result<(), Error> {
        if file.len() > FILE_PIECE_BYTES_MAX * FILE_PIECES_MAX {
            let max = FILE_PIECE_BYTES_MAX * FILE_PIECES_MAX;
            return Err(Refusal::new(RefusalCode::TextTooLong).with("bytes", max).into());
        }
        let (charter, _) = self.form_of_space(space, DocumentKind::Charter).await?;
        let view = {
            let mut work = self.inner.work.lock().await;
            self.inner.form_here(&mut work, space, DocumentKind::Charter).await?
        };
        let name = cosign::frozen(file);
        let said = Said { text: Some(name.to_string()), ..said };
        let view = view.ok_or(Code::Internal)?;
        let pieces: Vec<&[u8]> = file.chunks(FILE_PIECE_BYTES_MAX).collect();
        let of = u16::try_from(pieces.len()).unwrap_or(u16::MAX);
        let mut commands = Vec::new();
        if !view.files.iter().any(|known| known.file == name.to_string()) {
            for (number, bytes) in (0..).zip(pieces) {
                let op = piece_id(name, number);
                let piece = FilePiece { file: name, number, of, bytes: bytes.to_vec() };
                commands.push(FormCommand::Keep { op, piece });
            }
        }
        let says = |it: &SaidView| it.word == said.word && it.text == said.text;
        if !view.log.iter().any(says) {
            commands.push(FormCommand::Say { op: self.inner.fresh_item()?, item: None, said });
        }
        for command in commands {
            self.command(charter, None, Command::Form(DocumentKind::Charter, command)).await?;
            // A piece is a third of what one change may hold.
            self.seal(charter).await?;
        }
        Ok(())
    }
}

/// The same for the same file and piece, so that two who take it up apart, and one who was interrupted, write it once.
fn piece_id(file: FrozenHash, number: u16) -> ItemId {
    let hash = alliance_wire::hash::content_hash(&[&file.0[..], &number.to_be_bytes()].concat());
    let mut id = [0; 8];
    id.copy_from_slice(&hash[..8]);
    ItemId(id)
}

/// What a signed file is that a space takes up.
fn adopted(file: &[u8]) -> Result<Adopted, Refusal> {
    let proved = prove_signed(file)?;
    let kind = DocumentKind::from_name(&proved.kind);
    let taken = kind.filter(|kind| matches!(kind, DocumentKind::Contract | DocumentKind::Closing));
    let kind = taken.ok_or_else(|| Refusal::new(RefusalCode::WrongKind).with("kind", &proved.kind))?;
    let (acknowledged, outstanding) = (Vec::new(), Vec::new());
    Ok(Adopted { kind, file: cosign::frozen(file).to_string(), proved, acknowledged, outstanding })
}

/// Whether it says that a file holds.
fn adopts(said: &SaidView) -> bool {
    [CONTRACT, HANDED_OVER, PACK].contains(&said.word.as_str())
}

fn unknown(file: &str) -> Refusal {
    Refusal::new(RefusalCode::UnknownItem).with("item", cosign::short(file))
}

/// The signed files that a charter keeps and of which somebody said that they hold.
fn adopted_in(charter: &FormView) -> Vec<Adopted> {
    let taken = charter.files.iter().filter_map(|file| {
        let said: Vec<&SaidView> =
            charter.log.iter().filter(|it| it.text.as_deref() == Some(file.file.as_str())).collect();
        let adoptions: Vec<ItemId> = said.iter().filter(|it| adopts(it)).map(|it| it.op).collect();
        if adoptions.is_empty() {
            return None;
        }
        // Who read it when it held before has not said so of its being taken up again.
        let answers = |it: &SaidView| it.word == ACKNOWLEDGED && it.cites.iter().any(|op| adoptions.contains(op));
        let read = said.iter().filter(|it| adopts(it) || answers(it)).map(|it| charter.author(it.by).to_owned());
        let acknowledged = read.collect::<BTreeSet<String>>().into_iter().collect();
        Some(Adopted { acknowledged, ..adopted(file.text.as_bytes()).ok()? })
    });
    taken.collect()
}

/// Lets go of what every member of a space let go of: a contract or pack holds until each has said so, because it protects
/// each of them. Who says so answers an adoption, so that the same file can be taken up again.
pub(crate) fn released(charter: &mut FormView, people: &People) {
    let lets_go = |adoption: ItemId, name: &String| {
        let mut said = charter.log.iter().filter(|it| it.word == RELEASED && it.cites.contains(&adoption));
        said.any(|it| charter.author(it.by) == name)
    };
    let all = |adoption: ItemId| {
        !people.protectors.is_empty() && people.protectors.iter().all(|name| lets_go(adoption, name))
    };
    let gone: BTreeSet<ItemId> = charter.log.iter().map(|it| it.op).filter(|op| all(*op)).collect();
    charter.log.retain(|it| !gone.contains(&it.op));
}

/// What the contracts of a space say, the stricter where there are several.
#[derive(Debug, Default)]
pub(crate) struct Contract {
    /// Whether there is one.
    pub(crate) signed: bool,
    /// Months for which records are kept at most.
    pub(crate) retention_months: Option<u16>,
    /// What the organisation learns of attendance at most.
    pub(crate) attendance: Option<ProtectiveValue>,
    /// Whether a line manager may supervise.
    pub(crate) line_manager: bool,
    /// The kinds of meetings that it allows; all where it names none.
    kinds: Option<BTreeSet<String>>,
}

impl Contract {
    /// Whether it allows meetings of this kind.
    pub(crate) fn allows(&self, kind: MeetingKind) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(kind.name()))
    }

    /// What the charter's contracts say.
    pub(crate) fn of(charter: &FormView) -> Self {
        let files = adopted_in(charter);
        // A later contract stands beside an earlier one until everybody has let go of that: until then both hold.
        let contracts: Vec<&Adopted> = files.iter().filter(|file| file.kind == DocumentKind::Contract).collect();
        let field = |contract: &Adopted, name: &str| contract.proved.words.fields.get(name).cloned();
        let months = contracts.iter().filter_map(|it| field(it, "retention_months")?.parse().ok());
        let attendance = contracts.iter().filter_map(|it| {
            ProtectiveValue::from_name(ProtectiveTerm::AttendanceToOrg, &field(it, "attendance_projection")?)
        });
        let sets = contracts.iter().filter_map(|it| it.proved.words.sets.get("kinds_allowed"));
        let sets = sets.map(|kinds| kinds.iter().cloned().collect::<BTreeSet<String>>());
        Self {
            kinds: sets.reduce(|one, other| one.intersection(&other).cloned().collect()),
            signed: !contracts.is_empty(),
            retention_months: months.min(),
            attendance: attendance.min_by_key(|value| value.rank()),
            line_manager: !contracts.is_empty()
                && contracts.iter().all(|it| field(it, "line_manager_supervises").as_deref() == Some("yes")),
        }
    }
}

impl Inner {
    /// Whom a space is for.
    pub(crate) async fn audience(&self, work: &mut Work, space: SpaceId) -> Result<Audience, Error> {
        let charter = self.form_here(work, space, DocumentKind::Charter).await?;
        self.audience_in(space, charter.as_ref()).await
    }

    /// The same, of a charter that is at hand.
    pub(crate) async fn audience_in(&self, space: SpaceId, charter: Option<&FormView>) -> Result<Audience, Error> {
        let membership = self.membership(space).await?;
        if membership.state().kind == Some(SpaceKind::Personal) {
            return Ok(Audience::Personal);
        }
        let Some(charter) = charter else { return Ok(Audience::Alliance) };
        let stewards = membership.state().members.iter().filter(|(_, it)| it.role == MemberRole::Steward);
        let stewards: BTreeSet<String> = stewards.map(|(person, _)| person.to_string()).collect();
        let said = charter.list(AUDIENCE).filter(|it| it.person.as_ref().is_some_and(|it| stewards.contains(it)));
        let said = said.filter_map(|item| Audience::from_name(item.value(AUDIENCE)?));
        // Two devices of the founder may have said two things apart: then the same one holds for everybody.
        Ok(said.min().unwrap_or(Audience::Alliance))
    }

    /// Whether the audience of a space holds documents of this kind.
    pub(crate) async fn may_hold(&self, space: SpaceId, kind: DocumentKind) -> Result<(), Error> {
        let mut work = self.work.lock().await;
        let audience = self.audience(&mut work, space).await?;
        if audience.holds(kind) {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::KindForbids).with("audience", audience).with("kind", kind).into())
    }

    /// Whether somebody may say whom a space is for.
    pub(crate) async fn may_say_audience(&self, work: &mut Work, space: SpaceId, value: &str) -> Result<(), Error> {
        let membership = self.membership(space).await?;
        let state = membership.state();
        let me = state.person_of(self.me);
        let founder = me.and_then(|me| state.members.get(&me)).is_some_and(|it| it.role == MemberRole::Steward);
        if !founder {
            return Err(Refusal::new(RefusalCode::RoleForbids).into());
        }
        if (value == Audience::Personal.name()) != (state.kind == Some(SpaceKind::Personal)) {
            return Err(Refusal::new(RefusalCode::KindForbids).with("audience", value).into());
        }
        let charter = form_of_space(DocumentKind::Charter, &space);
        let others = self.rows_of(space, None).await?.into_iter().any(|row| row.document != charter);
        let view = self.form_here(work, space, DocumentKind::Charter).await?;
        // What anybody else says of it counts for nothing, nor does what was begun and says nothing yet.
        let mine = me.map(|me| me.to_string());
        let said = view.is_some_and(|view| {
            let mut own = view.list(AUDIENCE).filter(|it| it.person == mine);
            own.any(|it| it.value(AUDIENCE).is_some())
        });
        if others || said { Err(Refusal::new(RefusalCode::KindFixed).with("field", AUDIENCE).into()) } else { Ok(()) }
    }

    /// Whether the contract of a space lets people propose this agreement (DOMAIN 2.10, draft → proposed; 2.15, 1).
    pub(crate) async fn contract_allows(
        &self,
        work: &mut Work,
        space: SpaceId,
        agreement: &AgreementView,
    ) -> Result<(), Error> {
        let charter = self.form_here(work, space, DocumentKind::Charter).await?;
        let contract = charter.as_ref().map(Contract::of).unwrap_or_default();
        let says = |field: &str, value: &str| charter.as_ref().and_then(|it| it.value(field)) == Some(value);
        if says("independence", "line_manager") && !contract.line_manager {
            return Err(Refusal::new(RefusalCode::Independence).into());
        }
        let told = agreement.protective_values().find(|value| value.term == ProtectiveTerm::AttendanceToOrg);
        if let Some(told) = told.filter(|told| told.rank() > 0) {
            // What an employer learns needs the employer's contract (J2), and is no more than that says; where there is
            // neither, the policy says how much (DOMAIN 2.15, 4).
            let missing = says("employed", "yes") && !contract.signed;
            let policy = self.attendance_allowed(work, space).await?;
            let policy = ProtectiveValue::from_name(ProtectiveTerm::AttendanceToOrg, policy.name());
            let most = if missing { None } else { contract.attendance.or(policy) };
            if told.rank() > most.map_or(0, ProtectiveValue::rank) {
                let refusal = Refusal::new(RefusalCode::ContractRequired).with("term", told.term);
                return Err(refusal.with("most", most.map_or("none", ProtectiveValue::name)).into());
            }
        }
        if let (Some(Term::RetentionMonths(months)), Some(most)) =
            (agreement.term(TermName::RetentionMonths), contract.retention_months)
            && months > most
        {
            let refusal = Refusal::new(RefusalCode::RetentionLongerThanContract);
            return Err(refusal.with("months", months).with("most", most).into());
        }
        Ok(())
    }
}
