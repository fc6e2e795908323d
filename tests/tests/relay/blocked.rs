//! Networks that let no UDP through: a relay is reached over TLS on TCP, says so, and is met over QUIC again as soon as
//! that works. What answers in its place learns nothing and loses nothing.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::net::SocketAddr;
use std::time::Duration;

use alliance_client::{DocumentId, Fallback, Options, Progress, SpaceId, SyncReport, Transport};
use alliance_model::DocumentKind;
use alliance_net::RelayAddress;
use alliance_relay::Config;
use alliance_tests::people::{Person, options, pair_up};
use alliance_tests::proxy::{Link, Proxy, Way};
use alliance_tests::random::Random;
use alliance_tests::relay::{Site, hashes, open, watched};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Nothing gets through.
const BLOCKED: Link = Link { loss_per_mille: 1_000, ..Link::DIRECT };
/// 500 kB a second: what is large is under way for a while.
const NARROW: Link = Link { bits_per_second: Some(4_000_000), ..Link::DIRECT };

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn with_tcp(config: &mut Config) {
    open(config);
    config.listen_tcp = Some(anywhere());
}

/// A relay with both listeners, and a link that lies before the one for UDP.
struct Place {
    site: Site,
    udp: Proxy,
    port: u16,
}

impl Place {
    async fn start() -> Self {
        let site = Site::start(with_tcp).await;
        let udp = Proxy::start(site.relay().local_addr().unwrap(), Link::DIRECT).unwrap();
        let port = site.relay().local_tcp_addr().unwrap().unwrap().port();
        Self { site, udp, port }
    }

    fn address(&self) -> String {
        RelayAddress::new(self.site.address().key(), self.udp.address().to_string()).unwrap().to_string()
    }

    /// A person who tries this port over TCP.
    async fn person(&self, name: &str, port: u16) -> Person {
        // Long enough that the machine is never what UDP did not answer for.
        let head_start = Duration::from_millis(1_000);
        let fallback = Fallback {
            port,
            head_start,
            head_start_blocked: head_start,
            silence: Duration::from_millis(800),
            look_again: Duration::from_millis(500),
        };
        Person::with(name, Options { fallback, ..options() }).await
    }

    /// Two people who share a space and a note; all of it over QUIC.
    async fn pair(&self) -> (Person, Person, SpaceId, DocumentId) {
        let (ben, amina) = (self.person("Ben", self.port).await, self.person("Amina", self.port).await);
        ben.client.add_relay(&self.address(), None).await.unwrap();
        let spaces = pair_up(&ben, &amina, 1).await;
        let note = ben.client.create_document(spaces[0], DocumentKind::Note).await.unwrap();
        assert_eq!(sync(&ben).await, Transport::QUIC);
        (ben, amina, spaces[0], note)
    }
}

async fn sync(person: &Person) -> Transport {
    person.sync().await.transport.expect("a relay was met")
}

/// What the store says that the last contact was over.
async fn said(person: &Person) -> Option<Transport> {
    person.client.status().await.unwrap().relays[0].transport
}

