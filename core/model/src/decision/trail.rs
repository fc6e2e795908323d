//! The trail of sealed decisions (C10): a file that says what was decided and why, and proves it to somebody who has
//! nothing else.
//!
//! It holds each decision word for word as people signed it, and the signatures. A decision names the sealed ones before
//! it, so that none can be left out between two without a gap that shows. What the file cannot prove is whose a device
//! is: it names keys, and people compare them with those that a person shows.

use std::collections::{BTreeMap, BTreeSet};

use alliance_wire::{DocumentId, FrozenHash, PersonTag};
use serde::{Deserialize, Serialize};

use super::seal::CanonicalDecision;
use super::{DECISION_FORM, DecisionText, DecisionView};
use crate::cosign::{Cosignature, PartyView, canonical, frozen};
use crate::date::CivilDate;
use crate::kind::is_decision_of;

/// Bytes of a trail that is read.
pub const TRAIL_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A trail, as its file holds it: JSON, its fields in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trail {
    /// The decisions, those that another names before it.
    pub decisions: Vec<TrailDecision>,
    /// What the file is.
    pub trail: u8,
}

/// A sealed decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrailDecision {
    /// Its id.
    pub decision: String,
    /// Its name: the hash of what people signed.
    pub name: String,
    /// Who had to seal it.
    pub parties: Vec<PartyView>,
    /// The names of the sealed decisions before it.
    pub previous: Vec<String>,
    /// Who sealed it.
    pub signatures: Vec<TrailSignature>,
    /// What it says.
    pub text: DecisionText,
}

/// A signature in a trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrailSignature {
    /// On which device: its key, in hexadecimal.
    pub device: String,
    /// In which language it was read.
    pub language: String,
    /// The date that the person gave.
    pub on: CivilDate,
    /// Who, by tag.
    pub person: String,
    /// Ed25519 over [`Cosignature::message`], in hexadecimal.
    pub signature: String,
}

/// Why a trail proves nothing. What it is about is the decision's id, as the file says it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrailError {
    /// It is no trail, or one of another version.
    #[error("this is no trail of decisions that this version reads")]
    Format,
    /// The name is not that of the text.
    #[error("decision {0} says something else than what was signed")]
    Text(String),
    /// It is not of whom it says, or they did not have to sign it.
    #[error("decision {0} is not of the person whom it names")]
    Maker(String),
    /// Somebody who had to has not signed it.
    #[error("decision {0} lacks a signature")]
    Unsigned(String),
    /// A signature does not verify.
    #[error("decision {0} has a signature that does not verify")]
    Signature(String),
    /// It stands twice, or before one that it names.
    #[error("decision {0} is not in its place")]
    Order(String),
}

/// What a trail proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// How many decisions.
    pub decisions: usize,
    /// Names of decisions that one of these goes on from and that are not in the file.
    pub missing: Vec<String>,
    /// The keys of the devices that signed for each person: what to compare with those that the person shows.
    pub devices: BTreeMap<String, BTreeSet<String>>,
}

impl Trail {
    const FORMAT: u8 = 1;

    /// The trail of decisions as shown; those that are not sealed are left out.
    #[must_use]
    pub fn of(views: &[DecisionView]) -> Self {
        let sealed = views.iter().filter_map(|view| Some((view, view.sealed()?)));
        let mut open: Vec<TrailDecision> = sealed
            .map(|(view, seal)| TrailDecision {
                decision: view.document.clone(),
                name: seal.name.clone(),
                parties: seal.parties.clone(),
                previous: seal.previous.clone(),
                signatures: signatures(seal),
                text: seal.words.clone(),
            })
            .collect();
        open.sort_by(|one, other| one.name.cmp(&other.name));
        let mut decisions: Vec<TrailDecision> = Vec::with_capacity(open.len());
        // Names are hashes of what they name, so that none comes before itself.
        while !open.is_empty() {
            let names: BTreeSet<String> = open.iter().map(|it| it.name.clone()).collect();
            let (ready, later): (Vec<_>, Vec<_>) =
                open.into_iter().partition(|it| it.previous.iter().all(|name| !names.contains(name)));
            if ready.is_empty() {
                break;
            }
            decisions.extend(ready);
            open = later;
        }
        Self { decisions, trail: Self::FORMAT }
    }

