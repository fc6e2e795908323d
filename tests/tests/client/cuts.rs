//! Lines over real sockets that break at some byte: what came whole is kept, and nothing of it comes again.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod between;
mod line;

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use alliance_client::{Client, DocumentId, Options, Rules, SpaceId, Towards, Until};
use alliance_model::DocumentKind;
use alliance_net::{
    Activity, DeviceIdentity, Dialer, DirectListener, Line, RelaySecrets, Settings, TcpDialer, TcpRelayListener,
};
use alliance_tests::hostile::{admit, group, hear};
use alliance_tests::people::{Person, options};
use alliance_tests::random::Random;

use tokio::sync::Notify;
use tokio::task::LocalSet;

use between::{Between, Counts, Cut};
use line::{Arrived, Counted};

const SEED: u64 = 20_261_130;
/// 200 cuts for each transport.
const PAIRS: usize = 20;
const ROUNDS: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    Quic,
    Tcp,
}

fn here() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// After a cut nobody waits long: where that ends a conversation too early, it was cut elsewhere.
fn settings(cut: Cut) -> Settings {
    let (idle, handshake) = (Duration::from_millis(300), Duration::from_millis(1_000));
    if cut.is_some() { Settings { idle, handshake, ..Settings::default() } } else { Settings::default() }
}

fn identity(number: u8) -> DeviceIdentity {
    DeviceIdentity::from_seed(&[number; 32])
}

/// Two people who share a space, and what came to each.
struct Pair {
    people: [Person; 2],
    space: SpaceId,
    notes: [DocumentId; 2],
    arrived: [Arrived; 2],
}

impl Pair {
    async fn new(rules: Rules) -> Self {
        let person = async |name| Person::with(name, Options { rules, ..options() }).await;
        let people = [person("Amina").await, person("Ben").await];
        let space = group(&people[0].client).await;
        admit(&people[0].client, space, &people[1].client).await;
        let note = async |at: usize| people[at].client.create_document(space, DocumentKind::Note).await.unwrap();
        let notes = [note(0).await, note(1).await];
        let pair = Self { people, space, notes, arrived: Default::default() };
        assert!(pair.meet(Over::Quic, None).await.is_some());
        pair
    }

    /// Each writes two entries.
    async fn write(&self, round: usize) {
        for (at, person) in self.people.iter().enumerate() {
            for part in 0..2 {
                person.write(self.notes[at], 0, &format!("{round}.{part} ")).await;
                person.client.seal(self.notes[at]).await.unwrap();
            }
        }
    }

    /// The first dials the second. The bytes each way if both came to the same.
    async fn meet(&self, over: Over, cut: Cut) -> Option<[u64; 2]> {
        let (met, counts) = match over {
            Over::Quic => self.over_quic(cut).await,
            Over::Tcp => self.over_tcp(cut).await,
        };
        met.then(|| [0, 1].map(|way: usize| counts[way].load(Ordering::Relaxed)))
    }

    async fn over_quic(&self, cut: Cut) -> (bool, Counts) {
        let listener = DirectListener::bind(here(), identity(1), settings(cut)).unwrap();
        let dialer = Dialer::bind(identity(2), settings(cut)).unwrap();
        let between = Between::udp(listener.local_addr().unwrap(), cut).await;
        let dials = async { dialer.dial(between.address, identity(1).key(), Activity::Background).await.ok() };
        let hears = async { listener.accept().await?.prove_dialer().await.ok()?.admit().await.ok() };
        (self.talk(dials, hears).await, Arc::clone(&between.counts))
    }

    async fn over_tcp(&self, cut: Cut) -> (bool, Counts) {
        let listener = TcpRelayListener::bind(here(), &RelaySecrets::generate(&[1; 128]), settings(cut)).unwrap();
        let dialer = TcpDialer::new(identity(2), settings(cut));
        let between = Between::tcp(listener.local_addr().unwrap(), cut).await;
        let dials = async { dialer.connect(between.address, listener.key(), Activity::Background).await.ok() };
        let hears = async { listener.accept().await.establish().await.ok() };
        (self.talk(dials, hears).await, Arc::clone(&between.counts))
    }

