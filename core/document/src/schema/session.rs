//! The session as an Automerge document.
//!
//! Genesis makes, behind id, kind and schema (operations 1 to 3): `fields` (4, registers), `participants` (5, registers
//! under a person and a word), `stakeholders` (6, a set: a key is there or not), `agenda` (7, items by id), `log` (8,
//! the session's states) and `log.aliases` (9, which other sessions are the same one).

use std::collections::BTreeMap;

use alliance_model::session::{
    AgendaField, AgendaFieldView, AgendaItemView, AgendaTransition, AliasEntry, AliasTransition, AliasView,
    ParticipantView, SessionCommand, SessionField, SessionFieldView, SessionTransition, SessionValue, SessionView,
    agenda_state_of, state_of,
};
use alliance_model::view::note_conflict;
use alliance_model::{Claim, ItemId, LogEntry, Splice};
use alliance_wire::{DocumentId, PersonTag};
use automerge::transaction::{Transactable as _, Transaction};
use automerge::{AutomergeError, ObjId, ObjType, ROOT, ReadDoc as _};

use super::log::{self, StateEntry};
use super::parts::{self, Authors};
use super::read::Whole;
use super::{TextTarget, ViewContext, WriteError, genesis_object};

const FIELDS: u64 = 4;
const PARTICIPANTS: u64 = 5;
const STAKEHOLDERS: u64 = 6;
pub(crate) const AGENDA_OPERATION: u32 = 7;
const AGENDA: u64 = AGENDA_OPERATION as u64;
const LOG: u64 = 8;
const ALIASES: u64 = 9;

/// What is said of somebody who takes part.
const ROLE: &str = "role";
const ATTENDANCE: &str = "attendance";
/// Stands before what people chose themselves, so that it is never a key with a meaning of its own, such as `log`.
const NAMED: &str = "named:";

pub(crate) fn agenda() -> ObjId {
    genesis_object(AGENDA)
}

pub(crate) fn write_genesis(tx: &mut Transaction<'_>) -> Result<(), AutomergeError> {
    for name in ["fields", "participants", "stakeholders", "agenda", "log", "log.aliases"] {
        tx.put_object(ROOT, name, ObjType::Map)?;
    }
    Ok(())
}

pub(crate) fn write(tx: &mut Transaction<'_>, command: &SessionCommand, session: &str) -> Result<(), WriteError> {
    let map = agenda();
    match command {
        SessionCommand::Set { value } => {
            parts::set(tx, &genesis_object(FIELDS), value.field().name(), value.to_text().into())
        }
        SessionCommand::Clear { field } => clear(tx, &genesis_object(FIELDS), field.name()),
        SessionCommand::SetRole { person, role } => {
            parts::set(tx, &genesis_object(PARTICIPANTS), &of_person(*person, ROLE), role.name().into())
        }
        SessionCommand::SetAttendance { person, attendance } => {
            let key = of_person(*person, ATTENDANCE);
            parts::set(tx, &genesis_object(PARTICIPANTS), &key, attendance.name().into())
        }
        // Written anew in each editing session, also where it is there: who names it did not see that somebody takes it
        // out (DOMAIN 2.3, S).
        SessionCommand::AddStakeholder { name } => {
            Ok(tx.put(genesis_object(STAKEHOLDERS), format!("{NAMED}{name}"), session)?)
        }
        SessionCommand::RemoveStakeholder { name } => {
            clear(tx, &genesis_object(STAKEHOLDERS), &format!("{NAMED}{name}"))
        }
        SessionCommand::Mark { op, transition, cites } => {
            parts::append(tx, &genesis_object(LOG), *op, StateEntry::new(*transition, cites.clone()).encode())
        }
        SessionCommand::AddItem { id, after } | SessionCommand::BringItem { id, after, .. } => {
            // An id that follows from what is shared may have been here before: then it comes back as it was.
            if let Some(object) = parts::item(tx, &map, *id) {
                return parts::touch_item(tx, &object, session);
            }
            let object = parts::create_item(tx, &map, *id, *after, session)?;
            tx.put_object(&object, "log", ObjType::Map)?;
            let SessionCommand::BringItem { origin, .. } = command else { return Ok(()) };
            parts::set(tx, &object, AgendaField::Origin.name(), origin.name().into())
        }
        SessionCommand::MoveItem { id, after } => parts::move_item(tx, &map, *id, *after, session),
        SessionCommand::RemoveItem { id } => parts::remove_item(tx, &map, *id),
        SessionCommand::EditItem { id, splice } => parts::edit_item(tx, &map, *id, splice, session),
        SessionCommand::SetItem { id, value } => {
            let object = touched(tx, *id, session)?;
            parts::set(tx, &object, value.field().name(), value.to_text().into())
        }
        SessionCommand::MarkItem { id, op, transition, cites } => {
            let object = touched(tx, *id, session)?;
            let log = parts::child(tx, &object, "log", ObjType::Map).ok_or(WriteError::Missing)?;
            parts::append(tx, &log, *op, StateEntry::new(*transition, cites.clone()).encode())
        }
        SessionCommand::Alias { op, other, transition, cites } => {
            let entry = AliasEntry { other: *other, transition: *transition, cites: cites.clone() };
            parts::append(tx, &genesis_object(ALIASES), *op, entry.encode())
        }
    }
}

