//! The rules of preparation logs, as tables.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_model::kind::{note_of_session, preparation_of};
use alliance_model::log::LogEntry;
use alliance_model::preparation::{
    Feeling, PreparationCommand as P, PreparationEntryView, PreparationField, PreparationFieldView, PreparationKind,
    PreparationMark as M, PreparationState as S, PreparationValue, Share, ShareView, check, preparation_state_of,
    share_state_of, shared_item,
};
use alliance_model::{Claim, Command, DocumentKind, ItemId, PreparationView, RefusalCode, Splice, TextView};
use alliance_wire::{DocumentId, FrozenHash, SpaceId};

fn id(n: u8) -> ItemId {
    ItemId([n; 8])
}

fn ids(cites: &[u8]) -> Vec<ItemId> {
    cites.iter().map(|n| id(*n)).collect()
}

fn mark(op: u8, transition: M, cites: &[u8]) -> LogEntry<M> {
    LogEntry { op: id(op), transition, cites: ids(cites), by: 0 }
}

fn share(op: u8, session: u8, cites: &[u8]) -> ShareView {
    ShareView {
        op: id(op),
        space: SpaceId([1; 16]).to_string(),
        session: DocumentId([session; 16]).to_string(),
        item: id(op + 100),
        hash: String::new(),
        date: None,
        cites: ids(cites),
        by: 0,
        state: S::Shared,
    }
}

fn entry(shares: Vec<ShareView>, log: Vec<LogEntry<M>>) -> PreparationEntryView {
    let state = preparation_state_of(&shares, &log);
    PreparationEntryView {
        id: id(1),
        text: TextView { text: "kitchen".into(), spans: Vec::new() },
        fields: Vec::new(),
        feelings: Vec::new(),
        state,
        shares,
        log,
    }
}

#[test]
fn every_field_reads_what_it_writes() {
    let texts = ["2026-11-20", "upsetting", "3", "room to breathe", "the boy with the kite"];
    for (field, text) in PreparationField::ALL.iter().zip(texts) {
        let value = PreparationValue::from_text(*field, text).unwrap();
        assert_eq!((value.field(), value.to_text().as_str()), (*field, text));
        assert_eq!(value.check(), Ok(()), "{field}");
    }
    let refused = [
        (PreparationValue::Priority(0), RefusalCode::NumberInvalid),
        (PreparationValue::Priority(10), RefusalCode::NumberInvalid),
        (PreparationValue::ClientAlias(" ".into()), RefusalCode::TextEmpty),
        (PreparationValue::ClientAlias("x".repeat(201)), RefusalCode::TextTooLong),
        (PreparationValue::FunctionHint("two\nlines".into()), RefusalCode::TextInvalid),
        // What stands in a command that somebody's program encoded may be no day at all.
        (
            PreparationValue::OccurredOn(minicbor::decode(&[0x83, 0x19, 0x07, 0xea, 2, 0x18, 30]).unwrap()),
            RefusalCode::DateInvalid,
        ),
    ];
    for (value, code) in refused {
        assert_eq!(value.check().unwrap_err().code, code, "{value:?}");
    }
    for (field, text) in [(PreparationField::Kind, "boring"), (PreparationField::Priority, "first")] {
        assert_eq!(PreparationValue::from_text(field, text), None);
    }
    let words: Vec<&str> = Feeling::ALL.iter().map(|feeling| feeling.name()).collect();
    let a25 = ["distress", "vulnerability", "confusion", "anger", "shame", "guilt", "remorse", "pride", "pleasure"];
    assert_eq!(words, a25, "the words of DOMAIN A25");
    assert_eq!(PreparationKind::ALL.len(), 7);
}

