//! Texts that people signed, as files that stand alone (DOMAIN 2.6 row 13): versions of agreements, and forms.
//!
//! The file holds the canonical text letter for letter and a signature of each party. Who holds it needs nothing else to
//! know that these words were signed on these devices; whose a device is stands in the space's membership.

use alliance_wire::FrozenHash;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cosign::{Cosignature, CosignatureView, PartyView, canonical, frozen, is_complete};
use crate::decision::trail::bytes64;
use crate::form::FormText;
use crate::limits::SIGNED_BYTES_MAX;

/// What a version of an agreement is called where other texts say their kind.
const AGREEMENT: &str = "agreement";

/// Who signed a text.
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

/// A signed text as a file: JSON, its fields in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedText {
    /// Who signed it.
    pub signatures: Vec<Signatory>,
    /// What they signed: canonical JSON, letter for letter.
    pub text: String,
}

/// Why a file is no signed text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignedTextError {
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
pub struct ProvedText {
    /// The document that it was.
    pub document: String,
    /// Its kind.
    pub kind: String,
    /// Its name: the hash of what they signed.
    pub name: String,
    /// Who signed it.
    pub parties: Vec<PartyView>,
    /// What a form says; nothing of an agreement.
    pub words: FormText,
    /// All that they signed.
    pub text: Value,
}

/// What every signed text says of itself.
#[derive(Deserialize)]
struct Head {
    /// Of a version of an agreement.
    agreement: Option<String>,
    /// Of a form, with its kind.
    document: Option<String>,
    kind: Option<String>,
    form: u8,
    parties: Vec<PartyView>,
}

impl SignedText {
    /// A text with signatures, as views show them.
    #[must_use]
    pub fn new(text: String, signatures: &[CosignatureView], proofs: &[String]) -> Self {
        let signatures = signatures.iter().zip(proofs).map(|(by, signature)| Signatory {
            device: by.device.clone(),
            language: by.language.clone(),
            on: by.on,
            person: by.person.clone(),
            signature: signature.clone(),
        });
        Self { signatures: signatures.collect(), text }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`SignedTextError`]; nothing is allocated beyond what the file's length allows.
    pub fn parse(bytes: &[u8]) -> Result<Self, SignedTextError> {
        if bytes.len() > SIGNED_BYTES_MAX {
            return Err(SignedTextError::TooLong);
        }
        serde_json::from_slice(bytes).map_err(|_| SignedTextError::NotOne)
    }

    /// The file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        canonical(self)
    }

    /// What it proves with nothing else at hand: these words were signed by each of the persons whom they name, on the
    /// devices that are named.
    ///
    /// # Errors
    /// [`SignedTextError`].
    pub fn prove(&self, verifies: impl Fn(&Cosignature) -> bool) -> Result<ProvedText, SignedTextError> {
        let text: Value = serde_json::from_str(&self.text).map_err(|_| SignedTextError::NotOne)?;
        let head = Head::deserialize(&text).map_err(|_| SignedTextError::NotOne)?;
        if head.form != crate::form::FORM_TEXT || canonical(&text) != self.text.as_bytes() {
            return Err(SignedTextError::NotOne);
        }
        let (document, kind, words) = match (head.agreement, head.document, head.kind) {
            (Some(agreement), None, None) => (agreement, AGREEMENT.to_owned(), FormText::default()),
            (None, Some(document), Some(kind)) if kind != AGREEMENT => {
                let words = text.get("text").map(FormText::deserialize).and_then(Result::ok);
                (document, kind, words.ok_or(SignedTextError::NotOne)?)
            }
            _ => return Err(SignedTextError::NotOne),
        };
        let name = frozen(self.text.as_bytes());
        let mut signed = Vec::new();
        for it in &self.signatures {
            let signature = it.of(name).ok_or(SignedTextError::NotOne)?;
            if !verifies(&signature) {
                return Err(SignedTextError::Signature);
            }
            signed.push(CosignatureView::from(&signature));
        }
        if head.parties.is_empty() || !is_complete(&head.parties, &signed) {
            return Err(SignedTextError::NotAll);
        }
        Ok(ProvedText { document, kind, name: name.to_string(), parties: head.parties, words, text })
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
