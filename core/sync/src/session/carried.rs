//! Entries that come in somebody else's hands (PROTOCOL section 3, carried).
//!
//! Whoever brings them proves nothing by it: they are taken for what their author's signature says, if the author is
//! active in the space now. What a device that was put out still has, it hands over itself.

use std::sync::Arc;

use alliance_crypto::{Rules, Verified};
use alliance_wire::bundle::Carry;
use alliance_wire::frame::{Reason, Run};
use alliance_wire::{Entry, HeaderHash, LogName, SpaceId, Stream, limits};

use super::names::NamedLog;
use super::receiving::insert_membership;
use super::sending::run_entry;
use super::verify::{Read, read_run, verify_run};
use crate::contract::View;

/// What of a carried run is new here and may be stored, verified.
///
/// # Errors
/// Why nothing of it is taken. Nothing of this is told to whoever brought it.
pub fn judge_carried(view: &View, carry: Carry, rules: Rules) -> Result<Vec<Verified>, Reason> {
    let device = carry.name.device;
    // Before any signature: a stranger's entries cost nothing.
    if !view.membership.state().is_active(device) {
        return Err(Reason::NotMember);
    }
    let others = view.heads.values().filter(|head| head.name.device == device);
    let incarnations: std::collections::BTreeSet<_> = others.map(|head| head.name.incarnation).collect();
    if !incarnations.contains(&carry.name.incarnation) && incarnations.len() >= limits::INCARNATIONS_MAX {
        return Err(Reason::TooMany);
    }
    let id = carry.name.id(carry.space);
    let mut named = NamedLog { space: carry.space, id, name: carry.name, last: None };
    let run = Run { log: 0, first: carry.first, prev: Some(carry.prev), entries: carry.entries };
    let entries = match read_run(&mut named, run, view.heads.get(&id), rules) {
        Read::Entries(entries) => entries,
        Read::Known => return Ok(Vec::new()),
        Read::Gap | Read::Forked => return Err(Reason::Absent),
        Read::Malformed => return Err(Reason::Malformed),
    };
    let (good, bad) = verify_run(&named, entries, rules);
    if let Some((_, reason)) = bad {
        return Err(reason);
    }
    if named.name.stream == Stream::Membership {
        let mut membership = Arc::clone(&view.membership);
        for entry in &good {
            insert_membership(&mut membership, entry).map_err(|reason| reason.unwrap_or(Reason::Absent))?;
        }
    }
    Ok(good)
}

/// Consecutive entries of a log as runs to be carried, in the order in which they are given.
#[must_use]
pub fn to_be_carried(space: SpaceId, entries: impl IntoIterator<Item = (Arc<LogName>, Entry)>) -> Vec<Carry> {
    let mut carries: Vec<(Carry, HeaderHash, usize)> = Vec::new();
    for (name, entry) in entries {
        let header = &entry.signed.header;
        let (seq, prev, hash) = (header.seq, header.prev, header.hash());
        let bytes = entry.payload.as_ref().map_or(0, Vec::len) + 256;
        let carried = run_entry(entry);
        let follows = |(carry, last, held): &&mut (Carry, HeaderHash, usize)| {
            carry.name == *name
                && *last == prev
                && carry.entries.len() < limits::CARRY_ENTRIES_MAX
                && *held + bytes <= limits::CARRY_BYTES_MAX
        };
        match carries.last_mut().filter(follows) {
            Some((carry, last, held)) => {
                carry.entries.push(carried);
                (*last, *held) = (hash, *held + bytes);
            }
            None => {
                let carry = Carry { space, name: (*name).clone(), first: seq, prev, entries: vec![carried] };
                carries.push((carry, hash, bytes));
            }
        }
    }
    carries.into_iter().map(|(carry, _, _)| carry).collect()
}
