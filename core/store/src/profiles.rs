//! Several people on one device: a folder with a store for each, under a key of its own that a PIN opens.
//!
//! ```text
//! profiles/
//!   profiles.lock            held while a profile is made or removed
//!   profiles.chosen          whose store is used where nobody says otherwise; says it by the folder's name
//!   4f0c9a2be177d310/        a profile: the files of a store, store.pin, store.tries, store.outbox
//!   gone-4f0c9a2be177d310/   one whose removal was interrupted: the next making or removing ends it
//! ```
//!
//! A folder's name is random and says nothing. What anybody can see of a profile is the nickname that its person chose,
//! if any, how large its files are and when they were written. Nothing here reads a store: what is in it is told by
//! whoever opened it with the key.

mod opening;
mod outbox;

use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::OpenError;
use crate::file::making::is_unfinished;
use crate::file::pin::PinFile;
use crate::file::tries::Counter;
use crate::file::{Files, Lock, StoreHeader, StoreKey, pair, small, sync_folder};

pub use opening::{NewPin, PinError, Unlocked};

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
