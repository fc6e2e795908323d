//! Tests of the crate: the log and the tables of a device and of a relay, on disks that do what disks do.

mod conformance;
mod costs;
mod damage;
mod device;
mod files;
mod flips;
mod making;
mod operator;
mod profiles;
mod search;
#[path = "../../../../tests/src/soak.rs"]
#[allow(unreachable_pub, reason = "shared with a library")]
mod soak;
mod spaces;
mod writer;
