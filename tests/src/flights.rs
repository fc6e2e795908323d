//! A way between one device and a relay that counts flights, by cause and not by the clock.
//!
//! A datagram of the device belongs to flight n if the device sent it after it had been handed a datagram of the relay's
//! flight n - 1, and a datagram of the relay to the flight of what it had been handed last. The delay on the way gives
//! either side time to send the whole of a flight before it is handed the next one: it groups datagrams, it measures
//! nothing. What the device sends beyond a limit is dropped, so that an exchange that comes to its end has shown that
//! it needs no more than that, however long anybody took.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// One way. Half of the pause between two flights of one side, in which all of a flight leaves.
const ONE_WAY: Duration = Duration::from_millis(200);

/// What marks the packets of a handshake (RFC 9000 section 17.2).
const LONG_HEADER: u8 = 0x80;

/// The way. It lives as long as this does.
pub struct Way {
    listen: SocketAddr,
    device_side: Arc<UdpSocket>,
    counts: Arc<Mutex<Counts>>,
    tasks: JoinSet<()>,
}

/// What has passed since counting began.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// The deepest flight that was handed to the relay.
    to_relay: u32,
    /// The deepest flight of the relay's that was handed to the device: round trips until then.
    pub round_trips: u32,
    /// Datagrams of the device that are dropped because their flight is beyond this.
    limit: u32,
    /// How many were.
    pub dropped: u32,
    /// Datagrams of the device's first flight that belong to a connection which begins: they have long headers. An
    /// earlier connection may still say its last.
    pub first_flight: Vec<Vec<u8>>,
}

impl Way {
    /// Stands at an address of its own; [`Way::lead_to`] says where it leads.
    ///
    /// # Panics
    /// If the machine gives no socket.
    pub async fn new() -> Self {
        let device_side = UdpSocket::bind(("127.0.0.1", 0)).await.expect("a socket");
        let listen = device_side.local_addr().expect("a port");
        Self { listen, device_side: Arc::new(device_side), counts: Arc::default(), tasks: JoinSet::new() }
    }

    /// Where the device finds it.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.listen
    }

    /// Leads to a relay from now on.
    ///
    /// # Panics
    /// If the machine gives no socket.
    pub async fn lead_to(&mut self, relay: SocketAddr) {
        let relay_side = Arc::new(UdpSocket::bind(("127.0.0.1", 0)).await.expect("a socket"));
        relay_side.connect(relay).await.expect("an address");
        let device = Arc::<Mutex<Option<SocketAddr>>>::default();
        let (up, from_device) = mpsc::unbounded_channel();
        let (down, from_relay) = mpsc::unbounded_channel();
        self.tasks = JoinSet::new();
        self.tasks.spawn(hear_device(Arc::clone(&self.device_side), Arc::clone(&device), self.counts(), up));
        self.tasks.spawn(tell_relay(from_device, Arc::clone(&relay_side), self.counts()));
        self.tasks.spawn(hear_relay(relay_side, self.counts(), down));
        self.tasks.spawn(tell_device(from_relay, Arc::clone(&self.device_side), device, self.counts()));
    }

    /// Counts from nothing, and drops what the device sends beyond its first `limit` flights.
    pub fn count(&self, limit: u32) {
        *lock(&self.counts) = Counts { limit, ..Counts::default() };
    }

    /// What has passed, and lets everything through from now on.
    #[must_use]
    pub fn counted(&self) -> Counts {
        let mut counts = lock(&self.counts);
        let counted = counts.clone();
        counts.limit = u32::MAX;
        counted
    }

    fn counts(&self) -> Arc<Mutex<Counts>> {
        Arc::clone(&self.counts)
    }
}

/// A datagram on its way, with its flight and when it arrives.
type Moving = (Instant, u32, Vec<u8>);

async fn hear_device(
    socket: Arc<UdpSocket>,
    device: Arc<Mutex<Option<SocketAddr>>>,
    counts: Arc<Mutex<Counts>>,
    up: mpsc::UnboundedSender<Moving>,
) {
    let mut buffer = vec![0; 64 * 1_024];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        *lock(&device) = Some(from);
        let mut counts = lock(&counts);
        let flight = counts.round_trips + 1;
        if flight > counts.limit {
            counts.dropped += 1;
            continue;
        }
        if flight == 1 && buffer[0] & LONG_HEADER != 0 {
            counts.first_flight.push(buffer[..length].to_vec());
        }
        // Whoever carries it lives as long as this does.
        let _ = up.send((Instant::now() + ONE_WAY, flight, buffer[..length].to_vec()));
    }
}

async fn tell_relay(mut moving: mpsc::UnboundedReceiver<Moving>, socket: Arc<UdpSocket>, counts: Arc<Mutex<Counts>>) {
    while let Some((due, flight, datagram)) = moving.recv().await {
        sleep_until(due).await;
        {
            let mut counts = lock(&counts);
            counts.to_relay = counts.to_relay.max(flight);
        }
        // A relay that is gone takes nothing; the device finds out.
        let _ = socket.send(&datagram).await;
    }
}

async fn hear_relay(socket: Arc<UdpSocket>, counts: Arc<Mutex<Counts>>, down: mpsc::UnboundedSender<Moving>) {
    let mut buffer = vec![0; 64 * 1_024];
    loop {
        // An error says that a datagram was sent to a relay that is gone.
        let Ok(length) = socket.recv(&mut buffer).await else { continue };
        let flight = lock(&counts).to_relay;
        let _ = down.send((Instant::now() + ONE_WAY, flight, buffer[..length].to_vec()));
    }
}

async fn tell_device(
    mut moving: mpsc::UnboundedReceiver<Moving>,
    socket: Arc<UdpSocket>,
    device: Arc<Mutex<Option<SocketAddr>>>,
    counts: Arc<Mutex<Counts>>,
) {
    while let Some((due, flight, datagram)) = moving.recv().await {
        sleep_until(due).await;
        {
            let mut counts = lock(&counts);
            counts.round_trips = counts.round_trips.max(flight);
        }
        let device = *lock(&device);
        if let Some(device) = device {
            let _ = socket.send_to(&datagram, device).await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
