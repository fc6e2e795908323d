//! What this device says that it has (PROTOCOL section 3, receipts).

use alliance_crypto::{Fate, VerifiedReceipt, sign_receipt};
use alliance_store::Replica as _;
use alliance_store::device::EntryState;
use alliance_sync::{Batch, Head, Incoming, Tail};
use alliance_wire::receipt::{RECEIPT_VERSION, ReceiptRow};
use alliance_wire::{Incarnation, LogId, Receipt, Row, SpaceId, limits};

use crate::error::{Code, Error};
use crate::inner::Inner;

impl Inner {
    /// Signs receipts for every space in which something changed since the last one; returns the spaces' new state.
    pub(crate) async fn write_receipts(&self) -> Result<Vec<Tail>, Error> {
        let mut tails = Vec::new();
        for space in self.device.replica().spaces().await? {
            let _work = self.work.lock().await;
            tails.extend(self.write_receipt(space).await?);
        }
        Ok(tails)
    }

    /// Signs a receipt for a space if something changed since the last one; whoever calls it holds `work`.
    pub(crate) async fn write_receipt(&self, space: SpaceId) -> Result<Vec<Tail>, Error> {
        let Some(receipt) = self.next_receipt(space).await? else { return Ok(Vec::new()) };
        let Ok(signed) = sign_receipt(&self.secret, &receipt) else {
            // More logs than a receipt can name: nobody learns how far this device is, and all else works.
            tracing::warn!(space = %space.short(), "a receipt would be over its limit");
            return Ok(Vec::new());
        };
        let verified =
            VerifiedReceipt::verify(space, signed).map_err(|error| Error::new(Code::Internal).with("why", error))?;
        let batch = Batch { items: vec![Incoming::Receipt(verified)], ..Batch::default() };
        Ok(self.spaces.persist(batch).await?.tails)
    }

    /// The receipt that would say what this device has now, if that is news.
    async fn next_receipt(&self, space: SpaceId) -> Result<Option<Receipt>, Error> {
        let Some(view) = self.spaces.view(space).await? else { return Ok(None) };
        // The last receipt of a device that was put out says that it knows.
        if !matches!(view.membership.fate_of(self.me), Fate::Active | Fate::Suspended | Fate::Gone) {
            return Ok(None);
        }
        let row = |(log, head): (&LogId, &Head)| Row { log: *log, seq: head.seq, hash: head.hash.prefix() };
        let vector: Vec<ReceiptRow> = view.heads.iter().map(|head| ReceiptRow::from(&row(head))).collect();
        let heads = view.membership.head_prefixes();
        let (parked, parked_count) = self.parked_entries(space).await?;
        let last = self.own_receipt(space).await?;
        let same = |last: &Receipt| last.vector == vector && last.heads == heads && last.parked == parked;
        if last.as_ref().is_some_and(same) {
            return Ok(None);
        }
        let incarnation = self.incarnation();
        // Above whatever is known of this device, also where a copy of the store said it.
        let counter = last.as_ref().map_or(1, |last| last.counter.saturating_add(1));
        // What this device wrote under before: by its last receipt, and by its logs, which come back after a restore.
        let before = last.iter().flat_map(|last| last.closes.iter().copied().chain([last.incarnation]));
        let written = view.heads.values().filter(|head| head.name.device == self.me).map(|head| head.name.incarnation);
        let mut closes: Vec<Incarnation> = before.chain(written).filter(|other| *other != incarnation).collect();
        closes.sort_unstable();
        closes.dedup();
        closes.truncate(limits::INCARNATIONS_MAX);
        let version = RECEIPT_VERSION;
        let device = self.me;
        Ok(Some(Receipt { version, space, device, incarnation, counter, closes, vector, heads, parked, parked_count }))
    }

    async fn own_receipt(&self, space: SpaceId) -> Result<Option<Receipt>, Error> {
        let receipts = self.device.replica().receipts(space).await?;
        Ok(receipts.iter().filter_map(|signed| signed.parse().ok()).find(|receipt| receipt.device == self.me))
    }

    /// Entries that are kept and not shown: at most as many as a receipt names, and how many there are.
    async fn parked_entries(&self, space: SpaceId) -> Result<(Vec<(LogId, u64)>, u64), Error> {
        let (mut ids, mut count, mut after) = (Vec::new(), 0, 0);
        loop {
            let stretch = self.device.open_entries(space, after).await?;
            for item in &stretch.entries {
                if matches!(item.state, EntryState::ParkedForGood(_) | EntryState::ParkedUntil(_)) {
                    count += 1;
                    if ids.len() < limits::RECEIPT_IDS_MAX {
                        ids.push((item.log, item.entry.header().seq));
                    }
                }
            }
            let Some(next) = stretch.next else { return Ok((ids, count)) };
            after = next;
        }
    }
}
