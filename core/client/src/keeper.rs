//! A store's key without a passphrase: kept in two halves, one in the store's folder, the other with a keeper.
//!
//! A keeper is what a platform has for secrets: the login keyring of a desktop, the key store of a phone. What it is
//! given are random bytes that open nothing without the folder's half. A keeper that is absent, locked or unwilling is
//! never a failure to open a store: the passphrase always works.

use std::path::Path;

use alliance_crypto::{Cost, passphrase_key};
use alliance_store::{Device, KeptHalf, StoreKey};
use zeroize::Zeroizing;

use crate::error::{Code, Error};
use crate::inner::Client;

/// Bytes of what a keeper keeps.
const HALF_BYTES: usize = 32;

/// Keeps small secrets outside of any store's folder, for this person on this device.
pub trait KeyKeeper: Send + Sync {
    /// The secret that was kept under a name; `None` if there is none. Must not show anything to anybody, such as a
    /// dialogue that asks for a password.
    ///
    /// # Errors
    /// [`KeeperError`].
    fn fetch(&self, name: &str) -> impl Future<Output = Result<Option<Zeroizing<Vec<u8>>>, KeeperError>> + Send;

    /// Keeps a secret durably under a name that is new.
    ///
    /// # Errors
    /// [`KeeperError`]; then nothing is kept.
    fn keep(&self, name: &str, secret: &[u8]) -> impl Future<Output = Result<(), KeeperError>> + Send;

    /// Forgets what was kept under a name, if anything was.
    ///
    /// # Errors
    /// [`KeeperError`]; then it may still be kept.
    fn forget(&self, name: &str) -> impl Future<Output = Result<(), KeeperError>> + Send;
}

/// Why a keeper does nothing at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeeperError {
    /// There is none in this session.
    #[error("no keyring answers in this session")]
    Absent,
    /// It is locked.
    #[error("the keyring is locked")]
    Locked,
    /// It does not do what it is asked.
    #[error("the keyring refuses")]
    Refused,
}

/// Why the passphrase is needed all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// The folder's half is missing or cannot be read.
    #[error("this folder's half of the key cannot be read")]
    NoHalf,
    /// The keeper does not help at the moment.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    /// The keeper's half is gone.
    #[error("the keyring has nothing for this store")]
    Gone,
    /// The halves make another key than this store's.
    #[error("what the keyring has does not fit this store")]
    Stale,
}

impl From<KeeperError> for Error {
    fn from(error: KeeperError) -> Self {
        Self::new(match error {
            KeeperError::Absent => Code::KeyringAbsent,
            KeeperError::Locked => Code::KeyringLocked,
            KeeperError::Refused => Code::KeyringRefused,
        })
    }
}

impl Client {
    /// Whether there is a store in this folder. Does not look whether it can be opened.
    #[must_use]
    pub fn is_store(folder: &Path) -> bool {
        Device::header(folder).is_ok_and(|header| header.is_some())
    }

    /// Whether this is one of several people's profiles: a PIN opens it, and of its backups the recovery words.
    #[must_use]
    pub fn is_profile(&self) -> bool {
        Device::header(&self.inner.folder).is_ok_and(|header| header.is_some_and(|header| header.is_random()))
    }

    /// Whether somebody asked that a keeper keep the key of the store in this folder. Asks no keeper.
    #[must_use]
    pub fn is_kept(folder: &Path) -> bool {
        KeptHalf::is_in(folder)
    }

    /// The key of the store in this folder, if it was kept and the keeper gives its half.
    ///
    /// # Errors
    /// [`NotKept`]: ask for the passphrase.
    pub async fn kept_key(folder: &Path, keeper: &impl KeyKeeper) -> Result<StoreKey, NotKept> {
        let half = KeptHalf::read(folder).ok().flatten().ok_or(NotKept::NoHalf)?;
        let other = keeper.fetch(&name(&half)).await?.ok_or(NotKept::Gone)?;
        let other: &[u8; HALF_BYTES] = other.as_slice().try_into().map_err(|_| NotKept::Stale)?;
        let key = half.join(other);
        let header = Device::header(folder).ok().flatten().ok_or(NotKept::Stale)?;
        header.verify(&key).map(|()| key).map_err(|_| NotKept::Stale)
    }

