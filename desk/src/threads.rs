//! The threads that a command runs on, made before it begins.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// How long a thread that blocks stays when it has nothing to do: longer than a person looks.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// A runtime that has the threads that it cannot do without.
///
/// Where the system gives none at the moment, tokio waits in silence for one of those that it has; where all of them are
/// its workers, that is for ever. So it is looked first whether there are enough, and the first one that may block is
/// made at once and stays.
pub(crate) fn runtime() -> io::Result<Runtime> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    try_threads(workers + 1)?;
    let runtime = Builder::new_multi_thread().worker_threads(workers).thread_keep_alive(KEEP).enable_all().build()?;
    drop(runtime.spawn_blocking(|| ()));
    Ok(runtime)
}

/// Whether the system gives so many threads at the same time.
fn try_threads(count: usize) -> io::Result<()> {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        // They wait for this to be let go of, whether all of them came or not.
        let _held = gate.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..count {
            thread::Builder::new().spawn_scoped(scope, || drop(gate.lock()))?;
        }
        Ok(())
    })
}
