//! Days as a relay counts them.

use rusqlite::OptionalExtension;

use super::{Operator, transaction};
use crate::error::StoreError;

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

/// A day on which the relay ran, counted from 1.
///
/// It goes up by one when the relay finds its clock on a later calendar day than at its last look, and never by more:
/// a clock that is set forward by years ages what lies here by a day, one that is set back ages nothing and revives
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelayDay(pub u32);

impl RelayDay {
    /// How many days lie between an earlier day and this one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The calendar day of a clock in seconds since 1970.
#[must_use]
pub fn day_of(seconds: u64) -> u32 {
    u32::try_from(seconds / SECONDS_PER_DAY).unwrap_or(u32::MAX)
}

impl Operator {
    /// Looks at the calendar, counts on if it shows a later day, and drops what is too old. Call it at the start and
    /// every hour.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn today(&self, calendar: u32) -> Result<RelayDay, StoreError> {
        let mut connection = self.connection();
        let last = connection
            .prepare_cached("select relay, calendar from day where one = 1")?
            .query_row([], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?)))
            .optional()?;
        let day = match last {
            None => 1,
            Some((relay, seen)) if calendar > seen => relay.saturating_add(1),
            Some((relay, seen)) if calendar == seen => return Ok(RelayDay(relay)),
            Some((relay, _)) => relay,
        };
        transaction(&mut connection, |connection| {
            // A calendar that went back is taken as it is: its next day counts again.
            connection
                .prepare_cached("insert or replace into day(one, relay, calendar) values (1, ?1, ?2)")?
                .execute((day, calendar))?;
            super::mailboxes::expire(connection, RelayDay(day))
        })?;
        Ok(RelayDay(day))
    }
}
