//! Reads bytes of others: every number in its shortest form, every length checked before it is used.

use super::ParkCode;

/// A cursor over bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, len: u64) -> Result<&'a [u8], ParkCode> {
        let len = usize::try_from(len).map_err(|_| ParkCode::ChunkDamaged)?;
        let (head, rest) = self.rest.split_at_checked(len).ok_or(ParkCode::ChunkDamaged)?;
        self.rest = rest;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], ParkCode> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(ParkCode::ChunkDamaged)?;
        self.rest = rest;
        Ok(*head)
    }

    fn byte(&mut self) -> Result<u8, ParkCode> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// An unsigned LEB128 number in its shortest form.
    pub(crate) fn unsigned(&mut self) -> Result<u64, ParkCode> {
        let mut value = 0_u64;
        for index in 0..10_u32 {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if index == 9 && bits > 1 {
                return Err(ParkCode::ChunkDamaged);
            }
            value |= bits << (7 * index);
            if byte & 0x80 == 0 {
                return if index > 0 && byte == 0 { Err(ParkCode::ChunkDamaged) } else { Ok(value) };
            }
        }
        Err(ParkCode::ChunkDamaged)
    }

    /// A signed LEB128 number in its shortest form.
    pub(crate) fn signed(&mut self) -> Result<i64, ParkCode> {
        let before = self.rest;
        let mut value = 0_i128;
        for index in 0..10_u32 {
            let byte = self.byte()?;
            value |= i128::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                if byte & 0x40 != 0 {
                    value -= 1_i128 << (7 * (index + 1));
                }
                let value = i64::try_from(value).map_err(|_| ParkCode::ChunkDamaged)?;
                let used = before.len() - self.rest.len();
                let mut shortest = Vec::with_capacity(10);
                write_signed(&mut shortest, value);
                return if shortest.len() == used { Ok(value) } else { Err(ParkCode::ChunkDamaged) };
            }
        }
        Err(ParkCode::ChunkDamaged)
    }
}

/// Appends an unsigned LEB128 number.
pub(crate) fn write_unsigned(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Appends a signed LEB128 number.
pub(crate) fn write_signed(out: &mut Vec<u8>, mut value: i64) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        let done = (value == 0 && low & 0x40 == 0) || (value == -1 && low & 0x40 != 0);
        if done {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}
