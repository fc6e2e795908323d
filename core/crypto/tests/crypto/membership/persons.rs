//! Roles, removals, leaves and ends.

use alliance_crypto::{Departure, MemberRole};
use alliance_wire::membership::{Operation, Role};
use alliance_wire::{HeaderHash, PersonTag};

use super::{every_order_ends_alike, pair};
use crate::support::crowd::{group, nothing};
use crate::support::fixture::{Person, World, keyring};

fn departed(world: &World) -> Vec<(PersonTag, Departure)> {
    world.membership.state().departed.iter().map(|(tag, how)| (*tag, *how)).collect()
}

#[test]
fn a_removed_person_cannot_open_what_is_written_after_and_everybody_else_can() {
    let (mut world, [ann, ben, cay]) = group();
    let tag = ben.tag;
    let first = world.membership.best_epoch().unwrap().id;
    let by_ben = ben.double().makes(&world.membership, |maker| maker.remove(ann.tag, Vec::new()));
    assert!(!world.would_grant(&by_ben), "only the steward removes");
    let entry = world.founder.makes(&world.membership, |maker| maker.remove(tag, Vec::new()));
    let epoch = world.granted(entry).epoch();

    assert_eq!(departed(&world), [(tag, Departure::Removed)]);
    let state = world.membership.state();
    assert!(!state.members.contains_key(&tag) && !state.is_active(ben.key()) && state.is_admitted(ben.key()));
    assert_eq!(state.devices_of(tag).collect::<Vec<_>>(), [ben.key()]);
    assert_eq!(world.membership.best_epoch().map(|best| best.id), Some(epoch));
    for gone in [&keyring(&world.membership, &ben.device), &keyring(&world.membership, &ben.recovery)] {
        assert!(gone.get(epoch).is_none() && gone.get(first).is_some(), "what it could read it can");
    }
    let stay = [&ann, &cay, &world.founder];
    for person in stay {
        for keys in [keyring(&world.membership, &person.device), keyring(&world.membership, &person.recovery)] {
            assert!(keys.get(epoch).is_some() && keys.get(first).is_some());
        }
    }
    // It signs what it likes: an epoch with a box for itself is nobody's, and its tag stays out.
    let late = ben.double().write(world.space, world.membership.heads(), World::relay("x:1"));
    assert!(!world.would_grant(&late));
    let mut back = Person::new(3);
    let add = world.add_operation(&mut back, Role::Writer, HeaderHash([1; 32]), nothing(1));
    assert_eq!(back.tag, tag, "the same device, words and one-time key");
    let entry = world.founder.write_for(world.space, tag, world.membership.heads(), Operation::Add(add));
    assert!(!world.would_grant(&entry));
    every_order_ends_alike(&world);
}

/// A member signs an entry that admits a former member's device under its own tag. Nobody grants it, and what the device
/// wrote goes on being its person's.
#[test]
fn an_entry_that_does_nothing_says_of_no_device_whose_it_is() {
    let (mut world, [mut ann, ben, _]) = group();
    let entry = world.founder.makes(&world.membership, |maker| maker.remove(ben.tag, Vec::new()));
    world.granted(entry);
    let whose = |world: &World, device| {
        let listed = world.membership.state().listings();
        listed.filter(|(_, listed)| *listed == device).map(|(person, _)| person).collect::<Vec<_>>()
    };
    assert_eq!(whose(&world, ben.key()), [ben.tag]);
    let add = world.add_operation(&mut ben.double(), Role::Writer, HeaderHash([1; 32]), nothing(1));
    let entry = ann.write(world.space, world.membership.heads(), Operation::Add(add));
    assert!(!world.would_grant(&entry));
    world.take(entry);
    assert_eq!(whose(&world, ben.key()), [ben.tag]);
    // The control: what counts is heard.
    let mine = ann.other_device(30);
    world.lists(&mut ann, &mine);
    assert_eq!(whose(&world, mine.key()), [ann.tag]);
}

#[test]
fn what_a_removed_person_did_in_the_meantime_does_not_count() {
    let (mut world, [ann, mut ben, _]) = group();
    let tag = ben.tag;
    let mine = ben.other_device(30);
    // Neither knows of the other: a removal, and a second device with an epoch of its own.
    let removal = world.founder.makes(&world.membership, |maker| maker.remove(tag, Vec::new()));
    world.lists(&mut ben, &mine);
    assert!(world.membership.state().is_active(mine.key()));
    world.granted(removal);
    assert!(!world.membership.state().is_active(mine.key()) && !world.membership.state().is_admitted(mine.key()));
    assert!(world.membership.state().is_active(ann.key()));
    every_order_ends_alike(&world);
}

