//! Whether a command fits the agreement that its author saw. Pure: the same answer online and offline.

use super::{AgreementCommand, AgreementView, ProtectiveValue};
use crate::kind::ItemId;
use crate::limits::{CITES_MAX, CLAUSES_MAX};
use crate::refusal::{Refusal, RefusalCode};

/// Accepts or refuses a command on the agreement as shown.
///
/// # Errors
/// The refusal, with its stable code.
pub fn check(view: &AgreementView, command: &AgreementCommand) -> Result<(), Refusal> {
    match command {
        AgreementCommand::AddClause { id, after, .. } => {
            if view.clauses.len() >= CLAUSES_MAX {
                return Err(Refusal::new(RefusalCode::TooManyItems).with("max", CLAUSES_MAX));
            }
            if view.clause(*id).is_some() {
                return Err(Refusal::new(RefusalCode::ItemExists).with("item", id));
            }
            after.map_or(Ok(()), |after| known(view, after))
        }
        AgreementCommand::MoveClause { id, after } => {
            known(view, *id)?;
            if *after == Some(*id) {
                return Err(Refusal::new(RefusalCode::UnknownItem).with("item", id));
            }
            after.map_or(Ok(()), |after| known(view, after))
        }
        AgreementCommand::RemoveClause { id } | AgreementCommand::SetModality { id, .. } => known(view, *id),
        AgreementCommand::EditClause { id, splice } => {
            let clause = view.clause(*id).ok_or_else(|| unknown(*id))?;
            splice.check(clause.text.scalars())
        }
        AgreementCommand::SetTerm { term } => term.check(),
        AgreementCommand::ClearTerm { name } => {
            if view.terms.iter().any(|term| term.name == *name) {
                Ok(())
            } else {
                Err(Refusal::new(RefusalCode::UnknownItem).with("item", name))
            }
        }
        AgreementCommand::Protect { op, value, lifts } => check_protect(view, *op, *value, lifts),
    }
}

fn check_protect(view: &AgreementView, op: ItemId, value: ProtectiveValue, lifts: &[ItemId]) -> Result<(), Refusal> {
    if !value.is_known() {
        return Err(Refusal::new(RefusalCode::NumberInvalid).with("value", value.number));
    }
    if lifts.len() > CITES_MAX {
        return Err(Refusal::new(RefusalCode::TooManyItems).with("max", CITES_MAX));
    }
    let entries = view.protective(value.term).map_or(&[][..], |term| &term.entries);
    if entries.iter().any(|entry| entry.op == op) {
        return Err(Refusal::new(RefusalCode::ItemExists).with("item", op));
    }
    match lifts.iter().find(|lift| !entries.iter().any(|entry| entry.op == **lift)) {
        Some(lift) => Err(unknown(*lift)),
        None => Ok(()),
    }
}

fn known(view: &AgreementView, id: ItemId) -> Result<(), Refusal> {
    view.clause(id).map(|_| ()).ok_or_else(|| unknown(id))
}

fn unknown(id: ItemId) -> Refusal {
    Refusal::new(RefusalCode::UnknownItem).with("item", id)
}
