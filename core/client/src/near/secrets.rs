//! By what this device can be known on a network (PROTOCOL section 3, LAN).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use alliance_crypto::{Age, Discovery, DiscoverySecret, EpochKey, Membership};
use alliance_store::Replica as _;
use alliance_wire::{DeviceKey, EpochId, Receipt, SpaceId};
use tokio::time::Instant;

use crate::error::Error;
use crate::inner::{Inner, lock};

/// Older epochs of one space by which this device may be known, the newest of them. A device that has missed more
/// meets a relay, or is dialled by its key.
const OLDER_MAX: usize = 8;
/// For so long the tags' secrets are not asked of the store again: a flood of diallers must not keep it busy.
const FRESH: Duration = Duration::from_secs(1);

/// The secrets as they were a moment ago.
pub(crate) type Kept = Option<(Instant, Arc<Discovery>)>;

impl Inner {
    /// The newest epoch of each space that this device has, and older ones that some other active device may still have
    /// as its newest: those that its receipt does not show as passed.
    pub(crate) async fn discovery(&self) -> Result<Arc<Discovery>, Error> {
        if let Some((at, kept)) = &*lock(&self.known_by)
            && at.elapsed() < FRESH
        {
            return Ok(Arc::clone(kept));
        }
        let (mut newest, mut older) = (Vec::new(), Vec::new());
        for space in self.device.replica().spaces().await? {
            let Some(membership) = self.spaces.membership(space).await? else { continue };
            let rows = self.device.epoch_keys(space).await?;
            let key_of = |epoch: EpochId| {
                let row = rows.iter().find(|row| row.epoch == epoch)?;
                Some(DiscoverySecret::of(&EpochKey::from(row.key.clone()), space, epoch))
            };
            let receipts = self.device.replica().receipts(space).await?;
            let receipts: Vec<Receipt> = receipts.iter().filter_map(|it| it.parse().ok()).collect();
            let mut held = epochs_in_use(&membership, self.me, &receipts).into_iter();
            let mut held = held.by_ref().filter_map(|(epoch, passed)| Some((key_of(epoch)?, passed)));
            newest.extend(held.next().map(|(secret, _)| (space, secret)));
            let behind = held.filter(|(_, passed)| !passed).take(OLDER_MAX);
            older.extend(behind.map(|(secret, _)| (space, secret)));
        }
        let mut discovery = Discovery::new();
        let all = [(newest, Age::Newest), (older, Age::Older)];
        for (secrets, age) in all {
            for (space, secret) in secrets {
                discovery.add(space, secret, age);
            }
        }
        let discovery = Arc::new(discovery);
        *lock(&self.known_by) = Some((Instant::now(), Arc::clone(&discovery)));
        Ok(discovery)
    }

    /// Whether a device that has proved its key has something to talk about with this one: a space that it may read, or
    /// one that it was put out of and may not have heard.
    pub(crate) async fn knows(&self, device: DeviceKey) -> Result<bool, Error> {
        let replica = self.device.replica();
        Ok(!replica.member_spaces(device).await?.is_empty() || !replica.former_spaces(device).await?.is_empty())
    }

    /// What people call the person of a device, as the first of these spaces that has it says.
    pub(crate) async fn person_near(&self, device: DeviceKey, spaces: &[SpaceId]) -> Result<String, Error> {
        for space in spaces {
            if let Ok(directory) = self.directory(*space).await
                && directory.tag(device).is_some()
            {
                return Ok(directory.device(device));
            }
        }
        Ok(format!("device {}", device.short()))
    }
}

/// The epochs of a space, the best first, each with whether every other active device has passed it: its receipt shows
/// that it has the entry of a better one.
fn epochs_in_use(membership: &Membership, me: DeviceKey, receipts: &[Receipt]) -> Vec<(EpochId, bool)> {
    let epochs = membership.epochs();
    let best = membership.best_epoch().map(|choice| choice.id);
    let others: BTreeSet<DeviceKey> = membership.state().devices().filter(|device| *device != me).collect();
    // How far down the list each device may still be; nothing is known of one without a receipt.
    let shows = |receipt: &Receipt, at: usize| {
        let Some((entry, _)) = membership.get(epochs[at].entry) else { return false };
        let log = entry.name().id(membership.space());
        receipt.vector.iter().any(|row| row.has(log, entry.seq()))
    };
    let reached = |device: &DeviceKey| {
        let receipt = receipts.iter().find(|receipt| receipt.device == *device)?;
        (0..epochs.len()).find(|at| shows(receipt, *at))
    };
    let furthest = others.iter().map(|device| reached(device).unwrap_or(usize::MAX)).max().unwrap_or(0);
    let mut all: Vec<_> = epochs.iter().enumerate().map(|(at, choice)| (choice.id, at > furthest)).collect();
    // What is written under is the newest, whatever its generation.
    all.sort_by_key(|(epoch, _)| Some(*epoch) != best);
    all
}
