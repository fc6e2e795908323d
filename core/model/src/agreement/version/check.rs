//! Whether a proposal or a signature fits the agreement that its author saw.

use alliance_wire::FrozenHash;

use super::{MANDATORY, Proposal};
use crate::agreement::{AgreementView, ClauseSection, TermName};
use crate::cosign::{Cosignature, check_language, check_parties, check_signature};
use crate::kind::ItemId;
use crate::limits::{HEADS_MAX, VERSIONS_MAX};
use crate::refusal::{Refusal, RefusalCode};

/// Accepts or refuses a proposal (DOMAIN 2.10: draft → proposed).
pub(in crate::agreement) fn check_proposal(
    view: &AgreementView,
    op: ItemId,
    proposal: &Proposal,
) -> Result<(), Refusal> {
    if view.versions.iter().any(|version| version.op == op) {
        return Err(Refusal::new(RefusalCode::ItemExists).with("item", op));
    }
    if view.versions.len() >= VERSIONS_MAX {
        return Err(Refusal::new(RefusalCode::TooManyItems).with("max", VERSIONS_MAX));
    }
    if let Some(conflict) = view.conflicts.first() {
        return Err(Refusal::new(RefusalCode::NeedsChoice).with("field", &conflict.field));
    }
    let says = |section: ClauseSection| {
        view.clauses.iter().any(|it| it.section == Some(section) && !it.text.text.trim().is_empty())
    };
    if let Some(section) = MANDATORY.iter().find(|section| !says(**section)) {
        return Err(Refusal::new(RefusalCode::Incomplete).with("section", section));
    }
    if view.term(TermName::ReviewDue).is_none() {
        return Err(Refusal::new(RefusalCode::Incomplete).with("term", TermName::ReviewDue));
    }
    check_parties(&proposal.parties)?;
    check_language(&proposal.language)?;
    if !proposal.on.is_valid() {
        return Err(Refusal::new(RefusalCode::DateInvalid));
    }
    let heads = proposal.heads.len();
    if heads == 0 || !heads.is_multiple_of(32) || heads > HEADS_MAX * 32 {
        return Err(Refusal::new(RefusalCode::StaleView));
    }
    // What is proposed is what is shown, and nothing else.
    let parties = proposal.parties.clone();
    let here = view.proposal(proposal.heads.clone(), parties, proposal.language.clone(), proposal.on);
    if here == *proposal { Ok(()) } else { Err(Refusal::new(RefusalCode::StaleView)) }
}

/// Accepts or refuses a signature of a version by somebody who was shown the text of hash `seen`.
pub(in crate::agreement) fn check_sign(
    view: &AgreementView,
    signature: &Cosignature,
    seen: FrozenHash,
) -> Result<(), Refusal> {
    let version = view.version(signature.frozen);
    let version =
        version.ok_or_else(|| Refusal::new(RefusalCode::UnknownItem).with("item", signature.frozen.short()))?;
    check_signature((&version.parties, &version.signatures), (&version.text, seen), signature)
}
