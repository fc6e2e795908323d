//! The folder of a store in which bundles lie: pages that wait for what they build on, and what is carried for others.
//!
//! All of it is sealed as it came. The names are this program's own; nothing that stands in a file says where it goes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The folder's name in the store's folder.
const FOLDER: &str = "bundles";
/// The ending of what is being written.
const UNFINISHED: &str = "new";

/// Files of the folder, of both kinds together.
pub(super) const FILES_MAX: usize = 128;
/// Bytes of the folder.
pub(super) const BYTES_MAX: u64 = 256 * 1024 * 1024;
/// What lies longer than that goes first, when there is no room for more.
pub(super) const OLD: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kept {
    /// A bundle for others.
    Carried,
    /// Pages for this device.
    Waiting,
}

impl Kept {
    const fn ending(self) -> &'static str {
        match self {
            Self::Carried => "carried",
            Self::Waiting => "waiting",
        }
    }
}

/// A file of the folder.
#[derive(Debug, Clone)]
pub(super) struct Lying {
    pub(super) id: String,
    pub(super) kind: Kept,
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) taken: SystemTime,
}

impl Lying {
    /// Milliseconds since 1970.
    pub(super) fn taken_millis(&self) -> u64 {
        let since = self.taken.duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Area(PathBuf);

impl Area {
    pub(super) fn of(store: &Path) -> Self {
        Self(store.join(FOLDER))
    }

    /// What lies there, oldest first.
    pub(super) fn list(&self) -> io::Result<Vec<Lying>> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry?.path();
            // What is no file of ours is left alone.
            let Ok(meta) = path.symlink_metadata() else { continue };
            let (stem, ending) = (path.file_stem(), path.extension());
            let kind = [Kept::Carried, Kept::Waiting].into_iter().find(|kind| ending == Some(kind.ending().as_ref()));
            let (Some(kind), Some(id), true) = (kind, stem.and_then(|stem| stem.to_str()), meta.is_file()) else {
                continue;
            };
            let taken = meta.modified().unwrap_or(UNIX_EPOCH);
            found.push(Lying { id: id.to_owned(), kind, bytes: meta.len(), taken, path: path.clone() });
        }
        found.sort_by(|one, other| (one.taken, &one.id).cmp(&(other.taken, &other.id)));
        Ok(found)
    }

    /// Begins a file; nothing of it is seen before [`Keeping::keep`].
    pub(super) fn begin(&self, kind: Kept) -> io::Result<Keeping> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // One is written at a time, by the one process that holds the store: what lies here is a killed one's.
        let path = self.0.join(format!("{}.{UNFINISHED}", kind.ending()));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        Ok(Keeping { area: self.clone(), kind, file, path, hash: blake3::Hasher::new(), bytes: 0, kept: false })
    }

    /// Makes room for one more file of so many bytes, or says that there is none.
    pub(super) fn make_room(&self, bytes: u64) -> io::Result<bool> {
        let mut lying = self.list()?;
        let held = |lying: &[Lying]| lying.iter().map(|it| it.bytes).sum::<u64>();
        while lying.len() >= FILES_MAX || held(&lying).saturating_add(bytes) > BYTES_MAX {
            let old = |it: &Lying| SystemTime::now().duration_since(it.taken).is_ok_and(|age| age > OLD);
            let Some(at) = lying.iter().position(old) else { return Ok(false) };
            let gone = lying.remove(at);
            tracing::info!(bytes = gone.bytes, "a bundle that lay here for long makes room");
            fs::remove_file(gone.path)?;
        }
        Ok(true)
    }
}

/// A file that is being written.
pub(super) struct Keeping {
    area: Area,
    kind: Kept,
    file: File,
    path: PathBuf,
    hash: blake3::Hasher,
    pub(super) bytes: u64,
    kept: bool,
}

impl Keeping {
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Makes the file durable under the name that its content gives it, and answers that.
    pub(super) fn keep(mut self) -> io::Result<String> {
        self.file.sync_all()?;
        let id = self.hash.finalize().to_hex()[..32].to_owned();
        fs::rename(&self.path, self.area.0.join(format!("{id}.{}", self.kind.ending())))?;
        self.kept = true;
        #[cfg(unix)]
        File::open(&self.area.0)?.sync_all()?;
        Ok(id)
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        if !self.kept {
            // Best effort: the next one is written over it.
            let _ = fs::remove_file(&self.path);
        }
    }
}
