//! The relay leaves out what came last in a log, and says that this was all.

use alliance_tests::hostile::meet;
use alliance_tests::hostile::relay::Bend;
use alliance_tests::relay::watched;
use alliance_wire::{DeviceKey, Frame, Stream};

use super::scene::{Scene, meet_relay, write};

/// Leaves out every run of a device's data logs that begins behind a number.
fn hide(of: DeviceKey, behind: u64) -> impl FnMut(DeviceKey) -> Bend + Send + 'static {
    move |_| {
        let mut logs = Vec::new();
        Box::new(move |frame| {
            if let Frame::Log { name, .. } = &frame {
                logs.push(name.device == of && name.stream == Stream::Data);
            }
            match &frame {
                Frame::Run(run) if logs[run.log as usize] && run.first > behind => Vec::new(),
                _ => vec![frame],
            }
        })
    }
}

#[tokio::test]
async fn a_hidden_suffix_is_told_and_comes_from_whoever_has_it() {
    watched(async {
        let scene = Scene::new(2).await;
        let amina = scene.devices()[1];
        write(&scene.amina, scene.notes[0], "Two. ").await;
        scene.amina.sync().await;
        scene.relay.bend(hide(amina, 1));
        let met = meet_relay(&scene.ben).await;
        println!("{met:?}");
        let report = met.unwrap();
        assert!(!report.settled && report.diverged > 0, "the digests differ, and that is told: {report:?}");
        assert_eq!((report.forks, report.refused.len()), (0, 0), "{report:?}");
        assert_eq!(scene.ben.text(scene.notes[0]).await, "One. ", "nothing is shown behind a gap");
        assert_eq!(scene.ben.text(scene.notes[1]).await, "One. ");
        // What Ben writes meanwhile goes its way, in the other space and in this one.
        for note in &scene.notes {
            write(&scene.ben, *note, "Ben. ").await;
        }
        let _ = meet_relay(&scene.ben).await;
        assert_eq!(scene.ben.text(scene.notes[0]).await, "One. Ben. ");

        let report = meet(&scene.ben.client, &scene.amina.client).await;
        assert_eq!((report.forks, report.diverged), (0, 0), "{report:?}");
        let shown = scene.amina.text(scene.notes[0]).await;
        assert!(shown.contains("Two. ") && shown.contains("Ben. "), "{shown}");
        // And where the relay is honest again, it has everything, too.
        scene.relay.straighten();
        scene.round().await;
        scene.assert_same(&[&shown, "One. Ben. "]).await;
    })
    .await;
}
