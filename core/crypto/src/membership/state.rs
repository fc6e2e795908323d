//! What a set of membership entries says, in the terms of the wire.

use std::collections::{BTreeMap, BTreeSet};

use alliance_wire::membership::{EraseRule, Invite, Operation, Payload, RecoveryCard, RelayPin, Role, SpaceKind};
use alliance_wire::{BoxKey, DeviceKey, HeaderHash, PersonTag, SignerKey};

use super::bits::Bits;
use super::data::Cut;
use super::evaluation::{Key, MemberKeys, MemberRole, Tag};
use super::{Membership, Record};
use crate::rules::MembershipRules;

/// A member of a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its role.
    pub role: MemberRole,
    /// Its active devices, with the keys that boxes are sealed to.
    pub devices: BTreeMap<DeviceKey, BoxKey>,
    /// Its recovery keys, oldest first.
    pub recovery: Vec<RecoveryCard>,
}

impl Member {
    /// Whether this is one of its recovery keys.
    #[must_use]
    pub fn lists_words(&self, key: SignerKey) -> bool {
        self.recovery.iter().any(|card| card.signer == key)
    }

    /// Everything that key boxes are sealed to: devices, then recovery keys.
    pub fn recipients(&self) -> impl Iterator<Item = (SignerKey, BoxKey)> + '_ {
        let devices = self.devices.iter().map(|(device, boxes)| (SignerKey::from(*device), *boxes));
        devices.chain(self.recovery.iter().map(|card| (card.signer, card.boxes)))
    }
}

/// How a person went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Departure {
    /// By itself.
    Left,
    /// The steward put it out.
    Removed,
}

/// The membership of a space, as a set of entries says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// What kind of space it is; `None` while not even the first entry is here.
    pub kind: Option<SpaceKind>,
    /// Who must agree to an erasure; `None` while not even the first entry is here.
    pub erase: Option<EraseRule>,
    /// The founder's person; `None` while not even the first entry is here.
    pub steward: Option<PersonTag>,
    /// The members.
    pub members: BTreeMap<PersonTag, Member>,
    /// The space has ended: it takes nobody and nothing more.
    pub ended: bool,
    /// The entries that count.
    pub counting: BTreeSet<HeaderHash>,
    /// The relays that carry the space, in causal order.
    pub relays: Vec<RelayPin>,
    /// The invitations with the entries that opened them, in causal order. Expiry and use are the steward's to judge.
    pub invites: Vec<(HeaderHash, Invite)>,
    /// Devices and recovery keys that are out until they are restored, by their persons.
    pub suspended: BTreeSet<(PersonTag, SignerKey)>,
    /// Devices and recovery keys that are out for good, by their persons.
    pub lost: BTreeSet<(PersonTag, SignerKey)>,
    /// Persons that left or were removed: their tags never come back.
    pub departed: BTreeMap<PersonTag, Departure>,
    /// Persons that left by themselves, whether or not a removal followed.
    pub(super) left: BTreeSet<PersonTag>,
    /// The devices that a counting entry lists for each person, whatever became of it since.
    listed: BTreeMap<PersonTag, BTreeSet<DeviceKey>>,
    /// The devices that a counting entry lists, those of former members included.
    pub(super) admitted: BTreeSet<DeviceKey>,
    /// What ends data, in causal order.
    pub(super) cuts: Vec<Cut>,
    /// The entries that admit data above a cut-off, in causal order.
    pub(super) admits: Vec<HeaderHash>,
    /// The members of each active device: nearly always one.
    persons: BTreeMap<DeviceKey, Vec<PersonTag>>,
    rules: MembershipRules,
}

impl State {
    /// The member whose active device this is; of several, the one with the highest role.
    #[must_use]
    pub fn person_of(&self, device: DeviceKey) -> Option<PersonTag> {
        let persons = self.persons.get(&device)?;
        persons.iter().copied().max_by_key(|tag| self.members.get(tag).map(|member| member.role))
    }

    /// Whether this is an active device of a member.
    #[must_use]
    pub fn is_active(&self, device: DeviceKey) -> bool {
        self.persons.contains_key(&device)
    }

