//! A relay's side: its key pinned by devices, theirs read from TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use alliance_wire::DeviceKey;
use quinn::{EndpointConfig, RecvStream, SendStream};
use quinn_proto::HashedConnectionIdGenerator;

use crate::connection::{Connection, EarlyData, Shared};
use crate::error::{BindError, CloseReason, ConnectionLost, Fault};
use crate::listen::{Attempt, Listener, in_time, server_config};
use crate::secrets::RelaySecrets;
use crate::settings::Settings;
use crate::tickets::{Sessions, TicketStore};
use crate::tls;

/// Accepts devices for a relay. Loop over [`RelayListener::accept`] and give each attempt a task of its own.
#[derive(Debug)]
pub struct RelayListener {
    listener: Listener,
    key: DeviceKey,
}

impl RelayListener {
    /// Listens on `address`; `[::]:PORT` takes IPv4 too where the system allows it. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// [`BindError`] if the address cannot be used.
    pub fn bind(
        address: SocketAddr,
        secrets: &RelaySecrets,
        tickets: Arc<dyn TicketStore>,
        settings: Settings,
    ) -> Result<Self, BindError> {
        let identity = secrets.identity();
        let key = identity.key();
        let mut server = server_config(tls::relay_server(identity, Arc::new(Sessions(tickets))));
        server.token_key(Arc::new(secrets.token_key()));
        let mut endpoint = EndpointConfig::new(Arc::new(secrets.reset_key()));
        let connection_id_key = secrets.connection_id_key();
        endpoint.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(connection_id_key)));
        Ok(Self { listener: Listener::bind(address, endpoint, server, settings)?, key })
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
        self.listener.local_addr()
    }

    /// The next attempt of a device; `None` when the listener is closed. Dropping the future loses nothing.
    pub async fn accept(&self) -> Option<RelayIncoming> {
        let attempt = self.listener.next().await?;
        Some(RelayIncoming { attempt, settings: self.listener.settings })
    }

    /// Connections that are open or still draining.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.listener.open_connections()
    }

    /// Gives newcomers no answer from now on; open connections go on.
    pub fn stop_accepting(&self) {
        self.listener.stop_accepting();
    }

    /// Closes all connections and returns when their peers have been told, within half a second. Finish their streams
    /// first: this does not wait for what was sent.
    pub async fn close(&self, reason: CloseReason) {
        self.listener.close(reason).await;
    }
}

/// A device's attempt to connect, before anything was answered.
#[derive(Debug)]
pub struct RelayIncoming {
    attempt: Attempt,
    settings: Settings,
}

/// Why an attempt came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RelayAcceptError {
    /// The device showed no Ed25519 key.
    #[error("the peer showed no key")]
    NoKey,
    /// The connection ended first.
    #[error(transparent)]
    Lost(#[from] ConnectionLost),
}

impl RelayAcceptError {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::NoKey => Fault::Peer,
            Self::Lost(lost) => lost.fault(),
        }
    }
}

impl RelayIncoming {
    /// Whether the device has shown that packets to its address reach it. Under load the listener asks for that first.
    #[must_use]
    pub fn address_is_validated(&self) -> bool {
        self.attempt.address_is_validated()
    }

    /// Turns the device away unheard: it may try again later.
    pub fn refuse(self) {
        self.attempt.refuse();
    }

    /// The connection, when the device's key is known and its first frame has begun to arrive. With a ticket that is at
    /// once: the first frame came as 0-RTT data. Until this returns nothing has been written but the handshake.
    ///
    /// The key says who the device is, not that it may do anything: a device that lost its rights resumes as before.
    ///
    /// # Errors
    /// [`RelayAcceptError`]; the attempt is over.
    pub async fn establish(self) -> Result<Connection, RelayAcceptError> {
        let settings = self.settings;
        let (connecting, handshake) = self.attempt.begin()?;
        let Ok((connection, handshake_over)) = connecting.into_0rtt() else {
            // A server's attempt always converts; if it did not, there would be nobody to talk to.
            return Err(ConnectionLost::ClosedHere.into());
        };
        let known = async {
            let streams = connection.accept_bi().await.map_err(ConnectionLost::from)?;
            // Resumed, the key is in the ticket. Otherwise it came with the handshake; early data cannot precede it.
            if connection.peer_identity().is_none() {
                handshake_over.await;
            }
            let key = tls::peer_key(&connection).ok_or(RelayAcceptError::NoKey)?;
            Ok::<_, RelayAcceptError>((key, streams))
        };
        let known = in_time(settings.handshake, &connection, known).await;
        drop(handshake);
        match known {
            Ok((key, streams)) => Ok(connected(connection, key, streams, settings)),
            Err(error) => {
                connection.close(CloseReason::ProtocolViolation.var_int(), b"");
                Err(error)
            }
        }
    }
}

fn connected(
    connection: quinn::Connection,
    key: DeviceKey,
    (send, recv): (SendStream, RecvStream),
    settings: Settings,
) -> Connection {
    let early = if recv.is_0rtt() { EarlyData::Accepted } else { EarlyData::NotOffered };
    Connection::settled(Shared::new(connection, key, settings, early), send, recv)
}
