//! The model's words, rules and stored forms, as tables.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;

use alliance_model::agreement::{
    AgreementCommand, CadenceUnit, ClauseSection, Modality, PROTECTIVE, ProtectionEntry, ProtectiveTerm,
    ProtectiveValue, Term, TermName, value_of,
};
use alliance_model::note::{MeetingKind, NoteCommand, Stage, Transition, content_permitted};
use alliance_model::position::{POSITION_BYTES_MAX, between};
use alliance_model::{
    AgreementView, CivilDate, Command, CommandError, DocumentKind, ItemId, NoteView, RefusalCode, Splice, agreement,
    display_name, note,
};

fn id(n: u8) -> ItemId {
    ItemId([n; 8])
}

#[test]
fn refusal_codes_are_stable_and_say_what_to_do() {
    let codes: BTreeSet<&str> = RefusalCode::ALL.iter().map(|code| code.code()).collect();
    assert_eq!(codes.len(), RefusalCode::ALL.len(), "no code twice");
    for code in RefusalCode::ALL {
        assert!(code.code().bytes().all(|b| b.is_ascii_uppercase() || b == b'_'), "{code:?}");
        assert!(code.sentence().ends_with('.') && code.next_step().ends_with('.'), "{code:?}");
    }
}

#[test]
fn names() {
    let check =
        |text: &str, expected: Option<&str>| assert_eq!(display_name(text).ok().as_deref(), expected, "{text:?}");
    check("  Asha ", Some("Asha"));
    check("e\u{301}", Some("é"));
    check("مريم", Some("مريم"));
    check("", None);
    check(" \t", None);
    check("a\u{202e}b", None);
    check("a\u{2066}b", None);
    check("a\nb", None);
    check("\u{200b}", None);
    check(&"x".repeat(64), Some(&"x".repeat(64)));
    check(&"x".repeat(65), None);
    check(&"👩‍👩‍👧".repeat(50), Some(&"👩‍👩‍👧".repeat(50)));
    check(&format!("a{}", "\u{301}".repeat(2_000)), None);
}

#[test]
fn dates() {
    let check = |text: &str, valid: bool| {
        assert_eq!(text.parse::<CivilDate>().is_ok(), valid, "{text}");
        if valid {
            assert_eq!(text.parse::<CivilDate>().unwrap().to_string(), text);
        }
    };
    for (text, valid) in [
        ("2026-11-30", true),
        ("2024-02-29", true),
        ("2000-02-29", true),
        ("2100-02-29", false),
        ("2026-02-29", false),
        ("2026-11-31", false),
        ("2026-00-01", false),
        ("2026-13-01", false),
        ("1899-01-01", false),
        ("2026-1-1", false),
        ("+026-01-01", false),
        ("2026-11-30x", false),
        ("", false),
    ] {
        check(text, valid);
    }
}

#[test]
fn commands_keep_their_stored_form() {
    let commands = [
        Command::Note(NoteCommand::EditSection {
            stage: Stage::Focus,
            splice: Splice { pos: 3, delete: 1, insert: "ä".into() },
        }),
        Command::Note(NoteCommand::SetDue { id: id(1), due: None }),
        Command::Note(NoteCommand::MarkAction {
            id: id(1),
            op: id(2),
            transition: Transition::Done,
            cites: vec![id(3)],
        }),
        Command::Agreement(AgreementCommand::AddClause {
            id: id(1),
            section: ClauseSection::Language,
            modality: Modality::May,
            after: Some(id(9)),
        }),
        Command::Agreement(AgreementCommand::SetTerm { term: Term::Cadence { every: 2, unit: CadenceUnit::Week } }),
        Command::Agreement(AgreementCommand::Protect {
            op: id(1),
            value: ProtectiveValue { term: ProtectiveTerm::Recording, number: 1 },
            lifts: vec![id(2)],
        }),
    ];
    for command in commands {
        let bytes = command.encode();
        assert_eq!(Command::decode(&bytes).as_ref(), Ok(&command));
        for end in 0..bytes.len() {
            assert!(Command::decode(&bytes[..end]).is_err(), "{command:?} cut at {end}");
        }
        assert_eq!(Command::decode(&[bytes.as_slice(), &[0]].concat()), Err(CommandError::Damaged));
    }
    // Golden: rows of a draft outlive the version that wrote them.
    let title = Command::Note(NoteCommand::SetTitle { title: "t".into() });
    assert_eq!(title.encode(), [0x82, 0x01, 0x82, 0x02, 0x81, 0x82, 0x00, 0x81, 0x61, b't']);
    assert_eq!(Command::decode(&[0x82, 0x07, 0x80]), Err(CommandError::OtherFormat(7)));
}

