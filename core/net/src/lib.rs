//! QUIC between devices and relays.