    /// Has a keeper keep this store's key from now on, in place of what it may have kept before.
    ///
    /// # Errors
    /// `KEYRING_ABSENT`, `KEYRING_LOCKED`, `KEYRING_REFUSED` (always for one of several [`crate::Profiles`] of a device),
    /// and those of the disk; then all is as it was.
    pub async fn keep_key(&self, keeper: &impl KeyKeeper) -> Result<(), Error> {
        let folder = &self.inner.folder;
        if Device::header(folder)?.is_some_and(|header| header.is_random()) {
            // Several people share this device: its login is no proof of who is there.
            return Err(Error::new(Code::KeyringRefused).with("what", "a profile's PIN is always asked"));
        }
        let before = KeptHalf::read(folder).ok().flatten();
        let other = Zeroizing::new(self.inner.derive("kept key", &[])?);
        let half = KeptHalf::split(self.inner.device.key(), self.inner.derive16("kept name", &[])?, &other);
        keeper.keep(&name(&half), other.as_slice()).await?;
        if let Err(error) = half.write(folder) {
            // Without the folder's half the keeper's is worthless; it is in the way, not a danger.
            let _ = keeper.forget(&name(&half)).await;
            return Err(error.into());
        }
        if let Some(before) = before {
            // The same.
            let _ = keeper.forget(&name(&before)).await;
        }
        Ok(())
    }

    /// Ends the keeping of the key of the store in this folder: the folder's half is removed, and then the keeper's.
    ///
    /// # Errors
    /// `STORE_IO` if the folder's half cannot be removed. What the keeper says is the inner result: its half, which
    /// opens nothing any more, may be left there.
    pub async fn forget_key(folder: &Path, keeper: &impl KeyKeeper) -> Result<Result<(), KeeperError>, Error> {
        let half = KeptHalf::read(folder).ok().flatten();
        KeptHalf::remove(folder)?;
        match half {
            Some(half) => Ok(keeper.forget(&name(&half)).await),
            None => Ok(Ok(())),
        }
    }

    /// This store's key, for whoever must tell it from another one. It opens the store and its backups.
    #[must_use]
    pub fn store_key(&self) -> StoreKey {
        self.inner.device.key().clone()
    }

    /// Whether this is the passphrase of this store. Takes as long as opening it.
    ///
    /// # Errors
    /// Those of the store's header.
    pub async fn is_passphrase(&self, passphrase: &str) -> Result<bool, Error> {
        let folder = self.inner.folder.clone();
        let passphrase = Zeroizing::new(passphrase.to_owned());
        let around = &self.inner.around;
        let key = around.blocking(move || passphrase_to_key(&folder, &passphrase)).await?;
        let place: [u8; 32] = around.bytes()?;
        let hash = |key: &StoreKey| blake3::keyed_hash(&place, key.bytes());
        Ok(hash(&key) == hash(self.inner.device.key()))
    }
}

/// What the passphrase makes of the salt and cost in a store's header: its key, if the passphrase is right. Blocks.
pub(crate) fn passphrase_to_key(folder: &Path, passphrase: &str) -> Result<StoreKey, Error> {
    let header = Device::header(folder)?.ok_or(Code::StoreAbsent)?;
    if header.is_random() {
        return Err(Error::new(Code::WrongPassphrase).with("what", "a profile opens by its PIN or its recovery words"));
    }
    let cost = Cost::new(header.kdf.memory_kib, header.kdf.passes).map_err(|_| Error::new(Code::StoreDamaged))?;
    Ok(StoreKey::from(passphrase_key(passphrase, &header.salt, cost)?))
}

fn name(half: &KeptHalf) -> String {
    half.name().iter().map(|byte| format!("{byte:02x}")).collect()
}
