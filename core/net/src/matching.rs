//! Meeting a device that nobody named: both sides first find out whether they have a space in common, and only then
//! prove their keys (docs/PROTOCOL.md section 3, LAN).
//!
//! On the stream of a direct connection both say their tags ([`Pages`]), which are bound to this TLS session and to the
//! end that says them: nobody can use them elsewhere, or send them back. Without a match the connection ends and neither
//! has shown a key. With one, the side whose newest epoch the other knows proves first, and the other decides by that
//! key whether to answer.

use std::net::SocketAddr;
use std::sync::Arc;

use alliance_crypto::{Discovery, PAGES_HEAD_BYTES, PAGES_KIND, Pages, Side, first_to_prove};
use alliance_wire::hash::Domain;
use alliance_wire::{DeviceKey, SpaceId};
use quinn::{RecvStream, SendStream};

use crate::connection::{Connection, EarlyData, Shared};
use crate::dialer::{DIRECT_NAME, DialError, Dialer, StartError};
use crate::direct::{DirectAcceptError, DirectIncoming, ProvenDialer, hear_proof, over, read_proof, write_proof};
use crate::error::{CloseReason, ConnectionLost, Fault};
use crate::identity::DeviceIdentity;
use crate::listen::in_time;
use crate::proof::{self, PROOF_BYTES, ProofError, Role};
use crate::settings::{Activity, Settings};

/// Why two devices that met do not talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MatchError {
    /// The address cannot be dialed from here: port 0, or IPv6 on a machine without it.
    #[error("the address {0} cannot be dialed from here")]
    Address(SocketAddr),
    /// The dialer was closed.
    #[error("the dialer is closed")]
    DialerClosed,
    /// They have no space in common, as far as both know. Neither has shown a key.
    #[error("the two devices share nothing")]
    NothingShared,
    /// What the other side said is no list of tags, or its proof is not of this connection.
    #[error("the other device did not prove what it said")]
    Unproven,
    /// It speaks a version that this program does not know.
    #[error("the other device speaks a version that this program does not know")]
    Incompatible,
    /// The connection did not come about, or ended first.
    #[error(transparent)]
    Lost(#[from] ConnectionLost),
}

impl MatchError {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Address(_) | Self::DialerClosed => Fault::Caller,
            Self::NothingShared => Fault::Environment,
            Self::Unproven => Fault::Peer,
            Self::Incompatible => Fault::Incompatible,
            Self::Lost(lost) => lost.fault(),
        }
    }

    const fn reason(self) -> CloseReason {
        match self {
            Self::NothingShared => CloseReason::Refused,
            Self::Incompatible => CloseReason::Incompatible,
            Self::Unproven | Self::Address(_) | Self::DialerClosed | Self::Lost(_) => CloseReason::ProtocolViolation,
        }
    }
}

impl From<ProofError> for MatchError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Version => Self::Incompatible,
            ProofError::Invalid => Self::Unproven,
        }
    }
}

impl From<MatchError> for DirectAcceptError {
    fn from(error: MatchError) -> Self {
        match error {
            MatchError::NothingShared => Self::NothingShared,
            MatchError::Incompatible => Self::Incompatible,
            MatchError::Unproven | MatchError::Address(_) | MatchError::DialerClosed => Self::Unproven,
            MatchError::Lost(lost) => Self::Lost(lost),
        }
    }
}

/// How a dialer presents itself to a listener that hears both kinds.
#[derive(Debug)]
pub enum Heard {
    /// It has proved its key, and knows whom it dialed.
    Proven(ProvenDialer),
    /// It knew an address only; the two have a space in common.
    Matched(Matched),
}

/// A device that has a space in common with this one and has proved its key. Dropping it closes the connection.
#[derive(Debug)]
pub struct Matched {
    connection: quinn::Connection,
    key: DeviceKey,
    spaces: Vec<SpaceId>,
    send: SendStream,
    recv: RecvStream,
    /// This side's proof, if the other proved first and waits for it.
    answer: Option<[u8; PROOF_BYTES]>,
    /// Bytes of tags and proofs: sent, received.
    bytes: (usize, usize),
    settings: Settings,
}

