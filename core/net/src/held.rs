//! Holds a connection's task back until its first frame is in the buffer.
//!
//! quinn starts a task for each connection, and that task fills the first datagram as soon as it runs: on another
//! thread this can be before the caller has written a byte. The ClientHello would then fill a datagram of its own, padded
//! to 1,200 bytes, and the first frame would follow in a second one, which is lost when it overtakes the first. So the
//! tasks of a connection attempt wait here until the frame has been written.

use std::fmt;
use std::io;
use std::net::UdpSocket;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use quinn::{AsyncTimer, AsyncUdpSocket, Runtime, TokioRuntime};

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// tokio, as quinn uses it, with a brake on new tasks.
#[derive(Default)]
pub(crate) struct HeldRuntime(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    /// Attempts that are being made at the moment.
    holds: usize,
    tasks: Vec<Task>,
}

/// While one of these lives, tasks wait. Keep it over no `await` that can take long.
pub(crate) struct Hold<'a>(&'a HeldRuntime);

impl HeldRuntime {
    /// Lets tasks wait from now on, until the last hold is dropped.
    pub(crate) fn hold(&self) -> Hold<'_> {
        self.waiting().holds += 1;
        Hold(self)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.holds -= 1;
        if waiting.holds == 0 {
            let tasks = std::mem::take(&mut waiting.tasks);
            drop(waiting);
            for task in tasks {
                TokioRuntime.spawn(task);
            }
        }
    }
}

impl Runtime for HeldRuntime {
    fn new_timer(&self, at: Instant) -> Pin<Box<dyn AsyncTimer>> {
        TokioRuntime.new_timer(at)
    }

    fn spawn(&self, task: Task) {
        let mut waiting = self.waiting();
        if waiting.holds > 0 {
            waiting.tasks.push(task);
        } else {
            drop(waiting);
            TokioRuntime.spawn(task);
        }
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        TokioRuntime.wrap_udp_socket(socket)
    }

    fn now(&self) -> Instant {
        TokioRuntime.now()
    }
}

impl fmt::Debug for HeldRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldRuntime").field("holds", &self.waiting().holds).finish_non_exhaustive()
    }
}
