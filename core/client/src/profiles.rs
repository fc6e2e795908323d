//! Several people on one device: adding a profile, opening and locking it, a PIN that changes or was forgotten, removing.
//!
//! Each profile is a store of its own under a random key. A PIN opens it, as often as `alliance_crypto::Tries` allows;
//! the recovery words open it at any time, and a helper's answer if one was named. [`Client::close`] locks it: what can be
//! sealed is sealed. Nothing of one profile opens anything of another, and none is ever erased for wrong PINs.

mod help;
mod unsent;
mod views;

use std::fs::File;
use std::path::{Path, PathBuf};

use alliance_crypto::{RecoveryWords, check_new_pin, seal_for_words};
use alliance_model::display_name;
use alliance_store::device::{backup_header, restore};
use alliance_store::file::pin::PinFile;
use alliance_store::profiles::{NewPin, PinError, ProfileId, Profiles as Folder, Unlocked};
use alliance_store::{OpenError, StoreHeader, StoreKey};
use alliance_wire::membership::RecoveryCard;
use zeroize::Zeroizing;

use crate::error::{Code, Error};
use crate::inner::{Client, Options};
use crate::profile::parse_words;
use crate::surroundings::Surroundings;

pub use help::HelpAsk;
pub use unsent::UnsentView;
pub use views::ProfileView;

/// Digits of an id by which a profile can be named, at the least.
const REFERENCE_DIGITS_MIN: usize = 4;

/// The profiles of a device, in one folder.
#[derive(Clone)]
pub struct Profiles {
    folder: Folder,
    around: Surroundings,
    options: Options,
    secret: Option<Zeroizing<[u8; 32]>>,
}

impl core::fmt::Debug for Profiles {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Profiles").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// A profile to be made.
#[derive(Clone, Copy)]
pub struct NewProfile<'a> {
    /// What anybody who holds the device sees of it; nothing but an id without it.
    pub nickname: Option<&'a str>,
    /// The person's name, as members of its spaces see it. It lies in the store.
    pub name: &'a str,
    /// The PIN.
    pub pin: &'a str,
    /// Recovery words to use instead of new ones.
    pub words: Option<&'a str>,
}

impl Profiles {
    /// Those of this folder, which is made with the first of them.
    #[must_use]
    pub fn new(folder: &Path, options: Options) -> Self {
        Self::new_in(Surroundings::system(), folder, options)
    }

    /// [`Profiles::new`] in other surroundings than the operating system's.
    #[must_use]
    pub fn new_in(around: Surroundings, folder: &Path, options: Options) -> Self {
        Self { folder: Folder::new(folder), around, options, secret: None }
    }

    /// The same with 32 bytes that this device's hardware gives out to this app alone. They enter every PIN that is
    /// chosen from now on: without them there is nothing to guess in a copied folder. Losing them is forgetting the PIN.
    #[must_use]
    pub fn with_secret(mut self, secret: [u8; 32]) -> Self {
        self.secret = Some(Zeroizing::new(secret));
        self
    }

    /// Where a profile's store lies.
    #[must_use]
    pub fn store(&self, id: &ProfileId) -> PathBuf {
        self.folder.store(id)
    }

    /// Every profile, with what can be known of it while it is locked.
    ///
    /// # Errors
    /// `STORE_IO`.
    pub async fn list(&self) -> Result<Vec<ProfileView>, Error> {
        let (folder, now) = (self.folder.clone(), self.around.uptime());
        self.around
            .blocking(move || {
                let chosen = folder.chosen()?;
                let list = folder.list()?;
                let view = |(id, pin): &(ProfileId, PinFile)| {
                    let helped = folder.help(id).is_ok_and(|help| help.is_some());
                    ProfileView::of(id, (pin, helped), folder.wait(id, now), &chosen)
                };
                Ok(list.iter().map(view).collect())
            })
            .await
    }

