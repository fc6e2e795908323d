//! A line to a relay over TLS on TCP, for networks that let no UDP through (docs/PROTOCOL.md section 3, TLS on TCP).
//!
//! The same keys, frames and limits as over QUIC. What QUIC's transport does there, a task of the line's own does here
//! ([`driver`]): it reads and writes the socket, keeps the times, and says at the end why the line is over.

mod dialer;
mod driver;
mod listener;
mod open;
mod steps;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alliance_wire::{DeviceKey, limits};
use tokio::sync::{mpsc, watch};

use crate::connection::ByteCounts;
use crate::error::{CloseReason, ConnectionLost};
use crate::frame::FrameError;
use crate::line::{Line, LineHandle, LineReceiver, LineSender};
use crate::settings::Settings;
use crate::stream::{ReceiveError, SendError};

pub use dialer::{TcpConnectError, TcpDialer};
pub use listener::{TcpIncoming, TcpRelayListener};

/// An established line over TLS on TCP: its peer is known by key. Dropping it, or all its parts, closes it.
#[derive(Debug)]
pub struct TcpConnection {
    handle: TcpHandle,
    sender: TcpSender,
    receiver: TcpReceiver,
}

/// The line seen from outside its halves. Clones see the same line.
#[derive(Debug, Clone)]
pub struct TcpHandle(Arc<Parts>);

/// The sending half.
#[derive(Debug)]
pub struct TcpSender {
    parts: Arc<Parts>,
    say: mpsc::Sender<Say>,
    /// The end is said, or about to be.
    finished: bool,
}

/// The receiving half.
#[derive(Debug)]
pub struct TcpReceiver {
    parts: Arc<Parts>,
    heard: mpsc::Receiver<Heard>,
    ended: bool,
}

/// What the sending half wants written.
#[derive(Debug)]
enum Say {
    Frame(Vec<u8>),
    End,
}

/// What was read.
#[derive(Debug)]
enum Heard {
    Frame(Vec<u8>),
    End,
    Malformed(FrameError),
}

/// What the parts have in common. When the last of them goes, the task hears it.
#[derive(Debug)]
struct Parts {
    state: Arc<State>,
    peer: DeviceKey,
    remote: SocketAddr,
    settings: Settings,
    closing: watch::Sender<Option<CloseReason>>,
}

/// What the task and the parts know of the line.
#[derive(Debug)]
struct State {
    up: AtomicU64,
    down: AtomicU64,
    /// The peer has everything up to the end that was said here.
    end_heard: watch::Sender<bool>,
    /// Why the line is over; the first word stands.
    lost: watch::Sender<Option<ConnectionLost>>,
    /// What came of the frame that the end of the line went through.
    beginning: Mutex<Vec<u8>>,
}

impl State {
    fn new() -> Self {
        let (up, down) = (AtomicU64::new(0), AtomicU64::new(0));
        let (end_heard, lost) = (watch::Sender::new(false), watch::Sender::new(None));
        Self { up, down, end_heard, lost, beginning: Mutex::default() }
    }

    fn end(&self, because: ConnectionLost) {
        self.lost.send_if_modified(|lost| {
            let news = lost.is_none();
            lost.get_or_insert(because);
            news
        });
    }

    fn keep_beginning(&self, beginning: Vec<u8>) {
        *self.beginning.lock().unwrap_or_else(PoisonError::into_inner) = beginning;
    }

    fn lost(&self) -> ConnectionLost {
        self.lost.borrow().unwrap_or(ConnectionLost::ClosedHere)
    }

    async fn wait_lost(&self) -> ConnectionLost {
        let mut lost = self.lost.subscribe();
        // The sender lives as long as this does.
        let found = lost.wait_for(Option::is_some).await.ok().and_then(|lost| *lost);
        found.unwrap_or(ConnectionLost::ClosedHere)
    }
}

