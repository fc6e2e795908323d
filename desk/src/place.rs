//! Where the store lies.

use std::path::{Path, PathBuf};

use crate::failure::{DeskCode, Failure};

/// The store's folder: as given, else `$XDG_DATA_HOME/alliance`, else `~/.local/share/alliance`.
pub(crate) fn store_folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(given) = given {
        return absolute(given);
    }
    // The XDG base directory specification has relative values ignored.
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let data = data.or_else(|| home().map(|home| home.join(".local/share")));
    data.map(|data| data.join("alliance")).ok_or_else(|| DeskCode::NoStoreFolder.into())
}

/// The path from the root, so that it means the same to the process that holds the store.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|_| Failure::from(DeskCode::FileUnreadable).with("file", path.display()))
}
