//! A person's own devices and words: listing, suspending, restoring, losing.

use alliance_crypto::{Keyring, Made, Maker, MemberRole, MembershipRules, RecoverySecret, Secret, new_epoch};
use alliance_wire::membership::{
    CardForOwn, DeviceCard, FurtherWords, MEMBERSHIP_VERSION, Operation, OwnDevice, Payload, RecoveryCard, Role,
};
use alliance_wire::{BoxKey, DeviceKey, PersonTag, SignerKey, SpaceId};

use super::{every_order_ends_alike, pair, under};
use crate::support::fixture::{Person, World, keyring};

/// Active devices of the person, sorted.
pub(super) fn devices(world: &World, tag: PersonTag) -> Vec<DeviceKey> {
    world.membership.state().members.get(&tag).map(|me| me.devices.keys().copied().collect()).unwrap_or_default()
}

fn sorted(devices: &[&Person]) -> Vec<DeviceKey> {
    let mut keys: Vec<_> = devices.iter().map(|device| device.key()).collect();
    keys.sort_unstable();
    keys
}

fn can_read(world: &World, secret: &impl Secret) -> bool {
    let best = world.membership.best_epoch().unwrap();
    Keyring::new().update(&world.membership, secret).is_empty()
        && keyring(&world.membership, secret).get(best.id).is_some()
}

#[test]
fn a_person_lists_a_further_device_and_it_reads() {
    let (mut world, mut phone, epoch, key) = pair();
    let laptop = phone.other_device(20);
    assert_eq!(devices(&world, phone.tag), [phone.key()]);
    world.lists(&mut phone, &laptop);
    assert_eq!(devices(&world, phone.tag), sorted(&[&phone, &laptop]));
    let state = world.membership.state();
    assert_eq!(state.members[&phone.tag].role, MemberRole::Given(Role::Writer));
    assert!(state.can_write(laptop.key()) && state.is_admitted(laptop.key()));
    assert_eq!(state.person_of(laptop.key()), Some(phone.tag));
    assert_eq!(keyring(&world.membership, &laptop.device).get(epoch), Some(&key), "its box came with its listing");
    assert_eq!(world.membership.missing_boxes(), Vec::new());
    every_order_ends_alike(&world);
}

#[test]
fn nobody_lists_a_device_for_another_person_or_without_its_own_word() {
    let (mut world, mut phone, ..) = pair();
    let laptop = phone.other_device(20);
    let place = CardForOwn { space: world.space, tag: phone.tag, by: phone.key().into() };
    let own = |card, boxes| Operation::Device(OwnDevice { card, boxes });
    let heads = world.membership.heads();
    let by_phone = |operation| world.would_grant(&phone.double().write(world.space, heads.clone(), operation));
    let good = laptop.device.own_card(&place);
    let mut refused = 0;
    let mut refuses = |what: &str, card: DeviceCard| {
        assert!(!by_phone(own(card, None)), "{what}");
        refused += 1;
    };
    let founder = world.founder.key().into();
    refuses("for another lister", laptop.device.own_card(&CardForOwn { by: founder, ..place }));
    refuses("for another person", laptop.device.own_card(&CardForOwn { tag: world.founder.tag, ..place }));
    refuses("for another space", laptop.device.own_card(&CardForOwn { space: SpaceId([9; 16]), ..place }));
    refuses("another box key", DeviceCard { boxes: Person::new(9).device.box_key(), ..good.clone() });
    refuses("a box key of small order", DeviceCard { boxes: BoxKey([0; 32]), ..good.clone() });
    refuses("another KEM", DeviceCard { kem: 0x0021, ..good.clone() });
    refuses("another device", DeviceCard { device: Person::new(9).key(), ..good.clone() });
    assert_eq!(refused, 7);
    // A listed key is not listed again, and the steward has no say in it.
    let again = phone.device.own_card(&place);
    assert!(!world.would_grant(&phone.double().write(world.space, heads.clone(), own(again, None))));
    let by_founder = laptop.device.own_card(&CardForOwn { by: founder, ..place });
    let entry = world.founder.write_for(world.space, phone.tag, heads.clone(), own(by_founder, None));
    assert!(!world.would_grant(&entry));
    // The control.
    let entry = phone.write(world.space, heads, own(good, None));
    assert!(world.would_grant(&entry));
}

