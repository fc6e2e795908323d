//! Gate runs that were begun, and what to do about one that did not come to its end.

use alliance_wire::ids::DocumentId;

/// A gate run that was begun: committed before stage 2, removed after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trying {
    /// The document.
    pub document: DocumentId,
    /// The entries whose changes are tried.
    pub entries: Vec<u64>,
}

/// What to do about a `trying` row that is found at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    /// One entry alone was tried: it is the one. Hold its changes ([`Gate::hold`](super::Gate::hold)) and [`rebuild`](super::rebuild).
    Hold(u64),
    /// Several were tried: try them again one by one, each under a row of its own.
    OneByOne(Vec<u64>),
}

impl Trying {
    /// What a row that outlived its run asks for.
    #[must_use]
    pub fn recover(&self) -> Recovery {
        match self.entries.as_slice() {
            [only] => Recovery::Hold(*only),
            several => Recovery::OneByOne(several.to_vec()),
        }
    }
}
