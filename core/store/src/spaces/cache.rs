//! Views of the spaces in use, least recently used ones dropped first.

use std::collections::HashMap;
use std::sync::Arc;

use alliance_crypto::Membership;
use alliance_sync::{Batch, Head, Incoming, Outcome, Persisted, View};
use alliance_wire::{HeaderHash, LogId, LogName, SpaceId};

#[derive(Debug)]
pub(super) struct Cache {
    slots: HashMap<SpaceId, Slot>,
    /// Loads under way: number of them, and whether something was stored since.
    loading: HashMap<SpaceId, Loading>,
    clock: u64,
    weight: usize,
    weight_max: usize,
}

#[derive(Debug)]
struct Slot {
    view: View,
    used: u64,
    weight: usize,
}

#[derive(Debug, Default)]
struct Loading {
    running: usize,
    stored: u64,
}

/// What an item of a batch may do to a view.
#[derive(Debug)]
pub(super) enum Touch {
    /// An entry of this log; its head may move here.
    Entry { space: SpaceId, log: LogId, name: LogName, seq: u64, hash: HeaderHash },
    /// A fork proof.
    Fork(SpaceId),
    /// Nothing but the tail.
    Other,
}

impl Touch {
    /// What each item of a batch may do, in order.
    pub(super) fn of(batch: &Batch) -> Vec<Self> {
        let touch = |item: &Incoming| match item {
            Incoming::Entry(entry) => Self::Entry {
                space: entry.space(),
                log: entry.log(),
                name: entry.name().clone(),
                seq: entry.seq(),
                hash: entry.hash(),
            },
            Incoming::Fork(space, ..) => Self::Fork(*space),
            Incoming::Receipt(_) | Incoming::Payload(..) => Self::Other,
        };
        batch.items.iter().map(touch).collect()
    }
}

impl Cache {
    pub(super) fn new(weight_max: usize) -> Self {
        Self { slots: HashMap::new(), loading: HashMap::new(), clock: 0, weight: 0, weight_max }
    }

    pub(super) fn get(&mut self, space: SpaceId) -> Option<View> {
        self.clock += 1;
        let slot = self.slots.get_mut(&space)?;
        slot.used = self.clock;
        Some(slot.view.clone())
    }

    pub(super) fn membership(&mut self, space: SpaceId) -> Option<Arc<Membership>> {
        self.clock += 1;
        let slot = self.slots.get_mut(&space)?;
        slot.used = self.clock;
        Some(Arc::clone(&slot.view.membership))
    }

    /// Begins a load; the answer goes to [`Cache::end_load`].
    pub(super) fn begin_load(&mut self, space: SpaceId) -> u64 {
        let loading = self.loading.entry(space).or_default();
        loading.running += 1;
        loading.stored
    }

    /// Ends a load. What was read is kept only if nothing was stored meanwhile: it may be older than that.
    pub(super) fn end_load(&mut self, space: SpaceId, began: u64, view: Option<&View>) {
        let fresh = match self.loading.get_mut(&space) {
            Some(loading) => {
                loading.running -= 1;
                let fresh = loading.stored == began;
                if loading.running == 0 {
                    self.loading.remove(&space);
                }
                fresh
            }
            None => false,
        };
        if let (true, Some(view)) = (fresh, view) {
            self.insert(space, view.clone());
        }
    }

    /// Drops what is kept of a space, and what is being read of it.
    pub(super) fn forget(&mut self, space: SpaceId) {
        self.remove(space);
        if let Some(loading) = self.loading.get_mut(&space) {
            loading.stored += 1;
        }
    }

    /// Follows what was stored.
    pub(super) fn stored(&mut self, touches: Vec<Touch>, persisted: &Persisted, memberships: Vec<Arc<Membership>>) {
        for tail in &persisted.tails {
            if let Some(loading) = self.loading.get_mut(&tail.space) {
                loading.stored += 1;
            }
        }
        for (touch, outcome) in touches.into_iter().zip(&persisted.outcomes) {
            match (touch, outcome) {
                (Touch::Entry { space, log, name, seq, hash }, Outcome::Stored(_)) => {
                    self.move_head(space, log, Head { name, seq, hash });
                }
                (Touch::Entry { space, .. }, Outcome::Forked(..))
                | (Touch::Fork(space), Outcome::Stored(_) | Outcome::Forked(..)) => self.remove(space),
                // A membership entry that was not taken must not stay evaluated.
                (Touch::Entry { space, .. }, Outcome::Gap | Outcome::Refused(_)) => self.remove(space),
                (Touch::Entry { .. }, Outcome::Duplicate)
                | (Touch::Fork(_), Outcome::Duplicate | Outcome::Gap | Outcome::Refused(_))
                | (Touch::Other, _) => {}
            }
        }
        for membership in memberships {
            if let Some(slot) = self.slots.get_mut(&membership.space()) {
                slot.view.membership = membership;
            }
        }
        for tail in &persisted.tails {
            if let Some(slot) = self.slots.get_mut(&tail.space)
                && tail.arrival >= slot.view.tail.arrival
            {
                slot.view.tail = *tail;
            }
            self.weigh(tail.space);
        }
    }

    /// Moves the head of a log. Where a fork is involved the store says better which log an entry went to.
    fn move_head(&mut self, space: SpaceId, log: LogId, head: Head) {
        let Some(slot) = self.slots.get_mut(&space) else {
            return;
        };
        if !slot.view.forks.is_empty() || !head.name.path.is_empty() {
            self.remove(space);
            return;
        }
        match slot.view.heads.get_mut(&log) {
            Some(known) if known.seq >= head.seq => {}
            Some(known) => *known = head,
            None => {
                slot.view.heads.insert(log, head);
            }
        }
    }

    fn insert(&mut self, space: SpaceId, view: View) {
        self.remove(space);
        self.clock += 1;
        self.slots.insert(space, Slot { view, used: self.clock, weight: 0 });
        self.weigh(space);
    }

    fn remove(&mut self, space: SpaceId) {
        if let Some(slot) = self.slots.remove(&space) {
            self.weight -= slot.weight;
        }
    }

    /// Weighs a slot anew and drops the least recently used ones until all fit.
    fn weigh(&mut self, space: SpaceId) {
        if let Some(slot) = self.slots.get_mut(&space) {
            let weight = slot.view.membership.len() + slot.view.heads.len() + 1;
            self.weight = self.weight + weight - slot.weight;
            slot.weight = weight;
        }
        while self.weight > self.weight_max {
            let oldest = self.slots.iter().min_by_key(|(_, slot)| slot.used).map(|(space, _)| *space);
            let Some(oldest) = oldest else { break };
            self.remove(oldest);
        }
    }
}
