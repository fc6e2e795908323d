//! Taking entries in: what is refused at once, and what is remembered of the others.

use std::collections::BTreeSet;
use std::sync::{OnceLock, PoisonError};

use alliance_wire::membership::{CardFor, CardForOwn, First, Operation, Payload};
use alliance_wire::{DecodeError, DeviceKey, HeaderHash, Kind, PersonTag, SignerKey, SpaceId, Suffix, limits};

use super::evaluation::{Evaluation, Fact, Number, Op};
use super::{Membership, Record, Used};
use crate::entry::Verified;
use crate::keys::{is_usable, verify_card, verify_own_card};

/// What a header with its signature costs of a device's allowance, in bytes beside the payload.
const HEADER_BYTES: usize = 192;

/// Whether an entry was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It was taken.
    New,
    /// It was there already.
    Known,
}

/// Why an entry is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MembershipError {
    /// It belongs to another space, or is a first entry that makes another space.
    #[error("the entry belongs to another space")]
    NotThisSpace,
    /// It is a data entry.
    #[error("not a membership entry")]
    NotMembership,
    /// Its payload was dropped; membership payloads never are.
    #[error("a membership entry without its payload")]
    NoPayload,
    /// Its payload is not a membership payload of this version.
    #[error("membership payload: {0}")]
    Malformed(#[from] DecodeError),
    /// It makes this space, but its founder's card is not in order.
    #[error("the founder's card is not in order")]
    FirstCard,
    /// The entry before it in its log is not the one that its number calls for.
    #[error("the entry does not continue its log")]
    Chain,
    /// These ancestors are not here yet: the caller keeps the entry until they are.
    #[error("{} ancestors are missing", .0.len())]
    Missing(Vec<HeaderHash>),
    /// No authorised entry among its ancestors lists its author: it can never count, here or anywhere, and keys cost
    /// nothing, so that an allowance for each key would be none.
    #[error("the entry's author was not listed in this space")]
    Stranger,
    /// The device has used up its allowance of entries or bytes.
    #[error("too many membership entries of device {}", .device.short())]
    TooMany {
        /// Who floods.
        device: DeviceKey,
    },
}

impl Membership {
    /// Takes an entry and judges it by the table in the state of its ancestors. The verdict never changes.
    ///
    /// # Errors
    /// [`MembershipError`]; the set is then as it was.
    pub fn insert(&mut self, verified: &Verified) -> Result<Inserted, MembershipError> {
        if verified.space() != self.space {
            return Err(MembershipError::NotThisSpace);
        }
        if verified.kind() != Kind::Membership {
            return Err(MembershipError::NotMembership);
        }
        if self.by_hash.contains_key(&verified.hash()) {
            return Ok(Inserted::Known);
        }
        let payload = Payload::parse(verified.payload().ok_or(MembershipError::NoPayload)?)?;
        if let Operation::First(first) = &payload.operation {
            self.found(verified, first)?;
            self.record(verified, payload, &[]);
            return Ok(Inserted::New);
        }
        let parents = self.parents(verified, &payload)?;
        if self.rules.strangers && !self.is_listed_before(&parents, verified.author()) {
            return Err(MembershipError::Stranger);
        }
        self.spend(verified)?;
        let fact = self.fact(verified, &payload, parents.clone());
        let evaluation = self.evaluation.as_mut().expect("an entry whose ancestors are here follows the first entry");
        let number = evaluation.insert(fact);
        if evaluation.is_authorised(number) {
            self.list(number, &payload);
        }
        self.record(verified, payload, &parents);
        Ok(Inserted::New)
    }

    /// Checks the first entry and makes the space of it.
    fn found(&mut self, verified: &Verified, first: &First) -> Result<(), MembershipError> {
        let (name, header) = (verified.name(), verified.header());
        let makes = SpaceId::of(name.device, name.incarnation, header.payload_hash);
        // The space's id fixes the payload; with the plain suffix it fixes every signed byte.
        let plain = Suffix::new(Kind::Membership, None);
        if header.suffix != plain {
            return Err(MembershipError::FirstCard);
        }
        if makes != self.space || header.seq != 1 || !name.path.is_empty() || self.evaluation.is_some() {
            return Err(MembershipError::NotThisSpace);
        }
        let card = &first.card;
        let place = CardFor::First { random: first.random };
        if card.device != name.device
            || SignerKey::from(card.device) == first.recovery.signer
            || verify_card(&place, card, &first.recovery).is_err()
        {
            return Err(MembershipError::FirstCard);
        }
        self.spend(verified)?;
        let device = self.keys.number(card.device.into());
        let recovery = self.keys.number(first.recovery.signer);
        let founder = self.tags.number(PersonTag::of(self.space, card.device, first.recovery.signer, None));
        let evaluation = Evaluation::new(self.rules, first.kind, verified.hash().0, (device, recovery), founder);
        let rank = evaluation.rank(0);
        self.boxes.insert((founder, device), (rank, card.boxes));
        self.boxes.insert((founder, recovery), (rank, first.recovery.boxes));
        self.evaluation = Some(evaluation);
        Ok(())
    }

