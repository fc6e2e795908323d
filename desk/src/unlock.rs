//! What opens a store: the passphrase, or the key, which the login keyring helped to keep or a profile's PIN gave.

use std::path::Path;

use alliance_client::{Client, Options, StoreKey};
use zeroize::Zeroizing;

use crate::cli::Common;
use crate::command::profile;
use crate::failure::Failure;
use crate::keyring::LoginKeyring;
use crate::output::Teller;
use crate::place::Place;
use crate::secret;

/// What opens a store.
pub(crate) enum Unlock {
    /// Its passphrase.
    Passphrase(Zeroizing<String>),
    /// Its key.
    Key(StoreKey),
}

impl Unlock {
    /// The key, if somebody asked for that with `alliance keyring on` and the keyring helps; otherwise the passphrase.
    /// A passphrase file is taken at its word, and the keyring is left alone.
    ///
    /// # Errors
    /// Those of [`Unlock::by_person`].
    pub(crate) async fn of(common: &Common, place: &Place, teller: &Teller) -> Result<Self, Failure> {
        let file = common.passphrase_file.as_deref();
        if let Place::Store(store) = place
            && file.is_none()
            && Client::is_kept(store)
        {
            match Client::kept_key(store, &LoginKeyring).await {
                Ok(key) => return Ok(Self::Key(key)),
                Err(why) => teller.remark(&format!("The passphrase is needed, since {why}.")).await,
            }
        }
        Self::by_person(common, place, teller).await
    }

    /// What the person knows: the passphrase, or the key by a profile's PIN.
    ///
    /// # Errors
    /// Those of [`secret::passphrase`], and `PIN_WRONG`, `PIN_LOCKED`, `PIN_ABSENT`.
    pub(crate) async fn by_person(common: &Common, place: &Place, teller: &Teller) -> Result<Self, Failure> {
        let file = common.passphrase_file.as_deref();
        match place {
            Place::Store(_) => secret::passphrase(file).await.map(Self::Passphrase),
            Place::Profile(profiles, id) => profile::unlock(profiles, id, file, teller).await.map(Self::Key),
        }
    }

    /// Opens the store.
    ///
    /// # Errors
    /// Those of [`Client::open`].
    pub(crate) async fn open(&self, store: &Path) -> Result<Client, alliance_client::Error> {
        match self {
            Self::Passphrase(passphrase) => Client::open(store, passphrase, Options::default()).await,
            Self::Key(key) => Client::open_with(store, key, Options::default()).await,
        }
    }
}
