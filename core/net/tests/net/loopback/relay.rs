//! A device and a relay.

use std::future::poll_fn;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use alliance_net::{
    Activity, CloseReason, ConnectError, ConnectionLost, Dialer, DirectListener, EarlyData, Fault, FrameError,
    MemoryTickets, ReceiveError, RelayAcceptError, RelayListener, RelaySecrets, SecretsError, SendError, Settings,
};
use alliance_wire::limits;

use crate::support::{HELLO, accepted, device, dialer, loopback, meet, relay, round_trip, secrets, watched};

#[tokio::test]
async fn each_end_knows_the_other_by_key() {
    // (where the relay listens, how it is dialed)
    let cases = [("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "::1"), ("[::]:0", "127.0.0.1"), ("[::]:0", "::1")];
    for (listen, dial) in cases {
        let listen: SocketAddr = listen.parse().unwrap();
        if UdpSocket::bind(listen).is_err() {
            eprintln!("this machine has no {listen}: case left out");
            continue;
        }
        watched(async {
            let tickets = Arc::new(MemoryTickets::default());
            let relay = RelayListener::bind(listen, &secrets(1), tickets, Settings::default()).unwrap();
            let address = SocketAddr::new(dial.parse().unwrap(), relay.local_addr().unwrap().port());
            let near = async {
                let mut near = dialer(2).connect(address, relay.key(), Activity::Foreground).await.unwrap();
                near.send(HELLO).await.unwrap();
                near
            };
            let (mut near, mut far) = tokio::join!(near, accepted(&relay));
            assert_eq!(far.recv().await.unwrap().as_deref(), Some(HELLO));
            assert_eq!(near.peer(), secrets(1).relay_key());
            assert_eq!(far.peer(), device(2).key());
            assert_eq!(near.handle().remote_address(), address);
            assert_eq!(far.handle().remote_address().ip(), address.ip());
            assert_eq!(near.handle().early_data(), EarlyData::NotOffered);
            round_trip(&mut near, &mut far, b"and back").await;
            assert!(near.handle().rtt() > Duration::ZERO);
        })
        .await;
    }
}

#[tokio::test]
async fn a_relay_with_another_key_than_pinned_is_refused() {
    watched(async {
        let (relay, dialer) = (relay(1), dialer(2));
        let address = relay.local_addr().unwrap();
        let other = secrets(9).relay_key();
        let wrong = async { dialer.connect(address, other, Activity::Background).await.unwrap_err() };
        let incoming = async { relay.accept().await.unwrap().establish().await.unwrap_err() };
        let (error, at_relay) = tokio::join!(wrong, incoming);
        assert_eq!(error, ConnectError::WrongRelayKey);
        assert_eq!(error.fault(), Fault::Peer);
        assert_eq!(at_relay, RelayAcceptError::Lost(ConnectionLost::FoundAtFault));
        // The control: the same dialer and relay, the right pin.
        let (near, _far) = meet(&dialer, &relay).await;
        assert_eq!(near.peer(), relay.key());
    })
    .await;
}

#[tokio::test]
async fn a_listener_of_the_other_kind_is_incompatible() {
    watched(async {
        let listener = DirectListener::bind(loopback(), device(1), Settings::default()).unwrap();
        let address = listener.local_addr().unwrap();
        let dialer = dialer(2);
        let incoming = async { listener.accept().await.unwrap().prove_dialer().await.unwrap_err() };
        let connect = dialer.connect(address, device(1).key(), Activity::Background);
        let (error, _) = tokio::join!(connect, incoming);
        let error = error.unwrap_err();
        assert_eq!(error, ConnectError::Lost(ConnectionLost::Incompatible));
        assert_eq!(error.fault(), Fault::Incompatible);
    })
    .await;
}

#[tokio::test]
async fn where_nobody_answers_the_handshake_ends_in_time() {
    watched(async {
        let silent = UdpSocket::bind(loopback()).unwrap();
        let settings = Settings { handshake: Duration::from_millis(50), ..Settings::default() };
        let dialer = Dialer::bind(device(2), settings).unwrap();
        let address = silent.local_addr().unwrap();
        let error = dialer.connect(address, device(1).key(), Activity::Background).await.unwrap_err();
        assert_eq!(error, ConnectError::Lost(ConnectionLost::TimedOut));
        let nowhere = SocketAddr::new(address.ip(), 0);
        let error = dialer.connect(nowhere, device(1).key(), Activity::Background).await.unwrap_err();
        assert_eq!(error, ConnectError::Address(nowhere));
        dialer.close(CloseReason::Done).await;
        let error = dialer.connect(address, device(1).key(), Activity::Background).await.unwrap_err();
        assert_eq!(error, ConnectError::DialerClosed);
    })
    .await;
}

#[tokio::test]
async fn the_largest_frame_passes_and_a_larger_one_does_not_leave() {
    watched(async {
        let (near, far) = meet(&dialer(2), &relay(1)).await;
        let (_, mut sender, _receiver) = near.split();
        let (_, _sender, mut receiver) = far.split();
        let largest: Vec<u8> = (0..limits::FRAME_BYTES_MAX).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let (sent, received) = tokio::join!(sender.send(&largest), receiver.recv());
        sent.unwrap();
        assert!(received.unwrap().unwrap() == largest);

        let limit = limits::FRAME_BYTES_MAX;
        let error = sender.send(&vec![0; limit + 1]).await.unwrap_err();
        assert_eq!(error, SendError::TooLarge { length: limit + 1, limit });
        assert_eq!(sender.send(&[]).await.unwrap_err(), SendError::Empty);
        assert_eq!(error.fault(), Fault::Caller);
        // Neither harmed the connection.
        sender.send(HELLO).await.unwrap();
        assert_eq!(receiver.recv().await.unwrap().as_deref(), Some(HELLO));
    })
    .await;
}

#[tokio::test]
async fn a_frame_over_the_limit_is_refused_by_the_receiver() {
    watched(async {
        // This relay takes less than the dialer may send, so that a well-behaved sender can break its limit.
        let settings = Settings { frame_bytes_max: 1_000, ..Settings::default() };
        let relay = RelayListener::bind(loopback(), &secrets(1), Arc::new(MemoryTickets::default()), settings).unwrap();
        let (mut near, mut far) = meet(&dialer(2), &relay).await;
        round_trip(&mut near, &mut far, &[7; 1_000]).await;
        near.send(&[7; 1_001]).await.unwrap();
        let error = far.recv().await.unwrap_err();
        assert_eq!(error, ReceiveError::Malformed(FrameError::TooLarge { limit: 1_000 }));
        assert_eq!(error.fault(), Fault::Peer);
        let lost = ConnectionLost::Closed(CloseReason::FrameTooLarge);
        assert_eq!(near.recv().await.unwrap_err(), ReceiveError::Lost(lost));
        assert_eq!(far.send(HELLO).await.unwrap_err(), SendError::Lost(ConnectionLost::PeerMisbehaved));
    })
    .await;
}

/// Sends so much of a frame as the window takes, then gives up.
async fn send_in_part(sender: &mut alliance_net::FrameSender) {
    let frame = vec![5; 512 * 1_024];
    let mut send = std::pin::pin!(sender.send(&frame));
    poll_fn(|context| {
        assert!(send.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_ends_inside_a_frame_is_cut() {
    watched(async {
        let (near, far) = meet(&dialer(2), &relay(1)).await;
        let (handle, mut sender, _receiver) = near.split();
        let (_, _sender, mut receiver) = far.split();
        send_in_part(&mut sender).await;
        drop(sender);
        assert_eq!(receiver.recv().await.unwrap_err(), ReceiveError::Cut);
        assert_eq!(handle.closed().await, ConnectionLost::Closed(CloseReason::ProtocolViolation));
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_ends_inside_a_frame_is_lost() {
    watched(async {
        let (near, far) = meet(&dialer(2), &relay(1)).await;
        let (handle, mut sender, _receiver) = near.split();
        let (_, _sender, mut receiver) = far.split();
        send_in_part(&mut sender).await;
        handle.close(CloseReason::Unrecognized(77));
        let lost = ConnectionLost::Closed(CloseReason::Unrecognized(77));
        assert_eq!(receiver.recv().await.unwrap_err(), ReceiveError::Lost(lost));
        assert_eq!(handle.close_reason(), Some(ConnectionLost::ClosedHere));
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_frame_leaves_the_stream_in_order() {
    watched(async {
        let (near, far) = meet(&dialer(2), &relay(1)).await;
        let (_, mut sender, _receiver) = near.split();
        let (_, _sender, mut receiver) = far.split();
        send_in_part(&mut sender).await;
        let frames = async {
            assert!(receiver.recv().await.unwrap().unwrap() == vec![5; 512 * 1_024]);
            receiver.recv().await.unwrap()
        };
        let (sent, second) = tokio::join!(sender.send(b"the next"), frames);
        sent.unwrap();
        assert_eq!(second.as_deref(), Some(b"the next".as_slice()));
    })
    .await;
}

#[tokio::test]
async fn a_peer_that_reads_nothing_or_sends_half_is_given_up() {
    watched(async {
        let settings = Settings { progress: Duration::from_millis(50), ..Settings::default() };
        let hasty = Dialer::bind(device(2), settings).unwrap();
        let relay = relay(1);
        let (near, far) = meet(&hasty, &relay).await;
        let (_, mut sender, _receiver) = near.split();
        let error = sender.send(&vec![5; 512 * 1_024]).await.unwrap_err();
        assert_eq!(error, SendError::Lost(ConnectionLost::Stalled));
        assert_eq!(far.handle().closed().await, ConnectionLost::Closed(CloseReason::Stalled));

        let (near, far) = meet(&hasty, &relay).await;
        let (_, mut sender, _receiver) = far.split();
        let (_, _sender, mut receiver) = near.split();
        send_in_part(&mut sender).await;
        assert_eq!(receiver.recv().await.unwrap_err(), ReceiveError::Lost(ConnectionLost::Stalled));
    })
    .await;
}

#[tokio::test]
async fn bytes_are_counted_with_their_prefixes() {
    watched(async {
        let (mut near, mut far) = meet(&dialer(2), &relay(1)).await;
        // Lengths on both sides of the prefix's steps, and what each costs.
        let cases = [(1, 2), (127, 128), (128, 130), (16_383, 16_385), (16_384, 16_387)];
        let mut expected = 1 + HELLO.len() as u64;
        for (length, cost) in cases {
            near.send(&vec![1; length]).await.unwrap();
            assert_eq!(far.recv().await.unwrap().unwrap().len(), length);
            expected += cost;
            assert_eq!(near.handle().byte_counts().frames_sent, expected, "{length}");
            assert_eq!(far.handle().byte_counts().frames_received, expected, "{length}");
        }
        far.send(&[1; 200]).await.unwrap();
        near.recv().await.unwrap();
        let (here, there) = (near.handle().byte_counts(), far.handle().byte_counts());
        assert_eq!((here.frames_received, there.frames_sent), (202, 202));
        assert!(here.udp_sent > here.frames_sent && here.udp_received > here.frames_received, "{here:?}");
        assert!(there.udp_received > there.frames_received, "{there:?}");
    })
    .await;
}

#[tokio::test]
async fn finished_frames_arrive_and_the_other_direction_goes_on() {
    watched(async {
        let (near, far) = meet(&dialer(2), &relay(1)).await;
        let (handle, mut sender, mut receiver) = near.split();
        let (_, mut far_sender, mut far_receiver) = far.split();
        let sending = async {
            sender.send(b"last").await.unwrap();
            sender.finish().await.unwrap();
            assert_eq!(sender.send(HELLO).await.unwrap_err(), SendError::Finished);
            let answer = receiver.recv().await.unwrap();
            handle.close(CloseReason::Done);
            answer
        };
        let answering = async {
            assert_eq!(far_receiver.recv().await.unwrap().as_deref(), Some(b"last".as_slice()));
            assert_eq!(far_receiver.recv().await.unwrap(), None);
            far_sender.send(b"answer").await.unwrap();
            // The peer closes as done once it has the answer, which is as good as an acknowledgement.
            far_sender.finish().await.unwrap();
        };
        let (answer, ()) = tokio::join!(sending, answering);
        assert_eq!(answer.as_deref(), Some(b"answer".as_slice()));
    })
    .await;
}

#[tokio::test]
async fn a_relay_that_shuts_down_says_so() {
    watched(async {
        let (relay, dialer) = (relay(1), dialer(2));
        let (near, _far) = meet(&dialer, &relay).await;
        assert_eq!(relay.open_connections(), 1);
        let (lost, ()) = tokio::join!(near.handle().closed(), relay.close(CloseReason::Shutdown));
        assert_eq!(lost, ConnectionLost::Closed(CloseReason::Shutdown));
        assert_eq!(lost.fault(), Fault::Environment);
        assert_eq!(relay.open_connections(), 0);
        assert!(relay.accept().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_relay_that_stops_accepting_answers_no_newcomer() {
    watched(async {
        let settings = Settings { handshake: Duration::from_millis(50), ..Settings::default() };
        let (relay, dialer) = (relay(1), Dialer::bind(device(2), settings).unwrap());
        let (mut near, mut far) = meet(&self::dialer(3), &relay).await;
        relay.stop_accepting();
        let error = dialer.connect(relay.local_addr().unwrap(), relay.key(), Activity::Background).await.unwrap_err();
        assert_eq!(error, ConnectError::Lost(ConnectionLost::TimedOut));
        round_trip(&mut near, &mut far, HELLO).await;
    })
    .await;
}

#[tokio::test]
async fn a_device_that_never_speaks_is_given_up() {
    watched(async {
        let settings = Settings { handshake: Duration::from_millis(50), ..Settings::default() };
        let relay = RelayListener::bind(loopback(), &secrets(1), Arc::new(MemoryTickets::default()), settings).unwrap();
        let dialer = dialer(2);
        let connect = dialer.connect(relay.local_addr().unwrap(), relay.key(), Activity::Background);
        let establish = async { relay.accept().await.unwrap().establish().await.unwrap_err() };
        let (_near, error) = tokio::join!(connect, establish);
        assert_eq!(error, RelayAcceptError::Lost(ConnectionLost::TimedOut));
    })
    .await;
}

#[tokio::test]
async fn under_load_a_newcomer_first_shows_its_address() {
    watched(async {
        let (relay, dialer) = (relay(1), dialer(2));
        let (address, key) = (relay.local_addr().unwrap(), relay.key());
        let mut crowd = tokio::task::JoinSet::new();
        let mut under_way = Vec::new();
        while under_way.len() < 128 {
            let dialer = dialer.clone();
            crowd.spawn(async move { dialer.connect(address, key, Activity::Background).await });
            let incoming = relay.accept().await.unwrap();
            assert!(!incoming.address_is_validated());
            under_way.push(incoming);
        }
        crowd.spawn(async move { dialer.connect(address, key, Activity::Background).await });
        assert!(relay.accept().await.unwrap().address_is_validated());
        // Once they are done, newcomers come in unasked again.
        under_way.into_iter().for_each(alliance_net::RelayIncoming::refuse);
        let (near, _far) = meet(&self::dialer(3), &relay).await;
        assert_eq!(near.peer(), key);
    })
    .await;
}

#[tokio::test]
async fn a_device_that_changes_networks_keeps_its_connection() {
    watched(async {
        let (relay, dialer) = (relay(1), dialer(2));
        let (mut near, mut far) = meet(&dialer, &relay).await;
        let before = far.handle().remote_address();
        dialer.rebind().unwrap();
        round_trip(&mut near, &mut far, b"from elsewhere").await;
        assert_ne!(far.handle().remote_address(), before);
    })
    .await;
}

#[test]
fn relay_secrets_come_back_as_they_were_stored() {
    let random: [u8; 128] = std::array::from_fn(|n| u8::try_from(n).unwrap());
    let secrets = RelaySecrets::generate(&random);
    let stored = secrets.to_bytes();
    assert_eq!(stored.len(), RelaySecrets::BYTES);
    assert_eq!(stored[1..], random);
    assert_eq!(RelaySecrets::from_bytes(&stored), Ok(secrets.clone()));
    assert!(!format!("{secrets:?}").contains("token"));

    let mut newer = stored.to_vec();
    newer[0] = 2;
    assert_eq!(RelaySecrets::from_bytes(&newer), Err(SecretsError::Version(2)));
    for length in [0, 1, 128, 130] {
        let mut other = stored.to_vec();
        other.resize(length, 0);
        assert_eq!(RelaySecrets::from_bytes(&other), Err(SecretsError::Length { found: length }));
    }
}
