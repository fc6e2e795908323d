//! A store that was copied with its marker, as a whole disk's backup does: both copies write on under one incarnation,
//! and their log forks.

use alliance_client::Client;
use alliance_tests::hostile::{PASSPHRASE, options};
use alliance_tests::relay::watched;

use super::scene::{Scene, copy_folder, state, sync, text, write};

#[tokio::test]
async fn two_copies_of_a_store_write_and_nothing_is_lost() {
    watched(async {
        let mut scene = Scene::new(1).await;
        write(&scene.ben, scene.note, "Ben: ").await;
        scene.honest_round().await;
        scene.ben.close().await.unwrap();
        let place = |name: &str| scene.folder.path().join(name);
        copy_folder(&place("ben"), &place("copy"));
        let first = Client::open(&place("ben"), PASSPHRASE, options()).await.unwrap();
        let second = Client::open(&place("copy"), PASSPHRASE, options()).await.unwrap();
        assert_eq!(first.whoami().incarnation, second.whoami().incarnation, "the copy does not know that it is one");
        write(&first, scene.note, "first ").await;
        write(&second, scene.note, "second ").await;
        // Three rounds: the fork is found by whoever comes second, and all hear of it.
        for _ in 0..3 {
            for client in [&first, &second, &scene.amina] {
                sync(client).await;
            }
        }
        let shown = text(&scene.amina, scene.note).await;
        let (one, other) = (shown.contains("first "), shown.contains("second "));
        assert!(one != other, "one branch is shown: {shown}");
        for client in [&scene.amina, &first, &second] {
            assert_eq!(text(client, scene.note).await, shown);
            assert_eq!(client.status().await.unwrap().spaces[0].forks, 1);
            // The other branch lies there as it was written, for a person to decide.
            let parked = client.view(scene.note).await.unwrap().parked;
            assert_eq!((parked.len(), parked[0].code.as_str(), parked[0].entries), (1, "COPIED_DEVICE", 1));
        }
        assert_eq!(state(&scene.amina).await, state(&first).await);
        assert_eq!(state(&first).await, state(&second).await);
        // What is not shown is not found.
        let hidden = if one { "second" } else { "first" };
        for client in [&scene.amina, &first, &second] {
            let found = async |word: &str| client.search(word, None, None, 0, 10).await.unwrap().hits.len();
            let shown = if one { "first" } else { "second" };
            assert_eq!((found(shown).await, found(hidden).await), (1, 0), "{hidden} is not shown");
            assert_eq!(client.search(shown, None, None, 0, 10).await.unwrap().not_searched, 0);
        }
        // The history tells whose it is, and does not show it as a state.
        let versions = scene.amina.history(scene.note, 0, 10).await.unwrap().versions;
        let kept: Vec<_> = versions.iter().filter(|version| version.not_shown.is_some()).collect();
        let found = (kept.len(), kept[0].by.as_str(), kept[0].not_shown.as_deref());
        assert_eq!(found, (1, "Ben", Some("COPIED_DEVICE")));
        let refused = scene.amina.view_version(scene.note, &kept[0].version).await.unwrap_err();
        assert_eq!(refused.code(), "VERSION_NOT_SHOWN");
        // Everybody writes on, each copy under an incarnation of its own from now on.
        write(&scene.amina, scene.note, "and on ").await;
        write(&first, scene.note, "one ").await;
        write(&second, scene.note, "two ").await;
        assert_ne!(first.whoami().incarnation, second.whoami().incarnation);
        for _ in 0..2 {
            for client in [&first, &second, &scene.amina] {
                sync(client).await;
            }
        }
        sync(&first).await;
        let shown = text(&scene.amina, scene.note).await;
        assert!(["and on ", "one ", "two "].iter().all(|written| shown.contains(written)), "{shown}");
        for client in [&first, &second] {
            assert_eq!(text(client, scene.note).await, shown);
            assert_eq!(client.status().await.unwrap().spaces[0].forks, 1, "no further fork");
            assert_eq!(client.view(scene.note).await.unwrap().parked.len(), 1, "and nothing else is kept back");
        }
        scene.site.stop().await;
    })
    .await;
}