#[test]
fn kinds_have_numbers() {
    for kind in DocumentKind::ALL {
        assert_eq!(DocumentKind::from_number(kind.number()), Some(*kind));
    }
    assert_eq!(DocumentKind::from_number(0), None);
    assert_eq!(ItemId::from_key(&id(7).to_string()), Some(id(7)));
    assert_eq!(ItemId::from_key("070707070707070"), None);
    assert_eq!(ItemId::from_key("+70707070707070a"), None);
}

#[test]
fn terms_keep_their_text_and_know_the_safer_value() {
    let date = |text: &str| text.parse::<CivilDate>().unwrap();
    let terms = [
        Term::Cadence { every: 1, unit: CadenceUnit::Month },
        Term::DurationMin(60),
        Term::Format("in person".into()),
        Term::Venue("clinic".into()),
        Term::Preparation("one question".into()),
        Term::ReviewDue(date("2027-01-31")),
        Term::FunctionScheme("proctor3".into()),
        Term::Framework("egan".into()),
        Term::RetentionMonths(24),
        Term::EndsOn(date("2028-01-31")),
    ];
    assert_eq!(terms.len(), TermName::ALL.len());
    for term in &terms {
        assert_eq!(term.check(), Ok(()));
        assert_eq!(Term::from_text(term.name(), &term.to_text()).as_ref(), Some(term));
    }
    let safer = |a: Term, b: Term| assert!(a.safety_key() < b.safety_key(), "{a:?} before {b:?}");
    safer(Term::ReviewDue(date("2026-12-01")), Term::ReviewDue(date("2027-01-01")));
    safer(Term::Cadence { every: 2, unit: CadenceUnit::Week }, Term::Cadence { every: 1, unit: CadenceUnit::Month });
    safer(Term::RetentionMonths(9), Term::RetentionMonths(10));
    let refused = |term: Term, code| assert_eq!(term.check().unwrap_err().code, code, "{term:?}");
    refused(Term::DurationMin(0), RefusalCode::NumberInvalid);
    refused(Term::Cadence { every: 400, unit: CadenceUnit::Day }, RefusalCode::NumberInvalid);
    refused(Term::FunctionScheme("none".into()), RefusalCode::UnknownFunction);
    refused(Term::Venue(" ".into()), RefusalCode::TextEmpty);
    refused(Term::Venue("a\u{7}".into()), RefusalCode::TextInvalid);
}

#[test]
fn the_most_protective_value_holds_until_everybody_lifts_it() {
    for row in PROTECTIVE {
        let names: BTreeSet<&str> = row.order.iter().map(|(_, name)| *name).collect();
        let numbers: BTreeSet<u8> = row.order.iter().map(|(number, _)| *number).collect();
        assert!(names.len() == row.order.len() && numbers.len() == row.order.len());
    }
    let entry = |n, name: &str, by: &str, lifts: &[ItemId]| ProtectionEntry {
        op: id(n),
        value: ProtectiveValue::from_name(ProtectiveTerm::AttendanceToOrg, name).unwrap(),
        by: by.into(),
        lifts: lifts.to_vec(),
    };
    let protectors = ["a".to_owned(), "b".to_owned()];
    let holds = |entries: &[ProtectionEntry], expected: &str| {
        assert_eq!(value_of(entries, &protectors).0.unwrap().name(), expected, "{entries:?}");
    };
    let mut entries = vec![entry(1, "dates_parties", "a", &[]), entry(2, "none", "b", &[])];
    holds(&entries, "none");
    entries.push(entry(3, "dates", "a", &[id(2)]));
    holds(&entries, "none");
    entries.push(entry(4, "dates", "stranger", &[id(2)]));
    holds(&entries, "none");
    entries.push(entry(5, "dates", "b", &[id(2)]));
    holds(&entries, "dates");
    assert_eq!(value_of(&[], &protectors).0, None);
    let unknown = ProtectiveValue { term: ProtectiveTerm::Recording, number: 99 };
    assert_eq!((unknown.rank(), unknown.name()), (0, "no"), "what a newer version wrote counts as the most protective");
}

#[test]
fn a_record_rule_forbids_content() {
    let rule = |name| ProtectiveValue::from_name(ProtectiveTerm::ContentRecordRule, name);
    assert_eq!(content_permitted(rule("attendance_only")).unwrap_err().code, RefusalCode::RecordRule);
    assert_eq!(content_permitted(rule("none")).unwrap_err().code, RefusalCode::RecordRule);
    assert!(content_permitted(rule("agreed_summary")).is_ok());
    assert!(content_permitted(None).is_ok());
}