    /// The profile of this nickname, or whose id begins with these digits, four or more.
    ///
    /// # Errors
    /// `UNKNOWN_PROFILE`, `AMBIGUOUS`, `STORE_IO`.
    pub async fn find(&self, reference: &str) -> Result<ProfileId, Error> {
        let folder = self.folder.clone();
        let list = self.around.blocking(move || Ok(folder.list()?)).await?;
        let nickname = display_name(reference).ok();
        if let Some((id, _)) = list.iter().find(|(_, pin)| pin.nickname.is_some() && pin.nickname == nickname) {
            return Ok(id.clone());
        }
        let digits = reference.to_ascii_lowercase();
        let long_enough = digits.len() >= REFERENCE_DIGITS_MIN;
        let mut fitting = list.iter().filter(|(id, _)| long_enough && id.as_str().starts_with(&digits));
        match (fitting.next(), fitting.next()) {
            (Some((id, _)), None) => Ok(id.clone()),
            (None, _) => Err(Error::new(Code::UnknownProfile)),
            (Some(_), Some(_)) => Err(Error::new(Code::AmbiguousSpace)),
        }
    }

    /// The profile that was chosen last.
    ///
    /// # Errors
    /// `STORE_IO`.
    pub async fn chosen(&self) -> Result<Option<ProfileId>, Error> {
        let folder = self.folder.clone();
        self.around.blocking(move || Ok(folder.chosen()?)).await
    }

    /// Chooses a profile, or none. Says nothing about who is there: its PIN does.
    ///
    /// # Errors
    /// `STORE_IO`, `LOW_STORAGE`.
    pub async fn choose(&self, id: Option<&ProfileId>) -> Result<(), Error> {
        let (folder, id) = (self.folder.clone(), id.cloned());
        self.around.blocking(move || Ok(folder.choose(id.as_ref())?)).await
    }

    /// Makes a profile: a store with a new device and a new person, and a PIN that opens it. The words are returned once
    /// and stored nowhere. A making that is interrupted leaves no profile.
    ///
    /// # Errors
    /// `PIN_WEAK`, `PROFILE_EXISTS`, `NAME_INVALID`, `BAD_RECOVERY_WORDS`, `LOW_STORAGE`, `STORE_IO`.
    pub async fn add(&self, new: NewProfile<'_>) -> Result<(ProfileId, Client, RecoveryWords), Error> {
        choosable(new.pin)?;
        let nickname = self.new_nickname(new.nickname).await?;
        let id = ProfileId::new(self.around.bytes()?);
        let (this, own, pin) = (self.clone(), id.clone(), Zeroizing::new(new.pin.to_owned()));
        let keyed = move |_: &Surroundings, recovery: &RecoveryCard| {
            let (key, header) = this.keyed(recovery)?;
            let changing = this.folder.begin(&own, nickname, (&header, &key), &this.pin(&pin)?)?;
            Ok((key, header, changing))
        };
        let place = self.store(&id);
        let made = Client::make_in(self.around.clone(), &place, (new.name, new.words), self.options, keyed).await;
        if made.is_err() {
            self.clean().await;
        }
        made.map(|(client, words)| (id, client, words))
    }

    /// Makes a profile of a backup of one, without a PIN: [`Profiles::reset_pin`] sets one with the words, which the
    /// backup opens by. It is the same device under a new incarnation.
    ///
    /// # Errors
    /// `BACKUP_DAMAGED`, also for the backup of a store with a passphrase, `PROFILE_EXISTS`, `NAME_INVALID`,
    /// `LOW_STORAGE`, `STORE_IO`.
    pub async fn restore(&self, backup: &Path, nickname: Option<&str>) -> Result<ProfileId, Error> {
        let nickname = self.new_nickname(nickname).await?;
        let id = ProfileId::new(self.around.bytes()?);
        let (folder, own, backup) = (self.folder.clone(), id.clone(), backup.to_owned());
        let put_back = move || {
            let open = || File::open(&backup).map_err(|error| Error::new(Code::StoreIo).with("why", error));
            if !backup_header(&mut open()?)?.is_random() {
                return Err(Error::new(Code::BackupDamaged).with("what", "it is of a store with a passphrase"));
            }
            let changing = folder.begin_with(&own, &PinFile { nickname, wrap: None })?;
            restore(&folder.store(&own), &mut open()?)?;
            drop(changing);
            Ok(())
        };
        let restored = self.around.blocking(put_back).await;
        if restored.is_err() {
            self.clean().await;
        }
        restored.map(|()| id)
    }

