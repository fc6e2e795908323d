//! A phone is lost and a backup restored: nothing typed is lost, nothing is doubled, and nothing forks.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use alliance_client::{Client, DocumentId};
use alliance_model::DocumentKind;
use alliance_tests::people::{PASSPHRASE, Person, options, pair_up};
use alliance_tests::relay::{Site, open, watched};

struct Story {
    site: Site,
    ben: Person,
    amina: Person,
    note: DocumentId,
}

async fn story() -> Story {
    let site = Site::start(open).await;
    let (ben, amina) = (Person::new("Ben").await, Person::new("Amina").await);
    ben.client.add_relay(&site.address().to_string(), None).await.unwrap();
    let spaces = pair_up(&ben, &amina, 1).await;
    let note = amina.client.create_document(spaces[0], DocumentKind::Note).await.unwrap();
    amina.write(note, 0, "One. ").await;
    amina.sync().await;
    ben.sync().await;
    Story { site, ben, amina, note }
}

/// Closes the store and opens its backup in its place.
async fn lose_and_restore(person: &mut Person, backup: &str) {
    let before = person.client.whoami().incarnation;
    // The phone is gone as it was: drafts are not sealed first.
    let file = person.beside(backup);
    let folder = person.beside(&format!("{backup}-restored"));
    let restored = Client::restore(&folder, &file, PASSPHRASE, options()).await.unwrap();
    assert_eq!(restored.whoami().device, person.client.whoami().device);
    assert_ne!(restored.whoami().incarnation, before, "a restored database writes on under a new incarnation");
    person.client = restored;
}

#[tokio::test]
async fn what_was_written_since_the_backup_comes_back() {
    watched(async {
        let Story { mut site, ben, mut amina, note } = story().await;
        amina.client.backup(&amina.beside("backup")).await.unwrap();
        amina.write(note, 5, "Two. ").await;
        amina.sync().await;
        lose_and_restore(&mut amina, "backup").await;
        assert_eq!(amina.text(note).await, "One. ");
        // It writes before it meets anybody: that must neither fork its log nor be lost.
        amina.write(note, 5, "Three. ").await;
        let report = amina.sync().await;
        assert_eq!(report.forks, 0, "{report:?}");
        amina.sync().await;
        ben.sync().await;
        let (hers, his) = (amina.text(note).await, ben.text(note).await);
        println!("{hers:?}");
        assert_eq!(hers, his);
        for part in ["One. ", "Two. ", "Three. "] {
            assert_eq!(hers.matches(part).count(), 1, "{part} in {hers:?}");
        }
        let status = ben.client.status().await.unwrap();
        assert_eq!(status.spaces[0].forks, 0);
        site.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_draft_that_was_sealed_after_the_backup_is_not_doubled() {
    watched(async {
        let Story { mut site, ben, mut amina, note } = story().await;
        amina.write(note, 5, "Draft. ").await;
        amina.client.backup(&amina.beside("same")).await.unwrap();
        amina.write(note, 12, "More. ").await;
        amina.sync().await;
        ben.sync().await;
        assert_eq!(ben.text(note).await, "One. Draft. More. ");
        lose_and_restore(&mut amina, "same").await;
        for _ in 0..2 {
            amina.sync().await;
            ben.sync().await;
        }
        assert_eq!(amina.text(note).await, "One. Draft. More. ");
        assert_eq!(ben.text(note).await, "One. Draft. More. ");
        assert_eq!(amina.client.status().await.unwrap().spaces[0].delivery.drafts, 0);
        site.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_draft_that_only_the_backup_has_is_taken_up() {
    watched(async {
        let Story { mut site, ben, mut amina, note } = story().await;
        amina.write(note, 5, "Only here. ").await;
        amina.client.backup(&amina.beside("backup")).await.unwrap();
        lose_and_restore(&mut amina, "backup").await;
        assert_eq!(amina.client.status().await.unwrap().spaces[0].delivery.drafts, 1, "it waits for the first contact");
        for _ in 0..2 {
            amina.sync().await;
            ben.sync().await;
        }
        assert_eq!(ben.text(note).await, "One. Only here. ");
        assert_eq!(amina.text(note).await, "One. Only here. ");
        site.stop().await;
    })
    .await;
}
