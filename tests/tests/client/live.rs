//! Two people connected at once: drafts wait while nobody looks, and travel as they are written while somebody does.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use alliance_client::{Change, Client, DocumentId, Progress, SpaceId};
use alliance_tests::people::Met;
use alliance_tests::relay::watched;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;

struct Live {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    changes: broadcast::Receiver<Change>,
}

/// Stays connected, from the moment at which both sides have the same.
async fn live(client: &Client) -> Live {
    let (stop, stopped) = watch::channel(false);
    let (tell, mut told) = mpsc::unbounded_channel();
    let (client, changes) = (client.clone(), client.changes());
    let task = tokio::spawn(async move {
        let hear = |event: Progress| drop(tell.send(event));
        client.sync_live(stopped, hear).await.unwrap();
    });
    while !matches!(told.recv().await.expect("a live sync goes on"), Progress::Settled) {}
    Live { stop, task, changes }
}

impl Live {
    async fn until_changed(&mut self, space: SpaceId, note: DocumentId) {
        while self.changes.recv().await.unwrap() != Change::Document(space, note) {}
    }

    async fn end(self) {
        self.stop.send(true).unwrap();
        self.task.await.unwrap();
    }
}

#[tokio::test]
async fn drafts_travel_while_somebody_looks() {
    watched(async {
        let Met { mut site, ben, amina, note, space } = Met::over_a_note("One. ").await;
        let (hers, mut his) = (live(&amina.client).await, live(&ben.client).await);
        // Connected, and nobody looks: what is typed stays a draft.
        amina.write(note, 5, "Two. ").await;
        assert_eq!(amina.client.status().await.unwrap().spaces[0].delivery.drafts, 1, "being connected seals nothing");
        assert_eq!(ben.text(note).await, "One. ");
        // Ben opens the note: the draft comes, and what is typed from then on.
        ben.client.watch(note).await.unwrap();
        his.until_changed(space, note).await;
        assert_eq!(ben.text(note).await, "One. Two. ");
        for (n, word) in ["Three. ", "Four. ", "Five. "].into_iter().enumerate() {
            let pos = u32::try_from(amina.text(note).await.chars().count()).unwrap();
            amina.write(note, pos, word).await;
            while !ben.text(note).await.contains(word) {
                his.until_changed(space, note).await;
            }
            println!("word {n} has arrived");
        }
        assert_eq!(ben.text(note).await, "One. Two. Three. Four. Five. ");
        hers.end().await;
        his.end().await;
        let delivery = amina.client.status().await.unwrap().spaces[0].delivery;
        assert_eq!((delivery.drafts, delivery.unsent, delivery.on_relay), (0, 0, true), "{delivery:?}");
        site.stop().await;
    })
    .await;
}
