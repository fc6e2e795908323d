//! A document's contents as commands: what a copy of it in another space is written with (DOMAIN 2.1: sharing is an
//! explicit snapshot copy).
//!
//! Written into an empty document of the same type, they show what the view shows, by the one author who copies. Of
//! values that people wrote apart the shown one is taken, of a protective term what is not lifted. Items keep their
//! ids: a document is a space of ids of its own.
//!
//! A preparation log has no such commands: it is never copied, only shared entry by entry (DOMAIN 2.6 row 6).
//!
//! The order is fixed, so that what an interrupted copy holds is a beginning of what it should: [`note`] of the half
//! copy is then a beginning of [`note`] of the whole.

use alliance_wire::hash::content_hash;

use crate::agreement::{AgreementCommand, AgreementView, ProtectiveValue};
use crate::date::CivilDate;
use crate::kind::ItemId;
use crate::limits::{CITES_MAX, INSERT_BYTES_MAX};
use crate::log::LogEntry;
use crate::note::{ActionView, NoteCommand, NoteView};
use crate::policy::AgendaOrigin;
use crate::session::{AgendaField, AgendaValue, Attendance, SessionCommand, SessionRole, SessionView};
use crate::text::Splice;

/// The commands that write this note again.
#[must_use]
pub fn note(view: &NoteView) -> Vec<NoteCommand> {
    let mut commands = Vec::new();
    commands.extend(view.title.clone().map(|title| NoteCommand::SetTitle { title }));
    commands.extend(view.date.map(|date| NoteCommand::SetDate { date }));
    commands.extend(view.kind.map(|kind| NoteCommand::SetKind { kind }));
    for section in &view.sections {
        let stage = section.stage;
        commands.extend(splices(&section.text.text).map(|splice| NoteCommand::EditSection { stage, splice }));
    }
    for function in &view.functions {
        if let Some(weight) = function.values.first().and_then(|claim| claim.value.parse().ok()) {
            let (scheme, function) = (function.scheme.clone(), function.function.clone());
            commands.push(NoteCommand::SetFunction { scheme, function, weight });
        }
    }
    let mut after = None;
    for action in &view.actions {
        write_action(action, after, &mut commands);
        after = Some(action.id);
    }
    add_addenda(view, &mut commands);
    commands
}

/// Addenda, and what stands below a locked text because it was written apart: in the copy nothing is locked, and nothing
/// is lost. In the order of their ids, in which the copy's own come back.
fn add_addenda(view: &NoteView, commands: &mut Vec<NoteCommand>) {
    let mut addenda: Vec<(ItemId, String)> = view.addenda.iter().map(|it| (it.op, it.text.clone())).collect();
    for apart in &view.apart {
        let added = apart.difference.added_text();
        for (n, splice) in splices(&added).enumerate() {
            addenda.push((apart_id(&view.document, &apart.difference.place, n), splice.insert));
        }
    }
    addenda.sort();
    addenda.retain(|(_, text)| !text.trim().is_empty());
    commands.extend(addenda.into_iter().map(|(op, text)| NoteCommand::AddAddendum { op, text }));
}

/// The same for the same note, place and piece, so that an interrupted copy goes on.
fn apart_id(note: &str, place: &str, piece: usize) -> ItemId {
    let hash = content_hash(format!("{note}/{place}/{piece}").as_bytes());
    let mut id = [0; 8];
    id.copy_from_slice(&hash[..8]);
    ItemId(id)
}

fn write_action(action: &ActionView, after: Option<ItemId>, commands: &mut Vec<NoteCommand>) {
    let id = action.id;
    commands.push(NoteCommand::AddAction { id, after });
    commands.extend(splices(&action.text.text).map(|splice| NoteCommand::EditAction { id, splice }));
    if let Some(owner) = action.owner.first() {
        commands.push(NoteCommand::SetOwner { id, owner: owner.value.clone() });
    }
    if let Some(due) = action.due.first().and_then(|claim| claim.value.parse::<CivilDate>().ok()) {
        commands.push(NoteCommand::SetDue { id, due: Some(due) });
    }
    for (entry, cites) in entries(&action.log) {
        commands.push(NoteCommand::MarkAction { id, op: entry.op, transition: entry.transition, cites });
    }
}

/// A whole log, so that what is disputed stays so: each entry with what it cites of those before it.
fn entries<T>(log: &[LogEntry<T>]) -> impl Iterator<Item = (&LogEntry<T>, Vec<ItemId>)> {
    log.iter().enumerate().map(move |(before, entry)| {
        let known = |op: &&ItemId| log[..before].iter().any(|earlier| earlier.op == **op);
        (entry, entry.cites.iter().filter(known).take(CITES_MAX).copied().collect())
    })
}

