//! Devices that know no key of each other: what each learns, and when.

use std::net::SocketAddr;

use alliance_crypto::{Age, Discovery, DiscoverySecret, EpochKey, Pages, Side};
use alliance_net::{
    Activity, CloseReason, Connection, DirectAcceptError, DirectListener, Heard, MatchError, Matched, PROOF_BYTES,
    Settings,
};
use alliance_wire::{EpochId, SpaceId};

use super::hostile::{connect, proof};
use crate::support::{HELLO, device, dialer, loopback, round_trip, watched};

const ONE_PAGE: usize = 2 + 32 * 16;

fn knows(epochs: &[(u8, u8, Age)]) -> Discovery {
    let mut discovery = Discovery::new();
    for (space, epoch, age) in epochs {
        let (space, key) = (SpaceId([*space; 16]), EpochKey::from_bytes([*epoch; 32]));
        discovery.add(space, DiscoverySecret::of(&key, space, EpochId([*epoch; 16])), *age);
    }
    discovery
}

fn listener(number: u8) -> DirectListener {
    DirectListener::bind(loopback(), device(number), Settings::default()).unwrap()
}

async fn hear(listener: &DirectListener, discovery: &Discovery) -> Result<Matched, DirectAcceptError> {
    match listener.accept().await.unwrap().hear(discovery, [1; 32]).await? {
        Heard::Matched(matched) => Ok(matched),
        Heard::Proven(_) => panic!("a dialer that named a key"),
    }
}

/// What one side has of a meeting: the spaces in common, whether its key had been shown when the other's was known, and
/// the connection.
type Met = (Vec<SpaceId>, bool, Connection);

async fn admitted(matched: Matched) -> Met {
    let (spaces, proved) = (matched.spaces().to_vec(), matched.has_proved());
    (spaces, proved, matched.admit().await.unwrap())
}

/// Both sides of a meeting, each of which admits the other; device 1 listens, device 2 dials.
async fn meet_at(
    listener: &DirectListener,
    one: &Discovery,
    two: &Discovery,
) -> (Result<Met, DirectAcceptError>, Result<Met, MatchError>) {
    let (dialer, address) = (dialer(2), listener.local_addr().unwrap());
    let far = async { Ok(admitted(hear(listener, one).await?).await) };
    let near = async { Ok(admitted(dialer.seek(address, two, [2; 32], Activity::Background).await?).await) };
    tokio::join!(far, near)
}

async fn meet(one: &Discovery, two: &Discovery) -> (Result<Met, DirectAcceptError>, Result<Met, MatchError>) {
    meet_at(&listener(1), one, two).await
}

#[tokio::test]
async fn devices_with_a_space_in_common_meet() {
    watched(async {
        let one = knows(&[(1, 1, Age::Newest), (2, 1, Age::Newest), (3, 1, Age::Newest)]);
        let two = knows(&[(9, 1, Age::Newest), (3, 1, Age::Newest), (1, 1, Age::Newest)]);
        let listener = listener(1);
        let (far, near) = meet_at(&listener, &one, &two).await;
        let ((at_far, _, mut far), (at_near, _, mut near)) = (far.unwrap(), near.unwrap());
        assert_eq!((far.peer(), near.peer()), (device(2).key(), device(1).key()));
        let common = vec![SpaceId([1; 16]), SpaceId([3; 16])];
        assert_eq!((&at_far, &at_near), (&common, &common));
        round_trip(&mut near, &mut far, HELLO).await;
        // A page and a proof, and one frame with its prefix, each way.
        let expected = (ONE_PAGE + PROOF_BYTES + 1 + HELLO.len()) as u64;
        for counts in [near.handle().byte_counts(), far.handle().byte_counts()] {
            assert_eq!((counts.frames_sent, counts.frames_received), (expected, expected));
        }
    })
    .await;
}

