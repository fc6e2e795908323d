//! Two devices without a relay.

use alliance_net::{
    Activity, CloseReason, Connection, ConnectionLost, DialError, Dialer, DirectListener, Fault, ReceiveError, Settings,
};

use crate::support::{HELLO, device, dialer, loopback, round_trip, watched};

fn listener(number: u8) -> DirectListener {
    DirectListener::bind(loopback(), device(number), Settings::default()).unwrap()
}

/// The listener's end: admits whoever dials.
async fn admitted(listener: &DirectListener) -> Connection {
    listener.accept().await.unwrap().prove_dialer().await.unwrap().admit().await.unwrap()
}

async fn dial(dialer: &Dialer, listener: &DirectListener, expected: u8) -> Result<Connection, DialError> {
    dialer.dial(listener.local_addr().unwrap(), device(expected).key(), Activity::Background).await
}

#[tokio::test]
async fn two_devices_prove_their_keys() {
    watched(async {
        let (listener, dialer) = (listener(1), dialer(2));
        let (near, mut far) = tokio::join!(dial(&dialer, &listener, 1), admitted(&listener));
        let mut near = near.unwrap();
        assert_eq!(near.peer(), device(1).key());
        assert_eq!(far.peer(), device(2).key());
        round_trip(&mut near, &mut far, HELLO).await;
        // A proof of 98 bytes and one frame with its prefix, each way.
        let expected = 98 + 1 + HELLO.len() as u64;
        for counts in [near.handle().byte_counts(), far.handle().byte_counts()] {
            assert_eq!((counts.frames_sent, counts.frames_received), (expected, expected));
        }
    })
    .await;
}

#[tokio::test]
async fn another_device_at_the_address_is_told_nothing() {
    watched(async {
        let (listener, dialer) = (listener(1), dialer(2));
        let (dialed, mut far) = tokio::join!(dial(&dialer, &listener, 3), admitted(&listener));
        let error = dialed.unwrap_err();
        assert_eq!(error, DialError::WrongDeviceKey { found: device(1).key() });
        assert_eq!(error.fault(), Fault::Peer);
        let lost = ConnectionLost::Closed(CloseReason::WrongKey);
        assert_eq!(far.recv().await.unwrap_err(), ReceiveError::Lost(lost));
        // The control: the right key at the same address.
        let (near, _far) = tokio::join!(dial(&dialer, &listener, 1), admitted(&listener));
        assert_eq!(near.unwrap().peer(), device(1).key());
    })
    .await;
}

#[tokio::test]
async fn the_listener_decides_by_the_dialers_key() {
    watched(async {
        let listener = listener(1);
        let friend = device(2).key();
        let decide = || async {
            let proven = listener.accept().await.unwrap().prove_dialer().await.unwrap();
            if proven.key() == friend {
                return Some(proven.admit().await.unwrap());
            }
            proven.refuse();
            None
        };
        let stranger = dialer(3);
        let (dialed, far) = tokio::join!(dial(&stranger, &listener, 1), decide());
        assert!(far.is_none());
        assert_eq!(dialed.unwrap_err(), DialError::Refused);
        let friend = dialer(2);
        let (dialed, far) = tokio::join!(dial(&friend, &listener, 1), decide());
        assert!(far.is_some());
        dialed.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_listener_that_does_not_decide_reveals_nothing() {
    watched(async {
        let (listener, dialer) = (listener(1), dialer(2));
        let undecided = async { drop(listener.accept().await.unwrap().prove_dialer().await.unwrap()) };
        let (dialed, ()) = tokio::join!(dial(&dialer, &listener, 1), undecided);
        let error = dialed.unwrap_err();
        assert!(matches!(error, DialError::Lost(_)), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_relay_listener_is_no_device() {
    watched(async {
        let relay = crate::support::relay(1);
        let address = relay.local_addr().unwrap();
        let dialer = dialer(2);
        let dial = dialer.dial(address, relay.key(), Activity::Background);
        let at_relay = async { relay.accept().await.unwrap().establish().await.unwrap_err() };
        let (dialed, _) = tokio::join!(dial, at_relay);
        assert_eq!(dialed.unwrap_err(), DialError::Lost(ConnectionLost::Incompatible));
    })
    .await;
}
