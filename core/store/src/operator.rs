//! What a relay keeps beside the log: admission tokens and mailboxes in one database, session tickets in another.
//!
//! | file | what it is |
//! |---|---|
//! | `operator.db` | tokens, the spaces that they admitted, mailboxes, relay-days; the operator's commands write it while the relay runs |
//! | `sessions.db` | TLS session tickets (docs/PROTOCOL.md section 5); can be lost at any time at the cost of a round trip |
//!
//! Calls are short and block on the disk. Both databases hold ids, keys and sealed bytes, never an address or a name
//! other than the labels that the operator chose.

mod days;
mod dump;
mod inspect;
mod mailboxes;
mod schema;
mod tickets;
mod tokens;
mod usage;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use alliance_wire::{Instance, SpaceId};
use rusqlite::{Connection, OptionalExtension};

pub use days::{RelayDay, day_of};
pub use dump::{Cell, DATABASES, dump};
pub use inspect::{Inspection, inspect};
pub use mailboxes::{MAILBOX_MESSAGES_PER_SPACE_MAX, Posted};
pub use tickets::{TicketLimits, Tickets};
pub use tokens::{Admittance, NewToken, TokenRow};
pub use usage::{ENTRY_BYTES, LogUsage};

use crate::error::{OpenError, StoreError};
use crate::file::page_key::PageKey;
use crate::file::{Files, Options, connect_without_log, require_sound};

/// The operator's database. Several processes may have it open.
#[derive(Debug)]
pub struct Operator {
    connection: Mutex<Connection>,
}

impl Operator {
    /// Opens or makes the operator's database of a relay's folder.
    ///
    /// # Errors
    /// [`OpenError`]; a database of a newer version is not changed.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_with(folder, Options::default())
    }

    /// The same with other options.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_with(folder: &Path, options: Options) -> Result<Self, OpenError> {
        Files::new(folder).make_folder()?;
        let path = folder.join("operator.db");
        let page_key = options.signed.then(|| PageKey::of(folder)).transpose()?;
        if let Some(page_key) = &page_key {
            page_key.take_over(&path, schema::version())?;
        }
        let mut connection = connect_without_log(&path, page_key.as_ref().map(PageKey::access), &options)?;
        schema::migrate(&mut connection)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// A value that the relay keeps for its operator, such as the address that it was last reachable under.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        sound(&self.connection(), |connection| {
            let mut statement = connection.prepare_cached("select value from setting where name = ?1")?;
            Ok(statement.query_row([name], |row| row.get(0)).optional()?)
        })
    }

    /// Keeps a value for the operator.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("insert or replace into setting(name, value) values (?1, ?2)")?
            .execute((name, value))?;
        Ok(())
    }

    /// The relay-day on which a database of this relay was first seen: quotas on entries hold from the 30th day on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn first_day(&self, instance: Instance, today: RelayDay) -> Result<RelayDay, StoreError> {
        sound(&self.connection(), |connection| {
            connection
                .prepare_cached("insert or ignore into instance(instance, day) values (?1, ?2)")?
                .execute((instance.as_bytes(), today.0))?;
            let mut statement = connection.prepare_cached("select day from instance where instance = ?1")?;
            Ok(RelayDay(statement.query_row([instance.as_bytes()], |row| row.get(0))?))
        })
    }

    /// Nothing is half done between two calls: each is one statement or one transaction.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `work` in one transaction that takes the write lock at once, so that what it read still holds when it writes.
fn transaction<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let value = work(&transaction)?;
    require_sound(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

/// Runs `work`, whose answer counts only if every page that it read bears its signature.
fn sound<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let value = work(connection)?;
    require_sound(connection)?;
    Ok(value)
}

/// A space as a column.
fn space_at(row: &rusqlite::Row<'_>, column: usize) -> Result<SpaceId, StoreError> {
    crate::sql::Row::id(row, column)
}
