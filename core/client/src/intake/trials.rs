//! Trials in which the process died.

use std::collections::BTreeMap;

use alliance_store::device::{DeviceOp, EntryRef, EntryState};
use alliance_wire::DocumentId;

use crate::error::Error;
use crate::held::{self, PROGRAM};
use crate::inner::Inner;
use crate::listing::PARKED;

impl Inner {
    /// What was left when the process died in the middle of a trial.
    pub(crate) async fn recover_trials(&self) -> Result<(), Error> {
        let mut documents: BTreeMap<DocumentId, Vec<EntryRef>> = BTreeMap::new();
        for trying in self.device.trying().await? {
            documents.entry(trying.document).or_default().push(trying.entry);
        }
        let mut work = self.work.lock().await;
        for (document, entries) in documents {
            let Some(space) = entries.first().map(|entry| entry.space) else { continue };
            let mut ops = vec![DeviceOp::EndTrying(space, document)];
            let alone = if let [only] = entries.as_slice() { Some(*only) } else { None };
            let next = match alone {
                Some(entry) => Some((entry, held::after_death(self.device.entry_state(entry).await?))),
                None => None,
            };
            if let Some((entry, None)) = next {
                tracing::warn!(document = %document.short(), "an entry ended the program: it is held until an update");
                let state = EntryState::ParkedUntil(PROGRAM + 1);
                ops.push(DeviceOp::SetEntry { entry, document: Some(document), state });
                if let Some(mut listing) = self.device.listing(space, document).await? {
                    // The gate asks what is held only of documents that say so.
                    listing.markers |= PARKED;
                    ops.push(DeviceOp::PutListing(listing));
                }
            } else {
                if let Some((entry, Some(wait))) = next {
                    // Without its document: whoever makes that anew must not try this entry along with another.
                    ops.push(DeviceOp::SetEntry { entry, document: None, state: wait.state() });
                }
                work.careful.insert(document);
            }
            self.device.apply(ops).await?;
        }
        Ok(())
    }
}
