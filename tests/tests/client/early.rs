//! Speaking in the first packet (0-RTT): how many flights a contact takes, and that nothing is lost or doubled by it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use alliance_client::{NewSpace, Options, SyncReport};
use alliance_model::DocumentKind;
use alliance_tests::flights::{Counts, Way};
use alliance_tests::people::{Person, hear, options, pair_up};
use alliance_tests::relay::{Site, open, watched};
use tokio::net::UdpSocket;

/// As many spaces as name their cursors in a Hello.
const SPACES: usize = 32;
/// A datagram that begins a connection is filled up to this.
const FIRST_DATAGRAM_BYTES: usize = 1_200;

/// A relay that devices reach through a way which counts.
async fn site_behind(way: &mut Way) -> Site {
    let public = way.address().to_string();
    let site = Site::start(|config| {
        open(config);
        config.public = Some(public);
    })
    .await;
    way.lead_to(site.relay().local_addr().unwrap()).await;
    site
}

/// A contact of which the relay is handed no more than the device's first `limit` flights.
async fn contact(person: &Person, way: &Way, limit: u32) -> (SyncReport, Counts) {
    way.count(limit);
    let report = person.sync().await;
    let counts = way.counted();
    println!(
        "{} flights; early: {}; {} bytes up, {} down; first flight: {:?} bytes; {} later datagrams dropped",
        counts.round_trips,
        report.early,
        report.bytes_up,
        report.bytes_down,
        counts.first_flight.iter().map(Vec::len).collect::<Vec<_>>(),
        counts.dropped
    );
    (report, counts)
}

/// A person with spaces in which something happened, none of it new to the relay.
async fn settled_person(site: &Site, options: Options) -> Person {
    let ben = Person::with("Ben", options).await;
    ben.client.add_relay(&site.address().to_string(), None).await.unwrap();
    for n in 0..SPACES {
        let space = ben.client.create_space(&format!("space {n}"), NewSpace::Pair).await.unwrap();
        let note = ben.client.create_document(space.space, DocumentKind::Note).await.unwrap();
        ben.write(note, 0, "What happened.").await;
    }
    for _ in 0..2 {
        ben.sync().await;
    }
    ben
}

#[tokio::test]
async fn an_idle_contact_takes_one_flight_from_a_living_process_and_two_from_a_cold_one() {
    watched(async {
        let mut way = Way::new().await;
        way.count(u32::MAX);
        let mut site = site_behind(&mut way).await;
        let mut ben = settled_person(&site, options()).await;

        // Cold: a new process has no ticket. Its Hello follows the handshake, so fewer than two cannot be.
        ben.reopen().await;
        let (cold, counts) = contact(&ben, &way, 2).await;
        assert!(!cold.early, "{cold:?}");
        assert_eq!(counts.round_trips, 2);

        // Living: the relay is handed one flight, which is one datagram, and all is said. Twice, each on a ticket of its
        // own.
        for _ in 0..2 {
            let (living, counts) = contact(&ben, &way, 1).await;
            assert!(living.early, "{living:?}");
            assert_eq!(counts.round_trips, 1);
            let sizes: Vec<usize> = counts.first_flight.iter().map(Vec::len).collect();
            assert_eq!(sizes, [FIRST_DATAGRAM_BYTES]);
            assert!(living.bytes_up + living.bytes_down <= 200, "{living:?}");
            assert_eq!((living.received, living.documents_loaded), (0, 0));
        }

        // The control: the same process, the same tickets, early data off. The count is a cold one's.
        let store = ben.store();
        ben.client.close().await.unwrap();
        let late = Options { early_data: false, ..options() };
        ben.client = alliance_client::Client::open(&store, alliance_tests::people::PASSPHRASE, late).await.unwrap();
        for _ in 0..2 {
            let (off, counts) = contact(&ben, &way, 2).await;
            assert!(!off.early, "{off:?}");
            assert_eq!(counts.round_trips, 2);
        }
        site.stop().await;
    })
    .await;
}

/// What an idle contact costs in CPU time, client and relay together, and on the wire. The figures are printed, and the
/// time is the whole process's: it says something if this test runs alone. That they hold no document is asserted.
#[tokio::test]
async fn what_an_idle_contact_of_a_living_process_costs() {
    watched(async {
        const CONTACTS: u32 = 50;
        let mut site = Site::start(open).await;
        let ben = settled_person(&site, options()).await;
        let (mut early, before) = (0, cpu_millis());
        let mut last = SyncReport::default();
        for _ in 0..CONTACTS {
            last = ben.sync().await;
            early += u32::from(last.early);
            assert!(last.bytes_up + last.bytes_down <= 200, "{last:?}");
            assert_eq!((last.received, last.documents_loaded), (0, 0));
        }
        let spent = cpu_millis() - before;
        println!(
            "{CONTACTS} idle contacts with {SPACES} spaces, {early} early: {} ms of CPU each, client and relay; \
             UDP {} up, {} down until done",
            f64::from(spent) / f64::from(CONTACTS),
            last.udp_up,
            last.udp_down
        );
        assert!(early > 0);
        site.stop().await;
    })
    .await;
}

