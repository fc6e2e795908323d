//! What waits for a person over all spaces, and what is due on a date.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_client::{Client, DocumentId, DocumentRow, InboxSpace, TodaySpace};
use alliance_model::agreement::{CadenceUnit, Term};
use alliance_model::form::{FormCommand as F, Said};
use alliance_model::note::{NoteCommand as N, Stage, Transition};
use alliance_model::session::{SessionCommand as S, SessionField, SessionTransition as T, SessionValue as V};
use alliance_model::{CivilDate, Command, DocumentKind, ItemId, Splice};
use alliance_tests::agreements;
use alliance_tests::forms;
use alliance_tests::journey::{Alliance, Way};
use alliance_tests::people::insert;
use alliance_tests::relay;

fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

async fn write(client: &Client, document: DocumentId, commands: Vec<Command>) {
    client.view(document).await.unwrap();
    for command in commands {
        client.command(document, None, command).await.unwrap();
    }
}

async fn session(both: &Alliance, on: &str, says: Option<T>) -> DocumentId {
    let session = both.ben.client.create_document(both.space, DocumentKind::Session).await.unwrap();
    let mut commands = vec![Command::Session(S::Set { value: V::from_text(SessionField::Date, on).unwrap() })];
    let mark = |transition| Command::Session(S::Mark { op: ItemId([1; 8]), transition, cites: Vec::new() });
    commands.extend(says.map(mark));
    write(&both.ben.client, session, commands).await;
    session
}

/// An agreement in force: every four weeks, reviewed in May.
async fn agreed(both: &Alliance) -> DocumentId {
    let terms = [Term::Cadence { every: 4, unit: CadenceUnit::Week }, Term::ReviewDue(date("2027-05-01"))];
    let agreement = agreements::draft(&both.ben, both.space, terms).await;
    let version = agreements::propose(&both.ben, agreement, date("2026-11-30")).await.unwrap();
    both.exchange().await;
    for person in [&both.ben, &both.amina] {
        agreements::sign(person, agreement, version, date("2026-12-01")).await.unwrap();
    }
    agreement
}

async fn of(client: &Client, both: &Alliance, as_of: &str) -> TodaySpace {
    let spaces = client.today(date(as_of)).await.unwrap();
    spaces.into_iter().find(|space| space.space == both.space).unwrap()
}

