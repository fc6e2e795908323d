//! What a batch touches: rows of spaces and the ends of logs, read once and written at its end.

use std::collections::hash_map::Entry as Slot;

use alliance_wire::{HashPrefix, LogId, SpaceId};

use super::{Put, Touched};
use crate::error::StoreError;
use crate::replica::logs::{self, LogRow};

impl Put<'_> {
    /// The author's own log (not a continuation), read once for each batch.
    pub(super) fn end(&mut self, space: i64, signed: LogId) -> Result<Option<&LogRow>, StoreError> {
        match self.ends.entry((space, signed)) {
            Slot::Occupied(slot) => Ok(Some(slot.into_mut())),
            Slot::Vacant(slot) => match logs::find_log(self.connection, space, signed)? {
                Some(log) => Ok(Some(slot.insert(log))),
                None => Ok(None),
            },
        }
    }

    /// Writes and forgets the open ends: what follows changes logs by other ways.
    pub(super) fn write_ends(&mut self) -> Result<(), StoreError> {
        for log in self.ends.values() {
            logs::update_end(self.connection, log)?;
        }
        self.ends.clear();
        Ok(())
    }

    pub(super) fn space(&mut self, space: SpaceId) -> Result<&mut Touched, StoreError> {
        match self.spaces.entry(space) {
            Slot::Occupied(slot) => Ok(slot.into_mut()),
            Slot::Vacant(slot) => {
                logs::intern_space(self.connection, space)?;
                let row = logs::find_space(self.connection, space)?.ok_or(StoreError::Shape("a space just made"))?;
                Ok(slot.insert(Touched { row, grown: false, reshaped: false }))
            }
        }
    }

    /// The row of a space and its next arrival number, which [`Put::arrived`] takes.
    pub(super) fn next(&mut self, space: SpaceId) -> Result<(i64, u64), StoreError> {
        let (row, next) = {
            let touched = self.space(space)?;
            (touched.row.id, touched.row.tail.arrival + 1)
        };
        Ok((row, self.reserved.take(space).unwrap_or(next)))
    }

    pub(super) fn arrived(&mut self, space: SpaceId, arrival: u64, hash: HashPrefix) {
        if let Some(touched) = self.spaces.get_mut(&space) {
            if arrival > touched.row.tail.arrival {
                touched.row.tail.arrival = arrival;
                touched.row.tail.hash = hash;
            }
            touched.grown = true;
        }
    }

    pub(super) fn reshaped(&mut self, space: SpaceId) {
        if let Some(touched) = self.spaces.get_mut(&space) {
            touched.reshaped = true;
        }
    }

    pub(super) fn write_spaces(&mut self) -> Result<Vec<alliance_sync::Tail>, StoreError> {
        let mut tails = Vec::with_capacity(self.spaces.len());
        for (space, touched) in &mut self.spaces {
            if touched.reshaped {
                touched.row.tail.digest = logs::digest(self.connection, touched.row.id, *space)?;
            }
            if touched.grown || touched.reshaped {
                logs::update_space(self.connection, &touched.row)?;
            }
            tails.push(touched.row.tail);
        }
        tails.sort_unstable_by_key(|tail| tail.space);
        Ok(tails)
    }
}
