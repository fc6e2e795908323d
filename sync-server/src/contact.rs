//! One connection: its session, and the loop that feeds it and performs what it wants done.

mod brake;
mod tickets;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alliance_crypto::Rules;
use alliance_net::{CloseReason, Line, LineHandle, LineReceiver, LineSender, ReceiveError, SendError};
use alliance_sync::{Config, Effect, Event, Input, Millis, Query, Reply, Role, Session, Ticket};
use alliance_wire::{DeviceKey, Frame, SpaceId, limits};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use crate::answers::Answers;
use crate::hub::{Hub, Presence};
use crate::mail;
use crate::relay::TicketKeeper;
use brake::Brake;
use tickets::{forget_tickets, grown};

/// How long a connection that ends waits for its peer to take what is still to be said.
const FAREWELL: Duration = Duration::from_millis(2_000);
/// Mailbox frames of one connection: at most so many at once, and one more each second.
const MAIL_BURST: u32 = 60;
const MAIL_EVERY_MILLIS: Millis = 1_000;
/// Notices of open documents at once; two, so that jitter on the way drops none.
const WATCHING_BURST: u32 = 2;

/// What all connections have in common.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) answers: Answers,
    pub(crate) hub: Arc<Hub>,
    /// The relay's key.
    pub(crate) key: DeviceKey,
    /// New spaces need no token.
    pub(crate) open: bool,
    /// [`Rules::ALL`] everywhere but in simulations.
    pub(crate) rules: Rules,
    /// Where the clock of sessions begins.
    pub(crate) started: Instant,
    /// Turns true when the relay shuts down.
    pub(crate) stopping: watch::Receiver<bool>,
    pub(crate) counters: Counters,
    /// Where sessions' tickets lie; nowhere without a listener.
    pub(crate) keeper: Option<Arc<TicketKeeper>>,
}

/// What happened since the relay started.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) accepted: AtomicU64,
    pub(crate) stored: AtomicU64,
    pub(crate) refused: AtomicU64,
}

