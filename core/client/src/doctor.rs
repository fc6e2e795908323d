//! A look at a store for damage, and what can be done about it.

use std::path::Path;

use alliance_store::{Checkup, StoreKey, check_device, salvage_device};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::inner::Client;
use crate::keeper::passphrase_to_key;
use crate::profile::fresh;
use crate::surroundings::Surroundings;
use crate::views::{Health, Salvage};

impl Client {
    /// Looks at everything in a store that is not open. Nothing in it is changed, but for a damaged copy of a small file,
    /// which is written anew from the other.
    ///
    /// # Errors
    /// `STORE_ABSENT`, `WRONG_PASSPHRASE`, `STORE_BUSY`, `STORE_NEWER`, `STORE_IO`; `STORE_DAMAGED` when not even its
    /// header can be read. A damaged database is an answer.
    pub async fn check(folder: &Path, passphrase: &str) -> Result<Health, Error> {
        Self::check_with(folder, &derived(folder, passphrase).await?).await
    }

    /// [`Client::check`] with the store's key.
    ///
    /// # Errors
    /// As there.
    pub async fn check_with(folder: &Path, key: &StoreKey) -> Result<Health, Error> {
        let (folder, key) = (folder.to_owned(), key.clone());
        Surroundings::system().blocking(move || Ok(health(&check_device(&folder, &key)?))).await
    }

    /// Puts what can still be read of a damaged store into a new database, and keeps the damaged one beside it. The store
    /// begins a new history of the same device; a sync brings what is missing from whoever has it.
    ///
    /// # Errors
    /// Those of [`Client::check`], and `LOW_STORAGE`; the store is then as it was before.
    pub async fn salvage(folder: &Path, passphrase: &str) -> Result<Salvage, Error> {
        Self::salvage_with(folder, &derived(folder, passphrase).await?).await
    }

    /// [`Client::salvage`] with the store's key.
    ///
    /// # Errors
    /// As there.
    pub async fn salvage_with(folder: &Path, key: &StoreKey) -> Result<Salvage, Error> {
        let (folder, key) = (folder.to_owned(), key.clone());
        let around = Surroundings::system();
        let inside = around.clone();
        around
            .blocking(move || {
                let found = salvage_device(&folder, &key, fresh(&inside)?)?;
                Ok(Salvage {
                    aside: found.aside.display().to_string(),
                    entries: found.entries,
                    waiting: found.waiting,
                    drafts: found.drafts,
                    unread: found.damaged,
                    profile: found.profile,
                })
            })
            .await
    }
}

async fn derived(folder: &Path, passphrase: &str) -> Result<StoreKey, Error> {
    let (folder, passphrase) = (folder.to_owned(), Zeroizing::new(passphrase.to_owned()));
    Surroundings::system().blocking(move || passphrase_to_key(&folder, &passphrase)).await
}

fn health(found: &Checkup) -> Health {
    Health {
        whole: found.is_whole(),
        pages: found.pages.clone(),
        spaces: found.spaces.iter().map(|(space, what)| format!("{space}: {what}")).collect(),
        damaged: found.entries.len() as u64,
        log_cut: found.log_cut,
        entries: found.entries_read,
    }
}
