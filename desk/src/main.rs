//! The program `alliance`; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    alliance_desk::run(std::env::args_os())
}
