//! Meeting others: the real session machine, and frames of one's own making behind it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use alliance_client::Client;
use alliance_crypto::Verified;
use alliance_net::{Activity, CloseReason, Connection, FrameReceiver, FrameSender, RelayAddress};
use alliance_store::ShareRule;
use alliance_sync::{Config, Effect, Event, Input, Role, Session};
use alliance_wire::frame::{Run, RunEntry, RunPayload};
use alliance_wire::{DeviceKey, Frame, HeaderHash, LogName, SpaceId};
use tokio::time::Instant;

use super::{Member, hear};

/// What became of a meeting.
#[derive(Debug, Default)]
pub struct Met {
    /// Both sides had the same before frames of one's own making were sent.
    pub settled: bool,
    /// Stable codes of what the other side refused by name.
    pub refused: Vec<&'static str>,
    /// What the other side reported of the meeting: its own count of refusals and forks, or the code of the error that
    /// ended it. Absent where it is a relay.
    pub theirs: Option<Result<alliance_client::SyncReport, String>>,
}

/// The numbers that a direction of a connection gives next.
#[derive(Debug, Clone, Copy, Default)]
pub struct Names {
    /// To a space.
    pub spaces: u32,
    /// To a log.
    pub logs: u32,
}

/// A log and a run of one entry in it, to be changed at will before it is sent.
#[derive(Debug, Clone)]
pub struct Handed {
    /// The space that is named.
    pub space: SpaceId,
    /// The log that is named.
    pub log: LogName,
    /// The number that the entry claims.
    pub seq: u64,
    /// The entry before it.
    pub prev: HeaderHash,
    /// The entry.
    pub entry: RunEntry,
}

impl Handed {
    /// An entry as an honest member hands it over.
    #[must_use]
    pub fn new(entry: &Verified) -> Self {
        let header = entry.header();
        let run = RunEntry {
            suffix: header.suffix.as_bytes().to_vec().into(),
            signature: entry.entry().signed.signature,
            payload: RunPayload::Here(entry.payload().unwrap_or_default().to_vec().into()),
        };
        let (log, seq) = (entry.name().clone(), header.seq);
        Self { space: header.space, log, seq, prev: header.prev, entry: run }
    }

    /// The frames, behind what was named before.
    #[must_use]
    pub fn frames(self, names: Names) -> Vec<Vec<u8>> {
        let (log, first, prev) = (names.logs, self.seq, Some(self.prev));
        let frames = [
            Frame::Space { space: self.space },
            Frame::Log { space: names.spaces, name: self.log },
            Frame::Run(Run { log, first, prev, entries: vec![self.entry] }),
        ];
        frames.iter().map(Frame::encode).collect()
    }
}

impl Member {
    /// Dials a client, gives and takes everything, then sends `more` and ends the conversation. When this returns, the
    /// client has taken in what it wanted of it.
    ///
    /// # Panics
    /// If no connection comes about.
    pub async fn visit(&self, client: &Client, more: impl FnOnce(Names) -> Vec<Vec<u8>>) -> Met {
        let listener = client.listen("127.0.0.1:0").await.expect("a port");
        let device = client.whoami().device;
        let (theirs, mut met) =
            tokio::join!(listener.accept_once(hear), self.dial(listener.local_address(), device, more));
        met.theirs = Some(theirs.map_err(|error| error.code().to_owned()));
        met
    }

    async fn dial(&self, address: SocketAddr, device: DeviceKey, more: impl FnOnce(Names) -> Vec<Vec<u8>>) -> Met {
        let connection = self.dialer.dial(address, device, Activity::Background).await.expect("the listener answers");
        self.converse(connection, ShareRule::Device { expected: Vec::new() }, more, |_| true).await
    }

    /// The same with a relay; `until` says, of what it refused so far, whether that is all that is expected.
    ///
    /// # Panics
    /// If no connection comes about.
    pub async fn visit_relay(
        &self,
        relay: &RelayAddress,
        more: impl FnOnce(Names) -> Vec<Vec<u8>>,
        until: impl Fn(&Met) -> bool,
    ) -> Met {
        let address = relay.address().parse().expect("an IP address and a port");
        let connection =
            self.dialer.connect(address, relay.key(), Activity::Background).await.expect("the relay answers");
        self.converse(connection, ShareRule::Relay { expected: Vec::new() }, more, until).await
    }

