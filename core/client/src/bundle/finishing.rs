//! What follows when a bundle was read: documents, what waited for it, and what this device has now.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;

use alliance_sync::Incoming;
use alliance_wire::{DeviceKey, SpaceId};

use super::area::{Area, Kept, Lying};
use super::keeping::Waiting;
use super::source::Source;
use super::taking::{Taken, Taking};
use super::{Hear, io};
use crate::error::{Code, Error};
use crate::inner::{Client, Inner, lock};
use crate::views::{BundleProgress, BundleReport};

impl Client {
    /// Takes a bundle, or a part of one, from a stream. The same again does nothing; what was taken before an end that
    /// came too soon stays. What is damaged is passed over, told in the report, and no failure where something was taken.
    ///
    /// # Errors
    /// `BUNDLE_NOT_FOR_YOU` (it can be carried: [`Client::carry_bundle`]), `BUNDLE_DAMAGED` (nothing in it can be read),
    /// `BUNDLE_NEWER`, `BUNDLE_IO`, `LOW_STORAGE`, and those of the store.
    pub async fn import_bundle(
        &self,
        input: impl Read + Send + 'static,
        mut progress: impl FnMut(BundleProgress) + Send,
    ) -> Result<BundleReport, Error> {
        self.inner.import(Source::new(input), &mut progress).await
    }
}

impl Inner {
    /// Whether an item is an entry of this device's under its present incarnation: one that is new here was written by a
    /// copy.
    pub(crate) fn is_own_writing(&self, item: &Incoming) -> bool {
        matches!(item, Incoming::Entry(entry)
            if entry.author() == self.me && entry.name().incarnation == self.incarnation())
    }

    /// A file that nothing could be made of.
    fn complaint(taken: &Taken) -> Option<Error> {
        let report = &taken.report;
        let nothing = report.new + report.known + report.receipts + report.waiting == 0 && taken.writers.is_empty();
        if taken.newer && nothing {
            return Some(Code::BundleNewer.into());
        }
        if taken.heads == 0 && nothing {
            return Some(Code::BundleDamaged.into());
        }
        (nothing && report.not_for_you > 0 && !taken.unopened).then(|| Code::BundleNotForYou.into())
    }
}

impl Inner {
    async fn import(&self, source: Source, hear: Hear<'_>) -> Result<BundleReport, Error> {
        let area = Area::of(&self.folder);
        let taking = Taking::new(self, Some(Waiting::new(area.clone()))).await?;
        let mut taken = match taking.run(source, hear).await {
            Ok(taken) => taken,
            Err(error) => {
                // What came before the file or the disk failed is here.
                self.take_in_bundled(&BTreeSet::new()).await?;
                return Err(error);
            }
        };
        if let Some(error) = Self::complaint(&taken) {
            return Err(error);
        }
        if let Some(waiting) = taken.waiting.take()
            && !waiting.keep(&self.around).await?
        {
            taken.report.not_kept = taken.report.waiting;
        }
        let mut touched = std::mem::take(&mut taken.touched);
        if taken.report.new > 0 {
            let left = self.try_what_waits(&area, &mut taken, &mut touched).await?;
            taken.report.waiting = left + taken.report.not_kept;
        }
        self.take_in_bundled(&touched).await?;
        for space in &touched {
            self.note_receipt(*space).await?;
        }
        taken.report.spaces = touched.into_iter().collect();
        taken.report.from = self.names_of(&taken.writers).await?;
        Ok(taken.report)
    }

    /// Tries pages again that waited for something, as long as that brings anything; how many still wait.
    async fn try_what_waits(
        &self,
        area: &Area,
        taken: &mut Taken,
        touched: &mut BTreeSet<SpaceId>,
    ) -> Result<u64, Error> {
        loop {
            let (mut new, mut left) = (0, 0);
            let listing = area.clone();
            let lying = self.around.blocking(move || listing.list().map_err(|error| io(&error))).await?;
            for Lying { path, .. } in lying.into_iter().filter(|file| file.kind == Kept::Waiting) {
                let file = path.clone();
                let opened = self.around.blocking(move || File::open(file).map_err(|error| io(&error))).await?;
                let taking = Taking::new(self, None).await?;
                let again = taking.run(Source::new(opened), &mut |_| {}).await?;
                new += again.report.new;
                left += again.report.waiting;
                touched.extend(again.touched);
                taken.report.new += again.report.new;
                taken.report.receipts += again.report.receipts;
                if again.report.waiting == 0 {
                    self.around.blocking(move || std::fs::remove_file(path).map_err(|error| io(&error))).await?;
                }
            }
            if new == 0 {
                return Ok(left);
            }
        }
    }

    /// As when a line is quiet: what came in becomes documents.
    async fn take_in_bundled(&self, spaces: &BTreeSet<SpaceId>) -> Result<(), Error> {
        self.renew_if_ended().await?;
        let mut all = lock(&self.untaken).clone();
        all.extend(spaces);
        for space in all {
            let mut work = self.work.lock().await;
            self.take_in(&mut work, space).await?;
            self.admit_what_is_needed(&mut work, space).await?;
            lock(&self.untaken).remove(&space);
        }
        self.follow_home().await?;
        self.adopt_drafts().await
    }

    /// How this store calls the people of these devices.
    pub(super) async fn names_of(&self, devices: &BTreeSet<DeviceKey>) -> Result<Vec<String>, Error> {
        let mut names = BTreeSet::new();
        for device in devices {
            let mut name = format!("device {}", device.short());
            for local in self.device.local_spaces().await? {
                let directory = self.directory_of(&local).await?;
                if directory.tag(*device).is_some() {
                    name = directory.device(*device);
                    break;
                }
            }
            names.insert(name);
        }
        Ok(names.into_iter().collect())
    }

    /// A file of the folder by the first digits of its id.
    pub(super) async fn lying(&self, id: &str) -> Result<Lying, Error> {
        let area = Area::of(&self.folder);
        let lying = self.around.blocking(move || area.list().map_err(|error| io(&error))).await?;
        let carried = lying.into_iter().filter(|file| file.kind == Kept::Carried);
        crate::reference::only(
            carried.filter(|file| crate::reference::begins(&file.id, id)),
            Code::UnknownBundle,
            "bundle",
            id,
        )
    }
}
