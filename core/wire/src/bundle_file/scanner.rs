//! Finds the records in the bytes of a file, whatever stands between them.

use super::{MARK, RECORD_HEAD_BYTES, check};
use crate::limits;

/// Bytes that may be hashed in vain for each byte of a file, and beside that. Honest damage costs less than one; a file
/// that is made of nothing but beginnings of records would cost the square of its length.
const VAIN_FACTOR: u64 = 16;
const VAIN_BYTES: u64 = 16 * 1024 * 1024;
/// What was read is dropped when so much of it lies in front.
const DROP_BYTES: usize = 64 * 1024;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    /// A whole record: the number of its kind, and its body.
    Record(u8, Vec<u8>),
    /// So many bytes that belong to no record.
    Damaged(u64),
}

/// Feed it with [`Scanner::push`], take what it finds with [`Scanner::find`]. It holds no more than the longest record and
/// what was pushed last.
#[derive(Debug, Default)]
pub struct Scanner {
    buffer: Vec<u8>,
    at: usize,
    pushed: u64,
    vain: u64,
}

impl Scanner {
    /// Takes the next bytes of the file.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.at >= DROP_BYTES {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        self.pushed += bytes.len() as u64;
        self.buffer.extend_from_slice(bytes);
    }

    /// What comes next; `None` if more bytes are needed, or nothing is left. `ended` says that no more will come.
    pub fn find(&mut self, ended: bool) -> Option<Scanned> {
        let rest = &self.buffer[self.at..];
        if rest.is_empty() {
            return None;
        }
        let mut from = 0;
        if rest.starts_with(&MARK) {
            match self.read(ended) {
                Read::Whole(kind, body) => {
                    self.at += RECORD_HEAD_BYTES + body.len();
                    return Some(Scanned::Record(kind, body));
                }
                Read::Short => return None,
                // What follows may hold a record: its own length is not believed.
                Read::Damaged => from = 1,
            }
        }
        let rest = &self.buffer[self.at..];
        let found = rest[from..].windows(MARK.len()).position(|window| window == MARK).map(|at| at + from);
        let skipped = match found {
            Some(at) => at,
            None if ended => rest.len(),
            // A mark may have come in part.
            None => rest.len().saturating_sub(MARK.len() - 1).max(from),
        };
        self.at += skipped;
        (skipped > 0).then_some(Scanned::Damaged(skipped as u64))
    }

    fn read(&mut self, ended: bool) -> Read {
        let short = if ended { Read::Damaged } else { Read::Short };
        let rest = &self.buffer[self.at..];
        let Some((head, rest)) = rest.split_first_chunk::<RECORD_HEAD_BYTES>() else { return short };
        let (kind, length) = (head[8], [head[9], head[10], head[11], head[12]]);
        let bytes = u32::from_be_bytes(length) as usize;
        if bytes > limits::RECORD_BYTES_MAX || self.vain > self.pushed.saturating_mul(VAIN_FACTOR) + VAIN_BYTES {
            return Read::Damaged;
        }
        let Some(body) = rest.get(..bytes) else { return short };
        if check(kind, length, body) == head[13..] {
            return Read::Whole(kind, body.to_vec());
        }
        self.vain += bytes as u64;
        Read::Damaged
    }
}

enum Read {
    Whole(u8, Vec<u8>),
    Short,
    Damaged,
}
