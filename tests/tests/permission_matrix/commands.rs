//! Every command of every document, by its name in the table.

use alliance_client::DocumentId;
use alliance_model::agreement::{
    AgreementCommand as A, ClauseSection, Modality, ProtectiveTerm, ProtectiveValue, Term, TermName,
};
use alliance_model::decision::DecisionCommand as D;
use alliance_model::exports::ExportsCommand as E;
use alliance_model::note::{Stage, Transition};
use alliance_model::policy::AgendaOrigin;
use alliance_model::preparation::{
    Feeling, PreparationCommand as P, PreparationField, PreparationMark, PreparationValue,
};
use alliance_model::session::{
    AgendaTransition, AgendaValue, AliasTransition, Attendance, SessionCommand as S, SessionField, SessionRole,
    SessionTransition, SessionValue,
};
use alliance_model::{Command, ItemId, MeetingKind, NoteCommand as N, Splice, cosign};

use crate::documents::{ACTION, ROLES, ROLES_TEXT, STAKEHOLDER, Scene, day};
use crate::people::{ENTRY, Who};
use crate::{deciding, forming};

/// Commands of an agreement that are no calls of their own.
const AGREEMENT: &[&str] = &[
    "agreement.add_clause",
    "agreement.move_clause",
    "agreement.remove_clause",
    "agreement.set_modality",
    "agreement.edit_clause",
    "agreement.set_term",
    "agreement.clear_term",
    "agreement.protect",
    "agreement.understand",
    "agreement.remark",
];

/// The same of a note.
const NOTE: &[&str] = &[
    "note.set_title",
    "note.set_date",
    "note.set_kind",
    "note.set_kind_again",
    "note.edit",
    "note.edit_against_record_rule",
    "note.edit_locked",
    "note.set_title_locked",
    "note.set_function",
    "note.add_action",
    "note.move_action",
    "note.remove_action",
    "note.edit_action",
    "note.set_owner",
    "note.set_due",
    "note.mark_action",
    "note.cite_rule",
];

/// The same of a session and its agenda.
const SESSION: &[&str] = &[
    "session.set",
    "session.set_kind_again",
    "session.clear",
    "session.clear_kind",
    "session.set_role",
    "session.set_attendance",
    "session.add_stakeholder",
    "session.remove_stakeholder",
    "session.mark",
    "session.alias",
    "agenda.add",
    "agenda.bring",
    "agenda.move_own",
    "agenda.move_others",
    "agenda.remove_own",
    "agenda.remove_others",
    "agenda.edit_own",
    "agenda.edit_others",
    "agenda.set_own",
    "agenda.set_others",
    "agenda.mark_own",
    "agenda.mark_others",
];

/// The same of a preparation log.
const PREPARATION: &[&str] = &[
    "preparation.add_entry",
    "preparation.move_entry",
    "preparation.remove_entry",
    "preparation.edit_entry",
    "preparation.set_entry",
    "preparation.clear_entry",
    "preparation.add_feeling",
    "preparation.remove_feeling",
    "preparation.mark",
];

/// All of them.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    [AGREEMENT, NOTE, SESSION, PREPARATION, deciding::COMMANDS, forming::COMMANDS].into_iter().flatten().copied()
}

/// Whether a preparation log takes this: it is at home and nowhere else.
pub(crate) fn is_of_the_log(name: &str) -> bool {
    PREPARATION.contains(&name)
}

/// The command of this name, and the document that it is for; nothing where the name is that of a call.
pub(crate) fn named(scene: &Scene, who: Who, name: &str) -> Option<(DocumentId, Command)> {
    let documents = &scene.documents;
    let (document, command) = if AGREEMENT.contains(&name) {
        (documents.agreement.document, Command::Agreement(agreement(name)))
    } else if NOTE.contains(&name) {
        let document = match name {
            "note.edit_locked" | "note.set_title_locked" => documents.locked,
            "note.set_kind_again" => documents.worn,
            _ => documents.note,
        };
        (document, Command::Note(note(name)))
    } else if SESSION.contains(&name) {
        let command = if name.starts_with("agenda.") { agenda(who, name) } else { session(scene, name) };
        (documents.session, Command::Session(command))
    } else if PREPARATION.contains(&name) {
        (scene.people.own[&who].log, Command::Preparation(preparation(name)))
    } else if deciding::COMMANDS.contains(&name) {
        let (document, command) = deciding::command(scene, who, name);
        (document, Command::Decision(command))
    } else if forming::COMMANDS.contains(&name) {
        forming::command(scene, who, name)
    } else {
        return None;
    };
    assert!(stems(&command).iter().any(|stem| name.starts_with(stem)), "{name} is {command:?}");
    Some((document, command))
}

/// What makes the record rule of a space the strictest one.
pub(crate) fn nothing_in_writing(scene: &Scene) -> (DocumentId, Command) {
    (scene.documents.agreement.document, Command::Agreement(agreement("agreement.protect")))
}

/// An id that no item has.
pub(crate) const FRESH: ItemId = ItemId([9; 8]);

