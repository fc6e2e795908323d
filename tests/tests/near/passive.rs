//! What somebody learns who only listens to multicast: that somebody looks for others, and nothing by which to know
//! again who that is. The same check finds what an announcer tells that does not take care.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use alliance_client::Nearby;
use alliance_tests::hostile::{admit, group};
use alliance_tests::multicast::{Data, Eavesdropper, announcement, parse};
use alliance_tests::people::{Person, hear};
use alliance_tests::relay::watched;
use alliance_tests::room::{Addresses, Room};
use tokio::sync::watch;

const SERVICE: &str = "_d1._udp.local";

/// What must never be on the network: names, the product, ids.
fn secrets(names: &[&str], ids: &[Vec<u8>]) -> Vec<(String, Vec<u8>)> {
    let words = names.iter().copied().chain(["alliance", "supervis"]).map(|word| (word.to_owned(), word.into()));
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let ids = ids.iter().flat_map(|id| {
        // Eight bytes are enough to know it again.
        let short = id[..8].to_vec();
        [(format!("id {}", hex(&short)), short.clone()), (format!("hex of {}", hex(&short)), hex(&short).into_bytes())]
    });
    words.chain(ids).collect()
}

/// An instance as it was announced.
#[derive(Debug, Default, Clone)]
struct Announced {
    ports: BTreeSet<u16>,
    hosts: BTreeSet<String>,
}

/// Everything that the packets tell and should not; and how many instances there were.
fn leaks(packets: &[Vec<u8>], secrets: &[(String, Vec<u8>)]) -> (BTreeSet<String>, usize) {
    let mut found = BTreeSet::new();
    let mut instances: BTreeMap<String, Announced> = BTreeMap::new();
    for packet in packets {
        let lower = packet.to_ascii_lowercase();
        for (what, bytes) in secrets {
            let bytes = bytes.to_ascii_lowercase();
            if lower.windows(bytes.len()).any(|window| window == bytes) {
                found.insert(format!("tells {what}"));
            }
        }
        let Some((_, records)) = parse(packet) else { continue };
        for record in records {
            match record.data {
                Data::Instance(instance) if record.name.eq_ignore_ascii_case(SERVICE) => {
                    instances.entry(instance).or_default();
                }
                Data::Place(port, host) => {
                    let announced = instances.entry(record.name).or_default();
                    announced.ports.insert(port);
                    announced.hosts.insert(host);
                }
                Data::Texts(texts) if !texts.is_empty() => {
                    found.insert("has texts".to_owned());
                }
                Data::Instance(_) | Data::Texts(_) | Data::Bytes(_) => {}
            }
        }
    }
    // Two names are two devices, or one that turned: nothing may be common to them, and no name looks like another.
    let all: Vec<(&String, &Announced)> = instances.iter().collect();
    for (at, (name, one)) in all.iter().enumerate() {
        let label = name.split('.').next().unwrap_or_default();
        if label.len() != 32 || !label.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            found.insert(format!("a name that is not random: {label}"));
        }
        for (other_name, other) in &all[at + 1..] {
            if !one.ports.is_disjoint(&other.ports) {
                found.insert("a port of two names".to_owned());
            }
            if !one.hosts.is_disjoint(&other.hosts) {
                found.insert("a host of two names".to_owned());
            }
            let beginning = |name: &str| name.get(..6).map(str::to_owned);
            if beginning(name) == beginning(other_name) {
                found.insert("two names that begin alike".to_owned());
            }
        }
    }
    (found, instances.len())
}

/// An announcer that takes no care: its person's name, an id, one host and one port for ever.
fn careless(space: &[u8]) -> Vec<Vec<u8>> {
    let address = Ipv4Addr::new(10, 9, 0, 9);
    let id: String = space.iter().map(|byte| format!("{byte:02x}")).collect();
    let one = announcement(SERVICE, "Amina's phone", "amina.local", address, 4460, &["app=alliance"]);
    let two = announcement(SERVICE, "Amina's phone (2)", "amina.local", address, 4460, &[&format!("space={id}")]);
    vec![one, two]
}

/// The check, with packets that were handed to it.
#[test]
fn an_announcer_that_takes_no_care_is_found_out() {
    let space = [0x51; 16];
    let secrets = secrets(&["Amina"], &[space.to_vec()]);
    let (found, instances) = leaks(&careless(&space), &secrets);
    assert_eq!(instances, 2);
    for leak in ["tells Amina", "tells alliance", "has texts", "a port of two names", "a host of two names"] {
        assert!(found.contains(leak), "{leak}: {found:?}");
    }
    assert!(found.iter().any(|leak| leak.starts_with("tells hex of 5151")), "{found:?}");
    // The control of the control: two devices that take care.
    let careful = |byte: u8| {
        let name: String = (0..16).map(|at| format!("{:02x}", byte.wrapping_mul(at * 2 + 1))).collect();
        let host = format!("{name}.local").replace("00", "ff");
        announcement(SERVICE, &name, &host, Ipv4Addr::new(10, 9, 0, byte), 40_000 + u16::from(byte), &[])
    };
    let (found, instances) = leaks(&[careful(3), careful(91)], &secrets);
    assert_eq!((found, instances), (BTreeSet::new(), 2));
}

/// Two devices that look for each other and turn to other names every second, and somebody who listens meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs namespaces; .ci/run"]
async fn rooms_tell_a_listener_nothing() {
    watched(async {
        let room = Room::new("ear", Addresses::V4);
        let interface = room.join();
        let (amina, ben) = (Person::new("Amina").await, Person::new("Ben").await);
        let space = group(&amina.client).await;
        admit(&amina.client, space, &ben.client).await;
        let mut ids = vec![space.0.to_vec()];
        ids.extend([&amina, &ben].map(|person| person.client.whoami().device.0.to_vec()));
        let secrets = secrets(&["Amina", "Ben"], &ids);

        let ear = Eavesdropper::new(interface);
        let (over, mut done) = watch::channel(false);
        let listening = tokio::task::spawn_blocking(move || {
            let mut packets = Vec::new();
            while !*done.borrow_and_update() {
                packets.extend(ear.next());
            }
            packets
        });
        let near = Nearby {
            interfaces: vec![room.interface()],
            wait: Duration::from_secs(5),
            rotate: Duration::from_secs(1),
            ..Nearby::default()
        };
        let (_keep, stop) = watch::channel(false);
        let (hers, his) = tokio::join!(
            amina.client.sync_near(near.clone(), stop.clone(), hear),
            ben.client.sync_near(near, stop, hear)
        );
        over.send(true).unwrap();
        let packets = listening.await.unwrap();
        // They did find each other by what was heard.
        assert_eq!((hers.unwrap().people.len(), his.unwrap().people.len()), (1, 1));
        let (found, instances) = leaks(&packets, &secrets);
        println!("{} packets, {instances} names", packets.len());
        assert!(instances >= 6, "two devices, some turns each: {instances} of {} packets", packets.len());
        assert_eq!(found, BTreeSet::new());
        // The control: what a careless announcer says in the same room is heard, and found.
        let (found, _) = leaks(&[packets, careless(&space.0)].concat(), &secrets);
        assert!(found.contains("tells Amina") && found.contains("a port of two names"), "{found:?}");
    })
    .await;
}
