//! What two people who wrote apart see when they meet.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

use alliance_document::{Document, View};
use alliance_model::agreement::{
    AgreementCommand as A, CadenceUnit, ClauseSection, Modality, ProtectiveTerm, ProtectiveValue, Term, TermName,
};
use alliance_model::note::{ActionState, MeetingKind, NoteCommand as N, Stage, Transition};
use alliance_model::{CivilDate, Command, DocumentKind, ItemId, Splice};

use crate::support::replica::{self, Replica};

fn note(command: N) -> Command {
    Command::Note(command)
}

fn agree(command: A) -> Command {
    Command::Agreement(command)
}

fn type_in(stage: Stage, pos: u32, text: &str) -> Command {
    note(N::EditSection { stage, splice: Splice::insert(pos, text) })
}

fn id(n: u8) -> ItemId {
    ItemId([n; 8])
}

/// Two replicas of one document.
fn pair(kind: DocumentKind) -> (Replica, Replica) {
    (Replica::new("asha", kind), Replica::new("ben", kind))
}

/// Each receives what the other wrote apart; both must hold the same afterwards.
fn meet(
    a: &mut Replica,
    b: &mut Replica,
    from_a: &[alliance_document::gate::Candidate],
    from_b: &[alliance_document::gate::Candidate],
) {
    a.receive(from_b);
    b.receive(from_a);
    assert_eq!(a.document.heads(), b.document.heads());
    assert_eq!(a.document.content_id(), b.document.content_id());
    assert_eq!(a.document.view(replica::context()).unwrap(), b.document.view(replica::context()).unwrap());
    for replica in [a, b] {
        let bytes = replica.document.verified_save().unwrap();
        assert_eq!(replica.document.to_automerge().unwrap(), bytes);
        loaded_again_it_looks_the_same(&replica.document, &bytes);
    }
}

/// With and without who wrote which letters, kept from when it was saved.
fn loaded_again_it_looks_the_same(document: &Document, bytes: &[u8]) {
    let (view, runs) = document.view_and_runs(replica::context()).unwrap();
    assert_eq!(view, document.view(replica::context()).unwrap());
    let load = || Document::load(document.id(), document.kind(), bytes).unwrap();
    for loaded in [load(), load().with_runs(&runs), load().with_runs(b"no runs")] {
        assert_eq!(loaded.view(replica::context()).unwrap(), view);
        assert_eq!(loaded.view_and_runs(replica::context()).unwrap(), (view.clone(), runs.clone()));
    }
}

#[test]
fn one_paragraph_keeps_both_texts_and_says_who_wrote_what() {
    let (mut asha, mut ben) = pair(DocumentKind::Note);
    let start = asha.write(&[type_in(Stage::Exploration, 0, "We met under the tree. äöü")]);
    ben.receive(&[start]);
    let a = asha.write(&[type_in(Stage::Exploration, 22, " I was tired.")]);
    let b = ben.write(&[type_in(Stage::Exploration, 22, " She was calm.")]);
    meet(&mut asha, &mut ben, &[a], &[b]);
    let view = asha.note();
    let text = view.section(Stage::Exploration).unwrap();
    assert!(text.text.contains(" I was tired.") && text.text.contains(" She was calm."), "{}", text.text);
    let mut rebuilt = String::new();
    let letters: Vec<char> = text.text.chars().collect();
    for span in &text.spans {
        assert_eq!(span.start, rebuilt.chars().count(), "spans follow each other without gaps");
        let part: String = letters[span.start..span.start + span.len].iter().collect();
        let who = &view.authors[span.author];
        assert_eq!(who == "ben", part == " She was calm.", "{who} wrote {part}");
        rebuilt.push_str(&part);
    }
    assert_eq!(rebuilt, text.text);

    // What was kept is what is shown: the control keeps another document's, in which the same letters are all of one.
    let saved = asha.document.verified_save().unwrap();
    let mut other = Replica::new("asha", DocumentKind::Note);
    other.write(&[type_in(Stage::Exploration, 0, &text.text)]);
    let (_, others) = other.document.view_and_runs(replica::context()).unwrap();
    let loaded = Document::load(asha.document.id(), DocumentKind::Note, &saved).unwrap().with_runs(&others);
    let View::Note(shown) = loaded.view(replica::context()).unwrap() else { panic!("a note") };
    let shown = shown.section(Stage::Exploration).unwrap();
    assert_eq!((shown.text.as_str(), shown.spans.len()), (text.text.as_str(), 1));
    // Runs that do not fit the letters are told anew.
    let shorter = other.write(&[note(N::EditSection {
        stage: Stage::Exploration,
        splice: Splice { pos: 0, delete: 1, insert: String::new() },
    })]);
    assert_eq!(shorter.changes.len(), 1);
    let (_, others) = other.document.view_and_runs(replica::context()).unwrap();
    let loaded = Document::load(asha.document.id(), DocumentKind::Note, &saved).unwrap().with_runs(&others);
    assert_eq!(loaded.view(replica::context()).unwrap(), asha.document.view(replica::context()).unwrap());
}

