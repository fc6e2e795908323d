//! What may come between a store and its disk, where a simulation says so.

use core::fmt::Debug;
use core::future::Future;
use core::pin::Pin;

use crate::error::StoreError;

/// What a store wants of its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// One snapshot is read.
    Read,
    /// Something is written; whatever else is asked for until the disk is reached joins the same transaction.
    Write,
}

/// Waits for the disk.
pub type Reaching<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// A disk with a will of its own. A store that is opened with one has no threads: it works where it is called, as soon
/// as the disk is reached, so that a run with one seed is one run.
///
/// The database is a real one in either case. A disk says when something happens and whether it fails, never what is
/// stored.
pub trait Disk: Send + Sync + Debug {
    /// Waits as long as the disk takes. An error is what whoever asked is told; nothing was done.
    fn reach(&self, access: Access) -> Reaching<'_>;

    /// All of a transaction is written and it is about to be committed.
    ///
    /// # Errors
    /// What the disk says: the transaction is rolled back, and everybody in it is told.
    fn commit(&self) -> Result<(), StoreError>;

    /// A transaction was committed and nobody knows of it yet.
    ///
    /// # Errors
    /// The process is dead: nobody ever hears that the transaction was committed.
    fn committed(&self) -> Result<(), StoreError>;
}
