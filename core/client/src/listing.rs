//! A document's row in lists, made from its view: no list loads a document.

use alliance_document::View;
use alliance_model::form::Sort;
use alliance_model::note::ActionState;
use alliance_model::session::{SessionField, SessionState, SessionValue, took_place};
use alliance_model::{DecisionView, DocumentKind, FormView, SessionView};
use alliance_store::device::Listing;
use alliance_wire::{DocumentId, SpaceId};

/// Somebody else's changes were not looked at yet.
pub(crate) const UNREAD: u32 = 1;
/// Both edited it while apart.
pub(crate) const CHANGED_BY_BOTH: u32 = 2;
/// Fields have more than one value.
pub(crate) const NEEDS_CHOICE: u32 = 4;
/// Entries are kept and not shown.
pub(crate) const PARKED: u32 = 8;

/// Its log says something of other sessions: which documents are one is to be asked of it.
pub(crate) const ALIASED: u32 = 16;

/// Something that was agreed in it is still to be done.
pub(crate) const OPEN_ACTIONS: u32 = 32;
/// It is planned, and nobody has said what came of it.
pub(crate) const PLANNED: u32 = 64;
/// It took place.
pub(crate) const HELD: u32 = 128;
/// The marks that a view says.
const OF_THE_VIEW: u32 = NEEDS_CHOICE | ALIASED | OPEN_ACTIONS | PLANNED | HELD;

/// Characters of a snippet.
const SNIPPET_CHARS: usize = 100;
/// What stands for an agreement's title.
pub(crate) const AGREEMENT_TITLE: &str = "Working agreement";

/// What stands for a session's title.
pub(crate) fn session_title(session: &SessionView) -> String {
    let kind = session.kind().map(|kind| kind.name().replace('_', " "));
    kind.map_or_else(|| "Session".to_owned(), |kind| format!("Session, {kind}"))
}

/// The date on which a session took place or is planned; of values written apart the earlier.
pub(crate) fn session_date(session: &SessionView) -> String {
    match (session.value(SessionField::Start), session.value(SessionField::Date)) {
        (Some(SessionValue::Start(start)), _) => start.date().to_string(),
        (_, Some(SessionValue::Date(date))) => date.to_string(),
        _ => String::new(),
    }
}

/// What stands for a preparation log's title.
pub(crate) const PREPARATION_TITLE: &str = "Preparation";

/// What stands for the title of the log of what was given out.
pub(crate) const EXPORTS_TITLE: &str = "Exports";

/// What stands for a decision's title: the beginning of its question.
pub(crate) fn decision_title(decision: &DecisionView) -> String {
    let words: Vec<&str> = decision.question.text.split_whitespace().collect();
    let title: String = words.join(" ").chars().take(SNIPPET_CHARS).collect();
    if title.is_empty() { "Decision".to_owned() } else { title }
}

/// What a decision shows, in the order in which it is read.
pub(crate) fn texts_of(decision: &DecisionView) -> impl Iterator<Item = &str> {
    let fields = [&decision.choice, &decision.rationale, &decision.question];
    let texts = fields.into_iter().chain(decision.listed.iter().map(|part| &part.text)).map(|text| text.text.as_str());
    texts.chain(decision.checks.iter().map(|check| check.text.as_str()))
}

/// What a form shows, in the order in which it is read.
pub(crate) fn form_texts(form: &FormView) -> impl Iterator<Item = &str> {
    let texts = form.texts.iter().map(|it| it.text.text.as_str());
    texts.chain(form.items.iter().map(|item| item.text.text.as_str()))
}

/// The date that a form is about: the first of its dates; of values written apart the earlier.
fn form_date(form: &FormView) -> String {
    let Some(table) = form.kind.form() else { return String::new() };
    let mut dates = table.fields.iter().filter(|field| field.sort == Sort::Date);
    dates.find_map(|field| form.value(field.name)).unwrap_or_default().to_owned()
}

