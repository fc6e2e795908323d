//! The log: what every replica holds, relay and device alike (docs/PROTOCOL.md sections 1 and 3).
//!
//! *Arrival numbers* are given per space in the transaction that inserts, so that the order of commits is the order of
//! numbers (R2). Entries, receipts and fork proofs share them. *Logs* are chains; where an author signed two entries
//! of one number the log ends at the last common entry, and each continuation is a log of its own. How the entries of
//! an author are cut into logs follows from the set of them alone, not from the order in which they came: two replicas
//! with the same entries and proofs have the same logs, and so the same digest.

mod check;
mod cursors;
mod entries;
mod forks;
mod logs;
mod numbers;
mod put;
mod receipts;
mod since;
mod sqlite;
mod views;

use core::future::Future;
use std::sync::Arc;

use alliance_sync::{Batch, Page, Persisted, Since, Tail};
use alliance_wire::frame::Answer;
use alliance_wire::receipt::SignedReceipt;
use alliance_wire::{DeviceKey, Entry, HashPrefix, Instance, LogId, LogName, SpaceId};

use crate::error::StoreError;

pub(crate) use check::check_space;
pub(crate) use cursors::keep_roster;
pub(crate) use entries::{DamageList, read_entries, read_rows};
pub(crate) use forks::all_proofs as fork_proofs;
pub(crate) use logs::{entry_row, intern_space, name_at, space_id};
pub(crate) use put::put;
pub(crate) use receipts::all as receipts_of;
pub use sqlite::SqliteReplica;
pub(crate) use sqlite::weight;
pub use views::ViewParts;
pub(crate) use views::parts as view_parts;

/// Payload bytes after which [`Replica::fetch`] and [`Replica::range`] stop, so that no answer grows without bound.
pub const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Hashes of replaced receipts that are kept for each space: cursors that name them still count.
pub const REPLACED_MAX: u64 = 256;

/// Who may have a space, as its evaluated membership says. Kept beside the space, so that "which spaces does this peer
/// share" is answered without evaluating any membership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    /// The space.
    pub space: SpaceId,
    /// Keys that may read: the active devices and the recovery keys of its members.
    pub readers: Vec<DeviceKey>,
    /// Keys that an authorised entry once listed and that may not read any more.
    pub former: Vec<DeviceKey>,
    /// Relays that the membership names.
    pub relays: Vec<DeviceKey>,
    /// Hash over the membership heads that this follows from.
    pub heads: HashPrefix,
}

/// How far two replicas know each other in one space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The space.
    pub space: SpaceId,
    /// How far this replica has what the peer had: the peer's arrival number and the hash there; 0 for nothing.
    pub number: u64,
    /// Hash of what stands at it.
    pub hash: HashPrefix,
    /// What the peer acknowledged: this replica's arrival number.
    pub acked: u64,
}

/// An entry that was read back otherwise than it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damaged {
    /// The space.
    pub space: SpaceId,
    /// The log.
    pub log: LogId,
    /// The number.
    pub seq: u64,
    /// The header is damaged, not only the payload: the entry cannot be given to anybody.
    pub header: bool,
}

/// Sizes and counts, for people and tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Spaces with something in them.
    pub spaces: u64,
    /// Logs, continuations included.
    pub logs: u64,
    /// Entries.
    pub entries: u64,
    /// Bytes of the database, its write-ahead log not counted.
    pub bytes: u64,
    /// Transactions committed since the database was opened.
    pub commits: u64,
}

