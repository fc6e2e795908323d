//! A relay that dies without a word, as a process does under kill -9.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use alliance_net::{
    Activity, Connection, ConnectionLost, Dialer, MemoryTickets, RelayListener, RelaySecrets, Settings,
};
use tokio::sync::oneshot;

use crate::support::{dialer, loopback, watched};

/// Large enough that a stateless reset, which must be smaller than what it answers, fits.
const FRAME: &[u8] = &[6; 100];

/// A relay with a runtime of its own that sends every frame back.
struct Process {
    address: SocketAddr,
    kill: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Process {
    fn start(address: SocketAddr, secrets: RelaySecrets) -> Self {
        let (kill, killed) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let relay = runtime.block_on(async {
                let tickets = Arc::new(MemoryTickets::default());
                let relay = RelayListener::bind(address, &secrets, tickets, Settings::default()).unwrap();
                tell.send(relay.local_addr().unwrap()).unwrap();
                tokio::select! {
                    _ = killed => {}
                    () = echo(&relay) => {}
                }
                relay
            });
            // From here on nothing runs any more: no connection can be closed in good order.
            drop(runtime);
            drop(relay);
        });
        Self { address: told.recv().unwrap(), kill, thread }
    }

    fn kill(self) {
        self.kill.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

async fn echo(relay: &RelayListener) {
    while let Some(incoming) = relay.accept().await {
        tokio::spawn(async move {
            let mut connection = incoming.establish().await.unwrap();
            while let Ok(Some(frame)) = connection.recv().await {
                if connection.send(&frame).await.is_err() {
                    break;
                }
            }
        });
    }
}

async fn connect(dialer: &Dialer, process: &Process, secrets: &RelaySecrets) -> Connection {
    let mut connection = dialer.connect(process.address, secrets.relay_key(), Activity::Background).await.unwrap();
    ping(&mut connection).await;
    connection
}

async fn ping(connection: &mut Connection) {
    connection.send(FRAME).await.unwrap();
    assert_eq!(connection.recv().await.unwrap().as_deref(), Some(FRAME));
}

/// Secrets whose four keys are made of these bytes.
fn secrets_of(tls: u8, token: u8, reset: u8, connection_id: u8) -> RelaySecrets {
    RelaySecrets::generate(&[[tls; 32], [token; 32], [reset; 32], [connection_id; 32]].concat().try_into().unwrap())
}

#[tokio::test]
async fn a_silent_restart_is_noticed_with_the_same_secrets_only() {
    let before = secrets_of(1, 2, 3, 4);
    let cases = [
        ("the same secrets", before.clone(), true),
        ("another reset key", secrets_of(1, 2, 9, 4), false),
        ("another connection-id key", secrets_of(1, 2, 3, 9), false),
    ];
    for (name, after, noticed) in cases {
        watched(async {
            let dialer = dialer(5);
            let process = Process::start(loopback(), before.clone());
            let address = process.address;
            let mut old = connect(&dialer, &process, &before).await;
            process.kill();
            assert_eq!(old.handle().close_reason(), None, "{name}: the relay died without a word");
            let process = Process::start(address, after.clone());
            old.send(FRAME).await.unwrap();
            if noticed {
                assert_eq!(old.handle().closed().await, ConnectionLost::Reset, "{name}");
            } else {
                // Twenty round trips with the new process, and still no word on the old connection.
                let mut new = connect(&dialer, &process, &after).await;
                for _ in 0..20 {
                    ping(&mut new).await;
                }
                assert_eq!(old.handle().close_reason(), None, "{name}");
            }
            process.kill();
        })
        .await;
    }
}