#[test]
fn both_begin_the_same_note_apart() {
    let (mut asha, mut ben) = pair(DocumentKind::Note);
    let a = asha.write(&[type_in(Stage::Focus, 0, "How do I say no?"), note(N::SetTitle { title: "First".into() })]);
    let b = ben.write(&[type_in(Stage::Close, 0, "Thank you."), note(N::SetTitle { title: "One".into() })]);
    meet(&mut asha, &mut ben, &[a], &[b]);
    let view = ben.note();
    assert_eq!(view.section(Stage::Focus).unwrap().text, "How do I say no?");
    assert_eq!(view.section(Stage::Close).unwrap().text, "Thank you.");
    let conflict = view.conflicts.iter().find(|c| c.field == "title").unwrap();
    assert_eq!(conflict.values.len(), 2);
}

#[test]
fn dates_weights_and_owners_keep_every_value_and_calculate_with_the_safer() {
    let (mut asha, mut ben) = pair(DocumentKind::Note);
    let day = |d| CivilDate::new(2026, 11, d).unwrap();
    let start = asha.write(&[note(N::AddAction { id: id(1), after: None })]);
    ben.receive(&[start]);
    let weight = |weight| note(N::SetFunction { scheme: "proctor3".into(), function: "restorative".into(), weight });
    let side = |d, owner: &str, w| {
        vec![
            note(N::SetDate { date: day(d) }),
            note(N::SetDue { id: id(1), due: Some(day(d)) }),
            note(N::SetOwner { id: id(1), owner: owner.into() }),
            weight(w),
        ]
    };
    let a = asha.write(&side(20, "Asha", 60));
    let b = ben.write(&side(18, "Ben", 40));
    meet(&mut asha, &mut ben, &[a], &[b]);
    let view = asha.note();
    assert_eq!(view.date, Some(day(18)), "the earlier date is the safer one");
    let action = view.action(id(1)).unwrap();
    assert_eq!(action.due.iter().map(|c| c.value.as_str()).collect::<Vec<_>>(), ["2026-11-18", "2026-11-20"]);
    assert_eq!(action.owner.len(), 2);
    assert_eq!(view.functions[0].values.iter().map(|c| c.value.as_str()).collect::<Vec<_>>(), ["40", "60"]);
    assert_eq!(view.conflicts.len(), 4, "{:?}", view.conflicts);
    // A choice ends the conflict.
    let choice = asha.write(&[note(N::SetDate { date: day(20) })]);
    ben.receive(&[choice]);
    assert_eq!(ben.note().date, Some(day(20)));
    assert!(ben.note().conflicts.iter().all(|c| c.field != "date"));
}

