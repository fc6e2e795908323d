//! What is in the first datagram of a connection that has a ticket.

use std::net::SocketAddr;

use alliance_net::{Activity, Connection, Dialer, EarlyData, FIRST_FRAME_BYTES, RelayListener};
use tokio::net::UdpSocket;

use crate::support::{HELLO, accepted, dialer, loopback, meet, relay, round_trip, watched};

/// The smallest datagram that may begin a connection (RFC 9000 section 14.1).
const FIRST_DATAGRAM_BYTES: usize = 1_200;
/// Form and type of a long header: a 0-RTT packet, an Initial (RFC 9000 section 17.2). The fixed bit between them may be
/// greased (RFC 9287).
const ZERO_RTT: u8 = 0x90;
const INITIAL: u8 = 0x80;

/// A relay and a dialer that holds its tickets.
async fn acquainted() -> (Dialer, RelayListener) {
    let (dialer, relay) = (dialer(2), relay(1));
    let (mut near, mut far) = meet(&dialer, &relay).await;
    round_trip(&mut near, &mut far, HELLO).await;
    (dialer, relay)
}

/// Dials an address at which a socket of the test stands instead of the relay: tickets go by the relay's key.
async fn dial(dialer: &Dialer, catcher: &UdpSocket, relay: &RelayListener, first: &[u8]) -> Connection {
    let address: SocketAddr = catcher.local_addr().unwrap();
    let connection = dialer.connect_saying(address, relay.key(), Activity::Background, first).await.unwrap();
    assert_eq!(connection.handle().early_data(), EarlyData::Pending);
    connection
}

async fn caught(catcher: &UdpSocket) -> Vec<u8> {
    let mut datagram = vec![0; 2_048];
    let length = catcher.recv(&mut datagram).await.unwrap();
    datagram.truncate(length);
    datagram
}

async fn first_frame_in_the_first_datagram() {
    let (dialer, relay) = acquainted().await;
    let catcher = UdpSocket::bind(loopback()).await.unwrap();
    let carrier = UdpSocket::bind(loopback()).await.unwrap();
    carrier.connect(relay.local_addr().unwrap()).await.unwrap();

    // As long as may be promised: the relay reads the frame, and has been sent one datagram.
    let frame = vec![7; FIRST_FRAME_BYTES];
    let _near = dial(&dialer, &catcher, &relay, &frame).await;
    let datagram = caught(&catcher).await;
    assert_eq!(datagram.len(), FIRST_DATAGRAM_BYTES);
    carrier.send(&datagram).await.unwrap();
    let mut far = accepted(&relay).await;
    assert_eq!(far.handle().early_data(), EarlyData::Accepted);
    assert_eq!(far.recv().await.unwrap().as_deref(), Some(frame.as_slice()));
    println!("the Initial has {} of {FIRST_DATAGRAM_BYTES} bytes", initial_bytes(&datagram));

    // The control: a frame that cannot share it goes on in a second datagram, which holds nothing but the rest, and the
    // relay has the frame when it has both.
    let frame = vec![8; 1_000];
    let catcher = UdpSocket::bind(loopback()).await.unwrap();
    let _near = dial(&dialer, &catcher, &relay, &frame).await;
    let datagrams = [caught(&catcher).await, caught(&catcher).await];
    assert_eq!(datagrams[0][0] & 0xB0, INITIAL);
    assert_eq!(datagrams[1][0] & 0xB0, ZERO_RTT);
    let carrier = UdpSocket::bind(loopback()).await.unwrap();
    carrier.connect(relay.local_addr().unwrap()).await.unwrap();
    carrier.send(&datagrams[0]).await.unwrap();
    let mut far = accepted(&relay).await;
    carrier.send(&datagrams[1]).await.unwrap();
    assert_eq!(far.recv().await.unwrap().as_deref(), Some(frame.as_slice()));
}

#[tokio::test]
async fn a_first_frame_shares_the_first_datagram() {
    watched(first_frame_in_the_first_datagram()).await;
}

/// Where another thread would send what is there as soon as it is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_first_frame_shares_the_first_datagram_with_other_threads_at_work() {
    for _ in 0..20 {
        watched(first_frame_in_the_first_datagram()).await;
    }
}

/// The length of the Initial packet with which a datagram begins (RFC 9000 section 17.2.2).
fn initial_bytes(datagram: &[u8]) -> usize {
    let mut at = 5;
    at += 1 + usize::from(datagram[at]);
    at += 1 + usize::from(datagram[at]);
    let (token, width) = varint(&datagram[at..]);
    at += width + token;
    let (length, width) = varint(&datagram[at..]);
    at + width + length
}

/// A variable-length integer and its width (RFC 9000 section 16).
fn varint(bytes: &[u8]) -> (usize, usize) {
    let width = 1 << (bytes[0] >> 6);
    let first = usize::from(bytes[0] & 0x3F);
    (bytes[1..width].iter().fold(first, |value, byte| value << 8 | usize::from(*byte)), width)
}
