//! Suspended and restored; lost; removed; from one device to another.

use alliance_client::Standing;
use alliance_model::DocumentKind;
use alliance_store::{Fresh, Replica as _};
use alliance_tests::hostile::{meet, open_store};
use alliance_tests::relay::watched;
use alliance_wire::{Incarnation, Instance, SignerKey};

use super::scene::{SHARED, Scene, code, kept, sync, text, type_in, write};

/// Suspended by its person's words, a device hears of it at its next contact, hands over what it had written, locks the
/// space and destroys nothing. Its words let it in again.
#[tokio::test]
async fn a_suspended_device_hands_over_and_locks_the_space_until_it_is_restored() {
    watched(async {
        let mut scene = Scene::new(1).await;
        let (space, note, target) = (scene.space, scene.note, scene.amina.whoami().device);
        // Written while nobody could be reached: one entry that is sealed, and a draft.
        write(&scene.amina, note, "sealed. ").await;
        type_in(&scene.amina, note, "typed. ").await;
        scene.by_words(|maker, person, ends| maker.suspend(person, SignerKey::from(target), ends)).await;
        assert_eq!(scene.amina.space(space).await.unwrap().standing, Standing::Member, "nobody told it yet");
        sync(&scene.amina).await;
        let view = scene.amina.space(space).await.unwrap();
        assert_eq!((view.standing, view.handed_over), (Standing::Suspended, Some(true)));
        let client = &scene.amina;
        assert_eq!(code(client.view(note).await), "DEVICE_SUSPENDED");
        assert_eq!(code(client.documents(Some(space), None, None, 0, 10).await), "DEVICE_SUSPENDED");
        assert_eq!(code(client.create_document(space, DocumentKind::Note).await), "DEVICE_SUSPENDED");
        assert_eq!(code(client.history(note, 0, 10).await), "DEVICE_SUSPENDED");
        assert_eq!(code(client.export(Some(space)).await), "DEVICE_SUSPENDED");
        assert_eq!(client.search("week", None, None, 0, 10).await.unwrap().hits.len(), 0);
        // Other spaces are as they were.
        assert_eq!(client.documents(None, None, None, 0, 10).await.unwrap().len(), 1);
        assert_eq!(text(client, scene.own_note).await, "nobody else's");
        // The others see that it wrote before it was put out, and decide.
        sync(&scene.ben).await;
        assert_eq!(text(&scene.ben, note).await, SHARED);
        assert_eq!(kept(&scene.ben, space).await, 2);
        // From here on it asks nobody any more.
        sync(&scene.amina).await;
        let idle = sync(&scene.amina).await;
        assert!(idle.bytes_up + idle.bytes_down <= 140, "{idle:?}");
        scene.reopen().await;
        assert_eq!(code(scene.amina.view(note).await), "DEVICE_SUSPENDED");
        // Restored: everything is there, and it writes on. What lies above the cut-off is offered here as everywhere.
        scene.by_words(|maker, person, _| maker.restore(person, SignerKey::from(target))).await;
        sync(&scene.amina).await;
        // Somebody seals the key to it that was made without it.
        sync(&scene.ben).await;
        sync(&scene.amina).await;
        assert_eq!(scene.amina.space(space).await.unwrap().standing, Standing::Member);
        assert_eq!(text(&scene.amina, note).await, SHARED);
        let offered = scene.amina.offered(space).await.unwrap();
        let ids: Vec<&str> = offered.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(ids.len(), 2, "{offered:?}");
        scene.amina.admit(space, &ids).await.unwrap();
        sync(&scene.amina).await;
        sync(&scene.ben).await;
        for client in [&scene.amina, &scene.ben] {
            assert_eq!(text(client, note).await, format!("typed. sealed. {SHARED}"));
        }
        let new = scene.amina.create_document(space, DocumentKind::Note).await.unwrap();
        write(&scene.amina, new, "back again").await;
        sync(&scene.amina).await;
        sync(&scene.ben).await;
        assert_eq!(text(&scene.ben, new).await, "back again");
    })
    .await;
}

