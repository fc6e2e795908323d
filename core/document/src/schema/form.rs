//! Forms as Automerge documents: one layout for all of them.
//!
//! Genesis makes, behind id, kind and schema (operations 1 to 3): `fields` (4, registers), `sets` (5, keys that are there
//! or not), `items` (6, items by id, each of the person who added it, which the gate sees to), `log` (7, what was said of
//! the document), `log.seals` (8, what was signed), `log.files` (9, pieces of signed files), and from 10 on a text for
//! each that the form has, in its order.

mod seals;
mod view;

use alliance_model::form::{Form, FormCommand};
use alliance_model::{DocumentKind, ItemId, Splice};
use automerge::transaction::{Transactable as _, Transaction};
use automerge::{AutomergeError, ObjId, ObjType, ROOT, ReadDoc as _};

use super::parts;
use super::read::Read;
use super::{TextTarget, WriteError, genesis_object};

pub(crate) use view::view;

const FIELDS: u64 = 4;
const SETS: u64 = 5;
pub(crate) const ITEMS_OPERATION: u32 = 6;
const ITEMS: u64 = ITEMS_OPERATION as u64;
const LOG: u64 = 7;
const SEALS: u64 = 8;
const FILES: u64 = 9;
const TEXTS: u64 = 10;

/// Registers of an item beside its fields.
const LIST: &str = "list";
const PERSON: &str = "person";
/// Stands before a field of an item, so that none is a key with a meaning of its own, such as `pos` or `log`.
const FIELD: &str = "field:";
/// Between a set's name and a value in it.
const IN: char = ':';

pub(crate) fn items() -> ObjId {
    genesis_object(ITEMS)
}

/// The text of a form at its place in the table.
pub(crate) fn text_at(place: u8) -> ObjId {
    genesis_object(TEXTS + u64::from(place))
}

/// Whether somebody has signed something: until then nothing is signed, and nobody has to look.
pub(crate) fn is_signed_by_some(document: &impl Read) -> bool {
    document.length_of(&genesis_object(SEALS)) > 0
}

/// Where a text stands in the table of its form.
pub(crate) fn place_of(form: &Form, name: &str) -> Option<u8> {
    form.texts.iter().position(|text| *text == name).and_then(|place| u8::try_from(place).ok())
}

pub(crate) fn write_genesis(tx: &mut Transaction<'_>, form: &Form) -> Result<(), AutomergeError> {
    for name in ["fields", "sets", "items", "log", "log.seals", "log.files"] {
        tx.put_object(ROOT, name, ObjType::Map)?;
    }
    for name in form.texts {
        tx.put_object(ROOT, format!("text.{name}"), ObjType::Text)?;
    }
    Ok(())
}

pub(crate) fn write(
    tx: &mut Transaction<'_>,
    kind: DocumentKind,
    command: &FormCommand,
    session: &str,
) -> Result<(), WriteError> {
    match command {
        FormCommand::EditText { name, splice } => {
            let place = kind.form().and_then(|form| place_of(form, name)).ok_or(WriteError::Missing)?;
            parts::splice_text(tx, &text_at(place), splice)
        }
        FormCommand::Set { field, value } => parts::set(tx, &genesis_object(FIELDS), field, value.as_str().into()),
        FormCommand::Clear { field } => clear(tx, &genesis_object(FIELDS), field),
        // Written anew in each editing session, also where it is there: who names it did not see that somebody takes it
        // out (DOMAIN 2.3, S).
        FormCommand::Put { set, value } => Ok(tx.put(genesis_object(SETS), key_in(set, value), session)?),
        FormCommand::Take { set, value } => clear(tx, &genesis_object(SETS), &key_in(set, value)),
        FormCommand::Add { id, list, after, person } => {
            let object = parts::create_item(tx, &items(), *id, *after, session)?;
            tx.put_object(&object, "log", ObjType::Map)?;
            parts::set(tx, &object, LIST, list.as_str().into())?;
            parts::set(tx, &object, PERSON, person.to_string().into())
        }
        FormCommand::EditItem { id, splice } => parts::edit_item(tx, &items(), *id, splice, session),
        FormCommand::SetItem { id, field, value } => {
            let object = parts::item(tx, &items(), *id).ok_or(WriteError::Missing)?;
            parts::touch_item(tx, &object, session)?;
            parts::set(tx, &object, &format!("{FIELD}{field}"), value.as_str().into())
        }
        FormCommand::Remove { id } => parts::remove_item(tx, &items(), *id),
        FormCommand::Say { op, item, said } => {
            let log = match item {
                None => genesis_object(LOG),
                Some(id) => {
                    let object = parts::item(tx, &items(), *id).ok_or(WriteError::Missing)?;
                    parts::child(tx, &object, "log", ObjType::Map).ok_or(WriteError::Missing)?
                }
            };
            parts::append(tx, &log, *op, said.encode())
        }
        FormCommand::Sign { op, sealed, .. } => parts::append(tx, &genesis_object(SEALS), *op, sealed.encode()),
        FormCommand::Keep { op, piece } => parts::append(tx, &genesis_object(FILES), *op, piece.encode()),
    }
}

fn key_in(set: &str, value: &str) -> String {
    format!("{set}{IN}{value}")
}

fn clear(tx: &mut Transaction<'_>, object: &ObjId, key: &str) -> Result<(), WriteError> {
    if tx.get(object, key)?.is_some() {
        tx.delete(object, key)?;
    }
    Ok(())
}

pub(crate) fn text_edit(kind: DocumentKind, command: &FormCommand) -> Option<(TextTarget, &Splice)> {
    match command {
        FormCommand::EditText { name, splice } => {
            Some((TextTarget::Shared(kind, place_of(kind.form()?, name)?), splice))
        }
        FormCommand::EditItem { id, splice } => Some((TextTarget::Own(kind, *id), splice)),
        FormCommand::Set { .. }
        | FormCommand::Clear { .. }
        | FormCommand::Put { .. }
        | FormCommand::Take { .. }
        | FormCommand::Add { .. }
        | FormCommand::SetItem { .. }
        | FormCommand::Remove { .. }
        | FormCommand::Say { .. }
        | FormCommand::Sign { .. }
        | FormCommand::Keep { .. } => None,
    }
}

/// The command that edits a text of a form.
pub(crate) fn edit_text(kind: DocumentKind, place: u8, splice: Splice) -> FormCommand {
    let name = kind.form().and_then(|form| form.texts.get(usize::from(place)).copied()).unwrap_or_default();
    FormCommand::EditText { name: name.to_owned(), splice }
}

/// The item that a command takes out.
pub(crate) const fn removed(command: &FormCommand) -> Option<ItemId> {
    if let FormCommand::Remove { id } = command { Some(*id) } else { None }
}

/// See [`super::register`].
pub(crate) fn register(kind: DocumentKind, command: &FormCommand) -> Option<(ObjId, String)> {
    let (FormCommand::Set { field, .. } | FormCommand::Clear { field }) = command else { return None };
    let all = alliance_model::form::Keeps::All;
    let kept = kind.form()?.fields.iter().any(|known| known.name == field && known.keeps == all);
    kept.then(|| (genesis_object(FIELDS), field.clone()))
}
