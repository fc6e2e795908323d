//! Wrong clocks: a calendar for programs under libfaketime, which can be set while they look at it.
//!
//! What is faked is the calendar. Timeouts run on the monotonic clock, which no person sets.

use std::path::PathBuf;
use std::time::SystemTime;

use tempfile::TempDir;

const DAY_SECONDS: u64 = 86_400;

/// A calendar that can be set while programs look at it.
#[derive(Debug)]
pub struct Calendar {
    _folder: TempDir,
    file: PathBuf,
}

impl Calendar {
    /// A calendar that is so many days away from the right time.
    ///
    /// # Panics
    /// If the machine gives no folder.
    #[must_use]
    pub fn new(days: i64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let calendar = Self { file: folder.path().join("calendar"), _folder: folder };
        calendar.set(days);
        calendar
    }

    /// So many days away from the right time, from now on.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn set(&self, days: i64) {
        let beside = self.file.with_extension("new");
        std::fs::write(&beside, format!("{days:+}d\n")).expect("a file in the folder");
        std::fs::rename(&beside, &self.file).expect("the file gets its name");
    }

    /// The environment of a program that believes it.
    ///
    /// # Panics
    /// If libfaketime is not installed.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let file = self.file.to_str().expect("a path in ASCII");
        let library = library();
        [
            ("LD_PRELOAD", library.to_str().expect("a path in ASCII")),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }
}

/// Where Debian has libfaketime.
fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").expect("a Debian").filter_map(|entry| Some(entry.ok()?.path()));
    let mut found = folders.map(|folder| folder.join("faketime/libfaketime.so.1")).filter(|path| path.is_file());
    found.next().expect("libfaketime is installed")
}

/// Days from now to the second day of 1970.
///
/// # Panics
/// If the right time is before that.
#[must_use]
pub fn to_1970() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a year after 1970").as_secs();
    1 - i64::try_from(now / DAY_SECONDS).expect("a number of days")
}