    /// The key of a profile's store by its PIN. Each try is counted before it is made.
    ///
    /// # Errors
    /// `PIN_WRONG`, `PIN_LOCKED`, `PIN_ABSENT`, `PIN_SECRET_MISSING`, `LOW_STORAGE`, `STORE_DAMAGED`, `STORE_IO`.
    pub async fn unlock(&self, id: &ProfileId, pin: &str) -> Result<Unlocked, Error> {
        let (this, id, pin) = (self.clone(), id.clone(), Zeroizing::new(pin.to_owned()));
        let inside = self.around.clone();
        self.around
            .blocking(move || Ok(this.folder.unlock(&id, (&pin, this.secret.as_deref()), || inside.uptime())?))
            .await
    }

    /// Opens a profile by its PIN. Answers also how many wrong PINs were tried since it was opened last.
    ///
    /// # Errors
    /// Those of [`Profiles::unlock`] and [`Client::open`].
    pub async fn open(&self, id: &ProfileId, pin: &str) -> Result<(Client, u32), Error> {
        let Unlocked { key, wrong } = self.unlock(id, pin).await?;
        Ok((Client::open_with_in(self.around.clone(), &self.store(id), &key, self.options).await?, wrong))
    }

    /// Puts another PIN in the place of the one that is known.
    ///
    /// # Errors
    /// `PIN_WEAK`, and those of [`Profiles::unlock`] for the old one; it then goes on holding.
    pub async fn change_pin(&self, id: &ProfileId, old: &str, new: &str) -> Result<(), Error> {
        choosable(new)?;
        let Unlocked { key, .. } = self.unlock(id, old).await?;
        self.set_pin(id, key, new).await
    }

    /// Puts a new PIN in the place of one that was forgotten, by the person's recovery words; works without a network
    /// and whatever was tried before.
    ///
    /// # Errors
    /// `PIN_WEAK`, `BAD_RECOVERY_WORDS`, `WORDS_WRONG`: nothing was changed.
    pub async fn reset_pin(&self, id: &ProfileId, words: &str, new: &str) -> Result<(), Error> {
        choosable(new)?;
        let words = Zeroizing::new(words.to_owned());
        let (this, own) = (self.clone(), id.clone());
        let key = self
            .around
            .blocking(move || match this.folder.by_words(&own, &parse_words(&words)?.secret(this.options.cost)) {
                Err(OpenError::WrongKey) => Err(Error::new(Code::WordsWrong)),
                other => Ok(other?),
            })
            .await?;
        self.set_pin(id, key, new).await
    }

    /// Removes a profile that is open as `client`, which shows that its person is there; it is closed. Answers what of it
    /// is lost: without `force` nothing is, because then it is refused.
    ///
    /// # Errors
    /// `PROFILE_UNSENT` with the numbers of drafts, entries and spaces, `UNKNOWN_PROFILE` if another store is open,
    /// `STORE_BUSY`, `STORE_IO`. Unless it was refused the store is closed.
    pub async fn remove(&self, id: &ProfileId, client: &Client, force: bool) -> Result<Vec<UnsentView>, Error> {
        self.is_open_as(id, client)?;
        let lost = client.unsent().await?;
        if !lost.is_empty() && !force {
            let (drafts, entries) = lost.iter().fold((0, 0), |(d, e), one| (d + one.drafts, e + one.unsent));
            let refused = Error::new(Code::ProfileUnsent).with("drafts", drafts).with("entries", entries);
            return Err(refused.with("spaces", lost.len()));
        }
        // What cannot be sealed goes with the rest.
        if let Err(error) = client.close().await {
            tracing::warn!(%error, "a profile that is removed did not close in order");
        }
        let (folder, id) = (self.folder.clone(), id.clone());
        self.around.blocking(move || Ok(folder.remove(&id)?)).await?;
        Ok(lost)
    }

