//! A space with members, made of real signed entries: what tests of replication start from.

use alliance_crypto::{DeviceSecret, OneTimeSecret, Place, RecoverySecret, Secret, Verified, sign_entry};
use alliance_wire::membership::{
    Add, Boxes, CardFor, Ending, Epoch, EraseRule, First, Invite, KeyBox, MEMBERSHIP_VERSION, OnceKey, Operation,
    Payload, RelayPin, Role, SpaceKind,
};
use alliance_wire::{DeviceKey, EpochId, HeaderHash, Incarnation, PersonTag, SignerKey, SpaceId, Stream};

use crate::random::Random;

/// A device that writes.
pub struct Writer {
    /// Its secret.
    pub secret: DeviceSecret,
    /// Its person's recovery key.
    pub recovery: RecoverySecret,
    /// Its database.
    pub incarnation: Incarnation,
    /// Newest number and hash in its data log.
    pub data: (u64, HeaderHash),
    /// Counter of its newest receipt in this incarnation.
    pub receipts: u64,
    /// Incarnations before this one.
    pub closed: Vec<Incarnation>,
}

impl Writer {
    /// A device with keys of this generator.
    pub fn new(random: &mut Random) -> Self {
        Self {
            secret: DeviceSecret::from_seed(random.bytes32()),
            recovery: RecoverySecret::from_seed(random.bytes32()),
            incarnation: Incarnation(random.bytes16()),
            data: (0, HeaderHash::NONE),
            receipts: 0,
            closed: Vec::new(),
        }
    }

    /// Goes on under another incarnation.
    pub fn begin_anew(&mut self, incarnation: Incarnation) {
        let before = std::mem::replace(&mut self.incarnation, incarnation);
        self.closed.push(before);
        let kept = self.closed.len().saturating_sub(alliance_wire::limits::INCARNATIONS_MAX);
        self.closed.drain(..kept);
        self.data = (0, HeaderHash::NONE);
        self.receipts = 0;
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> DeviceKey {
        self.secret.key()
    }

    /// The next entry of its data log.
    pub fn write(&mut self, space: SpaceId, epoch: EpochId, payload: &[u8]) -> Verified {
        let (seq, prev) = self.data;
        let place = Place { space, incarnation: self.incarnation, stream: Stream::Data, seq: seq + 1, prev };
        let entry = sign_entry(&self.secret, &place, Some(epoch), payload.to_vec()).expect("a small payload");
        self.data = (seq + 1, entry.hash());
        entry
    }
}

/// A space and its membership entries, in causal order.
pub struct World {
    /// The space.
    pub space: SpaceId,
    /// Its first epoch.
    pub epoch: EpochId,
    /// Its membership.
    pub membership: Vec<Verified>,
    /// The founder's person.
    pub founder: PersonTag,
    log: (u64, HeaderHash),
}

impl World {
    /// A group of these writers; the first founds it. Boxes hold no real keys: nothing here opens payloads.
    pub fn new(random: &mut Random, writers: &[Writer], relay: Option<DeviceKey>) -> Self {
        let founder = &writers[0];
        let space_random = random.bytes16();
        let recovery = founder.recovery.card();
        let card = founder.secret.card(&CardFor::First { random: space_random }, &recovery);
        let first = First { random: space_random, kind: SpaceKind::Group, erase: EraseRule::Steward, recovery, card };
        let payload = Payload {
            version: MEMBERSHIP_VERSION,
            parents: Vec::new(),
            person: None,
            operation: Operation::First(first),
        };
        let bytes = payload.encode();
        let space = SpaceId::of(founder.key(), founder.incarnation, alliance_wire::hash::content_hash(&bytes));
        let tag = PersonTag::of(space, founder.key(), recovery.signer, None);
        let mut world =
            Self { space, epoch: EpochId([0; 16]), membership: Vec::new(), founder: tag, log: (0, HeaderHash::NONE) };
        world.append(founder, bytes);
        let boxes = vec![dummy_box(founder.key().into()), dummy_box(recovery.signer)];
        let epoch = Epoch { generation: 1, canary: random.bytes32(), boxes, links: Vec::new() };
        world.epoch = world.operate(founder, tag, Operation::Epoch(epoch)).epoch();
        if let Some(relay) = relay {
            let pin = RelayPin { relay, address: "relay.example:4433".into(), admission: None };
            world.operate(founder, tag, Operation::Relay(pin));
        }
        for writer in &writers[1..] {
            world.admit(random, founder, writer, Role::Writer);
        }
        world
    }

    /// Admits a writer through an invitation.
    pub fn admit(&mut self, random: &mut Random, founder: &Writer, writer: &Writer, role: Role) {
        let once = OneTimeSecret::from_seed(random.bytes32()).signer_key();
        let keys = vec![OnceKey { key: once, commitment: random.bytes32() }];
        let invite = Invite { keys, role, expires: u64::from(u32::MAX) };
        let invitation = self.operate(founder, self.founder, Operation::Invite(invite));
        let recovery = writer.recovery.card();
        let tag = PersonTag::of(self.space, writer.key(), recovery.signer, Some(once));
        let card = writer.secret.card(&CardFor::Add { space: self.space, tag, once, role }, &recovery);
        let boxes = vec![dummy_box(writer.key().into()), dummy_box(recovery.signer)];
        let boxes = Boxes { epoch: self.epoch, boxes };
        self.operate(founder, tag, Operation::Add(Add { invitation, once, role, card, recovery, boxes }));
    }

    /// Any other membership entry of the founder's.
    pub fn operate(&mut self, founder: &Writer, person: PersonTag, operation: Operation) -> HeaderHash {
        let parents = vec![self.log.1];
        let payload = Payload { version: MEMBERSHIP_VERSION, parents, person: Some(person), operation };
        self.append(founder, payload.encode())
    }

    /// An ending that names no data log, with the next epoch. Boxes hold no real keys.
    #[must_use]
    pub fn ending(generation: u64, random: &mut Random) -> Ending {
        let epoch = Epoch { generation, canary: random.bytes32(), boxes: Vec::new(), links: Vec::new() };
        Ending { cut_offs: Vec::new(), epoch }
    }

    /// An entry of another key, on these parents: the next behind `last` in its log of this incarnation.
    ///
    /// # Panics
    /// If the payload is too large.
    #[must_use]
    pub fn by_key(
        &self,
        secret: &impl Secret,
        incarnation: Incarnation,
        last: Option<&Verified>,
        (person, parents): (PersonTag, Vec<HeaderHash>),
        operation: Operation,
    ) -> Verified {
        let payload = Payload { version: MEMBERSHIP_VERSION, parents, person: Some(person), operation };
        let (seq, prev) = last.map_or((1, HeaderHash::NONE), |last| (last.seq() + 1, last.hash()));
        let place = Place { space: self.space, incarnation, stream: Stream::Membership, seq, prev };
        sign_entry(secret, &place, None, payload.encode()).expect("a small payload")
    }

    fn append(&mut self, founder: &Writer, payload: Vec<u8>) -> HeaderHash {
        let (seq, prev) = self.log;
        let place = Place {
            space: self.space,
            incarnation: founder.incarnation,
            stream: Stream::Membership,
            seq: seq + 1,
            prev,
        };
        let entry = sign_entry(&founder.secret, &place, None, payload).expect("a small payload");
        let hash = entry.hash();
        self.log = (seq + 1, hash);
        self.membership.push(entry);
        hash
    }
}

fn dummy_box(recipient: SignerKey) -> KeyBox {
    KeyBox { recipient, sealed: [7; 80] }
}
