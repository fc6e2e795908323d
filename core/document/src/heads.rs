//! Ids of changes, and sets of them.

use core::fmt;

/// SHA-256 of a change chunk: Automerge's own name of a change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeId(pub [u8; 32]);

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChangeId({self})")
    }
}

impl From<automerge::ChangeHash> for ChangeId {
    fn from(hash: automerge::ChangeHash) -> Self {
        Self(hash.0)
    }
}

impl From<ChangeId> for automerge::ChangeHash {
    fn from(id: ChangeId) -> Self {
        Self(id.0)
    }
}

/// Heads: the changes that nothing in a history builds on, sorted. They name a state of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Heads(Vec<ChangeId>);

impl Heads {
    /// The heads with these ids, in any order.
    #[must_use]
    pub fn new(mut ids: Vec<ChangeId>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        Self(ids)
    }

    /// The ids, ascending.
    #[must_use]
    pub fn ids(&self) -> &[ChangeId] {
        &self.0
    }

    /// The ids one after the other, 32 bytes each: the form for a store's row.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|id| id.0).collect()
    }

    /// Reads [`Heads::to_bytes`]; `None` if the length is no multiple of 32.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (ids, rest) = bytes.as_chunks::<32>();
        rest.is_empty().then(|| Self::new(ids.iter().copied().map(ChangeId).collect()))
    }

    /// These heads and one more.
    #[must_use]
    pub fn with(&self, id: ChangeId) -> Self {
        let mut ids = self.0.clone();
        ids.push(id);
        Self::new(ids)
    }

    pub(crate) fn hashes(&self) -> Vec<automerge::ChangeHash> {
        self.0.iter().copied().map(Into::into).collect()
    }
}

impl From<Vec<automerge::ChangeHash>> for Heads {
    fn from(hashes: Vec<automerge::ChangeHash>) -> Self {
        Self::new(hashes.into_iter().map(Into::into).collect())
    }
}
