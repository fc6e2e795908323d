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

/// Whether the first frame that does not continue the log is of its present round: the last write was torn, or something
/// flipped. Looked at apart from the store, which must say the same.
///
/// # Errors
/// The file is there and cannot be read.
pub fn end_is_torn(path: &Path) -> io::Result<bool> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        other => other?,
    };
    if bytes.len() < HEADER {
        return Ok(false);
    }
    // The lowest bit of the magic number says in which order the words of a checksum lie.
    let little = number(&bytes, 0) & 1 == 0;
    let add = |(one, two): (u32, u32), part: &[u8]| {
        part.chunks_exact(8).fold((one, two), |(one, two), eight| {
            let word = |at| if little { number(eight, at).swap_bytes() } else { number(eight, at) };
            let one = one.wrapping_add(word(0)).wrapping_add(two);
            (one, two.wrapping_add(word(4)).wrapping_add(one))
        })
    };
    let mut sums = add((0, 0), &bytes[..24]);
    for frame in bytes[HEADER..].chunks_exact(FRAME + number(&bytes, 8) as usize) {
        sums = add(add(sums, &frame[..8]), &frame[FRAME..]);
        let same_round = frame[8..16] == bytes[16..24];
        if !same_round || sums != (number(frame, 16), number(frame, 20)) {
            return Ok(same_round);
        }
    }
    Ok(false)
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