#[tokio::test]
async fn what_is_due_follows_from_documents_and_the_date_that_is_asked_about() {
    relay::watched(async {
        let both = Alliance::met(Way::Direct).await;
        let agreement = agreed(&both).await;
        let held = session(&both, "2026-12-04", Some(T::Held)).await;
        let missed = session(&both, "2026-12-20", Some(T::MissedBySupervisee)).await;
        // Closing says nothing of whether it took place.
        let close = |op, cites| Command::Session(S::Mark { op: ItemId([op; 8]), transition: T::Closed, cites });
        for session in [held, missed] {
            write(&both.ben.client, session, vec![close(2, vec![ItemId([1; 8])])]).await;
        }
        let planned = session(&both, "2027-01-15", None).await;
        let action = |id, due| {
            let id = ItemId([id; 8]);
            [
                N::AddAction { id, after: None },
                N::EditAction { id, splice: Splice::insert(0, "Call") },
                N::SetDue { id, due },
            ]
        };
        let mut commands: Vec<N> = Vec::new();
        commands.extend(action(1, Some(date("2027-02-01"))));
        commands.extend(action(2, None));
        commands.extend(action(3, Some(date("2026-12-10"))));
        commands.extend(action(4, Some(date("2026-12-05"))));
        let id = ItemId([4; 8]);
        commands.push(N::MarkAction { id, op: ItemId([9; 8]), transition: Transition::Done, cites: Vec::new() });
        write(&both.ben.client, both.note, commands.into_iter().map(Command::Note).collect()).await;
        both.exchange().await;

        let on = of(&both.ben.client, &both, "2027-01-10").await;
        assert_eq!((on.last_held, on.next_due), (Some(date("2026-12-04")), Some(date("2027-01-01"))));
        assert!(!on.overdue, "a session is planned");
        assert_eq!(on.people, ["Amina"]);
        assert_eq!((on.planned.len(), on.planned[0].session, on.planned[0].overdue), (1, planned, false));
        let due: Vec<(Option<CivilDate>, bool)> = on.actions.iter().map(|it| (it.due, it.overdue)).collect();
        let (december, february) = (date("2026-12-10"), date("2027-02-01"));
        assert_eq!(due, [(Some(december), true), (Some(february), false), (None, false)], "what is done is not due");
        assert!(on.reviews.is_empty());

        let later = of(&both.ben.client, &both, "2027-06-01").await;
        assert!(later.overdue && later.planned[0].overdue);
        assert_eq!((later.reviews[0].agreement, later.reviews[0].due), (agreement, date("2027-05-01")));
        let before = of(&both.ben.client, &both, "2026-12-01").await;
        assert_eq!((before.last_held, before.next_due, before.overdue), (None, None, false));

        // The same on the other phone, and after it was opened anew: nothing of it is stored.
        let text = |space: &TodaySpace| {
            serde_json::to_value((&space.planned, &space.actions, &space.reviews, space.next_due)).unwrap()
        };
        let mut both = both;
        both.amina.reopen().await;
        for as_of in ["2027-01-10", "2027-06-01"] {
            let (his, hers) = (of(&both.ben.client, &both, as_of).await, of(&both.amina.client, &both, as_of).await);
            assert_eq!(text(&his), text(&hers));
            assert_eq!(hers.people, ["Ben"]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_planned_review_is_due_until_it_was_held_and_a_goal_until_somebody_looks_at_it() {
    relay::watched(async {
        let both = Alliance::met(Way::Direct).await;
        let review = both.ben.client.create_document(both.space, DocumentKind::Review).await.unwrap();
        forms::write(&both.ben, review, [forms::set("due", "2027-02-01")]).await.unwrap();
        let of_goals = (both.space, DocumentKind::Goals);
        let added = both.ben.client.add_to_space(of_goals, "goal", &[], "Ask before I advise").await;
        let (goals, id) = added.unwrap();
        let said = |op, word, on| F::Say {
            op: ItemId([op; 8]),
            item: Some(id),
            said: Said { on: Some(date(on)), number: (word == "progress").then_some(2), ..Said::word(word) },
        };
        forms::write(&both.ben, goals, [said(4, "review_on", "2027-01-15")]).await.unwrap();
        both.exchange().await;
        let due = |on: &TodaySpace| {
            let reviews = on.planned_reviews.iter().map(|it| (it.review, it.due)).collect::<Vec<_>>();
            let goals = on.goals.iter().map(|it| (it.text.clone(), it.of.clone(), it.due)).collect::<Vec<_>>();
            (reviews, goals)
        };
        let amina = &both.amina.client;
        assert_eq!(due(&of(amina, &both, "2027-01-14").await), (Vec::new(), Vec::new()), "not yet");
        let goal = |since| ("Ask before I advise".to_owned(), "Ben".to_owned(), date(since));
        let both_due = (vec![(review, date("2027-02-01"))], vec![goal("2027-01-15")]);
        assert_eq!(due(&of(amina, &both, "2027-02-01").await), both_due);
        // Looking at the goal with a next date settles this one; what was held is not due.
        let looked = [said(5, "progress", "2027-01-20"), said(6, "review_on", "2027-03-01")];
        forms::write(&both.amina, goals, looked).await.unwrap();
        forms::write(&both.amina, review, [forms::set("held_on", "2027-02-03")]).await.unwrap();
        both.exchange().await;
        let ben = &both.ben.client;
        assert_eq!(due(&of(ben, &both, "2027-02-20").await), (Vec::new(), Vec::new()));
        assert_eq!(due(&of(ben, &both, "2027-03-02").await), (Vec::new(), vec![goal("2027-03-01")]));
        let achieved = F::Say { op: ItemId([7; 8]), item: Some(id), said: Said::word("achieved") };
        forms::write(&both.ben, goals, [achieved]).await.unwrap();
        assert_eq!(due(&of(ben, &both, "2027-03-02").await), (Vec::new(), Vec::new()), "nobody is at it any more");
    })
    .await;
}

async fn inbox(client: &Client, both: &Alliance) -> Option<InboxSpace> {
    client.inbox().await.unwrap().into_iter().find(|waits| waits.space == both.space)
}

fn ids(rows: &[DocumentRow]) -> Vec<DocumentId> {
    rows.iter().map(|row| row.document).collect()
}

#[tokio::test]
async fn what_came_in_waits_until_it_is_looked_at_or_taken_as_seen() {
    relay::watched(async {
        let both = Alliance::met(Way::Direct).await;
        both.ben.client.view(both.note).await.unwrap();
        assert!(inbox(&both.ben.client, &both).await.is_none_or(|waits| waits.is_empty()), "nothing waits");
        // Amina writes a note of hers, another where Ben writes as well, and a third with a field of its own.
        let mut notes = Vec::new();
        for _ in 0..3 {
            let note = both.amina.client.create_document(both.space, DocumentKind::Note).await.unwrap();
            write(&both.amina.client, note, vec![insert(0, "Hers. ")]).await;
            notes.push(note);
        }
        both.amina.client.seal_all().await.unwrap();
        both.exchange().await;
        for note in &notes {
            both.ben.client.view(*note).await.unwrap();
        }
        let title = |title: &str| Command::Note(N::SetTitle { title: title.into() });
        let edit = |stage, text: &str| Command::Note(N::EditSection { stage, splice: Splice::insert(0, text) });
        write(&both.amina.client, notes[0], vec![insert(0, "More. ")]).await;
        write(&both.amina.client, notes[1], vec![edit(Stage::Close, "More. ")]).await;
        write(&both.amina.client, notes[2], vec![title("Hers")]).await;
        write(&both.ben.client, notes[1], vec![edit(Stage::Close, "His. ")]).await;
        write(&both.ben.client, notes[2], vec![title("His")]).await;
        both.exchange().await;
        let client = &both.ben.client;
        let waits = inbox(client, &both).await.unwrap();
        assert_eq!(ids(&waits.new), [notes[0]]);
        let mut apart = ids(&waits.changed_by_both);
        apart.sort();
        let mut expected = vec![notes[1], notes[2]];
        expected.sort();
        assert_eq!((apart, ids(&waits.needs_choice)), (expected, vec![notes[2]]));
        assert!(waits.parked.is_empty() && waits.possible_duplicates.is_empty());
        // In bulk only what nobody has to read twice.
        assert_eq!(client.accept_unchanged(Some(both.space)).await.unwrap(), 1);
        assert_eq!(client.accept_unchanged(None).await.unwrap(), 0);
        let waits = inbox(client, &both).await.unwrap();
        assert!(waits.new.is_empty() && waits.changed_by_both.len() == 2);
        for note in &notes {
            client.view(*note).await.unwrap();
        }
        let waits = inbox(client, &both).await.unwrap();
        assert!(waits.changed_by_both.is_empty());
        assert_eq!(ids(&waits.needs_choice), [notes[2]], "looking chooses nothing");
        write(client, notes[2], vec![title("Ours")]).await;
        client.seal_all().await.unwrap();
        assert!(inbox(client, &both).await.is_none());
    })
    .await;
}
