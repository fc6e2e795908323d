//! Who a bundle is for, what goes into it, and from where on.

use std::collections::{BTreeMap, BTreeSet};

use alliance_crypto::State;
use alliance_store::Replica as _;
use alliance_store::device::{DeviceOp, Pending, SpaceState};
use alliance_sync::Head;
use alliance_wire::bundle_file::BundleId;
use alliance_wire::receipt::ReceiptRow;
use alliance_wire::{BoxKey, DeviceKey, LogId, Receipt, Row, SpaceId, codec, limits};

use super::id_text;
use crate::error::{Code, Error};
use crate::inner::{Client, Inner};
use crate::reference::{ID_DIGITS_MIN, begins, only};
use crate::views::BundleReader;

/// Which pending rows say how far a bundle went.
const WRITTEN: u8 = 9;
/// How many of them are kept.
const WRITTEN_MAX: usize = 64;

/// Whom a bundle is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BundleFor {
    /// One person, by name or by the first digits of a device's key: every space that is shared with it.
    Person(String),
    /// Everybody else in a space.
    Space(SpaceId),
    /// Everybody in every space, each what it may read.
    Everybody,
}

/// From where on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BundleFrom {
    /// What the receivers' newest receipts do not show that they have.
    Receipts,
    /// What came here since this bundle was written, by the first digits of its id. If that one does not arrive, this one
    /// waits for it.
    Since(String),
    /// Everything.
    Beginning,
    /// Nothing: whoever takes it learns what this device has, and can write what is missing here and no more.
    Question,
}

/// A bundle that can be written: who will be able to read it is known before anything is.
#[derive(Debug)]
pub struct BundlePlan {
    /// Who will be able to read it.
    pub readers: Vec<BundleReader>,
    /// A relay of the spaces may be given it.
    pub for_relays: bool,
    pub(super) parcels: Vec<PlannedParcel>,
    pub(super) since: Option<BundleId>,
}

/// What a bundle will hold of one space.
#[derive(Debug)]
pub(super) struct PlannedParcel {
    pub(super) space: SpaceId,
    /// Sealed to these, this device among them.
    pub(super) devices: Vec<(DeviceKey, BoxKey)>,
    pub(super) relays: Vec<DeviceKey>,
    /// What all receivers have, by their receipts.
    pub(super) floor: BTreeMap<LogId, u64>,
    /// Arrival number behind which to begin.
    pub(super) after: u64,
    /// Up to which arrival number every relay has everything, where one may be given the bundle: what is behind it goes
    /// whatever the receivers have, or a relay would find a gap.
    pub(super) on_relays: u64,
    /// It holds this device's receipt alone.
    pub(super) asks: bool,
}

/// How far a bundle went, as it is kept.
#[derive(minicbor::Encode, minicbor::Decode)]
struct Written {
    /// Milliseconds since 1970.
    #[n(0)]
    at: u64,
    #[n(1)]
    spaces: Vec<(SpaceId, u64)>,
}

