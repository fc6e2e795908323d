//! Making, opening and closing a store.

use std::path::Path;
use std::sync::Arc;

use alliance_crypto::{DeviceSecret, RecoveryWords, passphrase_key, wipe_stack};
use alliance_model::display_name;
use alliance_store::device::{Profile, backup_header, restore};
use alliance_store::{Device, Fresh, Kdf, StoreHeader, StoreKey};
use alliance_wire::membership::RecoveryCard;
use zeroize::Zeroizing;

use crate::error::{Code, Error};
use crate::inner::{Client, Inner, Options, Work};
use crate::keeper::passphrase_to_key;
use crate::surroundings::Surroundings;
use crate::views::Whoami;

impl Client {
    /// Makes a store in `folder`, with a new device and a new person. `words` are recovery words to use instead of new
    /// ones. The words are returned once and stored nowhere. A store whose making was interrupted was never one: what it
    /// left is removed ([`Client::is_unfinished`]).
    ///
    /// # Errors
    /// `STORE_EXISTS`, `STORE_BUSY`, `NAME_INVALID`, `BAD_RECOVERY_WORDS`, `LOW_STORAGE`, `STORE_IO`.
    pub async fn create(
        folder: &Path,
        passphrase: &str,
        name: &str,
        words: Option<&str>,
        options: Options,
    ) -> Result<(Self, RecoveryWords), Error> {
        Self::create_in(Surroundings::system(), folder, passphrase, name, words, options).await
    }

    /// Whether the making or restoring of a store in this folder was interrupted, or is under way.
    #[must_use]
    pub fn is_unfinished(folder: &Path) -> bool {
        Device::is_unfinished(folder)
    }

    /// [`Client::create`] in other surroundings than the operating system's.
    ///
    /// # Errors
    /// As there.
    pub async fn create_in(
        around: Surroundings,
        folder: &Path,
        passphrase: &str,
        name: &str,
        words: Option<&str>,
        options: Options,
    ) -> Result<(Self, RecoveryWords), Error> {
        let passphrase = Zeroizing::new(passphrase.to_owned());
        let keyed = move |inside: &Surroundings, _: &RecoveryCard| {
            let salt = inside.bytes()?;
            let key = StoreKey::from(passphrase_key(&passphrase, &salt, options.cost)?);
            let kdf = Kdf { memory_kib: options.cost.memory_kib(), passes: options.cost.passes(), lanes: 1 };
            let header = StoreHeader::new(salt, kdf, &key);
            Ok((key, header, ()))
        };
        Self::make_in(around, folder, (name, words), options, keyed).await
    }

    /// Makes a store under the key and header that `keyed` gives for a person's recovery card. What else it gives is
    /// held until the store is whole.
    pub(crate) async fn make_in<H>(
        around: Surroundings,
        folder: &Path,
        (name, words): (&str, Option<&str>),
        options: Options,
        keyed: impl FnOnce(&Surroundings, &RecoveryCard) -> Result<(StoreKey, StoreHeader, H), Error> + Send + 'static,
    ) -> Result<(Self, RecoveryWords), Error> {
        let name = display_name(name)?;
        let words = words.map(|text| Zeroizing::new(text.to_owned()));
        let folder = folder.to_owned();
        let inside = around.clone();
        let make = move || {
            let words = match words {
                Some(text) => parse_words(&text)?,
                None => RecoveryWords::generate(inside.bytes()?),
            };
            let recovery = words.secret(options.cost).card();
            let (key, header, held) = keyed(&inside, &recovery)?;
            let secret = DeviceSecret::generate(inside.bytes()?);
            let profile = Profile { secret: secret.seed(), recovery, name, created: inside.now_millis() };
            let (device, opened) =
                Device::create_for(&profile, &folder, &header, &key, fresh(&inside)?, inside.store(options.rules))?;
            drop(held);
            Ok((folder, device, profile, opened, words))
        };
        let (folder, device, profile, opened, words) = around.blocking(make).await?;
        let inner = Inner::new(folder, (options, around), device, profile, (opened.incarnation, opened.opens));
        Ok((Self { inner: Arc::new(inner) }, words))
    }

    /// Opens the store of `folder`, and takes up what was left when it was closed or its process died.
    ///
    /// # Errors
    /// `STORE_ABSENT`, `WRONG_PASSPHRASE`, `STORE_BUSY` with the pid, `STORE_NEWER`, `STORE_DAMAGED`, `STORE_IO`.
    pub async fn open(folder: &Path, passphrase: &str, options: Options) -> Result<Self, Error> {
        Self::open_in(Surroundings::system(), folder, passphrase, options).await
    }

    /// [`Client::open`] in other surroundings than the operating system's.
    ///
    /// # Errors
    /// As there.
    pub async fn open_in(
        around: Surroundings,
        folder: &Path,
        passphrase: &str,
        options: Options,
    ) -> Result<Self, Error> {
        let (place, passphrase) = (folder.to_owned(), Zeroizing::new(passphrase.to_owned()));
        let key = around.blocking(move || passphrase_to_key(&place, &passphrase)).await?;
        Self::open_with_in(around, folder, &key, options).await
    }

