//! What is carried for others, to a relay; and what comes from somebody who was put out.

use std::io::Cursor;

use alliance_client::{BundleFor, BundleFrom, Conditions, NewSpace};
use alliance_model::DocumentKind;
use alliance_tests::people::{Met, Person, let_in};
use alliance_tests::relay::{self, Site, open};

use super::support::{bytes_of, holds, take, write};

/// Chidi, who is in none of their spaces, drives to where there is a network: Ben has it from the relay then. A bundle
/// that is not for relays stays where it is.
#[tokio::test]
async fn a_courier_hands_to_the_relay() {
    relay::watched(async {
        let met = Met::over_a_note("First. ").await;
        let Met { site, ben, amina, space, note } = &met;
        let chidi = Person::new("Chidi").await;
        chidi.client.add_relay(&site.address().to_string(), None).await.unwrap();
        amina.write(*note, 0, "By car. ").await;
        for relays in [false, true] {
            let plan = amina.client.plan_bundle(BundleFor::Space(*space), BundleFrom::Receipts, relays).await.unwrap();
            assert_eq!(plan.for_relays, relays);
            let bundle = bytes_of(amina, plan).await;
            let carried = chidi.client.carry_bundle(Cursor::new(bundle.clone())).await.unwrap();
            assert_eq!(carried.for_relays, relays);
            assert!(!holds(&bundle, &space.0), "a finder who does not know the relay reads no space");
            for metered in [true, false] {
                // What she carries waits for a network that nobody pays for.
                chidi.client.set_conditions(Conditions { metered, ..Conditions::default() });
                chidi.sync().await;
                ben.sync().await;
                assert_eq!(ben.text(*note).await.contains("By car. "), relays && !metered);
            }
            let (first, second) = (chidi.sync().await, chidi.sync().await);
            assert!(first.bytes_up.max(second.bytes_up) < 500, "handed over is handed over: {first:?} {second:?}");
        }
        assert!(chidi.client.spaces().await.unwrap().is_empty(), "it is none of hers");
        // Amina comes back to the network: nothing is there twice.
        amina.sync().await;
        ben.sync().await;
        assert_eq!(ben.text(*note).await, "By car. First. ");
    })
    .await;
}

/// Who was put out brings nothing by a file; before, the same person's file was taken.
#[tokio::test]
async fn who_was_put_out_brings_nothing_by_file() {
    relay::watched(async {
        let site = Site::start(open).await;
        let [amina, ben] = [Person::new("Amina").await, Person::new("Ben").await];
        amina.client.add_relay(&site.address().to_string(), None).await.unwrap();
        let space = amina.client.create_space("A group", NewSpace::Group).await.unwrap().space;
        let_in(&amina, &ben, &[space]).await;
        let note = ben.client.create_document(space, DocumentKind::Note).await.unwrap();
        ben.write(note, 0, "Then. ").await;
        let before = write(&ben, "Amina", BundleFrom::Receipts).await;
        assert!(take(&amina, &before).await.unwrap().new > 0);
        amina.client.remove_member(space, "Ben").await.unwrap();
        ben.write(note, 0, "Now. ").await;
        let after = write(&ben, "Amina", BundleFrom::Receipts).await;
        let report = take(&amina, &after).await.unwrap();
        assert_eq!(
            (report.new, report.waiting, report.refused.as_slice()),
            (0, 0, &["REVOKED".to_owned()][..]),
            "{report:?}"
        );
        assert_eq!(amina.text(note).await, "Then. ");
    })
    .await;
}