impl Parts {
    fn close(&self, reason: CloseReason) {
        self.state.end(ConnectionLost::ClosedHere);
        self.closing.send_if_modified(|closing| {
            let news = closing.is_none();
            closing.get_or_insert(reason);
            news
        });
    }
}

impl TcpConnection {
    /// [`TcpSender::send`].
    ///
    /// # Errors
    /// As there.
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), SendError> {
        self.sender.send(frame).await
    }

    /// [`TcpReceiver::recv`].
    ///
    /// # Errors
    /// As there.
    pub async fn recv(&mut self) -> Result<Option<Vec<u8>>, ReceiveError> {
        self.receiver.recv().await
    }

    /// [`TcpSender::finish`].
    ///
    /// # Errors
    /// As there.
    pub async fn finish(&mut self) -> Result<(), SendError> {
        self.sender.finish().await
    }

    /// What counts and closes.
    #[must_use]
    pub const fn handle(&self) -> &TcpHandle {
        &self.handle
    }

    /// The peer's key: the device's, or towards a relay the relay's.
    #[must_use]
    pub fn peer(&self) -> DeviceKey {
        self.handle.0.peer
    }
}

impl TcpHandle {
    /// Where the peer is. A relay keeps it nowhere (docs/PROTOCOL.md section 5).
    #[must_use]
    pub fn remote_address(&self) -> SocketAddr {
        let address = self.0.remote;
        SocketAddr::new(address.ip().to_canonical(), address.port())
    }

    /// Bytes so far; those of UDP are none. Frames count with their marks and prefixes.
    #[must_use]
    pub fn byte_counts(&self) -> ByteCounts {
        let state = &self.0.state;
        ByteCounts {
            frames_sent: state.up.load(Ordering::Relaxed),
            frames_received: state.down.load(Ordering::Relaxed),
            ..ByteCounts::default()
        }
    }

    /// Closes the line now: what was given to [`TcpSender::send`] leaves if the peer takes it within a second, and the
    /// reason behind it.
    pub fn close(&self, reason: CloseReason) {
        self.0.close(reason);
    }

    /// Waits until the line is over and says why.
    pub async fn closed(&self) -> ConnectionLost {
        self.0.state.wait_lost().await
    }

    /// Why the line is over, if it is.
    #[must_use]
    pub fn close_reason(&self) -> Option<ConnectionLost> {
        *self.0.state.lost.borrow()
    }
}

impl TcpSender {
    /// Sends one frame of 1 to `limits::FRAME_BYTES_MAX` bytes. Returns when it is next in turn: one frame may still be
    /// before it. That is not yet a sign that the peer has it.
    ///
    /// Dropping the future before it is done sends the frame whole or not at all.
    ///
    /// # Errors
    /// [`SendError`]. After `TooLarge` and `Empty` the line is as it was, after the others this half is done.
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), SendError> {
        let limit = self.parts.settings.frame_bytes_max.min(limits::FRAME_BYTES_MAX);
        if frame.len() > limit {
            return Err(SendError::TooLarge { length: frame.len(), limit });
        }
        if frame.is_empty() {
            return Err(SendError::Empty);
        }
        if self.finished {
            return Err(SendError::Finished);
        }
        if let Some(lost) = *self.parts.state.lost.borrow() {
            return Err(lost.into());
        }
        self.say.send(Say::Frame(frame.to_vec())).await.map_err(|_| self.parts.state.lost().into())
    }

    /// Ends the stream after all frames and waits until the peer has read every byte. The peer's `recv` then gives `None`;
    /// its own frames still arrive.
    ///
    /// # Errors
    /// [`SendError::Lost`] if the line ended before the peer said so, other than by the peer's closing it as done.
    pub async fn finish(&mut self) -> Result<(), SendError> {
        // A call that was cancelled may have said it.
        if !self.finished {
            let said = self.say.reserve().await;
            self.finished = true;
            if let Ok(permit) = said {
                permit.send(Say::End);
            }
        }
        let mut end_heard = self.parts.state.end_heard.subscribe();
        tokio::select! {
            biased;
            Ok(_) = end_heard.wait_for(|heard| *heard) => Ok(()),
            lost = self.parts.state.wait_lost() => {
                let done = lost == ConnectionLost::Closed(CloseReason::Done);
                if done { Ok(()) } else { Err(lost.into()) }
            }
        }
    }
}

