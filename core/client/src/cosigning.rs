//! Signing together (DOMAIN 2.9): what is proposed is sealed first, because a proposal names a state that everybody can
//! have, and so is each signature at once.

use alliance_crypto::{MemberRole, Secret as _};
use alliance_document::View;
use alliance_model::cosign::short;
use alliance_model::exports::ExportScope;
use alliance_model::signed::SignedText;
use alliance_model::{
    AgreementCommand, AgreementView, CivilDate, Command, Cosignature, DocumentKind, Party, Refusal, RefusalCode,
};
use alliance_wire::membership::Role;
use alliance_wire::{DocumentId, FrozenHash, PersonTag, SpaceId};

use crate::documents::OpenDocument;
use crate::error::{Code, Error};
use crate::inner::{Client, Inner, Work};
use crate::names::People;
use crate::views::Change;

impl Client {
    /// Freezes an agreement as it is for everybody who writes in its space to sign, and returns the version's name.
    /// `seen` is the text that the person looked at ([`AgreementView::text`]); what was typed is sealed.
    ///
    /// # Errors
    /// `STALE_TEXT` (it says something else by now), `INCOMPLETE`, `NEEDS_CHOICE`, `INDEPENDENCE`, `CONTRACT_REQUIRED`,
    /// `RETENTION_LONGER_THAN_CONTRACT` (the adopted contract does not allow it), `LANGUAGE_INVALID`, `DATE_INVALID`,
    /// `WAITING_FOR_KEYS`, `WRONG_KIND`, `UNKNOWN_DOCUMENT`, `NOT_MEMBER`, `ROLE_FORBIDS`, and those of the store.
    pub async fn propose(
        &self,
        agreement: DocumentId,
        seen: FrozenHash,
        language: &str,
        on: CivilDate,
    ) -> Result<FrozenHash, Error> {
        let inner = &self.inner;
        let space = inner.agreement_space(agreement).await?;
        let people = inner.people(space).await?;
        let mut work = inner.work.lock().await;
        let open = inner.sealed(&mut work, space, agreement).await?;
        let view = agreement_of(open.view(&people)?)?;
        if view.text != seen.to_string() {
            return Err(stale(&view.text, seen));
        }
        inner.contract_allows(&mut work, space, &view).await?;
        let open = inner.open_document(&mut work, space, agreement, None).await?;
        let heads = open.copy.as_ref().ok_or(Code::Internal)?.base().to_bytes();
        let parties = inner.parties(space, &people).await?;
        let proposal = view.proposal(heads, parties, language.to_owned(), on);
        let (op, frozen) = (inner.fresh_item()?, proposal.frozen);
        let command = Command::Agreement(AgreementCommand::Propose { op, proposal });
        inner.write_and_seal(&mut work, space, agreement, &command).await?;
        drop(work);
        inner.tell(Change::Document(space, agreement));
        Ok(frozen)
    }

    /// Signs a version of an agreement. `seen` is the hash of the text that the person was shown: [`AgreementView::text`]
    /// where the agreement was, `VersionView::text` where the version was.
    ///
    /// # Errors
    /// `NOT_PARTY`, `STALE_TEXT`, `ALREADY_SIGNED`, `SAME_PERSON_COSIGN`, `UNKNOWN_ITEM` (no such version), and as
    /// [`Client::propose`].
    pub async fn sign(
        &self,
        agreement: DocumentId,
        version: FrozenHash,
        seen: FrozenHash,
        language: &str,
        on: CivilDate,
    ) -> Result<(), Error> {
        let inner = &self.inner;
        let space = inner.agreement_space(agreement).await?;
        let signature = inner.cosignature(space, version, language, on).await?;
        let command = Command::Agreement(AgreementCommand::Sign { op: inner.fresh_item()?, signature, seen });
        let mut work = inner.work.lock().await;
        inner.sealed(&mut work, space, agreement).await?;
        inner.write_and_seal(&mut work, space, agreement, &command).await?;
        drop(work);
        inner.tell(Change::Document(space, agreement));
        Ok(())
    }

    /// A version word for word: the canonical JSON that its name is the hash of, and that people sign.
    ///
    /// # Errors
    /// `UNKNOWN_ITEM` (no such version), `WRONG_KIND`, `UNKNOWN_DOCUMENT`, and those of the store.
    pub async fn version_text(&self, agreement: DocumentId, version: FrozenHash) -> Result<String, Error> {
        let inner = &self.inner;
        let (space, _) = inner.find(agreement).await?;
        let mut work = inner.work.lock().await;
        let open = inner.open_document(&mut work, space, agreement, None).await?;
        let text = open.document.version_text(version)?;
        let unknown = || Refusal::new(RefusalCode::UnknownItem).with("item", version.short());
        String::from_utf8(text.ok_or_else(unknown)?).map_err(|_| Code::Internal.into())
    }
}

