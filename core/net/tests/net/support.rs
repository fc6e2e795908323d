//! Two ends on loopback.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alliance_net::{
    Activity, Connection, DeviceIdentity, Dialer, MemoryTickets, RelayListener, RelaySecrets, Settings, TicketStore,
};

/// First frame of every connection in these tests.
pub(crate) const HELLO: &[u8] = b"hello";

/// Ends a test that hangs. It is no synchronisation: a test that passes never waits for it.
pub(crate) async fn watched<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), test).await.expect("the test hangs")
}

pub(crate) fn device(number: u8) -> DeviceIdentity {
    DeviceIdentity::from_seed(&[number; 32])
}

pub(crate) fn secrets(number: u8) -> RelaySecrets {
    RelaySecrets::generate(&[number; 128])
}

pub(crate) fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

pub(crate) fn dialer(number: u8) -> Dialer {
    Dialer::bind(device(number), Settings::default()).unwrap()
}

pub(crate) fn relay(number: u8) -> RelayListener {
    relay_at(loopback(), &secrets(number), Arc::new(MemoryTickets::default()))
}

/// A relay on an address that may still be in use for a moment by a listener that was just dropped.
pub(crate) fn relay_at(address: SocketAddr, secrets: &RelaySecrets, tickets: Arc<dyn TicketStore>) -> RelayListener {
    RelayListener::bind(address, secrets, tickets, Settings::default()).unwrap()
}

/// The relay's end of the next connection.
pub(crate) async fn accepted(relay: &RelayListener) -> Connection {
    relay.accept().await.expect("the relay listens").establish().await.unwrap()
}

/// Both ends of a new connection to the relay, the first frame already read.
pub(crate) async fn meet(dialer: &Dialer, relay: &RelayListener) -> (Connection, Connection) {
    let dial = async {
        let address = relay.local_addr().unwrap();
        let mut connection = dialer.connect(address, relay.key(), Activity::Background).await.unwrap();
        connection.send(HELLO).await.unwrap();
        connection
    };
    let (near, mut far) = tokio::join!(dial, accepted(relay));
    assert_eq!(far.recv().await.unwrap().as_deref(), Some(HELLO));
    (near, far)
}

/// One frame each way.
pub(crate) async fn round_trip(near: &mut Connection, far: &mut Connection, frame: &[u8]) {
    near.send(frame).await.unwrap();
    assert_eq!(far.recv().await.unwrap().as_deref(), Some(frame));
    far.send(frame).await.unwrap();
    assert_eq!(near.recv().await.unwrap().as_deref(), Some(frame));
}