#[test]
fn a_suspended_device_reads_nothing_new_until_the_words_restore_it() {
    let (mut world, mut phone, ..) = pair();
    let mut laptop = phone.other_device(20);
    world.lists(&mut phone, &laptop);
    let tag = phone.tag;
    let target = SignerKey::from(phone.key());
    let entry = laptop.makes(&world.membership, |maker| maker.suspend(tag, target, Vec::new()));
    // Not by another person, and not of oneself.
    let by_founder = world.founder.double().makes(&world.membership, |maker| maker.suspend(tag, target, Vec::new()));
    assert!(!world.would_grant(&by_founder) && world.would_grant(&entry));
    let epoch = world.granted(entry).epoch();

    assert_eq!(devices(&world, tag), [laptop.key()]);
    let state = world.membership.state();
    assert!(state.suspended.contains(&(tag, target)) && state.lost.is_empty() && !state.is_active(phone.key()));
    assert!(state.is_admitted(phone.key()), "what it wrote before is its person's");
    assert_eq!(world.membership.best_epoch().map(|best| (best.id, best.generation)), Some((epoch, 2)));
    assert!(!can_read(&world, &phone.device));
    for reads in [&laptop.device, &world.founder.device] {
        assert!(can_read(&world, reads));
    }
    assert!(can_read(&world, &phone.recovery) && can_read(&world, &world.founder.recovery));
    assert_eq!(keyring(&world.membership, &laptop.device).len(), 2, "what was before is linked");
    assert_eq!(world.membership.missing_boxes(), Vec::new());

    // No device restores; the words do.
    let entry = laptop.double().makes(&world.membership, |maker| maker.restore(tag, target));
    assert!(!world.would_grant(&entry));
    let entry = phone.words_make(&world.membership, |maker| maker.restore(tag, target));
    world.granted(entry);
    assert_eq!(devices(&world, tag), sorted(&[&phone, &laptop]));
    assert!(world.membership.state().suspended.is_empty());
    let missing = world.membership.missing_boxes();
    assert_eq!(missing.iter().map(|it| (it.epoch, it.recipient)).collect::<Vec<_>>(), [(epoch, target)]);
    every_order_ends_alike(&world);
}

#[test]
fn two_devices_that_suspend_each_other_are_out_until_the_words() {
    let (mut world, mut phone, ..) = pair();
    let mut laptop = phone.other_device(20);
    world.lists(&mut phone, &laptop);
    let tag = phone.tag;
    let (one, other) = (SignerKey::from(phone.key()), SignerKey::from(laptop.key()));
    let by_phone = phone.makes(&world.membership, |maker| maker.suspend(tag, other, Vec::new()));
    let by_laptop = laptop.makes(&world.membership, |maker| maker.suspend(tag, one, Vec::new()));
    world.granted(by_phone);
    world.granted(by_laptop);
    assert_eq!(devices(&world, tag), []);
    let state = world.membership.state();
    assert!(state.members.contains_key(&tag), "the person is a member all the same");
    assert_eq!(state.suspended.iter().copied().collect::<Vec<_>>(), {
        let mut both = vec![(tag, one), (tag, other)];
        both.sort_unstable();
        both
    });
    assert_eq!(world.membership.best_epoch(), None, "each epoch has a box for a device that is out");
    every_order_ends_alike(&world);
    // The words take the laptop back and lose the phone for good.
    let entry = phone.words_make(&world.membership, |maker| maker.restore(tag, other));
    world.granted(entry);
    assert_eq!(devices(&world, tag), [laptop.key()]);
    let entry = phone.words_make(&world.membership, |maker| maker.lost(tag, one, Vec::new()));
    world.granted(entry);
    let entry = phone.words_make(&world.membership, |maker| maker.restore(tag, one));
    world.take(entry);
    assert_eq!(devices(&world, tag), [laptop.key()], "lost is final");
    assert!(world.membership.state().lost.contains(&(tag, one)));
    assert!(world.membership.best_epoch().is_some() && can_read(&world, &laptop.device));
    assert!(!can_read(&world, &phone.device));
    every_order_ends_alike(&world);
}

