//! Speaking in the first datagram, and what happens when the relay cannot take it.

use std::sync::{Arc, Mutex};

use alliance_net::{
    Activity, ConnectionLost, EARLY_BYTES_MAX, EarlyData, MemoryTickets, ReceiveError, RelayListener, TicketStore,
};
use alliance_wire::DeviceKey;

use crate::support::{HELLO, accepted, device, dialer, loopback, meet, relay_at, round_trip, secrets, watched};

/// Stops a relay in good order and starts it again at its address. Its connections must be dropped: they hold the
/// socket.
async fn restart(relay: RelayListener, number: u8, tickets: Arc<dyn TicketStore>) -> RelayListener {
    let address = relay.local_addr().unwrap();
    relay.close(alliance_net::CloseReason::Shutdown).await;
    drop(relay);
    // The socket is released by quinn's driver task, which runs when this one lets it.
    loop {
        if std::net::UdpSocket::bind(address).is_ok() {
            return relay_at(address, &secrets(number), tickets);
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_second_meeting_begins_with_data() {
    watched(async {
        let tickets = Arc::new(MemoryTickets::default());
        let relay = relay_at(loopback(), &secrets(1), tickets.clone());
        let dialer = dialer(2);
        let (mut near, mut far) = meet(&dialer, &relay).await;
        round_trip(&mut near, &mut far, HELLO).await;
        assert_eq!(near.handle().early_data_settled().await, EarlyData::NotOffered);

        let (mut near, mut far) = meet(&dialer, &relay).await;
        assert_eq!(far.peer(), device(2).key());
        assert_eq!(far.handle().early_data(), EarlyData::Accepted);
        round_trip(&mut near, &mut far, HELLO).await;
        assert_eq!(near.handle().early_data_settled().await, EarlyData::Accepted);

        // Another device has no ticket; neither has this one at another relay.
        let (near, _far) = meet(&crate::support::dialer(3), &relay).await;
        assert_eq!(near.handle().early_data(), EarlyData::NotOffered);
        let (near, _far) = meet(&dialer, &crate::support::relay(9)).await;
        assert_eq!(near.handle().early_data(), EarlyData::NotOffered);
    })
    .await;
}

#[tokio::test]
async fn a_restart_keeps_or_loses_tickets_and_no_frame_either_way() {
    for (kept, outcome) in [(true, EarlyData::Accepted), (false, EarlyData::Rejected)] {
        watched(async {
            let tickets: Arc<dyn TicketStore> = Arc::new(MemoryTickets::default());
            let relay = relay_at(loopback(), &secrets(1), Arc::clone(&tickets));
            let dialer = dialer(2);
            let (mut near, mut far) = meet(&dialer, &relay).await;
            round_trip(&mut near, &mut far, HELLO).await;
            drop((near, far));
            let tickets = if kept { tickets } else { Arc::new(MemoryTickets::default()) };
            let relay = restart(relay, 1, tickets).await;

            // More than the early flight holds, so that it runs full in the middle of a frame.
            let frames: Vec<Vec<u8>> = (1..=10).map(|n| vec![n; EARLY_BYTES_MAX / 4]).collect();
            let connect = dialer.connect(relay.local_addr().unwrap(), relay.key(), Activity::Background);
            let (handle, mut sender, mut receiver) = connect.await.unwrap().split();
            assert_eq!(handle.early_data(), EarlyData::Pending);
            let near = async {
                for frame in &frames {
                    sender.send(frame).await.unwrap();
                }
                sender.finish().await.unwrap();
            };
            let far = async {
                let mut far = accepted(&relay).await;
                assert_eq!(far.peer(), device(2).key());
                let mut received = Vec::new();
                while let Some(frame) = far.recv().await.unwrap() {
                    received.push(frame);
                }
                assert!(received == frames, "{} frames", received.len());
                far.send(b"answer").await.unwrap();
                far.handle().closed().await
            };
            let answered = async {
                let answer = receiver.recv().await.unwrap();
                assert_eq!(answer.as_deref(), Some(b"answer".as_slice()));
                handle.close(alliance_net::CloseReason::Done);
            };
            let ((), _, ()) = tokio::join!(near, far, answered);
            assert_eq!(handle.early_data(), outcome, "tickets kept: {kept}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_receiver_that_waits_alone_gets_the_answer_after_a_refusal() {
    watched(async {
        let relay = relay_at(loopback(), &secrets(1), Arc::new(MemoryTickets::default()));
        let dialer = dialer(2);
        let (mut near, mut far) = meet(&dialer, &relay).await;
        round_trip(&mut near, &mut far, HELLO).await;
        drop((near, far));
        let relay = restart(relay, 1, Arc::new(MemoryTickets::default())).await;
        let connect = dialer.connect(relay.local_addr().unwrap(), relay.key(), Activity::Background);
        let mut near = connect.await.unwrap();
        near.send(HELLO).await.unwrap();
        let far = async {
            let mut far = accepted(&relay).await;
            assert_eq!(far.recv().await.unwrap().as_deref(), Some(HELLO));
            assert_eq!(far.handle().early_data(), EarlyData::NotOffered);
            far.send(b"answer").await.unwrap();
            far
        };
        let (answer, _far) = tokio::join!(near.recv(), far);
        assert_eq!(answer.unwrap().as_deref(), Some(b"answer".as_slice()));
        assert_eq!(near.handle().early_data(), EarlyData::Rejected);
        assert_eq!(near.handle().byte_counts().frames_sent, 2 * (1 + HELLO.len() as u64));
    })
    .await;
}

#[tokio::test]
async fn an_impostor_at_the_relays_address_reads_nothing_early() {
    watched(async {
        let relay = relay_at(loopback(), &secrets(1), Arc::new(MemoryTickets::default()));
        let dialer = dialer(2);
        let (mut near, mut far) = meet(&dialer, &relay).await;
        round_trip(&mut near, &mut far, HELLO).await;
        drop((near, far));
        let pin = relay.key();
        let impostor = restart(relay, 9, Arc::new(MemoryTickets::default())).await;
        let mut near = dialer.connect(impostor.local_addr().unwrap(), pin, Activity::Background).await.unwrap();
        assert_eq!(near.handle().early_data(), EarlyData::Pending);
        near.send(HELLO).await.unwrap();
        let at_impostor = async { impostor.accept().await.unwrap().establish().await.unwrap_err() };
        let (received, _) = tokio::join!(near.recv(), at_impostor);
        assert_eq!(received.unwrap_err(), ReceiveError::Lost(ConnectionLost::WrongKey));
    })
    .await;
}

/// Notes for whom tickets are kept.
#[derive(Debug, Default)]
struct Noting {
    inner: MemoryTickets,
    devices: Mutex<Vec<DeviceKey>>,
}

impl TicketStore for Noting {
    fn put(&self, device: DeviceKey, key: &[u8], value: &[u8]) -> bool {
        self.devices.lock().unwrap().push(device);
        self.inner.put(device, key, value)
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.inner.take(key)
    }

    fn forget(&self, device: DeviceKey) {
        self.inner.forget(device);
    }
}

#[tokio::test]
async fn tickets_are_kept_under_the_device_and_forgotten_with_it() {
    watched(async {
        let tickets = Arc::new(Noting::default());
        let relay = relay_at(loopback(), &secrets(1), tickets.clone());
        let (two, three) = (dialer(2), dialer(3));
        for dialer in [&two, &three] {
            let (mut near, mut far) = meet(dialer, &relay).await;
            round_trip(&mut near, &mut far, HELLO).await;
        }
        let noted = tickets.devices.lock().unwrap().clone();
        assert!(noted.contains(&device(2).key()) && noted.contains(&device(3).key()), "{noted:?}");
        tickets.forget(device(2).key());
        for (dialer, outcome) in [(&two, EarlyData::Rejected), (&three, EarlyData::Accepted)] {
            let (mut near, mut far) = meet(dialer, &relay).await;
            round_trip(&mut near, &mut far, HELLO).await;
            assert_eq!(near.handle().early_data_settled().await, outcome);
        }
    })
    .await;
}
