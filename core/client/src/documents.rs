//! Documents in memory: loaded from the cache, or made anew from the log.

mod copies;
mod rebuilding;
mod show;
mod written;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use alliance_document::gate::{Candidate, Gate, Judged, Rules as GateRules, Verdict};
use alliance_document::{Actor, CUTS_KEPT, Document, Heads, View, ViewContext, WorkingCopy};
use alliance_model::{Cosignature, DocumentKind};
use alliance_store::StoreError;
use alliance_store::device::{DeviceOp, Document as SavedDocument, DocumentHead, Listing, OpenedDocument};
use alliance_wire::{DeviceKey, DocumentId, DraftId, SpaceId};

use crate::error::{Code, Error};
use crate::inner::{Inner, Work};
use crate::intake::Opening;
use crate::listing::{CHANGED_BY_BOTH, NEEDS_CHOICE, PARKED, UNREAD};
use crate::names::{Directory, People};
use crate::views::DocumentRow;
use written::Written;

/// Documents that stay in memory.
const DOCUMENTS_KEPT: usize = 32;
/// Of a document's flags: which of this device's actors writes into it.
const ACTOR_BITS: u32 = 0b111;

/// A document in memory.
pub(crate) struct OpenDocument {
    /// What is published.
    pub(crate) document: Document,
    /// Opened when the first change is judged: it costs more than loading the document, and looking needs none.
    gate: Option<Gate>,
    /// Who writes under which actor.
    pub(crate) authors: BTreeMap<[u8; 16], DeviceKey>,
    pub(crate) flags: u32,
    pub(crate) markers: u32,
    /// What is shown while somebody writes.
    pub(crate) copy: Option<WorkingCopy>,
    /// What was shown while nobody wrote: the views' revisions and the heads that they were of, the newest last. A
    /// working copy is opened when somebody writes on one of them.
    shown: VecDeque<(u64, Heads)>,
    /// The draft's id, once it has a command, and the bytes of its rows.
    pub(crate) draft: Option<(DraftId, usize)>,
    /// A draft of this incarnation waits: for a change that is not shown, or for the one that is open.
    waits: bool,
    /// When a command was last added.
    pub(crate) touched: tokio::time::Instant,
    used: u64,
}

impl OpenDocument {
    fn new(document: Document, gate: Option<Gate>) -> Self {
        Self {
            document,
            gate,
            authors: BTreeMap::new(),
            flags: 0,
            markers: 0,
            copy: None,
            shown: VecDeque::new(),
            draft: None,
            waits: false,
            touched: tokio::time::Instant::now(),
            used: 0,
        }
    }

    /// The document with an empty or given gate, as intake makes it.
    pub(crate) fn fresh(id: DocumentId, kind: DocumentKind) -> Self {
        Self::new(Document::new(id, kind), Some(Gate::new(id, kind, GateRules::ALL)))
    }

    /// Number of the actor under which this device writes.
    pub(crate) fn actor_number(&self) -> u8 {
        u8::try_from(self.flags & ACTOR_BITS).unwrap_or(0)
    }

    /// A change of this device's is not in the document: it writes on as its next actor. `false` if that was its last.
    #[must_use]
    pub(crate) fn next_actor(&mut self) -> bool {
        self.copy = None;
        let next = (self.flags & ACTOR_BITS) + 1;
        self.flags = (self.flags & !ACTOR_BITS) | next.min(ACTOR_BITS);
        next <= ACTOR_BITS
    }

    /// Where this incarnation writes on, after its own entries in the order of its log: as the last actor that wrote, or
    /// as the next one if a change of that one is not in the document. Behind a change that waits nothing of its actor
    /// is admitted, here or anywhere. `false` if there is no next one.
    #[must_use]
    pub(crate) fn write_on(&mut self, own: impl Iterator<Item = (u8, Option<Verdict>)>) -> bool {
        let (mut last, mut whole) = (0, true);
        for (actor, verdict) in own {
            if actor > last {
                (last, whole) = (actor, true);
            }
            whole &= actor != last || verdict == Some(Verdict::Admitted);
        }
        self.flags = (self.flags & !ACTOR_BITS) | (u32::from(last) & ACTOR_BITS);
        whole || self.next_actor()
    }