    /// The numbers of parents and predecessor.
    fn parents(&self, verified: &Verified, payload: &Payload) -> Result<Vec<Number>, MembershipError> {
        let header = verified.header();
        let prev = (header.seq > 1).then_some(header.prev);
        let named: BTreeSet<HeaderHash> = payload.parents.iter().copied().chain(prev).collect();
        let missing: Vec<_> = named.iter().copied().filter(|hash| !self.by_hash.contains_key(hash)).collect();
        if !missing.is_empty() {
            return Err(MembershipError::Missing(missing));
        }
        if let Some(prev) = prev {
            let before = self.records[self.by_hash[&prev]].verified.header();
            if before.log != header.log || before.seq != header.seq - 1 {
                return Err(MembershipError::Chain);
            }
        }
        Ok(named.iter().map(|hash| self.by_hash[hash]).collect())
    }

    /// Takes the entry from its device's allowance.
    fn spend(&mut self, verified: &Verified) -> Result<(), MembershipError> {
        let device = verified.author();
        let used = self.used.entry(device).or_default();
        let bytes = used.bytes + HEADER_BYTES + verified.header().payload_len as usize;
        let full = used.entries >= limits::MEMBERSHIP_ENTRIES_PER_DEVICE_MAX
            || bytes > limits::MEMBERSHIP_BYTES_PER_DEVICE_MAX;
        if full && self.rules.allowance {
            return Err(MembershipError::TooMany { device });
        }
        *used = Used { entries: used.entries + 1, bytes };
        Ok(())
    }

    /// The entry as the evaluation sees it.
    fn fact(&mut self, verified: &Verified, payload: &Payload, parents: Vec<Number>) -> Fact {
        let named = payload.person.expect("the decoder refuses an entry without person that is not the first");
        let author = SignerKey::from(verified.author());
        let op = match &payload.operation {
            // A first entry is judged by `found`.
            Operation::First(_) | Operation::Relay(_) => Op::Relay,
            Operation::Invite(_) => Op::Invite,
            Operation::Box(_) => Op::Box,
            Operation::Epoch(_) => Op::Epoch,
            Operation::Add(add) => {
                let (space, once, role) = (self.space, add.once, add.role);
                let tag = PersonTag::of(space, add.card.device, add.recovery.signer, Some(once));
                let place = CardFor::Add { space, tag, once, role };
                let fits = named == tag && verify_card(&place, &add.card, &add.recovery).is_ok();
                let new = self.keys.number(add.card.device.into());
                Op::Add { new, recovery: self.keys.number(add.recovery.signer), role, fits }
            }
            Operation::Device(own) => {
                let place = CardForOwn { space: self.space, tag: named, by: author };
                let fits = verify_own_card(&place, &own.card).is_ok();
                Op::Device { new: self.keys.number(own.card.device.into()), fits }
            }
            Operation::Recovery(words) => {
                let fits = is_usable(words.recovery.boxes);
                Op::Recovery { new: self.keys.number(words.recovery.signer), fits }
            }
            Operation::Suspend(stop) => Op::Suspend { target: self.keys.number(stop.target) },
            Operation::Restore(restore) => Op::Restore { target: self.keys.number(restore.target) },
            Operation::Lost(stop) => Op::Lost { target: self.keys.number(stop.target) },
            Operation::Role(given) => Op::Role(given.role),
            Operation::Remove(_) => Op::Remove,
            Operation::Leave(_) => Op::Leave,
            Operation::End => Op::End,
            Operation::Admit(_) => Op::Admit,
        };
        let (key, person) = (self.keys.number(author), self.tags.number(named));
        Fact { hash: verified.hash().0, key, person, op, parents }
    }

    /// Remembers the box keys of the keys that an authorised entry lists.
    fn list(&mut self, number: Number, payload: &Payload) {
        let Some(person) = payload.person else {
            return;
        };
        let rank = self.evaluation.as_ref().map(|all| all.rank(number)).expect("the entry was just put in");
        let tag = self.tags.number(person);
        let device = payload.operation.card().map(|card| (SignerKey::from(card.device), card.boxes));
        let words = payload.operation.recovery().map(|words| (words.signer, words.boxes));
        for (key, boxes) in device.into_iter().chain(words) {
            let key = self.keys.number(key);
            let earliest = self.boxes.entry((tag, key)).or_insert((rank, boxes));
            if rank < earliest.0 {
                *earliest = (rank, boxes);
                self.at_heads.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
            }
        }
    }

    /// Puts the entry into the lists.
    fn record(&mut self, verified: &Verified, payload: Payload, parents: &[Number]) {
        let number = self.records.len();
        let generation = self.right_generation(number, &payload);
        for parent in parents {
            self.heads.remove(parent);
        }
        self.heads.insert(number);
        self.by_hash.insert(verified.hash(), number);
        self.by_prefix.insert(verified.hash().prefix(), number);
        self.records.push(Record { verified: verified.clone(), payload, generation, recipients: OnceLock::new() });
        self.merged = OnceLock::new();
        // Numbers stay what they are, so states at older heads stay true.
    }
}
