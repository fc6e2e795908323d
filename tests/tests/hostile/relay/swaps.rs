//! The relay hands over entries of one space as those of another.

use alliance_tests::hostile::meet;
use alliance_tests::hostile::relay::Bend;
use alliance_tests::relay::watched;
use alliance_wire::{DeviceKey, Frame, SpaceId, Stream};

use super::scene::{Scene, meet_relay, write};

/// Says of each data log of two spaces that it is one of the other space.
fn swap(both: [SpaceId; 2]) -> impl FnMut(DeviceKey) -> Bend + Send + 'static {
    move |_| {
        let (mut named, mut waiting) = (Vec::new(), Vec::new());
        Box::new(move |frame| {
            if let Frame::Space { space } = &frame {
                named.push(*space);
                return vec![frame];
            }
            let number = |space: &SpaceId| named.iter().position(|known| known == space);
            // What comes of one before the other has its number waits for that.
            match both.each_ref().map(number) {
                [None, None] => vec![frame],
                [Some(one), Some(other)] => {
                    waiting.push(frame);
                    let swapped = |frame| exchange(frame, u32::try_from(one).unwrap(), u32::try_from(other).unwrap());
                    waiting.drain(..).map(swapped).collect()
                }
                [Some(_), None] | [None, Some(_)] => {
                    waiting.push(frame);
                    Vec::new()
                }
            }
        })
    }
}

fn exchange(frame: Frame, one: u32, other: u32) -> Frame {
    match frame {
        Frame::Log { space, name } if name.stream == Stream::Data && space == one => Frame::Log { space: other, name },
        Frame::Log { space, name } if name.stream == Stream::Data && space == other => Frame::Log { space: one, name },
        frame => frame,
    }
}

#[tokio::test]
async fn an_entry_is_nothing_in_another_space() {
    watched(async {
        let scene = Scene::new(3).await;
        for (note, text) in scene.notes.iter().zip(["First. ", "Second. ", "Third. "]) {
            write(&scene.amina, *note, text).await;
        }
        scene.amina.sync().await;
        scene.relay.bend(swap([scene.spaces[0], scene.spaces[1]]));
        let met = meet_relay(&scene.ben).await;
        println!("{met:?}");
        match &met {
            Ok(report) => assert!(!report.settled || !report.refused.is_empty() || report.diverged > 0, "{report:?}"),
            Err(code) => assert_eq!(code, "PEER_MISBEHAVED"),
        }
        for note in &scene.notes[..2] {
            assert_eq!(scene.ben.text(*note).await, "One. ", "a signature names its space");
            assert!(scene.ben.client.view(*note).await.unwrap().parked.is_empty());
        }
        let third = scene.ben.text(scene.notes[2]).await;
        println!("the third space shows {third:?}");
        assert!(["One. ", "One. Third. "].contains(&third.as_str()), "{third}");

        let report = meet(&scene.ben.client, &scene.amina.client).await;
        assert_eq!((report.forks, report.diverged, report.refused.len()), (0, 0, 0), "{report:?}");
        scene.relay.straighten();
        scene.round().await;
        scene.assert_same(&["One. First. ", "One. Second. ", "One. Third. "]).await;
    })
    .await;
}
