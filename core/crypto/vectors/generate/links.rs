//! A space in which somebody comes into an epoch by a link and leaves: no epoch can be used then.

use alliance_wire::membership::{Operation, Role, SpaceKind};
use serde_json::{Value, json};

use super::hex;
use super::history::fixture::{Person, World};
use super::history::{keys_of, lines};
use alliance_crypto::new_epoch;

/// Ben's epoch is made where Cay is not known, and has no box for Cay. Ann's links to it.
fn story() -> (World, Vec<&'static str>, [Person; 2]) {
    let mut world = World::found(SpaceKind::Group);
    let (first, key) = world.epoch_of_founder(1, &[]);
    let [mut ben, mut cay] = [2, 3].map(Person::new);
    let boxes = world.boxes_for(&ben, first, &key);
    world.add(&mut ben, Role::Writer, boxes);
    let unaware = world.membership.clone();
    let boxes = world.boxes_for(&cay, first, &key);
    world.add(&mut cay, Role::Writer, boxes);
    let (space, parents, recipients) = (world.space, unaware.heads(), unaware.state().recipients());
    let generation = unaware.generation_after(&parents);
    let links = [(first, &key)];
    let (epoch, second_key) = new_epoch(&ben.device, [2; 32], space, generation, &parents, &recipients, &links);
    let entry = ben.write(space, parents, Operation::Epoch(epoch));
    let second = world.take(entry).epoch();
    world.epoch_of_founder(3, &[(second, &second_key)]);
    let tag = cay.tag;
    let entry = cay.makes(&world.membership, |maker| maker.leave(tag, Vec::new()));
    world.take(entry);
    let said = vec![
        "Ann founds the space",
        "Ann's first epoch",
        "Ann invites",
        "Ann adds Ben",
        "Ann invites",
        "Ann adds Cay",
        "Ben's epoch, made where Cay is not known",
        "Ann's epoch, which links to it",
        "Cay leaves: who has the last epoch has the one before, and no epoch can be used",
    ];
    (world, said, [ben, cay])
}

pub(super) fn links() -> Value {
    let (world, said, [ben, cay]) = story();
    let all = &world.membership;
    let nothing: [Value; 0] = [];
    json!({
        "about": "As history.json: a space in which somebody who leaves has the keys of an epoch that was not sealed to them, by the link of a later one. 'best_epoch' is null until another epoch is made.",
        "space": hex(&world.space.0),
        "entries": lines(&world, &said),
        "opens": [
            keys_of(all, "Ann's device", "device", 1, &world.founder.device),
            keys_of(all, "Ben's device", "device", 2, &ben.device),
            keys_of(all, "Cay's device", "device", 3, &cay.device),
        ],
        "data": nothing, "must_fail": nothing,
    })
}
