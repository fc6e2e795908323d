//! Which key epoch to write under, and which key boxes are missing (PROTOCOL section 4, epochs).

use std::collections::{BTreeMap, BTreeSet};

use alliance_wire::membership::{KeyBox, Payload};
use alliance_wire::{BoxKey, EpochId, HeaderHash, PersonTag, SignerKey};

use super::evaluation::Number;
use super::{Membership, State};

/// The epoch that a writer uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochChoice {
    /// The epoch.
    pub id: EpochId,
    /// The entry that made it.
    pub entry: HeaderHash,
    /// One more than the largest generation that its author knew.
    pub generation: u64,
}

/// A key box that should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingBox {
    /// Whose key is to be sealed.
    pub epoch: EpochId,
    /// The member that lacks it: its first device appends it, else any holder that sees it.
    pub person: PersonTag,
    /// To whom: a device or recovery key.
    pub recipient: SignerKey,
    /// The key to seal to.
    pub boxes: BoxKey,
}

impl Membership {
    /// The best epoch: of those whose key only devices and recovery keys of members have, the one with the highest
    /// generation, then the smallest id. `None`: drafts wait for new keys, and a writer issues an epoch.
    #[must_use]
    pub fn best_epoch(&self) -> Option<EpochChoice> {
        let members: BTreeSet<SignerKey> = self.state().recipients().into_iter().map(|(key, _)| key).collect();
        let (mut sealed, mut others) = (BTreeSet::new(), Vec::new());
        for (number, epoch) in self.counting_boxes() {
            let recipients = self.recipients_in(number);
            if !recipients.is_empty() {
                sealed.insert(epoch);
            }
            if !recipients.is_subset(&members) {
                others.push(epoch);
            }
        }
        let epochs = self.counting_epochs(self.state());
        let unusable = self.linked_from(others, &epochs);
        let usable = |choice: &EpochChoice| sealed.contains(&choice.id) && !unusable.contains(&choice.id);
        let usable = epochs.into_iter().map(|(_, choice)| choice).filter(usable);
        usable.min_by_key(|choice| (core::cmp::Reverse(choice.generation), choice.id))
    }

    /// The counting epochs in the order in which writers prefer them: the highest generation, then the smallest id.
    /// Whether one may be written under says [`Self::best_epoch`].
    #[must_use]
    pub fn epochs(&self) -> Vec<EpochChoice> {
        let mut epochs: Vec<_> = self.counting_epochs(self.state()).into_iter().map(|(_, choice)| choice).collect();
        epochs.sort_unstable_by_key(|choice| (core::cmp::Reverse(choice.generation), choice.id));
        epochs
    }

    /// These epochs and those that they lead to by links: whoever has the key of one has them all. It may never have
    /// had a box of an older one, which was made where it was not known.
    fn linked_from(&self, mut from: Vec<EpochId>, epochs: &[(Number, EpochChoice)]) -> BTreeSet<EpochId> {
        let numbers: BTreeMap<EpochId, Number> = epochs.iter().map(|(number, choice)| (choice.id, *number)).collect();
        let mut all = BTreeSet::new();
        while let Some(epoch) = from.pop() {
            let number = numbers.get(&epoch).filter(|_| all.insert(epoch) && self.rules.links);
            if let Some(epoch) = number.and_then(|number| self.records[*number].payload.operation.epoch()) {
                from.extend(epoch.links.iter().map(|link| link.epoch));
            }
        }
        all
    }

    /// The generation that a new epoch must have whose parents are these.
    #[must_use]
    pub fn generation_after(&self, parents: &[HeaderHash]) -> u64 {
        let numbers = parents.iter().filter_map(|parent| self.by_hash.get(parent).copied());
        let known = self.evaluation.as_ref().map(|all| all.closure(numbers)).unwrap_or_default();
        let generations = known.iter().filter_map(|number| self.records[number].generation);
        generations.max().map_or(1, |largest| largest.saturating_add(1))
    }

    /// The epochs that a new one follows directly: counting ones that no other counting epoch links to.
    #[must_use]
    pub fn epoch_heads(&self) -> Vec<EpochChoice> {
        self.epoch_heads_in(self.state())
    }

