//! The simulator's nodes, with a process that ends at every commit of something that must not be half done.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use alliance_client::{Role, Rules};
use alliance_tests::people::insert;
use alliance_tests::sim::disk::copy_files;
use alliance_tests::sim::fixture::{Fixture, RELAY};
use alliance_tests::sim::story::{ASHA, CHLOE, Story};
use alliance_tests::sim::world::{runtime, scratch};

/// What a commit leaves behind where the process ends differs from round to round.
const ROUNDS: u32 = 8;

/// Chloe was a reader for a while and hears that she may write again; her process ends inside commit number `commits`
/// of hearing it, if there are so many. Whether it did, and what Asha is shown in the end.
async fn hears_of_it_and_dies(fixture: &Fixture, round: u32, commits: u32) -> (bool, String) {
    let folder = scratch();
    let mut story = Story::begin(fixture, folder.path(), Rules::ALL).await;
    story.write(CHLOE, "Before. ").await;
    story.sync(CHLOE).await;
    story.sync(ASHA).await;
    let (asha, chloe) = (story.world.client(ASHA), story.world.nodes[CHLOE].key.to_string());
    for role in [Role::Reader, Role::Writer] {
        asha.set_role(story.space, &chloe, role).await.unwrap();
    }
    story.sync(ASHA).await;
    for _ in 0..round {
        // Each looks at the disk, whose random source says how much of the commit is left.
        story.world.client(CHLOE).view(story.note).await.unwrap();
    }
    story.world.nodes[CHLOE].disk.die_in(commits);
    // It ends as it may.
    let _ = story.world.sync(CHLOE, RELAY).await;
    story.world.nodes[CHLOE].disk.live_on();
    let dead = story.world.bury();
    let died = !dead.is_empty();
    for (node, left) in dead {
        let next = story.world.nodes[node].next_folder();
        copy_files(&left, &next).unwrap();
        story.world.nodes[node].start(&next, false).await;
    }
    // If it had not heard of it, it does now.
    story.sync(CHLOE).await;
    let client = story.world.client(CHLOE);
    client.command(story.note, None, insert(0, "Since. ")).await.unwrap();
    for device in [CHLOE, ASHA, CHLOE, ASHA] {
        story.sync(device).await;
    }
    let view = serde_json::to_value(story.world.client(ASHA).view(story.note).await.unwrap().view).unwrap();
    (died, view["sections"][1]["text"]["text"].as_str().unwrap().to_owned())
}

/// A log whose end was named goes on nowhere. A process that ended between hearing so and beginning another wrote on in
/// it, and showed by itself what nobody else did (simulator seed 20114).
#[test]
fn a_writer_again_writes_in_a_new_log_whenever_its_process_ends() {
    let fixture = Fixture::new();
    for round in 0..ROUNDS {
        let mut deaths = 0;
        loop {
            let (died, shown) = runtime().block_on(hears_of_it_and_dies(&fixture, round, deaths));
            assert!(shown.contains("Since. ") && shown.contains("Before. "), "round {round}, commit {deaths}: {shown}");
            if !died {
                break;
            }
            deaths += 1;
            assert!(deaths < 200, "a meeting of more than 200 commits");
        }
        println!("round {round}: the process ended inside {deaths} commits, one after the other");
        assert!(deaths > 3, "too few to prove anything");
    }
}
