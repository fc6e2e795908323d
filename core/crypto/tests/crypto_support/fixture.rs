//! People and their logs for tests: everything derives from small seeds.
#![allow(dead_code, reason = "each test uses a part")]

use alliance_crypto::{
    BoxPlace, DeviceSecret, EpochKey, Inserted, Membership, OneTimeSecret, Place, RecoverySecret, Secret, Verified,
    make_boxes, new_epoch, sign_entry,
};
use alliance_wire::membership::{
    Add, Boxes, CardFor, EraseRule, First, Invite, MEMBERSHIP_VERSION, OnceKey, Operation, Payload, RelayPin, Role,
    SpaceKind, commitment,
};
use alliance_wire::{DeviceKey, EpochId, HeaderHash, Incarnation, PersonTag, SpaceId, Stream, hash::content_hash};

/// A person with one device, as one space knows it.
pub(crate) struct Person {
    pub(crate) device: DeviceSecret,
    pub(crate) recovery: RecoverySecret,
    pub(crate) incarnation: Incarnation,
    pub(crate) tag: PersonTag,
    seq: u64,
    prev: HeaderHash,
}

impl Person {
    pub(crate) fn new(seed: u8) -> Self {
        Self {
            device: DeviceSecret::from_seed([seed; 32]),
            recovery: RecoverySecret::from_seed([seed; 32]),
            incarnation: Incarnation([seed; 16]),
            tag: PersonTag([0; 16]),
            seq: 0,
            prev: HeaderHash::NONE,
        }
    }

    pub(crate) fn key(&self) -> DeviceKey {
        self.device.key()
    }

    /// The place of the next entry of the membership log.
    pub(crate) fn place(&self, space: SpaceId) -> Place {
        let (seq, prev) = (self.seq + 1, self.prev);
        Place { space, incarnation: self.incarnation, stream: Stream::Membership, seq, prev }
    }

    /// Signs the next entry of the membership log.
    pub(crate) fn write(&mut self, space: SpaceId, parents: Vec<HeaderHash>, operation: Operation) -> Verified {
        self.write_for(space, self.tag, parents, operation)
    }

    pub(crate) fn write_for(
        &mut self,
        space: SpaceId,
        person: PersonTag,
        parents: Vec<HeaderHash>,
        operation: Operation,
    ) -> Verified {
        let first = matches!(operation, Operation::First(_));
        let person = (!first).then_some(person);
        let payload = Payload { version: MEMBERSHIP_VERSION, parents, person, operation };
        let entry = sign_entry(&self.device, &self.place(space), None, payload.encode()).unwrap();
        (self.seq, self.prev) = (entry.seq(), entry.hash());
        entry
    }
}

/// What the founder's first entry says.
pub(crate) fn first(founder: &Person, kind: SpaceKind) -> First {
    let (random, recovery) = ([9; 16], founder.recovery.card());
    let card = founder.device.card(&CardFor::First { random }, &recovery);
    First { random, kind, erase: EraseRule::Everybody, recovery, card }
}

/// A space with its founder.
pub(crate) struct World {
    pub(crate) space: SpaceId,
    pub(crate) founder: Person,
    pub(crate) membership: Membership,
    pub(crate) entries: Vec<Verified>,
}

impl World {
    pub(crate) fn found(kind: SpaceKind) -> Self {
        let mut founder = Person::new(1);
        let operation = Operation::First(first(&founder, kind));
        let payload = Payload { version: MEMBERSHIP_VERSION, parents: Vec::new(), person: None, operation };
        let space = SpaceId::of(founder.key(), founder.incarnation, content_hash(&payload.encode()));
        let entry = founder.write(space, Vec::new(), payload.operation);
        founder.tag = PersonTag::of(space, founder.key(), founder.recovery.signer_key(), None);
        let mut world = Self { space, founder, membership: Membership::new(space), entries: Vec::new() };
        world.take(entry);
        world
    }

    /// Takes an entry that must be new.
    pub(crate) fn take(&mut self, entry: Verified) -> HeaderHash {
        let hash = entry.hash();
        assert_eq!(self.membership.insert(&entry), Ok(Inserted::New));
        self.entries.push(entry);
        hash
    }

    /// The founder writes on the present heads.
    pub(crate) fn founder_writes(&mut self, operation: Operation) -> HeaderHash {
        let entry = self.founder.write(self.space, self.membership.heads(), operation);
        self.take(entry)
    }

    /// Another person writes on the present heads.
    pub(crate) fn writes(&mut self, person: &mut Person, operation: Operation) -> HeaderHash {
        let entry = person.write(self.space, self.membership.heads(), operation);
        self.take(entry)
    }

    /// The founder's next epoch, sealed to everybody, linked to what `links` names.
    pub(crate) fn epoch_of_founder(&mut self, random: u8, links: &[(EpochId, &EpochKey)]) -> (EpochId, EpochKey) {
        let (parents, recipients) = (self.membership.heads(), self.membership.state().recipients());
        let generation = self.membership.next_generation();
        let (epoch, key) =
            new_epoch(&self.founder.device, [random; 32], self.space, generation, &parents, &recipients, links);
        (self.founder_writes(Operation::Epoch(epoch)).epoch(), key)
    }

    /// The founder invites a person and adds it, with the boxes that `boxes` makes.
    pub(crate) fn add(&mut self, person: &mut Person, role: Role, boxes: Boxes) -> HeaderHash {
        let secret = OneTimeSecret::from_seed(person.key().0);
        let once = secret.signer_key();
        let keys = vec![OnceKey { key: once, commitment: commitment(once, &[7; 32]) }];
        let invite = self.founder_writes(Operation::Invite(Invite { keys, role, expires: 1 }));
        let add = self.add_operation(person, role, invite, boxes);
        let parents = self.membership.heads();
        let entry = self.founder.write_for(self.space, person.tag, parents, Operation::Add(add));
        self.take(entry)
    }

    /// What an `add` says; gives the person its tag.
    pub(crate) fn add_operation(&self, person: &mut Person, role: Role, invitation: HeaderHash, boxes: Boxes) -> Add {
        let (space, recovery) = (self.space, person.recovery.card());
        let once = OneTimeSecret::from_seed(person.key().0).signer_key();
        person.tag = PersonTag::of(space, person.key(), recovery.signer, Some(once));
        let card = person.device.card(&CardFor::Add { space, tag: person.tag, once, role }, &recovery);
        Add { invitation, once, role, card, recovery, boxes }
    }

    /// The founder's boxes for a person's device and recovery key.
    pub(crate) fn boxes_for(&self, person: &Person, epoch: EpochId, key: &EpochKey) -> Boxes {
        let recovery = person.recovery.card();
        let recipients = [(person.key().into(), person.device.box_key()), (recovery.signer, recovery.boxes)];
        make_boxes(&self.founder.device, [3; 32], self.space, epoch, key, &recipients)
    }

    pub(crate) fn relay(address: &str) -> Operation {
        Operation::Relay(RelayPin { relay: DeviceKey([4; 32]), address: address.to_owned(), admission: None })
    }

    pub(crate) const fn appended(&self, epoch: EpochId) -> BoxPlace<'static> {
        BoxPlace::Appended { space: self.space, epoch }
    }
}
