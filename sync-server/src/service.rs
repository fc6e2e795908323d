//! What a relay does for devices, whatever carries their frames.
//!
//! [`crate::Relay`] is this behind a QUIC listener. A simulation serves lines of its own making.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use alliance_net::{CloseReason, Line, LineHandle as _, RelayAddress, RelaySecrets};
use alliance_store::operator::{Operator, RelayDay, Tickets, day_of};
use alliance_store::{CACHED_ENTRIES_MAX, Fresh, Replica as _, ShareRule, Spaces, SqliteReplica, StoreError};
use alliance_sync::Tail;
use alliance_wire::{DeviceKey, Instance};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::answers::Answers;
use crate::contact::{self, Counters, Host};
use crate::folder;
use crate::quota::Meter;
use crate::relay::{CONNECT_SETTING, Config, StartError, Stats, TicketKeeper};

/// Connections of one device: an old one may linger while its successor is already here.
const CONNECTIONS_PER_DEVICE_MAX: usize = 8;

/// What was opened in the data folder.
pub struct Opened {
    replica: SqliteReplica,
    secrets: RelaySecrets,
    operator: Operator,
    first_day: RelayDay,
    folder: std::path::PathBuf,
    /// Where sessions' tickets lie; nowhere without a listener.
    keeper: Option<Arc<TicketKeeper>>,
}

impl core::fmt::Debug for Opened {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Opened").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Opened {
    /// Opens the data folder, with these ids where the database needs new ones. Blocks on the disk.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn open(config: &Config, fresh: Fresh) -> Result<Self, StartError> {
        let data = config.data.as_path();
        let (replica, opened) = SqliteReplica::open(data, fresh, config.restored, config.store.clone())?;
        let secrets = folder::read_or_make_secrets(data)?;
        let operator = Operator::open(data)?;
        let today = operator.today(day_of(config.clock.seconds()))?;
        let first_day = operator.first_day(opened.instance, today)?;
        Ok(Self { replica, secrets, operator, first_day, folder: data.to_owned(), keeper: None })
    }

    pub(crate) const fn secrets(&self) -> &RelaySecrets {
        &self.secrets
    }

    pub(crate) fn tickets(&self) -> Result<Tickets, StartError> {
        Ok(Tickets::open(&self.folder, crate::relay::TICKET_LIMITS)?)
    }

    pub(crate) fn keeping(self, keeper: Arc<TicketKeeper>) -> Self {
        Self { keeper: Some(keeper), ..self }
    }

    pub(crate) fn keep_address(&self, address: &RelayAddress) -> Result<(), StoreError> {
        self.operator.set_setting(CONNECT_SETTING, &address.to_string())
    }
}

/// A relay without a listener. Dropping it ends it as a crash would.
#[derive(Debug)]
pub struct Service {
    host: Arc<Host>,
    stop: watch::Sender<bool>,
    dispatching: JoinHandle<()>,
}

impl Service {
    /// Begins to serve from an open data folder, on the present tokio runtime.
    #[must_use]
    pub fn start(config: Config, opened: Opened) -> Self {
        let (stop, stopping) = watch::channel(false);
        let spaces = Spaces::under(config.rules.membership, opened.replica, CACHED_ENTRIES_MAX);
        let changes = spaces.changes();
        let answers = Answers {
            spaces,
            operator: Arc::new(opened.operator),
            meter: Meter::new(config.quotas),
            clock: config.clock,
            first_day: opened.first_day,
            seen: Mutex::default(),
            threads: config.store.disk.is_none(),
        };
        let host = Arc::new(Host {
            answers,
            hub: Arc::default(),
            key: opened.secrets.relay_key(),
            open: config.open,
            rules: config.rules,
            started: Instant::now(),
            stopping,
            counters: Counters::default(),
            keeper: opened.keeper,
        });
        let dispatching = tokio::spawn(dispatch(Arc::clone(&host), changes));
        Self { host, stop, dispatching }
    }

    /// The relay's key.
    #[must_use]
    pub fn key(&self) -> DeviceKey {
        self.host.key
    }

    /// Serves a device until its line ends.
    pub fn serve(&self, line: impl Line) -> impl Future<Output = ()> + Send + 'static {
        serve(Arc::clone(&self.host), line)
    }

    pub(crate) const fn host(&self) -> &Arc<Host> {
        &self.host
    }

    /// Its database.
    #[must_use]
    pub fn instance(&self) -> Instance {
        self.host.answers.spaces.replica().instance()
    }

    /// What it holds and does.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stats(&self) -> Result<Stats, StoreError> {
        let counters = &self.host.counters;
        Ok(Stats {
            instance: self.instance(),
            connections: self.host.hub.connections(),
            accepted: counters.accepted.load(Ordering::Relaxed),
            stored: counters.stored.load(Ordering::Relaxed),
            refused: counters.refused.load(Ordering::Relaxed),
            store: self.host.answers.spaces.replica().stats().await?,
        })
    }

    /// The replica, for tests that look at what is stored.
    #[must_use]
    pub fn replica(&self) -> &SqliteReplica {
        self.host.answers.spaces.replica()
    }

    pub(crate) fn say_stop(&self) {
        // Nobody may be listening: then there is nobody to be told.
        let _ = self.stop.send(true);
    }

    /// Closes the store when nobody is served any more.
    pub(crate) async fn close(&self) {
        self.dispatching.abort();
        let replica = self.host.answers.spaces.replica().clone();
        if tokio::task::spawn_blocking(move || replica.close()).await.is_err() {
            tracing::error!("the store was not closed in order");
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.dispatching.abort();
    }
}

/// Serves a device, unless it has too many lines already.
pub(crate) async fn serve(host: Arc<Host>, line: impl Line) {
    match host.hub.join(line.peer(), CONNECTIONS_PER_DEVICE_MAX) {
        Some(presence) => contact::run(host, line, presence).await,
        None => line.split().0.close(CloseReason::Busy),
    }
}

/// Takes changes from the store to the connections of those who may have them.
async fn dispatch(host: Arc<Host>, mut changes: broadcast::Receiver<Tail>) {
    loop {
        match changes.recv().await {
            Ok(tail) => match host.answers.spaces.membership(tail.space).await {
                // Those that were put out are told so, and whoever was let in again.
                Ok(Some(membership)) => host.hub.changed(membership.listed().map(DeviceKey::from), tail),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "a change could not be passed on");
                    look_at_all(&host).await;
                }
            },
            Err(broadcast::error::RecvError::Lagged(_)) => look_at_all(&host).await,
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// Changes were missed: every connection is told the newest state of all its spaces.
async fn look_at_all(host: &Host) {
    for device in host.hub.devices() {
        match host.answers.spaces.shared(host.key, device, &ShareRule::Served).await {
            Ok(shared) => {
                let tails = shared.spaces.into_iter().map(|space| space.tail).chain(shared.revoked);
                for tail in tails {
                    host.hub.changed(std::iter::once(device), tail);
                }
            }
            Err(error) => tracing::warn!(%error, "changes could not be passed on"),
        }
    }
}
