//! DOMAIN 2.16, J7: a supervisor merges eight workers after a field day, over his phone's hotspot.
//!
//! Each phone is a network namespace, and everything that is exchanged there is exchanged by processes of the program.
//! Audio and the time to the first screen are marked *later* in docs/DOMAIN.md, 2.16.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod day;
#[path = "../desk/support/people.rs"]
#[allow(dead_code, unreachable_pub)]
mod people;

use std::process::{Child, Stdio};

use alliance_client::Client;
use alliance_model::CivilDate;
use alliance_tests::calendar::{Calendar, to_1970};
use alliance_tests::opened::Opened;
use alliance_tests::people::{PASSPHRASE, options};
use alliance_tests::room::{Addresses, Room};
use serde_json::Value;

use day::{BACKLOG, CHOSEN, DAMAGED, Day, IN_1970, LEFT, MERGED, REACH};
use people::{Person, text};

/// What a phone does when its person taps "meet who is near".
const LAN: [&str; 6] = ["sync", "--lan", "--interface", "wlan0", "--wait", "20"];
/// Bits that a phone at the edge of the hotspot sends: its backlog takes seconds, so that what happens when some of it has
/// arrived happens in the midst of it.
const EDGE_KILOBITS: u32 = 1_000;

/// Items of which some of the backlog are.
const SOME: u64 = 40;

/// A program on a phone that will end.
struct Running(Child);

