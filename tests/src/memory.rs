//! A replica in memory: the plainest thing that keeps the session's contract.
//!
//! It is written apart from `alliance-store`, so that the two can be held against each other. Entries are kept as a
//! tree by hash, and the names of logs are worked out from the tree each time: a log runs until two entries have the
//! same predecessor, and each of them begins a continuation. Nothing depends on the order in which forks were learned.

mod space;

use std::collections::BTreeMap;
use std::sync::Arc;

use alliance_crypto::{Membership, Verified};
use alliance_sync::contract::{
    Batch, Head, Incoming, Outcome, Outgoing, Page, Part, Persisted, Query, Reply, Shared, SharedSpace, Since, Tail,
    View,
};
use alliance_wire::frame::{Answer, Reason};
use alliance_wire::vector::digest;
use alliance_wire::{
    DeviceKey, HashPrefix, HeaderHash, Incarnation, Instance, Kind, LogId, LogName, Row, SpaceId, limits,
};

use space::{Arrived, Log, Space};

/// A whole replica. A clone of it is a backup.
#[derive(Debug, Clone)]
pub struct MemoryReplica {
    /// Its database.
    pub instance: Instance,
    spaces: BTreeMap<SpaceId, Space>,
    cursors: BTreeMap<(Instance, SpaceId), (u64, HashPrefix)>,
    acked: BTreeMap<(Instance, SpaceId), u64>,
    peers: BTreeMap<DeviceKey, Instance>,
    /// Spaces that it waits for, though nothing of them is here.
    pub expected: Vec<SpaceId>,
    /// The device whose replica it is, where it waits to be let in anywhere.
    pub own: Option<DeviceKey>,
    /// How many batches were made durable.
    pub commits: u64,
    /// There is no room: whatever comes is refused by name.
    pub full: bool,
    /// Bytes that devices brought which were put out of a space.
    handed: BTreeMap<(SpaceId, DeviceKey), u64>,
}

impl MemoryReplica {
    /// An empty replica.
    #[must_use]
    pub fn new(instance: Instance) -> Self {
        Self {
            instance,
            spaces: BTreeMap::new(),
            cursors: BTreeMap::new(),
            acked: BTreeMap::new(),
            peers: BTreeMap::new(),
            expected: Vec::new(),
            own: None,
            commits: 0,
            full: false,
            handed: BTreeMap::new(),
        }
    }

    /// Knows no more how far it has what others had, as a database that was put back does.
    pub fn forget_cursors(&mut self) {
        self.cursors.clear();
    }

    /// Takes an entry of this device's own.
    pub fn append(&mut self, entry: Verified) -> Tail {
        let space = entry.space();
        let batch = Batch { items: vec![Incoming::Entry(entry)], ..Batch::default() };
        let done = self.persist(batch);
        assert!(!matches!(done.outcomes[0], Outcome::Gap | Outcome::Refused(_)), "an own entry continues its log");
        self.tail(space)
    }

    /// Answers a session: the spaces shared with a peer are those in which it is an active member, or that name it
    /// as their relay.
    pub fn answer(&mut self, peer: DeviceKey, query: Query) -> Reply {
        match query {
            Query::Shared { own } => Reply::Shared(self.shared(own, peer)),
            Query::View(space) => Reply::View(space, self.spaces.contains_key(&space).then(|| self.view(space))),
            Query::HashesAt(asked) => {
                Reply::Hashes(asked.into_iter().map(|(space, number)| self.hash_at(space, number)).collect())
            }
            Query::Since(Since { space, part: Part::Everything | Part::Receipts, .. }) | Query::Fetch(space, _)
                if self.is_former(space, peer) =>
            {
                Reply::Revoked(space)
            }
            Query::Since(since) => Reply::Page(self.since(since)),
            Query::Fetch(space, rows) => {
                let rows = rows.into_iter().map(|(log, seq)| (log, seq, self.fetch(space, log, seq))).collect();
                Reply::Fetched(space, rows)
            }
            Query::Admit(space, _) => Reply::Admitted(space, true),
            Query::Persist(batch) => Reply::Persisted(self.persist(batch)),
        }
    }

