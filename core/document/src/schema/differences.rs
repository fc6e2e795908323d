//! What differs between two states of a document, place by place.

use std::collections::BTreeMap;

use alliance_model::decision::DecisionField;
use alliance_model::note::Stage;
use alliance_model::view::{Claim, Difference, Piece, PieceKind};
use alliance_model::{AgreementView, DecisionView, FormView, ItemId, NoteView, PreparationView, SessionView};
use automerge::{Automerge, ChangeHash, PatchAction};

mod forms;

use super::read::{At, Read as _};
use super::{TextTarget, View, text_object};

/// The differences between two states and their views.
pub(crate) fn between(
    automerge: &Automerge,
    before: (&View, &[ChangeHash]),
    after: (&View, &[ChangeHash]),
) -> Vec<Difference> {
    differing(automerge, (fields(before.0), before.1), (fields(after.0), after.1))
}

/// The differences between two states of a note, but for what became of its actions.
pub(super) fn between_notes(
    automerge: &Automerge,
    before: (&NoteView, &[ChangeHash]),
    after: (&NoteView, &[ChangeHash]),
) -> Vec<Difference> {
    differing(automerge, (note_text(before.0), before.1), (note_text(after.0), after.1))
}

/// The differences between two states of a decision's wording.
pub(super) fn between_decisions(
    automerge: &Automerge,
    before: (&DecisionView, &[ChangeHash]),
    after: (&DecisionView, &[ChangeHash]),
) -> Vec<Difference> {
    differing(automerge, (decision_text(before.0), before.1), (decision_text(after.0), after.1))
}

/// The differences between two states of a form, but for what was said of it.
pub(super) fn between_forms(
    automerge: &Automerge,
    before: (&FormView, &[ChangeHash]),
    after: (&FormView, &[ChangeHash]),
) -> Vec<Difference> {
    differing(automerge, (forms::text(before.0), before.1), (forms::text(after.0), after.1))
}

type Fields = BTreeMap<String, Field>;

fn differing(
    automerge: &Automerge,
    (then, from): (Fields, &[ChangeHash]),
    (now, to): (Fields, &[ChangeHash]),
) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut places: Vec<&String> = now.keys().collect();
    places.extend(then.keys().filter(|place| !now.contains_key(*place)));
    for place in places {
        let (old, new) = (then.get(place), now.get(place));
        let difference = match (old, new) {
            (Some(Field::Value(old)), Some(Field::Value(new))) if old == new => None,
            (Some(Field::Text(old)), Some(Field::Text(new))) if old == new => None,
            (None | Some(Field::Text(_)), None | Some(Field::Text(_))) => {
                let pieces = pieces(automerge, place, from, to).filter(|pieces| says(pieces, old, new));
                let pieces = pieces.unwrap_or_else(|| whole(old, new));
                let count = |kind| -> usize {
                    pieces.iter().filter(|it| it.kind == kind).map(|it| it.text.chars().count()).sum()
                };
                let (added, removed) = (count(PieceKind::Added), count(PieceKind::Removed));
                Some(Difference { place: place.clone(), added, removed, pieces, before: None, after: None })
            }
            (old, new) => Some(Difference {
                place: place.clone(),
                added: 0,
                removed: 0,
                pieces: Vec::new(),
                before: old.map(Field::text),
                after: new.map(Field::text),
            }),
        };
        found.extend(difference);
    }
    found
}

/// Whether pieces read as the two texts. The text of an item that was removed is still there for the engine, and not
/// for people.
fn says(pieces: &[Piece], old: Option<&Field>, new: Option<&Field>) -> bool {
    let without = |kind| -> String { pieces.iter().filter(|it| it.kind != kind).map(|it| it.text.as_str()).collect() };
    let text = |field: Option<&Field>| field.map_or_else(String::new, Field::text);
    without(PieceKind::Added) == text(old) && without(PieceKind::Removed) == text(new)
}

/// All of a text went, or came.
fn whole(old: Option<&Field>, new: Option<&Field>) -> Vec<Piece> {
    let piece = |field: Option<&Field>, kind| field.map(|it| Piece { kind, text: it.text() });
    let both = [piece(old, PieceKind::Removed), piece(new, PieceKind::Added)];
    both.into_iter().flatten().filter(|piece| !piece.text.is_empty()).collect()
}

