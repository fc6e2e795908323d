//! The schema as a table of steps. Its length is the schema's version; a step that was released is never changed.

use rusqlite::Connection;

use super::Kind;
use crate::error::OpenError;

/// One step: what it does to the log, and what to a device's own tables.
pub(crate) struct Step {
    replica: &'static str,
    device: &'static str,
}

/// All steps, oldest first.
pub(crate) const STEPS: [Step; 3] = [
    Step { replica: include_str!("migrations/1_replica.sql"), device: include_str!("migrations/1_device.sql") },
    Step { replica: "", device: include_str!("migrations/2_device.sql") },
    Step { replica: include_str!("migrations/3_replica.sql"), device: "" },
];

/// The schema's version: the one that this program writes.
#[must_use]
pub fn version() -> u32 {
    u32::try_from(STEPS.len()).unwrap_or(u32::MAX)
}

/// Brings a database up to the newest version: all steps that it lacks or none, so that the program that made it can go
/// on where one fails.
pub(crate) fn migrate(connection: &mut Connection, kind: Kind) -> Result<(), OpenError> {
    let found: u32 = connection.query_row("pragma user_version", [], |row| row.get(0))?;
    if found >= version() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for step in STEPS.iter().skip(found as usize) {
        transaction.execute_batch(step.replica)?;
        if kind == Kind::Device {
            transaction.execute_batch(step.device)?;
        }
    }
    transaction.pragma_update(None, "application_id", kind.application_id())?;
    transaction.pragma_update(None, "user_version", version())?;
    Ok(transaction.commit()?)
}
