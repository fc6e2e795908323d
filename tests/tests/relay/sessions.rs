//! Devices and a relay in one process, over real QUIC: who is let in, what arrives, what a restart costs.
#![allow(clippy::wildcard_enum_match_arm, clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_net::{AdmissionToken, CloseReason, ConnectionLost, EarlyData, ReceiveError};
use alliance_store::Replica;
use alliance_store::operator::{NewToken, Operator, RelayDay};
use alliance_sync::{Event, Input};
use alliance_tests::random::Random;
use alliance_tests::relay::{Device, Pair, Site, open, watched};
use alliance_tests::world::{World, Writer};
use alliance_wire::frame::{Cursors, Hello, PROTOCOL_VERSION, Reason};
use alliance_wire::membership::{Admission, Role};
use alliance_wire::{Frame, Instance};

#[tokio::test]
async fn two_devices_meet_a_relay_one_after_the_other() {
    watched(async {
        let site = Site::start(open).await;
        let mut pair = Pair::new(1, &site, |_| None).await;
        for number in 0..40_u8 {
            pair.write(0, &[number; 300]).await;
        }
        let first = pair.devices[0].visit(&site.address()).await;
        assert!(first.settled(), "{first:?}");
        let second = pair.devices[1].visit(&site.address()).await;
        assert!(second.settled(), "{second:?}");
        pair.assert_equal(&site).await;
        // The way back.
        pair.devices[1].expected.clear();
        pair.write(1, b"an answer").await;
        assert!(pair.devices[1].visit(&site.address()).await.settled());
        assert!(pair.devices[0].visit(&site.address()).await.settled());
        pair.assert_equal(&site).await;
        let stats = site.relay().stats().await.unwrap();
        assert_eq!((stats.store.spaces, stats.accepted), (1, 4));
        // An idle visit says nothing but Hello and Same.
        let idle = pair.devices[0].visit(&site.address()).await;
        assert!(idle.settled());
        assert!(idle.frame_bytes <= 200, "{} bytes", idle.frame_bytes);
    })
    .await;
}

#[tokio::test]
async fn what_one_writes_the_other_has_at_once_while_both_are_connected() {
    watched(async {
        let site = Site::start(open).await;
        let mut pair = Pair::new(2, &site, |_| None).await;
        assert!(pair.devices[0].visit(&site.address()).await.settled());
        let mut one = pair.devices[0].live(&site.address()).await;
        let mut other = pair.devices[1].live(&site.address()).await;
        one.until(|event| *event == Event::Settled).await.unwrap();
        other.until(|event| *event == Event::Settled).await.unwrap();
        for round in 0..5_u8 {
            let (from, to) = if round % 2 == 0 { (0, &mut other) } else { (1, &mut one) };
            pair.write(from, &[round; 50]).await;
            to.until(|event| matches!(event, Event::Stored { .. })).await.unwrap();
        }
        // A notice that somebody has a document open is passed on and stored nowhere.
        let space = pair.world.space;
        let before = site.relay().stats().await.unwrap().store.entries;
        one.feed(Input::Watch(space, vec![9; 40]));
        let heard = other.until(|event| matches!(event, Event::Watching(..))).await;
        assert_eq!(heard, Some(Event::Watching(space, vec![9; 40])));
        assert_eq!(site.relay().stats().await.unwrap().store.entries, before);
        one.leave().await;
        other.leave().await;
        pair.assert_equal(&site).await;
    })
    .await;
}

#[tokio::test]
async fn somebody_who_is_added_while_connected_gets_the_space() {
    watched(async {
        let site = Site::start(open).await;
        let mut pair = Pair::new(3, &site, |_| None).await;
        let third = Writer::new(&mut pair.random);
        let mut newcomer = Device::new(&mut pair.random, &third);
        newcomer.expected.push(pair.world.space);
        assert!(pair.devices[0].visit(&site.address()).await.settled());
        let mut waiting = newcomer.live(&site.address()).await;
        // Not a member yet: the relay says what it would say of a space that does not exist.
        waiting.until(|event| matches!(event, Event::Refused { reason: Reason::Absent, .. })).await.unwrap();
        let known = pair.world.membership.len();
        pair.world.admit(&mut pair.random, &pair.writers[0], &third, Role::Writer);
        pair.devices[0].store(pair.world.membership[known..].to_vec()).await;
        assert!(pair.devices[0].visit(&site.address()).await.settled());
        waiting.until(|event| matches!(event, Event::Stored { .. })).await.unwrap();
        waiting.leave().await;
        assert!(newcomer.visit(&site.address()).await.settled());
        assert_eq!(newcomer.hashes(pair.world.space).await, site.hashes(pair.world.space).await);
    })
    .await;
}

