//! The session note as an Automerge document.
//!
//! Genesis makes, behind id, kind and schema (operations 1 to 3): `sections` (4) with one text per stage (5 to 9),
//! `fields` (10, registers), `functions` (11, registers) and `actions` (12, items by id). The upgrade to schema 2 makes
//! the logs of confirmations (13) and of addenda (14).

mod confirmed;

use alliance_model::agreement::{ProtectiveTerm, ProtectiveValue};
use alliance_model::note::{
    ActionView, AddendumView, FunctionView, MeetingKind, NoteCommand, NoteView, RecordCited, SectionView, Stage,
    Transition, content_permitted, state_of,
};
use alliance_model::view::note_conflict;
use alliance_model::{CivilDate, Claim, ItemId, Splice};
use automerge::transaction::{Transactable as _, Transaction};
use automerge::{AutomergeError, ObjId, ObjType, ROOT, ReadDoc as _, ScalarValue};

use super::log::{self, StateEntry};
use super::parts::{self, Authors};
use super::read::{Read, Whole};
use super::{TextTarget, ViewContext, WriteError, genesis_object};

const FIRST_SECTION: u64 = 5;
const FIELDS: u64 = 10;
const FUNCTIONS: u64 = 11;
const ACTIONS: u64 = 12;
const CONFIRMATIONS: u64 = 13;
const ADDENDA: u64 = 14;
/// The field that says which record rule was relied on.
const RECORD: &str = "record";

pub(crate) fn section_object(stage: Stage) -> ObjId {
    let n = match stage {
        Stage::Focus => 0,
        Stage::Exploration => 1,
        Stage::Understanding => 2,
        Stage::Action => 3,
        Stage::Close => 4,
    };
    genesis_object(FIRST_SECTION + n)
}

pub(crate) fn actions() -> ObjId {
    genesis_object(ACTIONS)
}

/// Whether somebody has confirmed something: until then nothing is locked, and nobody has to look.
pub(crate) fn is_confirmed(document: &impl Read) -> bool {
    document.length_of(&genesis_object(CONFIRMATIONS)) > 0
}

pub(crate) fn write_genesis(tx: &mut Transaction<'_>) -> Result<(), AutomergeError> {
    let sections = tx.put_object(ROOT, "sections", ObjType::Map)?;
    for stage in Stage::ALL {
        tx.put_object(&sections, stage.name(), ObjType::Text)?;
    }
    tx.put_object(ROOT, "fields", ObjType::Map)?;
    tx.put_object(ROOT, "functions", ObjType::Map)?;
    tx.put_object(ROOT, "actions", ObjType::Map)?;
    Ok(())
}

pub(crate) fn write_upgrade(tx: &mut Transaction<'_>) -> Result<(), AutomergeError> {
    tx.put_object(ROOT, "log.confirmations", ObjType::Map)?;
    tx.put_object(ROOT, "log.addenda", ObjType::Map)?;
    Ok(())
}

pub(crate) fn write(tx: &mut Transaction<'_>, command: &NoteCommand, session: &str) -> Result<(), WriteError> {
    let fields = genesis_object(FIELDS);
    let map = actions();
    match command {
        NoteCommand::SetTitle { title } => parts::set(tx, &fields, "title", title.as_str().into()),
        NoteCommand::SetDate { date } => parts::set(tx, &fields, "date", date.to_string().into()),
        NoteCommand::SetKind { kind } => parts::set(tx, &fields, "kind", kind.name().into()),
        NoteCommand::EditSection { stage, splice } => parts::splice_text(tx, &section_object(*stage), splice),
        NoteCommand::SetFunction { scheme, function, weight } => {
            let key = format!("{scheme}/{function}");
            parts::set(tx, &genesis_object(FUNCTIONS), &key, ScalarValue::Uint(u64::from(*weight)))
        }
        NoteCommand::AddAction { id, after } => {
            let object = parts::create_item(tx, &map, *id, *after, session)?;
            tx.put_object(&object, "log", ObjType::Map)?;
            Ok(())
        }
        NoteCommand::MoveAction { id, after } => parts::move_item(tx, &map, *id, *after, session),
        NoteCommand::RemoveAction { id } => parts::remove_item(tx, &map, *id),
        NoteCommand::EditAction { id, splice } => parts::edit_item(tx, &map, *id, splice, session),
        NoteCommand::SetOwner { id, owner } => {
            let object = touched(tx, *id, session)?;
            parts::set(tx, &object, "owner", owner.as_str().into())
        }
        NoteCommand::SetDue { id, due } => {
            let object = touched(tx, *id, session)?;
            match due {
                Some(due) => parts::set(tx, &object, "due", due.to_string().into()),
                None if tx.get(&object, "due")?.is_some() => Ok(tx.delete(&object, "due")?),
                None => Ok(()),
            }
        }
        NoteCommand::MarkAction { id, op, transition, cites } => {
            let object = touched(tx, *id, session)?;
            let log = parts::child(tx, &object, "log", ObjType::Map).ok_or(WriteError::Missing)?;
            parts::append(tx, &log, *op, StateEntry::new(*transition, cites.clone()).encode())
        }
        NoteCommand::Confirm { op, confirmation, .. } => {
            parts::append(tx, &genesis_object(CONFIRMATIONS), *op, confirmation.encode())
        }
        NoteCommand::AddAddendum { op, text } => {
            parts::append(tx, &genesis_object(ADDENDA), *op, text.clone().into_bytes())
        }
        NoteCommand::CiteRule { rule } => parts::set(tx, &fields, RECORD, rule.name().into()),
    }
}