/// A text's pieces, from the engine's own account of what was inserted and deleted.
fn pieces(automerge: &Automerge, place: &str, from: &[ChangeHash], to: &[ChangeHash]) -> Option<Vec<Piece>> {
    let target = text_target(place)?;
    let object = text_object(&At { document: automerge, heads: to }, target)?;
    let mut letters: Vec<(char, PieceKind)> = Vec::new();
    At { document: automerge, heads: from }
        .letters(&object, &mut |text, _| letters.extend(text.chars().map(|c| (c, PieceKind::Kept))));
    for patch in automerge.diff_obj(&object, from, to, false).ok()? {
        match patch.action {
            PatchAction::SpliceText { index, value, .. } => {
                let at = place_of(&letters, index)?;
                letters.splice(at..at, value.make_string().chars().map(|c| (c, PieceKind::Added)));
            }
            PatchAction::DeleteSeq { index, length } => {
                let mut at = place_of(&letters, index)?;
                for _ in 0..length {
                    while letters.get(at).is_some_and(|(_, kind)| *kind == PieceKind::Removed) {
                        at += 1;
                    }
                    match letters.get_mut(at)? {
                        (_, kind @ PieceKind::Kept) => *kind = PieceKind::Removed,
                        (_, PieceKind::Added | PieceKind::Removed) => {
                            letters.remove(at);
                        }
                    }
                }
            }
            PatchAction::PutMap { .. }
            | PatchAction::PutSeq { .. }
            | PatchAction::Insert { .. }
            | PatchAction::Increment { .. }
            | PatchAction::Conflict { .. }
            | PatchAction::DeleteMap { .. }
            | PatchAction::Mark { .. } => {}
        }
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for (c, kind) in letters {
        match pieces.last_mut() {
            Some(last) if last.kind == kind => last.text.push(c),
            Some(_) | None => pieces.push(Piece { kind, text: c.to_string() }),
        }
    }
    Some(pieces)
}

/// Where the letter with this index of the later text stands among all letters.
fn place_of(letters: &[(char, PieceKind)], index: usize) -> Option<usize> {
    let mut standing = letters.iter().enumerate().filter(|(_, (_, kind))| *kind != PieceKind::Removed);
    match standing.nth(index) {
        Some((at, _)) => Some(at),
        None => Some(letters.len())
            .filter(|_| letters.iter().filter(|(_, kind)| *kind != PieceKind::Removed).count() == index),
    }
}

/// What stands at a place.
enum Field {
    Text(String),
    Value(String),
}

impl Field {
    fn text(&self) -> String {
        match self {
            Self::Text(text) | Self::Value(text) => text.clone(),
        }
    }
}

fn fields(view: &View) -> Fields {
    match view {
        View::Note(note) => note_fields(note),
        View::Agreement(agreement) => agreement_fields(agreement),
        View::Session(session) => session_fields(session),
        View::Preparation(preparation) => preparation_fields(preparation),
        View::Decision(decision) => decision_fields(decision),
        View::Exports(exports) => {
            let said = exports.exports.iter().map(|it| (format!("exports.{}", it.op), Field::Value(it.reason.clone())));
            said.collect()
        }
        View::Form(form) => forms::fields(form),
    }
}

/// Every value that people wrote apart, one behind the other.
fn said(claims: &[Claim]) -> Option<Field> {
    let values: Vec<&str> = claims.iter().map(|claim| claim.value.as_str()).collect();
    if values.is_empty() { None } else { Some(Field::Value(values.join(" | "))) }
}

fn note_fields(note: &NoteView) -> Fields {
    let mut fields = note_text(note);
    for action in &note.actions {
        fields.insert(format!("actions.{}.state", action.id), Field::Value(action.state.to_string()));
    }
    if let Some(record) = &note.record {
        fields.insert("record".to_owned(), Field::Value(record.rule.clone()));
    }
    for addendum in &note.addenda {
        fields.insert(format!("addenda.{}", addendum.op), Field::Value(addendum.text.clone()));
    }
    fields
}

/// What people confirm of a note.
fn note_text(note: &NoteView) -> Fields {
    let mut fields = BTreeMap::new();
    let mut put = |place: String, field: Option<Field>| field.map(|field| fields.insert(place, field));
    put("title".to_owned(), note.title.clone().map(Field::Value));
    put("date".to_owned(), note.date.map(|date| Field::Value(date.to_string())));
    put("kind".to_owned(), note.kind.map(|kind| Field::Value(kind.name().to_owned())));
    for section in &note.sections {
        put(format!("sections.{}", section.stage.name()), Some(Field::Text(section.text.text.clone())));
    }
    for function in &note.functions {
        put(format!("functions.{}/{}", function.scheme, function.function), said(&function.values));
    }
    for action in &note.actions {
        put(format!("actions.{}", action.id), Some(Field::Text(action.text.text.clone())));
        put(format!("actions.{}.owner", action.id), said(&action.owner));
        put(format!("actions.{}.due", action.id), said(&action.due));
    }
    fields
}

fn agreement_fields(agreement: &AgreementView) -> Fields {
    let mut fields = BTreeMap::new();
    let mut put = |place: String, field: Option<Field>| field.map(|field| fields.insert(place, field));
    for clause in &agreement.clauses {
        put(format!("clauses.{}", clause.id), Some(Field::Text(clause.text.text.clone())));
        let modality = clause.modality.map(|modality| Field::Value(modality.name().to_owned()));
        put(format!("clauses.{}.modality", clause.id), modality);
    }
    for term in &agreement.terms {
        put(format!("terms.{}", term.name), said(&term.values));
    }
    for protective in &agreement.protective {
        put(format!("protective.{}", protective.term), protective.value.clone().map(Field::Value));
    }
    fields
}

fn session_fields(session: &SessionView) -> Fields {
    let mut fields = BTreeMap::new();
    let mut put = |place: String, field: Option<Field>| field.map(|field| fields.insert(place, field));
    for field in &session.fields {
        put(field.field.to_string(), said(&field.values));
    }
    for participant in &session.participants {
        put(format!("participants.{}.role", participant.person), said(&participant.role));
        put(format!("participants.{}.attendance", participant.person), said(&participant.attendance));
    }
    put("state".to_owned(), session.state.map(|state| Field::Value(state.to_string())));
    let stakeholders = session.stakeholders.join(" | ");
    put("stakeholders".to_owned(), (!stakeholders.is_empty()).then_some(Field::Value(stakeholders)));
    for item in &session.agenda {
        put(format!("agenda.{}", item.id), Some(Field::Text(item.text.text.clone())));
        put(format!("agenda.{}.state", item.id), Some(Field::Value(item.state.to_string())));
        for field in &item.fields {
            put(format!("agenda.{}.{}", item.id, field.field), said(&field.values));
        }
    }
    fields
}

fn preparation_fields(preparation: &PreparationView) -> Fields {
    let mut fields = BTreeMap::new();
    let mut put = |place: String, field: Option<Field>| field.map(|field| fields.insert(place, field));
    for entry in &preparation.entries {
        put(format!("entries.{}", entry.id), Some(Field::Text(entry.text.text.clone())));
        put(format!("entries.{}.state", entry.id), Some(Field::Value(entry.state.to_string())));
        for field in &entry.fields {
            put(format!("entries.{}.{}", entry.id, field.field), said(&field.values));
        }
        let feelings: Vec<&str> = entry.feelings.iter().map(|feeling| feeling.name()).collect();
        let feelings = feelings.join(" | ");
        put(format!("entries.{}.feelings", entry.id), (!feelings.is_empty()).then_some(Field::Value(feelings)));
    }
    fields
}

fn decision_fields(decision: &DecisionView) -> Fields {
    let mut fields = decision_text(decision);
    for check in &decision.checks {
        fields.insert(format!("checks.{}", check.op), Field::Value(check.text.clone()));
    }
    fields.insert("state".to_owned(), Field::Value(decision.state.to_string()));
    fields
}

/// What the maker of a decision words.
fn decision_text(decision: &DecisionView) -> Fields {
    let mut fields = BTreeMap::new();
    for field in DecisionField::ALL {
        fields.insert(format!("parts.{field}"), Field::Text(decision.field(*field).text.clone()));
    }
    for part in &decision.listed {
        fields.insert(format!("parts.{}", part.id), Field::Text(part.text.text.clone()));
    }
    fields.insert("ethical".to_owned(), Field::Value(decision.ethical.to_string()));
    fields
}

/// The text at a place's path.
pub(crate) fn text_target(place: &str) -> Option<TextTarget> {
    let (list, name) = place.split_once('.')?;
    match list {
        "sections" => Stage::from_name(name).map(TextTarget::Section),
        "actions" => ItemId::from_key(name).map(TextTarget::Action),
        "clauses" => ItemId::from_key(name).map(TextTarget::Clause),
        "agenda" => ItemId::from_key(name).map(TextTarget::AgendaItem),
        "entries" => ItemId::from_key(name).map(TextTarget::Prepared),
        "parts" => {
            let own = DecisionField::from_name(name).map(DecisionField::id);
            own.or_else(|| ItemId::from_key(name)).map(TextTarget::Decided)
        }
        kind => forms::text_target(kind, name),
    }
}
