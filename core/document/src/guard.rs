//! Calls into Automerge on bytes of others: a panic becomes an error, and says nothing on standard error.
//!
//! This works in unwinding builds only; the workspace keeps `panic = "unwind"` in every profile.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// Automerge panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the document engine failed on this input")]
pub struct Panicked;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Runs `work` and turns a panic into [`Panicked`]. What `work` was changing must be thrown away afterwards: callers
/// hand in a clone.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    HOOK.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            // A guarded panic is an expected answer to bad input; its message could hold somebody's text.
            if !GUARDED.get() {
                previous(info);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked);
    GUARDED.set(outer);
    result
}
