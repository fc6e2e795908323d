//! Phones on a hotspot without internet: each is a process of its own in a network namespace of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use alliance_client::Client;
use alliance_model::DocumentKind;
use alliance_tests::hostile::{admit, group};
use alliance_tests::people::insert;
use alliance_tests::room::{Addresses, Phone, Room};
use serde_json::Value;

use crate::people::{Person, text};

/// A group whose people have stores, each with a note; each on a phone of the room.
fn people(room: &mut Room, names: &[&str]) -> Vec<(Person, Phone)> {
    let people: Vec<Person> = names.iter().map(|_| Person::without_store(alliance_tests::people::PASSPHRASE)).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut clients: Vec<Client> = Vec::new();
        for (name, person) in names.iter().zip(&people) {
            let options = alliance_tests::people::options();
            let made = Client::create(&person.store, alliance_tests::people::PASSPHRASE, name, None, options).await;
            clients.push(made.unwrap().0);
        }
        let space = group(&clients[0]).await;
        for other in &clients[1..] {
            admit(&clients[0], space, other).await;
        }
        for (name, client) in names.iter().zip(&clients) {
            let note = client.create_document(space, DocumentKind::Note).await.unwrap();
            client.command(note, None, insert(0, &format!("{name} was here. "))).await.unwrap();
            client.close().await.unwrap();
        }
    });
    people
        .into_iter()
        .map(|person| {
            let phone = room.phone();
            (person.by(phone.prefix()), phone)
        })
        .collect()
}

/// A program that runs beside others.
struct Running(Child);

impl Running {
    fn start(person: &Person, arguments: &[&str]) -> Self {
        let mut command = person.command(&[arguments, &["--json"]].concat());
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Its status, its last object, and everything that it said.
    fn ended(self) -> (i32, Value, String) {
        let output = self.0.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let mut near = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let near = near.rfind(|value| value["near"].is_object()).unwrap_or_default();
        (output.status.code().unwrap_or(-1), near["near"].clone(), said)
    }
}

fn met(near: &Value) -> Vec<String> {
    let people = near["people"].as_array().cloned().unwrap_or_default();
    let mut names: Vec<String> = people.iter().map(|person| text(&person["name"]).to_owned()).collect();
    names.sort_unstable();
    names
}

/// How many notes somebody has, whosever they are.
fn notes(person: &Person) -> usize {
    person.json(&["note", "list"])["documents"].as_array().unwrap().len()
}

const LAN: [&str; 6] = ["sync", "--lan", "--interface", "wlan0", "--wait", "15"];

fn all_find_each_other(name: &str, addresses: Addresses) {
    let mut room = Room::new(name, addresses);
    let names = ["Amina", "Ben", "Chidi", "Dana"];
    let people = people(&mut room, &names);
    let running: Vec<Running> = people.iter().map(|(person, _)| Running::start(person, &LAN)).collect();
    for (own, running) in names.iter().zip(running) {
        let (status, near, said) = running.ended();
        let others: Vec<&str> = names.iter().copied().filter(|name| name != own).collect();
        assert_eq!((status, met(&near)), (0, others.iter().map(|name| (*name).to_owned()).collect()), "{own}: {said}");
    }
    for (own, (person, _)) in names.iter().zip(&people) {
        assert_eq!(notes(person), names.len(), "{own} has everybody's");
    }
}

#[test]
#[ignore = "needs namespaces; .ci/run"]
fn rooms_with_ipv4_alone() {
    all_find_each_other("four", Addresses::V4);
}

#[test]
#[ignore = "needs namespaces; .ci/run"]
fn rooms_with_ipv6_alone() {
    all_find_each_other("six", Addresses::V6);
}

#[test]
#[ignore = "needs namespaces; .ci/run"]
fn rooms_where_multicast_is_blocked() {
    let mut room = Room::new("mute", Addresses::V4);
    let people = people(&mut room, &["Amina", "Ben"]);
    let [(amina, her_phone), (ben, his_phone)] = people.as_slice() else { unreachable!("two people") };
    her_phone.block_multicast();
    his_phone.block_multicast();
    // Nobody is found: the program says so, and what to do.
    let short = ["sync", "--lan", "--interface", "wlan0", "--wait", "4"];
    let running = [amina, ben].map(|person| Running::start(person, &short));
    for running in running {
        let (status, near, said) = running.ended();
        assert_eq!((status, met(&near)), (10, vec![]), "{said}");
        assert!(said.contains("NOBODY_NEAR"), "{said}");
    }
    // The address that Amina reads aloud is enough.
    let listening = amina.start(&["sync", "--listen", "0.0.0.0:4460"]);
    listening.next();
    let address = format!("{}:4460", her_phone.v4());
    let (status, near, said) = Running::start(ben, &["sync", "--address", &address]).ended();
    assert_eq!((status, met(&near)), (0, vec!["Amina".to_owned()]), "{said}");
    assert_eq!(listening.stop(), 0);
    assert_eq!((notes(amina), notes(ben)), (2, 2));
}

#[test]
#[ignore = "needs namespaces; .ci/run"]
fn rooms_with_a_bad_phone() {
    let mut room = Room::new("bad", Addresses::Both);
    let people = people(&mut room, &["Amina", "Ben", "Chidi"]);
    let bad = room.phone();
    let mut neighbour = bad_neighbour(&bad);
    let running: Vec<Running> = people.iter().map(|(person, _)| Running::start(person, &LAN)).collect();
    for running in running {
        let (status, near, said) = running.ended();
        assert_eq!((status, met(&near).len()), (0, 2), "{said}");
    }
    for (person, _) in &people {
        assert_eq!(notes(person), 3);
    }
    let still = neighbour.try_wait().unwrap();
    assert!(still.is_none(), "the bad phone did its worst until the end: {still:?}");
    neighbour.kill().unwrap();
    neighbour.wait().unwrap();
}

/// Somebody who announces what is not there, answers with garbage, hangs, and floods.
fn bad_neighbour(phone: &Phone) -> Child {
    let program = alliance_tests::binaries().alliance.with_file_name("alliance-bad-neighbour");
    assert!(Path::new(&program).is_file(), "built with the other programs");
    let mut command: Command = phone.command(program);
    let mut child = command.arg(phone.v4()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.as_mut().unwrap()), &mut line).unwrap();
    assert_eq!(line, "begun\n");
    child
}

