//! Sessions.

mod merging;

use alliance_client::{DocumentRow, DocumentView, View, item_id};
use alliance_model::session::{
    AgendaItemView, AgendaValue, SessionCommand as Change, SessionField, SessionTransition, SessionValue, SessionView,
};
use alliance_model::{Command, DocumentKind, NoteCommand};
use serde_json::json;

use super::note::{apply, refused, show_document};
use super::{Call, reference};
use crate::cli::{ItemArg, NamedValue, SessionCommand, SessionEdit};
use crate::failure::{DeskCode, Failure};
use crate::output::Answer;
use crate::output::text::short;
use crate::splice;

pub(super) async fn session(command: &SessionCommand, call: &Call) -> Result<(), Failure> {
    match command {
        SessionCommand::New { space, set, held_unplanned } => new(space, set, *held_unplanned, call).await,
        SessionCommand::Show { session } => {
            let row = reference::document(&call.client, DocumentKind::Session, session).await?;
            show_document(call, &row).await
        }
        SessionCommand::Edit(args) => edit(args, call).await,
        SessionCommand::Person { session, person, role, attendance, chose_focus } => {
            let (row, view) = open(session, call).await?;
            let person = reference::person(&call.client, row.space, person).await?;
            let role = role.map(|role| Change::SetRole { person, role });
            let attendance = attendance.map(|attendance| Change::SetAttendance { person, attendance });
            let chose = chose_focus.then_some(Change::Set { value: SessionValue::FocusChosenBy(person) });
            let changes: Vec<Change> = [role, attendance, chose].into_iter().flatten().collect();
            merging::write(&view, changes, call).await
        }
        SessionCommand::Mark { session, says } => {
            let (_, view) = open(session, call).await?;
            let mark = Change::Mark { op: item_id()?, transition: *says, cites: session_of(&view)?.newest() };
            merging::write(&view, vec![mark], call).await
        }
        SessionCommand::Note { session } => note(session, call).await,
        SessionCommand::Merge { session, other } => merging::merge(session, other, call).await,
        SessionCommand::Apart { session, other } => merging::apart(session, other.as_deref(), call).await,
        SessionCommand::List(filter) => merging::list(filter, call).await,
    }
}

async fn new(space: &str, set: &[NamedValue<SessionField>], held_unplanned: bool, call: &Call) -> Result<(), Failure> {
    // Read before anything is begun, so that a value that cannot be leaves no empty session behind.
    let mut changes: Vec<Command> = values(set)?.into_iter().map(Command::Session).collect();
    if held_unplanned {
        let mark = Change::Mark { op: item_id()?, transition: SessionTransition::HeldUnplanned, cites: Vec::new() };
        changes.push(Command::Session(mark));
    }
    let space = reference::space(&call.client, space).await?;
    let document = call.client.create_document(space.space, DocumentKind::Session).await?;
    apply(call, document, None, changes).await?;
    let text = format!(
        "The session is written down: {document}\nPut something on its agenda with `alliance session edit {} --add --text ...`.",
        short(&document)
    );
    call.teller.say(&Answer::new(text, json!({"document": document.to_string()}))).await;
    Ok(())
}

async fn edit(args: &SessionEdit, call: &Call) -> Result<(), Failure> {
    let (_, view) = open(&args.session, call).await?;
    let session = session_of(&view)?;
    let mut changes = values(&args.set)?;
    changes.extend(args.clear.iter().map(|field| Change::Clear { field: *field }));
    changes.extend(args.stakeholder.iter().map(|name| Change::AddStakeholder { name: name.clone() }));
    changes.extend(args.no_stakeholder.iter().map(|name| Change::RemoveStakeholder { name: name.clone() }));
    let mut nothing_differs = false;
    if args.add || args.item.is_some() {
        let item = item(session, args, call.text_if_any())?;
        nothing_differs = item.is_empty() && args.source.is_given();
        changes.extend(item);
    } else if args.source.is_given() {
        return Err(Failure::from(DeskCode::Usage).with("missing", "--add or --item"));
    }
    if changes.is_empty() && !nothing_differs {
        return Err(Failure::from(DeskCode::Usage).with("missing", "what to change"));
    }
    merging::write(&view, changes, call).await
}

