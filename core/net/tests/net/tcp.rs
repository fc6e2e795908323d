//! TLS on TCP over loopback: the same keys and frames as over QUIC, and every end says why.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod hostile;
mod marks;
mod strangers;
mod wire;

use std::net::SocketAddr;
use std::time::Duration;

use alliance_net::{
    Activity, CloseReason, ConnectionLost, Line as _, ReceiveError, SendError, Settings, TcpConnectError,
    TcpConnection, TcpDialer, TcpRelayListener,
};
use alliance_wire::limits;

use crate::support::{HELLO, device, loopback, secrets, watched};

fn relay_with(number: u8, settings: Settings) -> TcpRelayListener {
    TcpRelayListener::bind(loopback(), &secrets(number), settings).unwrap()
}

fn dialer_with(number: u8, settings: Settings) -> TcpDialer {
    TcpDialer::new(device(number), settings)
}

/// Both ends of a new line, the first frame already read; the dialer reaches the relay at `address`.
async fn meet_at(address: SocketAddr, dialer: &TcpDialer, relay: &TcpRelayListener) -> (TcpConnection, TcpConnection) {
    let dial = async {
        let mut line = dialer.connect(address, relay.key(), Activity::Foreground).await.unwrap();
        line.send(HELLO).await.unwrap();
        line
    };
    let accept = async { relay.accept().await.establish().await.unwrap() };
    let (near, mut far) = tokio::join!(dial, accept);
    assert_eq!(far.recv().await.unwrap().as_deref(), Some(HELLO));
    (near, far)
}

async fn meet_with(settings: Settings) -> (TcpConnection, TcpConnection, TcpRelayListener) {
    let relay = relay_with(1, settings);
    let (near, far) = meet_at(relay.local_addr().unwrap(), &dialer_with(2, settings), &relay).await;
    (near, far, relay)
}

fn closed(reason: CloseReason) -> ReceiveError {
    ReceiveError::Lost(ConnectionLost::Closed(reason))
}

