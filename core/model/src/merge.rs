//! Several documents shown as one: a session that was written down twice, and its notes (DOMAIN 2.9, merging two notes).
//!
//! A rendering and nothing else: each document stays what it is, is written in by its own id, and undoing the merge is
//! exact. Views are handed in by document id, the smallest first, whose id the rendering has; so it is the same on every
//! device, whoever merged in which direction. Texts stand one below the other, with their authors; sets are united;
//! of fields every value is shown, and people choose.

use std::collections::{BTreeMap, BTreeSet};

use crate::agreement::{ProtectiveTerm, ProtectiveValue};
use crate::log::LogEntry;
use crate::note::{
    ActionView, AddendumView, ApartView, FrozenState, FunctionView, NoteState, NoteText, NoteView, RecordCited,
    SectionView, Stage,
};
use crate::session::{
    AgendaFieldView, AgendaItemView, AliasView, ParticipantView, SessionField, SessionFieldView, SessionValue,
    SessionView, state_of,
};
use crate::text::{Span, TextView};
use crate::view::{Claim, note_conflict};

/// The authors of several views as one list.
#[derive(Default)]
struct Authors(Vec<String>);

impl Authors {
    /// What the indices of a view's authors become.
    fn take(&mut self, authors: &[String]) -> Vec<usize> {
        let index = |name: &String| {
            self.0.iter().position(|known| known == name).unwrap_or_else(|| {
                self.0.push(name.clone());
                self.0.len() - 1
            })
        };
        authors.iter().map(index).collect()
    }
}

fn at(map: &[usize], by: usize) -> usize {
    map.get(by).copied().unwrap_or(by)
}

fn claims(claims: &[Claim], map: &[usize]) -> Vec<Claim> {
    claims.iter().map(|claim| Claim { value: claim.value.clone(), by: at(map, claim.by) }).collect()
}

/// Adds what is not said yet by the same person.
fn unite(into: &mut Vec<Claim>, more: Vec<Claim>) {
    for claim in more {
        if !into.contains(&claim) {
            into.push(claim);
        }
    }
}

fn log<T: Copy>(log: &[LogEntry<T>], map: &[usize]) -> Vec<LogEntry<T>> {
    let entry = |it: &LogEntry<T>| LogEntry {
        op: it.op,
        transition: it.transition,
        cites: it.cites.clone(),
        by: at(map, it.by),
    };
    log.iter().map(entry).collect()
}

fn text(of: &TextView, map: &[usize]) -> TextView {
    let spans = of.spans.iter().map(|span| Span { author: at(map, span.author), ..*span });
    TextView { text: of.text.clone(), spans: spans.collect() }
}

/// Puts a text below another. The line break between them goes with the second one's first author.
fn below(over: &mut TextView, under: &TextView) {
    if under.text.is_empty() {
        return;
    }
    let mut start = over.scalars();
    let breaks = usize::from(start > 0 && !over.text.ends_with('\n'));
    if breaks == 1 {
        over.text.push('\n');
    }
    over.text.push_str(&under.text);
    for (n, span) in under.spans.iter().enumerate() {
        let len = span.len + if n == 0 { breaks } else { 0 };
        over.spans.push(Span { start, len, author: span.author });
        start += len;
    }
}

/// Sessions as one.
#[must_use]
pub fn sessions(views: &[SessionView]) -> SessionView {
    let mut authors = Authors::default();
    let mut fields: BTreeMap<SessionField, Vec<Claim>> = BTreeMap::new();
    let mut participants: BTreeMap<String, (Vec<Claim>, Vec<Claim>)> = BTreeMap::new();
    let mut stakeholders = BTreeSet::new();
    let mut merged = SessionView {
        document: views.first().map(|view| view.document.clone()).unwrap_or_default(),
        ..SessionView::default()
    };
    for view in views {
        let map = authors.take(&view.authors);
        for field in &view.fields {
            unite(fields.entry(field.field).or_default(), claims(&field.values, &map));
        }
        for participant in &view.participants {
            let (role, attendance) = participants.entry(participant.person.clone()).or_default();
            unite(role, claims(&participant.role, &map));
            unite(attendance, claims(&participant.attendance, &map));
        }
        stakeholders.extend(view.stakeholders.iter().cloned());
        merged.agenda.extend(view.agenda.iter().map(|item| agenda_item(item, &map)));
        merged.log.extend(log(&view.log, &map));
        let aliases = view.aliases.iter();
        merged.aliases.extend(aliases.map(|it| AliasView { other: it.other.clone(), log: log(&it.log, &map) }));
    }
    for (field, mut values) in fields {
        values.sort_by_key(|claim| SessionValue::order(field, &claim.value));
        note_conflict(&mut merged.conflicts, field.to_string(), &values);
        merged.fields.push(SessionFieldView { field, values });
    }
    for (person, (role, mut attendance)) in participants {
        attendance.sort_by(|one, other| one.value.cmp(&other.value));
        note_conflict(&mut merged.conflicts, format!("participants.{person}.role"), &role);
        note_conflict(&mut merged.conflicts, format!("participants.{person}.attendance"), &attendance);
        let disputed = attendance.iter().any(|claim| claim.value != attendance[0].value);
        merged.participants.push(ParticipantView { person, role, attendance, disputed });
    }
    for item in &merged.agenda {
        for field in &item.fields {
            note_conflict(&mut merged.conflicts, format!("agenda.{}.{}", item.id, field.field), &field.values);
        }
    }
    merged.stakeholders = stakeholders.into_iter().collect();
    merged.state = Some(state_of(&merged.log));
    merged.authors = authors.0;
    merged
}

