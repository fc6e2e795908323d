//! From entries to documents: what came in is opened, judged, applied and shown.

mod keys;
mod opening;
mod settling;
mod trials;
mod waiting;

use std::collections::BTreeMap;
use std::sync::Arc;

use alliance_document::Actor;
use alliance_document::gate::{Candidate, Verdict};
use alliance_model::{DocumentKind, display_name};
use alliance_store::Replica as _;
use alliance_store::device::{DeviceOp, EntryRef, EntryState};
use alliance_sync::{Outgoing, Page, Part, Since};
use alliance_wire::content::Body;
use alliance_wire::{DeviceKey, DocumentId, Entry, LogName, SpaceId, Stream};

pub(crate) use opening::Opening;

use opening::Examined;

use crate::documents::OpenDocument;
use crate::error::Error;
use crate::held::{self, Never, Wait};
use crate::inner::{Inner, Work};
use crate::listing::{CHANGED_BY_BOTH, PARKED, UNREAD};
use crate::names::{Details, persons};
use crate::views::Change;

/// Bytes of the log that are taken in at a time.
const PAGE_BYTES: usize = 512 * 1024;

/// A document's entries that take it for this kind. What somebody calls it in an entry says nothing of other entries.
type Group = (u16, Vec<Incoming>);

/// The queue of a kind; kinds stand in the order in which they arrived.
fn queue_of(groups: &mut Vec<Group>, kind: u16) -> &mut Vec<Incoming> {
    let at = groups.iter().position(|(known, _)| *known == kind).unwrap_or_else(|| {
        groups.push((kind, Vec::new()));
        groups.len() - 1
    });
    &mut groups[at].1
}

/// The document that an entry is of, with its kind, if it can be of that one and in this space.
fn document_of(opening: &Opening, space: SpaceId, body: &Body) -> Option<(DocumentId, u16)> {
    let Body::Changes(changes) = body else { return None };
    let misplaced = opening.misplaced(space, changes.document, changes.kind);
    misplaced.is_none().then_some((changes.document, changes.kind))
}

/// An entry on its way into a document.
struct Incoming {
    place: EntryRef,
    device: DeviceKey,
    candidate: Candidate,
    cover: alliance_wire::content::DraftCover,
}

impl Inner {
    /// Takes in what every space holds beyond what was taken in before.
    pub(crate) async fn take_in_everything(&self) -> Result<(), Error> {
        for local in self.device.local_spaces().await? {
            let mut work = self.work.lock().await;
            self.take_in(&mut work, local.space).await?;
            self.admit_what_is_needed(&mut work, local.space).await?;
        }
        Ok(())
    }

    /// Takes in what a space holds beyond what was taken in before.
    pub(crate) async fn take_in(&self, work: &mut Work, space: SpaceId) -> Result<(), Error> {
        loop {
            let forks = self.device.forks(space).await?;
            let after = self.device.applied_upto(space).await?;
            let since = Since { space, after, part: Part::Everything, bytes: PAGE_BYTES };
            let page = self.device.replica().since(since).await?;
            if page.upto == after {
                work.caught_up.insert(space);
                return Ok(());
            }
            let more = page.more;
            crate::merging::forget(work, space);
            if let Err(error) = self.take_page(work, space, after, page).await {
                // What is in memory is ahead of the store, which failed: what builds on it would be lost. It is read anew.
                work.documents.retain(|(of, _), _| *of != space);
                work.keyrings.remove(&space);
                if self.device.forks(space).await? != forks {
                    // A fork came to light between reading and writing, and what was read stands in other logs now.
                    continue;
                }
                return Err(error);
            }
            if !more {
                work.caught_up.insert(space);
                return Ok(());
            }
        }
    }

    async fn take_page(&self, work: &mut Work, space: SpaceId, after: u64, page: Page) -> Result<(), Error> {
        let (mut members, mut items) = (false, Vec::new());
        for item in page.items {
            match item {
                Outgoing::Entry(name, _) if name.stream == Stream::Membership => members = true,
                Outgoing::Entry(name, entry) => {
                    let place = EntryRef { space, log: name.id(space), seq: entry.header().seq };
                    items.push((place, name, entry));
                }
                Outgoing::Receipt(_) => self.tell(Change::Status),
                // Looked at below, whatever the page holds.
                Outgoing::Fork(..) => {}
            }
        }
        if members {
            self.membership_changed(work, space).await?;
            // Before it says that this was taken in: a process that ends in between would write on in a log whose end was
            // named, and nobody but itself would show that.
            self.renew_in(work).await?;
        }
        self.settle(work, space, members).await?;
        if members || !items.is_empty() {
            self.add_waiting(space, &mut items).await?;
        }
        self.leave_settled(work, &mut items, (space, after, page.upto)).await?;
        let mut ops = self.take_items(work, space, items).await?;
        ops.push(DeviceOp::SetApplied { space, arrival: page.upto });
        Ok(self.device.apply(ops).await?)
    }