#[tokio::test]
async fn where_udp_is_blocked_a_relay_is_met_over_tcp_until_it_works_again() {
    watched(async {
        let mut place = Place::start().await;
        let (ben, amina, _, note) = place.pair().await;
        assert_eq!(said(&ben).await, Some(Transport::QUIC));
        place.udp.set_link(BLOCKED);
        drop(place.udp.take());
        // Ben has a ticket, so that his first words go out before anybody has answered. Amina's process is new.
        ben.write(note, 0, "From behind a wall. ").await;
        assert_eq!(sync(&ben).await, Transport::TCP_UNANSWERED);
        let mut amina = amina;
        amina.reopen().await;
        amina.client.dial_tcp_at(place.port);
        assert_eq!(sync(&amina).await, Transport::TCP_UNANSWERED);
        assert_eq!(amina.text(note).await, "From behind a wall. ");
        assert_eq!([said(&ben).await, said(&amina).await], [Some(Transport::TCP_UNANSWERED); 2]);
        let counts = place.udp.take();
        // A goodbye of the time before may still have come, and was lost like all else.
        let lost = (counts.lost_up, counts.lost_down);
        let sent = (counts.datagrams(Way::Up), counts.datagrams(Way::Down));
        assert!(lost.0 > 1 && sent == lost, "UDP was tried, and was blocked: {counts:?}");
        // Again behind the wall, and what the process knows by now does no harm.
        assert_eq!(sync(&ben).await, Transport::TCP_UNANSWERED);
        place.udp.set_link(Link::DIRECT);
        ben.write(note, 0, "The wall is gone. ").await;
        assert_eq!((sync(&ben).await, sync(&amina).await), (Transport::QUIC, Transport::QUIC));
        assert_eq!(amina.text(note).await, "The wall is gone. From behind a wall. ");
        assert_eq!(said(&ben).await, Some(Transport::QUIC));
        place.site.stop().await;
    })
    .await;
}

/// Writes what takes a second and more on a narrow link; nothing of it compresses.
async fn write_much(person: &Person, space: SpaceId, random: &mut Random) -> Vec<DocumentId> {
    let mut notes = Vec::new();
    for _ in 0..80 {
        let note = person.client.create_document(space, DocumentKind::Note).await.unwrap();
        let text: String = (0..250).map(|_| format!("{:032x}", u128::from_be_bytes(random.bytes16()))).collect();
        person.write(note, 0, &text).await;
        notes.push(note);
    }
    person.client.seal_all().await.unwrap();
    notes
}

/// Syncs, and blocks UDP in the midst of it, when this first happens.
async fn sync_and_block(person: &Person, udp: &Proxy, when: fn(&Progress) -> bool) -> SyncReport {
    let mut blocked = false;
    let hear = |progress: Progress| {
        if !blocked && when(&progress) {
            udp.set_link(BLOCKED);
            blocked = true;
        }
    };
    let mut reports = person.client.sync_once(hear).await.unwrap();
    assert!(blocked, "the fault never fired");
    let report = reports.pop().unwrap();
    assert!(report.settled && report.diverged == 0, "{report:?}");
    report
}

#[tokio::test]
async fn a_sync_whose_udp_dies_is_completed_over_tcp() {
    watched(async {
        let seed = 7;
        println!("seed {seed}");
        let mut place = Place::start().await;
        let (ben, amina, space, _) = place.pair().await;
        let notes = write_much(&ben, space, &mut Random::new(seed)).await;
        place.udp.set_link(NARROW);
        let up = sync_and_block(&ben, &place.udp, |progress| matches!(progress, Progress::Acknowledged { .. })).await;
        assert_eq!(up.transport, Some(Transport::TCP_SILENT), "{up:?}");
        place.udp.set_link(NARROW);
        let down = sync_and_block(&amina, &place.udp, |progress| matches!(progress, Progress::Received { .. })).await;
        assert_eq!(down.transport, Some(Transport::TCP_SILENT), "{down:?}");
        assert!(down.received > 0, "some came before, and some over TCP");
        assert_eq!(said(&amina).await, Some(Transport::TCP_SILENT));
        for note in notes {
            assert_eq!(amina.text(note).await, ben.text(note).await);
        }
        // Everything is there, and nothing twice, wherever the line broke.
        let wanted = hashes(ben.client.replica(), space).await;
        for replica in [amina.client.replica(), place.site.relay().replica()] {
            let mut found = hashes(replica, space).await;
            let all = found.len();
            found.dedup();
            assert_eq!(found.len(), all, "something was stored twice");
            assert!(wanted.iter().all(|hash| found.binary_search(hash).is_ok()), "something is missing");
        }
        place.site.stop().await;
    })
    .await;
}

