//! Documents as apps ask for them.

use std::collections::{BTreeMap, BTreeSet};

use alliance_document::View;
use alliance_model::kind::note_of_session;
use alliance_model::session::SessionField;
use alliance_model::{DocumentKind, Refusal, RefusalCode};
use alliance_store::StoreError;
use alliance_store::device::{DeviceOp, ListQuery, Listing, LocalSpace, OpenedDocument};
use alliance_wire::{DocumentId, SpaceId};

use super::OpenDocument;
use crate::error::{Code, Error};
use crate::inner::{Client, Inner, Work};
use crate::listing::{CHANGED_BY_BOTH, UNREAD};
use crate::names::{Directory, People};
use crate::reference::{begins, only};
use crate::views::{Delivery, DocumentRow, DocumentView};

impl Client {
    /// Begins a document in a space. A preparation log is in the home of the person's devices and nowhere else; there
    /// the one that it has is the answer, as it is for a kind of which a space has one. A decision is this person's
    /// ([`Client::begin_decision`]).
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, `NOT_MEMBER`, `ROLE_FORBIDS`, `PRIVATE` (a preparation log elsewhere), `WRONG_KIND` (the log of
    /// exports), `KIND_FORBIDS` (the space's audience holds no such document), and those of the store.
    pub async fn create_document(&self, space: SpaceId, kind: DocumentKind) -> Result<DocumentId, Error> {
        if kind == DocumentKind::Preparation {
            if self.inner.home().await? != Some(space) {
                return Err(Refusal::new(RefusalCode::Private).into());
            }
            return self.preparation().await;
        }
        if kind == DocumentKind::Exports {
            // It begins with the first thing that is given out.
            return Err(Refusal::new(RefusalCode::WrongKind).with("kind", kind).into());
        }
        if kind == DocumentKind::Decision {
            return self.begin_decision(space, None).await;
        }
        if kind.form().is_some_and(|form| form.one) {
            return Ok(self.form_of_space(space, kind).await?.0);
        }
        self.inner.may_write(space).await?;
        self.inner.may_hold(space, kind).await?;
        let mut work = self.inner.work.lock().await;
        let id = self.inner.new_document_id(space, kind).await?;
        self.inner.put_new_document(&mut work, space, id, kind).await?;
        drop(work);
        self.inner.tell(crate::views::Change::Document(space, id));
        Ok(id)
    }

    /// The note of a session, begun if it is not here. Both phones that begin it while apart make the same document
    /// (DOMAIN 2.2, SessionNote). Also says whether it was begun now.
    ///
    /// # Errors
    /// `UNKNOWN_DOCUMENT`, `WRONG_KIND` (no session), `NOT_MEMBER`, `ROLE_FORBIDS`, and those of the store.
    pub async fn note_of_session(&self, session: DocumentId) -> Result<(DocumentId, bool), Error> {
        let inner = &self.inner;
        let (space, kind) = inner.find(session).await?;
        if kind != DocumentKind::Session {
            return Err(Refusal::new(RefusalCode::WrongKind).with("kind", kind).into());
        }
        let id = note_of_session(&session.0, &space);
        let mut work = inner.work.lock().await;
        if inner.device.find_document(id).await?.is_some() {
            return Ok((id, false));
        }
        inner.may_write(space).await?;
        inner.put_new_document(&mut work, space, id, DocumentKind::Note).await?;
        drop(work);
        inner.tell(crate::views::Change::Document(space, id));
        Ok((id, true))
    }

    /// A page of documents, the newest date first; with all of the words of `search`, as [`Client::search`] takes them.
    ///
    /// # Errors
    /// `QUERY_EMPTY`, `QUERY_TOO_LONG`, `DEVICE_SUSPENDED`, `DEVICE_PUT_OUT`, and those of the store.
    pub async fn documents(
        &self,
        space: Option<SpaceId>,
        kind: Option<DocumentKind>,
        search: Option<&str>,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<DocumentRow>, Error> {
        space.map_or(Ok(()), |space| self.inner.unlocked(space))?;
        // What a search finds is listed where it was found.
        let hidden = if search.is_some() { BTreeSet::new() } else { self.hidden(space, kind).await? };
        let shows = |row: &Listing| self.inner.unlocked(row.space).is_ok() && !hidden.contains(&row.document);
        self.rows((space, kind, search), (offset, limit), shows).await
    }

    /// The same of the rows that `shows` is true of.
    async fn rows(
        &self,
        (space, kind, search): (Option<SpaceId>, Option<DocumentKind>, Option<&str>),
        (offset, limit): (u64, u64),
        shows: impl Fn(&Listing) -> bool,
    ) -> Result<Vec<DocumentRow>, Error> {
        let containing = match search {
            Some(text) => {
                let query = alliance_model::search::Query::parse(text)?;
                self.inner.search_what_was_typed().await?;
                crate::search::phrases(&query)
            }
            None => Vec::new(),
        };
        let drafts = self.drafted().await?;
        let mut rows = Vec::new();
        let mut query = ListQuery { space, kind: kind.map(DocumentKind::number), containing, ..ListQuery::default() };
        let wanted = usize::try_from(offset.saturating_add(limit)).unwrap_or(usize::MAX);
        loop {
            query.limit = (wanted - rows.len()).min(alliance_store::device::LIST_ROWS_MAX);
            let page = self.inner.device.list(query.clone()).await?;
            let shown = page.rows.into_iter().filter(|listing| shows(listing));
            rows.extend(shown.filter_map(|listing| self.inner.row(listing, &drafts)));
            let Some(next) = page.next.filter(|_| rows.len() < wanted) else { break };
            query.after = Some(next);
        }
        let skip = usize::try_from(offset).unwrap_or(usize::MAX);
        Ok(rows.into_iter().skip(skip).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }

    /// The document with this id, or whose id begins so.
    ///
    /// # Errors
    /// `UNKNOWN_DOCUMENT`, `AMBIGUOUS`, `DEVICE_SUSPENDED`, and those of the store.
    pub async fn find_document(&self, reference: &str) -> Result<DocumentRow, Error> {
        let reference = reference.trim();
        let rows = self.rows((None, None, None), (0, u64::MAX), |_| true).await?;
        let fits = |row: &&DocumentRow| begins(&row.document, reference);
        let titled: Vec<_> = rows.iter().filter(|row| row.title == reference).collect();
        let found: Vec<_> = if titled.is_empty() { rows.iter().filter(fits).collect() } else { titled };
        let one = only(found, Code::UnknownDocument, "document", reference)?;
        self.inner.unlocked(one.space).map(|()| one.clone())
    }

    /// A document as it is now, and that it was looked at.
    ///
    /// # Errors
    /// `UNKNOWN_DOCUMENT`, `DOCUMENT_BROKEN`, and those of the store.
    pub async fn view(&self, document: DocumentId) -> Result<DocumentView, Error> {
        let inner = &self.inner;
        let mut work = inner.work.lock().await;
        let (local, (delivery, some_are_open)) = inner.look(&mut work, document).await?;
        let space = local.space;
        let directory = inner.directory_of(&local).await?;
        let members = inner.members_by(space, &directory).await?;
        let people = People::new(directory, &members);
        let may_write = inner.may_write(space).await.is_ok();
        let fresh = work.next_revision();
        let open = inner.open_document(&mut work, space, document, None).await?;
        open.let_others_in()?;
        // What the person sees now is what a command with this revision is about, whatever comes in meanwhile.
        let revision = if may_write { open.show(fresh) } else { 0 };
        let view = open.view(&people)?;
        let draft = open.copy.as_ref().is_some_and(|copy| !copy.commands().is_empty());
        let mut looked_at = open.seen().then_some(document).into_iter().collect::<Vec<_>>();
        let together = match &view {
            View::Session(_) | View::Note(_) => inner.shown_as_one(&mut work, space, document, &people).await?,
            View::Agreement(_) | View::Preparation(_) | View::Decision(_) | View::Exports(_) | View::Form(_) => None,
        };
        for part in together.iter().flat_map(|(_, parts)| parts.iter()) {
            looked_at.extend(work.document(space, *part).is_some_and(OpenDocument::seen).then_some(*part));
        }
        let clear = |document| DeviceOp::ClearMarkers { space, document, markers: UNREAD | CHANGED_BY_BOTH };
        let cleared: Vec<DeviceOp> = looked_at.into_iter().map(clear).collect();
        if !cleared.is_empty() {
            match inner.device.apply(cleared).await {
                // Reading goes on where nothing can be written; it counts as unread once more.
                Err(StoreError::LowStorage | StoreError::ReadOnly) => {}
                other => other?,
            }
        }
        drop(work);
        let (merged, parts) = together.map_or((None, Vec::new()), |(view, parts)| (Some(view), parts.to_vec()));
        Ok(DocumentView {
            people: people_of(merged.as_ref().unwrap_or(&view), &people.directory),
            document,
            space,
            revision,
            draft,
            readers: members.into_iter().map(Into::into).collect(),
            delivery,
            parked: if some_are_open { inner.parked(space, Some(document)).await? } else { Vec::new() },
            view,
            merged,
            parts,
        })
    }

    /// Documents for which another stands in lists.
    async fn hidden(&self, space: Option<SpaceId>, kind: Option<DocumentKind>) -> Result<BTreeSet<DocumentId>, Error> {
        let inner = &self.inner;
        let mut hidden = BTreeSet::new();
        if matches!(kind, Some(DocumentKind::Agreement | DocumentKind::Preparation)) {
            return Ok(hidden);
        }
        let spaces = match space {
            Some(space) => vec![space],
            None => inner.device.local_spaces().await?.into_iter().map(|local| local.space).collect(),
        };
        let mut work = inner.work.lock().await;
        for space in spaces {
            hidden.extend(inner.merged(&mut work, space).await?.hidden());
        }
        Ok(hidden)
    }

    /// Documents that have an unsealed draft.
    pub(crate) async fn drafted(&self) -> Result<BTreeSet<DocumentId>, Error> {
        Ok(self.inner.device.drafts().await?.into_iter().map(|draft| draft.document).collect())
    }
}

impl Inner {
    /// The space of a document, and where this device's entries of it are. The document is brought into memory on the
    /// way: nothing is read that is there already.
    async fn look(&self, work: &mut Work, document: DocumentId) -> Result<(LocalSpace, (Delivery, bool)), Error> {
        if let Some((space, _)) = work.place_of(document) {
            self.unlocked(space)?;
            let (delivery, local) = tokio::join!(self.delivery_and_open(space), self.local_space(space));
            return Ok((local?, delivery?));
        }
        let found = self.device.look(document).await?;
        let (local, row) = found.ok_or_else(|| Error::new(Code::UnknownDocument).with("document", document))?;
        self.unlocked(local.space)?;
        // Asked first: the store's thread answers while this one loads the document.
        let (delivery, kept) = tokio::join!(self.delivery_and_open(local.space), self.keep_row(work, row));
        kept?;
        Ok((local, delivery?))
    }

    /// Brings a document into memory from its row, unless it is there.
    async fn keep_row(&self, work: &mut Work, row: OpenedDocument) -> Result<(), Error> {
        let (space, document) = (row.document.head.space, row.document.head.document);
        if work.document(space, document).is_some() {
            return Ok(());
        }
        let open = self.load_row(work, row).await?;
        work.keep(space, open);
        Ok(())
    }

    /// Keeps an empty document.
    pub(crate) async fn put_new_document(
        &self,
        work: &mut Work,
        space: SpaceId,
        id: DocumentId,
        kind: DocumentKind,
    ) -> Result<(), Error> {
        let open = OpenDocument::fresh(id, kind);
        let saved = open.document.verified_save().map_err(|_| Error::new(Code::DocumentBroken))?;
        let rows = open.rows(space, saved, false, self.around.now_millis())?;
        self.device.apply(rows).await?;
        work.keep(space, open);
        Ok(())
    }

    /// What a document shows, drafts included, without counting as looked at.
    pub(crate) async fn shown(&self, space: SpaceId, id: DocumentId) -> Result<View, Error> {
        let people = self.people(space).await?;
        let mut work = self.work.lock().await;
        let open = self.open_document(&mut work, space, id, None).await?;
        open.let_others_in()?;
        open.view(&people)
    }

    /// An id that no document here has, even where the random source repeats itself: a second document under the id of a
    /// first would take its place.
    async fn new_document_id(&self, space: SpaceId, kind: DocumentKind) -> Result<DocumentId, Error> {
        let mut count: u64 = 0;
        loop {
            let id = kind.document_id(self.derive16("document", &[&space.0, &count.to_be_bytes()])?);
            if self.device.find_document(id).await?.is_none() {
                return Ok(id);
            }
            count += 1;
        }
    }
}

/// The names of the people whom a view names by their tags.
fn people_of(view: &View, directory: &Directory) -> BTreeMap<String, String> {
    let mut tags: Vec<&str> = Vec::new();
    match view {
        View::Session(session) => {
            let chosen = session.fields.iter().filter(|field| field.field == SessionField::FocusChosenBy);
            tags.extend(chosen.flat_map(|field| field.values.iter().map(|claim| claim.value.as_str())));
            tags.extend(session.participants.iter().map(|it| it.person.as_str()));
        }
        View::Form(form) => {
            let fields = form.items.iter().flat_map(|item| &item.fields).chain(&form.fields);
            tags.extend(fields.flat_map(|field| field.values.iter().map(|claim| claim.value.as_str())));
        }
        View::Agreement(_) | View::Note(_) | View::Preparation(_) | View::Decision(_) | View::Exports(_) => {}
    }
    let known: Vec<String> = directory.tags().map(|tag| tag.to_string()).collect();
    let named = tags.into_iter().filter(|tag| known.iter().any(|it| it == tag));
    named.filter_map(|tag| Some((tag.to_owned(), directory.person(tag.parse().ok()?)))).collect()
}
