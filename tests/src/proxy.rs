//! A link between a device and a relay that counts and can be slow: a UDP proxy in a thread of its own.
//!
//! Every datagram passes it in both directions. It counts payload bytes, datagrams and flights as they enter the link,
//! lost ones too: that is what a sender pays for. Delay, loss and rate are the link's ([`Link`]); what is lost follows
//! from the seed and the order in which datagrams came.

mod pipe;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use pipe::Pipe;

/// The longest datagram that UDP carries.
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// How a link treats what it carries, each way by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// From one end to the other: half a round trip.
    pub delay: Duration,
    /// Datagrams in a thousand that are lost.
    pub loss_per_mille: u16,
    /// Bits a second; without it, nothing waits for its turn.
    pub bits_per_second: Option<u64>,
    /// Bytes that may wait for their turn; what comes beyond is lost. Only with a rate.
    pub queue_bytes: usize,
    /// What is lost follows from it.
    pub seed: u64,
}

impl Link {
    /// No delay, no loss, no rate.
    pub const DIRECT: Self =
        Self { delay: Duration::ZERO, loss_per_mille: 0, bits_per_second: None, queue_bytes: 32 * 1024, seed: 1 };

    /// A link with this round trip and nothing else.
    #[must_use]
    pub fn with_round_trip(round_trip: Duration) -> Self {
        Self { delay: round_trip / 2, ..Self::DIRECT }
    }
}

/// Which way a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the device to the relay.
    Up,
    /// From the relay to the device.
    Down,
}

/// Datagrams that followed each other the same way, with none the other way between them. One that answers another
/// begins a new flight. Meaningful where the delay is longer than what the ends take to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flight {
    /// Which way.
    pub way: Way,
    /// How many datagrams.
    pub datagrams: u64,
    /// Their UDP payload, in bytes.
    pub bytes: u64,
}

/// What entered the link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// In order.
    pub flights: Vec<Flight>,
    /// Datagrams from the device that did not arrive.
    pub lost_up: u64,
    /// Datagrams to the device that did not arrive.
    pub lost_down: u64,
}

impl Counts {
    /// UDP payload that went this way, in bytes.
    #[must_use]
    pub fn bytes(&self, way: Way) -> u64 {
        self.flights.iter().filter(|flight| flight.way == way).map(|flight| flight.bytes).sum()
    }

    /// Datagrams that went this way.
    #[must_use]
    pub fn datagrams(&self, way: Way) -> u64 {
        self.flights.iter().filter(|flight| flight.way == way).map(|flight| flight.datagrams).sum()
    }

    /// How often the device got an answer to what it had said: the round trips that somebody waited for. What it says
    /// last and nobody answers, such as an acknowledgement or a farewell, is none.
    #[must_use]
    pub fn round_trips(&self) -> usize {
        self.flights.windows(2).filter(|pair| pair[0].way == Way::Up && pair[1].way == Way::Down).count()
    }

    fn note(&mut self, way: Way, bytes: usize) {
        if self.flights.last().is_none_or(|flight| flight.way != way) {
            self.flights.push(Flight { way, datagrams: 0, bytes: 0 });
        }
        if let Some(flight) = self.flights.last_mut() {
            flight.datagrams += 1;
            flight.bytes += bytes as u64;
        }
    }
}

#[derive(Debug)]
struct Shared {
    counts: Mutex<Counts>,
    link: Mutex<Link>,
}

impl Shared {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn link(&self) -> Link {
        *self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running proxy. It ends with the value.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// A proxy before the relay at this address. Devices dial [`Proxy::address`].
    ///
    /// # Errors
    /// If the machine gives no socket or thread.
    ///
    /// # Panics
    /// If the thread dies before it listens.
    pub fn start(relay: SocketAddr, link: Link) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { counts: Mutex::default(), link: Mutex::new(link) });
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let of_thread = Arc::clone(&shared);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("proxy".into()).spawn(move || {
            runtime.block_on(async move {
                match UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await {
                    Ok(front) => {
                        // Whoever started it waits for this.
                        let _ = tell.send(front.local_addr());
                        carry(front, relay, &of_thread, stopped).await;
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
        })?;
        let address = told.recv().expect("the thread says where it listens, or why it does not")?;
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Where devices reach it.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What entered the link since it started or since the last [`Proxy::take`].
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.counts().clone()
    }

    /// The same, and counts from nothing again.
    #[must_use]
    pub fn take(&self) -> Counts {
        std::mem::take(&mut *self.shared.counts())
    }

    /// Makes it another link. What is under way arrives as it would have.
    pub fn set_link(&self, link: Link) {
        *self.shared.link.lock().unwrap_or_else(PoisonError::into_inner) = link;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It has nothing to say that a test would not have noticed.
            let _ = thread.join();
        }
    }
}

/// One socket towards the relay for each device, as a network address translator has it.
struct Backs {
    relay: SocketAddr,
    sockets: HashMap<SocketAddr, Arc<UdpSocket>>,
    answers: mpsc::UnboundedSender<(SocketAddr, Vec<u8>)>,
}

impl Backs {
    async fn of(&mut self, device: SocketAddr) -> std::io::Result<Arc<UdpSocket>> {
        if let Some(socket) = self.sockets.get(&device) {
            return Ok(Arc::clone(socket));
        }
        let socket = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        socket.connect(self.relay).await?;
        self.sockets.insert(device, Arc::clone(&socket));
        let (listening, answers) = (Arc::clone(&socket), self.answers.clone());
        tokio::spawn(async move {
            let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
            loop {
                // An error says that the relay is not there at the moment; it may come again.
                let Ok(len) = listening.recv(&mut buffer).await else { continue };
                if answers.send((device, buffer[..len].to_vec())).is_err() {
                    return;
                }
            }
        });
        Ok(socket)
    }
}

async fn carry(front: UdpSocket, relay: SocketAddr, shared: &Shared, mut stop: oneshot::Receiver<()>) {
    let (answers, mut answered) = mpsc::unbounded_channel();
    let mut backs = Backs { relay, sockets: HashMap::new(), answers };
    let (mut up, mut down) = (Pipe::new(shared.link().seed), Pipe::new(!shared.link().seed));
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        let due = up.due().into_iter().chain(down.due()).min();
        tokio::select! {
            _ = &mut stop => return,
            got = front.recv_from(&mut buffer) => {
                let Ok((len, device)) = got else { continue };
                offer(shared, Way::Up, &mut up, device, &buffer[..len]);
            }
            Some((device, bytes)) = answered.recv() => offer(shared, Way::Down, &mut down, device, &bytes),
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
        }
        let now = Instant::now();
        while let Some((device, bytes)) = up.arrived(now) {
            // A relay that is not there loses what is sent to it, as on any network.
            if let Ok(socket) = backs.of(device).await {
                let _ = socket.send(&bytes).await;
            }
        }
        while let Some((device, bytes)) = down.arrived(now) {
            let _ = front.send_to(&bytes, device).await;
        }
    }
}

fn offer(shared: &Shared, way: Way, pipe: &mut Pipe, device: SocketAddr, bytes: &[u8]) {
    let carried = pipe.offer(&shared.link(), Instant::now(), device, bytes);
    let mut counts = shared.counts();
    counts.note(way, bytes.len());
    match way {
        Way::Up => counts.lost_up += u64::from(!carried),
        Way::Down => counts.lost_down += u64::from(!carried),
    }
}