fn agenda_item(item: &AgendaItemView, map: &[usize]) -> AgendaItemView {
    let field = |it: &AgendaFieldView| AgendaFieldView { field: it.field, values: claims(&it.values, map) };
    AgendaItemView {
        id: item.id,
        by: at(map, item.by),
        text: text(&item.text, map),
        fields: item.fields.iter().map(field).collect(),
        state: item.state,
        log: log(&item.log, map),
    }
}

/// The notes of a session that was written down twice, as one. What was confirmed stays with the text of which it was:
/// the notes together are confirmed anew, each by a confirmation that names them all.
#[must_use]
pub fn notes(views: &[NoteView]) -> NoteView {
    let mut authors = Authors::default();
    let mut merged = NoteView {
        document: views.first().map(|view| view.document.clone()).unwrap_or_default(),
        date: views.iter().filter_map(|view| view.date).min(),
        kind: views.iter().find_map(|view| view.kind),
        ..NoteView::default()
    };
    let mut titles: Vec<&str> = Vec::new();
    let mut sections: BTreeMap<Stage, TextView> = BTreeMap::new();
    let mut functions: BTreeMap<(String, String), Vec<Claim>> = BTreeMap::new();
    for view in views {
        let map = authors.take(&view.authors);
        titles.extend(view.title.as_deref().filter(|title| !titles.contains(title)));
        for section in &view.sections {
            below(sections.entry(section.stage).or_default(), &text(&section.text, &map));
        }
        for function in &view.functions {
            let of = functions.entry((function.scheme.clone(), function.function.clone())).or_default();
            unite(of, claims(&function.values, &map));
        }
        merged.actions.extend(view.actions.iter().map(|action| ActionView {
            id: action.id,
            text: text(&action.text, &map),
            owner: claims(&action.owner, &map),
            due: claims(&action.due, &map),
            state: action.state,
            log: log(&action.log, &map),
        }));
        let said = |it: &AddendumView| AddendumView { op: it.op, by: at(&map, it.by), text: it.text.clone() };
        merged.addenda.extend(view.addenda.iter().map(said));
        let apart = |it: &ApartView| ApartView {
            note: it.note.clone(),
            difference: it.difference.clone(),
            by: it.by.iter().map(|by| at(&map, *by)).collect(),
        };
        merged.apart.extend(view.apart.iter().map(apart));
        merged.confirmed.extend(view.confirmed.iter().cloned());
    }
    if !titles.is_empty() {
        merged.title = Some(titles.join(" / "));
    }
    merged.sections = sections.into_iter().map(|(stage, text)| SectionView { stage, text }).collect();
    for ((scheme, function), mut values) in functions {
        values.sort_by_key(|claim| claim.value.parse::<u8>().unwrap_or(u8::MAX));
        note_conflict(&mut merged.conflicts, format!("functions.{scheme}/{function}"), &values);
        merged.functions.push(FunctionView { scheme, function, values });
    }
    for action in &merged.actions {
        note_conflict(&mut merged.conflicts, format!("actions.{}.owner", action.id), &action.owner);
        note_conflict(&mut merged.conflicts, format!("actions.{}.due", action.id), &action.due);
    }
    merged.record = record_of_notes(views);
    merged.text = NoteText::of(&merged).hash().to_string();
    merged.state = state_of_notes(views);
    merged.authors = authors.0;
    merged
}

/// The strictest rule that one of them cites, and whether one of them holds what its own lets nobody keep.
fn record_of_notes(views: &[NoteView]) -> Option<RecordCited> {
    let cited = views.iter().filter_map(|view| view.record.as_ref());
    let rank = |it: &&RecordCited| {
        ProtectiveValue::from_name(ProtectiveTerm::ContentRecordRule, &it.rule).map_or(0, ProtectiveValue::rank)
    };
    let strictest = cited.clone().min_by_key(rank)?;
    Some(RecordCited { against: cited.clone().any(|it| it.against), ..strictest.clone() })
}

fn state_of_notes(views: &[NoteView]) -> NoteState {
    let ids: Vec<&str> = views.iter().map(|view| view.document.as_str()).collect();
    if views.iter().any(|view| view.state == NoteState::TwoLocks) {
        return NoteState::TwoLocks;
    }
    // A note that was begun and says nothing is nothing that anybody could confirm.
    let mut said = views.iter().filter(|view| view.is_locked() || !view.says_nothing()).peekable();
    if said.peek().is_some() && said.all(|view| view.state == NoteState::Locked) {
        return NoteState::Locked;
    }
    let together = views.iter().any(|view| {
        let mut confirmed = view.confirmed.iter().filter(|it| it.state != FrozenState::Superseded);
        confirmed.any(|it| it.text == view.text && it.merged.iter().map(String::as_str).eq(ids.iter().copied()))
    });
    if together { NoteState::ConfirmedBySome } else { NoteState::Shared }
}
