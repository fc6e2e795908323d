//! Disks that fill up, and disks that can only be read.
//!
//! Each test has a small disk of its own, a tmpfs in a mount namespace that `.ci/run` makes (docs/CI.md).

#[path = "disks/disk.rs"]
mod disk;
#[path = "disks/full.rs"]
mod full;
#[path = "disks/profiles.rs"]
mod profiles;
#[path = "disks/read_only.rs"]
mod read_only;
