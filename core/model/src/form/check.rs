//! What a person may do to a form.

use super::table::SAID_MAX;
use super::{Field, FilePiece, Form, FormCommand, FormSeal, FormView, List, Said, SaidView, Signing, With, Word};
use crate::cosign::{check_parties, check_signature, short};
use crate::kind::ItemId;
use crate::limits::{
    CITES_MAX, FILE_PIECE_BYTES_MAX, FILE_PIECES_MAX, FORM_FILES_MAX, HEADS_MAX, INSERT_BYTES_MAX, SEALS_MAX, SET_MAX,
};
use crate::refusal::{Refusal, RefusalCode};

/// Accepts or refuses a command on a form as shown; `me` is who writes, by the name that the view gives. Edits of texts
/// are judged by length where they are written, and here by whose they are.
///
/// # Errors
/// `SEALED` (all have signed it), `NOT_AUTHOR` (another's item, or not theirs to say), `UNKNOWN_FIELD`, `UNKNOWN_ITEM`,
/// `UNKNOWN_WORD`, `ITEM_EXISTS`, `TOO_MANY_ITEMS`, `INCOMPLETE`, `STALE_TEXT`, `STALE_VIEW`, `NOT_PARTY`,
/// `ALREADY_SIGNED`, `SAME_PERSON_COSIGN`, and those of values.
pub fn check(view: &FormView, command: &FormCommand, me: &str) -> Result<(), Refusal> {
    let form = view.kind.form().ok_or_else(|| Refusal::new(RefusalCode::WrongKind).with("kind", view.kind))?;
    if view.signed && !command.is_said() {
        return Err(Refusal::new(RefusalCode::Sealed));
    }
    match command {
        FormCommand::EditText { name, splice } => {
            let text = view.texts.iter().find(|text| text.name == *name);
            splice.check(text.ok_or_else(|| no_field(name))?.text.scalars())
        }
        FormCommand::Set { field, value } => field_of(form.fields, field)?.sort.check(value),
        FormCommand::Clear { field } => field_of(form.fields, field).map(|_| ()),
        FormCommand::Put { set, value } => {
            field_of(form.sets, set)?.sort.check(value)?;
            let there = view.set(set);
            if there.contains(value) { Ok(()) } else { room(there.len(), SET_MAX) }
        }
        FormCommand::Take { set, value } => {
            field_of(form.sets, set)?;
            if view.set(set).contains(value) { Ok(()) } else { Err(Refusal::new(RefusalCode::UnknownItem)) }
        }
        FormCommand::Add { id, list, after, .. } => {
            let list = form.list(list).ok_or_else(|| no_field(list))?;
            if view.item(*id).is_some() {
                return Err(Refusal::new(RefusalCode::ItemExists).with("item", id));
            }
            room(view.list(list.name).count(), list.max)?;
            after.map_or(Ok(()), |after| item(view, after).map(|_| ()))
        }
        FormCommand::EditItem { id, splice } => {
            let (found, list) = own(view, form, *id, me)?;
            if !list.text {
                return Err(no_field("text"));
            }
            splice.check(found.text.scalars())
        }
        FormCommand::SetItem { id, field, value } => {
            let (_, list) = own(view, form, *id, me)?;
            field_of(list.fields, field)?.sort.check(value)
        }
        FormCommand::Remove { id } => own(view, form, *id, me).map(|_| ()),
        FormCommand::Say { op, item, said } => check_said(view, form, (*op, *item), said, me),
        FormCommand::Sign { op, sealed, seen } => {
            let signing = form.signed.ok_or_else(|| Refusal::new(RefusalCode::WrongKind).with("kind", view.kind))?;
            check_sign(view, *op, (sealed, *seen), signing)
        }
        FormCommand::Keep { piece, .. } => check_piece(view, form, piece),
    }
}

fn field_of(fields: &'static [Field], name: &str) -> Result<&'static Field, Refusal> {
    fields.iter().find(|field| field.name == name).ok_or_else(|| no_field(name))
}

fn no_field(name: &str) -> Refusal {
    Refusal::new(RefusalCode::UnknownField).with("field", name.chars().take(64).collect::<String>())
}

fn item(view: &FormView, id: ItemId) -> Result<&super::FormItemView, Refusal> {
    view.item(id).ok_or_else(|| Refusal::new(RefusalCode::UnknownItem).with("item", id))
}

fn own<'v>(
    view: &'v FormView,
    form: &Form,
    id: ItemId,
    me: &str,
) -> Result<(&'v super::FormItemView, &'static List), Refusal> {
    let found = item(view, id)?;
    let list = form.list(&found.list).ok_or_else(|| no_field(&found.list))?;
    if view.author(found.by) == me { Ok((found, list)) } else { Err(Refusal::new(RefusalCode::NotAuthor)) }
}

fn room(there: usize, max: usize) -> Result<(), Refusal> {
    if there < max { Ok(()) } else { Err(Refusal::new(RefusalCode::TooManyItems).with("max", max)) }
}

