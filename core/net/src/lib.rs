//! QUIC, and TLS on TCP, between devices and relays: this crate moves frames between two parties that know each other's keys.
//!
//! There are two ways to meet, and both end in the same [`Connection`]:
//!
//! - **Towards a relay** ([`Dialer::connect_saying`], [`RelayListener`]) the identities are in TLS itself: raw Ed25519 public
//!   keys (RFC 7250) both ways, the relay's pinned by the caller, the device's read by the relay. A dialer that met this
//!   relay before in the same process sends its first frames as 0-RTT data, the very first in its first datagram; if the relay cannot take them, the same
//!   frames go again behind the handshake, unseen by the caller. They can therefore arrive twice in the life of a
//!   session, and every message of the protocol is idempotent for that reason.
//! - **Directly** ([`Dialer::dial`], [`Dialer::seek`], [`DirectListener`]) TLS knows nobody: the listener shows a throw-away key. Inside,
//!   the dialer proves its device key first; the listener decides by that key whether to answer with its own proof, and
//!   a dialer that is refused has learnt nobody's key. A dialer that knows an address and no key says tags of the spaces
//!   that it is in, bound to the connection, and so does the listener; only where they match do both prove their keys
//!   (docs/PROTOCOL.md section 3, LAN).
//!
//! Where a network lets no UDP through, the same frames go to a relay over TLS 1.3 on TCP, with the same keys both ways
//! ([`TcpDialer`], [`TcpRelayListener`]), no tickets and nothing before the handshake is over; both kinds of connection
//! are a [`Line`].
//!
//! A connection is one bidirectional stream of frames, each behind a LEB128 length. The stream appears at the listener
//! with the dialer's first frame, so the dialer speaks first; then each side sends when it likes. [`Connection::split`]
//! gives the two halves and a [`ConnectionHandle`] that counts bytes, measures the round trip and closes.
//!
//! A relay keeps [`RelaySecrets`] and a [`TicketStore`] on disk. With them a restart, even a silent one, costs a device
//! one round trip: its next packet is answered by a stateless reset, and its ticket still opens the new process.
//!
//! What is absent: names, addresses and ports in logs (there are no logs); MTU discovery and datagrams, which idle
//! connections pay for; unidirectional streams; certificates; TLS 1.2. Everything here runs on a tokio runtime, and
//! endpoints must be made inside one.

mod address;
mod armor;
mod connection;
mod dialer;
mod direct;
mod early;
mod error;
mod frame;
mod held;
mod identity;
mod line;
mod listen;
mod marks;
mod matching;
mod proof;
mod relay;
mod secrets;
mod settings;
mod stream;
mod tcp;
mod tickets;
mod tls;

pub use address::{AdmissionToken, RelayAddress, RelayAddressError, TokenError};
pub use armor::{ArmorError, read as read_armor, write as write_armor};
pub use connection::{ByteCounts, Connection, ConnectionHandle, EarlyData, Pulse};
pub use dialer::{ConnectError, DialError, Dialer};
pub use direct::{DirectAcceptError, DirectIncoming, DirectListener, ProvenDialer};
pub use error::{BindError, CloseReason, ConnectionLost, Fault};
pub use frame::{FrameDecoder, FrameError, PREFIX_BYTES_MAX, encode_prefix};
pub use identity::DeviceIdentity;
pub use line::{Line, LineHandle, LineReceiver, LineSender};
pub use marks::{Mark, MarkDecoder, MarkError};
pub use matching::{Heard, MatchError, Matched};
pub use proof::{PROOF_BYTES, ProofClaim, ProofError};
pub use relay::{RelayAcceptError, RelayIncoming, RelayListener};
pub use secrets::{RelaySecrets, SecretsError};
pub use settings::{Activity, EARLY_BYTES_MAX, FIRST_FRAME_BYTES, Settings};
pub use stream::{FrameReceiver, FrameSender, ReceiveError, SendError};
pub use tcp::{
    TcpConnectError, TcpConnection, TcpDialer, TcpHandle, TcpIncoming, TcpReceiver, TcpRelayListener, TcpSender,
};
pub use tickets::{MemoryTickets, TICKET_MILLIS_MAX, TICKETS_MAX, TICKETS_PER_DEVICE_MAX, TicketStore};
