//! What a form shows.

use std::collections::BTreeMap;

use alliance_model::cosign;
use alliance_model::form::{
    By, Field, FilePiece, FileView, Form, FormFieldView, FormItemView, FormSetView, FormText, FormTextView, FormView,
    Keeps, List, Said, SaidView, Word, state_of,
};
use alliance_model::limits::FILE_PIECES_MAX;
use alliance_model::view::note_conflict;
use alliance_wire::{FrozenHash, PersonTag};
use automerge::{ObjId, ObjType};

use super::seals::seals;
use super::{FIELD, FIELDS, FILES, IN, LIST, LOG, PERSON, SETS, items, text_at};
use crate::schema::differences::between_forms;
use crate::schema::frozen::{is_past, states};
use crate::schema::parts::{self, Authors};
use crate::schema::read::{At, Entries, Read, Whole};
use crate::schema::{ViewContext, genesis_object};

/// Takes what its author said back, unless somebody acknowledged it before (DOMAIN 2.5, feedback).
const RETRACTED: &str = "retracted";
const ACKNOWLEDGED: &str = "acknowledged";

pub(crate) fn view(document: &impl Whole, form: &'static Form, id: String, context: ViewContext<'_>) -> FormView {
    let mut authors = Authors::new(context.author);
    let mut view = words(document, form, id, &mut authors, context);
    if form.signed.is_some() {
        view.text = FormText::of(&view).hash().to_string();
        if let Some(verifies) = context.verifies {
            let found = seals(document, form, &view, (context, verifies));
            view.settle(found);
            view = as_signed(document, form, view, &mut authors, context);
        }
    }
    view.authors = authors.into_list();
    view
}

/// What all have signed is what is shown; what was written without knowing of it stands apart.
fn as_signed(
    document: &impl Whole,
    form: &'static Form,
    view: FormView,
    authors: &mut Authors<'_>,
    context: ViewContext<'_>,
) -> FormView {
    let Some(seal) = view.agreed().filter(|seal| seal.text != view.text) else { return view };
    let (text, heads) = (seal.text.clone(), states(&seal.heads));
    let then = At { document: document.automerge(), heads: &heads };
    let signed = words(&then, form, view.document.clone(), authors, context);
    let apart = between_forms(document.automerge(), (&signed, &heads), (&view, &document.heads()));
    // What people say of it goes on.
    let (log, state) = (view.log, view.state);
    FormView { text, apart, log, state, seals: view.seals, signed: true, files: view.files, ..signed }
}

/// What a state of the document says by itself, whatever was signed.
pub(super) fn words(
    document: &impl Whole,
    form: &'static Form,
    id: String,
    authors: &mut Authors<'_>,
    context: ViewContext<'_>,
) -> FormView {
    let mut view = FormView::new(form.kind, id);
    for (place, name) in (0..).zip(form.texts) {
        let text = parts::text(document, &text_at(place), authors);
        view.texts.push(FormTextView { name: (*name).to_owned(), text });
    }
    let stored = document.entries_of(&genesis_object(FIELDS));
    view.fields = fields(form.fields, &stored, "", authors);
    for field in &view.fields {
        note_conflict(&mut view.conflicts, field.field.clone(), &field.values);
    }
    view.sets = sets(document, form);
    for item in parts::items(document, &items()).into_iter().filter(|item| item.alive) {
        view.items.extend(one_item(document, form, &item, authors, context));
    }
    let may = |word: &Word, by: &str| Form::may_say(word, None, by);
    view.log = log(document, &genesis_object(LOG), (form.words, &may), authors);
    view.state = state_of(&view.log, form.words);
    if form.files {
        view.files = files(document, authors);
    }
    view
}

/// The fields of a table that have a value, `prefix` before their keys.
fn fields(table: &[Field], stored: &Entries<'_>, prefix: &str, authors: &mut Authors<'_>) -> Vec<FormFieldView> {
    let mut shown = Vec::new();
    for field in table {
        let mut values = parts::claims(stored.at(&format!("{prefix}{}", field.name)), authors);
        values.retain(|claim| field.sort.check(&claim.value).is_ok());
        match field.keeps {
            Keeps::Newest => values.truncate(1),
            Keeps::All => values.sort_by_key(|claim| field.sort.order(&claim.value)),
        }
        if !values.is_empty() {
            shown.push(FormFieldView { field: field.name.to_owned(), values });
        }
    }
    shown
}

fn sets(document: &impl Read, form: &Form) -> Vec<FormSetView> {
    let stored = document.entries_of(&genesis_object(SETS));
    let mut shown = Vec::new();
    for set in form.sets {
        let in_it = |key: &str| Some(key.strip_prefix(set.name)?.strip_prefix(IN)?.to_owned());
        let values = stored.iter().filter_map(|(key, _)| in_it(key)).filter(|value| set.sort.check(value).is_ok());
        let values: Vec<String> = values.collect();
        if !values.is_empty() {
            shown.push(FormSetView { name: set.name.to_owned(), values });
        }
    }
    shown
}

