//! The asking side.

use std::path::Path;

use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::sync::watch;

use super::serve::socket_path;
use super::wire::{self, ANSWER_BYTES_MAX, Request};
use crate::failure::{DeskCode, Failure};
use crate::output::Line;

/// A connection to the process that holds the store.
pub(crate) struct Holder(UnixStream);

/// Connects to the process that holds the store; `None` if none serves there. A file that a killed holder left behind
/// refuses connections, and the next holder replaces it.
pub(crate) async fn connect(store: &Path) -> Option<Holder> {
    let path = socket_path(store)?;
    let stream = UnixStream::connect(path.as_path()).await.ok()?;
    same_user(&stream).then_some(Holder(stream))
}

/// Whether the process at the other end runs as this process's user.
pub(super) fn same_user(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == rustix::process::geteuid().as_raw())
}

impl Holder {
    /// Has the command done; hands out what the holder says, and gives the status at its end. When `stop` says so the
    /// connection is closed, which ends a long command at the holder.
    ///
    /// # Errors
    /// `HOLDER_LOST` if the holder ends before it has answered.
    pub(crate) async fn ask(
        self,
        request: &Request,
        mut stop: watch::Receiver<bool>,
        mut say: impl AsyncFnMut(Line),
    ) -> Result<u8, Failure> {
        let (from, mut to) = self.0.into_split();
        let mut from = BufReader::new(from);
        let lost = || Failure::from(DeskCode::HolderLost);
        wire::write(&mut to, request).await.map_err(|_| lost())?;
        loop {
            let line = tokio::select! {
                line = wire::read::<Line>(&mut from, ANSWER_BYTES_MAX) => line,
                _ = stop.wait_for(|stop| *stop) => return Ok(crate::exit::Status::OK.0),
            };
            match line.ok_or_else(lost)? {
                Line::End(status) => return Ok(status),
                line @ (Line::Out(_) | Line::Err(_) | Line::Progress(_)) => say(line).await,
            }
        }
    }
}