impl Running {
    fn start(person: &Person) -> Self {
        let mut command = person.command(&[&LAN[..], &["--json"]].concat());
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Its status, and every object that it said.
    fn ended(self) -> (i32, Vec<Value>) {
        let output = self.0.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap_or(-1), said.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// What a program said of each exchange that came to its end.
fn reports(said: &[Value]) -> Vec<Value> {
    said.iter().filter_map(|value| value["reports"].as_array()).flatten().cloned().collect()
}

/// Everything that came from somebody in the exchanges of these reports: items, and bytes of our protocol.
fn from_person(reports: &[Value], name: &str) -> (u64, u64) {
    let number = |report: &Value, field: &str| report[field].as_u64().unwrap();
    let theirs = reports.iter().filter(|report| report["peer"] == name);
    theirs.fold((0, 0), |sum, it| (sum.0 + number(it, "received"), sum.1 + number(it, "bytes_down")))
}

fn notes(person: &Person, space: &str) -> usize {
    let export = person.json(&["export", "--space", space]);
    let documents = export["spaces"][0]["documents"].as_array().unwrap();
    documents.iter().filter(|document| document["type"] == "note").count()
}

/// What the sync screen says of a space: entries that nobody else has, and how many of the others have everything.
fn lacks(person: &Person, space: &str) -> (u64, u64) {
    let status = person.json(&["status"])["status"].clone();
    let spaces = status["spaces"].as_array().unwrap();
    let delivery = &spaces.iter().find(|it| it["space"] == space).unwrap()["delivery"];
    assert_eq!((&delivery["of_devices"], &delivery["drafts"]), (&1.into(), &0.into()), "{delivery}");
    (delivery["unsent"].as_u64().unwrap(), delivery["on_devices"].as_u64().unwrap())
}

/// All nine meet. One leaves the hotspot and one is killed when some of what they bring has arrived; the others are done.
fn the_meeting(day: &mut Day) -> Vec<Value> {
    let sam = day.sam.start(&LAN);
    let mut running: Vec<Option<Running>> = day.workers.iter().map(|it| Some(Running::start(&it.person))).collect();
    let mut said: Vec<Value> = Vec::new();
    let mut gone = 0;
    // What arrived is counted by his program; what follows is on its way still.
    while !said.last().is_some_and(|last| last["reports"].is_array()) {
        let next = sam.next();
        if next["event"]["name"] == "received" && next["event"]["items"].as_u64().unwrap() >= SOME {
            if next["event"]["space"] == day.workers[REACH].space && gone & 1 == 0 {
                gone |= 1;
                day.workers[REACH].phone.set_link(false);
            }
            if next["event"]["space"] == day.workers[LEFT].space && gone & 2 == 0 {
                gone |= 2;
                running[LEFT].take().unwrap().kill();
            }
        }
        said.push(next);
    }
    assert_eq!((gone, sam.ended()), (3, 0), "both were cut off in the midst of it: {said:?}");
    for (at, running) in running.into_iter().enumerate().filter_map(|(at, it)| Some((at, it?))) {
        let (status, said) = running.ended();
        let reports = reports(&said);
        if at == REACH {
            // Alone with what it did not get rid of, it says so.
            assert_ne!(status, 0, "{said:?}");
            continue;
        }
        assert!(status == 0 && reports.iter().any(|it| it["peer"] == "Sam" && it["settled"] == true), "{at}: {said:?}");
        let suspect = reports.iter().any(|report| report["clock_suspect"] == true);
        assert_eq!(suspect, at == IN_1970, "CLOCK_SUSPECT, and only there: {said:?}");
    }
    reports(&said)
}

/// What arrived of those who dropped out, and what everybody is told is missing.
fn in_the_midst(day: &Day) -> [usize; 2] {
    let mut arrived = [0; 2];
    for (at, worker) in day.workers.iter().enumerate() {
        let (unsent, on_devices) = lacks(&worker.person, &worker.space);
        let (his, _) = lacks(&day.sam, &worker.space);
        if at == REACH || at == LEFT {
            // Killed, it has everything that it had.
            let own = notes(&worker.person, &worker.space);
            assert!(own >= BACKLOG + 2, "{}: {own}", worker.name);
            // Beside the backlog: of before, of the day, and his own.
            let there = notes(&day.sam, &worker.space) - 3;
            assert!(0 < there && there < BACKLOG, "{}: {there} is neither nothing nor all", worker.name);
            assert!(unsent > 0 && on_devices == 0, "{}: {unsent}", worker.name);
            arrived[at] = there;
        } else {
            assert_eq!((unsent, his), (0, 0), "{}", worker.name);
            assert!(on_devices == 1, "{}", worker.name);
        }
    }
    println!("of {BACKLOG} each, {arrived:?} had arrived");
    arrived
}

/// Those who dropped out come again: what follows is what was missing, and nothing twice.
fn the_rest(day: &Day, before: [usize; 2], bytes_of_all: u64) {
    day.workers[REACH].phone.set_link(true);
    let both = [REACH, LEFT].map(|at| Running::start(&day.workers[at].person));
    let sam = Running::start(&day.sam);
    for running in both {
        let (status, said) = running.ended();
        assert_eq!(status, 0, "{said:?}");
    }
    let (status, said) = sam.ended();
    assert_eq!(status, 0, "{said:?}");
    for at in [REACH, LEFT] {
        let worker = &day.workers[at];
        // Notes beside the backlog: of the day, and of before, which both had.
        assert_eq!(notes(&day.sam, &worker.space), BACKLOG + 3, "{}", worker.name);
        let (items, bytes) = from_person(&reports(&said), &worker.name);
        let missing = (BACKLOG - before[at]) as u64;
        println!("{}: {items} items in {bytes} bytes, {missing} of the backlog were missing", worker.name);
        // Beside it: the rest of the day's entries, and receipts.
        assert!((missing..missing + 16).contains(&items), "{}: {items} items, {missing} missing", worker.name);
        assert!(bytes < bytes_of_all, "{}: {bytes} of {bytes_of_all} bytes", worker.name);
        assert_eq!(lacks(&worker.person, &worker.space).0, 0);
    }
}

/// What waits for the supervisor, space by space.
fn the_inbox(day: &Day) {
    let inbox = day.sam.json(&["inbox"])["inbox"].as_array().unwrap().clone();
    assert_eq!(inbox.len(), day.workers.len(), "each alliance has something");
    for (at, worker) in day.workers.iter().enumerate() {
        let waits = inbox.iter().find(|waits| waits["space"] == worker.space).unwrap();
        let count = |list: &str| waits[list].as_array().unwrap().len();
        let ids = |list: &str| -> Vec<String> {
            waits[list].as_array().unwrap().iter().map(|row| text(&row["document"]).to_owned()).collect()
        };
        let merged = usize::from(at == MERGED);
        let expected = (2 * merged, merged, usize::from(at == DAMAGED));
        assert_eq!((count("changed_by_both"), count("needs_choice"), count("parked")), expected, "{}", worker.name);
        if at == MERGED {
            // Of two texts all is kept; of two times somebody chooses.
            let (note, session) = &worker.before;
            assert!([note, session].iter().all(|id| ids("changed_by_both").contains(id)), "{waits}");
            assert_eq!(ids("needs_choice"), [session.as_str()]);
        }
        if at == DAMAGED {
            assert_eq!(ids("parked"), [worker.note.as_str()], "the one that is damaged, alone");
        }
        // What is kept back is not only new.
        let new = ids("new");
        assert_eq!(new.contains(&worker.note), at != DAMAGED, "{}", worker.name);
        let shown = day.sam.json(&["note", "show", &worker.note])["document"].clone();
        assert!(shown["view"].to_string().contains(&worker.word), "{}", worker.name);
        let parked = shown["parked"].as_array().unwrap().clone();
        assert_eq!(parked.len(), usize::from(at == DAMAGED), "{parked:?}");
    }
}

/// A clock in 1970 moves nothing: the dates are those that people chose, and what was written later stands later.
fn the_clock(day: &Day) {
    let worker = &day.workers[IN_1970];
    for person in [&day.sam, &worker.person] {
        let shown = person.json(&["note", "show", &worker.note])["document"]["view"].clone();
        assert_eq!(shown["date"], CHOSEN);
        let words = people::whole_section(person, &worker.before.0, "focus");
        assert_eq!(words.split_whitespace().collect::<Vec<_>>(), ["his", "hers"], "in the order in which they read");
    }
}

/// Nothing of a worker is on another's phone; all of it is on the supervisor's.
async fn who_has_what(day: &Day) {
    let his = Opened::of(&day.sam.store).await;
    for worker in &day.workers {
        let hers = Opened::of(&worker.person.store).await;
        for other in &day.workers {
            let own = other.name == worker.name;
            let (_, entries) = hers.count(&other.word);
            assert_eq!(entries > 0, own, "{} has {} entries of {}", worker.name, entries, other.name);
        }
        assert!(his.count(&worker.word).1 > 0, "the control: {}", worker.name);
    }
}

/// Both give out the same bytes of what they share.
async fn exports(day: &Day) {
    let on: CivilDate = "2026-12-20".parse().unwrap();
    let open = async |person: &Person| Client::open(&person.store, PASSPHRASE, options()).await.unwrap();
    let sam = open(&day.sam).await;
    for worker in &day.workers {
        let hers = open(&worker.person).await;
        let space = worker.space.parse().unwrap();
        let one = sam.export_space(space, on, "").await.unwrap();
        let other = hers.export_space(space, on, "").await.unwrap();
        let text = String::from_utf8(one.space).unwrap();
        assert!(text.contains(&worker.word), "{}", worker.name);
        assert_eq!(text, String::from_utf8(other.space).unwrap(), "{}", worker.name);
        hers.close().await.unwrap();
    }
    sam.close().await.unwrap();
}

#[test]
#[ignore = "needs namespaces; .ci/run"]
fn a_field_day_of_eight_workers() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut room = Room::new("day", Addresses::V4);
    let calendar = Calendar::new(to_1970());
    let mut day = runtime.block_on(Day::before(&mut room));
    day.apart(&calendar, &runtime);
    for at in [REACH, LEFT] {
        day.workers[at].phone.slow(EDGE_KILOBITS);
    }
    assert_eq!(day.sam.json(&["inbox"])["inbox"], serde_json::json!([]), "the control: nothing waits yet");
    the_meeting(&mut day);
    let arrived = in_the_midst(&day);
    the_rest(&day, arrived, day.backlog_bytes);
    the_inbox(&day);
    the_clock(&day);
    runtime.block_on(async {
        day.older_app().await;
        who_has_what(&day).await;
        exports(&day).await;
    });
}
