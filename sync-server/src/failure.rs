//! Everything that can go wrong with a command, with a stable code and exit status each.
//!
//! | status | code | what happened |
//! |---|---|---|
//! | 2 | `USAGE` | the arguments are not what the command takes |
//! | 3 | `RELAY_BUSY` | another process has the data folder |
//! | 4 | `RELAY_NEWER` | a newer version wrote the data folder; nothing was changed |
//! | 5 | `RELAY_DAMAGED` | a database, or the secrets, cannot be read |
//! | 6 | `LOW_STORAGE` | no room on the disk |
//! | 7 | `LISTEN` | the address cannot be listened on |
//! | 8 | `ADDRESS` | the public address is missing or none |
//! | 9 | `NO_RELAY` | no relay has started in this folder yet |
//! | 10 | `NO_TOKEN` | there is no token with this id |
//! | 11 | `IO` | a file, the system's randomness or a signal cannot be had |
//! | 12 | `READ_ONLY` | the disk can only be read |

use std::io;

use alliance_store::{OpenError, StoreError};

use crate::StartError;
use crate::folder::SecretsFileError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The arguments do not fit together.
    #[error("{0}")]
    Usage(&'static str),
    /// The relay did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There is no token with this id.
    #[error("there is no token {0}")]
    NoToken(String),
    /// A look at the folder found damage; what, was said before.
    #[error("the data folder is damaged")]
    Damaged,
    /// The system did not give what the command needs.
    #[error("the system: {0}")]
    Io(#[from] io::Error),
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::Start(error.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Start(error.into())
    }
}

impl From<SecretsFileError> for Failure {
    fn from(error: SecretsFileError) -> Self {
        Self::Start(error.into())
    }
}

impl Failure {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.row().1
    }

    /// The process's exit status.
    #[must_use]
    pub const fn exit_status(&self) -> u8 {
        self.row().0
    }

    const fn row(&self) -> (u8, &'static str) {
        match self {
            Self::Usage(_) => (2, "USAGE"),
            Self::NoToken(_) => (10, "NO_TOKEN"),
            Self::Damaged => (5, "RELAY_DAMAGED"),
            Self::Io(_) => (11, "IO"),
            Self::Start(error) => match error {
                StartError::Store(error) => store(error),
                StartError::Secrets(error) => match error {
                    SecretsFileError::Io(_) | SecretsFileError::Randomness => (11, "IO"),
                    SecretsFileError::Damaged | SecretsFileError::Other(_) => (5, "RELAY_DAMAGED"),
                    SecretsFileError::Newer(_) => (4, "RELAY_NEWER"),
                    SecretsFileError::Absent => (9, "NO_RELAY"),
                },
                StartError::Bind(_) => (7, "LISTEN"),
                StartError::Public(_) | StartError::PublicNeeded(_) => (8, "ADDRESS"),
                StartError::Randomness => (11, "IO"),
            },
        }
    }
}

const fn store(error: &OpenError) -> (u8, &'static str) {
    match error {
        OpenError::Busy { .. } => (3, "RELAY_BUSY"),
        OpenError::Newer { .. } => (4, "RELAY_NEWER"),
        OpenError::WrongKey
        | OpenError::Damaged
        | OpenError::OtherKind
        | OpenError::Header
        | OpenError::Database { .. } => (5, "RELAY_DAMAGED"),
        OpenError::LowStorage => (6, "LOW_STORAGE"),
        OpenError::ReadOnly => (12, "READ_ONLY"),
        OpenError::Absent => (9, "NO_RELAY"),
        OpenError::Exists | OpenError::Unfinished | OpenError::Io(_) => (11, "IO"),
    }
}
