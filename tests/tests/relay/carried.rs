//! What a relay takes from the hands of somebody who is in none of its spaces, and what not.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::sync::Arc;

use alliance_crypto::Verified;
use alliance_sync::to_be_carried;
use alliance_tests::relay::{Device, Pair, Site, open, watched};
use alliance_tests::world::{World, Writer};
use alliance_wire::bundle::Carry;
use alliance_wire::membership::Operation;
use alliance_wire::{Frame, SpaceId};

/// Consecutive entries of one log as somebody carries them.
fn carry(entries: &[&Verified]) -> Carry {
    let space = entries[0].space();
    let entries = entries.iter().map(|entry| (Arc::new(entry.name().clone()), entry.entry().clone()));
    to_be_carried(space, entries).remove(0)
}

/// Whatever it brings, the carrier hears the same; what is stored is what an active member signed, in its order.
#[tokio::test]
async fn a_stranger_brings_what_a_member_signed_and_nothing_else() {
    watched(async {
        let site = Site::start(open).await;
        let mut pair = Pair::new(7, &site, |_| None).await;
        let relay = site.address();
        pair.devices[0].visit(&relay).await;
        pair.devices[1].visit(&relay).await;
        let space = pair.world.space;
        let somebody = Writer::new(&mut pair.random);
        let carrier = Device::new(&mut pair.random, &somebody);
        let bring = async |carry: Carry| {
            let before = site.hashes(space).await.len();
            assert_eq!(carrier.ask(&relay, &Frame::Carry(carry)).await, Frame::Carried {});
            site.hashes(space).await.len() - before
        };
        let epoch = pair.world.epoch;
        let mut write = || pair.writers[1].write(space, epoch, b"a payload of some length");
        let [first, second, third, fourth] = [write(), write(), write(), write()];

        // Nothing of these: a gap, a stranger's, a forged one, another space's.
        let mut stranger = Writer::new(&mut pair.random);
        let mut forged = carry(&[&first]);
        forged.entries[0].signature[5] ^= 1;
        let mut elsewhere = carry(&[&first]);
        elsewhere.space = SpaceId([7; 16]);
        let mut tall = carry(&[&first]);
        tall.first = 0;
        let founder = Writer::new(&mut pair.random);
        let unknown = World::new(&mut pair.random, &[founder], None);
        for (what, carried) in [
            ("a gap", carry(&[&second])),
            ("a stranger's", carry(&[&stranger.write(space, epoch, b"let me in")])),
            ("forged", forged),
            ("of an unknown space", elsewhere),
            ("of number 0", tall),
            ("a space that is not here", carry(&[&unknown.membership[0]])),
        ] {
            assert_eq!(bring(carried).await, 0, "{what}");
        }
        // All of these, twice as well.
        assert_eq!(bring(carry(&[&first, &second])).await, 2);
        assert_eq!(bring(carry(&[&first, &second])).await, 0, "they are here");
        assert_eq!(bring(carry(&[&second, &third])).await, 1, "what is new of it");
        // Others hear of it as of everything.
        assert!(pair.devices[0].visit(&relay).await.settled());
        assert_eq!(pair.devices[0].hashes(space).await, site.hashes(space).await);

        // A member that was put out hands over what it has itself, once: nobody brings it.
        let ending = World::ending(2, &mut pair.random);
        let membership = pair.devices[0].spaces.membership(space).await.unwrap().unwrap();
        let person = membership.state().person_of(pair.writers[1].key()).unwrap();
        pair.world.operate(&pair.writers[0], person, Operation::Remove(ending));
        pair.devices[0].store(pair.world.membership.last().cloned()).await;
        assert!(pair.devices[0].visit(&relay).await.settled());
        assert_eq!(bring(carry(&[&fourth])).await, 0, "of somebody who was removed");
    })
    .await;
}