fn values(set: &[NamedValue<SessionField>]) -> Result<Vec<Change>, Failure> {
    let read = |NamedValue { name, value }: &NamedValue<SessionField>| {
        let value = SessionValue::from_text(*name, value);
        let value = value.ok_or_else(|| Failure::from(DeskCode::BadTerm).with("term", name))?;
        value.check().map_err(alliance_client::Error::Refused)?;
        Ok(Change::Set { value })
    };
    set.iter().map(read).collect()
}

/// What is to change of one thing on the agenda.
fn item(session: &SessionView, args: &SessionEdit, text: Option<&str>) -> Result<Vec<Change>, Failure> {
    let after = match &args.after {
        Some(after) => Some(wanted(session, after)?.id),
        None => None,
    };
    let mut changes = Vec::new();
    let (id, old, cites) = match &args.item {
        None => {
            let id = item_id()?;
            let after = after.or_else(|| session.agenda.last().map(|item| item.id));
            changes.push(match args.from {
                Some(origin) => Change::BringItem { id, after, origin },
                None => Change::AddItem { id, after },
            });
            (id, "", Vec::new())
        }
        Some(which) => {
            let item = wanted(session, which)?;
            if args.remove {
                return Ok(vec![Change::RemoveItem { id: item.id }]);
            }
            changes.extend(after.map(|after| Change::MoveItem { id: item.id, after: Some(after) }));
            (item.id, item.text.text.as_str(), item.newest())
        }
    };
    let splices = text.map(|text| splice::splices(old, text)).unwrap_or_default();
    changes.extend(splices.into_iter().map(|splice| Change::EditItem { id, splice }));
    for NamedValue { name, value } in &args.about {
        let value = AgendaValue::from_text(*name, value);
        let value = value.ok_or_else(|| Failure::from(DeskCode::BadTerm).with("term", name))?;
        changes.push(Change::SetItem { id, value });
    }
    if let Some(transition) = args.says {
        changes.push(Change::MarkItem { id, op: item_id()?, transition, cites });
    }
    Ok(changes)
}

/// Begins the note of a session, with the session's date and kind, or says which it is.
async fn note(session: &str, call: &Call) -> Result<(), Failure> {
    let (row, view) = open(session, call).await?;
    let shown = session_of(&view)?;
    let (document, begun) = call.client.note_of_session(row.document).await?;
    if begun {
        let date = row.date.parse().ok().map(|date| NoteCommand::SetDate { date });
        let kind = shown.kind().map(|kind| NoteCommand::SetKind { kind });
        let changes = [date, kind].into_iter().flatten().map(Command::Note).collect();
        apply(call, document, None, changes).await?;
    }
    let text = format!(
        "{} {document}\nWrite with `alliance note append {} --section exploration --text ...`.",
        if begun { "The note of this session is begun:" } else { "The note of this session is" },
        short(&document)
    );
    call.teller.say(&Answer::new(text, json!({"document": document.to_string(), "begun": begun}))).await;
    Ok(())
}

async fn open(reference: &str, call: &Call) -> Result<(DocumentRow, DocumentView), Failure> {
    let row = reference::document(&call.client, DocumentKind::Session, reference).await?;
    let view = call.client.view(row.document).await?;
    Ok((row, view))
}

fn session_of(view: &DocumentView) -> Result<&SessionView, Failure> {
    let View::Session(session) = &view.view else { return Err(refused(alliance_model::RefusalCode::WrongKind)) };
    Ok(session)
}

fn wanted<'a>(session: &'a SessionView, which: &ItemArg) -> Result<&'a AgendaItemView, Failure> {
    reference::item(&session.agenda, which, |item| item.id)
}
