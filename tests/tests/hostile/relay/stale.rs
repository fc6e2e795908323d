//! The relay shows an old state of itself, under the same identity.

use alliance_tests::hostile::meet;
use alliance_tests::relay::watched;

use super::scene::{Scene, delivery, write};

#[tokio::test]
async fn what_a_relay_forgot_is_told_and_sent_again() {
    watched(async {
        let scene = Scene::new(2).await;
        let old = scene.relay.image();
        write(&scene.amina, scene.notes[0], "Two. ").await;
        let report = scene.amina.sync().await;
        assert_eq!(report.lost, 0, "{report:?}");
        assert!(delivery(&scene.amina, scene.spaces[0]).await.on_relay);
        let whole = scene.relay.hashes(0, scene.spaces[0]).await;
        assert!(scene.relay.hashes(old, scene.spaces[0]).await.len() < whole.len());

        // Put back to before, with its marker: nothing but what it holds differs.
        scene.relay.show_all(&scene.devices(), old);
        let report = scene.ben.sync().await;
        assert_eq!(report.lost, 0, "what Ben wrote is there: {report:?}");
        scene.assert_same_but_for_ben().await;
        let report = scene.amina.sync().await;
        assert_eq!(report.lost, 1, "the one space, and not the other: {report:?}");
        assert!(delivery(&scene.amina, scene.spaces[0]).await.on_relay, "and now it is there again");
        assert_eq!(scene.relay.hashes(old, scene.spaces[0]).await, whole);
        // Told once: from here on the relay is as it says.
        assert_eq!(scene.amina.sync().await.lost, 0);
        scene.round().await;
        scene.assert_same(&["One. Two. ", "One. "]).await;
    })
    .await;
}

#[tokio::test]
async fn whoever_is_shown_an_old_state_for_good_sees_nothing_false_and_gets_the_rest_directly() {
    watched(async {
        let scene = Scene::new(2).await;
        let old = scene.relay.image();
        scene.relay.show(scene.devices()[0], old);
        write(&scene.amina, scene.notes[0], "Two. ").await;
        scene.amina.sync().await;
        scene.ben.sync().await;
        // A relay that withholds everything from one person is not noticed by that person alone.
        assert_eq!(scene.ben.text(scene.notes[0]).await, "One. ");
        let seen = delivery(&scene.amina, scene.spaces[0]).await;
        assert!(seen.on_relay, "it is there");
        assert_eq!((seen.on_devices, seen.of_devices), (0, 1), "but on nobody's device, whatever the relay says");
        // The other space goes on both ways, since nothing of it is withheld that is written on the old face.
        write(&scene.ben, scene.notes[1], "Ben. ").await;
        scene.ben.sync().await;

        let report = meet(&scene.ben.client, &scene.amina.client).await;
        assert_eq!((report.forks, report.diverged), (0, 0), "{report:?}");
        scene.assert_same(&["One. Two. ", "One. Ben. "]).await;
        assert_eq!(delivery(&scene.amina, scene.spaces[0]).await.on_devices, 1);
    })
    .await;
}

impl Scene {
    /// What the old state does not have, Ben does not show, and nothing else is missing.
    async fn assert_same_but_for_ben(&self) {
        assert_eq!(self.ben.text(self.notes[0]).await, "One. ");
        assert_eq!(self.amina.text(self.notes[0]).await, "One. Two. ");
        assert_eq!(self.ben.text(self.notes[1]).await, "One. ");
    }
}
