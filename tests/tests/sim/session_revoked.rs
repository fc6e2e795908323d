//! The word that a device was put out, from whoever says it: a hint, by which nothing changes that the membership does
//! not say. And what a relay does for a key that was never in: the same, whether it has the space or not.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::collections::VecDeque;

use alliance_crypto::{Rules, Verified};
use alliance_sync::{Config, Effect, Event, Input, Query, Role, Session};
use alliance_tests::hostile::{Handed, Names};
use alliance_tests::memory::MemoryReplica;
use alliance_tests::random::Random;
use alliance_tests::world::{World, Writer};
use alliance_wire::frame::{Cursors, DigestRow, Hello, PROTOCOL_VERSION, Reason};
use alliance_wire::membership::{Operation, Restore, Stop};
use alliance_wire::{DeviceKey, Frame, HashPrefix, Incarnation, Instance, LogName, SignerKey, SpaceId, Stream};

/// One side of a connection whose other side is this test.
struct Line {
    session: Session,
    replica: MemoryReplica,
    peer: DeviceKey,
    sent: Vec<Frame>,
    asked: Vec<String>,
    events: Vec<Event>,
    closed: bool,
    logs: Vec<LogName>,
}

impl Line {
    fn new(role: Role, own: DeviceKey, peer: DeviceKey, replica: MemoryReplica) -> Self {
        let dials = matches!(role, Role::Device { .. });
        let config = Config { role, own, peer, dials, asks_first: false, takes_all: false, rules: Rules::ALL };
        let (sent, asked, events) = (Vec::new(), Vec::new(), Vec::new());
        let session = Session::new(config, 0);
        let mut line = Self { session, replica, peer, sent, asked, events, closed: false, logs: Vec::new() };
        line.feed(Input::Start);
        line.feed(Input::Frame(Frame::Hello(Hello {
            version: PROTOCOL_VERSION,
            instance: Instance([0xaa; 16]),
            known: [0; 8],
            spaces: 7,
            root: [0xbb; 16],
            cursors: Cursors::All(Vec::new()),
            check: [0; 8],
        })));
        line
    }

    fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let mut effects = Vec::new();
            self.session.handle(0, input, &mut effects);
            let mut sent = false;
            for effect in effects {
                match effect {
                    Effect::Send(frame) => {
                        if let Frame::Log { name, .. } = &frame {
                            self.logs.push(name.clone());
                        }
                        self.sent.push(frame);
                        sent = true;
                    }
                    Effect::Ask(ticket, query) => {
                        self.asked.push(what(&query).to_owned());
                        inputs.push_back(Input::Reply(ticket, self.replica.answer(self.peer, query)));
                    }
                    Effect::Notify(event) => self.events.push(event),
                    Effect::Close(_) => self.closed = true,
                }
            }
            if sent {
                inputs.push_back(Input::Flushed);
            }
        }
    }

    fn hear(&mut self, frames: impl IntoIterator<Item = Frame>) {
        frames.into_iter().for_each(|frame| self.feed(Input::Frame(frame)));
    }

    /// The logs of which entries were sent since so many frames, without repeating one.
    fn sent_of(&self, since: usize) -> Vec<LogName> {
        let mut logs = Vec::new();
        for frame in &self.sent[since..] {
            if let Frame::Run(run) = frame {
                logs.push(self.logs[run.log as usize].clone());
            }
        }
        logs.sort_unstable();
        logs.dedup();
        logs
    }
}

/// Which question it is.
const fn what(query: &Query) -> &'static str {
    match query {
        Query::Shared { .. } => "shared",
        Query::View(_) => "view",
        Query::HashesAt(_) => "hashes",
        Query::Since(_) => "since",
        Query::Fetch(..) => "fetch",
        Query::Admit(..) => "admit",
        Query::Persist(_) => "persist",
    }
}

/// A group of a founder, a device that somebody speaks of, and a relay; the device has everything, and data of both.
struct Scene {
    world: World,
    founder: Writer,
    device: Writer,
    relay: DeviceKey,
    replica: MemoryReplica,
    random: Random,
}

