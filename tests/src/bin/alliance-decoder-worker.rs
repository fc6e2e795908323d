//! Runs one decoder on its corpus and on mutations of it, and ends with 0 if it kept its word.
//!
//! `alliance-decoder-worker NAME SEED COUNT`: a process of its own, so that a decoder that believes a length meets the
//! limit of memory which the worker sets itself, and one that hangs is ended by whoever started the worker. It prints the
//! number of each mutation before it is read, so that the last line names the guilty. It wants `MALLOC_ARENA_MAX=1`: the
//! arenas of the C library reserve address space without using it.
//!
//! `alliance-decoder-worker show NAME SEED N` prints mutation N in hexadecimal; `seeds NAME FOLDER` writes what the
//! coverage-guided run begins with (`tests/fuzz`).
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;

use alliance_tests::decoders::mutation::Mutations;
use alliance_tests::decoders::{Decoder, Form};
use rustix::process::{Resource, Rlimit, setrlimit};

/// Bytes of address space beyond what is mapped when the corpus is loaded: the largest input that is drawn has 1 MiB, and
/// a list of empty strings takes 24 bytes for each of its own.
const HEADROOM_BYTES: u64 = 96 << 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = match words.as_slice() {
        ["show", name, seed, number] => show(&decoder(name), number_of(seed), number_of(number)),
        ["seeds", name, folder] => seeds(&decoder(name), Path::new(folder)),
        [name, seed, count] => run(&decoder(name), number_of(seed), number_of(count)),
        _ => Err("usage: alliance-decoder-worker NAME SEED COUNT".into()),
    };
    if let Err(why) = ended {
        say(&why);
        std::process::exit(1);
    }
}

fn decoder(name: &str) -> Decoder {
    Decoder::named(name).unwrap_or_else(|| panic!("no decoder is called {name}"))
}

fn number_of(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

fn show(decoder: &Decoder, seed: u64, number: u64) -> Result<(), String> {
    let mut mutations = Mutations::new(decoder, seed);
    let mut input = Vec::new();
    for _ in 0..=number {
        input = mutations.next_input();
    }
    say(&hex(&input));
    Ok(())
}

/// The corpus, and behind a zero what is inside the shell of each file.
fn seeds(decoder: &Decoder, folder: &Path) -> Result<(), String> {
    for (name, bytes) in decoder.corpus() {
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).map_err(|e| e.to_string());
        write(&name, &bytes)?;
        if let Some(inside) = decoder.shell.and_then(|shell| (shell.open)(&bytes)) {
            write(&format!("{name}-inside"), &[&[0], inside.as_slice()].concat())?;
        }
    }
    Ok(())
}

fn run(decoder: &Decoder, seed: u64, count: u64) -> Result<(), String> {
    let corpus = decoder.corpus();
    let mut mutations = Mutations::new(decoder, seed);
    // What is made once, such as the document under attack, is made before the limit is set.
    for (_, bytes) in &corpus {
        let _ = catch_unwind(|| (decoder.decode)(bytes));
    }
    limit_memory();
    quiet_panics();
    for (name, bytes) in &corpus {
        let read = check(decoder, bytes).map_err(|why| format!("{name}: {why}"))?;
        let wanted = match name.split_once('-') {
            Some(("ok", _)) => true,
            Some(("bad", _)) => false,
            _ => return Err(format!("{name}: the name begins with neither ok- nor bad-")),
        };
        if read != wanted {
            return Err(format!("{name}: {}", if read { "was read" } else { "was refused" }));
        }
    }
    let (mut read, mut refused) = (0_u64, 0_u64);
    for number in 0..count {
        say(&number.to_string());
        let input = mutations.next_input();
        match check(decoder, &input).map_err(|why| format!("mutation {number}: {why}"))? {
            true => read += 1,
            false => refused += 1,
        }
    }
    let form = match decoder.form {
        Form::Exact => "the same bytes again",
        Form::Stable => "the same value again",
        Form::OneWay => "no way back",
    };
    say(&format!(
        "{}: seed {seed}: {} files and {count} mutations, {read} read ({form}), {refused} refused",
        decoder.name,
        corpus.len()
    ));
    Ok(())
}

/// What a panic says.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// Whether the bytes were read; why not so, if the decoder broke its word.
fn check(decoder: &Decoder, bytes: &[u8]) -> Result<bool, String> {
    let panicked = || format!("panicked: {}", PANIC.lock().unwrap());
    let read = catch_unwind(AssertUnwindSafe(|| (decoder.decode)(bytes))).map_err(|_| panicked())?;
    let complaint = catch_unwind(AssertUnwindSafe(|| decoder.complaint(bytes, read.as_deref())));
    match complaint.map_err(|_| panicked())? {
        None => Ok(read.is_some()),
        Some(complaint) => Err(complaint),
    }
}

fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        if let Ok(mut text) = PANIC.lock() {
            // One line: a line is all that is kept of what a worker said last.
            *text = info.to_string().replace('\n', ": ");
        }
    }));
}

fn limit_memory() {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).expect("a size");
    let mapped = line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1_024;
    let limit = Some(mapped + HEADROOM_BYTES);
    setrlimit(Resource::As, Rlimit { current: limit, maximum: limit }).expect("a process may limit itself");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Prints a line at once: the process may be killed at any moment.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("somebody reads");
}