/// `alliance peers` names who shares a space, and counts the others.
#[test]
#[ignore = "needs namespaces; .ci/run"]
fn rooms_say_who_is_near() {
    let mut room = Room::new("peer", Addresses::V4);
    let people = people(&mut room, &["Amina", "Ben"]);
    let eve = Person::new("Eve").by(room.phone().prefix());
    let look = ["peers", "--interface", "wlan0", "--wait", "15"];
    let running = [&people[0].0, &people[1].0, &eve].map(|person| Running::start(person, &look));
    let [amina, ben, stranger] = running.map(|running| running.ended());
    assert_eq!((amina.0, met(&amina.1), &amina.1["strangers"]), (0, vec!["Ben".into()], &1.into()), "{}", amina.2);
    assert_eq!((ben.0, met(&ben.1), &ben.1["strangers"]), (0, vec!["Amina".into()], &1.into()), "{}", ben.2);
    assert_eq!((stranger.0, met(&stranger.1), &stranger.1["strangers"]), (0, vec![], &2.into()), "{}", stranger.2);
    // Nothing was exchanged.
    assert_eq!((notes(&people[0].0), notes(&people[1].0)), (1, 1));
}

/// A supervisor's visit carries everybody's: two groups of phones that never meet, and one that goes round.
#[test]
#[ignore = "needs namespaces; .ci/run"]
fn rooms_are_joined_by_who_visits_them() {
    let mut room = Room::new("way", Addresses::V4);
    let people = people(&mut room, &["Sam", "Amina", "Ben"]);
    let [(sam, _), (amina, her_phone), (ben, his_phone)] = people.as_slice() else { unreachable!("three people") };
    for (here, away) in [(amina, his_phone), (ben, her_phone), (amina, his_phone)] {
        away.set_link(false);
        let running = [sam, here].map(|person| Running::start(person, &LAN));
        for running in running {
            let (status, near, said) = running.ended();
            assert_eq!((status, met(&near).len()), (0, 1), "{said}");
        }
        away.set_link(true);
    }
    for person in [sam, amina, ben] {
        assert_eq!(notes(person), 3);
    }
}
