//! Pairs of changes that do not know of each other: whoever is out reads nothing that is written after both were seen,
//! and every member reads it.

use alliance_crypto::{Secret, Verified, make_boxes, new_epoch};
use alliance_wire::membership::{CardForOwn, Operation, Role};
use alliance_wire::{EpochId, HeaderHash};

use super::fixture::{Person, World, keyring};
use super::persons::group;
use super::{every_order_ends_alike, nothing};

/// What is done at once with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Add,
    RemoveBen,
    RemoveCay,
    Rotate,
    ListLaptop,
    SuspendPhone,
    Demote,
    BenLeaves,
}

const CHANGES: [Change; 8] = [
    Change::Add,
    Change::RemoveBen,
    Change::RemoveCay,
    Change::Rotate,
    Change::ListLaptop,
    Change::SuspendPhone,
    Change::Demote,
    Change::BenLeaves,
];

/// A group in which the steward has two devices, and so has Ann.
struct Group {
    world: World,
    desk: Person,
    ann: Person,
    tablet: Person,
    ben: Person,
    cay: Person,
    dan: Person,
    laptop: Person,
}

impl Group {
    fn new() -> Self {
        let (mut world, [mut ann, ben, cay]) = group();
        let (desk, tablet) = (world.founder.other_device(40), ann.other_device(41));
        let mut founder = world.founder.double();
        world.lists(&mut founder, &desk);
        world.founder = founder;
        world.lists(&mut ann, &tablet);
        let laptop = ann.other_device(42);
        Self { world, desk, ann, tablet, ben, cay, dan: Person::new(43), laptop }
    }

    /// Signs a change on what is here; the second of two is signed by the other device of its person, if it has one that
    /// may, else on another branch of the same log.
    fn sign(&mut self, change: Change, second: bool) -> Verified {
        let on = &self.world.membership;
        let (space, heads) = (self.world.space, on.heads());
        let mut steward = if second { self.desk.double() } else { self.world.founder.double() };
        let mut ann = if second { self.tablet.double() } else { self.ann.double() };
        let (tag, phone) = (ann.tag, self.ann.key().into());
        match change {
            Change::Add => {
                let add = self.world.add_operation(&mut self.dan, Role::Writer, HeaderHash([1; 32]), nothing(1));
                steward.write_for(space, self.dan.tag, heads, Operation::Add(add))
            }
            Change::RemoveBen => steward.makes(on, |maker| maker.remove(self.ben.tag, Vec::new())),
            Change::RemoveCay => steward.makes(on, |maker| maker.remove(self.cay.tag, Vec::new())),
            Change::Demote => steward.makes(on, |maker| maker.role(tag, Role::Reader, Vec::new())),
            Change::Rotate => {
                let (generation, recipients) = (on.generation_after(&heads), on.state().recipients());
                let (epoch, _) = new_epoch(&self.cay.device, [7; 32], space, generation, &heads, &recipients, &[]);
                self.cay.double().write(space, heads, Operation::Epoch(epoch))
            }
            Change::ListLaptop => {
                let card = self.laptop.device.own_card(&CardForOwn { space, tag, by: ann.key().into() });
                ann.makes(on, |maker| maker.device(tag, card))
            }
            Change::SuspendPhone => self.tablet.double().makes(on, |maker| maker.suspend(tag, phone, Vec::new())),
            Change::BenLeaves => self.ben.double().makes(on, |maker| maker.leave(self.ben.tag, Vec::new())),
        }
    }

    /// What programs do when they have seen it all: a new epoch where there is none to use, then boxes that are missing.
    fn settle(&mut self) -> EpochId {
        let mut steward = self.desk.double();
        let space = self.world.space;
        if self.world.membership.best_epoch().is_none() {
            let on = &self.world.membership;
            let (keys, heads, recipients) = (keyring(on, &steward.device), on.heads(), on.state().recipients());
            let known: Vec<_> =
                on.epoch_heads().iter().filter_map(|head| Some((head.id, keys.get(head.id)?.clone()))).collect();
            let links: Vec<_> = known.iter().map(|(id, key)| (*id, key)).collect();
            let generation = on.generation_after(&heads);
            let (epoch, _) = new_epoch(&steward.device, [8; 32], space, generation, &heads, &recipients, &links);
            let entry = steward.write(space, heads, Operation::Epoch(epoch));
            self.world.granted(entry);
        }
        for lacking in self.world.membership.missing_boxes() {
            let keys = keyring(&self.world.membership, &steward.device);
            let Some(key) = keys.get(lacking.epoch) else { continue };
            let to = [(lacking.recipient, lacking.boxes)];
            let boxes = make_boxes(&steward.device, [9; 32], space, lacking.epoch, key, &to);
            let entry = steward.write(space, self.world.membership.heads(), Operation::Box(boxes));
            self.world.granted(entry);
        }
        self.world.membership.best_epoch().unwrap().id
    }

    fn reads(&self, secret: &impl Secret, epoch: EpochId) -> bool {
        keyring(&self.world.membership, secret).get(epoch).is_some()
    }
}

#[test]
fn after_any_two_changes_at_once_members_read_and_nobody_else() {
    let (mut pairs, mut read, mut kept_out) = (0, 0, 0);
    for one in CHANGES {
        for other in CHANGES.into_iter().filter(|other| *other != one) {
            let mut group = Group::new();
            let first = group.world.membership.best_epoch().unwrap().id;
            // What the second device of the steward's signs, it signs before it settles anything.
            let entries = [group.sign(one, false), group.sign(other, true)];
            let steward = [Change::Add, Change::RemoveBen, Change::RemoveCay, Change::Demote].contains(&other);
            for entry in entries {
                group.world.granted(entry.clone());
                if steward && entry.author() == group.desk.key() {
                    group.desk.goes_on_after(&entry);
                }
            }
            every_order_ends_alike(&group.world);
            let epoch = group.settle();
            let state = group.world.membership.state().clone();
            let people = [
                &group.world.founder,
                &group.desk,
                &group.ann,
                &group.tablet,
                &group.ben,
                &group.cay,
                &group.dan,
                &group.laptop,
            ];
            for person in people {
                let active = state.is_active(person.key());
                assert_eq!(group.reads(&person.device, epoch), active, "{one:?}, {other:?}: {:?}", person.device);
                read += usize::from(active);
                kept_out += usize::from(!active);
            }
            for person in [&group.world.founder, &group.ann, &group.ben, &group.cay, &group.dan] {
                let listed = state.person_of_recovery(person.recovery.signer_key()).is_some();
                assert_eq!(group.reads(&person.recovery, epoch), listed, "{one:?}, {other:?}: words");
            }
            for gone in [&group.ben, &group.cay] {
                assert!(group.reads(&gone.device, first), "the control: what was written before is readable");
            }
            pairs += 1;
        }
    }
    assert_eq!(pairs, 56);
    assert!(read > 250 && kept_out > 100, "{read} read, {kept_out} kept out");
}
