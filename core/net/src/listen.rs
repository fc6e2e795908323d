//! What both kinds of listener share: the endpoint, and the brakes on strangers.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Endpoint, EndpointConfig, ServerConfig, TokioRuntime};
use tokio::time::{error::Elapsed, timeout};

use crate::error::{BindError, CloseReason, ConnectionLost};
use crate::settings::{Settings, listener_transport};

/// Handshakes under way above which a stranger must first show that its address is its own (QUIC Retry).
const UNVALIDATED_HANDSHAKES_MAX: usize = 128;
/// Handshakes under way above which newcomers are refused.
const HANDSHAKES_MAX: usize = 1_024;
/// Packets of one connection that wait for the handshake to begin, in bytes.
const WAITING_BYTES_MAX: u64 = 64 * 1_024;
/// The same for all connections together.
const WAITING_BYTES_TOTAL_MAX: u64 = 8 * 1_024 * 1_024;

/// How long closing waits: a connection attempt that nobody answered would otherwise hold a program's end for three
/// seconds.
const CLOSE_MAX: Duration = Duration::from_millis(500);

/// A server endpoint.
#[derive(Debug)]
pub(crate) struct Listener {
    endpoint: Endpoint,
    pub(crate) settings: Settings,
    handshakes: Arc<AtomicUsize>,
}

/// A connection attempt that counts among the handshakes under way until it is dropped.
#[derive(Debug)]
pub(crate) struct Attempt {
    incoming: quinn::Incoming,
    handshake: Handshake,
}

/// One handshake under way.
#[derive(Debug)]
pub(crate) struct Handshake(Arc<AtomicUsize>);

impl Drop for Handshake {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Listener {
    pub(crate) fn bind(
        address: SocketAddr,
        endpoint: EndpointConfig,
        mut server: ServerConfig,
        settings: Settings,
    ) -> Result<Self, BindError> {
        server
            .transport_config(listener_transport(&settings))
            .max_incoming(HANDSHAKES_MAX)
            .incoming_buffer_size(WAITING_BYTES_MAX)
            .incoming_buffer_size_total(WAITING_BYTES_TOTAL_MAX)
            // A phone that leaves the Wi-Fi keeps its connection.
            .migration(true);
        let endpoint = UdpSocket::bind(address)
            .and_then(|socket| Endpoint::new(endpoint, Some(server), socket, Arc::new(TokioRuntime)))
            .map_err(|source| BindError::Socket { address, source })?;
        Ok(Self { endpoint, settings, handshakes: Arc::default() })
    }

    /// The address in use: the port is the system's choice where 0 was asked for.
    pub(crate) fn local_addr(&self) -> Result<SocketAddr, BindError> {
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        self.endpoint.local_addr().map_err(|source| BindError::Socket { address: unknown, source })
    }

    /// The next attempt that passes the brakes; `None` when the listener is closed.
    pub(crate) async fn next(&self) -> Option<Attempt> {
        loop {
            let incoming = self.endpoint.accept().await?;
            let under_way = self.handshakes.load(Ordering::Relaxed);
            if under_way >= HANDSHAKES_MAX {
                incoming.refuse();
            } else if under_way >= UNVALIDATED_HANDSHAKES_MAX && incoming.may_retry() {
                // An error would say that it may not be retried, which was asked just now.
                let _ = incoming.retry();
            } else {
                self.handshakes.fetch_add(1, Ordering::Relaxed);
                return Some(Attempt { incoming, handshake: Handshake(Arc::clone(&self.handshakes)) });
            }
        }
    }

    pub(crate) fn open_connections(&self) -> usize {
        self.endpoint.open_connections()
    }

    pub(crate) fn stop_accepting(&self) {
        self.endpoint.set_server_config(None);
    }

    pub(crate) async fn close(&self, reason: CloseReason) {
        self.stop_accepting();
        close_endpoint(&self.endpoint, reason).await;
    }
}

impl Attempt {
    pub(crate) fn refuse(self) {
        self.incoming.refuse();
    }

    pub(crate) fn remote_address(&self) -> SocketAddr {
        let address = self.incoming.remote_address();
        SocketAddr::new(address.ip().to_canonical(), address.port())
    }

    pub(crate) fn address_is_validated(&self) -> bool {
        self.incoming.remote_address_validated()
    }

    pub(crate) fn begin(self) -> Result<(quinn::Connecting, Handshake), ConnectionLost> {
        Ok((self.incoming.accept()?, self.handshake))
    }
}

/// Closes all connections of an endpoint, and waits for the peers' transports as long as [`CLOSE_MAX`].
pub(crate) async fn close_endpoint(endpoint: &Endpoint, reason: CloseReason) {
    endpoint.close(reason.var_int(), b"");
    // A peer that has not heard it by then finds out by a reset or by idling.
    let _ = timeout(CLOSE_MAX, endpoint.wait_idle()).await;
}

/// A server configuration with this TLS side.
pub(crate) fn server_config(tls: QuicServerConfig) -> ServerConfig {
    ServerConfig::with_crypto(Arc::new(tls))
}

/// Runs a step of a handshake; when the time is over the connection is closed.
pub(crate) async fn in_time<T, E: From<ConnectionLost>>(
    limit: Duration,
    connection: &quinn::Connection,
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match timeout(limit, step).await {
        Ok(result) => result,
        Err(Elapsed { .. }) => {
            connection.close(CloseReason::Stalled.var_int(), b"");
            Err(ConnectionLost::TimedOut.into())
        }
    }
}
