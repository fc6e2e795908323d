//! Whether a command fits the preparation log that its author saw. Pure: the same answer online and offline.

use super::{PreparationCommand, PreparationEntryView, PreparationView, together};
use crate::kind::ItemId;
use crate::limits::PREPARED_MAX;
use crate::log::check_entry;
use crate::refusal::{Refusal, RefusalCode};

/// Accepts or refuses a command on the preparation log as shown.
///
/// # Errors
/// The refusal, with its stable code.
pub fn check(view: &PreparationView, command: &PreparationCommand) -> Result<(), Refusal> {
    use PreparationCommand as C;
    match command {
        C::AddEntry { id, after } => {
            if view.entries.len() >= PREPARED_MAX {
                return Err(Refusal::new(RefusalCode::TooManyItems).with("max", PREPARED_MAX));
            }
            if view.entry(*id).is_some() {
                return Err(Refusal::new(RefusalCode::ItemExists).with("item", id));
            }
            after.map_or(Ok(()), |after| known(view, after).map(|_| ()))
        }
        C::MoveEntry { id, after } => {
            known(view, *id)?;
            if *after == Some(*id) {
                return Err(unknown(*id));
            }
            after.map_or(Ok(()), |after| known(view, after).map(|_| ()))
        }
        C::RemoveEntry { id } | C::AddFeeling { id, .. } => known(view, *id).map(|_| ()),
        C::EditEntry { id, splice } => splice.check(known(view, *id)?.text.scalars()),
        C::SetEntry { id, value } => known(view, *id).and_then(|_| value.check()),
        C::ClearEntry { id, field } => {
            let there = known(view, *id)?.fields.iter().any(|view| view.field == *field);
            if there { Ok(()) } else { Err(Refusal::new(RefusalCode::UnknownItem).with("item", field)) }
        }
        C::RemoveFeeling { id, feeling } => {
            let there = known(view, *id)?.feelings.contains(feeling);
            if there { Ok(()) } else { Err(Refusal::new(RefusalCode::UnknownItem).with("item", feeling)) }
        }
        C::Mark { id, op, cites, .. } | C::Share { id, op, cites, .. } => {
            let entry = known(view, *id)?;
            check_entry(&together(&entry.shares, &entry.log), *op, cites)
        }
    }
}

fn known(view: &PreparationView, id: ItemId) -> Result<&PreparationEntryView, Refusal> {
    view.entry(id).ok_or_else(|| unknown(id))
}

fn unknown(id: ItemId) -> Refusal {
    Refusal::new(RefusalCode::UnknownItem).with("item", id)
}
