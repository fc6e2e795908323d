//! Peers that break the protocol, stand still or vanish, and newcomers that never say who they are.

use std::time::Duration;

use alliance_net::{
    Activity, CloseReason, ConnectionLost, FrameError, ReceiveError, RelayAcceptError, SendError, Settings,
};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::wire::{Wire, trickle};
use super::{closed, dialer_with, meet_at, relay_with};
use crate::support::{HELLO, device, watched};

/// The beginning of a TLS record that holds a ClientHello of 16 KiB, which never comes.
const HELLO_BEGINS: [u8; 9] = [0x16, 3, 1, 0x3f, 0xff, 1, 0, 0x3f, 0xfb];

#[tokio::test]
async fn a_frame_that_is_too_large_is_refused_by_its_length() {
    watched(async {
        let relay = relay_with(1, Settings { frame_bytes_max: 1_000, ..Settings::default() });
        let dialer = dialer_with(2, Settings::default());
        let (mut near, mut far) = meet_at(relay.local_addr().unwrap(), &dialer, &relay).await;
        near.send(&[1; 1_000]).await.unwrap();
        assert_eq!(far.recv().await.unwrap().map(|frame| frame.len()), Some(1_000), "the control");
        near.send(&[1; 1_001]).await.unwrap();
        let error = far.recv().await.unwrap_err();
        assert_eq!(error, ReceiveError::Malformed(FrameError::TooLarge { limit: 1_000 }));
        assert_eq!(far.send(HELLO).await.unwrap_err(), SendError::Lost(ConnectionLost::PeerMisbehaved));
        assert_eq!(near.recv().await.unwrap_err(), closed(CloseReason::FrameTooLarge));
    })
    .await;
}

#[tokio::test]
async fn a_frame_that_stands_still_half_way_ends_the_line() {
    watched(async {
        let relay = relay_with(1, Settings { progress: Duration::from_millis(300), ..Settings::default() });
        let wire = Wire::to(relay.local_addr().unwrap()).await;
        let (mut near, mut far) = meet_at(wire.address, &dialer_with(2, Settings::default()), &relay).await;
        // Between frames nobody is in a hurry: far longer than the time of a piece.
        tokio::time::sleep(Duration::from_millis(900)).await;
        near.send(&[1; 40_000]).await.unwrap();
        assert_eq!(far.recv().await.unwrap().map(|frame| frame.len()), Some(40_000), "the control");
        wire.allow(20_000);
        near.send(&[1; 40_000]).await.unwrap();
        assert_eq!(far.recv().await.unwrap_err(), ReceiveError::Lost(ConnectionLost::Stalled));
        assert_eq!(near.recv().await.unwrap_err(), closed(CloseReason::Stalled));
    })
    .await;
}

#[tokio::test]
async fn a_reset_is_a_lost_line_at_both_ends() {
    watched(async {
        let relay = relay_with(1, Settings::default());
        let dialer = dialer_with(2, Settings::default());
        let wire = Wire::to(relay.local_addr().unwrap()).await;
        let (mut near, mut far) = meet_at(wire.address, &dialer, &relay).await;
        wire.cut();
        let lost = ReceiveError::Lost(ConnectionLost::Reset);
        assert_eq!((near.recv().await.unwrap_err(), far.recv().await.unwrap_err()), (lost, lost));
        assert_eq!(relay.open_connections(), 0);
        // Inside a frame it is the same: nobody says that the peer did it.
        let wire = Wire::to(relay.local_addr().unwrap()).await;
        let (mut near, mut far) = meet_at(wire.address, &dialer, &relay).await;
        wire.allow(20_000);
        near.send(&[1; 40_000]).await.unwrap();
        wire.used_up().await;
        wire.cut();
        assert_eq!(far.recv().await.unwrap_err(), lost);
    })
    .await;
}

#[tokio::test]
async fn newcomers_that_stand_still_or_crawl_are_closed() {
    watched(async {
        let relay = relay_with(1, Settings { handshake: Duration::from_millis(2_000), ..Settings::default() });
        let address = relay.local_addr().unwrap();
        let timed_out = RelayAcceptError::Lost(ConnectionLost::TimedOut);
        // Says nothing; says a little now and then.
        let mut silent = TcpStream::connect(address).await.unwrap();
        let silent_one = relay.accept().await;
        let mut slow = TcpStream::connect(address).await.unwrap();
        let slow_one = relay.accept().await;
        let crawl = trickle(&mut slow, &HELLO_BEGINS);
        let mut buffer = [0; 64];
        let (silence, crawling, end, ()) =
            tokio::join!(silent_one.establish(), slow_one.establish(), silent.read(&mut buffer), crawl);
        assert_eq!((silence.unwrap_err(), crawling.unwrap_err()), (timed_out, timed_out));
        assert_eq!(end.unwrap(), 0, "its connection is over");
        // Shows a key, and then says no frame.
        let dialer = dialer_with(2, Settings::default());
        let dial = dialer.connect(address, relay.key(), Activity::Foreground);
        let (line, mute) = tokio::join!(dial, async { relay.accept().await.establish().await });
        assert_eq!(mute.unwrap_err(), timed_out);
        let mut line = line.unwrap();
        assert_eq!(line.recv().await.unwrap_err(), ReceiveError::Lost(ConnectionLost::Reset));
        assert_eq!(relay.open_connections(), 0);
        let (_near, far) = meet_at(address, &dialer, &relay).await;
        assert_eq!(far.peer(), device(2).key(), "the control");
    })
    .await;
}

#[tokio::test]
async fn one_address_holds_so_many_handshakes_and_no_more() {
    watched(async {
        let relay = relay_with(1, Settings::default());
        let address = relay.local_addr().unwrap();
        let (mut streams, mut held) = (Vec::new(), Vec::new());
        for _ in 0..64 {
            streams.push(TcpStream::connect(address).await.unwrap());
            held.push(relay.accept().await);
        }
        let dialer = dialer_with(2, Settings::default());
        let dial = dialer.connect(address, relay.key(), Activity::Foreground);
        let refused = tokio::select! {
            refused = dial => refused.unwrap_err(),
            _ = relay.accept() => panic!("one handshake too many"),
        };
        assert_eq!(refused, alliance_net::TcpConnectError::Lost(ConnectionLost::Reset));
        assert_eq!(refused.fault(), alliance_net::Fault::Environment);
        held.pop();
        let (_near, far) = meet_at(address, &dialer, &relay).await;
        assert_eq!(far.peer(), device(2).key(), "one that ended leaves its place");
    })
    .await;
}
