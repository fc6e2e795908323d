//! How many lines one end has open, so that it can tell them all to close and wait until they have.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::error::CloseReason;

/// How long closing waits: a peer that takes nothing would otherwise hold a program's end.
const CLOSE_MAX: Duration = Duration::from_millis(500);

/// The open lines of one dialer or listener. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct OpenLines(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    count: watch::Sender<usize>,
    closing: watch::Sender<Option<CloseReason>>,
}

/// One of them; it is open until this is dropped.
#[derive(Debug)]
pub(super) struct OpenLine {
    lines: OpenLines,
    closing: watch::Receiver<Option<CloseReason>>,
}

impl OpenLines {
    pub(super) fn new() -> Self {
        Self(Arc::new(Shared { count: watch::Sender::new(0), closing: watch::Sender::new(None) }))
    }

    pub(super) fn add(&self) -> OpenLine {
        self.0.count.send_modify(|count| *count += 1);
        OpenLine { lines: self.clone(), closing: self.0.closing.subscribe() }
    }

    pub(super) fn count(&self) -> usize {
        *self.0.count.borrow()
    }

    /// Whether [`OpenLines::close`] was called.
    pub(super) fn is_closed(&self) -> bool {
        self.0.closing.borrow().is_some()
    }

    /// Tells every line to close, and waits until all have, as long as [`CLOSE_MAX`].
    pub(super) async fn close(&self, reason: CloseReason) {
        self.0.closing.send_replace(Some(reason));
        let mut count = self.0.count.subscribe();
        // A peer that has not heard it by then finds out by idling.
        let _ = timeout(CLOSE_MAX, count.wait_for(|count| *count == 0)).await;
    }
}

impl OpenLine {
    /// Ready when all lines of this end are to close.
    pub(super) async fn told_to_close(&mut self) -> CloseReason {
        match self.closing.wait_for(Option::is_some).await.map(|reason| *reason) {
            Ok(Some(reason)) => reason,
            // Whoever could say so is kept alive by this.
            Ok(None) | Err(_) => core::future::pending().await,
        }
    }
}

impl Drop for OpenLine {
    fn drop(&mut self) {
        self.lines.0.count.send_modify(|count| *count -= 1);
    }
}