fn check_said(
    view: &FormView,
    form: &Form,
    (op, of): (ItemId, Option<ItemId>),
    said: &Said,
    me: &str,
) -> Result<(), Refusal> {
    let (log, words, author): (&[SaidView], &[Word], Option<&str>) = match of {
        None => (&view.log, form.words, None),
        Some(id) => {
            let found = item(view, id)?;
            let list = form.list(&found.list).ok_or_else(|| no_field(&found.list))?;
            (&found.log, list.words, Some(view.author(found.by)))
        }
    };
    let words_of = || words.iter().map(|word| word.name).collect::<Vec<_>>().join(", ");
    let unknown = || Refusal::new(RefusalCode::UnknownWord).with("words", words_of());
    let word = words.iter().find(|word| word.name == said.word).ok_or_else(unknown)?;
    if !Form::may_say(word, author, me) {
        return Err(Refusal::new(RefusalCode::NotAuthor));
    }
    if log.iter().any(|entry| entry.op == op) {
        return Err(Refusal::new(RefusalCode::ItemExists).with("item", op));
    }
    room(log.len(), SAID_MAX)?;
    if said.cites.len() > CITES_MAX {
        return Err(Refusal::new(RefusalCode::TooManyItems).with("max", CITES_MAX));
    }
    if let Some(cite) = said.cites.iter().find(|cite| !log.iter().any(|entry| entry.op == **cite)) {
        return Err(Refusal::new(RefusalCode::UnknownItem).with("item", cite));
    }
    check_with(word, said)
}

/// What goes with a word: what it needs is there and fits, and nothing else is.
fn check_with(word: &Word, said: &Said) -> Result<(), Refusal> {
    let (mut on, mut number, mut text) = (said.on, said.number, said.text.as_deref());
    for with in word.with {
        match with {
            With::Date => {
                let date = on.take().filter(|date| date.is_valid());
                date.ok_or_else(|| Refusal::new(RefusalCode::DateInvalid))?;
            }
            With::Number(max) => {
                let refused = || Refusal::new(RefusalCode::NumberInvalid).with("from", 0).with("to", max);
                number.take().filter(|number| number <= max).ok_or_else(refused)?;
            }
            With::Text => {
                if let Some(text) = text.take() {
                    check_text(text)?;
                }
            }
        }
    }
    if on.is_some() || number.is_some() || text.is_some() {
        return Err(no_field(word.name));
    }
    Ok(())
}

/// Some text that is said once: several lines, not longer than one command inserts.
fn check_text(text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new(RefusalCode::TextEmpty));
    }
    if text.len() > INSERT_BYTES_MAX {
        return Err(Refusal::new(RefusalCode::TextTooLong).with("bytes", INSERT_BYTES_MAX));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(Refusal::new(RefusalCode::TextInvalid));
    }
    Ok(())
}

/// Accepts or refuses a signature by somebody who was shown the text of hash `seen`.
fn check_sign(
    view: &FormView,
    op: ItemId,
    (FormSeal { sealing, signature }, seen): (&FormSeal, alliance_wire::FrozenHash),
    signing: Signing,
) -> Result<(), Refusal> {
    if view.seals.iter().any(|it| it.op == op) {
        return Err(Refusal::new(RefusalCode::ItemExists).with("item", op));
    }
    let stale = || Refusal::new(RefusalCode::StaleView);
    if signature.frozen != sealing.frozen {
        return Err(stale());
    }
    let name = sealing.frozen.to_string();
    if let Some(known) = view.seals.iter().find(|it| it.name == name) {
        return check_signature((&known.parties, &known.signatures), (&known.text, seen), signature);
    }
    if view.signed {
        return Err(Refusal::new(RefusalCode::Sealed));
    }
    room(view.seals.len(), SEALS_MAX)?;
    for name in signing.needed {
        let said = view.text_of(name).or_else(|| view.value(name)).unwrap_or_default();
        if said.trim().is_empty() {
            return Err(Refusal::new(RefusalCode::Incomplete).with("missing", name));
        }
    }
    if let Some(conflict) = view.conflicts.first() {
        return Err(Refusal::new(RefusalCode::NeedsChoice).with("field", &conflict.field));
    }
    check_parties(&sealing.parties)?;
    if sealing.parties.len() < signing.persons {
        return Err(Refusal::new(RefusalCode::NotParty).with("persons", signing.persons));
    }
    let heads = sealing.heads.len();
    if heads == 0 || !heads.is_multiple_of(32) || heads > HEADS_MAX * 32 {
        return Err(stale());
    }
    let changed = || {
        let refusal = Refusal::new(RefusalCode::StaleText).with("signed", seen.short());
        refusal.with("current", short(&view.text))
    };
    let here = view.sealing(seen, sealing.heads.clone(), sealing.parties.clone());
    if here.ok_or_else(changed)? != *sealing {
        return Err(stale());
    }
    let parties: Vec<crate::cosign::PartyView> = sealing.parties.iter().map(Into::into).collect();
    check_signature((&parties, &[]), (&seen.to_string(), seen), signature)
}

fn check_piece(view: &FormView, form: &Form, piece: &FilePiece) -> Result<(), Refusal> {
    if !form.files {
        return Err(Refusal::new(RefusalCode::WrongKind).with("kind", view.kind));
    }
    room(view.files.len(), FORM_FILES_MAX)?;
    let numbered = piece.number < piece.of && usize::from(piece.of) <= FILE_PIECES_MAX;
    if !numbered || piece.bytes.is_empty() || piece.bytes.len() > FILE_PIECE_BYTES_MAX {
        return Err(Refusal::new(RefusalCode::TextTooLong).with("bytes", FILE_PIECE_BYTES_MAX * FILE_PIECES_MAX));
    }
    Ok(())
}
