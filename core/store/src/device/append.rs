//! This device's own entries, with the rows that go with them.

use std::sync::Arc;

use alliance_sync::{Batch, Outcome, Persisted};

use super::{DeviceOp, ops};
use crate::engine::Engine;
use crate::error::StoreError;
use crate::replica::{self, Roster, SqliteReplica};

/// Why own entries were not appended. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// An entry is not the next of its log: another stands at its number, or its predecessor is not the newest here.
    #[error("the entry is not the next one of its log")]
    NotTaken(Vec<Outcome>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(super) async fn append(
    engine: &Arc<Engine>,
    replica: &SqliteReplica,
    batch: Batch,
    rosters: Vec<Roster>,
    ops: Vec<DeviceOp>,
) -> Result<Persisted, AppendError> {
    let (rows, bytes) = replica::weight(&batch);
    let (more_rows, more_bytes) = ops::weight(&ops);
    let (damage, rules) = (Arc::clone(replica.damage()), engine.rules());
    let write = move |connection: &rusqlite::Connection| {
        // A savepoint of its own: what is not taken is undone, and is an answer rather than a failure of the store.
        connection.execute_batch("savepoint append")?;
        let persisted = replica::put(connection, &damage, rules, &batch, &rosters, None)?;
        if persisted.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Stored(_))) {
            ops::apply(connection, &ops)?;
            connection.execute_batch("release append")?;
            return Ok(Ok(persisted));
        }
        connection.execute_batch("rollback to append; release append")?;
        Ok(Err(AppendError::NotTaken(persisted.outcomes)))
    };
    engine.write(rows + more_rows, bytes + more_bytes, write).await?
}