fn touched(tx: &mut Transaction<'_>, id: ItemId, session: &str) -> Result<ObjId, WriteError> {
    let object = parts::item(tx, &actions(), id).ok_or(WriteError::Missing)?;
    parts::touch_item(tx, &object, session)?;
    Ok(object)
}

pub(crate) const fn text_edit(command: &NoteCommand) -> Option<(TextTarget, &Splice)> {
    match command {
        NoteCommand::EditSection { stage, splice } => Some((TextTarget::Section(*stage), splice)),
        NoteCommand::EditAction { id, splice } => Some((TextTarget::Action(*id), splice)),
        NoteCommand::SetTitle { .. }
        | NoteCommand::SetDate { .. }
        | NoteCommand::SetKind { .. }
        | NoteCommand::SetFunction { .. }
        | NoteCommand::AddAction { .. }
        | NoteCommand::MoveAction { .. }
        | NoteCommand::RemoveAction { .. }
        | NoteCommand::SetOwner { .. }
        | NoteCommand::SetDue { .. }
        | NoteCommand::MarkAction { .. }
        | NoteCommand::Confirm { .. }
        | NoteCommand::AddAddendum { .. }
        | NoteCommand::CiteRule { .. } => None,
    }
}

/// See [`super::register`].
pub(crate) fn register(document: &impl Whole, command: &NoteCommand) -> Option<(ObjId, String)> {
    let field = |key: &str| Some((genesis_object(FIELDS), key.to_owned()));
    let of_action = |id, key: &str| Some((parts::item(document, &actions(), id)?, key.to_owned()));
    match command {
        NoteCommand::SetTitle { .. } => field("title"),
        NoteCommand::SetDate { .. } => field("date"),
        NoteCommand::SetKind { .. } => field("kind"),
        NoteCommand::CiteRule { .. } => field(RECORD),
        NoteCommand::SetFunction { scheme, function, .. } => {
            Some((genesis_object(FUNCTIONS), format!("{scheme}/{function}")))
        }
        NoteCommand::SetOwner { id, .. } => of_action(*id, "owner"),
        NoteCommand::SetDue { id, .. } => of_action(*id, "due"),
        NoteCommand::EditSection { .. }
        | NoteCommand::AddAction { .. }
        | NoteCommand::MoveAction { .. }
        | NoteCommand::RemoveAction { .. }
        | NoteCommand::EditAction { .. }
        | NoteCommand::MarkAction { .. }
        | NoteCommand::Confirm { .. }
        | NoteCommand::AddAddendum { .. } => None,
    }
}

pub(crate) fn view(document: &impl Whole, id: String, context: ViewContext<'_>) -> NoteView {
    let mut authors = Authors::new(context.author);
    let mut view = words(document, id, &mut authors);
    for (operation, op, bytes) in parts::log_in_order(document, &genesis_object(ADDENDA)) {
        let Ok(text) = String::from_utf8(bytes) else { continue };
        view.addenda.push(AddendumView { op, by: authors.of(&operation), text });
    }
    if let Some(verifies) = context.verifies {
        confirmed::settle(document, &mut view, &mut authors, (context, verifies));
    }
    view.record = record_cited(document, &view);
    view.authors = authors.into_list();
    view
}

