//! Looks for words in the raw bytes of every file of a folder, and in bytes that were made of it.

use std::path::{Path, PathBuf};

use serde::Serialize;

/// A word that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The word or sentence.
    pub word: String,
    /// The file, within the folder.
    pub file: PathBuf,
}

/// What was searched, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Searched {
    /// How many files.
    pub files: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Each word in each file in which it stands.
    pub found: Vec<Found>,
}

/// Searches every file below the folder for each of the words, as bytes: nothing is decoded, no file is left out. A
/// file that vanishes meanwhile, as a database's journal may, is no file.
///
/// # Errors
/// The first file or folder that cannot be read.
pub fn search(folder: &Path, words: &[&str]) -> std::io::Result<Searched> {
    let mut searched = Searched::default();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let bytes = match std::fs::read(entry.path()) {
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                    read => read?,
                };
                let path = entry.path();
                searched.add(path.strip_prefix(folder).unwrap_or(&path), &bytes, words);
            }
        }
    }
    Ok(searched)
}

impl Searched {
    /// Searches these bytes as well, as a file of this name.
    pub fn add(&mut self, name: &Path, bytes: &[u8], words: &[&str]) {
        self.files += 1;
        self.bytes += bytes.len() as u64;
        let found = words.iter().filter(|word| contains(bytes, word.as_bytes()));
        self.found.extend(found.map(|word| Found { word: (*word).to_owned(), file: name.to_path_buf() }));
    }
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    let Some(first) = word.first() else { return false };
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        if rest[at..].starts_with(word) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}