#[tokio::test]
async fn who_knows_a_newer_epoch_proves_second() {
    watched(async {
        let (ahead, behind) = (knows(&[(1, 2, Age::Newest), (1, 1, Age::Older)]), knows(&[(1, 1, Age::Newest)]));
        // Whoever is behind proves first, be it dialer or listener.
        let (far, near) = meet(&ahead, &behind).await;
        assert_eq!((far.unwrap().1, near.unwrap().1), (false, true));
        let (far, near) = meet(&behind, &ahead).await;
        assert_eq!((far.unwrap().1, near.unwrap().1), (true, false));
        // And the other may turn it away without having shown a key.
        let (listener, dialer) = (listener(1), dialer(2));
        let far = async {
            let far = hear(&listener, &ahead).await.unwrap();
            assert_eq!((far.key(), far.has_proved()), (device(2).key(), false));
            far.refuse(CloseReason::Refused);
        };
        let address = listener.local_addr().unwrap();
        let ((), near) = tokio::join!(far, dialer.seek(address, &behind, [2; 32], Activity::Background));
        assert_eq!(near.unwrap_err(), MatchError::NothingShared);
    })
    .await;
}

#[tokio::test]
async fn devices_that_share_nothing_learn_nothing() {
    watched(async {
        let (far, near) = meet(&knows(&[(1, 1, Age::Newest)]), &knows(&[(1, 2, Age::Newest)])).await;
        assert_eq!(near.unwrap_err(), MatchError::NothingShared);
        assert_eq!(far.unwrap_err(), DirectAcceptError::NothingShared);
    })
    .await;
}

/// What somebody reads who dials, says these bytes, and then `then` makes of what was heard.
async fn read(
    address: SocketAddr,
    say: impl AsyncFnOnce(&quinn::Connection, &mut quinn::SendStream),
) -> (quinn::Connection, Vec<u8>) {
    let endpoint = quinn::Endpoint::client(loopback()).unwrap();
    let connection = connect(&endpoint, address).await;
    let (mut send, mut recv) = connection.open_bi().await.unwrap();
    say(&connection, &mut send).await;
    // A listener that hangs up resets the stream: what it said meanwhile was read.
    let mut heard = Vec::new();
    while heard.len() < ONE_PAGE + PROOF_BYTES
        && let Ok(Some(chunk)) = recv.read_chunk(4_096, true).await
    {
        heard.extend_from_slice(&chunk.bytes);
    }
    (connection, heard)
}

fn exporter(connection: &quinn::Connection) -> [u8; 32] {
    let mut exporter = [0; 32];
    connection.export_keying_material(&mut exporter, b"alliance v1 discovery", b"").unwrap();
    exporter
}

fn pages(connection: &quinn::Connection, discovery: &Discovery) -> Vec<u8> {
    discovery.pages(Side::Dialler, &exporter(connection), [3; 32]).to_bytes()
}

#[tokio::test]
async fn no_key_is_shown_to_a_dialer_that_only_says_tags() {
    watched(async {
        let short = Settings { handshake: std::time::Duration::from_millis(500), ..Settings::default() };
        let listener = DirectListener::bind(loopback(), device(1), short).unwrap();
        let address = listener.local_addr().unwrap();
        let member = knows(&[(1, 2, Age::Newest), (1, 1, Age::Older)]);
        let key = device(1).key();
        let shows_key = |heard: &[u8]| heard.windows(32).any(|window| window == key.as_bytes());
        // A stranger; somebody who was put out and has the old epoch only, whatever it calls that.
        for (epoch, age) in [(3, Age::Newest), (1, Age::Newest), (1, Age::Older)] {
            let say = async |connection: &quinn::Connection, send: &mut quinn::SendStream| {
                send.write_all(&pages(connection, &knows(&[(1, epoch, age)]))).await.unwrap();
            };
            let ((_connection, heard), far) = tokio::join!(read(address, say), hear(&listener, &member));
            assert!(far.is_err(), "{epoch} {age:?}");
            assert!(!shows_key(&heard) && heard.len() <= ONE_PAGE, "{epoch} {age:?}: {}", heard.len());
        }
        // The control: who is behind and proves itself may be shown a key.
        let say = async |connection: &quinn::Connection, send: &mut quinn::SendStream| {
            send.write_all(&pages(connection, &knows(&[(1, 1, Age::Newest)]))).await.unwrap();
            send.write_all(&proof(connection, 2)).await.unwrap();
        };
        let far = async { hear(&listener, &member).await.unwrap().admit().await.unwrap() };
        let ((_connection, heard), far) = tokio::join!(read(address, say), far);
        assert_eq!(far.peer(), device(2).key());
        assert!(shows_key(&heard));
        assert_eq!(heard.len(), ONE_PAGE + PROOF_BYTES);
    })
    .await;
}

