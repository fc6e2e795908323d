//! What a form holds, for the help of its commands: read from the table that says it (`core/model/src/form/table.rs`).

use alliance_model::DocumentKind;
use alliance_model::form::{By, Field, Form, List, Sort, With, Word};

/// An example, and the fields of a form.
pub(super) fn fields(kind: DocumentKind, example: &str) -> String {
    with_rows(example, "Fields", of(kind, |form| form.fields).iter().map(field))
}

/// An example, and the sets of a form.
pub(super) fn sets(kind: DocumentKind, example: &str) -> String {
    with_rows(example, "Sets", of(kind, |form| form.sets).iter().map(field))
}

/// An example, and the texts of a form.
pub(super) fn texts(kind: DocumentKind, example: &str) -> String {
    with_rows(example, "Texts", of(kind, |form| form.texts).iter().map(|name| ((*name).to_owned(), String::new())))
}

/// An example, and the fields of the items of a form, list by list.
pub(super) fn item_fields(kind: DocumentKind, example: &str) -> String {
    let lists = of(kind, |form| form.lists).iter().filter(|list| !list.fields.is_empty());
    lists.fold(example.to_owned(), |text, list| {
        with_rows(&text, &heading(list, "Fields"), list.fields.iter().map(field))
    })
}

/// An example, and what people say of a form.
pub(super) fn words(kind: DocumentKind, example: &str) -> String {
    with_rows(example, "Words", of(kind, |form| form.words).iter().map(word))
}

/// An example, and what people say of the items of a form, list by list.
pub(super) fn item_words(kind: DocumentKind, example: &str) -> String {
    let lists = of(kind, |form| form.lists).iter().filter(|list| !list.words.is_empty());
    lists.fold(example.to_owned(), |text, list| with_rows(&text, &heading(list, "Words"), list.words.iter().map(word)))
}

fn of<T: 'static>(kind: DocumentKind, part: impl Fn(&Form) -> &'static [T]) -> &'static [T] {
    kind.form().map(part).unwrap_or_default()
}

fn heading(list: &List, what: &str) -> String {
    format!("{what}, {}", list.name.replace('_', " "))
}

fn with_rows(text: &str, heading: &str, rows: impl Iterator<Item = (String, String)>) -> String {
    let rows: Vec<(String, String)> = rows.collect();
    let widest = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let rows: Vec<String> =
        rows.iter().map(|(name, what)| format!("  {name:widest$}  {what}").trim_end().to_owned()).collect();
    format!("{text}\n\n{heading}:\n{}", rows.join("\n"))
}

fn field(field: &Field) -> (String, String) {
    let holds = match field.sort {
        Sort::Line => "a line of text".to_owned(),
        Sort::Date => "a date, as 2026-11-30".to_owned(),
        Sort::Number(from, to) => format!("a whole number from {from} to {to}"),
        Sort::Word(words) => words.join(", "),
        Sort::Person => "a member, by name".to_owned(),
        Sort::Document => "a session, by the first digits of its id".to_owned(),
    };
    (field.name.to_owned(), holds)
}

fn word(word: &Word) -> (String, String) {
    let mut parts: Vec<String> = match word.by {
        By::Anyone => Vec::new(),
        By::Author => vec!["says whoever added it".to_owned()],
        By::Others => vec!["says somebody else".to_owned()],
        By::Named(field) => vec![format!("says whoever stands in `{field}`")],
    };
    parts.extend(word.with.iter().map(|with| match with {
        With::Date => "--on".to_owned(),
        With::Number(max) => format!("--number, 0 to {max}"),
        With::Text => "--text, if you like".to_owned(),
    }));
    (word.name.to_owned(), parts.join("; "))
}
