//! The values of operations, by the column that says what each is.

use super::super::ParkCode;
use super::super::reader::Reader;
use super::Value;

/// Reads the value column by its metadata: (length << 4) + type.
pub(super) struct Values<'a> {
    pub(super) raw: Reader<'a>,
}

impl Values<'_> {
    pub(super) fn next(&mut self, meta: Option<u64>) -> Result<Value, ParkCode> {
        let meta = meta.ok_or(ParkCode::ColumnDamaged)?;
        let bytes = self.raw.take(meta >> 4)?;
        let mut number = Reader::new(bytes);
        let value = match meta & 0xf {
            0 if bytes.is_empty() => return Ok(Value::Null),
            1 | 2 if bytes.is_empty() => return Ok(Value::Other),
            3 => {
                number.unsigned()?;
                Value::Integer
            }
            4 => {
                number.signed()?;
                Value::Integer
            }
            8 => {
                number.signed()?;
                Value::Counter
            }
            9 => {
                number.signed()?;
                Value::Other
            }
            5 if bytes.len() == 8 => return Ok(Value::Other),
            6 => {
                let text = core::str::from_utf8(bytes).map_err(|_| ParkCode::Value)?;
                let mut scalars = text.chars();
                let one = scalars.next().is_some() && scalars.next().is_none();
                return Ok(if one { Value::Scalar } else { Value::Other });
            }
            7 => return Ok(Value::Other),
            _ => return Err(ParkCode::Value),
        };
        if number.is_empty() { Ok(value) } else { Err(ParkCode::Value) }
    }
}