    /// Opens, judges and applies entries; returns the rows that say what became of them.
    async fn take_items(
        &self,
        work: &mut Work,
        space: SpaceId,
        items: Vec<(EntryRef, Arc<LogName>, Entry)>,
    ) -> Result<Vec<DeviceOp>, Error> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let opening = self.opening(work, space).await?;
        let persons = persons(opening.membership.state());
        let mut ops = Vec::new();
        let mut local = self.device.local_space(space).await?;
        let mut details = local.as_ref().map(Details::of).unwrap_or_default();
        let mut documents: BTreeMap<DocumentId, Vec<Group>> = BTreeMap::new();
        let mut hidden: BTreeMap<DocumentId, u16> = BTreeMap::new();
        for (place, name, entry) in items {
            let mut state = |document, state| ops.push(DeviceOp::SetEntry { entry: place, document, state });
            match opening.examine(space, &name, &entry) {
                Examined::Waits(wait) => state(None, wait.state()),
                Examined::Never(never) => state(None, never.state()),
                Examined::Card(card) => {
                    if let Ok(shown) = display_name(&card.name) {
                        details.set(name.device, shown);
                    }
                    state(None, EntryState::Applied);
                }
                Examined::Quarantined(body, why) => {
                    let of = document_of(&opening, space, &body);
                    hidden.extend(of);
                    state(of.map(|(document, _)| document), EntryState::Quarantined(why));
                }
                Examined::Home(body) => match self.home_rows(&opening.membership, local.as_ref(), &name, *body) {
                    Some(rows) => {
                        state(None, EntryState::Applied);
                        ops.extend(rows);
                    }
                    None => state(None, Never::Malformed.state()),
                },
                Examined::Changes(changes) => {
                    let first = changes.changes.first().map(|first| &first[..]);
                    let log = (name.device, name.incarnation);
                    let Some(actor) = Actor::of_entry(log, changes.document, changes.actor, first) else {
                        state(None, Never::Malformed.state());
                        continue;
                    };
                    let queue = queue_of(documents.entry(changes.document).or_default(), changes.kind);
                    let entry = queue.len() as u64;
                    let chunks = changes.changes.into_iter().map(Vec::from).collect();
                    let person = persons.get(&name.device).copied();
                    let candidate = Candidate { entry, actor, person, schema: changes.schema, changes: chunks };
                    queue.push(Incoming { place, device: name.device, candidate, cover: changes.draft });
                }
            }
        }
        if let Some(local) = local.as_mut().filter(|local| Details::of(local) != details) {
            local.detail = details.encode();
            ops.push(DeviceOp::PutSpace(local.clone()));
            self.tell(Change::Space(space));
        }
        hidden.retain(|id, _| !documents.contains_key(id));
        ops.extend(self.list_hidden(space, hidden).await?);
        ops.extend(self.take_documents(work, space, documents).await?);
        Ok(ops)
    }

    async fn take_documents(
        &self,
        work: &mut Work,
        space: SpaceId,
        documents: BTreeMap<DocumentId, Vec<Group>>,
    ) -> Result<Vec<DeviceOp>, Error> {
        let trying: Vec<DeviceOp> = documents
            .iter()
            .filter(|(id, _)| !work.careful.contains(*id))
            .map(|(id, groups)| DeviceOp::BeginTrying {
                document: *id,
                entries: groups.iter().flat_map(|(_, queue)| queue).map(|incoming| incoming.place).collect(),
            })
            .collect();
        if !trying.is_empty() {
            self.device.apply(trying).await?;
        }
        let mut ops = Vec::new();
        for (id, groups) in documents {
            let careful = work.careful.remove(&id);
            for (kind, queue) in groups {
                ops.extend(self.take_group(work, (space, id), kind, queue, careful).await?);
            }
            self.tell(Change::Document(space, id));
        }
        Ok(ops)
    }

    /// One document's new entries that take it for one kind.
    async fn take_group(
        &self,
        work: &mut Work,
        (space, id): (SpaceId, DocumentId),
        kind: u16,
        queue: Vec<Incoming>,
        careful: bool,
    ) -> Result<Vec<DeviceOp>, Error> {
        let Some(kind) = DocumentKind::from_number(kind) else {
            let newer =
                |it: &Incoming| DeviceOp::SetEntry { entry: it.place, document: None, state: Wait::Newer.state() };
            let mut ops: Vec<DeviceOp> = queue.iter().map(newer).collect();
            ops.push(DeviceOp::EndTrying(space, id));
            return Ok(ops);
        };
        self.drop_covered_drafts(space, id, &queue).await?;
        if !careful {
            return self.take_into(work, space, id, kind, queue).await;
        }
        // A trial of this document did not come to its end: one entry at a time, so that the next end tells which one it
        // was.
        for incoming in queue {
            let begin = DeviceOp::BeginTrying { document: id, entries: vec![incoming.place] };
            self.device.apply(vec![begin]).await?;
            let done = self.take_into(work, space, id, kind, vec![incoming]).await?;
            self.device.apply(done).await?;
        }
        Ok(Vec::new())
    }

    /// One document's new entries, in one call of the engine.
    async fn take_into(
        &self,
        work: &mut Work,
        space: SpaceId,
        id: DocumentId,
        kind: DocumentKind,
        queue: Vec<Incoming>,
    ) -> Result<Vec<DeviceOp>, Error> {
        let open = self.gated_document(work, space, id, Some(kind)).await?;
        if open.document.kind() != kind {
            let state = Never::Kind.state();
            let mut ops: Vec<DeviceOp> =
                queue.iter().map(|it| DeviceOp::SetEntry { entry: it.place, document: None, state }).collect();
            ops.push(DeviceOp::EndTrying(space, id));
            return Ok(ops);
        }
        let candidates: Vec<Candidate> = queue.iter().map(|incoming| incoming.candidate.clone()).collect();
        let judged = open.judge(&candidates)?;
        let applied = open.document.apply(&judged.admitted).is_ok();
        let saved = if applied { open.document.verified_save().ok() } else { None };
        let Some(saved) = saved else {
            return self.make_anew(work, space, id, kind, &queue).await;
        };
        let mut ops = Vec::with_capacity(queue.len() + 3);
        for (incoming, (_, verdict)) in queue.iter().zip(&judged.verdicts) {
            self.mark(open, incoming, *verdict);
            let state = held::state_of(*verdict);
            ops.push(DeviceOp::SetEntry { entry: incoming.place, document: Some(id), state });
        }
        if !judged.admitted.is_empty() && open.document.heads().ids().len() > 1 && open.markers & UNREAD != 0 {
            open.markers |= CHANGED_BY_BOTH;
        }
        self.take_up_draft(space, open).await?;
        ops.extend(open.rows(space, saved, false, self.around.now_millis())?);
        ops.push(DeviceOp::EndTrying(space, id));
        Ok(ops)
    }

    fn mark(&self, open: &mut OpenDocument, incoming: &Incoming, verdict: Verdict) {
        match verdict {
            Verdict::Admitted => {
                open.authors.insert(incoming.candidate.actor.0, incoming.device);
                if incoming.device != self.me {
                    open.markers |= UNREAD;
                    if open.draft.is_some() {
                        open.markers |= CHANGED_BY_BOTH;
                    }
                }
            }
            Verdict::ParkedForGood(_) | Verdict::ParkedUntilUpdate(_) | Verdict::Waiting(_) => {
                if !matches!(verdict, Verdict::Waiting(_)) {
                    open.markers |= PARKED;
                }
                let (ours, actor) = (open.actor_number(), incoming.candidate.actor);
                if Actor::of(self.me, self.incarnation(), open.document.id(), ours) == Some(actor) {
                    open.authors.insert(actor.0, self.me);
                    if !open.next_actor() {
                        self.begin_anew();
                    }
                }
            }
        }
    }

    /// The engine failed on a batch: everything goes through it once more from the log, and the first change that
    /// fails is held until an update.
    async fn make_anew(
        &self,
        work: &mut Work,
        space: SpaceId,
        id: DocumentId,
        kind: DocumentKind,
        queue: &[Incoming],
    ) -> Result<Vec<DeviceOp>, Error> {
        let state = Wait::Change.state();
        let known = queue.iter().map(|it| DeviceOp::SetEntry { entry: it.place, document: Some(id), state });
        self.device.apply(known.collect()).await?;
        work.documents.remove(&(space, id));
        let open = self.rebuild_document(work, space, id, kind).await?;
        work.keep(space, open);
        Ok(vec![DeviceOp::EndTrying(space, id)])
    }

    /// Commands of a draft of an earlier incarnation that an entry of this device already covers are dropped, if they
    /// are the same (PROTOCOL section 2, granularity).
    async fn drop_covered_drafts(&self, space: SpaceId, id: DocumentId, queue: &[Incoming]) -> Result<(), Error> {
        let own: Vec<_> = queue.iter().filter(|incoming| incoming.device == self.me).collect();
        if own.is_empty() {
            return Ok(());
        }
        for draft in self.device.drafts_of(space, id).await? {
            let rows = self.device.commands(draft.draft).await?;
            for cover in own.iter().map(|incoming| incoming.cover).filter(|cover| cover.draft == draft.draft) {
                let count = usize::try_from(cover.commands).unwrap_or(usize::MAX);
                let covered = rows.get(..count).map(|rows| rows.iter().map(|row| row.bytes.as_slice()));
                // A draft of an earlier incarnation got no command since the backup, and drafts only grow: all of its
                // commands are among the first that were sealed. Any other must match what was sealed to the letter.
                let frozen = draft.incarnation != self.incarnation() && rows.len() <= count;
                if !frozen && covered.map(crate::drafts::commands_hash) != Some(cover.hash) {
                    continue;
                }
                let op = if rows.len() <= count {
                    DeviceOp::DropDraft(draft.draft)
                } else {
                    DeviceOp::DropCommands { draft: draft.draft, upto: u64::from(cover.commands) }
                };
                self.device.apply(vec![op]).await?;
            }
        }
        Ok(())
    }
}