fn agreement(name: &str) -> A {
    let id = ROLES;
    match name {
        "agreement.add_clause" => {
            A::AddClause { id: FRESH, section: ClauseSection::Hopes, modality: Modality::May, after: None }
        }
        "agreement.move_clause" => A::MoveClause { id, after: None },
        "agreement.remove_clause" => A::RemoveClause { id },
        "agreement.set_modality" => A::SetModality { id, modality: Modality::Must },
        "agreement.edit_clause" => A::EditClause { id, splice: Splice::insert(0, "And so: ") },
        "agreement.set_term" => A::SetTerm { term: Term::DurationMin(60) },
        "agreement.clear_term" => A::ClearTerm { name: TermName::ReviewDue },
        "agreement.protect" => {
            let value = ProtectiveValue::from_name(ProtectiveTerm::ContentRecordRule, "attendance_only").unwrap();
            A::Protect { op: FRESH, value, lifts: Vec::new() }
        }
        "agreement.understand" => A::Understand { id, op: FRESH, wording: cosign::frozen(ROLES_TEXT.as_bytes()) },
        "agreement.remark" => A::Remark { id, op: FRESH, text: "Before I advise, I ask.".to_owned() },
        _ => panic!("{name}: no such command"),
    }
}

fn note(name: &str) -> N {
    let id = ACTION;
    match name {
        "note.cite_rule" => {
            // Not the one that holds.
            let rule = ProtectiveValue::from_name(ProtectiveTerm::ContentRecordRule, "none").unwrap();
            N::CiteRule { rule }
        }
        "note.set_title" | "note.set_title_locked" => N::SetTitle { title: "A title".to_owned() },
        "note.set_date" => N::SetDate { date: day() },
        "note.set_kind" => N::SetKind { kind: MeetingKind::Clinical },
        // The note is clinical by now.
        "note.set_kind_again" => N::SetKind { kind: MeetingKind::Training },
        "note.edit" | "note.edit_against_record_rule" | "note.edit_locked" => {
            N::EditSection { stage: Stage::Close, splice: Splice::insert(0, "And then. ") }
        }
        "note.set_function" => {
            N::SetFunction { scheme: "proctor3".to_owned(), function: "restorative".to_owned(), weight: 60 }
        }
        "note.add_action" => N::AddAction { id: FRESH, after: Some(id) },
        "note.move_action" => N::MoveAction { id, after: None },
        "note.remove_action" => N::RemoveAction { id },
        "note.edit_action" => N::EditAction { id, splice: Splice::insert(0, "First: ") },
        "note.set_owner" => N::SetOwner { id, owner: "Amina".to_owned() },
        "note.set_due" => N::SetDue { id, due: Some(day()) },
        "note.mark_action" => N::MarkAction { id, op: FRESH, transition: Transition::Done, cites: Vec::new() },
        _ => panic!("{name}: no such command"),
    }
}

fn session(scene: &Scene, name: &str) -> S {
    let person = scene.people.own[&Who::Steward].tag;
    match name {
        "session.set" => S::Set { value: SessionValue::Minutes(60) },
        // The session is clinical by now.
        "session.set_kind_again" => S::Set { value: SessionValue::Kind(MeetingKind::Training) },
        "session.clear" => S::Clear { field: SessionField::Date },
        "session.clear_kind" => S::Clear { field: SessionField::Kind },
        "session.set_role" => S::SetRole { person, role: SessionRole::Supervisor },
        "session.set_attendance" => S::SetAttendance { person, attendance: Attendance::Attended },
        "session.add_stakeholder" => S::AddStakeholder { name: "colleagues".to_owned() },
        "session.remove_stakeholder" => S::RemoveStakeholder { name: STAKEHOLDER.to_owned() },
        "session.mark" => S::Mark { op: FRESH, transition: SessionTransition::Held, cites: Vec::new() },
        "session.alias" => {
            let (other, transition) = (scene.documents.twin, AliasTransition::Same);
            S::Alias { op: FRESH, other, transition, cites: Vec::new() }
        }
        _ => panic!("{name}: no such command"),
    }
}

fn agenda(who: Who, name: &str) -> S {
    let id = if name.ends_with("_own") { who.item() } else { who.other().item() };
    match name {
        "agenda.add" => S::AddItem { id: FRESH, after: None },
        "agenda.bring" => S::BringItem { id: FRESH, after: None, origin: AgendaOrigin::FromSessions },
        "agenda.move_own" | "agenda.move_others" => S::MoveItem { id, after: None },
        "agenda.remove_own" | "agenda.remove_others" => S::RemoveItem { id },
        "agenda.edit_own" | "agenda.edit_others" => S::EditItem { id, splice: Splice::insert(0, "Again: ") },
        "agenda.set_own" | "agenda.set_others" => S::SetItem { id, value: AgendaValue::Minutes(10) },
        "agenda.mark_own" | "agenda.mark_others" => {
            S::MarkItem { id, op: FRESH, transition: AgendaTransition::Discussed, cites: Vec::new() }
        }
        _ => panic!("{name}: no such command"),
    }
}

