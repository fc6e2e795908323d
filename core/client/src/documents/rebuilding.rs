//! Documents made anew from their entries.

use std::collections::BTreeSet;

use alliance_document::gate::{Candidate, Gate, Rules as GateRules, Verdict, change_id, rebuild};
use alliance_document::{Actor, ChangeId};
use alliance_model::DocumentKind;
use alliance_store::device::{DeviceOp, EntryRef, EntryState};
use alliance_wire::{DeviceKey, DocumentId, SpaceId};

use super::OpenDocument;
use crate::error::{Code, Error};
use crate::held::{self, PROGRAM};
use crate::inner::{Inner, Work};
use crate::listing::PARKED;

/// A document's entries, each list in one order.
#[derive(Default)]
struct Logged {
    log: Vec<Candidate>,
    /// Whose log each stands in.
    devices: Vec<DeviceKey>,
    places: Vec<EntryRef>,
    /// Those of this incarnation: where they stand in `log`, and by which of its actors.
    own: Vec<(usize, u8)>,
    /// Changes that wait for an update.
    held: BTreeSet<ChangeId>,
}

impl Inner {
    /// Tells a loaded document's gate what was parked, so that what builds on it is parked on every replica alike.
    pub(super) async fn remember_parked(
        &self,
        work: &mut Work,
        space: SpaceId,
        id: DocumentId,
        gate: &mut Gate,
    ) -> Result<(), Error> {
        let opening = self.opening(work, space).await?;
        let mut after = 0;
        loop {
            let stretch = self.device.entries_of(space, id, after).await?;
            for item in &stretch.entries {
                let Some(changes) = opening.changes_of(item.name.as_ref(), &item.entry) else { continue };
                for id in changes.changes.iter().filter_map(|bytes| change_id(bytes)) {
                    if matches!(item.state, EntryState::ParkedUntil(version) if version > PROGRAM) {
                        gate.hold(id);
                    } else if let Some(code) = held::park_code(item.state) {
                        gate.remember(id, code);
                    }
                }
            }
            let Some(next) = stretch.next else { return Ok(()) };
            after = next;
        }
    }

    /// Makes a document anew from its entries: the log is the truth, documents are a cache.
    pub(crate) async fn rebuild_document(
        &self,
        work: &mut Work,
        space: SpaceId,
        id: DocumentId,
        kind: DocumentKind,
    ) -> Result<OpenDocument, Error> {
        self.rebuild_marking(work, (space, id), kind, Vec::new()).await
    }

    /// The same, with rows that hold from the moment on when the document is anew, and not before.
    pub(crate) async fn rebuild_marking(
        &self,
        work: &mut Work,
        (space, id): (SpaceId, DocumentId),
        kind: DocumentKind,
        mut ops: Vec<DeviceOp>,
    ) -> Result<OpenDocument, Error> {
        let Logged { log, devices, places, own, held } = self.logged(work, space, id).await?;
        let (mut open, verdicts) = if log.is_empty() {
            // A document that is taken in for the first time: there is nothing to judge, to apply and to prove.
            (OpenDocument::fresh(id, kind), Vec::new())
        } else {
            let rebuilt = rebuild(id, kind, GateRules::ALL, &log, &held);
            (OpenDocument::new(rebuilt.document, Some(rebuilt.gate)), rebuilt.verdicts)
        };
        // Whose an actor is says what is in the document: anybody may hand in a change that calls itself another's.
        let written = log.iter().zip(&devices).zip(&verdicts);
        let written =
            written.filter(|((_, device), (_, verdict))| *verdict == Verdict::Admitted || **device == self.me);
        open.authors = written.map(|((candidate, device), _)| (candidate.actor.0, *device)).collect();
        let own = own.into_iter().map(|(entry, actor)| (actor, verdicts.get(entry).map(|(_, verdict)| *verdict)));
        if !open.write_on(own) {
            self.begin_anew();
        }
        let listing = self.device.listing(space, id).await?;
        open.markers = listing.as_ref().map_or(0, |listing| listing.markers);
        // What was listed and lost all of its entries, to a fork, shows nothing of them any more.
        if !log.is_empty() || listing.is_some() {
            for (entry, verdict) in verdicts {
                let Some(place) = usize::try_from(entry).ok().and_then(|index| places.get(index)) else { continue };
                let state = held::state_of(verdict);
                if state != EntryState::Applied {
                    open.markers |= PARKED;
                }
                ops.push(DeviceOp::SetEntry { entry: *place, document: Some(id), state });
            }
            let saved = open.document.verified_save().map_err(|_| Error::new(Code::DocumentBroken))?;
            ops.extend(open.rows(space, saved, false, self.around.now_millis())?);
        }
        if !ops.is_empty() {
            self.device.apply(ops).await?;
        }
        let drafts = self.device.drafts_of(space, id).await?;
        self.reopen_draft(drafts, &mut open).await?;
        Ok(open)
    }

    /// What the log has of a document, as far as it opens and counts.
    async fn logged(&self, work: &mut Work, space: SpaceId, id: DocumentId) -> Result<Logged, Error> {
        let opening = self.opening(work, space).await?;
        let persons = crate::names::persons(opening.membership.state());
        let (mut logged, mut after) = (Logged::default(), 0);
        loop {
            let stretch = self.device.entries_of(space, id, after).await?;
            for item in stretch.entries {
                let Some(changes) = opening.changes_of(item.name.as_ref(), &item.entry) else { continue };
                if !opening.applies(space, item.name.as_ref()) {
                    continue;
                }
                let first = changes.changes.first().map(|first| &first[..]);
                let written = (item.name.device, item.name.incarnation);
                let Some(actor) = Actor::of_entry(written, id, changes.actor, first) else { continue };
                if matches!(item.state, EntryState::ParkedUntil(version) if version > PROGRAM) {
                    logged.held.extend(changes.changes.iter().filter_map(|bytes| change_id(bytes)));
                }
                if item.name.device == self.me && item.name.incarnation == self.incarnation() {
                    logged.own.push((logged.log.len(), changes.actor));
                }
                let entry = logged.log.len() as u64;
                let chunks = changes.changes.into_iter().map(Vec::from).collect();
                let person = persons.get(&item.name.device).copied();
                logged.log.push(Candidate { entry, actor, person, schema: changes.schema, changes: chunks });
                logged.devices.push(item.name.device);
                logged.places.push(EntryRef { space, log: item.log, seq: item.entry.header().seq });
            }
            let Some(next) = stretch.next else { return Ok(logged) };
            after = next;
        }
    }
}
