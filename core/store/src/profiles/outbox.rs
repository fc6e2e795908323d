//! What a locked profile leaves to be sent: a bundle beside its store, which any profile of the device may carry.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use alliance_wire::limits::BUNDLE_BYTES_MAX;

use super::{ProfileId, Profiles, is_profile};
use crate::error::OpenError;
use crate::file::{Files, small, sync_folder};

impl Profiles {
    /// The profiles among which this store is one, and its id; nothing if it is a store by itself.
    #[must_use]
    pub fn of_store(store: &Path) -> Option<(Self, ProfileId)> {
        let id = ProfileId::named(store.file_name()?.to_str()?)?;
        Files::new(store).pin().exists().then(|| (Self::new(store.parent().unwrap_or(store)), id))
    }

    /// Leaves a bundle for the others to carry, in place of the last one; nothing takes it away.
    ///
    /// # Errors
    /// An I/O error; the last one may be there still.
    pub fn put_outbox(&self, id: &ProfileId, bundle: Option<&[u8]>) -> io::Result<()> {
        let path = self.files(id).outbox();
        match bundle {
            Some(bundle) => small::write(&path, bundle),
            None => match fs::remove_file(&path) {
                Ok(()) => sync_folder(&path),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(error),
            },
        }
    }

    /// What the other profiles left. One that cannot be read is left out.
    ///
    /// # Errors
    /// An I/O error of the folder.
    pub fn outboxes(&self, but: &ProfileId) -> Result<Vec<(ProfileId, Vec<u8>)>, OpenError> {
        let mut found = Vec::new();
        for id in self.ids(ProfileId::named)?.into_iter().filter(|id| id != but && is_profile(&self.store(id))) {
            let Ok(file) = File::open(self.files(&id).outbox()) else { continue };
            let mut bytes = Vec::new();
            let limit = BUNDLE_BYTES_MAX as u64 + 1;
            if file.take(limit).read_to_end(&mut bytes).is_ok() && bytes.len() <= BUNDLE_BYTES_MAX {
                found.push((id, bytes));
            }
        }
        Ok(found)
    }
}
