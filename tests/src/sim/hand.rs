//! A device's store in the hands of somebody who is bound by nothing: opened while no process has it.

use std::sync::Arc;

use alliance_client::{Rules, SpaceId};
use alliance_crypto::{
    DeviceSecret, EpochKey, Membership, OneTimeSecret, Place, RecoverySecret, Secret, Verified, make_boxes,
    passphrase_key, sign_entry,
};
use alliance_store::{CACHED_ENTRIES_MAX, Device, Disk, Fresh, Options, Replica as _, Spaces, SqliteReplica, StoreKey};
use alliance_sync::{Batch, Incoming, Outcome, Outgoing, Part, Since};
use alliance_wire::membership::{Add, Boxes, CardFor, MEMBERSHIP_VERSION, Operation, Payload, RelayPin, Role};
use alliance_wire::{DeviceKey, Entry, EpochId, HeaderHash, Incarnation, Instance, LogName, PersonTag, Stream};

use super::node::Node;
use crate::people::PASSPHRASE;

/// Somebody who was never let in.
pub struct Stranger {
    device: DeviceSecret,
    recovery: RecoverySecret,
    once: OneTimeSecret,
}

impl Stranger {
    /// From a number.
    #[must_use]
    pub fn new(seed: u8) -> Self {
        let once = OneTimeSecret::from_seed([seed; 32]);
        Self { device: DeviceSecret::from_seed([seed; 32]), recovery: RecoverySecret::from_seed([seed; 32]), once }
    }

    fn tag(&self, space: SpaceId) -> PersonTag {
        let once = Some(self.once.signer_key());
        PersonTag::of(space, self.device.key(), self.recovery.card().signer, once)
    }

    fn first(&self, space: SpaceId, stream: Stream) -> Place {
        let incarnation = Incarnation([self.device.key().0[0]; 16]);
        Place { space, incarnation, stream, seq: 1, prev: HeaderHash::NONE }
    }
}

/// An open store.
pub struct Hand {
    /// The store.
    pub device: Device,
    spaces: Spaces<SqliteReplica>,
    secret: DeviceSecret,
    incarnation: Incarnation,
}

impl Hand {
    /// Takes the store of a node whose process was closed, under these rules.
    ///
    /// # Panics
    /// If it does not open.
    pub async fn take(node: &Node, rules: Rules) -> Self {
        let header = Device::header(&node.folder).expect("a readable header").expect("a store");
        let cost = alliance_crypto::Cost::TEST;
        let key = StoreKey::new(*passphrase_key(PASSPHRASE, &header.salt, cost).expect("a short passphrase"));
        let fresh = Fresh { incarnation: Incarnation([1; 16]), instance: Instance([1; 16]) };
        let disk = Some(Arc::clone(&node.disk) as Arc<dyn Disk>);
        let options = Options { disk, rules, ..Options::default() };
        let (device, opened) = Device::open(&node.folder, &key, fresh, options).expect("the store opens");
        let profile = device.profile().await.expect("the store answers").expect("a profile");
        let spaces = Spaces::under(rules.membership, device.replica().clone(), CACHED_ENTRIES_MAX);
        let secret = DeviceSecret::from_seed(*profile.secret);
        Self { device, spaces, secret, incarnation: opened.incarnation }
    }

    /// Closes the store.
    pub fn close(self) {
        self.device.close();
    }

