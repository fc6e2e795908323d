//! A relay in this process, and devices that meet it over loopback with real stores and real sessions.
//!
//! Nothing here sleeps: a test waits for an event of a session, for the end of a connection, or for a future of the
//! relay's own.

mod pair;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alliance_crypto::{DeviceSecret, Rules, Secret, Verified};
use alliance_net::{
    Activity, CloseReason, ConnectError, Connection, ConnectionLost, DeviceIdentity, Dialer, EarlyData, FrameReceiver,
    FrameSender, ReceiveError, RelayAddress, Settings,
};
use alliance_relay::{Config, Relay};
use alliance_store::{CACHED_ENTRIES_MAX, Fresh, Options, Replica, ShareRule, Spaces, SqliteReplica};
use alliance_sync::{Batch, Effect, Event, Incoming, Input, Outcome, Query, Role, Session};
use alliance_wire::frame::Reason;
use alliance_wire::{DeviceKey, Frame, HeaderHash, Incarnation, Instance, SpaceId};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::random::Random;
use crate::world::Writer;

pub use pair::Pair;

/// Ends a test that hangs. A test that passes never waits for it.
const HANG: Duration = Duration::from_secs(120);

/// Runs a test, and fails it when it hangs.
///
/// # Panics
/// If the test hangs.
pub async fn watched<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANG, test).await.expect("the test hangs")
}

/// Lets anybody create spaces.
pub const fn open(config: &mut Config) {
    config.open = true;
}

/// A relay with its data folder. It keeps folder, key and port over restarts.
pub struct Site {
    folder: TempDir,
    listen: SocketAddr,
    relay: Option<Relay>,
}

impl Site {
    /// Starts a relay on a port of the system's choice. `change` makes it other than closed with default limits.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(tempfile::tempdir().expect("a temporary folder"), change).await
    }

    /// The same in a folder whose `data` may hold a relay already.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start_in(folder: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let mut site = Self { folder, listen: SocketAddr::from(([127, 0, 0, 1], 0)), relay: None };
        site.open(change).await;
        site.listen = site.relay().local_addr().expect("a port");
        site
    }

    /// The running relay.
    ///
    /// # Panics
    /// If it was stopped.
    #[must_use]
    pub fn relay(&self) -> &Relay {
        self.relay.as_ref().expect("the relay runs")
    }

    /// Its connect string.
    #[must_use]
    pub fn address(&self) -> RelayAddress {
        self.relay().address().clone()
    }

    /// Its data folder.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Stops it in order.
    ///
    /// # Panics
    /// If it was stopped before.
    pub async fn stop(&mut self) {
        self.relay.take().expect("the relay runs").shutdown().await;
    }

    /// Starts it again on the same folder and port.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn open(&mut self, change: impl FnOnce(&mut Config)) {
        let mut config = Config::new(self.folder.path().join("data"), self.listen);
        change(&mut config);
        self.relay = Some(Relay::start(config).await.expect("the relay starts"));
    }

    /// How many entries of a space it holds.
    ///
    /// # Panics
    /// If its store does not answer.
    pub async fn hashes(&self, space: SpaceId) -> Vec<HeaderHash> {
        hashes(self.relay().replica(), space).await
    }
}

/// A device with a store of its own.
pub struct Device {
    key: DeviceKey,
    /// Its store.
    pub spaces: Spaces<SqliteReplica>,
    dialer: Dialer,
    /// Spaces that it was invited to and does not have yet.
    pub expected: Vec<SpaceId>,
    _folder: TempDir,
}

/// What became of a visit.
#[derive(Debug)]
pub struct Visit {
    /// What the session said, in order.
    pub events: Vec<Event>,
    /// Why the connection ended, where the device did not end it itself.
    pub lost: Option<ConnectionLost>,
    /// What became of 0-RTT.
    pub early: EarlyData,
    /// Bytes of frames, both ways.
    pub frame_bytes: u64,
}

