//! Signing together (DOMAIN 2.9, 2.10): a text is frozen at a state of its document, and each party signs its hash, once,
//! by whichever of its devices.
//!
//! A frozen text is canonical JSON (RFC 8785: keys in order, no spaces; only strings, whole numbers, lists and objects)
//! and its hash names it. The signature is one of its own, not that of the entry which carries it, so that text,
//! signatures and the space's membership verify alone, without the document (DOMAIN 2.6 row 13).

use std::collections::BTreeSet;

use alliance_wire::hash::{Domain, hash};
use alliance_wire::{DeviceKey, FrozenHash, PersonTag, Signature};
use serde::{Deserialize, Serialize};

use crate::date::CivilDate;
use crate::limits::{LANGUAGE_BYTES_MAX, PARTIES_MAX, TITLE_SCALARS_MAX};
use crate::refusal::{Refusal, RefusalCode};
use crate::text::check_line;

/// Somebody whose signature a frozen text needs, by the name that stands in the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, minicbor::Encode, minicbor::Decode)]
pub struct Party {
    /// Who, in this space.
    #[n(0)]
    pub person: PersonTag,
    /// Its name when the text was frozen.
    #[n(1)]
    pub name: String,
}

/// A person's signature of a frozen text, as it stands in a document.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Cosignature {
    /// What is signed.
    #[n(0)]
    pub frozen: FrozenHash,
    /// Who signs.
    #[n(1)]
    pub person: PersonTag,
    /// On which of the person's devices.
    #[n(2)]
    pub device: DeviceKey,
    /// In which language the person read it: a tag of BCP 47.
    #[n(3)]
    pub language: String,
    /// The date that the person gave.
    #[n(4)]
    pub on: CivilDate,
    /// Ed25519 by the device over [`Cosignature::message`].
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub signature: Signature,
}

impl Cosignature {
    /// What the device signs: `H(Cosignature, frozen (32) ‖ person (16) ‖ device (32) ‖ date as text (10) ‖ language)`.
    #[must_use]
    pub fn message(&self) -> [u8; 32] {
        let on = self.on.to_string();
        let parts = [&self.frozen.0[..], &self.person.0, &self.device.0, on.as_bytes(), self.language.as_bytes()];
        hash(Domain::Cosignature, &parts)
    }

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

/// The hash of a frozen text's canonical bytes.
#[must_use]
pub fn frozen(canonical: &[u8]) -> FrozenHash {
    FrozenHash(hash(Domain::Frozen, &[canonical]))
}

/// The canonical bytes of a text: its fields are declared in the order of their names.
pub(crate) fn canonical(text: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(text).expect("strings, numbers, lists and objects are always JSON")
}

/// A party as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyView {
    /// Its name when the text was frozen.
    pub name: String,
    /// Its tag in the space, in hexadecimal.
    pub person: String,
}

impl From<&Party> for PartyView {
    fn from(party: &Party) -> Self {
        Self { name: party.name.clone(), person: party.person.to_string() }
    }
}

impl PartyView {
    /// The party that is shown so.
    pub(crate) fn party(&self) -> Option<Party> {
        Some(Party { person: self.person.parse().ok()?, name: self.name.clone() })
    }
}

/// A signature as shown: it was verified, and the device was the person's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CosignatureView {
    /// Who signed, by tag.
    pub person: String,
    /// On which device, in hexadecimal.
    pub device: String,
    /// In which language it was read.
    pub language: String,
    /// The date that the person gave.
    pub on: CivilDate,
}

impl From<&Cosignature> for CosignatureView {
    fn from(it: &Cosignature) -> Self {
        let (person, device) = (it.person.to_string(), it.device.to_string());
        Self { person, device, language: it.language.clone(), on: it.on }
    }
}

/// The changes of a state, 32 bytes each, as a view shows them.
pub(crate) fn shown_heads(heads: &[u8]) -> Vec<String> {
    heads.chunks(32).filter_map(|id| Some(FrozenHash::try_from(id).ok()?.to_string())).collect()
}

/// The state that a view shows so.
pub(crate) fn heads_of(shown: &[String]) -> Option<Vec<u8>> {
    let heads: Option<Vec<[u8; 32]>> = shown.iter().map(|id| Some(id.parse::<FrozenHash>().ok()?.0)).collect();
    heads.map(|heads| heads.concat())
}

