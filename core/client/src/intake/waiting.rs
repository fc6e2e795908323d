//! Which entries are looked at beside those that came: what waited comes again, and what was settled does not.

use std::collections::BTreeSet;
use std::sync::Arc;

use alliance_store::device::{EntryRef, EntryState};
use alliance_wire::{Entry, LogName, SpaceId};

use crate::error::Error;
use crate::held::{PROGRAM, TRIED_IN_VAIN};
use crate::inner::{Inner, Work};

impl Inner {
    /// Entries that waited may go on now; they come first, in their order.
    pub(super) async fn add_waiting(
        &self,
        space: SpaceId,
        items: &mut Vec<(EntryRef, Arc<LogName>, Entry)>,
    ) -> Result<(), Error> {
        let (mut waiting, mut after) = (Vec::new(), 0);
        let came: BTreeSet<EntryRef> = items.iter().map(|(place, ..)| *place).collect();
        loop {
            let stretch = self.device.entries_to_try(space, after, PROGRAM, TRIED_IN_VAIN).await?;
            for item in stretch.entries {
                let place = EntryRef { space, log: item.log, seq: item.entry.header().seq };
                if !came.contains(&place) {
                    waiting.push((place, item.name, item.entry));
                }
            }
            let Some(next) = stretch.next else { break };
            after = next;
        }
        waiting.append(items);
        *items = waiting;
        Ok(())
    }

    /// Leaves out what was settled already, where such entries may come: one reading for a whole page.
    ///
    /// Entries from before the page only come because they wait, so that nothing of them is settled.
    pub(super) async fn leave_settled(
        &self,
        work: &Work,
        items: &mut Vec<(EntryRef, Arc<LogName>, Entry)>,
        (space, after, upto): (SpaceId, u64, u64),
    ) -> Result<(), Error> {
        let own = |name: &LogName| name.device == self.me && name.incarnation == self.incarnation();
        let any = !work.careful.is_empty() || !work.caught_up.contains(&space);
        if items.is_empty() || !(any || items.iter().any(|(_, name, _)| own(name))) {
            return Ok(());
        }
        let states = self.device.states_behind(space, after, upto).await?;
        let settled: BTreeSet<EntryRef> = states
            .into_iter()
            .filter(|(_, state)| match state {
                EntryState::Applied => true,
                EntryState::ParkedUntil(version) => *version > PROGRAM,
                EntryState::ParkedForGood(_) | EntryState::Waiting(_) | EntryState::Quarantined(_) => false,
            })
            .map(|(entry, _)| entry)
            .collect();
        items.retain(|(place, name, _)| !(settled.contains(place) && (any || own(name))));
        Ok(())
    }
}
