//! The holding side.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use alliance_client::Client;
use clap::Parser as _;
use rustix::fs::Mode;
use tokio::io::AsyncReadExt as _;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use zeroize::Zeroizing;

use super::ask::same_user;
use super::wire::{self, Proof, REQUEST_BYTES_MAX, Request, SOCKET, VERSION};
use crate::cli::Cli;
use crate::command::{self, Call};
use crate::failure::{DeskCode, Failure};
use crate::output::{Line, Teller};
use crate::unlock::Unlock;

/// Commands that are served at once; others wait.
const SERVED_MAX: usize = 16;
/// A request that takes longer than this to arrive is no request.
const REQUEST_SECONDS_MAX: u64 = 10;
/// After a wrong passphrase the next try waits.
const WRONG_PASSPHRASE_PAUSE: Duration = Duration::from_secs(1);
/// Bytes of a socket's address, less one for its end (Linux: 108, macOS: 104).
const SOCKET_PATH_BYTES_MAX: usize = 103;

/// The path by which the store's socket is reached; `None` where there is no store. A long path goes through an open
/// descriptor of the folder, because a socket's address is short.
pub(super) fn socket_path(store: &Path) -> Option<SocketPath> {
    let direct = store.join(SOCKET);
    if direct.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
        return Some(SocketPath { path: direct, _folder: None });
    }
    let folder = std::fs::File::open(store).ok()?;
    let number = std::os::fd::AsRawFd::as_raw_fd(&folder);
    let path = PathBuf::from(format!("/proc/self/fd/{number}")).join(SOCKET);
    Some(SocketPath { path, _folder: Some(folder) })
}

/// A short path to the socket, valid while this lives.
pub(super) struct SocketPath {
    path: PathBuf,
    _folder: Option<std::fs::File>,
}

impl SocketPath {
    pub(super) fn as_path(&self) -> &Path {
        &self.path
    }
}

/// The socket of the store that this process holds.
pub(crate) struct Serving {
    socket: PathBuf,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Listens in the store's folder. A socket file that lies there belongs to nobody: this process holds the store.
    ///
    /// # Errors
    /// `STORE_IO` if no socket can be made there; the command itself can go on without.
    pub(crate) fn start(client: Client, store: &Path, unlock: &Unlock) -> Result<Self, Failure> {
        let socket = store.join(SOCKET);
        let failed = |error: std::io::Error| {
            Failure::from(alliance_client::Error::new(alliance_client::Code::StoreIo)).with("reason", error.kind())
        };
        match std::fs::remove_file(&socket) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
        let path = socket_path(store).ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
        let listener = bind_private(path.as_path()).map_err(failed)?;
        let (stop, stopped) = watch::channel(false);
        let guard = Arc::new(Guard::new(unlock, client));
        let task = tokio::spawn(accept(listener, guard, stopped));
        Ok(Self { socket, stop, task })
    }

