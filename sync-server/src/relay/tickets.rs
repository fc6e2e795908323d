//! The relay's tickets as the transport wants them.

use alliance_net::{TICKET_MILLIS_MAX, TICKETS_MAX, TICKETS_PER_DEVICE_MAX, TicketStore};
use alliance_store::StoreError;
use alliance_store::operator::{TicketLimits, Tickets};
use alliance_wire::DeviceKey;

use super::Clock;

pub(crate) const TICKET_LIMITS: TicketLimits =
    TicketLimits { per_device: TICKETS_PER_DEVICE_MAX, total: TICKETS_MAX, millis: TICKET_MILLIS_MAX };

/// Tickets on disk, by the relay's clock.
#[derive(Debug)]
pub(super) struct TicketKeeper {
    pub(super) tickets: Tickets,
    pub(super) clock: Clock,
}

impl TicketKeeper {
    fn now(&self) -> u64 {
        self.clock.seconds().saturating_mul(1_000)
    }
}

impl TicketStore for TicketKeeper {
    fn put(&self, device: DeviceKey, key: &[u8], value: &[u8]) -> bool {
        told(self.tickets.put(device, key, value, self.now())).is_some()
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
