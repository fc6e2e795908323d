//! People and their logs for tests: everything derives from small seeds.
#![allow(dead_code, reason = "each test uses a part")]

use alliance_crypto::{
    BoxPlace, DeviceSecret, EpochKey, Inserted, Keyring, Made, Maker, Membership, OneTimeSecret, Place, RecoverySecret,
    Secret, Verified, make_boxes, new_epoch, sign_entry,
};
use alliance_wire::membership::{
    Add, Boxes, CardFor, CardForOwn, EraseRule, First, Invite, MEMBERSHIP_VERSION, OnceKey, Operation, Payload,
    RelayPin, Role, SpaceKind, commitment,
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
    /// Number and hash of the newest entry that the words signed.
    words: (u64, HeaderHash),
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
            words: (0, HeaderHash::NONE),
        }
    }

    /// A further device of the person, with the same words.
    pub(crate) fn other_device(&self, seed: u8) -> Self {
        let recovery = RecoverySecret::from_seed(*self.recovery.seed());
        Self { recovery, tag: self.tag, ..Self::new(seed) }
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

impl Person {
    /// The device signs what a [`Maker`] makes for it on the heads that are here.
    pub(crate) fn makes(&mut self, on: &Membership, make: impl FnOnce(&Maker<'_, DeviceSecret>) -> Made) -> Verified {
        let keys = ring(on, &self.device);
        let made = make(&Maker::new(on, &keys, &self.device, [self.key().0[0]; 32]));
        self.signs(on.space(), made)
    }

    /// The next entry of the log follows this one.
    pub(crate) fn goes_on_after(&mut self, entry: &Verified) {
        (self.seq, self.prev) = (entry.seq(), entry.hash());
    }

    /// The same hand once more: what it signs may be thrown away, and the log goes on as if it had not been.
    pub(crate) fn double(&self) -> Self {
        Self {
            device: DeviceSecret::from_seed(*self.device.seed()),
            recovery: RecoverySecret::from_seed(*self.recovery.seed()),
            ..*self
        }
    }

    /// The same hand with a log of its own: no entry that it signed before is an ancestor of what it signs here.
    pub(crate) fn in_new_log(&self, incarnation: u8) -> Self {
        let (seq, prev, words) = (0, HeaderHash::NONE, (0, HeaderHash::NONE));
        Self { incarnation: Incarnation([incarnation; 16]), seq, prev, words, ..self.double() }
    }

    pub(crate) fn signs(&mut self, space: SpaceId, Made { payload, .. }: Made) -> Verified {
        self.write_for(space, payload.person.unwrap(), payload.parents, payload.operation)
    }

    /// The words sign what a [`Maker`] makes for them on the heads that are here.
    pub(crate) fn words_make(
        &mut self,
        on: &Membership,
        make: impl FnOnce(&Maker<'_, RecoverySecret>) -> Made,
    ) -> Verified {
        let keys = ring(on, &self.recovery);
        let made = make(&Maker::new(on, &keys, &self.recovery, [self.key().0[1]; 32]));
        self.words_sign(on.space(), &made)
    }

    pub(crate) fn words_sign(&mut self, space: SpaceId, made: &Made) -> Verified {
        let ((seq, prev), incarnation) = (self.words, self.incarnation);
        let place = Place { space, incarnation, stream: Stream::Membership, seq: seq + 1, prev };
        let entry = sign_entry(&self.recovery, &place, None, made.payload.encode()).unwrap();
        self.words = (entry.seq(), entry.hash());
        entry
    }
}

/// Every key that the secret opens, whatever is wrong with others.
pub(crate) fn ring(membership: &Membership, secret: &impl Secret) -> Keyring {
    let mut keys = Keyring::new();
    let _faults = keys.update(membership, secret);
    keys
}

/// Every key that the secret opens, where nothing is wrong with any.
pub(crate) fn keyring(membership: &Membership, secret: &impl Secret) -> Keyring {
    let mut keys = Keyring::new();
    assert_eq!(keys.update(membership, secret), Vec::new());
    keys
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

    /// Takes an entry that the table grants.
    pub(crate) fn granted(&mut self, entry: Verified) -> HeaderHash {
        let hash = self.take(entry);
        assert_eq!(self.membership.is_authorised(hash), Some(true));
        hash
    }

    /// Takes an entry into a copy: whether the table grants it.
    pub(crate) fn would_grant(&self, entry: &Verified) -> bool {
        let mut copy = self.membership.clone();
        assert_eq!(copy.insert(entry), Ok(Inserted::New));
        copy.is_authorised(entry.hash()).unwrap()
    }

    /// The person's device lists another one.
    pub(crate) fn lists(&mut self, person: &mut Person, other: &Person) -> HeaderHash {
        let place = CardForOwn { space: self.space, tag: person.tag, by: person.key().into() };
        let card = other.device.own_card(&place);
        let entry = person.makes(&self.membership, |maker| maker.device(place.tag, card));
        self.granted(entry)
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
        let generation = self.membership.generation_after(&parents);
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
