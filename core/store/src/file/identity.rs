//! Which database this is: its incarnation (for what it writes) and its instance (for its arrival numbers).

use std::path::Path;

use alliance_crypto::Rules;
use alliance_wire::hash::{Domain, hash};
use alliance_wire::{Incarnation, Instance};
use rusqlite::Connection;

use super::marker::Marker;
use crate::error::{OpenError, StoreError};
use crate::sql::{Row as _, int, uint};

/// Random ids that an opening uses if the database needs new ones.
#[derive(Debug, Clone, Copy)]
pub struct Fresh {
    /// 16 random bytes.
    pub incarnation: Incarnation,
    /// 16 random bytes.
    pub instance: Instance,
}

impl Fresh {
    /// Ids from 32 random bytes and the clock: a machine that was put back, its random source with it, draws others.
    #[must_use]
    pub fn draw(random: &[u8; 32], millis: u64) -> Self {
        Self::of(hash(Domain::Database, &[random, &millis.to_be_bytes()]))
    }

    /// What follows on the ids that the database has: never the same, even if the random source repeats itself.
    fn after(self, stored: &Marker) -> Self {
        let Marker { incarnation, instance, opens } = stored;
        let parts: [&[u8]; 5] =
            [&self.incarnation.0, &self.instance.0, &incarnation.0, &instance.0, &opens.to_be_bytes()];
        Self::of(hash(Domain::Database, &parts))
    }

    fn of(digest: [u8; 32]) -> Self {
        let id = |from: usize| core::array::from_fn(|at| digest[from + at]);
        Self { incarnation: Incarnation(id(0)), instance: Instance(id(16)) }
    }
}

/// What an opening found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// The incarnation under which this database writes.
    pub incarnation: Incarnation,
    /// The database's own id towards peers.
    pub instance: Instance,
    /// How often it was opened, this time included.
    pub opens: u64,
    /// The incarnation and the instance are new: the store was just made, restored or copied.
    pub fresh: bool,
    /// The incarnation that the database had before, where it had another.
    pub previous: Option<Incarnation>,
}

/// Compares database and marker and raises both, the database first.
///
/// `renew` draws new ids even though both agree (an operator's word that the database was restored).
pub(crate) fn raise(
    connection: &Connection,
    marker_path: &Path,
    fresh: Fresh,
    renew: bool,
    rules: Rules,
) -> Result<Opened, OpenError> {
    let stored = stored(connection)?;
    let fresh = stored.as_ref().map_or(fresh, |stored| fresh.after(stored));
    let marker = Marker::read(marker_path)?;
    let kept = stored.filter(|stored| !renew && marker.is_some_and(|marker| agree(stored, &marker)));
    let instance = stored.filter(|_| !rules.new_instance).map_or(fresh.instance, |stored| stored.instance);
    let (incarnation, instance) = kept.map_or((fresh.incarnation, instance), |kept| (kept.incarnation, kept.instance));
    let opens = stored.map_or(0, |stored| stored.opens) + 1;
    // A crash between the two is repaired before this opening raises them: or a second one would put them two apart.
    if let Some(kept) = kept.filter(|kept| marker != Some(*kept)) {
        kept.write(marker_path)?;
    }
    let next = Marker { incarnation, instance, opens };
    // Outside a transaction: durable when the statement returns (synchronous = FULL), before the marker is raised.
    put(connection, &next)?;
    next.write(marker_path)?;
    let previous = stored.map(|stored| stored.incarnation).filter(|previous| *previous != incarnation);
    Ok(Opened { incarnation, instance, opens, fresh: kept.is_none(), previous })
}

/// What the database says that it is, as of its last opening; absent where it was never opened to its end.
pub(super) fn present(connection: &Connection) -> Result<Option<Opened>, StoreError> {
    let opened = |stored: Marker| {
        let Marker { incarnation, instance, opens } = stored;
        Opened { incarnation, instance, opens, fresh: false, previous: None }
    };
    Ok(stored(connection)?.map(opened))
}

/// Begins a new incarnation in an open database. The instance stays: its arrival numbers were not disturbed. Runs in
/// the writer's transaction; [`mark`] follows when that is durable.
pub(crate) fn renew(connection: &Connection, incarnation: Incarnation) -> Result<Opened, StoreError> {
    let stored = stored(connection)?.ok_or(StoreError::Shape("the database's identity"))?;
    let Fresh { incarnation, .. } = Fresh { incarnation, instance: stored.instance }.after(&stored);
    let next = Marker { incarnation, instance: stored.instance, opens: stored.opens + 1 };
    put(connection, &next)?;
    let previous = Some(stored.incarnation).filter(|previous| *previous != incarnation);
    Ok(Opened { incarnation, instance: next.instance, opens: next.opens, fresh: true, previous })
}

/// Raises the marker to what the database says.
pub(crate) fn mark(marker_path: &Path, opened: &Opened) -> Result<(), OpenError> {
    let Opened { incarnation, instance, opens, .. } = *opened;
    Marker { incarnation, instance, opens }.write(marker_path)
}

/// The marker agrees when it says the same, or is one opening behind: a crash between the two.
fn agree(stored: &Marker, marker: &Marker) -> bool {
    stored.incarnation == marker.incarnation
        && stored.instance == marker.instance
        && (stored.opens == marker.opens || stored.opens == marker.opens + 1)
}

fn stored(connection: &Connection) -> Result<Option<Marker>, StoreError> {
    let mut statement = connection.prepare("select incarnation, instance, opens from identity where one = 1")?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Marker { incarnation: row.id(0)?, instance: row.id(1)?, opens: uint(row.get(2)?) }))
}

fn put(connection: &Connection, marker: &Marker) -> Result<(), StoreError> {
    connection.execute(
        "insert or replace into identity(one, incarnation, instance, opens) values (1, ?1, ?2, ?3)",
        (marker.incarnation.as_bytes(), marker.instance.as_bytes(), int(marker.opens)),
    )?;
    Ok(())
}
