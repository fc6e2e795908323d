//! A form as text: charter, contract, goals, feedback, remarks, review, closing summary.

use std::collections::BTreeMap;

use alliance_client::Adopted;
use alliance_model::form::{Field, FormFieldView, FormItemView, SaidView, Sort};
use alliance_model::signed::ProvedText;
use alliance_model::signed::Signatory;
use alliance_model::{DocumentKind, FormView};

use super::history::difference;
use super::written;
use crate::output::Look;
use crate::output::text::{bold, clean, count, line, paragraph, short};

/// What it says, what people said of it, and who signed it. `people` names those who are meant by their tags.
pub(super) fn form(form: &FormView, people: &BTreeMap<String, String>, id: String, look: Look) -> String {
    let title = form.kind.form().map_or("", |table| table.title);
    let mut facts = vec![format!("{} {id}", form.kind)];
    facts.extend(form.state.as_deref().map(words));
    facts.extend(form.signed.then(|| "signed by all".to_owned()));
    let mut text = format!("{}\n{}", bold(title, look.color), paragraph(&facts.join(" · "), "", look.columns));
    let (fields, sets) = form.kind.form().map(|table| (table.fields, table.sets)).unwrap_or_default();
    for field in &form.fields {
        text.push_str(&paragraph(&value(field, fields, people), "", look.columns));
    }
    for set in &form.sets {
        text.push_str(&paragraph(&several(sets, &set.name, &set.values), "", look.columns));
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
            text.push_str(&one_item(form, item, (list.fields, people), look));
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

fn value(field: &FormFieldView, table: &[Field], people: &BTreeMap<String, String>) -> String {
    let sort = sort_of(table, &field.field);
    let values: Vec<String> = field.values.iter().map(|claim| one_value(sort, &claim.value, people)).collect();
    let choose = if values.len() > 1 { " (choose)" } else { "" };
    format!("{}: {}{choose}", words(&field.field), values.join(" or "))
}

fn sort_of(table: &[Field], name: &str) -> Option<Sort> {
    table.iter().find(|field| field.name == name).map(|field| field.sort)
}

/// A value as people read it: words without underscores, people by name, documents by the first digits of their ids.
fn one_value(sort: Option<Sort>, value: &str, people: &BTreeMap<String, String>) -> String {
    match sort {
        Some(Sort::Word(_)) => words(value),
        Some(Sort::Person) => people.get(value).map_or_else(|| short(&value), |name| line(name)),
        Some(Sort::Document) => short(&value),
        Some(Sort::Line | Sort::Date | Sort::Number(..)) | None => line(value),
    }
}

/// What is in a set.
fn several(sets: &[Field], name: &str, values: &[String]) -> String {
    let sort = sort_of(sets, name);
    let values: Vec<String> = values.iter().map(|value| one_value(sort, value, &BTreeMap::new())).collect();
    format!("{}: {}", line(&words(name)), values.join(", "))
}

fn one_item(
    form: &FormView,
    item: &FormItemView,
    (fields, people): (&[Field], &BTreeMap<String, String>),
    look: Look,
) -> String {
    let mut facts = vec![item.id.to_string()[..8].to_owned(), line(form.author(item.by))];
    facts.extend(item.state.as_deref().map(words));
    facts.extend(item.fields.iter().map(|field| value(field, fields, people)));
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

/// What a signed file says, word for word, and who signed it when on which device.
pub(crate) fn proved(proved: &ProvedText, signatures: &[Signatory], look: Look) -> String {
    let mut text = signed_words(proved, look);
    text.push('\n');
    for party in &proved.parties {
        // Of two devices of one person either is enough.
        let by = signatures.iter().find(|it| it.person == party.person);
        let by = by.map(|it| format!(" on {} in {}, with device {}", it.on, line(&it.language), line(&it.device)));
        let name = format!("Signed by {} (person {})", line(&party.name), short(&party.person));
        text.push_str(&format!("{name}{}\n", by.unwrap_or_default()));
    }
    text.push_str("Whose these devices are, the file cannot prove: compare with `alliance whoami` there.\n");
    text
}

/// The signed files that hold in a space.
pub(crate) fn adopted(adopted: &[Adopted], look: Look) -> String {
    if adopted.is_empty() {
        return "No signed file holds here; `alliance charter adopt SPACE FILE --on DATE` takes one up.\n".to_owned();
    }
    let mut text = String::new();
    for it in adopted {
        text.push_str(&signed_words(&it.proved, look));
        let parties: Vec<String> = it.proved.parties.iter().map(|party| line(&party.name)).collect();
        let mut facts = vec![format!("Signed by {}", parties.join(", "))];
        facts.extend(who_has_read(it));
        text.push('\n');
        text.push_str(&paragraph(&facts.join("; "), "", look.columns));
        text.push('\n');
    }
    text.push_str(&format!("{} here.\n", count(adopted.len() as u64, "signed file holds", "signed files hold")));
    text
}

/// Who has read a file that holds, who has not, and which file it is.
pub(crate) fn who_has_read(adopted: &Adopted) -> Vec<String> {
    let names = |names: &[String]| names.iter().map(|name| line(name)).collect::<Vec<_>>().join(", ");
    let mut facts = Vec::new();
    facts.extend((!adopted.acknowledged.is_empty()).then(|| format!("read by {}", names(&adopted.acknowledged))));
    facts.extend((!adopted.outstanding.is_empty()).then(|| format!("not yet by {}", names(&adopted.outstanding))));
    facts.push(format!("file {}", &adopted.file[..8]));
    facts
}

/// What all have signed, without who did. A kind that this version does not know has words all the same.
fn signed_words(proved: &ProvedText, look: Look) -> String {
    let kind = DocumentKind::from_name(&proved.kind);
    let table = kind.and_then(DocumentKind::form);
    let title = table.map_or_else(|| line(&words(&proved.kind)), |table| table.title.to_owned());
    let facts = format!("{} {} · signed by all", line(&proved.kind), short(&proved.document));
    let mut text = format!("{}\n{}", bold(&title, look.color), paragraph(&facts, "", look.columns));
    let (fields, sets) = table.map(|table| (table.fields, table.sets)).unwrap_or_default();
    for (name, value) in &proved.words.fields {
        let value = one_value(sort_of(fields, name), value, &BTreeMap::new());
        text.push_str(&paragraph(&format!("{}: {value}", line(&words(name))), "", look.columns));
    }
    for (name, values) in &proved.words.sets {
        text.push_str(&paragraph(&several(sets, name, values), "", look.columns));
    }
    for (name, words_of) in &proved.words.texts {
        heading(&mut text, &line(name), look);
        text.push_str(&paragraph(&clean(words_of), "  ", look.columns));
    }
    for item in &proved.words.items {
        heading(&mut text, &line(&item.list), look);
        let known = table.and_then(|table| table.list(&item.list)).map(|list| list.fields).unwrap_or_default();
        let fields = item.fields.iter().map(|(name, value)| {
            format!("{}: {}", line(&words(name)), one_value(sort_of(known, name), value, &BTreeMap::new()))
        });
        let by = item.person.as_ref().and_then(|tag| proved.parties.iter().find(|party| party.person == *tag));
        let facts: Vec<String> = by.map(|party| line(&party.name)).into_iter().chain(fields).collect();
        text.push_str(&paragraph(&facts.join(" · "), "  ", look.columns));
        text.push_str(&paragraph(&clean(&item.text), "    ", look.columns));
    }
    text
}
