//! Entries that were shown and are not shown any more, and the other way round: a fork came to light, or the membership
//! says otherwise than before where somebody's data ends.

use std::collections::BTreeSet;

use alliance_crypto::DataRules;
use alliance_model::DocumentKind;
use alliance_store::device::{DeviceOp, DocumentEntry, EntryRef, EntryState};
use alliance_wire::{DeviceKey, SpaceId, Stream};

use super::Opening;
use crate::error::Error;
use crate::held::Wait;
use crate::inner::{Inner, Work};
use crate::views::Change;

impl Inner {
    /// Marks the entries that changed sides, and makes their documents anew. `members`: the membership may have grown.
    pub(super) async fn settle(&self, work: &mut Work, space: SpaceId, members: bool) -> Result<(), Error> {
        let branches = self.branches(space).await?;
        let forked = !branches.is_empty() && work.branches.get(&space) != Some(&branches);
        let rules = if members { self.other_rules(work, space).await? } else { None };
        let cut = match &rules {
            Some(rules) => self.put_out_by(work, space, rules).await?,
            None => BTreeSet::new(),
        };
        if forked || rules.is_some() {
            let opening = self.opening(work, space).await?;
            self.let_in_again(&opening, space).await?;
            if forked || !cut.is_empty() {
                self.mark_anew(work, &opening, space, &cut).await?;
            }
        }
        if forked {
            work.branches.insert(space, branches);
        }
        if let Some(rules) = rules {
            work.judged.insert(space, rules);
        }
        Ok(())
    }

    /// What the membership says of data, if that is not what the documents of the space were made by.
    async fn other_rules(&self, work: &Work, space: SpaceId) -> Result<Option<DataRules>, Error> {
        let rules = self.membership(space).await?.data_rules();
        Ok((work.judged.get(&space) != Some(&rules)).then_some(rules))
    }

    /// The devices with data here that may be above a cut-off now and was not before: nearly always none, and then
    /// nothing is read.
    async fn put_out_by(&self, work: &Work, space: SpaceId, rules: &DataRules) -> Result<BTreeSet<DeviceKey>, Error> {
        let Some(view) = self.spaces.view(space).await? else { return Ok(BTreeSet::new()) };
        let before = work.judged.get(&space);
        let data = view.heads.values().map(|head| &head.name).filter(|name| name.stream == Stream::Data);
        Ok(data.map(|name| name.device).filter(|device| rules.may_put_out(before, *device)).collect())
    }

    /// What is quarantined and counts by now is taken in with what waits.
    async fn let_in_again(&self, opening: &Opening, space: SpaceId) -> Result<(), Error> {
        let (mut ops, mut after) = (Vec::new(), 0);
        loop {
            let stretch = self.device.open_entries(space, after).await?;
            for item in &stretch.entries {
                let EntryState::Quarantined(known) = item.state else { continue };
                match opening.quarantine(space, &item.name, &item.entry) {
                    None => ops.push(set(space, item, Wait::Change.state())),
                    // Who asks what is offered hears why, also of what no document has.
                    Some(why) if why != known => ops.push(set(space, item, EntryState::Quarantined(why))),
                    Some(_) => {}
                }
            }
            let Some(next) = stretch.next else { break };
            after = next;
        }
        if ops.is_empty() { Ok(()) } else { Ok(self.device.apply(ops).await?) }
    }

    /// Looks at every entry on a branch of a fork, and at every one of these devices.
    async fn mark_anew(
        &self,
        work: &mut Work,
        opening: &Opening,
        space: SpaceId,
        cut: &BTreeSet<DeviceKey>,
    ) -> Result<(), Error> {
        for (id, kind) in self.device.document_ids(space).await? {
            let Some(kind) = DocumentKind::from_number(kind) else { continue };
            let (mut ops, mut after) = (Vec::new(), 0);
            loop {
                let stretch = self.device.entries_of(space, id, after).await?;
                for item in &stretch.entries {
                    if item.name.path.is_empty() && !cut.contains(&item.name.device) {
                        continue;
                    }
                    let state = match (opening.quarantine(space, &item.name, &item.entry), item.state) {
                        (Some(why), known) if known != EntryState::Quarantined(why) => EntryState::Quarantined(why),
                        (None, EntryState::Quarantined(_)) => Wait::Change.state(),
                        (Some(_) | None, _) => continue,
                    };
                    ops.push(set(space, item, state));
                }
                let Some(next) = stretch.next else { break };
                after = next;
            }
            if !ops.is_empty() {
                // With the document, in one transaction: what is marked already is not looked at again.
                work.documents.remove(&(space, id));
                let open = self.rebuild_marking(work, (space, id), kind, ops).await?;
                work.keep(space, open);
                self.tell(Change::Document(space, id));
            }
        }
        Ok(())
    }
}

fn set(space: SpaceId, item: &DocumentEntry, state: EntryState) -> DeviceOp {
    let entry = EntryRef { space, log: item.log, seq: item.entry.header().seq };
    DeviceOp::SetEntry { entry, document: item.document, state }
}
