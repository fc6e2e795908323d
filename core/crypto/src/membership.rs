//! Who is in a space: a pure function of the set of its membership entries (PROTOCOL section 4).
//!
//! [`Membership`] holds the entries of one space and maps them to the form that [`evaluation`] judges. An entry's
//! ancestors are its parents and its own log's previous entry; an entry with a missing ancestor is the caller's to keep
//! until the ancestor comes.

pub mod bits;
mod data;
mod epochs;
pub mod evaluation;
mod fate;
mod making;
mod op;
mod person;
mod roles;
mod state;
mod taking;
mod work;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use alliance_wire::membership::Payload;
use alliance_wire::{BoxKey, DeviceKey, HashPrefix, HeaderHash, PersonTag, SignerKey, SpaceId, limits};

pub use data::{DataAt, DataRules, DataVerdict};
pub(crate) use epochs::boxes_in;
pub use epochs::{EpochChoice, MissingBox};
pub use evaluation::MemberRole;
pub use fate::Fate;
pub use making::{Made, Maker};
pub use state::{Departure, Member, State};
pub use taking::{Inserted, MembershipError};

use crate::entry::Verified;
use crate::rules::MembershipRules;
use bits::Bits;
use evaluation::{Evaluation, Key, Number, Rank, Tag};

/// States at named heads that are kept: a data log names the same heads until the membership changes.
const STATES_KEPT_MAX: usize = 64;

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

    /// Every key that an authorised entry ever listed, as a device or as words, whatever became of it since.
    pub fn listed(&self) -> impl Iterator<Item = SignerKey> + '_ {
        let keys: BTreeSet<Key> = self.boxes.keys().map(|(_, key)| *key).collect();
        keys.into_iter().map(|key| self.keys.value(key))
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