/// (what the membership carries, the code that the relay answers, or `None` if it takes the space)
#[tokio::test]
async fn a_closed_relay_takes_a_space_with_a_good_admission_only() {
    watched(async {
        let site = Site::start(|_| {}).await;
        let token = AdmissionToken::generate(&[5; 40]);
        let revoked = AdmissionToken::generate(&[6; 40]);
        let operator = Operator::open(&site.folder().join("data")).unwrap();
        for token in [&token, &revoked] {
            let day = RelayDay(1);
            let row = NewToken { id: token.id(), secret: token.secret(), label: "", spaces_max: 1, day };
            operator.add_token(&row).unwrap();
        }
        assert!(operator.revoke_token(revoked.id()).unwrap());
        let unknown = AdmissionToken::generate(&[7; 40]);
        let other_space = alliance_wire::SpaceId([1; 16]);
        type Make<'a> = Box<dyn Fn(&World) -> Option<Admission> + 'a>;
        let cases: Vec<(&str, Make<'_>, Option<&str>)> = vec![
            ("nothing", Box::new(|_| None), Some("TOKEN_NEEDED")),
            ("an unknown token", Box::new(|world| Some(unknown.admission(world.space))), Some("TOKEN_NEEDED")),
            ("a revoked token", Box::new(|world| Some(revoked.admission(world.space))), Some("TOKEN_NEEDED")),
            ("another space's", Box::new(|_| Some(token.admission(other_space))), Some("TOKEN_NEEDED")),
            ("the token", Box::new(|world| Some(token.admission(world.space))), None),
            ("the token, used up", Box::new(|world| Some(token.admission(world.space))), Some("TOKEN_NEEDED")),
        ];
        let mut stored = 0;
        for (seed, (what, make, refusal)) in (10..).zip(cases) {
            let mut pair = Pair::new(seed, &site, make).await;
            pair.write(0, b"a first note").await;
            let visit = pair.devices[0].visit(&site.address()).await;
            let spaces = site.relay().stats().await.unwrap().store.spaces;
            match refusal {
                Some(code) => {
                    assert_eq!(visit.refusals().last(), Some(&code), "{what}: {visit:?}");
                    assert_eq!(site.hashes(pair.world.space).await, [], "{what}");
                }
                None => {
                    assert!(visit.settled(), "{what}: {visit:?}");
                    stored += 1;
                    assert!(pair.devices[1].visit(&site.address()).await.settled(), "members need no token");
                    pair.assert_equal(&site).await;
                }
            }
            assert_eq!(spaces, stored, "{what}");
        }
        let rows = operator.tokens().unwrap();
        assert_eq!(rows.iter().map(|row| (row.spaces, row.revoked)).collect::<Vec<_>>(), [(1, false), (0, true)]);
    })
    .await;
}

#[tokio::test]
async fn a_stranger_cannot_tell_a_space_that_is_here_from_one_that_is_not() {
    watched(async {
        let site = Site::start(open).await;
        let mut pair = Pair::new(20, &site, |_| None).await;
        assert!(pair.devices[0].visit(&site.address()).await.settled());
        let stranger = Writer::new(&mut pair.random);
        let nowhere = alliance_wire::SpaceId([0; 16]);
        let mut answers = Vec::new();
        for space in [pair.world.space, nowhere] {
            // A device that expects the space, and one that asks for entries of it by number.
            let mut device = Device::new(&mut pair.random, &stranger);
            device.expected.push(space);
            let mut live = device.live(&site.address()).await;
            live.until(|event| matches!(event, Event::Refused { .. })).await.unwrap();
            live.send(Frame::Space { space });
            live.send(Frame::Want { space: 0, rows: vec![(pair.world.membership[0].log(), 1)] });
            live.send(Frame::Collect { once: alliance_wire::SignerKey([3; 32]), proof: None });
            live.until(|event| matches!(event, Event::Mail(_))).await.unwrap();
            let visit = live.leave().await;
            assert!(device.hashes(space).await.is_empty());
            // When both find that there is nothing to do depends on the timing, so that event is left out.
            let mut said: Vec<Event> = visit.events.into_iter().filter(|event| *event != Event::Settled).collect();
            for event in &mut said {
                match event {
                    Event::Refused { space, .. } => *space = nowhere,
                    Event::Met(instance) => *instance = Instance([0; 16]),
                    _ => {}
                }
            }
            answers.push(format!("{said:?}"));
        }
        assert_eq!(answers[0], answers[1]);
        assert!(answers[0].contains("Absent"), "{}", answers[0]);
        // The control: the same question from a member is answered with the space.
        assert!(pair.devices[1].visit(&site.address()).await.settled());
        pair.assert_equal(&site).await;
    })
    .await;
}

