//! Two thousand mutations of a real member's changes, from a printed seed, in a process of its own.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use alliance_tests::soak::each_seed;

const SEED: u64 = 20_261_126;
const MUTATIONS: u64 = 2_000;
/// A run takes half a minute on two slow cores; the bound is for one that hangs.
const DEADLINE: Duration = Duration::from_secs(480);

/// What the worker said, and how it ended: `None` if it had to be killed.
fn worker(arguments: &[&str], deadline: Duration) -> (String, Option<bool>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_alliance-hostile-worker"))
        .args(arguments)
        .env("MALLOC_ARENA_MAX", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    // Both pipes end when the process does.
    let (tell, told) = mpsc::channel();
    let complaints = std::thread::spawn(move || {
        let mut text = String::new();
        err.read_to_string(&mut text).map(|_| text)
    });
    let said = std::thread::spawn(move || {
        let mut text = String::new();
        let read = out.read_to_string(&mut text);
        let _ = tell.send(());
        read.map(|_| text)
    });
    let in_time = told.recv_timeout(deadline).is_ok();
    if !in_time {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    let text = said.join().unwrap().unwrap() + &complaints.join().unwrap().unwrap();
    (text, in_time.then(|| status.success()))
}

fn check(seed: u64) {
    let (said, ended) = worker(&[&seed.to_string(), &MUTATIONS.to_string()], DEADLINE);
    let last: Vec<&str> = said.lines().filter(|line| !line.contains(": mutations ")).collect();
    println!("{}", last.join("\n"));
    assert_eq!(ended, Some(true), "seed {seed}: {said}");
    assert!(said.contains(&format!("seed {seed}: {MUTATIONS} mutations in ")), "{said}");
}

#[test]
fn an_honest_client_stays_as_it_was() {
    check(SEED);
}

#[test]
fn a_worker_that_hangs_or_eats_memory_is_noticed() {
    let (_, ended) = worker(&["hang"], Duration::from_millis(500));
    assert_eq!(ended, None);
    let (said, ended) = worker(&["eat"], DEADLINE);
    assert_eq!(ended, Some(false), "{said}");
    let mib = said.lines().filter(|line| line.ends_with(" MiB")).count();
    assert!((50..172).contains(&mib), "it got {mib} MiB");
}

/// Many seeds: `ALLIANCE_SEED=n` or `ALLIANCE_SEED=from..to`.
#[test]
#[ignore = "needs ALLIANCE_SEED; .ci/soak mutations"]
fn many_seeds_of_mutations() {
    each_seed(check);
}