/// Answers whatever comes with a page, as a captive portal does; the port.
async fn portal() -> u16 {
    let listener = TcpListener::bind(anywhere()).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let page = b"HTTP/1.1 511 Network Authentication Required\r\n\r\n<html>Sign in, please</html>";
            // Who has gone meanwhile is not served.
            let _ = stream.read(&mut [0; 2_000]).await;
            let _ = stream.write_all(page).await;
        }
    });
    port
}

/// What a person is told whose sync fails.
async fn fails(person: &Person) -> String {
    person.client.sync_once(|_| ()).await.unwrap_err().code().to_owned()
}

#[tokio::test]
async fn who_answers_in_the_relays_place_is_named_and_loses_nothing() {
    watched(async {
        let mut place = Place::start().await;
        let foreign = Site::start(with_tcp).await;
        let foreign_port = foreign.relay().local_tcp_addr().unwrap().unwrap().port();
        let (ben, amina, _, note) = place.pair().await;
        ben.write(note, 0, "Kept. ").await;
        place.udp.set_link(BLOCKED);
        ben.client.dial_tcp_at(portal().await);
        // With a ticket, and, in a new process, without.
        assert_eq!(fails(&ben).await, "NETWORK_INTERCEPTED");
        let mut ben = ben;
        ben.reopen().await;
        ben.client.dial_tcp_at(portal().await);
        assert_eq!(fails(&ben).await, "NETWORK_INTERCEPTED");
        // A relay, but not the pinned one: it saw nobody.
        ben.client.dial_tcp_at(foreign_port);
        assert_eq!(fails(&ben).await, "WRONG_RELAY_KEY");
        assert_eq!(foreign.relay().stats().await.unwrap().accepted, 0);
        let status = ben.client.status().await.unwrap();
        assert!(status.spaces[0].delivery.unsent > 0, "{:?}", status.spaces);
        assert_eq!(status.relays[0].transport, Some(Transport::QUIC), "that was the last contact");
        // The control, and the later success: the same with the relay's own port.
        let before = place.site.relay().stats().await.unwrap().accepted;
        ben.client.dial_tcp_at(place.port);
        assert_eq!(sync(&ben).await, Transport::TCP_UNANSWERED);
        assert_eq!(place.site.relay().stats().await.unwrap().accepted, before + 1);
        assert_eq!(sync(&amina).await, Transport::TCP_UNANSWERED);
        assert_eq!(amina.text(note).await, "Kept. ");
        place.site.stop().await;
    })
    .await;
}

/// Waits until the store says that the relay was last met over this.
async fn until(person: &Person, transport: Transport) {
    let mut changes = person.client.changes();
    while said(person).await != Some(transport) {
        tokio::select! {
            _ = changes.recv() => {}
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
    }
}

#[tokio::test]
async fn a_live_line_on_tcp_goes_back_to_quic() {
    watched(async {
        let mut place = Place::start().await;
        let (ben, amina, _, note) = place.pair().await;
        place.udp.set_link(BLOCKED);
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let client = ben.client.clone();
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let hear = move |progress: Progress| {
            // At the end nobody listens any more.
            let _ = tell.send(progress);
        };
        let live = tokio::spawn(async move { client.sync_live(stopped, hear).await });
        until(&ben, Transport::TCP_UNANSWERED).await;
        place.udp.set_link(Link::DIRECT);
        until(&ben, Transport::QUIC).await;
        // What was said before that was said over TCP.
        while told.try_recv().is_ok() {}
        ben.write(note, 0, "Both ways. ").await;
        ben.client.seal_all().await.unwrap();
        while !matches!(told.recv().await, Some(Progress::Acknowledged { .. })) {}
        // And away again under an open line: what is written arrives.
        place.udp.set_link(BLOCKED);
        ben.write(note, 0, "Still here. ").await;
        ben.client.seal_all().await.unwrap();
        until(&ben, Transport::TCP_SILENT).await;
        stop.send_replace(true);
        live.await.unwrap().unwrap();
        assert_eq!(sync(&amina).await, Transport::TCP_UNANSWERED);
        assert_eq!(amina.text(note).await, "Still here. Both ways. ");
        place.site.stop().await;
    })
    .await;
}