    /// The file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        canonical(self)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`TrailError::Format`].
    pub fn parse(bytes: &[u8]) -> Result<Self, TrailError> {
        if bytes.len() > TRAIL_BYTES_MAX {
            return Err(TrailError::Format);
        }
        let trail: Self = serde_json::from_slice(bytes).map_err(|_| TrailError::Format)?;
        if trail.trail == Self::FORMAT { Ok(trail) } else { Err(TrailError::Format) }
    }

    /// What it proves, with nothing but itself. `verifies` says whether a signature is its device's.
    ///
    /// # Errors
    /// [`TrailError`], at the first decision that is not what it says.
    pub fn prove(&self, verifies: impl Fn(&Cosignature) -> bool) -> Result<Proof, TrailError> {
        let (mut seen, mut named) = (BTreeSet::new(), BTreeSet::new());
        let mut devices: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for it in &self.decisions {
            let about = || it.decision.clone();
            if it.frozen() != it.name.parse().ok() {
                return Err(TrailError::Text(about()));
            }
            for signature in &it.signatures {
                let whole = it.cosignature(signature).ok_or_else(|| TrailError::Signature(about()))?;
                if !verifies(&whole) {
                    return Err(TrailError::Signature(about()));
                }
                devices.entry(signature.person.clone()).or_default().insert(signature.device.clone());
            }
            if !it.is_makers() {
                return Err(TrailError::Maker(about()));
            }
            let signed = |party: &PartyView| it.signatures.iter().any(|signature| signature.person == party.person);
            if it.parties.is_empty() || !it.parties.iter().all(signed) {
                return Err(TrailError::Unsigned(about()));
            }
            if named.contains(&it.name) || !seen.insert(it.name.clone()) {
                return Err(TrailError::Order(about()));
            }
            named.extend(it.previous.iter().filter(|name| !seen.contains(*name)).cloned());
        }
        let missing = named.into_iter().filter(|name| !seen.contains(name)).collect();
        Ok(Proof { decisions: seen.len(), missing, devices })
    }
}

fn signatures(seal: &super::SealView) -> Vec<TrailSignature> {
    let each = seal.signatures.iter().zip(&seal.proofs);
    each.map(|(it, proof)| TrailSignature {
        device: it.device.clone(),
        language: it.language.clone(),
        on: it.on,
        person: it.person.clone(),
        signature: proof.clone(),
    })
    .collect()
}

impl TrailDecision {
    /// Whether its id says whose it is, and that person is one of those who sign.
    fn is_makers(&self) -> bool {
        let whose = self.text.maker.parse::<PersonTag>().ok().zip(self.decision.parse::<DocumentId>().ok());
        let is_party = self.parties.iter().any(|party| party.person == self.text.maker);
        is_party && whose.is_some_and(|(person, id)| is_decision_of(&id, &person))
    }

    /// The name that it has if it says this.
    fn frozen(&self) -> Option<FrozenHash> {
        let id: DocumentId = self.decision.parse().ok()?;
        let whole = CanonicalDecision {
            decision: id.to_string(),
            form: DECISION_FORM,
            parties: self.parties.clone(),
            previous: self.previous.clone(),
            text: self.text.clone(),
        };
        Some(frozen(&canonical(&whole)))
    }

    fn cosignature(&self, it: &TrailSignature) -> Option<Cosignature> {
        Some(Cosignature {
            frozen: self.name.parse().ok()?,
            person: it.person.parse().ok()?,
            device: it.device.parse().ok()?,
            language: it.language.clone(),
            on: it.on,
            signature: bytes64(&it.signature)?,
        })
    }
}

/// 64 bytes in hexadecimal.
pub(crate) fn bytes64(text: &str) -> Option<[u8; 64]> {
    let (first, second) = text.split_at_checked(64)?;
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&first.parse::<FrozenHash>().ok()?.0);
    bytes[32..].copy_from_slice(&second.parse::<FrozenHash>().ok()?.0);
    Some(bytes)
}

/// A signature in hexadecimal.
#[must_use]
pub fn hexadecimal(signature: &[u8; 64]) -> String {
    signature.iter().map(|byte| format!("{byte:02x}")).collect()
}