    /// What the gate says of new entries.
    pub(crate) fn judge(&mut self, candidates: &[Candidate]) -> Result<Judged, Error> {
        let gate = self.gate.as_mut().ok_or_else(|| Error::new(Code::Internal).with("what", "the gate is not open"))?;
        Ok(gate.judge(candidates))
    }

    /// The revision of what is shown now. `fresh` is above every revision that a view carried.
    pub(crate) fn show(&mut self, fresh: u64) -> u64 {
        if let Some(copy) = &self.copy {
            return copy.revision();
        }
        let heads = self.document.heads();
        if let Some((revision, _)) = self.shown.back().filter(|(_, shown)| *shown == heads) {
            return *revision;
        }
        self.shown.push_back((fresh, heads));
        if self.shown.len() > CUTS_KEPT {
            self.shown.pop_front();
        }
        fresh
    }

    /// The person looked at it. `true` if there was something new.
    pub(crate) const fn seen(&mut self) -> bool {
        let seen = self.markers & !(UNREAD | CHANGED_BY_BOTH);
        let new = seen != self.markers;
        self.markers = seen;
        new
    }

    /// Where nothing of ours is open, what others wrote may enter.
    pub(crate) fn let_others_in(&mut self) -> Result<(), Error> {
        if self.copy.as_ref().is_some_and(|copy| copy.commands().is_empty()) {
            let copy = self.copy.take();
            self.copy = copy.map(|copy| copy.cut(&self.document, None)).transpose()?;
        }
        Ok(())
    }

    /// Who writes as an actor, by name.
    pub(crate) fn author(&self, directory: &Directory, actor: &[u8]) -> String {
        let known = <[u8; 16]>::try_from(actor).ok().and_then(|actor| self.authors.get(&actor));
        // What is not sealed yet stands in no entry that could say whose it is.
        let draft = || self.copy.as_ref().is_some_and(|copy| copy.actor().0 == actor);
        let own = || directory.own().filter(|_| draft());
        known.map(|device| directory.device(*device)).or_else(own).unwrap_or_else(|| "unknown".to_owned())
    }

    /// What is shown: the working copy if there is one, else what is published.
    pub(crate) fn view(&self, people: &People) -> Result<View, Error> {
        self.seen_by(people, |context| {
            Ok(match &self.copy {
                Some(copy) => copy.view(context)?,
                None => self.document.view(context)?,
            })
        })
    }

    /// Does something that needs to know who wrote what and who looks.
    pub(crate) fn seen_by<T>(&self, people: &People, work: impl FnOnce(ViewContext<'_>) -> T) -> T {
        let author = |actor: &[u8]| self.author(&people.directory, actor);
        let verifies = |signature: &Cosignature| people.directory.verifies(signature);
        let name = |person| people.directory.person(person);
        work(ViewContext {
            author: &author,
            protectors: &people.protectors,
            verifies: Some(&verifies),
            name: &name,
            me: &people.me,
        })
    }

    /// The rows that keep it; `now` in milliseconds since 1970.
    ///
    /// `sealed` says that what is published has taken up the draft, which goes with the same transaction.
    pub(crate) fn rows(&self, space: SpaceId, saved: Vec<u8>, sealed: bool, now: u64) -> Result<Vec<DeviceOp>, Error> {
        let (view, runs) = self.document.view_and_runs(ViewContext::BARE)?;
        let head = DocumentHead {
            space,
            document: self.document.id(),
            kind: self.document.kind().number(),
            schema: self.document.kind().schema(),
            heads: self.document.heads().to_bytes(),
            authors: Written::new(&self.authors, runs).encode(),
            updated: now,
            flags: self.flags,
        };
        let listing = crate::listing::listing(space, self.document.id(), &view, self.markers);
        let searchable = self.searchable(space, !sealed && self.draft.is_some(), Some(&view))?;
        Ok(vec![
            DeviceOp::PutDocument(SavedDocument { head, saved }),
            DeviceOp::PutListing(listing),
            DeviceOp::PutSearchable(searchable),
        ])
    }
}

impl Work {
    /// The document in memory, if it is.
    pub(crate) fn document(&mut self, space: SpaceId, id: DocumentId) -> Option<&mut OpenDocument> {
        self.uses += 1;
        let uses = self.uses;
        let open = self.documents.get_mut(&(space, id))?;
        open.used = uses;
        Some(open)
    }

