//! What R2 forbids: arrival numbers that are given before the transaction that stores.
//!
//! Reached only where [`alliance_crypto::Rules::commit_order`] is off, as in no program: then a batch that waits for the
//! disk holds numbers that are smaller than those of a batch that is durable already, and whoever asked what came after
//! that one never hears of it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use alliance_sync::{Batch, Incoming};
use alliance_wire::SpaceId;

use super::{Replica as _, SqliteReplica};
use crate::error::StoreError;

/// The last number that was given in each space.
#[derive(Debug, Default)]
pub(super) struct Numbers(Mutex<HashMap<SpaceId, u64>>);

/// Numbers that one batch holds.
#[derive(Debug, Default)]
pub(crate) struct Reserved(HashMap<SpaceId, VecDeque<u64>>);

impl Reserved {
    /// The batch's next number in a space.
    pub(super) fn take(&mut self, space: SpaceId) -> Option<u64> {
        self.0.get_mut(&space)?.pop_front()
    }
}

impl Numbers {
    /// Gives a batch its numbers, and lets others go before it.
    pub(super) async fn reserve(&self, replica: &SqliteReplica, batch: &Batch) -> Result<Reserved, StoreError> {
        let of = |item: &Incoming| match item {
            Incoming::Entry(entry) => entry.space(),
            Incoming::Receipt(receipt) => receipt.receipt().space,
            Incoming::Fork(space, ..) | Incoming::Payload(space, ..) => *space,
        };
        let mut spaces: Vec<SpaceId> = batch.items.iter().map(of).collect();
        spaces.sort_unstable();
        spaces.dedup();
        let tails = replica.tails(spaces.clone()).await?;
        let mut reserved = Reserved::default();
        {
            let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            for tail in tails {
                let last = last.entry(tail.space).or_default();
                *last = tail.arrival.max(*last);
                for _ in batch.items.iter().filter(|item| of(item) == tail.space) {
                    *last += 1;
                    reserved.0.entry(tail.space).or_default().push_back(*last);
                }
            }
        }
        // Meanwhile others store.
        replica.tails(spaces).await?;
        Ok(reserved)
    }
}
