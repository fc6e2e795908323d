//! What a member may not decide, decided in two ways at once; and a member that fills its log with what is allowed.

use std::collections::BTreeSet;

use alliance_client::Client;
use alliance_crypto::Verified;
use alliance_tests::hostile::Handed;
use alliance_tests::relay::watched;
use alliance_wire::limits;
use alliance_wire::membership::{CutOff, Role};
use alliance_wire::{DeviceKey, HeaderHash, LogId, PersonTag};

use super::scene::{Scene, state, sync, text, write};

/// Who is in the space and as what, as a client shows it.
async fn roles(client: &Client, scene: &Scene) -> Vec<(String, &'static str)> {
    let members = client.space(scene.space).await.unwrap().members;
    let mut roles: Vec<_> = members.into_iter().map(|member| (member.name, member.role)).collect();
    roles.sort();
    roles
}

async fn person(scene: &Scene, device: DeviceKey) -> PersonTag {
    scene.mallory.membership().await.state().person_of(device).unwrap()
}

/// Mallory tells Amina that Ben is out, and Ben that Amina writes no more, under one number of its log.
#[tokio::test]
async fn two_decisions_that_are_none_change_nothing_and_are_told() {
    watched(async {
        let mut scene = Scene::new(6).await;
        let (amina, ben) = (scene.amina.whoami().device, scene.ben.whoami().device);
        let (steward, victim) = (person(&scene, amina).await, person(&scene, ben).await);
        let removes = scene.mallory.by_device(ben, |maker, ends| maker.remove(victim, ends)).await;
        let silences = scene.mallory.by_device(amina, |maker, ends| maker.role(steward, Role::Reader, ends)).await;
        assert_eq!(removes.header().seq, silences.header().seq);
        let before = roles(&scene.amina, &scene).await;
        assert_eq!(before.len(), 3);
        let hand = async |client: &Client, entry: &Verified| {
            let met = scene.mallory.visit(client, |names| Handed::new(entry).frames(names)).await;
            let report = met.theirs.unwrap().unwrap();
            assert!(report.refused.is_empty(), "it is kept, like every entry: {report:?}");
        };
        hand(&scene.amina, &removes).await;
        hand(&scene.ben, &silences).await;
        for client in [&scene.amina, &scene.ben] {
            assert_eq!(roles(client, &scene).await, before);
        }
        write(&scene.amina, scene.note, "Amina. ").await;
        write(&scene.ben, scene.note, "Ben. ").await;
        for _ in 0..2 {
            sync(&scene.amina).await;
            sync(&scene.ben).await;
        }
        for client in [&scene.amina, &scene.ben] {
            assert_eq!(roles(client, &scene).await, before);
            assert_eq!(client.status().await.unwrap().spaces[0].forks, 1, "whose log says two things is told");
            let shown = text(client, scene.note).await;
            assert!(shown.contains("Amina. ") && shown.contains("Ben. "), "{shown}");
            assert!(client.view(scene.note).await.unwrap().parked.is_empty());
        }
        // The control: the same decision of the one whose it is.
        scene.amina.remove_member(scene.space, "Mallory").await.unwrap();
        sync(&scene.amina).await;
        sync(&scene.ben).await;
        for client in [&scene.amina, &scene.ben] {
            assert_eq!(roles(client, &scene).await.len(), 2);
        }
        scene.site.stop().await;
    })
    .await;
}

/// A writer may admit entries, as many as it likes; its device's allowance ends that for everybody.
#[tokio::test]
async fn a_flood_of_membership_ends_at_the_allowance_and_is_named() {
    watched(async {
        let mut scene = Scene::new(7).await;
        let own = scene.mallory.key;
        let person = person(&scene, own).await;
        let mut bytes = 0;
        let mut n = 0;
        let last = loop {
            n += 1;
            let entries: BTreeSet<CutOff> = (1..=limits::ADMITTED_MAX as u64)
                .map(|seq| CutOff { log: LogId([n; 20]), seq, hash: HeaderHash([n; 32]) })
                .collect();
            let entry = scene.mallory.by_device(own, |maker, _| maker.admit(person, entries)).await;
            bytes += entry.payload().unwrap().len();
            if bytes > limits::MEMBERSHIP_BYTES_PER_DEVICE_MAX {
                break entry;
            }
            scene.mallory.store(vec![entry]).await;
        };
        println!("{n} entries of {} bytes", last.payload().unwrap().len());
        // Up to there everybody takes it: that is the control.
        let met = scene.mallory.visit(&scene.amina, |_| Vec::new()).await;
        assert!(met.settled && met.refused.is_empty(), "{met:?}");
        let met = scene.mallory.visit(&scene.amina, |names| Handed::new(&last).frames(names)).await;
        let report = met.theirs.unwrap().unwrap();
        assert_eq!((report.refused, report.received), (vec!["TOO_MANY".to_owned()], 0));
        // The others go on: through the relay, which has the same limit, and with what was taken.
        write(&scene.amina, scene.note, "Amina. ").await;
        sync(&scene.amina).await;
        sync(&scene.ben).await;
        write(&scene.ben, scene.note, "Ben. ").await;
        sync(&scene.ben).await;
        sync(&scene.amina).await;
        assert_eq!(state(&scene.amina).await, state(&scene.ben).await);
        let shown = text(&scene.amina, scene.note).await;
        assert!(shown.contains("Amina. ") && shown.contains("Ben. "), "{shown}");
        scene.site.stop().await;
    })
    .await;
}
