//! A group of five people with eight devices, what honest ones among them do, and what their programs do when they have
//! seen it all.

use std::cell::RefCell;
use std::collections::BTreeMap;

use alliance_crypto::{
    EpochKey, Inserted, Keyring, Membership, MembershipError, MembershipRules, Secret, Verified, make_boxes, new_epoch,
};
use alliance_wire::membership::{Boxes, CardForOwn, CutOff, Operation, Role, SpaceKind};
use alliance_wire::{EpochId, HeaderHash, SignerKey, SpaceId};

use super::fixture::{Person, World};

/// Boxes of which there are none.
pub(crate) fn nothing(epoch: u8) -> Boxes {
    Boxes { epoch: EpochId([epoch; 16]), boxes: Vec::new() }
}

/// A group of a steward and three writers with one epoch.
pub(crate) fn group() -> (World, [Person; 3]) {
    let mut world = World::found(SpaceKind::Group);
    let (epoch, key) = world.epoch_of_founder(1, &[]);
    let mut people = [2, 3, 4].map(Person::new);
    for person in &mut people {
        let boxes = world.boxes_for(person, epoch, &key);
        world.add(person, Role::Writer, boxes);
    }
    (world, people)
}

/// A replica that takes the entries in the order of the seed and keeps those with missing ancestors until they are there.
pub(crate) fn replica(rules: MembershipRules, space: SpaceId, entries: &[Verified], seed: u64) -> Membership {
    let mut waiting = entries.to_vec();
    waiting.sort_by_key(|entry| blake3::hash(&[&seed.to_be_bytes(), entry.hash().0.as_slice()].concat()).to_hex());
    let mut membership = Membership::under(rules, space);
    while !waiting.is_empty() {
        let before = waiting.len();
        waiting.retain(|entry| match membership.insert(entry) {
            Ok(inserted) => inserted == Inserted::Known,
            Err(MembershipError::Missing(missing)) => {
                assert!(!missing.is_empty());
                true
            }
            Err(error) => panic!("{error}"),
        });
        assert!(waiting.len() < before, "seed {seed}");
    }
    membership
}

/// What an honest hand does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    Add,
    RemoveBen,
    RemoveCay,
    Rotate,
    ListLaptop,
    SuspendPhone,
    Demote,
    BenLeaves,
}

pub(crate) const CHANGES: [Change; 8] = [
    Change::Add,
    Change::RemoveBen,
    Change::RemoveCay,
    Change::Rotate,
    Change::ListLaptop,
    Change::SuspendPhone,
    Change::Demote,
    Change::BenLeaves,
];

impl Change {
    /// Whether it is the steward's to sign.
    const fn is_stewards(self) -> bool {
        matches!(self, Self::Add | Self::RemoveBen | Self::RemoveCay | Self::Demote)
    }
}

/// The devices: the steward's two, Ann's three, of which the laptop is not listed yet, and one each of the others', of
/// whom Dan is not in yet.
pub(crate) const STEWARD: usize = 0;
pub(crate) const DESK: usize = 1;
pub(crate) const PHONE: usize = 2;
pub(crate) const TABLET: usize = 3;
pub(crate) const BEN: usize = 4;
pub(crate) const CAY: usize = 5;
pub(crate) const DAN: usize = 6;
pub(crate) const LAPTOP: usize = 7;

/// Of several devices of one person, which stands for its words.
pub(crate) const PEOPLE: [usize; 5] = [STEWARD, PHONE, BEN, CAY, DAN];

pub(crate) struct Group {
    pub(crate) world: World,
    pub(crate) hands: [Person; 8],
    rings: RefCell<BTreeMap<SignerKey, Keyring>>,
}

impl Group {
    pub(crate) fn new() -> Self {
        let (mut world, [mut ann, ben, cay]) = group();
        let (desk, tablet) = (world.founder.other_device(40), ann.other_device(41));
        let mut founder = world.founder.double();
        world.lists(&mut founder, &desk);
        world.lists(&mut ann, &tablet);
        let laptop = ann.other_device(42);
        Self {
            world,
            hands: [founder, desk, ann, tablet, ben, cay, Person::new(43), laptop],
            rings: RefCell::default(),
        }
    }

    /// The same group once more, under other rules.
    pub(crate) fn under(&self, rules: MembershipRules) -> Self {
        let mut membership = Membership::under(rules, self.world.space);
        for entry in &self.world.entries {
            assert_eq!(membership.insert(entry), Ok(Inserted::New));
        }
        let (space, founder, entries) = (self.world.space, self.world.founder.double(), self.world.entries.clone());
        let world = World { space, founder, membership, entries };
        Self { world, hands: self.hands.each_ref().map(Person::double), rings: self.rings.clone() }
    }

