//! Frames that leave before the relay has answered (0-RTT), and their second journey if the relay could not take them.
//!
//! While the handshake is open the sender keeps a copy of each frame in the [`Flight`]. A task waits for the outcome:
//! taken, the copy is dropped; not taken, the task opens a new stream on the same connection, writes the copy into it
//! and hands the new halves to sender and receiver, which meet `ZeroRttRejected` on the old ones. One party alone
//! writes the copy, so a caller that cancels `send` or `recv` in between cannot cut a frame.

use std::sync::{Arc, Mutex, PoisonError};

use quinn::{RecvStream, SendStream, ZeroRttAccepted};
use tokio::sync::{oneshot, watch};

use crate::connection::{EarlyData, Shared};
use crate::error::{CloseReason, ConnectionLost};
use crate::settings::EARLY_BYTES_MAX;

/// Copy of what was sent early; `None` inside once the outcome is known.
#[derive(Debug)]
pub(crate) struct Flight(Mutex<Option<Vec<u8>>>);

/// The sender's part.
#[derive(Debug)]
pub(crate) struct EarlySender {
    pub(crate) flight: Arc<Flight>,
    pub(crate) replacement: oneshot::Receiver<SendStream>,
}

/// The receiver's part.
pub(crate) type EarlyReceiver = oneshot::Receiver<RecvStream>;

/// Whether the early flight takes one more frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// Copied: if the outcome is "not taken", the frame goes again without the sender's doing.
    Copied,
    /// The copy is full; wait for the outcome.
    Full,
    /// The outcome is known; nothing is copied any more.
    Settled,
}

impl Flight {
    pub(crate) fn copy(&self, bytes: &[u8]) -> Room {
        let mut copy = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match copy.as_mut() {
            None => Room::Settled,
            Some(copy) if copy.len() + bytes.len() > EARLY_BYTES_MAX => Room::Full,
            Some(copy) => {
                copy.extend_from_slice(bytes);
                Room::Copied
            }
        }
    }

    fn settle(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }
}

/// What the watching task will announce.
#[derive(Debug)]
pub(crate) struct Watcher {
    flight: Arc<Flight>,
    send: oneshot::Sender<SendStream>,
    recv: oneshot::Sender<RecvStream>,
    outcome: watch::Sender<EarlyData>,
}

/// The three ends of an early flight.
pub(crate) fn flight(outcome: watch::Sender<EarlyData>) -> (Watcher, EarlySender, EarlyReceiver) {
    let flight = Arc::new(Flight(Mutex::new(Some(Vec::new()))));
    let (send, replacement) = oneshot::channel();
    let (recv, early_receiver) = oneshot::channel();
    (Watcher { flight: Arc::clone(&flight), send, recv, outcome }, EarlySender { flight, replacement }, early_receiver)
}

impl Watcher {
    /// Waits for the outcome and acts on it. Ends at once when both halves of the connection were dropped.
    pub(crate) async fn run(mut self, shared: Arc<Shared>, accepted: ZeroRttAccepted) {
        let outcome = tokio::select! {
            biased;
            accepted = accepted => Some(accepted),
            () = async { self.send.closed().await; self.recv.closed().await } => return,
            () = tokio::time::sleep(shared.settings.handshake) => None,
        };
        match outcome {
            Some(true) => {
                self.flight.settle();
                self.outcome.send_replace(EarlyData::Accepted);
            }
            Some(false) => self.send_again(&shared).await,
            None => {
                shared.end(CloseReason::Stalled, ConnectionLost::TimedOut);
                self.flight.settle();
                self.outcome.send_replace(EarlyData::Rejected);
            }
        }
    }

    /// On a connection that is lost there is no new stream: the halves find the reason themselves.
    async fn send_again(self, shared: &Shared) {
        let Ok((mut send, recv)) = shared.quinn.open_bi().await else {
            self.outcome.send_replace(EarlyData::Rejected);
            return;
        };
        // From here on the sender copies nothing more: what it copied before is written below, in order.
        let copy = self.flight.settle();
        self.outcome.send_replace(EarlyData::Rejected);
        if send.write_all(&copy).await.is_ok() {
            shared.count_up(copy.len());
            // A half that is gone needs no stream.
            let _ = self.send.send(send);
            let _ = self.recv.send(recv);
        }
    }
}