#[test]
fn nobody_is_removed_or_demoted_in_a_pair() {
    let (world, guest, ..) = pair();
    let tag = guest.tag;
    let entry = world.founder.double().makes(&world.membership, |maker| maker.remove(tag, Vec::new()));
    assert!(!world.would_grant(&entry));
    let entry = world.founder.double().makes(&world.membership, |maker| maker.role(tag, Role::Reader, Vec::new()));
    assert!(!world.would_grant(&entry));
    // The control: the same in a group.
    let (mut world, [ann, ..]) = group();
    let entry = world.founder.makes(&world.membership, |maker| maker.role(ann.tag, Role::Reader, Vec::new()));
    assert!(world.would_grant(&entry));
}

#[test]
fn roles_are_given_by_the_steward_and_of_two_at_once_the_lower_holds() {
    let (mut world, [ann, mut ben, _]) = group();
    let tag = ann.tag;
    let role = |world: &World| world.membership.state().members[&tag].role;
    let by_ben = ben.makes(&world.membership, |maker| maker.role(tag, Role::Signer, Vec::new()));
    assert!(!world.would_grant(&by_ben));
    let mut steward = world.founder.other_device(5);
    let mut founder = world.founder.double();
    world.lists(&mut founder, &steward);
    let up = founder.makes(&world.membership, |maker| maker.role(tag, Role::Signer, Vec::new()));
    let down = steward.makes(&world.membership, |maker| maker.role(tag, Role::Reader, Vec::new()));
    world.granted(up);
    assert_eq!(role(&world), MemberRole::Given(Role::Signer));
    assert!(world.membership.state().can_sign(ann.key()));
    let epoch = world.granted(down).epoch();
    assert_eq!(role(&world), MemberRole::Given(Role::Reader));
    assert!(!world.membership.state().can_write(ann.key()));
    let keys = keyring(&world.membership, &ann.device);
    assert!(keys.get(epoch).is_some(), "a reader reads the epoch that comes with its role");
    let again = steward.makes(&world.membership, |maker| maker.role(tag, Role::Writer, Vec::new()));
    world.granted(again);
    assert_eq!(role(&world), MemberRole::Given(Role::Writer));
    every_order_ends_alike(&world);
}

#[test]
fn who_leaves_is_gone_and_the_steward_stays() {
    let (mut world, mut guest, ..) = pair();
    let tag = guest.tag;
    let by_founder = world.founder.double().makes(&world.membership, |maker| maker.leave(tag, Vec::new()));
    assert!(!world.would_grant(&by_founder), "nobody leaves for another");
    let entry = guest.makes(&world.membership, |maker| maker.leave(tag, Vec::new()));
    world.granted(entry);
    assert_eq!(departed(&world), [(tag, Departure::Left)]);
    let state = world.membership.state();
    assert!(!state.is_active(guest.key()) && !state.ended && state.members.len() == 1);
    assert_eq!(world.membership.best_epoch(), None, "the one who left has its key");
    let back = guest.write(world.space, world.membership.heads(), World::relay("x:1"));
    assert!(!world.would_grant(&back));
    let (epoch, _) = world.epoch_of_founder(2, &[]);
    assert_eq!(world.membership.best_epoch().map(|best| best.id), Some(epoch));
    assert!(keyring(&world.membership, &guest.device).get(epoch).is_none());
    every_order_ends_alike(&world);

    let own = world.founder.tag;
    let entry = world.founder.makes(&world.membership, |maker| maker.leave(own, Vec::new()));
    assert!(!world.would_grant(&entry), "the steward does not leave");
}

#[test]
fn any_member_ends_a_joint_space_and_only_the_steward_a_group() {
    let (mut world, mut guest, ..) = pair();
    let tag = guest.tag;
    let entry = guest.makes(&world.membership, |maker| maker.end(tag));
    world.granted(entry);
    let state = world.membership.state();
    assert!(state.ended && state.members.len() == 2, "who is in, reads");
    assert!(!state.can_write(world.founder.key()) && !state.can_write(guest.key()));
    every_order_ends_alike(&world);

    let (mut world, [mut ann, ..]) = group();
    let tag = ann.tag;
    let entry = ann.makes(&world.membership, |maker| maker.end(tag));
    assert!(!world.would_grant(&entry));
    let own = world.founder.tag;
    let entry = world.founder.makes(&world.membership, |maker| maker.end(own));
    world.granted(entry);
    assert!(world.membership.state().ended);
    let mut late = Person::new(9);
    let add = world.add_operation(&mut late, Role::Writer, HeaderHash([1; 32]), nothing(1));
    let entry = world.founder.write_for(world.space, late.tag, world.membership.heads(), Operation::Add(add));
    assert!(!world.would_grant(&entry), "an ended space takes nobody");
}
