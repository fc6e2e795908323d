//! What of a form people sign together, and the file of it that stands alone.

use std::collections::BTreeMap;

use alliance_wire::FrozenHash;
use serde::{Deserialize, Serialize};

use super::FormView;
use crate::cosign::{
    Cosignature, CosignatureView, Party, PartyView, by_party, canonical, frozen, heads_of, is_complete, shown_heads,
};
use crate::kind::ItemId;
use crate::signed::SignedText;

/// The form of canonical text that this version of the program writes.
pub const FORM_TEXT: u8 = 1;

/// What a form says, without who wrote which letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormText {
    /// Fields with the value that counts.
    pub fields: BTreeMap<String, String>,
    /// Items, in order.
    pub items: Vec<ItemText>,
    /// Sets that hold something.
    pub sets: BTreeMap<String, Vec<String>>,
    /// Texts that say something.
    pub texts: BTreeMap<String, String>,
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemText {
    /// Its fields.
    pub fields: BTreeMap<String, String>,
    /// Its id.
    pub id: ItemId,
    /// Its list.
    pub list: String,
    /// Whose it is, by tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Its words.
    pub text: String,
}

impl FormText {
    /// The text of a form as shown.
    #[must_use]
    pub fn of(view: &FormView) -> Self {
        let values = |fields: &[super::FormFieldView]| -> BTreeMap<String, String> {
            let first = fields.iter().filter_map(|it| Some((it.field.clone(), it.values.first()?.value.clone())));
            first.collect()
        };
        let said = view.texts.iter().filter(|it| !it.text.text.is_empty());
        Self {
            fields: values(&view.fields),
            items: view
                .items
                .iter()
                .map(|item| ItemText {
                    fields: values(&item.fields),
                    id: item.id,
                    list: item.list.clone(),
                    person: item.person.clone(),
                    text: item.text.text.clone(),
                })
                .collect(),
            sets: view.sets.iter().map(|set| (set.name.clone(), set.values.clone())).collect(),
            texts: said.map(|it| (it.name.clone(), it.text.text.clone())).collect(),
        }
    }

    /// Its hash: what somebody who signs says to have been shown.
    #[must_use]
    pub fn hash(&self) -> FrozenHash {
        frozen(&canonical(self))
    }
}

/// The text of a form at a state, for those who sign it.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct FormSealing {
    /// The form of the canonical text: [`FORM_TEXT`].
    #[n(0)]
    pub form: u8,
    /// Who signs it, in the order of their tags.
    #[n(1)]
    pub parties: Vec<Party>,
    /// The state of the document: ids of changes, 32 bytes each.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub heads: Vec<u8>,
    /// The hash of the canonical text: its name.
    #[n(3)]
    pub frozen: FrozenHash,
}

/// Fields stand in the order of their names: this is what people sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CanonicalForm {
    document: String,
    form: u8,
    kind: String,
    parties: Vec<PartyView>,
    text: FormText,
}

impl FormSealing {
    /// What people sign: the canonical bytes of kind, document, persons and text.
    /// [`cosign::frozen`](crate::cosign::frozen) of them is its name.
    #[must_use]
    pub fn canonical(&self, view: &FormView, text: &FormText) -> Vec<u8> {
        canonical(&CanonicalForm {
            document: view.document.clone(),
            form: self.form,
            kind: view.kind.name().to_owned(),
            parties: self.parties.iter().map(PartyView::from).collect(),
            text: text.clone(),
        })
    }

    /// What a view shows of it.
    #[must_use]
    pub fn view(&self, op: ItemId, words: FormText) -> FormSealView {
        FormSealView {
            op,
            name: self.frozen.to_string(),
            text: words.hash().to_string(),
            heads: shown_heads(&self.heads),
            parties: self.parties.iter().map(PartyView::from).collect(),
            signatures: Vec::new(),
            proofs: Vec::new(),
            complete: false,
            words,
        }
    }
}

/// A signature, as it stands in a document.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct FormSeal {
    /// What is signed.
    #[n(0)]
    pub sealing: FormSealing,
    /// By whom.
    #[n(1)]
    pub signature: Cosignature,
}

impl FormSeal {
    /// Reads what stands in a log; `None` if it is no signature.
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

/// What somebody signed, as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormSealView {
    /// The id of its first signature in the log.
    pub op: ItemId,
    /// Its name: the hash of what people sign, in hexadecimal.
    pub name: String,
    /// The hash of its text alone, to compare with [`FormView::text`].
    pub text: String,
    /// The state of the document that it names: ids of changes.
    pub heads: Vec<String>,
    /// Who signs it.
    pub parties: Vec<PartyView>,
    /// Who signed it.
    pub signatures: Vec<CosignatureView>,
    /// The signatures themselves, in hexadecimal, in the same order.
    pub proofs: Vec<String>,
    /// Whether everybody has who has to.
    pub complete: bool,
    /// What it says.
    pub words: FormText,
}

impl FormSealView {
    /// Those who sign it with the signature of each, in their order.
    pub fn by_party(&self) -> impl Iterator<Item = (&PartyView, Option<&CosignatureView>)> {
        by_party(&self.parties, &self.signatures)
    }

    /// What a further signature of it names.
    #[must_use]
    pub fn sealing(&self) -> Option<FormSealing> {
        Some(FormSealing {
            form: FORM_TEXT,
            parties: self.parties.iter().map(PartyView::party).collect::<Option<_>>()?,
            heads: heads_of(&self.heads)?,
            frozen: self.name.parse().ok()?,
        })
    }
}

impl FormView {
    /// Takes up what was signed.
    pub fn settle(&mut self, mut seals: Vec<FormSealView>) {
        for seal in &mut seals {
            seal.complete = is_complete(&seal.parties, &seal.signatures);
        }
        self.signed = seals.iter().any(|seal| seal.complete);
        self.seals = seals;
    }

    /// What all have signed who sign it; of two that were signed apart the first.
    #[must_use]
    pub fn agreed(&self) -> Option<&FormSealView> {
        self.seals.iter().find(|seal| seal.complete)
    }

    /// What somebody signs who was shown a text: what another has signed already, else the form as it is, whose state
    /// `heads` name. Nothing if neither says what was shown.
    #[must_use]
    pub fn sealing(&self, seen: FrozenHash, heads: Vec<u8>, mut parties: Vec<Party>) -> Option<FormSealing> {
        let shown = seen.to_string();
        if let Some(known) = self.seals.iter().rev().find(|seal| seal.text == shown) {
            return known.sealing();
        }
        if self.text != shown {
            return None;
        }
        parties.sort();
        parties.dedup_by_key(|party| party.person);
        let mut sealing = FormSealing { form: FORM_TEXT, parties, heads, frozen: FrozenHash([0; 32]) };
        sealing.frozen = frozen(&sealing.canonical(self, &FormText::of(self)));
        Some(sealing)
    }

    /// The file of what all have signed: it says by itself what they did ([`SignedText::prove`]).
    #[must_use]
    pub fn signed_file(&self) -> Option<SignedText> {
        let seal = self.agreed()?;
        let text = String::from_utf8(seal.sealing()?.canonical(self, &seal.words)).ok()?;
        Some(SignedText::new(text, &seal.signatures, &seal.proofs))
    }
}
