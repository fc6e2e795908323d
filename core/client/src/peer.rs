//! One connection: performs what the session machine asks for, and takes in what comes.

mod connection;
mod hints;
mod stages;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use alliance_net::{LineReceiver, ReceiveError};
use alliance_store::ShareRule;
use alliance_store::device::{Contact, DeviceOp, Direction};
use alliance_sync::contract::CloseReason as SessionEnd;
use alliance_sync::{Effect, Event, Input, Outcome, Query, Reply, Session, Tail, Ticket};
use alliance_wire::{DeviceKey, Frame, SpaceId};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::Instant;

use crate::convert::broken;
use crate::courier::ToHand;
use crate::error::{Code, Error};
use crate::inner::Inner;
use crate::views::{Change, LinkState, Progress, SyncReport};

pub(crate) use connection::Opening;

/// How often a live connection looks for drafts that nobody touches any more.
const IDLE_LOOK: Duration = Duration::from_secs(5);
/// How often a live connection asks the mailboxes of open invitations.
const MAIL_EVERY: Duration = Duration::from_secs(60);
/// How often a live connection signs receipts (PROTOCOL section 3: at most once an hour).
const RECEIPTS_EVERY: Duration = Duration::from_secs(3_600);
/// How long a stopped connection waits for what is on its way.
const ENDING_WAIT: Duration = Duration::from_secs(2);
/// How long a direct sync waits for the other side's receipt, once everything is exchanged.
const RECEIPT_WAIT: Duration = Duration::from_secs(3);

/// How a connection ends whose other side has what it came for.
const DONE: alliance_net::ConnectionLost = alliance_net::ConnectionLost::Closed(alliance_net::CloseReason::Done);

/// How a connection came to be.
#[derive(Debug, Clone)]
pub(crate) struct Meeting {
    /// This side dialled.
    pub(crate) dials: bool,
    /// The peer is a relay.
    pub(crate) relay: bool,
    /// With whom, for people.
    pub(crate) name: String,
    /// This side comes as these recovery words, not as the device that it is.
    pub(crate) words: Option<DeviceKey>,
}

/// When a conversation is over.
#[derive(Debug, Clone)]
pub enum Until {
    /// Both have everything, and have said so to each other.
    Settled,
    /// The same, or somebody says before that there is no more time: what is on its way may arrive, and what is here is
    /// kept.
    SettledOr(watch::Receiver<bool>),
    /// Somebody says so, or the connection ends.
    Stopped(watch::Receiver<bool>),
}

impl Until {
    /// Who may say stop.
    pub(crate) fn stop(&self) -> Option<watch::Receiver<bool>> {
        match self {
            Self::Settled => None,
            Self::SettledOr(stop) | Self::Stopped(stop) => Some(stop.clone()),
        }
    }
}

/// Hears of a running sync.
pub(crate) type Hear<'a> = &'a mut (dyn FnMut(Progress) + Send);

/// How far a sync that ends by itself has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Exchanging,
    /// Mailboxes: so many answers are due.
    Mail {
        due: usize,
        /// No longer than that: a relay that does not answer must not hold anybody.
        until: Instant,
    },
    /// Our receipts are on their way.
    Receipts,
    /// Waiting for the peer's, no longer than that.
    TheirReceipt(Instant),
    /// Somebody said stop: what is on its way may arrive, no longer than that.
    Ending(Instant),
    Done,
}

struct Talk<'a> {
    inner: &'a Arc<Inner>,
    peer: DeviceKey,
    rule: ShareRule,
    meeting: Meeting,
    live: bool,
    session: Session,
    started: Instant,
    /// The session was told to start.
    begun: bool,
    frames: mpsc::UnboundedSender<Vec<u8>>,
    /// How many frames went into it.
    said: u64,
    changes: broadcast::Receiver<Tail>,
    notices: broadcast::Receiver<(SpaceId, Vec<u8>)>,
    report: SyncReport,
    stage: Stage,
    /// Spaces of which something new is in the log and not in documents.
    dirty: BTreeSet<SpaceId>,
    asked_mail: Instant,
    told_receipts: Instant,
    sent_last: bool,
    end: Option<SessionEnd>,
    mail: VecDeque<Frame>,
    /// What other profiles of this device left for the peer; the first is on its way.
    handing: VecDeque<ToHand>,
}

