//! The memory of another process: what lies in it, and whether secrets do.
//!
//! Linux only, by `/proc`. A process may read the memory of one that it started, also as an ordinary user and where
//! Yama restricts tracing (`ptrace_scope` 1).

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Bytes of a secret that give it away: a half of a key is looked for like the whole of it, since code that copies a
/// key in pieces leaves pieces.
const PIECE_BYTES: usize = 16;
/// Bytes by which a piece is looked up.
const START_BYTES: usize = 2;

/// A secret to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// What it is.
    pub name: String,
    bytes: Vec<u8>,
}

impl Secret {
    /// A secret of at least 16 bytes.
    ///
    /// # Panics
    /// If it is shorter: what is found by chance says nothing.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: &[u8]) -> Self {
        let name = name.into();
        assert!(bytes.len() >= PIECE_BYTES, "{name} has {} bytes", bytes.len());
        Self { name, bytes: bytes.to_vec() }
    }

    /// All of it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn pieces(&self) -> [&[u8]; 2] {
        [&self.bytes[..PIECE_BYTES], &self.bytes[self.bytes.len() - PIECE_BYTES..]]
    }
}

/// A stretch of a process's memory.
struct Region {
    /// As the kernel describes it.
    line: String,
    start: u64,
    bytes: Vec<u8>,
}

/// Everything that a process can read of its own memory, at one moment. It must be at rest meanwhile.
pub struct Memory(Vec<Region>);

impl Memory {
    /// Reads the memory of a process that this one started.
    ///
    /// # Errors
    /// If a part of it cannot be read: what was not looked at proves nothing.
    pub fn of(pid: u32) -> io::Result<Self> {
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"))?;
        let memory = File::open(format!("/proc/{pid}/mem"))?;
        let mut regions = Vec::new();
        for line in maps.lines() {
            let (range, rest) = line.split_once(' ').unwrap_or((line, ""));
            // The kernel's own pages, which hold its clock and its entry points, cannot be read this way.
            if !rest.starts_with('r') || rest.contains("[vvar") || rest.contains("[vsyscall]") {
                continue;
            }
            let ends = range.split_once('-').and_then(|(start, end)| {
                Some((u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?))
            });
            let (start, end) = ends.ok_or_else(|| io::Error::other(format!("a line of maps: {line}")))?;
            let mut bytes = vec![0; usize::try_from(end - start).map_err(io::Error::other)?];
            memory.read_exact_at(&mut bytes, start).map_err(|error| io::Error::other(format!("{line}: {error}")))?;
            regions.push(Region { line: line.to_owned(), start, bytes });
        }
        Ok(Self(regions))
    }

    /// How many bytes were read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|region| region.bytes.len()).sum()
    }

    /// Whether nothing was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where pieces of secrets lie, by the secret's name.
    #[must_use]
    pub fn search(&self, secrets: &[Secret]) -> BTreeMap<String, Vec<String>> {
        let mut by_start: Vec<Vec<(&str, &[u8])>> = vec![Vec::new(); 1 << (8 * START_BYTES)];
        for secret in secrets {
            for piece in secret.pieces() {
                by_start[start_of(piece)].push((&secret.name, piece));
            }
        }
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for region in &self.0 {
            for (at, window) in region.bytes.windows(PIECE_BYTES).enumerate() {
                for (name, piece) in &by_start[start_of(window)] {
                    if *piece == window {
                        let at = region.start + at as u64;
                        found.entry((*name).to_owned()).or_default().push(format!("{at:x} in {}", region.line));
                    }
                }
            }
        }
        found
    }
}

fn start_of(bytes: &[u8]) -> usize {
    bytes[..START_BYTES].iter().fold(0, |all, byte| all << 8 | usize::from(*byte))
}
