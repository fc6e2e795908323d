//! Several people on one device: a folder with a store for each, under a key of its own that a PIN opens.
//!
//! ```text
//! profiles/
//!   profiles.lock            held while a profile is made or removed
//!   profiles.chosen          whose store is used where nobody says otherwise; says it by the folder's name
//!   4f0c9a2be177d310/        a profile: the files of a store, store.pin and store.tries
//!   gone-4f0c9a2be177d310/   one whose removal was interrupted: the next making or removing ends it
//! ```
//!
//! A folder's name is random and says nothing. What anybody can see of a profile is the nickname that its person chose,
//! if any, how large its files are and when they were written. Nothing here reads a store: what is in it is told by
//! whoever opened it with the key.

use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};

use alliance_crypto::{Cost, HelpWrap, Look, PinWrap, RecoverySecret, Tries, UnwrapError, Uptime};
use alliance_wire::{BoxKey, DeviceKey};
use zeroize::Zeroizing;

use crate::error::OpenError;
use crate::file::making::is_unfinished;
use crate::file::pin::PinFile;
use crate::file::tries::{Counter, Slot};
use crate::file::{Files, Lock, StoreHeader, StoreKey, help, pair, small, sync_folder};

/// Bytes of an id.
const ID_BYTES: usize = 8;
/// What the name of a folder begins with whose profile is being removed.
const GONE: &str = "gone-";
const CHOSEN_MAGIC: &[u8] = b"alliance profile\0";
const CHOSEN_VERSION: u8 = 1;

/// A profile's id, which is the name of its folder: 16 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileId(String);

