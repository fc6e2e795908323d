//! What is where: honest states, by acknowledgements and signed receipts.

use std::collections::BTreeMap;

use alliance_store::Replica as _;
use alliance_store::device::{EntryState, SpaceState};
use alliance_wire::{DeviceKey, DocumentId, Receipt, SpaceId};

use crate::error::Error;
use crate::held;
use crate::home::HOME;
use crate::inner::{Client, Inner, lock};
use crate::views::{Delivery, InviteState, JoinState, ParkedView, SpaceStatus, Status};

impl Client {
    /// Who this is, and where everything is.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn status(&self) -> Result<Status, Error> {
        let inner = &self.inner;
        let mut spaces = Vec::new();
        for local in inner.device.local_spaces().await? {
            // The home says nothing of its own, until something is prepared there.
            let quiet = local.role == HOME && !inner.holds_documents(local.space).await?;
            if local.state != SpaceState::Joined || quiet {
                continue;
            }
            let [good, until, _, quarantined] = inner.device.count_open(local.space).await?;
            let view = inner.spaces.view(local.space).await?;
            spaces.push(SpaceStatus {
                space: local.space,
                title: local.title,
                delivery: inner.delivery(local.space).await?,
                parked: good + until + quarantined,
                forks: view.map_or(0, |view| view.forks.len() as u64),
                waiting_for_keys: !inner.can_seal(local.space).await?,
            });
        }
        let mut invites = self.invites().await?;
        invites.retain(|invite| matches!(invite.state, InviteState::Open | InviteState::Answered { .. }));
        let mut joins = self.joins().await?;
        joins.retain(|join| matches!(join.state, JoinState::Asked | JoinState::Words { .. }));
        let damaged = inner.device.replica().damaged().len() as u64;
        Ok(Status { whoami: self.whoami(), spaces, relays: self.relays().await?, invites, joins, damaged })
    }
}

impl Inner {
    /// Where this device's own entries of a space have arrived.
    pub(crate) async fn delivery(&self, space: SpaceId) -> Result<Delivery, Error> {
        Ok(self.delivery_and_open(space).await?.0)
    }

    /// The same, and whether entries of the space are kept and not shown: one reading of the store.
    pub(crate) async fn delivery_and_open(&self, space: SpaceId) -> Result<(Delivery, bool), Error> {
        let view = self.spaces.view(space).await?;
        let state = view.as_ref().map(|view| view.membership.state());
        let relays: Vec<DeviceKey> =
            state.map(|state| state.relays.iter().map(|pin| pin.relay).collect()).unwrap_or_default();
        let others: Vec<DeviceKey> =
            state.map(|state| state.devices().filter(|key| *key != self.me).collect()).unwrap_or_default();
        let has_relays = !relays.is_empty();
        let found = self.device.whereabouts(space, self.me, relays, others.clone()).await?;
        let mut delivery = Delivery { drafts: found.drafts, ..Delivery::default() };
        let Some(view) = view else { return Ok((delivery, found.open)) };
        let own: Vec<_> = view.heads.iter().filter(|(_, head)| head.name.device == self.me).collect();
        let has_all =
            |receipt: &Receipt| own.iter().all(|(log, head)| receipt.vector.iter().any(|row| row.has(**log, head.seq)));
        let receipts = found.receipts.iter().filter_map(|signed| signed.parse().ok());
        delivery.of_devices = others.len() as u64;
        delivery.on_devices =
            receipts.filter(|receipt: &Receipt| others.contains(&receipt.device) && has_all(receipt)).count() as u64;
        delivery.unsent = if delivery.on_devices > 0 { 0 } else { found.unsent };
        delivery.on_relay = has_relays && found.relay_acked > 0 && found.newest <= found.relay_acked;
        Ok((delivery, found.open))
    }

    /// A peer acknowledged a space up to this arrival number.
    pub(crate) fn live_acked(&self, space: SpaceId, arrival: u64) {
        let mut acked = lock(&self.live_acked);
        let known = acked.entry(space).or_default();
        *known = arrival.max(*known);
    }

    /// Whether an entry of this device's is on its way: written, and not acknowledged by anybody.
    pub(crate) async fn is_on_its_way(&self, space: SpaceId) -> Result<bool, Error> {
        let acked = lock(&self.live_acked).get(&space).copied();
        match acked {
            Some(acked) => Ok(!self.device.arrivals_of(space, self.me, acked).await?.is_empty()),
            None => Ok(self.delivery(space).await?.unsent > 0),
        }
    }

    /// What is kept and not shown, by code and author.
    pub(crate) async fn parked(&self, space: SpaceId, document: Option<DocumentId>) -> Result<Vec<ParkedView>, Error> {
        let mut counts: BTreeMap<(&'static str, DeviceKey), u64> = BTreeMap::new();
        let mut after = 0;
        loop {
            let stretch = self.device.open_entries(space, after).await?;
            for item in stretch.entries {
                let here = document.is_none() || item.document == document;
                if let Some(code) = held::code_of(item.state).filter(|_| here && item.state != EntryState::Applied) {
                    *counts.entry((code, item.name.device)).or_default() += 1;
                }
            }
            let Some(next) = stretch.next else { break };
            after = next;
        }
        if counts.is_empty() {
            return Ok(Vec::new());
        }
        let directory = self.directory(space).await?;
        let mut named: BTreeMap<(&'static str, String), u64> = BTreeMap::new();
        for ((code, device), entries) in counts {
            *named.entry((code, directory.device(device))).or_default() += entries;
        }
        let views = named.into_iter().map(|((code, by), entries)| ParkedView { code: code.to_owned(), by, entries });
        Ok(views.collect())
    }
}