/// The row of a document. `markers` are those that the view does not say.
pub(crate) fn listing(space: SpaceId, document: DocumentId, view: &View, markers: u32) -> Listing {
    let (kind, title, date, texts, conflicts) = match view {
        View::Note(note) => {
            let sections = note.sections.iter().map(|section| section.text.text.as_str());
            let actions = note.actions.iter().map(|action| action.text.text.as_str());
            let texts: Vec<&str> = sections.chain(actions).filter(|text| !text.trim().is_empty()).collect();
            let date = note.date.as_ref().map(ToString::to_string).unwrap_or_default();
            let title = note.title.clone().unwrap_or_else(|| "Session note".to_owned());
            (DocumentKind::Note, title, date, texts, !note.conflicts.is_empty())
        }
        View::Session(session) => {
            let items = session.agenda.iter().map(|item| item.text.text.as_str());
            let texts = items.filter(|text| !text.trim().is_empty()).collect();
            (DocumentKind::Session, session_title(session), session_date(session), texts, !session.conflicts.is_empty())
        }
        View::Preparation(preparation) => {
            let entries = preparation.entries.iter().map(|entry| entry.text.text.as_str());
            let texts = entries.filter(|text| !text.trim().is_empty()).collect();
            let title = PREPARATION_TITLE.to_owned();
            (DocumentKind::Preparation, title, String::new(), texts, !preparation.conflicts.is_empty())
        }
        View::Decision(decision) => {
            let texts: Vec<&str> = texts_of(decision).filter(|text| !text.trim().is_empty()).collect();
            (DocumentKind::Decision, decision_title(decision), String::new(), texts, false)
        }
        View::Exports(exports) => {
            let date = exports.exports.last().map(|it| it.on.to_string()).unwrap_or_default();
            let reasons = exports.exports.iter().rev().map(|it| it.reason.as_str());
            let texts = reasons.filter(|text| !text.is_empty()).collect();
            (DocumentKind::Exports, EXPORTS_TITLE.to_owned(), date, texts, false)
        }
        View::Form(form) => {
            let title = form.kind.form().map_or("", |it| it.title).to_owned();
            let texts = form_texts(form).filter(|text| !text.trim().is_empty()).collect();
            (form.kind, title, form_date(form), texts, !form.conflicts.is_empty())
        }
        View::Agreement(agreement) => {
            let clauses = agreement.clauses.iter().map(|clause| clause.text.text.as_str());
            let texts = clauses.filter(|text| !text.trim().is_empty()).collect();
            let title = AGREEMENT_TITLE.to_owned();
            (DocumentKind::Agreement, title, String::new(), texts, !agreement.conflicts.is_empty())
        }
    };
    let computed = if conflicts { NEEDS_CHOICE } else { 0 } | marks(view);
    let snippet: String = texts.first().map(|text| text.chars().take(SNIPPET_CHARS).collect()).unwrap_or_default();
    Listing {
        space,
        document,
        kind: kind.number(),
        title,
        date,
        snippet: snippet.split_whitespace().collect::<Vec<_>>().join(" "),
        markers: markers & !OF_THE_VIEW | computed,
        // The words go with the row and say it.
        searched: false,
    }
}

/// What a row says of its document, so that whoever asks what is due loads no document that has nothing to say.
fn marks(view: &View) -> u32 {
    match view {
        View::Session(session) => {
            let aliased = if session.aliases.is_empty() { 0 } else { ALIASED };
            aliased
                | match session.state {
                    Some(SessionState::Held | SessionState::Closed) if took_place(&session.log) => HELD,
                    Some(SessionState::Planned) => PLANNED,
                    Some(SessionState::Held | SessionState::Closed | SessionState::Missed | SessionState::Disputed)
                    | None => 0,
                }
        }
        View::Note(note) if note.actions.iter().any(|action| action.state != ActionState::Done) => OPEN_ACTIONS,
        View::Note(_)
        | View::Agreement(_)
        | View::Preparation(_)
        | View::Decision(_)
        | View::Exports(_)
        | View::Form(_) => 0,
    }
}
