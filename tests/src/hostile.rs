//! A member with bad intentions: really admitted, with real keys, and bound by nothing that a program of ours checks
//! before it sends.
//!
//! [`person`] makes clients whose keys come from a seed, [`admit`] lets one in by an invitation, and [`Member`] takes
//! over such a client's store: it seals and signs whatever it likes as the next entries of its own log, and meets
//! honest devices and relays with the real session machine, to which it can add frames of its own making.

pub mod relay;
mod session;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use alliance_client::{
    Client, Fallback, InviteOptions, InviteState, JoinState, NewSpace, Options, Progress, Role, Rules,
};
use alliance_crypto::{
    Cost, DeviceSecret, EpochKey, Keyring, Made, Maker, Membership, Place, RecoverySecret, Secret, Verified, open,
    passphrase_key, seal, sign_entry,
};
use alliance_net::{DeviceIdentity, Dialer, Settings};
use alliance_store::device::{DeviceOp, Profile};
use alliance_store::{
    CACHED_ENTRIES_MAX, Device, Fresh, Kdf, Replica as _, Spaces, SqliteReplica, StoreHeader, StoreKey,
};
use alliance_sync::{Batch, Incoming, Outcome, Outgoing, Part, Since};
use alliance_wire::content::{Body, CONTENT_VERSION, Changes, Content, DraftCover};
use alliance_wire::membership::{CutOff, RecoveryCard};
use alliance_wire::{
    DeviceKey, DocumentId, DraftId, EpochId, HashPrefix, HeaderHash, Incarnation, Instance, LogName, PersonTag,
    SpaceId, Stream, codec,
};

use crate::random::Random;

pub use session::{Handed, Met, Names};

/// The passphrase of every store here.
pub const PASSPHRASE: &str = "a passphrase";

/// How clients are opened here: what Argon2 costs is not what is tested.
#[must_use]
pub const fn options() -> Options {
    Options { rules: Rules::ALL, cost: Cost::TEST, early_data: true, fallback: Fallback::DEFAULT }
}

/// Takes what a sync tells and forgets it.
pub fn hear(_: Progress) {}

/// A new client whose device, person and incarnation come from a generator, so that what it writes is the same for
/// every run of a seed.
///
/// # Panics
/// If the machine gives no folder.
pub async fn person(folder: &Path, name: &str, random: &mut Random) -> Client {
    made(folder, name, random, None).await
}

/// The same with a recovery key of somebody else's, as every space of that person shows it.
///
/// # Panics
/// If the machine gives no folder.
pub async fn person_in_the_name_of(words: RecoveryCard, folder: &Path, name: &str, random: &mut Random) -> Client {
    made(folder, name, random, Some(words)).await
}

async fn made(folder: &Path, name: &str, random: &mut Random, words: Option<RecoveryCard>) -> Client {
    let salt = random.bytes16();
    let key = StoreKey::new(*passphrase_key(PASSPHRASE, &salt, Cost::TEST).expect("a short passphrase"));
    let kdf = Kdf { memory_kib: Cost::TEST.memory_kib(), passes: Cost::TEST.passes(), lanes: 1 };
    let header = StoreHeader::new(salt, kdf, &key);
    let fresh = Fresh { incarnation: Incarnation(random.bytes16()), instance: Instance(random.bytes16()) };
    let (device, _) = Device::create(folder, &header, &key, fresh, alliance_store::Options::default())
        .expect("a new store in a new folder");
    let profile = Profile {
        secret: DeviceSecret::from_seed(random.bytes32()).seed(),
        recovery: words.unwrap_or_else(|| RecoverySecret::from_seed(random.bytes32()).card()),
        name: name.to_owned(),
        created: 0,
    };
    device.apply(vec![DeviceOp::PutProfile(profile)]).await.expect("the store takes a profile");
    device.close();
    Client::open(folder, PASSPHRASE, options()).await.expect("the store opens")
}

