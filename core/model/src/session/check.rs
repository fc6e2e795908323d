//! Whether a command fits the session that its author saw. Pure: the same answer online and offline.

use super::{
    AgendaItemView, AliasTransition, AliasView, SessionCommand, SessionField, SessionState, SessionTransition,
    SessionValue, SessionView,
};
use crate::kind::ItemId;
use crate::limits::{AGENDA_MAX, ALIASES_MAX, PARTICIPANTS_MAX, STAKEHOLDERS_MAX, TITLE_SCALARS_MAX};
use crate::log::check_entry;
use crate::refusal::{Refusal, RefusalCode};
use crate::text::check_line;

/// Accepts or refuses a command of `me` on the session as shown. An item of the agenda is its author's: others may move
/// it and say what became of it (DOMAIN 2.5).
///
/// # Errors
/// The refusal, with its stable code; `NOT_AUTHOR` for what somebody else put on the agenda.
pub fn check(view: &SessionView, command: &SessionCommand, me: &str) -> Result<(), Refusal> {
    match command {
        SessionCommand::Set { value } => {
            if let (SessionValue::Kind(kind), Some(fixed)) = (value, view.kind())
                && fixed != *kind
            {
                return Err(Refusal::new(RefusalCode::KindFixed).with("kind", fixed));
            }
            value.check()
        }
        SessionCommand::Clear { field } => {
            if *field == SessionField::Kind && view.kind().is_some() {
                return Err(Refusal::new(RefusalCode::KindFixed));
            }
            let there = view.fields.iter().any(|view| view.field == *field);
            if there { Ok(()) } else { Err(Refusal::new(RefusalCode::UnknownItem).with("item", field)) }
        }
        SessionCommand::SetRole { person, .. } | SessionCommand::SetAttendance { person, .. } => {
            let known = view.participants.iter().any(|it| it.person == person.to_string());
            room(known || view.participants.len() < PARTICIPANTS_MAX, PARTICIPANTS_MAX)
        }
        SessionCommand::AddStakeholder { name } => {
            check_line(name, TITLE_SCALARS_MAX)?;
            room(view.stakeholders.contains(name) || view.stakeholders.len() < STAKEHOLDERS_MAX, STAKEHOLDERS_MAX)
        }
        SessionCommand::RemoveStakeholder { name } => {
            let there = view.stakeholders.contains(name);
            if there { Ok(()) } else { Err(Refusal::new(RefusalCode::UnknownItem).with("item", "stakeholder")) }
        }
        SessionCommand::Mark { op, transition, cites } => {
            check_entry(&view.log, *op, cites)?;
            let open = matches!(view.state, None | Some(SessionState::Planned | SessionState::Disputed));
            if *transition == SessionTransition::Closed && open {
                return Err(Refusal::new(RefusalCode::NotHeld));
            }
            Ok(())
        }
        SessionCommand::AddItem { id, after } | SessionCommand::BringItem { id, after, .. } => {
            room(view.agenda.len() < AGENDA_MAX, AGENDA_MAX)?;
            if view.item(*id).is_some() {
                return Err(Refusal::new(RefusalCode::ItemExists).with("item", id));
            }
            after.map_or(Ok(()), |after| known(view, after).map(|_| ()))
        }
        SessionCommand::MoveItem { id, after } => {
            known(view, *id)?;
            if *after == Some(*id) {
                return Err(unknown(*id));
            }
            after.map_or(Ok(()), |after| known(view, after).map(|_| ()))
        }
        SessionCommand::RemoveItem { id } => own(view, *id, me).map(|_| ()),
        SessionCommand::EditItem { id, splice } => splice.check(own(view, *id, me)?.text.scalars()),
        SessionCommand::SetItem { id, value } => own(view, *id, me).and_then(|_| value.check()),
        SessionCommand::MarkItem { id, op, cites, .. } => check_entry(&known(view, *id)?.log, *op, cites),
        SessionCommand::Alias { op, other, transition, cites } => {
            let known = view.alias(*other);
            room(known.is_some() || view.aliases.len() < ALIASES_MAX, ALIASES_MAX)?;
            if other.to_string() == view.document
                || (*transition == AliasTransition::Same && known.is_some_and(AliasView::is_same))
            {
                return Err(Refusal::new(RefusalCode::AlreadyMerged));
            }
            check_entry(known.map_or(&[], |known| &known.log), *op, cites)
        }
    }
}

fn room(there: bool, max: usize) -> Result<(), Refusal> {
    if there { Ok(()) } else { Err(Refusal::new(RefusalCode::TooManyItems).with("max", max)) }
}

/// An item that `me` wrote.
fn own<'a>(view: &'a SessionView, id: ItemId, me: &str) -> Result<&'a AgendaItemView, Refusal> {
    let item = known(view, id)?;
    let by = view.authors.get(item.by).map(String::as_str);
    if by == Some(me) { Ok(item) } else { Err(Refusal::new(RefusalCode::NotAuthor).with("item", id)) }
}

fn known(view: &SessionView, id: ItemId) -> Result<&AgendaItemView, Refusal> {
    view.item(id).ok_or_else(|| unknown(id))
}

fn unknown(id: ItemId) -> Refusal {
    Refusal::new(RefusalCode::UnknownItem).with("item", id)
}
