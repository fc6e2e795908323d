//! Who is connected, and what each connection still has to be told.
//!
//! A connection holds a set of dirty spaces, never queued entries: however much is written, what waits for a slow
//! connection is one tail a space (docs/PROTOCOL.md section 3).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alliance_sync::Tail;
use alliance_wire::{DeviceKey, SpaceId};
use tokio::sync::Notify;

/// Notices of open documents that wait for one connection. They are hints: the oldest goes first.
const WATCHES_MAX: usize = 16;

/// All connections, by device.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    seats: Mutex<BTreeMap<DeviceKey, Vec<Arc<Seat>>>>,
}

/// One connection's place.
#[derive(Debug, Default)]
pub(crate) struct Seat {
    news: Mutex<News>,
    ready: Notify,
}

/// What a connection has not been told yet.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Spaces that changed, with their newest state.
    pub(crate) tails: BTreeMap<SpaceId, Tail>,
    /// Sealed notices that somebody has a document open.
    pub(crate) watches: VecDeque<(SpaceId, Vec<u8>)>,
}

impl News {
    fn is_empty(&self) -> bool {
        self.tails.is_empty() && self.watches.is_empty()
    }
}

/// A connection's presence; it leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct Presence {
    hub: Arc<Hub>,
    device: DeviceKey,
    pub(crate) seat: Arc<Seat>,
}

impl Hub {
    /// Takes a connection up; `None` when its device has `at_most` already.
    pub(crate) fn join(self: &Arc<Self>, device: DeviceKey, at_most: usize) -> Option<Presence> {
        let seat = Arc::<Seat>::default();
        let mut seats = self.seats();
        let own = seats.entry(device).or_default();
        if own.len() >= at_most {
            return None;
        }
        own.push(Arc::clone(&seat));
        Some(Presence { hub: Arc::clone(self), device, seat })
    }

    /// Tells the connections of these devices that a space changed.
    pub(crate) fn changed(&self, devices: impl Iterator<Item = DeviceKey>, tail: Tail) {
        let seats = self.seats();
        for seat in devices.filter_map(|device| seats.get(&device)).flatten() {
            seat.tell(|news| {
                let newest = news.tails.entry(tail.space).or_insert(tail);
                if newest.arrival < tail.arrival {
                    *newest = tail;
                }
            });
        }
    }

    /// Passes a notice on to the connections of these devices, but not to the one that it came from.
    pub(crate) fn watching(
        &self,
        devices: impl Iterator<Item = DeviceKey>,
        from: &Arc<Seat>,
        space: SpaceId,
        sealed: &[u8],
    ) {
        let seats = self.seats();
        let others = devices.filter_map(|device| seats.get(&device)).flatten().filter(|seat| !Arc::ptr_eq(seat, from));
        for seat in others {
            seat.tell(|news| {
                if news.watches.len() >= WATCHES_MAX {
                    news.watches.pop_front();
                }
                news.watches.push_back((space, sealed.to_vec()));
            });
        }
    }

    /// The devices that are connected.
    pub(crate) fn devices(&self) -> Vec<DeviceKey> {
        self.seats().keys().copied().collect()
    }

    /// How many connections there are.
    pub(crate) fn connections(&self) -> usize {
        self.seats().values().map(Vec::len).sum()
    }

    fn seats(&self) -> MutexGuard<'_, BTreeMap<DeviceKey, Vec<Arc<Seat>>>> {
        // Every change is one insertion or removal.
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Waits until there is something to be told.
    pub(crate) async fn ready(&self) {
        loop {
            let notified = self.ready.notified();
            if !self.news().is_empty() {
                return;
            }
            notified.await;
        }
    }

    /// Takes what there is.
    pub(crate) fn take(&self) -> News {
        std::mem::take(&mut *self.news())
    }

    fn tell(&self, change: impl FnOnce(&mut News)) {
        change(&mut self.news());
        self.ready.notify_one();
    }

    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut seats = self.hub.seats();
        if let Some(own) = seats.get_mut(&self.device) {
            own.retain(|seat| !Arc::ptr_eq(seat, &self.seat));
            if own.is_empty() {
                seats.remove(&self.device);
            }
        }
    }
}
