//! A wire between a dialer and a listener that can stand still or be cut.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::loopback;

/// Carries one connection.
pub(super) struct Wire {
    pub(super) address: SocketAddr,
    allowed: watch::Sender<usize>,
    used_up: watch::Receiver<bool>,
    cut: watch::Sender<bool>,
}

impl Wire {
    /// A wire to this listener that carries everything.
    pub(super) async fn to(relay: SocketAddr) -> Self {
        let listener = TcpListener::bind(loopback()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (allowed, cut) = (watch::Sender::new(usize::MAX), watch::Sender::new(false));
        let (allows, mut is_cut) = (allowed.subscribe(), cut.subscribe());
        let (tell, used_up) = watch::channel(false);
        tokio::spawn(async move {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut far = TcpStream::connect(relay).await.unwrap();
            tokio::select! {
                () = carry(&mut near, &mut far, allows, &tell) => {}
                _ = is_cut.wait_for(|cut| *cut) => {}
            }
            // Nothing is said, and what is under way is lost: both ends see a reset.
            for stream in [&near, &far] {
                stream.set_zero_linger().unwrap();
            }
        });
        Self { address, allowed, used_up, cut }
    }

    /// Carries so many bytes more from the dialer, and then none, without ending.
    pub(super) fn allow(&self, bytes: usize) {
        self.allowed.send_replace(bytes);
    }

    /// Waits until all that was allowed has been carried.
    pub(super) async fn used_up(&self) {
        self.used_up.clone().wait_for(|used_up| *used_up).await.unwrap();
    }

    /// Resets both ends.
    pub(super) fn cut(&self) {
        self.cut.send_replace(true);
    }
}

async fn carry(
    near: &mut TcpStream,
    far: &mut TcpStream,
    mut allows: watch::Receiver<usize>,
    used_up: &watch::Sender<bool>,
) {
    let ((mut up_from, mut down_to), (mut down_from, mut up_to)) = (near.split(), far.split());
    let up = async {
        let mut left = *allows.borrow_and_update();
        let mut buffer = [0; 4_096];
        loop {
            if allows.has_changed().unwrap_or(false) {
                left = *allows.borrow_and_update();
            }
            if left == 0 {
                used_up.send_replace(true);
                // Until more is allowed, or for ever.
                if allows.changed().await.is_err() {
                    core::future::pending::<()>().await;
                }
                continue;
            }
            let most = left.min(buffer.len());
            let got = tokio::select! {
                got = up_from.read(&mut buffer[..most]) => got.unwrap_or(0),
                Ok(()) = allows.changed() => {
                    left = *allows.borrow();
                    continue;
                }
            };
            if got == 0 || up_to.write_all(&buffer[..got]).await.is_err() {
                return;
            }
            left -= got;
        }
    };
    let down = async {
        // An error says that one end is gone, which the other way says as well.
        let _ = tokio::io::copy(&mut down_from, &mut down_to).await;
        let _ = down_to.shutdown().await;
    };
    tokio::join!(up, down);
}

/// Writes a byte now and then, as whoever holds a connection open for nothing does, until the other side has enough.
pub(super) async fn trickle(stream: &mut TcpStream, bytes: &[u8]) {
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    for byte in bytes.iter().cycle() {
        pace.tick().await;
        if stream.write_all(&[*byte]).await.is_err() {
            return;
        }
    }
}