#[test]
fn an_edit_made_apart_brings_a_removed_item_back() {
    let (mut asha, mut ben) = pair(DocumentKind::Agreement);
    let add = agree(A::AddClause {
        id: id(1),
        section: ClauseSection::Confidentiality,
        modality: Modality::Must,
        after: None,
    });
    let edit = |pos, text: &str| agree(A::EditClause { id: id(1), splice: Splice::insert(pos, text) });
    let start = asha.write(&[add, edit(0, "Nothing leaves this room")]);
    ben.receive(&[start]);
    let removal = asha.write(&[agree(A::RemoveClause { id: id(1) })]);
    assert!(asha.agreement(&[]).clauses.is_empty());
    let kept = ben.write(&[edit(24, ", unless we both say so")]);
    meet(&mut asha, &mut ben, &[removal], &[kept]);
    assert_eq!(asha.agreement(&[]).clauses[0].text.text, "Nothing leaves this room, unless we both say so");
    // Control: a removal that saw the edit removes.
    let removal = ben.write(&[agree(A::RemoveClause { id: id(1) })]);
    asha.receive(&[removal]);
    assert!(asha.agreement(&[]).clauses.is_empty());
}

#[test]
fn lists_keep_one_order_and_no_duplicates() {
    let (mut asha, mut ben) = pair(DocumentKind::Agreement);
    let add =
        |n, after| agree(A::AddClause { id: id(n), section: ClauseSection::Roles, modality: Modality::May, after });
    let start = asha.write(&[add(1, None), add(2, Some(id(1))), add(3, Some(id(2)))]);
    ben.receive(&[start]);
    let a = asha.write(&[add(4, Some(id(1))), agree(A::MoveClause { id: id(3), after: None })]);
    let b = ben.write(&[add(5, Some(id(1))), agree(A::MoveClause { id: id(3), after: Some(id(1)) })]);
    meet(&mut asha, &mut ben, &[a], &[b]);
    let order: Vec<ItemId> = asha.agreement(&[]).clauses.iter().map(|c| c.id).collect();
    assert_eq!(order.len(), 5);
    let place = |n| order.iter().position(|o| *o == id(n)).unwrap();
    assert!(place(1) < place(4) && place(1) < place(5) && place(4) < place(2) && place(5) < place(2), "{order:?}");
}

#[test]
fn must_and_may_and_terms_written_apart_are_shown_as_conflicts() {
    let (mut asha, mut ben) = pair(DocumentKind::Agreement);
    let start = asha.write(&[agree(A::AddClause {
        id: id(1),
        section: ClauseSection::Hopes,
        modality: Modality::May,
        after: None,
    })]);
    ben.receive(&[start]);
    let cadence = |every, unit| agree(A::SetTerm { term: Term::Cadence { every, unit } });
    let a =
        asha.write(&[agree(A::SetModality { id: id(1), modality: Modality::Must }), cadence(1, CadenceUnit::Month)]);
    let b = ben.write(&[agree(A::SetTerm { term: Term::Venue("the clinic".into()) }), cadence(2, CadenceUnit::Week)]);
    meet(&mut asha, &mut ben, &[a], &[b]);
    let view = asha.agreement(&[]);
    assert_eq!(view.clauses[0].modality, Some(Modality::Must));
    assert_eq!(
        view.term(TermName::Cadence),
        Some(Term::Cadence { every: 2, unit: CadenceUnit::Week }),
        "the shorter is safer"
    );
    assert_eq!(view.conflicts.iter().map(|c| c.field.as_str()).collect::<Vec<_>>(), ["terms.cadence"]);
}

