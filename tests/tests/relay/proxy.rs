//! The counting proxy: what enters a link is counted, and the link loses, delays and queues as it says.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::net::{SocketAddr, UdpSocket};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use alliance_net::RelayAddress;
use alliance_tests::people::{Person, pair_up};
use alliance_tests::proxy::{Counts, Flight, Link, Proxy, Way};
use alliance_tests::relay::{Site, open, watched};

/// Ends a test that hangs.
const HANG: Duration = Duration::from_secs(60);

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(HANG)).unwrap();
    socket
}

/// A peer that answers each datagram with its first half, until it is told to end by an empty one.
fn peer() -> (SocketAddr, JoinHandle<usize>) {
    let socket = socket();
    let address = socket.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut buffer, mut heard) = ([0; 2_000], 0);
        loop {
            let (len, from) = socket.recv_from(&mut buffer).unwrap();
            if len == 0 {
                return heard;
            }
            heard += 1;
            socket.send_to(&buffer[..len / 2], from).unwrap();
        }
    });
    (address, thread)
}

/// Datagrams that wait in a socket's buffer at most.
const BURST: u64 = 100;

/// Sends `count` datagrams of 100 bytes through a link and waits until all that got through are answered. How many got
/// lost on their way up and down.
fn lost(link: Link, count: u64) -> (u64, u64) {
    let (address, thread) = peer();
    let proxy = Proxy::start(address, link).unwrap();
    let device = socket();
    for n in 1..=count {
        device.send_to(&[1; 100], proxy.address()).unwrap();
        // The socket's buffers are not the link under test: what was sent is counted before more is sent.
        until(&proxy, |counts| counts.datagrams(Way::Up) == n);
        if n % BURST == 0 {
            until(&proxy, |counts| counts.datagrams(Way::Down) == n - counts.lost_up);
        }
    }
    until(&proxy, |counts| counts.datagrams(Way::Down) == count - counts.lost_up);
    let counts = proxy.counts();
    assert_eq!(counts.bytes(Way::Up), 100 * count, "lost ones were sent as well");
    assert_eq!(counts.bytes(Way::Down), 50 * (count - counts.lost_up));
    socket().send_to(&[], address).unwrap();
    assert_eq!(thread.join().unwrap() as u64, count - counts.lost_up);
    (counts.lost_up, counts.lost_down)
}

/// Looks until it is so; a link that never gets there ends at the deadline.
fn until(proxy: &Proxy, so: impl Fn(&Counts) -> bool) {
    let begun = Instant::now();
    while !so(&proxy.counts()) {
        assert!(begun.elapsed() < HANG, "{:?}", proxy.counts());
        std::thread::yield_now();
    }
}

#[test]
fn flights_are_runs_of_one_direction() {
    let (address, thread) = peer();
    let proxy = Proxy::start(address, Link::DIRECT).unwrap();
    let device = socket();
    for len in [100, 60] {
        device.send_to(&vec![1; len], proxy.address()).unwrap();
        assert_eq!(device.recv(&mut [0; 200]).unwrap(), len / 2);
    }
    device.send_to(&[1; 10], proxy.address()).unwrap();
    assert_eq!(device.recv(&mut [0; 200]).unwrap(), 5);
    let counts = proxy.take();
    let flight = |way, bytes| Flight { way, datagrams: 1, bytes };
    let wanted = [(Way::Up, 100), (Way::Down, 50), (Way::Up, 60), (Way::Down, 30), (Way::Up, 10), (Way::Down, 5)];
    assert_eq!(counts.flights, wanted.map(|(way, bytes)| flight(way, bytes)));
    assert_eq!((counts.round_trips(), counts.bytes(Way::Up), counts.bytes(Way::Down)), (3, 170, 85));
    assert_eq!(proxy.counts().flights, [], "taking begins anew");
    socket().send_to(&[], address).unwrap();
    assert_eq!(thread.join().unwrap(), 3);
}

#[test]
fn what_is_lost_follows_from_the_seed() {
    let lossy = |seed, loss_per_mille| Link { loss_per_mille, seed, ..Link::DIRECT };
    let (first, again, other) = (lost(lossy(7, 100), 400), lost(lossy(7, 100), 400), lost(lossy(8, 100), 400));
    println!("lost of 400 datagrams and their answers at 10 %: {first:?}, {again:?}, with another seed {other:?}");
    assert_eq!(first, again);
    assert_ne!(first, other);
    for lost in [first.0, first.1, other.0, other.1] {
        assert!((10..80).contains(&lost), "about 40 of 400");
    }
    assert_eq!(lost(lossy(7, 0), 400), (0, 0), "control: without loss all arrive");
}

#[test]
fn a_link_delays_and_its_queue_is_finite() {
    let slow = Link::with_round_trip(Duration::from_millis(80));
    let begun = Instant::now();
    assert_eq!(lost(slow, 10), (0, 0));
    // Not how fast the machine is, but that a link is never quicker than it says: the answers have entered it.
    assert!(begun.elapsed() >= slow.delay);
    // At 1,000 bytes a second, 500 may wait: of 100 datagrams at once most find the queue full.
    let narrow = Link { bits_per_second: Some(8_000), queue_bytes: 500, ..Link::DIRECT };
    let (full, _) = lost(narrow, 100);
    println!("lost of 100 datagrams at once on a narrow link: {full}");
    assert!(full > 0, "the queue is finite");
}

#[tokio::test]
async fn people_meet_over_a_link_that_loses() {
    watched(async {
        let mut site = Site::start(open).await;
        let relay: SocketAddr = site.address().address().parse().unwrap();
        let proxy = Proxy::start(relay, Link::DIRECT).unwrap();
        let address = RelayAddress::new(site.address().key(), proxy.address().to_string()).unwrap();
        let (ben, amina) = (Person::new("Ben").await, Person::new("Amina").await);
        ben.client.add_relay(&address.to_string(), None).await.unwrap();
        let spaces = pair_up(&ben, &amina, 2).await;
        let calm = proxy.take();
        assert_eq!((calm.lost_up, calm.lost_down), (0, 0));
        assert!(calm.bytes(Way::Up) > 5_000 && calm.bytes(Way::Down) > 2_000, "{calm:?}");
        proxy.set_link(Link { delay: Duration::from_millis(5), loss_per_mille: 100, seed: 3, ..Link::DIRECT });
        let note = ben.client.create_document(spaces[0], alliance_model::DocumentKind::Note).await.unwrap();
        for n in 0..8 {
            ben.write(note, 0, &format!("Line {n}. ")).await;
            ben.sync().await;
            amina.sync().await;
        }
        let counts = proxy.take();
        println!("lost: {} of {} datagrams up", counts.lost_up, counts.datagrams(Way::Up));
        println!("lost: {} of {} datagrams down", counts.lost_down, counts.datagrams(Way::Down));
        assert!(counts.lost_up > 0 && counts.lost_down > 0, "the fault never fired");
        assert_eq!(amina.text(note).await, ben.text(note).await);
        assert!(amina.text(note).await.contains("Line 7."));
        site.stop().await;
    })
    .await;
}
