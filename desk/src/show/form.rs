//! A form as text: charter, contract, goals, feedback, remarks, review, closing summary.

use std::collections::BTreeMap;

use alliance_model::FormView;
use alliance_model::form::{FormFieldView, FormItemView, SaidView};

use super::history::difference;
use super::written;
use crate::output::Look;
use crate::output::text::{bold, line, paragraph};

/// What it says, what people said of it, and who signed it. `people` names those who are meant by their tags.
pub(super) fn form(form: &FormView, people: &BTreeMap<String, String>, id: String, look: Look) -> String {
    let title = form.kind.form().map_or("", |table| table.title);
    let mut facts = vec![format!("{} {id}", form.kind)];
    facts.extend(form.state.as_deref().map(words));
    facts.extend(form.signed.then(|| "signed by all".to_owned()));
    let mut text = format!("{}\n{}", bold(title, look.color), paragraph(&facts.join(" · "), "", look.columns));
    for field in &form.fields {
        text.push_str(&paragraph(&value(field, people), "", look.columns));
    }
    for set in &form.sets {
        let values: Vec<String> = set.values.iter().map(|value| line(value)).collect();
        text.push_str(&paragraph(&format!("{}: {}", words(&set.name), values.join(", ")), "", look.columns));
    }
    for it in form.texts.iter().filter(|it| !it.text.text.is_empty()) {
        heading(&mut text, &it.name, look);
        text.push_str(&written(&it.text, &form.authors, "  ", look));
    }
    for list in form.kind.form().map(|table| table.lists).unwrap_or_default() {
        let mut items = form.list(list.name).peekable();
        if items.peek().is_some() {
            heading(&mut text, list.name, look);
        }
        for item in items {
            text.push_str(&one_item(form, item, people, look));
        }
    }
    if !form.log.is_empty() {
        text.push('\n');
    }
    for said in &form.log {
        text.push_str(&paragraph(&remark(form, said), "", look.columns));
    }
    text.push_str(&signed(form, look));
    for apart in &form.apart {
        text.push_str(&paragraph("Written without knowing that all had signed, and no part of it:", "", look.columns));
        text.push_str(&difference(apart, look));
    }
    text
}

fn heading(text: &mut String, name: &str, look: Look) {
    text.push_str(&format!("\n{}\n", bold(&words(name).to_uppercase(), look.color)));
}

/// A name of a table as people read it.
fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn value(field: &FormFieldView, people: &BTreeMap<String, String>) -> String {
    let shown = |value: &str| people.get(value).map_or_else(|| line(&words(value)), |name| line(name));
    let values: Vec<String> = field.values.iter().map(|claim| shown(&claim.value)).collect();
    let choose = if values.len() > 1 { " (choose)" } else { "" };
    format!("{}: {}{choose}", words(&field.field), values.join(" or "))
}

fn one_item(form: &FormView, item: &FormItemView, people: &BTreeMap<String, String>, look: Look) -> String {
    let mut facts = vec![item.id.to_string()[..8].to_owned(), line(form.author(item.by))];
    facts.extend(item.state.as_deref().map(words));
    facts.extend(item.fields.iter().map(|field| value(field, people)));
    let mut text = paragraph(&facts.join(" · "), "  ", look.columns);
    if !item.text.text.is_empty() {
        text.push_str(&written(&item.text, &form.authors, "    ", look));
    }
    for said in &item.log {
        text.push_str(&paragraph(&remark(form, said), "    ", look.columns));
    }
    text
}

fn remark(form: &FormView, said: &SaidView) -> String {
    let mut parts = vec![format!("{}: {}", line(form.author(said.by)), words(&said.word))];
    parts.extend(said.number.map(|number| number.to_string()));
    parts.extend(said.on.map(|on| on.to_string()));
    parts.extend(said.text.as_deref().map(line));
    parts.join(" · ")
}

/// Who signed which text.
fn signed(form: &FormView, look: Look) -> String {
    let mut text = String::new();
    for seal in &form.seals {
        let other = if seal.text == form.text { "" } else { " (another text)" };
        for (party, by) in seal.by_party() {
            let said = by.map_or_else(|| "not yet".to_owned(), |by| format!("on {} in {}", by.on, line(&by.language)));
            text.push_str(&paragraph(&format!("Signed by {}{other}: {said}", line(&party.name)), "", look.columns));
        }
    }
    if !text.is_empty() {
        text.insert(0, '\n');
    }
    if form.signed {
        text.push_str("All have signed it: it never changes any more.\n");
    }
    text
}
