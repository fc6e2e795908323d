//! Versions of a working agreement: what was proposed, word for word, and who signed it (DOMAIN 2.2, 2.4, 2.10).
//!
//! A proposal freezes the agreement as it is at the proposer's state of the document. It does not repeat the text: it
//! names the state and the hash of the canonical text there, which every replica makes anew; a proposal whose hash is
//! another's says nothing. An edit after it makes a new draft, and signatures stay with the text that was read.

mod check;

pub(in crate::agreement) use check::{check_proposal, check_sign};

use std::collections::BTreeMap;

use alliance_wire::FrozenHash;
use serde::{Deserialize, Serialize};

use super::{AgreementView, ClauseSection, ProtectiveTerm, ProtectiveValue, TermName};
use crate::cosign::{CosignatureView, Link, Party, PartyView, by_party, canonical, frozen, is_complete, replaced};
use crate::date::CivilDate;
use crate::kind::ItemId;
use crate::vocabulary::vocabulary;

/// The form of canonical text that this version of the program writes.
pub const TEXT_FORM: u8 = 1;

/// Sections that an agreement says something in before it is proposed. Few, because an agreement is no form to fill in
/// (DOMAIN A09); when it is reviewed (`review_due`) must be said, too.
pub const MANDATORY: &[ClauseSection] = &[ClauseSection::Roles, ClauseSection::Confidentiality];

vocabulary! {
    /// Where a version stands: computed from its signatures, never stored.
    VersionState {
        /// Nobody has signed it.
        Proposed = 0 "proposed",
        /// Not all of its parties have.
        PartSigned = 1 "part_signed",
        /// All have, and nothing that builds on it is signed by all of its own.
        Active = 2 "active",
        /// A later version took its place.
        Superseded = 3 "superseded",
    }
}

vocabulary! {
    /// Where an agreement stands: computed from its versions.
    AgreementState {
        /// Nothing was proposed yet.
        Draft = 0 "draft",
        /// Something was, and nobody has signed.
        Proposed = 1 "proposed",
        /// Somebody has signed, and nothing is signed by all.
        PartSigned = 2 "part_signed",
        /// One version is signed by all of its parties.
        Active = 3 "active",
        /// Two or more are, because they were signed apart: a further version settles it, and until then the stricter
        /// protective terms hold.
        TwoActive = 4 "two_active",
    }
}

#[allow(clippy::derivable_impls, reason = "a vocabulary's variants take no further attribute")]
impl Default for AgreementState {
    fn default() -> Self {
        Self::Draft
    }
}

/// A proposal, as it stands in a document.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Proposal {
    /// The form of the canonical text: [`TEXT_FORM`].
    #[n(0)]
    pub form: u8,
    /// One more than the newest number that its author saw.
    #[n(1)]
    pub number: u32,
    /// The language of the text: a tag of BCP 47.
    #[n(2)]
    pub language: String,
    /// The date that its author gave.
    #[n(3)]
    pub on: CivilDate,
    /// Who signs it, in the order of their tags.
    #[n(4)]
    pub parties: Vec<Party>,
    /// The active versions that it is to take the place of, in order.
    #[n(5)]
    pub based_on: Vec<FrozenHash>,
    /// The protective terms as they stood, in the order of the table.
    #[n(6)]
    pub protective: Vec<ProtectiveValue>,
    /// The state of the document: ids of changes, 32 bytes each.
    #[n(7)]
    #[cbor(with = "minicbor::bytes")]
    pub heads: Vec<u8>,
    /// The hash of the canonical text.
    #[n(8)]
    pub frozen: FrozenHash,
}

impl Proposal {
    /// Reads what stands in a log; `None` if it is no proposal.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        alliance_wire::decode(bytes).ok()
    }

    /// What stands in a log.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        alliance_wire::encode(self)
    }

    /// What people sign: the canonical bytes of the proposal and of the agreement's text, as `agreement` shows it in the
    /// proposal's state. [`cosign::frozen`](crate::cosign::frozen) of them is the version's name.
    #[must_use]
    pub fn canonical(&self, agreement: &AgreementView) -> Vec<u8> {
        canonical(&CanonicalVersion {
            agreement: &agreement.document,
            based_on: self.based_on.iter().map(ToString::to_string).collect(),
            form: self.form,
            language: &self.language,
            number: self.number,
            on: self.on,
            parties: self.parties.iter().map(PartyView::from).collect(),
            text: AgreementText::of(agreement, self.protective.iter().copied()),
        })
    }

    /// The proposal with its hash, on the agreement as `agreement` shows it.
    #[must_use]
    pub fn frozen(mut self, agreement: &AgreementView) -> Self {
        self.frozen = frozen(&self.canonical(agreement));
        self
    }
}

