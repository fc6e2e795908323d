//! Who is in a space: a pure function of the set of its membership entries (PROTOCOL section 4).
//!
//! [`Membership`] holds the entries of one space and maps them to the form that [`evaluation`] judges. An entry's
//! ancestors are its parents and its own log's previous entry; an entry with a missing ancestor is the caller's to keep
//! until the ancestor comes.

pub mod bits;
mod epochs;
pub mod evaluation;
mod op;
mod person;
mod state;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use alliance_wire::membership::{CardFor, First, Operation, Payload, RecoveryCard};
use alliance_wire::{
    BoxKey, DecodeError, DeviceKey, HashPrefix, HeaderHash, Kind, PersonTag, SignerKey, SpaceId, Suffix, limits,
};

pub(crate) use epochs::boxes_in;
pub use epochs::{EpochChoice, MissingBox};
pub use evaluation::MemberRole;
pub use state::{DataVerdict, Member, State};

use crate::entry::Verified;
use crate::keys::verify_card;
use crate::rules::MembershipRules;
use bits::Bits;
use evaluation::{Evaluation, Fact, Key, Number, Op, Rank, Tag};

/// What a header with its signature costs of a device's allowance, in bytes beside the payload.
const HEADER_BYTES: usize = 192;
/// States at named heads that are kept: a data log names the same heads until the membership changes.
const STATES_KEPT_MAX: usize = 64;

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

/// One entry that is in.
#[derive(Debug, Clone)]
struct Record {
    verified: Verified,
    payload: Payload,
    /// Of an epoch whose generation is right: the generation.
    generation: Option<u64>,
    /// Recipients whose boxes in this entry are not void.
    recipients: OnceLock<BTreeSet<SignerKey>>,
}

/// Numbers for keys or tags.
#[derive(Debug, Clone)]
struct Numbers<T> {
    values: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T: Copy + Eq + core::hash::Hash> Numbers<T> {
    fn new() -> Self {
        Self { values: Vec::new(), numbers: HashMap::new() }
    }

    fn number(&mut self, value: T) -> u32 {
        let values = &mut self.values;
        *self.numbers.entry(value).or_insert_with(|| {
            values.push(value);
            u32::try_from(values.len() - 1).expect("the limits on entries keep keys far below 2^32")
        })
    }

    fn value(&self, number: u32) -> T {
        self.values[number as usize]
    }
}

/// What a device has used of its allowance.
#[derive(Debug, Default, Clone, Copy)]
struct Used {
    entries: usize,
    bytes: usize,
}

/// The membership entries of one space and what they amount to.
#[derive(Debug)]
pub struct Membership {
    rules: MembershipRules,
    space: SpaceId,
    records: Vec<Record>,
    by_hash: HashMap<HeaderHash, Number>,
    by_prefix: HashMap<HashPrefix, Number>,
    heads: BTreeSet<Number>,
    used: HashMap<DeviceKey, Used>,
    keys: Numbers<SignerKey>,
    tags: Numbers<PersonTag>,
    /// The box key of each key that an authorised entry lists for a person, from the earliest such entry.
    boxes: BTreeMap<(Tag, Key), (Rank, BoxKey)>,
    /// Absent until the first entry is here.
    evaluation: Option<Evaluation>,
    merged: OnceLock<Arc<State>>,
    at_heads: Mutex<HashMap<Vec<Number>, Arc<State>>>,
}

impl Clone for Membership {
    /// A copy that begins with an empty memory of past states.
    fn clone(&self) -> Self {
        Self {
            rules: self.rules,
            space: self.space,
            records: self.records.clone(),
            by_hash: self.by_hash.clone(),
            by_prefix: self.by_prefix.clone(),
            heads: self.heads.clone(),
            used: self.used.clone(),
            keys: self.keys.clone(),
            tags: self.tags.clone(),
            boxes: self.boxes.clone(),
            evaluation: self.evaluation.clone(),
            merged: self.merged.clone(),
            at_heads: Mutex::new(HashMap::new()),
        }
    }
}

impl Membership {
    /// The membership of a space of which no entry is here yet.
    #[must_use]
    pub fn new(space: SpaceId) -> Self {
        Self::under(MembershipRules::ALL, space)
    }

    /// The same under other rules, for tests that show what a rule prevents.
    #[must_use]
    pub fn under(rules: MembershipRules, space: SpaceId) -> Self {
        Self {
            rules,
            space,
            records: Vec::new(),
            by_hash: HashMap::new(),
            by_prefix: HashMap::new(),
            heads: BTreeSet::new(),
            used: HashMap::new(),
            keys: Numbers::new(),
            tags: Numbers::new(),
            boxes: BTreeMap::new(),
            evaluation: None,
            merged: OnceLock::new(),
            at_heads: Mutex::new(HashMap::new()),
        }
    }

    /// The space.
    #[must_use]
    pub const fn space(&self) -> SpaceId {
        self.space
    }

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

    /// The membership as all entries together say it.
    #[must_use]
    pub fn state(&self) -> &State {
        self.merged()
    }

