//! Whether a command fits the agreement that its author saw. Pure: the same answer online and offline.

use super::version::{check_proposal, check_sign};
use super::{AgreementCommand, AgreementView, ProtectiveValue};
use crate::kind::ItemId;
use crate::limits::{CITES_MAX, CLAUSES_MAX, REMARK_SCALARS_MAX, REMARKS_MAX};
use crate::refusal::{Refusal, RefusalCode};
use crate::text::check_line;

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
        AgreementCommand::Understand { id, op, wording } => {
            let clause = view.clause(*id).ok_or_else(|| unknown(*id))?;
            fresh(clause.understood.iter().map(|it| it.op), *op)?;
            let said = clause.wording();
            if said == *wording {
                return Ok(());
            }
            Err(Refusal::new(RefusalCode::StaleText).with("signed", said.short()).with("current", wording.short()))
        }
        AgreementCommand::Remark { id, op, text } => {
            let clause = view.clause(*id).ok_or_else(|| unknown(*id))?;
            fresh(clause.thread.iter().map(|it| it.op), *op)?;
            check_line(text, REMARK_SCALARS_MAX)
        }
        AgreementCommand::Propose { op, proposal } => check_proposal(view, *op, proposal),
        AgreementCommand::Sign { signature, seen, .. } => check_sign(view, signature, *seen),
    }
}

/// Whether a log of a clause has room for an entry of this id.
fn fresh(entries: impl ExactSizeIterator<Item = ItemId>, op: ItemId) -> Result<(), Refusal> {
    if entries.len() >= REMARKS_MAX {
        return Err(Refusal::new(RefusalCode::TooManyItems).with("max", REMARKS_MAX));
    }
    let mut entries = entries;
    if entries.any(|known| known == op) { Err(Refusal::new(RefusalCode::ItemExists).with("item", op)) } else { Ok(()) }
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
