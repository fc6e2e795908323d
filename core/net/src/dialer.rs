//! The side that dials: one endpoint for everything that a process connects to.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use alliance_wire::DeviceKey;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connecting, Endpoint, EndpointConfig, ZeroRttAccepted};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::time::timeout;

use crate::connection::{Connection, EarlyData, Shared};
use crate::direct::{read_proof, write_proof};
use crate::error::{BindError, CloseReason, ConnectionLost, Fault};
use crate::held::HeldRuntime;
use crate::identity::DeviceIdentity;
use crate::listen::{close_endpoint, in_time};
use crate::proof::{self, PROOF_BYTES, ProofError, Role};
use crate::settings::{Activity, Settings, dialer_transport};
use crate::stream::SendError;
use crate::tls;

/// Name under which a direct peer is dialed. It never leaves the process: names are not sent.
pub(crate) const DIRECT_NAME: &str = "direct.invalid";
const ANY_V6: SocketAddr = SocketAddr::new(std::net::IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0);
const ANY_V4: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Dials relays and other devices. Keep one per process: it holds the tickets that let a relay be met by 0-RTT. Clones
/// share everything.
#[derive(Clone)]
pub struct Dialer(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    endpoint: Endpoint,
    runtime: Arc<HeldRuntime>,
    pub(crate) identity: DeviceIdentity,
    pub(crate) settings: Settings,
    /// One TLS configuration for each pinned relay key: tickets bind to its verifier and would not be offered under
    /// another. As many as a person has relays.
    relays: Mutex<HashMap<DeviceKey, Arc<QuicClientConfig>>>,
    pub(crate) direct: Arc<QuicClientConfig>,
}

/// Why a relay could not be reached. On a connection that began with 0-RTT the same failures come from its first
/// `send` or `recv`, as [`ConnectionLost`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The address cannot be dialed from here: port 0, or IPv6 on a machine without it.
    #[error("the address {0} cannot be dialed from here")]
    Address(SocketAddr),
    /// [`Dialer::close`] was called.
    #[error("the dialer is closed")]
    DialerClosed,
    /// What answers at this address has another key than the pinned one.
    #[error("the relay has another key than the pinned one")]
    WrongRelayKey,
    /// The first frame is none that can be sent: empty, or over the limit.
    #[error("the first frame: {0}")]
    FirstFrame(SendError),
    /// The connection did not come about for another reason.
    #[error(transparent)]
    Lost(ConnectionLost),
}

impl From<ConnectionLost> for ConnectError {
    fn from(lost: ConnectionLost) -> Self {
        if lost == ConnectionLost::WrongKey { Self::WrongRelayKey } else { Self::Lost(lost) }
    }
}

impl From<SendError> for ConnectError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Lost(lost) => lost.into(),
            SendError::TooLarge { .. } | SendError::Empty | SendError::Finished => Self::FirstFrame(error),
        }
    }
}

impl ConnectError {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Address(_) | Self::DialerClosed => Fault::Caller,
            Self::FirstFrame(error) => error.fault(),
            Self::WrongRelayKey => Fault::Peer,
            Self::Lost(lost) => lost.fault(),
        }
    }
}

/// Why another device could not be reached directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// The address cannot be dialed from here: port 0, or IPv6 on a machine without it.
    #[error("the address {0} cannot be dialed from here")]
    Address(SocketAddr),
    /// [`Dialer::close`] was called.
    #[error("the dialer is closed")]
    DialerClosed,
    /// The device at this address does not talk with this one. Which device it is stays unknown.
    #[error("the device at this address does not talk with this one")]
    Refused,
    /// The device at this address has proved another key than the expected one. It has been told nothing but this
    /// device's key.
    #[error("another device answers at this address")]
    WrongDeviceKey {
        /// The key that it proved.
        found: DeviceKey,
    },
    /// The device at this address proved nothing.
    #[error("the device at this address did not prove its key")]
    Unproven,
    /// Its proof has a version that this program does not know.
    #[error("the proof is of a version that this program does not know")]
    Incompatible,
    /// The connection did not come about for another reason.
    #[error(transparent)]
    Lost(ConnectionLost),
}

impl From<ConnectionLost> for DialError {
    fn from(lost: ConnectionLost) -> Self {
        if lost == ConnectionLost::Closed(CloseReason::Refused) { Self::Refused } else { Self::Lost(lost) }
    }
}

impl DialError {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Address(_) | Self::DialerClosed => Fault::Caller,
            Self::WrongDeviceKey { .. } | Self::Unproven => Fault::Peer,
            Self::Incompatible => Fault::Incompatible,
            Self::Refused => Fault::Environment,
            Self::Lost(lost) => lost.fault(),
        }
    }
}

