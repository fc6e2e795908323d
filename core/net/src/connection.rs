//! One connection to one known peer.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use alliance_wire::DeviceKey;
use quinn::{RecvStream, SendStream, ZeroRttAccepted};
use tokio::sync::watch;

use crate::early::{self, EarlyReceiver, EarlySender};
use crate::error::{CloseReason, ConnectionLost};
use crate::settings::Settings;
use crate::stream::{FrameReceiver, FrameSender, ReceiveError, SendError};

/// What became of frames sent before the handshake was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarlyData {
    /// There was no ticket: the connection began with a full handshake.
    NotOffered,
    /// Frames go early; the relay has not answered yet.
    Pending,
    /// The relay read them in its first round trip.
    Accepted,
    /// The relay could not take them (ticket used, expired or forgotten, clock set): they went again after the
    /// handshake.
    Rejected,
}

/// Bytes of a connection so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByteCounts {
    /// Frames written, with their length prefixes; on a direct connection the device proof as well. A frame that went
    /// twice (0-RTT not taken) counts twice.
    pub frames_sent: u64,
    /// Frames read, with their length prefixes; on a direct connection the device proof as well.
    pub frames_received: u64,
    /// UDP payload sent.
    pub udp_sent: u64,
    /// UDP payload received.
    pub udp_received: u64,
}

/// Whether a peer still answers: what it was asked, and what came from it, each only ever growing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pulse {
    /// Pieces sent that the peer's transport must acknowledge, those that were sent again included.
    pub asked: u64,
    /// Datagrams received.
    pub heard: u64,
}

/// An established connection: its peer is known by key. Dropping it, or all its parts, closes it.
#[derive(Debug)]
pub struct Connection {
    handle: ConnectionHandle,
    sender: FrameSender,
    receiver: FrameReceiver,
}

impl Connection {
    /// Parts that two tasks, or two arms of a `select!`, can use at once.
    #[must_use]
    pub fn split(self) -> (ConnectionHandle, FrameSender, FrameReceiver) {
        (self.handle, self.sender, self.receiver)
    }

    /// What counts, measures and closes.
    #[must_use]
    pub const fn handle(&self) -> &ConnectionHandle {
        &self.handle
    }

    /// The peer's key: the device's, or towards a relay the relay's.
    #[must_use]
    pub fn peer(&self) -> DeviceKey {
        self.handle.peer()
    }

    /// [`FrameSender::send`].
    ///
    /// # Errors
    /// As there.
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), SendError> {
        self.sender.send(frame).await
    }

    /// [`FrameReceiver::recv`].
    ///
    /// # Errors
    /// As there.
    pub async fn recv(&mut self) -> Result<Option<Vec<u8>>, ReceiveError> {
        self.receiver.recv().await
    }

    /// [`FrameSender::finish`].
    ///
    /// # Errors
    /// As there.
    pub async fn finish(&mut self) -> Result<(), SendError> {
        self.sender.finish().await
    }

    /// A connection whose handshake is over.
    pub(crate) fn settled(shared: Shared, send: SendStream, recv: RecvStream) -> Self {
        Self::from_parts(Arc::new(shared), (send, None), (recv, None))
    }

    /// A connection whose first frames go early; watches for the outcome in a task of its own.
    pub(crate) fn early(mut shared: Shared, (send, recv): (SendStream, RecvStream), accepted: ZeroRttAccepted) -> Self {
        let (outcome, early) = watch::channel(EarlyData::Pending);
        shared.early = early;
        let shared = Arc::new(shared);
        let (watcher, early_sender, early_receiver) = early::flight(outcome);
        tokio::spawn(watcher.run(Arc::clone(&shared), accepted));
        Self::from_parts(shared, (send, Some(early_sender)), (recv, Some(early_receiver)))
    }

    fn from_parts(
        shared: Arc<Shared>,
        (send, early_sender): (SendStream, Option<EarlySender>),
        (recv, early_receiver): (RecvStream, Option<EarlyReceiver>),
    ) -> Self {
        Self {
            sender: FrameSender::new(Arc::clone(&shared), send, early_sender),
            receiver: FrameReceiver::new(Arc::clone(&shared), recv, early_receiver),
            handle: ConnectionHandle(shared),
        }
    }
}

/// A connection seen from outside its streams. Clones see the same connection.
#[derive(Debug, Clone)]
pub struct ConnectionHandle(Arc<Shared>);

impl ConnectionHandle {
    pub(crate) fn of(shared: &Arc<Shared>) -> Self {
        Self(Arc::clone(shared))
    }

    /// The peer's key: the device's, or towards a relay the relay's.
    #[must_use]
    pub fn peer(&self) -> DeviceKey {
        self.0.peer
    }

