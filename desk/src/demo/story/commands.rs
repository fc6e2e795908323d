//! What people of the story write, as commands, and what they look at afterwards.

use alliance_client::{DocumentView, View, item_id};
use alliance_model::agreement::{ClauseSection, Modality, Term};
use alliance_model::note::{MeetingKind, Stage};
use alliance_model::{AgreementCommand, CivilDate, Command, NoteCommand, Splice};

use super::texts;
use crate::failure::{DeskCode, Failure};

pub(super) fn first_agreement() -> Result<Vec<Command>, Failure> {
    let clause = item_id()?;
    Ok(vec![
        term(Term::DurationMin(60)),
        term(Term::Venue(texts::VENUE.to_owned())),
        add_clause(clause, ClauseSection::Confidentiality, Modality::Must),
        edit_clause(clause, texts::MUST),
    ])
}

pub(super) fn first_note() -> Result<Vec<Command>, Failure> {
    let date = CivilDate::new(2026, 10, 2).map_err(|_| Failure::from(DeskCode::DemoFailed))?;
    let action = item_id()?;
    Ok([
        NoteCommand::SetTitle { title: texts::TITLE.to_owned() },
        NoteCommand::SetDate { date },
        NoteCommand::SetKind { kind: MeetingKind::Clinical },
        NoteCommand::EditSection { stage: Stage::Exploration, splice: Splice::insert(0, texts::EXPLORATION) },
        NoteCommand::SetFunction { scheme: "proctor3".to_owned(), function: "restorative".to_owned(), weight: 70 },
        NoteCommand::AddAction { id: action, after: None },
        NoteCommand::EditAction { id: action, splice: Splice::insert(0, texts::ACTION) },
    ]
    .map(Command::Note)
    .into())
}

pub(super) const fn term(term: Term) -> Command {
    Command::Agreement(AgreementCommand::SetTerm { term })
}

pub(super) const fn add_clause(id: alliance_model::ItemId, section: ClauseSection, modality: Modality) -> Command {
    Command::Agreement(AgreementCommand::AddClause { id, section, modality, after: None })
}

pub(super) fn edit_clause(id: alliance_model::ItemId, text: &str) -> Command {
    Command::Agreement(AgreementCommand::EditClause { id, splice: Splice::insert(0, text) })
}

pub(super) const fn edit_section(stage: Stage, splice: Splice) -> Command {
    Command::Note(NoteCommand::EditSection { stage, splice })
}

/// An insertion behind words of the text.
pub(super) fn insert_behind(text: &str, behind: &str, insert: &str) -> Result<Splice, Failure> {
    let at = text.find(behind).map(|at| text[..at].chars().count() + behind.chars().count());
    let at = at.and_then(|at| u32::try_from(at).ok());
    let at = at.ok_or_else(|| Failure::from(DeskCode::DemoFailed).with("claim", "the paragraph is there"))?;
    Ok(Splice::insert(at, insert))
}

pub(super) fn section(view: &DocumentView) -> String {
    stage_text(view, Stage::Exploration)
}

pub(super) fn focus(view: &DocumentView) -> String {
    stage_text(view, Stage::Focus)
}

pub(super) fn stage_text(view: &DocumentView, stage: Stage) -> String {
    let View::Note(note) = &view.view else { return String::new() };
    note.section(stage).map(|text| text.text.clone()).unwrap_or_default()
}

/// Equal in everything that people wrote, spans and conflicts included.
pub(super) fn same_view(one: &DocumentView, other: &DocumentView) -> bool {
    one.view == other.view
}
