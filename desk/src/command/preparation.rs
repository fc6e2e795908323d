//! What a person prepares.

use alliance_client::{DocumentId, DocumentView, View, item_id};
use alliance_model::preparation::{
    PreparationCommand as Change, PreparationEntryView, PreparationField, PreparationMark, PreparationState,
    PreparationValue,
};
use alliance_model::{Command, DocumentKind, ItemId, PreparationView};
use serde_json::json;

use super::note::{apply, refused, seen, write};
use super::{Call, reference};
use crate::cli::{ItemArg, NamedValue, PrepAdd, PrepCommand};
use crate::failure::{DeskCode, Failure};
use crate::output::Answer;
use crate::output::text::{line, short};
use crate::show;
use crate::splice;

pub(super) async fn prep(command: &PrepCommand, call: &Call) -> Result<(), Failure> {
    match command {
        PrepCommand::Add(args) => add(args, call).await,
        PrepCommand::List { state } => list(*state, call).await,
        PrepCommand::Show { entry } => shown(entry.as_ref(), call).await,
        PrepCommand::Edit { entry, after, source: _ } => edit(entry, after.as_ref(), call).await,
        PrepCommand::Set { entry, set, clear, says } => change(entry, set, clear, *says, call).await,
        PrepCommand::Feel { entry, feelings, not } => {
            let (log, view) = open(call).await?;
            let id = wanted(preparation_of(&view)?, entry)?.id;
            let named = feelings.iter().map(|feeling| Change::AddFeeling { id, feeling: *feeling });
            let taken = not.iter().map(|feeling| Change::RemoveFeeling { id, feeling: *feeling });
            write(call, log, view.revision, commands(named.chain(taken))).await
        }
        PrepCommand::Share { entry, session, minutes, source: _ } => share(entry, session, *minutes, call).await,
        PrepCommand::Withdraw { entry, session } => {
            let (id, session) = both(entry, session, call).await?;
            call.client.withdraw_preparation(id, session).await?;
            let text = "Taken back: it shows as withdrawn to everybody in that space. Who has read it has read it.";
            let json = json!({"entry": id.to_string(), "session": session.to_string()});
            call.teller.say(&Answer::new(text, json)).await;
            Ok(())
        }
        PrepCommand::Remove { entry } => {
            let (log, view) = open(call).await?;
            let id = wanted(preparation_of(&view)?, entry)?.id;
            write(call, log, view.revision, commands([Change::RemoveEntry { id }])).await
        }
    }
}

async fn add(args: &PrepAdd, call: &Call) -> Result<(), Failure> {
    let text = call.text()?;
    if text.trim().is_empty() {
        return Err(refused(alliance_model::RefusalCode::TextEmpty));
    }
    // Read before anything is begun, so that a value that cannot be leaves no half of an entry behind.
    let values = values(&args.set)?;
    let splices = splice::splices("", text);
    splice::check(&splices).map_err(alliance_client::Error::Refused)?;
    let (log, view) = open(call).await?;
    let preparation = preparation_of(&view)?;
    let after = match &args.after {
        Some(after) => Some(wanted(preparation, after)?.id),
        None => preparation.entries.last().map(|entry| entry.id),
    };
    let id = item_id()?;
    let mut changes = vec![Change::AddEntry { id, after }];
    changes.extend(splices.into_iter().map(|splice| Change::EditEntry { id, splice }));
    changes.extend(values.into_iter().map(|value| Change::SetEntry { id, value }));
    changes.extend(args.feel.iter().map(|feeling| Change::AddFeeling { id, feeling: *feeling }));
    apply(call, log, seen(view.revision), commands(changes)).await?;
    let text = format!(
        "Written down, for you alone: {id}\nShare it with `alliance prep share {} SESSION`.",
        &id.to_string()[..8]
    );
    call.teller.say(&Answer::new(text, json!({"document": log.to_string(), "entry": id}))).await;
    Ok(())
}

async fn list(state: Option<PreparationState>, call: &Call) -> Result<(), Failure> {
    let (log, view) = open(call).await?;
    let mut entries = preparation_of(&view)?.entries.clone();
    entries.retain(|entry| state.is_none_or(|state| entry.state == state));
    let text = show::preparation::entries(&entries, call.look());
    call.teller.say(&Answer::new(text, json!({"document": log.to_string(), "entries": entries}))).await;
    Ok(())
}

