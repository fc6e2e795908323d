//! The relay's tickets as the transport wants them.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use alliance_net::{TICKET_MILLIS_MAX, TICKETS_MAX, TICKETS_PER_DEVICE_MAX, TicketStore};
use alliance_store::StoreError;
use alliance_store::operator::{TicketLimits, Tickets};
use alliance_wire::DeviceKey;

use super::Clock;

pub(crate) const TICKET_LIMITS: TicketLimits =
    TicketLimits { per_device: TICKETS_PER_DEVICE_MAX, total: TICKETS_MAX, millis: TICKET_MILLIS_MAX };

/// Devices that are remembered as out of every space; the tickets of more go once, and come again with a connection.
const OUT_MAX: usize = 4_096;

/// Tickets on disk, by the relay's clock.
#[derive(Debug)]
pub(crate) struct TicketKeeper {
    tickets: Tickets,
    clock: Clock,
    /// Devices that were put out of their last space here: each connection of theirs is a full handshake.
    out: Mutex<HashSet<DeviceKey>>,
}

impl TicketKeeper {
    pub(super) fn new(tickets: Tickets, clock: Clock) -> Self {
        Self { tickets, clock, out: Mutex::default() }
    }

    /// A device is out of its last space here: its tickets go, and it gets no more.
    pub(crate) fn put_out(&self, device: DeviceKey) {
        let mut out = self.out();
        if !out.contains(&device) {
            if out.len() < OUT_MAX {
                out.insert(device);
            }
            drop(out);
            self.forget(device);
        }
    }

    /// A device is in a space here.
    pub(crate) fn let_in(&self, device: DeviceKey) {
        self.out().remove(&device);
    }

    fn out(&self) -> MutexGuard<'_, HashSet<DeviceKey>> {
        // Every change is one insertion or removal.
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        self.clock.seconds().saturating_mul(1_000)
    }
}

impl TicketStore for TicketKeeper {
    fn put(&self, device: DeviceKey, key: &[u8], value: &[u8]) -> bool {
        !self.out().contains(&device) && told(self.tickets.put(device, key, value, self.now())).is_some()
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        told(self.tickets.take(key, self.now())).flatten()
    }

    fn forget(&self, device: DeviceKey) {
        told(self.tickets.forget(device));
    }
}

/// Without a ticket a device makes a full handshake: a failure is worth a line, not more.
fn told<T>(result: Result<T, StoreError>) -> Option<T> {
    result.inspect_err(|error| tracing::warn!(%error, "a session ticket could not be kept or found")).ok()
}
