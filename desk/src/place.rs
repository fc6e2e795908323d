//! Where the store lies: one of its own, or one of several people's profiles.

use std::path::{Path, PathBuf};

use alliance_client::{Options, ProfileId, Profiles};

use crate::cli::Common;
use crate::failure::{DeskCode, Failure};

/// The store that a command is about.
#[expect(clippy::large_enum_variant, reason = "a program has one")]
pub(crate) enum Place {
    /// A store with a passphrase.
    Store(PathBuf),
    /// A profile, which a PIN opens.
    Profile(Profiles, ProfileId),
}

impl Place {
    /// As given by `--store` or `--profile`; else the profile in use; else the store of this user.
    ///
    /// # Errors
    /// `NO_STORE_FOLDER`, `UNKNOWN_PROFILE`, `AMBIGUOUS`, `STORE_IO`.
    pub(crate) async fn of(common: &Common) -> Result<Self, Failure> {
        if let Some(given) = &common.store {
            return absolute(given).map(Self::Store);
        }
        let profiles = profiles(common)?;
        let id = match &common.profile {
            Some(reference) => Some(profiles.find(reference).await?),
            None => profiles.chosen().await?,
        };
        match id {
            Some(id) => Ok(Self::Profile(profiles, id)),
            None => store_folder(None).map(Self::Store),
        }
    }

    /// The store's folder.
    pub(crate) fn store(&self) -> PathBuf {
        match self {
            Self::Store(folder) => folder.clone(),
            Self::Profile(profiles, id) => profiles.store(id),
        }
    }
}

/// The profiles of this device: in the folder that `--profiles` names, else in `alliance-profiles` beside the store.
///
/// # Errors
/// `NO_STORE_FOLDER`.
pub(crate) fn profiles(common: &Common) -> Result<Profiles, Failure> {
    let folder = match &common.profiles {
        Some(given) => absolute(given)?,
        None => data_folder("alliance-profiles")?,
    };
    Ok(Profiles::new(&folder, Options::default()))
}

/// The store's folder: as given, else `$XDG_DATA_HOME/alliance`, else `~/.local/share/alliance`.
pub(crate) fn store_folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    given.map_or_else(|| data_folder("alliance"), absolute)
}

fn data_folder(name: &str) -> Result<PathBuf, Failure> {
    // The XDG base directory specification has relative values ignored.
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let data = data.or_else(|| home().map(|home| home.join(".local/share")));
    data.map(|data| data.join(name)).ok_or_else(|| DeskCode::NoStoreFolder.into())
}

/// The path from the root, so that it means the same to the process that holds the store.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|_| Failure::from(DeskCode::FileUnreadable).with("file", path.display()))
}
