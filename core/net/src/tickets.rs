//! Session tickets: what lets a device that a relay knows speak in its first datagram (0-RTT).
//!
//! rustls accepts 0-RTT only from a server that remembers each ticket and forgets it at its first use, which is what
//! makes a replay of early data harmless. The memory is a [`TicketStore`]; a relay's lies in a database of its own.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use alliance_wire::DeviceKey;
use rustls::server::StoresServerSessions;

use crate::identity::key_within;

/// Tickets that are kept for one device (docs/PROTOCOL.md section 5). Each connection uses one and is given two.
pub const TICKETS_PER_DEVICE_MAX: usize = 4;
/// How long a ticket opens a connection: 24 hours, the lifetime that rustls tells the device.
pub const TICKET_MILLIS_MAX: u64 = 24 * 60 * 60 * 1_000;
/// Tickets that [`MemoryTickets`] keeps in all, about 300 bytes each.
pub const TICKETS_MAX: usize = 16 * 1_024;

/// The memory of tickets. Its calls come from inside the handshake and block it: they must take well under a
/// millisecond and need not be durable, since a lost ticket costs one round trip.
///
/// A value holds a resumption secret and the device's key. Whoever reads the store can read early data recorded on the
/// network and open connections as those devices until the tickets expire.
pub trait TicketStore: fmt::Debug + Send + Sync {
    /// Keeps a ticket of `device`, dropping that device's oldest beyond [`TICKETS_PER_DEVICE_MAX`]. `false`: not kept.
    fn put(&self, device: DeviceKey, key: &[u8], value: &[u8]) -> bool;

    /// Hands a ticket out and forgets it in one step, so that no two callers get the same one (replay). `None` for one
    /// that is unknown or older than [`TICKET_MILLIS_MAX`].
    fn take(&self, key: &[u8]) -> Option<Vec<u8>>;

    /// Forgets a device's tickets. A device that lost its rights must be checked at each connection all the same.
    fn forget(&self, device: DeviceKey);
}

/// Tickets in memory, bounded per device, in number and in time: for relays that accept a full handshake after a
/// restart, and for tests.
pub struct MemoryTickets {
    clock: Box<dyn Fn() -> u64 + Send + Sync>,
    book: Mutex<Book>,
}

impl MemoryTickets {
    /// An empty store; `clock` gives milliseconds that never go back.
    pub fn new(clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { clock: Box::new(clock), book: Mutex::default() }
    }

    /// How many tickets are kept.
    #[must_use]
    pub fn count(&self) -> usize {
        self.book().by_key.len()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // No call leaves the book half changed in a way that matters: at worst a ticket is missing.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryTickets {
    /// A store on the system's monotonic clock.
    fn default() -> Self {
        let start = Instant::now();
        Self::new(move || u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

impl fmt::Debug for MemoryTickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTickets").field("count", &self.count()).finish_non_exhaustive()
    }
}

impl TicketStore for MemoryTickets {
    fn put(&self, device: DeviceKey, key: &[u8], value: &[u8]) -> bool {
        let now = (self.clock)();
        self.book().put(now, device, key, value);
        true
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        let now = (self.clock)();
        let ticket = self.book().remove(key)?;
        (now.saturating_sub(ticket.at) < TICKET_MILLIS_MAX).then_some(ticket.value)
    }

    fn forget(&self, device: DeviceKey) {
        let mut book = self.book();
        let numbers = book.by_device.get(&device).cloned().unwrap_or_default();
        for number in numbers {
            book.remove_number(number);
        }
    }
}

#[derive(Default)]
struct Book {
    /// The next number; numbers are in order of arrival.
    next: u64,
    by_key: HashMap<Vec<u8>, Ticket>,
    by_number: BTreeMap<u64, Vec<u8>>,
    by_device: HashMap<DeviceKey, VecDeque<u64>>,
}

struct Ticket {
    number: u64,
    at: u64,
    device: DeviceKey,
    value: Vec<u8>,
}

impl Book {
    fn put(&mut self, now: u64, device: DeviceKey, key: &[u8], value: &[u8]) {
        self.remove(key);
        self.expire(now);
        while let Some(oldest) = self.oldest_beyond_limits(device) {
            self.remove_number(oldest);
        }
        let number = self.next;
        self.next += 1;
        self.by_number.insert(number, key.to_vec());
        self.by_device.entry(device).or_default().push_back(number);
        self.by_key.insert(key.to_vec(), Ticket { number, at: now, device, value: value.to_vec() });
    }

    /// The ticket that must go before one more of `device` can come.
    fn oldest_beyond_limits(&self, device: DeviceKey) -> Option<u64> {
        if let Some(own) = self.by_device.get(&device)
            && own.len() >= TICKETS_PER_DEVICE_MAX
        {
            return own.front().copied();
        }
        (self.by_key.len() >= TICKETS_MAX).then(|| self.by_number.keys().next().copied()).flatten()
    }

    fn expire(&mut self, now: u64) {
        while let Some((&number, key)) = self.by_number.first_key_value() {
            let fresh = |ticket: &Ticket| now.saturating_sub(ticket.at) < TICKET_MILLIS_MAX;
            if self.by_key.get(key).is_some_and(fresh) {
                return;
            }
            self.remove_number(number);
        }
    }

    fn remove_number(&mut self, number: u64) {
        if let Some(key) = self.by_number.remove(&number) {
            self.remove(&key);
        }
    }

    fn remove(&mut self, key: &[u8]) -> Option<Ticket> {
        let ticket = self.by_key.remove(key)?;
        self.by_number.remove(&ticket.number);
        if let Some(own) = self.by_device.get_mut(&ticket.device) {
            own.retain(|number| *number != ticket.number);
            if own.is_empty() {
                self.by_device.remove(&ticket.device);
            }
        }
        Some(ticket)
    }
}

/// A [`TicketStore`] as rustls wants it. rustls names no device, but the value carries the key that the device showed,
/// because client authentication is mandatory here; a value without one is not kept.
#[derive(Debug)]
pub(crate) struct Sessions(pub(crate) Arc<dyn TicketStore>);

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        key_within(&value).is_some_and(|device| self.0.put(device, &key, &value))
    }

    /// Serves TLS 1.2 only, which is never spoken here.
    fn get(&self, _key: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.take(key)
    }

    fn can_cache(&self) -> bool {
        true
    }
}