/// Parties with the signature of each, in their order; of two devices of one person the first that signed.
pub(crate) fn by_party<'a>(
    parties: &'a [PartyView],
    signatures: &'a [CosignatureView],
) -> impl Iterator<Item = (&'a PartyView, Option<&'a CosignatureView>)> {
    parties.iter().map(|party| (party, signatures.iter().find(|it| it.person == party.person)))
}

/// Whether each party has signed; two devices of one person are one signature.
#[must_use]
pub fn is_complete(parties: &[PartyView], signatures: &[CosignatureView]) -> bool {
    parties.iter().all(|party| signatures.iter().any(|signature| signature.person == party.person))
}

/// A text that people sign together, as far as standing needs it.
pub(crate) struct Link<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// The names of those that it is to take the place of.
    pub(crate) based_on: &'a [String],
    /// Whether everybody signed it.
    pub(crate) complete: bool,
}

/// The names of all that complete texts take the place of, directly and through each other.
pub(crate) fn replaced(links: &[Link<'_>]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let complete = links.iter().filter(|link| link.complete);
    let mut open: Vec<&String> = complete.flat_map(|link| link.based_on).collect();
    while let Some(name) = open.pop() {
        if found.insert(name.clone())
            && let Some(earlier) = links.iter().find(|earlier| earlier.name == name)
        {
            open.extend(earlier.based_on);
        }
    }
    found
}

/// Accepts or refuses a further signature of a text that these parties sign and of which `seen` is the text that the
/// signer was shown (DOMAIN 2.10: proposed → signed).
///
/// # Errors
/// `NOT_PARTY`; `STALE_TEXT` (something else was shown); `ALREADY_SIGNED` and `SAME_PERSON_COSIGN` (the person signed, on
/// this device or on another); `DATE_INVALID`, `LANGUAGE_INVALID`.
pub(crate) fn check_signature(
    (parties, signatures): (&[PartyView], &[CosignatureView]),
    (text, seen): (&str, FrozenHash),
    signature: &Cosignature,
) -> Result<(), Refusal> {
    let person = signature.person.to_string();
    if !parties.iter().any(|party| party.person == person) {
        return Err(Refusal::new(RefusalCode::NotParty));
    }
    if seen.to_string() != text {
        return Err(Refusal::new(RefusalCode::StaleText).with("signed", short(text)).with("current", seen.short()));
    }
    let mut own = signatures.iter().filter(|earlier| earlier.person == person).peekable();
    if own.peek().is_some() {
        let here = signature.device.to_string();
        let same = own.any(|earlier| earlier.device == here);
        return Err(Refusal::new(if same { RefusalCode::AlreadySigned } else { RefusalCode::SamePersonCosign }));
    }
    if !signature.on.is_valid() {
        return Err(Refusal::new(RefusalCode::DateInvalid));
    }
    check_language(&signature.language)
}

/// First digits of a hash, for parameters.
#[must_use]
pub fn short(hash: &str) -> &str {
    hash.get(..8).unwrap_or(hash)
}

/// Accepts or refuses the parties of a text: 1 to [`PARTIES_MAX`], in the order of their tags.
pub(crate) fn check_parties(parties: &[Party]) -> Result<(), Refusal> {
    if parties.len() > PARTIES_MAX {
        return Err(Refusal::new(RefusalCode::TooManyItems).with("max", PARTIES_MAX));
    }
    if parties.is_empty() || !parties.is_sorted_by(|one, other| one.person < other.person) {
        return Err(Refusal::new(RefusalCode::NotParty));
    }
    parties.iter().try_for_each(|party| check_line(&party.name, TITLE_SCALARS_MAX))
}

/// Accepts or refuses a language tag (BCP 47: letters, digits and hyphens).
pub(crate) fn check_language(tag: &str) -> Result<(), Refusal> {
    let parts_fit = tag.split('-').all(|part| (1..=8).contains(&part.len()));
    let letters = tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if letters && parts_fit && tag.len() <= LANGUAGE_BYTES_MAX {
        Ok(())
    } else {
        Err(Refusal::new(RefusalCode::LanguageInvalid))
    }
}
