//! The helper that builds the programs under test gives programs that this system can start.
//! A program of its own: they are built once for each process, and this one asks first.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::process::{Command, Stdio};

use alliance_tests::binaries;

#[test]
fn both_programs_are_built_once_and_start() {
    let first = binaries();
    for program in [&first.alliance, &first.relay] {
        // What they say is their own tests' business; here it counts that the file is a program that ends.
        let status = Command::new(program).arg("--help").stdin(Stdio::null()).stdout(Stdio::null()).status();
        assert!(status.is_ok_and(|status| status.code().is_some()), "{} does not start", program.display());
    }
    assert!(std::ptr::eq(first, binaries()), "the second call must not build again");
}
