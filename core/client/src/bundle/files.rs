//! A bundle as files: whole under its name or not there at all, in parts where it is split.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use alliance_wire::bundle_file::{BundleId, RecordKind, Start, record};

use super::writing::BundleOut;
use crate::error::{Code, Error};

/// A part is not smaller than this: a head and a page of the usual size fit.
const PART_BYTES_MIN: u64 = 8 * 1024;
/// Parts of one bundle.
const PARTS_MAX: u32 = 9_999;

/// Files that a bundle is written to. Until all is written they have other names beside their places, and go if the
/// writing ends too soon.
#[derive(Debug)]
pub struct BundleFile {
    path: PathBuf,
    split: Option<u64>,
    force: bool,
    open: Option<File>,
    parts: Vec<Part>,
    done: bool,
}

#[derive(Debug)]
struct Part {
    beside: PathBuf,
    path: PathBuf,
}

impl BundleFile {
    /// A bundle under this name; with `split`, in parts of so many bytes at most, called NAME.001 and so on. A file that
    /// is there is written over only with `force`.
    ///
    /// # Errors
    /// `BUNDLE_EXISTS`, `BUNDLE_IO` (no such folder), `SPLIT_TOO_SMALL`.
    pub fn new(path: &Path, split: Option<u64>, force: bool) -> Result<Self, Error> {
        if split.is_some_and(|bytes| bytes < PART_BYTES_MIN) {
            return Err(Error::new(Code::SplitTooSmall).with("needed", PART_BYTES_MIN));
        }
        let folder = path.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
        if path.file_name().is_none() || !folder.is_some_and(Path::is_dir) {
            return Err(Error::new(Code::BundleIo).with("why", "no such folder"));
        }
        let file = Self { path: path.to_owned(), split, force, open: None, parts: Vec::new(), done: false };
        if file.is_taken(&file.name(1)) {
            return Err(Error::new(Code::BundleExists).with("file", file.name(1).display()));
        }
        Ok(file)
    }

    /// A link that leads nowhere is a name in use, too; a folder is never written over.
    fn is_taken(&self, path: &Path) -> bool {
        path.symlink_metadata().is_ok_and(|meta| meta.is_dir() || !self.force)
    }

    fn name(&self, part: u32) -> PathBuf {
        if self.split.is_none() {
            return self.path.clone();
        }
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".{part:03}"));
        PathBuf::from(name)
    }

    /// Gives each part its name, and makes the names durable.
    fn give_names(&mut self) -> io::Result<()> {
        for part in &self.parts {
            // Somebody may have been quicker since the beginning.
            if self.is_taken(&part.path) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
        }
        for part in &self.parts {
            fs::rename(&part.beside, &part.path)?;
        }
        self.done = true;
        #[cfg(unix)]
        if let Some(folder) = self.path.parent() {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            // Some file systems of memory cards do not sync a folder.
            let _ = File::open(folder)?.sync_all();
        }
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        self.open.take().map_or(Ok(()), |file| file.sync_all())
    }
}

impl BundleOut for BundleFile {
    fn part_bytes(&self) -> Option<u64> {
        self.split
    }

    fn begin(&mut self, part: u32) -> io::Result<()> {
        self.close()?;
        if part > PARTS_MAX {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let path = self.name(part);
        if self.is_taken(&path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut beside = path.as_os_str().to_owned();
        beside.push(".unfinished");
        let beside = PathBuf::from(beside);
        // What a killed process left goes. A new file is made, so that no link is followed.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        self.open = Some(options.open(&beside)?);
        self.parts.push(Part { beside, path });
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.open.as_mut().ok_or(io::ErrorKind::InvalidInput)?.write_all(bytes)
    }

    fn finish(&mut self, bundle: BundleId, parts: u32) -> io::Result<()> {
        self.close()?;
        if self.split.is_some() {
            for (part, file) in (1..).zip(&self.parts) {
                let mut file = OpenOptions::new().write(true).open(&file.beside)?;
                file.rewind()?;
                file.write_all(&record(RecordKind::Start, &Start { bundle, part, parts }.encode()))?;
                file.sync_all()?;
            }
        }
        self.give_names()
    }

    fn finish_copy(&mut self) -> io::Result<()> {
        self.close()?;
        self.give_names()
    }
}

impl Drop for BundleFile {
    fn drop(&mut self) {
        if !self.done {
            for part in &self.parts {
                // Those that have their names already are gone from here.
                let _ = fs::remove_file(&part.beside);
            }
        }
    }
}
