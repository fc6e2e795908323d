//! From a document's entries to its versions.

use alliance_document::gate::change_id;
use alliance_document::{ChangeId, Document, Heads};
use alliance_store::device::EntryState;
use alliance_wire::{DeviceKey, DocumentId, HeaderHash, SpaceId};

use crate::error::Error;
use crate::held;
use crate::inner::Inner;
use crate::intake::Opening;
use crate::names::Directory;

/// Digits of a version's id: those of the entry's header hash, which is the same on every replica.
const ID_DIGITS: usize = 32;

/// A version, without what it says.
pub(super) struct Version {
    hash: HeaderHash,
    pub(super) device: DeviceKey,
    /// Milliseconds since 1970 by its author's clock; absent where the entry cannot be opened.
    pub(super) written_at: Option<u64>,
    /// What it was written on, and what its author saw at the end; absent if it is not shown.
    pub(super) states: Option<(Heads, Heads)>,
    /// Why it is not shown.
    pub(super) code: Option<&'static str>,
}

impl Version {
    pub(super) fn id(&self) -> String {
        short_id(self.hash)
    }
}

/// An entry's id as people see it.
pub(crate) fn short_id(hash: HeaderHash) -> String {
    hash.to_string().chars().take(ID_DIGITS).collect()
}

/// The versions of a document, the newest first.
pub(super) struct Versions {
    pub(super) list: Vec<Version>,
    pub(super) directory: Directory,
}

/// An entry of a document: some hundred bytes, whatever it holds.
pub(super) struct Read {
    hash: HeaderHash,
    device: DeviceKey,
    written_at: Option<u64>,
    ends: Option<(ChangeId, ChangeId)>,
    state: EntryState,
}

/// Reads the entries of a document in arrival order, a stretch at a time; only what a list needs is kept.
pub(super) async fn entries(
    inner: &Inner,
    opening: &Opening,
    space: SpaceId,
    document: DocumentId,
) -> Result<Vec<Read>, Error> {
    let (mut read, mut after) = (Vec::new(), 0);
    loop {
        let stretch = inner.device.entries_of(space, document, after).await?;
        for item in stretch.entries {
            let said = opening.said(&item.name, &item.entry);
            let ends = said.as_ref().and_then(|(_, changes)| {
                let first = changes.changes.first().and_then(|bytes| change_id(bytes))?;
                let last = changes.changes.last().and_then(|bytes| change_id(bytes))?;
                Some((first, last))
            });
            read.push(Read {
                hash: item.entry.header().hash(),
                device: item.name.device,
                written_at: said.map(|(written_at, _)| written_at),
                ends,
                state: item.state,
            });
        }
        let Some(next) = stretch.next else { return Ok(read) };
        after = next;
    }
}

impl Versions {
    /// Orders entries by the document's history, the newest first; what is not shown stands behind what had arrived
    /// before it.
    pub(super) fn new(entries: Vec<Read>, document: &Document, directory: Directory) -> Result<Self, Error> {
        let ids: Vec<ChangeId> = entries.iter().filter_map(|it| it.ends).flat_map(|(a, b)| [a, b]).collect();
        let places = document.places(&ids)?;
        let mut ordered = Vec::with_capacity(entries.len());
        let mut newest = (0, [0; 16], 0);
        for (arrived, entry) in entries.into_iter().enumerate() {
            let applied = entry.ends.filter(|_| entry.state == EntryState::Applied);
            let states = applied.and_then(|(first, last)| {
                let (first, end) = (places.get(&first.0)?, places.get(&last.0)?);
                Some((end.order, (first.parents.clone(), Heads::new(vec![last]))))
            });
            let (order, states, code) = match states {
                Some((order, states)) => {
                    newest = newest.max(order);
                    (order, Some(states), None)
                }
                None => (newest, None, Some(held::code_of(entry.state).unwrap_or("WAITING"))),
            };
            let version =
                Version { hash: entry.hash, device: entry.device, written_at: entry.written_at, states, code };
            ordered.push(((order, version.code.is_some(), arrived), version));
        }
        ordered.sort_by(|(a, _), (b, _)| b.cmp(a));
        Ok(Self { list: ordered.into_iter().map(|(_, version)| version).collect(), directory })
    }
}