/// Two clients meet directly: one listens, the other dials. Returns the dialler's report.
///
/// # Panics
/// If they do not come to the same.
pub async fn meet(listens: &Client, dials: &Client) -> alliance_client::SyncReport {
    let listener = listens.listen("127.0.0.1:0").await.expect("a port");
    let address = listener.local_address().to_string();
    let device = listens.whoami().device;
    let (heard, report) = tokio::join!(listener.accept_once(hear), dials.sync_with(device, &address, hear));
    heard.expect("the listener serves a member");
    let report = report.expect("the dialler is served");
    assert!(report.settled, "{report:?}");
    report
}

/// A steward's group.
///
/// # Panics
/// If the store does not take it.
pub async fn group(steward: &Client) -> SpaceId {
    steward.create_space("A group", NewSpace::Group).await.expect("a space").space
}

/// Lets a newcomer in as a writer, by an invitation that goes by hand, and brings it the space.
///
/// # Panics
/// If the invitation fails.
pub async fn admit(steward: &Client, space: SpaceId, newcomer: &Client) {
    admit_as(steward, space, newcomer, Role::Writer).await;
}

/// The same in another role.
///
/// # Panics
/// If the invitation fails.
pub async fn admit_as(steward: &Client, space: SpaceId, newcomer: &Client, role: Role) {
    let invite = steward.invite(space, InviteOptions { role, days: 7 }).await.expect("an invitation");
    let join = newcomer.join(&invite.text, Some("A group")).await.expect("a fresh invitation");
    let invite = steward.answer_accept(&join.accept).await.expect("a fresh accept");
    let reveal = invite.reveal.as_deref().expect("text that shows the words");
    let join = newcomer.answer_reveal(reveal).await.expect("a fresh reveal");
    let (InviteState::Answered { words, .. }, JoinState::Words { words: theirs }) = (&invite.state, &join.state) else {
        unreachable!("both have words to compare: {:?}, {:?}", invite.state, join.state);
    };
    assert_eq!(words, theirs);
    steward.confirm(&invite.id, &words.join(" ")).await.expect("the words are the same");
    meet(steward, newcomer).await;
}

/// The place behind an entry.
#[must_use]
pub fn after(place: &Place, entry: &Verified) -> Place {
    Place { seq: place.seq + 1, prev: entry.hash(), ..*place }
}

/// An opened store of this module's clients.
///
/// # Panics
/// If it does not open.
#[must_use]
pub fn open_store(folder: &Path, fresh: Fresh) -> (Device, Incarnation) {
    let header = Device::header(folder).expect("a readable header").expect("a store");
    let key = StoreKey::new(*passphrase_key(PASSPHRASE, &header.salt, Cost::TEST).expect("a short passphrase"));
    let (device, opened) =
        Device::open(folder, &key, fresh, alliance_store::Options::default()).expect("the store opens");
    (device, opened.incarnation)
}

/// A member whose store was taken over.
pub struct Member {
    /// The space in which it is a member.
    pub space: SpaceId,
    /// Its device.
    pub key: DeviceKey,
    /// Its database.
    pub incarnation: Incarnation,
    pub(crate) spaces: Spaces<SqliteReplica>,
    secret: Arc<DeviceSecret>,
    device: Device,
    epoch: (EpochId, EpochKey),
    membership: Arc<Membership>,
    pub(crate) dialer: Dialer,
    random: Random,
    folder: PathBuf,
}

impl Member {
    /// Takes over the store of a member's client, which is closed.
    ///
    /// # Panics
    /// If it is no member with keys.
    pub async fn take_over(folder: &Path, space: SpaceId, mut random: Random) -> Self {
        let fresh = Fresh { incarnation: Incarnation(random.bytes16()), instance: Instance(random.bytes16()) };
        let (device, incarnation) = open_store(folder, fresh);
        let profile = device.profile().await.expect("the store answers").expect("a profile");
        let secret = Arc::new(DeviceSecret::from_seed(*profile.secret));
        let spaces = Spaces::new(device.replica().clone(), CACHED_ENTRIES_MAX);
        let membership = spaces.membership(space).await.expect("the store answers").expect("the space is here");
        let epoch = membership.best_epoch().expect("the space has an epoch").id;
        let keys = device.epoch_keys(space).await.expect("the store answers");
        let key = keys.iter().find(|row| row.epoch == epoch).expect("a member has the epoch's key");
        let epoch = (epoch, EpochKey::from_bytes(*key.key));
        let signs = Arc::clone(&secret);
        let identity = DeviceIdentity::new(secret.key(), move |message| signs.sign(message));
        let dialer = Dialer::bind(identity, Settings::default()).expect("a socket");
        let (key, folder) = (secret.key(), folder.to_owned());
        Self { space, key, incarnation, spaces, secret, device, epoch, membership, dialer, random, folder }
    }