impl Client {
    /// Says who will be able to read a bundle, before it is written. With `relays`, whoever carries it may give it to the
    /// relays of the spaces; the file then hides less (docs/THREATS.md).
    ///
    /// # Errors
    /// `UNKNOWN_MEMBER`, `AMBIGUOUS` (several people fit), `UNKNOWN_SPACE`, `UNKNOWN_BUNDLE`, `NOBODY_TO_READ` (nobody else
    /// has a device in the space), `DEVICE_SUSPENDED`, `DEVICE_PUT_OUT`, and those of the store.
    pub async fn plan_bundle(&self, to: BundleFor, from: BundleFrom, relays: bool) -> Result<BundlePlan, Error> {
        let inner = &self.inner;
        let behind = match &from {
            BundleFrom::Since(id) => Some(inner.written_bundle(id).await?),
            BundleFrom::Receipts | BundleFrom::Beginning | BundleFrom::Question => None,
        };
        let person = match &to {
            BundleFor::Person(name) => Some(inner.keys_of(name).await?),
            BundleFor::Space(space) => {
                inner.local_space(*space).await?;
                inner.unlocked(*space)?;
                None
            }
            BundleFor::Everybody => None,
        };
        let (mut parcels, mut readers) = (Vec::new(), BTreeMap::new());
        for local in inner.device.local_spaces().await? {
            let space = local.space;
            let other = matches!(&to, BundleFor::Space(wanted) if *wanted != space);
            if other || local.state != SpaceState::Joined || inner.unlocked(space).is_err() {
                continue;
            }
            let Some(membership) = inner.spaces.membership(space).await? else { continue };
            let state = membership.state();
            if !state.is_active(inner.me) {
                continue;
            }
            let devices = receivers(state, inner.me, person.as_ref());
            if !devices.iter().any(|(device, _)| *device != inner.me) {
                continue;
            }
            let directory = inner.directory_of(&local).await?;
            for (device, _) in devices.iter().filter(|(device, _)| *device != inner.me) {
                let reader: &mut (BTreeSet<DeviceKey>, BTreeSet<String>) =
                    readers.entry(directory.device(*device)).or_default();
                reader.0.insert(*device);
                reader.1.insert(local.title.clone());
            }
            let after = behind.as_ref().map_or(0, |(_, spaces)| spaces.get(&space).copied().unwrap_or(0));
            let floor =
                if from == BundleFrom::Receipts { inner.floor(space, &devices).await? } else { BTreeMap::new() };
            let relays = if relays { state.relays.iter().map(|pin| pin.relay).collect() } else { Vec::new() };
            let on_relays = inner.on_relays(space, &relays).await?;
            let asks = from == BundleFrom::Question;
            parcels.push(PlannedParcel { space, devices, relays, floor, after, on_relays, asks });
        }
        if parcels.is_empty() {
            return Err(Code::NobodyToRead.into());
        }
        let readers = readers.into_iter().map(|(name, (devices, spaces))| BundleReader {
            name,
            devices: devices.into_iter().collect(),
            spaces: spaces.into_iter().collect(),
        });
        let for_relays = parcels.iter().any(|parcel| !parcel.relays.is_empty());
        let since = behind.map(|(id, _)| id);
        Ok(BundlePlan { readers: readers.collect(), for_relays, parcels, since })
    }
}

/// The devices that a parcel is sealed to, this one included: one looks into one's own file.
fn receivers(state: &State, me: DeviceKey, person: Option<&BTreeSet<DeviceKey>>) -> Vec<(DeviceKey, BoxKey)> {
    let all = state.members.values().flat_map(|member| member.devices.iter().map(|(device, boxes)| (*device, *boxes)));
    let wanted = |device: &DeviceKey| *device == me || person.is_none_or(|person| person.contains(device));
    let mut devices: BTreeMap<DeviceKey, BoxKey> = all.filter(|(device, _)| wanted(device)).collect();
    // Beyond what a head holds one's own goes first.
    if devices.len() > limits::PARCEL_SLOTS_MAX {
        devices.remove(&me);
    }
    devices.into_iter().take(limits::PARCEL_SLOTS_MAX).collect()
}

impl Inner {
    /// Every device of the one person who is called so, or has a device whose key begins so, in any space. People of one
    /// name in several spaces are one if they share a device.
    async fn keys_of(&self, name: &str) -> Result<BTreeSet<DeviceKey>, Error> {
        let mut people: Vec<BTreeSet<DeviceKey>> = Vec::new();
        for local in self.device.local_spaces().await? {
            if local.state != SpaceState::Joined {
                continue;
            }
            for member in self.members(local.space).await? {
                let named = member.name == name || member.devices.iter().any(|device| begins(device, name));
                if member.me || !named {
                    continue;
                }
                let mut devices: BTreeSet<DeviceKey> = member.devices.into_iter().collect();
                let (same, apart): (Vec<_>, Vec<_>) =
                    people.into_iter().partition(|known: &BTreeSet<_>| !known.is_disjoint(&devices));
                devices.extend(same.into_iter().flatten());
                people = apart;
                people.push(devices);
            }
        }
        only(people, Code::UnknownMember, "person", name)
    }

