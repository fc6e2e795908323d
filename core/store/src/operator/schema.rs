//! The tables of the operator's database.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::OpenError;

/// SQLite's `application_id`: "ALLO".
const APPLICATION_ID: u32 = 0x414c_4c4f;

/// Steps from an empty database to the newest form; their number is the schema's version.
const STEPS: &[&str] = &["
create table setting(name text primary key, value text not null) without rowid;

-- One row. Relay-days count up by at most one at a time (operator/days.rs).
create table day(one integer primary key check (one = 1), relay integer not null, calendar integer not null);

create table instance(instance blob primary key check (length(instance) = 16), day integer not null) without rowid;

-- The secret is kept as it is: the relay must make the same MAC from it. Revoking overwrites it.
create table token(
  token blob primary key check (length(token) = 8),
  secret blob not null check (length(secret) = 32),
  label text not null,
  spaces integer not null,
  revoked integer not null default 0,
  day integer not null
) without rowid;

-- Spaces that a token admitted, whether or not their entries have come.
create table admitted(
  token blob not null, space blob not null check (length(space) = 16), primary key(token, space)
) without rowid;

-- Where an invitation's one-time key was first listed. It only finds the space: whether the mailbox is open, and for
-- whom, the space's membership says at each use.
create table mailbox(
  address blob primary key check (length(address) = 32), space blob not null check (length(space) = 16)
) without rowid;

create table mail(
  id integer primary key,
  address blob not null,
  space blob not null,
  day integer not null,
  hash blob not null,
  message blob not null,
  unique(address, hash)
);
create index mail_space on mail(space);
create index mail_day on mail(day);
"];

/// The newest form's number.
pub(super) fn version() -> u32 {
    u32::try_from(STEPS.len()).expect("a short list")
}

/// Brings a database to the newest form. Another process may do the same at the same time.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let known = version();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: u32 = transaction.query_row("pragma user_version", [], |row| row.get(0))?;
    let application: u32 = transaction.query_row("pragma application_id", [], |row| row.get(0))?;
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    if found > 0 && application != APPLICATION_ID {
        return Err(OpenError::OtherKind);
    }
    for step in &STEPS[found as usize..] {
        transaction.execute_batch(step)?;
    }
    if found < known {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", known)?;
    }
    transaction.commit()?;
    Ok(())
}
