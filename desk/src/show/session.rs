//! A session as text.

use std::collections::BTreeMap;

use alliance_model::SessionView;
use alliance_model::session::{AgendaItemView, SessionField};
use alliance_model::view::Claim;

use super::note::{capital, conflicts, said};
use super::written;
use crate::output::Look;
use crate::output::text::{bold, line, paragraph};

/// `people`: the names of those whom the view names by their tags.
pub(super) fn session(session: &SessionView, people: &BTreeMap<String, String>, id: String, look: Look) -> String {
    let name = |tag: &str| people.get(tag).map_or_else(|| tag.chars().take(8).collect(), |name| line(name));
    let kind = session.kind().map_or_else(|| "Session".to_owned(), |kind| format!("{} session", capital(kind.name())));
    let state = session.state.map_or_else(String::new, |state| format!(" · {state}"));
    let mut text = format!("{}\nsession {id}{state}\n", bold(&kind, look.color));
    let fields = session.fields.iter().filter(|field| field.field != SessionField::Kind);
    for field in fields {
        let values: Vec<Claim> = if field.field == SessionField::FocusChosenBy {
            field.values.iter().map(|claim| Claim { value: name(&claim.value), by: claim.by }).collect()
        } else {
            field.values.clone()
        };
        let row = format!("{}: {}", capital(field.field.name()), said(&values, &session.authors, ""));
        text.push_str(&paragraph(&row, "  ", look.columns));
    }
    if !session.stakeholders.is_empty() {
        let names: Vec<String> = session.stakeholders.iter().map(|name| line(name)).collect();
        text.push_str(&paragraph(&format!("About: {}", names.join(", ")), "  ", look.columns));
    }
    for entry in &session.log {
        let by = session.authors.get(entry.by).map_or_else(|| "?".to_owned(), |name| line(name));
        let row = format!("{}, says {by}", capital(entry.transition.name()));
        text.push_str(&paragraph(&row, "  ", look.columns));
    }
    if !session.participants.is_empty() {
        text.push_str(&format!("\n{}\n", bold("Who takes part", look.color)));
        for participant in &session.participants {
            let mut facts = vec![name(&participant.person)];
            let claims = [&participant.role, &participant.attendance].into_iter().filter(|claims| !claims.is_empty());
            facts.extend(claims.map(|claims| said(claims, &session.authors, "").replace('_', " ")));
            text.push_str(&paragraph(&facts.join(" · "), "  ", look.columns));
        }
    }
    if !session.agenda.is_empty() {
        text.push_str(&format!("\n{}\n", bold("Agenda", look.color)));
        for item in &session.agenda {
            text.push_str(&item_text(item, &session.authors, look));
        }
    }
    text.push_str(&conflicts(&session.conflicts, &session.authors, look));
    text
}

fn item_text(item: &AgendaItemView, authors: &[String], look: Look) -> String {
    let by = authors.get(item.by).map_or_else(|| "?".to_owned(), |name| line(name));
    let mut facts = vec![format!("{} {}", &item.id.to_string()[..8], item.state.name().replace('_', " "))];
    facts.push(format!("brought by {by}"));
    facts.extend(item.fields.iter().map(|field| format!("{} {}", field.field, said(&field.values, authors, ""))));
    format!("{}{}", paragraph(&facts.join(" · "), "  ", look.columns), written(&item.text, authors, "    ", look))
}
