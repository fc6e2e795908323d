//! What differs between two states of a form. Its places begin with its kind: `closing.summary`, `goals.<id>`,
//! `goals.<id>.area`.

use std::collections::BTreeMap;

use alliance_model::form::{FormFieldView, FormView, SaidView};
use alliance_model::{DocumentKind, ItemId};

use super::{Field, Fields, TextTarget, said};
use crate::schema::form::place_of;

/// What people sign of a form.
pub(super) fn text(form: &FormView) -> Fields {
    let kind = form.kind.name();
    let mut fields = BTreeMap::new();
    for text in &form.texts {
        fields.insert(format!("{kind}.{}", text.name), Field::Text(text.text.text.clone()));
    }
    put_fields(&mut fields, kind, &form.fields);
    for set in &form.sets {
        fields.insert(format!("{kind}.{}", set.name), Field::Value(set.values.join(" | ")));
    }
    for item in &form.items {
        let place = format!("{kind}.{}", item.id);
        put_fields(&mut fields, &place, &item.fields);
        fields.insert(place, Field::Text(item.text.text.clone()));
    }
    fields
}

/// Everything that a form shows.
pub(super) fn fields(form: &FormView) -> Fields {
    let mut fields = text(form);
    let kind = form.kind.name();
    put_said(&mut fields, kind, &form.log);
    for item in &form.items {
        put_said(&mut fields, &format!("{kind}.{}", item.id), &item.log);
    }
    for file in &form.files {
        fields.insert(format!("{kind}.files.{}", file.file), Field::Value(file.file.clone()));
    }
    fields
}

fn put_fields(fields: &mut Fields, place: &str, shown: &[FormFieldView]) {
    for field in shown {
        if let Some(value) = said(&field.values) {
            fields.insert(format!("{place}.{}", field.field), value);
        }
    }
}

fn put_said(fields: &mut Fields, place: &str, log: &[SaidView]) {
    for entry in log {
        let number = entry.number.map(|number| number.to_string());
        let on = entry.on.map(|on| on.to_string());
        let words = [Some(entry.word.clone()), on, number, entry.text.clone()];
        let words: Vec<String> = words.into_iter().flatten().collect();
        fields.insert(format!("{place}.said.{}", entry.op), Field::Value(words.join(" ")));
    }
}

/// The text at a place's path.
pub(super) fn text_target(kind: &str, name: &str) -> Option<TextTarget> {
    let kind = DocumentKind::from_name(kind)?;
    let form = kind.form()?;
    let shared = place_of(form, name).map(|place| TextTarget::Shared(kind, place));
    shared.or_else(|| ItemId::from_key(name).map(|id| TextTarget::Own(kind, id)))
}
