//! When a client connects: in the background never by itself, after a change of networks at once, within a given time,
//! and to all relays at the same time.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::net::UdpSocket;
use std::time::Duration;

use alliance_client::{Change, Client, Conditions, LinkState, Progress};
use alliance_net::RelayAddress;
use alliance_tests::people::{Met, Person};
use alliance_tests::proxy::{Link, Proxy};
use alliance_tests::relay::watched;
use alliance_wire::DeviceKey;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::Instant;

/// An address at which nothing ever answers.
struct Silent(UdpSocket);

impl Silent {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        Self(socket)
    }

    /// Its connect string, as a relay's.
    fn relay(&self) -> String {
        let key = DeviceKey([9; 32]);
        RelayAddress::new(key, self.0.local_addr().unwrap().to_string()).unwrap().to_string()
    }

    /// How many datagrams have come since the last call.
    fn datagrams(&self) -> usize {
        let mut buffer = [0; 2_048];
        std::iter::from_fn(|| self.0.recv(&mut buffer).ok()).count()
    }
}

/// Waits until the only link of a client is in a state that `wanted` picks something of.
async fn until<T>(
    client: &Client,
    changes: &mut broadcast::Receiver<Change>,
    wanted: impl Fn(&LinkState) -> Option<T>,
) -> T {
    loop {
        if changes.recv().await.unwrap() == Change::Links
            && let Some(found) = client.links().first().and_then(|link| wanted(&link.state))
        {
            return found;
        }
    }
}

fn connecting(state: &LinkState) -> Option<()> {
    (*state == LinkState::Connecting).then_some(())
}

fn waiting(state: &LinkState) -> Option<u64> {
    if let LinkState::Waiting { millis } = state { Some(*millis) } else { None }
}

/// A phone in a pocket: a day passes, and nobody asked for anything. The clock is the test's own.
#[tokio::test(start_paused = true)]
async fn nothing_is_sent_in_the_background_and_waits_grow_in_the_foreground() {
    let (amina, silent) = (Person::new("Amina").await, Silent::new());
    amina.client.add_relay(&silent.relay(), None).await.unwrap();
    let mut changes = amina.client.changes();
    let (stop, stopped) = watch::channel(false);
    let client = amina.client.clone();
    let live = tokio::spawn(async move { client.sync_live(stopped, |_| ()).await });
    // The control: while somebody looks, it is tried again and again, each time after a longer wait.
    let mut longest = 1_000;
    for attempt in 0..8 {
        until(&amina.client, &mut changes, connecting).await;
        let wait = until(&amina.client, &mut changes, waiting).await;
        println!("attempt {attempt}: {} datagrams, then a wait of {wait} ms", silent.datagrams());
        assert!((longest / 2..=longest).contains(&wait), "{wait} ms of at most {longest}");
        longest = (longest * 2).min(60_000);
    }
    // A new network ends the wait at once, and the waits begin anew.
    until(&amina.client, &mut changes, connecting).await;
    let wait = until(&amina.client, &mut changes, waiting).await;
    assert!(wait >= 30_000);
    let before = Instant::now();
    amina.client.network_changed().unwrap();
    until(&amina.client, &mut changes, connecting).await;
    assert_eq!(before.elapsed(), Duration::ZERO, "it waited for nothing");
    let wait = until(&amina.client, &mut changes, waiting).await;
    assert!(wait <= 1_000, "{wait} ms after a change of networks");
    let before = Instant::now();
    until(&amina.client, &mut changes, connecting).await;
    assert!(before.elapsed() >= Duration::from_millis(wait), "the control: without it, the wait passes");
    // Nobody looks any more.
    amina.client.set_conditions(Conditions { foreground: false, ..Conditions::default() });
    until(&amina.client, &mut changes, |state| (*state == LinkState::Resting).then_some(())).await;
    assert!(silent.datagrams() > 0, "the control: datagrams are counted");
    tokio::time::sleep(Duration::from_secs(24 * 3_600)).await;
    assert_eq!(silent.datagrams(), 0, "a day in the background");
    // And looks again.
    amina.client.set_conditions(Conditions::default());
    until(&amina.client, &mut changes, connecting).await;
    stop.send(true).unwrap();
    live.await.unwrap().unwrap();
    assert_eq!(amina.client.links()[0].state, LinkState::Ended);
}