impl Scene {
    fn new(seed: u64) -> Self {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let mut writers: Vec<Writer> = (0..2).map(|_| Writer::new(&mut random)).collect();
        let relay = Writer::new(&mut random).key();
        let world = World::new(&mut random, &writers, Some(relay));
        let mut replica = MemoryReplica::new(Instance(random.bytes16()));
        for entry in &world.membership {
            replica.append(entry.clone());
        }
        for writer in &mut writers {
            for text in ["one", "two"] {
                replica.append(writer.write(world.space, world.epoch, text.as_bytes()));
            }
        }
        let (device, founder) = (writers.pop().unwrap(), writers.pop().unwrap());
        Self { world, founder, device, relay, replica, random }
    }

    fn stop(&mut self) -> Stop {
        let ending = World::ending(2, &mut self.random);
        Stop { target: SignerKey::from(self.device.key()), ending }
    }

    /// An entry of the device's words, on what its replica has.
    fn by_words(&self, last: Option<&Verified>, operation: Operation) -> Verified {
        let membership = self.replica.membership(self.world.space).unwrap();
        let person = membership.state().listings().find(|(_, device)| *device == self.device.key()).unwrap().0;
        let place = (person, membership.heads());
        self.world.by_key(&self.device.recovery, Incarnation([7; 16]), last, place, operation)
    }

    fn line(&self) -> Line {
        let role = Role::Device { towards_relay: true };
        Line::new(role, self.device.key(), self.relay, self.replica.clone())
    }

    fn is_active(&self, line: &Line) -> bool {
        line.replica.membership(self.world.space).unwrap().state().is_active(self.device.key())
    }
}

fn entries(entries: &[Verified]) -> Vec<Frame> {
    let frames = (0..).zip(entries).flat_map(|(n, entry)| Handed::new(entry).frames(Names { spaces: n, logs: n }));
    frames.map(|bytes| Frame::decode(&bytes).unwrap()).collect()
}

const fn revoked(space: SpaceId) -> Frame {
    Frame::Refused { space, entry: None, reason: Reason::Revoked }
}

/// A relay that says so without a proof, with one that proves nothing, with one that was true once, or of a space that
/// it never had: the device stays what it is, and gives nothing but the membership.
#[test]
fn a_word_without_proof_changes_nothing() {
    let mut scene = Scene::new(1);
    let space = scene.world.space;
    let stop = scene.stop();
    // The founder's device signs what only the words may.
    let tag = scene.replica.membership(space).unwrap().state().person_of(scene.device.key()).unwrap();
    let forged = {
        let known = scene.world.membership.len();
        scene.world.operate(&scene.founder, tag, Operation::Lost(stop.clone()));
        scene.world.membership[known].clone()
    };
    let mut unsigned = entries(core::slice::from_ref(&forged));
    if let Some(Frame::Run(run)) = unsigned.last_mut() {
        run.entries[0].signature[5] ^= 1;
    }
    let mut cases = vec![
        ("bare", vec![revoked(space)], 0),
        ("of a space that the relay never had", vec![revoked(SpaceId([9; 16]))], 0),
        ("with an entry that nobody granted", [entries(&[forged]), vec![revoked(space)]].concat(), 1),
        ("with an entry that nobody signed", [unsigned, vec![revoked(space)]].concat(), 0),
    ];
    // The words put it out and let it in again; the relay tells the first half.
    let suspended = scene.by_words(None, Operation::Suspend(stop));
    scene.replica.append(suspended.clone());
    let target = SignerKey::from(scene.device.key());
    let back = scene.by_words(Some(&suspended), Operation::Restore(Restore { target }));
    scene.replica.append(back);
    cases.push(("with an entry that was true once", [entries(&[suspended]), vec![revoked(space)]].concat(), 0));
    for (what, frames, new) in cases {
        let mut line = scene.line();
        let (before, sent) = (line.replica.hashes(space).len(), line.sent.len());
        line.hear(frames);
        line.feed(Input::Ended);
        assert!(scene.is_active(&line), "{what}: it is in, as it was");
        assert_eq!(line.replica.hashes(space).len(), before + new, "{what}: nothing is gone");
        let given = line.sent_of(sent);
        assert!(given.iter().all(|log| log.stream == Stream::Membership), "{what}: {given:?}");
    }
}

