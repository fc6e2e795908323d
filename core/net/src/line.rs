//! What a connection is to whoever runs a session over it, whatever carries its frames.
//!
//! Programs use [`Connection`], which is QUIC. A simulation brings a line of its own, on which it decides what arrives
//! and when.

use core::future::Future;

use alliance_wire::DeviceKey;

use crate::connection::{ByteCounts, Connection, ConnectionHandle, EarlyData};
use crate::error::CloseReason;
use crate::stream::{FrameReceiver, FrameSender, ReceiveError, SendError};

/// An established line to one peer that is known by key.
pub trait Line: Send + 'static {
    /// Its sending half.
    type Sender: LineSender;
    /// Its receiving half.
    type Receiver: LineReceiver;
    /// What counts and closes.
    type Handle: LineHandle;

    /// The peer's key.
    fn peer(&self) -> DeviceKey;

    /// Parts that two tasks, or two arms of a `select!`, can use at once.
    fn split(self) -> (Self::Handle, Self::Sender, Self::Receiver);
}

/// The sending half of a line.
pub trait LineSender: Send + 'static {
    /// [`FrameSender::send`].
    ///
    /// # Errors
    /// As there.
    fn send(&mut self, frame: &[u8]) -> impl Future<Output = Result<(), SendError>> + Send;

    /// [`FrameSender::finish`].
    ///
    /// # Errors
    /// As there.
    fn finish(&mut self) -> impl Future<Output = Result<(), SendError>> + Send;
}

/// The receiving half of a line.
pub trait LineReceiver: Send + 'static {
    /// [`FrameReceiver::recv`]: dropping the future loses nothing.
    ///
    /// # Errors
    /// As there.
    fn recv(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>, ReceiveError>> + Send;

    /// [`FrameReceiver::take_beginning`].
    fn take_beginning(&mut self) -> Vec<u8>;
}

/// A line seen from outside its halves.
pub trait LineHandle: Send + Sync + 'static {
    /// Bytes so far.
    fn byte_counts(&self) -> ByteCounts;

    /// What became of a first frame that went ahead of the handshake.
    fn early_data(&self) -> EarlyData {
        EarlyData::NotOffered
    }

    /// Ends the line now.
    fn close(&self, reason: CloseReason);
}

impl Line for Connection {
    type Sender = FrameSender;
    type Receiver = FrameReceiver;
    type Handle = ConnectionHandle;

    fn peer(&self) -> DeviceKey {
        Self::peer(self)
    }

    fn split(self) -> (ConnectionHandle, FrameSender, FrameReceiver) {
        Self::split(self)
    }
}

impl LineSender for FrameSender {
    async fn send(&mut self, frame: &[u8]) -> Result<(), SendError> {
        Self::send(self, frame).await
    }

    async fn finish(&mut self) -> Result<(), SendError> {
        Self::finish(self).await
    }
}

impl LineReceiver for FrameReceiver {
    async fn recv(&mut self) -> Result<Option<Vec<u8>>, ReceiveError> {
        Self::recv(self).await
    }

    fn take_beginning(&mut self) -> Vec<u8> {
        Self::take_beginning(self)
    }
}

impl LineHandle for ConnectionHandle {
    fn byte_counts(&self) -> ByteCounts {
        Self::byte_counts(self)
    }

    fn early_data(&self) -> EarlyData {
        Self::early_data(self)
    }

    fn close(&self, reason: CloseReason) {
        Self::close(self, reason);
    }
}
