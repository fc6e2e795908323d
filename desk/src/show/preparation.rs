//! What a person prepares as text.

use alliance_client::SharedNow;
use alliance_model::PreparationView;
use alliance_model::preparation::{PreparationEntryView, PreparationField, ShareView};

use super::note::{conflicts, said};
use super::written;
use crate::output::Look;
use crate::output::table::Table;
use crate::output::text::{bold, count, paragraph};

/// The list of what was prepared.
pub(crate) fn entries(entries: &[PreparationEntryView], look: Look) -> String {
    let mut table = Table::new(&["ID", "DATE", "KIND", "PRIORITY", "STATE", "TEXT"], 5);
    for entry in entries {
        let field = |name| entry.value(name).map_or_else(String::new, |value| value.to_text());
        table.row([
            entry.id.to_string()[..8].to_owned(),
            field(PreparationField::OccurredOn),
            field(PreparationField::Kind),
            field(PreparationField::Priority),
            entry.state.name().replace('_', " "),
            entry.text.text.clone(),
        ]);
    }
    table.print(look.columns, "Nothing is prepared; write something down with `alliance prep add --text ...`.")
}

/// The log with everything that is said of its entries; `shared`: what the agendas show of what was shared.
pub(super) fn preparation(preparation: &PreparationView, shared: &[SharedNow], id: String, look: Look) -> String {
    let entries = count(preparation.entries.len() as u64, "entry", "entries");
    let mut text = format!("{}\npreparation {id} · {entries} · yours alone\n", bold("Preparation", look.color));
    for entry in &preparation.entries {
        text.push('\n');
        text.push_str(&entry_text(entry, shared, &preparation.authors, look));
    }
    text.push_str(&conflicts(&preparation.conflicts, &preparation.authors, look));
    text
}

fn entry_text(entry: &PreparationEntryView, shared: &[SharedNow], authors: &[String], look: Look) -> String {
    let mut facts = vec![format!("{} {}", &entry.id.to_string()[..8], entry.state.name().replace('_', " "))];
    let fact =
        |name: PreparationField, values| format!("{} {}", name.name().replace('_', " "), said(values, authors, ""));
    facts.extend(entry.fields.iter().map(|field| fact(field.field, &field.values)));
    let mut text = paragraph(&facts.join(" · "), "  ", look.columns);
    if !entry.feelings.is_empty() {
        let feelings: Vec<&str> = entry.feelings.iter().map(|feeling| feeling.name()).collect();
        text.push_str(&paragraph(&format!("Feelings: {}", feelings.join(", ")), "    ", look.columns));
    }
    text.push_str(&written(&entry.text, authors, "    ", look));
    for share in &entry.shares {
        let now = shared.iter().find(|now| now.share == share.op);
        text.push_str(&paragraph(&share_text(share, now), "    ", look.columns));
    }
    text
}

fn share_text(share: &ShareView, now: Option<&SharedNow>) -> String {
    let session: String = share.session.chars().take(8).collect();
    let date = share.date.map_or_else(String::new, |date| format!(" on {date}"));
    let mut text = format!("For session {session}{date}: {}", share.state.name().replace('_', " "));
    if let Some(now) = now {
        let agenda = now.state.map_or_else(|| "not there any more".to_owned(), |state| state.name().replace('_', " "));
        text.push_str(&format!("; on the agenda: {agenda}{}", if now.edited { ", edited since" } else { "" }));
    }
    text
}