/// The control of the above: with an entry that counts, the device finds that it is out, and hands over what it wrote
/// and the membership, nothing of others.
#[test]
fn a_device_that_is_out_by_its_own_evaluation_hands_over() {
    let mut scene = Scene::new(2);
    let space = scene.world.space;
    let stop = scene.stop();
    let lost = scene.by_words(None, Operation::Lost(stop));
    let mut line = scene.line();
    line.hear(entries(&[lost]));
    let sent = line.sent.len();
    line.hear([revoked(space)]);
    assert_eq!(line.sent_of(sent), [], "first it hears what the relay lacks");
    line.hear([Frame::Vector { space: 0, rows: Vec::new(), begins: true, ends: true }]);
    let given = line.sent_of(sent);
    let data: Vec<DeviceKey> = given.iter().filter(|log| log.stream == Stream::Data).map(|log| log.device).collect();
    assert_eq!(data, [scene.device.key()]);
    assert!(given.iter().any(|log| log.stream == Stream::Membership && log.device == scene.founder.key()));
    assert!(matches!(line.sent.last(), Some(Frame::Upto { .. })), "{:?}", line.sent.last());
    line.feed(Input::Ended);
    assert!(!scene.is_active(&line));
}

/// Whoever was never in a space gets one answer, by the same questions to the store, whether the space is here or not.
#[test]
fn who_was_never_in_cannot_tell_a_space_that_is_here_from_one_that_is_not() {
    let mut scene = Scene::new(3);
    let (space, stop) = (scene.world.space, scene.stop());
    let stranger = Writer::new(&mut scene.random).key();
    let role = Role::Relay { key: scene.relay, open: false };
    let (empty, full) = (MemoryReplica::new(scene.replica.instance), scene.replica.clone());
    let log = LogName::new(scene.founder.key(), scene.founder.incarnation, Stream::Data);
    let row = DigestRow { space, digest: [1; 8] };
    let hash = HashPrefix([2; 16]);
    let questions: Vec<(&str, Vec<Frame>)> = vec![
        ("a digest", vec![Frame::Digests { rows: vec![row], last: true }]),
        (
            "a vector",
            vec![Frame::Space { space }, Frame::Vector { space: 0, rows: Vec::new(), begins: true, ends: true }],
        ),
        ("an entry", entries(&scene.world.membership[..1])),
        ("a presentation", {
            let upto = Frame::Upto { space: 0, arrival: 9, hash };
            [entries(&scene.world.membership), vec![upto]].concat()
        }),
        ("a payload", vec![Frame::Space { space }, Frame::Want { space: 0, rows: vec![(log.id(space), 1)] }]),
    ];
    let ask = |who: DeviceKey, replica: &MemoryReplica, frames: &[Frame]| {
        let mut line = Line::new(role, scene.relay, who, replica.clone());
        line.hear(frames.to_vec());
        let bytes: Vec<Vec<u8>> = line.sent.iter().map(Frame::encode).collect();
        (bytes, line.asked, line.closed)
    };
    for (what, frames) in &questions {
        assert_eq!(ask(stranger, &empty, frames), ask(stranger, &full, frames), "{what}");
    }
    // The control: whoever was in once is told so, and a member is answered with the space.
    let lost = scene.by_words(None, Operation::Lost(stop));
    let mut after = full.clone();
    after.append(lost);
    for who in [scene.device.key(), scene.founder.key()] {
        for (what, frames) in &questions {
            // A payload is data: nobody who is out gets one.
            let same = who == scene.device.key() && *what == "a payload";
            assert_eq!(ask(who, &empty, frames) == ask(who, &after, frames), same, "{what}");
        }
    }
    let told = ask(scene.device.key(), &after, &questions[0].1).0;
    assert!(told.contains(&revoked(space).encode()));
}