    /// The role of the member whose active device this is.
    #[must_use]
    pub fn role_of(&self, device: DeviceKey) -> Option<MemberRole> {
        self.members.get(&self.person_of(device)?).map(|member| member.role)
    }

    /// Whether this is an active device of a member above reader, in a space that has not ended.
    #[must_use]
    pub fn can_write(&self, device: DeviceKey) -> bool {
        let writes = |role: MemberRole| role.writes() || !self.rules.readers;
        !self.ended && self.role_of(device).is_some_and(writes)
    }

    /// Whether the device's person may sign for its office.
    #[must_use]
    pub fn can_sign(&self, device: DeviceKey) -> bool {
        let role = self.role_of(device);
        !self.ended && (role == Some(MemberRole::Steward) || role == Some(MemberRole::Given(Role::Signer)))
    }

    /// Whether this is an active device of the steward's.
    #[must_use]
    pub fn is_steward(&self, device: DeviceKey) -> bool {
        self.persons.get(&device).is_some_and(|persons| persons.iter().any(|tag| Some(*tag) == self.steward))
    }

    /// Whether a counting entry lists the device, whatever became of it since. A relay takes data of no other.
    #[must_use]
    pub fn is_admitted(&self, device: DeviceKey) -> bool {
        self.admitted.contains(&device)
    }

    /// Every device that a counting entry lists, with its person, whatever became of both since.
    pub fn listings(&self) -> impl Iterator<Item = (PersonTag, DeviceKey)> + '_ {
        self.listed.iter().flat_map(|(person, devices)| devices.iter().map(|device| (*person, *device)))
    }

    /// The devices that a counting entry lists for the person, whatever became of person and devices since: those whose
    /// data logs its removal or leave names.
    pub fn devices_of(&self, person: PersonTag) -> impl Iterator<Item = DeviceKey> + '_ {
        self.listed.get(&person).into_iter().flatten().copied()
    }

    /// The member whose recovery key this is.
    #[must_use]
    pub fn person_of_recovery(&self, key: SignerKey) -> Option<PersonTag> {
        self.members.iter().find(|(_, member)| member.lists_words(key)).map(|(tag, _)| *tag)
    }

    /// Whether the key may read what is in the space: an active device of a member, or words of one that are not out.
    #[must_use]
    pub fn may_read(&self, key: DeviceKey) -> bool {
        self.is_active(key) || self.words().any(|words| words == key)
    }

    /// Every key that may read: the active devices and the recovery keys of the members.
    pub fn readers(&self) -> impl Iterator<Item = DeviceKey> + '_ {
        self.devices().chain(self.words())
    }

    /// The recovery keys of the members that are not out.
    fn words(&self) -> impl Iterator<Item = DeviceKey> + '_ {
        let words = self.members.iter().flat_map(|(tag, it)| it.recovery.iter().map(move |card| (*tag, card.signer)));
        words.filter(|key| !self.suspended.contains(key) && !self.lost.contains(key)).map(|(_, key)| key.into())
    }

    /// Everything that an epoch's key is sealed to: each device and recovery key of each member, once each.
    #[must_use]
    pub fn recipients(&self) -> Vec<(SignerKey, BoxKey)> {
        let all: BTreeSet<_> = self.members.values().flat_map(Member::recipients).collect();
        all.into_iter().collect()
    }

    /// Active devices of all members.
    pub fn devices(&self) -> impl Iterator<Item = DeviceKey> + '_ {
        self.persons.keys().copied()
    }
}

