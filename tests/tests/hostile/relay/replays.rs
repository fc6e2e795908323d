//! The relay sends again what it sent before: within a connection, and on a later one.

use std::sync::{Arc, Mutex};

use alliance_tests::relay::watched;
use alliance_wire::Frame;

use super::scene::{Scene, meet_relay, write};

#[tokio::test]
async fn entries_that_come_again_change_nothing() {
    watched(async {
        let scene = Scene::new(2).await;
        scene.relay.bend(|_| {
            Box::new(|frame| match &frame {
                // All that brings entries or says how far they go.
                Frame::Run(_) | Frame::Upto { .. } | Frame::Receipt { .. } => vec![frame.clone(), frame.clone(), frame],
                _ => vec![frame],
            })
        });
        write(&scene.amina, scene.notes[0], "Two. ").await;
        scene.amina.sync().await;
        let report = scene.ben.sync().await;
        assert_eq!((report.forks, report.refused.len(), report.lost), (0, 0, 0), "{report:?}");
        scene.round().await;
        scene.assert_same(&["One. Two. ", "One. "]).await;
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_is_played_again_is_told_and_changes_nothing() {
    watched(async {
        let scene = Scene::new(2).await;
        // What Ben is sent of an entry, to be sent again when there is more.
        let heard: Arc<Mutex<Vec<Frame>>> = Arc::default();
        let (ben, keeps) = (scene.devices()[0], Arc::clone(&heard));
        scene.relay.bend(move |device| {
            let keeps = (device == ben).then(|| Arc::clone(&keeps));
            Box::new(move |frame| {
                if let Some(keeps) = &keeps {
                    keeps.lock().unwrap().push(frame.clone());
                }
                vec![frame]
            })
        });
        write(&scene.amina, scene.notes[0], "Two. ").await;
        scene.amina.sync().await;
        scene.ben.sync().await;
        assert_eq!(scene.ben.text(scene.notes[0]).await, "One. Two. ");
        write(&scene.amina, scene.notes[0], "Three. ").await;
        scene.amina.sync().await;

        let tape = heard.lock().unwrap().clone();
        assert!(tape.iter().any(|frame| matches!(frame, Frame::Run(_))), "{tape:?}");
        scene.relay.bend(move |device| {
            let mut tape = (device == ben).then(|| tape.clone());
            Box::new(move |frame| tape.take().unwrap_or_else(|| vec![frame]))
        });
        let met = meet_relay(&scene.ben).await;
        println!("{met:?}");
        // The relay says what it said when it had not yet confirmed what Ben said then.
        let told = |report: &alliance_client::SyncReport| report.lost > 0 || !report.settled;
        assert!(met.as_ref().is_err() || met.as_ref().is_ok_and(told), "it is told: {met:?}");
        // What it says is old or goes on from there, and nothing is false.
        let shown = scene.ben.text(scene.notes[0]).await;
        assert!(["One. Two. ", "One. Two. Three. "].contains(&shown.as_str()), "{shown}");
        assert_eq!(scene.ben.text(scene.notes[1]).await, "One. ");
        assert_eq!(scene.amina.text(scene.notes[0]).await, "One. Two. Three. ");

        scene.relay.straighten();
        scene.round().await;
        scene.assert_same(&["One. Two. Three. ", "One. "]).await;
    })
    .await;
}
