//! A relay with bad intentions: one address and one key, behind which lie several databases and a hand on the line.
//!
//! Each *face* is the real relay service over a data folder of its own, and whoever dials is served by the face that is
//! meant for it: so a relay shows an old state, or another history to everybody. A *bend* looks at every frame that the
//! relay is about to send and sends what it likes instead. Devices meet all of it over QUIC, as they meet any relay.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use alliance_net::{
    Connection, ConnectionHandle, FrameReceiver, FrameSender, Line, LineSender, MemoryTickets, RelayAddress,
    RelayListener, SendError, Settings,
};
use alliance_relay::{Config, Opened, Service, folder};
use alliance_store::{Fresh, Replica as _, SqliteReplica};
use alliance_sync::{Batch, Incoming, Outgoing, Part, Since};
use alliance_wire::{DeviceKey, Frame, HeaderHash, Incarnation, Instance, SpaceId, Stream};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// What becomes of a frame that the relay is about to send.
pub type Bend = Box<dyn FnMut(Frame) -> Vec<Frame> + Send>;
/// The bend of each new connection of a device.
type Bends = Box<dyn FnMut(DeviceKey) -> Bend + Send>;

/// A relay that does what it likes.
pub struct HostileRelay {
    folder: TempDir,
    address: RelayAddress,
    shown: Arc<Shown>,
    accepting: JoinHandle<()>,
}

/// Who is shown what.
struct Shown {
    faces: Mutex<Vec<Service>>,
    /// Whoever is not named here is shown the first.
    of: Mutex<BTreeMap<DeviceKey, usize>>,
    bends: Mutex<Bends>,
}

impl HostileRelay {
    /// A relay with one face and no bend, which is an honest one, that takes anybody's spaces.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let first = serve(&face(folder.path(), 0), 0);
        let secrets = folder::read_secrets(&face(folder.path(), 0)).expect("the first face has made them");
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = RelayListener::bind(any, &secrets, Arc::new(MemoryTickets::new(|| 0)), Settings::default());
        let listener = listener.expect("a port");
        let port = listener.local_addr().expect("a port").to_string();
        let address = RelayAddress::new(listener.key(), port).expect("an address");
        let honest: Bends = Box::new(|_| Box::new(|frame| vec![frame]));
        let shown = Arc::new(Shown { faces: Mutex::new(vec![first]), of: Mutex::default(), bends: Mutex::new(honest) });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shown)));
        Self { folder, address, shown, accepting }
    }

    /// Its connect string.
    #[must_use]
    pub const fn address(&self) -> &RelayAddress {
        &self.address
    }

    /// A further face: the first as it is now, its marker included. It must be at rest.
    ///
    /// # Panics
    /// If it cannot be copied.
    #[must_use]
    pub fn image(&self) -> usize {
        let mut faces = lock(&self.shown.faces);
        let number = faces.len();
        let (from, to) = (face(self.folder.path(), 0), face(self.folder.path(), number));
        std::fs::create_dir(&to).expect("a new folder");
        for file in std::fs::read_dir(&from).expect("a folder").map(|file| file.expect("a file")) {
            if file.path().is_file() {
                std::fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
            }
        }
        faces.push(serve(&to, number));
        number
    }

    /// Shows a device another face from its next connection on.
    pub fn show(&self, device: DeviceKey, face: usize) {
        lock(&self.shown.of).insert(device, face);
    }

    /// Shows everybody who has not met the relay in another way the first face, and these devices this one.
    pub fn show_all(&self, devices: &[DeviceKey], face: usize) {
        for device in devices {
            self.show(*device, face);
        }
    }

    /// Bends what is sent on every connection from now on.
    pub fn bend(&self, bends: impl FnMut(DeviceKey) -> Bend + Send + 'static) {
        *lock(&self.shown.bends) = Box::new(bends);
    }

    /// Is honest on the line from now on.
    pub fn straighten(&self) {
        self.bend(|_| Box::new(|frame| vec![frame]));
    }

    /// What a face holds.
    ///
    /// # Panics
    /// If there is no such face.
    #[must_use]
    pub fn replica(&self, face: usize) -> SqliteReplica {
        lock(&self.shown.faces)[face].replica().clone()
    }

    /// The entries of a space that a face holds.
    pub async fn hashes(&self, face: usize, space: SpaceId) -> Vec<HeaderHash> {
        let items = items(&self.replica(face), space).await;
        let mut found: Vec<_> = items.iter().filter_map(|(_, item)| item.as_ref().map(|(_, hash)| *hash)).collect();
        found.sort_unstable();
        found
    }

    /// Carries the data entries of a space from one face to another, and nothing of membership.
    ///
    /// # Panics
    /// If a store does not answer, or an entry is none.
    pub async fn carry_data(&self, space: SpaceId, from: usize, to: usize) {
        let entries = items(&self.replica(from), space).await.into_iter().filter_map(|(item, of)| {
            let Outgoing::Entry(name, entry) = item else { return None };
            let is_data = of.is_some_and(|(stream, _)| stream == Stream::Data);
            is_data.then(|| alliance_crypto::Verified::verify(space, &name, entry).expect("it was verified before"))
        });
        let items = entries.map(Incoming::Entry).collect();
        self.replica(to).put(Batch { items, ..Batch::default() }, Vec::new()).await.expect("the store answers");
    }

    /// Ends it.
    pub async fn stop(self) {
        self.accepting.abort();
        // Cancelled.
        let _ = self.accepting.await;
    }
}