/// Fields stand in the order of their names: this is what people sign.
#[derive(Serialize)]
struct CanonicalVersion<'a> {
    agreement: &'a str,
    based_on: Vec<String>,
    form: u8,
    language: &'a str,
    number: u32,
    on: CivilDate,
    parties: Vec<PartyView>,
    text: AgreementText,
}

/// What an agreement says, without who wrote what: clauses in order, terms and protective terms by name. Of terms that
/// have several values the safer one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgreementText {
    clauses: Vec<ClauseText>,
    protective: BTreeMap<&'static str, &'static str>,
    terms: BTreeMap<&'static str, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct ClauseText {
    id: ItemId,
    modality: &'static str,
    section: &'static str,
    text: String,
}

impl AgreementText {
    /// The text of an agreement with these protective terms.
    #[must_use]
    pub fn of(view: &AgreementView, protective: impl IntoIterator<Item = ProtectiveValue>) -> Self {
        let clauses = view.clauses.iter().map(|clause| ClauseText {
            id: clause.id,
            modality: clause.modality.map_or("", super::Modality::name),
            section: clause.section.map_or("", ClauseSection::name),
            text: clause.text.text.clone(),
        });
        Self {
            clauses: clauses.collect(),
            protective: protective.into_iter().map(|value| (value.term.name(), value.name())).collect(),
            terms: view
                .terms
                .iter()
                .filter_map(|it| Some((it.name.name(), it.values.first()?.value.clone())))
                .collect(),
        }
    }

    /// Its hash: what a signer says to have been shown.
    #[must_use]
    pub fn hash(&self) -> FrozenHash {
        frozen(&canonical(self))
    }

    /// The version that a proposal makes of it.
    #[must_use]
    pub fn version(&self, op: ItemId, proposal: &Proposal, by: usize) -> VersionView {
        VersionView {
            op,
            version: proposal.frozen.to_string(),
            number: proposal.number,
            language: proposal.language.clone(),
            on: proposal.on,
            by,
            parties: proposal.parties.iter().map(PartyView::from).collect(),
            based_on: proposal.based_on.iter().map(ToString::to_string).collect(),
            text: self.hash().to_string(),
            terms: self.terms.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            protective: self.protective.iter().map(|(name, it)| ((*name).to_owned(), (*it).to_owned())).collect(),
            state: VersionState::Proposed,
            signatures: Vec::new(),
            proofs: Vec::new(),
        }
    }
}

/// A version as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionView {
    /// The proposal's id in its log.
    pub op: ItemId,
    /// Its name: the hash of what people sign, in hexadecimal.
    pub version: String,
    /// Its number; two that were proposed apart have the same.
    pub number: u32,
    /// The language of the text.
    pub language: String,
    /// The date that its author gave.
    pub on: CivilDate,
    /// Who proposed it: index into the view's `authors`.
    pub by: usize,
    /// Who signs it.
    pub parties: Vec<PartyView>,
    /// The versions that it is to take the place of.
    pub based_on: Vec<String>,
    /// The hash of its text alone, to compare with [`AgreementView::text`].
    pub text: String,
    /// Its terms.
    pub terms: BTreeMap<String, String>,
    /// Its protective terms.
    pub protective: BTreeMap<String, String>,
    /// Where it stands.
    pub state: VersionState,
    /// Who signed it.
    pub signatures: Vec<CosignatureView>,
    /// The signatures themselves, in hexadecimal, in the same order.
    pub proofs: Vec<String>,
}

impl VersionView {
    /// Whether each of its parties signed it.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        is_complete(&self.parties, &self.signatures)
    }

    /// Its parties with the signature of each, in their order; of two devices of one person the first that signed.
    pub fn by_party(&self) -> impl Iterator<Item = (&PartyView, Option<&CosignatureView>)> {
        by_party(&self.parties, &self.signatures)
    }

    /// What it says of a protective term.
    #[must_use]
    pub fn value(&self, term: ProtectiveTerm) -> Option<ProtectiveValue> {
        ProtectiveValue::from_name(term, self.protective.get(term.name())?)
    }
}

