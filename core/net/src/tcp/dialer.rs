//! The side that dials a relay over TCP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alliance_wire::{DeviceKey, limits};
use rustls::CertificateError;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::open::OpenLines;
use super::{TcpConnection, connected, peer};
use crate::error::{CloseReason, ConnectionLost, Fault};
use crate::identity::DeviceIdentity;
use crate::settings::{Activity, Settings};
use crate::tls;

/// The name under which rustls knows the relay. It never leaves the process: names are not sent.
const NAME: &str = "relay.invalid";

/// Dials relays over TLS on TCP. Keep one per process, so that closing it closes what it has open. Clones share
/// everything. It keeps no tickets: each connection shows and proves both keys anew, and nothing goes before that.
#[derive(Debug, Clone)]
pub struct TcpDialer {
    identity: DeviceIdentity,
    settings: Settings,
    open: OpenLines,
}

/// Why a relay could not be reached over TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TcpConnectError {
    /// The address cannot be dialed from here.
    #[error("the address {0} cannot be dialed from here")]
    Address(SocketAddr),
    /// [`TcpDialer::close`] was called.
    #[error("the dialer is closed")]
    DialerClosed,
    /// A raw public key answers, another than the pinned one. It was shown nothing.
    #[error("the relay has another key than the pinned one")]
    WrongRelayKey,
    /// What answers is no relay: no TLS 1.3, a certificate in place of a raw key, or a key that it cannot sign with. So
    /// answer captive portals, proxies that look into TLS, and web servers. It was shown nothing.
    #[error("something else than a relay answers")]
    Intercepted,
    /// The connection did not come about for another reason.
    #[error(transparent)]
    Lost(#[from] ConnectionLost),
}

impl TcpConnectError {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Address(_) | Self::DialerClosed => Fault::Caller,
            Self::WrongRelayKey => Fault::Peer,
            // The network's, which another one may be without.
            Self::Intercepted => Fault::Environment,
            Self::Lost(lost) => lost.fault(),
        }
    }
}

impl TcpDialer {
    /// A dialer that proves itself by `identity`. It opens no socket before it dials.
    #[must_use]
    pub fn new(identity: DeviceIdentity, settings: Settings) -> Self {
        Self { identity, settings, open: OpenLines::new() }
    }

    /// Connects to the relay whose key is `relay`, over TCP at `address`. The relay proves its key first; this device's
    /// is shown to nobody else (RFC 8446 section 4.4.2: a client's certificate follows the server's Finished).
    ///
    /// # Errors
    /// [`TcpConnectError`].
    pub async fn connect(
        &self,
        address: SocketAddr,
        relay: DeviceKey,
        activity: Activity,
    ) -> Result<TcpConnection, TcpConnectError> {
        if address.port() == 0 {
            return Err(TcpConnectError::Address(address));
        }
        if self.open.is_closed() {
            return Err(TcpConnectError::DialerClosed);
        }
        let open = self.open.add();
        let connector = TlsConnector::from(Arc::new(tls::relay_tcp_client(self.identity.clone(), relay)));
        let shake = async {
            let stream = TcpStream::connect(address).await.map_err(|error| unreached(&error, address))?;
            // A frame that waits for the one before to be acknowledged costs a round trip.
            let _ = stream.set_nodelay(true);
            let name = ServerName::try_from(NAME).expect("the constant is a name");
            connector.connect(name, stream).await.map_err(|error| judge(&error))
        };
        let mut stream = timeout(self.settings.handshake, shake)
            .await
            .unwrap_or(Err(TcpConnectError::Lost(ConnectionLost::TimedOut)))?;
        let session = stream.get_mut().1;
        if session.alpn_protocol() != Some(tls::ALPN_RELAY_TCP) {
            return Err(ConnectionLost::Incompatible.into());
        }
        session.set_buffer_limit(Some(tls::BUFFER_BYTES_MAX));
        let keep_alive = match activity {
            Activity::Foreground => Some(Duration::from_millis(limits::KEEP_ALIVE_MILLIS)),
            Activity::Background => None,
        };
        Ok(connected(stream, peer(relay, address, self.settings, keep_alive), &[], open))
    }

    /// Closes all connections and returns when their peers have been told, within half a second.
    pub async fn close(&self, reason: CloseReason) {
        self.open.close(reason).await;
    }
}

/// What a connection that did not come to be says.
fn unreached(error: &io::Error, address: SocketAddr) -> TcpConnectError {
    use io::ErrorKind::{AddrNotAvailable, InvalidInput, Unsupported};
    if matches!(error.kind(), AddrNotAvailable | InvalidInput | Unsupported) {
        TcpConnectError::Address(address)
    } else {
        // Refused, or no way there.
        gone(error).into()
    }
}

/// A connection that the system gave up.
fn gone(error: &io::Error) -> ConnectionLost {
    if error.kind() == io::ErrorKind::TimedOut { ConnectionLost::TimedOut } else { ConnectionLost::Reset }
}

/// What a handshake that failed says of whoever answered. Until it is over nobody has proved to be the relay, so that
/// nothing that was said is the relay's: not even that it speaks another version.
fn judge(error: &io::Error) -> TcpConnectError {
    let Some(found) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return gone(error).into();
    };
    if *found == rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure) {
        TcpConnectError::WrongRelayKey
    } else {
        TcpConnectError::Intercepted
    }
}
