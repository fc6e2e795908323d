//! Shares and withdrawals that ended in the midst of it: the same call once more completes them.

use alliance_client::{Client, NewSpace};
use alliance_model::preparation::{PreparationCommand as P, PreparationState, shared_item};
use alliance_model::session::{AgendaState, AgendaTransition, SessionCommand};
use alliance_model::{Command, ItemId, Splice};
use alliance_tests::people::Person;

use super::{ENTRY, agenda, prepare, prepared, session, texts, write_down};

/// A share that ended behind any of its commands is completed by the same call, and so is a withdrawal: there is one
/// copy, one line in the log, and every letter once.
#[tokio::test]
async fn an_interrupted_share_is_completed() {
    let long: String = "Long words about long days. ".repeat(700);
    let mut points = 0;
    for steps in 1..9 {
        let mut amina = Person::new("Amina").await;
        let space = amina.client.create_space("Pair", NewSpace::Pair).await.unwrap().space;
        let meeting = session(&amina, space).await;
        write_down(&amina, ENTRY, &long[..8_000]).await;
        for pos in [8_000_u32, 16_000] {
            let at = usize::try_from(pos).unwrap();
            prepare(
                &amina,
                P::EditEntry { id: ENTRY, splice: Splice::insert(pos, &long[at..(at + 8_000).min(long.len())]) },
            )
            .await;
        }
        let log = amina.client.preparation().await.unwrap();
        amina.client.seal(log).await.unwrap();
        let mut changes = amina.client.changes();
        let interrupted = async {
            // Each command, and each draft that is sealed, tells of one change.
            for _ in 0..steps {
                changes.recv().await.unwrap();
            }
        };
        tokio::select! {
            biased;
            () = interrupted => points += 1,
            done = amina.client.share_preparation(ENTRY, meeting, None, Some(15)) => drop(done.unwrap()),
        }
        amina.reopen().await;
        let shared = amina.client.share_preparation(ENTRY, meeting, None, Some(15)).await.unwrap();
        let view = agenda(&amina.client, meeting).await;
        let [item] = view.agenda.as_slice() else { panic!("behind {steps}: {} items", view.agenda.len()) };
        assert_eq!((item.id, item.text.text == long), (shared.item, true), "behind {steps}");
        assert_eq!(item.fields[0].values[0].value, "15");
        let entry = prepared(&amina.client, ENTRY).await;
        assert_eq!((entry.shares.len(), entry.state), (1, PreparationState::Shared), "behind {steps}");
    }
    println!("{points} interruptions");
    assert!(points >= 4, "{points}");
}

/// What a process leaves that ended between the two documents, written by hand: of a withdrawal, and of a share.
#[tokio::test]
async fn half_of_a_withdrawal_is_completed_and_half_of_a_share_is_withdrawn() {
    for of_withdrawal in [true, false] {
        let mut amina = Person::new("Amina").await;
        let space = amina.client.create_space("Pair", NewSpace::Pair).await.unwrap().space;
        let meeting = session(&amina, space).await;
        write_down(&amina, ENTRY, "The locked kitchen").await;
        let command = async |client: &Client, command| {
            client.command(meeting, None, Command::Session(command)).await.unwrap();
        };
        if of_withdrawal {
            let id = amina.client.share_preparation(ENTRY, meeting, None, None).await.unwrap().item;
            let (op, transition) = (ItemId([8; 8]), AgendaTransition::Withdrawn);
            let mark = SessionCommand::MarkItem { id, op, transition, cites: Vec::new() };
            command(&amina.client, mark).await;
        } else {
            let id = shared_item(ENTRY, meeting, 0);
            command(&amina.client, SessionCommand::AddItem { id, after: None }).await;
            command(&amina.client, SessionCommand::EditItem { id, splice: Splice::insert(0, "The lock") }).await;
        }
        let half = prepared(&amina.client, ENTRY).await.state;
        assert_eq!(half, if of_withdrawal { PreparationState::Shared } else { PreparationState::Private });
        amina.reopen().await;
        amina.client.withdraw_preparation(ENTRY, meeting).await.unwrap();
        let view = agenda(&amina.client, meeting).await;
        assert_eq!((view.agenda.len(), view.agenda[0].state), (1, AgendaState::Withdrawn));
        let entry = prepared(&amina.client, ENTRY).await;
        assert_eq!((entry.shares.len(), entry.state), (1, PreparationState::Withdrawn));
        let again = amina.client.withdraw_preparation(ENTRY, meeting).await.unwrap_err();
        assert_eq!(again.code(), "UNKNOWN_ITEM");
    }
}

/// Somebody took away what was begun and not written down: it comes back as it was, and is completed.
#[tokio::test]
async fn a_copy_that_was_begun_and_removed_is_completed() {
    let amina = Person::new("Amina").await;
    let space = amina.client.create_space("Pair", NewSpace::Pair).await.unwrap().space;
    let meeting = session(&amina, space).await;
    write_down(&amina, ENTRY, "The locked kitchen").await;
    let id = shared_item(ENTRY, meeting, 0);
    for command in [
        SessionCommand::AddItem { id, after: None },
        SessionCommand::EditItem { id, splice: Splice::insert(0, "The lock") },
        SessionCommand::RemoveItem { id },
    ] {
        amina.client.command(meeting, None, Command::Session(command)).await.unwrap();
        amina.client.seal(meeting).await.unwrap();
    }
    assert!(texts(&amina.client, meeting).await.is_empty());
    let shared = amina.client.share_preparation(ENTRY, meeting, None, None).await.unwrap();
    assert_eq!((shared.item, shared.text.as_str()), (id, "The locked kitchen"));
    assert_eq!(texts(&amina.client, meeting).await, ["The locked kitchen"]);
}
