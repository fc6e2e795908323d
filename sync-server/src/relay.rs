//! A running relay.

mod tickets;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use alliance_crypto::Rules;
use alliance_net::{
    BindError, CloseReason, Line, RelayAcceptError, RelayAddress, RelayAddressError, RelayListener, Settings,
    TcpRelayListener,
};
use alliance_store::Stats as StoreStats;
use alliance_store::{Fresh, OpenError, Options, SqliteReplica, StoreError};
use alliance_wire::Instance;
use tokio::task::{JoinHandle, JoinSet};

use crate::contact::Host;
use crate::folder::SecretsFileError;
use crate::quota::Quotas;
use crate::service::{self, Opened, Service};
pub(crate) use tickets::TICKET_LIMITS;
pub(crate) use tickets::TicketKeeper;

/// Connections that a relay takes unless it is told otherwise: 400 MB at most when all are idle.
pub const CONNECTIONS_MAX: usize = 10_000;
/// Where the operator's database keeps the connect string for `info`.
pub(crate) const CONNECT_SETTING: &str = "connect";

/// Tells seconds since 1970. Only days and tickets depend on it, and neither on its being right.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Clock {
    /// A clock of the caller's.
    pub fn new(seconds: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(seconds))
    }

    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }

    pub(crate) fn seconds(&self) -> u64 {
        (self.0)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Clock").field(&self.seconds()).finish()
    }
}

/// How a relay is run.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its data folder; made where it is missing.
    pub data: PathBuf,
    /// Where it listens, UDP. Port 0 is the system's choice.
    pub listen: SocketAddr,
    /// Where it listens as well, TCP, for devices in networks that let no UDP through; port 0 is the system's choice.
    pub listen_tcp: Option<SocketAddr>,
    /// `host:port` under which devices reach it, where that is another address than the one above.
    pub public: Option<String>,
    /// Anybody may create spaces.
    pub open: bool,
    /// The operator says that the database was restored: it takes a new instance (PROTOCOL section 3, R7).
    pub restored: bool,
    /// Connections at once.
    pub connections_max: usize,
    /// How much it takes.
    pub quotas: Quotas,
    /// Times of connections.
    pub settings: Settings,
    /// How its store is run.
    pub store: Options,
    /// The calendar.
    pub clock: Clock,
    /// [`Rules::ALL`] everywhere but in simulations.
    pub rules: Rules,
}

impl Config {
    /// A closed relay with the default limits.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>, listen: SocketAddr) -> Self {
        Self {
            data: data.into(),
            listen,
            listen_tcp: None,
            public: None,
            open: false,
            restored: false,
            connections_max: CONNECTIONS_MAX,
            quotas: Quotas::default(),
            settings: Settings::default(),
            store: Options::default(),
            clock: Clock::system(),
            rules: Rules::ALL,
        }
    }
}

/// Why a relay did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder could not be opened.
    #[error("the relay's data folder: {0}")]
    Store(#[from] OpenError),
    /// Its secrets could not be read or made.
    #[error(transparent)]
    Secrets(#[from] SecretsFileError),
    /// It cannot listen there.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The public address is no address.
    #[error("the public address: {0}")]
    Public(#[from] RelayAddressError),
    /// It listens on every address of the machine, and none of them is known to be the one that devices reach.
    #[error("{0} is no address that a device can connect to: say which one is, with --public HOST:PORT")]
    PublicNeeded(SocketAddr),
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    Randomness,
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.into())
    }
}

/// What a relay holds and does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Its database.
    pub instance: Instance,
    /// Connections that are open.
    pub connections: usize,
    /// Connections since the start.
    pub accepted: u64,
    /// Items stored since the start.
    pub stored: u64,
    /// Refusals since the start, by either side.
    pub refused: u64,
    /// What lies in the store.
    pub store: StoreStats,
}

/// A running relay. [`Relay::shutdown`] ends it in order; dropping it ends it as a crash would.
#[derive(Debug)]
pub struct Relay {
    service: Service,
    listener: Arc<RelayListener>,
    tcp: Option<Arc<TcpRelayListener>>,
    address: RelayAddress,
    accepting: Option<JoinHandle<()>>,
}

