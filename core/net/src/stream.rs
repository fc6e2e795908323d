//! The two halves of a connection's stream.

use std::sync::Arc;

use alliance_wire::limits;
use quinn::{Chunk, ReadError, RecvStream, SendStream, StoppedError, WriteError};
use tokio::time::timeout;

use crate::connection::{ConnectionHandle, Shared};
use crate::early::{EarlyReceiver, EarlySender, Room};
use crate::error::{CloseReason, ConnectionLost, Fault};
use crate::frame::{FrameDecoder, FrameError, PREFIX_BYTES_MAX, encode_prefix};

/// Bytes asked of the transport at once.
const READ_BYTES_MAX: usize = 64 * 1_024;

/// Why a frame could not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The frame is over the limit; nothing of it was sent and the connection is as it was.
    #[error("a frame of {length} bytes; the limit is {limit}")]
    TooLarge {
        /// Its bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The frame is empty, which no message is; the connection is as it was.
    #[error("an empty frame")]
    Empty,
    /// [`FrameSender::finish`] was called before, or the peer reads no further.
    #[error("the stream takes no more frames")]
    Finished,
    /// The connection is over.
    #[error(transparent)]
    Lost(#[from] ConnectionLost),
}

impl SendError {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::TooLarge { .. } | Self::Empty | Self::Finished => Fault::Caller,
            Self::Lost(lost) => lost.fault(),
        }
    }
}

/// Why no further frame comes. After any of these the connection is over: what can be blamed on the peer closes it
/// with the fitting [`CloseReason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// The bytes are no frame.
    #[error("the peer sent {0}")]
    Malformed(#[from] FrameError),
    /// The peer ended the stream inside a frame.
    #[error("the peer ended the stream inside a frame")]
    Cut,
    /// The connection is over.
    #[error(transparent)]
    Lost(#[from] ConnectionLost),
}

impl ReceiveError {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Malformed(_) | Self::Cut => Fault::Peer,
            Self::Lost(lost) => lost.fault(),
        }
    }
}

/// The sending half.
#[derive(Debug)]
pub struct FrameSender {
    shared: Arc<Shared>,
    stream: SendStream,
    early: Option<EarlySender>,
    outbox: Outbox,
}

/// The one frame that is on its way, with its prefix.
#[derive(Debug, Default)]
struct Outbox {
    bytes: Vec<u8>,
    written: usize,
    /// Whether the early flight holds a copy of it.
    copied: bool,
}

impl FrameSender {
    pub(crate) fn new(shared: Arc<Shared>, stream: SendStream, early: Option<EarlySender>) -> Self {
        Self { shared, stream, early, outbox: Outbox::default() }
    }

    /// The connection.
    #[must_use]
    pub fn handle(&self) -> ConnectionHandle {
        ConnectionHandle::of(&self.shared)
    }

    /// Sends one frame of 1 to `limits::FRAME_BYTES_MAX` bytes. Returns when the transport has taken it all, which
    /// under flow control waits for the peer to read; that is not yet a sign that the peer has it.
    ///
    /// Dropping the future before it is done leaves the stream in order but the frame in doubt: it is sent whole,
    /// ahead of the next one, or not at all. Where a frame's fate matters, do not cancel.
    ///
    /// # Errors
    /// [`SendError`]. After `TooLarge` and `Empty` the connection is as it was, after the others this half is done.
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), SendError> {
        let limit = self.shared.settings.frame_bytes_max.min(limits::FRAME_BYTES_MAX);
        if frame.len() > limit {
            return Err(SendError::TooLarge { length: frame.len(), limit });
        }
        if frame.is_empty() {
            return Err(SendError::Empty);
        }
        self.flush().await?;
        let mut bytes = Vec::with_capacity(PREFIX_BYTES_MAX + frame.len());
        encode_prefix(frame.len(), &mut bytes);
        bytes.extend_from_slice(frame);
        let copied = self.copy_early(&bytes).await;
        self.outbox = Outbox { bytes, written: 0, copied };
        self.flush().await
    }

    /// Ends the stream after all frames and waits until the peer's transport has every byte. The peer's `recv` then
    /// gives `None`; its own frames still arrive.
    ///
    /// # Errors
    /// [`SendError::Finished`] if the peer stopped reading, [`SendError::Lost`] if the connection ended before all was
    /// acknowledged, other than by the peer's closing it as done.
    pub async fn finish(&mut self) -> Result<(), SendError> {
        loop {
            self.flush().await?;
            // An error here says that it was finished before, by a call that was cancelled.
            let _ = self.stream.finish();
            match self.stream.stopped().await {
                Ok(None) => return Ok(()),
                Ok(Some(_)) => return Err(SendError::Finished),
                Err(StoppedError::ZeroRttRejected) => self.take_replacement().await?,
                Err(StoppedError::ConnectionLost(error)) => {
                    let lost = self.shared.explain(error);
                    let done = lost == ConnectionLost::Closed(CloseReason::Done);
                    return if done { Ok(()) } else { Err(lost.into()) };
                }
            }
        }
    }

    /// Puts a copy into the early flight while there is one, waiting for the handshake when it is full.
    async fn copy_early(&mut self, bytes: &[u8]) -> bool {
        let Some(early) = &self.early else { return false };
        match early.flight.copy(bytes) {
            Room::Copied => true,
            Room::Settled => false,
            Room::Full => {
                self.shared.early_settled().await;
                false
            }
        }
    }

    async fn flush(&mut self) -> Result<(), SendError> {
        while self.outbox.written < self.outbox.bytes.len() {
            let rest = &self.outbox.bytes[self.outbox.written..];
            let Ok(written) = timeout(self.shared.settings.progress, self.stream.write(rest)).await else {
                self.shared.end(CloseReason::Stalled, ConnectionLost::Stalled);
                return Err(ConnectionLost::Stalled.into());
            };
            match written {
                Ok(count) => {
                    self.outbox.written += count;
                    self.shared.count_up(count);
                }
                Err(WriteError::ZeroRttRejected) => self.take_replacement().await?,
                Err(WriteError::ConnectionLost(error)) => return Err(self.shared.explain(error).into()),
                Err(WriteError::Stopped(_) | WriteError::ClosedStream) => return Err(SendError::Finished),
            }
        }
        // Gives the memory back: an idle connection holds no frame.
        self.outbox = Outbox::default();
        Ok(())
    }

    /// The stream on which the early frames go again. A frame that was copied is in it already.
    async fn take_replacement(&mut self) -> Result<(), SendError> {
        let Some(early) = &mut self.early else { return Err(self.shared.lost().into()) };
        let Ok(stream) = (&mut early.replacement).await else { return Err(self.shared.lost().into()) };
        self.stream = stream;
        self.early = None;
        if self.outbox.copied {
            self.outbox = Outbox::default();
        }
        self.outbox.written = 0;
        Ok(())
    }
}