#[test]
fn a_state_is_what_the_unanswered_entries_say() {
    type Case = (Vec<ShareView>, Vec<LogEntry<M>>, S);
    let shared = || vec![share(1, 1, &[])];
    let cases: Vec<Case> = vec![
        (vec![], vec![], S::Private),
        (vec![], vec![mark(2, M::Selected, &[])], S::Selected),
        (vec![], vec![mark(2, M::Selected, &[]), mark(3, M::Withdrawn, &[2])], S::Private),
        (shared(), vec![], S::Shared),
        (vec![share(1, 1, &[2])], vec![mark(2, M::Selected, &[])], S::Shared),
        (shared(), vec![mark(2, M::Withdrawn, &[1])], S::Withdrawn),
        (shared(), vec![mark(2, M::Discussed, &[1])], S::Discussed),
        (shared(), vec![mark(2, M::CarriedOver, &[1]), mark(3, M::Selected, &[2])], S::Selected),
        (vec![share(1, 1, &[]), share(3, 2, &[2])], vec![mark(2, M::CarriedOver, &[1])], S::Shared),
        // Two devices said different things of one share; an entry that cites both settles it.
        (shared(), vec![mark(2, M::Discussed, &[1]), mark(3, M::Withdrawn, &[1])], S::Disputed),
        (
            shared(),
            vec![mark(2, M::Discussed, &[1]), mark(3, M::Withdrawn, &[1]), mark(4, M::Discussed, &[2, 3])],
            S::Discussed,
        ),
        (vec![], vec![mark(2, M::Selected, &[]), mark(3, M::Discussed, &[])], S::Disputed),
        // Both devices shared it while apart.
        (vec![share(1, 1, &[]), share(4, 1, &[])], vec![], S::Shared),
        // Of two sessions, one was talked about and one was not: nobody contradicts anybody.
        (vec![share(1, 1, &[]), share(4, 2, &[])], vec![mark(2, M::Discussed, &[1])], S::Shared),
        (
            vec![share(1, 1, &[]), share(4, 2, &[])],
            vec![mark(2, M::Discussed, &[1]), mark(3, M::CarriedOver, &[4])],
            S::CarriedOver,
        ),
    ];
    for (shares, log, state) in cases {
        assert_eq!(preparation_state_of(&shares, &log), state, "{shares:?} {log:?}");
    }
}

#[test]
fn each_share_has_a_state_of_its_own() {
    let shares = [share(1, 1, &[]), share(4, 2, &[3])];
    let log = [
        mark(2, M::CarriedOver, &[1]),
        mark(3, M::Selected, &[2]),
        mark(5, M::Discussed, &[4]),
        mark(6, M::Withdrawn, &[4]),
    ];
    assert_eq!(share_state_of(id(1), &shares, &log), S::CarriedOver, "selecting it again is about the next one");
    assert_eq!(share_state_of(id(4), &shares, &log), S::Disputed);
    assert_eq!(share_state_of(id(4), &shares, &log[..3]), S::Discussed);
    let view = entry(shares.to_vec(), log[..2].to_vec());
    assert_eq!(view.unanswered_of(id(1)), ids(&[2]));
    assert_eq!(view.unanswered_of(id(4)), ids(&[4]));
    assert_eq!((view.unanswered_marks(), view.unanswered()), (Vec::new(), ids(&[4])));
    // What selects it again leaves alone what stands on the other agenda.
    let view = entry(vec![share(1, 1, &[]), share(4, 2, &[])], vec![mark(2, M::CarriedOver, &[1])]);
    assert_eq!((view.unanswered_marks(), view.unanswered()), (ids(&[2]), ids(&[4, 2])));
}

