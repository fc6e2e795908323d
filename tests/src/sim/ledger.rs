//! What people were told is saved, and who holds it: the simulation's own account, kept apart from every store.

use std::collections::BTreeMap;

use alliance_client::{DocumentId, SpaceId};
use tokio::time::Instant;

/// One piece of text that somebody was told is saved.
#[derive(Debug, Clone)]
pub struct Saved {
    /// The text; no other piece has it.
    pub text: String,
    /// Where.
    pub space: SpaceId,
    /// In which note.
    pub note: DocumentId,
    /// On which device.
    pub by: usize,
    /// Who holds it, since when.
    pub held: BTreeMap<usize, Instant>,
    /// The device on which it may still be a draft, and at how many meetings at least it will have become an entry.
    draft: Option<(usize, u8)>,
    /// When it was an entry for certain.
    sealed: Option<Instant>,
    /// A backup was restored in which it may have been a draft. Where the first to be met does not have the entry that
    /// the draft became since, the draft is sealed again, and the piece stands there twice (docs/PROTOCOL.md, drafts).
    pub maybe_twice: bool,
    /// Every database that held it is gone.
    pub lost: bool,
}

/// Everything that was saved.
#[derive(Debug, Default)]
pub struct Ledger {
    /// In order of saving.
    pub saved: Vec<Saved>,
}

impl Ledger {
    /// Somebody was told that this is saved.
    pub fn save(&mut self, text: String, space: SpaceId, note: DocumentId, by: usize) {
        let held = BTreeMap::from([(by, Instant::now())]);
        self.saved.push(Saved {
            text,
            space,
            note,
            by,
            held,
            draft: Some((by, 1)),
            sealed: None,
            maybe_twice: false,
            lost: false,
        });
    }

    /// A device sealed all of its drafts.
    pub fn seal(&mut self, device: usize, before: Instant) {
        for saved in &mut self.saved {
            let here = saved.held.get(&device).is_some_and(|since| *since <= before);
            if let (true, Some((on, meetings))) = (here, saved.draft)
                && on == device
            {
                saved.draft = (meetings > 1).then_some((on, meetings - 1));
                if saved.draft.is_none() {
                    saved.sealed.get_or_insert(before);
                }
            }
        }
    }

    /// Two nodes met and agreed: each holds what the other had when they began, of the spaces that they share.
    pub fn meet(&mut self, from: usize, to: usize, began: Instant, shares: impl Fn(usize, SpaceId) -> bool) {
        self.seal(from, began);
        let now = Instant::now();
        for saved in &mut self.saved {
            for (giver, taker) in [(from, to), (to, from)] {
                let has = saved.held.get(&giver).is_some_and(|since| *since < began);
                let sealed = saved.draft.is_none_or(|(on, _)| on != giver);
                if has && sealed && shares(giver, saved.space) && shares(taker, saved.space) {
                    saved.held.entry(taker).or_insert(now);
                }
            }
        }
    }

    /// A node's database is gone, or is what it was at some moment.
    pub fn go_back(&mut self, node: usize, to: Option<Instant>) {
        for saved in &mut self.saved {
            let Some(since) = saved.held.get(&node) else { continue };
            if to.is_none_or(|to| *since > to) {
                saved.held.remove(&node);
                if saved.draft.is_some_and(|(on, _)| on == node) {
                    saved.draft = None;
                }
            } else if saved.by == node {
                // It may be a draft again there, of a database that writes on under another name: it waits for a first
                // meeting, becomes a draft of the present one, and is sealed at the next.
                saved.draft = Some((node, 3));
                saved.maybe_twice |= to.is_some_and(|to| saved.sealed.is_none_or(|sealed| sealed > to));
            }
            saved.lost = saved.held.is_empty();
        }
    }

    /// What was saved on this device, is there for sure, and is shown at once when it opens.
    pub fn of(&self, device: usize) -> impl Iterator<Item = &Saved> {
        let ready = |saved: &&Saved| saved.draft.is_none_or(|(_, meetings)| meetings == 1);
        self.saved.iter().filter(move |saved| saved.by == device && saved.held.contains_key(&device)).filter(ready)
    }
}
