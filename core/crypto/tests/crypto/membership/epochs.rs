//! Epochs, their boxes and their keys.

use alliance_crypto::{BoxError, Canary, KeyFault, Keyring, Secret, make_boxes, new_epoch, open_box};
use alliance_wire::membership::{Epoch, Operation, Role, SpaceKind};
use alliance_wire::{HeaderHash, SignerKey};

use super::{PAIR, nothing, pair};
use crate::support::fixture::{Person, World};

#[test]
fn a_reader_makes_no_epoch() {
    let mut world = World::found(SpaceKind::Group);
    let mut reader = Person::new(2);
    world.add(&mut reader, Role::Reader, nothing(1));
    let recipients = world.membership.state().recipients();
    let (heads, space) = (world.membership.heads(), world.space);
    let (epoch, _) = new_epoch(&reader.device, [1; 32], space, 1, &heads, &recipients, &[]);
    world.writes(&mut reader, Operation::Epoch(epoch));
    assert_eq!(world.membership.best_epoch(), None);
    let (id, _) = world.epoch_of_founder(1, &[]);
    assert_eq!(world.membership.best_epoch().map(|best| best.id), Some(id));
}

#[test]
fn generations_count_from_what_was_known() {
    let mut world = World::found(PAIR);
    for wrong in [0, 2, u64::MAX] {
        let heads = world.membership.heads();
        let recipients = world.membership.state().recipients();
        let (epoch, _) = new_epoch(&world.founder.device, [1; 32], world.space, wrong, &heads, &recipients, &[]);
        world.founder_writes(Operation::Epoch(epoch));
        assert_eq!(world.membership.best_epoch(), None, "generation {wrong}");
        assert_eq!(world.membership.generation_after(&world.membership.heads()), 1);
    }
    let (one, _) = world.epoch_of_founder(1, &[]);
    let (two, _) = world.epoch_of_founder(2, &[]);
    assert_eq!(world.membership.best_epoch().map(|best| (best.id, best.generation)), Some((two, 2)));
    assert_ne!(one, two);
}

#[test]
fn of_concurrent_epochs_the_smaller_id_is_used() {
    let (mut world, mut guest, ..) = pair();
    let (heads, space) = (world.membership.heads(), world.space);
    let recipients = world.membership.state().recipients();
    let (mine, _) = new_epoch(&world.founder.device, [1; 32], space, 2, &heads, &recipients, &[]);
    let (theirs, _) = new_epoch(&guest.device, [2; 32], space, 2, &heads, &recipients, &[]);
    let mine = world.founder.write(space, heads.clone(), Operation::Epoch(mine));
    let theirs = guest.write(space, heads, Operation::Epoch(theirs));
    let (mine, theirs) = (world.take(mine), world.take(theirs));
    assert_eq!(world.membership.best_epoch().map(|best| best.id), Some(mine.epoch().min(theirs.epoch())));
    assert_eq!(world.membership.epoch_heads().len(), 3, "neither links to the first epoch");
    assert_eq!(world.membership.generation_after(&world.membership.heads()), 3);
}

#[test]
fn boxes_for_strangers_are_void_and_missing_ones_are_listed() {
    let mut world = World::found(PAIR);
    let stranger = Person::new(9);
    let (heads, space) = (world.membership.heads(), world.space);
    // An epoch whose author leaves its own recovery key out and adds a stranger.
    let recipients = [
        (SignerKey::from(world.founder.key()), world.founder.device.box_key()),
        (stranger.key().into(), stranger.device.box_key()),
    ];
    let (epoch, key) = new_epoch(&world.founder.device, [1; 32], space, 1, &heads, &recipients, &[]);
    let id = world.founder_writes(Operation::Epoch(epoch)).epoch();
    assert_eq!(world.membership.best_epoch().map(|best| best.id), Some(id), "the stranger's box does not count");
    let missing = world.membership.missing_boxes();
    assert_eq!(missing.len(), 1);
    assert_eq!((missing[0].epoch, missing[0].recipient), (id, world.founder.recovery.signer_key()));
    let boxes =
        make_boxes(&world.founder.device, [2; 32], space, id, &key, &[(missing[0].recipient, missing[0].boxes)]);
    world.founder_writes(Operation::Box(boxes));
    assert_eq!(world.membership.missing_boxes(), Vec::new());
    let mut ring = Keyring::new();
    assert_eq!(ring.update(&world.membership, &world.founder.recovery), Vec::new());
    assert_eq!(ring.get(id), Some(&key));
}