    /// Whether both came to the same.
    async fn talk<L: Line>(
        &self,
        dials: impl Future<Output = Option<L>>,
        hears: impl Future<Output = Option<L>>,
    ) -> bool {
        let [amina, ben] = [&self.people[0].client, &self.people[1].client];
        let counted = |line, peer: &Client, at: usize| Counted {
            line,
            peer: peer.whoami().device,
            arrived: Arc::clone(&self.arrived[at]),
        };
        let in_vain = Notify::new();
        let dials = async {
            let Some(line) = dials.await else {
                // The listener may have heard of nobody.
                in_vain.notify_one();
                return None;
            };
            Some(amina.meet(counted(line, ben, 0), Towards::Device, Until::Settled, hear).await)
        };
        // Whoever was dialled stays until the dialler goes.
        let (_stop, stopped) = tokio::sync::watch::channel(false);
        let hears = async {
            let line = tokio::select! {
                line = hears => line?,
                () = in_vain.notified() => return None,
            };
            Some(ben.meet(counted(line, amina, 1), Towards::Dialler, Until::Stopped(stopped), hear).await)
        };
        let (dialled, heard) = tokio::join!(dials, hears);
        dialled.and_then(Result::ok).is_some_and(|report| report.settled) && heard.is_some_and(|heard| heard.is_ok())
    }

    /// How many entries came more than once to one of both, or to who wrote them.
    async fn repeated(&self) -> usize {
        let mut repeated = 0;
        for (at, person) in self.people.iter().enumerate() {
            let mut times: BTreeMap<[u8; 64], usize> = BTreeMap::new();
            for signature in self.arrived[at].lock().unwrap().iter() {
                *times.entry(*signature).or_default() += 1;
            }
            let own = own_signatures(&person.client, self.space).await;
            repeated += times.iter().map(|(entry, times)| times - usize::from(!own.contains(entry))).sum::<usize>();
        }
        repeated
    }
}

async fn own_signatures(client: &Client, space: SpaceId) -> Vec<[u8; 64]> {
    use alliance_store::Replica as _;
    use alliance_sync::{Outgoing, Part, Since};
    let since = Since { space, after: 0, part: Part::Everything, bytes: usize::MAX };
    let items = client.replica().since(since).await.unwrap().items;
    let own = client.whoami().device;
    let signature = |item| match item {
        Outgoing::Entry(name, entry) if name.device == own => Some(entry.signed.signature),
        Outgoing::Entry(..) | Outgoing::Receipt(_) | Outgoing::Fork(..) => None,
    };
    items.into_iter().filter_map(signature).collect()
}

/// Several pairs at once, since most of a cut is waiting.
async fn pairs(over: Over, rounds: usize, rules: Rules) -> (usize, usize) {
    let all = LocalSet::new();
    let running: Vec<_> =
        (0..PAIRS).map(|pair| all.spawn_local(cut_and_meet_again(over, SEED + pair as u64, rounds, rules))).collect();
    all.await;
    let mut sum = (0, 0);
    for pair in running {
        let (broken, repeated) = pair.await.unwrap();
        sum = (sum.0 + broken, sum.1 + repeated);
    }
    sum
}

/// So many conversations that are cut, each followed by one that is not; how many were cut, and what came twice.
async fn cut_and_meet_again(over: Over, seed: u64, cuts: usize, rules: Rules) -> (usize, usize) {
    let pair = Pair::new(rules).await;
    let mut random = Random::new(seed);
    pair.write(0).await;
    let mut whole = pair.meet(over, None).await.expect("nothing breaks");
    let mut broken = 0;
    for round in 1..=cuts {
        pair.write(round).await;
        let way = random.below(2);
        let bytes = random.below(usize::try_from(whole[way]).unwrap()) as u64;
        broken += usize::from(pair.meet(over, Some((way, bytes))).await.is_none());
        whole = pair.meet(over, None).await.unwrap_or_else(|| panic!("round {round}: nothing breaks"));
        let texts = async |at: usize| pair.people[at].text(pair.notes[1 - at]).await;
        assert!(texts(0).await.contains(&format!("{round}.1")) && texts(1).await.contains(&format!("{round}.1")));
    }
    (broken, pair.repeated().await)
}

async fn nothing_comes_twice(over: Over) {
    let cuts = ROUNDS * PAIRS;
    let (broken, repeated) = pairs(over, ROUNDS, Rules::ALL).await;
    println!("seeds from {SEED}, {over:?}: {broken} of {cuts} conversations were cut, {repeated} entries came twice");
    assert!(broken > cuts / 2, "the cuts bite");
    assert_eq!(repeated, 0);
    let without = Rules { resume: false, ..Rules::ALL };
    let (_, control) = pairs(over, 1, without).await;
    println!("without the rule {control} entries came twice in a round");
    assert!(control > 0, "the control");
}

#[tokio::test]
async fn nothing_comes_twice_over_quic() {
    nothing_comes_twice(Over::Quic).await;
}

#[tokio::test]
async fn nothing_comes_twice_over_tcp() {
    nothing_comes_twice(Over::Tcp).await;
}