/// A scheduler's moment ends before anybody answers: the sync ends with it, and says so.
#[tokio::test(start_paused = true)]
async fn a_sync_within_a_time_ends_in_time() {
    let (amina, silent) = (Person::new("Amina").await, Silent::new());
    amina.client.add_relay(&silent.relay(), None).await.unwrap();
    let began = Instant::now();
    let error = amina.client.sync_within(Duration::from_secs(5), |_| ()).await.unwrap_err();
    assert_eq!((error.code(), began.elapsed()), ("UNREACHABLE", Duration::from_millis(2_500)));
    let code = amina.client.links().into_iter().map(|link| link.state).next();
    assert_eq!(code, Some(LinkState::Failed { code: "UNREACHABLE" }));
    // The control: without an end, it is the dialler that gives up.
    let began = Instant::now();
    amina.client.sync_once(|_| ()).await.unwrap_err();
    println!("without an end it gives up after {:?}", began.elapsed());
    assert!(began.elapsed() > Duration::from_secs(5) && began.elapsed() < Duration::from_secs(60));
}

/// A relay that does not answer holds up no other.
#[tokio::test]
async fn all_relays_are_met_at_the_same_time() {
    watched(async {
        let Met { mut site, ben, amina, note, .. } = Met::over_a_note("One. ").await;
        let silent = Silent::new();
        amina.client.add_relay(&silent.relay(), None).await.unwrap();
        amina.write(note, 5, "Two. ").await;
        let (say, stop) = watch::channel(false);
        let hear = move |event| {
            if matches!(event, Progress::Settled) {
                say.send(true).unwrap();
            }
        };
        let reports = amina.client.sync_until(stop, hear).await.unwrap();
        assert_eq!(reports.len(), 1, "the one that answered");
        assert!(reports[0].settled && silent.datagrams() > 0, "both were asked: {reports:?}");
        ben.sync().await;
        assert_eq!(ben.text(note).await, "One. Two. ");
        site.stop().await;
    })
    .await;
}

/// There is no more time in the middle of an exchange: what came is kept, and the next sync brings the rest.
#[tokio::test]
async fn what_came_before_the_time_was_over_is_kept() {
    watched(async {
        let Met { mut site, ben, amina, note, .. } = Met::over_a_note("Begin. ").await;
        for n in 0..60 {
            amina.write(note, 0, &format!("{n} {} ", noise(n))).await;
            amina.client.seal_all().await.unwrap();
        }
        let up = amina.sync().await.bytes_up;
        // A line on which it takes longer than the end of a conversation may.
        let slow = Link { bits_per_second: Some(60_000), ..Link::with_round_trip(Duration::from_millis(20)) };
        let proxy = Proxy::start(site.relay().local_addr().unwrap(), slow).unwrap();
        let through = RelayAddress::new(site.address().key(), proxy.address().to_string()).unwrap();
        ben.client.add_relay(&through.to_string(), None).await.unwrap();
        let (say, stop) = watch::channel(false);
        let hear = move |event| {
            if matches!(event, Progress::Received { .. }) {
                say.send_replace(true);
            }
        };
        let first = ben.client.sync_until(stop, hear).await.unwrap().remove(0);
        assert!(!first.settled && first.received > 0, "it ended in the midst: {first:?}");
        assert_ne!(ben.text(note).await, "Begin. ", "what came is shown");
        proxy.set_link(Link::DIRECT);
        let second = ben.sync().await;
        assert_eq!(ben.text(note).await, amina.text(note).await);
        println!("{up} bytes up; down {}, then {}", first.bytes_down, second.bytes_down);
        assert!(second.bytes_down < up, "the control: what was kept did not come again");
        site.stop().await;
    })
    .await;
}

/// Text that does not compress.
fn noise(n: u64) -> String {
    alliance_tests::random::Random::new(n).bytes16().iter().cycle().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A phone that goes from one network to another keeps its connection.
#[tokio::test]
async fn a_live_sync_goes_on_in_another_network() {
    watched(async {
        let Met { mut site, ben, amina, note, space } = Met::over_a_note("One. ").await;
        let (stop, stopped) = watch::channel(false);
        let (tell, mut told) = mpsc::unbounded_channel();
        let client = ben.client.clone();
        let live = tokio::spawn(async move { client.sync_live(stopped, |event| drop(tell.send(event))).await });
        while !matches!(told.recv().await.unwrap(), Progress::Settled) {}
        let mut changes = ben.client.changes();
        ben.client.network_changed().unwrap();
        amina.write(note, 5, "Two. ").await;
        amina.sync().await;
        while changes.recv().await.unwrap() != Change::Document(space, note) {}
        assert_eq!(ben.text(note).await, "One. Two. ");
        stop.send(true).unwrap();
        live.await.unwrap().unwrap();
        while let Some(event) = told.recv().await {
            assert!(!matches!(event, Progress::Disconnected { .. } | Progress::Connected { .. }), "{event:?}");
        }
        site.stop().await;
    })
    .await;
}
