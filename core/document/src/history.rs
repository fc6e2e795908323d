//! A document as it was, what differs between two states of it, and bringing back what was deleted.
//!
//! A state is named by [`Heads`] that the document has: the changes with everything that they build on. Nothing here
//! changes a document: what is brought back is an edit of today.

use core::ops::Range;
use std::collections::{HashMap, HashSet};

use alliance_model::limits::INSERT_BYTES_MAX;
use alliance_model::note::NoteCommand;
use alliance_model::view::Difference;
use alliance_model::{Command, DocumentKind, Splice};
use automerge::{Automerge, ChangeHash, ObjId, ReadDoc as _};

use crate::document::Document;
use crate::guard::{Panicked, guarded};
use crate::heads::{ChangeId, Heads};
use crate::schema::differences::{self, text_target};
use crate::schema::read::{At, Read as _};
use crate::schema::{self, TextTarget, View, ViewContext};
use crate::working::WorkingCopy;

/// Why a state cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// The document does not have these changes.
    #[error("the document does not have this state")]
    UnknownState,
    /// There is no such text in the document, or it is shorter.
    #[error("there is no such passage in this state")]
    UnknownPassage,
    /// The passage stands in the text as it is.
    #[error("nothing of the passage is missing")]
    NothingMissing,
    /// The engine panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

/// Where a change stands in a document's history. The order of [`ChangePlace::order`] puts each change behind those that
/// it builds on, and is the same on every replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePlace {
    /// Compares by history.
    pub order: (u64, [u8; 16], u64),
    /// What it builds on.
    pub parents: Heads,
}

impl Document {
    /// Where each of these changes stands; those that the document does not have are left out.
    ///
    /// # Errors
    /// [`Panicked`].
    pub fn places(&self, changes: &[ChangeId]) -> Result<HashMap<[u8; 32], ChangePlace>, Panicked> {
        guarded(|| {
            let mut places = HashMap::new();
            for change in changes {
                let hash: ChangeHash = (*change).into();
                let Some(meta) = self.automerge.get_change_meta_by_hash(&hash) else { continue };
                let mut actor = [0; 16];
                let bytes = meta.actor.to_bytes();
                let len = bytes.len().min(16);
                actor[..len].copy_from_slice(&bytes[..len]);
                let place = ChangePlace { order: (meta.start_op, actor, meta.seq), parents: meta.deps.into() };
                places.insert(change.0, place);
            }
            places
        })
    }

    /// The document as it was.
    ///
    /// # Errors
    /// [`HistoryError::UnknownState`], [`HistoryError::Panicked`].
    pub fn view_at(&self, heads: &Heads, context: ViewContext<'_>) -> Result<View, HistoryError> {
        view_at(&self.automerge, self.kind(), self.id().to_string(), heads, context)
    }

    /// What differs between two states, place by place, in the order of the document.
    ///
    /// # Errors
    /// [`HistoryError::UnknownState`], [`HistoryError::Panicked`].
    pub fn differences(&self, before: &Heads, after: &Heads) -> Result<Vec<Difference>, HistoryError> {
        let context = ViewContext::BARE;
        let views = (self.view_at(before, context)?, self.view_at(after, context)?);
        let (from, to) = (before.hashes(), after.hashes());
        Ok(guarded(|| differences::between(&self.automerge, (&views.0, &from), (&views.1, &to)))?)
    }
}

fn view_at(
    automerge: &Automerge,
    kind: DocumentKind,
    id: String,
    heads: &Heads,
    context: ViewContext<'_>,
) -> Result<View, HistoryError> {
    let hashes = heads.hashes();
    if hashes.is_empty() || hashes.iter().any(|hash| automerge.get_change_meta_by_hash(hash).is_none()) {
        return Err(HistoryError::UnknownState);
    }
    Ok(guarded(|| schema::view(&At { document: automerge, heads: &hashes }, kind, id, context))?)
}

impl WorkingCopy {
    /// The commands that bring back what is missing today of a passage: `len` scalar values from `start` of the text at
    /// this place, as it was in a state. What of it still stands stays where it is, and so does what others wrote inside
    /// it; each missing stretch goes back between its neighbours. A field, such as `title`, is set to what it was, and
    /// start and length say nothing.
    ///
    /// # Errors
    /// [`HistoryError`]: `UnknownState` also if this copy was opened before those changes came.
    pub fn bring_back(
        &self,
        heads: &Heads,
        place: &str,
        passage: Option<(usize, usize)>,
    ) -> Result<Vec<Command>, HistoryError> {
        let automerge = self.automerge();
        let context = ViewContext::BARE;
        let then = view_at(automerge, self.kind(), String::new(), heads, context)?;
        let Some(target) = text_target(place) else {
            let now = self.view(context)?;
            return field_as_it_was(&then, &now, place);
        };
        let splices = guarded(|| missing(automerge, &heads.hashes(), target, passage))??;
        Ok(splices.into_iter().map(|splice| schema::edit_text(target, splice)).collect())
    }
}