    /// Whose device signs the change; the second of two is signed by the other device of its person, if it has one that
    /// may.
    pub(crate) const fn hand(change: Change, second: bool) -> usize {
        match (change, second) {
            (Change::Rotate, _) => CAY,
            (Change::ListLaptop, false) => PHONE,
            (Change::ListLaptop, true) | (Change::SuspendPhone, _) => TABLET,
            (Change::BenLeaves, _) => BEN,
            (_, second) if change.is_stewards() && second => DESK,
            _ => STEWARD,
        }
    }

    /// Signs a change on what is here. `ends` are the ends of the data that it concerns.
    pub(crate) fn sign(&mut self, change: Change, second: bool, ends: Vec<CutOff>) -> Verified {
        let (on, space) = (&self.world.membership, self.world.space);
        let mut hand = self.hands[Self::hand(change, second)].double();
        let (ben, cay) = (self.hands[BEN].tag, self.hands[CAY].tag);
        let (tag, phone) = (self.hands[PHONE].tag, self.hands[PHONE].key().into());
        match change {
            Change::Add => {
                let dan = &mut self.hands[DAN];
                let add = self.world.add_operation(dan, Role::Writer, HeaderHash([1; 32]), nothing(1));
                hand.write_for(space, dan.tag, on.heads(), Operation::Add(add))
            }
            Change::RemoveBen => hand.makes(on, |maker| maker.remove(ben, ends)),
            Change::RemoveCay => hand.makes(on, |maker| maker.remove(cay, ends)),
            Change::Demote => hand.makes(on, |maker| maker.role(tag, Role::Reader, ends)),
            Change::Rotate => self.epoch_by(&mut hand),
            Change::ListLaptop => {
                let card = self.hands[LAPTOP].device.own_card(&CardForOwn { space, tag, by: hand.key().into() });
                hand.makes(on, |maker| maker.device(tag, card))
            }
            Change::SuspendPhone => hand.makes(on, |maker| maker.suspend(tag, phone, ends)),
            Change::BenLeaves => hand.makes(on, |maker| maker.leave(ben, ends)),
        }
    }

    /// Takes an entry that the table grants; its device's log goes on after it.
    pub(crate) fn take(&mut self, entry: Verified) {
        let author = entry.author();
        if let Some(hand) = self.hands.iter_mut().find(|hand| hand.key() == author) {
            hand.goes_on_after(&entry);
        }
        self.world.granted(entry);
    }

    /// What programs do when they have seen it all, these devices' among them: boxes that are missing are appended; who
    /// lacks the key of the epoch to use, or finds none to use, makes another. The epoch with which all are content.
    pub(crate) fn settle(&mut self, writers: &[usize]) -> Option<EpochId> {
        for _ in 0..4 {
            self.append_missing(writers);
            let best = self.world.membership.best_epoch().map(|best| best.id);
            let lacks = |hand: &usize| best.is_none_or(|id| self.ring(&self.hands[*hand].device).get(id).is_none());
            let Some(hand) = writers.iter().copied().find(lacks) else { return best };
            let mut hand = self.hands[hand].double();
            let entry = self.epoch_by(&mut hand);
            self.take(entry);
        }
        None
    }

    fn append_missing(&mut self, writers: &[usize]) {
        for lacking in self.world.membership.missing_boxes() {
            let key = |hand: &usize| Some((*hand, self.ring(&self.hands[*hand].device).get(lacking.epoch)?.clone()));
            let Some((hand, key)) = writers.iter().find_map(key) else { continue };
            let (space, heads, mut hand) = (self.world.space, self.world.membership.heads(), self.hands[hand].double());
            let to = [(lacking.recipient, lacking.boxes)];
            let boxes = make_boxes(&hand.device, [9; 32], space, lacking.epoch, &key, &to);
            let entry = hand.write(space, heads, Operation::Box(boxes));
            self.take(entry);
        }
    }

    /// A new epoch for everybody who is in, linked to those that the hand knows.
    fn epoch_by(&self, hand: &mut Person) -> Verified {
        let (on, space) = (&self.world.membership, self.world.space);
        let (keys, heads, recipients) = (self.ring(&hand.device), on.heads(), on.state().recipients());
        let known: Vec<(EpochId, EpochKey)> =
            on.epoch_heads().iter().filter_map(|head| Some((head.id, keys.get(head.id)?.clone()))).collect();
        let links: Vec<_> = known.iter().map(|(id, key)| (*id, key)).collect();
        let generation = on.generation_after(&heads);
        let (epoch, _) = new_epoch(&hand.device, [8; 32], space, generation, &heads, &recipients, &links);
        hand.write(space, heads, Operation::Epoch(epoch))
    }

    /// Every key that the secret opens.
    pub(crate) fn ring(&self, secret: &impl Secret) -> Keyring {
        // A ring goes on where it was, as a device's does; opening all boxes again would be most of the work.
        let mut rings = self.rings.borrow_mut();
        let keys = rings.entry(secret.signer_key()).or_default();
        let _faults = keys.update(&self.world.membership, secret);
        keys.clone()
    }
}
