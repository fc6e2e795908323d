//! Devices of one person that are put out and come back: what the simulator found, each as a story of its own.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_client::Standing;
use alliance_tests::sim::story::{ASHA, BEN, LAPTOP, Story, story};

async fn shown(story: &Story, device: usize) -> String {
    serde_json::to_string(&story.world.client(device).view(story.note).await.unwrap().view).unwrap()
}

/// Ben's phone suspends his laptop, and Asha and the relay hear of it.
async fn suspended(story: &mut Story) -> String {
    let laptop = story.world.nodes[LAPTOP].key.to_string();
    story.world.client(BEN).suspend_device(&laptop).await.unwrap();
    story.sync(BEN).await;
    story.sync(ASHA).await;
    let out = story.world.client(ASHA).devices_put_out(story.space).await.unwrap();
    assert_eq!(out.len(), 1, "the control: Asha knows it: {out:?}");
    laptop
}

/// A device that is back dialled somebody who had not heard so. It showed by the membership that it is in, and took the
/// acknowledgement of that for one of what it had not sent: the connection broke, at every meeting.
#[test]
fn who_is_back_tells_those_who_have_not_heard() {
    story(|mut story| async move {
        let laptop = suspended(&mut story).await;
        story.world.client(BEN).restore_device(&laptop, &story.words).await.unwrap();
        story.world.sync(LAPTOP, BEN).await.unwrap();
        let view = story.world.client(LAPTOP).space(story.space).await.unwrap();
        assert_eq!(view.standing, Standing::Member, "the control: the laptop has heard");
        story.write(LAPTOP, "Back. ").await;
        let report = story.world.sync(LAPTOP, ASHA).await.unwrap();
        assert!(report.settled && report.diverged == 0, "{report:?}");
        // The new key has not come to the laptop yet.
        for other in [BEN, ASHA] {
            story.world.sync(LAPTOP, other).await.unwrap();
        }
        assert!(shown(&story, ASHA).await.contains("Back. "));
    });
}

/// On a line that somebody else made, a device that was put out of everything was turned away, and could not hand over
/// what it had written.
#[test]
fn who_was_put_out_hands_over_to_whoever_is_met() {
    story(|mut story| async move {
        suspended(&mut story).await;
        story.write(LAPTOP, "Unsent. ").await;
        let report = story.world.sync(LAPTOP, ASHA).await.unwrap();
        assert_eq!(report.refused, ["REVOKED", "REVOKED"], "both spaces: {report:?}");
        let locked = story.world.client(LAPTOP).view(story.note).await.unwrap_err();
        assert_eq!(locked.code(), "DEVICE_SUSPENDED");
        assert!(!shown(&story, ASHA).await.contains("Unsent. "), "nobody shows it");
        let offered = story.world.client(ASHA).offered(story.space).await.unwrap();
        assert_eq!(offered.len(), 1, "and it is offered");
    });
}
