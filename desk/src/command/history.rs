//! The versions of a note.

use alliance_client::{DocumentId, View};
use alliance_model::DocumentKind;
use serde_json::json;

use super::{Call, reference};
use crate::cli::NoteHistory;
use crate::failure::{DeskCode, Failure};
use crate::output::Answer;
use crate::show::{self, history};

pub(super) async fn history(args: &NoteHistory, call: &Call) -> Result<(), Failure> {
    let row = reference::document(&call.client, DocumentKind::Note, &args.note).await?;
    let client = &call.client;
    let answer = if let Some(version) = &args.at {
        let shown = client.view_version(row.document, version).await?;
        let text = show::version(&shown, call.look());
        Answer::new(text, json!({"version": shown}))
    } else if let Some(before) = &args.compare {
        let compared = client.compare_versions(row.document, before, args.with.as_deref()).await?;
        Answer::new(history::comparison(&compared, call.look()), json!({"comparison": compared}))
    } else if let Some(version) = &args.restore {
        let commands = restore(row.document, version, args, call).await?;
        let text = "Written into the note of today and saved on this device.";
        Answer::new(text, json!({"document": row.document.to_string(), "commands": commands}))
    } else {
        let page = client.history(row.document, args.offset, args.limit).await?;
        let text = history::page(&page, args.offset, call.look());
        Answer::new(text, json!({"history": page, "offset": args.offset}))
    };
    call.teller.say(&answer).await;
    Ok(())
}

/// Brings a passage back and ends the editing session.
async fn restore(document: DocumentId, version: &str, args: &NoteHistory, call: &Call) -> Result<u64, Failure> {
    let place = match (&args.section, &args.action, args.title, args.date) {
        (Some(stage), ..) => format!("sections.{}", stage.name()),
        (None, Some(action), ..) => format!("actions.{}", full_id(document, version, action, call).await?),
        (None, None, true, _) => "title".to_owned(),
        (None, None, false, true) => "date".to_owned(),
        (None, None, false, false) => {
            return Err(Failure::from(DeskCode::Usage).with("missing", "--section, --action, --title or --date"));
        }
    };
    let passage = match &args.passage {
        Some(words) => Some(passage(document, version, &place, words, call).await?),
        None => None,
    };
    let commands = call.client.restore_passage(document, version, &place, passage).await?;
    match call.client.seal(document).await {
        Err(error) if error.code() != alliance_client::Code::WaitingForKeys.code() => Err(error.into()),
        Ok(()) | Err(_) => Ok(commands),
    }
}

/// The id of the action of a version that begins so.
async fn full_id(
    document: DocumentId,
    version: &str,
    wanted: &crate::cli::ItemArg,
    call: &Call,
) -> Result<String, Failure> {
    let then = call.client.view_version(document, version).await?;
    let View::Note(note) = then.view else { return Err(super::note::unknown_item(wanted)) };
    let mut fitting = note.actions.iter().filter(|action| wanted.fits(action.id));
    match (fitting.next(), fitting.next()) {
        (Some(action), None) => Ok(action.id.to_string()),
        (Some(_), Some(_)) => Err(alliance_client::Error::new(alliance_client::Code::AmbiguousSpace).into()),
        (None, _) => Err(super::note::unknown_item(wanted)),
    }
}

/// Where these words first stand in the text of a version: start and length in characters.
async fn passage(
    document: DocumentId,
    version: &str,
    place: &str,
    words: &str,
    call: &Call,
) -> Result<(usize, usize), Failure> {
    let then = call.client.view_version(document, version).await?;
    let View::Note(note) = then.view else { return Err(DeskCode::Usage.into()) };
    let texts = note.sections.iter().map(|section| (format!("sections.{}", section.stage.name()), &section.text));
    let actions = note.actions.iter().map(|action| (format!("actions.{}", action.id), &action.text));
    let text = texts.chain(actions).find(|(path, _)| path == place).map(|(_, text)| text.text.as_str());
    let absent = || Failure::from(alliance_client::Error::new(alliance_client::Code::NoPassage));
    let text = text.ok_or_else(absent)?;
    let at = text.find(words).filter(|_| !words.is_empty()).ok_or_else(absent)?;
    Ok((text[..at].chars().count(), words.chars().count()))
}