    /// The membership as it was known at these heads, with all their ancestors; `None` if one of them is not here.
    #[must_use]
    pub fn state_at(&self, heads: &[HashPrefix]) -> Option<Arc<State>> {
        let mut numbers = heads.iter().map(|head| self.by_prefix.get(head).copied()).collect::<Option<Vec<_>>>()?;
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.iter().copied().eq(self.heads.iter().copied()) {
            return Some(Arc::clone(self.merged()));
        }
        let mut kept = self.at_heads.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = kept.get(&numbers) {
            return Some(Arc::clone(state));
        }
        let set = self.evaluation.as_ref().map(|all| all.closure(numbers.iter().copied())).unwrap_or_default();
        let state = Arc::new(self.state_of(&set));
        if kept.len() >= STATES_KEPT_MAX {
            kept.clear();
        }
        kept.insert(numbers, Arc::clone(&state));
        Some(state)
    }

    /// The newest entries: what nothing here names as a parent. Those that count come first, then those that know
    /// more; at most [`limits::PARENTS_MAX`].
    #[must_use]
    pub fn heads(&self) -> Vec<HeaderHash> {
        let Some(evaluation) = &self.evaluation else {
            return Vec::new();
        };
        let mut heads: Vec<_> = self
            .heads
            .iter()
            .map(|head| {
                let hash = self.records[*head].verified.hash();
                (self.state().counting.contains(&hash), evaluation.rank(*head), hash)
            })
            .collect();
        heads.sort_unstable_by(|one, other| other.cmp(one));
        heads.into_iter().take(limits::PARENTS_MAX).map(|(_, _, hash)| hash).collect()
    }

    /// The heads as a data entry names them; at most [`limits::HEADS_MAX`].
    #[must_use]
    pub fn head_prefixes(&self) -> Vec<HashPrefix> {
        self.heads().iter().take(limits::HEADS_MAX).map(HeaderHash::prefix).collect()
    }

    /// Every entry, ancestors before descendants.
    pub fn entries(&self) -> impl Iterator<Item = &Verified> {
        self.records.iter().map(|record| &record.verified)
    }

    /// Every entry with what it says, ancestors before descendants.
    pub fn payloads(&self) -> impl Iterator<Item = (&Verified, &Payload)> {
        self.records.iter().map(|record| (&record.verified, &record.payload))
    }

    /// The entry with this hash and what it says.
    #[must_use]
    pub fn get(&self, hash: HeaderHash) -> Option<(&Verified, &Payload)> {
        let record = &self.records[*self.by_hash.get(&hash)?];
        Some((&record.verified, &record.payload))
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether not even the first entry is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether the table gave the entry's author that right in the state of its ancestors; `None` if it is not here.
    #[must_use]
    pub fn is_authorised(&self, hash: HeaderHash) -> Option<bool> {
        let number = self.by_hash.get(&hash)?;
        self.evaluation.as_ref().map(|all| all.is_authorised(*number))
    }

    /// Whether an authorised entry ever listed the key, whatever became of it since.
    #[must_use]
    pub fn was_listed(&self, key: impl Into<SignerKey>) -> bool {
        let Some(number) = self.keys.numbers.get(&key.into()) else {
            return false;
        };
        self.boxes.keys().any(|(_, key)| key == number)
    }

    /// Whether an authorised entry among these and their ancestors lists the key, for whomever: the same answer on
    /// every replica.
    fn is_listed_before(&self, parents: &[Number], author: DeviceKey) -> bool {
        let (Some(evaluation), Some(key)) = (&self.evaluation, self.keys.numbers.get(&author.into())) else {
            return false;
        };
        evaluation.is_listed(&evaluation.closure(parents.iter().copied()), *key)
    }

    fn merged(&self) -> &Arc<State> {
        self.merged.get_or_init(|| {
            let set = self.evaluation.as_ref().map(Evaluation::whole).unwrap_or_default();
            Arc::new(self.state_of(&set))
        })
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
                let fits = payload.person == Some(tag) && verify_card(&place, &add.card, &add.recovery).is_ok();
                let new = self.keys.number(add.card.device.into());
                Op::Add { new, recovery: self.keys.number(add.recovery.signer), role, fits }
            }
        };
        let person = payload.person.expect("the decoder refuses an entry without person that is not the first");
        let (key, person) = (self.keys.number(verified.author().into()), self.tags.number(person));
        Fact { hash: verified.hash().0, key, person, op, parents }
    }

    /// Remembers the box keys of the keys that an authorised entry lists.
    fn list(&mut self, number: Number, payload: &Payload) {
        let (Operation::Add(add), Some(person)) = (&payload.operation, payload.person) else {
            return;
        };
        let rank = self.evaluation.as_ref().map(|all| all.rank(number)).expect("the entry was just put in");
        let tag = self.tags.number(person);
        let RecoveryCard { signer, boxes } = add.recovery;
        for (key, boxes) in [(SignerKey::from(add.card.device), add.card.boxes), (signer, boxes)] {
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

    /// Numbers of the set's entries, in causal order that is the same on every replica.
    fn in_causal_order(&self, set: &Bits) -> Vec<Number> {
        let Some(evaluation) = &self.evaluation else {
            return Vec::new();
        };
        let mut numbers: Vec<_> = set.iter().collect();
        numbers.sort_unstable_by_key(|number| evaluation.rank(*number));
        numbers
    }
}