impl Host {
    fn now(&self) -> Millis {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// How a connection came to its end.
enum End {
    /// The peer has said all that it wanted to.
    Finished,
    /// The connection is gone.
    Lost,
    /// This side closes it.
    Here(CloseReason),
}

/// What became of something that was asked.
enum Answer {
    Session(Ticket, Reply),
    Mail(Option<Box<Frame>>),
    PassedOn,
}

/// What happens next.
enum Step {
    Answered(Result<Answer, JoinError>),
    Sent(Result<(), SendError>),
    Received(Result<Option<Vec<u8>>, ReceiveError>),
    News,
    Due,
    Stopping,
}

struct Contact<S> {
    host: Arc<Host>,
    peer: DeviceKey,
    presence: Presence,
    session: Session,
    outbox: crate::outbox::Outbox<S>,
    answers: JoinSet<Answer>,
    /// The session knows which spaces are shared: before, a change would be overwritten by an older list.
    knows_shared: bool,
    /// Batches that the session is storing: their own changes are no news to it.
    storing: usize,
    /// Something was put into the outbox since the session last heard that all had left.
    owes_flush: bool,
    /// A mailbox's frame is being answered; the next waits, so that answers keep their order.
    mailing: bool,
    mail: Brake,
    watching: Brake,
    close: Option<CloseReason>,
}

/// Runs a connection until it ends.
pub(crate) async fn run(host: Arc<Host>, connection: impl Line, presence: Presence) {
    let peer = connection.peer();
    let (handle, sender, mut receiver) = connection.split();
    host.counters.accepted.fetch_add(1, Ordering::Relaxed);
    tracing::debug!(device = %peer.short(), "connected");
    let role = Role::Relay { key: host.key, open: host.open };
    let config =
        Config { role, own: host.key, peer, dials: false, asks_first: false, takes_all: false, rules: host.rules };
    let session = Session::new(config, host.now());
    let now = host.now();
    let mut contact = Contact {
        peer,
        presence,
        session,
        outbox: crate::outbox::Outbox::new(sender),
        answers: JoinSet::new(),
        knows_shared: false,
        storing: 0,
        owes_flush: false,
        mailing: false,
        mail: Brake::new(MAIL_BURST, MAIL_EVERY_MILLIS, now),
        watching: Brake::new(WATCHING_BURST, limits::WATCHING_EVERY_MILLIS, now),
        close: None,
        host,
    };
    contact.feed(Input::Start);
    let end = contact.work(&mut receiver).await;
    contact.end(&handle, end).await;
    tracing::debug!(device = %peer.short(), "disconnected");
}

impl<S: LineSender> Contact<S> {
    async fn work(&mut self, receiver: &mut impl LineReceiver) -> End {
        loop {
            if let Some(reason) = self.close {
                return End::Here(reason);
            }
            match self.next(receiver).await {
                Step::Answered(Ok(answer)) => self.take(answer),
                Step::Answered(Err(error)) => {
                    tracing::error!(%error, "an answer was not finished");
                    return End::Here(CloseReason::Busy);
                }
                Step::Sent(Ok(())) => {
                    self.owes_flush = false;
                    self.feed(Input::Flushed);
                }
                Step::Sent(Err(SendError::Lost(_))) => {
                    self.read_out(receiver).await;
                    return End::Lost;
                }
                Step::Sent(Err(_)) => return End::Lost,
                Step::Received(Ok(Some(bytes))) => match Frame::decode(&bytes) {
                    Ok(frame) => self.feed(Input::Frame(frame)),
                    Err(_) => return End::Here(CloseReason::ProtocolViolation),
                },
                Step::Received(Ok(None)) => return End::Finished,
                Step::Received(Err(_)) => {
                    self.read_out(receiver).await;
                    return End::Lost;
                }
                Step::News => self.hear(),
                Step::Due => self.feed(Input::Tick),
                Step::Stopping => return End::Here(CloseReason::Shutdown),
            }
        }
    }

    /// The connection is gone: takes the frames that had come before, and what came whole of one.
    async fn read_out(&mut self, receiver: &mut impl LineReceiver) {
        loop {
            if !self.session.wants_frames() {
                let Some(Ok(answer)) = self.answers.join_next().await else { return };
                self.take(answer);
                continue;
            }
            let Ok(Some(bytes)) = receiver.recv().await else { break };
            let Ok(frame) = Frame::decode(&bytes) else { return };
            self.feed(Input::Frame(frame));
        }
        if let Some(frame) = Frame::beginning(&receiver.take_beginning()) {
            self.feed(Input::Frame(frame));
        }
    }

    /// Waits for whatever comes first. What is answered goes before what is heard, so that a session learns of its own
    /// batch before it is told of it as news.
    async fn next(&mut self, receiver: &mut impl LineReceiver) -> Step {
        let due = self.session.next_deadline().map(|due| self.host.started + Duration::from_millis(due));
        let hears = self.knows_shared && self.storing == 0;
        let reads = self.session.wants_frames() && self.outbox.has_room() && !self.mailing;
        let mut stopping = self.host.stopping.clone();
        tokio::select! {
            biased;
            Some(answer) = self.answers.join_next() => Step::Answered(answer),
            sent = self.outbox.drain(), if self.owes_flush => Step::Sent(sent),
            // An error says that the relay is gone, which is a reason to stop as well.
            _ = stopping.wait_for(|stopping| *stopping) => Step::Stopping,
            () = self.presence.seat.ready(), if hears => Step::News,
            received = receiver.recv(), if reads => Step::Received(received),
            () = sleep_until(due.unwrap_or(self.host.started)), if due.is_some() => Step::Due,
        }
    }

    /// Feeds the session and performs what it wants done, in order.
    fn feed(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.session.handle(self.host.now(), input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Send(frame) => self.send(&frame),
                Effect::Ask(ticket, query) => self.ask(ticket, query),
                Effect::Notify(event) => self.notify(event),
                Effect::Close(reason) => self.close = Some(close_reason(reason)),
            }
        }
    }

    fn send(&mut self, frame: &Frame) {
        self.outbox.push(frame.encode());
        self.owes_flush = true;
    }

    fn ask(&mut self, ticket: Ticket, query: Query) {
        if matches!(query, Query::Persist(_)) {
            self.storing += 1;
        }
        let (host, peer) = (Arc::clone(&self.host), self.peer);
        let grown = grown(&query);
        self.answers.spawn(async move {
            let reply = host.answers.answer(peer, query).await;
            // Before anybody hears that it is stored.
            for space in grown {
                forget_tickets(&host, space).await;
            }
            Answer::Session(ticket, reply)
        });
    }

    fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Session(ticket, reply) => {
                match &reply {
                    Reply::Shared(shared) => {
                        self.knows_shared = true;
                        match &self.host.keeper {
                            Some(keeper) if !shared.spaces.is_empty() => keeper.let_in(self.peer),
                            Some(keeper) if !shared.revoked.is_empty() => keeper.put_out(self.peer),
                            Some(_) | None => {}
                        }
                    }
                    Reply::Persisted(_) => self.storing = self.storing.saturating_sub(1),
                    Reply::View(..)
                    | Reply::Hashes(_)
                    | Reply::Page(_)
                    | Reply::Fetched(..)
                    | Reply::Admitted(..)
                    | Reply::Revoked(_)
                    | Reply::Failed(_) => {}
                }
                self.feed(Input::Reply(ticket, reply));
            }
            Answer::Mail(frame) => {
                self.mailing = false;
                if let Some(frame) = frame {
                    self.send(&frame);
                }
            }
            Answer::PassedOn => {}
        }
    }

    fn hear(&mut self) {
        let news = self.presence.seat.take();
        for tail in news.tails.into_values() {
            self.feed(Input::Changed(tail));
        }
        for (space, sealed) in news.watches {
            self.feed(Input::Watch(space, sealed));
        }
    }

    fn notify(&mut self, event: Event) {
        let counters = &self.host.counters;
        match event {
            Event::Stored { items, .. } => {
                counters.stored.fetch_add(items as u64, Ordering::Relaxed);
            }
            Event::Refused { space, reason, ours, .. } => {
                counters.refused.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(space = %space.short(), code = reason.code(), by_peer = ours, "refused");
            }
            Event::Fork { space, log, seq } => {
                tracing::info!(space = %space.short(), log = %log.short(), seq, "a log forked");
            }
            Event::Diverged(space) => {
                tracing::warn!(space = %space.short(), device = %self.peer.short(), "replicas differ after a repair");
            }
            Event::Lost(space) => {
                tracing::info!(space = %space.short(), device = %self.peer.short(), "a device was put back");
            }
            Event::Watching(space, sealed) => self.pass_on(space, sealed),
            Event::Mail(frame) => self.answer_mail(frame),
            Event::Met(_) | Event::Acknowledged { .. } | Event::Settled => {}
        }
    }

    /// Tells the other members that are here that somebody has a document open.
    fn pass_on(&mut self, space: SpaceId, sealed: Vec<u8>) {
        if !self.watching.take(self.host.now()) {
            return;
        }
        let (host, seat) = (Arc::clone(&self.host), Arc::clone(&self.presence.seat));
        self.answers.spawn(async move {
            if let Ok(Some(membership)) = host.answers.spaces.membership(space).await {
                host.hub.watching(membership.state().devices(), &seat, space, &sealed);
            }
            Answer::PassedOn
        });
    }

    fn answer_mail(&mut self, frame: Frame) {
        if !self.mail.take(self.host.now()) {
            self.close = Some(CloseReason::Busy);
            return;
        }
        self.mailing = true;
        let (host, peer) = (Arc::clone(&self.host), self.peer);
        self.answers.spawn(async move {
            let answer = mail::answer(&host.answers, host.rules, peer, &frame).await;
            if let Frame::Carry(carry) = &frame {
                forget_tickets(&host, carry.space).await;
            }
            Answer::Mail(answer.map(Box::new))
        });
    }

    /// Makes durable what came in whole, says what is still to be said, and closes.
    async fn end(mut self, handle: &impl LineHandle, end: End) {
        loop {
            self.feed(Input::Ended);
            if self.answers.is_empty() {
                break;
            }
            while let Some(answer) = self.answers.join_next().await {
                if let Ok(answer) = answer {
                    self.take(answer);
                }
            }
        }
        let Self { presence, mut outbox, .. } = self;
        // From here on nobody need be told anything.
        drop(presence);
        // A farewell that the peer does not take is no loss: it asks again when it comes back.
        match end {
            End::Lost => handle.close(CloseReason::Done),
            End::Finished => {
                let _ = timeout(FAREWELL, outbox.finish()).await;
                handle.close(CloseReason::Done);
            }
            End::Here(reason) => {
                let _ = timeout(FAREWELL, outbox.drain()).await;
                handle.close(reason);
            }
        }
    }
}

/// What the peer is told.
const fn close_reason(reason: alliance_sync::CloseReason) -> CloseReason {
    match reason {
        alliance_sync::CloseReason::Version => CloseReason::Incompatible,
        alliance_sync::CloseReason::Misbehaved(_) => CloseReason::ProtocolViolation,
        alliance_sync::CloseReason::Silent => CloseReason::Stalled,
        alliance_sync::CloseReason::Store | alliance_sync::CloseReason::Stash => CloseReason::Busy,
    }
}
