//! The rules of sessions, as tables.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_model::log::{LogEntry, Said, said};
use alliance_model::session::{
    AgendaField, AgendaItemView, AgendaState, AgendaTransition, AgendaValue, CivilMoment, CivilTime, SessionCommand,
    SessionField, SessionFieldView, SessionState, SessionTransition, SessionValue, SessionView, agenda_state_of, check,
    state_of,
};
use alliance_model::{Claim, ItemId, MeetingKind, RefusalCode, Splice, TextView};
use alliance_wire::PersonTag;

fn id(n: u8) -> ItemId {
    ItemId([n; 8])
}

fn entry<T>(op: u8, transition: T, cites: &[u8]) -> LogEntry<T> {
    LogEntry { op: id(op), transition, cites: cites.iter().map(|n| id(*n)).collect(), by: 0 }
}

fn refused(view: &SessionView, command: &SessionCommand) -> Option<RefusalCode> {
    check(view, command, "amina").err().map(|refusal| refusal.code)
}

#[test]
fn times_are_read_as_people_write_them() {
    for (text, valid) in [("00:00", true), ("23:59", true), ("24:00", false), ("9:30", false), ("09:3x", false)] {
        assert_eq!(
            text.parse::<CivilTime>().map(|time| time.to_string()).ok().as_deref() == Some(text),
            valid,
            "{text}"
        );
    }
    for (text, valid) in
        [("2026-11-27 14:05", true), ("2026-11-27T14:05", false), ("2026-02-30 14:05", false), ("2026-11-27", false)]
    {
        assert_eq!(text.parse::<CivilMoment>().is_ok(), valid, "{text}");
    }
    assert_eq!("2026-11-27 14:05".parse::<CivilMoment>().unwrap().date().to_string(), "2026-11-27");
}

#[test]
fn every_field_reads_what_it_writes() {
    let texts = ["clinical", "2026-12-04", "14:30", "Africa/Nairobi", "60", "by phone", "Under the tree"];
    let times = ["2026-12-04 14:30", "2026-12-04 15:40", "07070707070707070707070707070707", "A plan"];
    for (field, text) in SessionField::ALL.iter().zip(texts.iter().chain(&times)) {
        let value = SessionValue::from_text(*field, text).unwrap();
        assert_eq!((value.field(), value.to_text().as_str()), (*field, *text));
        assert_eq!(value.check(), Ok(()), "{field}");
    }
    for (field, text) in AgendaField::ALL.iter().zip(["ethical", "proactive", "20", "1"]) {
        let value = AgendaValue::from_text(*field, text).unwrap();
        assert_eq!((value.field(), value.to_text().as_str()), (*field, text));
        assert_eq!(value.check(), Ok(()), "{field}");
    }
    for value in [SessionValue::Minutes(0), SessionValue::Minutes(1441)] {
        assert_eq!(value.check().unwrap_err().code, RefusalCode::NumberInvalid);
    }
    assert_eq!(AgendaValue::Priority(10).check().unwrap_err().code, RefusalCode::NumberInvalid);
    // What stands in a command that somebody's program encoded may be no time at all.
    let time: CivilTime = minicbor::decode(&[0x82, 0x18, 24, 0]).unwrap();
    assert_eq!(SessionValue::Time(time).check().unwrap_err().code, RefusalCode::TimeInvalid);
}

#[test]
fn a_state_is_what_the_unanswered_entries_say() {
    use SessionTransition as T;
    let states: [(&[LogEntry<T>], SessionState); 6] = [
        (&[], SessionState::Planned),
        (&[entry(1, T::Held, &[])], SessionState::Held),
        (&[entry(1, T::MissedNoShow, &[]), entry(2, T::Rescheduled, &[1])], SessionState::Planned),
        (&[entry(1, T::Held, &[]), entry(2, T::MissedNoShow, &[])], SessionState::Disputed),
        (&[entry(1, T::Held, &[]), entry(2, T::MissedNoShow, &[]), entry(3, T::Held, &[1, 2])], SessionState::Held),
        (&[entry(1, T::Held, &[]), entry(2, T::Closed, &[1])], SessionState::Closed),
    ];
    for (log, state) in states {
        assert_eq!(state_of(log), state, "{log:?}");
    }
    // Both said the same while apart: nobody has to choose.
    assert_eq!(said(&[entry(1, T::Held, &[]), entry(2, T::Held, &[])]), Said::One(T::Held));
    let agenda = [entry(1, AgendaTransition::Discussed, &[]), entry(2, AgendaTransition::CarriedOver, &[])];
    assert_eq!(agenda_state_of(&agenda), AgendaState::Disputed);
    assert_eq!(agenda_state_of(&agenda[..1]), AgendaState::Discussed);
}

