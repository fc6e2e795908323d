//! What two people who wrote a session apart see when they meet.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

use alliance_document::View;
use alliance_model::session::{
    AgendaMode, AgendaState, AgendaTransition, AgendaValue, Attendance, SessionCommand as S, SessionField,
    SessionState, SessionTransition, SessionValue, SessionView,
};
use alliance_model::{Command, DocumentKind, ItemId, Splice};
use alliance_wire::PersonTag;

use crate::support::replica::{self, Replica};

const AMINA: PersonTag = PersonTag([1; 16]);

fn id(n: u8) -> ItemId {
    ItemId([n; 8])
}

fn set(field: SessionField, text: &str) -> S {
    S::Set { value: SessionValue::from_text(field, text).unwrap() }
}

fn mark(op: u8, transition: SessionTransition, cites: &[u8]) -> S {
    S::Mark { op: id(op), transition, cites: cites.iter().map(|n| id(*n)).collect() }
}

fn shown(replica: &Replica) -> SessionView {
    let View::Session(view) = replica.document.view(replica::context()).unwrap() else { panic!("a session") };
    view
}

/// Two people who have both the same session, write these apart, and meet; what both are shown.
fn apart(before: Vec<S>, one: Vec<S>, other: Vec<S>) -> SessionView {
    let (mut asha, mut ben) = (Replica::new("asha", DocumentKind::Session), Replica::new("ben", DocumentKind::Session));
    let write = |who: &mut Replica, commands: Vec<S>| {
        let commands: Vec<_> = commands.into_iter().map(Command::Session).collect();
        if commands.is_empty() { Vec::new() } else { vec![who.write(&commands)] }
    };
    let begun = write(&mut asha, before);
    ben.receive(&begun);
    let (from_asha, from_ben) = (write(&mut asha, one), write(&mut ben, other));
    asha.receive(&from_ben);
    ben.receive(&from_asha);
    assert_eq!(shown(&asha), shown(&ben));
    assert_eq!(asha.document.content_id(), ben.document.content_id());
    shown(&asha)
}

#[test]
fn two_times_written_apart_are_both_shown_and_the_earlier_counts() {
    let view = apart(
        vec![set(SessionField::Date, "2026-12-04")],
        vec![set(SessionField::End, "2026-12-04 15:45"), set(SessionField::Minutes, "60")],
        vec![set(SessionField::End, "2026-12-04 15:30"), set(SessionField::Minutes, "60")],
    );
    assert_eq!(view.value(SessionField::End).unwrap().to_text(), "2026-12-04 15:30");
    let conflicts: Vec<_> =
        view.conflicts.iter().map(|conflict| (conflict.field.as_str(), conflict.values.len())).collect();
    assert_eq!(conflicts, [("end", 2)], "both gave the same length: nobody has to choose");
}

#[test]
fn attendance_that_is_told_differently_is_disputed() {
    let attends = |attendance| vec![S::SetAttendance { person: AMINA, attendance }];
    let view = apart(Vec::new(), attends(Attendance::Attended), attends(Attendance::Absent));
    let [amina] = view.participants.as_slice() else { panic!("{view:?}") };
    assert_eq!((amina.person.as_str(), amina.attendance.len(), amina.disputed), (AMINA.to_string().as_str(), 2, true));
    let view = apart(Vec::new(), attends(Attendance::Attended), attends(Attendance::Attended));
    assert!(!view.participants[0].disputed, "the control");
}

#[test]
fn held_and_missed_apart_are_disputed_until_one_entry_cites_both() {
    let (held, missed) = (SessionTransition::Held, SessionTransition::MissedNoShow);
    let view = apart(Vec::new(), vec![mark(1, held, &[])], vec![mark(2, missed, &[])]);
    assert_eq!((view.state, view.newest().len()), (Some(SessionState::Disputed), 2));
    let view = apart(vec![mark(1, held, &[])], vec![mark(3, SessionTransition::Closed, &[1])], Vec::new());
    assert_eq!(view.state, Some(SessionState::Closed));
}

#[test]
fn who_is_named_apart_from_a_removal_stays() {
    let client = || "client".to_owned();
    let before = || vec![S::AddStakeholder { name: client() }, S::AddStakeholder { name: "log".into() }];
    let removes = || vec![S::RemoveStakeholder { name: client() }];
    let view = apart(before(), removes(), vec![S::AddStakeholder { name: client() }]);
    assert_eq!(view.stakeholders, ["client", "log"], "adding wins, and a name is never a word of the schema");
    let view = apart(before(), removes(), Vec::new());
    assert_eq!(view.stakeholders, ["log"], "the control");
}

#[test]
fn an_agenda_keeps_what_both_bring_and_what_either_speaks_of() {
    let bring = |n: u8, text: &str| {
        [S::AddItem { id: id(n), after: None }, S::EditItem { id: id(n), splice: Splice::insert(0, text) }]
    };
    let before: Vec<S> = bring(1, "The kitchen").to_vec();
    let mut one: Vec<S> = bring(2, "The rota").to_vec();
    one.push(S::RemoveItem { id: id(1) });
    let mut other: Vec<S> = bring(3, "Sleep").to_vec();
    other.push(S::EditItem { id: id(3), splice: Splice::insert(5, ", again") });
    other.push(S::SetItem { id: id(3), value: AgendaValue::Mode(AgendaMode::Proactive) });
    other.push(S::MarkItem { id: id(1), op: id(9), transition: AgendaTransition::Discussed, cites: Vec::new() });
    let view = apart(before, one, other);
    let mut texts: Vec<&str> = view.agenda.iter().map(|item| item.text.text.as_str()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["Sleep, again", "The kitchen", "The rota"], "what was spoken of apart comes back");
    let kitchen = view.item(id(1)).unwrap();
    assert_eq!(view.authors[kitchen.by], "asha", "whoever brought it, not whoever spoke of it last");
    assert_eq!(view.item(id(3)).unwrap().fields[0].values[0].value, "proactive");
}

#[test]
fn what_became_of_something_on_the_agenda_is_disputed_like_a_session() {
    let before = vec![S::AddItem { id: id(1), after: None }];
    let says = |op: u8, transition| vec![S::MarkItem { id: id(1), op: id(op), transition, cites: Vec::new() }];
    let view = apart(before.clone(), says(2, AgendaTransition::Discussed), says(3, AgendaTransition::CarriedOver));
    assert_eq!(view.item(id(1)).unwrap().state, AgendaState::Disputed);
    let view = apart(before, says(2, AgendaTransition::Discussed), Vec::new());
    assert_eq!(view.item(id(1)).unwrap().state, AgendaState::Discussed);
}