#[test]
fn the_words_leave_out_what_a_thief_did() {
    let (mut world, mut phone, ..) = pair();
    let tag = phone.tag;
    let (before, target) = (world.membership.heads(), SignerKey::from(phone.key()));
    // The thief lists a device of its own, which suspends the phone's person's others, and makes an epoch.
    let mut thief = phone.other_device(66);
    world.lists(&mut phone, &thief);
    let theirs = thief.makes(&world.membership, |maker| maker.suspend(tag, target, Vec::new()));
    let theirs = world.granted(theirs).epoch();
    assert_eq!(devices(&world, tag), [thief.key()]);
    assert_eq!(world.membership.best_epoch().map(|best| best.id), Some(theirs));

    let keys = keyring(&world.membership, &phone.recovery);
    let made = Maker::new(&world.membership, &keys, &phone.recovery, [5; 32])
        .disowning_all_but(before.clone())
        .unwrap()
        .lost(tag, target, Vec::new());
    assert!(made.payload.operation.epoch().unwrap().boxes.iter().all(|sealed| sealed.recipient != thief.key().into()));
    let entry = phone.words_sign(world.space, &made);
    let ours = world.granted(entry).epoch();
    assert_eq!(devices(&world, tag), [], "the thief's device came from an entry that counts no more");
    assert!(!world.membership.state().is_admitted(thief.key()) && world.membership.was_listed(thief.key()));
    assert_eq!(world.membership.best_epoch().map(|best| best.id), Some(ours));
    assert!(!can_read(&world, &thief.device) && !can_read(&world, &phone.device));
    assert!(can_read(&world, &world.founder.device) && can_read(&world, &phone.recovery));

    // A new phone with the words.
    let new = phone.other_device(21);
    let place = CardForOwn { space: world.space, tag, by: phone.recovery.signer_key() };
    let card = new.device.own_card(&place);
    let entry = phone.words_make(&world.membership, |maker| maker.device(tag, card));
    world.granted(entry);
    assert_eq!(devices(&world, tag), [new.key()]);
    assert!(can_read(&world, &new.device));
    every_order_ends_alike(&world);
}

#[test]
fn older_words_outrank_younger_ones_and_devices_have_no_say() {
    let (mut world, mut phone, ..) = pair();
    let tag = phone.tag;
    let mut younger = phone.other_device(77);
    younger.recovery = RecoverySecret::from_seed([77; 32]);
    let (old, new) = (phone.recovery.card(), younger.recovery.card());
    let by_device = phone.double().makes(&world.membership, |maker| maker.recovery(tag, new));
    assert!(!world.would_grant(&by_device), "a device lists no words");
    let heads = world.membership.heads();
    let broken = RecoveryCard { boxes: BoxKey([0; 32]), ..new };
    let made = |recovery| Operation::Recovery(FurtherWords { recovery, boxes: None });
    let payload = Payload { version: MEMBERSHIP_VERSION, parents: heads, person: Some(tag), operation: made(broken) };
    let entry = phone.double().words_sign(world.space, &Made { payload, key: None });
    assert!(!world.would_grant(&entry), "to which nobody could seal");
    let rules = MembershipRules { cards: false, ..MembershipRules::ALL };
    let (without, _) = under(rules, &world, std::slice::from_ref(&entry));
    assert_eq!(without.is_authorised(entry.hash()), Some(true), "the control");
    let entry = phone.words_make(&world.membership, |maker| maker.recovery(tag, new));
    world.granted(entry);
    assert_eq!(world.membership.state().members[&tag].recovery, [old, new], "oldest first");
    assert!(can_read(&world, &younger.recovery));

    let up = younger.words_make(&world.membership, |maker| maker.suspend(tag, old.signer, Vec::new()));
    assert!(!world.would_grant(&up));
    let by_device = phone.double().makes(&world.membership, |maker| maker.suspend(tag, new.signer, Vec::new()));
    assert!(!world.would_grant(&by_device));
    let down = phone.words_make(&world.membership, |maker| maker.suspend(tag, new.signer, Vec::new()));
    world.granted(down);
    assert_eq!(world.membership.state().members[&tag].recovery, [old]);
    assert!(!can_read(&world, &younger.recovery) && can_read(&world, &phone.recovery));
    every_order_ends_alike(&world);
}

#[test]
fn an_epoch_of_another_generation_is_void_and_its_suspension_stands() {
    let (mut world, mut phone, ..) = pair();
    let (laptop, tag) = (phone.other_device(20), phone.tag);
    world.lists(&mut phone, &laptop);
    let hand = phone.double();
    let stay: Vec<_> = world.membership.state().recipients();
    let stay: Vec<_> = stay.into_iter().filter(|(key, _)| *key != laptop.key().into()).collect();
    for (wrong, best) in [(Some(7), None), (Some(1), None), (None, Some(2))] {
        let entry = phone.makes(&world.membership, |maker| {
            let mut made = maker.suspend(tag, laptop.key().into(), Vec::new());
            let Operation::Suspend(stop) = &mut made.payload.operation else { panic!("a suspension") };
            assert_eq!(stop.ending.epoch.generation, 2);
            if let Some(generation) = wrong {
                let (parents, space) = (&made.payload.parents, world.space);
                stop.ending.epoch = new_epoch(&hand.device, [6; 32], space, generation, parents, &stay, &[]).0;
            }
            made
        });
        world.granted(entry);
        assert_eq!(devices(&world, tag), [phone.key()]);
        assert_eq!(world.membership.best_epoch().map(|best| best.generation), best, "generation {wrong:?}");
    }
}