/// The receiving half.
#[derive(Debug)]
pub struct FrameReceiver {
    shared: Arc<Shared>,
    stream: RecvStream,
    early: Option<EarlyReceiver>,
    decoder: FrameDecoder,
    /// A piece of the stream and how much of it the decoder has taken.
    piece: Option<(Chunk, usize)>,
}

impl FrameReceiver {
    pub(crate) fn new(shared: Arc<Shared>, stream: RecvStream, early: Option<EarlyReceiver>) -> Self {
        let decoder = FrameDecoder::new(shared.settings.frame_bytes_max);
        Self { shared, stream, early, decoder, piece: None }
    }

    /// The connection.
    #[must_use]
    pub fn handle(&self) -> ConnectionHandle {
        ConnectionHandle::of(&self.shared)
    }

    /// The next frame, or `None` when the peer has finished. Waits without limit between frames (idling is the
    /// connection's matter), and at most the progress time for each piece within one.
    ///
    /// Dropping the future loses nothing: a frame half received goes on at the next call.
    ///
    /// # Errors
    /// [`ReceiveError`]; there will be no further frame.
    pub async fn recv(&mut self) -> Result<Option<Vec<u8>>, ReceiveError> {
        loop {
            if let Some(frame) = self.decode()? {
                return Ok(Some(frame));
            }
            match self.read().await? {
                Some(chunk) => self.piece = Some((chunk, 0)),
                None if self.decoder.is_mid_frame() => {
                    return Err(self.blame(CloseReason::ProtocolViolation, ReceiveError::Cut));
                }
                None => return Ok(None),
            }
        }
    }

    /// What came of the frame that the end of the connection went through; nothing where it went between frames.
    pub fn take_beginning(&mut self) -> Vec<u8> {
        self.decoder.take_beginning()
    }

    fn decode(&mut self) -> Result<Option<Vec<u8>>, ReceiveError> {
        let Some((chunk, taken)) = &mut self.piece else { return Ok(None) };
        let mut rest = &chunk.bytes[*taken..];
        let before = rest.len();
        let decoded = self.decoder.push(&mut rest);
        *taken += before - rest.len();
        self.shared.count_down(before - rest.len());
        if rest.is_empty() {
            self.piece = None;
        }
        decoded.map_err(|error| {
            let reason = match error {
                FrameError::TooLarge { .. } => CloseReason::FrameTooLarge,
                FrameError::Empty | FrameError::NotShortest => CloseReason::ProtocolViolation,
            };
            self.blame(reason, error.into())
        })
    }

    async fn read(&mut self) -> Result<Option<Chunk>, ReceiveError> {
        loop {
            let read = self.stream.read_chunk(READ_BYTES_MAX, true);
            let read = if self.decoder.is_mid_frame() {
                let Ok(read) = timeout(self.shared.settings.progress, read).await else {
                    self.shared.end(CloseReason::Stalled, ConnectionLost::Stalled);
                    return Err(ConnectionLost::Stalled.into());
                };
                read
            } else {
                read.await
            };
            match read {
                Ok(chunk) => return Ok(chunk),
                Err(ReadError::ZeroRttRejected) => self.take_replacement().await?,
                Err(ReadError::ConnectionLost(error)) => return Err(self.shared.explain(error).into()),
                Err(ReadError::Reset(_)) => {
                    return Err(self.blame(CloseReason::ProtocolViolation, ReceiveError::Cut));
                }
                // The first: read past the end again. The second cannot be, all reads are ordered.
                Err(ReadError::ClosedStream | ReadError::IllegalOrderedRead) => return Ok(None),
            }
        }
    }

    async fn take_replacement(&mut self) -> Result<(), ReceiveError> {
        let Some(early) = &mut self.early else { return Err(self.shared.lost().into()) };
        let Ok(stream) = early.await else { return Err(self.shared.lost().into()) };
        self.stream = stream;
        self.early = None;
        Ok(())
    }

    fn blame(&self, reason: CloseReason, error: ReceiveError) -> ReceiveError {
        self.shared.end(reason, ConnectionLost::PeerMisbehaved);
        error
    }
}
