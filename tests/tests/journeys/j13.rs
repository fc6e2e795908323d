//! DOMAIN 2.16, J13: one phone, two workers, a forgotten PIN, a leaver.
//!
//! Checks of this journey that belong to the documents of the domain (the closing summary, the new supervisor) are
//! marked *later* in docs/DOMAIN.md, 2.16. That switching takes less than three seconds is a figure of
//! `alliance-bench profiles`.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_client::{Client, NewProfile, NewSpace, ProfileId, Profiles};
use alliance_model::DocumentKind;
use alliance_tests::people::{Person, hear, insert, let_in, options};
use alliance_tests::relay::{self, Site, open};

async fn add(profiles: &Profiles, name: &str, pin: &str) -> (ProfileId, Client, String) {
    let new = NewProfile { nickname: Some(name), name, pin, words: None };
    let (id, client, words) = profiles.add(new).await.unwrap();
    (id, client, words.to_string())
}

async fn finds(client: &Client, word: &str) -> usize {
    client.search(word, None, None, 0, 10).await.unwrap().hits.len()
}

#[tokio::test]
async fn one_phone_two_workers_a_forgotten_pin_and_a_leaver() {
    relay::watched(async {
        let (mut site, folder) = (Site::start(open).await, tempfile::tempdir().unwrap());
        let profiles = Profiles::new(folder.path(), options());
        let (amina_id, amina, _) = add(&profiles, "Amina", "5309").await;
        let (chidi_id, chidi, words) = add(&profiles, "Chidi", "7150").await;
        let ben = Person::new("Ben").await;
        for client in [&amina, &chidi, &ben.client] {
            client.add_relay(&site.address().to_string(), None).await.unwrap();
        }
        let (amina, chidi) = (Person::of(amina), Person::of(chidi));
        let shared = chidi.client.create_space("Chidi and Ben", NewSpace::Pair).await.unwrap().space;
        let_in(&chidi, &ben, &[shared]).await;
        let note = chidi.client.create_document(shared, DocumentKind::Note).await.unwrap();
        let own = amina.client.create_space("Mine", NewSpace::Personal).await.unwrap().space;
        let log = amina.client.create_document(own, DocumentKind::Note).await.unwrap();
        amina.sync().await;
        chidi.sync().await;

        // In airplane mode both write, one after the other; neither finds the other's words.
        site.stop().await;
        chidi.write(note, 0, "The grandmother. ").await;
        chidi.client.close().await.unwrap();
        let again = amina.client.clone();
        again.command(log, None, insert(0, "Afraid of the dog. ")).await.unwrap();
        assert_eq!((finds(&again, "dog").await, finds(&again, "grandmother").await), (1, 0));

        // Chidi forgot her PIN: five wrong ones lock it, her words open it again, and nobody's else do.
        for _ in 0..5 {
            assert_eq!(profiles.unlock(&chidi_id, "0007").await.unwrap_err().code(), "PIN_WRONG");
        }
        assert_eq!(
            profiles.unlock(&chidi_id, "7150").await.unwrap_err().code(),
            "PIN_LOCKED",
            "not even by the right one"
        );
        let foreign = alliance_client::RecoveryWords::generate([13; 32]).to_string();
        assert_eq!(profiles.reset_pin(&chidi_id, &foreign, "8462").await.unwrap_err().code(), "WORDS_WRONG");

        // Before she is back, what she wrote is on its way with Amina.
        site.open(open).await;
        amina.sync().await;
        ben.sync().await;
        assert_eq!(ben.text(note).await, "The grandmother. ");
        profiles.reset_pin(&chidi_id, &words, "8462").await.unwrap();
        let (back, _) = profiles.open(&chidi_id, "8462").await.unwrap();
        assert_eq!((finds(&back, "grandmother").await, finds(&back, "dog").await), (1, 0));
        back.sync_once(hear).await.unwrap();
        back.close().await.unwrap();

        // Amina leaves the programme: her log goes with her as an export, and her profile only once nothing is lost by it.
        again.command(log, None, insert(0, "My last day. ")).await.unwrap();
        let refused = profiles.remove(&amina_id, &again, false).await.unwrap_err();
        assert_eq!(refused.code(), "PROFILE_UNSENT");
        let export = again.export(Some(own)).await.unwrap().to_string();
        assert!(export.contains("My last day. Afraid of the dog. ") && !export.contains("grandmother"));
        again.seal_all().await.unwrap();
        again.sync_once(hear).await.unwrap();
        assert!(profiles.remove(&amina_id, &again, false).await.unwrap().is_empty());
        let left: Vec<_> = profiles.list().await.unwrap().into_iter().filter_map(|view| view.nickname).collect();
        assert_eq!(left, ["Chidi"]);
        let (chidi, _) = profiles.open(&chidi_id, "8462").await.unwrap();
        assert_eq!(finds(&chidi, "grandmother").await, 1, "hers is untouched");
    })
    .await;
}
