//! What a session judges entries by, read in one snapshot.

use std::collections::BTreeMap;

use alliance_crypto::Verified;
use alliance_sync::{Head, Tail};
use alliance_wire::frame::ForkProof;
use alliance_wire::{LogId, LogName, SpaceId};
use rusqlite::Connection;

use super::entries::{DamageList, Reader};
use super::{forks, logs};
use crate::error::StoreError;

/// The parts of an [`alliance_sync::View`].
#[derive(Debug, Clone)]
pub struct ViewParts {
    /// The logs, continuations included. A log that ended before its first entry is not among them.
    pub heads: BTreeMap<LogId, Head>,
    /// Proofs of the forks, by the log that forked.
    pub forks: BTreeMap<LogId, (LogName, ForkProof)>,
    /// The newest state.
    pub tail: Tail,
    /// All membership entries in the order in which they arrived, bounded by what the membership takes of a device.
    pub membership: Vec<Verified>,
}

/// Reads a space's parts; absent while nothing of it is here.
pub(crate) fn parts(
    connection: &Connection,
    damage: &DamageList,
    space: SpaceId,
) -> Result<Option<ViewParts>, StoreError> {
    let Some(row) = logs::find_space(connection, space)?.filter(|row| row.bytes > 0) else {
        return Ok(None);
    };
    let heads = logs::all_logs(connection, row.id)?
        .into_iter()
        .filter(|log| log.seq >= log.first)
        .map(|log| (log.log, Head { name: log.name, seq: log.seq, hash: log.head }))
        .collect();
    let forks = forks::proofs(connection, "f.space = ?1", row.id)?
        .into_iter()
        .map(|stored| (stored.log, (stored.name, stored.proof)))
        .collect();
    let mut membership = Vec::new();
    Reader::new(connection, space, damage).each(
        "e.space = ?1 and e.stream = 0 order by e.arrival",
        [row.id],
        |found| {
            let entry = found
                .entry
                .and_then(|entry| Verified::trusted(space, LogName::clone(&found.name), entry, found.hash).ok());
            // A damaged one was reported; what builds on it waits for a peer to give it again.
            membership.extend(entry);
            true
        },
    )?;
    Ok(Some(ViewParts { heads, forks, tail: row.tail, membership }))
}
