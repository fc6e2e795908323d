//! The task that serves one line: it owns the socket, and with it what the two halves have in common.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use alliance_wire::DeviceKey;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::open::OpenLine;
use super::steps::{Pushed, READ_BYTES, blame, explain, hear_say, push, read_some, room};
use super::{Heard, Say, State};
use crate::error::{CloseReason, ConnectionLost};
use crate::marks::{Mark, MarkDecoder, MarkError};
use crate::settings::Settings;

/// How long the last word may take to leave, and how long the peer's last bytes are waited for behind it. Closing a
/// socket that has unread bytes makes the system throw away what was written last.
const LAST_WORD: Duration = Duration::from_millis(1_000);

/// The other side of a line, and what holds on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    pub(super) key: DeviceKey,
    pub(super) remote: SocketAddr,
    pub(super) settings: Settings,
    /// How often this side asks whether anybody is there.
    pub(super) keep_alive: Option<Duration>,
}

/// How a line comes to its end.
enum End {
    /// This side closes it and says why.
    Here(CloseReason),
    /// The peer closed it.
    There(CloseReason),
    /// Nobody is there to be told.
    Lost(ConnectionLost),
}

/// What happens next.
enum Step {
    Close(CloseReason),
    Read(io::Result<usize>),
    Pushed(io::Result<Pushed>),
    Said(Option<Say>),
    Room,
    Due,
}

pub(super) struct Driver<IO> {
    read: ReadHalf<IO>,
    write: WriteHalf<IO>,
    settings: Settings,
    keep_alive: Option<Duration>,
    state: Arc<State>,
    asked: watch::Receiver<Option<CloseReason>>,
    open: OpenLine,
    said: Option<mpsc::Receiver<Say>>,
    hear: Option<mpsc::Sender<Heard>>,
    decoder: MarkDecoder,
    /// What was read and is not decoded yet, behind `taken`.
    input: Vec<u8>,
    taken: usize,
    /// What is being written, and how much of it is.
    output: Vec<u8>,
    written: usize,
    flushed: bool,
    owes_answer: bool,
    owes_end_heard: bool,
    owes_ask: bool,
    /// When the peer was last heard.
    heard_at: Instant,
    /// When the peer was last heard or, where that is later, first spoken to after that: silence counts from here.
    idle_from: Instant,
    spoke: bool,
    /// When the writing last got further.
    wrote_at: Instant,
    /// Why nothing can be written any more.
    lost: Option<ConnectionLost>,
}

