//! The story of two people, through the facade that every app uses and a relay in this process.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use alliance_client::{
    Client, Fallback, InviteOptions, InviteState, JoinState, NewSpace, Options, Progress, Role, Rules, SpaceId,
    Standing, View,
};
use alliance_crypto::Cost;
use alliance_model::note::Stage;
use alliance_model::{Command, DocumentKind, NoteCommand, Splice};
use alliance_tests::relay::{Site, open, watched};
use alliance_wire::DocumentId;
use tempfile::TempDir;

/// Cheap keys: what Argon2 costs is not what is tested here.
fn options() -> Options {
    Options { rules: Rules::ALL, cost: Cost::TEST, early_data: true, fallback: Fallback::DEFAULT }
}

struct Person {
    folder: TempDir,
    client: Client,
}

async fn person(name: &str) -> Person {
    let folder = tempfile::tempdir().unwrap();
    let (client, words) =
        Client::create(&folder.path().join("store"), "a passphrase", name, None, options()).await.unwrap();
    assert_eq!(words.to_string().split(' ').count(), 12);
    Person { folder, client }
}

fn hear(_: Progress) {}

async fn sync(person: &Person) {
    let reports = person.client.sync_once(hear).await.unwrap();
    for report in reports {
        assert!(report.settled, "{report:?}");
        assert_eq!((report.diverged, report.forks), (0, 0), "{report:?}");
        println!("{report:?}");
    }
}

/// Two people in one space, by an invitation through the relay.
async fn pair(site: &Site) -> (Person, Person, SpaceId) {
    let (amina, ben) = (person("Amina").await, person("Ben").await);
    ben.client.add_relay(&site.address().to_string(), None).await.unwrap();
    let space = ben.client.create_space("Supervision with Amina", NewSpace::Pair).await.unwrap();
    let options = InviteOptions { role: Role::Writer, days: 7 };
    let invite = ben.client.invite(space.space, options).await.unwrap();
    assert_eq!(invite.state, InviteState::Open);
    sync(&ben).await;
    let join = amina.client.join(&invite.text, Some("Supervision with Ben")).await.unwrap();
    assert_eq!(join.state, JoinState::Asked);
    sync(&amina).await;
    sync(&ben).await;
    let InviteState::Answered { name, words } = ben.client.invites().await.unwrap()[0].state.clone() else {
        panic!("the accept came through the mailbox")
    };
    assert_eq!(name, "Amina");
    sync(&amina).await;
    let JoinState::Words { words: theirs } = amina.client.joins().await.unwrap()[0].state.clone() else {
        panic!("the reveal came through the mailbox")
    };
    assert_eq!(words, theirs);
    let member = ben.client.confirm(&invite.id, &words.join(" ")).await.unwrap();
    assert_eq!(member.name, "Amina");
    sync(&ben).await;
    sync(&amina).await;
    assert_eq!(amina.client.space(space.space).await.unwrap().standing, Standing::Member);
    (amina, ben, space.space)
}

async fn write(person: &Person, note: DocumentId, pos: u32, text: &str) {
    let splice = Splice { pos, delete: 0, insert: text.to_owned() };
    let command = Command::Note(NoteCommand::EditSection { stage: Stage::Exploration, splice });
    person.client.command(note, None, command).await.unwrap();
}

async fn text(person: &Person, note: DocumentId) -> String {
    let View::Note(view) = person.client.view(note).await.unwrap().view else { panic!("a note") };
    view.section(Stage::Exploration).unwrap().text.clone()
}

#[tokio::test]
async fn two_people_write_apart_and_both_have_everything() {
    watched(async {
        let mut site = Site::start(open).await;
        let (amina, ben, space) = pair(&site).await;
        let note = amina.client.create_document(space, DocumentKind::Note).await.unwrap();
        write(&amina, note, 0, "We looked at the week.").await;
        sync(&amina).await;
        sync(&ben).await;
        assert_eq!(text(&ben, note).await, "We looked at the week.");
        // Both write into the same sentence, without a network.
        write(&amina, note, 14, " hard").await;
        write(&ben, note, 0, "Last time: ").await;
        for round in 0..2 {
            println!("round {round}");
            sync(&amina).await;
            sync(&ben).await;
        }
        sync(&amina).await;
        let (a, b) = (text(&amina, note).await, text(&ben, note).await);
        assert_eq!(a, b);
        assert!(a.contains("Last time: ") && a.contains(" hard"), "{a}");
        let status = amina.client.status().await.unwrap();
        assert!(status.spaces[0].delivery.on_relay, "{status:?}");
        assert_eq!((status.spaces[0].delivery.on_devices, status.spaces[0].delivery.of_devices), (1, 1), "{status:?}");
        assert_eq!(
            amina.client.export(None).await.unwrap()["spaces"][0]["documents"],
            ben.client.export(None).await.unwrap()["spaces"][0]["documents"]
        );
        amina.client.close().await.unwrap();
        ben.client.close().await.unwrap();
        let again = Client::open(&amina.folder.path().join("store"), "a passphrase", options()).await.unwrap();
        let View::Note(view) = again.view(note).await.unwrap().view else { panic!("a note") };
        assert_eq!(view.section(Stage::Exploration).unwrap().text, b);
        assert_eq!(view.authors.len(), 2);
        again.close().await.unwrap();
        site.stop().await;
    })
    .await;
}
