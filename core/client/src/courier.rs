//! What a locked profile left to be sent, and carrying what others left (PROTOCOL section 3, carried).
//!
//! When a profile is closed, what nobody acknowledged yet of its own entries lies beside its encrypted store, in parcels
//! for the replicas that may have it. Whichever profile of the device meets one of these next hands it over. Its owner's
//! store knows nothing of that, and loses nothing by it: there the entries are unsent until somebody acknowledges them.

use std::sync::Arc;

use alliance_crypto::{open_parcel, seal_parcel};
use alliance_store::device::{DeviceOp, Pending};
use alliance_store::profiles::{ProfileId, Profiles};
use alliance_store::{Replica as _, StoreError};
use alliance_sync::{Batch, Incoming, Outgoing, Part, Since, judge_carried, to_be_carried};
use alliance_wire::bundle::{BUNDLE_VERSION, Bundle, Carry, Contents, Parcel};
use alliance_wire::hash::content_hash;
use alliance_wire::{DeviceKey, Frame, LogName, SpaceId, limits};

use crate::error::{Code, Error};
use crate::inner::Inner;

/// Which pending rows say that a bundle was handed to a peer: id is profile and peer, value the bundle's hash.
const HANDED: u8 = 8;
/// Bytes of a log that are read at a time.
const PAGE_BYTES: usize = 256 * 1024;
/// Runs in a bundle, and runs that a peer is handed in one go: fewer than a relay takes at once. What is beyond waits for
/// its owner, or for the next bundle.
pub(crate) const RUNS_MAX: usize = 40;

/// What a bundle has still room for.
struct Room {
    bytes: usize,
    runs: usize,
}

/// A frame to be handed over, and the row that says so once the last of its bundle is.
pub(crate) type ToHand = (Frame, Option<DeviceOp>);

impl Inner {
    /// Leaves what is unsent beside the store, if this is one of several profiles of a device. Best effort: what is not
    /// left goes when its owner is back.
    pub(crate) async fn leave_outbox(&self) {
        let Some((profiles, id)) = Profiles::of_store(&self.folder) else { return };
        let left = async {
            let bundle = self.outbox().await?;
            let put = move || {
                let bytes = bundle.map(|bundle| bundle.encode());
                let put = profiles.put_outbox(&id, bytes.as_deref());
                put.map_err(|error| Error::new(Code::StoreIo).with("why", error))
            };
            self.around.blocking(put).await
        };
        if let Err(error) = left.await {
            tracing::warn!(%error, "what is unsent was not left to be carried");
        }
    }

    /// Everything of this device's own that no peer has acknowledged; nothing if there is nothing.
    async fn outbox(&self) -> Result<Option<Bundle>, Error> {
        let salt = self.derive16("bundle", &[])?;
        let mut parcels = Vec::new();
        let mut room = Room { bytes: limits::BUNDLE_BYTES_MAX / 2, runs: RUNS_MAX };
        for local in self.device.local_spaces().await? {
            if parcels.len() < limits::BUNDLE_PARCELS_MAX
                && let Some(parcel) = self.parcel(local.space, &salt, &mut room).await?
            {
                parcels.push(parcel);
            }
        }
        Ok((!parcels.is_empty()).then_some(Bundle { version: BUNDLE_VERSION, salt, parcels }))
    }

    async fn parcel(&self, space: SpaceId, salt: &[u8; 16], room: &mut Room) -> Result<Option<Parcel>, Error> {
        let Some(membership) = self.spaces.membership(space).await? else { return Ok(None) };
        let state = membership.state();
        if !state.is_active(self.me) {
            // What is out hands over itself: nobody takes it from other hands.
            return Ok(None);
        }
        let relays: Vec<DeviceKey> = state.relays.iter().map(|pin| pin.relay).collect();
        let mut readers: Vec<DeviceKey> = state.devices().filter(|device| *device != self.me).collect();
        let found = self.device.whereabouts(space, self.me, relays.clone(), readers.clone()).await?;
        readers.extend(relays);
        readers.truncate(limits::PARCEL_SLOTS_MAX);
        if readers.is_empty() || room.runs == 0 {
            return Ok(None);
        }
        let mut carries = to_be_carried(space, self.own_entries(space, found.acked, room).await?);
        carries.truncate(room.runs);
        room.runs -= carries.len();
        if carries.is_empty() {
            return Ok(None);
        }
        let contents = Contents { carries }.encode();
        Ok(Some(seal_parcel(salt, &readers, &contents, self.around.bytes()?)))
    }

