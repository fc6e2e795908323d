//! What of a form people sign together, and the file of it that stands alone.

use std::collections::BTreeMap;

use alliance_wire::FrozenHash;
use serde::{Deserialize, Serialize};

use super::FormView;
use crate::cosign::{
    Cosignature, CosignatureView, Party, PartyView, by_party, canonical, frozen, heads_of, is_complete, shown_heads,
};
use crate::decision::trail::bytes64;
use crate::kind::ItemId;
use crate::limits::SIGNED_BYTES_MAX;

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

    /// The file of what all have signed: it says by itself what they did ([`SignedForm::prove`]).
    #[must_use]
    pub fn signed_file(&self) -> Option<SignedForm> {
        let seal = self.agreed()?;
        let text = String::from_utf8(seal.sealing()?.canonical(self, &seal.words)).ok()?;
        let signed = seal.signatures.iter().zip(&seal.proofs);
        let signatures = signed.map(|(by, signature)| Signatory {
            device: by.device.clone(),
            language: by.language.clone(),
            on: by.on,
            person: by.person.clone(),
            signature: signature.clone(),
        });
        Some(SignedForm { signatures: signatures.collect(), text })
    }
}

/// Who signed a text that stands alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signatory {
    /// On which device: its key, in hexadecimal.
    pub device: String,
    /// In which language the person read it.
    pub language: String,
    /// The date that the person gave.
    pub on: crate::date::CivilDate,
    /// Who, by tag.
    pub person: String,
    /// Ed25519 over [`Cosignature::message`], in hexadecimal.
    pub signature: String,
}

/// A signed form as a file: JSON, its fields in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedForm {
    /// Who signed it.
    pub signatures: Vec<Signatory>,
    /// What they signed: canonical JSON, letter for letter.
    pub text: String,
}

/// Why a file is no signed form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignedFormError {
    /// It is longer than such a file may be.
    #[error("the file is too long")]
    TooLong,
    /// It is no such file.
    #[error("the file is no signed text")]
    NotOne,
    /// A signature is of another text, or not by the device that it names.
    #[error("a signature is not of this text")]
    Signature,
    /// Somebody who has to has not signed it.
    #[error("not all have signed it")]
    NotAll,
}

/// What a signed file proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProvedForm {
    /// The document that it was.
    pub document: String,
    /// Its kind.
    pub kind: String,
    /// Its name: the hash of what they signed.
    pub name: String,
    /// Who signed it.
    pub parties: Vec<PartyView>,
    /// What it says.
    pub words: FormText,
}

impl SignedForm {
    /// Reads a file.
    ///
    /// # Errors
    /// [`SignedFormError`]; nothing is allocated beyond what the file's length allows.
    pub fn parse(bytes: &[u8]) -> Result<Self, SignedFormError> {
        if bytes.len() > SIGNED_BYTES_MAX {
            return Err(SignedFormError::TooLong);
        }
        serde_json::from_slice(bytes).map_err(|_| SignedFormError::NotOne)
    }

    /// The file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        canonical(self)
    }

    /// What it proves with nothing else at hand: these words were signed by each of the persons whom they name, on the
    /// devices that are named. That a device is a person's stands in the space's membership, which is not in the file.
    ///
    /// # Errors
    /// [`SignedFormError`].
    pub fn prove(&self, verifies: impl Fn(&Cosignature) -> bool) -> Result<ProvedForm, SignedFormError> {
        let said: CanonicalForm = serde_json::from_str(&self.text).map_err(|_| SignedFormError::NotOne)?;
        if said.form != FORM_TEXT || canonical(&said) != self.text.as_bytes() {
            return Err(SignedFormError::NotOne);
        }
        let name = frozen(self.text.as_bytes());
        let mut signed = Vec::new();
        for it in &self.signatures {
            let signature = it.of(name).ok_or(SignedFormError::NotOne)?;
            if !verifies(&signature) {
                return Err(SignedFormError::Signature);
            }
            signed.push(CosignatureView::from(&signature));
        }
        if said.parties.is_empty() || !is_complete(&said.parties, &signed) {
            return Err(SignedFormError::NotAll);
        }
        let CanonicalForm { document, kind, parties, text: words, .. } = said;
        Ok(ProvedForm { document, kind, name: name.to_string(), parties, words })
    }
}

impl Signatory {
    fn of(&self, frozen: FrozenHash) -> Option<Cosignature> {
        Some(Cosignature {
            frozen,
            person: self.person.parse().ok()?,
            device: self.device.parse().ok()?,
            language: self.language.clone(),
            on: self.on,
            signature: bytes64(&self.signature)?,
        })
    }
}
