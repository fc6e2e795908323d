//! A device's store was copied, marker and all, and both go on: what the simulator found, each as a story of its own.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_tests::sim::disk::copy_files;
use alliance_tests::sim::node::Node;
use alliance_tests::sim::story::{ASHA, BEN, CHLOE, Story, story};

/// A second process on a copy of what the first wrote: the same device, the same incarnation.
async fn copy_of_asha(story: &mut Story) -> usize {
    let copy = story.world.nodes.len();
    let mut node = Node::new(copy, false, 9, &story.world.common);
    let folder = node.next_folder();
    copy_files(&story.world.nodes[ASHA].folder, &folder).unwrap();
    node.start(&folder, false).await;
    assert_eq!(node.key, story.world.nodes[ASHA].key, "the control: the same device");
    story.world.nodes.push(node);
    copy
}

/// The note as a device shows it, with what it keeps and does not show.
async fn shown(story: &Story, device: usize) -> String {
    let view = story.world.client(device).view(story.note).await.unwrap();
    let kept: Vec<String> = view.parked.iter().map(|kept| format!("{} of {}", kept.code, kept.by)).collect();
    format!("{} {kept:?}", serde_json::to_string(&view.view).unwrap())
}

/// Two copies of a store went on with one draft. One sealed it, and the other took its own, shorter one for a part of
/// that and dropped it, with words that stood nowhere else.
#[test]
fn a_copy_that_seals_a_draft_ends_no_draft_of_its_double() {
    story(|mut story| async move {
        story.write(ASHA, "Both. ").await;
        let copy = copy_of_asha(&mut story).await;
        story.write(copy, "The copy's. ").await;
        story.write(ASHA, "One. ").await;
        story.write(ASHA, "Two. ").await;
        story.sync(ASHA).await;
        story.sync(BEN).await;
        // The copy hears of what was sealed before it seals anything itself: nothing forks.
        story.world.sync(BEN, copy).await.unwrap();
        for device in [copy, copy, BEN] {
            story.sync(device).await;
        }
        let view = shown(&story, BEN).await;
        for written in ["Both. ", "One. ", "Two. ", "The copy's. "] {
            assert!(view.contains(written), "{written}: {view}");
        }
    });
}

/// Two people wrote on the two branches of a fork, and what one of them built on is not shown any more. That one's next
/// change took the number of the one that waits, so that nobody else ever showed what was written from then on.
#[test]
fn who_wrote_on_the_branch_that_lost_is_read_again() {
    story(|mut story| async move {
        let copy = copy_of_asha(&mut story).await;
        story.write(ASHA, "One branch. ").await;
        story.sync(ASHA).await;
        story.sync(CHLOE).await;
        story.write(CHLOE, "Chloe's. ").await;
        story.world.client(CHLOE).seal(story.note).await.unwrap();
        story.write(copy, "Other branch. ").await;
        story.world.sync(copy, BEN).await.unwrap();
        story.write(BEN, "Ben's. ").await;
        for device in [BEN, CHLOE, BEN, CHLOE] {
            story.sync(device).await;
        }
        let (bens, chloes) = (shown(&story, BEN).await, shown(&story, CHLOE).await);
        let (lost, other) = if chloes.contains("Chloe's. ") { (BEN, CHLOE) } else { (CHLOE, BEN) };
        for view in [&bens, &chloes] {
            let shows = [view.contains("Ben's. "), view.contains("Chloe's. ")];
            assert!(shows[0] != shows[1], "the control: one of them is shown: {view}");
            assert!(view.contains("WAITING_FOR_CHANGE"), "the control: the other waits: {view}");
        }
        story.write(lost, "And on. ").await;
        for device in [lost, other] {
            story.sync(device).await;
            let view = shown(&story, device).await;
            assert!(view.contains("And on. "), "{device}: {view}");
        }
        assert_eq!(shown(&story, lost).await, shown(&story, other).await);
    });
}
