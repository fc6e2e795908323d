//! Authors with fixed keys and the entries that they write.

use alliance_crypto::{
    DeviceSecret, Place, RecoverySecret, Secret, Verified, VerifiedReceipt, sign_entry, sign_receipt,
};
use alliance_sync::{Batch, Incoming};
use alliance_wire::entry::SignedHeader;
use alliance_wire::hash::content_hash;
use alliance_wire::membership::{CardFor, EraseRule, First, MEMBERSHIP_VERSION, Operation, Payload, SpaceKind};
use alliance_wire::receipt::{RECEIPT_VERSION, Receipt};
use alliance_wire::{Entry, EpochId, HeaderHash, Incarnation, LogName, SpaceId, Stream};

/// A space of a number.
#[must_use]
pub fn space(number: u8) -> SpaceId {
    SpaceId([number; 16])
}

/// A batch of nothing but items.
#[must_use]
pub fn batch(items: Vec<Incoming>) -> Batch {
    Batch { items, ..Batch::default() }
}

/// A device that writes entries. Its key and incarnation follow from a number.
#[derive(Debug)]
pub struct Author {
    /// Its secret.
    pub secret: DeviceSecret,
    /// Its database.
    pub incarnation: Incarnation,
}

impl Author {
    /// The author of this number.
    #[must_use]
    pub fn new(number: u8) -> Self {
        Self { secret: DeviceSecret::from_seed([number; 32]), incarnation: Incarnation([number; 16]) }
    }

    /// The name of its log.
    #[must_use]
    pub fn name(&self, stream: Stream) -> LogName {
        LogName::new(self.secret.key(), self.incarnation, stream)
    }

    /// An entry at any place.
    ///
    /// # Panics
    /// When the place is impossible.
    #[must_use]
    pub fn entry(&self, space: SpaceId, stream: Stream, seq: u64, prev: HeaderHash, payload: &[u8]) -> Verified {
        let place = Place { space, incarnation: self.incarnation, stream, seq, prev };
        let epoch = (stream == Stream::Data).then_some(EpochId([9; 16]));
        sign_entry(&self.secret, &place, epoch, payload.to_vec()).expect("samples stand at possible places")
    }

    /// The entry that follows another, or the first.
    #[must_use]
    pub fn next(&self, space: SpaceId, stream: Stream, before: Option<&Verified>, payload: &[u8]) -> Verified {
        let (seq, prev) = before.map_or((1, HeaderHash::NONE), |before| (before.seq() + 1, before.hash()));
        self.entry(space, stream, seq, prev, payload)
    }

    /// A chain of `len` entries after another or from the start; payloads differ by `tag` and number.
    #[must_use]
    pub fn chain(
        &self,
        space: SpaceId,
        stream: Stream,
        before: Option<&Verified>,
        tag: &str,
        len: usize,
    ) -> Vec<Verified> {
        let mut chain: Vec<Verified> = Vec::with_capacity(len);
        for number in 0..len {
            let last = chain.last().or(before);
            let next = self.next(space, stream, last, format!("{tag} {number}").as_bytes());
            chain.push(next);
        }
        chain
    }

    /// A receipt with this counter.
    ///
    /// # Panics
    /// Never: the receipt is within its limits.
    #[must_use]
    pub fn receipt(&self, space: SpaceId, counter: u64, closes: Vec<Incarnation>) -> VerifiedReceipt {
        let receipt = Receipt {
            version: RECEIPT_VERSION,
            space,
            device: self.secret.key(),
            incarnation: self.incarnation,
            counter,
            closes,
            vector: Vec::new(),
            heads: Vec::new(),
            parked: Vec::new(),
            parked_count: 0,
        };
        let signed = sign_receipt(&self.secret, &receipt).expect("within its limits");
        VerifiedReceipt::verify(space, signed).expect("just signed")
    }
}

/// The entry that founds a personal space of an author, with the words of another number, and the space.
///
/// # Panics
/// Never: the entry is within its limits.
#[must_use]
pub fn found_space(author: &Author, random: u8) -> (SpaceId, Verified) {
    let recovery = RecoverySecret::from_seed([random ^ 0xff; 32]).card();
    let card = author.secret.card(&CardFor::First { random: [random; 16] }, &recovery);
    let first = First { random: [random; 16], kind: SpaceKind::Personal, erase: EraseRule::Owner, recovery, card };
    let payload =
        Payload { version: MEMBERSHIP_VERSION, parents: Vec::new(), person: None, operation: Operation::First(first) };
    let bytes = payload.encode();
    let space = SpaceId::of(author.secret.key(), author.incarnation, content_hash(&bytes));
    (space, author.entry(space, Stream::Membership, 1, HeaderHash::NONE, &bytes))
}

/// The same entry without its payload, as after an erasure.
///
/// # Panics
/// Never: the entry was verified before.
pub(super) fn dropped(entry: &Verified) -> Verified {
    let signed = SignedHeader { ..entry.entry().signed.clone() };
    let bare = Entry { signed, payload: None };
    Verified::trusted(entry.space(), entry.name().clone(), bare, entry.hash()).expect("verified before")
}

/// The same entry as its sender names it after a fork.
///
/// # Panics
/// Never: the name is of the same author's log.
pub(super) fn named(entry: &Verified, name: LogName) -> Verified {
    entry.clone().renamed(name).expect("of the same log")
}

pub(super) fn items(entries: &[Verified]) -> Vec<Incoming> {
    entries.iter().cloned().map(Incoming::Entry).collect()
}

/// The signer's key, to write rosters.
pub(super) fn key(author: &Author) -> alliance_wire::DeviceKey {
    author.secret.signer_key().into()
}