fn of_person(person: PersonTag, what: &str) -> String {
    format!("{person}.{what}")
}

fn clear(tx: &mut Transaction<'_>, object: &ObjId, key: &str) -> Result<(), WriteError> {
    if tx.get(object, key)?.is_some() {
        tx.delete(object, key)?;
    }
    Ok(())
}

fn touched(tx: &mut Transaction<'_>, id: ItemId, session: &str) -> Result<ObjId, WriteError> {
    let object = parts::item(tx, &agenda(), id).ok_or(WriteError::Missing)?;
    parts::touch_item(tx, &object, session)?;
    Ok(object)
}

pub(crate) const fn text_edit(command: &SessionCommand) -> Option<(TextTarget, &Splice)> {
    match command {
        SessionCommand::EditItem { id, splice } => Some((TextTarget::AgendaItem(*id), splice)),
        SessionCommand::Set { .. }
        | SessionCommand::Clear { .. }
        | SessionCommand::SetRole { .. }
        | SessionCommand::SetAttendance { .. }
        | SessionCommand::AddStakeholder { .. }
        | SessionCommand::RemoveStakeholder { .. }
        | SessionCommand::Mark { .. }
        | SessionCommand::AddItem { .. }
        | SessionCommand::BringItem { .. }
        | SessionCommand::MoveItem { .. }
        | SessionCommand::RemoveItem { .. }
        | SessionCommand::SetItem { .. }
        | SessionCommand::MarkItem { .. }
        | SessionCommand::Alias { .. } => None,
    }
}

/// See [`super::register`].
pub(crate) fn register(document: &impl Whole, command: &SessionCommand) -> Option<(ObjId, String)> {
    let field = |name: SessionField| Some((genesis_object(FIELDS), name.to_string()));
    let person = |key: String| Some((genesis_object(PARTICIPANTS), key));
    match command {
        SessionCommand::Set { value } => field(value.field()),
        SessionCommand::Clear { field: name } => field(*name),
        SessionCommand::SetRole { person: who, .. } => person(of_person(*who, ROLE)),
        SessionCommand::SetAttendance { person: who, .. } => person(of_person(*who, ATTENDANCE)),
        SessionCommand::SetItem { id, value } => {
            Some((parts::item(document, &agenda(), *id)?, value.field().to_string()))
        }
        SessionCommand::AddStakeholder { .. }
        | SessionCommand::RemoveStakeholder { .. }
        | SessionCommand::Mark { .. }
        | SessionCommand::AddItem { .. }
        | SessionCommand::BringItem { .. }
        | SessionCommand::MoveItem { .. }
        | SessionCommand::RemoveItem { .. }
        | SessionCommand::EditItem { .. }
        | SessionCommand::MarkItem { .. }
        | SessionCommand::Alias { .. } => None,
    }
}

