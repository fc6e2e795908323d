//! The transaction that makes a batch durable.

mod touched;

use std::collections::{HashMap, HashSet};

use alliance_crypto::{Rules, Verified};
use alliance_sync::{Batch, Incoming, Outcome, Persisted};
use alliance_wire::frame::{ForkProof, Reason};
use alliance_wire::hash::content_hash;
use alliance_wire::{DeviceKey, HashPrefix, HeaderHash, Kind, LogId, LogName, SpaceId, limits};
use rusqlite::Connection;

use super::entries::{DamageList, Place};
use super::logs::{LogRow, SpaceRow};
use super::numbers::Reserved;
use super::{Roster, cursors, entries, forks, logs, receipts};
use crate::error::StoreError;

/// What an entry's header counts for beside its suffix: signature, hashes and numbers.
const HEADER_BYTES: u64 = 196;

/// Makes a batch durable: see [`super::Replica::put`]. Runs inside the writer's transaction.
pub(crate) fn put(
    connection: &Connection,
    damage: &DamageList,
    rules: Rules,
    batch: &Batch,
    rosters: &[Roster],
    reserved: Option<Reserved>,
) -> Result<Persisted, StoreError> {
    let (spaces, ends, reserved) = (HashMap::new(), HashMap::new(), reserved.unwrap_or_default());
    let handed = batch.peer.map(|(peer, _)| (peer, batch.handed.as_slice()));
    let mut put = Put { connection, damage, rules, spaces, ends, reserved, handed };
    for (space, admission) in &batch.creates {
        let row = put.space(*space)?.row.id;
        cursors::set_token(connection, row, admission.map(|admission| admission.token))?;
    }
    let outcomes = batch.items.iter().map(|item| put.item(item)).collect::<Result<Vec<_>, _>>()?;
    put.write_ends()?;
    for roster in rosters {
        let taken = batch.items.iter().zip(&outcomes).all(|(item, outcome)| match item {
            Incoming::Entry(entry) if entry.space() == roster.space && entry.kind() == Kind::Membership => {
                !matches!(outcome, Outcome::Gap | Outcome::Refused(_))
            }
            Incoming::Entry(_) | Incoming::Receipt(_) | Incoming::Fork(..) | Incoming::Payload(..) => true,
        });
        if taken {
            let row = put.space(roster.space)?.row.id;
            cursors::set_roster(connection, row, roster)?;
        }
    }
    // A cursor says that everything up to it is here.
    let taken = |outcome: &Outcome| !matches!(outcome, Outcome::Gap | Outcome::Refused(_));
    let lacking: HashSet<SpaceId> = batch
        .items
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| !taken(outcome))
        .map(|(item, _)| item.space())
        .collect();
    cursors::apply(connection, batch, &lacking)?;
    let tails = put.write_spaces()?;
    Ok(Persisted { outcomes, tails })
}

/// What an entry counts for.
fn bytes_of(entry: &Verified) -> u64 {
    let header = entry.header();
    HEADER_BYTES + header.suffix.as_bytes().len() as u64 + u64::from(header.payload_len)
}

/// A space that the batch touches.
struct Touched {
    row: SpaceRow,
    /// Arrival numbers were given.
    grown: bool,
    /// Logs changed, and so the digest.
    reshaped: bool,
}

struct Put<'c> {
    connection: &'c Connection,
    damage: &'c DamageList,
    rules: Rules,
    spaces: HashMap<SpaceId, Touched>,
    /// Logs that grew by plain appends and whose rows are not written yet, by space and signed id.
    ends: HashMap<(i64, LogId), LogRow>,
    /// Nothing, unless R2 is off.
    reserved: Reserved,
    /// Who brings the batch, and the spaces that it was put out of.
    handed: Option<(DeviceKey, &'c [SpaceId])>,
}

