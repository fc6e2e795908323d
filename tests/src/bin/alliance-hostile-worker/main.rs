//! Feeds an honest client mutated changes that a real member sealed and signed, and ends with 0 if it stays as it was.
//!
//! `alliance-hostile-worker SEED COUNT`: a process of its own, so that a change that eats memory meets the limit which
//! the worker sets itself, and one that hangs is ended by whoever started the worker. It prints what it is about to
//! deliver before it does, so that the last line names the guilty. It wants `MALLOC_ARENA_MAX=1`: the arenas of the C
//! library reserve address space without using it.
//!
//! `alliance-hostile-worker hang` and `alliance-hostile-worker eat` do what a change might: they are there to show that
//! whoever starts the worker notices.
#![allow(clippy::unwrap_used, clippy::panic)]

mod document;
mod story;

use std::io::Write as _;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Bytes of address space: an honest run maps half of it (the last line that the worker prints says how much).
const ADDRESS_SPACE_MAX: u64 = 172 << 20;

fn main() {
    let limit = Some(ADDRESS_SPACE_MAX);
    setrlimit(Resource::As, Rlimit { current: limit, maximum: limit }).expect("a process may limit itself");
    match std::env::args().nth(1).as_deref() {
        Some("hang") => loop {
            std::thread::park();
        },
        Some("eat") => {
            let mut eaten: Vec<Vec<u8>> = Vec::new();
            loop {
                eaten.push(vec![1; 1 << 20]);
                say(&format!("{} MiB", eaten.len()));
            }
        }
        _ => {}
    }
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let (Some(Ok(seed)), Some(Ok(count)), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        say("usage: alliance-hostile-worker SEED COUNT");
        std::process::exit(64);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(story::play(seed, usize::try_from(count).expect("a number of mutations")));
    say(&format!(
        "address space: {} of {ADDRESS_SPACE_MAX} bytes, resident: {} bytes",
        peak("VmPeak:"),
        peak("VmHWM:")
    ));
}

/// Prints a line at once: the process may be killed at any moment.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("somebody reads");
}

/// A peak that Linux keeps of this process, in bytes.
fn peak(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1_024
}