impl Matched {
    /// The other device's key. That it may have anything of a space says the membership, not the match: ask it before
    /// admitting.
    #[must_use]
    pub const fn key(&self) -> DeviceKey {
        self.key
    }

    /// The spaces of which both know an epoch, in no order.
    #[must_use]
    pub fn spaces(&self) -> &[SpaceId] {
        &self.spaces
    }

    /// Whether this side's key was shown already, since its newest epoch is known to the other.
    #[must_use]
    pub const fn has_proved(&self) -> bool {
        self.answer.is_none()
    }

    /// Closes the connection.
    pub fn refuse(self, reason: CloseReason) {
        self.connection.close(reason.var_int(), b"");
    }

    /// Goes on with this device; proves this side's key if that has not been done.
    ///
    /// # Errors
    /// [`ConnectionLost`] if the other is gone or takes nothing.
    pub async fn admit(self) -> Result<Connection, ConnectionLost> {
        let Self { connection, key, mut send, recv, answer, bytes: (mut up, down), settings, .. } = self;
        if let Some(proof) = answer {
            in_time(settings.handshake, &connection, write_proof(&connection, &mut send, &proof)).await?;
            up += PROOF_BYTES;
        }
        let shared = Shared::new(connection, key, settings, EarlyData::NotOffered);
        shared.count_up(up);
        shared.count_down(down);
        Ok(Connection::settled(shared, send, recv))
    }
}

impl From<MatchError> for DialError {
    fn from(error: MatchError) -> Self {
        match error {
            MatchError::Address(address) => Self::Address(address),
            MatchError::DialerClosed => Self::DialerClosed,
            MatchError::NothingShared => Self::Refused,
            MatchError::Unproven => Self::Unproven,
            MatchError::Incompatible => Self::Incompatible,
            MatchError::Lost(lost) => lost.into(),
        }
    }
}

impl Dialer {
    /// A direct connection behind its TLS handshake: nobody has proved anything.
    pub(crate) async fn direct(
        &self,
        address: SocketAddr,
        activity: Activity,
    ) -> Result<(quinn::Connection, Settings), MatchError> {
        let connecting =
            self.start(address, DIRECT_NAME, Arc::clone(&self.0.direct), activity).map_err(|error| match error {
                StartError::Address => MatchError::Address(address),
                StartError::Closed => MatchError::DialerClosed,
            })?;
        Ok((self.handshake(connecting).await?, self.0.settings))
    }

    /// Meets whoever listens at `address`, of whom nothing is known. `random` is 32 bytes of the operating system's
    /// randomness.
    ///
    /// # Errors
    /// [`MatchError`]; [`MatchError::NothingShared`] where the two have no space in common.
    pub async fn seek(
        &self,
        address: SocketAddr,
        discovery: &Discovery,
        random: [u8; 32],
        activity: Activity,
    ) -> Result<Matched, MatchError> {
        let (connection, settings) = self.direct(address, activity).await?;
        let met = async {
            let (send, recv) = connection.open_bi().await.map_err(ConnectionLost::from)?;
            let meeting = Meeting { connection: &connection, own: Side::Dialler, identity: &self.0.identity, settings };
            meeting.run(send, recv, discovery, random).await
        };
        in_time(settings.handshake, &connection, met).await.map_err(|error| {
            connection.close(error.reason().var_int(), b"");
            let refused = MatchError::Lost(ConnectionLost::Closed(CloseReason::Refused));
            if error == refused { MatchError::NothingShared } else { error }
        })
    }
}

impl DirectIncoming {
    /// Hears a dialer of either kind: one that knows whom it dials and proves its key, and one that says its tags. This
    /// side has shown a throw-away key, and to the latter its own tags; more only where they match.
    ///
    /// # Errors
    /// [`DirectAcceptError`]; the attempt is over.
    pub async fn hear(self, discovery: &Discovery, random: [u8; 32]) -> Result<Heard, DirectAcceptError> {
        let (connection, handshake, identity, settings) = self.connected().await?;
        let heard = async {
            let (send, mut recv) = connection.accept_bi().await.map_err(ConnectionLost::from)?;
            let mut kind = [0];
            recv.read_exact(&mut kind).await.map_err(|_| over(&connection))?;
            if kind != [PAGES_KIND] {
                let proven = hear_proof(&connection, kind, send, recv, &identity, settings).await?;
                return Ok(Heard::Proven(proven));
            }
            let meeting = Meeting { connection: &connection, own: Side::Listener, identity: &identity, settings };
            Ok(Heard::Matched(meeting.run(send, recv, discovery, random).await?))
        };
        let heard = in_time(settings.handshake, &connection, heard).await;
        drop(handshake);
        heard.inspect_err(|error: &DirectAcceptError| connection.close(error.reason().var_int(), b""))
    }
}