impl Put<'_> {
    fn item(&mut self, item: &Incoming) -> Result<Outcome, StoreError> {
        match item {
            Incoming::Entry(entry) => match self.handed {
                Some((peer, spaces)) if spaces.contains(&entry.space()) => self.handed_over(entry, peer),
                Some(_) | None => self.entry(entry),
            },
            Incoming::Receipt(receipt) => {
                let space = receipt.receipt().space;
                let (row, next) = self.next(space)?;
                let Some(hash) = receipts::store(self.connection, row, next, receipt)? else {
                    return Ok(Outcome::Duplicate);
                };
                self.arrived(space, next, hash);
                Ok(Outcome::Stored(next))
            }
            Incoming::Fork(space, name, proof) => self.fork(*space, name, proof),
            Incoming::Payload(space, log, seq, bytes) => self.payload(*space, *log, *seq, bytes),
        }
    }

    /// An entry that a device brings which was put out of the space: so many bytes of such are taken, and no more.
    fn handed_over(&mut self, entry: &Verified, peer: DeviceKey) -> Result<Outcome, StoreError> {
        let row = self.space(entry.space())?.row.id;
        let bytes = bytes_of(entry);
        if cursors::handed(self.connection, row, peer)? + bytes > limits::HANDED_BYTES_MAX {
            self.write_ends()?;
            let family = logs::family(self.connection, row, entry.header().log)?;
            let here = entries::locate(self.connection, &family, entry.seq(), entry.hash())?.is_some();
            return Ok(if here { Outcome::Duplicate } else { Outcome::Refused(Reason::Quota) });
        }
        let outcome = self.entry(entry)?;
        if matches!(outcome, Outcome::Stored(_) | Outcome::Forked(..)) {
            cursors::add_handed(self.connection, row, peer, bytes)?;
        }
        Ok(outcome)
    }

    /// An entry goes where its predecessor stands. Which continuation its sender named does not matter: nobody's mere
    /// word makes a fork.
    fn entry(&mut self, entry: &Verified) -> Result<Outcome, StoreError> {
        let row = self.space(entry.space())?.row.id;
        let signed = entry.header().log;
        let (seq, prev) = (entry.seq(), entry.header().prev);
        let chained = self.rules.check_chain;
        if let Some(end) = self.end(row, signed)? {
            // The usual case: the next entry of a chain.
            let next = end.seq + 1 == seq && end.head == prev;
            if !end.forked && (next || !chained && seq > end.seq) {
                return self.append(entry, row, None);
            }
        } else if seq == 1 || !chained {
            self.new_log(row, entry.space(), entry.name(), signed)?;
            return self.append(entry, row, None);
        } else {
            return Ok(Outcome::Gap);
        }
        self.write_ends()?;
        let mut family = logs::family(self.connection, row, signed)?;
        let at = if seq == 1 {
            family.iter().position(|log| log.name.path.is_empty())
        } else {
            entries::locate(self.connection, &family, seq - 1, prev)?.map(|(at, _)| at)
        };
        let Some(at) = at else {
            return Ok(Outcome::Gap);
        };
        let mut log = family[at].clone();
        if seq <= log.seq {
            return self.beside(entry, (row, entry.space()), &family, &mut log);
        }
        if !log.forked {
            return self.append(entry, row, Some(&mut log));
        }
        if let Some(id) = forks::continuation_with(self.connection, &log, entry.hash())? {
            return self.duplicate(entry, id);
        }
        if let Err(reason) = forks::check_room(&family, log.name.path.len() + 1, 1) {
            return Ok(Outcome::Refused(reason));
        }
        let mut continuation = forks::open_continuation(self.connection, row, &log, entry.hash())?;
        family.clear();
        self.append(entry, row, Some(&mut continuation))
    }

    /// Another entry stands at the number of this one: the same, or one that proves a fork.
    fn beside(
        &mut self,
        entry: &Verified,
        space: (i64, SpaceId),
        family: &[LogRow],
        log: &mut LogRow,
    ) -> Result<Outcome, StoreError> {
        let Some((id, hash)) = entries::find(self.connection, log.id, entry.seq())? else {
            return Ok(Outcome::Refused(Reason::Storage));
        };
        let stored = entries::signed_header(self.connection, space.1, log.id, entry.seq(), self.damage)?;
        let Some(stored) = stored else {
            // The stored header is damaged: no proof can be made of it, and most likely this is the same entry.
            if entries::restore(self.connection, self.damage, log, id, entry)? {
                return self.duplicate(entry, id);
            }
            return Ok(Outcome::Refused(Reason::Storage));
        };
        if hash == entry.hash() {
            return self.duplicate(entry, id);
        }
        if let Err(reason) = forks::check_room(family, forks::depth_below(family, log) + 1, 1) {
            return Ok(Outcome::Refused(reason));
        }
        let proof = forks::proof(&stored, &entry.entry().signed);
        forks::split(self.connection, space.0, log, entry.seq(), entry.header().prev, hash)?;
        self.keep_proof(space, log.id, &proof)?;
        let mut continuation = forks::open_continuation(self.connection, space.0, log, entry.hash())?;
        self.append(entry, space.0, Some(&mut continuation))?;
        Ok(Outcome::Forked(log.name.clone(), proof))
    }

    /// A proof from elsewhere: the log ends before the two entries, whether they are here or not.
    fn fork(&mut self, space: SpaceId, name: &LogName, proof: &ForkProof) -> Result<Outcome, StoreError> {
        if let Err(reason) = forks::check_proof(space, name, proof) {
            return Ok(Outcome::Refused(reason));
        }
        let row = self.space(space)?.row.id;
        self.write_ends()?;
        let signed = name.signed_log(space);
        let mut family = logs::family(self.connection, row, signed)?;
        if family.is_empty() && proof.seq == 1 {
            let root = LogName { path: Vec::new(), ..name.clone() };
            self.new_log(row, space, &root, signed)?;
            self.write_ends()?;
            family = logs::family(self.connection, row, signed)?;
        }
        let at = if proof.seq == 1 {
            family.iter().position(|log| log.name.path.is_empty())
        } else {
            entries::locate(self.connection, &family, proof.seq - 1, proof.prev)?.map(|(at, _)| at)
        };
        let Some(at) = at else {
            return Ok(Outcome::Gap);
        };
        let mut log = family[at].clone();
        let stored = entries::find(self.connection, log.id, proof.seq)?;
        match stored {
            None if log.forked => return Ok(Outcome::Duplicate),
            None => {
                log.forked = true;
                logs::update_end(self.connection, &log)?;
            }
            Some((_, hash)) => {
                if let Err(reason) = forks::check_room(&family, forks::depth_below(&family, &log) + 1, 0) {
                    return Ok(Outcome::Refused(reason));
                }
                forks::split(self.connection, row, &mut log, proof.seq, proof.prev, hash)?;
            }
        }
        let arrival = self.keep_proof((row, space), log.id, proof)?;
        Ok(Outcome::Stored(arrival))
    }

    fn payload(&mut self, space: SpaceId, log: LogId, seq: u64, bytes: &[u8]) -> Result<Outcome, StoreError> {
        self.write_ends()?;
        let row = self.space(space)?.row.id;
        let found = match logs::find_log(self.connection, row, log)? {
            Some(log) => entries::find(self.connection, log.id, seq)?,
            None => None,
        };
        let Some((id, _)) = found else {
            return Ok(Outcome::Gap);
        };
        let (len, hash) = entries::payload_named(self.connection, id)?;
        if bytes.len() != len as usize || content_hash(bytes) != hash {
            return Ok(Outcome::Refused(Reason::Malformed));
        }
        if !entries::fill(self.connection, id, bytes)? {
            return Ok(Outcome::Duplicate);
        }
        self.damage.repaired(space, log, seq);
        let arrival = entries::Reader::new(self.connection, space, self.damage).by_row(id)?.arrival;
        Ok(Outcome::Stored(arrival))
    }

    fn duplicate(&mut self, entry: &Verified, id: i64) -> Result<Outcome, StoreError> {
        if let Some(payload) = entry.payload()
            && entries::fill(self.connection, id, payload)?
        {
            self.damage.repaired(entry.space(), entry.log(), entry.seq());
        }
        Ok(Outcome::Duplicate)
    }

    /// Appends to a log given, or to the author's own log among the open ends.
    fn append(&mut self, entry: &Verified, space: i64, log: Option<&mut LogRow>) -> Result<Outcome, StoreError> {
        let (_, arrival) = self.next(entry.space())?;
        let grow = |log: &mut LogRow| {
            log.seq = entry.seq();
            log.head = entry.hash();
            log.id
        };
        let row = match log {
            Some(log) => {
                let id = grow(log);
                logs::update_end(self.connection, log)?;
                // A row of the same log may lie among the open ends; it would be written back older than this.
                self.ends.remove(&(space, log.signed));
                id
            }
            None => match self.ends.get_mut(&(space, entry.header().log)) {
                Some(end) => grow(end),
                None => return Err(StoreError::Shape("a log that was just read")),
            },
        };
        entries::insert(self.connection, &Place { space, log: row, arrival }, entry)?;
        self.arrived(entry.space(), arrival, entry.hash().prefix());
        self.reshaped(entry.space());
        self.space(entry.space())?.row.bytes += bytes_of(entry);
        Ok(Outcome::Stored(arrival))
    }

    fn new_log(&mut self, row: i64, space: SpaceId, name: &LogName, signed: LogId) -> Result<(), StoreError> {
        let name = LogName { path: Vec::new(), ..name.clone() };
        debug_assert_eq!(name.signed_log(space), signed);
        let mut log = LogRow {
            id: 0,
            log: signed,
            signed,
            name,
            base: HeaderHash::NONE,
            first: 1,
            seq: 0,
            head: HeaderHash::NONE,
            forked: false,
        };
        logs::insert_log(self.connection, row, None, &mut log)?;
        self.ends.insert((row, signed), log);
        Ok(())
    }

    fn keep_proof(&mut self, space: (i64, SpaceId), log: i64, proof: &ForkProof) -> Result<u64, StoreError> {
        let (_, arrival) = self.next(space.1)?;
        let bytes = forks::insert_proof(self.connection, space.0, log, arrival, proof)?;
        self.arrived(space.1, arrival, prefix_of(&bytes));
        self.reshaped(space.1);
        Ok(arrival)
    }
}

/// The first 16 bytes of BLAKE3: the hash at the arrival number of a receipt or a proof.
pub(super) fn prefix_of(bytes: &[u8]) -> HashPrefix {
    HeaderHash(content_hash(bytes)).prefix()
}
