//! Frames on a stream of bytes: a LEB128 length in its shortest form, then that many bytes. Pure; files use it too.

use alliance_wire::limits;

/// Bytes of the longest length prefix: seven bits each, enough for `limits::FRAME_BYTES_MAX`.
pub const PREFIX_BYTES_MAX: usize = 3;
const _: () = assert!(limits::FRAME_BYTES_MAX < 1 << (7 * PREFIX_BYTES_MAX));

/// Memory set aside on the word of a length alone; the rest follows the bytes as they arrive.
const RESERVE_BYTES_MAX: usize = 64 * 1024;

/// What is wrong with bytes that should be frames. Each of them is the peer's fault and ends the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The length is over the limit; nothing was allocated for it.
    #[error("a frame larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A frame without content.
    #[error("an empty frame")]
    Empty,
    /// A length written longer than it need be, so that one frame would have two forms.
    #[error("a frame length that is not in its shortest form")]
    NotShortest,
}

/// Appends the length prefix of a frame of `length` bytes to `out`. Lengths are checked by the caller.
pub fn encode_prefix(length: usize, out: &mut Vec<u8>) {
    let mut rest = length;
    while rest >= 0x80 {
        out.push(0x80 | low_seven_bits(rest));
        rest >>= 7;
    }
    out.push(low_seven_bits(rest));
}

fn low_seven_bits(value: usize) -> u8 {
    u8::try_from(value & 0x7f).expect("seven bits fit a byte")
}

/// Puts frames together from pieces of any size. Feed it with [`FrameDecoder::push`] until it gives a frame; after an
/// error it must not be used again.
#[derive(Debug)]
pub struct FrameDecoder {
    limit: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    Prefix { value: usize, bytes: usize },
    Body { length: usize, body: Vec<u8> },
}

impl State {
    const START: Self = Self::Prefix { value: 0, bytes: 0 };
}

impl FrameDecoder {
    /// A decoder for frames of at most `limit` bytes, and never more than `limits::FRAME_BYTES_MAX`.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit: limit.min(limits::FRAME_BYTES_MAX), state: State::START }
    }

    /// Takes bytes from the front of `input` until a frame is complete or `input` is empty.
    ///
    /// # Errors
    /// [`FrameError`] as soon as a length shows that no valid frame follows.
    pub fn push(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, FrameError> {
        loop {
            match &mut self.state {
                State::Prefix { value, bytes } => {
                    let Some((&byte, rest)) = input.split_first() else { return Ok(None) };
                    *input = rest;
                    *value |= usize::from(byte & 0x7f) << (7 * *bytes);
                    *bytes += 1;
                    let (value, bytes) = (*value, *bytes);
                    self.prefix_byte(value, bytes, byte)?;
                }
                State::Body { length, body } => {
                    let (taken, rest) = input.split_at(input.len().min(*length - body.len()));
                    body.extend_from_slice(taken);
                    *input = rest;
                    if body.len() < *length {
                        return Ok(None);
                    }
                    let frame = std::mem::take(body);
                    self.state = State::START;
                    return Ok(Some(frame));
                }
            }
        }
    }

    /// Whether the bytes so far end inside a frame, so that an end of the stream here is a cut.
    #[must_use]
    pub const fn is_mid_frame(&self) -> bool {
        !matches!(self.state, State::Prefix { bytes: 0, .. })
    }

    /// What has come of a frame that is not whole, where nothing more will come. The decoder begins anew.
    pub fn take_beginning(&mut self) -> Vec<u8> {
        match std::mem::replace(&mut self.state, State::START) {
            State::Prefix { .. } => Vec::new(),
            State::Body { body, .. } => body,
        }
    }

    fn prefix_byte(&mut self, value: usize, bytes: usize, byte: u8) -> Result<(), FrameError> {
        if value > self.limit {
            return Err(FrameError::TooLarge { limit: self.limit });
        }
        if byte & 0x80 != 0 {
            return if bytes == PREFIX_BYTES_MAX { Err(FrameError::TooLarge { limit: self.limit }) } else { Ok(()) };
        }
        match (value, byte, bytes) {
            (0, _, 1) => Err(FrameError::Empty),
            (_, 0, _) => Err(FrameError::NotShortest),
            (length, _, _) => {
                self.state = State::Body { length, body: Vec::with_capacity(length.min(RESERVE_BYTES_MAX)) };
                Ok(())
            }
        }
    }
}
