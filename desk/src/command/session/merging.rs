//! Sessions that were written down twice.

use alliance_client::{DocumentId, DocumentView, PersonTag, item_id};
use alliance_model::session::SessionCommand as Change;
use alliance_model::{Command, DocumentKind, SessionView};
use serde_json::json;

use super::session_of;
use crate::cli::ListFilter;
use crate::command::note::{apply, list as list_documents, say_saved, seen};
use crate::command::{Call, reference};
use crate::failure::Failure;
use crate::output::Answer;
use crate::output::text::short;

pub(super) async fn merge(session: &str, other: &str, call: &Call) -> Result<(), Failure> {
    let (one, two) = (named(session, call).await?, named(other, call).await?);
    call.client.merge_sessions(one, two).await?;
    let shown = call.client.view(one).await?;
    let stands = shown.parts.first().copied().unwrap_or(one);
    let text = format!(
        "They are one session from now on: {}. Nothing was copied; undo it with `alliance session apart {}`.",
        short(&stands),
        short(&stands)
    );
    let parts: Vec<String> = shown.parts.iter().map(ToString::to_string).collect();
    call.teller.say(&Answer::new(text, json!({"session": stands.to_string(), "parts": parts}))).await;
    Ok(())
}

pub(super) async fn apart(session: &str, other: Option<&str>, call: &Call) -> Result<(), Failure> {
    let one = named(session, call).await?;
    let other = match other {
        Some(other) => Some(named(other, call).await?),
        None => None,
    };
    call.client.keep_sessions_apart(one, other).await?;
    call.teller.say(&Answer::new("They are two sessions.", json!({"session": one.to_string()}))).await;
    Ok(())
}

/// Lists sessions, and says of which it is not clear whether they are one.
pub(super) async fn list(filter: &ListFilter, call: &Call) -> Result<(), Failure> {
    list_documents(filter, DocumentKind::Session, call).await?;
    let spaces = match &filter.space {
        Some(space) => vec![reference::space(&call.client, space).await?],
        None => call.client.spaces().await?,
    };
    for space in spaces {
        // A space that this device was put out of says nothing.
        let Ok(pairs) = call.client.possible_duplicates(space.space).await else { continue };
        for (one, other) in pairs {
            let (one, other) = (short(&one), short(&other));
            let text = format!(
                "{one} and {other} may be one session, written down twice [POSSIBLE_DUPLICATE]. Merge them with \
                 `alliance session merge {one} {other}`, or keep both with `alliance session apart {one} {other}`."
            );
            call.teller.remark(&text).await;
        }
    }
    Ok(())
}

/// Writes in a session. What was chosen of one that is shown as one with others is chosen in all of them: a field that
/// another part says, too, a person of whom it says something, and what became of it.
pub(super) async fn write(view: &DocumentView, changes: Vec<Change>, call: &Call) -> Result<(), Failure> {
    let mut parts = Vec::new();
    for part in view.parts.iter().filter(|part| **part != view.document) {
        let there = call.client.view(*part).await?;
        let session = session_of(&there)?;
        let fits: Vec<Option<Change>> =
            changes.iter().map(|change| for_part(session, change)).collect::<Result<_, _>>()?;
        parts.push((*part, there.revision, fits));
    }
    let own = session_of(view)?;
    let elsewhere = |n: usize| parts.iter().any(|(_, _, fits)| fits.get(n).is_some_and(Option::is_some));
    // Taking away what only another part says is done there.
    let here = |(n, change): &(usize, Change)| {
        let takes_away = matches!(change, Change::Clear { .. } | Change::RemoveStakeholder { .. });
        !takes_away || !elsewhere(*n) || for_part(own, change).is_ok_and(|fits| fits.is_some())
    };
    let mine: Vec<Command> =
        changes.iter().cloned().enumerate().filter(here).map(|it| Command::Session(it.1)).collect();
    let mut commands = mine.len();
    let revision = apply(call, view.document, seen(view.revision), mine).await?;
    for (part, revision, fits) in parts {
        let fits: Vec<Command> = fits.into_iter().flatten().map(Command::Session).collect();
        commands += fits.len();
        apply(call, part, seen(revision), fits).await?;
    }
    say_saved(call, view.document, commands, revision).await;
    Ok(())
}

fn for_part(part: &SessionView, change: &Change) -> Result<Option<Change>, Failure> {
    let says = |field| part.fields.iter().any(|view| view.field == field);
    let knows = |person: &PersonTag| part.participants.iter().any(|it| it.person == person.to_string());
    let fits = match change {
        Change::Set { value } => says(value.field()),
        Change::Clear { field } => says(*field),
        Change::SetRole { person, .. } | Change::SetAttendance { person, .. } => knows(person),
        Change::Mark { transition, .. } => {
            let mark = Change::Mark { op: item_id()?, transition: *transition, cites: part.newest() };
            return Ok((!part.log.is_empty()).then_some(mark));
        }
        Change::RemoveStakeholder { name } => part.stakeholders.contains(name),
        Change::AddStakeholder { .. }
        | Change::AddItem { .. }
        | Change::BringItem { .. }
        | Change::MoveItem { .. }
        | Change::RemoveItem { .. }
        | Change::EditItem { .. }
        | Change::SetItem { .. }
        | Change::MarkItem { .. }
        | Change::Alias { .. } => false,
    };
    Ok(fits.then(|| change.clone()))
}

async fn named(session: &str, call: &Call) -> Result<DocumentId, Failure> {
    Ok(reference::document(&call.client, DocumentKind::Session, session).await?.document)
}
