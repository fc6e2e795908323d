//! Tests of the crate: addresses as text, and the transport over loopback.

mod address;
mod loopback;
mod support;
