//! What of a decision is sealed, and by whom.

use alliance_wire::{DocumentId, FrozenHash};
use serde::{Deserialize, Serialize};

use super::{DecisionList, DecisionState, DecisionView};
use crate::cosign::{
    Cosignature, CosignatureView, Party, PartyView, by_party, canonical, frozen, heads_of, is_complete, shown_heads,
};
use crate::kind::ItemId;

/// The form of canonical text that this version of the program writes.
pub const DECISION_FORM: u8 = 1;

/// What a decision says, without who wrote which letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionText {
    /// What was said to it from the side of ethics.
    pub checks: Vec<CheckText>,
    /// What was chosen.
    pub choice: String,
    /// The codes that were weighed.
    pub codes: Vec<PartText>,
    /// Whether it is an ethical decision.
    pub ethical: bool,
    /// Whose it is, by tag.
    pub maker: String,
    /// What could have been chosen.
    pub options: Vec<PartText>,
    /// What was to be decided.
    pub question: String,
    /// Why it was decided so.
    pub rationale: String,
    /// The session in which it was talked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// Something listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartText {
    /// Its id.
    pub id: ItemId,
    /// Its words.
    pub text: String,
}

/// An ethics check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckText {
    /// Who, by tag.
    pub person: String,
    /// What was said.
    pub text: String,
}

impl DecisionText {
    /// The text of a decision as shown.
    #[must_use]
    pub fn of(view: &DecisionView) -> Self {
        let list = |list: DecisionList| {
            let parts = view.list(list).filter(|part| !part.text.text.is_empty());
            parts.map(|part| PartText { id: part.id, text: part.text.text.clone() }).collect()
        };
        let checks = view.checks.iter();
        Self {
            checks: checks.map(|it| CheckText { person: it.person.clone(), text: it.text.clone() }).collect(),
            choice: view.choice.text.clone(),
            codes: list(DecisionList::Code),
            ethical: view.ethical,
            maker: view.maker.clone().unwrap_or_default(),
            options: list(DecisionList::Option),
            question: view.question.text.clone(),
            rationale: view.rationale.text.clone(),
            session: view.session.clone(),
        }
    }

    /// Its hash: what somebody who seals says to have been shown.
    #[must_use]
    pub fn hash(&self) -> FrozenHash {
        frozen(&canonical(self))
    }
}

/// The text of a decision at a state, for those who seal it.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Sealing {
    /// The form of the canonical text: [`DECISION_FORM`].
    #[n(0)]
    pub form: u8,
    /// Who seals it, in the order of their tags: whose it is, and who checked it.
    #[n(1)]
    pub parties: Vec<Party>,
    /// The sealed decisions of the space that no other sealed one names, in order: the trail goes on from them.
    #[n(2)]
    pub previous: Vec<FrozenHash>,
    /// The state of the document: ids of changes, 32 bytes each.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub heads: Vec<u8>,
    /// The hash of the canonical text: its name.
    #[n(4)]
    pub frozen: FrozenHash,
}

/// Fields stand in the order of their names: this is what people sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CanonicalDecision {
    pub(super) decision: String,
    pub(super) form: u8,
    pub(super) parties: Vec<PartyView>,
    pub(super) previous: Vec<String>,
    pub(super) text: DecisionText,
}

impl Sealing {
    /// What people sign: the canonical bytes of decision, persons, trail and text.
    /// [`cosign::frozen`](crate::cosign::frozen) of them is its name.
    #[must_use]
    pub fn canonical(&self, decision: &str, text: &DecisionText) -> Vec<u8> {
        canonical(&CanonicalDecision {
            decision: decision.to_owned(),
            form: self.form,
            parties: self.parties.iter().map(PartyView::from).collect(),
            previous: self.previous.iter().map(ToString::to_string).collect(),
            text: text.clone(),
        })
    }

    /// The hash that it has if it is of this text of this decision.
    #[must_use]
    pub fn hash_of(&self, decision: &str, text: &DecisionText) -> FrozenHash {
        frozen(&self.canonical(decision, text))
    }

    /// What a view shows of it.
    #[must_use]
    pub fn view(&self, op: ItemId, text: DecisionText) -> SealView {
        SealView {
            op,
            name: self.frozen.to_string(),
            text: text.hash().to_string(),
            heads: shown_heads(&self.heads),
            parties: self.parties.iter().map(PartyView::from).collect(),
            previous: self.previous.iter().map(ToString::to_string).collect(),
            signatures: Vec::new(),
            proofs: Vec::new(),
            complete: false,
            words: text,
        }
    }
}