impl Relay {
    /// Opens the data folder and listens.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let fresh = Fresh::draw(&random()?, config.clock.seconds().saturating_mul(1_000));
        let (listen, listen_tcp) = (config.listen, config.listen_tcp);
        let (settings, public) = (config.settings, config.public.clone());
        let (clock, connections_max) = (config.clock.clone(), config.connections_max);
        let opened = tokio::task::spawn_blocking(move || {
            let opened = Opened::open(&config, fresh)?;
            let tickets = opened.tickets()?;
            Ok::<_, StartError>((config, opened, tickets))
        });
        let (config, opened, tickets) = opened.await.map_err(|_| StoreError::Closed)??;
        let keeper = Arc::new(TicketKeeper::new(tickets, clock));
        let tickets: Arc<dyn alliance_net::TicketStore> = Arc::<TicketKeeper>::clone(&keeper);
        let listener = RelayListener::bind(listen, opened.secrets(), tickets, settings)?;
        let listener = Arc::new(listener);
        let tcp = listen_tcp.map(|address| TcpRelayListener::bind(address, opened.secrets(), settings));
        let tcp = tcp.transpose()?.map(Arc::new);
        let address = public_address(&listener, public.as_deref())?;
        opened.keep_address(&address)?;
        let service = Service::start(config, opened.keeping(keeper));
        let host = Arc::clone(service.host());
        let accepting = tokio::spawn(accept(host, (Arc::clone(&listener), tcp.clone()), connections_max));
        Ok(Self { service, listener, tcp, address, accepting: Some(accepting) })
    }

    /// Its key and the address under which devices reach it: the connect string that people are given.
    #[must_use]
    pub const fn address(&self) -> &RelayAddress {
        &self.address
    }

    /// The address at which it listens.
    ///
    /// # Errors
    /// [`BindError::Socket`] if the system does not say.
    pub fn local_addr(&self) -> Result<SocketAddr, BindError> {
        self.listener.local_addr()
    }

    /// The address at which it listens over TCP, if it does.
    ///
    /// # Errors
    /// [`BindError::Socket`] if the system does not say.
    pub fn local_tcp_addr(&self) -> Result<Option<SocketAddr>, BindError> {
        self.tcp.as_ref().map(|tcp| tcp.local_addr()).transpose()
    }

    /// Its database.
    #[must_use]
    pub fn instance(&self) -> Instance {
        self.service.instance()
    }

    /// What it holds and does.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stats(&self) -> Result<Stats, StoreError> {
        self.service.stats().await
    }

    /// The replica, for tests that look at what is stored.
    #[must_use]
    pub fn replica(&self) -> &SqliteReplica {
        self.service.replica()
    }

    /// Takes nobody in any more, stores what has come in whole, tells every peer, and closes the stores.
    pub async fn shutdown(mut self) {
        self.service.say_stop();
        self.listener.stop_accepting();
        if let Some(accepting) = self.accepting.take()
            && accepting.await.is_err()
        {
            tracing::error!("the relay's accepting task did not end in order");
        }
        let over_tcp = async {
            if let Some(tcp) = &self.tcp {
                tcp.close(CloseReason::Shutdown).await;
            }
        };
        tokio::join!(self.listener.close(CloseReason::Shutdown), over_tcp);
        self.service.close().await;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

fn public_address(listener: &RelayListener, public: Option<&str>) -> Result<RelayAddress, StartError> {
    let local = listener.local_addr()?;
    match public {
        Some(public) => Ok(RelayAddress::new(listener.key(), public)?),
        None if local.ip().is_unspecified() => Err(StartError::PublicNeeded(local)),
        None => Ok(RelayAddress::new(listener.key(), local.to_string())?),
    }
}

/// Takes connections in, each with a task of its own, until the relay stops; then waits for all of them.
async fn accept(
    host: Arc<Host>,
    (listener, tcp): (Arc<RelayListener>, Option<Arc<TcpRelayListener>>),
    connections_max: usize,
) {
    let mut tasks = JoinSet::new();
    let mut stopping = host.stopping.clone();
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => break,
            ended = tasks.join_next(), if !tasks.is_empty() => {
                if ended.is_some_and(|ended| ended.is_err()) {
                    tracing::error!("a connection's task did not end in order");
                }
            }
            incoming = listener.accept() => match incoming {
                Some(incoming) if tasks.len() < connections_max => {
                    tasks.spawn(greet(Arc::clone(&host), incoming.establish()));
                }
                Some(incoming) => incoming.refuse(),
                None => break,
            },
            // One that finds no room is dropped unheard, and sees its connection end.
            incoming = over_tcp(tcp.as_deref()) => if tasks.len() < connections_max {
                tasks.spawn(greet(Arc::clone(&host), incoming.establish()));
            },
        }
    }
    while tasks.join_next().await.is_some() {}
}

/// The next attempt over TCP; never, where the relay does not listen there.
async fn over_tcp(tcp: Option<&TcpRelayListener>) -> alliance_net::TcpIncoming {
    match tcp {
        Some(tcp) => tcp.accept().await,
        None => core::future::pending().await,
    }
}

/// Sees a device through the handshake and serves it.
async fn greet<L: Line>(host: Arc<Host>, handshake: impl Future<Output = Result<L, RelayAcceptError>>) {
    let mut stopping = host.stopping.clone();
    let established = tokio::select! {
        established = handshake => established,
        _ = stopping.wait_for(|stopping| *stopping) => return,
    };
    let connection = match established {
        Ok(connection) => connection,
        Err(error) => {
            tracing::debug!(%error, "a handshake came to nothing");
            return;
        }
    };
    service::serve(host, connection).await;
}

fn random<const N: usize>() -> Result<[u8; N], StartError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| StartError::Randomness)?;
    Ok(bytes)
}