    /// Ends: takes no new command, asks long ones to stop, and waits for those that run.
    pub(crate) async fn finish(self) {
        let _ = std::fs::remove_file(&self.socket);
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

/// Binds with mode 0600 from the first moment: the mask holds for the whole process, and only makes files more private.
fn bind_private(path: &Path) -> std::io::Result<UnixListener> {
    let before = rustix::process::umask(Mode::from_bits_retain(0o177));
    let bound = UnixListener::bind(path);
    rustix::process::umask(before);
    bound
}

/// What a served command needs, and the check that comes before it.
struct Guard {
    /// Under which the hashes below are made; it never leaves this process.
    key: [u8; 32],
    /// Of the passphrase, if that opened the store.
    passphrase: Option<blake3::Hash>,
    /// Of the store's key.
    store_key: blake3::Hash,
    wrong: Mutex<()>,
    client: Client,
}

impl Guard {
    fn new(unlock: &Unlock, client: Client) -> Self {
        let key = crate::random::bytes();
        let passphrase = match unlock {
            Unlock::Passphrase(passphrase) => Some(blake3::keyed_hash(&key, passphrase.as_bytes())),
            Unlock::Key(_) => None,
        };
        let store_key = blake3::keyed_hash(&key, client.store_key().bytes());
        Self { key, passphrase, store_key, wrong: Mutex::new(()), client }
    }

    /// Whether this opens the store. The hashes compare in constant time; tries go one by one.
    async fn admits(&self, proof: &Proof) -> bool {
        let turn = self.wrong.lock().await;
        let right = match (proof, self.passphrase) {
            (Proof::Key(key), _) => blake3::keyed_hash(&self.key, key) == self.store_key,
            (Proof::Passphrase(passphrase), Some(right)) => {
                blake3::keyed_hash(&self.key, passphrase.as_bytes()) == right
            }
            // The keyring opened the store here: what the passphrase makes is the key, or is not.
            (Proof::Passphrase(passphrase), None) => self.client.is_passphrase(passphrase).await.unwrap_or(false),
        };
        if !right {
            tokio::time::sleep(WRONG_PASSPHRASE_PAUSE).await;
        }
        drop(turn);
        right
    }
}

async fn accept(listener: UnixListener, guard: Arc<Guard>, stop: watch::Receiver<bool>) {
    let mut stopped = stop.clone();
    let places = Arc::new(Semaphore::new(SERVED_MAX));
    let mut served = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => break,
            connection = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, listener.accept().await)
            } => {
                let (Ok(place), Ok((stream, _))) = connection else { continue };
                if same_user(&stream) {
                    let (guard, stop) = (Arc::clone(&guard), stop.clone());
                    served.spawn(async move {
                        serve(stream, &guard, stop).await;
                        drop(place);
                    });
                }
            }
            Some(_) = served.join_next() => {}
        }
    }
    drop(listener);
    while served.join_next().await.is_some() {}
}

/// Serves one connection: a request, then lines until the command's end.
async fn serve(stream: UnixStream, guard: &Guard, holder_stop: watch::Receiver<bool>) {
    let (mut from, mut to) = stream.into_split();
    let request = wire::read_request(&mut from, REQUEST_BYTES_MAX);
    let Ok(request) = tokio::time::timeout(Duration::from_secs(REQUEST_SECONDS_MAX), request).await else { return };
    let (teller, mut lines) = match &request {
        Some(request) => Teller::new(request.look.bounded()),
        None => Teller::new(crate::output::Look { color: false, columns: 80, json: true }),
    };
    let (stop, stopped) = watch::channel(false);
    let work = async {
        let result = match &request {
            Some(request) if request.version == VERSION => perform(request, guard, &teller, stopped).await,
            Some(_) | None => Err(DeskCode::HolderOther.into()),
        };
        teller.end(&result).await;
    };
    let answers = async {
        while let Some(line) = lines.recv().await {
            // An asker that is gone is noticed below; what the command says then goes nowhere.
            let _ = wire::write(&mut to, &line).await;
            if matches!(line, Line::End(_)) {
                break;
            }
        }
    };
    // The asker says nothing more: when its side ends, it is gone, and a long command ends with it.
    let watching = async {
        let mut holder_stop = holder_stop;
        let mut byte = [0];
        tokio::select! {
            _ = from.read(&mut byte) => {}
            _ = holder_stop.wait_for(|stop| *stop) => {}
        }
        let _ = stop.send(true);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ((), ()) = async { tokio::join!(work, answers) } => {}
        () = watching => {}
    }
}

async fn perform(
    request: &Request,
    guard: &Guard,
    teller: &Teller,
    stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    if !guard.admits(&request.proof).await {
        return Err(alliance_client::Error::new(alliance_client::Code::WrongPassphrase).into());
    }
    // The asker parsed the same arguments with the same version of the program.
    let cli = Cli::try_parse_from(&request.arguments).map_err(|_| Failure::from(DeskCode::HolderOther))?;
    let call = Call {
        client: guard.client.clone(),
        folder: request.folder.clone(),
        text: request.text.clone().map(Zeroizing::new),
        teller: teller.clone(),
        stop,
    };
    command::perform(&cli.command, &call).await
}