impl Talk<'_> {
    async fn run(
        &mut self,
        mut receiver: impl LineReceiver,
        mut flushed: mpsc::UnboundedReceiver<()>,
        until: Until,
        hear: Hear<'_>,
    ) -> Result<(), Error> {
        let mut stop = until.stop();
        let mut idle = tokio::time::interval(IDLE_LOOK);
        self.begin(hear).await?;
        loop {
            self.advance(hear).await?;
            if let Some(end) = self.end {
                return Err(session_error(end));
            }
            if self.stage == Stage::Done {
                if !self.session.is_idle() {
                    // There was no more time for what is on its way.
                    self.keep_beginning(&receiver.take_beginning(), hear).await?;
                }
                return Ok(());
            }
            let deadline = self.deadline();
            // What comes first is heard first; a peer that sends without a pause holds up nothing else.
            tokio::select! {
                biased;
                () = stopped(&mut stop) => {
                    stop = None;
                    self.begin_ending(hear).await?;
                }
                Some(()) = flushed.recv() => self.feed(Input::Flushed, hear).await?,
                tail = self.changes.recv() => self.on_change(tail, hear).await?,
                notice = self.notices.recv() => {
                    if let Ok((space, sealed)) = notice {
                        self.feed(Input::Watch(space, sealed), hear).await?;
                    }
                }
                () = tokio::time::sleep_until(deadline) => self.feed(Input::Tick, hear).await?,
                _ = idle.tick(), if self.live => self.look_around(hear).await?,
                frame = receiver.recv(), if self.session.wants_frames() => match frame {
                    Ok(Some(bytes)) => self.on_bytes(&bytes, hear).await?,
                    Ok(None) if self.live || self.session.is_settled() || self.session.is_apart() => return Ok(()),
                    Ok(None) => return Err(Error::new(Code::Disconnected)),
                    // As at the end of the stream, which the end of the connection may overtake: the peer has what it
                    // came for.
                    Err(ReceiveError::Lost(DONE)) if self.live => return Ok(()),
                    Err(ReceiveError::Lost(lost)) if self.live && self.session.is_idle() => {
                        tracing::debug!(%lost, "a live connection ended");
                        return Err(broken(lost));
                    }
                    Err(ReceiveError::Malformed(_)) => return Err(Error::new(Code::PeerMisbehaved)),
                    Err(cut @ (ReceiveError::Lost(_) | ReceiveError::Cut)) => {
                        return self.cut(cut, &receiver.take_beginning(), hear).await;
                    }
                },
            }
        }
    }

    /// Starts the session, once.
    async fn begin(&mut self, hear: Hear<'_>) -> Result<(), Error> {
        if !std::mem::replace(&mut self.begun, true) {
            self.feed(Input::Start, hear).await?;
        }
        Ok(())
    }

    /// The connection ended: in order once everything was exchanged, else `beginning` is what came of a frame.
    async fn cut(&mut self, cut: ReceiveError, beginning: &[u8], hear: Hear<'_>) -> Result<(), Error> {
        let exchanged = self.session.is_settled() || self.session.is_apart();
        if exchanged && matches!(cut, ReceiveError::Lost(DONE)) {
            return Ok(());
        }
        self.keep_beginning(beginning, hear).await?;
        Err(if let ReceiveError::Lost(lost) = cut { broken(lost) } else { Error::new(Code::Disconnected) })
    }

    /// Of a frame that will not come whole, what came whole counts (R8).
    async fn keep_beginning(&mut self, beginning: &[u8], hear: Hear<'_>) -> Result<(), Error> {
        match Frame::beginning(beginning) {
            Some(frame) => self.feed(Input::Frame(frame), hear).await,
            None => Ok(()),
        }
    }

    fn deadline(&self) -> Instant {
        let session = self.session.next_deadline().map(|millis| self.started + Duration::from_millis(millis));
        let receipt = match self.stage {
            Stage::Ending(until) => Some(until),
            // While something is under way the end of these waits changes nothing.
            Stage::TheirReceipt(until) if self.session.is_idle() => Some(until),
            Stage::Mail { until, .. } if !self.live && self.session.is_idle() => Some(until),
            Stage::Exchanging | Stage::TheirReceipt(_) | Stage::Mail { .. } | Stage::Receipts | Stage::Done => None,
        };
        let far = Instant::now() + Duration::from_secs(3_600);
        [session, receipt].into_iter().flatten().min().unwrap_or(far)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    async fn on_bytes(&mut self, bytes: &[u8], hear: Hear<'_>) -> Result<(), Error> {
        if std::mem::take(&mut self.sent_last) {
            self.report.round_trips += 1;
        }
        let frame = Frame::decode(bytes).map_err(|error| Error::new(Code::PeerMisbehaved).with("why", error))?;
        self.feed(Input::Frame(frame), hear).await
    }

    /// Tells the session of a space that changed, if the peer may know of it.
    async fn on_change(
        &mut self,
        tail: Result<Tail, broadcast::error::RecvError>,
        hear: Hear<'_>,
    ) -> Result<(), Error> {
        let tails = match tail {
            Ok(tail) => vec![tail],
            Err(broadcast::error::RecvError::Lagged(_)) => {
                let shared = self.inner.spaces.shared(self.inner.me, self.peer, &self.rule).await?;
                shared.spaces.into_iter().map(|space| space.tail).collect()
            }
            Err(broadcast::error::RecvError::Closed) => return Ok(()),
        };
        for tail in tails {
            if self.shares(tail.space).await? {
                self.feed(Input::Changed(tail), hear).await?;
            }
        }
        Ok(())
    }

    async fn shares(&self, space: SpaceId) -> Result<bool, Error> {
        let Some(membership) = self.inner.spaces.membership(space).await? else { return Ok(false) };
        let state = membership.state();
        Ok(if self.meeting.relay {
            state.relays.iter().any(|pin| pin.relay == self.peer)
        } else {
            // Who was put out is told so.
            membership.was_listed(self.peer)
        })
    }

    /// Feeds the session and performs what it asks for, in order, until it asks for nothing more.
    async fn feed(&mut self, input: Input, hear: Hear<'_>) -> Result<(), Error> {
        let mut inputs = VecDeque::from([input]);
        let mut effects = Vec::new();
        while let Some(input) = inputs.pop_front() {
            self.session.handle(self.now(), input, &mut effects);
            for effect in effects.drain(..) {
                match effect {
                    Effect::Send(frame) => self.send(&frame),
                    Effect::Ask(ticket, query) => {
                        let reply = self.answer(ticket, query).await?;
                        inputs.push_back(reply);
                    }
                    Effect::Notify(event) => self.notify(event, hear).await?,
                    Effect::Close(reason) => self.end = Some(reason),
                }
            }
        }
        Ok(())
    }

    fn send(&mut self, frame: &Frame) {
        self.sent_last = true;
        self.said += 1;
        // If the writer is gone, the connection is: reading will say so.
        let _ = self.frames.send(frame.encode());
    }

    async fn answer(&mut self, ticket: Ticket, query: Query) -> Result<Input, Error> {
        let ours: Vec<bool> = if let Query::Persist(batch) = &query {
            batch.items.iter().map(|item| self.inner.is_own_writing(item)).collect()
        } else {
            Vec::new()
        };
        let reply = self.inner.spaces.answer(self.peer, query, &self.rule).await;
        if let Reply::Persisted(done) = &reply {
            let news = |(ours, outcome): (&bool, &Outcome)| {
                *ours && matches!(outcome, Outcome::Stored(_) | Outcome::Forked(..))
            };
            if ours.iter().zip(&done.outcomes).any(news) {
                self.inner.was_copied();
            }
        }
        Ok(Input::Reply(ticket, reply))
    }

    /// Tells how far the connection is.
    fn link(&self, state: LinkState) {
        self.inner.link(self.peer, &self.meeting.name, state);
    }

    async fn notify(&mut self, event: Event, hear: Hear<'_>) -> Result<(), Error> {
        match event {
            Event::Met(_) => {
                let at = self.inner.around.now_millis();
                let direction = if self.meeting.dials { Direction::Outgoing } else { Direction::Incoming };
                let contact = Contact { device: self.peer, name: String::new(), at, direction };
                let mut ops = vec![DeviceOp::PutContact(contact)];
                if let Some(transport) = self.report.transport {
                    ops.extend(self.inner.note_transport(self.peer, transport).await?);
                }
                self.inner.device.apply(ops).await?;
                self.link(LinkState::Connected);
                hear(Progress::Connected { peer: self.meeting.name.clone() });
            }
            Event::Stored { space, items } => {
                self.dirty.insert(space);
                self.report.received += items as u64;
                hear(Progress::Received { space, items: self.report.received });
            }
            Event::Acknowledged { space, arrival } => {
                self.report.acknowledged += 1;
                self.inner.live_acked(space, arrival);
                self.inner.tell(Change::Status);
                hear(Progress::Acknowledged { space });
                self.inner.seal_watched(space).await?;
            }
            Event::Settled => {
                self.report.settled = true;
                self.link(LinkState::Settled);
                hear(Progress::Settled);
            }
            Event::Refused { space, reason, ours, .. } => {
                self.report.refused.push(reason.code().to_owned());
                hear(Progress::Refused { space, code: reason.code() });
                if ours && self.meeting.relay {
                    self.inner.relay_refused(self.peer, space, reason).await?;
                }
            }
            Event::Fork { space, .. } => {
                self.report.forks += 1;
                self.dirty.insert(space);
                hear(Progress::Fork { space });
            }
            Event::Diverged(space) => {
                tracing::error!(space = %space.short(), "two replicas differ after a repair");
                self.report.diverged += 1;
            }
            Event::Lost(space) => {
                tracing::warn!(space = %space.short(), peer = %self.peer.short(), "the peer lost what it had acknowledged");
                self.report.lost += 1;
                hear(Progress::Lost { space });
            }
            Event::Watching(space, sealed) => self.inner.heard_watching(space, &sealed).await?,
            Event::Mail(frame) => self.mail.push_back(frame),
        }
        Ok(())
    }
}

fn session_error(end: SessionEnd) -> Error {
    match end {
        SessionEnd::Version => Error::new(Code::Incompatible),
        SessionEnd::Misbehaved(what) => Error::new(Code::PeerMisbehaved).with("what", what),
        SessionEnd::Silent => Error::new(Code::Disconnected).with("why", end),
        SessionEnd::Store => Error::new(Code::StoreIo),
        SessionEnd::Stash => Error::new(Code::PeerMisbehaved).with("what", end),
    }
}

/// Ready when somebody says stop; never without anybody who could.
pub(crate) async fn stopped(stop: &mut Option<watch::Receiver<bool>>) {
    match stop {
        // If whoever could say stop is gone, that says it.
        Some(stop) => drop(stop.wait_for(|stop| *stop).await),
        None => core::future::pending().await,
    }
}
