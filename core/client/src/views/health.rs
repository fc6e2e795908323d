//! What a look at a whole store found, and what came of saving a damaged one.

use serde::Serialize;

/// What a look at a whole store found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Nothing is damaged.
    pub whole: bool,
    /// Damaged pages, as the database names them.
    pub pages: Vec<String>,
    /// Spaces that say something else of themselves than follows from their entries.
    pub spaces: Vec<String>,
    /// Entries that do not read as they were written.
    pub damaged: u64,
    /// The newest commits were lost from the write-ahead log; the next opening begins a new history and a sync brings
    /// them back.
    pub log_cut: bool,
    /// Entries that were looked at.
    pub entries: u64,
}

/// What came of a salvage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Salvage {
    /// Where the damaged database lies now.
    pub aside: String,
    /// Entries that are in the new one.
    pub entries: u64,
    /// Entries that could be read and wait for others before them.
    pub waiting: u64,
    /// Drafts that are in the new one.
    pub drafts: u64,
    /// Tables of which rows could not be read.
    pub unread: Vec<String>,
    /// Who this device is was saved. Without that the store cannot be opened, and a backup has to be restored.
    pub profile: bool,
}