#[test]
fn commands_that_do_not_fit_are_refused() {
    let view = NoteView { kind: Some(MeetingKind::Clinical), ..NoteView::default() };
    let refused =
        |command: NoteCommand, code| assert_eq!(note::check(&view, &command).unwrap_err().code, code, "{command:?}");
    refused(NoteCommand::SetKind { kind: MeetingKind::Training }, RefusalCode::KindFixed);
    refused(NoteCommand::SetTitle { title: String::new() }, RefusalCode::TextEmpty);
    refused(NoteCommand::SetTitle { title: "x".repeat(201) }, RefusalCode::TextTooLong);
    refused(
        NoteCommand::SetFunction { scheme: "proctor3".into(), function: "mediation".into(), weight: 1 },
        RefusalCode::UnknownFunction,
    );
    refused(
        NoteCommand::SetFunction { scheme: "proctor3".into(), function: "formative".into(), weight: 101 },
        RefusalCode::WeightInvalid,
    );
    refused(NoteCommand::AddAction { id: id(1), after: Some(id(2)) }, RefusalCode::UnknownItem);
    assert!(note::check(&view, &NoteCommand::SetKind { kind: MeetingKind::Clinical }).is_ok());
    assert!(note::check(&view, &NoteCommand::AddAction { id: id(1), after: None }).is_ok());
    let view = AgreementView::default();
    let refused = |command: AgreementCommand, code| {
        assert_eq!(agreement::check(&view, &command).unwrap_err().code, code, "{command:?}")
    };
    refused(AgreementCommand::RemoveClause { id: id(1) }, RefusalCode::UnknownItem);
    refused(AgreementCommand::ClearTerm { name: TermName::Venue }, RefusalCode::UnknownItem);
    let value = ProtectiveValue { term: ProtectiveTerm::Recording, number: 9 };
    refused(AgreementCommand::Protect { op: id(1), value, lifts: Vec::new() }, RefusalCode::NumberInvalid);
    let value = ProtectiveValue { number: 0, ..value };
    refused(AgreementCommand::Protect { op: id(1), value, lifts: vec![id(2)] }, RefusalCode::UnknownItem);
    assert!(agreement::check(&view, &AgreementCommand::Protect { op: id(1), value, lifts: Vec::new() }).is_ok());
}

#[test]
fn there_is_always_a_place_between() {
    let mut list: Vec<Vec<u8>> = Vec::new();
    let mut seed = 1_u64;
    for step in 0..400 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = if step % 3 == 0 { list.len() } else { usize::try_from(seed >> 33).unwrap() % (list.len() + 1) };
        let low = at.checked_sub(1).and_then(|low| list.get(low)).map(Vec::as_slice);
        let place = between(low, list.get(at).map(Vec::as_slice));
        assert!(low.is_none_or(|low| low < place.as_slice()), "step {step}");
        assert!(list.get(at).is_none_or(|high| place < *high), "step {step}: {place:?} {:?}", list.get(at));
        assert!(place.len() <= POSITION_BYTES_MAX && place.last() != Some(&0));
        list.insert(at, place);
    }
    // Appending only keeps positions short; always at the front runs out of room without a panic.
    let mut last = Vec::new();
    for _ in 0..300 {
        last = between(Some(&last), None);
    }
    assert!(last.len() < 20, "{}", last.len());
    let mut first = vec![128];
    for _ in 0..2_000 {
        let next = between(None, Some(&first));
        assert!(next.len() <= POSITION_BYTES_MAX);
        first = next;
    }
    assert_eq!(between(Some(&[5]), Some(&[3])), vec![5], "neighbours out of order: the id decides");
}

#[test]
fn splices_fit_their_text() {
    let check = |splice: Splice, scalars, code: Option<RefusalCode>| {
        assert_eq!(splice.check(scalars).err().map(|refusal| refusal.code), code, "{splice:?}");
    };
    check(Splice::insert(0, "a"), 0, None);
    check(Splice::insert(1, "a"), 0, Some(RefusalCode::PositionOutOfRange));
    check(Splice { pos: u32::MAX, delete: u32::MAX, insert: String::new() }, 5, Some(RefusalCode::PositionOutOfRange));
    check(Splice { pos: 0, delete: 5, insert: String::new() }, 5, None);
    check(Splice::insert(0, "\r"), 0, Some(RefusalCode::TextInvalid));
    check(Splice::insert(0, "a\n\tb"), 0, None);
    check(Splice::insert(0, "a"), 50_000, Some(RefusalCode::TextTooLong));
}