async fn shown(entry: Option<&ItemArg>, call: &Call) -> Result<(), Failure> {
    let log = call.client.preparation().await?;
    // Looking clears the mark that two devices edited it, so it is read first.
    let both = call.client.find_document(&log.to_string()).await?.changed_by_both;
    let mut view = call.client.view(log).await?;
    let mut preparation = preparation_of(&view)?.clone();
    if let Some(entry) = entry {
        let id = wanted(&preparation, entry)?.id;
        preparation.entries.retain(|entry| entry.id == id);
    }
    let shared = call.client.shared_now().await?;
    let text = show::prepared(&view, &preparation, &shared, both, call.look());
    view.view = View::Preparation(preparation);
    call.teller.say(&Answer::new(text, json!({"document": view, "shared": shared, "changed_by_both": both}))).await;
    Ok(())
}

async fn edit(entry: &ItemArg, after: Option<&ItemArg>, call: &Call) -> Result<(), Failure> {
    let (log, view) = open(call).await?;
    let preparation = preparation_of(&view)?;
    let entry = wanted(preparation, entry)?;
    let id = entry.id;
    let after = after.map(|after| wanted(preparation, after)).transpose()?;
    let mut changes: Vec<Change> =
        after.map(|after| Change::MoveEntry { id, after: Some(after.id) }).into_iter().collect();
    let splices = call.text_if_any().map(|text| splice::splices(&entry.text.text, text)).unwrap_or_default();
    changes.extend(splices.into_iter().map(|splice| Change::EditEntry { id, splice }));
    write(call, log, view.revision, commands(changes)).await
}

async fn change(
    entry: &ItemArg,
    set: &[NamedValue<PreparationField>],
    clear: &[PreparationField],
    says: Option<PreparationMark>,
    call: &Call,
) -> Result<(), Failure> {
    let values = values(set)?;
    let (log, view) = open(call).await?;
    let entry = wanted(preparation_of(&view)?, entry)?;
    let id = entry.id;
    let mut changes: Vec<Change> = values.into_iter().map(|value| Change::SetEntry { id, value }).collect();
    changes.extend(clear.iter().map(|field| Change::ClearEntry { id, field: *field }));
    if let Some(mark) = says {
        // Who selects it means the next session: what stands on an agenda goes on standing there.
        let cites = if mark == PreparationMark::Selected { entry.unanswered_marks() } else { entry.unanswered() };
        changes.push(Change::Mark { id, op: item_id()?, mark, cites });
    }
    write(call, log, view.revision, commands(changes)).await
}

async fn share(entry: &ItemArg, session: &str, minutes: Option<u16>, call: &Call) -> Result<(), Failure> {
    let (id, session) = both(entry, session, call).await?;
    let shared = call.client.share_preparation(id, session, call.text_if_any(), minutes).await?;
    let said = if shared.begun { "On the agenda now" } else { "On the agenda already, and left as it is" };
    let text = format!(
        "{said}: \"{}\"\n{} of session {}.",
        line(&shared.text),
        &shared.item.to_string()[..8],
        short(&session)
    );
    call.teller.say(&Answer::new(text, json!({"shared": shared}))).await;
    Ok(())
}

/// The entry and the session that a person names.
async fn both(entry: &ItemArg, session: &str, call: &Call) -> Result<(ItemId, DocumentId), Failure> {
    let (_, view) = open(call).await?;
    let id = wanted(preparation_of(&view)?, entry)?.id;
    Ok((id, reference::document(&call.client, DocumentKind::Session, session).await?.document))
}

fn values(set: &[NamedValue<PreparationField>]) -> Result<Vec<PreparationValue>, Failure> {
    let read = |NamedValue { name, value }: &NamedValue<PreparationField>| {
        let value = PreparationValue::from_text(*name, value);
        let value = value.ok_or_else(|| Failure::from(DeskCode::BadTerm).with("term", name))?;
        value.check().map_err(alliance_client::Error::Refused)?;
        Ok(value)
    };
    set.iter().map(read).collect()
}

fn commands(changes: impl IntoIterator<Item = Change>) -> Vec<Command> {
    changes.into_iter().map(Command::Preparation).collect()
}

async fn open(call: &Call) -> Result<(DocumentId, DocumentView), Failure> {
    let log = call.client.preparation().await?;
    Ok((log, call.client.view(log).await?))
}

fn preparation_of(view: &DocumentView) -> Result<&PreparationView, Failure> {
    let View::Preparation(preparation) = &view.view else {
        return Err(refused(alliance_model::RefusalCode::WrongKind));
    };
    Ok(preparation)
}

fn wanted<'a>(preparation: &'a PreparationView, which: &ItemArg) -> Result<&'a PreparationEntryView, Failure> {
    reference::item(&preparation.entries, which, |entry| entry.id)
}
