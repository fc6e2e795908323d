//! Looking into a bundle without taking it.

use std::collections::BTreeMap;
use std::io::Read;

use alliance_crypto::BundleKey;
use alliance_wire::bundle_file::{
    DEVICE_SLOT_BYTES, Head, ParcelId, RELAY_SLOT_BYTES, RecordKind, Scanned, SealedPage, Start,
};

use super::source::Source;
use super::taking::{PARCELS_MAX, entries_of};
use super::{Hear, id_text};
use crate::error::{Code, Error};
use crate::inner::{Client, Inner};
use crate::views::{BundleInspection, BundleProgress, ParcelView};

/// A parcel on the way through a file.
#[derive(Default)]
struct Looked {
    key: Option<BundleKey>,
    view: ParcelView,
}

impl Client {
    /// Says what is in a file: whether it is whole, and for whom, as far as this device can tell. Nothing is taken.
    ///
    /// # Errors
    /// `BUNDLE_DAMAGED` (nothing in it can be read), `BUNDLE_NEWER`, `BUNDLE_IO`, and those of the store.
    pub async fn inspect_bundle(
        &self,
        input: impl Read + Send + 'static,
        mut progress: impl FnMut(BundleProgress) + Send,
    ) -> Result<BundleInspection, Error> {
        self.inner.look_through(Source::new(input), &mut progress).await
    }
}

impl Inner {
    async fn look_through(&self, mut source: Source, hear: Hear<'_>) -> Result<BundleInspection, Error> {
        let mut found = BundleInspection::default();
        let mut parcels: BTreeMap<ParcelId, Looked> = BTreeMap::new();
        let (mut damaged, mut newer, mut records) = (false, false, 0u64);
        while let Some(next) = source.next(&self.around).await? {
            let (kind, body) = match next {
                Scanned::Damaged(bytes) => {
                    found.damaged += u64::from(!std::mem::replace(&mut damaged, true));
                    found.damaged_bytes += bytes;
                    continue;
                }
                Scanned::Record(kind, body) => (kind, body),
            };
            damaged = false;
            records += 1;
            match RecordKind::from_number(kind) {
                Some(RecordKind::Start) => match Start::decode(&body) {
                    Ok(Some(start)) => {
                        found.bundle = Some(id_text(&start.bundle));
                        found.part = Some((start.part, start.parts));
                    }
                    other => newer |= other == Ok(None),
                },
                Some(RecordKind::Head) => match Head::decode(&body) {
                    Ok(Some(head)) if parcels.len() < PARCELS_MAX => {
                        found.bundle.get_or_insert_with(|| id_text(&head.bundle));
                        self.look_at_head(&head, parcels.entry(head.parcel).or_default());
                    }
                    other => newer |= other == Ok(None),
                },
                Some(RecordKind::Page) => {
                    if let Ok(page) = SealedPage::decode(&body)
                        && (parcels.len() < PARCELS_MAX || parcels.contains_key(&page.parcel))
                    {
                        self.look_at_page(&page, parcels.entry(page.parcel).or_default()).await?;
                    }
                }
                Some(RecordKind::Finish) => found.ended = true,
                None => {}
            }
            hear(BundleProgress { bytes: source.bytes, entries: 0 });
        }
        if records == 0 || (newer && parcels.is_empty()) {
            return Err(Error::new(if newer { Code::BundleNewer } else { Code::BundleDamaged }));
        }
        found.bytes = source.bytes;
        found.parcels = parcels.into_values().map(|looked| looked.view).collect();
        Ok(found)
    }

    fn look_at_head(&self, head: &Head, looked: &mut Looked) {
        if looked.view.slots > 0 {
            return;
        }
        looked.view.slots = (head.devices.len() / DEVICE_SLOT_BYTES) as u64;
        looked.view.relay_slots = (head.relays.len() / RELAY_SLOT_BYTES) as u64;
        looked.key = BundleKey::open(head, &self.secret);
        looked.view.for_you = looked.key.is_some();
    }

    async fn look_at_page(&self, page: &SealedPage, looked: &mut Looked) -> Result<(), Error> {
        looked.view.pages += 1;
        let Some(key) = &looked.key else { return Ok(()) };
        let Ok((writer, said, frames)) = key.open_page(page) else { return Ok(()) };
        looked.view.entries += frames.iter().map(entries_of).sum::<u64>();
        looked.view.ended |= said.end.is_some();
        if looked.view.space.is_none() {
            looked.view.space = Some(said.space.to_string());
            looked.view.title = self.device.local_space(said.space).await?.map(|local| local.title);
            looked.view.from = self.names_of(&[writer].into()).await?.pop();
        }
        Ok(())
    }
}
