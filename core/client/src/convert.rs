//! Errors of the floors below, as codes of the facade: one mapping, nothing lost in an "other".

use alliance_crypto::{AcceptError, InvitationError, JoinError, PassphraseError};
use alliance_document::{Panicked, SealError};
use alliance_net::{CloseReason, ConnectError, ConnectionLost, DialError};
use alliance_store::device::{AppendError, RestoreError};
use alliance_store::{OpenError, StoreError};

use crate::error::{Code, Error};

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LowStorage => Self::new(Code::LowStorage),
            StoreError::ReadOnly => Self::new(Code::StoreReadOnly),
            StoreError::Damaged => Self::new(Code::StoreDamaged),
            StoreError::Closed => Self::new(Code::StoreClosed),
            StoreError::Shape(what) => Self::new(Code::StoreDamaged).with("what", what),
            StoreError::Database { code } => Self::new(Code::StoreIo).with("sqlite", code),
        }
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Busy { pid: Some(pid) } => Self::new(Code::StoreBusy).with("pid", pid),
            OpenError::Busy { pid: None } => Self::new(Code::StoreBusy),
            OpenError::WrongKey => Self::new(Code::WrongPassphrase),
            OpenError::Newer { found, known } => Self::new(Code::StoreNewer).with("found", found).with("known", known),
            OpenError::Damaged => Self::new(Code::StoreDamaged),
            OpenError::OtherKind => Self::new(Code::StoreDamaged).with("what", "a relay's database"),
            OpenError::Header => Self::new(Code::StoreDamaged).with("what", "header"),
            OpenError::Absent => Self::new(Code::StoreAbsent),
            OpenError::Unfinished => Self::new(Code::StoreAbsent).with("what", "its making was interrupted"),
            OpenError::Exists => Self::new(Code::StoreExists),
            OpenError::LowStorage => Self::new(Code::LowStorage),
            OpenError::ReadOnly => Self::new(Code::StoreReadOnly),
            OpenError::Io(error) => Self::new(Code::StoreIo).with("why", error),
            OpenError::Database { code } => Self::new(Code::StoreIo).with("sqlite", code),
        }
    }
}

impl From<AppendError> for Error {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::NotTaken(_) => Self::new(Code::Internal).with("what", "an own entry was not the next"),
            AppendError::Store(error) => error.into(),
        }
    }
}

impl From<RestoreError> for Error {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Open(error) => error.into(),
            RestoreError::NotABackup | RestoreError::Newer(_) | RestoreError::Damaged => {
                Self::new(Code::BackupDamaged).with("why", error)
            }
        }
    }
}

impl From<PassphraseError> for Error {
    fn from(_: PassphraseError) -> Self {
        Self::new(Code::WrongPassphrase)
    }
}

impl From<Panicked> for Error {
    fn from(_: Panicked) -> Self {
        Self::new(Code::DocumentBroken)
    }
}

impl From<SealError> for Error {
    fn from(error: SealError) -> Self {
        Self::new(Code::DocumentBroken).with("why", error)
    }
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Address(_) => Self::new(Code::BadAddress),
            ConnectError::DialerClosed => Self::new(Code::StoreClosed),
            ConnectError::WrongRelayKey => Self::new(Code::WrongRelayKey),
            ConnectError::FirstFrame(error) => Self::new(Code::Internal).with("what", error),
            ConnectError::Lost(lost) => unreached(lost, Code::WrongRelayKey),
        }
    }
}

impl From<DialError> for Error {
    fn from(error: DialError) -> Self {
        match error {
            DialError::Address(_) => Self::new(Code::BadAddress),
            DialError::DialerClosed => Self::new(Code::StoreClosed),
            DialError::Refused => Self::new(Code::PeerRefused),
            DialError::WrongDeviceKey { found } => Self::new(Code::WrongDeviceKey).with("found", found),
            DialError::Unproven => Self::new(Code::WrongDeviceKey),
            DialError::Incompatible => Self::new(Code::Incompatible),
            DialError::Lost(lost) => unreached(lost, Code::WrongDeviceKey),
        }
    }
}

/// A connection that did not come to be.
fn unreached(lost: ConnectionLost, wrong_key: Code) -> Error {
    match lost {
        ConnectionLost::TimedOut | ConnectionLost::Reset | ConnectionLost::Stalled => Error::new(Code::Unreachable),
        ConnectionLost::WrongKey | ConnectionLost::Closed(CloseReason::WrongKey) => Error::new(wrong_key),
        ConnectionLost::Closed(_)
        | ConnectionLost::ClosedHere
        | ConnectionLost::Incompatible
        | ConnectionLost::PeerMisbehaved
        | ConnectionLost::FoundAtFault => broken(lost),
    }
}

/// A connection that ended before its time.
pub(crate) fn broken(lost: ConnectionLost) -> Error {
    match lost {
        ConnectionLost::WrongKey | ConnectionLost::Closed(CloseReason::WrongKey) => Error::new(Code::WrongRelayKey),
        ConnectionLost::Incompatible | ConnectionLost::Closed(CloseReason::Incompatible) => {
            Error::new(Code::Incompatible)
        }
        ConnectionLost::PeerMisbehaved => Error::new(Code::PeerMisbehaved),
        ConnectionLost::Closed(CloseReason::Refused) => Error::new(Code::PeerRefused),
        other @ (ConnectionLost::Closed(_)
        | ConnectionLost::ClosedHere
        | ConnectionLost::Reset
        | ConnectionLost::TimedOut
        | ConnectionLost::Stalled
        | ConnectionLost::FoundAtFault) => Error::new(Code::Disconnected).with("why", other),
    }
}

impl From<InvitationError> for Error {
    fn from(error: InvitationError) -> Self {
        match error {
            InvitationError::NewerVersion => Self::new(Code::InvitationNewer),
            InvitationError::NotInvitation | InvitationError::Damaged => {
                Self::new(Code::InvitationDamaged).with("why", error)
            }
        }
    }
}

impl From<AcceptError> for Error {
    fn from(error: AcceptError) -> Self {
        Self::new(match error {
            AcceptError::Foreign => Code::InvitationForeign,
            AcceptError::NewerVersion => Code::InvitationNewer,
            AcceptError::Malformed => Code::InvitationDamaged,
            AcceptError::Expired => Code::InvitationExpired,
            AcceptError::Spent => Code::InvitationUsed,
            AcceptError::NoAccept => Code::NotAnswered,
        })
    }
}

impl From<JoinError> for Error {
    fn from(error: JoinError) -> Self {
        Self::new(match error {
            JoinError::Name => Code::Internal,
            JoinError::Expired => Code::InvitationExpired,
            JoinError::Foreign => Code::InvitationForeign,
            JoinError::NewerVersion => Code::InvitationNewer,
            JoinError::UsedByAnother => Code::InvitationUsed,
            JoinError::Commitment => Code::CodeMismatch,
        })
    }
}
