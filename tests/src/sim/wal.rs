//! SQLite's write-ahead log, as a file: where its transactions end, and what a crash leaves of it.
//!
//! The header has 32 bytes, then come frames of 24 bytes and one page each. A frame whose second number is not 0 ends a
//! transaction. Frames of an earlier round of the file stay behind those of the present one, with other salts.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

/// How far a write-ahead log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// Which round of the file this is: its salts.
    round: u64,
    /// Behind the last transaction that is complete, in bytes.
    pub committed: u64,
}

const HEADER: usize = 32;
const FRAME: usize = 24;

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}

impl Extent {
    /// Reads how far the file goes; a missing or empty one goes nowhere.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn of(path: &Path) -> io::Result<Self> {
        let mut bytes = Vec::new();
        match File::open(path) {
            Ok(mut file) => file.read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        if bytes.len() < HEADER {
            return Ok(Self::default());
        }
        let salts = &bytes[16..24];
        let round = (u64::from(number(&bytes, 16)) << 32) | u64::from(number(&bytes, 20));
        let step = FRAME + number(&bytes, 8) as usize;
        let (mut at, mut committed) = (HEADER, HEADER);
        while at + step <= bytes.len() && bytes.get(at + 8..at + 16) == Some(salts) {
            at += step;
            if number(&bytes, at - step + 4) != 0 {
                committed = at;
            }
        }
        Ok(Self { round, committed: committed as u64 })
    }

    /// Where a crash may cut the file that now goes to here and that had gone to `acknowledged` when the last answer was
    /// given: at every byte from the first to the second of these. What was acknowledged and is not in the file any more
    /// was moved into the database.
    #[must_use]
    pub const fn may_be_cut(self, acknowledged: Self) -> (u64, u64) {
        let from = if self.round == acknowledged.round { acknowledged.committed } else { 0 };
        if from < self.committed { (from, self.committed) } else { (self.committed, self.committed) }
    }
}

/// Cuts a file; a missing one stays missing.
///
/// # Errors
/// The file cannot be cut.
pub fn cut(path: &Path, length: u64) -> io::Result<()> {
    match OpenOptions::new().write(true).open(path) {
        Ok(file) => file.set_len(length),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