#[test]
fn what_is_refused() {
    let claim = |value: &str| Claim { value: value.to_owned(), by: 0 };
    let item = AgendaItemView {
        id: id(1),
        by: 0,
        text: TextView { text: "kitchen".into(), spans: Vec::new() },
        fields: Vec::new(),
        state: AgendaState::Open,
        log: vec![entry(9, AgendaTransition::Discussed, &[])],
    };
    let mut view = SessionView {
        authors: vec!["amina".into()],
        agenda: vec![item],
        state: Some(SessionState::Planned),
        ..SessionView::default()
    };
    view.fields.push(SessionFieldView { field: SessionField::Kind, values: vec![claim("clinical")] });
    view.stakeholders.push("client".into());
    let set = |value| SessionCommand::Set { value };
    let close = SessionCommand::Mark { op: id(5), transition: SessionTransition::Closed, cites: Vec::new() };
    let mark = |op, cites| SessionCommand::MarkItem { id: id(1), op, transition: AgendaTransition::Withdrawn, cites };
    let cases = [
        (set(SessionValue::Kind(MeetingKind::Training)), Some(RefusalCode::KindFixed)),
        (set(SessionValue::Kind(MeetingKind::Clinical)), None),
        (SessionCommand::Clear { field: SessionField::Kind }, Some(RefusalCode::KindFixed)),
        (SessionCommand::Clear { field: SessionField::Place }, Some(RefusalCode::UnknownItem)),
        (set(SessionValue::Place("two\nlines".into())), Some(RefusalCode::TextInvalid)),
        (close.clone(), Some(RefusalCode::NotHeld)),
        (SessionCommand::RemoveStakeholder { name: "regulator".into() }, Some(RefusalCode::UnknownItem)),
        (SessionCommand::RemoveStakeholder { name: "client".into() }, None),
        (SessionCommand::AddItem { id: id(1), after: None }, Some(RefusalCode::ItemExists)),
        (SessionCommand::MoveItem { id: id(1), after: Some(id(1)) }, Some(RefusalCode::UnknownItem)),
        (SessionCommand::EditItem { id: id(2), splice: Splice::insert(0, "x") }, Some(RefusalCode::UnknownItem)),
        (SessionCommand::EditItem { id: id(1), splice: Splice::insert(8, "x") }, Some(RefusalCode::PositionOutOfRange)),
        (mark(id(9), Vec::new()), Some(RefusalCode::ItemExists)),
        (mark(id(6), vec![id(4)]), Some(RefusalCode::UnknownItem)),
        (mark(id(6), vec![id(9)]), None),
    ];
    for (command, code) in cases {
        assert_eq!(refused(&view, &command), code, "{command:?}");
    }
    view.state = Some(SessionState::Missed);
    assert_eq!(refused(&view, &close), None, "missed, and nothing to be added");
    let people = (0..64).map(|n| alliance_model::session::ParticipantView {
        person: PersonTag([n; 16]).to_string(),
        role: Vec::new(),
        attendance: Vec::new(),
        disputed: false,
    });
    view.participants = people.collect();
    let attends = |n| SessionCommand::SetAttendance {
        person: PersonTag([n; 16]),
        attendance: alliance_model::session::Attendance::Attended,
    };
    assert_eq!(refused(&view, &attends(63)), None);
    assert_eq!(refused(&view, &attends(64)), Some(RefusalCode::TooManyItems));
}

#[test]
fn a_copy_is_written_with_the_same_commands() {
    let mut view = SessionView { state: Some(SessionState::Held), ..SessionView::default() };
    let claim = |value: &str| Claim { value: value.to_owned(), by: 0 };
    view.fields.push(SessionFieldView { field: SessionField::Minutes, values: vec![claim("50"), claim("60")] });
    view.log = vec![entry(1, SessionTransition::Held, &[]), entry(2, SessionTransition::Closed, &[1, 7])];
    let commands = alliance_model::snapshot::session(&view);
    assert_eq!(commands.len(), 3, "{commands:?}");
    assert_eq!(commands[0], SessionCommand::Set { value: SessionValue::Minutes(50) }, "of two values the shown one");
    let closed = SessionCommand::Mark { op: id(2), transition: SessionTransition::Closed, cites: vec![id(1)] };
    assert_eq!(commands[2], closed, "what it cites and is not there is left out");
}

#[test]
fn an_item_of_the_agenda_is_its_authors() {
    let item = AgendaItemView {
        id: id(1),
        by: 1,
        text: TextView { text: "kitchen".into(), spans: Vec::new() },
        fields: Vec::new(),
        state: AgendaState::Open,
        log: Vec::new(),
    };
    let view =
        SessionView { authors: vec!["amina".into(), "ben".into()], agenda: vec![item], ..SessionView::default() };
    let own = [
        SessionCommand::EditItem { id: id(1), splice: Splice::insert(0, "The ") },
        SessionCommand::RemoveItem { id: id(1) },
        SessionCommand::SetItem { id: id(1), value: AgendaValue::Minutes(10) },
    ];
    for command in &own {
        assert_eq!(refused(&view, command), Some(RefusalCode::NotAuthor), "{command:?}");
        assert!(check(&view, command, "ben").is_ok(), "{command:?}");
    }
    // Whoever is there may order the agenda and say what became of things.
    assert_eq!(refused(&view, &SessionCommand::MoveItem { id: id(1), after: None }), None);
    let (op, transition) = (id(2), AgendaTransition::Discussed);
    assert_eq!(refused(&view, &SessionCommand::MarkItem { id: id(1), op, transition, cites: Vec::new() }), None);
}
