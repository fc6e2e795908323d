//! A session note as text.

mod confirmed;

use alliance_model::NoteView;
use alliance_model::agreement::{ProtectiveTerm, ProtectiveValue};
use alliance_model::note::{ActionView, NoteState, RecordCited, content_permitted};
use alliance_model::view::Claim;

use super::written;
use crate::output::Look;
use crate::output::text::{bold, line, paragraph};

pub(super) fn note(note: &NoteView, id: String, look: Look) -> String {
    let title = note.title.as_deref().map_or_else(|| "Untitled note".to_owned(), line);
    let mut facts = vec![format!("note {id}")];
    facts.extend(note.date.map(|date| date.to_string()));
    facts.extend(note.kind.map(|kind| kind.name().replace('_', " ")));
    facts.extend((note.state != NoteState::Shared).then(|| note.state.name().replace('_', " ")));
    let mut text = format!("{}\n{}\n", bold(&title, look.color), facts.join(" · "));
    text.push_str(&note.record.as_ref().map(|record| rule(record, look)).unwrap_or_default());
    for section in note.sections.iter().filter(|section| !section.text.text.is_empty()) {
        text.push_str(&format!("\n{}\n", bold(&capital(section.stage.name()), look.color)));
        text.push_str(&written(&section.text, &note.authors, "  ", look));
    }
    if !note.functions.is_empty() {
        text.push_str(&format!("\n{}\n", bold("Functions", look.color)));
        for function in &note.functions {
            let weights = said(&function.values, &note.authors, "%");
            let row = format!("{} ({}): {weights}", line(&function.function), line(&function.scheme));
            text.push_str(&paragraph(&row, "  ", look.columns));
        }
    }
    if !note.actions.is_empty() {
        text.push_str(&format!("\n{}\n", bold("Actions", look.color)));
        for action in &note.actions {
            text.push_str(&action_text(action, &note.authors, look));
        }
    }
    text.push_str(&conflicts(&note.conflicts, &note.authors, look));
    text.push_str(&confirmed::confirmed(note, look));
    text
}

/// Under which rule it was begun, where that rule lets nothing of what was said be kept.
fn rule(record: &RecordCited, look: Look) -> String {
    let rule = ProtectiveValue::from_name(ProtectiveTerm::ContentRecordRule, &record.rule);
    if content_permitted(rule).is_ok() {
        return String::new();
    }
    let kept = if record.rule == "none" { "nothing in writing" } else { "dates only" };
    let row = if record.against {
        format!(
            "Begun when you had agreed to keep {kept}. What follows was written all the same, by somebody whose program \
             did not know that or did not heed it."
        )
    } else {
        format!("Begun when you had agreed to keep {kept}.")
    };
    format!("\n{}", paragraph(&row, "  ", look.columns))
}

fn action_text(action: &ActionView, authors: &[String], look: Look) -> String {
    let mut facts = vec![format!("{} {}", &action.id.to_string()[..8], action.state)];
    if !action.owner.is_empty() {
        facts.push(said(&action.owner, authors, ""));
    }
    if !action.due.is_empty() {
        facts.push(format!("due {}", said(&action.due, authors, "")));
    }
    format!("{}{}", paragraph(&facts.join(" · "), "  ", look.columns), written(&action.text, authors, "    ", look))
}

/// One value, or each with who said it.
pub(super) fn said(claims: &[Claim], authors: &[String], unit: &str) -> String {
    if let [claim] = claims {
        return format!("{}{unit}", line(&claim.value));
    }
    let claims: Vec<String> = claims
        .iter()
        .map(|claim| {
            let by = authors.get(claim.by).map_or_else(|| "?".to_owned(), |name| line(name));
            format!("{}{unit} ({by})", line(&claim.value))
        })
        .collect();
    claims.join(" or ")
}

/// Fields that have more than one value because people wrote them while apart.
pub(super) fn conflicts(conflicts: &[alliance_model::FieldConflict], authors: &[String], look: Look) -> String {
    if conflicts.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{}\n", bold("Please choose: you wrote these differently while apart", look.color));
    for conflict in conflicts {
        let row = format!("{}: {}", line(&conflict.field), said(&conflict.values, authors, ""));
        text.push_str(&paragraph(&row, "  ", look.columns));
    }
    text
}

/// A vocabulary's word as a heading.
pub(super) fn capital(word: &str) -> String {
    let word = word.replace('_', " ");
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