impl TcpReceiver {
    /// The next frame, or `None` when the peer has finished. Waits without limit between frames (idling is the line's
    /// matter), and at most the progress time for each piece within one.
    ///
    /// Dropping the future loses nothing: a frame half received goes on at the next call.
    ///
    /// # Errors
    /// [`ReceiveError`]; there will be no further frame. A line that ends inside a frame is lost, not cut by the peer:
    /// anybody on the way can end a TCP connection.
    pub async fn recv(&mut self) -> Result<Option<Vec<u8>>, ReceiveError> {
        if self.ended {
            return Ok(None);
        }
        match self.heard.recv().await {
            Some(Heard::Frame(frame)) => Ok(Some(frame)),
            Some(Heard::End) => {
                self.ended = true;
                Ok(None)
            }
            Some(Heard::Malformed(error)) => Err(error.into()),
            None => Err(self.parts.state.lost().into()),
        }
    }

    /// What came of the frame that the end of the line went through, once `recv` has said that it is over.
    pub fn take_beginning(&mut self) -> Vec<u8> {
        std::mem::take(&mut *self.parts.state.beginning.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Line for TcpConnection {
    type Sender = TcpSender;
    type Receiver = TcpReceiver;
    type Handle = TcpHandle;

    fn peer(&self) -> DeviceKey {
        Self::peer(self)
    }

    fn split(self) -> (TcpHandle, TcpSender, TcpReceiver) {
        (self.handle, self.sender, self.receiver)
    }
}

impl LineSender for TcpSender {
    async fn send(&mut self, frame: &[u8]) -> Result<(), SendError> {
        Self::send(self, frame).await
    }

    async fn finish(&mut self) -> Result<(), SendError> {
        Self::finish(self).await
    }
}

impl LineReceiver for TcpReceiver {
    async fn recv(&mut self) -> Result<Option<Vec<u8>>, ReceiveError> {
        Self::recv(self).await
    }

    fn take_beginning(&mut self) -> Vec<u8> {
        Self::take_beginning(self)
    }
}

impl LineHandle for TcpHandle {
    fn byte_counts(&self) -> ByteCounts {
        Self::byte_counts(self)
    }

    fn close(&self, reason: CloseReason) {
        Self::close(self, reason);
    }
}

/// The parts of a line whose handshake is over, and the task that serves it.
fn connected<IO>(stream: IO, peer: driver::Peer, first: &[u8], open: open::OpenLine) -> TcpConnection
where
    IO: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + 'static,
{
    let state = Arc::new(State::new());
    let (closing, asked) = watch::channel(None);
    // One frame each way: more would let a peer fill memory that nobody reads.
    let ((say, said), (hear, heard)) = (mpsc::channel(1), mpsc::channel(1));
    let driver::Peer { key, remote, settings, .. } = peer;
    let task = driver::Driver::new(stream, &peer, Arc::clone(&state), (asked, open), (said, hear));
    tokio::spawn(task.run(first.to_vec()));
    let parts = Arc::new(Parts { state, peer: key, remote, settings, closing });
    TcpConnection {
        handle: TcpHandle(Arc::clone(&parts)),
        sender: TcpSender { parts: Arc::clone(&parts), say, finished: false },
        receiver: TcpReceiver { parts, heard, ended: false },
    }
}

/// Where the other side is, which key it has, and what holds on the line.
fn peer(key: DeviceKey, remote: SocketAddr, settings: Settings, keep_alive: Option<Duration>) -> driver::Peer {
    driver::Peer { key, remote, settings, keep_alive }
}