fn field_as_it_was(then: &View, now: &View, place: &str) -> Result<Vec<Command>, HistoryError> {
    let (View::Note(then), View::Note(now)) = (then, now) else { return Err(HistoryError::UnknownPassage) };
    let command = match place {
        "title" => then.title.clone().map(|title| NoteCommand::SetTitle { title }).filter(|_| then.title != now.title),
        "date" => then.date.map(|date| NoteCommand::SetDate { date }).filter(|_| then.date != now.date),
        _ => return Err(HistoryError::UnknownPassage),
    };
    let command = command.ok_or(HistoryError::NothingMissing)?;
    Ok(vec![Command::Note(command)])
}

/// The edits of today's text that bring back what is missing of a passage.
fn missing(
    automerge: &Automerge,
    heads: &[ChangeHash],
    target: TextTarget,
    passage: Option<(usize, usize)>,
) -> Result<Vec<Splice>, HistoryError> {
    let at = At { document: automerge, heads };
    let text = schema::text_object(&at, target).ok_or(HistoryError::UnknownPassage)?;
    let mut then: Vec<(ObjId, String)> = Vec::new();
    at.letters(&text, &mut |letters, id| then.push((id, letters.to_owned())));
    let mut now: Vec<(ObjId, String)> = Vec::new();
    automerge.letters(&text, &mut |letters, id| now.push((id, letters.to_owned())));
    let standing: HashSet<&ObjId> = now.iter().map(|(id, _)| id).collect();
    let known: HashSet<&ObjId> = then.iter().map(|(id, _)| id).collect();
    let (start, len) = passage.unwrap_or((0, then.len()));
    let range = start..start.checked_add(len).ok_or(HistoryError::UnknownPassage)?;
    if then.get(range.clone()).is_none_or(<[_]>::is_empty) {
        return Err(HistoryError::UnknownPassage);
    }
    let (mut splices, mut added, mut index) = (Vec::new(), 0, range.start);
    while index < range.end {
        let end = (index..range.end).find(|at| standing.contains(&then[*at].0)).unwrap_or(range.end);
        for (place, stretch) in stretches(automerge, heads, &text, index..end)? {
            if is_back(&now, place, &then[stretch.clone()], &known) {
                continue;
            }
            for piece in pieces(&then[stretch]) {
                let pos = u32::try_from(place + added).map_err(|_| HistoryError::UnknownPassage)?;
                added += piece.chars().count();
                splices.push(Splice::insert(pos, piece));
            }
        }
        index = end + 1;
    }
    if splices.is_empty() { Err(HistoryError::NothingMissing) } else { Ok(splices) }
}

/// Whether the letters stand at this place again, as others that were written since: somebody brought them back before.
fn is_back(now: &[(ObjId, String)], place: usize, missing: &[(ObjId, String)], known: &HashSet<&ObjId>) -> bool {
    let same = |range: Range<usize>| {
        now.get(range).is_some_and(|there| {
            there.iter().zip(missing).all(|((id, letter), (_, wanted))| letter == wanted && !known.contains(id))
        })
    };
    let len = missing.len();
    same(place..place + len) || place.checked_sub(len).is_some_and(|start| same(start..place))
}

/// Missing letters in stretches that go back to one place of today's text each: between the same two letters of those
/// that stand there now. Others may have written between letters that stood side by side then.
fn stretches(
    automerge: &Automerge,
    heads: &[ChangeHash],
    text: &ObjId,
    letters: Range<usize>,
) -> Result<Vec<(usize, Range<usize>)>, HistoryError> {
    let place = |index: usize| {
        let cursor = automerge.get_cursor(text, index, Some(heads)).map_err(|_| HistoryError::UnknownPassage)?;
        // Where nothing stands behind the letter any more, the engine says the end; built with debug assertions it
        // panics instead, because its two ways to look for the place differ there.
        match guarded(|| automerge.get_cursor_position(text, &cursor, None)) {
            Ok(place) => place.map_err(|_| HistoryError::UnknownPassage),
            Err(Panicked) => Ok(automerge.length(text)),
        }
    };
    let mut found: Vec<(usize, Range<usize>)> = Vec::new();
    let mut open = vec![letters];
    while let Some(part) = open.pop() {
        if part.is_empty() {
            continue;
        }
        let first = place(part.start)?;
        // Places rise with letters: if the first and the last go to one place, all between them do.
        if first == place(part.end - 1)? {
            match found.last_mut() {
                Some((place, before)) if *place == first && before.end == part.start => before.end = part.end,
                Some(_) | None => found.push((first, part)),
            }
        } else {
            let middle = part.start + part.len() / 2;
            open.push(middle..part.end);
            open.push(part.start..middle);
        }
    }
    Ok(found)
}

/// Letters in pieces that one command may insert.
fn pieces(letters: &[(ObjId, String)]) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for (_, letter) in letters {
        if pieces.last().is_some_and(|piece| piece.len() + letter.len() > INSERT_BYTES_MAX) {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push_str(letter);
        }
    }
    pieces
}