impl Dialer {
    /// A dialer for this device on a port of the system's choice, for IPv6 and IPv4, or IPv4 alone where the system has
    /// no IPv6. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// [`BindError::Socket`] if the system gives no socket.
    pub fn bind(identity: DeviceIdentity, settings: Settings) -> Result<Self, BindError> {
        let runtime = Arc::new(HeldRuntime::default());
        let start = |address| {
            let socket = any_port(address)?;
            Endpoint::new(EndpointConfig::default(), None, socket, Arc::clone(&runtime) as Arc<dyn quinn::Runtime>)
        };
        let endpoint = start(ANY_V6).or_else(|_| start(ANY_V4));
        let endpoint = endpoint.map_err(|source| BindError::Socket { address: ANY_V4, source })?;
        let direct = Arc::new(tls::direct_client());
        Ok(Self(Arc::new(Inner { endpoint, runtime, identity, settings, relays: Mutex::default(), direct })))
    }

    /// This device's key.
    #[must_use]
    pub fn key(&self) -> DeviceKey {
        self.0.identity.key()
    }

    /// Connects to the relay at `address` whose key is `relay`, without a word.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(
        &self,
        address: SocketAddr,
        relay: DeviceKey,
        activity: Activity,
    ) -> Result<Connection, ConnectError> {
        self.meet(address, relay, activity, None).await
    }

    /// Connects to the relay at `address` whose key is `relay`, and says `first`.
    ///
    /// With a ticket from an earlier connection of this dialer the frame is in the first datagram, as 0-RTT data
    /// ([`ConnectionHandle::early_data`](crate::ConnectionHandle::early_data) says what becomes of it), readable by the
    /// pinned relay alone, and this returns at once. A frame of at most [`FIRST_FRAME_BYTES`](crate::FIRST_FRAME_BYTES)
    /// leaves room for all that must be there beside it; a longer one begins there and goes on in the next datagram.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect_saying(
        &self,
        address: SocketAddr,
        relay: DeviceKey,
        activity: Activity,
        first: &[u8],
    ) -> Result<Connection, ConnectError> {
        self.meet(address, relay, activity, Some(first)).await
    }

    /// Connects to the device `expected` that listens at `address`. This device proves its key first, to whoever
    /// answers; the connection is handed out only when the other side has proved to be the expected one.
    ///
    /// # Errors
    /// [`DialError`].
    pub async fn dial(
        &self,
        address: SocketAddr,
        expected: DeviceKey,
        activity: Activity,
    ) -> Result<Connection, DialError> {
        let (connection, _) = self.direct(address, activity).await?;
        let (send, recv) = in_time(self.0.settings.handshake, &connection, self.exchange_proofs(&connection, expected))
            .await
            .inspect_err(|error| {
                let reason = match error {
                    DialError::WrongDeviceKey { .. } => CloseReason::WrongKey,
                    DialError::Incompatible => CloseReason::Incompatible,
                    DialError::Unproven
                    | DialError::Address(_)
                    | DialError::DialerClosed
                    | DialError::Refused
                    | DialError::Lost(_) => CloseReason::ProtocolViolation,
                };
                connection.close(reason.var_int(), b"");
            })?;
        let shared = Shared::new(connection, expected, self.0.settings, EarlyData::NotOffered);
        shared.count_up(PROOF_BYTES);
        shared.count_down(PROOF_BYTES);
        Ok(Connection::settled(shared, send, recv))
    }

    /// Moves all connections to a new socket, after the network has changed. They go on at the next packet.
    ///
    /// # Errors
    /// [`BindError::Socket`] if the system gives no socket; the old one stays in use.
    pub fn rebind(&self) -> Result<(), BindError> {
        let endpoint = &self.0.endpoint;
        let v6 = endpoint.local_addr().is_ok_and(|address| address.is_ipv6());
        let address = if v6 { ANY_V6 } else { ANY_V4 };
        any_port(address)
            .and_then(|socket| endpoint.rebind(socket))
            .map_err(|source| BindError::Socket { address, source })
    }

    /// Closes all connections and returns when their peers have been told, within half a second. Finish their streams
    /// first: this does not wait for what was sent.
    pub async fn close(&self, reason: CloseReason) {
        close_endpoint(&self.0.endpoint, reason).await;
    }

    async fn meet(
        &self,
        address: SocketAddr,
        relay: DeviceKey,
        activity: Activity,
        first: Option<&[u8]>,
    ) -> Result<Connection, ConnectError> {
        // Until this is dropped nothing leaves: the first datagram is filled when the first frame has been written.
        let hold = self.0.runtime.hold();
        let connecting =
            self.start(address, &relay_name(relay), self.relay_tls(relay), activity).map_err(|error| match error {
                StartError::Address => ConnectError::Address(address),
                StartError::Closed => ConnectError::DialerClosed,
            })?;
        match connecting.into_0rtt() {
            Ok((connection, accepted)) => {
                let mut speaking = pin!(self.speak_early(connection, accepted, relay, first));
                let spoken = core::future::poll_fn(|context| Poll::Ready(speaking.as_mut().poll(context))).await;
                drop(hold);
                match spoken {
                    Poll::Ready(spoken) => spoken,
                    // More than what the relay lets anybody send early.
                    Poll::Pending => speaking.await,
                }
            }
            Err(connecting) => {
                drop(hold);
                let connection = self.handshake(connecting).await?;
                let (send, recv) = connection.open_bi().await.map_err(ConnectionLost::from)?;
                let shared = Shared::new(connection, relay, self.0.settings, EarlyData::NotOffered);
                say(Connection::settled(shared, send, recv), first).await
            }
        }
    }

    /// The first words on a connection whose handshake has not begun. Waits for nothing if they fit into what the relay
    /// allowed last time.
    async fn speak_early(
        &self,
        connection: quinn::Connection,
        accepted: ZeroRttAccepted,
        relay: DeviceKey,
        first: Option<&[u8]>,
    ) -> Result<Connection, ConnectError> {
        let streams = connection.open_bi().await.map_err(ConnectionLost::from)?;
        let shared = Shared::new(connection, relay, self.0.settings, EarlyData::Pending);
        say(Connection::early(shared, streams, accepted), first).await
    }

    pub(crate) fn start(
        &self,
        address: SocketAddr,
        name: &str,
        tls: Arc<QuicClientConfig>,
        activity: Activity,
    ) -> Result<Connecting, StartError> {
        let mut config = ClientConfig::new(tls);
        config.transport_config(dialer_transport(&self.0.settings, activity));
        self.0.endpoint.connect_with(config, address, name).map_err(|error| match error {
            quinn::ConnectError::EndpointStopping => StartError::Closed,
            quinn::ConnectError::InvalidRemoteAddress(_)
            | quinn::ConnectError::CidsExhausted
            | quinn::ConnectError::InvalidServerName(_)
            | quinn::ConnectError::NoDefaultClientConfig
            | quinn::ConnectError::UnsupportedVersion => StartError::Address,
        })
    }

    pub(crate) async fn handshake(&self, connecting: Connecting) -> Result<quinn::Connection, ConnectionLost> {
        match timeout(self.0.settings.handshake, connecting).await {
            Ok(connection) => Ok(connection?),
            // Dropping the attempt ends it.
            Err(_) => Err(ConnectionLost::TimedOut),
        }
    }

    fn relay_tls(&self, relay: DeviceKey) -> Arc<QuicClientConfig> {
        let mut relays = self.0.relays.lock().unwrap_or_else(PoisonError::into_inner);
        let config = relays
            .entry(relay)
            .or_insert_with(|| Arc::new(tls::relay_client(self.0.identity.clone(), relay, self.0.settings.early_data)));
        Arc::clone(config)
    }

    async fn exchange_proofs(
        &self,
        connection: &quinn::Connection,
        expected: DeviceKey,
    ) -> Result<(quinn::SendStream, quinn::RecvStream), DialError> {
        let (mut send, mut recv) = connection.open_bi().await.map_err(ConnectionLost::from)?;
        let own = proof::prove(connection, Role::Dialer, &self.0.identity, None);
        write_proof(connection, &mut send, &own).await?;
        let mut theirs = [0; PROOF_BYTES];
        read_proof(connection, &mut recv, &mut theirs).await?;
        let found =
            proof::verify(connection, Role::Listener, &theirs, Some(self.key())).map_err(|error| match error {
                ProofError::Version => DialError::Incompatible,
                ProofError::Invalid => DialError::Unproven,
            })?;
        if found == expected { Ok((send, recv)) } else { Err(DialError::WrongDeviceKey { found }) }
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer").field("identity", &self.0.identity).finish_non_exhaustive()
    }
}

pub(crate) enum StartError {
    Address,
    Closed,
}

async fn say(mut connection: Connection, first: Option<&[u8]>) -> Result<Connection, ConnectError> {
    if let Some(first) = first {
        connection.send(first).await?;
    }
    Ok(connection)
}

/// A socket on a port of the system's choice; one for IPv6 takes IPv4 too, where the system can do that.
fn any_port(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // Without it relays are reached by IPv6 alone, and the others are an address that cannot be dialed.
        let _ = socket.set_only_v6(false);
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// A name of its own for each relay, under which rustls keeps its tickets. It never leaves the process.
fn relay_name(relay: DeviceKey) -> String {
    let hex = relay.to_string();
    let (first, second) = hex.split_at(hex.len() / 2);
    format!("{first}.{second}.invalid")
}
