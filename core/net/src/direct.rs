//! The listening side of direct connections (`KEY@ADDR`): who dials proves itself first, and learns who listens only if
//! the listener wants it to.

use std::net::SocketAddr;

use alliance_wire::DeviceKey;
use quinn::{EndpointConfig, RecvStream, SendStream};

use crate::connection::{Connection, EarlyData, Shared};
use crate::error::{BindError, CloseReason, ConnectionLost, Fault};
use crate::identity::DeviceIdentity;
use crate::listen::{Attempt, Handshake, Listener, in_time, server_config};
use crate::proof::{self, PROOF_BYTES, ProofError, Role};
use crate::settings::Settings;
use crate::tls;

/// Listens for other devices, under a TLS key made for this listener alone and forgotten with it.
#[derive(Debug)]
pub struct DirectListener {
    listener: Listener,
    identity: DeviceIdentity,
}

impl DirectListener {
    /// Listens on `address`; `[::]:PORT` takes IPv4 too where the system allows it. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// [`BindError`] if the address cannot be used or the system gives no randomness.
    pub fn bind(address: SocketAddr, identity: DeviceIdentity, settings: Settings) -> Result<Self, BindError> {
        let throw_away = DeviceIdentity::throw_away().ok_or(BindError::Randomness)?;
        let server = server_config(tls::direct_server(throw_away));
        Ok(Self { listener: Listener::bind(address, EndpointConfig::default(), server, settings)?, identity })
    }

    /// The address in use: the port is the system's choice where 0 was asked for.
    ///
    /// # Errors
    /// [`BindError::Socket`] if the system does not say.
    pub fn local_addr(&self) -> Result<SocketAddr, BindError> {
        self.listener.local_addr()
    }

    /// The next attempt; `None` when the listener is closed. Dropping the future loses nothing.
    pub async fn accept(&self) -> Option<DirectIncoming> {
        let attempt = self.listener.next().await?;
        Some(DirectIncoming { attempt, identity: self.identity.clone(), settings: self.listener.settings })
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

/// Why a dialer came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DirectAcceptError {
    /// Its proof is not of this connection or not of the key that it names.
    #[error("the dialer did not prove its device key")]
    Unproven,
    /// Its proof has a version that this program does not know.
    #[error("the dialer's proof is of a version that this program does not know")]
    Incompatible,
    /// It has no space in common with this device. Neither has shown a key.
    #[error("the dialer shares nothing with this device")]
    NothingShared,
    /// The connection ended first.
    #[error(transparent)]
    Lost(#[from] ConnectionLost),
}

impl DirectAcceptError {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Unproven => Fault::Peer,
            Self::Incompatible => Fault::Incompatible,
            Self::NothingShared => Fault::Environment,
            Self::Lost(lost) => lost.fault(),
        }
    }

    /// How the connection ends for the dialer.
    pub(crate) const fn reason(self) -> CloseReason {
        match self {
            Self::Incompatible => CloseReason::Incompatible,
            Self::NothingShared => CloseReason::Refused,
            Self::Unproven | Self::Lost(_) => CloseReason::ProtocolViolation,
        }
    }
}

/// Somebody dials; nothing is known of it.
#[derive(Debug)]
pub struct DirectIncoming {
    attempt: Attempt,
    identity: DeviceIdentity,
    settings: Settings,
}

impl DirectIncoming {
    /// Turns the dialer away unheard.
    pub fn refuse(self) {
        self.attempt.refuse();
    }

    /// Where it dials from.
    #[must_use]
    pub fn remote_address(&self) -> SocketAddr {
        self.attempt.remote_address()
    }

    /// Hears who dials. This side has shown a throw-away key so far, and nothing else.
    ///
    /// # Errors
    /// [`DirectAcceptError`]; the attempt is over.
    pub async fn prove_dialer(self) -> Result<ProvenDialer, DirectAcceptError> {
        let (connection, handshake, identity, settings) = self.connected().await?;
        let heard = async {
            let (send, mut recv) = connection.accept_bi().await.map_err(ConnectionLost::from)?;
            let mut kind = [0];
            recv.read_exact(&mut kind).await.map_err(|_| over(&connection))?;
            hear_proof(&connection, kind, send, recv, &identity, settings).await
        };
        let heard = in_time(settings.handshake, &connection, heard).await;
        drop(handshake);
        heard.inspect_err(|error| connection.close(error.reason().var_int(), b""))
    }

