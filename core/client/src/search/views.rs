//! What a search found, as apps show it.

use alliance_model::DocumentKind;
use alliance_model::search::Snippet;
use alliance_wire::{DocumentId, SpaceId};
use serde::Serialize;

/// A document that a search found.
#[derive(Debug, Clone, Serialize)]
pub struct SearchHit {
    /// Its id.
    #[serde(serialize_with = "crate::views::text")]
    pub document: DocumentId,
    /// Its space.
    #[serde(serialize_with = "crate::views::text")]
    pub space: SpaceId,
    /// What it is.
    pub kind: DocumentKind,
    /// Title, or what stands for it.
    pub title: String,
    /// Civil date as YYYY-MM-DD, or empty.
    pub date: String,
    /// Where in it, as a path: `title`, `date`, `sections.focus`, `actions.<id>`, `actions.<id>.owner`, `clauses.<id>`,
    /// `terms.venue`.
    pub place: String,
    /// What stands there, with what was found.
    pub snippet: Option<Snippet>,
    /// In how many places something was found.
    pub places: usize,
    /// There is an unsealed draft.
    pub draft: bool,
    /// The words are those of what is shown; else they are of an earlier state.
    pub searched: bool,
}

/// A page of what a search found, the best first.
#[derive(Debug, Clone, Serialize)]
pub struct SearchPage {
    /// The documents.
    pub hits: Vec<SearchHit>,
    /// More follow.
    pub more: bool,
    /// Documents that are listed and not searched yet; they are brought in in the background.
    pub not_searched: u64,
    /// Documents that are larger than what is searched of one.
    pub cut: u64,
}
