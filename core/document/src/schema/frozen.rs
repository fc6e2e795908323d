//! States that people name in a document, and what was known where.

use std::collections::{BTreeSet, HashSet};

use alliance_model::limits::HEADS_MAX;
use alliance_wire::FrozenHash;
use automerge::{ChangeHash, ObjId};

use super::read::Whole;
use crate::genesis::GENESIS_ACTOR;
use crate::heads::Heads;

/// A state as a view shows it.
pub(super) fn states(ids: &[String]) -> Vec<ChangeHash> {
    ids.iter().filter_map(|id| Some(ChangeHash(id.parse::<FrozenHash>().ok()?.0))).collect()
}

/// The state that an entry of a log names, if the entry builds on it: somebody had it who wrote this.
pub(super) fn named(document: &impl Whole, heads: &[u8], operation: &ObjId) -> Option<Vec<ChangeHash>> {
    let hashes = Heads::from_bytes(heads)?.hashes();
    let fits = !hashes.is_empty() && hashes.len() <= HEADS_MAX && are_past(document, &hashes, operation);
    fits.then_some(hashes)
}

/// Everybody who wrote something until this state, as actors; the document's beginning and its upgrade are nobody's.
pub(super) fn writers(document: &impl Whole, heads: &[ChangeHash]) -> BTreeSet<Vec<u8>> {
    let document = document.automerge();
    let mut actors = BTreeSet::new();
    let mut seen: HashSet<ChangeHash> = heads.iter().copied().collect();
    let mut open = heads.to_vec();
    while let Some(hash) = open.pop() {
        let Some(meta) = document.get_change_meta_by_hash(&hash) else { continue };
        let actor = meta.actor.to_bytes();
        if actor != GENESIS_ACTOR {
            actors.insert(actor.to_vec());
        }
        open.extend(meta.deps.into_iter().filter(|dep| seen.insert(*dep)));
    }
    actors
}

/// Whether the change of `earlier` is that of `later` or one of its ancestors.
pub(super) fn is_past(document: &impl Whole, earlier: &ObjId, later: &ObjId) -> bool {
    document.automerge().hash_for_opid(earlier).is_some_and(|goal| are_past(document, &[goal], later))
}

/// Whether each of these changes is that of the operation `later` or one of its ancestors.
pub(super) fn are_past(document: &impl Whole, goals: &[ChangeHash], later: &ObjId) -> bool {
    let document = document.automerge();
    let Some(start) = document.hash_for_opid(later) else { return false };
    let mut seen: HashSet<ChangeHash> = HashSet::from([start]);
    let mut open = vec![start];
    let mut missing: HashSet<&ChangeHash> = goals.iter().collect();
    while let Some(hash) = open.pop() {
        missing.remove(&hash);
        if missing.is_empty() {
            return true;
        }
        let deps = document.get_change_meta_by_hash(&hash).map(|meta| meta.deps).unwrap_or_default();
        open.extend(deps.into_iter().filter(|dep| seen.insert(*dep)));
    }
    false
}