#[tokio::test]
async fn a_stranger_who_presents_somebody_elses_membership_gets_nothing() {
    watched(async {
        let site = Site::start(open).await;
        let mut pair = Pair::new(21, &site, |_| None).await;
        let stranger = Writer::new(&mut pair.random);
        let thief = Device::new(&mut pair.random, &stranger);
        thief.store(pair.world.membership.clone()).await;
        let mut live = thief.live(&site.address()).await;
        live.until(|event| matches!(event, Event::Refused { reason: Reason::Absent, .. })).await.unwrap();
        // The answer to this comes behind the verdict on everything that was sent before it.
        live.send(Frame::Collect { once: alliance_wire::SignerKey([3; 32]), proof: None });
        live.until(|event| matches!(event, Event::Mail(_))).await.unwrap();
        let visit = live.leave().await;
        assert!(visit.frame_bytes > 1_000, "the logs were presented");
        let absent = |event: &&Event| matches!(event, Event::Refused { reason: Reason::Absent, ours: true, .. });
        let told = visit.events.iter().filter(absent).count();
        assert_eq!(told, 2, "before the logs were presented, and behind them: {visit:?}");
        assert_eq!(site.relay().stats().await.unwrap().store.spaces, 0);
        // The control: the same logs from a member.
        assert!(pair.devices[0].visit(&site.address()).await.settled());
        assert_eq!(site.relay().stats().await.unwrap().store.spaces, 1);
    })
    .await;
}

#[tokio::test]
async fn a_peer_that_breaks_the_protocol_is_told_and_closed() {
    watched(async {
        let site = Site::start(open).await;
        let mut random = Random::new(30);
        // A device of its own each time: with a ticket, the relay may answer before the handshake is over, and a reason
        // that is given then is hidden from whoever listens on the way.
        let mut device = || {
            let writer = Writer::new(&mut random);
            Device::new(&mut random, &writer)
        };
        let hello = |version| {
            let instance = Instance([1; 16]);
            let cursors = Cursors::All(Vec::new());
            Frame::Hello(Hello { version, instance, known: [0; 8], spaces: 0, root: [0; 16], cursors, check: [0; 8] })
                .encode()
        };
        let cases = [
            ("bytes that are no frame", vec![0xff; 10], CloseReason::ProtocolViolation),
            (
                "a frame before Hello",
                Frame::Space { space: alliance_wire::SpaceId([0; 16]) }.encode(),
                CloseReason::ProtocolViolation,
            ),
            ("another version", hello(PROTOCOL_VERSION + 1), CloseReason::Incompatible),
        ];
        for (what, frame, reason) in cases {
            let mut connection = device().connect(&site.address()).await;
            connection.send(&frame).await.unwrap();
            let answer = connection.recv().await;
            assert_eq!(answer, Err(ReceiveError::Lost(ConnectionLost::Closed(reason))), "{what}");
        }
        // The control: a Hello as it should be is answered.
        let mut connection = device().connect(&site.address()).await;
        connection.send(&hello(PROTOCOL_VERSION)).await.unwrap();
        let answer = connection.recv().await.unwrap().unwrap();
        assert!(matches!(Frame::decode(&answer).unwrap(), Frame::Hello(_) | Frame::Same { .. }));
    })
    .await;
}