/// A seal, as it stands in a document: what is sealed, and whose signature that is.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Sealed {
    /// What is sealed.
    #[n(0)]
    pub sealing: Sealing,
    /// The signature of its hash.
    #[n(1)]
    pub signature: Cosignature,
}

impl Sealed {
    /// Reads what stands in a log; `None` if it is no seal.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        alliance_wire::decode(bytes).ok()
    }

    /// What stands in a log.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        alliance_wire::encode(self)
    }
}

/// What somebody sealed, as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealView {
    /// The id of its first seal in the log.
    pub op: ItemId,
    /// Its name: the hash of what people sign, in hexadecimal.
    pub name: String,
    /// The hash of its text alone, to compare with [`DecisionView::text`].
    pub text: String,
    /// The state of the document that it names: ids of changes.
    pub heads: Vec<String>,
    /// Who has to seal it.
    pub parties: Vec<PartyView>,
    /// The sealed decisions before it.
    pub previous: Vec<String>,
    /// Who sealed it.
    pub signatures: Vec<CosignatureView>,
    /// The signatures themselves, in hexadecimal, in the same order.
    pub proofs: Vec<String>,
    /// Whether everybody has who has to.
    pub complete: bool,
    /// What it says.
    pub words: DecisionText,
}

impl SealView {
    /// Those who have to seal it with the signature of each, in their order.
    pub fn by_party(&self) -> impl Iterator<Item = (&PartyView, Option<&CosignatureView>)> {
        by_party(&self.parties, &self.signatures)
    }

    /// What a further signature of it names.
    #[must_use]
    pub fn sealing(&self) -> Option<Sealing> {
        Some(Sealing {
            form: DECISION_FORM,
            parties: self.parties.iter().map(PartyView::party).collect::<Option<_>>()?,
            previous: self.previous.iter().map(|name| name.parse().ok()).collect::<Option<_>>()?,
            heads: heads_of(&self.heads)?,
            frozen: self.name.parse().ok()?,
        })
    }

    /// What people signed, word for word.
    #[must_use]
    pub fn canonical(&self, decision: DocumentId) -> Option<Vec<u8>> {
        Some(self.sealing()?.canonical(&decision.to_string(), &self.words))
    }
}

impl DecisionView {
    /// Takes up what was sealed, and says where the decision stands.
    pub fn settle(&mut self, mut seals: Vec<SealView>) {
        for seal in &mut seals {
            seal.complete = is_complete(&seal.parties, &seal.signatures);
        }
        let here = |seal: &SealView| seal.text == self.text;
        self.state = if seals.iter().any(|seal| seal.complete) {
            DecisionState::Sealed
        } else if seals.iter().any(here) {
            DecisionState::SealedBySome
        } else {
            DecisionState::Draft
        };
        self.seals = seals;
    }

    /// What is sealed for good: what is shown, and the name that later decisions give.
    #[must_use]
    pub fn sealed(&self) -> Option<&SealView> {
        self.seals.iter().find(|seal| seal.complete)
    }

    /// What somebody seals who was shown a text: what another has sealed already, else the decision as it is, whose state
    /// `heads` name. Nothing if neither says what was shown.
    #[must_use]
    pub fn sealing(
        &self,
        seen: FrozenHash,
        heads: Vec<u8>,
        mut parties: Vec<Party>,
        mut previous: Vec<FrozenHash>,
    ) -> Option<Sealing> {
        let shown = seen.to_string();
        if let Some(known) = self.seals.iter().rev().find(|seal| seal.text == shown) {
            return known.sealing();
        }
        if self.text != shown {
            return None;
        }
        parties.sort();
        parties.dedup_by_key(|party| party.person);
        previous.sort();
        previous.dedup();
        let mut sealing = Sealing { form: DECISION_FORM, parties, previous, heads, frozen: FrozenHash([0; 32]) };
        sealing.frozen = sealing.hash_of(&self.document, &DecisionText::of(self));
        Some(sealing)
    }

    /// Whom a seal needs: whose it is, and everybody who checked it.
    pub fn needed(&self) -> impl Iterator<Item = &str> {
        self.maker.as_deref().into_iter().chain(self.checks.iter().map(|check| check.person.as_str()))
    }
}
