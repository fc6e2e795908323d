//! What a change of this device's builds on and a cut-off took out: this device lets it in again by itself, and nothing
//! else (PROTOCOL section 4, `admit`).

use std::collections::{BTreeMap, BTreeSet};

use alliance_document::ChangeId;
use alliance_document::gate::{change_id, change_parents};
use alliance_store::device::{EntryState, Quarantine};
use alliance_wire::membership::CutOff;
use alliance_wire::{SpaceId, limits};

use crate::error::Error;
use crate::held::Wait;
use crate::inner::{Inner, Work};
use crate::views::Change;

/// An entry that is kept and not shown.
struct Open {
    /// What an `admit` would name, if that would let it in.
    admits: Option<CutOff>,
    ids: Vec<ChangeId>,
    parents: Vec<ChangeId>,
    /// This device published it, and it waits for a change.
    own: bool,
}

impl Inner {
    /// Admits the entries above a cut-off on which what this device published builds, so that it is shown again. Nearly
    /// always nothing is kept back, and then nothing more is read.
    pub(crate) async fn admit_what_is_needed(&self, work: &mut Work, space: SpaceId) -> Result<(), Error> {
        // A space that is being joined may have nothing yet.
        let Some(membership) = self.spaces.membership(space).await? else { return Ok(()) };
        let state = membership.state();
        let Some(person) = state.person_of(self.me).filter(|_| state.can_write(self.me)) else { return Ok(()) };
        let entries: BTreeSet<CutOff> =
            needed(&self.kept_back(work, space).await?).into_iter().take(limits::ADMITTED_MAX).collect();
        if entries.is_empty() {
            return Ok(());
        }
        tracing::info!(space = %space.short(), entries = entries.len(), "what a change of this device's builds on is admitted");
        self.change_membership(work, space, &*self.secret, Vec::new(), |maker| maker.admit(person, entries)).await?;
        self.take_in(work, space).await?;
        self.tell(Change::Space(space));
        Ok(())
    }

    /// What waits in a space or lies above a cut-off; nothing if none of it is this device's.
    async fn kept_back(&self, work: &mut Work, space: SpaceId) -> Result<Vec<Open>, Error> {
        let mut stretch = self.device.open_entries(space, 0).await?;
        if stretch.entries.is_empty() {
            return Ok(Vec::new());
        }
        let opening = self.opening(work, space).await?;
        let mut kept = Vec::new();
        loop {
            for item in &stretch.entries {
                let waits = item.state == Wait::Change.state() || item.state == Wait::Behind.state();
                // As it is judged now: what is let in by a counting `admit` may not be taken in yet.
                let cut = item.state == EntryState::Quarantined(Quarantine::CutOff)
                    && opening.quarantine(space, &item.name, &item.entry) == Some(Quarantine::CutOff);
                // What is parked for good is not opened again at every look.
                if !waits && !cut {
                    continue;
                }
                let Some((_, changes)) = opening.said(&item.name, &item.entry) else { continue };
                let header = item.entry.header();
                kept.push(Open {
                    admits: cut.then(|| CutOff { log: item.log, seq: header.seq, hash: header.hash() }),
                    ids: changes.changes.iter().filter_map(|bytes| change_id(bytes)).collect(),
                    parents: changes.changes.iter().filter_map(|bytes| change_parents(bytes)).flatten().collect(),
                    own: waits && item.name.device == self.me,
                });
            }
            let Some(next) = stretch.next else { return Ok(kept) };
            stretch = self.device.open_entries(space, next).await?;
        }
    }
}

/// What the own ones build on, through whatever else is kept back.
fn needed(kept: &[Open]) -> Vec<CutOff> {
    let of: BTreeMap<ChangeId, usize> =
        kept.iter().enumerate().flat_map(|(at, open)| open.ids.iter().map(move |id| (*id, at))).collect();
    let mut open: Vec<usize> = (0..kept.len()).filter(|at| kept[*at].own).collect();
    let mut seen: BTreeSet<usize> = open.iter().copied().collect();
    let mut needed = Vec::new();
    while let Some(at) = open.pop() {
        needed.extend(kept[at].admits);
        open.extend(kept[at].parents.iter().filter_map(|parent| of.get(parent)).copied().filter(|at| seen.insert(*at)));
    }
    needed
}
