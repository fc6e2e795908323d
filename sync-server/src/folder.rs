//! The relay's data folder, and the secrets in it.
//!
//! | file | what it is |
//! |---|---|
//! | `store.db`, `store.lock` | the log of every space; one process holds the lock |
//! | `store.key` | the key under which the databases' pages are signed; no secret is kept by it |
//! | `marker` | tells a continued database from a restored one; stays out of backups |
//! | `secrets` | TLS key, token key, reset key, connection-id key: made at the first start, readable by their owner only |
//! | `secrets.copy`, `store.key.copy` | the same once more, so that one flipped bit loses nothing |
//! | `sessions.db` | TLS session tickets |
//! | `operator.db` | tokens and mailboxes |

use std::io;
use std::path::Path;

use alliance_net::{RelaySecrets, SecretsError};
use alliance_store::file::{SmallError, pair};
use zeroize::Zeroizing;

const SECRETS: &str = "secrets";
const MAGIC: &[u8] = b"alliance relay secrets\0";
const VERSION: u8 = 1;

/// Why the relay's secrets could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum SecretsFileError {
    /// The folder or the file in it could not be read or written.
    #[error("the relay's secrets: {0}")]
    Io(#[from] io::Error),
    /// Neither copy is what was written. They are not replaced: a new key would be a new relay.
    #[error("the relay's secrets are damaged in both copies")]
    Damaged,
    /// What was written cannot be used by this version.
    #[error("the relay's secrets are damaged: {0}")]
    Other(#[from] SecretsError),
    /// A newer version wrote them.
    #[error("the relay's secrets were written by a newer version (format {0})")]
    Newer(u8),
    /// There are none yet.
    #[error("no relay has started in this folder yet")]
    Absent,
    /// The system gives no randomness to make them.
    #[error("the system gives no randomness")]
    Randomness,
}

impl From<SmallError> for SecretsFileError {
    fn from(error: SmallError) -> Self {
        match error {
            SmallError::Damaged => Self::Damaged,
            SmallError::Newer(found) => Self::Newer(found),
            SmallError::Io(error) => Self::Io(error),
        }
    }
}

/// The secrets of a folder in which a relay has started.
///
/// # Errors
/// [`SecretsFileError`].
pub fn read_secrets(folder: &Path) -> Result<RelaySecrets, SecretsFileError> {
    let path = folder.join(SECRETS);
    match pair::read(&path, MAGIC, VERSION) {
        Ok(Some(bytes)) => Ok(RelaySecrets::from_bytes(&Zeroizing::new(bytes))?),
        Ok(None) => Err(SecretsFileError::Absent),
        Err(SmallError::Damaged) => take_over(&path),
        Err(error) => Err(error.into()),
    }
}

/// The form without a checksum, which earlier versions wrote: told by its length, and written anew in both copies.
fn take_over(path: &Path) -> Result<RelaySecrets, SecretsFileError> {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
    if length(path) != RelaySecrets::BYTES as u64 || pair::copy_of(path).exists() {
        return Err(SecretsFileError::Damaged);
    }
    let bytes = Zeroizing::new(std::fs::read(path)?);
    let secrets = RelaySecrets::from_bytes(&bytes)?;
    pair::write(path, MAGIC, VERSION, &bytes)?;
    Ok(secrets)
}

/// The secrets of a folder, made and written durably where there are none yet. Hold the store's lock meanwhile.
///
/// # Errors
/// [`SecretsFileError`].
pub fn read_or_make_secrets(folder: &Path) -> Result<RelaySecrets, SecretsFileError> {
    match read_secrets(folder) {
        Err(SecretsFileError::Absent) => make_secrets(folder),
        other => other,
    }
}

fn make_secrets(folder: &Path) -> Result<RelaySecrets, SecretsFileError> {
    let mut random = Zeroizing::new([0; RelaySecrets::BYTES - 1]);
    getrandom::fill(random.as_mut()).map_err(|_| SecretsFileError::Randomness)?;
    let secrets = RelaySecrets::generate(&random);
    pair::write(&folder.join(SECRETS), MAGIC, VERSION, &secrets.to_bytes())?;
    Ok(secrets)
}