type Of = Option<(Stream, HeaderHash)>;

async fn items(replica: &SqliteReplica, space: SpaceId) -> Vec<(Outgoing, Of)> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let since = Since { space, after, part: Part::Everything, bytes: 1 << 20 };
        let page = replica.since(since).await.expect("the store answers");
        found.extend(page.items.into_iter().map(|item| {
            let of = match &item {
                Outgoing::Entry(name, entry) => Some((name.stream, entry.header().hash())),
                Outgoing::Receipt(_) | Outgoing::Fork(..) => None,
            };
            (item, of)
        }));
        if !page.more {
            return found;
        }
        after = page.upto;
    }
}

fn face(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("face-{number}"))
}

/// The relay's service over a folder.
fn serve(data: &Path, number: usize) -> Service {
    let id = [u8::try_from(number).expect("a few faces") + 1; 16];
    let fresh = Fresh { incarnation: Incarnation(id), instance: Instance(id) };
    let config = Config { open: true, ..Config::new(data, SocketAddr::from(([127, 0, 0, 1], 0))) };
    let opened = Opened::open(&config, fresh).expect("the face's folder opens");
    Service::start(config, opened)
}

async fn accept(listener: RelayListener, shown: Arc<Shown>) {
    while let Some(incoming) = listener.accept().await {
        let shown = Arc::clone(&shown);
        tokio::spawn(async move {
            // Whoever does not come in is not served.
            let Ok(connection) = incoming.establish().await else { return };
            let device = connection.peer();
            let face = lock(&shown.of).get(&device).copied().unwrap_or(0);
            let bend = lock(&shown.bends)(device);
            let serving = lock(&shown.faces)[face].serve(Bent { connection, bend });
            serving.await;
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection with a hand on it.
struct Bent {
    connection: Connection,
    bend: Bend,
}

struct BentSender {
    sender: FrameSender,
    bend: Bend,
}

impl Line for Bent {
    type Sender = BentSender;
    type Receiver = FrameReceiver;
    type Handle = ConnectionHandle;

    fn peer(&self) -> DeviceKey {
        self.connection.peer()
    }

    fn split(self) -> (ConnectionHandle, BentSender, FrameReceiver) {
        let (handle, sender, receiver) = self.connection.split();
        (handle, BentSender { sender, bend: self.bend }, receiver)
    }
}

impl LineSender for BentSender {
    async fn send(&mut self, frame: &[u8]) -> Result<(), SendError> {
        for frame in (self.bend)(Frame::decode(frame).expect("the relay sends frames")) {
            self.sender.send(&frame.encode()).await?;
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), SendError> {
        self.sender.finish().await
    }
}