    /// Waits for TLS. The handshake counts as under way until its guard is dropped.
    pub(crate) async fn connected(
        self,
    ) -> Result<(quinn::Connection, Handshake, DeviceIdentity, Settings), DirectAcceptError> {
        let Self { attempt, identity, settings } = self;
        let (connecting, handshake) = attempt.begin()?;
        let connection = tokio::time::timeout(settings.handshake, connecting)
            .await
            .map_err(|_| ConnectionLost::TimedOut)?
            .map_err(ConnectionLost::from)?;
        Ok((connection, handshake, identity, settings))
    }
}

/// Reads the rest of a dialer's proof, whose first byte is here.
pub(crate) async fn hear_proof(
    connection: &quinn::Connection,
    [first]: [u8; 1],
    send: SendStream,
    mut recv: RecvStream,
    identity: &DeviceIdentity,
    settings: Settings,
) -> Result<ProvenDialer, DirectAcceptError> {
    let mut proof = [first; PROOF_BYTES];
    recv.read_exact(&mut proof[1..]).await.map_err(|_| over(connection))?;
    let key = proof::verify(connection, Role::Dialer, &proof, None).map_err(|error| match error {
        ProofError::Version => DirectAcceptError::Incompatible,
        ProofError::Invalid => DirectAcceptError::Unproven,
    })?;
    Ok(ProvenDialer { connection: connection.clone(), key, send, recv, identity: identity.clone(), settings })
}

/// A dialer that has proved its key and waits for an answer. Decide within the dialer's handshake time; dropping it
/// closes the connection without an answer.
#[derive(Debug)]
pub struct ProvenDialer {
    connection: quinn::Connection,
    key: DeviceKey,
    send: SendStream,
    recv: RecvStream,
    identity: DeviceIdentity,
    settings: Settings,
}

impl ProvenDialer {
    /// The dialer's device key. Admit it if it shares a space with this device or this device holds an open invitation
    /// (docs/PROTOCOL.md section 3, LAN).
    #[must_use]
    pub const fn key(&self) -> DeviceKey {
        self.key
    }

    /// Closes the connection. The dialer learns that somebody listens who does not want it, and no key.
    pub fn refuse(self) {
        self.connection.close(CloseReason::Refused.var_int(), b"");
    }

    /// Answers with this device's proof.
    ///
    /// # Errors
    /// [`ConnectionLost`] if the dialer is gone or takes nothing.
    pub async fn admit(self) -> Result<Connection, ConnectionLost> {
        let Self { connection, key, mut send, recv, identity, settings } = self;
        let proof = proof::prove(&connection, Role::Listener, &identity, Some(key));
        in_time(settings.handshake, &connection, write_proof(&connection, &mut send, &proof)).await?;
        let shared = Shared::new(connection, key, settings, EarlyData::NotOffered);
        shared.count_up(PROOF_BYTES);
        shared.count_down(PROOF_BYTES);
        Ok(Connection::settled(shared, send, recv))
    }
}

/// Reads a proof. An end of the stream without one is the peer's fault unless the connection says more.
pub(crate) async fn read_proof(
    connection: &quinn::Connection,
    recv: &mut RecvStream,
    proof: &mut [u8; PROOF_BYTES],
) -> Result<(), ConnectionLost> {
    recv.read_exact(proof).await.map_err(|_| over(connection))
}

/// Writes a proof.
pub(crate) async fn write_proof(
    connection: &quinn::Connection,
    send: &mut SendStream,
    proof: &[u8; PROOF_BYTES],
) -> Result<(), ConnectionLost> {
    send.write_all(proof).await.map_err(|_| over(connection))
}

/// Why a connection is over whose stream ended.
pub(crate) fn over(connection: &quinn::Connection) -> ConnectionLost {
    connection.close_reason().map_or(ConnectionLost::PeerMisbehaved, ConnectionLost::from)
}
