//! Items of the lists of a form: each is worded by whoever added it.

use alliance_model::form::FormItemView;
use alliance_model::{FormCommand as Change, RefusalCode};
use serde_json::json;

use super::opened::{Form, Named};
use crate::cli::ItemArg;
use crate::command::Call;
use crate::command::note::refused;
use crate::failure::Failure;
use crate::output::Answer;
use crate::splice;

/// Adds an item with the text that was given, and with those of the fields that have a value.
pub(super) async fn add(
    named: Named<'_>,
    list: &str,
    fields: &[(&'static str, Option<&str>)],
    call: &Call,
) -> Result<(), Failure> {
    let form = Form::open(named, call).await?;
    add_to(&form, list, fields, call).await
}

async fn add_to(form: &Form, list: &str, fields: &[(&'static str, Option<&str>)], call: &Call) -> Result<(), Failure> {
    let text = call.text()?;
    if text.trim().is_empty() {
        return Err(refused(RefusalCode::TextEmpty));
    }
    // Read before anything is begun, so that what cannot be leaves no half of an item behind.
    splice::check(&splice::splices("", text)).map_err(alliance_client::Error::Refused)?;
    let list = form.list(list)?;
    let mut stored = Vec::new();
    for (name, value) in fields.iter().filter_map(|(name, value)| Some((*name, (*value)?))) {
        let value = form.stored(list.fields, (name, value), call).await?;
        if let Some(field) = list.fields.iter().find(|field| field.name == name) {
            field.sort.check(&value).map_err(alliance_client::Error::Refused)?;
        }
        stored.push((name, value));
    }
    let fields: Vec<(&str, &str)> = stored.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let item = form.add(list, &fields, text, call).await?;
    let said = format!("Written down: {}", &item.to_string()[..8]);
    call.teller.say(&Answer::new(said, json!({"document": form.document.to_string(), "item": item}))).await;
    Ok(())
}

/// Words an item anew.
pub(super) async fn edit(named: Named<'_>, item: &ItemArg, call: &Call) -> Result<(), Failure> {
    let form = Form::open(named, call).await?;
    reword(&form, form.item(item)?, call).await
}

async fn reword(form: &Form, item: &FormItemView, call: &Call) -> Result<(), Failure> {
    let splices = splice::splices(&item.text.text, call.text()?);
    form.write(splices.into_iter().map(|splice| Change::EditItem { id: item.id, splice }).collect(), call).await
}

pub(super) async fn set(
    named: Named<'_>,
    item: &ItemArg,
    (field, value): (&str, &str),
    call: &Call,
) -> Result<(), Failure> {
    let form = Form::open(named, call).await?;
    let item = form.item(item)?;
    let value = form.stored(form.list(&item.list)?.fields, (field, value), call).await?;
    form.write(vec![Change::SetItem { id: item.id, field: field.to_owned(), value }], call).await
}

pub(super) async fn remove(named: Named<'_>, item: &ItemArg, call: &Call) -> Result<(), Failure> {
    let form = Form::open(named, call).await?;
    let id = form.item(item)?.id;
    form.write(vec![Change::Remove { id }], call).await
}

/// Answers a question of a review; of one's own answer to it the words are changed.
pub(super) async fn answer(named: Named<'_>, question: &str, call: &Call) -> Result<(), Failure> {
    let form = Form::open(named, call).await?;
    let mine = |item: &&FormItemView| form.view.author(item.by) == form.me && item.value("question") == Some(question);
    match form.view.list("answer").find(mine) {
        Some(item) => reword(&form, item, call).await,
        None => add_to(&form, "answer", &[("question", Some(question))], call).await,
    }
}
