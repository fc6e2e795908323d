//! Forked data logs: which branch is shown (PROTOCOL section 1, forks).
//!
//! An Automerge actor can have one history, so of the branches of a forked log one is applied: that on which another
//! person's change builds, directly or not; if there is none, one of which anything counts; among several, the one with
//! the smaller first hash. The others wait as "written on a copied device" for a person to admit or discard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alliance_document::ChangeId;
use alliance_document::gate::{change_id, change_parents};
use alliance_model::DocumentKind;
use alliance_store::Replica as _;
use alliance_store::device::DeviceOp;
use alliance_sync::{Outgoing, Part, Since, View};
use alliance_wire::membership::CutOff;
use alliance_wire::{DeviceKey, DocumentId, HeaderHash, LogId, LogName, PersonTag, SpaceId, Stream};

use crate::documents::OpenDocument;
use crate::error::{Code, Error};
use crate::inner::{Inner, lock};
use crate::intake::Opening;
use crate::listing::PARKED;
use crate::views::Change;

/// What follows from the forks of a space's data logs that are known here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Branches {
    /// The logs that forked.
    forked: BTreeSet<LogId>,
    /// Continuations that are not applied.
    blocked: BTreeSet<LogId>,
    /// Where the entries behind a fork stand that cut-offs name, with their numbers.
    ends: BTreeMap<HeaderHash, (LogName, u64)>,
}

impl Branches {
    /// Nothing that could be judged otherwise than where no log forked.
    pub(crate) fn is_empty(&self) -> bool {
        self.forked.is_empty()
    }

    /// Whether a continuation is not applied.
    pub(crate) fn hides(&self, log: &LogId) -> bool {
        self.blocked.contains(log)
    }

    /// Whether the entry that a cut-off names is here and is this entry or builds on it in its log.
    pub(crate) fn is_before(&self, name: &LogName, seq: u64, cut_off: &CutOff) -> bool {
        self.ends.get(&cut_off.hash).is_some_and(|(end, at)| {
            let same = end.device == name.device && end.incarnation == name.incarnation && end.stream == name.stream;
            same && end.path.starts_with(&name.path) && seq <= *at
        })
    }
}

/// What one data entry's changes are, and what they build on.
struct Node {
    name: Arc<LogName>,
    person: Option<PersonTag>,
    ids: Vec<ChangeId>,
    parents: Vec<ChangeId>,
}

impl Inner {
    /// What follows from the forks of a space's data logs. Nearly always there are none, and then nothing is read.
    pub(crate) async fn branches(&self, space: SpaceId) -> Result<Arc<Branches>, Error> {
        let Some(view) = self.spaces.view(space).await? else { return Ok(Arc::default()) };
        let forks = || view.forks.iter().filter(|(_, (name, _))| name.stream == Stream::Data);
        if forks().next().is_none() {
            return Ok(Arc::default());
        }
        if let Some((arrival, branches)) = lock(&self.branches).get(&space)
            && *arrival == view.tail.arrival
        {
            return Ok(Arc::clone(branches));
        }
        let ends = self.ends(space, &view).await?;
        let known = Branches { forked: forks().map(|(log, _)| *log).collect(), ends, ..Branches::default() };
        let nodes = self.nodes(space, &view, Arc::new(known.clone())).await?;
        let mut blocked = BTreeSet::new();
        for (_, (name, _)) in forks() {
            choose(&view, name, &nodes, &mut blocked);
        }
        let branches = Arc::new(Branches { blocked, ..known });
        lock(&self.branches).insert(space, (view.tail.arrival, Arc::clone(&branches)));
        Ok(branches)
    }

    /// The entries in forked logs that cut-offs name, as far as they are here.
    async fn ends(&self, space: SpaceId, view: &View) -> Result<BTreeMap<HeaderHash, (LogName, u64)>, Error> {
        let forked: BTreeSet<DeviceKey> =
            view.heads.values().filter(|head| !head.name.path.is_empty()).map(|head| head.name.device).collect();
        let named = view.membership.named_ends().filter(|(device, _)| forked.contains(device));
        let named: BTreeSet<_> = named.map(|(device, end)| (device, end.seq, end.hash)).collect();
        let found = self.device.data_logs_with(space, named.into_iter().collect()).await?;
        Ok(found.into_iter().map(|(name, seq, hash)| (hash, (name, seq))).collect())
    }