    /// Who has a profile open: nobody, or a process, whose id is known nearly always.
    ///
    /// # Errors
    /// `STORE_IO`.
    pub async fn holder(&self, id: &ProfileId) -> Result<Option<Option<u32>>, Error> {
        let (folder, id) = (self.folder.clone(), id.clone());
        self.around.blocking(move || Ok(folder.holder(&id)?)).await
    }

    /// What a making left that failed: if it cannot be removed now, the next one does it.
    async fn clean(&self) {
        let folder = self.folder.clone();
        if let Err(error) = self.around.blocking(move || Ok(folder.clean()?)).await {
            tracing::warn!(%error, "what an unfinished profile left could not be removed");
        }
    }

    /// A nickname in the form in which it is kept, if nobody on this device has it.
    async fn new_nickname(&self, nickname: Option<&str>) -> Result<Option<String>, Error> {
        let nickname = nickname.map(display_name).transpose()?;
        if nickname.is_some() && self.list().await?.iter().any(|known| known.nickname == nickname) {
            return Err(Error::new(Code::ProfileExists));
        }
        Ok(nickname)
    }

    /// `Err` unless it is this profile that is open.
    fn is_open_as(&self, id: &ProfileId, client: &Client) -> Result<(), Error> {
        if client.inner.folder == self.store(id) { Ok(()) } else { Err(Error::new(Code::UnknownProfile)) }
    }

    async fn set_pin(&self, id: &ProfileId, key: StoreKey, new: &str) -> Result<(), Error> {
        let (this, id, new) = (self.clone(), id.clone(), Zeroizing::new(new.to_owned()));
        self.around.blocking(move || Ok(this.folder.set_pin(&id, &key, &this.pin(&new)?)?)).await
    }

    /// A random key, and the header that has it for the recovery words.
    fn keyed(&self, recovery: &RecoveryCard) -> Result<(StoreKey, StoreHeader), Error> {
        let (key, salt) = (StoreKey::new(self.around.bytes()?), self.around.bytes()?);
        let words = seal_for_words(recovery, &salt, key.bytes(), self.around.bytes()?).ok_or(Code::Internal)?;
        let header = StoreHeader::random(salt, &key, &words);
        Ok((key, header))
    }

    fn pin<'a>(&'a self, pin: &'a str) -> Result<NewPin<'a>, Error> {
        let (salt, random) = (self.around.bytes()?, self.around.bytes()?);
        Ok(NewPin { pin, secret: self.secret.as_deref(), cost: self.options.cost, salt, random })
    }
}

fn choosable(pin: &str) -> Result<(), Error> {
    check_new_pin(pin).map_err(|error| Error::new(Code::PinWeak).with("why", error))
}

impl From<PinError> for Error {
    fn from(error: PinError) -> Self {
        match error {
            PinError::Wrong { free, wait: 0 } => Self::new(Code::PinWrong).with("tries", free),
            PinError::Wrong { wait, .. } => Self::new(Code::PinWrong).with("wait_seconds", wait.div_ceil(1_000)),
            PinError::Wait(wait) => Self::new(Code::PinLocked).with("wait_seconds", wait.div_ceil(1_000)),
            PinError::None => Self::new(Code::PinAbsent),
            PinError::SecretMissing => Self::new(Code::PinSecretMissing),
            PinError::Unusable => {
                Self::new(Code::PinWrong).with("what", "it is empty or too long, and was not counted")
            }
            PinError::Open(error) => error.into(),
        }
    }
}
