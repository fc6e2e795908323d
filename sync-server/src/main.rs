//! `alliance-relay`: a replica without keys, as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    alliance_relay::cli::run()
}
