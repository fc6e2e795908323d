//! A process that is killed at one call of the operating system, or for which one call fails: strace does it.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::NamedTempFile;

/// The calls by which a process changes files. Each is counted for itself.
const CALLS: [&str; 13] = [
    "mkdir",
    "write",
    "writev",
    "pwrite64",
    "ftruncate",
    "fallocate",
    "fsync",
    "fdatasync",
    "rename",
    "unlink",
    "unlinkat",
    "link",
    "fchmod",
];
/// More calls of one kind than any of these programs makes: one that never ends must not hang the test.
const CALLS_MAX: usize = 2_000;

/// What is done to the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process is killed before it happens.
    Kill,
    /// There is no room, or the disk fails where there is nothing to make room for.
    Fail,
}

/// How the process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was killed.
    Killed,
    /// It did all of its work.
    Done,
    /// It said what went wrong.
    Failed(String),
}

/// One call: which one, and which of its kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) call: &'static str,
    pub(crate) number: usize,
    pub(crate) fault: Fault,
}

impl Step {
    fn injection(self) -> String {
        let Self { call, number, fault } = self;
        let what = match (fault, call) {
            (Fault::Kill, _) => "signal=KILL",
            (Fault::Fail, "write" | "writev" | "pwrite64" | "ftruncate" | "fallocate" | "mkdir") => "error=ENOSPC",
            (Fault::Fail, _) => "error=EIO",
        };
        format!("inject={call}:{what}:when={number}")
    }

    /// Runs the worker and does this to it. Absent when the worker makes fewer calls of this kind.
    pub(crate) fn run(self, arguments: &[&Path]) -> Option<Ended> {
        let log = NamedTempFile::new().unwrap();
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o"]).arg(log.path()).args(["-e", &format!("trace={}", self.call)]);
        command.args(["-e", &self.injection()]).arg(env!("CARGO_BIN_EXE_alliance-step-worker")).args(arguments);
        let ended = end(command);
        let reached = match self.fault {
            Fault::Kill => ended == Ended::Killed,
            Fault::Fail => fs::read_to_string(log.path()).unwrap().contains("(INJECTED)"),
        };
        assert!(reached || ended == Ended::Done, "{self:?}: {ended:?}");
        reached.then_some(ended)
    }
}

/// Runs the worker and does nothing to it.
pub(crate) fn run(arguments: &[&Path]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alliance-step-worker"));
    command.args(arguments);
    end(command)
}

fn end(mut command: Command) -> Ended {
    let output = command.stdin(Stdio::null()).output().expect("the worker starts");
    match (output.status.code(), output.status.signal()) {
        (Some(0), _) => Ended::Done,
        (Some(1), _) => Ended::Failed(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        (_, Some(9)) => Ended::Killed,
        _ => panic!("{command:?}: {output:?}"),
    }
}

/// Calls `each` with each step of a worker, until it says that there are no more of a kind. Answers how many there were.
pub(crate) fn each_step(fault: Fault, mut each: impl FnMut(Step) -> bool) -> usize {
    let steps = |call| (1..CALLS_MAX).take_while(|number| each(Step { call, number: *number, fault })).count();
    let counts: Vec<usize> = CALLS.into_iter().map(steps).collect();
    assert!(counts.iter().all(|count| *count < CALLS_MAX - 1), "a worker without end");
    println!("{fault:?}: {:?}", CALLS.into_iter().zip(&counts).filter(|(_, count)| **count > 0).collect::<Vec<_>>());
    counts.iter().sum()
}
