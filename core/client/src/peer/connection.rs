//! Where a conversation and its connection come together, and how they part.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use alliance_net::{EarlyData, Line, LineHandle, LineSender};
use alliance_store::ShareRule;
use alliance_sync::{Config, Role, Session};
use alliance_wire::DeviceKey;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Hear, Meeting, Stage, Talk, Until};
use crate::error::{Code, Error};
use crate::inner::{Inner, lock};
use crate::views::{LinkState, SyncReport, Transport};

/// How long the last frames of a connection may take to leave.
const GOODBYE: Duration = Duration::from_millis(500);

/// A conversation that can begin: with a relay its first frame is there before there is a connection, so that it can
/// leave with the first packet.
pub(crate) struct Opening<'a> {
    talk: Talk<'a>,
    until: Until,
    /// What the session wants sent, in order.
    queue: mpsc::UnboundedReceiver<Vec<u8>>,
    loads: u64,
}

impl<'a> Opening<'a> {
    /// A conversation with `peer` that has not begun.
    pub(crate) async fn new(
        inner: &'a Arc<Inner>,
        peer: DeviceKey,
        meeting: Meeting,
        until: Until,
    ) -> Result<Self, Error> {
        let started = Instant::now();
        let expected = if meeting.words.is_some() { Vec::new() } else { inner.expected().await? };
        let rule = if meeting.relay { ShareRule::Relay { expected } } else { ShareRule::Device { expected } };
        let role = Role::Device { towards_relay: meeting.relay };
        let asks_first = lock(&inner.broke).contains(&peer);
        let (own, takes_all) = (meeting.words.unwrap_or(inner.me), meeting.words.is_some());
        let config = Config { role, own, peer, dials: meeting.dials, asks_first, takes_all, rules: inner.rules };
        // Bounded by the session: it reads the next page of its store only when the last one has left.
        let (frames, queue) = mpsc::unbounded_channel::<Vec<u8>>();
        let loads = inner.work.lock().await.loads;
        let talk = Talk {
            inner,
            peer,
            rule,
            live: matches!(until, Until::Stopped(_)),
            session: Session::new(config, 0),
            started,
            begun: false,
            frames,
            said: 0,
            // Before the store is first asked what is shared, so that no later change is missed.
            changes: inner.spaces.changes(),
            notices: inner.notices.subscribe(),
            report: SyncReport { peer: meeting.name.clone(), ..SyncReport::default() },
            stage: Stage::Exchanging,
            dirty: lock(&inner.untaken).clone(),
            asked_mail: started,
            told_receipts: started,
            sent_last: false,
            end: None,
            mail: VecDeque::new(),
            handing: VecDeque::new(),
            meeting,
        };
        Ok(Self { talk, until, queue, loads })
    }

    /// Says what carries it.
    pub(crate) fn over(&mut self, transport: Transport) {
        self.talk.report.transport = Some(transport);
    }

    /// Puts another end in place of the one that it was made with, of the same kind.
    pub(crate) fn until(&mut self, until: Until) {
        self.until = until;
    }

    /// The Hello with which a dialler begins.
    pub(crate) async fn hello(&mut self, hear: Hear<'_>) -> Result<Vec<u8>, Error> {
        self.talk.begin(hear).await?;
        self.queue.try_recv().map_err(|_| Error::new(Code::Internal).with("what", "a session without a Hello"))
    }

    /// Runs the session over a connection; `hello_said` if the Hello went with its first packet.
    pub(crate) async fn converse(self, line: impl Line, hello_said: bool, hear: Hear<'_>) -> Result<SyncReport, Error> {
        let Self { mut talk, until, queue, loads } = self;
        let (handle, sender, receiver) = line.split();
        let (flushed, written) = writer(sender, queue, hello_said);
        let result = talk.run(receiver, flushed, until, hear).await;
        let finished = talk.finish().await;
        if result.is_ok() && talk.session.is_idle() {
            lock(&talk.inner.broke).remove(&talk.peer);
        } else {
            lock(&talk.inner.broke).insert(talk.peer);
        }
        talk.link(match &result {
            Ok(()) => LinkState::Ended,
            Err(error) => LinkState::Failed { code: error.code() },
        });
        let idle = result.is_ok() && talk.said == 1 && talk.meeting.dials && talk.meeting.relay;
        drop(talk.frames);
        let mut report = talk.report;
        let counts = handle.byte_counts();
        report.early = handle.early_data() == EarlyData::Accepted;
        report.bytes_up = counts.frames_sent;
        report.bytes_down = counts.frames_received;
        report.udp_up = counts.udp_sent;
        report.udp_down = counts.udp_received;
        report.millis = u64::try_from(talk.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        report.clock_suspect = talk.inner.is_clock_suspect();
        report.documents_loaded = talk.inner.work.lock().await.loads - loads;
        if idle {
            // The one frame that was said has been answered. The connection stays a round trip longer for the tickets
            // that the relay hands out at its end; nobody need wait for them.
            tokio::spawn(async move { close(&handle, written, &Ok(())).await });
        } else {
            close(&handle, written, &result).await;
        }
        result?;
        finished?;
        Ok(report)
    }
}

/// Lets what was sent arrive, where there was no error, and ends the connection.
async fn close(handle: &impl LineHandle, written: JoinHandle<()>, result: &Result<(), Error>) {
    let reason = match result {
        Ok(()) => {
            // The last acknowledgements are still on their way; a peer that takes nothing any more is not waited for.
            let _ = tokio::time::timeout(GOODBYE, written).await;
            alliance_net::CloseReason::Done
        }
        Err(error) if error.code() == Code::PeerMisbehaved.code() => alliance_net::CloseReason::ProtocolViolation,
        Err(error) if error.code() == Code::Incompatible.code() => alliance_net::CloseReason::Incompatible,
        Err(_) => alliance_net::CloseReason::Shutdown,
    };
    handle.close(reason);
}

/// What says that all has left, and the task that writes.
type Writer = (mpsc::UnboundedReceiver<()>, JoinHandle<()>);

/// Writes frames in their order, away from the loop: two sides that both write before they read would stand still.
/// Says when all has left; `begun` if something has already.
fn writer(mut sender: impl LineSender, mut queue: mpsc::UnboundedReceiver<Vec<u8>>, begun: bool) -> Writer {
    let (left, flushed) = mpsc::unbounded_channel();
    let task = tokio::spawn(async move {
        if begun && queue.is_empty() {
            // As below.
            let _ = left.send(());
        }
        while let Some(frame) = queue.recv().await {
            if sender.send(&frame).await.is_err() {
                return;
            }
            if queue.is_empty() {
                // Nobody listens any more when the conversation is over and the last frames leave.
                let _ = left.send(());
            }
        }
        // A connection that is gone already needs no goodbye.
        let _ = sender.finish().await;
    });
    (flushed, task)
}