    /// The changes of all data entries of a space that open here.
    async fn nodes(&self, space: SpaceId, view: &View, branches: Arc<Branches>) -> Result<Vec<Node>, Error> {
        let keys = self.device.epoch_keys(space).await?;
        let mut keyring = alliance_crypto::Keyring::new();
        for row in keys {
            keyring.insert(row.epoch, alliance_crypto::EpochKey::from_bytes(*row.key));
        }
        let membership = Arc::clone(&view.membership);
        let latest = Arc::clone(&self.latest_said);
        let opening = Opening { membership, keyring, rules: self.rules, branches, latest };
        let mut nodes = Vec::new();
        let mut after = 0;
        loop {
            let since = Since { space, after, part: Part::Everything, bytes: 1 << 20 };
            let page = self.device.replica().since(since).await?;
            for item in page.items {
                let Outgoing::Entry(name, entry) = item else { continue };
                let Some(changes) = opening.changes_of(&name, &entry) else { continue };
                let ids = changes.changes.iter().filter_map(|bytes| change_id(bytes)).collect();
                let parents = changes.changes.iter().filter_map(|bytes| change_parents(bytes)).flatten().collect();
                let person = opening.membership.state().person_of(name.device);
                nodes.push(Node { name, person, ids, parents });
            }
            after = page.upto;
            if !page.more {
                return Ok(nodes);
            }
        }
    }

    /// Lists documents of which nothing is here but entries that are kept and not shown: everybody sees that they are
    /// there, not only whoever knew the document before its branch went out of sight.
    pub(crate) async fn list_hidden(
        &self,
        space: SpaceId,
        hidden: BTreeMap<DocumentId, u16>,
    ) -> Result<Vec<DeviceOp>, Error> {
        let mut ops = Vec::new();
        for (id, kind) in hidden {
            let Some(kind) = DocumentKind::from_number(kind) else { continue };
            if self.device.listing(space, id).await?.is_none() {
                let mut open = OpenDocument::fresh(id, kind);
                open.markers |= PARKED;
                let saved = open.document.verified_save().map_err(|_| Error::new(Code::DocumentBroken))?;
                ops.extend(open.rows(space, saved, false, self.around.now_millis())?);
                self.tell(Change::Document(space, id));
            }
        }
        Ok(ops)
    }
}

/// Of the branches at one fork, blocks all but one, with everything behind them. The log itself ends before the fork; it
/// may be a branch of another one that is blocked, and all that is behind it then is so as well.
fn choose(view: &View, fork: &LogName, nodes: &[Node], blocked: &mut BTreeSet<LogId>) {
    let is_behind = |name: &LogName, first: &HeaderHash| {
        name.device == fork.device
            && name.incarnation == fork.incarnation
            && name.stream == fork.stream
            && name.path.len() > fork.path.len()
            && name.path.starts_with(&fork.path)
            && name.path[fork.path.len()] == *first
    };
    let firsts: BTreeSet<HeaderHash> = view
        .heads
        .values()
        .filter_map(|head| head.name.path.get(fork.path.len()).copied().filter(|first| is_behind(&head.name, first)))
        .collect();
    let author = view.membership.state().person_of(fork.device);
    let followed = |first: &HeaderHash| {
        let branch: BTreeSet<ChangeId> = nodes
            .iter()
            .filter(|node| is_behind(&node.name, first))
            .flat_map(|node| node.ids.iter().copied())
            .collect();
        others_build_on(&branch, author, nodes)
    };
    let counts = |first: &&HeaderHash| nodes.iter().any(|node| is_behind(&node.name, first));
    // The set is sorted, so the first of several is the one with the smaller hash. A branch of which nothing counts,
    // because a cut-off ended the other one, does not keep that from being shown.
    let applied = firsts.iter().find(|first| followed(first)).or_else(|| firsts.iter().find(counts));
    let Some(applied) = applied.or_else(|| firsts.first()) else { return };
    for (log, head) in &view.heads {
        if firsts.iter().any(|first| first != applied && is_behind(&head.name, first)) {
            blocked.insert(*log);
        }
    }
}

/// Whether another person's change builds on one of these, directly or not.
fn others_build_on(branch: &BTreeSet<ChangeId>, author: Option<PersonTag>, nodes: &[Node]) -> bool {
    let mut children: BTreeMap<ChangeId, Vec<usize>> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        for parent in &node.parents {
            children.entry(*parent).or_default().push(index);
        }
    }
    let mut reached: BTreeSet<ChangeId> = branch.clone();
    let mut open: Vec<ChangeId> = branch.iter().copied().collect();
    while let Some(id) = open.pop() {
        for index in children.get(&id).into_iter().flatten() {
            let node = &nodes[*index];
            if node.person != author {
                return true;
            }
            open.extend(node.ids.iter().copied().filter(|id| reached.insert(*id)));
        }
    }
    false
}
