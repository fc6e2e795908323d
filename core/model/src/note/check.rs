//! Whether a command fits the note that its author saw. Pure: the same answer online and offline.

use super::confirm::{check_addendum, check_confirm};
use super::{ActionView, NoteCommand, NoteView};
use crate::agreement::{ProtectiveTerm, ProtectiveValue};
use crate::kind::ItemId;
use crate::limits::{ACTIONS_MAX, TERM_SCALARS_MAX, TITLE_SCALARS_MAX, WEIGHT_MAX};
use crate::log::check_entry;
use crate::refusal::{Refusal, RefusalCode};
use crate::scheme::knows_function;
use crate::text::check_line;

/// Accepts or refuses a command on the note as shown.
///
/// # Errors
/// The refusal, with its stable code.
pub fn check(view: &NoteView, command: &NoteCommand) -> Result<(), Refusal> {
    if view.is_locked() && command.is_of_the_text() {
        return Err(Refusal::new(RefusalCode::LockedNote));
    }
    match command {
        NoteCommand::SetTitle { title } => check_line(title, TITLE_SCALARS_MAX),
        NoteCommand::SetDate { date } | NoteCommand::SetDue { due: Some(date), .. } if !date.is_valid() => {
            Err(Refusal::new(RefusalCode::DateInvalid))
        }
        NoteCommand::SetDate { .. } => Ok(()),
        NoteCommand::SetKind { kind } => match view.kind {
            Some(fixed) if fixed != *kind => Err(Refusal::new(RefusalCode::KindFixed).with("kind", fixed)),
            Some(_) | None => Ok(()),
        },
        NoteCommand::EditSection { stage, splice } => {
            splice.check(view.section(*stage).map_or(0, crate::text::TextView::scalars))
        }
        NoteCommand::SetFunction { scheme, function, weight } => {
            if !knows_function(scheme, function) {
                return Err(Refusal::new(RefusalCode::UnknownFunction));
            }
            if *weight > WEIGHT_MAX {
                return Err(Refusal::new(RefusalCode::WeightInvalid).with("max", WEIGHT_MAX));
            }
            Ok(())
        }
        NoteCommand::AddAction { id, after } => {
            if view.actions.len() >= ACTIONS_MAX {
                return Err(Refusal::new(RefusalCode::TooManyItems).with("max", ACTIONS_MAX));
            }
            if view.action(*id).is_some() {
                return Err(Refusal::new(RefusalCode::ItemExists).with("item", id));
            }
            after.map_or(Ok(()), |after| known(view, after).map(|_| ()))
        }
        NoteCommand::MoveAction { id, after } => {
            known(view, *id)?;
            if *after == Some(*id) {
                return Err(unknown(*id));
            }
            after.map_or(Ok(()), |after| known(view, after).map(|_| ()))
        }
        NoteCommand::RemoveAction { id } | NoteCommand::SetDue { id, .. } => known(view, *id).map(|_| ()),
        NoteCommand::EditAction { id, splice } => splice.check(known(view, *id)?.text.scalars()),
        NoteCommand::SetOwner { id, owner } => {
            known(view, *id)?;
            check_line(owner, TERM_SCALARS_MAX)
        }
        NoteCommand::MarkAction { id, op, cites, .. } => check_entry(&known(view, *id)?.log, *op, cites),
        NoteCommand::Confirm { op, confirmation, seen } => check_confirm(view, *op, confirmation, *seen),
        NoteCommand::AddAddendum { op, text } => check_addendum(view, *op, text),
        NoteCommand::CiteRule { rule } if rule.term != ProtectiveTerm::ContentRecordRule || !rule.is_known() => {
            Err(Refusal::new(RefusalCode::UnknownWord).with("word", rule.number))
        }
        NoteCommand::CiteRule { .. } => Ok(()),
    }
}

/// Whether the agreed record rule lets a note hold text (DOMAIN 2.6 row 5). Without a rule nothing was forbidden.
///
/// # Errors
/// `RECORD_RULE` with the rule.
pub fn content_permitted(rule: Option<ProtectiveValue>) -> Result<(), Refusal> {
    match rule {
        Some(rule)
            if rule.term == ProtectiveTerm::ContentRecordRule && matches!(rule.name(), "none" | "attendance_only") =>
        {
            Err(Refusal::new(RefusalCode::RecordRule).with("rule", rule.name()))
        }
        Some(_) | None => Ok(()),
    }
}

fn known(view: &NoteView, id: ItemId) -> Result<&ActionView, Refusal> {
    view.action(id).ok_or_else(|| unknown(id))
}

fn unknown(id: ItemId) -> Refusal {
    Refusal::new(RefusalCode::UnknownItem).with("item", id)
}
