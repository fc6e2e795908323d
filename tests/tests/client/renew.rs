//! Copies of documents in another space, and a space in place of one that cannot be saved.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::collections::BTreeSet;

use alliance_client::{Client, DocumentId, NewSpace, SpaceId, View};
use alliance_model::agreement::{AgreementCommand, ClauseSection, Modality, ProtectiveTerm, ProtectiveValue, Term};
use alliance_model::note::{NoteCommand, Stage, Transition};
use alliance_model::{Command, DocumentKind, ItemId, Splice, snapshot};
use alliance_tests::hostile::meet;
use alliance_tests::people::{Met, Person, let_in};
use alliance_tests::relay;

const fn id(n: u8) -> ItemId {
    ItemId([n; 8])
}

async fn commands(of: &Client, document: DocumentId) -> Vec<Command> {
    match of.view(document).await.unwrap().view {
        View::Note(view) => snapshot::note(&view).into_iter().map(Command::Note).collect(),
        View::Session(view) => snapshot::session(&view).into_iter().map(Command::Session).collect(),
        View::Preparation(_) => panic!("a preparation log is never copied"),
        View::Decision(_) | View::Exports(_) | View::Form(_) => panic!("these stay where they were made"),
        View::Agreement(view) => snapshot::agreement(&view).into_iter().map(Command::Agreement).collect(),
    }
}

/// A note with everything that a note can hold, an action that is disputed too.
async fn full_note(of: &Client, space: SpaceId) -> DocumentId {
    let note = of.create_document(space, DocumentKind::Note).await.unwrap();
    let long: String = "Long words about long days. ".repeat(700);
    let mark = |op, transition| NoteCommand::MarkAction { id: id(1), op: id(op), transition, cites: vec![] };
    for command in [
        NoteCommand::SetTitle { title: "Third session".to_owned() },
        NoteCommand::SetDate { date: "2026-11-02".parse().unwrap() },
        NoteCommand::EditSection { stage: Stage::Close, splice: Splice::insert(0, "Ende gut — 好") },
        NoteCommand::EditSection { stage: Stage::Focus, splice: Splice::insert(0, &long[..8_000]) },
        NoteCommand::EditSection { stage: Stage::Focus, splice: Splice::insert(8_000, &long[8_000..16_000]) },
        NoteCommand::EditSection { stage: Stage::Understanding, splice: Splice::insert(0, &long[..8_000]) },
        NoteCommand::EditSection { stage: Stage::Understanding, splice: Splice::insert(8_000, &long[..8_000]) },
        NoteCommand::EditSection { stage: Stage::Action, splice: Splice::insert(0, &long[..8_000]) },
        NoteCommand::SetFunction { scheme: "proctor3".to_owned(), function: "formative".to_owned(), weight: 40 },
        NoteCommand::AddAction { id: id(1), after: None },
        NoteCommand::EditAction { id: id(1), splice: Splice::insert(0, "Call the clinic") },
        NoteCommand::SetOwner { id: id(1), owner: "Ben".to_owned() },
        NoteCommand::AddAction { id: id(2), after: None },
        NoteCommand::SetDue { id: id(2), due: Some("2026-12-01".parse().unwrap()) },
        mark(7, Transition::Done),
        mark(8, Transition::Reopened),
    ] {
        of.command(note, None, Command::Note(command)).await.unwrap();
    }
    note
}

async fn full_agreement(of: &Client, space: SpaceId) -> DocumentId {
    let agreement = of.create_document(space, DocumentKind::Agreement).await.unwrap();
    let protects = |op, name| AgreementCommand::Protect {
        op: id(op),
        value: ProtectiveValue::from_name(ProtectiveTerm::ContentRecordRule, name).unwrap(),
        lifts: vec![],
    };
    let clause = |n, after| AgreementCommand::AddClause {
        id: id(n),
        section: ClauseSection::GroundRules,
        modality: Modality::Must,
        after,
    };
    for command in [
        clause(1, None),
        AgreementCommand::EditClause { id: id(1), splice: Splice::insert(0, "We begin on time") },
        clause(2, None),
        AgreementCommand::SetTerm { term: Term::DurationMin(90) },
        AgreementCommand::SetTerm { term: Term::Venue("The school".to_owned()) },
        protects(9, "full"),
        protects(5, "agreed_summary"),
    ] {
        of.command(agreement, None, Command::Agreement(command)).await.unwrap();
    }
    agreement
}