/// What both ends of a connection do alike.
struct Meeting<'a> {
    connection: &'a quinn::Connection,
    own: Side,
    identity: &'a DeviceIdentity,
    settings: Settings,
}

impl Meeting<'_> {
    /// Says and hears tags, then proofs. A listener has read the first byte already.
    async fn run(
        self,
        mut send: SendStream,
        mut recv: RecvStream,
        discovery: &Discovery,
        random: [u8; 32],
    ) -> Result<Matched, MatchError> {
        let (connection, exporter) = (self.connection, self.exporter());
        let own = discovery.pages(self.own, &exporter, random).to_bytes();
        // A listener hears first: it answers nobody who says nothing.
        let theirs = if self.own == Side::Listener {
            let theirs = self.read_pages(&mut recv, true).await?;
            self.write(&mut send, &own).await?;
            theirs
        } else {
            self.write(&mut send, &own).await?;
            self.read_pages(&mut recv, false).await?
        };
        let matches = discovery.compare(self.own.other(), &exporter, &theirs);
        let first = first_to_prove(self.own, &matches).ok_or(MatchError::NothingShared)?;
        let (mut up, down) = (own.len(), theirs.to_bytes().len() + PROOF_BYTES);
        let mut proof = [0; PROOF_BYTES];
        let (key, answer) = if first == self.own {
            let shown = proof::prove(connection, role(self.own), self.identity, None);
            write_proof(connection, &mut send, &shown).await?;
            up += PROOF_BYTES;
            read_proof(connection, &mut recv, &mut proof).await?;
            (proof::verify(connection, role(self.own.other()), &proof, Some(self.identity.key()))?, None)
        } else {
            read_proof(connection, &mut recv, &mut proof).await?;
            let key = proof::verify(connection, role(self.own.other()), &proof, None)?;
            (key, Some(proof::prove(connection, role(self.own), self.identity, Some(key))))
        };
        let mut spaces: Vec<SpaceId> = matches.iter().map(|it| it.space).collect();
        spaces.sort_unstable();
        spaces.dedup();
        let settings = self.settings;
        Ok(Matched { connection: connection.clone(), key, spaces, send, recv, answer, bytes: (up, down), settings })
    }

    /// What both ends of this connection, and nobody else, derive for their tags.
    fn exporter(&self) -> [u8; 32] {
        let mut out = [0; 32];
        self.connection
            .export_keying_material(&mut out, Domain::Discovery.context().as_bytes(), &[])
            .expect("32 bytes are within what an exporter gives, and the handshake is over");
        out
    }

    async fn write(&self, send: &mut SendStream, bytes: &[u8]) -> Result<(), ConnectionLost> {
        send.write_all(bytes).await.map_err(|_| over(self.connection))
    }

    /// Reads the other side's tags: at most 8 KiB, whatever it says.
    async fn read_pages(&self, recv: &mut RecvStream, kind_read: bool) -> Result<Pages, MatchError> {
        let mut bytes = vec![PAGES_KIND; PAGES_HEAD_BYTES];
        let from = usize::from(kind_read);
        recv.read_exact(&mut bytes[from..]).await.map_err(|_| over(self.connection))?;
        let rest = Pages::bytes_after([bytes[0], bytes[1]]).map_err(|_| MatchError::Unproven)?;
        bytes.resize(PAGES_HEAD_BYTES + rest, 0);
        recv.read_exact(&mut bytes[PAGES_HEAD_BYTES..]).await.map_err(|_| over(self.connection))?;
        Pages::parse(&bytes).map_err(|_| MatchError::Unproven)
    }
}

const fn role(side: Side) -> Role {
    match side {
        Side::Dialler => Role::Dialer,
        Side::Listener => Role::Listener,
    }
}
