//! A sealed copy of the whole store.

use std::fs::{File, OpenOptions};
use std::path::Path;

use crate::error::{Code, Error};
use crate::inner::Client;

impl Client {
    /// Writes a backup: the encrypted database with drafts and keys, opened by the store's passphrase. Returns its
    /// length in bytes. A restored store writes on under a new incarnation; the device's own key is inside, so a backup
    /// is kept like the passphrase.
    ///
    /// # Errors
    /// `STORE_EXISTS` if the file is there, `LOW_STORAGE`, `STORE_IO`, and those of the store.
    pub async fn backup(&self, file: &Path) -> Result<u64, Error> {
        let (device, file) = (self.inner.device.clone(), file.to_owned());
        self.inner
            .around
            .blocking(move || {
                if file.exists() {
                    return Err(Error::new(Code::StoreExists).with("file", file.display()));
                }
                // Under another name until it is whole: a cut backup must not look like one.
                let mut beside = file.clone().into_os_string();
                beside.push(".part");
                let io = |error: std::io::Error| {
                    let full = error.kind() == std::io::ErrorKind::StorageFull;
                    if full { Error::new(Code::LowStorage) } else { Error::new(Code::StoreIo).with("why", error) }
                };
                let mut out: File =
                    OpenOptions::new().write(true).create(true).truncate(true).open(&beside).map_err(io)?;
                let written = device.backup_to(&mut out).map_err(Error::from).and_then(|()| out.sync_all().map_err(io));
                if let Err(error) = written {
                    drop(out);
                    std::fs::remove_file(&beside).map_err(io)?;
                    return Err(error);
                }
                let len = out.metadata().map_err(io)?.len();
                std::fs::rename(&beside, &file).map_err(io)?;
                Ok(len)
            })
            .await
    }
}
