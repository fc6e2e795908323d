//! A thief's phone and its owner's laptop suspend each other.

use std::collections::BTreeSet;

use alliance_crypto::Fate;
use alliance_tests::random::Random;
use alliance_tests::relay::{Device, Pair, Site, open, watched};
use alliance_tests::world::{World, Writer};
use alliance_wire::membership::{CardForOwn, Operation, OwnDevice, Stop};
use alliance_wire::{Incarnation, SignerKey, SpaceId};

async fn fate(device: &Device, space: SpaceId, of: &Device) -> Fate {
    device.spaces.membership(space).await.unwrap().unwrap().fate_of(of.key())
}

/// Each suspends the other while apart. Both are out for everybody, each gives what it had written and keeps everything,
/// and neither asks again.
#[tokio::test]
async fn two_devices_that_suspend_each_other_are_both_out_and_nothing_is_lost() {
    watched(async {
        println!("seed 5");
        let site = Site::start(open).await;
        let mut pair = Pair::new(5, &site, |_| None).await;
        let space = pair.world.space;
        let mut phone = Writer::new(&mut pair.random);
        let by = SignerKey::from(pair.devices[0].key());
        let card = phone.secret.own_card(&CardForOwn { space, tag: pair.world.founder, by });
        pair.operate(Operation::Device(OwnDevice { card, boxes: None })).await;
        let mut owners = Device::new(&mut pair.random, &phone);
        owners.expected.push(space);
        for device in [&pair.devices[0], &owners, &pair.devices[1]] {
            assert!(device.visit(&site.address()).await.settled());
        }
        owners.expected.clear();
        pair.devices[1].expected.clear();
        // Apart: each writes, and puts the other out.
        let parents = pair.devices[0].spaces.membership(space).await.unwrap().unwrap().heads();
        let mut random = Random::new(6);
        let mut stop = |target| Stop { target: SignerKey::from(target), ending: World::ending(2, &mut random) };
        let (of_phone, of_laptop) = (stop(owners.key()), stop(pair.devices[0].key()));
        pair.write(0, b"by the laptop").await;
        pair.operate(Operation::Suspend(of_phone)).await;
        let written = phone.write(space, pair.world.epoch, b"by the phone");
        let place = (pair.world.founder, parents);
        let (secret, incarnation) = (&phone.secret, Incarnation([8; 16]));
        let suspends = pair.world.by_key(secret, incarnation, None, place, Operation::Suspend(of_laptop));
        owners.store([written, suspends]).await;
        let all: BTreeSet<_> =
            [pair.devices[0].hashes(space).await, owners.hashes(space).await].concat().into_iter().collect();
        // The laptop comes first, the phone hears of it, and then the laptop of the phone's.
        for device in [&pair.devices[0], &owners, &pair.devices[0]] {
            let visit = device.visit(&site.address()).await;
            assert!(visit.settled(), "{visit:?}");
        }
        assert!(pair.devices[1].visit(&site.address()).await.settled());
        let laptop = &pair.devices[0];
        for device in [laptop, &owners, &pair.devices[1]] {
            for of in [laptop, &owners] {
                assert_eq!(fate(device, space, of).await, Fate::Suspended);
            }
            assert_eq!(fate(device, space, &pair.devices[1]).await, Fate::Active, "the control");
        }
        // What both wrote is with the other member and the relay, and each has what it had.
        let here: BTreeSet<_> = site.hashes(space).await.into_iter().collect();
        assert_eq!(here, all);
        pair.devices[1].hashes(space).await.iter().for_each(|hash| assert!(all.contains(hash)));
        assert_eq!(pair.devices[1].hashes(space).await.len(), all.len());
        for device in [laptop, &owners] {
            let idle = device.visit(&site.address()).await;
            assert!(idle.settled() && idle.refusals().is_empty() && idle.frame_bytes <= 200, "{idle:?}");
        }
    })
    .await;
}