    /// What every receiver has of a space, by its newest receipt; nothing where one has said nothing.
    async fn floor(&self, space: SpaceId, devices: &[(DeviceKey, BoxKey)]) -> Result<BTreeMap<LogId, u64>, Error> {
        let receipts: Vec<Receipt> =
            self.device.replica().receipts(space).await?.iter().filter_map(|signed| signed.parse().ok()).collect();
        let Some(view) = self.spaces.view(space).await? else { return Ok(BTreeMap::new()) };
        // What somebody has of a log, unless it has another entry under our newest one's number: then the whole log goes,
        // so that the fork shows.
        let has = |receipt: &Receipt, log: LogId, head: &Head| {
            let ours = ReceiptRow::from(&Row { log, seq: head.seq, hash: head.hash.prefix() });
            let row = receipt.vector.iter().filter(|row| row.log == ours.log).max_by_key(|row| row.seq)?;
            (row.seq != ours.seq || row.hash == ours.hash).then_some((log, u64::from(row.seq)))
        };
        let mut floor: Option<BTreeMap<LogId, u64>> = None;
        for (device, _) in devices.iter().filter(|(device, _)| *device != self.me) {
            let Some(receipt) = receipts.iter().find(|receipt| receipt.device == *device) else {
                return Ok(BTreeMap::new());
            };
            let theirs: BTreeMap<LogId, u64> =
                view.heads.iter().filter_map(|(log, head)| has(receipt, *log, head)).collect();
            floor = Some(match floor {
                None => theirs,
                Some(so_far) => so_far
                    .into_iter()
                    .filter_map(|(log, seq)| theirs.get(&log).map(|other| (log, seq.min(*other))))
                    .collect(),
            });
        }
        Ok(floor.unwrap_or_default())
    }

    /// Up to which arrival number each of these relays has everything of a space.
    async fn on_relays(&self, space: SpaceId, relays: &[DeviceKey]) -> Result<u64, Error> {
        let mut least = u64::MAX;
        for relay in relays {
            let found = self.device.whereabouts(space, self.me, vec![*relay], Vec::new()).await?;
            least = least.min(found.relay_acked);
        }
        Ok(least)
    }

    /// Which bundle this is, and how far it went.
    async fn written_bundle(&self, id: &str) -> Result<(BundleId, BTreeMap<SpaceId, u64>), Error> {
        let rows = self.device.pending(WRITTEN).await?;
        let fits = |row: &&Pending| {
            let text = <[u8; 16]>::try_from(row.id.as_slice()).map(|id| id_text(&id));
            id.len() >= ID_DIGITS_MIN && text.is_ok_and(|text| text.starts_with(id))
        };
        let row = only(rows.iter().filter(fits), Code::UnknownBundle, "bundle", id)?;
        let written: Written = codec::decode(&row.value).map_err(|_| Error::new(Code::StoreDamaged))?;
        let id = row.id.as_slice().try_into().map_err(|_| Error::new(Code::StoreDamaged))?;
        Ok((id, written.spaces.into_iter().collect()))
    }

    /// Keeps how far a bundle went; the oldest rows go.
    pub(super) async fn keep_written(&self, bundle: BundleId, spaces: Vec<(SpaceId, u64)>) -> Result<(), Error> {
        let written = Written { at: self.around.now_millis(), spaces };
        let mut rows: Vec<(u64, Vec<u8>)> = Vec::new();
        for row in self.device.pending(WRITTEN).await? {
            let at = codec::decode::<Written>(&row.value).map_or(0, |written| written.at);
            rows.push((at, row.id));
        }
        rows.sort_unstable();
        let gone = rows.len().saturating_sub(WRITTEN_MAX - 1);
        let mut ops: Vec<DeviceOp> =
            rows.into_iter().take(gone).map(|(_, id)| DeviceOp::DropPending { kind: WRITTEN, id }).collect();
        let value = codec::encode(&written);
        ops.push(DeviceOp::PutPending(Pending { kind: WRITTEN, id: bundle.to_vec(), value }));
        Ok(self.device.apply(ops).await?)
    }
}