    async fn converse(
        &self,
        connection: Connection,
        rule: ShareRule,
        more: impl FnOnce(Names) -> Vec<Vec<u8>>,
        until: impl Fn(&Met) -> bool,
    ) -> Met {
        let peer = connection.peer();
        let role = Role::Device { towards_relay: matches!(rule, ShareRule::Relay { .. }) };
        let config = Config {
            role,
            own: self.key,
            peer,
            dials: true,
            asks_first: false,
            takes_all: false,
            rules: alliance_client::Rules::ALL,
        };
        let (handle, sender, mut receiver) = connection.split();
        let session = Session::new(config, 0);
        let mut talk = Talk {
            member: self,
            rule,
            peer,
            session,
            started: Instant::now(),
            sender,
            names: Names::default(),
            met: Met::default(),
        };
        talk.feed(Input::Start).await;
        while !talk.met.settled {
            let due = talk.session.next_deadline().map(|due| talk.started + Duration::from_millis(due));
            tokio::select! {
                frame = next(&mut receiver) => match frame {
                    Some(frame) => talk.feed(Input::Frame(frame)).await,
                    None => break,
                },
                () = tokio::time::sleep_until(due.unwrap_or(talk.started)), if due.is_some() => {
                    talk.feed(Input::Tick).await;
                }
            }
        }
        // From here on the machine is left behind: the other side is told what no program of ours would say.
        for bytes in more(talk.names) {
            // If the connection is gone, reading says so.
            let _ = talk.sender.send(&bytes).await;
        }
        while !until(&talk.met) {
            match next(&mut receiver).await {
                Some(frame) => talk.note(&frame),
                None => break,
            }
        }
        // If the other side closed the connection, it reads nothing more.
        let _ = talk.sender.finish().await;
        while let Some(frame) = next(&mut receiver).await {
            talk.note(&frame);
        }
        handle.close(CloseReason::Done);
        talk.met
    }
}

async fn next(receiver: &mut FrameReceiver) -> Option<Frame> {
    let bytes = receiver.recv().await.ok().flatten()?;
    Some(Frame::decode(&bytes).expect("honest devices send frames"))
}

struct Talk<'a> {
    member: &'a Member,
    rule: ShareRule,
    peer: DeviceKey,
    session: Session,
    started: Instant,
    sender: FrameSender,
    names: Names,
    met: Met,
}

impl Talk<'_> {
    async fn send(&mut self, frame: &Frame) {
        self.names.spaces += u32::from(matches!(frame, Frame::Space { .. }));
        self.names.logs += u32::from(matches!(frame, Frame::Log { .. }));
        // If the connection is gone, reading says so.
        let _ = self.sender.send(&frame.encode()).await;
    }

    fn note(&mut self, frame: &Frame) {
        if let Frame::Refused { reason, .. } = frame {
            self.met.refused.push(reason.code());
        }
    }

    /// Feeds the session and performs everything that follows.
    async fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = u64::try_from(self.started.elapsed().as_millis()).expect("a short test");
            if let Input::Frame(frame) = &input {
                self.note(frame);
            }
            let mut effects = Vec::new();
            self.session.handle(now, input, &mut effects);
            let mut sent = false;
            for effect in effects {
                match effect {
                    Effect::Send(frame) => {
                        self.send(&frame).await;
                        sent = true;
                    }
                    Effect::Ask(ticket, query) => {
                        let reply = self.member.spaces.answer(self.peer, query, &self.rule).await;
                        inputs.push_back(Input::Reply(ticket, reply));
                    }
                    Effect::Notify(event) => self.met.settled |= event == Event::Settled,
                    // The other side says why; here it ends by itself.
                    Effect::Close(_) => {}
                }
            }
            if sent {
                inputs.push_back(Input::Flushed);
            }
        }
    }
}
