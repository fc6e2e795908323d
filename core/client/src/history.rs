//! The versions of a document: who wrote when on which device, the document as it was, what differs, and bringing a
//! passage back.
//!
//! A version is an entry: one editing session of one person. Its author and device are those whose signature the entry
//! carries; the moment is what the author's clock said. A version's state is what its author saw at the end of it: the
//! change with everything that it builds on. Entries that are kept and not shown are listed with their code.

mod reading;
mod views;

pub use views::{Comparison, HistoryPage, VersionChange, VersionDocument, VersionView};

use alliance_document::{Difference, HistoryError, View};
use alliance_wire::{DocumentId, SpaceId};

use crate::error::{Code, Error};
use crate::inner::{Client, Inner, Work};
use crate::views::Change;
pub(crate) use reading::short_id;
use reading::{Version, Versions};

/// Versions on a page at most: each costs two views of the document.
const HISTORY_ROWS_MAX: usize = 100;
/// Digits of a version's id that name it.
const DIGITS_MIN: usize = 4;

impl Client {
    /// A page of a document's versions, the newest first.
    ///
    /// # Errors
    /// `UNKNOWN_DOCUMENT`, `DOCUMENT_BROKEN`, and those of the store.
    pub async fn history(&self, document: DocumentId, offset: u64, limit: u64) -> Result<HistoryPage, Error> {
        let inner = &self.inner;
        let (space, _) = inner.find(document).await?;
        let mut work = inner.work.lock().await;
        let versions = inner.versions(&mut work, space, document).await?;
        let total = versions.list.len() as u64;
        let skip = usize::try_from(offset).unwrap_or(usize::MAX);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).clamp(1, HISTORY_ROWS_MAX);
        let open = inner.open_document(&mut work, space, document, None).await?;
        let draft = open.copy.as_ref().is_some_and(|copy| !copy.commands().is_empty());
        let mut page = Vec::new();
        for version in versions.list.iter().skip(skip).take(limit) {
            let mut view = version.view(&versions);
            if let Some((before, after)) = &version.states {
                let differences = open.document.differences(before, after)?;
                view.changed = differences.iter().map(VersionChange::of).collect();
            }
            page.push(view);
        }
        Ok(HistoryPage { versions: page, total, draft })
    }

    /// A document as it was at the end of a version, which is named by its id or the first digits of it.
    ///
    /// # Errors
    /// `UNKNOWN_DOCUMENT`, `UNKNOWN_VERSION`, `AMBIGUOUS`, `VERSION_NOT_SHOWN`, `DOCUMENT_BROKEN`, and those of the store.
    pub async fn view_version(&self, document: DocumentId, version: &str) -> Result<VersionDocument, Error> {
        let inner = &self.inner;
        let (space, _) = inner.find(document).await?;
        let people = inner.people(space).await?;
        let mut work = inner.work.lock().await;
        let versions = inner.versions(&mut work, space, document).await?;
        let found = versions.named(version)?;
        let (_, after) = found.states.as_ref().ok_or_else(|| not_shown(found))?;
        let open = inner.open_document(&mut work, space, document, None).await?;
        let view: View = open.seen_by(&people, |context| open.document.view_at(after, context))?;
        Ok(VersionDocument { document, space, version: found.view(&versions), view })
    }

    /// What differs between two versions of a document; without the second, between the first and what is published now.
    ///
    /// # Errors
    /// As [`Client::view_version`].
    pub async fn compare_versions(
        &self,
        document: DocumentId,
        before: &str,
        after: Option<&str>,
    ) -> Result<Comparison, Error> {
        let inner = &self.inner;
        let (space, _) = inner.find(document).await?;
        let mut work = inner.work.lock().await;
        let versions = inner.versions(&mut work, space, document).await?;
        let from = versions.named(before)?;
        let to = after.map(|after| versions.named(after)).transpose()?;
        let (_, from_state) = from.states.as_ref().ok_or_else(|| not_shown(from))?;
        let open = inner.open_document(&mut work, space, document, None).await?;
        let to_state = match to {
            Some(to) => to.states.as_ref().map(|(_, after)| after.clone()).ok_or_else(|| not_shown(to))?,
            None => open.document.heads(),
        };
        let differences: Vec<Difference> = open.document.differences(from_state, &to_state)?;
        Ok(Comparison { before: from.view(&versions), after: to.map(|to| to.view(&versions)), differences })
    }

    /// Brings back what is missing today of a passage: `len` scalar values from `start` of the text at a place, as it was
    /// at the end of a version; without them all of the text, or the field. It is an ordinary edit of today, in this
    /// device's draft: nothing that was written is taken away. Returns how many commands it took.
    ///
    /// # Errors
    /// As [`Client::view_version`], `NO_PASSAGE`, `NOTHING_MISSING`, `STALE_VIEW` if a draft on an older state cannot be
    /// sealed first, and the refusals of the edit, such as `UNKNOWN_ITEM` for an action that was removed.
    pub async fn restore_passage(
        &self,
        document: DocumentId,
        version: &str,
        place: &str,
        passage: Option<(usize, usize)>,
    ) -> Result<u64, Error> {
        let inner = &self.inner;
        let (space, kind) = inner.find(document).await?;
        inner.may_write(space).await?;
        let mut work = inner.work.lock().await;
        let versions = inner.versions(&mut work, space, document).await?;
        let found = versions.named(version)?;
        let (_, state) = found.states.as_ref().ok_or_else(|| not_shown(found))?;
        let fresh = work.next_revision();
        let open = inner.open_document(&mut work, space, document, None).await?;
        open.let_others_in()?;
        inner.open_copy(open, fresh)?;
        let behind = open.copy.as_ref().is_some_and(|copy| *copy.base() != open.document.heads());
        if behind {
            // The draft was begun before that version came: it ends here, and the edit begins another.
            inner.seal_draft(&mut work, space, document).await?;
        }
        let open = inner.open_document(&mut work, space, document, None).await?;
        let copy = open.copy.as_ref().ok_or(Code::Internal)?;
        let commands = copy.bring_back(state, place, passage)?;
        let written = commands.len() as u64;
        for command in &commands {
            inner.is_agreed(&mut work, space, command).await?;
        }
        let rule = inner.rule_of(&mut work, space, kind).await?;
        let open = inner.open_document(&mut work, space, document, None).await?;
        for command in &commands {
            inner.draft_command(space, open, None, (command, rule)).await?;
        }
        drop(work);
        inner.tell(Change::Document(space, document));
        Ok(written)
    }
}