fn preparation(name: &str) -> P {
    let id = ENTRY;
    match name {
        "preparation.add_entry" => P::AddEntry { id: FRESH, after: Some(id) },
        "preparation.move_entry" => P::MoveEntry { id, after: None },
        "preparation.remove_entry" => P::RemoveEntry { id },
        "preparation.edit_entry" => P::EditEntry { id, splice: Splice::insert(0, "Again: ") },
        "preparation.set_entry" => P::SetEntry { id, value: PreparationValue::Priority(2) },
        "preparation.clear_entry" => P::ClearEntry { id, field: PreparationField::Priority },
        "preparation.add_feeling" => P::AddFeeling { id, feeling: Feeling::Pride },
        "preparation.remove_feeling" => P::RemoveFeeling { id, feeling: Feeling::Shame },
        "preparation.mark" => P::Mark { id, op: FRESH, mark: PreparationMark::Selected, cites: Vec::new() },
        _ => panic!("{name}: no such command"),
    }
}

/// How the names of a command's rows begin. Whoever adds a command is asked here for its rows.
const fn stems(command: &Command) -> &'static [&'static str] {
    match command {
        Command::Agreement(command) => match command {
            A::AddClause { .. } => &["agreement.add_clause"],
            A::MoveClause { .. } => &["agreement.move_clause"],
            A::RemoveClause { .. } => &["agreement.remove_clause"],
            A::SetModality { .. } => &["agreement.set_modality"],
            A::EditClause { .. } => &["agreement.edit_clause"],
            A::SetTerm { .. } => &["agreement.set_term"],
            A::ClearTerm { .. } => &["agreement.clear_term"],
            A::Protect { .. } => &["agreement.protect"],
            A::Understand { .. } => &["agreement.understand"],
            A::Remark { .. } => &["agreement.remark"],
            A::Propose { .. } => &["agreement.propose"],
            A::Sign { .. } => &["agreement.sign"],
        },
        Command::Note(command) => match command {
            N::SetTitle { .. } => &["note.set_title"],
            N::SetDate { .. } => &["note.set_date"],
            N::SetKind { .. } => &["note.set_kind"],
            N::EditSection { .. } => &["note.edit"],
            N::SetFunction { .. } => &["note.set_function"],
            N::AddAction { .. } => &["note.add_action"],
            N::MoveAction { .. } => &["note.move_action"],
            N::RemoveAction { .. } => &["note.remove_action"],
            N::EditAction { .. } => &["note.edit_action"],
            N::SetOwner { .. } => &["note.set_owner"],
            N::SetDue { .. } => &["note.set_due"],
            N::MarkAction { .. } => &["note.mark_action"],
            N::Confirm { .. } => &["note.confirm"],
            N::AddAddendum { .. } => &["note.addendum"],
            N::CiteRule { .. } => &["note.cite_rule"],
        },
        Command::Session(command) => match command {
            S::Set { .. } => &["session.set"],
            S::Clear { .. } => &["session.clear"],
            S::SetRole { .. } => &["session.set_role"],
            S::SetAttendance { .. } => &["session.set_attendance"],
            S::AddStakeholder { .. } => &["session.add_stakeholder"],
            S::RemoveStakeholder { .. } => &["session.remove_stakeholder"],
            S::Mark { .. } => &["session.mark"],
            S::Alias { .. } => &["session.alias"],
            S::AddItem { .. } => &["agenda.add"],
            S::BringItem { .. } => &["agenda.bring"],
            S::MoveItem { .. } => &["agenda.move"],
            S::RemoveItem { .. } => &["agenda.remove"],
            S::EditItem { .. } => &["agenda.edit"],
            S::SetItem { .. } => &["agenda.set"],
            S::MarkItem { .. } => &["agenda.mark"],
        },
        Command::Preparation(command) => match command {
            P::AddEntry { .. } => &["preparation.add_entry"],
            P::MoveEntry { .. } => &["preparation.move_entry"],
            P::RemoveEntry { .. } => &["preparation.remove_entry"],
            P::EditEntry { .. } => &["preparation.edit_entry"],
            P::SetEntry { .. } => &["preparation.set_entry"],
            P::ClearEntry { .. } => &["preparation.clear_entry"],
            P::AddFeeling { .. } => &["preparation.add_feeling"],
            P::RemoveFeeling { .. } => &["preparation.remove_feeling"],
            P::Mark { .. } => &["preparation.mark"],
            P::Share { .. } => &["preparation.share"],
        },
        Command::Decision(command) => match command {
            D::Begin { .. } => &["decision.begin"],
            D::Edit { .. } => &["decision.edit"],
            D::Add { .. } => &["decision.add"],
            D::Remove { .. } => &["decision.remove"],
            D::SetEthical { .. } => &["decision.set_ethical"],
            D::Check { .. } => &["decision.check"],
            D::Seal { .. } => &["decision.seal"],
        },
        Command::Exports(command) => match command {
            E::Record { .. } => &["space.export"],
        },
        Command::Form(_, command) => forming::stems(command),
    }
}