#[tokio::test]
async fn a_relay_that_stops_in_the_middle_keeps_everything_that_it_acknowledged() {
    watched(async {
        let mut site = Site::start(open).await;
        let mut pair = Pair::new(40, &site, |_| None).await;
        let (space, epoch) = (pair.world.space, pair.world.epoch);
        let entries: Vec<_> =
            (0..1_500).map(|n: u32| pair.writers[0].write(space, epoch, &n.to_be_bytes().repeat(250))).collect();
        for part in entries.chunks(500) {
            pair.devices[0].store(part.to_vec()).await;
        }
        let mut live = pair.devices[0].live(&site.address()).await;
        live.until(|event| matches!(event, Event::Acknowledged { arrival, .. } if *arrival > 20)).await.unwrap();
        site.stop().await;
        let visit = live.ended().await;
        let acknowledged = visit.events.iter().filter_map(|event| match event {
            Event::Acknowledged { arrival, .. } => Some(*arrival),
            _ => None,
        });
        let acknowledged = usize::try_from(acknowledged.max().unwrap()).unwrap();
        println!("acknowledged {acknowledged} of {}", pair.world.membership.len() + entries.len());
        assert!(visit.lost.is_some(), "the relay ends the connection");
        site.open(open).await;
        let kept = site.hashes(space).await;
        let wrote: Vec<_> = pair.world.membership.iter().chain(&entries).map(alliance_crypto::Verified::hash).collect();
        for hash in &wrote[..acknowledged] {
            assert!(kept.contains(hash), "an acknowledged entry is gone");
        }
        // Afterwards it goes on where it stopped.
        assert!(pair.devices[0].visit(&site.address()).await.settled());
        assert!(pair.devices[1].visit(&site.address()).await.settled());
        pair.assert_equal(&site).await;
    })
    .await;
}

#[tokio::test]
async fn after_a_restart_a_device_resumes_in_its_first_flight() {
    watched(async {
        let mut site = Site::start(open).await;
        let mut pair = Pair::new(41, &site, |_| None).await;
        let first = pair.devices[0].visit(&site.address()).await;
        assert!(first.settled());
        assert_eq!(first.early, EarlyData::NotOffered);
        let (key, instance) = (site.address().key(), site.relay().instance());
        site.stop().await;
        site.open(open).await;
        assert_eq!((site.address().key(), site.relay().instance()), (key, instance));
        pair.write(0, b"while it was away").await;
        let second = pair.devices[0].visit(&site.address()).await;
        assert!(second.settled(), "{second:?}");
        assert_eq!(second.early, EarlyData::Accepted);
        pair.devices[1].visit(&site.address()).await;
        pair.assert_equal(&site).await;
    })
    .await;
}

#[tokio::test]
async fn a_restored_relay_takes_a_new_instance_and_is_filled_again() {
    watched(async {
        let mut site = Site::start(open).await;
        let mut pair = Pair::new(42, &site, |_| None).await;
        assert!(pair.devices[0].visit(&site.address()).await.settled());
        site.stop().await;
        let (data, backup) = (site.folder().join("data"), site.folder().join("backup.db"));
        std::fs::copy(data.join("store.db"), &backup).unwrap();
        site.open(open).await;
        let before = site.relay().instance();
        pair.write(0, b"after the backup").await;
        assert!(pair.devices[0].visit(&site.address()).await.settled());
        assert!(pair.devices[1].visit(&site.address()).await.settled());
        site.stop().await;
        std::fs::copy(&backup, data.join("store.db")).unwrap();
        // The marker notices; nobody need say anything.
        site.open(open).await;
        assert_ne!(site.relay().instance(), before);
        assert_ne!(site.hashes(pair.world.space).await, pair.devices[1].hashes(pair.world.space).await);
        assert!(pair.devices[1].visit(&site.address()).await.settled());
        pair.assert_equal(&site).await;
        // The operator's word does the same where the marker was restored as well.
        let noticed = site.relay().instance();
        site.stop().await;
        site.open(|config| {
            open(config);
            config.restored = true;
        })
        .await;
        assert_ne!(site.relay().instance(), noticed);
        assert!(pair.devices[0].visit(&site.address()).await.settled());
        pair.assert_equal(&site).await;
        // The control: without either it stays what it is.
        let said = site.relay().instance();
        site.stop().await;
        site.open(open).await;
        assert_eq!(site.relay().replica().instance(), said);
    })
    .await;
}
