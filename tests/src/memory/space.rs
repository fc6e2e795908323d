//! One space: its entries as a tree by hash, and the logs as the tree has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use alliance_crypto::{Membership, Verified, VerifiedReceipt};
use alliance_sync::contract::{Head, Incoming, Outcome};
use alliance_wire::codec::encode;
use alliance_wire::frame::{ForkHeader, ForkProof};
use alliance_wire::hash::content_hash;
use alliance_wire::{DeviceKey, HashPrefix, HeaderHash, Kind, LogId, LogName, SpaceId};

/// What stands at an arrival number.
#[derive(Debug, Clone)]
pub(super) enum Arrived {
    Entry(HeaderHash),
    Receipt(DeviceKey, u64),
    Fork(LogId),
}

/// One space.
#[derive(Debug, Clone)]
pub(super) struct Space {
    pub(super) entries: BTreeMap<HeaderHash, Verified>,
    pub(super) arrivals: Vec<(u64, HashPrefix, Arrived)>,
    pub(super) receipts: BTreeMap<DeviceKey, VerifiedReceipt>,
    pub(super) forks: BTreeMap<LogId, (LogName, ForkProof)>,
    pub(super) membership: Arc<Membership>,
}

/// One log, as the tree of entries has it.
pub(super) struct Log {
    pub(super) name: LogName,
    pub(super) hashes: Vec<HeaderHash>,
    pub(super) first: u64,
}

impl Log {
    pub(super) fn head(&self) -> Option<Head> {
        let hash = *self.hashes.last()?;
        let seq = self.first + self.hashes.len() as u64 - 1;
        Some(Head { name: self.name.clone(), seq, hash })
    }
}

impl Space {
    pub(super) fn new(id: SpaceId) -> Self {
        Self {
            entries: BTreeMap::new(),
            arrivals: Vec::new(),
            receipts: BTreeMap::new(),
            forks: BTreeMap::new(),
            membership: Arc::new(Membership::new(id)),
        }
    }

    /// Entries by log and predecessor.
    fn children(&self, log: LogId, prev: HeaderHash) -> Vec<HeaderHash> {
        let of = |entry: &&Verified| entry.header().log == log && entry.header().prev == prev;
        self.entries.values().filter(of).map(Verified::hash).collect()
    }

    /// The logs, worked out from the tree.
    pub(super) fn logs(&self, id: SpaceId) -> BTreeMap<LogId, Log> {
        let mut children: BTreeMap<(LogId, HeaderHash), Vec<HeaderHash>> = BTreeMap::new();
        let mut roots: BTreeMap<LogId, LogName> = BTreeMap::new();
        for (hash, entry) in &self.entries {
            let header = entry.header();
            children.entry((header.log, header.prev)).or_default().push(*hash);
            let name = entry.name();
            roots.entry(header.log).or_insert_with(|| LogName::new(name.device, name.incarnation, name.stream));
        }
        let mut logs = BTreeMap::new();
        let mut open: Vec<(LogId, LogName, HeaderHash, u64)> =
            roots.into_iter().map(|(log, name)| (log, name, HeaderHash::NONE, 1)).collect();
        while let Some((signed, name, mut at, first)) = open.pop() {
            let mut log = Log { name, hashes: Vec::new(), first };
            if !log.name.path.is_empty() {
                log.hashes.push(at);
            }
            loop {
                match children.get(&(signed, at)).map(Vec::as_slice) {
                    Some([only]) => {
                        log.hashes.push(*only);
                        at = *only;
                    }
                    Some(branches) => {
                        let first = first + log.hashes.len() as u64;
                        open.extend(branches.iter().map(|hash| (signed, log.name.branch(*hash), *hash, first)));
                        break;
                    }
                    None => break,
                }
            }
            logs.insert(log.name.id(id), log);
        }
        logs
    }

    fn arrive(&mut self, hash: HashPrefix, arrived: Arrived) -> u64 {
        let number = self.arrivals.last().map_or(0, |(number, _, _)| *number) + 1;
        self.arrivals.push((number, hash, arrived));
        number
    }

    pub(super) fn put(&mut self, id: SpaceId, item: Incoming) -> Outcome {
        match item {
            Incoming::Entry(entry) => self.put_entry(id, entry),
            Incoming::Receipt(receipt) => {
                let device = receipt.receipt().device;
                if self.receipts.get(&device).is_some_and(|old| !receipt.replaces(old.receipt())) {
                    return Outcome::Duplicate;
                }
                let (counter, mut hash) = (receipt.receipt().counter, [0; 16]);
                hash.copy_from_slice(&content_hash(&receipt.signed().body)[..16]);
                self.arrivals.retain(|(_, _, arrived)| !matches!(arrived, Arrived::Receipt(old, _) if *old == device));
                self.receipts.insert(device, receipt);
                Outcome::Stored(self.arrive(HashPrefix(hash), Arrived::Receipt(device, counter)))
            }
            // The entries prove the fork themselves as soon as both are here.
            Incoming::Fork(..) => Outcome::Duplicate,
            Incoming::Payload(space, log, seq, _) => {
                debug_assert_eq!(space, id, "an item of the space that it was put into");
                let _ = (log, seq);
                Outcome::Duplicate
            }
        }
    }

    fn put_entry(&mut self, id: SpaceId, entry: Verified) -> Outcome {
        let (hash, header) = (entry.hash(), entry.header().clone());
        if self.entries.contains_key(&hash) {
            return Outcome::Duplicate;
        }
        let continues = |prev: &Verified| prev.seq() + 1 == header.seq && prev.header().log == header.log;
        let known = self.entries.get(&header.prev).is_some_and(continues);
        if header.seq > 1 && !known {
            return Outcome::Gap;
        }
        if entry.kind() == Kind::Membership && Arc::make_mut(&mut self.membership).insert(&entry).is_err() {
            return Outcome::Gap;
        }
        let siblings = self.children(header.log, header.prev);
        self.entries.insert(hash, entry);
        let number = self.arrive(hash.prefix(), Arrived::Entry(hash));
        let Some(sibling) = siblings.first() else { return Outcome::Stored(number) };
        let part = |hash: &HeaderHash| {
            let signed = &self.entries[hash].entry().signed;
            ForkHeader {
                suffix: signed.header.suffix.as_bytes().to_vec().into(),
                payload_len: signed.header.payload_len,
                payload_hash: signed.header.payload_hash,
                signature: signed.signature,
            }
        };
        let proof = ForkProof { seq: header.seq, prev: header.prev, one: part(sibling), other: part(&hash) };
        let logs = self.logs(id);
        let ends = logs.values().find(|log| {
            log.name.signed_log(id) == header.log
                && (log.hashes.last() == Some(&header.prev) || (header.seq == 1 && log.name.path.is_empty()))
        });
        let name = ends.map(|log| log.name.clone()).expect("a fork ends a log");
        if siblings.len() == 1 {
            let mut prefix = [0; 16];
            prefix.copy_from_slice(&content_hash(&encode(&proof))[..16]);
            let log = name.id(id);
            self.forks.insert(log, (name.clone(), proof.clone()));
            self.arrive(HashPrefix(prefix), Arrived::Fork(log));
        }
        Outcome::Forked(name, proof)
    }
}