impl<IO: AsyncRead + AsyncWrite + Send + 'static> Driver<IO> {
    pub(super) fn new(
        stream: IO,
        peer: &Peer,
        state: Arc<State>,
        (asked, open): (watch::Receiver<Option<CloseReason>>, OpenLine),
        (said, hear): (mpsc::Receiver<Say>, mpsc::Sender<Heard>),
    ) -> Self {
        let (read, write) = tokio::io::split(stream);
        let now = Instant::now();
        Self {
            read,
            write,
            settings: peer.settings,
            keep_alive: peer.keep_alive,
            state,
            asked,
            open,
            said: Some(said),
            hear: Some(hear),
            decoder: MarkDecoder::new(peer.settings.frame_bytes_max),
            input: Vec::new(),
            taken: 0,
            output: Vec::new(),
            written: 0,
            flushed: true,
            owes_answer: false,
            owes_end_heard: false,
            owes_ask: false,
            heard_at: now,
            idle_from: now,
            spoke: false,
            wrote_at: now,
            lost: None,
        }
    }

    /// Serves the line until it is over; `first` is what was read before.
    pub(super) async fn run(mut self, first: Vec<u8>) {
        self.input = first;
        let end = self.work().await;
        self.state.keep_beginning(self.decoder.take_beginning());
        // What was heard stays in the channel; behind it comes why there is no more.
        match end {
            End::Here(reason) => {
                self.state.end(ConnectionLost::ClosedHere);
                self.hear = None;
                let _ = timeout(LAST_WORD, self.say_last(Some(reason))).await;
            }
            End::There(reason) => {
                self.state.end(ConnectionLost::Closed(reason));
                self.hear = None;
                let _ = timeout(LAST_WORD, self.say_last(None)).await;
            }
            End::Lost(lost) => self.state.end(lost),
        }
    }

    async fn work(&mut self) -> End {
        loop {
            if let Err(end) = self.take_in() {
                return end;
            }
            self.fill();
            let step = self.next().await;
            if let Err(end) = self.take(step) {
                return end;
            }
        }
    }

    /// Waits for whatever comes first.
    async fn next(&mut self) -> Step {
        let due = self.due();
        let waits = self.taken < self.input.len();
        let writes = self.written < self.output.len() || !self.flushed;
        let Self { asked, open, read, write, said, hear, input, output, written, .. } = self;
        tokio::select! {
            reason = asked.wait_for(Option::is_some) => {
                // Nobody can ask any more: the parts are gone.
                Step::Close(reason.ok().and_then(|reason| *reason).unwrap_or(CloseReason::Done))
            }
            reason = open.told_to_close() => Step::Close(reason),
            pushed = push(write, &output[*written..]), if writes => Step::Pushed(pushed),
            said = hear_say(said), if !writes => Step::Said(said),
            got = read_some(read, input), if !waits => Step::Read(got),
            () = room(hear.as_ref()), if waits => Step::Room,
            () = sleep_until(due) => Step::Due,
        }
    }

    fn take(&mut self, step: Step) -> Result<(), End> {
        let now = Instant::now();
        match step {
            Step::Close(reason) => return Err(End::Here(reason)),
            Step::Read(Ok(0)) => return Err(End::Lost(self.lost.unwrap_or(ConnectionLost::Reset))),
            Step::Read(Ok(_)) => {
                self.taken = 0;
                (self.heard_at, self.idle_from, self.spoke) = (now, now, false);
            }
            Step::Pushed(Ok(Pushed::Written(count))) => {
                self.written += count;
                self.flushed = false;
                self.wrote_at = now;
            }
            Step::Pushed(Ok(Pushed::Flushed)) => self.flushed = true,
            Step::Read(Err(error)) => return Err(End::Lost(self.lost.unwrap_or_else(|| explain(&error)))),
            Step::Pushed(Err(error)) => self.write_no_more(explain(&error)),
            Step::Said(Some(Say::Frame(frame))) => {
                let before = self.output.len();
                Mark::Frame(frame).encode(&mut self.output);
                self.state.up.fetch_add((self.output.len() - before) as u64, Ordering::Relaxed);
                self.begin_writing(now);
            }
            Step::Said(Some(Say::End)) => {
                Mark::End.encode(&mut self.output);
                self.begin_writing(now);
            }
            Step::Said(None) => self.said = None,
            // Silence while nobody read was ours.
            Step::Room => (self.heard_at, self.idle_from) = (now, now),
            Step::Due => return self.look(now),
        }
        Ok(())
    }

    /// Nothing that is written arrives any more. What the peer had sent before is still read.
    fn write_no_more(&mut self, because: ConnectionLost) {
        self.lost = Some(because);
        self.state.end(because);
        (self.output, self.written, self.flushed) = (Vec::new(), 0, true);
        self.said = None;
    }

    /// Decodes what was read, as far as there is room for frames.
    fn take_in(&mut self) -> Result<(), End> {
        while self.taken < self.input.len() {
            let permit = match self.hear.as_ref().map(mpsc::Sender::try_reserve) {
                Some(Ok(permit)) => Some(permit),
                Some(Err(mpsc::error::TrySendError::Full(()))) => return Ok(()),
                // Nobody wants frames any more; the marks between them count.
                Some(Err(mpsc::error::TrySendError::Closed(()))) | None => None,
            };
            let mut rest = &self.input[self.taken..];
            let before = rest.len();
            let mark = self.decoder.push(&mut rest);
            self.taken += before - rest.len();
            self.state.down.fetch_add((before - rest.len()) as u64, Ordering::Relaxed);
            let heard = match mark {
                Ok(None) => continue,
                Ok(Some(Mark::Frame(frame))) => Some(Heard::Frame(frame)),
                Ok(Some(Mark::End)) => {
                    self.owes_end_heard = true;
                    Some(Heard::End)
                }
                Ok(Some(Mark::EndHeard)) => {
                    self.state.end_heard.send_replace(true);
                    None
                }
                Ok(Some(Mark::Ask)) => {
                    self.owes_answer = true;
                    None
                }
                Ok(Some(Mark::Answer)) => None,
                Ok(Some(Mark::Close(reason))) => return Err(End::There(reason)),
                Err(error) => {
                    self.state.end(ConnectionLost::PeerMisbehaved);
                    if let (MarkError::Frame(error), Some(permit)) = (error, permit) {
                        permit.send(Heard::Malformed(error));
                    }
                    return Err(End::Here(blame(error)));
                }
            };
            if let (Some(heard), Some(permit)) = (heard, permit) {
                permit.send(heard);
            }
        }
        Ok(())
    }

    /// Puts what is owed into the output, between two frames.
    fn fill(&mut self) {
        if self.written < self.output.len() || !self.flushed || self.lost.is_some() {
            return;
        }
        // Gives the memory back: an idle line holds no frame.
        self.output = Vec::new();
        self.written = 0;
        let owed = [
            (&mut self.owes_end_heard, Mark::EndHeard),
            (&mut self.owes_answer, Mark::Answer),
            (&mut self.owes_ask, Mark::Ask),
        ];
        for (owes, mark) in owed {
            if core::mem::take(owes) {
                mark.encode(&mut self.output);
            }
        }
        if !self.output.is_empty() {
            self.begin_writing(Instant::now());
        }
    }

    fn begin_writing(&mut self, now: Instant) {
        self.wrote_at = now;
        if !self.spoke {
            (self.spoke, self.idle_from) = (true, now);
        }
    }

    const fn is_writing(&self) -> bool {
        self.written < self.output.len() || !self.flushed
    }

    /// When something is due: the end of a silence, of standing still, or the time to ask.
    fn due(&self) -> Instant {
        let reads = self.taken >= self.input.len();
        let idle = reads.then_some(self.idle_from + self.settings.idle);
        let inside = (reads && self.decoder.is_mid_mark()).then_some(self.heard_at + self.settings.progress);
        let writing = self.is_writing().then_some(self.wrote_at + self.settings.progress);
        let ask = self.keep_alive.filter(|_| reads && !self.is_writing() && !self.owes_ask);
        let ask = ask.map(|every| self.heard_at.max(self.wrote_at) + every);
        let far = Instant::now() + self.settings.idle;
        [idle, inside, writing, ask].into_iter().flatten().min().unwrap_or(far)
    }

    /// Something may be due.
    fn look(&mut self, now: Instant) -> Result<(), End> {
        let reads = self.taken >= self.input.len();
        let stalled = |at: Instant| now >= at + self.settings.progress;
        if reads && self.decoder.is_mid_mark() && stalled(self.heard_at) {
            self.state.end(ConnectionLost::Stalled);
            return Err(End::Here(CloseReason::Stalled));
        }
        if self.is_writing() && stalled(self.wrote_at) {
            // The word for it would stand behind what is not taken.
            return Err(End::Lost(ConnectionLost::Stalled));
        }
        if reads && now >= self.idle_from + self.settings.idle {
            return Err(End::Lost(ConnectionLost::TimedOut));
        }
        if let Some(every) = self.keep_alive
            && now >= self.heard_at.max(self.wrote_at) + every
        {
            self.owes_ask = true;
        }
        Ok(())
    }

    /// Writes what was given to be sent, then why the line is over, and waits for the peer's end of it.
    async fn say_last(&mut self, reason: Option<CloseReason>) -> io::Result<()> {
        if let Some(reason) = reason {
            while let Some(Ok(say)) = self.said.as_mut().map(mpsc::Receiver::try_recv) {
                match say {
                    Say::Frame(frame) => Mark::Frame(frame).encode(&mut self.output),
                    Say::End => Mark::End.encode(&mut self.output),
                }
            }
            if self.owes_end_heard {
                Mark::EndHeard.encode(&mut self.output);
            }
            Mark::Close(reason).encode(&mut self.output);
            self.write.write_all(&self.output[self.written..]).await?;
        }
        // Nothing more is taken from the halves.
        self.said = None;
        self.write.shutdown().await?;
        self.input.resize(READ_BYTES, 0);
        while self.read.read(&mut self.input).await? > 0 {}
        Ok(())
    }
}
