//! Session notes.

mod confirming;

use alliance_client::{Client, DocumentId, DocumentView, View, item_id};
use alliance_model::note::{ActionView, Transition};
use alliance_model::{Command, DocumentKind, NoteCommand as Change, NoteView, Splice};
use serde_json::json;

use super::{Call, reference};
use crate::cli::{FunctionArg, ItemArg, ListFilter, NewNote, NoteAction, NoteCommand, NoteEdit, NoteHead};
use crate::failure::{DeskCode, Failure};
use crate::output::Answer;
use crate::output::text::short;
use crate::show::{self, lists};
use crate::splice;

pub(super) async fn note(command: &NoteCommand, call: &Call) -> Result<(), Failure> {
    match command {
        NoteCommand::New(args) => new(args, call).await,
        NoteCommand::Edit(args) => edit(args, call).await,
        NoteCommand::Append { note, section, source: _ } => {
            let text = call.text()?;
            let (document, view) = open(&call.client, note).await?;
            let note = note_of(&view)?;
            let old = note.section(*section).map_or("", |section| section.text.as_str());
            let splices = splice::append(old, text);
            if splices.is_empty() {
                return Err(refused(alliance_model::RefusalCode::TextEmpty));
            }
            let changes = splices.into_iter().map(|splice| Change::EditSection { stage: *section, splice });
            write(call, document, view.revision, changes.map(Command::Note).collect()).await
        }
        NoteCommand::Show { note } => {
            let row = reference::document(&call.client, DocumentKind::Note, note).await?;
            show_document(call, &row).await
        }
        NoteCommand::History(args) => super::history::history(args, call).await,
        NoteCommand::Confirm { note, text, dated } => confirming::confirm(note, text.as_deref(), dated, call).await,
        NoteCommand::Addendum { note, adopt, source: _ } => confirming::addendum(note, *adopt, call).await,
        NoteCommand::List(filter) => list(filter, DocumentKind::Note, call).await,
    }
}

async fn new(args: &NewNote, call: &Call) -> Result<(), Failure> {
    let space = reference::space(&call.client, &args.space).await?;
    let document = call.client.create_document(space.space, DocumentKind::Note).await?;
    let changes: Vec<Command> = head(&args.head).into_iter().map(Command::Note).collect();
    apply(call, document, None, changes).await?;
    let title = args
        .head
        .title
        .as_deref()
        .map_or_else(|| short(&document), |title| format!("\"{}\"", crate::output::text::line(title)));
    let text = format!(
        "Note {title} is begun: {document}\nWrite with `alliance note append {} --section exploration --text ...`.",
        short(&document)
    );
    call.teller.say(&Answer::new(text, json!({"document": document.to_string()}))).await;
    Ok(())
}

async fn edit(args: &NoteEdit, call: &Call) -> Result<(), Failure> {
    let (document, view) = open(&call.client, &args.note).await?;
    let note = note_of(&view)?;
    let mut changes = head(&args.head);
    for FunctionArg { scheme, function, weight } in &args.function {
        changes.push(Change::SetFunction { scheme: scheme.clone(), function: function.clone(), weight: *weight });
    }
    let mut nothing_differs = false;
    if let Some(stage) = args.section {
        let old = note.section(stage).map_or("", |section| section.text.as_str());
        let splices = splice::splices(old, call.text()?);
        nothing_differs = splices.is_empty();
        changes.extend(splices.into_iter().map(|splice| Change::EditSection { stage, splice }));
    } else if args.item.add_action || args.item.action.is_some() {
        changes.extend(action(note, &args.item, call.text_if_any())?);
    } else if args.source.is_given() {
        return Err(Failure::from(DeskCode::Usage).with("missing", "--section, --add-action or --action"));
    }
    if changes.is_empty() && !nothing_differs {
        return Err(Failure::from(DeskCode::Usage).with("missing", "what to change"));
    }
    write(call, document, view.revision, changes.into_iter().map(Command::Note).collect()).await
}

fn head(head: &NoteHead) -> Vec<Change> {
    let title = head.title.clone().map(|title| Change::SetTitle { title });
    let date = head.date.map(|date| Change::SetDate { date });
    let kind = head.kind.map(|kind| Change::SetKind { kind });
    [title, date, kind].into_iter().flatten().collect()
}

