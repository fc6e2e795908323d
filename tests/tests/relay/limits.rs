//! What a relay takes and for how long: mailboxes, room, entries a day, connections.
#![allow(clippy::wildcard_enum_match_arm, clippy::unwrap_used, clippy::panic, missing_docs)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alliance_crypto::{OneTimeSecret, Secret};
use alliance_net::{CloseReason, ConnectError, ConnectionLost, RelayAddress};
use alliance_relay::Clock;
use alliance_store::Replica;
use alliance_store::operator::{Operator, RelayDay};
use alliance_sync::Event;
use alliance_tests::relay::{Device, Pair, Site, open, watched};
use alliance_tests::world::Writer;
use alliance_wire::frame::{Post, Reason, mailbox_message};
use alliance_wire::membership::{Invite, OnceKey, Operation, Role};
use alliance_wire::{Frame, SignerKey, limits};

const DAY: u64 = 24 * 60 * 60;

fn signed(secret: &OneTimeSecret, once: SignerKey, message: &[u8]) -> Option<Vec<u8>> {
    Some(secret.sign(&mailbox_message(once, message)).to_vec())
}

async fn post(device: &Device, relay: &RelayAddress, once: SignerKey, message: &[u8], proof: Option<Vec<u8>>) -> Mail {
    let post = Post { once, message: message.to_vec().into(), proof: proof.map(Into::into) };
    mail(device.ask(relay, &Frame::Post(post)).await)
}

async fn collect(device: &Device, relay: &RelayAddress, once: SignerKey, proof: Option<Vec<u8>>) -> Mail {
    mail(device.ask(relay, &Frame::Collect { once, proof: proof.map(Into::into) }).await)
}

type Mail = Option<Vec<Vec<u8>>>;

fn mail(frame: Frame) -> Mail {
    match frame {
        Frame::Mail { messages, .. } => messages.map(|all| all.iter().map(|message| message.to_vec()).collect()),
        other => panic!("no answer of a mailbox: {other:?}"),
    }
}

#[tokio::test]
async fn an_invitations_mailbox_from_its_opening_to_its_end() {
    watched(async {
        let seconds = Arc::new(AtomicU64::new(100 * DAY));
        let clock = {
            let seconds = Arc::clone(&seconds);
            Clock::new(move || seconds.load(Ordering::Relaxed))
        };
        let with_clock = |config: &mut alliance_relay::Config| {
            open(config);
            config.clock = clock.clone();
        };
        let mut site = Site::start(with_clock).await;
        let mut pair = Pair::new(1, &site, |_| None).await;
        let relay = site.address();
        let secret = OneTimeSecret::from_seed(pair.random.bytes32());
        let other = OneTimeSecret::from_seed(pair.random.bytes32());
        let once = secret.signer_key();
        let stranger = Writer::new(&mut pair.random);
        let newcomer = Device::new(&mut pair.random, &stranger);
        assert!(pair.devices[0].visit(&relay).await.settled());
        assert!(pair.devices[1].visit(&relay).await.settled());

        let accept = b"accept".to_vec();
        let good = || signed(&secret, once, b"accept");
        assert_eq!(post(&newcomer, &relay, once, b"accept", good()).await, None, "the invitation is not here yet");
        let keys = vec![OnceKey { key: once, commitment: [1; 32] }];
        pair.operate(Operation::Invite(Invite { keys, role: Role::Writer, expires: u64::from(u32::MAX) })).await;
        assert!(pair.devices[0].visit(&relay).await.settled());

        // (what, who, proof): each is refused in the same words.
        let refused = [
            ("no proof, a stranger", &newcomer, None),
            ("no proof, a member who is not the steward", &pair.devices[1], None),
            ("another key's proof", &newcomer, signed(&other, once, b"accept")),
            ("a proof for another message", &newcomer, signed(&secret, once, b"other")),
            ("the proof for reading", &newcomer, signed(&secret, once, b"")),
            ("a proof of another length", &newcomer, Some(vec![1; 63])),
        ];
        for (what, device, proof) in refused {
            assert_eq!(post(device, &relay, once, b"accept", proof).await, None, "{what}");
        }
        assert_eq!(post(&newcomer, &relay, once, b"accept", good()).await, Some(vec![accept.clone()]));
        assert_eq!(post(&newcomer, &relay, once, b"accept", good()).await, Some(vec![accept.clone()]), "said twice");

        assert_eq!(collect(&pair.devices[1], &relay, once, None).await, None);
        assert_eq!(collect(&newcomer, &relay, once, signed(&secret, once, b"accept")).await, None);
        assert_eq!(collect(&pair.devices[0], &relay, once, None).await, Some(vec![accept.clone()]), "the steward");
        let both = vec![accept.clone(), b"reveal".to_vec()];
        assert_eq!(post(&pair.devices[0], &relay, once, b"reveal", None).await, Some(both.clone()));
        let reading = || signed(&secret, once, b"");
        assert_eq!(collect(&newcomer, &relay, once, reading()).await, Some(both));

        for number in 2..limits::MAILBOX_MESSAGES_MAX {
            let message = vec![u8::try_from(number).unwrap(); limits::MAILBOX_MESSAGE_BYTES_MAX];
            let kept = post(&newcomer, &relay, once, &message, signed(&secret, once, &message)).await;
            assert_eq!(kept.unwrap().len(), number + 1);
        }
        assert_eq!(post(&newcomer, &relay, once, b"more", signed(&secret, once, b"more")).await, None, "it is full");
        site.stop().await;
        site.open(with_clock).await;
        let full = collect(&newcomer, &relay, once, reading()).await.unwrap();
        assert_eq!((full.len(), &full[0]), (limits::MAILBOX_MESSAGES_MAX, &accept));

        // Thirty days on which the relay ran. The clock goes back in between, and that ages and revives nothing.
        for day in 101..130 {
            seconds.store(day * DAY, Ordering::Relaxed);
            assert_eq!(collect(&newcomer, &relay, once, reading()).await, Some(full.clone()), "day {day}");
        }
        seconds.store(3 * DAY, Ordering::Relaxed);
        assert_eq!(collect(&newcomer, &relay, once, reading()).await, Some(full.clone()));
        seconds.store(4 * DAY, Ordering::Relaxed);
        assert_eq!(collect(&newcomer, &relay, once, reading()).await, Some(Vec::new()));
    })
    .await;
}