    /// The newest state of a space.
    #[must_use]
    pub fn tail(&self, id: SpaceId) -> Tail {
        let Some(space) = self.spaces.get(&id) else {
            return Tail { space: id, digest: digest(id, []), arrival: 0, hash: HashPrefix([0; 16]) };
        };
        let rows = space.logs(id).into_iter().filter_map(|(log, it)| it.head().map(|head| (log, head.seq, head.hash)));
        let (arrival, hash) = space.arrivals.last().map_or((0, HashPrefix([0; 16])), |(n, hash, _)| (*n, *hash));
        Tail { space: id, digest: digest(id, rows), arrival, hash }
    }

    /// Every entry's hash, for comparing what two replicas hold.
    #[must_use]
    pub fn hashes(&self, space: SpaceId) -> Vec<HeaderHash> {
        self.spaces.get(&space).map(|space| space.entries.keys().copied().collect()).unwrap_or_default()
    }

    /// The entries that came up to an arrival number.
    #[must_use]
    pub fn arrived(&self, space: SpaceId, upto: u64) -> Vec<HeaderHash> {
        let all = self.spaces.get(&space).into_iter().flat_map(|space| &space.arrivals);
        let entry = |arrived: &Arrived| if let Arrived::Entry(hash) = arrived { Some(*hash) } else { None };
        all.filter(|(number, _, _)| *number <= upto).filter_map(|(_, _, arrived)| entry(arrived)).collect()
    }

    /// The entries of one device, of those that came up to an arrival number.
    #[must_use]
    pub fn arrived_of(&self, space: SpaceId, upto: u64, device: DeviceKey) -> Vec<HeaderHash> {
        let mut found = self.arrived(space, upto);
        found.retain(|hash| self.spaces.get(&space).is_some_and(|it| it.entries[hash].author() == device));
        found
    }

    /// The hashes of all membership entries.
    #[must_use]
    pub fn membership_hashes(&self, space: SpaceId) -> Vec<HeaderHash> {
        let entries = self.spaces.get(&space).into_iter().flat_map(|space| &space.entries);
        entries.filter(|(_, entry)| entry.kind() == Kind::Membership).map(|(hash, _)| *hash).collect()
    }

    /// What it has of a space, as a receipt says it.
    #[must_use]
    pub fn rows(&self, id: SpaceId) -> Vec<Row> {
        let heads = self.spaces.get(&id).map(|space| space.logs(id)).unwrap_or_default();
        let row = |(log, it): (LogId, Log)| it.head().map(|head| Row { log, seq: head.seq, hash: head.hash.prefix() });
        heads.into_iter().filter_map(row).collect()
    }

    /// The receipts of a space: whose, which incarnation, which counter.
    #[must_use]
    pub fn receipts(&self, id: SpaceId) -> Vec<(DeviceKey, Incarnation, u64)> {
        let all = self.spaces.get(&id).into_iter().flat_map(|space| space.receipts.values());
        all.map(|it| (it.receipt().device, it.receipt().incarnation, it.receipt().counter)).collect()
    }

    /// Newest number and hash of the log that this writer would continue, if it is here whole.
    #[must_use]
    pub fn head_of(&self, space: SpaceId, log: LogId) -> Option<Head> {
        self.spaces.get(&space)?.logs(space).remove(&log)?.head()
    }

    /// Loses the newest entry of one of somebody else's logs of a kind without a trace, as a damaged file system might.
    pub fn lose(&mut self, id: SpaceId, own: DeviceKey, kind: Kind) -> bool {
        let Some(space) = self.spaces.get_mut(&id) else { return false };
        let heads: Vec<HeaderHash> = space.logs(id).values().filter_map(|log| log.head().map(|it| it.hash)).collect();
        let theirs = |hash: &&HeaderHash| {
            let entry = &space.entries[*hash];
            entry.author() != own && entry.kind() == kind && entry.name().path.is_empty()
        };
        let Some(lost) = heads.iter().find(theirs).copied() else { return false };
        space.entries.remove(&lost);
        space.arrivals.retain(|(_, _, arrived)| !matches!(arrived, Arrived::Entry(hash) if *hash == lost));
        space.membership = Arc::new(Membership::new(id));
        for (_, _, arrived) in &space.arrivals {
            if let Arrived::Entry(hash) = arrived
                && let Some(entry) = space.entries.get(hash).filter(|entry| entry.kind() == Kind::Membership)
            {
                Arc::make_mut(&mut space.membership).insert(entry).expect("entries arrived behind their ancestors");
            }
        }
        true
    }