    /// Puts entries into the store.
    ///
    /// # Panics
    /// If it does not take them.
    pub async fn put(&self, entries: Vec<Verified>) {
        let items = entries.into_iter().map(Incoming::Entry).collect();
        let done = self.spaces.persist(Batch { items, ..Batch::default() }).await.expect("the store answers");
        assert!(done.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Stored(_))), "{done:?}");
    }

    /// Hashes of the entries of a space.
    ///
    /// # Panics
    /// If the store does not answer.
    pub async fn entries(&self, space: SpaceId) -> Vec<HeaderHash> {
        let since = Since { space, after: 0, part: Part::Everything, bytes: 1 << 20 };
        let page = self.device.replica().since(since).await.expect("the store answers");
        let hash = |item| match item {
            Outgoing::Entry(_, entry) => Some(Entry::header(&entry).hash()),
            Outgoing::Receipt(_) | Outgoing::Fork(..) => None,
        };
        page.items.into_iter().filter_map(hash).collect()
    }

    async fn membership(&self, space: SpaceId) -> Arc<Membership> {
        self.spaces.membership(space).await.expect("the store answers").expect("the space is here")
    }

    async fn place(&self, space: SpaceId, stream: Stream) -> Place {
        let log = LogName::new(self.secret.key(), self.incarnation, stream).id(space);
        let view = self.spaces.view(space).await.expect("the store answers").expect("the space is here");
        let (seq, prev) = view.heads.get(&log).map_or((1, HeaderHash::NONE), |head| (head.seq + 1, head.hash));
        Place { space, incarnation: self.incarnation, stream, seq, prev }
    }

    async fn epoch(&self, space: SpaceId) -> (EpochId, EpochKey) {
        let epoch = self.membership(space).await.best_epoch().expect("an epoch").id;
        let keys = self.device.epoch_keys(space).await.expect("the store answers");
        let key = keys.iter().find(|row| row.epoch == epoch).expect("a member has the epoch's key");
        (epoch, EpochKey::from_bytes(*key.key))
    }

    async fn says(&self, place: Place, author: &DeviceSecret, person: PersonTag, operation: Operation) -> Verified {
        let parents = self.membership(place.space).await.heads();
        let payload = Payload { version: MEMBERSHIP_VERSION, parents, person: Some(person), operation };
        sign_entry(author, &place, None, payload.encode()).expect("a small payload")
    }

    async fn me(&self, space: SpaceId) -> PersonTag {
        self.membership(space).await.state().person_of(self.secret.key()).expect("a member")
    }

    /// A data entry of a stranger's.
    pub async fn data_of(&self, space: SpaceId, stranger: &Stranger) -> Verified {
        let epoch = Some(self.epoch(space).await.0);
        sign_entry(&stranger.device, &stranger.first(space, Stream::Data), epoch, vec![6; 64]).expect("a small payload")
    }

    /// A membership entry of a stranger's, who speaks for this device's person.
    pub async fn membership_of(&self, space: SpaceId, stranger: &Stranger) -> Verified {
        let pin = RelayPin { relay: DeviceKey([4; 32]), address: "other.example:1".to_owned(), admission: None };
        let (place, person) = (stranger.first(space, Stream::Membership), self.me(space).await);
        self.says(place, &stranger.device, person, Operation::Relay(pin)).await
    }

    /// This device lets a stranger in, whether it may or not.
    pub async fn add(&self, space: SpaceId, stranger: &Stranger) -> Verified {
        let (tag, once, role) = (stranger.tag(space), stranger.once.signer_key(), Role::Writer);
        let recovery = stranger.recovery.card();
        let card = stranger.device.card(&CardFor::Add { space, tag, once, role }, &recovery);
        let boxes = Boxes { epoch: self.epoch(space).await.0, boxes: Vec::new() };
        let add = Add { invitation: HeaderHash([1; 32]), once, role, card, recovery, boxes };
        let place = self.place(space, Stream::Membership).await;
        self.says(place, &self.secret, tag, Operation::Add(add)).await
    }

    /// This device seals the key of the space to a stranger.
    pub async fn box_for(&self, space: SpaceId, stranger: &Stranger) -> Verified {
        let (epoch, key) = self.epoch(space).await;
        let recipients = [(stranger.device.key().into(), stranger.device.box_key())];
        let boxes = make_boxes(&self.secret, [3; 32], space, epoch, &key, &recipients);
        let place = self.place(space, Stream::Membership).await;
        self.says(place, &self.secret, self.me(space).await, Operation::Box(boxes)).await
    }
}