impl Visit {
    /// The codes of what the relay refused.
    #[must_use]
    pub fn refusals(&self) -> Vec<&'static str> {
        let mut codes = Vec::new();
        for event in &self.events {
            if let Event::Refused { reason, ours: true, .. } = event {
                codes.push(reason.code());
            }
        }
        codes.dedup();
        codes
    }

    /// Whether both had everything at the end.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.events.contains(&Event::Settled)
    }
}

impl Device {
    /// The device of a writer, with an empty store.
    ///
    /// # Panics
    /// If the machine gives no folder or socket.
    #[must_use]
    pub fn new(random: &mut Random, writer: &Writer) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let fresh = Fresh { incarnation: Incarnation(random.bytes16()), instance: Instance(random.bytes16()) };
        let (replica, _) =
            SqliteReplica::open(folder.path(), fresh, false, Options::default()).expect("a new store opens");
        let dialer = Dialer::bind(identity(writer), Settings::default()).expect("a socket");
        let spaces = Spaces::new(replica, CACHED_ENTRIES_MAX);
        Self { key: writer.key(), spaces, dialer, expected: Vec::new(), _folder: folder }
    }

    /// Its key.
    #[must_use]
    pub const fn key(&self) -> DeviceKey {
        self.key
    }

    /// Stores entries as its own writing, and gives their arrival numbers.
    ///
    /// # Panics
    /// If one does not fit.
    pub async fn store(&self, entries: impl IntoIterator<Item = Verified>) -> Vec<u64> {
        let items: Vec<_> = entries.into_iter().map(Incoming::Entry).collect();
        let done = self.spaces.persist(Batch { items, ..Batch::default() }).await.expect("the store answers");
        let arrival = |outcome: &Outcome| {
            let Outcome::Stored(arrival) = outcome else { unreachable!("an own entry fits: {outcome:?}") };
            *arrival
        };
        done.outcomes.iter().map(arrival).collect()
    }

    /// What it holds of a space.
    pub async fn hashes(&self, space: SpaceId) -> Vec<HeaderHash> {
        hashes(self.spaces.replica(), space).await
    }

    /// A bare connection, without a session.
    ///
    /// # Panics
    /// If the relay cannot be reached.
    pub async fn connect(&self, relay: &RelayAddress) -> Connection {
        self.try_connect(relay).await.expect("the relay answers")
    }

    /// The same, if the relay takes it.
    ///
    /// # Errors
    /// [`ConnectError`].
    ///
    /// # Panics
    /// If the relay's address is not an IP address and a port.
    pub async fn try_connect(&self, relay: &RelayAddress) -> Result<Connection, ConnectError> {
        let address = relay.address().parse().expect("an IP address and a port");
        self.dialer.connect(address, relay.key(), Activity::Background).await
    }

    /// Asks the relay one thing on a connection of its own, and gives the answer.
    ///
    /// # Panics
    /// If there is none.
    pub async fn ask(&self, relay: &RelayAddress, frame: &Frame) -> Frame {
        let mut connection = self.connect(relay).await;
        connection.send(&frame.encode()).await.expect("the relay listens");
        let answer = connection.recv().await.expect("the relay answers").expect("a frame");
        connection.handle().close(CloseReason::Done);
        Frame::decode(&answer).expect("the relay sends frames")
    }

    /// Meets the relay until both have everything, or the relay refuses, or the connection ends.
    pub async fn visit(&self, relay: &RelayAddress) -> Visit {
        let mut live = self.live(relay).await;
        // ABSENT is where presenting a space begins.
        let refused =
            |event: &Event| matches!(event, Event::Refused { entry: None, reason, .. } if *reason != Reason::Absent);
        live.until(|event| *event == Event::Settled || refused(event)).await;
        live.leave().await
    }

    /// Meets the relay and stays.
    pub async fn live(&self, relay: &RelayAddress) -> Live {
        let connection = self.connect(relay).await;
        let (commands, hears) = mpsc::unbounded_channel();
        let (tells, events) = mpsc::unbounded_channel();
        let (counts, sent) = watch::channel(0);
        let rule = ShareRule::Relay { expected: self.expected.clone() };
        let task = tokio::spawn(run(self.spaces.clone(), rule, connection, hears, (tells, counts)));
        Live { commands, events, sent, past: Vec::new(), task }
    }
}

