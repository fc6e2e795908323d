//! Whether a command fits the decision that its author saw. Pure: the same answer online and offline.

use alliance_wire::FrozenHash;

use super::{DecisionCommand, DecisionField, DecisionView, EthicsCheck, Sealed};
use crate::cosign::{check_parties, check_signature, short};
use crate::kind::{ItemId, is_decision_of};
use crate::limits::{CHECKS_MAX, HEADS_MAX, INSERT_BYTES_MAX, LISTED_MAX, PREVIOUS_MAX, SEALS_MAX};
use crate::refusal::{Refusal, RefusalCode};

/// Accepts or refuses a command of `me` on the decision as shown: whose it is words it, and somebody else checks it
/// (DOMAIN 2.5; 2.6 row 9).
///
/// # Errors
/// The refusal, with its stable code; `NOT_AUTHOR` for what is another's, `SEALED` for what never changes any more.
pub fn check(view: &DecisionView, command: &DecisionCommand, me: &str) -> Result<(), Refusal> {
    if view.is_sealed() {
        return Err(Refusal::new(RefusalCode::Sealed));
    }
    match command {
        DecisionCommand::Begin { person, .. } => {
            let known = view.made_by.is_some();
            if !known && view.document.parse().is_ok_and(|id| is_decision_of(&id, person)) {
                return Ok(());
            }
            Err(Refusal::new(RefusalCode::NotAuthor))
        }
        DecisionCommand::Edit { id, splice } => {
            own(view, me)?;
            splice.check(view.item(*id).ok_or_else(|| unknown(*id))?.scalars())
        }
        DecisionCommand::Add { id, after, .. } => {
            own(view, me)?;
            room(view.listed.len(), LISTED_MAX)?;
            if view.item(*id).is_some() {
                return Err(exists(*id));
            }
            after.map_or(Ok(()), |after| listed(view, after))
        }
        DecisionCommand::Remove { id } => {
            own(view, me)?;
            listed(view, *id)
        }
        DecisionCommand::SetEthical { .. } => own(view, me),
        DecisionCommand::Check { op, check } => check_ethics(view, *op, check, me),
        DecisionCommand::Seal { op, sealed, seen } => check_seal(view, *op, sealed, *seen),
    }
}

fn own(view: &DecisionView, me: &str) -> Result<(), Refusal> {
    if view.maker_name() == Some(me) { Ok(()) } else { Err(Refusal::new(RefusalCode::NotAuthor)) }
}

fn listed(view: &DecisionView, id: ItemId) -> Result<(), Refusal> {
    let there = DecisionField::of(id).is_none() && view.item(id).is_some();
    if there { Ok(()) } else { Err(unknown(id)) }
}

fn unknown(id: ItemId) -> Refusal {
    Refusal::new(RefusalCode::UnknownItem).with("item", id)
}

fn exists(id: ItemId) -> Refusal {
    Refusal::new(RefusalCode::ItemExists).with("item", id)
}

fn room(there: usize, max: usize) -> Result<(), Refusal> {
    if there < max { Ok(()) } else { Err(Refusal::new(RefusalCode::TooManyItems).with("max", max)) }
}

fn check_ethics(view: &DecisionView, op: ItemId, check: &EthicsCheck, me: &str) -> Result<(), Refusal> {
    // Nobody checks what they decided themselves.
    if view.made_by.is_none() || view.maker_name() == Some(me) {
        return Err(Refusal::new(RefusalCode::NotAuthor));
    }
    if view.checks.iter().any(|known| known.op == op) {
        return Err(exists(op));
    }
    room(view.checks.len(), CHECKS_MAX)?;
    if check.text.trim().is_empty() {
        return Err(Refusal::new(RefusalCode::TextEmpty));
    }
    if check.text.len() > INSERT_BYTES_MAX {
        return Err(Refusal::new(RefusalCode::TextTooLong).with("bytes", INSERT_BYTES_MAX));
    }
    if check.text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(Refusal::new(RefusalCode::TextInvalid));
    }
    Ok(())
}

/// Accepts or refuses a seal by somebody who was shown the text of hash `seen`.
fn check_seal(
    view: &DecisionView,
    op: ItemId,
    Sealed { sealing, signature }: &Sealed,
    seen: FrozenHash,
) -> Result<(), Refusal> {
    if view.seals.iter().any(|it| it.op == op) {
        return Err(exists(op));
    }
    let stale = || Refusal::new(RefusalCode::StaleView);
    if signature.frozen != sealing.frozen {
        return Err(stale());
    }
    let name = sealing.frozen.to_string();
    if let Some(known) = view.seals.iter().find(|it| it.name == name) {
        return check_signature((&known.parties, &known.signatures), (&known.text, seen), signature);
    }
    room(view.seals.len(), SEALS_MAX)?;
    for field in [DecisionField::Question, DecisionField::Rationale, DecisionField::Choice] {
        if view.field(field).text.trim().is_empty() {
            return Err(Refusal::new(RefusalCode::Incomplete).with("missing", field));
        }
    }
    if view.checks.is_empty() {
        return Err(Refusal::new(RefusalCode::Incomplete).with("missing", "ethics_check"));
    }
    check_parties(&sealing.parties)?;
    let parties: Vec<crate::cosign::PartyView> = sealing.parties.iter().map(Into::into).collect();
    // Who checked it and has left since is not waited for; that nobody else is left out is seen where seals are shown.
    if view.maker.as_ref().is_none_or(|maker| !parties.iter().any(|party| party.person == *maker)) {
        return Err(Refusal::new(RefusalCode::NotParty));
    }
    let heads = sealing.heads.len();
    if heads == 0 || !heads.is_multiple_of(32) || heads > HEADS_MAX * 32 || sealing.previous.len() > PREVIOUS_MAX {
        return Err(stale());
    }
    let here = view.sealing(seen, sealing.heads.clone(), sealing.parties.clone(), sealing.previous.clone());
    let changed = || {
        let refusal = Refusal::new(RefusalCode::StaleText).with("signed", sealing.frozen.short());
        refusal.with("current", short(&view.text))
    };
    if here.ok_or_else(changed)? != *sealing {
        return Err(stale());
    }
    check_signature((&parties, &[]), (&seen.to_string(), seen), signature)
}
