//! Tests of the crate: addresses as text, and both transports over loopback.

mod address;
mod loopback;
mod support;
mod tcp;
