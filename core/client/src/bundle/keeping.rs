//! Pages that wait for what they build on: kept as they came, with the heads that open them.

use std::collections::BTreeSet;

use alliance_wire::bundle_file::ParcelId;

use super::area::{Area, BYTES_MAX, Keeping, Kept};
use super::io;
use crate::error::{Code, Error};
use crate::surroundings::Surroundings;

/// What of one file waits. The file is begun with the first page.
pub(super) struct Waiting {
    area: Area,
    keeping: Option<Keeping>,
    heads: BTreeSet<ParcelId>,
    full: bool,
}

impl Waiting {
    pub(super) const fn new(area: Area) -> Self {
        Self { area, keeping: None, heads: BTreeSet::new(), full: false }
    }

    /// Keeps a page; `false` if there is no room.
    pub(super) async fn add(
        &mut self,
        around: &Surroundings,
        parcel: ParcelId,
        head: &[u8],
        page: &[u8],
    ) -> Result<bool, Error> {
        if self.full {
            return Ok(false);
        }
        let (area, keeping) = (self.area.clone(), self.keeping.take());
        let bytes = if self.heads.insert(parcel) { [head, page].concat() } else { page.to_vec() };
        let work = move || {
            let mut keeping = match keeping {
                Some(keeping) => keeping,
                None => area.begin(Kept::Waiting).map_err(|error| io(&error))?,
            };
            keeping.write(&bytes).map_err(|error| io(&error))?;
            Ok(keeping)
        };
        let keeping = around.blocking(work).await?;
        // More than the folder may hold at all: the file must be taken again.
        self.full = keeping.bytes > BYTES_MAX;
        self.keeping = (!self.full).then_some(keeping);
        Ok(!self.full)
    }

    /// Makes durable what waits; `false` if there was something and no room for it.
    pub(super) async fn keep(self, around: &Surroundings) -> Result<bool, Error> {
        let Self { area, keeping, full, .. } = self;
        let Some(keeping) = keeping else { return Ok(!full) };
        let work = move || {
            if !area.make_room(keeping.bytes).map_err(|error| io(&error))? {
                return Ok(false);
            }
            keeping.keep().map_err(|error| io(&error))?;
            Ok(true)
        };
        match around.blocking(work).await {
            // What is taken is taken; the rest is in the file still.
            Err(error) if error.code() == Code::LowStorage.code() => Ok(false),
            other => other,
        }
    }
}