pub(crate) fn view(document: &impl Whole, id: String, context: ViewContext<'_>) -> SessionView {
    let mut authors = Authors::new(context.author);
    let mut view = SessionView { document: id, ..SessionView::default() };
    let fields = document.entries_of(&genesis_object(FIELDS));
    for field in SessionField::ALL {
        let mut values = parts::claims(fields.at(field.name()), &mut authors);
        // The safer value stands first; one that cannot be read stands last.
        values.sort_by_key(|claim| SessionValue::order(*field, &claim.value));
        note_conflict(&mut view.conflicts, field.to_string(), &values);
        if !values.is_empty() {
            view.fields.push(SessionFieldView { field: *field, values });
        }
    }
    view.participants = participants(document, &mut authors);
    for participant in &view.participants {
        let place = |what| format!("participants.{}.{what}", participant.person);
        note_conflict(&mut view.conflicts, place(ROLE), &participant.role);
        note_conflict(&mut view.conflicts, place(ATTENDANCE), &participant.attendance);
    }
    let stakeholders = document.entries_of(&genesis_object(STAKEHOLDERS));
    view.stakeholders = stakeholders.iter().filter_map(|(key, _)| key.strip_prefix(NAMED)).map(str::to_owned).collect();
    for item in parts::items(document, &agenda()).into_iter().filter(|item| item.alive) {
        let shown = agenda_item(document, &item, &mut authors);
        for field in &shown.fields {
            note_conflict(&mut view.conflicts, format!("agenda.{}.{}", item.id, field.field), &field.values);
        }
        view.agenda.push(shown);
    }
    view.log = log::shown::<SessionTransition>(document, &genesis_object(LOG), &mut authors);
    view.state = Some(state_of(&view.log));
    view.aliases = aliases(document, &mut authors);
    view.authors = authors.into_list();
    view
}

fn aliases(document: &impl Whole, authors: &mut Authors<'_>) -> Vec<AliasView> {
    let mut others: BTreeMap<DocumentId, Vec<LogEntry<AliasTransition>>> = BTreeMap::new();
    for (operation, op, bytes) in parts::log_entries(document, &genesis_object(ALIASES)) {
        let Some(AliasEntry { other, transition, cites }) = AliasEntry::parse(&bytes) else { continue };
        others.entry(other).or_default().push(LogEntry { op, transition, cites, by: authors.of(&operation) });
    }
    others.into_iter().map(|(other, log)| AliasView { other: other.to_string(), log }).collect()
}

fn participants(document: &impl Whole, authors: &mut Authors<'_>) -> Vec<ParticipantView> {
    let mut people: BTreeMap<String, (Vec<Claim>, Vec<Claim>)> = BTreeMap::new();
    for (key, values) in document.entries_of(&genesis_object(PARTICIPANTS)).iter() {
        // A key that names nobody is a newer version's, or a hostile member's.
        let Some((person, what)) = key.split_once('.').filter(|(person, _)| person.parse::<PersonTag>().is_ok()) else {
            continue;
        };
        let claims = parts::claims(values, authors);
        match what {
            ROLE => people.entry(person.to_owned()).or_default().0 = claims,
            ATTENDANCE => people.entry(person.to_owned()).or_default().1 = claims,
            _ => {}
        }
    }
    let shown = people.into_iter().map(|(person, (role, mut attendance))| {
        attendance.sort_by(|one, other| one.value.cmp(&other.value));
        let disputed = attendance.iter().any(|claim| claim.value != attendance[0].value);
        ParticipantView { person, role, attendance, disputed }
    });
    shown.collect()
}

fn agenda_item(document: &impl Whole, item: &parts::Item<'_>, authors: &mut Authors<'_>) -> AgendaItemView {
    let text = item.entries.child("text", ObjType::Text);
    let fields = AgendaField::ALL.iter().filter_map(|field| {
        let values = parts::claims(item.entries.at(field.name()), authors);
        (!values.is_empty()).then_some(AgendaFieldView { field: *field, values })
    });
    let fields = fields.collect();
    let log = item.entries.child("log", ObjType::Map);
    let log = log.map(|log| log::shown::<AgendaTransition>(document, &log, authors)).unwrap_or_default();
    AgendaItemView {
        id: item.id,
        by: text.as_ref().map_or(0, |text| authors.of(text)),
        text: text.map(|text| parts::text(document, &text, authors)).unwrap_or_default(),
        fields,
        state: agenda_state_of(&log),
        log,
    }
}
