//! How connections end, and whose fault it was.

use std::io;
use std::net::SocketAddr;

use quinn::{ConnectionError, TransportErrorCode, VarInt};

/// Whose fault a failure is, so that a caller knows what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The peer broke the protocol, or is not who it should be: do not retry by yourself.
    Peer,
    /// The peer speaks another version: one side must be updated.
    Incompatible,
    /// This program asked for something that cannot be: a bug or a wrong setting here.
    Caller,
    /// Network, system or the peer's situation: try again later.
    Environment,
}

/// Why a side closes a connection, as the peer learns it. The numbers are part of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// 0: nothing more to say.
    Done,
    /// 1: this side is shutting down; come back later.
    Shutdown,
    /// 2: this side does not talk with that device.
    Refused,
    /// 3: the peer broke the protocol.
    ProtocolViolation,
    /// 4: a frame was larger than allowed.
    FrameTooLarge,
    /// 5: something that was begun stood still for too long.
    Stalled,
    /// 6: the peer is another device than the one that was dialed.
    WrongKey,
    /// 7: no room for another connection at the moment.
    Busy,
    /// 8: the peer speaks a version that this side does not know.
    Incompatible,
    /// A number that this version does not know.
    Unrecognized(u64),
}

impl CloseReason {
    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> u64 {
        match self {
            Self::Done => 0,
            Self::Shutdown => 1,
            Self::Refused => 2,
            Self::ProtocolViolation => 3,
            Self::FrameTooLarge => 4,
            Self::Stalled => 5,
            Self::WrongKey => 6,
            Self::Busy => 7,
            Self::Incompatible => 8,
            Self::Unrecognized(code) => code,
        }
    }

    /// The reason with this number.
    #[must_use]
    pub const fn from_code(code: u64) -> Self {
        match code {
            0 => Self::Done,
            1 => Self::Shutdown,
            2 => Self::Refused,
            3 => Self::ProtocolViolation,
            4 => Self::FrameTooLarge,
            5 => Self::Stalled,
            6 => Self::WrongKey,
            7 => Self::Busy,
            8 => Self::Incompatible,
            other => Self::Unrecognized(other),
        }
    }

    pub(crate) fn var_int(self) -> VarInt {
        VarInt::from_u64(self.code()).unwrap_or(VarInt::MAX)
    }
}

/// Why a connection is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionLost {
    /// The peer closed it, for the reason that it gives.
    #[error("the peer closed the connection: {0:?}")]
    Closed(CloseReason),
    /// This side closed it.
    #[error("the connection was closed here")]
    ClosedHere,
    /// The peer restarted and knows nothing of the connection.
    #[error("the peer restarted")]
    Reset,
    /// Nothing was heard from the peer for too long, or it was never there.
    #[error("nothing was heard from the peer in time")]
    TimedOut,
    /// The peer took nothing, or sent half a frame and no more, for too long.
    #[error("the connection stood still")]
    Stalled,
    /// The relay at this address has another key than the pinned one.
    #[error("the relay has another key than the pinned one")]
    WrongKey,
    /// The sides have no version of the protocol in common.
    #[error("the peer speaks no version of the protocol that this program knows")]
    Incompatible,
    /// The peer broke the protocol.
    #[error("the peer broke the protocol")]
    PeerMisbehaved,
    /// The peer's transport ended the connection and says that this side broke the protocol or showed no valid key.
    #[error("the peer found fault with this side of the connection")]
    FoundAtFault,
}

impl ConnectionLost {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Closed(reason) => match reason {
                CloseReason::ProtocolViolation | CloseReason::FrameTooLarge | CloseReason::WrongKey => Fault::Caller,
                CloseReason::Incompatible => Fault::Incompatible,
                CloseReason::Done
                | CloseReason::Shutdown
                | CloseReason::Refused
                | CloseReason::Stalled
                | CloseReason::Busy
                | CloseReason::Unrecognized(_) => Fault::Environment,
            },
            Self::ClosedHere | Self::FoundAtFault => Fault::Caller,
            Self::Reset | Self::TimedOut | Self::Stalled => Fault::Environment,
            Self::WrongKey | Self::PeerMisbehaved => Fault::Peer,
            Self::Incompatible => Fault::Incompatible,
        }
    }
}

impl From<ConnectionError> for ConnectionLost {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::VersionMismatch => Self::Incompatible,
            ConnectionError::TransportError(found_here) => match found_here.code {
                code if code == tls_alert(alert::ACCESS_DENIED) => Self::WrongKey,
                code if alert::INCOMPATIBLE.map(tls_alert).contains(&code) => Self::Incompatible,
                _ => Self::PeerMisbehaved,
            },
            ConnectionError::ConnectionClosed(close) => match close.error_code {
                TransportErrorCode::NO_ERROR => Self::Closed(CloseReason::Done),
                TransportErrorCode::CONNECTION_REFUSED => Self::Closed(CloseReason::Busy),
                // quinn says this in place of a reason given before the handshake is over, which must not be readable.
                TransportErrorCode::APPLICATION_ERROR => Self::Closed(CloseReason::Refused),
                code if alert::INCOMPATIBLE.map(tls_alert).contains(&code) => Self::Incompatible,
                _ => Self::FoundAtFault,
            },
            ConnectionError::ApplicationClosed(close) => {
                Self::Closed(CloseReason::from_code(close.error_code.into_inner()))
            }
            ConnectionError::Reset => Self::Reset,
            ConnectionError::TimedOut => Self::TimedOut,
            // The second is a limit of this endpoint's own.
            ConnectionError::LocallyClosed | ConnectionError::CidsExhausted => Self::ClosedHere,
        }
    }
}

/// Numbers of TLS alerts (RFC 8446 section 6).
mod alert {
    /// Our verifier's word for a raw key that is not the pinned one.
    pub(super) const ACCESS_DENIED: u8 = 49;
    /// handshake_failure, unsupported_certificate, protocol_version, no_application_protocol.
    pub(super) const INCOMPATIBLE: [u8; 4] = [40, 43, 70, 120];
}

fn tls_alert(number: u8) -> TransportErrorCode {
    TransportErrorCode::crypto(number)
}

/// Why an endpoint could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is taken, not of this machine, or not allowed.
    #[error("cannot listen on {address}: {source}")]
    Socket {
        /// The address asked for.
        address: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// The system gave no randomness for a throw-away key.
    #[error("the system gives no randomness")]
    Randomness,
}