impl AgreementView {
    /// Takes up the versions, says where each stands, and where the agreement does. The order of versions is by number.
    pub fn settle(&mut self, mut versions: Vec<VersionView>) {
        versions
            .sort_by(|one, other| (one.number, &one.version, one.op).cmp(&(other.number, &other.version, other.op)));
        // The same text proposed twice under one number is one version.
        versions.dedup_by(|again, first| again.version == first.version);
        let signed: Vec<bool> = versions.iter().map(VersionView::is_signed).collect();
        let links: Vec<Link<'_>> = versions
            .iter()
            .zip(&signed)
            .map(|(it, complete)| Link { name: &it.version, based_on: &it.based_on, complete: *complete })
            .collect();
        let replaced = replaced(&links);
        for (version, signed) in versions.iter_mut().zip(signed) {
            version.state = match (signed, version.signatures.is_empty()) {
                (true, _) if replaced.contains(&version.version) => VersionState::Superseded,
                (true, _) => VersionState::Active,
                (false, true) => VersionState::Proposed,
                (false, false) => VersionState::PartSigned,
            };
        }
        self.versions = versions;
        self.state = match self.active().count() {
            0 if self.versions.is_empty() => AgreementState::Draft,
            0 if self.versions.iter().any(|version| version.state == VersionState::PartSigned) => {
                AgreementState::PartSigned
            }
            0 => AgreementState::Proposed,
            1 => AgreementState::Active,
            _ => AgreementState::TwoActive,
        };
    }

    /// The versions in force: one, or several that were signed apart.
    pub fn active(&self) -> impl Iterator<Item = &VersionView> {
        self.versions.iter().filter(|version| version.state == VersionState::Active)
    }

    /// The version with this name.
    #[must_use]
    pub fn version(&self, name: FrozenHash) -> Option<&VersionView> {
        let name = name.to_string();
        self.versions.iter().find(|version| version.version == name)
    }

    /// The newest proposal that says what the draft says now: what somebody signs who reads the agreement.
    #[must_use]
    pub fn on_the_table(&self) -> Option<&VersionView> {
        self.versions.iter().rev().find(|version| version.text == self.text)
    }

    /// The value of a protective term that holds: the strictest of what the log says now and what every active version
    /// says (DOMAIN 2.4: while two are active, the stricter).
    #[must_use]
    pub fn in_force(&self, term: ProtectiveTerm) -> Option<ProtectiveValue> {
        let said = self.protective(term).and_then(|it| ProtectiveValue::from_name(term, it.value.as_deref()?));
        said.into_iter().chain(self.active().filter_map(|version| version.value(term))).min_by_key(|value| value.rank())
    }

    /// Whether a review of what is in force is due on a date, which the caller chooses (DOMAIN 2.9, time): the earliest
    /// date of the active versions counts. The version stays in force.
    #[must_use]
    pub fn review_due(&self, as_of: CivilDate) -> bool {
        self.review_dates().min().is_some_and(|due| due <= as_of)
    }

    /// The dates of review of what is in force.
    pub fn review_dates(&self) -> impl Iterator<Item = CivilDate> {
        self.active().filter_map(|version| version.terms.get(TermName::ReviewDue.name())?.parse().ok())
    }

    /// The protective terms as the log has them now: what a proposal freezes.
    pub fn protective_values(&self) -> impl Iterator<Item = ProtectiveValue> {
        self.protective.iter().filter_map(|it| ProtectiveValue::from_name(it.term, it.value.as_deref()?))
    }

    /// The text as it is now.
    #[must_use]
    pub fn text_now(&self) -> AgreementText {
        AgreementText::of(self, self.protective_values())
    }

    /// A proposal of the agreement as it is now, for these parties; `heads` name the state.
    #[must_use]
    pub fn proposal(&self, heads: Vec<u8>, parties: Vec<Party>, language: String, on: CivilDate) -> Proposal {
        let mut parties = parties;
        parties.sort();
        parties.dedup_by_key(|party| party.person);
        let mut based_on: Vec<FrozenHash> = self.active().filter_map(|it| it.version.parse().ok()).collect();
        based_on.sort();
        Proposal {
            form: TEXT_FORM,
            number: self.versions.iter().map(|version| version.number).max().unwrap_or(0).saturating_add(1),
            language,
            on,
            parties,
            based_on,
            protective: self.protective_values().collect(),
            heads,
            frozen: FrozenHash([0; 32]),
        }
        .frozen(self)
    }
}
