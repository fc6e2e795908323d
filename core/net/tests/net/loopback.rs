//! The transport over loopback: real sockets and handshakes, no sleeps, a watchdog instead of a hang.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod direct;
mod first_datagram;
mod frames;
mod hostile;
mod matching;
mod relay;
mod restart;
mod resumption;
mod tickets;