impl ProfileId {
    /// The id of these random bytes.
    #[must_use]
    pub fn new(random: [u8; ID_BYTES]) -> Self {
        Self(random.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The id that is a folder's name, if it is one.
    fn named(name: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (name.len() == 2 * ID_BYTES && name.bytes().all(is_digit)).then(|| Self(name.to_owned()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Display for ProfileId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a PIN did not open a profile.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// Another PIN, or another caller's secret. It was counted.
    #[error("the PIN is not the one of this profile")]
    Wrong {
        /// Tries that may follow at once.
        free: u32,
        /// Milliseconds until the next one where there is none.
        wait: u64,
    },
    /// Too many wrong ones: no PIN is tried for so many milliseconds.
    #[error("too many wrong PINs were tried")]
    Wait(u64),
    /// There is none yet: the recovery words set one.
    #[error("the profile has no PIN")]
    None,
    /// The profile opens with a caller's secret, which was not given. Nothing was counted.
    #[error("the caller's secret is missing")]
    SecretMissing,
    /// What was typed is empty or too long. Nothing was counted.
    #[error("this is no PIN")]
    Unusable,
    /// The files could not be read or written. If the count could not be written nothing was tried.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<io::Error> for PinError {
    fn from(error: io::Error) -> Self {
        Self::Open(error.into())
    }
}

/// A profile that a PIN opened.
#[derive(Debug)]
pub struct Unlocked {
    /// Its store's key.
    pub key: StoreKey,
    /// Wrong PINs that were tried since the last right one.
    pub wrong: u32,
}

/// What seals a key: the PIN, the caller's secret, what a try shall cost, and fresh random bytes.
#[derive(Clone, Copy)]
pub struct NewPin<'a> {
    /// The PIN, which [`alliance_crypto::check_new_pin`] took.
    pub pin: &'a str,
    /// The caller's secret.
    pub secret: Option<&'a [u8; 32]>,
    /// What a try costs.
    pub cost: Cost,
    /// Salt of Argon2id.
    pub salt: [u8; 16],
    /// For the nonce.
    pub random: [u8; 32],
}

impl NewPin<'_> {
    fn wrap(&self, key: &StoreKey, place: &[u8; 16]) -> Result<PinWrap, PinError> {
        PinWrap::seal(key.bytes(), (self.pin, self.secret), place, self.cost, (self.salt, self.random))
            .map_err(|_| PinError::Unusable)
    }
}

/// The profiles of a device. Every call blocks on the disk.
#[derive(Debug, Clone)]
pub struct Profiles {
    folder: PathBuf,
}

impl Profiles {
    /// Those in this folder, which need not be there.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where a profile's store lies.
    #[must_use]
    pub fn store(&self, id: &ProfileId) -> PathBuf {
        self.folder.join(&id.0)
    }

    /// Every profile with its nickname, in the order of the ids. One of which both copies of `store.pin` are damaged is
    /// listed as one that has no PIN.
    ///
    /// # Errors
    /// An I/O error.
    pub fn list(&self) -> Result<Vec<(ProfileId, PinFile)>, OpenError> {
        let mut found = Vec::new();
        for id in self.ids(ProfileId::named)? {
            if !is_profile(&self.store(&id)) {
                continue;
            }
            let pin = PinFile::read(&self.files(&id)).ok().flatten().unwrap_or_default();
            found.push((id, pin));
        }
        found.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(found)
    }

    /// Begins a new profile: what lies beside its store is durable, and the caller makes the store itself under this key
    /// and header, which is whole or did not happen. Hold what is returned until then.
    ///
    /// # Errors
    /// [`PinError::Unusable`], or an I/O error.
    pub fn begin(
        &self,
        id: &ProfileId,
        nickname: Option<String>,
        (header, key): (&StoreHeader, &StoreKey),
        pin: &NewPin<'_>,
    ) -> Result<Changing, PinError> {
        let wrap = Some(pin.wrap(key, &header.salt)?);
        self.begin_with(id, &PinFile { nickname, wrap })
    }

    /// The same for a profile whose PIN is chosen later, with the recovery words.
    ///
    /// # Errors
    /// An I/O error.
    pub fn begin_with(&self, id: &ProfileId, file: &PinFile) -> Result<Changing, PinError> {
        let changing = self.change()?;
        let files = self.files(id);
        files.make_folder()?;
        sync_folder(files.folder())?;
        file.write(&files)?;
        Counter::make(&files)?;
        Ok(changing)
    }

    /// Tries a PIN. The try is counted durably before it is made, and forgotten if it is right. `now` is asked while no
    /// other process tries one.
    ///
    /// # Errors
    /// [`PinError`].
    pub fn unlock(
        &self,
        id: &ProfileId,
        pin: (&str, Option<&[u8; 32]>),
        now: impl Fn() -> Uptime,
    ) -> Result<Unlocked, PinError> {
        let files = self.files(id);
        let header = StoreHeader::read(&files.header())?.ok_or(OpenError::Absent)?;
        let file = match PinFile::read(&files) {
            // Both copies damaged: as if no PIN had been chosen.
            Err(OpenError::Header) => None,
            other => other?,
        };
        let wrap = file.and_then(|file| file.wrap).ok_or(PinError::None)?;
        if wrap.needs_secret() && pin.1.is_none() {
            return Err(PinError::SecretMissing);
        }
        let mut counter = Counter::open(&files)?;
        let before = counter.tries();
        match before.look(now()) {
            Look::Free => {}
            Look::Wait(millis) => return Err(PinError::Wait(millis)),
            Look::Anew(millis, tries) => {
                counter.put(tries)?;
                return Err(PinError::Wait(millis));
            }
        }
        let counted = before.with_one_more(now());
        counter.put(counted)?;
        match wrap.open(pin, &header.salt) {
            Ok(key) => {
                let key = StoreKey::new(*key);
                header.verify(&key)?;
                // A count that stays too high keeps nobody out who knows the PIN now.
                if let Err(error) = counter.put(Tries::NONE) {
                    tracing::warn!(%error, "the count of wrong PINs could not be emptied");
                }
                Ok(Unlocked { key, wrong: before.failed() })
            }
            Err(UnwrapError::Wrong) => Err(PinError::Wrong { free: counted.free(), wait: counted.wait() }),
            Err(UnwrapError::Cost) => Err(OpenError::Header.into()),
            Err(UnwrapError::SecretMissing) => Err(PinError::SecretMissing),
            Err(UnwrapError::Unusable(_)) => {
                counter.put(before)?;
                Err(PinError::Unusable)
            }
        }
    }

    /// How many milliseconds no PIN is tried; nothing is counted or changed.
    #[must_use]
    pub fn wait(&self, id: &ProfileId, now: Uptime) -> u64 {
        let bytes = fs::read(self.files(id).tries()).unwrap_or_default();
        let tries = Slot::parse(&bytes).map_or(Tries::LOST, |slot| slot.tries);
        match tries.look(now) {
            Look::Free => 0,
            Look::Wait(millis) | Look::Anew(millis, _) => millis,
        }
    }

    /// The key by the person's recovery words, which may be tried at any time: they cannot be guessed.
    ///
    /// # Errors
    /// [`OpenError::WrongKey`] if they are another person's.
    pub fn by_words(&self, id: &ProfileId, words: &RecoverySecret) -> Result<StoreKey, OpenError> {
        StoreHeader::read(&self.files(id).header())?.ok_or(OpenError::Absent)?.by_words(words)
    }

    /// Puts another PIN in the place of the one that there is, if any. Whoever has the key may. The count begins anew.
    ///
    /// # Errors
    /// [`OpenError::WrongKey`] if it is the key of another store, [`PinError::Unusable`], or an I/O error.
    pub fn set_pin(&self, id: &ProfileId, key: &StoreKey, pin: &NewPin<'_>) -> Result<(), PinError> {
        let files = self.files(id);
        let header = StoreHeader::read(&files.header())?.ok_or(OpenError::Absent)?;
        header.verify(key)?;
        let wrap = Some(pin.wrap(key, &header.salt)?);
        // Nobody tries the old one meanwhile.
        let mut counter = Counter::open(&files)?;
        // Both copies damaged: the nickname is lost with the old PIN, which is why the words were asked.
        let nickname = PinFile::read(&files).ok().flatten().and_then(|file| file.nickname);
        PinFile { nickname, wrap }.write(&files)?;
        Ok(counter.put(Tries::NONE)?)
    }

    /// Lets a helper's devices open this profile together with its folder, in place of whoever could before: nothing if
    /// none of the box keys is one. `own`, `theirs` and `random` are fresh random bytes.
    ///
    /// # Errors
    /// [`OpenError::WrongKey`] if it is the key of another store, or an I/O error.
    pub fn set_helper(
        &self,
        id: &ProfileId,
        key: &StoreKey,
        helper: &[(DeviceKey, BoxKey)],
        shares: ([u8; 32], &Zeroizing<[u8; 32]>),
        random: [u8; 32],
    ) -> Result<Option<HelpWrap>, OpenError> {
        let files = self.files(id);
        let header = StoreHeader::read(&files.header())?.ok_or(OpenError::Absent)?;
        header.verify(key)?;
        let wrap = HelpWrap::seal(key.bytes(), &header.salt, helper, shares, random);
        if let Some(wrap) = &wrap {
            help::write(&files, wrap)?;
        }
        Ok(wrap)
    }

    /// What a helper opens together with this folder, and the salt that it is bound to. Both copies damaged is none.
    ///
    /// # Errors
    /// [`OpenError::Newer`], or an I/O error.
    pub fn help(&self, id: &ProfileId) -> Result<Option<(HelpWrap, [u8; 16])>, OpenError> {
        let files = self.files(id);
        let header = StoreHeader::read(&files.header())?.ok_or(OpenError::Absent)?;
        match help::read(&files) {
            Err(OpenError::Header) => Ok(None),
            found => Ok(found?.map(|wrap| (wrap, header.salt))),
        }
    }

    /// Lets nobody help any more.
    ///
    /// # Errors
    /// An I/O error.
    pub fn remove_helper(&self, id: &ProfileId) -> Result<(), OpenError> {
        remove_pair(&self.files(id).help())
    }

    /// Who has a profile's store open: nobody, or a process, whose id is known nearly always.
    ///
    /// # Errors
    /// An I/O error.
    pub fn holder(&self, id: &ProfileId) -> Result<Option<Option<u32>>, OpenError> {
        match Lock::take(&self.files(id)) {
            Ok(_) => Ok(None),
            Err(OpenError::Busy { pid }) => Ok(Some(pid)),
            Err(error) => Err(error),
        }
    }

    /// Removes a profile, whose store nobody has open. It is gone when this returns, or after the next making or removing
    /// of a profile if the process ends in between.
    ///
    /// # Errors
    /// [`OpenError::Busy`], or an I/O error.
    pub fn remove(&self, id: &ProfileId) -> Result<(), OpenError> {
        let changing = self.change()?;
        let (from, to) = (self.store(id), self.folder.join(format!("{GONE}{id}")));
        let lock = Lock::take(&Files::new(&from))?;
        if self.chosen()?.as_ref() == Some(id) {
            self.choose(None)?;
        }
        fs::rename(&from, &to)?;
        sync_folder(&from)?;
        drop(lock);
        self.sweep(&changing)
    }

    /// Whose store is used where nobody says otherwise.
    ///
    /// # Errors
    /// An I/O error. What cannot be read is nobody's.
    pub fn chosen(&self) -> Result<Option<ProfileId>, OpenError> {
        match small::read(&self.chosen_file(), CHOSEN_MAGIC, CHOSEN_VERSION) {
            Ok(body) => {
                let id = body.and_then(|body| ProfileId::named(std::str::from_utf8(&body).ok()?));
                Ok(id.filter(|id| is_profile(&self.store(id))))
            }
            Err(small::SmallError::Damaged | small::SmallError::Newer(_)) => Ok(None),
            Err(small::SmallError::Io(error)) => Err(error.into()),
        }
    }

    /// Chooses a profile, or none.
    ///
    /// # Errors
    /// An I/O error.
    pub fn choose(&self, id: Option<&ProfileId>) -> Result<(), OpenError> {
        let file = self.chosen_file();
        let Some(id) = id else {
            return match fs::remove_file(&file) {
                Ok(()) => Ok(sync_folder(&file)?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(error.into()),
            };
        };
        Ok(small::write(&file, &small::encode(CHOSEN_MAGIC, CHOSEN_VERSION, id.0.as_bytes()))?)
    }

    /// Removes what interrupted makings and removings left; the next of either would, too.
    ///
    /// # Errors
    /// An I/O error.
    pub fn clean(&self) -> Result<(), OpenError> {
        self.change().map(drop)
    }

    /// Waits until nobody else makes or removes a profile, and removes what was left of both.
    fn change(&self) -> Result<Changing, OpenError> {
        make_folder(&self.folder)?;
        let file =
            fs::OpenOptions::new().write(true).create(true).truncate(false).open(self.folder.join("profiles.lock"))?;
        file.lock()?;
        let changing = Changing { _file: file };
        self.sweep(&changing)?;
        Ok(changing)
    }

    /// Removes what interrupted makings and removings left. A folder that holds a store, or a database without its
    /// header, is never touched.
    fn sweep(&self, _changing: &Changing) -> Result<(), OpenError> {
        let gone = self.ids(|name| name.strip_prefix(GONE).and_then(ProfileId::named).map(|_| name.to_owned()))?;
        let mut left: Vec<PathBuf> = gone.iter().map(|name| self.folder.join(name)).collect();
        let ids = self.ids(ProfileId::named)?;
        left.extend(ids.iter().map(|id| self.store(id)).filter(|store| is_left_over(store)));
        for folder in left {
            remove_folder(&folder)?;
        }
        Ok(())
    }

    fn ids<T>(&self, of: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, OpenError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut found = Vec::new();
        for entry in entries {
            found.extend(entry?.file_name().to_str().and_then(&of));
        }
        Ok(found)
    }

    fn files(&self, id: &ProfileId) -> Files {
        Files::new(self.store(id))
    }

    fn chosen_file(&self) -> PathBuf {
        self.folder.join("profiles.chosen")
    }
}

/// Held while profiles are made or removed; the operating system releases it when the process ends.
#[derive(Debug)]
pub struct Changing {
    _file: fs::File,
}

/// Whether a folder holds a store whose making is over. A damaged header is a store's all the same.
fn is_profile(store: &Path) -> bool {
    let files = Files::new(store);
    !is_unfinished(&files) && !matches!(StoreHeader::read(&files.header()), Ok(None))
}

/// Whether a folder holds nothing but what an interrupted making left: no store, and no database, in whatever state and
/// under whatever name.
fn is_left_over(store: &Path) -> bool {
    let Ok(entries) = fs::read_dir(store) else { return false };
    let names: Vec<_> =
        entries.filter_map(Result::ok).filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let aside = names.iter().any(|name| name.contains("quarantine"));
    let database = names.iter().any(|name| name.starts_with("store.db"));
    !aside && (is_unfinished(&Files::new(store)) || (!is_profile(store) && !database))
}

/// Removes a folder with its files. The key under the PIN goes first: what is left of the rest if the process ends here
/// opens by the words alone, and then by nothing.
fn remove_folder(folder: &Path) -> Result<(), OpenError> {
    let files = Files::new(folder);
    remove_pair(&files.help())?;
    remove_pair(&files.pin())?;
    fs::remove_dir_all(folder)?;
    Ok(sync_folder(folder)?)
}

/// Removes both copies of a file durably.
fn remove_pair(path: &Path) -> Result<(), OpenError> {
    for path in [path, &pair::copy_of(path)] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(sync_folder(path)?)
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
