//! The column encodings of Automerge's change chunks (its storage specification): run-length, delta, boolean.
//!
//! Decoding sums run lengths *before* it writes them out and stops above the limit: a run of 2^60 costs nothing.
//! Encoding gives the one form that an honest writer produces.

use super::ParkCode;
use super::reader::{Reader, write_signed, write_unsigned};

/// Bytes of a map key. A run repeats its key for each operation, and Automerge copies it as often.
const KEY_BYTES_MAX: u64 = 128;

/// A value of a run-length column.
pub(crate) trait Cell<'a>: Copy + PartialEq {
    fn read(reader: &mut Reader<'a>) -> Result<Self, ParkCode>;
    fn write(self, out: &mut Vec<u8>);
}

impl<'a> Cell<'a> for u64 {
    fn read(reader: &mut Reader<'a>) -> Result<Self, ParkCode> {
        reader.unsigned()
    }
    fn write(self, out: &mut Vec<u8>) {
        write_unsigned(out, self);
    }
}

impl<'a> Cell<'a> for i64 {
    fn read(reader: &mut Reader<'a>) -> Result<Self, ParkCode> {
        reader.signed()
    }
    fn write(self, out: &mut Vec<u8>) {
        write_signed(out, self);
    }
}

impl<'a> Cell<'a> for &'a str {
    fn read(reader: &mut Reader<'a>) -> Result<Self, ParkCode> {
        let len = reader.unsigned()?;
        if len > KEY_BYTES_MAX {
            return Err(ParkCode::Key);
        }
        core::str::from_utf8(reader.take(len)?).map_err(|_| ParkCode::ColumnDamaged)
    }
    fn write(self, out: &mut Vec<u8>) {
        write_unsigned(out, self.len() as u64);
        out.extend_from_slice(self.as_bytes());
    }
}

/// Decodes a run-length column of at most `limit` rows.
pub(crate) fn decode_runs<'a, T: Cell<'a>>(bytes: &'a [u8], limit: usize) -> Result<Vec<Option<T>>, ParkCode> {
    let mut reader = Reader::new(bytes);
    let mut rows = Vec::new();
    while !reader.is_empty() {
        let count = reader.signed()?;
        if count == 0 {
            let nulls = reserve(reader.unsigned()?, rows.len(), limit)?;
            rows.resize(rows.len() + nulls, None);
        } else if count > 0 {
            let run = reserve(count.unsigned_abs(), rows.len(), limit)?;
            let value = T::read(&mut reader)?;
            rows.resize(rows.len() + run, Some(value));
        } else {
            for _ in 0..reserve(count.unsigned_abs(), rows.len(), limit)? {
                rows.push(Some(T::read(&mut reader)?));
            }
        }
    }
    Ok(rows)
}

/// Decodes a delta column: run-length encoded differences.
pub(crate) fn decode_deltas(bytes: &[u8], limit: usize) -> Result<Vec<Option<i64>>, ParkCode> {
    let mut rows = decode_runs::<i64>(bytes, limit)?;
    let mut last = 0_i64;
    for delta in rows.iter_mut().flatten() {
        last = last.checked_add(*delta).ok_or(ParkCode::ColumnDamaged)?;
        *delta = last;
    }
    Ok(rows)
}

/// Decodes a boolean column: lengths of runs that alternate, the first of `false`.
pub(crate) fn decode_booleans(bytes: &[u8], limit: usize) -> Result<Vec<bool>, ParkCode> {
    let mut reader = Reader::new(bytes);
    let mut rows = Vec::new();
    let mut value = false;
    while !reader.is_empty() {
        let run = reserve(reader.unsigned()?, rows.len(), limit)?;
        rows.resize(rows.len() + run, value);
        value = !value;
    }
    Ok(rows)
}

/// The run's length, if the column stays within its limit with it.
fn reserve(run: u64, have: usize, limit: usize) -> Result<usize, ParkCode> {
    usize::try_from(run).ok().filter(|run| *run <= limit - have).ok_or(ParkCode::OpsLimit)
}

/// Encodes a run-length column. A column of nulls only is empty.
pub(crate) fn encode_runs<'a, T: Cell<'a>>(rows: &[Option<T>]) -> Vec<u8> {
    let mut out = Vec::new();
    if rows.iter().all(Option::is_none) {
        return out;
    }
    let mut literal: Vec<T> = Vec::new();
    let mut index = 0;
    while let Some(row) = rows.get(index) {
        let run = rows[index..].iter().take_while(|next| *next == row).count();
        match row {
            Some(value) if run == 1 => literal.push(*value),
            Some(value) => {
                flush(&mut out, &mut literal);
                write_signed(&mut out, i64::try_from(run).unwrap_or(i64::MAX));
                value.write(&mut out);
            }
            None => {
                flush(&mut out, &mut literal);
                write_signed(&mut out, 0);
                write_unsigned(&mut out, run as u64);
            }
        }
        index += run;
    }
    flush(&mut out, &mut literal);
    out
}

fn flush<'a, T: Cell<'a>>(out: &mut Vec<u8>, literal: &mut Vec<T>) {
    if literal.is_empty() {
        return;
    }
    write_signed(out, i64::try_from(literal.len()).map_or(i64::MIN, |len| -len));
    for value in literal.drain(..) {
        value.write(out);
    }
}

/// Encodes a delta column.
pub(crate) fn encode_deltas(rows: &[Option<i64>]) -> Vec<u8> {
    let mut last = 0_i64;
    let deltas: Vec<Option<i64>> = rows
        .iter()
        .map(|row| {
            row.map(|value| {
                let delta = value.saturating_sub(last);
                last = value;
                delta
            })
        })
        .collect();
    encode_runs(&deltas)
}

/// Encodes a boolean column.
pub(crate) fn encode_booleans(rows: &[bool]) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut value, mut run) = (false, 0_u64);
    for row in rows {
        if *row != value {
            write_unsigned(&mut out, run);
            (value, run) = (*row, 0);
        }
        run += 1;
    }
    if run > 0 {
        write_unsigned(&mut out, run);
    }
    out
}
