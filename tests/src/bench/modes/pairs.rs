//! Two devices without a relay, over links as they are in the field: seconds and bytes, beside what the link itself takes
//! for what one lacked.

use std::path::Path;
use std::time::{Duration, Instant};

use alliance_client::{Client, SpaceId};
use alliance_model::DocumentKind;
use serde_json::{Value, json};

use super::Bench;
use crate::bench::notes::Scribe;
use crate::bench::workload::{NOTES, Workload};
use crate::bench::world::{Scale, World, open};
use crate::people::{hear, sealed_entries};
use crate::proxy::{Link, Proxy, Way};

/// A phone's hotspot.
const HOTSPOT: Link = Link { delay: Duration::from_millis(10), ..Link::DIRECT };
/// The second generation of mobile networks at the edge of its reach.
const EDGE: Link =
    Link { delay: Duration::from_millis(300), loss_per_mille: 50, bits_per_second: Some(50_000), ..Link::DIRECT };
/// A village's connection.
const VILLAGE: Link = Link { bits_per_second: Some(1_000_000), ..Link::DIRECT };

/// Sessions of a month, and edits of each one's note.
const SESSIONS: usize = 4;
const EDITS: usize = 15;

impl Bench {
    /// A supervisor meets somebody who wrote for a month: four sessions, sixty edits, each an entry.
    pub(super) async fn pair_month(&self, folder: &Path) -> Value {
        let world = self.one_alliance().await;
        let (ada, ben) = (open(&world.copy_of("ada", folder)).await, open(&world.copy_of("ben", folder)).await);
        for (at, note) in Workload::new(7).docs[NOTES..NOTES + SESSIONS].iter().enumerate() {
            let document = ben.create_document(world.spaces[0], DocumentKind::Note).await.expect("a note");
            let mut scribe = Scribe::new(note, at as u64);
            let mut commands = scribe.begin(&note.base);
            for edit in note.edits.iter().take(EDITS) {
                commands.extend(scribe.edit(edit));
                for command in commands.drain(..) {
                    ben.command(document, None, command).await.expect("the workload's edits fit");
                }
                ben.seal(document).await.expect("the draft is sealed");
            }
        }
        pair(&ben, &ada, &world.spaces, HOTSPOT).await
    }

    /// Somebody who has the space and no note of it meets somebody who has all, on the worst of links.
    pub(super) async fn pair_edge(&self, folder: &Path) -> Value {
        let world = self.one_alliance().await;
        self.pair_from_nothing(&world, folder, EDGE).await
    }

    /// The same with every alliance, on a link that is no worse than others.
    pub(super) async fn pair_village(&self, folder: &Path) -> Value {
        self.pair_from_nothing(&self.world, folder, VILLAGE).await
    }

    async fn pair_from_nothing(&self, world: &World, folder: &Path, link: Link) -> Value {
        let (ada, cleo) = (open(&world.copy_of("ada", folder)).await, open(&world.copy_of("cleo", folder)).await);
        pair(&ada, &cleo, &world.spaces, link).await
    }

    /// A world with the first alliance alone.
    async fn one_alliance(&self) -> World {
        let notes = self.world.documents.len() / self.world.spaces.len().max(1);
        let folder = self.world.folder().join("one");
        World::in_folder(&folder, &Workload::new(7), Scale { alliances: 1, notes }).await
    }
}

/// Sealed bytes of the entries that one has and the other lacks.
async fn lacking(has: &Client, lacks: &Client, spaces: &[SpaceId]) -> (usize, u64) {
    let (mut entries, mut bytes) = (0, 0);
    for space in spaces {
        let there = sealed_entries(lacks, *space).await;
        for (place, sealed) in sealed_entries(has, *space).await {
            if !there.contains_key(&place) {
                (entries, bytes) = (entries + 1, bytes + sealed);
            }
        }
    }
    (entries, bytes)
}

/// One meeting: `dials` meets `listens`, who has what is new.
async fn pair(listens: &Client, dials: &Client, spaces: &[SpaceId], link: Link) -> Value {
    let (entries, lacked) = lacking(listens, dials, spaces).await;
    let listener = listens.listen("127.0.0.1:0").await.expect("a port");
    let proxy = Proxy::start(listener.local_address(), link).expect("a socket");
    let (address, device) = (proxy.address().to_string(), listens.whoami().device);
    let begun = Instant::now();
    // Until the one who dialled has everything and knows that the other has: what the listener takes to close is its own.
    let dialled = async { (dials.sync_with(device, &address, hear).await, begun.elapsed().as_secs_f64()) };
    let (_, (report, seconds)) = tokio::join!(listener.accept_once(hear), dialled);
    let report = report.expect("the dialler is served");
    assert!(report.settled && report.diverged == 0, "{report:?}");
    let counts = proxy.take();
    assert_eq!(lacking(listens, dials, spaces).await.0, 0, "everything came over");
    for client in [listens, dials] {
        client.close().await.expect("the store closes");
    }
    // What was lacking, once, and the round trip without which nobody has asked for it.
    let rate = link.bits_per_second.map_or(0.0, |rate| lacked as f64 * 8.0 / rate as f64);
    let limit = rate + 2.0 * link.delay.as_secs_f64();
    json!({
        "entries": entries,
        "lacked": lacked,
        "protocol": report.bytes_up + report.bytes_down,
        "wire_up": counts.bytes(Way::Up),
        "wire_down": counts.bytes(Way::Down),
        "lost": counts.lost_up + counts.lost_down,
        "wall_s": seconds,
        "limit_s": limit,
    })
}