/// A replica of the log. Everything that changes it is durable when the future is ready; everything that reads it sees
/// one snapshot. Every method fails with [`StoreError`].
pub trait Replica: Send + Sync + 'static {
    /// This database's own id.
    fn instance(&self) -> Instance;

    /// Makes a batch durable in one transaction and says what became of each item.
    ///
    /// A roster of `rosters` is kept with the items if all membership items of its space were taken.
    fn put(&self, batch: Batch, rosters: Vec<Roster>) -> impl Future<Output = Result<Persisted, StoreError>> + Send;

    /// Replaces who may have a space.
    fn set_roster(&self, roster: Roster) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Entries of one log after number `after`, in order: at most `limit`, and no more once [`ANSWER_BYTES_MAX`] is
    /// reached. Stops before an entry whose header is damaged.
    fn range(
        &self,
        space: SpaceId,
        log: LogId,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(Arc<LogName>, Entry)>, StoreError>> + Send;

    /// What arrived in a space after a number, oldest first, bounded by bytes. Empty for an unknown space.
    fn since(&self, since: Since) -> impl Future<Output = Result<Page, StoreError>> + Send;

    /// All that a [`alliance_sync::View`] is made of; absent while nothing of the space is here.
    fn view_parts(&self, space: SpaceId) -> impl Future<Output = Result<Option<ViewParts>, StoreError>> + Send;

    /// The newest states of spaces, in the order asked for; that of an empty space for one that is unknown.
    fn tails(&self, spaces: Vec<SpaceId>) -> impl Future<Output = Result<Vec<Tail>, StoreError>> + Send;

    /// What stands at arrival numbers, in the order asked for (R1).
    fn hashes_at(
        &self,
        at: Vec<(SpaceId, u64)>,
    ) -> impl Future<Output = Result<Vec<Option<HashPrefix>>, StoreError>> + Send;

    /// Payloads, in the order asked for. Stops once [`ANSWER_BYTES_MAX`] is reached: the answer may be shorter than
    /// the question, never empty for a question that is not.
    fn fetch(
        &self,
        space: SpaceId,
        rows: Vec<(LogId, u64)>,
    ) -> impl Future<Output = Result<Vec<(LogId, u64, Answer)>, StoreError>> + Send;

    /// All spaces that have something in them, sorted by id.
    fn spaces(&self) -> impl Future<Output = Result<Vec<SpaceId>, StoreError>> + Send;

    /// Spaces of which this device is an active member, sorted by id.
    fn member_spaces(&self, device: DeviceKey) -> impl Future<Output = Result<Vec<SpaceId>, StoreError>> + Send;

    /// Spaces that this device was put out of, sorted by id.
    fn former_spaces(&self, device: DeviceKey) -> impl Future<Output = Result<Vec<SpaceId>, StoreError>> + Send;

    /// Spaces whose membership names this relay and that it has not answered ABSENT since their membership last
    /// changed, sorted by id.
    fn relay_spaces(&self, relay: DeviceKey) -> impl Future<Output = Result<Vec<SpaceId>, StoreError>> + Send;

    /// Keeps that a relay said it does not have a space for us, until the space's membership changes.
    fn set_absent(&self, relay: DeviceKey, space: SpaceId) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The database that a peer had when it was last met.
    fn peer_instance(&self, device: DeviceKey) -> impl Future<Output = Result<Option<Instance>, StoreError>> + Send;

    /// How far this replica and a peer's database know each other, sorted by space.
    fn cursors(&self, peer: Instance) -> impl Future<Output = Result<Vec<Cursor>, StoreError>> + Send;

    /// Of these spaces with arrival numbers, those that have an entry behind that number of another device than `own`.
    fn others_behind(
        &self,
        own: DeviceKey,
        behind: Vec<(SpaceId, u64)>,
    ) -> impl Future<Output = Result<Vec<SpaceId>, StoreError>> + Send;

    /// The newest receipt of each device in a space.
    fn receipts(&self, space: SpaceId) -> impl Future<Output = Result<Vec<SignedReceipt>, StoreError>> + Send;

    /// Entries whose payload is not here or was found damaged since the replica was opened, oldest first.
    fn missing(
        &self,
        space: SpaceId,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(LogId, u64)>, StoreError>> + Send;

    /// Entries that were read back otherwise than written, since the replica was opened.
    fn damaged(&self) -> Vec<Damaged>;

    /// How many spaces were created under an admission token.
    fn spaces_of_token(&self, token: [u8; 8]) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Bytes of headers and payloads of a space: what quotas count.
    fn space_bytes(&self, space: SpaceId) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Drops everything of a space; its arrival numbers go on where they were. Called through
    /// [`crate::Spaces::forget`], which keeps some of it in memory.
    fn forget_space(&self, space: SpaceId) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Sizes and counts.
    fn stats(&self) -> impl Future<Output = Result<Stats, StoreError>> + Send;
}
