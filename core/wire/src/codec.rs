//! CBOR in and out, with the rules that every decoder of outside bytes shares.

use crate::limits;

/// Bytes that are not the wanted value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not CBOR of the wanted shape.
    #[error("not of the expected form: {0}")]
    Shape(String),
    /// Bytes follow the value.
    #[error("{0} bytes follow the value")]
    Trailing(usize),
    /// A part is over its limit.
    #[error("{what} over its limit of {limit}")]
    OverLimit {
        /// Which part.
        what: &'static str,
        /// The limit, in the unit of the part.
        limit: usize,
    },
    /// Arrays and maps lie deeper than [`limits::NESTING_MAX`].
    #[error("nested deeper than {} levels", limits::NESTING_MAX)]
    Nested,
}

impl From<minicbor::decode::Error> for DecodeError {
    fn from(error: minicbor::decode::Error) -> Self {
        Self::Shape(error.to_string())
    }
}

/// The CBOR of a value.
pub fn encode<T: minicbor::Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    minicbor::encode(value, &mut bytes).expect("writing to a vector cannot fail");
    bytes
}

/// One value that fills all of `bytes`.
///
/// # Errors
/// [`DecodeError`] when it is of another shape, nested too deep, or followed by more bytes.
pub fn decode<'b, T: minicbor::Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, DecodeError> {
    first_item(bytes)?;
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder.decode()?;
    match bytes.len() - decoder.position() {
        0 => Ok(value),
        more => Err(DecodeError::Trailing(more)),
    }
}

/// The value at the beginning of `bytes`, and how many bytes it takes.
///
/// # Errors
/// [`DecodeError`] when it is of another shape, nested too deep, or not whole.
pub fn decode_first<'b, T: minicbor::Decode<'b, ()>>(bytes: &'b [u8]) -> Result<(T, usize), DecodeError> {
    let length = first_item(bytes)?;
    Ok((minicbor::decode(&bytes[..length])?, length))
}

/// `Err` if `len` is over `limit`.
///
/// # Errors
/// [`DecodeError::OverLimit`].
pub const fn within(what: &'static str, len: usize, limit: usize) -> Result<(), DecodeError> {
    if len > limit { Err(DecodeError::OverLimit { what, limit }) } else { Ok(()) }
}

/// The length of the item at the beginning of `bytes`. Walks it without recursion and refuses deep nesting and
/// indefinite lengths, so that no decoder behind it can be driven into deep recursion.
fn first_item(bytes: &[u8]) -> Result<usize, DecodeError> {
    // Items still to come on each open level.
    let mut open: Vec<u64> = Vec::with_capacity(8);
    let mut at = 0usize;
    loop {
        let Some(&first) = bytes.get(at) else {
            return Err(DecodeError::Shape("ends inside a value".into()));
        };
        let (major, info) = (first >> 5, first & 31);
        let extra: usize = match info {
            0..=23 => 0,
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return Err(DecodeError::Shape("indefinite or reserved length".into())),
        };
        let Some(argument) = bytes.get(at + 1..at + 1 + extra) else {
            return Err(DecodeError::Shape("ends inside a length".into()));
        };
        let value =
            if extra == 0 { u64::from(info) } else { argument.iter().fold(0, |sum, b| (sum << 8) | u64::from(*b)) };
        at += 1 + extra;
        match major {
            2 | 3 => {
                let end = usize::try_from(value).ok().and_then(|len| at.checked_add(len));
                match end {
                    Some(end) if end <= bytes.len() => at = end,
                    _ => return Err(DecodeError::Shape("ends inside a string".into())),
                }
            }
            4 | 5 => {
                let items = if major == 5 { value.saturating_mul(2) } else { value };
                if items > 0 {
                    if open.len() >= limits::NESTING_MAX {
                        return Err(DecodeError::Nested);
                    }
                    open.push(items);
                    continue;
                }
            }
            6 => {
                // A tag is followed by the one item that it marks: it costs a level, or tags alone could nest.
                if open.len() >= limits::NESTING_MAX {
                    return Err(DecodeError::Nested);
                }
                open.push(1);
                continue;
            }
            _ => {}
        }
        // A value is complete: close every level that it completes.
        loop {
            let Some(left) = open.last_mut() else {
                return Ok(at);
            };
            *left -= 1;
            if *left > 0 {
                break;
            }
            open.pop();
        }
    }
}