    /// The folder of its store.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Closes its store.
    pub fn close(self) {
        self.device.close();
    }

    /// Where its log goes on.
    ///
    /// # Panics
    /// If its store does not answer.
    pub async fn place(&self) -> Place {
        let stream = Stream::Data;
        let log = LogName::new(self.key, self.incarnation, stream).id(self.space);
        let view = self.spaces.view(self.space).await.expect("the store answers").expect("the space is here");
        let (seq, prev) = view.heads.get(&log).map_or((1, HeaderHash::NONE), |head| (head.seq + 1, head.hash));
        Place { space: self.space, incarnation: self.incarnation, stream, seq, prev }
    }

    /// What an entry says: these changes of this note, by its `actor`-th actor.
    pub fn changes(&mut self, document: DocumentId, actor: u8, changes: Vec<Vec<u8>>) -> Changes {
        let kind = alliance_model::DocumentKind::Note;
        Changes {
            document,
            kind: kind.number(),
            schema: kind.schema(),
            actor,
            draft: DraftCover { draft: DraftId(self.random.bytes16()), commands: 1, hash: HashPrefix([0; 16]) },
            changes: changes.into_iter().map(Into::into).collect(),
        }
    }

    /// Seals and signs changes for a place in its log, like any honest member would.
    ///
    /// # Panics
    /// If it is too large to be sealed.
    pub fn entry(&mut self, place: &Place, changes: Changes) -> Verified {
        let inside = self.content(changes);
        self.sealed(place, &inside)
    }

    /// What is sealed into an entry.
    #[must_use]
    pub fn content(&self, changes: Changes) -> Vec<u8> {
        let heads = self.membership.head_prefixes();
        let body = Body::Changes(changes);
        codec::encode(&Content { version: CONTENT_VERSION, heads, written_at: 0, body })
    }

    /// The same with any bytes inside.
    ///
    /// # Panics
    /// If they are too many to be sealed.
    pub fn sealed(&mut self, place: &Place, inside: &[u8]) -> Verified {
        let (epoch, key) = &self.epoch;
        let data = place.associated_data(self.key, *epoch);
        let random = self.random.bytes32();
        let payload = seal(Rules::ALL, key, place.log(self.key), &data, inside, random).expect("a small payload");
        self.signed(place, payload)
    }

    /// The same with any payload.
    ///
    /// # Panics
    /// If it is over the limit of a payload.
    #[must_use]
    pub fn signed(&self, place: &Place, payload: Vec<u8>) -> Verified {
        sign_entry(&*self.secret, place, Some(self.epoch.0), payload).expect("a payload within its limit")
    }

    /// Writes changes as the next entries of its log, into its own store only.
    ///
    /// # Panics
    /// If its store does not take them.
    pub async fn write(&mut self, changes: Vec<Changes>) {
        let mut place = self.place().await;
        let mut entries = Vec::with_capacity(changes.len());
        for changes in changes {
            let entry = self.entry(&place, changes);
            place = after(&place, &entry);
            entries.push(entry);
        }
        self.store(entries).await;
    }

