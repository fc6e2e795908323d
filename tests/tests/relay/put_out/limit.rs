//! A replica takes so much of a device that is out, and no more.

use alliance_net::EarlyData;
use alliance_tests::random::Random;
use alliance_tests::relay::{Pair, Site, open, watched};
use alliance_tests::world::World;
use alliance_wire::membership::{Operation, Stop};
use alliance_wire::{Incarnation, SignerKey, SpaceId, limits};

/// What one of the entries below counts for: payload, header and suffix.
const ENTRY: u64 = 60 * 1024 + 196 + 21;

/// The second device of a pair writes so many entries of 60 KiB, and the relay hears that it is lost.
async fn lost_with(seed: u64, site: &Site, entries: u8) -> Pair {
    println!("seed {seed}");
    let mut pair = Pair::new(seed, site, |_| None).await;
    for device in [0, 1, 0] {
        assert!(pair.devices[device].visit(&site.address()).await.settled());
    }
    pair.devices[1].expected.clear();
    for number in 0..entries {
        pair.write(1, &vec![number; 60 * 1024]).await;
    }
    let membership = pair.devices[0].spaces.membership(pair.world.space).await.unwrap().unwrap();
    let person = membership.state().person_of(pair.devices[1].key()).unwrap();
    let parents = membership.heads();
    let ending = World::ending(membership.generation_after(&parents), &mut Random::new(seed));
    let lost = Operation::Lost(Stop { target: SignerKey::from(pair.devices[1].key()), ending });
    let words = &pair.writers[1].recovery;
    let lost = pair.world.by_key(words, Incarnation([7; 16]), None, (person, parents), lost);
    pair.devices[0].store([lost]).await;
    assert!(pair.devices[0].visit(&site.address()).await.settled());
    pair
}

async fn taken(site: &Site, space: SpaceId, before: usize) -> u64 {
    (site.hashes(space).await.len() - before) as u64
}

#[tokio::test]
async fn a_relay_takes_one_mebibyte_of_a_lost_device_and_no_more() {
    watched(async {
        // The control: below the limit everything is taken and acknowledged.
        let site = Site::start(open).await;
        let pair = lost_with(1, &site, 10).await;
        let before = site.hashes(pair.world.space).await.len();
        let visit = pair.devices[1].visit(&site.address()).await;
        assert!(visit.settled() && visit.refusals() == ["REVOKED"], "{visit:?}");
        // Its tickets are gone, and there are no new ones; a member speaks in its first packet.
        assert_eq!(visit.early, EarlyData::Rejected);
        assert_eq!(pair.devices[0].visit(&site.address()).await.early, EarlyData::Accepted);
        assert_eq!(taken(&site, pair.world.space, before).await, 10);
        let idle = pair.devices[1].visit(&site.address()).await;
        assert!(idle.settled() && idle.frame_bytes <= 200, "{idle:?}");
        // Above it, so many, whatever it comes back with, and after a restart.
        let mut site = Site::start(open).await;
        let mut pair = lost_with(2, &site, 25).await;
        let space = pair.world.space;
        let before = site.hashes(space).await.len();
        let visit = pair.devices[1].visit(&site.address()).await;
        assert!(visit.settled() && visit.refusals().contains(&"RELAY_QUOTA"), "{visit:?}");
        let most = limits::HANDED_BYTES_MAX / ENTRY;
        assert_eq!(taken(&site, space, before).await, most);
        site.stop().await;
        site.open(open).await;
        pair.write(1, b"a small one more, behind those").await;
        for _ in 0..3 {
            let visit = pair.devices[1].visit(&site.address()).await;
            assert!(visit.settled() && visit.refusals().contains(&"RELAY_QUOTA"), "{visit:?}");
        }
        assert_eq!(taken(&site, space, before).await, most);
        // A member gets what was taken, and nobody else's space has less room.
        assert!(pair.devices[0].visit(&site.address()).await.settled());
        assert_eq!(pair.devices[0].hashes(space).await, site.hashes(space).await);
    })
    .await;
}