#[tokio::test]
async fn tags_of_another_connection_match_nothing() {
    watched(async {
        let listener = listener(1);
        let address = listener.local_addr().unwrap();
        let member = knows(&[(1, 1, Age::Newest)]);
        // An honest device's tags and proof, heard on one connection and brought to another.
        let endpoint = quinn::Endpoint::client(loopback()).unwrap();
        let elsewhere = tokio::select! {
            connection = connect(&endpoint, address) => connection,
            _ = hear(&listener, &member) => panic!("nothing was said yet"),
        };
        let said = [pages(&elsewhere, &member), proof(&elsewhere, 2)].concat();
        let replay = async |_: &quinn::Connection, send: &mut quinn::SendStream| send.write_all(&said).await.unwrap();
        let ((_connection, heard), far) = tokio::join!(read(address, replay), hear(&listener, &member));
        assert_eq!(far.unwrap_err(), DirectAcceptError::NothingShared);
        assert!(heard.len() <= ONE_PAGE);
        // The control: the same said where it belongs.
        let honest = async |connection: &quinn::Connection, send: &mut quinn::SendStream| {
            send.write_all(&pages(connection, &member)).await.unwrap();
            send.write_all(&proof(connection, 2)).await.unwrap();
        };
        let far = async { hear(&listener, &member).await.unwrap().admit().await.unwrap() };
        let ((_connection, heard), far) = tokio::join!(read(address, honest), far);
        assert_eq!((far.peer(), heard.len()), (device(2).key(), ONE_PAGE + PROOF_BYTES));
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_tags_is_cut_off_at_its_beginning() {
    watched(async {
        let listener = listener(1);
        let address = listener.local_addr().unwrap();
        let member = knows(&[(1, 1, Age::Newest)]);
        let unordered = [vec![2, 1], vec![9; 16], vec![0; 31 * 16]].concat();
        let cases: [(&str, Vec<u8>); 4] = [
            ("more pages than there may be", [vec![2, 255], vec![0; 1 << 20]].concat()),
            ("tags that are not in order", unordered),
            ("another kind", vec![7; 1 << 20]),
            ("garbage behind sixteen pages", [vec![2, 16], vec![1; 1 << 20]].concat()),
        ];
        for (name, said) in cases {
            let flood = async |_: &quinn::Connection, send: &mut quinn::SendStream| {
                // The listener stops reading: it takes no more than its window.
                let _ = send.write_all(&said).await;
            };
            let far = async { listener.accept().await.unwrap().hear(&member, [1; 32]).await };
            let ((_connection, heard), far) = tokio::join!(read(address, flood), far);
            let expected = match name {
                "another kind" => DirectAcceptError::Incompatible,
                "garbage behind sixteen pages" => DirectAcceptError::NothingShared,
                _ => DirectAcceptError::Unproven,
            };
            assert_eq!(far.unwrap_err(), expected, "{name}");
            assert!(heard.len() <= ONE_PAGE, "{name}");
        }
        // Only what was said is wrong with them: the listener still hears others.
        let (far, near) = meet_at(&listener, &member, &member).await;
        assert_eq!((far.unwrap().2.peer(), near.unwrap().2.peer()), (device(2).key(), device(1).key()));
    })
    .await;
}

#[tokio::test]
async fn the_listener_hears_both_kinds() {
    watched(async {
        let (listener, dialer) = (listener(1), dialer(2));
        let address = listener.local_addr().unwrap();
        let far = async {
            match listener.accept().await.unwrap().hear(&Discovery::new(), [1; 32]).await.unwrap() {
                Heard::Proven(proven) => proven.admit().await.unwrap(),
                Heard::Matched(_) => panic!("nothing is known here"),
            }
        };
        let (far, near) = tokio::join!(far, dialer.dial(address, device(1).key(), Activity::Background));
        assert_eq!((far.peer(), near.unwrap().peer()), (device(2).key(), device(1).key()));
        // Tags alone: a match of one side's pages is one of the other's, and none without a secret.
        let said = knows(&[(1, 1, Age::Newest)]).pages(Side::Listener, &[0; 32], [0; 32]);
        assert_eq!(Discovery::new().compare(Side::Listener, &[0; 32], &Pages::parse(&said.to_bytes()).unwrap()), []);
    })
    .await;
}