/// What a session is told from outside.
enum Command {
    Feed(Input),
    Send(Frame),
    Leave,
}

/// A device that is connected.
pub struct Live {
    commands: mpsc::UnboundedSender<Command>,
    events: mpsc::UnboundedReceiver<Event>,
    sent: watch::Receiver<u64>,
    past: Vec<Event>,
    task: JoinHandle<(Option<ConnectionLost>, EarlyData, u64)>,
}

impl Live {
    /// Waits for an event of the session; `None` if the connection ends first.
    pub async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Option<Event> {
        loop {
            let event = self.events.recv().await?;
            self.past.push(event.clone());
            if wanted(&event) {
                return Some(event);
            }
        }
    }

    /// How many frames were sent so far.
    #[must_use]
    pub fn frames_sent(&self) -> u64 {
        *self.sent.borrow()
    }

    /// Waits until more frames were sent than so many, or the connection ended.
    pub async fn sent_after(&mut self, count: u64) {
        // An error says that the session is gone.
        let _ = self.sent.wait_for(|sent| *sent > count).await;
    }

    /// Feeds the session.
    pub fn feed(&self, input: Input) {
        let _ = self.commands.send(Command::Feed(input));
    }

    /// Sends a frame beside the session.
    pub fn send(&self, frame: Frame) {
        let _ = self.commands.send(Command::Send(frame));
    }

    /// Ends the connection, if it has not ended.
    pub async fn leave(self) -> Visit {
        let _ = self.commands.send(Command::Leave);
        self.ended().await
    }

    /// Lets go of a connection whose other side is gone, and gives what the session said. A session that was sending
    /// would wait for the line to fall silent.
    pub async fn abandon(mut self) -> Vec<Event> {
        self.task.abort();
        // Cancelled, or over just before.
        let _ = (&mut self.task).await;
        let mut events = self.past;
        while let Ok(event) = self.events.try_recv() {
            events.push(event);
        }
        events
    }

    /// Waits until the connection ends.
    ///
    /// # Panics
    /// If the session's task panicked.
    pub async fn ended(mut self) -> Visit {
        let (lost, early, frame_bytes) = (&mut self.task).await.expect("the session's task does not panic");
        let mut events = self.past;
        while let Ok(event) = self.events.try_recv() {
            events.push(event);
        }
        Visit { events, lost, early, frame_bytes }
    }
}

/// The loop of a device's session.
struct Loop {
    spaces: Spaces<SqliteReplica>,
    rule: ShareRule,
    relay: DeviceKey,
    session: Session,
    started: Instant,
    sender: FrameSender,
    tells: mpsc::UnboundedSender<Event>,
    sent: watch::Sender<u64>,
    closed: bool,
}

async fn run(
    spaces: Spaces<SqliteReplica>,
    rule: ShareRule,
    connection: Connection,
    mut hears: mpsc::UnboundedReceiver<Command>,
    (tells, sent): (mpsc::UnboundedSender<Event>, watch::Sender<u64>),
) -> (Option<ConnectionLost>, EarlyData, u64) {
    let relay = connection.peer();
    let (handle, sender, mut receiver) = connection.split();
    let role = Role::Device { towards_relay: true };
    let session = Session::new(alliance_sync::Config { role, peer: relay, dials: true, rules: Rules::ALL }, 0);
    let mut changes = spaces.changes();
    let mut device = Loop { spaces, rule, relay, session, started: Instant::now(), sender, tells, sent, closed: false };
    let mut lost = device.feed(Input::Start).await.err();
    while lost.is_none() && !device.closed {
        let due = device.session.next_deadline().map(|due| device.started + Duration::from_millis(due));
        let fed = tokio::select! {
            biased;
            command = hears.recv() => match command {
                Some(Command::Feed(input)) => device.feed(input).await,
                Some(Command::Send(frame)) => device.send(&frame).await,
                Some(Command::Leave) | None => break,
            },
            changed = changes.recv() => device.feed(Input::Changed(changed.expect("a test writes little"))).await,
            frame = next(&mut receiver), if device.session.wants_frames() => match frame {
                Ok(Some(frame)) => device.feed(Input::Frame(frame)).await,
                Ok(None) => break,
                Err(lost) => Err(lost),
            },
            () = sleep_until(due.unwrap_or(device.started)), if due.is_some() => device.feed(Input::Tick).await,
        };
        lost = fed.err();
    }
    if lost.is_none() {
        lost = device.feed(Input::Ended).await.err();
    }
    let early = handle.early_data();
    let counts = handle.byte_counts();
    handle.close(CloseReason::Done);
    (lost, early, counts.frames_sent + counts.frames_received)
}

