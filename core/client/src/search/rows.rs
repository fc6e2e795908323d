//! A document's words, made from its view.

use alliance_document::{Document, View, ViewContext, WorkingCopy};
use alliance_model::FormView;
use alliance_model::decision::DecisionField;
use alliance_model::form::Sort;
use alliance_model::search::{Part, WORDS_VERSION, append_terms};
use alliance_store::device::Searchable;
use alliance_wire::{DraftId, SpaceId, codec};

use crate::documents::OpenDocument;
use crate::error::Error;

/// UTF-8 bytes of a document's texts that are searched; what is beyond is not, and the page says so.
const TEXT_BYTES_MAX: usize = 4 * 1024 * 1024;

impl OpenDocument {
    /// The document's words, with those of its draft or without. `published` is the view of what is published, where it
    /// is at hand: making one costs as much as a third of loading the document.
    pub(crate) fn searchable(
        &self,
        space: SpaceId,
        with_draft: bool,
        published: Option<&View>,
    ) -> Result<Searchable, Error> {
        let draft = self.draft.map(|(draft, _)| draft).filter(|_| with_draft);
        let copy = self.copy.as_ref().filter(|copy| with_draft && !copy.commands().is_empty());
        searchable(space, (&self.document, published), copy, draft)
    }
}

/// The words of what a document shows: of the draft, if there is one, and of what came in and is not shown beside it yet.
pub(super) fn searchable(
    space: SpaceId,
    (document, published): (&Document, Option<&View>),
    copy: Option<&WorkingCopy>,
    draft: Option<DraftId>,
) -> Result<Searchable, Error> {
    let context = ViewContext::BARE;
    let published = || match published {
        Some(view) => Ok(parts(view)),
        None => document.view(context).map(|view| parts(&view)),
    };
    let mut parts = match copy {
        Some(copy) => {
            let mut shown = parts(&copy.view(context)?);
            if *copy.base() != document.heads() {
                let more = published()?.into_iter().filter(|part| !shown.contains(part)).collect::<Vec<_>>();
                shown.extend(more);
            }
            shown
        }
        None => published()?,
    };
    let whole = cut(&mut parts);
    let (mut title, mut body) = (String::new(), String::new());
    for part in &parts {
        append_terms(if part.place == TITLE { &mut title } else { &mut body }, &part.text);
    }
    let commands = copy.map_or(0, |copy| copy.commands().len() as u64);
    Ok(Searchable {
        space,
        document: document.id(),
        version: WORDS_VERSION,
        heads: document.heads().to_bytes(),
        draft: draft.map(|draft| (draft, commands)),
        whole,
        title,
        body,
        parts: codec::encode(&parts),
    })
}

/// Reads what was encoded; nothing where it cannot be read.
pub(super) fn decode(bytes: &[u8]) -> Vec<Part> {
    codec::decode(bytes).unwrap_or_default()
}

/// Leaves off what is beyond the limit; `true` if nothing was.
fn cut(parts: &mut Vec<Part>) -> bool {
    let mut left = TEXT_BYTES_MAX;
    for at in 0..parts.len() {
        let text = &mut parts[at].text;
        if text.len() > left {
            text.truncate(text.floor_char_boundary(left));
            parts.truncate(at + 1);
            return false;
        }
        left -= text.len();
    }
    true
}

pub(super) const TITLE: &str = "title";

