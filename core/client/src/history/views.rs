//! Versions of a document as apps show them.

use alliance_document::{Difference, View};
use alliance_wire::{DeviceKey, DocumentId, SpaceId};
use serde::Serialize;

/// A version of a document: one editing session of one person.
#[derive(Debug, Clone, Serialize)]
pub struct VersionView {
    /// Its id: the first 32 digits of its entry's hash, the same on every device.
    pub version: String,
    /// Who signed it.
    pub by: String,
    /// On which device.
    #[serde(serialize_with = "crate::views::text")]
    pub device: DeviceKey,
    /// Seconds since 1970 by that device's clock: what its author says, and nothing to reckon with.
    pub said_at: Option<u64>,
    /// Why it is kept and not shown, as a stable code; absent if it is shown.
    pub not_shown: Option<String>,
    /// What it changed in what its author saw; only in a page of the history.
    pub changed: Vec<VersionChange>,
}

/// A place that a version changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionChange {
    /// The place as a path, as in [`crate::SearchHit::place`].
    pub place: String,
    /// Unicode scalar values that came.
    pub added: usize,
    /// Unicode scalar values that went.
    pub removed: usize,
}

/// A page of a document's versions, the newest first.
#[derive(Debug, Clone, Serialize)]
pub struct HistoryPage {
    /// The versions.
    pub versions: Vec<VersionView>,
    /// How many there are in all.
    pub total: u64,
    /// There is an unsealed draft on top of them.
    pub draft: bool,
}

/// A document as it was at the end of a version.
#[derive(Debug, Clone, Serialize)]
pub struct VersionDocument {
    /// Its id.
    #[serde(serialize_with = "crate::views::text")]
    pub document: DocumentId,
    /// Its space.
    #[serde(serialize_with = "crate::views::text")]
    pub space: SpaceId,
    /// The version.
    pub version: VersionView,
    /// What its author saw.
    pub view: View,
}

/// What differs between two versions.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// The one.
    pub before: VersionView,
    /// The other; absent for what is published now.
    pub after: Option<VersionView>,
    /// The places that differ.
    pub differences: Vec<Difference>,
}