    /// How many payloads are missing.
    #[must_use]
    pub fn missing(&self, space: SpaceId) -> usize {
        self.spaces.get(&space).map_or(0, |space| space.entries.values().filter(|e| e.payload().is_none()).count())
    }

    /// Whether a device was once in a space and is not any more.
    #[must_use]
    pub fn is_former(&self, id: SpaceId, device: DeviceKey) -> bool {
        let membership = self.spaces.get(&id).map(|space| &space.membership);
        membership.is_some_and(|all| all.was_listed(device) && !all.state().is_active(device))
    }

    /// The membership of a space.
    #[must_use]
    pub fn membership(&self, id: SpaceId) -> Option<Arc<Membership>> {
        self.spaces.get(&id).map(|space| Arc::clone(&space.membership))
    }

    fn shared(&self, own: DeviceKey, peer: DeviceKey) -> Shared {
        let peer_instance = self.peers.get(&peer).copied();
        let names = |space: &Space| space.membership.state().relays.iter().any(|pin| pin.relay == peer);
        let here = self.spaces.iter().filter(|(_, s)| s.membership.state().is_active(peer) || names(s));
        let mut ids: Vec<SpaceId> = here.map(|(id, _)| *id).chain(self.expected.iter().copied()).collect();
        ids.sort_unstable();
        ids.dedup();
        let space = |id| {
            let acked = peer_instance.and_then(|instance| self.acked.get(&(instance, id)).copied()).unwrap_or(0);
            SharedSpace {
                tail: self.tail(id),
                cursor: peer_instance.and_then(|instance| self.cursors.get(&(instance, id)).copied()),
                acked,
                others: self.has_others_behind(id, acked, own),
            }
        };
        let (out, spaces) = ids.into_iter().map(space).partition(|it: &SharedSpace| self.is_former(it.tail.space, own));
        let gone = self.spaces.keys().filter(|id| self.is_former(**id, peer)).map(|id| self.tail(*id)).collect();
        Shared { instance: Some(self.instance), peer_instance, spaces, revoked: gone, out }
    }

    /// Whether something of another device than `own` arrived behind a number.
    fn has_others_behind(&self, id: SpaceId, number: u64, own: DeviceKey) -> bool {
        self.spaces.get(&id).is_some_and(|space| {
            space.arrivals.iter().any(|(arrival, _, arrived)| {
                let others = |hash| space.entries.get(hash).is_some_and(|entry| entry.author() != own);
                *arrival > number && matches!(arrived, Arrived::Entry(hash) if others(hash))
            })
        })
    }

    fn view(&self, id: SpaceId) -> View {
        let space = &self.spaces[&id];
        let heads = space.logs(id).into_iter().filter_map(|(log, it)| it.head().map(|head| (log, head))).collect();
        View { heads, membership: Arc::clone(&space.membership), forks: space.forks.clone(), tail: self.tail(id) }
    }

    fn hash_at(&self, id: SpaceId, number: u64) -> Option<HashPrefix> {
        let arrivals = &self.spaces.get(&id)?.arrivals;
        arrivals.iter().find(|(n, _, _)| *n == number).map(|(_, hash, _)| *hash)
    }

    fn fetch(&self, id: SpaceId, log: LogId, seq: u64) -> Answer {
        let found = self.spaces.get(&id).and_then(|space| {
            let logs = space.logs(id);
            let log = logs.get(&log)?;
            let hash = log.hashes.get(usize::try_from(seq.checked_sub(log.first)?).ok()?)?;
            space.entries[hash].payload().map(<[u8]>::to_vec)
        });
        found.map_or(Answer::Absent, |bytes| Answer::Payload(bytes.into()))
    }

