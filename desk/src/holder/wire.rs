//! What goes over the socket: one JSON object a line, both ways.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeroize::{Zeroize, Zeroizing};

use crate::input::TEXT_FILE_BYTES_MAX;
use crate::output::{Line, Look};
use crate::unlock::Unlock;

/// The socket's name in the store's folder.
pub(crate) const SOCKET: &str = "socket";
/// Which form of request this program sends and takes. Another program's is answered with `HOLDER_OTHER`.
pub(crate) const VERSION: u32 = 2;
/// Bytes of a request that are read at a time.
const PIECE_BYTES: usize = 4096;
/// Bytes of a request: arguments and a text, each byte escaped at worst in six.
pub(super) const REQUEST_BYTES_MAX: usize = 6 * (TEXT_FILE_BYTES_MAX + 256 * 1024);
/// Bytes of an answer's line: an export is the longest.
pub(super) const ANSWER_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// A command that another process wants done.
#[derive(Serialize, Deserialize)]
pub struct Request {
    /// [`VERSION`].
    pub(crate) version: u32,
    /// What shows that the asker could open the store itself.
    pub(crate) proof: Proof,
    /// The arguments, the program's name first.
    pub(crate) arguments: Vec<String>,
    /// Where relative paths begin.
    pub(crate) folder: PathBuf,
    /// The text that the command takes from a file or standard input, read by the asker; of some commands the recovery
    /// words.
    pub(crate) text: Option<String>,
    /// The asker's terminal.
    pub(crate) look: Look,
}

impl Request {
    /// Reads a request's line.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        parse(line)
    }

    /// The request as a line.
    ///
    /// # Errors
    /// If the folder's name is no Unicode.
    pub fn to_line(&self) -> serde_json::Result<Zeroizing<Vec<u8>>> {
        line_of(self)
    }
}

impl Line {
    /// Reads a line of a holder's answer.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        parse(line)
    }
}

/// What the holder compares.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Proof {
    /// The passphrase.
    Passphrase(String),
    /// The store's key.
    Key([u8; 32]),
}

impl Proof {
    /// What opens the store proves that one can.
    pub(crate) fn of(unlock: &Unlock) -> Self {
        match unlock {
            Unlock::Passphrase(passphrase) => Self::Passphrase(passphrase.to_string()),
            Unlock::Key(key) => Self::Key(*key.bytes()),
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

impl Drop for Proof {
    fn drop(&mut self) {
        match self {
            Self::Passphrase(passphrase) => passphrase.zeroize(),
            Self::Key(key) => key.zeroize(),
        }
    }
}

/// Writes an object as a line.
pub(super) async fn write<T: Serialize>(to: &mut (impl AsyncWrite + Unpin), object: &T) -> std::io::Result<()> {
    to.write_all(&line_of(object)?).await?;
    to.flush().await
}

/// A request holds the passphrase or the key: wiped as soon as it is sent.
fn line_of<T: Serialize>(object: &T) -> serde_json::Result<Zeroizing<Vec<u8>>> {
    let mut line = Wiped::default();
    serde_json::to_writer(&mut line, object)?;
    line.append(b"\n");
    Ok(line.0)
}

/// Bytes that grow without leaving anything where they were before.
#[derive(Default)]
struct Wiped(Zeroizing<Vec<u8>>);

impl Wiped {
    fn append(&mut self, bytes: &[u8]) {
        if self.0.capacity() - self.0.len() < bytes.len() {
            let mut roomy = Zeroizing::new(Vec::with_capacity(2 * (self.0.len() + bytes.len())));
            roomy.extend_from_slice(&self.0);
            self.0 = roomy;
        }
        self.0.extend_from_slice(bytes);
    }
}

impl std::io::Write for Wiped {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.append(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Reads the one line that an asker sends; `None` at the end, and for what is no request. No buffer keeps a part of it.
pub(super) async fn read_request(from: &mut (impl AsyncRead + Unpin), bytes_max: usize) -> Option<Request> {
    let (mut line, mut piece) = (Wiped::default(), Zeroizing::new(vec![0; PIECE_BYTES]));
    loop {
        let read = from.read(&mut piece).await.ok()?;
        line.append(&piece[..read]);
        if piece[..read].contains(&b'\n') {
            return parse(&line.0);
        }
        if read == 0 || line.0.len() > bytes_max {
            return None;
        }
    }
}

/// Reads an object from a line of at most `bytes_max`; `None` at the end, and for what is no such object.
pub(super) async fn read<T: for<'de> Deserialize<'de>>(
    from: &mut (impl AsyncBufRead + Unpin),
    bytes_max: usize,
) -> Option<T> {
    let mut line = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    from.take(limit).read_until(b'\n', &mut line).await.ok()?;
    parse(&line)
}

/// The object of a line with its end; `None` if it is no such object.
pub(super) fn parse<T: for<'de> Deserialize<'de>>(line: &[u8]) -> Option<T> {
    serde_json::from_slice(line.strip_suffix(b"\n")?).ok()
}