    /// An entry of somebody's recovery words, as if they had been typed on this member's device: what `make` makes of
    /// the membership that is here and of the ends of a device's data. It is not stored.
    ///
    /// # Panics
    /// If its store does not answer.
    pub async fn by_words(
        &mut self,
        words: &RecoverySecret,
        target: DeviceKey,
        make: impl FnOnce(&Maker<'_, RecoverySecret>, PersonTag, Vec<CutOff>) -> Made,
    ) -> Verified {
        let membership = self.membership().await;
        let of_words = membership.state().person_of_recovery(words.signer_key()).expect("words of a member");
        self.changed(words, target, |maker, ends| make(maker, of_words, ends)).await
    }

    /// The same of this member's own device.
    ///
    /// # Panics
    /// If its store does not answer.
    pub async fn by_device(
        &mut self,
        target: DeviceKey,
        make: impl FnOnce(&Maker<'_, DeviceSecret>, Vec<CutOff>) -> Made,
    ) -> Verified {
        let secret = Arc::clone(&self.secret);
        self.changed(&*secret, target, make).await
    }

    async fn changed<S: Secret>(
        &mut self,
        secret: &S,
        target: DeviceKey,
        make: impl FnOnce(&Maker<'_, S>, Vec<CutOff>) -> Made,
    ) -> Verified {
        let view = self.spaces.view(self.space).await.expect("the store answers").expect("the space is here");
        let mut keyring = Keyring::new();
        for row in self.device.epoch_keys(self.space).await.expect("the store answers") {
            keyring.insert(row.epoch, EpochKey::from_bytes(*row.key));
        }
        let theirs = |head: &&alliance_sync::Head| head.name.stream == Stream::Data && head.name.device == target;
        let heads = view.heads.iter().filter(|(_, head)| theirs(head));
        let ends = heads.map(|(log, head)| CutOff { log: *log, seq: head.seq, hash: head.hash }).collect();
        let maker = Maker::new(&view.membership, &keyring, secret, self.random.bytes32());
        let made = make(&maker, ends);
        let log = LogName::new(secret.signer_key().into(), self.incarnation, Stream::Membership).id(self.space);
        let (seq, prev) = view.heads.get(&log).map_or((1, HeaderHash::NONE), |head| (head.seq + 1, head.hash));
        let stream = Stream::Membership;
        let place = Place { space: self.space, incarnation: self.incarnation, stream, seq, prev };
        sign_entry(secret, &place, None, made.payload.encode()).expect("a small payload")
    }

    /// The membership of its space, as it has it.
    ///
    /// # Panics
    /// If its store does not answer.
    pub async fn membership(&self) -> Arc<Membership> {
        self.spaces.membership(self.space).await.expect("the store answers").expect("the space is here")
    }

    /// How many data entries of its space it has.
    ///
    /// # Panics
    /// If its store does not answer.
    pub async fn data_entries(&self) -> u64 {
        let view = self.spaces.view(self.space).await.expect("the store answers").expect("the space is here");
        view.heads.values().filter(|head| head.name.stream == Stream::Data).map(|head| head.seq).sum()
    }

    /// Puts entries into its own store.
    ///
    /// # Panics
    /// If its store does not take them.
    pub async fn store(&self, entries: Vec<Verified>) {
        let items: Vec<_> = entries.into_iter().map(Incoming::Entry).collect();
        let done = self.spaces.persist(Batch { items, ..Batch::default() }).await.expect("the store answers");
        assert!(done.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Stored(_))), "{done:?}");
    }

    /// The changes of a document that others wrote, as they lie opened in this member's store.
    ///
    /// # Panics
    /// If its store does not answer.
    pub async fn read(&self, document: DocumentId) -> Vec<(LogName, Changes)> {
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let since = Since { space: self.space, after, part: Part::Everything, bytes: 1 << 20 };
            let page = self.spaces.replica().since(since).await.expect("the store answers");
            for item in page.items {
                let Outgoing::Entry(name, entry) = item else { continue };
                let header = entry.header();
                if name.stream != Stream::Data || name.device == self.key || header.epoch() != Some(self.epoch.0) {
                    continue;
                }
                let Some(payload) = &entry.payload else { continue };
                let opened = open(Rules::ALL, &self.epoch.1, header.log, &header.associated_data(), payload);
                let content = Content::parse(&opened.expect("honest members seal well")).expect("and write content");
                if let Body::Changes(changes) = content.body
                    && changes.document == document
                {
                    found.push((LogName::clone(&name), changes));
                }
            }
            if !page.more {
                return found;
            }
            after = page.upto;
        }
    }
}