/// The strictest record rule that the note cites, and whether it holds what that rule lets nobody keep.
fn record_cited(document: &impl Read, view: &NoteView) -> Option<RecordCited> {
    let rule = rule_cited(document)?;
    Some(RecordCited {
        rule: rule.name().to_owned(),
        against: content_permitted(Some(rule)).is_err() && view.has_content(),
    })
}

/// The strictest record rule that the note cites.
pub(crate) fn rule_cited(document: &impl Read) -> Option<ProtectiveValue> {
    let values = document.values_of(&genesis_object(FIELDS), RECORD);
    let names = values.iter().filter_map(|(value, _)| value.as_str());
    let rules = names.filter_map(|name| ProtectiveValue::from_name(ProtectiveTerm::ContentRecordRule, name));
    rules.min_by_key(|rule| rule.rank())
}

/// Texts, fields and actions: what a state of the document says by itself, whatever was confirmed.
fn words(document: &impl Whole, id: String, authors: &mut Authors<'_>) -> NoteView {
    let mut view = NoteView { document: id, ..NoteView::default() };
    let fields = document.entries_of(&genesis_object(FIELDS));
    let titles = parts::claims(fields.at("title"), authors);
    note_conflict(&mut view.conflicts, "title".to_owned(), &titles);
    view.title = titles.first().map(|claim| claim.value.clone());
    let mut dates = parts::claims(fields.at("date"), authors);
    dates.sort_by_key(date_key);
    note_conflict(&mut view.conflicts, "date".to_owned(), &dates);
    view.date = dates.first().and_then(|claim| claim.value.parse().ok());
    let kinds = parts::claims(fields.at("kind"), authors);
    note_conflict(&mut view.conflicts, "kind".to_owned(), &kinds);
    view.kind = kinds.first().and_then(|claim| MeetingKind::from_name(&claim.value));
    for stage in Stage::ALL {
        let text = parts::text(document, &section_object(*stage), authors);
        view.sections.push(SectionView { stage: *stage, text });
    }
    functions(document, authors, &mut view);
    for item in parts::items(document, &actions()).into_iter().filter(|item| item.alive) {
        let action = action(document, &item, authors);
        note_conflict(&mut view.conflicts, format!("actions.{}.owner", item.id), &action.owner);
        note_conflict(&mut view.conflicts, format!("actions.{}.due", item.id), &action.due);
        view.actions.push(action);
    }
    view
}

fn functions(document: &impl Whole, authors: &mut Authors<'_>, view: &mut NoteView) {
    for (key, values) in document.entries_of(&genesis_object(FUNCTIONS)).iter() {
        let Some((scheme, function)) = key.split_once('/') else { continue };
        let mut values = parts::claims(values, authors);
        values.sort_by_key(|claim| claim.value.parse::<u8>().unwrap_or(u8::MAX));
        note_conflict(&mut view.conflicts, format!("functions.{key}"), &values);
        if !values.is_empty() {
            view.functions.push(FunctionView { scheme: scheme.to_owned(), function: function.to_owned(), values });
        }
    }
}

fn action(document: &impl Whole, item: &parts::Item<'_>, authors: &mut Authors<'_>) -> ActionView {
    let text = item.entries.child("text", ObjType::Text);
    let mut due = parts::claims(item.entries.at("due"), authors);
    due.sort_by_key(date_key);
    let log = item.entries.child("log", ObjType::Map);
    let log = log.map(|log| log::shown::<Transition>(document, &log, authors)).unwrap_or_default();
    ActionView {
        id: item.id,
        text: text.map(|text| parts::text(document, &text, authors)).unwrap_or_default(),
        owner: parts::claims(item.entries.at("owner"), authors),
        due,
        state: state_of(&log),
        log,
    }
}

/// Earlier dates first, what is no date last.
fn date_key(claim: &Claim) -> (bool, Option<CivilDate>, String) {
    let date = claim.value.parse::<CivilDate>().ok();
    (date.is_none(), date, claim.value.clone())
}
