//! A device that is connected: its session's loop, and what a test tells it and hears of it.

use std::collections::VecDeque;
use std::time::Duration;

use alliance_crypto::Rules;
use alliance_net::{Connection, ConnectionLost, EarlyData, FrameReceiver, FrameSender, ReceiveError};
use alliance_store::{ShareRule, Spaces, SqliteReplica};
use alliance_sync::{CloseReason, Effect, Event, Input, Query, Role, Session};
use alliance_wire::{DeviceKey, Frame};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::Visit;

/// What a session is told from outside.
enum Command {
    Feed(Input),
    Send(Frame),
    Leave,
}

/// A device that is connected.
pub struct Live {
    commands: mpsc::UnboundedSender<Command>,
    events: mpsc::UnboundedReceiver<Event>,
    sent: watch::Receiver<u64>,
    apart: watch::Receiver<bool>,
    past: Vec<Event>,
    task: JoinHandle<(Option<ConnectionLost>, Option<CloseReason>, EarlyData, u64)>,
}

impl Live {
    /// Starts a session over a connection.
    pub(super) fn begin(
        own: DeviceKey,
        spaces: Spaces<SqliteReplica>,
        rule: ShareRule,
        connection: Connection,
    ) -> Self {
        let (commands, hears) = mpsc::unbounded_channel();
        let (tells, events) = mpsc::unbounded_channel();
        let (counts, sent) = watch::channel(0);
        let (parts, apart) = watch::channel(false);
        let task = tokio::spawn(run(own, spaces, rule, connection, hears, (tells, counts, parts)));
        Self { commands, events, sent, apart, past: Vec::new(), task }
    }

    /// Waits for an event of the session; `None` if the connection ends first.
    pub async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Option<Event> {
        loop {
            let event = self.events.recv().await?;
            self.past.push(event.clone());
            if wanted(&event) {
                return Some(event);
            }
        }
    }

    /// Waits for an event of the session, or until both are done and differ, or the connection ends.
    pub async fn until_apart_or(&mut self, wanted: impl Fn(&Event) -> bool) {
        loop {
            tokio::select! {
                biased;
                event = self.events.recv() => {
                    let Some(event) = event else { return };
                    self.past.push(event.clone());
                    if wanted(&event) {
                        return;
                    }
                }
                // An error says that the session is gone.
                _ = self.apart.wait_for(|apart| *apart) => return,
            }
        }
    }

    /// How many frames were sent so far.
    #[must_use]
    pub fn frames_sent(&self) -> u64 {
        *self.sent.borrow()
    }

    /// Waits until more frames were sent than so many, or the connection ended.
    pub async fn sent_after(&mut self, count: u64) {
        // An error says that the session is gone.
        let _ = self.sent.wait_for(|sent| *sent > count).await;
    }

    /// Feeds the session.
    pub fn feed(&self, input: Input) {
        let _ = self.commands.send(Command::Feed(input));
    }

    /// Sends a frame beside the session.
    pub fn send(&self, frame: Frame) {
        let _ = self.commands.send(Command::Send(frame));
    }

    /// Ends the connection, if it has not ended.
    pub async fn leave(self) -> Visit {
        let _ = self.commands.send(Command::Leave);
        self.ended().await
    }

    /// Lets go of a connection whose other side is gone, and gives what the session said. A session that was sending
    /// would wait for the line to fall silent.
    pub async fn abandon(mut self) -> Vec<Event> {
        self.task.abort();
        // Cancelled, or over just before.
        let _ = (&mut self.task).await;
        let mut events = self.past;
        while let Ok(event) = self.events.try_recv() {
            events.push(event);
        }
        events
    }

    /// Waits until the connection ends.
    ///
    /// # Panics
    /// If the session's task panicked.
    pub async fn ended(mut self) -> Visit {
        let (lost, closed, early, frame_bytes) = (&mut self.task).await.expect("the session's task does not panic");
        let mut events = self.past;
        while let Ok(event) = self.events.try_recv() {
            events.push(event);
        }
        Visit { events, lost, closed, early, frame_bytes }
    }
}

/// The loop of a device's session.
struct Loop {
    spaces: Spaces<SqliteReplica>,
    rule: ShareRule,
    relay: DeviceKey,
    session: Session,
    started: Instant,
    sender: FrameSender,
    tells: mpsc::UnboundedSender<Event>,
    sent: watch::Sender<u64>,
    closed: Option<CloseReason>,
}