#[tokio::test]
async fn each_end_knows_the_other_by_key_and_hears_its_frames() {
    watched(async {
        let (mut near, mut far, relay) = meet_with(Settings::default()).await;
        assert_eq!((near.peer(), far.peer()), (relay.key(), device(2).key()));
        assert_eq!(near.handle().remote_address(), relay.local_addr().unwrap());
        let large = vec![7; limits::FRAME_BYTES_MAX];
        for frame in [b"x".as_slice(), &[1; 127], &[2; 128], &[3; 70_000], &large] {
            // Both write before either reads.
            tokio::try_join!(near.send(frame), far.send(frame)).unwrap();
            assert_eq!(far.recv().await.unwrap().as_deref(), Some(frame));
            assert_eq!(near.recv().await.unwrap().as_deref(), Some(frame));
        }
        let limit = limits::FRAME_BYTES_MAX;
        let error = near.send(&vec![0; limit + 1]).await.unwrap_err();
        assert_eq!(error, SendError::TooLarge { length: limit + 1, limit });
        assert_eq!(near.send(&[]).await.unwrap_err(), SendError::Empty);
        let (sent, received) = (near.handle().byte_counts(), far.handle().byte_counts());
        assert_eq!(sent.frames_sent, received.frames_received);
        assert_eq!((sent.udp_sent, sent.udp_received), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn an_end_is_heard_and_the_other_way_goes_on() {
    watched(async {
        let (near, mut far, _relay) = meet_with(Settings::default()).await;
        let (handle, mut sender, mut receiver) = near.split();
        sender.send(b"the last").await.unwrap();
        let (finished, heard) = tokio::join!(sender.finish(), async {
            assert_eq!(far.recv().await.unwrap().as_deref(), Some(b"the last".as_slice()));
            far.recv().await
        });
        assert_eq!((finished, heard), (Ok(()), Ok(None)));
        assert_eq!(sender.send(b"more").await.unwrap_err(), SendError::Finished);
        far.send(b"the other way").await.unwrap();
        assert_eq!(receiver.recv().await.unwrap().as_deref(), Some(b"the other way".as_slice()));
        // Ending is heard by whoever reads no frames any more, too.
        drop(receiver);
        far.send(b"for nobody").await.unwrap();
        far.finish().await.unwrap();
        handle.close(CloseReason::Done);
        assert_eq!(far.handle().closed().await, ConnectionLost::Closed(CloseReason::Done));
        assert_eq!(far.recv().await, Ok(None));
    })
    .await;
}

#[tokio::test]
async fn close_reasons_arrive_behind_the_frames_before_them() {
    let known = (0..9).map(CloseReason::from_code).chain([CloseReason::Unrecognized(77)]);
    for reason in known {
        watched(async {
            let (mut near, mut far, _relay) = meet_with(Settings::default()).await;
            // Unread at the side that closes: a system throws away what was written last when it closes on such bytes.
            far.send(&vec![9; 200_000]).await.unwrap();
            near.send(b"one").await.unwrap();
            near.send(b"two").await.unwrap();
            near.handle().close(reason);
            assert_eq!(far.recv().await.unwrap().as_deref(), Some(b"one".as_slice()));
            assert_eq!(far.recv().await.unwrap().as_deref(), Some(b"two".as_slice()));
            assert_eq!(far.recv().await.unwrap_err(), closed(reason));
            assert_eq!(far.send(b"late").await.unwrap_err(), SendError::Lost(ConnectionLost::Closed(reason)));
            assert_eq!(near.handle().close_reason(), Some(ConnectionLost::ClosedHere));
            // The other way round.
            let (mut near, far, _relay) = meet_with(Settings::default()).await;
            far.handle().close(reason);
            assert_eq!(near.recv().await.unwrap_err(), closed(reason));
        })
        .await;
    }
}

#[tokio::test]
async fn whoever_closes_all_or_goes_is_heard() {
    watched(async {
        let (mut near, far, relay) = meet_with(Settings::default()).await;
        let open = relay.open_connections();
        assert_eq!(open, 1);
        let (heard, ()) = tokio::join!(near.recv(), relay.close(CloseReason::Shutdown));
        assert_eq!(heard.unwrap_err(), closed(CloseReason::Shutdown));
        assert_eq!(relay.open_connections(), 0, "closing waits for the lines");
        drop(far);
        let relay = relay_with(1, Settings::default());
        let dialer = dialer_with(2, Settings::default());
        let (near, mut far) = meet_at(relay.local_addr().unwrap(), &dialer, &relay).await;
        let (heard, ()) = tokio::join!(far.recv(), dialer.close(CloseReason::Done));
        assert_eq!(heard.unwrap_err(), closed(CloseReason::Done));
        let again = dialer.connect(relay.local_addr().unwrap(), relay.key(), Activity::Background).await;
        assert_eq!(again.unwrap_err(), TcpConnectError::DialerClosed);
        drop(near);
        let (near, mut far, _relay) = meet_with(Settings::default()).await;
        drop(near);
        assert_eq!(far.recv().await.unwrap_err(), closed(CloseReason::Done), "all parts are gone");
    })
    .await;
}

#[tokio::test]
async fn a_line_that_idles_or_is_not_read_ends() {
    watched(async {
        let quick = Settings { idle: Duration::from_millis(300), ..Settings::default() };
        let (mut near, mut far, _relay) = meet_with(quick).await;
        let lost = ReceiveError::Lost(ConnectionLost::TimedOut);
        let (here, there) = tokio::join!(near.recv(), far.recv());
        assert!(here == Err(lost) || there == Err(lost), "{here:?} {there:?}");
        let impatient = Settings { progress: Duration::from_millis(300), ..Settings::default() };
        let (mut near, _far, _relay) = meet_with(impatient).await;
        let frame = vec![1; limits::FRAME_BYTES_MAX];
        let error = loop {
            if let Err(error) = near.send(&frame).await {
                break error;
            }
        };
        assert_eq!(error, SendError::Lost(ConnectionLost::Stalled));
    })
    .await;
}