/// What the relay refused of a device's entries, and how many bytes of room the space takes then. The relay stops and
/// starts, so that everything that was under way is done.
async fn push_until_refused(site: &mut Site, pair: &Pair, who: usize, change: fn(&mut alliance_relay::Config)) -> u64 {
    let mut live = pair.devices[who].live(&site.address()).await;
    let over =
        |event: &Event| matches!(event, Event::Refused { entry: Some(_), reason: Reason::Quota, ours: true, .. });
    live.until(over).await.expect("the relay refuses by name");
    site.stop().await;
    live.ended().await;
    site.open(change).await;
    site.relay().replica().space_bytes(pair.world.space).await.unwrap()
}

#[tokio::test]
async fn a_space_takes_as_much_as_it_may_and_one_log_a_quarter() {
    const ROOM: u64 = 128 * 1024;
    fn small(config: &mut alliance_relay::Config) {
        open(config);
        config.quotas.space_bytes = ROOM;
    }
    watched(async {
        let mut site = Site::start(small).await;
        let mut pair = Pair::new(2, &site, |_| None).await;
        assert!(pair.devices[0].visit(&site.address()).await.settled());
        assert!(pair.devices[1].visit(&site.address()).await.settled());
        let before = site.relay().replica().space_bytes(pair.world.space).await.unwrap();

        // The founder has something stored, so the other's log may take a quarter.
        for number in 0..12_u8 {
            pair.write(1, &[number; 4_000]).await;
        }
        let after = push_until_refused(&mut site, &pair, 1, small).await;
        let quarter = ROOM / 4;
        assert!(after - before <= quarter, "{before} {after}");
        assert!(after - before > quarter - 5_000, "{before} {after}");

        // A founder who is alone may fill it, but not more.
        let mut alone = Pair::new(3, &site, |_| None).await;
        let founder = &alone.writers[0];
        let entries = alone.world.membership.len();
        println!("{} founds {} with {entries} entries", founder.key().short(), alone.world.space.short());
        for number in 0..40_u8 {
            alone.write(0, &[number; 4_000]).await;
        }
        let full = push_until_refused(&mut site, &alone, 0, small).await;
        assert!(full <= ROOM && full > ROOM - 5_000, "{full}");

        // A full space still hears of its membership: a removal must come through.
        let held = site.hashes(alone.world.space).await.len();
        let keys = vec![OnceKey { key: SignerKey([9; 32]), commitment: [1; 32] }];
        alone.operate(Operation::Invite(Invite { keys, role: Role::Reader, expires: 0 })).await;
        push_until_refused(&mut site, &alone, 0, small).await;
        assert_eq!(site.hashes(alone.world.space).await.len(), held + 1);
    })
    .await;
}

