//! Frames on their way out, so that a connection goes on reading while its peer takes what was sent.

use std::collections::VecDeque;
use std::pin::Pin;

use alliance_net::{LineSender, SendError};

/// Bytes that wait for the peer before nothing more is read from it: a peer that asks and does not listen holds no more
/// than this and one page.
const WAITING_BYTES_MAX: usize = 512 * 1_024;

type Writing<S> = Pin<Box<dyn Future<Output = (S, Result<(), SendError>)> + Send>>;

/// The sending half of a connection with what waits for it.
pub(crate) struct Outbox<S> {
    waiting: VecDeque<Vec<u8>>,
    bytes: usize,
    state: State<S>,
}

enum State<S> {
    Idle(S),
    /// One frame of this many bytes is being written. It is never given up half way.
    Writing(Writing<S>, usize),
    /// The half is done with; nothing more leaves.
    Over,
}

impl<S: LineSender> Outbox<S> {
    pub(crate) const fn new(sender: S) -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, state: State::Idle(sender) }
    }

    /// Puts a frame behind the others.
    pub(crate) fn push(&mut self, frame: Vec<u8>) {
        self.bytes += frame.len();
        self.waiting.push_back(frame);
    }

    /// Whether the peer has taken enough that it may be heard further.
    pub(crate) const fn has_room(&self) -> bool {
        self.bytes < WAITING_BYTES_MAX
    }

    /// Writes until nothing waits. Dropping the future loses nothing: the next call goes on.
    ///
    /// # Errors
    /// [`SendError`]; nothing more can be sent then.
    pub(crate) async fn drain(&mut self) -> Result<(), SendError> {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Ok(()),
                State::Idle(sender) => {
                    let Some(frame) = self.waiting.pop_front() else {
                        self.state = State::Idle(sender);
                        return Ok(());
                    };
                    let length = frame.len();
                    self.state = State::Writing(Box::pin(write(sender, frame)), length);
                }
                State::Writing(writing, length) => {
                    // Awaited in its place, so that dropping this future leaves it there.
                    self.state = State::Writing(writing, length);
                    let State::Writing(writing, _) = &mut self.state else { continue };
                    let (sender, sent) = writing.as_mut().await;
                    self.state = State::Over;
                    sent?;
                    self.state = State::Idle(sender);
                    self.bytes -= length;
                }
            }
        }
    }
}

impl<S: LineSender> Outbox<S> {
    /// Writes what waits, ends the stream, and waits until the peer's transport has all of it.
    ///
    /// # Errors
    /// [`SendError`].
    pub(crate) async fn finish(mut self) -> Result<(), SendError> {
        self.drain().await?;
        match self.state {
            State::Idle(mut sender) => sender.finish().await,
            State::Writing(..) | State::Over => Ok(()),
        }
    }
}

async fn write<S: LineSender>(mut sender: S, frame: Vec<u8>) -> (S, Result<(), SendError>) {
    let sent = sender.send(&frame).await;
    (sender, sent)
}
