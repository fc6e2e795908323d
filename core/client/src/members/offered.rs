//! What is kept and not shown because it lies above a cut-off: offered, to be admitted entry by entry.

use std::collections::BTreeSet;

use alliance_model::{Refusal, RefusalCode};
use alliance_store::device::{EntryState, Quarantine};
use alliance_wire::SpaceId;
use alliance_wire::membership::CutOff;

use crate::error::{Code, Error};
use crate::history::short_id;
use crate::inner::{Client, Inner};
use crate::reference::{begins, only};
use crate::views::{Change, OfferedView};

impl Client {
    /// What was written after its author was put out, or was not known then: kept, and shown once somebody admits it.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, and those of the store.
    pub async fn offered(&self, space: SpaceId) -> Result<Vec<OfferedView>, Error> {
        Ok(self.inner.offers(space).await?.into_iter().map(|(_, view)| view).collect())
    }

    /// Admits entries that are offered, by the beginnings of their ids: they count for everybody from now on, and nothing
    /// else of their author's does.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, `UNKNOWN_VERSION` (nothing with this id is offered), `AMBIGUOUS`, `NOT_MEMBER`, `ROLE_FORBIDS`
    /// (a reader's), `TEXT_EMPTY` (no id), and those of the store.
    pub async fn admit(&self, space: SpaceId, ids: &[&str]) -> Result<(), Error> {
        let inner = &self.inner;
        let membership = inner.membership(space).await?;
        let person = membership.state().person_of(inner.me).ok_or_else(|| Refusal::new(RefusalCode::NotMember))?;
        let offers = inner.offers(space).await?;
        let mut entries = BTreeSet::new();
        for id in ids {
            let fitting = offers.iter().filter(|(_, view)| begins(&view.id, id));
            entries.insert(only(fitting, Code::UnknownVersion, "entry", id)?.0);
        }
        if entries.is_empty() {
            return Err(Refusal::new(RefusalCode::TextEmpty).with("field", "entries").into());
        }
        let mut work = inner.work.lock().await;
        inner
            .change_membership(&mut work, space, &*inner.secret, Vec::new(), |maker| maker.admit(person, entries))
            .await?;
        inner.take_in(&mut work, space).await?;
        drop(work);
        inner.tell(Change::Space(space));
        Ok(())
    }
}

impl Inner {
    async fn offers(&self, space: SpaceId) -> Result<Vec<(CutOff, OfferedView)>, Error> {
        let directory = self.directory(space).await?;
        let opening = {
            let mut work = self.work.lock().await;
            self.opening(&mut work, space).await?
        };
        let (mut offers, mut after) = (Vec::new(), 0);
        loop {
            let stretch = self.device.open_entries(space, after).await?;
            for item in stretch.entries {
                if item.state != EntryState::Quarantined(Quarantine::CutOff) {
                    continue;
                }
                let header = item.entry.header();
                let entry = CutOff { log: item.log, seq: header.seq, hash: header.hash() };
                let written_at = opening.said(&item.name, &item.entry).map(|(written_at, _)| written_at / 1_000);
                let (by, device) = (directory.device(item.name.device), item.name.device);
                let id = short_id(header.hash());
                offers.push((entry, OfferedView { id, by, device, document: item.document, written_at }));
            }
            let Some(next) = stretch.next else { return Ok(offers) };
            after = next;
        }
    }
}
