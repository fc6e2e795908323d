//! State logs in a document: what stands there, and the log as it is shown (DOMAIN 2.3, status).

use alliance_model::{ItemId, LogEntry};
use automerge::ObjId;

use super::parts::{self, Authors};
use super::read::Read;

/// An entry of a state log, as it stands there in CBOR: what it says, and the entries that it answers.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct StateEntry<T> {
    #[n(0)]
    transition: T,
    #[n(1)]
    cites: Vec<ItemId>,
}

impl<T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>> StateEntry<T> {
    pub(crate) const fn new(transition: T, cites: Vec<ItemId>) -> Self {
        Self { transition, cites }
    }

    /// Reads what stands in a log; `None` if it is no such entry.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        alliance_wire::decode(bytes).ok()
    }

    /// What stands in a log.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        alliance_wire::encode(self)
    }
}

/// A log as shown, without what stands in it and is no entry.
pub(crate) fn shown<T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>>(
    document: &impl Read,
    log: &ObjId,
    authors: &mut Authors<'_>,
) -> Vec<LogEntry<T>> {
    let entries = parts::log_entries(document, log).into_iter();
    let shown = entries.filter_map(|(operation, op, bytes)| {
        let StateEntry { transition, cites } = StateEntry::parse(&bytes)?;
        Some(LogEntry { op, transition, cites, by: authors.of(&operation) })
    });
    shown.collect()
}