    /// Where the peer's packets come from at the moment. A relay keeps it nowhere (docs/PROTOCOL.md section 5).
    #[must_use]
    pub fn remote_address(&self) -> SocketAddr {
        let address = self.0.quinn.remote_address();
        SocketAddr::new(address.ip().to_canonical(), address.port())
    }

    /// The present estimate of the round trip.
    #[must_use]
    pub fn rtt(&self) -> Duration {
        self.0.quinn.rtt()
    }

    /// Bytes so far.
    #[must_use]
    pub fn byte_counts(&self) -> ByteCounts {
        let stats = self.0.quinn.stats();
        ByteCounts {
            frames_sent: self.0.up.load(Ordering::Relaxed),
            frames_received: self.0.down.load(Ordering::Relaxed),
            udp_sent: stats.udp_tx.bytes,
            udp_received: stats.udp_rx.bytes,
        }
    }

    /// What was asked of the peer and what was heard from it so far: one that is asked again and again and says nothing
    /// is not reached any more.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        let stats = self.0.quinn.stats();
        let sent = stats.frame_tx;
        // Probes for what was lost are of the last two kinds, where nothing else has to go again.
        let asked = sent.crypto + sent.stream + sent.max_data + sent.max_stream_data + sent.ping + sent.immediate_ack;
        Pulse { asked, heard: stats.udp_rx.datagrams }
    }

    /// What became, or is becoming, of 0-RTT. At a relay: whether the device's first frame came that way.
    #[must_use]
    pub fn early_data(&self) -> EarlyData {
        *self.0.early.borrow()
    }

    /// Waits until 0-RTT is taken or not; at once if it was never offered.
    pub async fn early_data_settled(&self) -> EarlyData {
        self.0.early_settled().await
    }

    /// Closes the connection now. What was sent and not yet acknowledged may be lost: [`FrameSender::finish`] first
    /// where that matters.
    pub fn close(&self, reason: CloseReason) {
        self.0.end(reason, ConnectionLost::ClosedHere);
    }

    /// Waits until the connection is over and says why.
    pub async fn closed(&self) -> ConnectionLost {
        self.0.explain(self.0.quinn.closed().await)
    }

    /// Why the connection is over, if it is.
    #[must_use]
    pub fn close_reason(&self) -> Option<ConnectionLost> {
        self.0.quinn.close_reason().map(|error| self.0.explain(error))
    }
}

/// What the parts of a connection have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) quinn: quinn::Connection,
    pub(crate) settings: Settings,
    peer: DeviceKey,
    up: AtomicU64,
    down: AtomicU64,
    early: watch::Receiver<EarlyData>,
    /// Why this side ended the connection, where "closed here" would say too little.
    ended_here: OnceLock<ConnectionLost>,
}

impl Shared {
    pub(crate) fn new(quinn: quinn::Connection, peer: DeviceKey, settings: Settings, early: EarlyData) -> Self {
        let (up, down, ended_here) = (AtomicU64::new(0), AtomicU64::new(0), OnceLock::new());
        // A receiver keeps its last value when the sender is gone.
        let (_, early) = watch::channel(early);
        Self { quinn, settings, peer, up, down, early, ended_here }
    }

    pub(crate) fn count_up(&self, bytes: usize) {
        self.up.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_down(&self, bytes: usize) {
        self.down.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Closes with `reason` for the peer; whoever asks here is told `because`, unless it was over already.
    pub(crate) fn end(&self, reason: CloseReason, because: ConnectionLost) {
        if self.quinn.close_reason().is_none() {
            let _ = self.ended_here.set(because);
        }
        self.quinn.close(reason.var_int(), b"");
    }

    pub(crate) fn explain(&self, error: quinn::ConnectionError) -> ConnectionLost {
        match ConnectionLost::from(error) {
            ConnectionLost::ClosedHere => self.ended_here.get().copied().unwrap_or(ConnectionLost::ClosedHere),
            other @ (ConnectionLost::Closed(_)
            | ConnectionLost::Reset
            | ConnectionLost::TimedOut
            | ConnectionLost::Stalled
            | ConnectionLost::WrongKey
            | ConnectionLost::Incompatible
            | ConnectionLost::PeerMisbehaved
            | ConnectionLost::FoundAtFault) => other,
        }
    }

    /// Why the connection is lost, asked by a half that can go on no more.
    pub(crate) fn lost(&self) -> ConnectionLost {
        self.quinn.close_reason().map_or(ConnectionLost::ClosedHere, |error| self.explain(error))
    }

    pub(crate) async fn early_settled(&self) -> EarlyData {
        let mut early = self.early.clone();
        let settled = early.wait_for(|state| *state != EarlyData::Pending).await.map(|state| *state);
        // The sender is gone without a word only when the connection's halves are.
        settled.unwrap_or(EarlyData::Rejected)
    }
}
