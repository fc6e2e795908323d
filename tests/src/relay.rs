//! A relay in this process, and devices that meet it over loopback with real stores and real sessions.
//!
//! Nothing here sleeps: a test waits for an event of a session, for the end of a connection, or for a future of the
//! relay's own.

mod live;
mod pair;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alliance_crypto::{DeviceSecret, Secret, Verified};
use alliance_net::{
    Activity, CloseReason, ConnectError, Connection, ConnectionLost, DeviceIdentity, Dialer, EarlyData, RelayAddress,
    Settings,
};
use alliance_relay::{Config, Relay};
use alliance_store::{CACHED_ENTRIES_MAX, Fresh, Options, Replica, ShareRule, Spaces, SqliteReplica};
use alliance_sync::{Batch, Event, Incoming, Outcome};
use alliance_wire::frame::Reason;
use alliance_wire::{DeviceKey, Frame, HeaderHash, Incarnation, Instance, SpaceId};
use tempfile::TempDir;

use crate::random::Random;
use crate::world::Writer;

pub use live::Live;
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
    /// Why the device's session ended the connection, where it did.
    pub closed: Option<alliance_sync::CloseReason>,
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

    /// Meets the relay until both have everything, or the relay refuses, or neither gets further, or the connection ends.
    pub async fn visit(&self, relay: &RelayAddress) -> Visit {
        let mut live = self.live(relay).await;
        // ABSENT is where presenting a space begins, REVOKED where handing over does.
        let goes_on = |reason: &Reason| matches!(reason, Reason::Absent | Reason::Revoked);
        let refused = |event: &Event| matches!(event, Event::Refused { entry: None, reason, .. } if !goes_on(reason));
        live.until_apart_or(|event| *event == Event::Settled || refused(event)).await;
        live.leave().await
    }

    /// Meets the relay and stays.
    pub async fn live(&self, relay: &RelayAddress) -> Live {
        let connection = self.connect(relay).await;
        let rule = ShareRule::Relay { expected: self.expected.clone() };
        Live::begin(self.key, self.spaces.clone(), rule, connection)
    }
}

/// The TLS identity of a writer.
fn identity(writer: &Writer) -> DeviceIdentity {
    let secret = Arc::new(DeviceSecret::from_seed(*writer.secret.seed()));
    DeviceIdentity::new(writer.key(), move |message| secret.sign(message))
}

/// The entries of a space in a replica, sorted.
///
/// # Panics
/// If its store does not answer.
pub async fn hashes(replica: &SqliteReplica, space: SpaceId) -> Vec<HeaderHash> {
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