#[test]
fn a_protective_term_loosens_only_when_every_protector_lifts() {
    let (mut asha, mut ben) = pair(DocumentKind::Agreement);
    let rule = |name| ProtectiveValue::from_name(ProtectiveTerm::ContentRecordRule, name).unwrap();
    let protect =
        |op, value, lifts: &[ItemId]| agree(A::Protect { op: id(op), value: rule(value), lifts: lifts.to_vec() });
    let value = |replica: &Replica| {
        replica.agreement(&["asha", "ben"]).protective(ProtectiveTerm::ContentRecordRule).unwrap().value.clone()
    };
    assert_eq!(value(&asha), None);
    let a = asha.write(&[protect(1, "full", &[])]);
    let b = ben.write(&[protect(2, "attendance_only", &[])]);
    meet(&mut asha, &mut ben, &[a], &[b]);
    assert_eq!(value(&asha).as_deref(), Some("attendance_only"), "the most protective holds");
    let one = asha.write(&[protect(3, "full", &[id(2)])]);
    ben.receive(&[one]);
    assert_eq!(value(&ben).as_deref(), Some("attendance_only"), "one lift of two is none");
    let two = ben.write(&[protect(4, "agreed_summary", &[id(2)])]);
    asha.receive(&[two]);
    assert_eq!(value(&asha).as_deref(), Some("agreed_summary"));
    // Without known protectors nothing is lifted.
    assert_eq!(
        asha.agreement(&[]).protective(ProtectiveTerm::ContentRecordRule).unwrap().value.as_deref(),
        Some("attendance_only")
    );
}

#[test]
fn a_note_says_which_record_rule_it_was_written_under() {
    let (mut asha, mut ben) = pair(DocumentKind::Note);
    let cite = |name| {
        let rule = ProtectiveValue::from_name(ProtectiveTerm::ContentRecordRule, name).unwrap();
        note(N::CiteRule { rule })
    };
    let shown = |replica: &Replica| replica.note().record.map(|it| (it.rule, it.against));
    let said = |rule: &str, against| Some((rule.to_owned(), against));
    assert_eq!(shown(&asha), None);
    let begun = asha.write(&[cite("attendance_only"), note(N::SetKind { kind: MeetingKind::Clinical })]);
    ben.receive(&[begun]);
    assert_eq!(shown(&ben), said("attendance_only", false), "kind and date say that there was a session");
    // A program without the rule: nothing is lost, and both see that it was agreed otherwise.
    let text = ben.write(&[note(N::EditSection { stage: Stage::Focus, splice: Splice::insert(0, "She said. ") })]);
    asha.receive(&[text]);
    for replica in [&asha, &ben] {
        assert_eq!(shown(replica), said("attendance_only", true));
        assert_eq!(replica.note().section(Stage::Focus).unwrap().text, "She said. ");
    }
    // Cited apart: the stricter counts, whatever order they came in.
    let (a, b) = (asha.write(&[cite("full")]), ben.write(&[cite("none")]));
    meet(&mut asha, &mut ben, &[a], &[b]);
    assert_eq!((shown(&asha), shown(&ben)), (said("none", true), said("none", true)));
    let loosened = asha.write(&[cite("agreed_summary")]);
    ben.receive(&[loosened]);
    assert_eq!(shown(&ben), said("agreed_summary", false));
}

#[test]
fn an_actions_state_is_computed_and_can_be_disputed() {
    let (mut asha, mut ben) = pair(DocumentKind::Note);
    let mark = |op, transition, cites: &[ItemId]| {
        note(N::MarkAction { id: id(1), op: id(op), transition, cites: cites.to_vec() })
    };
    let start = asha.write(&[note(N::AddAction { id: id(1), after: None }), mark(10, Transition::Done, &[])]);
    ben.receive(&[start]);
    assert_eq!(ben.note().actions[0].state, ActionState::Done);
    let a = asha.write(&[mark(11, Transition::Reopened, &[id(10)])]);
    let b = ben.write(&[mark(12, Transition::Done, &[id(10)])]);
    meet(&mut asha, &mut ben, &[a], &[b]);
    assert_eq!(asha.note().actions[0].state, ActionState::Disputed);
    let newest = asha.note().actions[0].newest();
    let settled = asha.write(&[mark(13, Transition::Done, &newest)]);
    ben.receive(&[settled]);
    assert_eq!(ben.note().actions[0].state, ActionState::Done);
}