/// The commands that write this session again. People are named as the space does from which it is copied.
#[must_use]
pub fn session(view: &SessionView) -> Vec<SessionCommand> {
    let mut commands = Vec::new();
    commands.extend(
        view.fields.iter().filter_map(|field| view.value(field.field)).map(|value| SessionCommand::Set { value }),
    );
    for participant in &view.participants {
        let Ok(person) = participant.person.parse() else { continue };
        let first = |claims: &[crate::view::Claim]| claims.first().map(|claim| claim.value.clone());
        if let Some(role) = first(&participant.role).and_then(|role| SessionRole::from_name(&role)) {
            commands.push(SessionCommand::SetRole { person, role });
        }
        if let Some(attendance) = first(&participant.attendance).and_then(|it| Attendance::from_name(&it)) {
            commands.push(SessionCommand::SetAttendance { person, attendance });
        }
    }
    commands.extend(view.stakeholders.iter().map(|name| SessionCommand::AddStakeholder { name: name.clone() }));
    let mut after = None;
    for item in &view.agenda {
        let id = item.id;
        let origin = item.fields.iter().filter(|it| it.field == AgendaField::Origin).find_map(|it| it.values.first());
        commands.push(match origin.and_then(|claim| AgendaOrigin::from_name(&claim.value)) {
            Some(origin) => SessionCommand::BringItem { id, after, origin },
            None => SessionCommand::AddItem { id, after },
        });
        commands.extend(splices(&item.text.text).map(|splice| SessionCommand::EditItem { id, splice }));
        for field in item.fields.iter().filter(|it| it.field != AgendaField::Origin) {
            let value = field.values.first().and_then(|claim| AgendaValue::from_text(field.field, &claim.value));
            commands.extend(value.map(|value| SessionCommand::SetItem { id, value }));
        }
        for (entry, cites) in entries(&item.log) {
            commands.push(SessionCommand::MarkItem { id, op: entry.op, transition: entry.transition, cites });
        }
        after = Some(id);
    }
    for (entry, cites) in entries(&view.log) {
        commands.push(SessionCommand::Mark { op: entry.op, transition: entry.transition, cites });
    }
    commands
}

/// The commands that write this agreement again, as a draft: what was signed was another document.
#[must_use]
pub fn agreement(view: &AgreementView) -> Vec<AgreementCommand> {
    let mut commands = Vec::new();
    commands.extend(
        view.terms.iter().filter_map(|term| view.term(term.name)).map(|term| AgreementCommand::SetTerm { term }),
    );
    for protective in &view.protective {
        let standing = protective.entries.iter().filter(|entry| !entry.lifted);
        let mut said: Vec<(ItemId, ProtectiveValue)> = standing
            .filter_map(|entry| Some((entry.op, ProtectiveValue::from_name(protective.term, &entry.value)?)))
            .collect();
        // What people signed holds, also where they have since lifted it in the draft: a copy loosens nothing.
        let signed = view.active().filter_map(|version| Some((version.op, version.value(protective.term)?)));
        said.extend(signed);
        // In the order in which the copy will show them.
        said.sort_by_key(|(op, _)| *op);
        said.dedup_by_key(|(op, _)| *op);
        let protect = |(op, value)| AgreementCommand::Protect { op, value, lifts: Vec::new() };
        commands.extend(said.into_iter().map(protect));
    }
    let mut after = None;
    for clause in &view.clauses {
        // A section or modality of a newer version has no command here.
        let (Some(section), Some(modality)) = (clause.section, clause.modality) else { continue };
        let id = clause.id;
        commands.push(AgreementCommand::AddClause { id, section, modality, after });
        commands.extend(splices(&clause.text.text).map(|splice| AgreementCommand::EditClause { id, splice }));
        after = Some(id);
    }
    commands
}

/// A text as insertions that a command may hold, without what no command may insert.
#[must_use = "nothing is written by this"]
pub fn splices(text: &str) -> impl Iterator<Item = Splice> {
    let mut pieces: Vec<(u32, String)> = Vec::new();
    let insertable = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    for (pos, c) in (0..).zip(insertable) {
        match pieces.last_mut() {
            Some((_, piece)) if piece.len() + c.len_utf8() <= INSERT_BYTES_MAX => piece.push(c),
            _ => pieces.push((pos, c.to_string())),
        }
    }
    pieces.into_iter().map(|(pos, piece)| Splice::insert(pos, piece))
}
