//! Full-text search, offline, over what the documents of this store show, drafts included.
//!
//! A document's words are rows of the encrypted store that change in the transaction in which its row in lists does. What
//! is typed is durable at once and its words follow when somebody searches: a command must stay as cheap as it is. What
//! an earlier version of the program left is made anew in the background, one document at a time, so that it can end at
//! any moment and goes on where it was.

pub(crate) mod rows;
mod views;

pub use views::{SearchHit, SearchPage};

use std::sync::{Arc, Weak};

use alliance_document::Document;
use alliance_model::DocumentKind;
use alliance_model::search::{Found, Query, WORDS_VERSION, find};
use alliance_store::device::{DeviceOp, SearchHit as Row, SearchPhrase, SearchQuery};
use alliance_wire::{DocumentId, SpaceId};

use crate::error::{Code, Error};
use crate::inner::{Client, Inner};

/// Documents in memory that are looked at for what was typed since the last search.
const TYPED_MAX: usize = 256;

impl Client {
    /// A page of documents with all of these words, the best first. Any text is a query: each word is the beginning of a
    /// word, words in quotation marks are whole and stand together, case and accents do not matter. No document is loaded.
    ///
    /// # Errors
    /// `QUERY_EMPTY`, `QUERY_TOO_LONG`, `DEVICE_SUSPENDED`, `DEVICE_PUT_OUT`, and those of the store.
    pub async fn search(
        &self,
        text: &str,
        space: Option<SpaceId>,
        kind: Option<DocumentKind>,
        offset: u64,
        limit: u64,
    ) -> Result<SearchPage, Error> {
        let query = Query::parse(text)?;
        space.map_or(Ok(()), |space| self.inner.unlocked(space))?;
        self.inner.search_what_was_typed().await?;
        let wanted = SearchQuery {
            phrases: phrases(&query),
            space,
            kind: kind.map(DocumentKind::number),
            offset,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
        };
        let page = self.inner.device.search(wanted).await?;
        let drafts = self.drafted().await?;
        let shown = page.hits.into_iter().filter(|row| self.inner.unlocked(row.listing.space).is_ok());
        let hits = shown.filter_map(|row| hit(&query, row, &drafts)).collect();
        Ok(SearchPage { hits, more: page.more, not_searched: page.unsearched, cut: page.cut })
    }

    /// How many documents were loaded from their saved bytes since the store was opened, for whatever reason.
    pub async fn documents_loaded(&self) -> u64 {
        self.inner.work.lock().await.loads
    }

    /// Makes the words of documents that are not searched yet, at most of so many. Returns how many are left: 0 when
    /// every document is searched that can be. Each is durable by itself.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn bring_into_search(&self, limit: u64) -> Result<u64, Error> {
        let mut left = u64::MAX;
        for _ in 0..limit {
            left = self.inner.bring_one_in().await?;
            if left == 0 {
                break;
            }
        }
        Ok(left)
    }

    /// Begins to bring in what an earlier version of the program left, if it left anything. The work ends with the store.
    pub(crate) async fn search_in_background(&self) -> Result<(), Error> {
        let device = &self.inner.device;
        if device.has_other_words(WORDS_VERSION).await? {
            device.apply(vec![DeviceOp::MarkOtherWords(WORDS_VERSION)]).await?;
        }
        if device.unsearched(WORDS_VERSION, 1).await?.count > 0 {
            tokio::spawn(bring_all_in(Arc::downgrade(&self.inner)));
        }
        Ok(())
    }
}

/// One document after the other, each in a turn of its own, so that whoever works with the store comes first.
async fn bring_all_in(inner: Weak<Inner>) {
    while let Some(inner) = inner.upgrade() {
        match inner.bring_one_in().await {
            Ok(0) => return,
            Ok(_) => {}
            // The store was closed or cannot be written; the next opening goes on.
            Err(error) => {
                tracing::debug!(code = error.code(), "documents are brought into the search at the next opening");
                return;
            }
        }
        drop(inner);
        tokio::task::yield_now().await;
    }
}

/// A query as the store takes it.
pub(crate) fn phrases(query: &Query) -> Vec<SearchPhrase> {
    let phrases = query.phrases().iter();
    phrases.map(|phrase| SearchPhrase { terms: phrase.terms.clone(), prefix: phrase.prefix }).collect()
}

