//! Sessions that are one: which are, which may be, and what is shown of them together.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_model::note::{NoteState, RecordCited, SectionView, Stage};
use alliance_model::session::{
    AliasTransition, AliasView, SessionCommand, SessionField, SessionFieldView, SessionView, check, groups,
};
use alliance_model::{CivilDate, Claim, ItemId, LogEntry, NoteView, RefusalCode, Span, TextView, merge};
use alliance_wire::DocumentId;

const fn id(n: u8) -> DocumentId {
    DocumentId([n; 16])
}

fn entry(op: u8, transition: AliasTransition, cites: &[u8]) -> LogEntry<AliasTransition> {
    LogEntry { op: ItemId([op; 8]), transition, cites: cites.iter().map(|op| ItemId([*op; 8])).collect(), by: 0 }
}

fn session(n: u8, fields: &[(SessionField, &str)]) -> SessionView {
    let values = |text: &str| vec![Claim { value: text.to_owned(), by: 0 }];
    SessionView {
        document: id(n).to_string(),
        authors: vec![format!("author {n}")],
        fields: fields.iter().map(|(field, text)| SessionFieldView { field: *field, values: values(text) }).collect(),
        ..SessionView::default()
    }
}

#[test]
fn groups_are_the_same_in_whichever_direction_and_order_it_was_said() {
    let pairs = [(id(3), id(1)), (id(5), id(4)), (id(1), id(7)), (id(4), id(5))];
    let expected = vec![(id(1), vec![id(1), id(3), id(7)]), (id(4), vec![id(4), id(5)])];
    for start in 0..pairs.len() {
        let turned = pairs.iter().cycle().skip(start).take(pairs.len());
        let there: Vec<_> = groups(turned.clone().copied()).into_iter().collect();
        let back: Vec<_> = groups(turned.map(|(one, other)| (*other, *one))).into_iter().collect();
        assert_eq!((&there, &back), (&expected, &expected));
    }
    // Two groups that meet late, by their larger members.
    let chain: Vec<_> = groups([(id(8), id(9)), (id(2), id(5)), (id(9), id(5))]).into_iter().collect();
    assert_eq!(chain, vec![(id(2), vec![id(2), id(5), id(8), id(9)])]);
    assert_eq!(groups([]).len(), 0);
}

#[test]
fn what_was_said_apart_stays_one_until_somebody_answers_both() {
    use AliasTransition::{Apart, Same};
    let alias = |log: Vec<LogEntry<AliasTransition>>| AliasView { other: id(2).to_string(), log };
    assert!(!alias(Vec::new()).is_same());
    assert!(alias(vec![entry(1, Same, &[])]).is_same());
    assert!(!alias(vec![entry(1, Same, &[]), entry(2, Apart, &[1])]).is_same());
    let both = alias(vec![entry(1, Same, &[]), entry(2, Apart, &[1]), entry(3, Same, &[1])]);
    assert!(both.is_same());
    assert_eq!(both.newest(), [ItemId([2; 8]), ItemId([3; 8])]);
}

#[test]
fn an_alias_is_checked() {
    let mut view = session(1, &[]);
    let says = |other, transition, cites: &[u8]| SessionCommand::Alias {
        op: ItemId([9; 8]),
        other,
        transition,
        cites: cites.iter().map(|op| ItemId([*op; 8])).collect(),
    };
    let refused = |view: &SessionView, command: &SessionCommand| check(view, command, "").map_err(|it| it.code);
    assert_eq!(refused(&view, &says(id(1), AliasTransition::Same, &[])), Err(RefusalCode::AlreadyMerged));
    assert_eq!(refused(&view, &says(id(2), AliasTransition::Same, &[])), Ok(()));
    view.aliases = vec![AliasView { other: id(2).to_string(), log: vec![entry(1, AliasTransition::Same, &[])] }];
    assert_eq!(refused(&view, &says(id(2), AliasTransition::Same, &[1])), Err(RefusalCode::AlreadyMerged));
    assert_eq!(refused(&view, &says(id(2), AliasTransition::Apart, &[1])), Ok(()));
    assert_eq!(refused(&view, &says(id(2), AliasTransition::Apart, &[7])), Err(RefusalCode::UnknownItem));
    let many = |n: u8| AliasView { other: id(n).to_string(), log: Vec::new() };
    view.aliases = (2..66).map(many).collect();
    assert_eq!(refused(&view, &says(id(99), AliasTransition::Same, &[])), Err(RefusalCode::TooManyItems));
}

#[test]
fn sessions_that_look_alike_are_asked_about() {
    use SessionField::{Date, End, Kind, Minutes, Start, Time};
    let one = session(1, &[(Kind, "clinical"), (Start, "2026-12-01 10:00"), (End, "2026-12-01 11:00")]);
    let may = |fields: &[(SessionField, &str)]| {
        let other = session(2, fields);
        assert_eq!(one.may_be(&other), other.may_be(&one), "both phones say the same");
        one.may_be(&other)
    };
    let clinical = (Kind, "clinical");
    assert!(may(&[clinical, (Start, "2026-12-01 10:20")]), "times overlap");
    assert!(may(&[clinical, (Date, "2026-12-01")]), "of the same day, and nobody said when");
    assert!(may(&[clinical, (Date, "2026-12-01"), (Time, "11:30")]), "90 minutes apart");
    assert!(may(&[clinical, (Date, "2026-12-01"), (Time, "08:29"), (Minutes, "120")]), "it goes on until the other");
    assert!(!may(&[clinical, (Date, "2026-12-01"), (Time, "11:31")]), "91 minutes apart");
    assert!(!may(&[clinical, (Date, "2026-12-02")]), "another day");
    assert!(!may(&[(Kind, "management"), (Start, "2026-12-01 10:20")]), "of another kind");
    assert!(!may(&[clinical]), "nobody said when");
    // Around midnight, and the end of February.
    let late = session(1, &[(Start, "2028-02-29 23:30")]);
    assert!(late.may_be(&session(2, &[(Start, "2028-03-01 00:40")])));
    assert!(!late.may_be(&session(2, &[(Start, "2028-03-01 01:01")])));
    // Somebody answered.
    let mut answered = session(2, &[clinical, (Start, "2026-12-01 10:20")]);
    answered.aliases =
        vec![AliasView { other: one.document.clone(), log: vec![entry(1, AliasTransition::Apart, &[])] }];
    assert!(!one.may_be(&answered) && !answered.may_be(&one));
    assert!(!one.may_be(&one.clone()));
}

