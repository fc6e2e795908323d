//! What lies between two ends, and breaks at a byte.
#![allow(unreachable_pub)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;

/// How many bytes went each way: towards the listener, towards the dialler.
pub type Counts = Arc<[AtomicU64; 2]>;

/// Where it breaks: the way, and how many bytes of it come through.
pub type Cut = Option<(usize, u64)>;

/// Carries one conversation. It is over with this value.
pub struct Between {
    pub address: SocketAddr,
    pub counts: Counts,
    task: JoinHandle<()>,
}

impl Drop for Between {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How much of `came` goes through.
fn passes(counts: &Counts, way: usize, came: usize, cut: Cut) -> usize {
    let before = counts[way].load(Ordering::Relaxed);
    let room = cut.filter(|(cut, _)| *cut == way).map_or(u64::MAX, |(_, bytes)| bytes.saturating_sub(before));
    let passes = came.min(usize::try_from(room).unwrap_or(usize::MAX));
    counts[way].store(before + passes as u64, Ordering::Relaxed);
    passes
}

impl Between {
    /// A stream of bytes: cut, it ends on both sides.
    pub async fn tcp(listener: SocketAddr, cut: Cut) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let counts = Counts::default();
        let task = tokio::spawn(carry_stream(socket, listener, Arc::clone(&counts), cut));
        Self { address, counts, task }
    }

    /// Datagrams: the one that the cut goes through is lost, and all behind it.
    pub async fn udp(listener: SocketAddr, cut: Cut) -> Self {
        let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let far = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        far.connect(listener).await.unwrap();
        let address = near.local_addr().unwrap();
        let counts = Counts::default();
        let task = tokio::spawn(carry_datagrams([near, far], Arc::clone(&counts), cut));
        Self { address, counts, task }
    }
}

async fn carry_stream(socket: TcpListener, listener: SocketAddr, counts: Counts, cut: Cut) {
    let (near, _) = socket.accept().await.unwrap();
    let far = TcpStream::connect(listener).await.unwrap();
    let ((mut from_near, mut to_near), (mut from_far, mut to_far)) = (near.into_split(), far.into_split());
    let way = async |from: &mut tokio::net::tcp::OwnedReadHalf, to: &mut tokio::net::tcp::OwnedWriteHalf, way| {
        let mut bytes = vec![0; 4096];
        while let Ok(count) = from.read(&mut bytes).await {
            let passes = passes(&counts, way, count, cut);
            if to.write_all(&bytes[..passes]).await.is_err() || passes < count {
                return true;
            }
            if count == 0 {
                let _ = to.shutdown().await;
                return false;
            }
        }
        true
    };
    let (mut up, mut down) =
        (Box::pin(way(&mut from_near, &mut to_far, 0)), Box::pin(way(&mut from_far, &mut to_near, 1)));
    // The sockets close with their halves: at once where it was cut, else when both have ended.
    tokio::select! {
        cut = &mut up => if !cut { down.await; },
        cut = &mut down => if !cut { up.await; },
    }
}

async fn carry_datagrams([near, far]: [UdpSocket; 2], counts: Counts, cut: Cut) {
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    let mut dialler = None;
    loop {
        let (way, count) = tokio::select! {
            came = near.recv_from(&mut up) => {
                let Ok((count, from)) = came else { continue };
                dialler = Some(from);
                (0, count)
            }
            came = far.recv(&mut down) => {
                let Ok(count) = came else { continue };
                (1, count)
            }
        };
        if passes(&counts, way, count, cut) < count {
            // Nothing is heard any more, either way.
            return std::future::pending().await;
        }
        // What the system does not take is lost, as it may be.
        let _ = match (way, dialler) {
            (0, _) => far.send(&up[..count]).await,
            (_, Some(dialler)) => near.send_to(&down[..count], dialler).await,
            (_, None) => Ok(0),
        };
    }
}
