//! The relay's data folder, and the secrets in it.
//!
//! | file | what it is |
//! |---|---|
//! | `store.db`, `store.lock` | the log of every space; one process holds the lock |
//! | `marker` | tells a continued database from a restored one; stays out of backups |
//! | `secrets` | TLS key, token key, reset key, connection-id key: made at the first start, readable by their owner only |
//! | `sessions.db` | TLS session tickets |
//! | `operator.db` | tokens and mailboxes |

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use alliance_net::{RelaySecrets, SecretsError};
use zeroize::Zeroizing;

const SECRETS: &str = "secrets";

/// Why the relay's secrets could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum SecretsFileError {
    /// The folder or the file in it could not be read or written.
    #[error("the relay's secrets: {0}")]
    Io(#[from] io::Error),
    /// The file holds something else. It is not replaced: a new key would be a new relay.
    #[error("the relay's secrets are damaged: {0}")]
    Damaged(#[from] SecretsError),
    /// There are none yet.
    #[error("no relay has started in this folder yet")]
    Absent,
    /// The system gives no randomness to make them.
    #[error("the system gives no randomness")]
    Randomness,
}

/// The secrets of a folder in which a relay has started.
///
/// # Errors
/// [`SecretsFileError`].
pub fn read_secrets(folder: &Path) -> Result<RelaySecrets, SecretsFileError> {
    let file = match File::open(folder.join(SECRETS)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(SecretsFileError::Absent),
        other => other?,
    };
    // One byte more than there should be, so that a longer file is noticed and never read whole.
    let mut bytes = Zeroizing::new(Vec::with_capacity(RelaySecrets::BYTES + 1));
    file.take(RelaySecrets::BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(RelaySecrets::from_bytes(&bytes)?)
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
    // Written beside and renamed: a crash leaves no half-written key that would stop the next start.
    let unfinished = folder.join("secrets.new");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(&secrets.to_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, folder.join(SECRETS))?;
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(secrets)
}