impl Membership {
    /// The state of a set of entries that holds every ancestor of each.
    pub(super) fn state_of(&self, set: &Bits) -> State {
        let mut state = State {
            kind: None,
            erase: None,
            steward: None,
            members: BTreeMap::new(),
            ended: false,
            counting: BTreeSet::new(),
            relays: Vec::new(),
            invites: Vec::new(),
            suspended: BTreeSet::new(),
            lost: BTreeSet::new(),
            departed: BTreeMap::new(),
            left: BTreeSet::new(),
            listed: BTreeMap::new(),
            admitted: BTreeSet::new(),
            cuts: Vec::new(),
            admits: Vec::new(),
            persons: BTreeMap::new(),
            rules: self.rules,
        };
        let Some(evaluation) = self.evaluation.as_ref().filter(|_| set.has(0)) else {
            return state;
        };
        let evaluated = evaluation.evaluate(set);
        state.ended = evaluated.ended;
        let counting = self.in_causal_order(&evaluated.counting);
        state.steward = Some(self.tags.value(evaluation.founder));
        for number in &counting {
            state.count(&self.records[*number]);
            if let Some(device) = evaluation.listed_again(*number) {
                state.list(self.records[*number].payload.person, self.keys.value(device).into());
            }
        }
        for number in &counting {
            state.cut(&self.records[*number]);
        }
        for number in &evaluated.standing {
            state.stand(&self.records[*number].payload);
        }
        for (tag, member) in &evaluated.members {
            let person = self.tags.value(*tag);
            let member = self.member(*tag, member);
            for device in member.devices.keys() {
                state.persons.entry(*device).or_default().push(person);
            }
            state.members.insert(person, member);
        }
        state
    }

    fn member(&self, tag: Tag, member: &MemberKeys) -> Member {
        let boxes = |key: &Key| self.boxes.get(&(tag, *key)).map(|(_, boxes)| (self.keys.value(*key), *boxes));
        let devices = member.devices.iter().filter_map(boxes);
        let recovery = member.recovery.iter().filter_map(boxes);
        Member {
            role: member.role,
            devices: devices.map(|(device, boxes)| (DeviceKey::from(device), boxes)).collect(),
            recovery: recovery.map(|(signer, boxes)| RecoveryCard { signer, boxes }).collect(),
        }
    }
}

impl State {
    /// Takes what a counting entry says beside who is in.
    fn count(&mut self, record: &Record) {
        let hash = record.verified.hash();
        self.counting.insert(hash);
        let (operation, person) = (&record.payload.operation, record.payload.person);
        if let Some(card) = operation.card() {
            self.list(person.or(self.steward), card.device);
        }
        match operation {
            Operation::First(first) => (self.kind, self.erase) = (Some(first.kind), Some(first.erase)),
            Operation::Relay(pin) => self.relays.push(pin.clone()),
            Operation::Invite(invite) => self.invites.push((hash, invite.clone())),
            Operation::Admit(_) => self.admits.push(hash),
            Operation::Leave(_) => self.depart(person, Departure::Left),
            Operation::Remove(_) => self.depart(person, Departure::Removed),
            Operation::Add(_) | Operation::Box(_) | Operation::Epoch(_) | Operation::Device(_) => {}
            Operation::Recovery(_) | Operation::Suspend(_) | Operation::Restore(_) | Operation::Lost(_) => {}
            Operation::Role(_) | Operation::End => {}
        }
    }

    fn list(&mut self, person: Option<PersonTag>, device: DeviceKey) {
        self.admitted.insert(device);
        if let Some(person) = person {
            self.listed.entry(person).or_default().insert(device);
        }
    }

    /// A removal says more than a leave.
    fn depart(&mut self, person: Option<PersonTag>, how: Departure) {
        if let Some(person) = person {
            if how == Departure::Left {
                self.left.insert(person);
            }
            let known = self.departed.entry(person).or_insert(how);
            *known = how.max(*known);
        }
    }

    /// Takes whose data a counting entry ends, once everybody's devices are listed.
    fn cut(&mut self, record: &Record) {
        let (operation, person) = (&record.payload.operation, record.payload.person);
        if operation.cut_offs().is_none() {
            return;
        }
        let devices = if let Operation::Suspend(stop) | Operation::Lost(stop) = operation {
            BTreeSet::from([DeviceKey::from(stop.target)])
        } else {
            person.and_then(|person| self.listed.get(&person)).cloned().unwrap_or_default()
        };
        self.cuts.push(Cut { entry: record.verified.hash(), devices });
    }

    /// Takes a `suspend` or `lost` that stands.
    fn stand(&mut self, payload: &Payload) {
        let Some(person) = payload.person else {
            return;
        };
        if let Operation::Suspend(stop) = &payload.operation {
            self.suspended.insert((person, stop.target));
        } else if let Operation::Lost(stop) = &payload.operation {
            self.lost.insert((person, stop.target));
        }
    }
}
