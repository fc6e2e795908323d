//! The relay, what lies between it and devices, and what it makes of those that it may not serve.

mod blocked;
mod carried;
mod limits;
mod process;
mod proxy;
mod put_out;
mod rot_heals;
mod sessions;
