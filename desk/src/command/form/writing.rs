//! What is done to forms as a whole: their texts, fields and sets, and what people say of them and of their items.

use alliance_client::item_id;
use alliance_model::form::{FormItemView, Said, SaidView, Word};
use alliance_model::{DocumentKind, FormCommand as Change, ItemId};
use serde_json::json;

use super::opened::{Form, Named};
use crate::cli::{ItemArg, SayArgs};
use crate::command::{Call, reference};
use crate::failure::Failure;
use crate::output::Answer;
use crate::output::text::short;
use crate::splice;

/// Asks for no more feedback just now, and takes that back.
pub(super) const NO_FEEDBACK_NOW: &str = "no_feedback_now";
pub(super) const FEEDBACK_AGAIN: &str = "feedback_again";

/// Begins one of which a space has several.
pub(super) async fn begin(kind: DocumentKind, space: &str, call: &Call) -> Result<(), Failure> {
    let space = reference::space(&call.client, space).await?.space;
    let document = call.client.create_document(space, kind).await?;
    let title = kind.form().map_or(kind.name(), |form| form.title);
    let text = format!(
        "{title} is begun: {document}\n`alliance {kind} set --help` and `alliance {kind} edit --help` say what goes into {}.",
        short(&document)
    );
    call.teller.say(&Answer::new(text, json!({"document": document.to_string()}))).await;
    Ok(())
}

pub(super) async fn edit(named: Named<'_>, name: &str, call: &Call) -> Result<(), Failure> {
    let text = call.text()?;
    let form = Form::open(named, call).await?;
    let splices = splice::splices(form.view.text_of(name).unwrap_or_default(), text);
    let edits = splices.into_iter().map(|splice| Change::EditText { name: name.to_owned(), splice });
    form.write(edits.collect(), call).await
}

pub(super) async fn set(named: Named<'_>, field: &str, value: &str, call: &Call) -> Result<(), Failure> {
    let form = Form::open(named, call).await?;
    let fields = form.kind.form().map(|table| table.fields).unwrap_or_default();
    let value = form.stored(fields, (field, value), call).await?;
    form.write(vec![Change::Set { field: field.to_owned(), value }], call).await
}

pub(super) async fn clear(named: Named<'_>, field: &str, call: &Call) -> Result<(), Failure> {
    let form = Form::open(named, call).await?;
    form.write(vec![Change::Clear { field: field.to_owned() }], call).await
}

pub(super) async fn put(named: Named<'_>, set: &str, value: &str, call: &Call) -> Result<(), Failure> {
    let form = Form::open(named, call).await?;
    form.write(vec![Change::Put { set: set.to_owned(), value: value.to_owned() }], call).await
}

pub(super) async fn take(named: Named<'_>, set: &str, value: &str, call: &Call) -> Result<(), Failure> {
    let form = Form::open(named, call).await?;
    form.write(vec![Change::Take { set: set.to_owned(), value: value.to_owned() }], call).await
}

/// Says something of a form, or of an item.
pub(super) async fn say(named: Named<'_>, args: &SayArgs, item: Option<&ItemArg>, call: &Call) -> Result<(), Failure> {
    let form = Form::open(named, call).await?;
    let item = item.map(|item| form.item(item)).transpose()?;
    let said = Said { on: args.on, number: args.number, ..Said::word(&args.word) };
    let change = saying(&form, item, said, call)?;
    form.write(vec![change], call).await
}

/// A word, with the text that was given, and with what it answers.
pub(super) fn saying(form: &Form, item: Option<&FormItemView>, said: Said, call: &Call) -> Result<Change, Failure> {
    let text = call.text_if_any().map(str::to_owned);
    let cites = answered(form, item, &said.word);
    Ok(Change::Say { op: item_id()?, item: item.map(|item| item.id), said: Said { cites, text, ..said } })
}

/// What a word answers. One that says a state answers every state that nothing else answers, so that whoever says one
/// more ends a dispute; one that ends a pause every pause of one's own.
fn answered(form: &Form, item: Option<&FormItemView>, word: &str) -> Vec<ItemId> {
    let table = form.kind.form();
    let (log, words): (&[SaidView], &[Word]) = match item {
        None => (&form.view.log, table.map(|table| table.words).unwrap_or_default()),
        Some(item) => {
            let list = table.and_then(|table| table.list(&item.list));
            (&item.log, list.map(|list| list.words).unwrap_or_default())
        }
    };
    let mine = |said: &SaidView| form.view.author(said.by) == form.me;
    let is_state = |name: &str| words.iter().any(|word| word.state && word.name == name);
    if is_state(word) {
        open(log, |said| is_state(&said.word), |_| true)
    } else if word == FEEDBACK_AGAIN {
        open(log, |said| said.word == NO_FEEDBACK_NOW && mine(said), |said| said.word == FEEDBACK_AGAIN && mine(said))
    } else {
        Vec::new()
    }
}

/// Entries of a log that an answer would be to, and that has none yet.
fn open(log: &[SaidView], asks: impl Fn(&SaidView) -> bool, answers: impl Fn(&SaidView) -> bool) -> Vec<ItemId> {
    let answered = |op: ItemId| log.iter().any(|it| it.op != op && answers(it) && it.cites.contains(&op));
    log.iter().filter(|said| asks(said) && !answered(said.op)).map(|said| said.op).collect()
}