fn hit(query: &Query, row: Row, drafts: &std::collections::BTreeSet<DocumentId>) -> Option<SearchHit> {
    let Row { listing, parts } = row;
    let parts = rows::decode(&parts);
    // The index and the texts are of one transaction and one way of taking apart; a row of an older way, which is about to
    // be made anew, may have nothing to mark.
    let found = find(query, &parts);
    let (place, snippet, places) = match found {
        Some(Found { place, snippet, places }) => (place, Some(snippet), places),
        None => (String::new(), None, 0),
    };
    // A title that was typed and not sealed stands in the texts and not in the list yet.
    let title = parts.into_iter().find(|part| part.place == rows::TITLE).map_or(listing.title, |part| part.text);
    Some(SearchHit {
        document: listing.document,
        space: listing.space,
        kind: DocumentKind::from_number(listing.kind)?,
        title,
        date: listing.date,
        place,
        snippet,
        places,
        draft: drafts.contains(&listing.document),
        searched: listing.searched,
    })
}

impl Inner {
    /// Brings the words of open drafts up to what was typed. Only what is in memory is looked at.
    pub(crate) async fn search_what_was_typed(&self) -> Result<(), Error> {
        let due = self.device.unsearched(WORDS_VERSION, TYPED_MAX).await?;
        if due.count == 0 {
            return Ok(());
        }
        let work = self.work.lock().await;
        let mut ops = Vec::new();
        for (space, document) in due.next {
            if let Some(open) = work.documents.get(&(space, document)) {
                ops.push(DeviceOp::PutSearchable(open.searchable(space, open.draft.is_some(), None)?));
            }
        }
        if !ops.is_empty() {
            self.device.apply(ops).await?;
        }
        drop(work);
        Ok(())
    }

    /// Makes the words of one document that is not searched yet. Returns how many are left.
    async fn bring_one_in(&self) -> Result<u64, Error> {
        let due = self.device.unsearched(WORDS_VERSION, 1).await?;
        let Some((space, document)) = due.next.first().copied() else { return Ok(0) };
        let tried = DeviceOp::TriedSearchable { space, document, version: WORDS_VERSION };
        let ops = match self.searchable_of(space, document).await {
            // A draft that waits for its branch is not in the words; they are made anew when the document changes.
            Ok((op, true)) => vec![op, tried],
            Ok((op, false)) => vec![op],
            // One broken document must not keep the others; it stays listed and marked.
            Err(error) if error.code() == Code::DocumentBroken.code() || error.code() == Code::UnknownSpace.code() => {
                tracing::warn!(document = %document.short(), "a document could not be brought into the search");
                vec![tried]
            }
            Err(error) => return Err(error),
        };
        self.device.apply(ops).await?;
        // What came in meanwhile may have made the words old again; a draft of a document that cannot be opened would
        // go on for ever, so what failed is not counted.
        Ok(self.device.unsearched(WORDS_VERSION, 1).await?.count)
    }

    /// The words of a document, and whether a draft of it is left out.
    async fn searchable_of(&self, space: SpaceId, id: DocumentId) -> Result<(DeviceOp, bool), Error> {
        let mut work = self.work.lock().await;
        let drafts = self.device.drafts_of(space, id).await?;
        let current = self.incarnation();
        let in_memory = work.documents.contains_key(&(space, id));
        let drafted = drafts.iter().any(|draft| draft.incarnation == current);
        if !in_memory && !drafted {
            // Loaded for this alone: the documents that people have open stay in memory.
            if let Some(saved) = self.device.document(space, id).await?
                && let Some(kind) = DocumentKind::from_number(saved.head.kind)
                && saved.head.schema >= kind.schema()
                && let Ok(document) = Document::load(id, kind, &saved.saved)
            {
                let row = rows::searchable(space, (&document, None), None, None)?;
                return Ok((DeviceOp::PutSearchable(row), false));
            }
        }
        let open = self.open_document(&mut work, space, id, None).await?;
        let row = open.searchable(space, open.draft.is_some(), None)?;
        Ok((DeviceOp::PutSearchable(row), drafted && open.draft.is_none()))
    }
}
