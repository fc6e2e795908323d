//! Handing what is carried for others to a relay that may take it (PROTOCOL section 3, carried).

use std::collections::BTreeMap;
use std::fs::File;

use alliance_crypto::BundleKey;
use alliance_store::device::{DeviceOp, Pending};
use alliance_wire::bundle::Carry;
use alliance_wire::bundle_file::{Head, ParcelId, RecordKind, Scanned, SealedPage};
use alliance_wire::frame::RunPayload;
use alliance_wire::{DeviceKey, Frame, limits};

use super::area::Lying;
use super::io;
use super::source::Source;
use super::taking::PARCELS_MAX;
use crate::courier::ToHand;
use crate::error::Error;
use crate::inner::Inner;

/// Which pending rows say how far a carried bundle was handed to a relay: id is file and relay, value the number of records.
const HANDED: u8 = 10;
/// All of it was.
const DONE: u64 = u64::MAX;

/// Runs on their way to a relay.
#[derive(Default)]
struct Runs {
    carries: Vec<Carry>,
    bytes: usize,
}

impl Runs {
    /// Puts a run behind the last one where it goes on with it; `false` if there is no room for it.
    fn push(&mut self, carry: Carry, room: usize) -> bool {
        let bytes: usize = carry.entries.iter().map(|entry| weight(&entry.payload)).sum();
        if let Some(last) = self.carries.last_mut() {
            let goes_on = last.space == carry.space
                && last.name == carry.name
                && last.first + last.entries.len() as u64 == carry.first;
            let fits = last.entries.len() + carry.entries.len() <= limits::CARRY_ENTRIES_MAX
                && self.bytes + bytes <= limits::CARRY_BYTES_MAX;
            if goes_on && fits {
                last.entries.extend(carry.entries);
                self.bytes += bytes;
                return true;
            }
        }
        if self.carries.len() >= room {
            return false;
        }
        self.bytes = bytes;
        self.carries.push(carry);
        true
    }
}

fn weight(payload: &RunPayload) -> usize {
    256 + if let RunPayload::Here(bytes) = payload { bytes.len() } else { 0 }
}

impl Inner {
    /// What of the bundles that are carried is for a relay and was not handed to it yet: so many runs at most.
    pub(crate) async fn bundles_to_hand(&self, relay: DeviceKey, mut room: usize) -> Result<Vec<ToHand>, Error> {
        let mut frames: Vec<ToHand> = Vec::new();
        let files = self.all_carried().await?;
        let rows = self.device.pending(HANDED).await?;
        let stale = rows.iter().filter(|row| !files.iter().any(|file| row.id.starts_with(file.id.as_bytes())));
        let drops = stale.map(|row| DeviceOp::DropPending { kind: HANDED, id: row.id.clone() }).collect::<Vec<_>>();
        if !drops.is_empty() {
            self.device.apply(drops).await?;
        }
        for file in files {
            let id = [file.id.as_bytes(), relay.as_bytes()].concat();
            let known = rows.iter().find(|row| row.id == id);
            let from =
                known.and_then(|row| Some(u64::from_be_bytes(row.value.as_slice().try_into().ok()?))).unwrap_or(0);
            if from == DONE || room == 0 {
                continue;
            }
            let (carries, upto) = self.runs_for(relay, &file, from, room).await?;
            room -= carries.len();
            let row = DeviceOp::PutPending(Pending { kind: HANDED, id, value: upto.to_be_bytes().to_vec() });
            let mut these: Vec<ToHand> = carries.into_iter().map(|carry| (Frame::Carry(carry), None)).collect();
            match these.last_mut() {
                Some((_, done)) => *done = Some(row),
                // Nothing in it is for this relay: it is not read again.
                None => self.device.apply(vec![row]).await?,
            }
            frames.append(&mut these);
        }
        Ok(frames)
    }

    /// The runs of a file for a relay behind so many records, and behind how many these end.
    async fn runs_for(
        &self,
        relay: DeviceKey,
        file: &Lying,
        from: u64,
        room: usize,
    ) -> Result<(Vec<Carry>, u64), Error> {
        let path = file.path.clone();
        let opened = self.around.blocking(move || File::open(path).map_err(|error| io(&error))).await?;
        let mut source = Source::new(opened);
        let mut keys: BTreeMap<ParcelId, Option<BundleKey>> = BTreeMap::new();
        let (mut runs, mut at) = (Runs::default(), 0);
        while let Some(found) = source.next(&self.around).await? {
            let Scanned::Record(kind, body) = found else { continue };
            at += 1;
            match RecordKind::from_number(kind) {
                Some(RecordKind::Head) => {
                    if let Ok(Some(head)) = Head::decode(&body)
                        && keys.len() < PARCELS_MAX
                    {
                        let key = || BundleKey::open_for_relay(&head, relay);
                        keys.entry(head.parcel).or_insert_with(key);
                    }
                }
                Some(RecordKind::Page) if at > from => {
                    let Ok(page) = SealedPage::decode(&body) else { continue };
                    let Some(Some(key)) = keys.get(&page.parcel) else { continue };
                    let Ok((_, _, frames)) = key.open_page(&page) else { continue };
                    for frame in frames {
                        if let Frame::Carry(carry) = frame
                            && !runs.push(carry, room)
                        {
                            // This page goes once more: what arrives twice is known.
                            return Ok((runs.carries, at - 1));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok((runs.carries, DONE))
    }
}