async fn run(
    own: DeviceKey,
    spaces: Spaces<SqliteReplica>,
    rule: ShareRule,
    connection: Connection,
    mut hears: mpsc::UnboundedReceiver<Command>,
    (tells, sent, apart): (mpsc::UnboundedSender<Event>, watch::Sender<u64>, watch::Sender<bool>),
) -> (Option<ConnectionLost>, Option<CloseReason>, EarlyData, u64) {
    let relay = connection.peer();
    let (handle, sender, mut receiver) = connection.split();
    let role = Role::Device { towards_relay: true };
    let session = Session::new(
        alliance_sync::Config {
            role,
            own,
            peer: relay,
            dials: true,
            asks_first: false,
            takes_all: false,
            rules: Rules::ALL,
        },
        0,
    );
    let mut changes = spaces.changes();
    let mut device = Loop { spaces, rule, relay, session, started: Instant::now(), sender, tells, sent, closed: None };
    let mut lost = device.feed(Input::Start).await.err();
    while lost.is_none() && device.closed.is_none() {
        let due = device.session.next_deadline().map(|due| device.started + Duration::from_millis(due));
        let fed = tokio::select! {
            biased;
            command = hears.recv() => match command {
                Some(Command::Feed(input)) => device.feed(input).await,
                Some(Command::Send(frame)) => device.send(&frame).await,
                Some(Command::Leave) | None => break,
            },
            changed = changes.recv() => device.feed(Input::Changed(changed.expect("a test writes little"))).await,
            frame = next(&mut receiver), if device.session.wants_frames() => match frame {
                Ok(Some(frame)) => device.feed(Input::Frame(frame)).await,
                Ok(None) => break,
                Err(lost) => Err(lost),
            },
            () = sleep_until(due.unwrap_or(device.started)), if due.is_some() => device.feed(Input::Tick).await,
        };
        lost = fed.err();
        apart.send_replace(device.session.is_apart());
    }
    if lost.is_none() {
        lost = device.feed(Input::Ended).await.err();
    }
    let early = handle.early_data();
    let counts = handle.byte_counts();
    handle.close(alliance_net::CloseReason::Done);
    (lost, device.closed, early, counts.frames_sent + counts.frames_received)
}

async fn next(receiver: &mut FrameReceiver) -> Result<Option<Frame>, ConnectionLost> {
    let received = receiver.recv().await.map_err(|error| match error {
        ReceiveError::Lost(lost) => lost,
        ReceiveError::Malformed(_) | ReceiveError::Cut => ConnectionLost::PeerMisbehaved,
    });
    Ok(received?.map(|bytes| Frame::decode(&bytes).expect("the relay sends frames")))
}

impl Loop {
    async fn send(&mut self, frame: &Frame) -> Result<(), ConnectionLost> {
        match self.sender.send(&frame.encode()).await {
            Ok(()) => {
                self.sent.send_modify(|sent| *sent += 1);
                Ok(())
            }
            Err(alliance_net::SendError::Lost(lost)) => Err(lost),
            Err(_) => Err(ConnectionLost::ClosedHere),
        }
    }

    /// Feeds the session and performs everything that follows.
    async fn feed(&mut self, input: Input) -> Result<(), ConnectionLost> {
        let ended = matches!(input, Input::Ended);
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = u64::try_from(self.started.elapsed().as_millis()).expect("a short test");
            let mut effects = Vec::new();
            self.session.handle(now, input, &mut effects);
            let mut sent = false;
            for effect in effects {
                match effect {
                    Effect::Send(frame) if !ended => {
                        self.send(&frame).await?;
                        sent = true;
                    }
                    Effect::Send(_) => {}
                    Effect::Ask(ticket, query) => {
                        // A device shares with a relay what names it; the rule takes the relay's key for the peer's.
                        let stores = matches!(query, Query::Persist(_));
                        if !ended || stores {
                            let reply = self.spaces.answer(self.relay, query, &self.rule).await;
                            inputs.push_back(Input::Reply(ticket, reply));
                        }
                    }
                    Effect::Notify(event) => {
                        let _ = self.tells.send(event);
                    }
                    Effect::Close(reason) => self.closed = Some(reason),
                }
            }
            if sent {
                inputs.push_back(Input::Flushed);
            }
        }
        Ok(())
    }
}
