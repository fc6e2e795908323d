//! New files for pictures: whole or not at all, for this person's eyes only, never over another file.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::{DeskCode, Failure};

/// A file that will be there once it is written: until then it has another name beside its place, and it goes if the
/// process gives up. Only its owner may read it.
pub(crate) struct Place {
    file: NamedTempFile,
    path: PathBuf,
}

impl Place {
    /// Takes a place before what is to be written exists: whoever cannot write should not have made it.
    ///
    /// # Errors
    /// `FILE_EXISTS`, `FILE_UNWRITABLE`.
    pub(crate) fn take(path: PathBuf) -> Result<Self, Failure> {
        // Also a link that leads nowhere is a name in use.
        if path.symlink_metadata().is_ok() {
            return Err(Failure::from(DeskCode::FileExists).with("file", path.display()));
        }
        let folder = path.parent().filter(|folder| folder.is_dir());
        let file = folder.and_then(|folder| NamedTempFile::new_in(folder).ok());
        let named = path.file_name().is_some();
        file.filter(|_| named).map_or_else(|| Err(unwritable(&path)), |file| Ok(Self { file, path: path.clone() }))
    }

    /// Writes the file; its path.
    ///
    /// # Errors
    /// `FILE_EXISTS` (somebody was quicker), `FILE_UNWRITABLE`.
    pub(crate) fn fill(mut self, bytes: &[u8]) -> Result<PathBuf, Failure> {
        let written = self.file.write_all(bytes).and_then(|()| self.file.as_file().sync_all());
        written.map_err(|_| unwritable(&self.path))?;
        match self.file.persist_noclobber(&self.path) {
            Ok(_) => Ok(self.path),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(Failure::from(DeskCode::FileExists).with("file", self.path.display()))
            }
            Err(_) => Err(unwritable(&self.path)),
        }
    }
}

/// The paths of `count` files: the path itself, or with `-1`, `-2` and so on before its ending.
pub(crate) fn numbered(path: &Path, count: u16) -> Vec<PathBuf> {
    if count == 1 {
        return vec![path.to_path_buf()];
    }
    let name = |number: u16| {
        let mut name = path.file_stem().unwrap_or_default().to_os_string();
        name.push(format!("-{number}"));
        if let Some(ending) = path.extension() {
            name.push(".");
            name.push(ending);
        }
        name
    };
    (1..=count).map(|number| path.with_file_name(name(number))).collect()
}

fn unwritable(path: &Path) -> Failure {
    Failure::from(DeskCode::FileUnwritable).with("file", path.display())
}
