//! A relay's side on TCP.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alliance_wire::DeviceKey;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::open::{OpenLine, OpenLines};
use super::steps::explain;
use super::{TcpConnection, connected, peer};
use crate::error::{BindError, CloseReason, ConnectionLost};
use crate::relay::RelayAcceptError;
use crate::secrets::RelaySecrets;
use crate::settings::Settings;
use crate::tls;

/// Handshakes under way above which newcomers are refused.
const HANDSHAKES_MAX: usize = 1_024;
/// Handshakes under way from one address, or one network of an IPv6 subscriber: whoever stands still in all of them
/// leaves room for others. Many devices share an address behind a translator, but do not begin in one second.
const HANDSHAKES_PER_ADDRESS_MAX: usize = 64;
/// How long the listener rests when the system gives no socket, such as when too many files are open.
const REST: Duration = Duration::from_millis(100);
/// Bytes of a first frame that are read with the handshake.
const FIRST_BYTES: usize = 1_024;

/// Accepts devices for a relay over TLS on TCP. Loop over [`TcpRelayListener::accept`] and give each attempt a task of
/// its own.
pub struct TcpRelayListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    key: DeviceKey,
    settings: Settings,
    open: OpenLines,
    handshakes: Handshakes,
}

impl core::fmt::Debug for TcpRelayListener {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TcpRelayListener").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A device's attempt to connect, before anything was answered.
#[derive(Debug)]
pub struct TcpIncoming {
    stream: TcpStream,
    from: SocketAddr,
    acceptor: Acceptor,
    settings: Settings,
    open: OpenLine,
    handshake: Handshake,
}

struct Acceptor(TlsAcceptor);

impl core::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Acceptor")
    }
}

impl TcpRelayListener {
    /// Listens on `address`; `[::]:PORT` takes IPv4 too where the system allows it. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// [`BindError`] if the address cannot be used.
    pub fn bind(address: SocketAddr, secrets: &RelaySecrets, settings: Settings) -> Result<Self, BindError> {
        let identity = secrets.identity();
        let key = identity.key();
        let listener = std::net::TcpListener::bind(address)
            .and_then(|listener| {
                listener.set_nonblocking(true)?;
                TcpListener::from_std(listener)
            })
            .map_err(|source| BindError::Socket { address, source })?;
        let acceptor = TlsAcceptor::from(Arc::new(tls::relay_tcp_server(identity)));
        Ok(Self { listener, acceptor, key, settings, open: OpenLines::new(), handshakes: Handshakes::default() })
    }

    /// The relay's key.
    #[must_use]
    pub const fn key(&self) -> DeviceKey {
        self.key
    }

    /// The address in use: the port is the system's choice where 0 was asked for.
    ///
    /// # Errors
    /// [`BindError::Socket`] if the system does not say.
    pub fn local_addr(&self) -> Result<SocketAddr, BindError> {
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        self.listener.local_addr().map_err(|source| BindError::Socket { address: unknown, source })
    }

    /// The next attempt that passes the brakes. Dropping the future loses nothing.
    pub async fn accept(&self) -> TcpIncoming {
        loop {
            let (stream, from) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) if is_of_the_newcomer(&error) => continue,
                Err(_) => {
                    sleep(REST).await;
                    continue;
                }
            };
            // Who is refused sees its connection end: it may try again later.
            let Some(handshake) = self.handshakes.begin(from.ip()) else { continue };
            let _ = stream.set_nodelay(true);
            let (acceptor, open) = (Acceptor(self.acceptor.clone()), self.open.add());
            return TcpIncoming { stream, from, acceptor, settings: self.settings, open, handshake };
        }
    }

    /// Connections that are open or being made.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.open.count()
    }

    /// Closes all connections and returns when their peers have been told, within half a second.
    pub async fn close(&self, reason: CloseReason) {
        self.open.close(reason).await;
    }
}

impl TcpIncoming {
    /// The connection, when the device's key is known and its first frame has begun to arrive; all of it within the time
    /// of a handshake. The key says who the device is, not that it may do anything.
    ///
    /// # Errors
    /// [`RelayAcceptError`]; the attempt is over.
    pub async fn establish(self) -> Result<TcpConnection, RelayAcceptError> {
        let Self { stream, from, acceptor, settings, open, handshake } = self;
        let shake = async {
            let mut stream = acceptor.0.accept(stream).await.map_err(|error| refused(&error))?;
            let session = stream.get_mut().1;
            session.set_buffer_limit(Some(tls::BUFFER_BYTES_MAX));
            if session.alpn_protocol() != Some(tls::ALPN_RELAY_TCP) {
                return Err(ConnectionLost::Incompatible.into());
            }
            let key = session.peer_certificates().and_then(tls::key_of_chain).ok_or(RelayAcceptError::NoKey)?;
            let mut first = vec![0; FIRST_BYTES];
            let count = stream.read(&mut first).await.map_err(|error| explain(&error))?;
            if count == 0 {
                return Err(ConnectionLost::Reset.into());
            }
            first.truncate(count);
            Ok::<_, RelayAcceptError>((stream, key, first))
        };
        let shaken = timeout(settings.handshake, shake).await;
        drop(handshake);
        let (stream, key, first) = shaken.unwrap_or(Err(ConnectionLost::TimedOut.into()))?;
        Ok(connected(stream, peer(key, from, settings, None), &first, open))
    }
}

/// Why a handshake with a device failed.
fn refused(error: &std::io::Error) -> RelayAcceptError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::AlertReceived(_)) => ConnectionLost::FoundAtFault.into(),
        Some(rustls::Error::NoCertificatesPresented) => RelayAcceptError::NoKey,
        Some(_) => ConnectionLost::PeerMisbehaved.into(),
        None => explain(error).into(),
    }
}

/// Whether an error of accepting says only that this newcomer is gone again.
fn is_of_the_newcomer(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// Handshakes under way, by address, as long as they last.
#[derive(Debug, Clone, Default)]
struct Handshakes(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One of them.
#[derive(Debug)]
struct Handshake {
    all: Handshakes,
    from: IpAddr,
}

impl Handshakes {
    fn begin(&self, from: IpAddr) -> Option<Handshake> {
        let from = subscriber(from);
        let mut under_way = self.lock();
        let here = under_way.get(&from).copied().unwrap_or(0);
        if here >= HANDSHAKES_PER_ADDRESS_MAX || under_way.values().sum::<usize>() >= HANDSHAKES_MAX {
            return None;
        }
        under_way.insert(from, here + 1);
        Some(Handshake { all: self.clone(), from })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        let mut under_way = self.all.lock();
        match under_way.get_mut(&self.from) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => drop(under_way.remove(&self.from)),
        }
    }
}

/// What one subscriber has: an IPv4 address, or the first half of an IPv6 address.
fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}