#[tokio::test]
async fn entries_are_counted_once_a_database_is_thirty_days_old() {
    fn few(config: &mut alliance_relay::Config) {
        open(config);
        config.quotas.entries_per_day = 10;
        config.clock = Clock::new(|| 1_000 * DAY);
    }
    watched(async {
        let mut site = Site::start(few).await;
        let mut pair = Pair::new(4, &site, |_| None).await;
        for number in 0..25_u8 {
            pair.write(0, &[number; 100]).await;
        }
        // A young relay takes everything: it may be one that lost everything.
        assert!(pair.devices[0].visit(&site.address()).await.settled());
        assert_eq!(site.hashes(pair.world.space).await.len(), pair.world.membership.len() + 25);
        // Thirty days pass, as the relay counts them.
        let operator = Operator::open(&site.folder().join("data")).unwrap();
        for calendar in (1_000 - 30)..=1_000 {
            operator.today(calendar).unwrap();
        }
        assert!(operator.today(1_000).unwrap() > RelayDay(30));
        site.stop().await;
        site.open(few).await;
        for number in 0..25_u8 {
            pair.write(0, &[number; 101]).await;
        }
        push_until_refused(&mut site, &pair, 0, few).await;
        assert_eq!(site.hashes(pair.world.space).await.len(), pair.world.membership.len() + 25 + 10);
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_is_said_by_name_and_what_is_here_can_be_read() {
    watched(async {
        // 1,200 KiB, a full disk in miniature.
        let small = |config: &mut alliance_relay::Config| {
            open(config);
            config.store.pages_max = Some(300);
        };
        let mut site = Site::start(small).await;
        let mut pair = Pair::new(7, &site, |_| None).await;
        assert!(pair.devices[0].visit(&site.address()).await.settled());
        let (space, epoch) = (pair.world.space, pair.world.epoch);
        let entries: Vec<_> = (0..200_u8).map(|n| pair.writers[0].write(space, epoch, &[n; 16_000])).collect();
        pair.devices[0].store(entries).await;
        let mut live = pair.devices[0].live(&site.address()).await;
        let full = |event: &Event| matches!(event, Event::Refused { reason: Reason::Storage, ours: true, .. });
        live.until(full).await.unwrap();
        // The other member gets what there is while the disk is full.
        let mut reader = pair.devices[1].live(&site.address()).await;
        let held = site.hashes(space).await.len();
        assert!(held > pair.world.membership.len(), "something came in before it was full");
        reader.until(|event| matches!(event, Event::Stored { .. })).await.unwrap();
        reader.leave().await;
        live.leave().await;
        assert!(!pair.devices[1].hashes(space).await.is_empty());
        // With room again, the rest arrives.
        site.stop().await;
        site.open(open).await;
        assert!(pair.devices[0].visit(&site.address()).await.settled());
        assert!(pair.devices[1].visit(&site.address()).await.settled());
        pair.assert_equal(&site).await;
    })
    .await;
}

#[tokio::test]
async fn connections_are_bounded_in_all_and_for_one_device() {
    watched(async {
        let site = Site::start(|config| config.connections_max = 2).await;
        let mut random = alliance_tests::random::Random::new(5);
        let mut device = || {
            let writer = Writer::new(&mut random);
            Device::new(&mut random, &writer)
        };
        let devices = [device(), device(), device()];
        let mut held = Vec::new();
        for device in &devices[..2] {
            let mut live = device.live(&site.address()).await;
            live.until(|event| *event == Event::Settled).await.unwrap();
            held.push(live);
        }
        let refused = devices[2].try_connect(&site.address()).await.unwrap_err();
        assert_eq!(refused, ConnectError::Lost(ConnectionLost::Closed(CloseReason::Busy)));
        assert_eq!(site.relay().stats().await.unwrap().connections, 2);

        let roomy = Site::start(|_| {}).await;
        for _ in 0..8 {
            let mut live = devices[0].live(&roomy.address()).await;
            live.until(|event| *event == Event::Settled).await.unwrap();
            held.push(live);
        }
        let ninth = devices[0].live(&roomy.address()).await.ended().await;
        assert!(!ninth.settled(), "{ninth:?}");
        assert!(
            matches!(ninth.lost, Some(ConnectionLost::Closed(CloseReason::Busy | CloseReason::Refused))),
            "{ninth:?}"
        );
        // The control: another device is let in.
        assert!(devices[1].visit(&roomy.address()).await.settled());
    })
    .await;
}

#[tokio::test]
async fn no_network_address_lies_in_the_data_folder() {
    watched(async {
        let mut site = Site::start(open).await;
        let mut pair = Pair::new(6, &site, |_| None).await;
        pair.write(0, b"a payload that is looked for").await;
        assert!(pair.devices[0].visit(&site.address()).await.settled());
        let port = site.relay().local_addr().unwrap().port();
        site.stop().await;
        let data = site.folder().join("data");
        let mut payload_found = false;
        // The files as they lie there, and what the databases hold under the key beside them.
        let mut parts: Vec<(std::path::PathBuf, Vec<u8>)> = std::fs::read_dir(&data)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect();
        let files = parts.len();
        alliance_store::operator::dump(&data, |cell| {
            parts.push((data.join(cell.database).join(cell.table), cell.bytes.to_vec()));
            Ok(())
        })
        .unwrap();
        for (path, bytes) in parts {
            let holds = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
            payload_found |= holds(b"a payload that is looked for");
            // The membership names the relay itself, by the address that its founder gave.
            let own = format!("127.0.0.1:{port}");
            let others = bytes.windows(9).enumerate().filter(|(_, window)| *window == b"127.0.0.1");
            for (at, _) in others {
                assert!(bytes[at..].starts_with(own.as_bytes()), "{}", path.display());
            }
        }
        assert!(files >= 5, "{files}");
        // The control: what is there is found.
        assert!(payload_found);
    })
    .await;
}
