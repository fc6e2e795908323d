//! The log and a device's own tables in SQLite.
//!
//! One folder holds one store ([`mod@file`] says which files). Its database has two parts. [`replica`] is the log: entries
//! in chains, receipts, fork proofs, arrival numbers and cursors, everything that a relay holds; [`Replica`] is the
//! trait, [`SqliteReplica`] its implementation here, and [`conformance`] what every implementation must pass.
//! [`device`] is what only a device has: profile, keys, documents, lists, drafts; it opens both parts in one encrypted
//! file, so that an entry and the rows that go with it become durable together.
//!
//! The log is the truth and documents are a cache of it. Every entry that leaves the store is hashed again, so that a
//! flipped bit is noticed here and never passed on. All writing goes through one thread that commits what gathered
//! meanwhile as one transaction; whatever a call made is durable when it returns.
//!
//! Where several people share a device, [`profiles`] holds a folder for each.
//!
//! [`Spaces`] stands between a session ([`alliance_sync`]) and a replica: it answers the session's questions, keeps the
//! evaluated membership of the spaces in use, and tells other sessions what changed.

mod checkup;
pub mod conformance;
pub mod device;
mod disk;
mod engine;
mod error;
pub mod file;
pub mod operator;
pub mod profiles;
pub mod replica;
mod salvage;
mod spaces;
mod sql;

pub use checkup::{Checkup, check_device, check_relay};
pub use device::Device;
pub use disk::{Access, Disk, Reaching};
pub use error::{OpenError, StoreError};
pub use file::{Fresh, Kdf, KeptHalf, Opened, Options, StoreHeader, StoreKey, quarantine};
pub use replica::{Cursor, Damaged, Replica, Roster, SqliteReplica, Stats, ViewParts};
pub use salvage::{Salvaged, salvage_device, salvage_relay};
pub use spaces::{CACHED_ENTRIES_MAX, ShareRule, Spaces, roster_of};
