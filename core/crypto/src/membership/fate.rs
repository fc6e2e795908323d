//! What became of a device in a space, and what it may still write of what it had begun.

use std::collections::BTreeSet;

use alliance_wire::membership::Operation;
use alliance_wire::{DeviceKey, HashPrefix, HeaderHash, LogName, PersonTag, SignerKey};

use super::bits::Bits;
use super::{Departure, EpochChoice, Membership};

/// Where a device stands in a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// No authorised entry lists it.
    Never,
    /// It is an active device of a member.
    Active,
    /// It is out until its person's words restore it; on the word of one device nothing is destroyed.
    Suspended,
    /// Its person left by itself.
    Left,
    /// It is out for good: lost by its person's words, or its person was removed.
    Gone,
}

impl Membership {
    /// Where a device stands. Of a device that several persons listed the mildest counts.
    #[must_use]
    pub fn fate_of(&self, device: DeviceKey) -> Fate {
        let state = self.state();
        if state.is_active(device) {
            return Fate::Active;
        }
        if !self.was_listed(device) {
            return Fate::Never;
        }
        let (mut gone, mut left) = (false, false);
        for (person, _) in state.listings().filter(|(_, listed)| *listed == device) {
            // A removal that only follows a leave takes nothing away from who went by itself.
            let removed = state.departed.get(&person) == Some(&Departure::Removed) && !state.left.contains(&person);
            if removed || state.lost.contains(&(person, SignerKey::from(device))) {
                gone = true;
            } else if state.departed.contains_key(&person) {
                left = true;
            } else {
                return Fate::Suspended;
            }
        }
        // Listed by nothing that counts: whoever listed it was put out. Its person may list it again.
        match (left, gone) {
            (true, _) => Fate::Left,
            (false, true) => Fate::Gone,
            (false, false) => Fate::Suspended,
        }
    }

    /// The newest entries that know of no ending of this device's data, if it was a writer there: what it had begun before
    /// it was put out names them. `None` if it never was, or nothing is left.
    #[must_use]
    pub fn heads_as_writer(&self, device: DeviceKey) -> Option<Vec<HashPrefix>> {
        let cuts = self.state().cuts.iter().filter(|cut| cut.devices.contains(&device));
        let cuts: Vec<_> = cuts.filter_map(|cut| self.by_hash.get(&cut.entry).copied()).collect();
        let heads: Vec<HashPrefix> = self.heads_without(&cuts).iter().map(HeaderHash::prefix).collect();
        self.state_at(&heads)?.can_write(device).then_some(heads)
    }

    /// The newest entries that know nothing of any of these.
    fn heads_without(&self, disowned: &[usize]) -> Vec<HeaderHash> {
        let Some(all) = self.evaluation.as_ref() else { return Vec::new() };
        let knows = |number: usize| disowned.iter().any(|one| *one == number || all.ancestors(number).has(*one));
        let before: Vec<usize> = (0..self.records.len()).filter(|number| !knows(*number)).collect();
        let mut below = Bits::default();
        before.iter().for_each(|number| below.unite(&all.ancestors(*number)));
        let mut heads: Vec<usize> = before.into_iter().filter(|number| !below.has(*number)).collect();
        heads.sort_unstable_by_key(|number| core::cmp::Reverse(all.rank(*number)));
        heads.truncate(alliance_wire::limits::HEADS_MAX);
        heads.into_iter().map(|number| self.records[number].verified.hash()).collect()
    }

    /// The leaves of a person: which devices signed them, and the newest entries that know nothing of any, on which the
    /// person's words can disown them. `None` if nobody left in its name.
    #[must_use]
    pub fn leaves_of(&self, person: PersonTag) -> Option<(BTreeSet<DeviceKey>, Vec<HeaderHash>)> {
        let all = self.evaluation.as_ref()?;
        let leaves = |number: &usize| {
            let payload = &self.records[*number].payload;
            payload.person == Some(person) && matches!(payload.operation, Operation::Leave(_))
        };
        let left: Vec<usize> =
            (0..self.records.len()).filter(|number| leaves(number) && all.is_authorised(*number)).collect();
        let devices = left.iter().map(|number| self.records[*number].verified.author()).collect();
        (!left.is_empty()).then(|| (devices, self.heads_without(&left)))
    }

    /// The epochs that count at these heads, the best first.
    #[must_use]
    pub fn epochs_at(&self, heads: &[HashPrefix]) -> Vec<EpochChoice> {
        let Some(state) = self.state_at(heads) else { return Vec::new() };
        let mut epochs: Vec<EpochChoice> = self.counting_epochs(&state).into_iter().map(|(_, choice)| choice).collect();
        epochs.sort_unstable_by_key(|choice| (core::cmp::Reverse(choice.generation), choice.id));
        epochs
    }

    /// Whether a counting ending names this data log: what its author writes there from now on does not count, whoever it
    /// is by now.
    #[must_use]
    pub fn ends_log(&self, name: &LogName) -> bool {
        let log = name.signed_log(self.space);
        self.state().cuts.iter().filter(|cut| cut.devices.contains(&name.device)).any(|cut| {
            let cut_offs = self.cut_offs_of(cut.entry);
            cut_offs.binary_search_by_key(&log, |cut_off| cut_off.log).is_ok()
        })
    }

    fn cut_offs_of(&self, entry: HeaderHash) -> &[alliance_wire::membership::CutOff] {
        self.get(entry).and_then(|(_, payload)| payload.operation.cut_offs()).unwrap_or_default()
    }
}