    /// Which space a document in memory is in, and what it is; nothing if it is not, or in several.
    pub(crate) fn place_of(&self, id: DocumentId) -> Option<(SpaceId, DocumentKind)> {
        let mut found = self.documents.iter().filter(|((_, known), _)| *known == id);
        let ((space, _), open) = found.next()?;
        if found.next().is_some() { None } else { Some((*space, open.document.kind())) }
    }

    pub(crate) fn keep(&mut self, space: SpaceId, mut open: OpenDocument) {
        // One that is kept for the first time was used now: else chance would say which of several goes first.
        self.uses += 1;
        open.used = self.uses;
        if self.documents.len() >= DOCUMENTS_KEPT {
            // A draft is in the store as well as here, so any document may go.
            let oldest = self.documents.iter().min_by_key(|(_, open)| open.used).map(|(key, _)| *key);
            if let Some(key) = oldest {
                self.documents.remove(&key);
            }
        }
        self.documents.insert((space, open.document.id()), open);
    }
}

impl Inner {
    /// Brings a document into memory: from its saved bytes, or from the log, or as a new one of this kind.
    pub(crate) async fn open_document<'w>(
        &self,
        work: &'w mut Work,
        space: SpaceId,
        id: DocumentId,
        kind: Option<DocumentKind>,
    ) -> Result<&'w mut OpenDocument, Error> {
        if !work.documents.contains_key(&(space, id)) {
            let open = self.load_document(work, space, id, kind).await?;
            work.keep(space, open);
        }
        work.document(space, id).ok_or_else(|| Code::Internal.into())
    }

    async fn load_document(
        &self,
        work: &mut Work,
        space: SpaceId,
        id: DocumentId,
        kind: Option<DocumentKind>,
    ) -> Result<OpenDocument, Error> {
        let Some(row) = self.device.opened(space, id).await? else {
            let kind = kind.ok_or_else(|| Error::new(Code::UnknownDocument).with("document", id))?;
            return self.rebuild_document(work, space, id, kind).await;
        };
        self.load_row(work, row).await
    }

    /// The document of a row that was read while `work` was held: nobody has saved a newer one since.
    async fn load_row(&self, work: &mut Work, row: OpenedDocument) -> Result<OpenDocument, Error> {
        let OpenedDocument { document: saved, markers, drafts } = row;
        let (space, id) = (saved.head.space, saved.head.document);
        let known = DocumentKind::from_number(saved.head.kind).ok_or_else(|| Error::new(Code::DocumentBroken))?;
        work.loads += 1;
        let written = Written::decode(&saved.head.authors);
        let mut open = match Document::load(id, known, &saved.saved) {
            Ok(document) => OpenDocument::new(document.with_runs(&written.runs), None),
            Err(_) => return self.rebuild_document(work, space, id, known).await,
        };
        open.authors = written.authors();
        open.flags = saved.head.flags;
        // Another incarnation begins with its first actor.
        let ours =
            |n| Actor::of(self.me, self.incarnation(), id, n).is_some_and(|actor| open.authors.contains_key(&actor.0));
        if !(0..=open.actor_number()).any(ours) {
            open.flags &= !ACTOR_BITS;
        }
        open.markers = markers;
        self.reopen_draft(drafts, &mut open).await?;
        if saved.head.schema < known.schema() {
            self.keep_upgrade(saved.head, &open).await?;
        }
        Ok(open)
    }

    /// Keeps a document that an earlier version kept with the upgrade that it has now, and its words: what is searched
    /// is told from the state that was saved.
    async fn keep_upgrade(&self, head: DocumentHead, open: &OpenDocument) -> Result<(), Error> {
        let saved = open.document.verified_save().map_err(|_| Error::new(Code::DocumentBroken))?;
        let words = open.searchable(head.space, open.draft.is_some(), None)?;
        let (heads, schema) = (open.document.heads().to_bytes(), open.document.kind().schema());
        let document = SavedDocument { head: DocumentHead { heads, schema, ..head }, saved };
        match self.device.apply(vec![DeviceOp::PutDocument(document), DeviceOp::PutSearchable(words)]).await {
            // It is made again at the next opening.
            Err(StoreError::LowStorage | StoreError::ReadOnly) => Ok(()),
            other => Ok(other?),
        }
    }

    /// A document in memory whose gate is open. One that its own gate would not admit is made anew from the log.
    pub(crate) async fn gated_document<'w>(
        &self,
        work: &'w mut Work,
        space: SpaceId,
        id: DocumentId,
        kind: Option<DocumentKind>,
    ) -> Result<&'w mut OpenDocument, Error> {
        let open = self.open_document(work, space, id, kind).await?;
        if open.gate.is_none() {
            let (kind, parked) = (open.document.kind(), open.markers & PARKED != 0);
            let authors = open.authors.clone();
            let persons = crate::names::persons(self.membership(space).await?.state());
            let person = |actor: &[u8]| {
                let device = <[u8; 16]>::try_from(actor).ok().and_then(|actor| authors.get(&actor))?;
                persons.get(device).copied()
            };
            let open = work.document(space, id).ok_or(Code::Internal)?;
            match Gate::open(&open.document, GateRules::ALL, person) {
                Ok(mut gate) => {
                    if parked {
                        self.remember_parked(work, space, id, &mut gate).await?;
                    }
                    if let Some(open) = work.document(space, id) {
                        open.gate = Some(gate);
                    }
                }
                Err(_) => {
                    let open = self.rebuild_document(work, space, id, kind).await?;
                    work.keep(space, open);
                }
            }
        }
        work.document(space, id).ok_or_else(|| Code::Internal.into())
    }

    /// Which space a document is in, and what it is.
    pub(crate) async fn find(&self, id: DocumentId) -> Result<(SpaceId, DocumentKind), Error> {
        let found = self.device.find_document(id).await?;
        let (space, kind) = found.ok_or_else(|| Error::new(Code::UnknownDocument).with("document", id))?;
        self.unlocked(space)?;
        Ok((space, DocumentKind::from_number(kind).ok_or(Code::DocumentBroken)?))
    }

    pub(crate) fn row(&self, listing: Listing, drafts: &BTreeSet<DocumentId>) -> Option<DocumentRow> {
        Some(DocumentRow {
            document: listing.document,
            space: listing.space,
            kind: DocumentKind::from_number(listing.kind)?,
            title: listing.title,
            date: listing.date,
            snippet: listing.snippet,
            unread: listing.markers & UNREAD != 0,
            changed_by_both: listing.markers & CHANGED_BY_BOTH != 0,
            needs_choice: listing.markers & NEEDS_CHOICE != 0,
            parked: listing.markers & PARKED != 0,
            draft: drafts.contains(&listing.document),
            searched: listing.searched,
        })
    }

    pub(crate) async fn opening(&self, work: &mut Work, space: SpaceId) -> Result<Opening, Error> {
        let membership = self.membership(space).await?;
        let keyring = self.keyring(work, space).await?.clone();
        let branches = self.branches(space).await?;
        Ok(Opening { membership, keyring, rules: self.rules, branches, latest: Arc::clone(&self.latest_said) })
    }
}
