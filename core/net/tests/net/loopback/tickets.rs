//! The bounded memory of tickets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alliance_net::{MemoryTickets, TICKET_MILLIS_MAX, TICKETS_MAX, TICKETS_PER_DEVICE_MAX, TicketStore};
use alliance_wire::DeviceKey;

fn store() -> (MemoryTickets, Arc<AtomicU64>) {
    let clock = Arc::new(AtomicU64::new(1_000));
    let hand = Arc::clone(&clock);
    (MemoryTickets::new(move || hand.load(Ordering::Relaxed)), clock)
}

fn device(number: usize) -> DeviceKey {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&(number as u64).to_be_bytes());
    DeviceKey(key)
}

#[test]
fn a_ticket_is_handed_out_once_and_within_a_day() {
    let (tickets, clock) = store();
    for (age, kept) in [(0, true), (TICKET_MILLIS_MAX - 1, true), (TICKET_MILLIS_MAX, false)] {
        tickets.put(device(1), b"key", b"value");
        clock.fetch_add(age, Ordering::Relaxed);
        assert_eq!(tickets.take(b"key").is_some(), kept, "after {age} ms");
        assert_eq!(tickets.take(b"key"), None, "a second time");
    }
    // An old ticket goes when a new one comes, asked for or not.
    tickets.put(device(1), b"old", b"value");
    clock.fetch_add(TICKET_MILLIS_MAX, Ordering::Relaxed);
    tickets.put(device(2), b"new", b"value");
    assert_eq!(tickets.count(), 1);
}

#[test]
fn a_device_has_four_tickets_and_all_together_have_a_limit() {
    let (tickets, _clock) = store();
    for number in 0..TICKETS_PER_DEVICE_MAX + 2 {
        tickets.put(device(1), &number.to_be_bytes(), b"value");
    }
    tickets.put(device(2), b"another's", b"value");
    assert_eq!(tickets.count(), TICKETS_PER_DEVICE_MAX + 1);
    for number in 0..TICKETS_PER_DEVICE_MAX + 2 {
        assert_eq!(tickets.take(&number.to_be_bytes()).is_some(), number >= 2, "ticket {number}");
    }
    tickets.forget(device(2));
    for number in 0..TICKETS_MAX + 10 {
        tickets.put(device(number), &number.to_be_bytes(), b"value");
    }
    assert_eq!(tickets.count(), TICKETS_MAX);
    assert_eq!(tickets.take(&9_usize.to_be_bytes()), None);
    assert!(tickets.take(&10_usize.to_be_bytes()).is_some());
}

#[test]
fn a_device_can_be_forgotten() {
    let (tickets, _clock) = store();
    tickets.put(device(1), b"a", b"value");
    tickets.put(device(1), b"b", b"value");
    tickets.put(device(2), b"c", b"value");
    tickets.forget(device(1));
    assert_eq!((tickets.take(b"a"), tickets.take(b"b")), (None, None));
    assert!(tickets.take(b"c").is_some());
}