async fn next(receiver: &mut FrameReceiver) -> Result<Option<Frame>, ConnectionLost> {
    let received = receiver.recv().await.map_err(|error| match error {
        ReceiveError::Lost(lost) => lost,
        ReceiveError::Malformed(_) | ReceiveError::Cut => ConnectionLost::PeerMisbehaved,
    });
    Ok(received?.map(|bytes| Frame::decode(&bytes).expect("the relay sends frames")))
}

impl Loop {
    async fn send(&mut self, frame: &Frame) -> Result<(), ConnectionLost> {
        match self.sender.send(&frame.encode()).await {
            Ok(()) => {
                self.sent.send_modify(|sent| *sent += 1);
                Ok(())
            }
            Err(alliance_net::SendError::Lost(lost)) => Err(lost),
            Err(_) => Err(ConnectionLost::ClosedHere),
        }
    }

    /// Feeds the session and performs everything that follows.
    async fn feed(&mut self, input: Input) -> Result<(), ConnectionLost> {
        let ended = matches!(input, Input::Ended);
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = u64::try_from(self.started.elapsed().as_millis()).expect("a short test");
            let mut effects = Vec::new();
            self.session.handle(now, input, &mut effects);
            let mut sent = false;
            for effect in effects {
                match effect {
                    Effect::Send(frame) if !ended => {
                        self.send(&frame).await?;
                        sent = true;
                    }
                    Effect::Send(_) => {}
                    Effect::Ask(ticket, query) => {
                        // A device shares with a relay what names it; the rule takes the relay's key for the peer's.
                        let stores = matches!(query, Query::Persist(_));
                        if !ended || stores {
                            let reply = self.spaces.answer(self.relay, query, &self.rule).await;
                            inputs.push_back(Input::Reply(ticket, reply));
                        }
                    }
                    Effect::Notify(event) => {
                        let _ = self.tells.send(event);
                    }
                    Effect::Close(_) => self.closed = true,
                }
            }
            if sent {
                inputs.push_back(Input::Flushed);
            }
        }
        Ok(())
    }
}

/// The TLS identity of a writer.
fn identity(writer: &Writer) -> DeviceIdentity {
    let secret = Arc::new(DeviceSecret::from_seed(*writer.secret.seed()));
    DeviceIdentity::new(writer.key(), move |message| secret.sign(message))
}

/// The entries of a space in a replica, sorted.
async fn hashes(replica: &SqliteReplica, space: SpaceId) -> Vec<HeaderHash> {
    let mut found = Vec::new();
    let mut after = 0;
    loop {
        let part = alliance_sync::Part::Everything;
        let since = alliance_sync::Since { space, after, part, bytes: 1 << 20 };
        let page = replica.since(since).await.expect("the store answers");
        found.extend(page.items.iter().filter_map(|item| match item {
            alliance_sync::Outgoing::Entry(_, entry) => Some(entry.header().hash()),
            alliance_sync::Outgoing::Receipt(_) | alliance_sync::Outgoing::Fork(..) => None,
        }));
        if !page.more {
            break;
        }
        after = page.upto;
    }
    found.sort_unstable();
    found
}