    /// [`Client::open`] with the store's key, which a [`KeyKeeper`](crate::KeyKeeper) helped to keep.
    ///
    /// # Errors
    /// As there.
    pub async fn open_with(folder: &Path, key: &StoreKey, options: Options) -> Result<Self, Error> {
        Self::open_with_in(Surroundings::system(), folder, key, options).await
    }

    pub(crate) async fn open_with_in(
        around: Surroundings,
        folder: &Path,
        key: &StoreKey,
        options: Options,
    ) -> Result<Self, Error> {
        let (folder, key) = (folder.to_owned(), key.clone());
        let inside = around.clone();
        let open = move || {
            let (device, opened) = Device::open(&folder, &key, fresh(&inside)?, inside.store(options.rules))?;
            Ok((folder, device, opened))
        };
        let (folder, device, opened) = around.blocking(open).await?;
        let Some(profile) = device.profile().await? else {
            // A database that was set aside: its profile went with it.
            device.close();
            return Err(Error::new(Code::StoreDamaged).with("what", "no profile"));
        };
        let inner = Inner::new(folder, (options, around), device, profile, (opened.incarnation, opened.opens));
        let client = Self { inner: Arc::new(inner) };
        match client.take_up().await {
            // What can be read is read all the same; the rest follows at the next opening, or when something arrives.
            Err(error) if is_for_want_of_room(&error) => tracing::warn!(%error, "opened for reading"),
            other => other?,
        }
        Ok(client)
    }

    /// Restores a backup into a folder that has no store, and opens it: the same device, under a new incarnation. What
    /// was written since the backup comes back from whoever has it.
    ///
    /// # Errors
    /// `BACKUP_DAMAGED`, `STORE_EXISTS`, and those of [`Client::open`].
    pub async fn restore(folder: &Path, backup: &Path, passphrase: &str, options: Options) -> Result<Self, Error> {
        Self::restore_in(Surroundings::system(), folder, backup, passphrase, options).await
    }

    /// [`Client::restore`] in other surroundings than the operating system's.
    ///
    /// # Errors
    /// As there.
    pub async fn restore_in(
        around: Surroundings,
        folder: &Path,
        backup: &Path,
        passphrase: &str,
        options: Options,
    ) -> Result<Self, Error> {
        let (target, backup) = (folder.to_owned(), backup.to_owned());
        let put_back = move || {
            let open = || std::fs::File::open(&backup).map_err(|error| Error::new(Code::StoreIo).with("why", error));
            if backup_header(&mut open()?)?.is_random() {
                // Nothing is put where no passphrase would open it.
                return Err(Error::new(Code::WrongPassphrase).with("what", "it is a profile's, and its words open it"));
            }
            Ok(restore(&target, &mut open()?)?)
        };
        around.blocking(put_back).await?;
        Self::open_in(around, folder, passphrase, options).await
    }

    /// Seals what can be sealed and closes the store. Every later call answers `STORE_CLOSED`. The keys of the store and of
    /// the device are wiped when the last copy of the client goes.
    ///
    /// # Errors
    /// Those of sealing; the store is closed all the same, and what was not sealed stays a draft.
    pub async fn close(&self) -> Result<(), Error> {
        let sealed = self.seal_all().await;
        self.inner.leave_outbox().await;
        self.inner.close_dialers(alliance_net::CloseReason::Done).await;
        let device = self.inner.device.clone();
        let close = move || {
            device.close();
            Ok(())
        };
        self.inner.around.blocking(close).await?;
        *self.inner.work.lock().await = Work::default();
        wipe_stack();
        sealed.map(|_| ())
    }

    /// Who this is.
    #[must_use]
    pub fn whoami(&self) -> Whoami {
        Whoami {
            name: self.inner.profile.name.clone(),
            device: self.inner.me,
            incarnation: self.inner.incarnation().to_string(),
            created: self.inner.profile.created / 1_000,
            store: self.inner.folder.display().to_string(),
        }
    }
}

impl Client {
    /// What a process that ended left undone.
    async fn take_up(&self) -> Result<(), Error> {
        self.inner.recover_trials().await?;
        // First, since what a copy sealed must not end drafts that only look like its own.
        self.inner.look_for_own_forks().await?;
        self.inner.look_for_locks().await?;
        self.inner.take_in_everything().await?;
        self.inner.drop_what_was_handed_over().await?;
        self.inner.follow_home().await?;
        self.search_in_background().await
    }
}

/// Nothing can be written at present, and reading is as good as ever.
fn is_for_want_of_room(error: &Error) -> bool {
    [Code::LowStorage, Code::StoreReadOnly].iter().any(|code| code.code() == error.code())
}

/// Recovery words as somebody typed them.
pub(crate) fn parse_words(text: &str) -> Result<RecoveryWords, Error> {
    RecoveryWords::parse(text).map_err(|error| Error::new(Code::BadWords).with("why", error))
}

pub(crate) fn fresh(around: &Surroundings) -> Result<Fresh, Error> {
    Ok(Fresh::draw(&around.bytes()?, around.now_millis()))
}
