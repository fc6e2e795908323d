//! Confirming a note, and adding to it afterwards.

use alliance_client::{DocumentView, View};
use alliance_model::note::{FrozenView, NoteState};
use alliance_model::{NoteView, RefusalCode};
use serde_json::json;

use super::{note_of, open, refused};
use crate::cli::Dated;
use crate::command::Call;
use crate::failure::{DeskCode, Failure};
use crate::output::Answer;
use crate::output::text::line;

pub(super) async fn confirm(reference: &str, text: Option<&str>, dated: &Dated, call: &Call) -> Result<(), Failure> {
    let (document, view) = open(&call.client, reference).await?;
    let note = shown(&view)?;
    let seen = match text {
        Some(digits) => &named(note, digits)?.text,
        None if note.state == NoteState::TwoLocks => {
            return Err(refused(RefusalCode::TwoLocks).with("missing", "--text"));
        }
        None => &note.text,
    };
    let seen = seen.parse().map_err(|_| Failure::from(alliance_client::Error::new(alliance_client::Code::Internal)))?;
    let name = call.client.confirm_note(document, seen, &dated.language, dated.on).await?;
    let now = call.client.view(document).await?;
    let note = shown(&now)?;
    let name = name.to_string();
    let confirmed = note.confirmed.iter().find(|it| it.name == name);
    let confirmed =
        confirmed.ok_or_else(|| Failure::from(alliance_client::Error::new(alliance_client::Code::Internal)))?;
    let waits = confirmed.by_party().filter(|(_, by)| by.is_none());
    let waits: Vec<String> = waits.map(|(party, _)| line(&party.name)).collect();
    let text = if waits.is_empty() {
        "You confirmed it. Everybody who was there has: the note is locked.".to_owned()
    } else {
        format!("You confirmed it. Still to confirm: {}.", waits.join(", "))
    };
    call.teller.say(&Answer::new(text, json!({"state": note.state, "confirmed": confirmed}))).await;
    Ok(())
}

/// The note that the person sees: its own, or that of all that are shown as one.
fn shown(view: &DocumentView) -> Result<&NoteView, Failure> {
    match &view.merged {
        Some(View::Note(note)) => Ok(note),
        Some(
            View::Agreement(_)
            | View::Session(_)
            | View::Preparation(_)
            | View::Decision(_)
            | View::Exports(_)
            | View::Form(_),
        )
        | None => note_of(view),
    }
}

/// The text that somebody confirmed whose hash begins so.
fn named<'a>(note: &'a NoteView, digits: &str) -> Result<&'a FrozenView, Failure> {
    let digits = digits.to_ascii_lowercase();
    let mut fitting: Vec<&FrozenView> = note.confirmed.iter().filter(|it| it.text.starts_with(&digits)).collect();
    fitting.dedup_by(|one, other| one.text == other.text);
    match fitting.as_slice() {
        [one] => Ok(one),
        [] => Err(refused(RefusalCode::UnknownItem).with("item", digits)),
        _ => Err(alliance_client::Error::new(alliance_client::Code::AmbiguousSpace).into()),
    }
}

pub(super) async fn addendum(reference: &str, adopt: Option<u16>, call: &Call) -> Result<(), Failure> {
    let (document, view) = open(&call.client, reference).await?;
    match adopt {
        Some(number) => {
            let apart = shown(&view)?.apart.get(usize::from(number) - 1);
            let apart = apart.ok_or_else(|| refused(RefusalCode::UnknownItem).with("item", number))?;
            let there = apart.note.parse().unwrap_or(document);
            call.client.adopt(there, &apart.difference.place).await?;
        }
        None => {
            let text = call.text_if_any().ok_or_else(|| Failure::from(DeskCode::Usage).with("missing", "--text"))?;
            call.client.add_addendum(document, text).await?;
        }
    }
    let answer = json!({"document": document.to_string()});
    call.teller.say(&Answer::new("Added. It is sealed, and nobody can change it.", answer)).await;
    Ok(())
}