fn action(note: &NoteView, args: &NoteAction, text: Option<&str>) -> Result<Vec<Change>, Failure> {
    let mut changes = Vec::new();
    let (id, old, cites) = match &args.action {
        Some(wanted) => {
            let action = wanted_action(note, wanted)?;
            (action.id, action.text.text.as_str(), action.newest())
        }
        None => {
            let id = item_id()?;
            changes.push(Change::AddAction { id, after: note.actions.last().map(|action| action.id) });
            (id, "", Vec::new())
        }
    };
    if args.remove {
        return Ok(vec![Change::RemoveAction { id }]);
    }
    let splices: Vec<Splice> = text.map(|text| splice::splices(old, text)).unwrap_or_default();
    changes.extend(splices.into_iter().map(|splice| Change::EditAction { id, splice }));
    if let Some(owner) = &args.owner {
        changes.push(Change::SetOwner { id, owner: owner.clone() });
    }
    if args.due.is_some() || args.no_due {
        changes.push(Change::SetDue { id, due: args.due });
    }
    let transition = match (args.done, args.reopen) {
        (true, _) => Some(Transition::Done),
        (false, true) => Some(Transition::Reopened),
        (false, false) => None,
    };
    if let Some(transition) = transition {
        changes.push(Change::MarkAction { id, op: item_id()?, transition, cites });
    }
    Ok(changes)
}

fn wanted_action<'a>(note: &'a NoteView, wanted: &ItemArg) -> Result<&'a ActionView, Failure> {
    reference::item(&note.actions, wanted, |action| action.id)
}

pub(super) fn unknown_item(wanted: &ItemArg) -> Failure {
    refused(alliance_model::RefusalCode::UnknownItem).with("item", &wanted.0)
}

pub(super) fn refused(code: alliance_model::RefusalCode) -> Failure {
    alliance_client::Error::Refused(alliance_model::Refusal::new(code)).into()
}

async fn open(client: &Client, reference: &str) -> Result<(DocumentId, DocumentView), Failure> {
    let row = reference::document(client, DocumentKind::Note, reference).await?;
    Ok((row.document, client.view(row.document).await?))
}

fn note_of(view: &DocumentView) -> Result<&NoteView, Failure> {
    let View::Note(note) = &view.view else { return Err(refused(alliance_model::RefusalCode::WrongKind)) };
    Ok(note)
}

/// Writes the changes and says so.
pub(super) async fn write(
    call: &Call,
    document: DocumentId,
    revision: u64,
    changes: Vec<Command>,
) -> Result<(), Failure> {
    let commands = changes.len();
    let revision = apply(call, document, seen(revision), changes).await?;
    say_saved(call, document, commands, revision).await;
    Ok(())
}

/// Says what was written.
pub(super) async fn say_saved(call: &Call, document: DocumentId, commands: usize, revision: Option<u64>) {
    let text = if commands == 0 { "Nothing differs; nothing was written." } else { "Saved on this device." };
    let json = json!({"document": document.to_string(), "commands": commands, "revision": revision});
    call.teller.say(&Answer::new(text, json)).await;
}

/// What a command says of the view on which it was made. A view that nobody has written on has no number yet.
pub(crate) fn seen(revision: u64) -> Option<u64> {
    (revision > 0).then_some(revision)
}

/// Each command is durable when it returns. The editing session ends with this command: its draft is sealed, so that
/// it can travel. Where a key is missing the draft waits, and status says so.
pub(super) async fn apply(
    call: &Call,
    document: DocumentId,
    mut revision: Option<u64>,
    changes: Vec<Command>,
) -> Result<Option<u64>, Failure> {
    if changes.is_empty() {
        return Ok(revision);
    }
    for command in changes {
        revision = Some(call.client.command(document, revision, command).await?);
    }
    seal(call, document).await?;
    Ok(revision)
}

/// Ends an editing session; a draft that waits for a key is kept.
pub(super) async fn seal(call: &Call, document: DocumentId) -> Result<(), Failure> {
    match call.client.seal(document).await {
        Err(error) if error.code() != alliance_client::Code::WaitingForKeys.code() => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Shows a document; looking at it clears the mark that both edited it, which is read first.
pub(super) async fn show_document(call: &Call, row: &alliance_client::DocumentRow) -> Result<(), Failure> {
    let view = call.client.view(row.document).await?;
    let text = show::document(&view, row.changed_by_both, call.look());
    call.teller.say(&Answer::new(text, json!({"document": view, "changed_by_both": row.changed_by_both}))).await;
    Ok(())
}

/// Lists documents of one kind.
pub(super) async fn list(filter: &ListFilter, kind: DocumentKind, call: &Call) -> Result<(), Failure> {
    let spaces = call.client.spaces().await?;
    let space = match &filter.space {
        Some(space) => Some(reference::space(&call.client, space).await?.space),
        None => None,
    };
    let rows = call.client.documents(space, Some(kind), filter.search.as_deref(), filter.offset, filter.limit).await?;
    let text = lists::documents(&rows, &spaces, kind, call.look());
    call.teller.say(&Answer::new(text, json!({"documents": rows, "offset": filter.offset}))).await;
    Ok(())
}
