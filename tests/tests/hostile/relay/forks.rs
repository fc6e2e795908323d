//! A device writes two histories, and the relay shows one to each of two people.

use alliance_client::Client;
use alliance_model::DocumentKind;
use alliance_tests::hostile::{PASSPHRASE, meet, options};
use alliance_tests::people::{Person, let_in};
use alliance_tests::relay::watched;

use super::scene::{Scene, status, write};

#[tokio::test]
async fn two_histories_come_to_light_when_their_readers_meet() {
    watched(async {
        let scene = Scene::new(1).await;
        let (space, note) = (scene.spaces[0], scene.notes[0]);
        let carla = Person::new("Carla").await;
        let group = scene.ben.client.create_space("Group", alliance_client::NewSpace::Group).await.unwrap().space;
        let_in(&scene.ben, &scene.amina, &[group]).await;
        let_in(&scene.ben, &carla, &[group]).await;
        let shared = scene.ben.client.create_document(group, DocumentKind::Note).await.unwrap();
        write(&scene.ben, shared, "One. ").await;
        for person in [&scene.ben, &scene.amina, &carla, &scene.ben] {
            person.sync().await;
        }
        assert_eq!(carla.text(shared).await, "One. ", "an honest relay brings it");

        // Ben's device equivocates: two copies of its store write on under one incarnation.
        let ben = scene.devices()[0];
        scene.ben.client.close().await.unwrap();
        let copy = scene.ben.beside("copy");
        std::fs::create_dir(&copy).unwrap();
        for file in std::fs::read_dir(scene.ben.store()).unwrap().map(Result::unwrap) {
            std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
        let other = scene.relay.image();
        scene.relay.show(carla.client.whoami().device, other);
        for (store, text, face) in [(scene.ben.store(), "To Amina. ", 0), (copy, "To Carla. ", other)] {
            scene.relay.show(ben, face);
            let client = Client::open(&store, PASSPHRASE, options()).await.unwrap();
            client.command(shared, None, alliance_tests::people::insert(5, text)).await.unwrap();
            client.sync_once(alliance_tests::people::hear).await.unwrap();
            client.close().await.unwrap();
        }
        for (person, text) in [(&scene.amina, "One. To Amina. "), (&carla, "One. To Carla. ")] {
            let report = person.sync().await;
            assert_eq!((report.forks, report.refused.len()), (0, 0), "each history is whole: {report:?}");
            assert_eq!(person.text(shared).await, text, "what was signed, and nothing else");
            assert_eq!(status(person, group).await.forks, 0);
        }

        let report = meet(&scene.amina.client, &carla.client).await;
        assert!(report.forks > 0, "it is told: {report:?}");
        let shown = scene.amina.text(shared).await;
        assert!(["One. To Amina. ", "One. To Carla. "].contains(&shown.as_str()), "one history is shown: {shown}");
        for person in [&scene.amina, &carla] {
            assert_eq!(person.text(shared).await, shown, "the same to both");
            assert_eq!(status(person, group).await.forks, 1);
            let parked = person.client.view(shared).await.unwrap().parked;
            assert_eq!((parked.len(), parked[0].code.as_str(), parked[0].by.as_str()), (1, "COPIED_DEVICE", "Ben"));
        }
        // The space that nobody forked is as it was.
        assert_eq!((status(&scene.amina, space).await.forks, scene.amina.text(note).await.as_str()), (0, "One. "));
        // From here on the relay can be honest or not: both have the same, and go on.
        write(&carla, shared, "On. ").await;
        meet(&scene.amina.client, &carla.client).await;
        assert_eq!(scene.amina.text(shared).await, carla.text(shared).await);
    })
    .await;
}