    fn since(&self, since: Since) -> Page {
        let tail = self.tail(since.space);
        let mut page = Page { space: since.space, items: Vec::new(), upto: tail.arrival, hash: tail.hash, more: false };
        let Some(space) = self.spaces.get(&since.space) else { return page };
        let logs = space.logs(since.space);
        let names: BTreeMap<HeaderHash, Arc<LogName>> = logs
            .into_values()
            .flat_map(|log| {
                let name = Arc::new(log.name);
                log.hashes.into_iter().map(move |hash| (hash, Arc::clone(&name)))
            })
            .collect();
        let mut bytes = 0;
        for (number, hash, arrived) in space.arrivals.iter().filter(|(number, _, _)| *number > since.after) {
            let item = match arrived {
                Arrived::Entry(hash) => {
                    let entry = &space.entries[hash];
                    let wanted = match since.part {
                        Part::Membership => entry.kind() == Kind::Membership,
                        Part::Everything => true,
                        Part::Receipts => false,
                    };
                    wanted.then(|| Outgoing::Entry(Arc::clone(&names[hash]), entry.entry().clone()))
                }
                Arrived::Receipt(device, counter) => {
                    let receipt = &space.receipts[device];
                    let newest = receipt.receipt().counter == *counter && since.part != Part::Membership;
                    newest.then(|| Outgoing::Receipt(receipt.signed().clone()))
                }
                Arrived::Fork(log) => (since.part != Part::Membership).then(|| {
                    let (name, proof) = &space.forks[log];
                    Outgoing::Fork(Arc::new(name.clone()), proof.clone())
                }),
            };
            let Some(item) = item else { continue };
            if !page.items.is_empty() && bytes >= since.bytes {
                page.more = true;
                break;
            }
            bytes +=
                if let Outgoing::Entry(_, entry) = &item { 128 + entry.header().payload_len as usize } else { 256 };
            page.items.push(item);
            page.upto = *number;
            page.hash = *hash;
        }
        if !page.more {
            page.upto = tail.arrival;
            page.hash = tail.hash;
        }
        page
    }

    /// Makes a batch durable.
    pub fn persist(&mut self, batch: Batch) -> Persisted {
        self.commits += 1;
        let (mut touched, mut lacking) = (Vec::new(), Vec::new());
        let mut outcomes = Vec::with_capacity(batch.items.len());
        for item in batch.items {
            let space = item.space();
            let counted = batch.peer.filter(|_| batch.handed.contains(&space)).map(|(peer, _)| (space, peer));
            let bytes = handed_bytes(&item);
            let used = counted.map_or(0, |by| self.handed.get(&by).copied().unwrap_or(0));
            let outcome = if used + bytes > limits::HANDED_BYTES_MAX {
                Outcome::Refused(Reason::Quota)
            } else if self.full {
                Outcome::Refused(Reason::Storage)
            } else {
                touched.push(space);
                self.spaces.entry(space).or_insert_with(|| Space::new(space)).put(space, item)
            };
            if matches!(outcome, Outcome::Gap | Outcome::Refused(_)) {
                lacking.push(space);
            }
            if let (Some(by), Outcome::Stored(_) | Outcome::Forked(..)) = (counted, &outcome) {
                *self.handed.entry(by).or_default() += bytes;
            }
            outcomes.push(outcome);
        }
        if let Some((peer, instance)) = batch.peer {
            self.peers.insert(peer, instance);
            for space in batch.void {
                self.cursors.remove(&(instance, space));
            }
            for (space, number, hash) in batch.cursors.into_iter().filter(|(space, _, _)| !lacking.contains(space)) {
                self.cursors.insert((instance, space), (number, hash));
                touched.push(space);
            }
            for (space, number) in batch.acked {
                self.acked.insert((instance, space), number);
            }
        }
        touched.sort_unstable();
        touched.dedup();
        // Until it is let in, as its membership says: a part of that is not enough.
        self.expected.retain(|space| {
            let own = self.own;
            self.spaces.get(space).is_none_or(|space| own.is_some_and(|own| !space.membership.was_listed(own)))
        });
        Persisted { outcomes, tails: touched.into_iter().map(|space| self.tail(space)).collect() }
    }
}

/// What an entry counts for where its bringer was put out, as the store counts it; nothing for other items.
fn handed_bytes(item: &Incoming) -> u64 {
    let Incoming::Entry(entry) = item else { return 0 };
    let header = entry.header();
    196 + header.suffix.as_bytes().len() as u64 + u64::from(header.payload_len)
}
