//! Versions of an agreement as its document holds them: proposals that name a state, and signatures of their text.

use std::collections::BTreeMap;

use alliance_model::agreement::{AgreementText, Proposal, TEXT_FORM, VersionView};
use alliance_model::decision::trail::hexadecimal;
use alliance_model::{AgreementView, Cosignature, CosignatureView};
use alliance_wire::FrozenHash;
use automerge::{ChangeHash, ObjId};

use super::words;
use crate::schema::frozen::named;
use crate::schema::genesis_object;
use crate::schema::parts::{self, Authors};
use crate::schema::read::{At, Whole, WordsAt};

/// The versions that are what they say: the text in the state that a proposal names has the hash that it names, and
/// the proposal builds on that state. Every replica that has the proposal comes to the same answer.
pub(super) fn versions(
    document: &impl Whole,
    id: &str,
    authors: &mut Authors<'_>,
    verifies: &dyn Fn(&Cosignature) -> bool,
) -> Vec<VersionView> {
    let proposals = parts::log_entries(document, &genesis_object(super::versions_log()));
    if proposals.is_empty() {
        return Vec::new();
    }
    let mut signed = signatures(document, verifies);
    let mut versions = Vec::new();
    for (operation, op, bytes) in &proposals {
        let Some((proposal, words)) = proposed(document, operation, bytes, id) else { continue };
        let text = AgreementText::of(&words, proposal.protective.iter().copied());
        let mut version = text.version(*op, &proposal, authors.of(operation));
        // A signature of somebody who is no party says nothing.
        let mut of = signed.remove(&version.version).unwrap_or_default();
        of.retain(|(it, _)| version.parties.iter().any(|party| party.person == it.person));
        (version.signatures, version.proofs) = of.into_iter().unzip();
        versions.push(version);
    }
    versions
}

/// A proposal and the agreement's words in the state that it names, if it is what it says.
fn proposed(document: &impl Whole, operation: &ObjId, bytes: &[u8], id: &str) -> Option<(Proposal, AgreementView)> {
    let proposal = Proposal::parse(bytes).filter(|proposal| proposal.form == TEXT_FORM)?;
    let hashes = named(document, &proposal.heads, operation)?;
    let words = words_at(document, &hashes, id);
    (proposal.clone().frozen(&words).frozen == proposal.frozen).then_some((proposal, words))
}

/// The canonical text of the version with this name.
pub(crate) fn version_text(document: &impl Whole, id: &str, version: FrozenHash) -> Option<Vec<u8>> {
    let proposals = parts::log_entries(document, &genesis_object(super::versions_log()));
    let mut proposed = proposals.iter().filter_map(|(operation, _, bytes)| proposed(document, operation, bytes, id));
    proposed.find(|(proposal, _)| proposal.frozen == version).map(|(proposal, words)| proposal.canonical(&words))
}

fn words_at(document: &impl Whole, hashes: &[ChangeHash], id: &str) -> AgreementView {
    let then = WordsAt(At { document: document.automerge(), heads: hashes });
    words(&then, id.to_owned(), &mut Authors::new(&|_| String::new()))
}

/// The signatures that verify, by what they sign; the same one twice is one.
fn signatures(
    document: &impl Whole,
    verifies: &dyn Fn(&Cosignature) -> bool,
) -> BTreeMap<String, Vec<(CosignatureView, String)>> {
    let mut signed: BTreeMap<String, Vec<(CosignatureView, String)>> = BTreeMap::new();
    for (_, _, bytes) in parts::log_entries(document, &genesis_object(super::signatures_log())) {
        let Some(signature) = Cosignature::parse(&bytes).filter(verifies) else {
            continue;
        };
        let of = signed.entry(signature.frozen.to_string()).or_default();
        let view = CosignatureView::from(&signature);
        if !of.iter().any(|(known, _)| *known == view) {
            of.push((view, hexadecimal(&signature.signature)));
        }
    }
    for of in signed.values_mut() {
        of.sort_by(|(one, _), (other, _)| {
            (one.on, &one.person, &one.device).cmp(&(other.on, &other.person, &other.device))
        });
    }
    signed
}