impl Client {
    /// The file of a version that all have signed: it says by itself what they did
    /// ([`prove_signed`](crate::prove_signed)). That it was given out stands in the space's log of exports.
    ///
    /// # Errors
    /// `UNKNOWN_ITEM` (no such version), `INCOMPLETE` (not all have signed it), and as [`Client::export_space`].
    pub async fn signed_version(
        &self,
        agreement: DocumentId,
        version: FrozenHash,
        (on, reason): (CivilDate, &str),
    ) -> Result<Vec<u8>, Error> {
        let inner = &self.inner;
        let space = inner.agreement_space(agreement).await?;
        let text = self.version_text(agreement, version).await?;
        let people = inner.people(space).await?;
        let mut work = inner.work.lock().await;
        let open = inner.open_document(&mut work, space, agreement, None).await?;
        let view = agreement_of(open.view(&people)?)?;
        let signed = view.version(version).filter(|it| it.is_signed());
        let signed = signed.ok_or_else(|| Refusal::new(RefusalCode::Incomplete).with("missing", "signatures"))?;
        let file = SignedText::new(text, &signed.signatures, &signed.proofs).encode();
        inner.given_out(&mut work, space, ExportScope::Signed, &file, (on, reason)).await?;
        drop(work);
        inner.tell(Change::Document(space, alliance_model::kind::exports_of(&space)));
        Ok(file)
    }
}

impl Inner {
    /// The space of an agreement in which this device may write.
    async fn agreement_space(&self, agreement: DocumentId) -> Result<SpaceId, Error> {
        let (space, kind) = self.find(agreement).await?;
        if kind != DocumentKind::Agreement {
            return Err(Refusal::new(RefusalCode::WrongKind).with("kind", kind).into());
        }
        self.may_write(space).await?;
        Ok(space)
    }

    /// The document with a working copy on everything that is published, and nothing unsealed.
    pub(crate) async fn sealed<'w>(
        &self,
        work: &'w mut Work,
        space: SpaceId,
        document: DocumentId,
    ) -> Result<&'w mut OpenDocument, Error> {
        self.renew_in(work).await?;
        let fresh = work.next_revision();
        let open = self.open_document(work, space, document, None).await?;
        open.let_others_in()?;
        self.open_copy(open, fresh)?;
        if open.draft.is_some() {
            self.seal_draft(work, space, document).await?;
        }
        let open = self.open_document(work, space, document, None).await?;
        open.let_others_in()?;
        if open.draft.is_some() || open.copy.is_none() {
            return Err(Code::WaitingForKeys.into());
        }
        Ok(open)
    }

    /// Writes one command and seals it: others sign what it says.
    pub(crate) async fn write_and_seal(
        &self,
        work: &mut Work,
        space: SpaceId,
        document: DocumentId,
        command: &Command,
    ) -> Result<(), Error> {
        self.is_agreed(work, space, command).await?;
        self.policy_allows(work, space, document, command).await?;
        let open = self.open_document(work, space, document, None).await?;
        // Nothing of what was said is written here, so there is no rule to cite.
        self.draft_command(space, open, None, (command, None)).await?;
        // What is not sealed is kept, and nobody else can have it yet: who signed is told so.
        if self.seal_draft(work, space, document).await? { Ok(()) } else { Err(Code::WaitingForKeys.into()) }
    }

    /// Everybody who writes in a space, by tag.
    pub(crate) async fn parties(&self, space: SpaceId, people: &People) -> Result<Vec<Party>, Error> {
        let membership = self.membership(space).await?;
        let writes = |role: MemberRole| !matches!(role, MemberRole::Given(Role::Reader));
        let members = membership.state().members.iter().filter(|(_, member)| writes(member.role));
        Ok(members.map(|(person, _)| Party { person: *person, name: people.directory.person(*person) }).collect())
    }

    /// This person's tag in a space.
    pub(crate) async fn own_tag(&self, space: SpaceId) -> Result<PersonTag, Error> {
        let person = self.membership(space).await?.state().person_of(self.me);
        person.ok_or_else(|| Refusal::new(RefusalCode::NotMember).into())
    }

    /// This person's signature of a text, by this device.
    pub(crate) async fn cosignature(
        &self,
        space: SpaceId,
        frozen: FrozenHash,
        language: &str,
        on: CivilDate,
    ) -> Result<Cosignature, Error> {
        let person = self.own_tag(space).await?;
        let mut signature =
            Cosignature { frozen, person, device: self.me, language: language.to_owned(), on, signature: [0; 64] };
        signature.signature = self.secret.sign(&signature.message());
        Ok(signature)
    }
}

fn agreement_of(view: View) -> Result<AgreementView, Error> {
    let View::Agreement(view) = view else { return Err(Refusal::new(RefusalCode::WrongKind).into()) };
    Ok(view)
}

fn stale(current: &str, seen: FrozenHash) -> Error {
    Refusal::new(RefusalCode::StaleText).with("signed", seen.short()).with("current", short(current)).into()
}