/// The texts of a view with their places, those that are read first in front; titles and dates come last, so that a
/// snippet shows the text where both fit.
fn parts(view: &View) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut put = |place: String, text: &str| {
        if !text.trim().is_empty() {
            parts.push(Part { place, text: text.to_owned() });
        }
    };
    match view {
        View::Note(note) => {
            for section in &note.sections {
                put(format!("sections.{}", section.stage.name()), &section.text.text);
            }
            for action in &note.actions {
                put(format!("actions.{}", action.id), &action.text.text);
                for owner in &action.owner {
                    put(format!("actions.{}.owner", action.id), &owner.value);
                }
            }
            for addendum in &note.addenda {
                put(format!("addenda.{}", addendum.op), &addendum.text);
            }
            // Of two titles written apart both are found.
            let others = note.conflicts.iter().filter(|conflict| conflict.field == TITLE);
            let titles: Vec<&str> = others.flat_map(|conflict| &conflict.values).map(|it| it.value.as_str()).collect();
            match note.title.as_deref() {
                Some(title) if titles.is_empty() => put(TITLE.to_owned(), title),
                _ => titles.into_iter().for_each(|title| put(TITLE.to_owned(), title)),
            }
            if let Some(date) = note.date {
                put("date".to_owned(), &date.to_string());
            }
        }
        View::Session(session) => {
            for item in &session.agenda {
                put(format!("agenda.{}", item.id), &item.text.text);
            }
            for field in &session.fields {
                for claim in &field.values {
                    put(field.field.to_string(), &claim.value);
                }
            }
            session.stakeholders.iter().for_each(|name| put("stakeholders".to_owned(), name));
            put(TITLE.to_owned(), &crate::listing::session_title(session));
        }
        View::Preparation(preparation) => {
            for entry in &preparation.entries {
                put(format!("entries.{}", entry.id), &entry.text.text);
                for field in &entry.fields {
                    for claim in &field.values {
                        put(format!("entries.{}.{}", entry.id, field.field), &claim.value);
                    }
                }
                for feeling in &entry.feelings {
                    put(format!("entries.{}.feelings", entry.id), feeling.name());
                }
            }
            put(TITLE.to_owned(), crate::listing::PREPARATION_TITLE);
        }
        View::Decision(decision) => {
            for field in DecisionField::ALL {
                put(format!("parts.{field}"), &decision.field(*field).text);
            }
            for part in &decision.listed {
                put(format!("parts.{}", part.id), &part.text.text);
            }
            for check in &decision.checks {
                put(format!("checks.{}", check.op), &check.text);
            }
            put(TITLE.to_owned(), &crate::listing::decision_title(decision));
        }
        View::Exports(exports) => {
            for export in &exports.exports {
                put(format!("exports.{}", export.op), &export.reason);
            }
            put(TITLE.to_owned(), crate::listing::EXPORTS_TITLE);
        }
        View::Form(form) => form_parts(form, &mut put),
        View::Agreement(agreement) => {
            for clause in &agreement.clauses {
                put(format!("clauses.{}", clause.id), &clause.text.text);
            }
            for term in &agreement.terms {
                for claim in &term.values {
                    put(format!("terms.{}", term.name), &claim.value);
                }
            }
            put(TITLE.to_owned(), crate::listing::AGREEMENT_TITLE);
        }
    }
    parts
}

/// The texts of a form.
fn form_parts(form: &FormView, put: &mut impl FnMut(String, &str)) {
    let kind = form.kind;
    for text in &form.texts {
        put(format!("{kind}.{}", text.name), &text.text.text);
    }
    for item in &form.items {
        put(format!("{kind}.{}", item.id), &item.text.text);
        for said in &item.log {
            put(format!("{kind}.{}.said.{}", item.id, said.op), said.text.as_deref().unwrap_or_default());
        }
    }
    for said in &form.log {
        put(format!("{kind}.said.{}", said.op), said.text.as_deref().unwrap_or_default());
    }
    let lines = form.kind.form().map(|table| table.fields).unwrap_or_default();
    for field in lines.iter().filter(|field| field.sort == Sort::Line) {
        put(format!("{kind}.{}", field.name), form.value(field.name).unwrap_or_default());
    }
    for set in &form.sets {
        set.values.iter().for_each(|value| put(format!("{kind}.{}", set.name), value));
    }
    put(TITLE.to_owned(), kind.form().map_or("", |table| table.title));
}