/// CPU time of this process so far, in milliseconds, in steps of ten.
fn cpu_millis() -> u32 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let fields: Vec<&str> = fields.split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<u32>().unwrap() * 10).sum()
}

/// What a relay holds of a space, and what the other member reads there, after a contact that began early.
#[tokio::test]
async fn early_entries_arrive_once_whether_the_relay_still_knows_the_ticket_or_not() {
    for kept in [true, false] {
        watched(async {
            let mut site = Site::start(open).await;
            let (ben, amina) = (Person::new("Ben").await, Person::new("Amina").await);
            ben.client.add_relay(&site.address().to_string(), None).await.unwrap();
            let space = pair_up(&ben, &amina, 1).await[0];
            let note = ben.client.create_document(space, DocumentKind::Note).await.unwrap();
            ben.write(note, 0, "Before.").await;
            ben.sync().await;
            let before = site.hashes(space).await.len();

            site.stop().await;
            if !kept {
                for suffix in ["", "-wal", "-shm"] {
                    let file = site.folder().join("data").join(format!("sessions.db{suffix}"));
                    assert!(std::fs::remove_file(&file).is_ok() || !suffix.is_empty(), "{}", file.display());
                }
            }
            site.open(open).await;

            // Not one entry but several, so that some go early behind the Hello.
            for n in 0..5 {
                ben.write(note, 0, &format!("Entry {n}. ")).await;
                ben.client.seal(note).await.unwrap();
            }
            let report = ben.sync().await;
            assert_eq!(report.early, kept, "{report:?}");
            let hashes = site.hashes(space).await;
            let mut distinct = hashes.clone();
            distinct.dedup();
            assert_eq!(hashes, distinct);
            assert_eq!(hashes.len(), before + 5);
            amina.sync().await;
            assert_eq!(amina.text(note).await, "Entry 4. Entry 3. Entry 2. Entry 1. Entry 0. Before.");
            // The next contact is early again: a refused ticket costs one round trip, once.
            assert!(ben.sync().await.early);
            site.stop().await;
        })
        .await;
    }
}

/// Somebody on the network sends a recorded first packet again.
#[tokio::test]
async fn a_repeated_first_packet_is_not_heard_twice() {
    watched(async {
        let mut way = Way::new().await;
        way.count(u32::MAX);
        let mut site = site_behind(&mut way).await;
        let ben = Person::new("Ben").await;
        ben.client.add_relay(&site.address().to_string(), None).await.unwrap();
        let space = ben.client.create_space("Ben's", NewSpace::Pair).await.unwrap().space;
        let note = ben.client.create_document(space, DocumentKind::Note).await.unwrap();
        ben.sync().await;

        let taken = site.relay().stats().await.unwrap().accepted;
        ben.write(note, 0, "Said once.").await;
        way.count(u32::MAX);
        assert!(ben.sync().await.early);
        let recorded = way.counted().first_flight;
        let held = site.hashes(space).await;
        // The control: what was recorded was heard the first time.
        assert_eq!(site.relay().stats().await.unwrap().accepted, taken + 1);

        // A relay that runs on knows the packet by its connection id; after a restart only the tickets remember.
        let public = way.address().to_string();
        site.stop().await;
        site.open(|config| {
            open(config);
            config.public = Some(public);
            // The old port is held until all that was under way has ended.
            config.listen.set_port(0);
        })
        .await;
        way.lead_to(site.relay().local_addr().unwrap()).await;
        let stranger = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
        stranger.connect(site.relay().local_addr().unwrap()).await.unwrap();
        for datagram in &recorded {
            stranger.send(datagram).await.unwrap();
        }
        // The relay answers as it answers anybody, with a handshake that needs the device's key.
        let mut answer = vec![0; 2_048];
        assert!(stranger.recv(&mut answer).await.unwrap() > 0);

        let report = ben.client.sync_once(hear).await.unwrap().pop().unwrap();
        assert!(report.settled && report.early, "{report:?}");
        assert_eq!(site.relay().stats().await.unwrap().accepted, 1);
        assert_eq!(site.hashes(space).await, held);
        site.stop().await;
    })
    .await;
}
