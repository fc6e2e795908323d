//! The repository's text files, and Rust source without its comments and literals.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Larger files are data.
const TEXT_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// A text file: its path from the root with `/`, and what stands in it.
#[derive(Debug, Clone)]
pub struct File {
    pub path: String,
    pub text: String,
}

impl File {
    /// A file that exists only in a test's control.
    pub fn control(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// The files of the repository, read once.
pub struct Repository {
    pub files: Vec<File>,
    /// Every file and folder, text or not.
    pub paths: BTreeSet<String>,
}

impl Repository {
    pub fn read() -> Self {
        let root = root();
        let mut repository = Self { files: Vec::new(), paths: BTreeSet::new() };
        repository.walk(&root, &root);
        assert!(repository.files.len() > 20, "the repository's files were not found below {}", root.display());
        repository
    }

    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    pub fn markdown(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".md"))
    }

    pub fn text(&self, path: &str) -> &str {
        let file = self.files.iter().find(|file| file.path == path);
        &file.unwrap_or_else(|| panic!("{path} is missing")).text
    }

    fn walk(&mut self, root: &Path, folder: &Path) {
        let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            if matches!(name.as_str(), ".git" | "target" | "tests/fuzz/target" | ".ci/tmp") {
                continue;
            }
            self.paths.insert(name.clone());
            if path.is_dir() {
                self.walk(root, &path);
            } else if path.metadata().is_ok_and(|data| data.len() <= TEXT_BYTES_MAX)
                && let Ok(text) = fs::read_to_string(&path)
            {
                self.files.push(File { path: name, text });
            }
        }
    }
}

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The source with comments, strings and characters blanked; every byte and line keeps its place.
pub fn code_only(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => find(bytes, at, b"\n").unwrap_or(bytes.len()),
            b'/' if bytes.get(at + 1) == Some(&b'*') => block_comment(bytes, at),
            b'"' => string(bytes, at),
            b'r' | b'b' | b'c' if !in_word(bytes, at) => raw_string(bytes, at).unwrap_or(at),
            b'\'' => character(bytes, at),
            _ => at,
        };
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8(out).expect("only whole characters were blanked")
}

/// The 1-based line of a byte.
pub fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Whether the byte before `at` belongs to the same word.
pub fn in_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    bytes[from..].windows(what.len()).position(|window| window == what).map(|at| from + at)
}

fn block_comment(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0usize);
    while at < bytes.len() {
        match &bytes[at..(at + 2).min(bytes.len())] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" if depth == 1 => return at + 2,
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    bytes.len()
}

fn string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of `r"..."`, `br#"..."#` and the like, if that is what begins here.
fn raw_string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while at < start + 2 && matches!(bytes.get(at), Some(b'r' | b'b' | b'c')) {
        at += 1;
    }
    if bytes[at - 1] != b'r' {
        return None;
    }
    let hashes = bytes[at..].iter().take_while(|byte| **byte == b'#').count();
    if bytes.get(at + hashes) != Some(&b'"') {
        return None;
    }
    let mut closing = vec![b'"'];
    closing.extend(std::iter::repeat_n(b'#', hashes));
    Some(find(bytes, at + hashes + 1, &closing).map_or(bytes.len(), |end| end + closing.len()))
}

/// The end of a character literal, or `start` for a lifetime.
fn character(bytes: &[u8], start: usize) -> usize {
    match bytes.get(start + 1) {
        Some(b'\\') => find(bytes, (start + 3).min(bytes.len()), b"'").map_or(bytes.len(), |end| end + 1),
        Some(first) => {
            let len = match first {
                0..=0x7f => 1,
                0x80..=0xdf => 2,
                0xe0..=0xef => 3,
                _ => 4,
            };
            if bytes.get(start + 1 + len) == Some(&b'\'') { start + 2 + len } else { start }
        }
        None => start,
    }
}
