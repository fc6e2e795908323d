//! Bundles for others: taken along, listed, handed on. Whoever carries one cannot read it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;

use alliance_wire::bundle_file::{Head, RecordKind, Scanned, Start, record};

use super::area::{Area, Kept, Lying};
use super::source::Source;
use super::writing::BundleOut;
use super::{id_text, io};
use crate::error::{Code, Error};
use crate::inner::{Client, Inner};
use crate::views::CarriedBundle;

/// Bytes at the beginning of a file that say what it is.
const LOOK_BYTES: u64 = 256 * 1024;
/// Bytes that are copied at a time.
const COPY_BYTES: usize = 128 * 1024;
/// Bundles that are carried at most.
const CARRIED_MAX: usize = 64;
/// One of them at most, in bytes: half of what the folder holds, so that one file does not fill it.
const CARRIED_BYTES_MAX: u64 = super::area::BYTES_MAX / 2;

impl Client {
    /// Takes a bundle along for others. It is kept as it is, in the store's folder.
    ///
    /// # Errors
    /// `BUNDLE_DAMAGED` (not a bundle), `BUNDLE_QUOTA` (no room for more), `BUNDLE_IO`, `LOW_STORAGE`, and those of the
    /// store.
    pub async fn carry_bundle(&self, input: impl Read + Send + 'static) -> Result<CarriedBundle, Error> {
        let inner = &self.inner;
        let area = Area::of(&inner.folder);
        let mut source = Source::new(input);
        let listing = area.clone();
        let lying = inner.around.blocking(move || listing.list().map_err(|error| io(&error))).await?;
        if lying.iter().filter(|file| file.kind == Kept::Carried).count() >= CARRIED_MAX {
            return Err(Error::new(Code::BundleQuota).with("bundles", CARRIED_MAX));
        }
        // Whole records only: what is damaged helps nobody.
        let (mut keeping, mut records, mut is_bundle) = (None, Vec::new(), false);
        loop {
            let found = source.next(&inner.around).await?;
            let ended = found.is_none();
            if let Some(Scanned::Record(kind, body)) = found
                && let Some(kind) = RecordKind::from_number(kind)
            {
                is_bundle |= kind == RecordKind::Head;
                records.extend(record(kind, &body));
            }
            if source.bytes > CARRIED_BYTES_MAX {
                return Err(Error::new(Code::BundleQuota).with("bytes", CARRIED_BYTES_MAX));
            }
            if records.len() >= COPY_BYTES || ended {
                let (area, bytes) = (area.clone(), std::mem::take(&mut records));
                let work = move || {
                    let mut file = match keeping {
                        Some(file) => file,
                        None => area.begin(Kept::Carried).map_err(|error| io(&error))?,
                    };
                    file.write(&bytes).map_err(|error| io(&error))?;
                    Ok(file)
                };
                keeping = Some(inner.around.blocking(work).await?);
            }
            if ended {
                break;
            }
        }
        let keeping = keeping.filter(|_| is_bundle).ok_or(Code::BundleDamaged)?;
        let work = move || {
            if !area.make_room(keeping.bytes).map_err(|error| io(&error))? {
                return Err(Code::BundleQuota.into());
            }
            keeping.keep().map_err(|error| io(&error))
        };
        let id = inner.around.blocking(work).await?;
        let file = inner.lying(&id).await?;
        inner.carried(file).await
    }

    /// What is carried for others, oldest first.
    ///
    /// # Errors
    /// `BUNDLE_IO`.
    pub async fn carried_bundles(&self) -> Result<Vec<CarriedBundle>, Error> {
        let mut views = Vec::new();
        for file in self.inner.all_carried().await? {
            views.push(self.inner.carried(file).await?);
        }
        Ok(views)
    }

    /// Writes a bundle that is carried, by the first digits of its id here, as it is. Its length in bytes.
    ///
    /// # Errors
    /// `UNKNOWN_BUNDLE`, `AMBIGUOUS`, `BUNDLE_EXISTS`, `BUNDLE_IO`, `LOW_STORAGE`.
    pub async fn hand_on_bundle(&self, id: &str, mut out: impl BundleOut) -> Result<u64, Error> {
        let file = self.inner.lying(id).await?;
        let work = move || {
            let mut copy = || {
                let mut from = File::open(&file.path)?;
                out.begin(1)?;
                let (mut piece, mut bytes) = (vec![0; COPY_BYTES], 0);
                loop {
                    let read = from.read(&mut piece)?;
                    if read == 0 {
                        break;
                    }
                    out.write(&piece[..read])?;
                    bytes += read as u64;
                }
                out.finish_copy()?;
                Ok(bytes)
            };
            let copied: std::io::Result<u64> = (copy)();
            copied.map_err(|error| io(&error))
        };
        self.inner.around.blocking(work).await
    }

    /// Lets go of a bundle that is carried.
    ///
    /// # Errors
    /// `UNKNOWN_BUNDLE`, `AMBIGUOUS`, `BUNDLE_IO`.
    pub async fn drop_carried_bundle(&self, id: &str) -> Result<(), Error> {
        let file = self.inner.lying(id).await?;
        self.inner.around.blocking(move || std::fs::remove_file(file.path).map_err(|error| io(&error))).await
    }
}

impl Inner {
    pub(super) async fn all_carried(&self) -> Result<Vec<Lying>, Error> {
        let area = Area::of(&self.folder);
        let lying = self.around.blocking(move || area.list().map_err(|error| io(&error))).await?;
        Ok(lying.into_iter().filter(|file| file.kind == Kept::Carried).collect())
    }

    /// What can be said of a file without a key.
    async fn carried(&self, file: Lying) -> Result<CarriedBundle, Error> {
        let path = file.path.clone();
        let opened = self.around.blocking(move || File::open(path).map_err(|error| io(&error))).await?;
        let mut source = Source::new(opened.take(LOOK_BYTES));
        let taken = file.taken_millis();
        let mut view =
            CarriedBundle { id: file.id, bundle: None, part: None, bytes: file.bytes, taken, for_relays: false };
        let mut seen = BTreeSet::new();
        while let Some(found) = source.next(&self.around).await? {
            let Scanned::Record(kind, body) = found else { continue };
            match RecordKind::from_number(kind) {
                Some(RecordKind::Start) => {
                    if let Ok(Some(start)) = Start::decode(&body) {
                        view.bundle = Some(id_text(&start.bundle));
                        view.part = Some((start.part, start.parts));
                    }
                }
                Some(RecordKind::Head) => {
                    if let Ok(Some(head)) = Head::decode(&body)
                        && seen.insert(head.parcel)
                    {
                        view.bundle.get_or_insert_with(|| id_text(&head.bundle));
                        view.for_relays |= !head.relays.is_empty();
                    }
                }
                Some(RecordKind::Page | RecordKind::Finish) | None => {}
            }
        }
        Ok(view)
    }
}
