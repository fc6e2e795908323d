//! What was confirmed of a note, what was written apart from it, and what was added.

use alliance_model::NoteView;
use alliance_model::note::{AddendumView, ApartView, FrozenState, FrozenView, NoteState, NoteText};
use alliance_model::view::PieceKind;

use super::capital;
use crate::output::Look;
use crate::output::text::{bold, clean, line, paragraph};
use crate::show::found::place;

pub(super) fn confirmed(note: &NoteView, look: Look) -> String {
    let mut text = String::new();
    if !note.addenda.is_empty() {
        text.push_str(&format!("\n{}\n", bold("Addenda", look.color)));
        note.addenda.iter().for_each(|addendum| text.push_str(&added(addendum, note, look)));
    }
    if !note.apart.is_empty() {
        let heading = "Written without knowing that the note was locked; no part of it";
        text.push_str(&format!("\n{}\n", bold(heading, look.color)));
        for (number, apart) in (1..).zip(&note.apart) {
            text.push_str(&written_apart(number, apart, note, look));
        }
    }
    let shown: Vec<&FrozenView> = note.confirmed.iter().filter(|it| it.state != FrozenState::Superseded).collect();
    if !shown.is_empty() {
        text.push_str(&format!("\n{}\n", bold("Confirmed", look.color)));
    }
    if note.state == NoteState::TwoLocks {
        text.push_str(&paragraph(
            "Two texts were locked while you were apart; the note above is neither. Read both, and let everybody \
             confirm one of them once more (note confirm --text).",
            "  ",
            look.columns,
        ));
    }
    for frozen in shown {
        text.push_str(&who_confirmed(frozen, note, look));
        if note.state == NoteState::TwoLocks && frozen.state == FrozenState::Locked {
            frozen.words.iter().for_each(|it| text.push_str(&words(it, look)));
        }
    }
    text
}

fn who_confirmed(frozen: &FrozenView, note: &NoteView, look: Look) -> String {
    let which = if frozen.text == note.text { "this text" } else { "another text" };
    let mut rows = vec![format!("{} {which}", &frozen.text[..8])];
    rows.extend(frozen.by_party().map(|(party, by)| match by {
        Some(signature) => format!("{} on {}", line(&party.name), signature.on),
        None => format!("{} not yet", line(&party.name)),
    }));
    paragraph(&rows.join(" · "), "  ", look.columns)
}

/// A text that is locked beside another.
fn words(words: &NoteText, look: Look) -> String {
    let mut text = String::new();
    let title = words.title.as_deref().map(line);
    let head: Vec<String> = title.into_iter().chain(words.date.map(|date| date.to_string())).collect();
    let mut rows = vec![head.join(", ")];
    rows.extend(words.sections.iter().map(|(stage, said)| format!("{}: {}", capital(&line(stage)), clean(said))));
    rows.extend(words.functions.iter().map(|(name, weight)| format!("{}: {}%", line(name), line(weight))));
    for action in &words.actions {
        let facts = [action.owner.as_deref(), action.due.as_deref()].into_iter().flatten().map(line);
        let facts: Vec<String> = std::iter::once(line(&action.text)).chain(facts).collect();
        rows.push(format!("Action: {}", facts.join(", ")));
    }
    for row in rows.iter().flat_map(|row| row.lines()).filter(|row| !row.is_empty()) {
        text.push_str(&paragraph(row, "      ", look.columns));
    }
    text
}

fn added(addendum: &AddendumView, note: &NoteView, look: Look) -> String {
    let by = note.authors.get(addendum.by).map_or_else(|| "?".to_owned(), |name| line(name));
    let mut text = paragraph(&format!("{by}:"), "  ", look.columns);
    clean(&addendum.text).lines().for_each(|row| text.push_str(&paragraph(row, "    ", look.columns)));
    text
}

fn written_apart(number: usize, apart: &ApartView, note: &NoteView, look: Look) -> String {
    let by: Vec<String> = apart.by.iter().filter_map(|by| note.authors.get(*by)).map(|name| line(name)).collect();
    let by = if by.is_empty() { String::new() } else { format!(", by {}", by.join(" and ")) };
    let mut text = paragraph(&format!("{number}. {}{by}", place(&apart.difference.place)), "  ", look.columns);
    let mut row = |sign: char, words: &str| {
        for words in clean(words).lines().filter(|words| !words.trim().is_empty()) {
            text.push_str(&paragraph(&format!("{sign} {words}"), "     ", look.columns));
        }
    };
    let difference = &apart.difference;
    difference.before.iter().for_each(|before| row('-', before));
    difference.after.iter().for_each(|after| row('+', after));
    for piece in &difference.pieces {
        match piece.kind {
            PieceKind::Added => row('+', &piece.text),
            PieceKind::Removed => row('-', &piece.text),
            PieceKind::Kept => {}
        }
    }
    text
}
