//! Views as text: what `show` and `list` print. Everything that people wrote is cleaned on its way.

mod agreement;
pub(crate) mod bundles;
mod decision;
pub(crate) mod due;
mod form;
pub(crate) mod found;
pub(crate) mod history;
pub(crate) mod lists;
mod note;
pub(crate) mod pack;
pub(crate) mod preparation;
pub(crate) mod reports;
mod session;
mod written;

use std::collections::BTreeMap;

use alliance_client::{Delivery, DocumentView, ReaderView, SharedNow, VersionDocument, View};
use alliance_model::PreparationView;

use crate::output::Look;
use crate::output::text::{count, dim, line, paragraph, short};

pub(crate) use agreement::{version as version_of_agreement, versions as versions_of_agreement};
pub(crate) use form::{adopted, proved, who_has_read};
pub(crate) use written::written;

/// A document with who wrote what, who reads it, and where it has arrived.
pub(crate) fn document(view: &DocumentView, changed_by_both: bool, look: Look) -> String {
    let id = short(view.parts.first().unwrap_or(&view.document));
    let text = match view.merged.as_ref().unwrap_or(&view.view) {
        View::Note(note) => note::note(note, id, look),
        View::Agreement(agreement) => agreement::agreement(agreement, id, look),
        View::Session(session) => session::session(session, &view.people, id, look),
        View::Preparation(preparation) => preparation::preparation(preparation, &[], id, look),
        View::Decision(decision) => decision::decision(decision, id, look),
        View::Exports(exports) => lists::exports(exports, look),
        View::Form(it) => form::form(it, &view.people, id, look),
    };
    format!("{text}\n{}{}", together(view, look), foot(view, changed_by_both, look))
}

/// Of which documents this is the rendering, where it is one of several.
fn together(view: &DocumentView, look: Look) -> String {
    if view.merged.is_none() {
        return String::new();
    }
    let parts: Vec<String> = view.parts.iter().map(short).collect();
    let text = format!("Written down twice and shown as one: {}. Write in either, by its id.", parts.join(" and "));
    paragraph(&text, "", look.columns)
}

/// What somebody prepared, with what the agendas show of it.
pub(crate) fn prepared(
    view: &DocumentView,
    preparation: &PreparationView,
    shared: &[SharedNow],
    changed_by_both: bool,
    look: Look,
) -> String {
    let text = preparation::preparation(preparation, shared, short(&view.document), look);
    format!("{text}\n{}", foot(view, changed_by_both, look))
}

/// What is to be known of a document: what is not shown of it, who reads it, where it has arrived.
fn foot(view: &DocumentView, changed_by_both: bool, look: Look) -> String {
    let mut text = String::new();
    if changed_by_both {
        text.push_str("Edited by more than one of you while apart: please read it again.\n");
    }
    for parked in &view.parked {
        let sentence = format!(
            "{} by {} kept and not shown [{}].",
            count(parked.entries, "entry", "entries"),
            line(&parked.by),
            parked.code
        );
        text.push_str(&paragraph(&sentence, "", look.columns));
    }
    let readers: Vec<String> = view.readers.iter().map(reader).collect();
    let foot = format!("Read by {}. {}", readers.join(", "), delivered(view.delivery, view.draft));
    for row in paragraph(&foot, "", look.columns).lines() {
        text.push_str(&dim(row, look.color));
        text.push('\n');
    }
    text
}

/// Somebody who reads, and on how many devices where it is not one.
fn reader(reader: &ReaderView) -> String {
    match reader.devices.len() {
        1 => line(&reader.name),
        many => format!("{} ({})", line(&reader.name), count(many as u64, "device", "devices")),
    }
}

/// A note as it was at the end of a version.
pub(crate) fn version(shown: &VersionDocument, look: Look) -> String {
    let text = match &shown.view {
        View::Note(note) => note::note(note, short(&shown.document), look),
        View::Agreement(agreement) => agreement::agreement(agreement, short(&shown.document), look),
        View::Session(session) => session::session(session, &BTreeMap::new(), short(&shown.document), look),
        View::Preparation(preparation) => preparation::preparation(preparation, &[], short(&shown.document), look),
        View::Decision(decision) => decision::decision(decision, short(&shown.document), look),
        View::Exports(exports) => lists::exports(exports, look),
        View::Form(it) => form::form(it, &BTreeMap::new(), short(&shown.document), look),
    };
    format!("{text}\n{}\n", dim(&format!("As it was at {}.", history::version(&shown.version)), look.color))
}

/// Where something has arrived, in a sentence.
pub(crate) fn delivered(delivery: Delivery, draft: bool) -> String {
    let here = if draft || delivery.drafts > 0 || delivery.unsent > 0 {
        "Something of yours is on this device only"
    } else if delivery.on_relay {
        "What you wrote is on the relay"
    } else {
        "Nothing of yours waits here"
    };
    match delivery.of_devices {
        0 => format!("{here}; nobody else has a device in this space yet."),
        _ => format!(
            "{here}, and on {} of {} by signed receipt.",
            delivery.on_devices,
            count(delivery.of_devices, "other device", "other devices")
        ),
    }
}