#[test]
fn what_is_refused() {
    let claim = Claim { value: "3".into(), by: 0 };
    let mut shown = entry(vec![share(5, 1, &[])], vec![mark(6, M::Withdrawn, &[5])]);
    shown.fields.push(PreparationFieldView { field: PreparationField::Priority, values: vec![claim] });
    shown.feelings.push(Feeling::Shame);
    let mut view = PreparationView { entries: vec![shown], ..PreparationView::default() };
    let (known, unknown) = (id(1), id(9));
    let marks = |op, cites: &[u8]| P::Mark { id: known, op, mark: M::Selected, cites: ids(cites) };
    let shares = |id, op| {
        let share = Share {
            space: SpaceId([1; 16]),
            session: DocumentId([1; 16]),
            item: op,
            hash: FrozenHash([0; 32]),
            date: None,
        };
        P::Share { id, op, share, cites: Vec::new() }
    };
    let clear = |field| P::ClearEntry { id: known, field };
    let feel = |feeling| P::RemoveFeeling { id: known, feeling };
    let cases = [
        (P::AddEntry { id: known, after: None }, Some(RefusalCode::ItemExists)),
        (P::AddEntry { id: unknown, after: Some(id(8)) }, Some(RefusalCode::UnknownItem)),
        (P::AddEntry { id: unknown, after: Some(known) }, None),
        (P::MoveEntry { id: known, after: Some(known) }, Some(RefusalCode::UnknownItem)),
        (P::MoveEntry { id: known, after: None }, None),
        (P::RemoveEntry { id: unknown }, Some(RefusalCode::UnknownItem)),
        (P::EditEntry { id: unknown, splice: Splice::insert(0, "x") }, Some(RefusalCode::UnknownItem)),
        (P::EditEntry { id: known, splice: Splice::insert(8, "x") }, Some(RefusalCode::PositionOutOfRange)),
        (P::EditEntry { id: known, splice: Splice::insert(7, "x") }, None),
        (P::SetEntry { id: unknown, value: PreparationValue::Priority(1) }, Some(RefusalCode::UnknownItem)),
        (P::SetEntry { id: known, value: PreparationValue::Priority(10) }, Some(RefusalCode::NumberInvalid)),
        (clear(PreparationField::ClientAlias), Some(RefusalCode::UnknownItem)),
        (clear(PreparationField::Priority), None),
        (P::AddFeeling { id: unknown, feeling: Feeling::Pride }, Some(RefusalCode::UnknownItem)),
        (feel(Feeling::Pride), Some(RefusalCode::UnknownItem)),
        (feel(Feeling::Shame), None),
        (marks(id(5), &[]), Some(RefusalCode::ItemExists)),
        (marks(id(7), &[8]), Some(RefusalCode::UnknownItem)),
        (marks(id(7), &[5, 6]), None),
        (shares(unknown, id(7)), Some(RefusalCode::UnknownItem)),
        (shares(known, id(6)), Some(RefusalCode::ItemExists)),
        (shares(known, id(7)), None),
    ];
    for (command, code) in cases {
        assert_eq!(check(&view, &command).err().map(|refusal| refusal.code), code, "{command:?}");
        let whole = Command::Preparation(command);
        assert_eq!(Command::decode(&whole.encode()), Ok(whole));
    }
    let full = (0..1_000_u64).map(|n| {
        let mut entry = entry(Vec::new(), Vec::new());
        entry.id = ItemId(n.to_be_bytes());
        entry
    });
    view.entries = full.collect();
    let one_more = check(&view, &P::AddEntry { id: unknown, after: None });
    assert_eq!(one_more.unwrap_err().code, RefusalCode::TooManyItems);
    view.entries.pop();
    assert_eq!(check(&view, &P::AddEntry { id: unknown, after: None }), Ok(()), "the control");
}

#[test]
fn ids_follow_from_what_they_are_of() {
    let (home, other) = (SpaceId([3; 16]), SpaceId([4; 16]));
    assert_eq!(preparation_of(&home), preparation_of(&home));
    assert_ne!(preparation_of(&home), preparation_of(&other));
    assert!(DocumentKind::fits(DocumentKind::Preparation.number(), &preparation_of(&home)));
    assert!(DocumentKind::fits(DocumentKind::Note.number(), &note_of_session(&[3; 16], &home)), "the control");
    let session = DocumentId([5; 16]);
    let all = [
        shared_item(id(1), session, 0),
        shared_item(id(1), session, 1),
        shared_item(id(2), session, 0),
        shared_item(id(1), DocumentId([6; 16]), 0),
    ];
    for (at, item) in all.iter().enumerate() {
        assert!(!all[..at].contains(item), "each share has an item of its own");
    }
    assert_eq!(shared_item(id(1), session, 0), all[0]);
}
