//! What the task of a line waits for, each as a step that may be dropped half way without losing anything.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::mpsc;

use super::{Heard, Say};
use crate::error::{CloseReason, ConnectionLost};
use crate::frame::FrameError;
use crate::marks::MarkError;

/// Bytes taken from the socket at once, and held by a line that idles: a relay has thousands of them.
pub(super) const READ_BYTES: usize = 8 * 1_024;

/// How far the writing got.
pub(super) enum Pushed {
    Written(usize),
    Flushed,
}

/// Writes some of what is to be written; when nothing is left, sees that it leaves.
pub(super) async fn push<IO: AsyncWrite>(write: &mut WriteHalf<IO>, rest: &[u8]) -> io::Result<Pushed> {
    if rest.is_empty() {
        write.flush().await.map(|()| Pushed::Flushed)
    } else {
        match write.write(rest).await? {
            0 => Err(io::ErrorKind::WriteZero.into()),
            count => Ok(Pushed::Written(count)),
        }
    }
}

/// Reads some into a buffer of which nothing is needed any more.
pub(super) async fn read_some<IO: AsyncRead>(read: &mut ReadHalf<IO>, input: &mut Vec<u8>) -> io::Result<usize> {
    input.clear();
    input.reserve_exact(READ_BYTES);
    read.read_buf(input).await
}

/// The next thing to write; never, once the half is gone.
pub(super) async fn hear_say(said: &mut Option<mpsc::Receiver<Say>>) -> Option<Say> {
    match said {
        Some(said) => said.recv().await,
        None => core::future::pending().await,
    }
}

/// Ready when there is room for a frame, or nobody who would read it.
pub(super) async fn room(hear: Option<&mpsc::Sender<Heard>>) {
    if let Some(hear) = hear {
        // An error says that the receiving half is gone.
        let _ = hear.reserve().await;
    }
}

/// What the peer is told about bytes that are none of the protocol's.
pub(super) const fn blame(error: MarkError) -> CloseReason {
    match error {
        MarkError::Frame(FrameError::TooLarge { .. }) => CloseReason::FrameTooLarge,
        MarkError::Frame(FrameError::Empty | FrameError::NotShortest)
        | MarkError::Unknown
        | MarkError::BehindEnd
        | MarkError::BehindClose => CloseReason::ProtocolViolation,
    }
}

/// Why a socket says no more. An end without a last word says nothing about the peer: anybody on the way can end a TCP
/// connection, or spoil a record.
pub(super) fn explain(error: &io::Error) -> ConnectionLost {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::AlertReceived(_)) => ConnectionLost::FoundAtFault,
        _ if error.kind() == io::ErrorKind::TimedOut => ConnectionLost::TimedOut,
        _ => ConnectionLost::Reset,
    }
}