fn not_shown(version: &Version) -> Error {
    Error::new(Code::VersionNotShown).with("code", version.code.unwrap_or("WAITING"))
}

impl From<HistoryError> for Error {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::UnknownState => alliance_model::Refusal::new(alliance_model::RefusalCode::StaleView).into(),
            HistoryError::UnknownPassage => Self::new(Code::NoPassage),
            HistoryError::NothingMissing => Self::new(Code::NothingMissing),
            HistoryError::Panicked(panicked) => panicked.into(),
        }
    }
}

impl Versions {
    /// The version of this id, or whose id begins so.
    fn named(&self, id: &str) -> Result<&Version, Error> {
        let id = id.trim().to_ascii_lowercase();
        let unknown = || Error::new(Code::UnknownVersion).with("version", &id);
        if id.len() < DIGITS_MIN {
            return Err(unknown());
        }
        let mut fitting = self.list.iter().filter(|version| version.id().starts_with(&id));
        match (fitting.next(), fitting.next()) {
            (Some(one), None) => Ok(one),
            (Some(_), Some(_)) => Err(Error::new(Code::AmbiguousSpace).with("version", &id)),
            (None, _) => Err(unknown()),
        }
    }
}

impl VersionChange {
    fn of(difference: &Difference) -> Self {
        Self { place: difference.place.clone(), added: difference.added, removed: difference.removed }
    }
}

impl Version {
    fn view(&self, versions: &Versions) -> VersionView {
        VersionView {
            version: self.id(),
            by: versions.directory.device(self.device),
            device: self.device,
            said_at: self.written_at.map(|millis| millis / 1_000),
            not_shown: self.code.map(str::to_owned),
            changed: Vec::new(),
        }
    }
}

impl Inner {
    /// All versions of a document without their texts, the newest first.
    async fn versions(&self, work: &mut Work, space: SpaceId, document: DocumentId) -> Result<Versions, Error> {
        // It may have to be made anew first, which says anew what became of its entries.
        self.open_document(work, space, document, None).await?;
        let opening = self.opening(work, space).await?;
        let directory = self.directory(space).await?;
        let entries = reading::entries(self, &opening, space, document).await?;
        let open = self.open_document(work, space, document, None).await?;
        Versions::new(entries, &open.document, directory)
    }
}