/// An item, if its list is one that this version knows.
fn one_item(
    document: &impl Whole,
    form: &Form,
    item: &parts::Item<'_>,
    authors: &mut Authors<'_>,
    context: ViewContext<'_>,
) -> Option<FormItemView> {
    let first = |key: &str, authors: &mut Authors<'_>| -> Option<String> {
        Some(parts::claims(item.entries.at(key), authors).first()?.value.clone())
    };
    let list: &List = form.list(&first(LIST, authors)?)?;
    let text = item.entries.child("text", ObjType::Text)?;
    let by = authors.of(&text);
    // Nobody adds something in another's name.
    let person = first(PERSON, authors).and_then(|tag| tag.parse::<PersonTag>().ok());
    let person = person.filter(|person| (context.name)(*person) == authors.name_of(by)).map(|tag| tag.to_string());
    let shown = parts::text(document, &text, authors);
    let logged = item.entries.child("log", ObjType::Map);
    let fields = fields(list.fields, &item.entries, FIELD, authors);
    let named = |field: &str| -> Option<String> {
        let value = fields.iter().find(|it| it.field == field)?.values.first()?;
        Some((context.name)(value.value.parse().ok()?))
    };
    let author = authors.name_of(by);
    let may = |word: &Word, by: &str| match word.by {
        By::Named(field) => named(field).as_deref() == Some(by) && by != author,
        By::Anyone | By::Author | By::Others => Form::may_say(word, Some(&author), by),
    };
    let log = logged.map(|it| log(document, &it, (list.words, &may), authors)).unwrap_or_default();
    let mut view = FormItemView {
        id: item.id,
        list: list.name.to_owned(),
        by,
        person,
        text: shown,
        fields,
        state: state_of(&log, list.words),
        log,
    };
    if view.log.iter().any(|it| it.word == RETRACTED) {
        view.state = Some(RETRACTED.to_owned());
        view.text = alliance_model::text::TextView::default();
    }
    Some(view)
}

/// Whether a word may be said by whom.
type May<'a> = &'a dyn Fn(&Word, &str) -> bool;

/// What was said, in order, without what nobody may say so: a word that the table does not have, somebody else's word.
fn log(
    document: &impl Whole,
    object: &ObjId,
    (words, may): (&[Word], May<'_>),
    authors: &mut Authors<'_>,
) -> Vec<SaidView> {
    let mut shown: Vec<SaidView> = Vec::new();
    let mut acknowledged: Vec<ObjId> = Vec::new();
    for (operation, op, bytes) in parts::log_in_order(document, object) {
        let Some(Said { word, cites, on, number, text }) = Said::parse(&bytes) else { continue };
        let Some(known) = words.iter().find(|known| known.name == word) else { continue };
        let by = authors.of(&operation);
        if !may(known, &authors.name_of(by)) {
            continue;
        }
        // What somebody has acknowledged is not taken back; what was acknowledged without knowing of it is.
        if word == RETRACTED && acknowledged.iter().any(|earlier| is_past(document, earlier, &operation)) {
            continue;
        }
        if word == ACKNOWLEDGED {
            acknowledged.push(operation);
        }
        shown.push(SaidView { op, by, word, cites, on, number, text });
    }
    shown
}

/// Pieces of a file by number, with who put each there.
type Pieces = BTreeMap<u16, (Vec<u8>, usize)>;

/// The files of which every piece is there and which have the hash that their pieces name.
fn files(document: &impl Read, authors: &mut Authors<'_>) -> Vec<FileView> {
    let mut found: BTreeMap<(FrozenHash, u16), Pieces> = BTreeMap::new();
    for (operation, _, bytes) in parts::log_in_order(document, &genesis_object(FILES)) {
        let Some(piece) = FilePiece::parse(&bytes) else { continue };
        if piece.number < piece.of && usize::from(piece.of) <= FILE_PIECES_MAX {
            let pieces = found.entry((piece.file, piece.of)).or_default();
            pieces.entry(piece.number).or_insert_with(|| (piece.bytes, authors.of(&operation)));
        }
    }
    let mut shown: Vec<FileView> = Vec::new();
    for ((file, of), pieces) in found {
        if pieces.len() != usize::from(of) {
            continue;
        }
        let by = pieces.values().last().map_or(0, |(_, by)| *by);
        let bytes: Vec<u8> = pieces.into_values().flat_map(|(bytes, _)| bytes).collect();
        if cosign::frozen(&bytes) == file
            && let Ok(text) = String::from_utf8(bytes)
        {
            shown.push(FileView { file: file.to_string(), by, text });
        }
    }
    shown
}
