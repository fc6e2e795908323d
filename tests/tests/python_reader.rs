//! A reader in Python, written from docs/PROTOCOL.md alone, verifies and opens the golden vectors.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::path::Path;
use std::process::Command;

/// Runs a program of `tests/python`; how many of its checks passed, if none failed.
fn passed(program: &str) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    // Debian's own Python, whose modules are packages of Debian. -B: nothing is written beside the sources.
    let ran = Command::new("/usr/bin/python3").arg("-B").arg(folder.join(program)).output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap();
    println!("{said}");
    assert!(ran.status.success(), "{said}");
    let last = said.lines().last().unwrap_or_default();
    let count = last.strip_suffix(" passed, 0 failed").unwrap_or_else(|| panic!("{said}"));
    count.parse().unwrap()
}

#[test]
#[ignore = "needs Python; .ci/run"]
fn python_reads_the_golden_vectors() {
    assert!(passed("read_vectors.py") > 300);
}

/// With a step taken out of the reader it no longer passes: it can tell.
#[test]
#[ignore = "needs Python; .ci/run"]
fn python_without_a_step_does_not_pass() {
    assert!(passed("controls.py") > 10);
}