/// Ben ends the space. Amina founds another with everything that was in it, invites Ben anew, and both write on; the
/// old one stays readable, and nobody else's space is touched.
#[tokio::test]
async fn a_space_that_ended_is_renewed_with_its_documents() {
    relay::watched(async {
        let met = Met::over_a_note("Before. ").await;
        let (amina, ben) = (&met.amina.client, &met.ben.client);
        let note = full_note(ben, met.space).await;
        let agreement = full_agreement(amina, met.space).await;
        met.amina.sync().await;
        met.ben.sync().await;
        met.amina.sync().await;
        ben.end_space(met.space).await.unwrap();
        met.ben.sync().await;
        met.amina.sync().await;
        let refused = amina.create_document(met.space, DocumentKind::Note).await;
        assert!(refused.is_err(), "the old space has ended");

        let renewed = amina.renew_space(met.space, "Anew", None).await.unwrap();
        assert_eq!((renewed.copied.len(), renewed.left.len()), (3, 0), "{renewed:?}");
        assert_eq!(renewed.people, ["Ben"]);
        assert_eq!(renewed.space.kind, "pair");
        let copy_of = |from| renewed.copied.iter().find(|copied| copied.from == from).unwrap().to;
        for from in [note, agreement, met.note] {
            let (old, new) = (commands(amina, from).await, commands(amina, copy_of(from)).await);
            assert!(!old.is_empty());
            assert_eq!(old, new);
        }
        let again = amina.copy_documents(met.space, renewed.space.space).await.unwrap();
        assert_eq!(again.copied, renewed.copied, "the same again is the same copies");

        let itself = amina.copy_document(copy_of(note), renewed.space.space).await.unwrap();
        assert_eq!(itself, copy_of(note), "a copy in its own space is the document");

        let_in(&met.amina, &met.ben, &[renewed.space.space]).await;
        assert_eq!(commands(ben, copy_of(note)).await, commands(ben, note).await);
        met.ben.write(copy_of(met.note), 0, "On. ").await;
        met.ben.sync().await;
        met.amina.sync().await;
        assert_eq!(met.amina.text(copy_of(met.note)).await, "On. Before. ");
        assert_eq!(met.amina.text(met.note).await, "Before. ", "the old one stays as it is");
        let changed = amina.copy_document(met.note, renewed.space.space).await.unwrap_err();
        assert_eq!(changed.code(), "COPY_CHANGED");
        assert_eq!(met.amina.text(copy_of(met.note)).await, "On. Before. ");
    })
    .await;
}

/// A copy that was interrupted behind any of its commands is completed by the next one, without a word twice.
#[tokio::test]
async fn an_interrupted_copy_is_completed() {
    let mut amina = Person::new("Amina").await;
    let space = amina.client.create_space("Old", NewSpace::Personal).await.unwrap().space;
    let documents = [full_note(&amina.client, space).await, full_agreement(&amina.client, space).await];
    for whole in documents {
        let wanted = commands(&amina.client, whole).await;
        assert!(wanted.len() > 5, "{wanted:?}");
        let mut beginnings = BTreeSet::new();
        for steps in (1..wanted.len()).step_by(2) {
            let into = amina.client.create_space("New", NewSpace::Personal).await.unwrap().space;
            let mut changes = amina.client.changes();
            let interrupted = async {
                // Each command tells of one change.
                for _ in 0..steps {
                    changes.recv().await.unwrap();
                }
            };
            tokio::select! {
                biased;
                () = interrupted => {}
                done = amina.client.copy_document(whole, into) => panic!("{done:?}"),
            }
            amina.reopen().await;
            let half = amina.client.documents(Some(into), None, None, 0, 1).await.unwrap().remove(0).document;
            let begun = commands(&amina.client, half).await;
            assert_eq!(begun, wanted[..begun.len()], "what was copied shows itself as it was");
            beginnings.insert(begun.len());
            assert_eq!(amina.client.copy_document(whole, into).await.unwrap(), half);
            assert_eq!(commands(&amina.client, half).await, wanted);
        }
        println!("interrupted behind {beginnings:?} of {} commands", wanted.len());
        assert!(beginnings.len() > wanted.len() / 3, "{beginnings:?}");
    }
}

/// Readers copy nothing into a space, and who was put out of one copies nothing from it.
#[tokio::test]
async fn a_copy_needs_the_right_to_write_there_and_to_read_here() {
    relay::watched(async {
        let met = Met::over_a_note("In the pair. ").await;
        let group = met.ben.client.create_space("Group", NewSpace::Group).await.unwrap().space;
        let_in(&met.ben, &met.amina, &[group]).await;
        met.amina.client.copy_document(met.note, group).await.unwrap();
        met.ben.client.set_role(group, "Amina", alliance_client::Role::Reader).await.unwrap();
        meet(&met.ben.client, &met.amina.client).await;
        let reader = met.amina.client.copy_documents(met.space, group).await.unwrap_err();
        assert_eq!(reader.code(), "ROLE_FORBIDS");
        met.ben.client.remove_member(group, "Amina").await.unwrap();
        meet(&met.ben.client, &met.amina.client).await;
        let out = met.amina.client.renew_space(group, "Mine", None).await.unwrap_err();
        assert_eq!(out.code(), "DEVICE_PUT_OUT");
        assert_eq!(met.amina.client.spaces().await.unwrap().len(), 2, "nothing was founded");
    })
    .await;
}