    /// Own entries behind an arrival number, in order of arrival, as far as there is room.
    async fn own_entries(
        &self,
        space: SpaceId,
        mut after: u64,
        room: &mut Room,
    ) -> Result<Vec<(Arc<LogName>, alliance_wire::Entry)>, Error> {
        let mut entries = Vec::new();
        loop {
            let since = Since { space, after, part: Part::Everything, bytes: PAGE_BYTES };
            let page = self.device.replica().since(since).await?;
            for item in page.items {
                let Outgoing::Entry(name, entry) = item else { continue };
                if name.device != self.me {
                    continue;
                }
                let bytes = entry.payload.as_ref().map_or(0, Vec::len) + 256;
                let Some(left) = room.bytes.checked_sub(bytes) else { return Ok(entries) };
                room.bytes = left;
                entries.push((name, entry));
            }
            if !page.more || page.upto <= after {
                return Ok(entries);
            }
            after = page.upto;
        }
    }

    /// What other profiles of this device left for a peer, and was not handed to it yet.
    pub(crate) async fn to_hand(&self, peer: DeviceKey) -> Result<Vec<ToHand>, Error> {
        let Some((profiles, own)) = Profiles::of_store(&self.folder) else { return Ok(Vec::new()) };
        let handed = self.device.pending(HANDED).await?;
        let boxes = self.around.blocking(move || Ok(profiles.outboxes(&own)?)).await?;
        let mut frames: Vec<ToHand> = Vec::new();
        for (id, bytes) in boxes {
            let row = handed_row(&id, peer, &bytes);
            if handed.iter().any(|known| known.id == row.id && known.value == row.value) {
                continue;
            }
            // What holds nothing for this peer is looked at again at the next meeting: that costs little.
            let mut carries: Vec<ToHand> =
                carries_for(peer, &bytes).into_iter().map(|carry| (Frame::Carry(carry), None)).collect();
            if frames.len() + carries.len() <= RUNS_MAX
                && let Some((_, done)) = carries.last_mut()
            {
                *done = Some(DeviceOp::PutPending(row));
                frames.append(&mut carries);
            }
        }
        Ok(frames)
    }

    /// Takes entries that a peer carried for somebody else; what was new is in the log then. Answers whether any was. A
    /// disk without room takes nothing and ends no conversation: their author brings them once more.
    pub(crate) async fn take_carried(&self, carry: Carry) -> Result<bool, Error> {
        let space = carry.space;
        let Some(view) = self.spaces.view(space).await? else { return Ok(false) };
        let items: Vec<Incoming> = match judge_carried(&view, carry, self.rules) {
            Ok(entries) => entries.into_iter().map(Incoming::Entry).collect(),
            Err(reason) => {
                tracing::debug!(space = %space.short(), code = reason.code(), "carried entries were not taken");
                return Ok(false);
            }
        };
        if items.is_empty() {
            return Ok(false);
        }
        match self.spaces.persist(Batch { items, ..Batch::default() }).await {
            Ok(_) => Ok(true),
            Err(StoreError::LowStorage | StoreError::ReadOnly) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// What of a bundle is for a peer. A damaged one, or one of a newer version, holds nothing.
fn carries_for(peer: DeviceKey, bundle: &[u8]) -> Vec<Carry> {
    let Ok(bundle) = Bundle::decode(bundle) else { return Vec::new() };
    let opened = bundle.parcels.iter().filter_map(|parcel| open_parcel(&bundle.salt, peer, parcel));
    opened
        .filter_map(|contents| Contents::decode(&contents).ok())
        .flat_map(|contents| contents.carries)
        .take(RUNS_MAX)
        .collect()
}

fn handed_row(id: &ProfileId, peer: DeviceKey, bundle: &[u8]) -> Pending {
    let id = [id.as_str().as_bytes(), peer.as_bytes()].concat();
    Pending { kind: HANDED, id, value: content_hash(bundle)[..16].to_vec() }
}
