//! What becomes of a data entry, as far as the membership decides it (PROTOCOL sections 2 and 4).

use std::collections::BTreeSet;

use alliance_wire::membership::{CutOff, Operation};
use alliance_wire::{DeviceKey, HashPrefix, HeaderHash, LogId, LogName};

use super::{Membership, State};

/// The end of some devices' data: cut-offs stand in the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    /// A counting `suspend`, `lost`, `role`, `remove` or `leave`.
    pub(super) entry: HeaderHash,
    /// Whose data ends.
    pub(super) devices: BTreeSet<DeviceKey>,
}

/// A data entry as the membership judges it.
#[derive(Debug, Clone, Copy)]
pub struct DataAt<'a> {
    /// Its log.
    pub name: &'a LogName,
    /// Its number in the log.
    pub seq: u64,
    /// Its header hash.
    pub hash: HeaderHash,
    /// The membership heads that it names.
    pub heads: &'a [HashPrefix],
}

/// What a membership says of data, beside the heads that each entry names: while it is the same, so is the verdict on
/// every entry whose heads are here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataRules {
    cuts: Vec<Cut>,
    admits: BTreeSet<HeaderHash>,
    admitted: BTreeSet<DeviceKey>,
}

impl DataRules {
    /// Whether entries of a device that counted by what held before may be quarantined by what holds now. Where nothing
    /// is known of before, whatever may be quarantined at all.
    #[must_use]
    pub fn may_put_out(&self, before: Option<&Self>, device: DeviceKey) -> bool {
        let is_cut = |cut: &Cut| cut.devices.contains(&device);
        let unlisted = !self.admitted.contains(&device);
        let Some(before) = before else {
            return unlisted || self.cuts.iter().any(is_cut);
        };
        let newly_cut = self.cuts.iter().any(|cut| is_cut(cut) && !before.cuts.contains(cut));
        let taken_back = !before.admits.is_subset(&self.admits) && (unlisted || self.cuts.iter().any(is_cut));
        newly_cut || taken_back || (unlisted && before.admitted.contains(&device))
    }
}

/// What becomes of a data entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataVerdict {
    /// It counts.
    Counts,
    /// It names membership heads that are not here: it counts in the vector and waits.
    Waits,
    /// Its author was no writer at the heads that it names: parked for good.
    Parked,
    /// It lies above its log's cut-off in the merged membership, or its author has no counting admission there: kept,
    /// for a person to admit or discard.
    Quarantined,
}

impl Membership {
    /// Judges a data entry. The answer may change whenever the membership grows.
    ///
    /// `is_before` says whether an entry that a cut-off names is here and is this entry or builds on it in its log,
    /// whatever the log that it stands in is called here. It is asked only about entries behind a fork.
    #[must_use]
    pub fn judge_data(&self, entry: &DataAt<'_>, is_before: impl Fn(&CutOff) -> bool) -> DataVerdict {
        let Some(then) = self.state_at(entry.heads) else {
            return DataVerdict::Waits;
        };
        let (now, author) = (self.state(), entry.name.device);
        if !then.can_write(author) {
            return DataVerdict::Parked;
        }
        let logs = self.logs_of(entry.name);
        let above = |cut: &Cut| cut.devices.contains(&author) && self.is_above(cut, entry, &logs, &then, &is_before);
        let cut = self.rules.cut_offs && now.cuts.iter().any(above);
        if (cut || !now.is_admitted(author)) && !self.is_let_in(entry, &logs) {
            return DataVerdict::Quarantined;
        }
        DataVerdict::Counts
    }

    /// The log and those that it branched off, outermost first.
    fn logs_of(&self, name: &LogName) -> Vec<LogId> {
        let outermost = name.signed_log(self.space);
        let branch = |log: &mut LogId, first: &HeaderHash| {
            *log = log.continuation(*first);
            Some(*log)
        };
        core::iter::once(outermost).chain(name.path.iter().scan(outermost, branch)).collect()
    }

    /// What the merged membership says of data, to be compared when it has grown.
    #[must_use]
    pub fn data_rules(&self) -> DataRules {
        let state = self.state();
        DataRules {
            cuts: state.cuts.clone(),
            admits: state.admits.iter().copied().collect(),
            admitted: state.admitted.clone(),
        }
    }

    fn is_above(
        &self,
        cut: &Cut,
        entry: &DataAt<'_>,
        logs: &[LogId],
        then: &State,
        is_before: impl Fn(&CutOff) -> bool,
    ) -> bool {
        let cut_offs = self.operation(cut.entry).and_then(Operation::cut_offs).unwrap_or_default();
        let named = |log: &LogId| cut_offs.binary_search_by_key(log, |cut_off| cut_off.log).ok().map(|at| cut_offs[at]);
        let Some((own, outer)) = logs.split_last() else {
            return true;
        };
        // The cut-off's author may have known one branch only, and as the log itself; or forks further along, whose
        // continuations are called otherwise since an earlier one came to light.
        if !outer.is_empty() && cut_offs.iter().any(is_before) {
            return false;
        }
        if let Some(end) = named(own) {
            return entry.seq > end.seq || entry.seq == end.seq && entry.hash != end.hash;
        }
        if outer.iter().any(|log| named(log).is_some()) {
            return true;
        }
        // A log that is not named ends before it began, unless its author wrote in the knowledge of that, and as a
        // writer: restored, promoted or come back, a device begins a new incarnation, whose logs nobody could name.
        !then.counting.contains(&cut.entry)
    }

    /// Whether a counting `admit` names the entry.
    fn is_let_in(&self, entry: &DataAt<'_>, logs: &[LogId]) -> bool {
        let (seq, hash) = (entry.seq, entry.hash);
        self.state().admits.iter().any(|admit| {
            let Some(Operation::Admit(admit)) = self.operation(*admit) else {
                return false;
            };
            // One that was admitted before the fork was known was named by the log that forked, or by a continuation that
            // is called otherwise since: behind a fork, the hash alone says which entry is meant.
            logs.iter().any(|log| admit.entries.binary_search(&CutOff { log: *log, seq, hash }).is_ok())
                || logs.len() > 1 && admit.entries.iter().any(|let_in| let_in.hash == hash)
        })
    }

    /// The entries that the cut-offs of counting endings name, each with a device whose data they end.
    pub fn named_ends(&self) -> impl Iterator<Item = (DeviceKey, CutOff)> {
        self.state().cuts.iter().flat_map(|cut| {
            let cut_offs = self.operation(cut.entry).and_then(Operation::cut_offs).unwrap_or_default();
            cut.devices.iter().flat_map(|device| cut_offs.iter().map(|cut_off| (*device, *cut_off)))
        })
    }

    fn operation(&self, entry: HeaderHash) -> Option<&Operation> {
        self.get(entry).map(|(_, payload)| &payload.operation)
    }
}
