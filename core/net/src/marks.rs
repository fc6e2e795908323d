//! What a plain stream of bytes says beside frames: its end, why the line is closed, and whether anybody is still there.
//! QUIC has all of this in its transport; over TCP each piece is behind one byte that says what it is
//! (docs/PROTOCOL.md section 3, TLS on TCP). Pure.

use alliance_wire::limits;

use crate::error::CloseReason;
use crate::frame::{FrameDecoder, FrameError, encode_prefix};

const FRAME: u8 = 0;
const END: u8 = 1;
const END_HEARD: u8 = 2;
const CLOSE: u8 = 3;
const ASK: u8 = 4;
const ANSWER: u8 = 5;

/// Bytes of the number of a [`CloseReason`], big endian.
const REASON_BYTES: usize = 8;

/// One piece of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// 0: a frame.
    Frame(Vec<u8>),
    /// 1: this side sends no further frame.
    End,
    /// 2: the other side's end, with everything before it, has arrived.
    EndHeard,
    /// 3: the line is over, and why. Nothing follows.
    Close(CloseReason),
    /// 4: is anybody there?
    Ask,
    /// 5: somebody is.
    Answer,
}

/// What is wrong with bytes that should be such a stream. Each of them is the peer's fault and ends the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    /// A frame that is none.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A byte that is no mark.
    #[error("an unknown mark")]
    Unknown,
    /// A frame or a second end behind the end.
    #[error("something behind the end of the frames")]
    BehindEnd,
    /// Something behind the word that closes.
    #[error("something behind the word that closes")]
    BehindClose,
}

impl Mark {
    /// Appends the mark to `out`. The length of a frame is checked by the caller.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Frame(frame) => {
                out.push(FRAME);
                encode_prefix(frame.len(), out);
                out.extend_from_slice(frame);
            }
            Self::End => out.push(END),
            Self::EndHeard => out.push(END_HEARD),
            Self::Close(reason) => {
                out.push(CLOSE);
                out.extend_from_slice(&reason.code().to_be_bytes());
            }
            Self::Ask => out.push(ASK),
            Self::Answer => out.push(ANSWER),
        }
    }
}

/// Puts marks together from pieces of any size. Feed it with [`MarkDecoder::push`] until it gives a mark; after an error
/// it must not be used again.
#[derive(Debug)]
pub struct MarkDecoder {
    frames: FrameDecoder,
    state: State,
    /// The end was said.
    ended: bool,
}

#[derive(Debug)]
enum State {
    Between,
    Frame,
    Close { reason: [u8; REASON_BYTES], bytes: usize },
    Closed,
}

impl MarkDecoder {
    /// A decoder for frames of at most `limit` bytes, and never more than `limits::FRAME_BYTES_MAX`.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { frames: FrameDecoder::new(limit.min(limits::FRAME_BYTES_MAX)), state: State::Between, ended: false }
    }

    /// Takes bytes from the front of `input` until a mark is complete or `input` is empty.
    ///
    /// # Errors
    /// [`MarkError`] as soon as the bytes show that no valid mark follows.
    pub fn push(&mut self, input: &mut &[u8]) -> Result<Option<Mark>, MarkError> {
        loop {
            match &mut self.state {
                State::Between => {
                    let Some((&byte, rest)) = input.split_first() else { return Ok(None) };
                    *input = rest;
                    if let Some(mark) = self.begin(byte)? {
                        return Ok(Some(mark));
                    }
                }
                State::Frame => {
                    let frame = self.frames.push(input)?;
                    if frame.is_some() {
                        self.state = State::Between;
                    }
                    return Ok(frame.map(Mark::Frame));
                }
                State::Close { reason, bytes } => {
                    let (taken, rest) = input.split_at(input.len().min(REASON_BYTES - *bytes));
                    reason[*bytes..*bytes + taken.len()].copy_from_slice(taken);
                    *bytes += taken.len();
                    *input = rest;
                    if *bytes < REASON_BYTES {
                        return Ok(None);
                    }
                    let reason = CloseReason::from_code(u64::from_be_bytes(*reason));
                    self.state = State::Closed;
                    return Ok(Some(Mark::Close(reason)));
                }
                State::Closed => return if input.is_empty() { Ok(None) } else { Err(MarkError::BehindClose) },
            }
        }
    }

    /// Whether the bytes so far end inside a mark, so that the next ones are due.
    #[must_use]
    pub const fn is_mid_mark(&self) -> bool {
        matches!(self.state, State::Frame | State::Close { .. })
    }

    /// [`FrameDecoder::take_beginning`].
    pub fn take_beginning(&mut self) -> Vec<u8> {
        if matches!(self.state, State::Frame) { self.frames.take_beginning() } else { Vec::new() }
    }

    /// Takes the byte that says what follows.
    fn begin(&mut self, byte: u8) -> Result<Option<Mark>, MarkError> {
        match byte {
            FRAME | END if self.ended => Err(MarkError::BehindEnd),
            FRAME => {
                self.state = State::Frame;
                Ok(None)
            }
            END => {
                self.ended = true;
                Ok(Some(Mark::End))
            }
            END_HEARD => Ok(Some(Mark::EndHeard)),
            CLOSE => {
                self.state = State::Close { reason: [0; REASON_BYTES], bytes: 0 };
                Ok(None)
            }
            ASK => Ok(Some(Mark::Ask)),
            ANSWER => Ok(Some(Mark::Answer)),
            _ => Err(MarkError::Unknown),
        }
    }
}
