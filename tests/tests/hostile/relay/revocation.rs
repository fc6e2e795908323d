//! The relay goes on serving a device that was suspended, and keeps from it that it was.

use alliance_tests::hostile::meet;
use alliance_tests::people::{Person, add_device};
use alliance_tests::relay::watched;

use super::scene::{Scene, status, write};

#[tokio::test]
async fn a_suspended_device_is_cut_off_whoever_serves_it() {
    watched(async {
        let scene = Scene::new(2).await;
        let (space, note) = (scene.spaces[0], scene.notes[0]);
        let phone = Person::new("Amina").await;
        add_device(&scene.amina, &phone).await;
        for _ in 0..3 {
            for person in [&scene.amina, &phone, &scene.ben] {
                person.sync().await;
            }
        }
        write(&phone, note, "Phone. ").await;
        for person in [&phone, &scene.ben, &scene.amina, &phone] {
            person.sync().await;
        }
        assert_eq!(scene.ben.text(note).await, "One. Phone. ", "the phone is one of hers");

        // The phone is served a face that never hears of it, and nobody else is.
        let blind = scene.relay.image();
        let device = phone.client.whoami().device;
        scene.relay.show(device, blind);
        scene.amina.client.suspend_device(&device.to_string()).await.unwrap();
        scene.amina.sync().await;
        scene.ben.sync().await;
        write(&phone, note, "Thief. ").await;
        let report = phone.sync().await;
        assert!(report.settled && report.refused.is_empty(), "the relay serves it: {report:?}");

        // What it wrote comes to the others, by a relay that sees nothing in it.
        scene.relay.carry_data(space, blind, 0).await;
        scene.ben.sync().await;
        scene.amina.sync().await;
        for person in [&scene.ben, &scene.amina] {
            assert_eq!(person.text(note).await, "One. Phone. ", "nothing of it is shown");
            let parked = person.client.view(note).await.unwrap().parked;
            assert_eq!(
                (parked.len(), parked[0].code.as_str(), parked[0].entries),
                (1, "AFTER_CUT_OFF", 1),
                "{parked:?}"
            );
            assert_eq!(status(person, space).await.parked, 1);
        }

        // What the others seal from now on goes to the phone as well, and it cannot open it.
        write(&scene.ben, note, "Secret. ").await;
        scene.ben.sync().await;
        scene.amina.sync().await;
        assert_eq!(scene.amina.text(note).await, "One. Phone. Secret. ");
        scene.relay.carry_data(space, 0, blind).await;
        let report = phone.sync().await;
        assert!(report.received > 0, "it came: {report:?}");
        assert_eq!(phone.text(note).await, "One. Phone. Thief. ", "and nothing of it is read");
        assert!(phone.client.search("Secret", None, None, 0, 10).await.unwrap().hits.is_empty());

        // An honest meeting tells the phone where it stands, and the others go on.
        meet(&scene.ben.client, &phone.client).await;
        assert!(phone.client.view(note).await.is_err(), "the space is locked");
        write(&scene.amina, scene.notes[1], "On. ").await;
        for _ in 0..2 {
            scene.amina.sync().await;
            scene.ben.sync().await;
        }
        assert_eq!(scene.ben.text(scene.notes[1]).await, "One. On. ");
    })
    .await;
}
