//! The write-ahead log as a file (<https://sqlite.org/fileformat2.html#the_write_ahead_log>), looked at before SQLite
//! does.
//!
//! Each frame's checksum covers everything before it, so that SQLite takes the log up to the first frame that does not
//! fit and forgets the rest without a word: after a power cut that is a half-written tail, after a flipped bit it is
//! committed work. The two look different: what follows a flipped bit still bears the salts of the log's present round.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
/// SQLite's magic numbers for checksums over little-endian and big-endian words.
const MAGIC: [u32; 2] = [0x377f_0682, 0x377f_0683];
const PAGE_BYTES_MAX: u32 = 64 * 1024;

/// Where the write-ahead log of a database lies.
pub(crate) fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_os_string();
    name.push("-wal");
    PathBuf::from(name)
}

/// Whether frames of the present round lie behind the last one that SQLite will take: the log was damaged, or a power
/// cut tore its last write, which cannot be told apart.
///
/// # Errors
/// An I/O error.
pub(crate) fn holds_lost_frames(log: &Path) -> io::Result<bool> {
    walk(log, |_, _, _| Ok(()))
}

/// Goes through the frames that SQLite takes, and answers whether there are more of the present round behind them.
/// `take` gets page number, size of the database after a commit (0 inside a transaction), and the page.
///
/// # Errors
/// An I/O error, or what `take` fails with.
pub(crate) fn walk(log: &Path, mut take: impl FnMut(u32, u32, &[u8]) -> io::Result<()>) -> io::Result<bool> {
    let file = match File::open(log) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        other => other?,
    };
    let mut file = BufReader::with_capacity(256 * 1024, file);
    let mut header = [0; HEADER_BYTES];
    if !fill(&mut file, &mut header)? {
        return Ok(false);
    }
    let Some(mut sums) = Sums::of(&header) else {
        return Ok(true);
    };
    let page_bytes = word(&header, 8);
    let salts: [u8; 8] = header[16..24].try_into().unwrap_or_default();
    let mut frame = vec![0; FRAME_HEADER_BYTES + page_bytes as usize];
    // A frame that the file's end cuts off was never written whole: no bit that flips shortens a file.
    while fill(&mut file, &mut frame)? {
        let fits = frame[8..16] == salts && sums.add(&frame);
        if !fits {
            return rest_is_of(&salts, frame, &mut file);
        }
        take(word(&frame, 0), word(&frame, 4), &frame[FRAME_HEADER_BYTES..])?;
    }
    Ok(false)
}

/// Whether this frame or one behind it is of the present round. One flipped bit spoils one of the two salts only, and
/// frames of earlier rounds share neither.
fn rest_is_of(salts: &[u8; 8], mut frame: Vec<u8>, file: &mut impl Read) -> io::Result<bool> {
    loop {
        if frame[8..12] == salts[..4] || frame[12..16] == salts[4..] {
            return Ok(true);
        }
        if !fill(file, &mut frame)? {
            return Ok(false);
        }
    }
}

/// Reads exactly as much as there is room for; false when the file ends before.
fn fill(file: &mut impl Read, room: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(room) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        other => other.map(|()| true),
    }
}

/// A big-endian word.
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |sum, byte| (sum << 8) | u32::from(*byte))
}

/// SQLite's running checksum.
struct Sums {
    one: u32,
    two: u32,
    big_endian: bool,
}

impl Sums {
    /// Begins after a header; absent when that is damaged.
    fn of(header: &[u8; HEADER_BYTES]) -> Option<Self> {
        let big_endian = word(header, 0) == MAGIC[1];
        let page_bytes = word(header, 8);
        let possible = MAGIC.contains(&word(header, 0))
            && page_bytes.is_power_of_two()
            && (512..=PAGE_BYTES_MAX).contains(&page_bytes);
        let mut sums = Self { one: 0, two: 0, big_endian };
        sums.run(&header[..24]);
        (possible && sums.says(header, 24)).then_some(sums)
    }

    /// Runs over a frame; whether its checksum fits.
    fn add(&mut self, frame: &[u8]) -> bool {
        self.run(&frame[..8]);
        self.run(&frame[FRAME_HEADER_BYTES..]);
        self.says(frame, 16)
    }

    fn run(&mut self, bytes: &[u8]) {
        let (words, _) = bytes.as_chunks::<4>();
        let read = |bytes: [u8; 4]| if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        let (mut one, mut two) = (self.one, self.two);
        for pair in words.chunks_exact(2) {
            one = one.wrapping_add(read(pair[0])).wrapping_add(two);
            two = two.wrapping_add(read(pair[1])).wrapping_add(one);
        }
        (self.one, self.two) = (one, two);
    }

    fn says(&self, bytes: &[u8], at: usize) -> bool {
        word(bytes, at) == self.one && word(bytes, at + 4) == self.two
    }
}