    /// The same in a state of this membership.
    pub(super) fn epoch_heads_in(&self, state: &State) -> Vec<EpochChoice> {
        let epochs = self.counting_epochs(state);
        let mut linked: BTreeSet<EpochId> = BTreeSet::new();
        for epoch in epochs.iter().filter_map(|(number, _)| self.records[*number].payload.operation.epoch()) {
            linked.extend(epoch.links.iter().map(|link| link.epoch));
        }
        epochs.into_iter().map(|(_, choice)| choice).filter(|choice| !linked.contains(&choice.id)).collect()
    }

    /// Boxes that a member's device or recovery key lacks, for the epochs that are not linked from a newer one. Sorted.
    #[must_use]
    pub fn missing_boxes(&self) -> Vec<MissingBox> {
        let mut missing = Vec::new();
        for epoch in self.epoch_heads() {
            let have = self.recipients_of(epoch.id);
            for (person, member) in &self.state().members {
                let lacking = member.recipients().filter(|(recipient, _)| !have.contains(recipient));
                missing.extend(lacking.map(|(recipient, boxes)| MissingBox {
                    epoch: epoch.id,
                    person: *person,
                    recipient,
                    boxes,
                }));
            }
        }
        missing.sort_unstable();
        missing
    }

    /// Epochs whose entry counts in this state and whose generation is right.
    pub(super) fn counting_epochs(&self, state: &State) -> Vec<(Number, EpochChoice)> {
        let counting = &state.counting;
        let epochs = self.records.iter().enumerate().filter_map(|(number, record)| {
            let (entry, generation) = (record.verified.hash(), record.generation?);
            counting.contains(&entry).then_some((number, EpochChoice { id: entry.epoch(), entry, generation }))
        });
        epochs.collect()
    }

    /// Who has a counting box of the epoch.
    fn recipients_of(&self, epoch: EpochId) -> BTreeSet<SignerKey> {
        let of = self.counting_boxes().filter(|(_, id)| *id == epoch);
        of.flat_map(|(number, _)| self.recipients_in(number)).copied().collect()
    }

    /// The counting entries that hold boxes, with the epochs whose keys are inside.
    fn counting_boxes(&self) -> impl Iterator<Item = (Number, EpochId)> {
        let counting = &self.state().counting;
        self.records.iter().enumerate().filter_map(move |(number, record)| {
            let (hash, operation) = (record.verified.hash(), &record.payload.operation);
            let appended = operation.appended().map(|boxes| boxes.epoch);
            let epoch = operation.epoch().map(|_| hash.epoch()).or(appended)?;
            counting.contains(&hash).then_some((number, epoch))
        })
    }

    /// Recipients of the entry's boxes that were members in its ancestry, or that it admits itself; others are void.
    fn recipients_in(&self, number: Number) -> &BTreeSet<SignerKey> {
        self.records[number].recipients.get_or_init(|| {
            let payload = &self.records[number].payload;
            let mut members: BTreeSet<SignerKey> = BTreeSet::new();
            members.extend(payload.operation.card().map(|card| SignerKey::from(card.device)));
            members.extend(payload.operation.recovery().map(|words| words.signer));
            if let Some(all) = &self.evaluation {
                for member in all.evaluate(&all.ancestors(number)).members.values() {
                    let keys = member.devices.iter().chain(&member.recovery);
                    members.extend(keys.map(|key| self.keys.value(*key)));
                }
            }
            let named = boxes_in(payload).iter().map(|sealed| sealed.recipient);
            named.filter(|key| members.contains(key) || !self.rules.void_boxes).collect()
        })
    }

    /// The generation of an epoch in an entry that is about to be put in as `number`, if the entry is authorised and
    /// the generation is one more than the largest among its ancestors.
    pub(super) fn right_generation(&self, number: Number, payload: &Payload) -> Option<u64> {
        let epoch = payload.operation.epoch()?;
        let all = self.evaluation.as_ref().filter(|all| all.is_authorised(number))?;
        let known = all.ancestors(number);
        let largest = known.iter().filter_map(|x| self.records[x].generation).max().unwrap_or(0);
        let right = largest.checked_add(1).is_some_and(|next| epoch.generation == next);
        (right || !self.rules.generations).then_some(epoch.generation)
    }
}

/// The key boxes in an entry.
pub(crate) fn boxes_in(payload: &Payload) -> &[KeyBox] {
    let new = payload.operation.epoch().map(|epoch| &epoch.boxes);
    new.or_else(|| payload.operation.appended().map(|boxes| &boxes.boxes)).map(Vec::as_slice).unwrap_or_default()
}
