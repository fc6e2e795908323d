//! A change chunk taken apart and put together.

use sha2::{Digest as _, Sha256};

/// A change chunk taken apart. Lengths and the checksum are computed when it is put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// Chunk type: 1 is an uncompressed change.
    pub chunk_type: u8,
    /// Dependencies.
    pub deps: Vec<[u8; 32]>,
    /// The author.
    pub actor: Vec<u8>,
    /// Sequence number.
    pub seq: u64,
    /// Number of the first operation.
    pub start_op: u64,
    /// Wall time.
    pub time: i64,
    /// Message.
    pub message: Vec<u8>,
    /// Other actors.
    pub others: Vec<Vec<u8>>,
    /// Column specifications and data.
    pub columns: Vec<(u64, Vec<u8>)>,
    /// Bytes behind the columns.
    pub extra: Vec<u8>,
}

impl Parts {
    /// Takes an honest chunk apart; `None` if it is none.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor(bytes.get(8..)?);
        let chunk_type = *cursor.take(1)?.first()?;
        let len = cursor.length()?;
        let mut cursor = Cursor(cursor.take(len)?);
        let deps = (0..cursor.length()?).map(|_| cursor.take(32)?.try_into().ok()).collect::<Option<_>>()?;
        let actor = cursor.bytes()?;
        let seq = cursor.unsigned()?;
        let start_op = cursor.unsigned()?;
        let time = cursor.signed()?;
        let message = cursor.bytes()?;
        let others = (0..cursor.length()?).map(|_| cursor.bytes()).collect::<Option<_>>()?;
        let count = cursor.length()?;
        let heads: Vec<(u64, usize)> =
            (0..count).map(|_| Some((cursor.unsigned()?, cursor.length()?))).collect::<Option<_>>()?;
        let columns =
            heads.into_iter().map(|(spec, len)| Some((spec, cursor.take(len)?.to_vec()))).collect::<Option<_>>()?;
        let extra = cursor.0.to_vec();
        Some(Self { chunk_type, deps, actor, seq, start_op, time, message, others, columns, extra })
    }

    /// Puts the chunk together, with its length and checksum right.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut data = Vec::new();
        unsigned(&mut data, self.deps.len() as u64);
        data.extend(self.deps.iter().flatten());
        prefixed(&mut data, &self.actor);
        unsigned(&mut data, self.seq);
        unsigned(&mut data, self.start_op);
        signed(&mut data, self.time);
        prefixed(&mut data, &self.message);
        unsigned(&mut data, self.others.len() as u64);
        for other in &self.others {
            prefixed(&mut data, other);
        }
        unsigned(&mut data, self.columns.len() as u64);
        for (spec, column) in &self.columns {
            unsigned(&mut data, *spec);
            unsigned(&mut data, column.len() as u64);
        }
        data.extend(self.columns.iter().flat_map(|(_, column)| column));
        data.extend(&self.extra);
        frame(self.chunk_type, &data)
    }
}

/// Frames chunk data: magic, repaired checksum, type and length.
#[must_use]
pub fn frame(chunk_type: u8, data: &[u8]) -> Vec<u8> {
    let mut head = vec![chunk_type];
    unsigned(&mut head, data.len() as u64);
    let digest = Sha256::new().chain_update(&head).chain_update(data).finalize();
    let mut out = vec![0x85, 0x6f, 0x4a, 0x83];
    out.extend(&digest[..4]);
    out.extend(head);
    out.extend(data);
    out
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0;
        for index in 0..10 {
            let byte = *self.take(1)?.first()?;
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let mut value = 0_i64;
        for index in 0..9 {
            let byte = *self.take(1)?.first()?;
            value |= i64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                return Some(if byte & 0x40 != 0 { value - (1_i64 << (7 * index + 6) << 1) } else { value });
            }
        }
        None
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.unsigned()?).ok()
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let len = self.length()?;
        self.take(len).map(<[u8]>::to_vec)
    }
}

/// Appends an unsigned LEB128 number.
pub fn unsigned(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if value == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

/// Appends a signed LEB128 number.
pub fn signed(out: &mut Vec<u8>, mut value: i64) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if (value == 0 && low & 0x40 == 0) || (value == -1 && low & 0x40 != 0) {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

fn prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    unsigned(out, bytes.len() as u64);
    out.extend(bytes);
}