#[test]
fn days_are_counted_over_months_and_leap_years() {
    let mut last: Option<u32> = None;
    let mut days = 0;
    for year in 1900..2200 {
        for month in 1..=12 {
            for day in 1..=31 {
                let Ok(date) = CivilDate::new(year, month, day) else { continue };
                let number = date.day_number();
                assert!(last.is_none_or(|last| number == last + 1), "{date}");
                last = Some(number);
                days += 1;
            }
        }
    }
    assert_eq!(days, 109_573, "three hundred years, of which 73 are leap years");
}

#[test]
fn the_next_session_is_so_many_days_or_months_later() {
    use alliance_model::agreement::CadenceUnit::{Day, Month, Week};
    let date = |text: &str| text.parse::<CivilDate>().unwrap();
    let cases = [
        (Day, "2026-12-31", 1, "2027-01-01"),
        (Week, "2028-02-15", 2, "2028-02-29"),
        (Week, "2026-12-04", 4, "2027-01-01"),
        (Week, "1999-06-01", 500, "2008-12-30"),
        (Month, "2027-01-31", 1, "2027-02-28"),
        (Month, "2027-12-15", 1, "2028-01-15"),
        (Month, "2028-01-31", 13, "2029-02-28"),
    ];
    for (unit, from, every, expected) in cases {
        assert_eq!(unit.next(date(from), every), Some(date(expected)), "{every} {unit} after {from}");
    }
    assert_eq!(Month.next(date("2199-12-31"), 1), None);
    assert_eq!(Week.next(date("2199-12-31"), 1), None);
    // Whatever the start, as many days later is as many days later.
    for start in ["1900-01-01", "2000-02-29", "2026-11-27", "2096-12-31"] {
        for days in 0..1_500 {
            let later = date(start).after_days(days).unwrap();
            assert_eq!(later.day_number() - date(start).day_number(), days, "{days} days after {start}: {later}");
        }
    }
}

#[test]
fn of_several_notes_everything_is_shown_with_its_author() {
    let note = |n: u8, text: &str, spans: &[(usize, usize, usize)], authors: &[&str]| NoteView {
        document: id(n).to_string(),
        authors: authors.iter().map(|name| (*name).to_owned()).collect(),
        title: Some(format!("title {}", n.min(2))),
        sections: vec![SectionView {
            stage: Stage::Focus,
            text: TextView {
                text: text.to_owned(),
                spans: spans
                    .iter()
                    .map(|(start, len, author)| Span { start: *start, len: *len, author: *author })
                    .collect(),
            },
        }],
        ..NoteView::default()
    };
    let notes = [
        note(1, "áb", &[(0, 2, 0)], &["Amina"]),
        note(2, "", &[], &[]),
        note(3, "cd", &[(0, 1, 1), (1, 1, 0)], &["Ben", "Amina"]),
        note(4, "e\n", &[(0, 2, 0)], &["Ben"]),
        note(5, "f", &[(0, 1, 0)], &["Ben"]),
    ];
    let merged = merge::notes(&notes);
    assert_eq!(merged.document, notes[0].document);
    assert_eq!(merged.title.as_deref(), Some("title 1 / title 2"));
    let text = merged.section(Stage::Focus).unwrap();
    assert_eq!(text.text, "áb\ncd\ne\nf");
    let spans: Vec<(usize, usize, &str)> =
        text.spans.iter().map(|it| (it.start, it.len, merged.authors[it.author].as_str())).collect();
    assert_eq!(spans, [(0, 2, "Amina"), (2, 2, "Amina"), (4, 1, "Ben"), (5, 3, "Ben"), (8, 1, "Ben")]);
    assert_eq!((merged.state, merged.authors.len()), (NoteState::Shared, 2));
    assert_eq!(merge::notes(&notes[..1]).sections, notes[0].sections);
    // Of the rules that they cite the strictest, and what was written against one of them.
    assert_eq!(merged.record, None);
    let citing = |rule: &str, against| {
        let record = Some(RecordCited { rule: rule.to_owned(), against });
        NoteView { record, ..note(6, "g", &[(0, 1, 0)], &["Ben"]) }
    };
    let (full, dates) = (citing("full", false), citing("attendance_only", true));
    let of = |notes: &[NoteView]| merge::notes(notes).record.map(|it| (it.rule, it.against));
    let strictest = Some(("attendance_only".to_owned(), true));
    assert_eq!((of(&[full.clone(), dates.clone()]), of(&[dates, full.clone()])), (strictest.clone(), strictest));
    assert_eq!(of(&[notes[0].clone(), full]), Some(("full".to_owned(), false)));
}