/// Lost by its person's words, a device hands over, signs its last receipt, and lets go of keys and content of that space.
#[tokio::test]
async fn a_lost_device_hands_over_and_lets_go_of_keys_and_content() {
    watched(async {
        let mut scene = Scene::new(2).await;
        let (space, note, target) = (scene.space, scene.note, scene.amina.whoami().device);
        write(&scene.amina, note, "sealed. ").await;
        type_in(&scene.amina, note, "typed. ").await;
        scene.by_words(|maker, person, ends| maker.lost(person, SignerKey::from(target), ends)).await;
        // Until it comes, nobody knows whether it knows.
        let seen = async |scene: &Scene| scene.ben.devices_put_out(space).await.unwrap();
        sync(&scene.ben).await;
        let out = seen(&scene).await;
        assert_eq!((out.len(), out[0].device, out[0].name.as_str()), (1, target, "Amina"));
        assert_eq!((out[0].standing, out[0].confirmed), (Standing::PutOut, false));
        sync(&scene.amina).await;
        let view = scene.amina.space(space).await.unwrap();
        assert_eq!((view.standing, view.handed_over), (Standing::PutOut, Some(true)));
        assert_eq!(code(scene.amina.documents(Some(space), None, None, 0, 10).await), "DEVICE_PUT_OUT");
        assert_eq!(text(&scene.amina, scene.own_note).await, "nobody else's");
        sync(&scene.ben).await;
        assert_eq!(kept(&scene.ben, space).await, 2);
        // Its last receipt says that it knows.
        assert!(seen(&scene).await[0].confirmed);
        let membership = scene.courier.membership().await;
        let receipts = scene.ben.replica().receipts(space).await.unwrap();
        let last = receipts.iter().map(|it| it.parse().unwrap()).find(|receipt| receipt.device == target).unwrap();
        assert!(!membership.state_at(&last.heads).unwrap().is_active(target));
        // What is left in its store of that space: membership, and headers.
        scene.amina.close().await.unwrap();
        let fresh = Fresh { incarnation: Incarnation([1; 16]), instance: Instance([2; 16]) };
        let (device, _) = open_store(&scene.place("Amina"), fresh);
        for (of, gone) in [(space, true), (scene.own, false)] {
            assert_eq!(device.epoch_keys(of).await.unwrap().is_empty(), gone);
            assert_eq!(device.document_ids(of).await.unwrap().is_empty(), gone);
            assert_eq!(device.replica().missing(of, 1_000).await.unwrap().is_empty(), !gone);
        }
        assert!(device.drafts().await.unwrap().is_empty());
        let data = scene.courier.data_entries().await;
        let missing = device.replica().missing(space, 1_000).await.unwrap();
        assert!(data > 0 && missing.len() as u64 >= data, "{missing:?} of {data}");
        device.close();
    })
    .await;
}

/// Without a relay a device hears of it from another one, and gives it what it had written. Removed, it lets go of keys
/// and content, also where it is closed before it could hand anything over.
#[tokio::test]
async fn a_removed_device_hears_of_it_from_another_device() {
    watched(async {
        let mut scene = Scene::new(6).await;
        let (space, note) = (scene.space, scene.note);
        write(&scene.amina, note, "sealed. ").await;
        scene.remove().await;
        sync(&scene.ben).await;
        assert_eq!(kept(&scene.ben, space).await, 0);
        let report = meet(&scene.ben, &scene.amina).await;
        assert_eq!(report.refused, ["REVOKED"], "{report:?}");
        let view = scene.amina.space(space).await.unwrap();
        assert_eq!((view.standing, view.handed_over), (Standing::PutOut, Some(true)));
        assert_eq!(code(scene.amina.view(note).await), "UNKNOWN_DOCUMENT");
        assert_eq!(code(scene.amina.documents(Some(space), None, None, 0, 10).await), "DEVICE_PUT_OUT");
        assert_eq!(kept(&scene.ben, space).await, 1, "what it had written is with Ben");
        assert_eq!(text(&scene.ben, note).await, SHARED);
        // It asks Ben no more, and is the same after it was opened again.
        scene.reopen().await;
        let idle = meet(&scene.ben, &scene.amina).await;
        // Two proofs of 98 bytes go before the frames.
        assert!(idle.refused.is_empty() && idle.bytes_up + idle.bytes_down <= 200 + 2 * 98, "{idle:?}");
        assert_eq!(scene.amina.space(space).await.unwrap().standing, Standing::PutOut);
        assert_eq!(text(&scene.amina, scene.own_note).await, "nobody else's");
    })
    .await;
}