#[test]
fn keys_are_walked_back_along_the_links() {
    let mut world = World::found(PAIR);
    let (one, key_one) = world.epoch_of_founder(1, &[]);
    let (two, key_two) = world.epoch_of_founder(2, &[(one, &key_one)]);
    let (three, key_three) = world.epoch_of_founder(3, &[(two, &key_two)]);
    let mut guest = Person::new(2);
    let boxes = world.boxes_for(&guest, three, &key_three);
    world.add(&mut guest, Role::Writer, boxes);
    let mut ring = Keyring::new();
    assert_eq!(ring.update(&world.membership, &guest.device), Vec::new());
    assert_eq!(ring.iter().collect::<Vec<_>>().len(), 3);
    assert_eq!((ring.get(one), ring.get(two)), (Some(&key_one), Some(&key_two)));
    assert_eq!(world.membership.missing_boxes(), Vec::new(), "linked epochs need no box of their own");
    // The ring keeps up with a membership that grows.
    let (four, key_four) = world.epoch_of_founder(4, &[(three, &key_three)]);
    assert_eq!(ring.update(&world.membership, &guest.device), Vec::new());
    assert_eq!(ring.get(four), Some(&key_four));
}

#[test]
fn a_key_that_is_not_the_committed_one_is_refused() {
    let mut world = World::found(PAIR);
    let (heads, space) = (world.membership.heads(), world.space);
    let recipients = world.membership.state().recipients();
    let epoch_with = |canary: fn(&mut Epoch)| {
        let (mut epoch, _) = new_epoch(&world.founder.device, [1; 32], space, 1, &heads, &recipients, &[]);
        canary(&mut epoch);
        epoch
    };
    let lying = epoch_with(|epoch| epoch.canary[0] ^= 1);
    let id = world.founder_writes(Operation::Epoch(lying.clone())).epoch();
    let mut ring = Keyring::new();
    let faults = ring.update(&world.membership, &world.founder.device);
    let entry = world.entries.last().unwrap().hash();
    assert_eq!(faults, vec![KeyFault { epoch: id, entry, error: BoxError::Canary }]);
    assert!(ring.is_empty());

    // Boxes open for their recipient, in their entry, with their epoch's canary only.
    let honest = epoch_with_founder(&world, &heads);
    let canary = Canary::in_entry(space, &honest);
    let place = alliance_crypto::BoxPlace::Epoch { space, generation: 1, parents: &heads };
    let sealed = honest.boxes.iter().find(|sealed| sealed.recipient == world.founder.key().into()).unwrap();
    let device = &world.founder.device;
    assert!(open_box(device, &place, sealed, &canary).is_ok());
    assert_eq!(open_box(&world.founder.recovery, &place, sealed, &canary), Err(BoxError::NotMine));
    let elsewhere = alliance_crypto::BoxPlace::Epoch { space, generation: 2, parents: &heads };
    assert_eq!(open_box(device, &elsewhere, sealed, &canary), Err(BoxError::Sealed));
    let elsewhere = alliance_crypto::BoxPlace::Epoch { space, generation: 1, parents: &[] };
    assert_eq!(open_box(device, &elsewhere, sealed, &canary), Err(BoxError::Sealed));
    assert_eq!(open_box(device, &world.appended(id), sealed, &canary), Err(BoxError::Sealed));
    assert_eq!(open_box(device, &place, sealed, &Canary { generation: 2, ..canary }), Err(BoxError::Canary));
    for at in 0..sealed.sealed.len() {
        let mut changed = sealed.clone();
        changed.sealed[at] ^= 1;
        assert_eq!(open_box(device, &place, &changed, &canary), Err(BoxError::Sealed), "byte {at}");
    }
}

fn epoch_with_founder(world: &World, heads: &[HeaderHash]) -> Epoch {
    let recipients = [(SignerKey::from(world.founder.key()), world.founder.device.box_key())];
    new_epoch(&world.founder.device, [5; 32], world.space, 1, heads, &recipients, &[]).0
}
