//! What people were told is saved, and who holds it: the simulation's own account, kept apart from every store.

use std::collections::{BTreeMap, BTreeSet};

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
    /// On which devices it ever was a draft: where it was written, and copies made of that.
    pub by: BTreeSet<usize>,
    /// Who holds it, since when.
    pub held: BTreeMap<usize, Instant>,
    /// The devices on which it may still be a draft, and at how many meetings at least it will have become an entry.
    drafts: BTreeMap<usize, u8>,
    /// The devices on which it was a draft that waits for a meeting, and may have come back as somebody's entry instead.
    pub waited: BTreeSet<usize>,
    /// Since when it is no draft any more on a device on which it was one.
    signed: BTreeMap<usize, Instant>,
    /// When it was an entry for certain.
    sealed: Option<Instant>,
    /// A backup was restored in which it may have been a draft. Where the first to be met does not have the entry that
    /// the draft became since, the draft is sealed again, and the piece stands there twice (docs/PROTOCOL.md, drafts).
    pub maybe_twice: bool,
    /// Whoever suspended a device may not have had it, or something that it builds on: it may lie above a cut-off.
    above: bool,
    /// Every database that held it is gone.
    pub lost: bool,
}

/// Everything that was saved.
#[derive(Debug, Default)]
pub struct Ledger {
    /// In order of saving.
    pub saved: Vec<Saved>,
    /// Nodes whose database was copied or put back with its marker: what they write may fork.
    doubles: BTreeSet<usize>,
    /// Nodes whose person was given another role, or which were suspended.
    judged: BTreeSet<usize>,
    /// Somebody was given another role.
    roles: bool,
    /// A device was suspended.
    suspended: bool,
}

impl Ledger {
    /// Somebody was told that this is saved.
    pub fn save(&mut self, text: String, space: SpaceId, note: DocumentId, by: usize) {
        let held = BTreeMap::from([(by, Instant::now())]);
        self.saved.push(Saved {
            text,
            space,
            note,
            by: BTreeSet::from([by]),
            held,
            // A database that begins anew has its drafts wait as a restored one's do.
            drafts: BTreeMap::from([(by, if self.begins_anew(by) { 3 } else { 1 })]),
            waited: if self.begins_anew(by) { BTreeSet::from([by]) } else { BTreeSet::new() },
            signed: BTreeMap::new(),
            sealed: None,
            maybe_twice: false,
            above: self.suspended,
            lost: false,
        });
    }

    /// Somebody's role changed, or may have.
    pub fn given_role(&mut self, nodes: &[usize]) {
        self.roles = true;
        self.judged(nodes);
    }

    /// A node suspended these, or may have: what it has of anybody is below the cut-offs.
    pub fn suspended(&mut self, by: usize, nodes: &[usize]) {
        self.suspended = true;
        self.judged(nodes);
        for saved in &mut self.saved {
            saved.above |= !saved.held.contains_key(&by);
        }
    }

    /// Drafts are sealed when their person or device may write again, under a new incarnation.
    fn judged(&mut self, nodes: &[usize]) {
        self.judged.extend(nodes);
        for saved in &mut self.saved {
            for (node, meetings) in saved.drafts.iter_mut().filter(|(node, _)| nodes.contains(node)) {
                *meetings = 3;
                saved.waited.insert(*node);
            }
        }
    }

    /// Whether a node's person was given another role, or a node suspended, or may have been.
    #[must_use]
    pub fn was_judged(&self, node: usize) -> bool {
        self.judged.contains(&node)
    }

    /// Whether a database writes on under another incarnation sooner or later: it has a double, or had to stop writing.
    fn begins_anew(&self, node: usize) -> bool {
        self.doubles.contains(&node) || self.judged.contains(&node)
    }

    /// A device sealed its drafts, by itself or in a meeting, but for those of the notes in `open`, as where a key is on its
    /// way. Those that wait for a meeting wait on by themselves.
    pub fn seal(&mut self, device: usize, before: Instant, met: bool, open: &BTreeSet<DocumentId>) {
        // Whoever was made a reader seals again when it has heard that it may, and who knows at which meeting that was.
        if self.judged.contains(&device) {
            return;
        }
        // A meeting begins with sealing.
        let signed = if met { before } else { Instant::now() };
        for saved in &mut self.saved {
            let here = saved.held.get(&device).is_some_and(|since| *since <= before);
            if let (true, Some(meetings)) = (here && !open.contains(&saved.note), saved.drafts.get_mut(&device)) {
                if !met && *meetings > 1 {
                    continue;
                }
                *meetings -= 1;
                if *meetings == 0 {
                    saved.drafts.remove(&device);
                    saved.signed.insert(device, signed);
                    saved.sealed.get_or_insert(before);
                }
            }
        }
    }

    /// Two nodes met and agreed: each holds what the other had when they began, of the spaces that they share, but for what
    /// is a draft still of the notes in `open` on the one that dialled.
    pub fn meet(
        &mut self,
        (from, to): (usize, usize),
        began: Instant,
        open: &BTreeSet<DocumentId>,
        shares: impl Fn(usize, SpaceId) -> bool,
    ) {
        self.seal(from, began, true, open);
        let now = Instant::now();
        for saved in &mut self.saved {
            for (giver, taker) in [(from, to), (to, from)] {
                let has = saved.held.get(&giver).is_some_and(|since| *since < began);
                // What was sealed while they met may have come too late for what was said.
                let sealed = !saved.drafts.contains_key(&giver)
                    && saved.signed.get(&giver).is_none_or(|signed| *signed <= began);
                if has && sealed && shares(giver, saved.space) && shares(taker, saved.space) {
                    saved.held.entry(taker).or_insert(now);
                }
            }
        }
    }

    /// A device's database is what it was at some moment, and cannot know it.
    pub fn put_back(&mut self, node: usize, to: Instant) {
        self.doubles.insert(node);
        self.go_back(node, Some(to));
    }

    /// A node's database is gone, or is what it was at some moment.
    pub fn go_back(&mut self, node: usize, to: Option<Instant>) {
        for saved in &mut self.saved {
            let Some(since) = saved.held.get(&node) else { continue };
            if to.is_none_or(|to| *since > to) {
                saved.held.remove(&node);
                saved.drafts.remove(&node);
            } else if saved.by.contains(&node) {
                // It may be a draft again there, of a database that writes on under another name: it waits for a first
                // meeting, becomes a draft of the present one, and is sealed at the next.
                saved.drafts.insert(node, 3);
                saved.waited.insert(node);
                saved.maybe_twice |= to.is_some_and(|to| saved.sealed.is_none_or(|sealed| sealed > to));
            }
            // What was typed while it must not be sealed was nowhere else.
            saved.lost |= saved.held.is_empty() || (self.judged.contains(&node) && saved.by.contains(&node));
        }
    }

    /// A node's database was copied, and the copy lives on beside it. A draft is on both from now on, and each seals its
    /// own.
    pub fn copy(&mut self, from: usize, to: usize, marker: bool) {
        let now = Instant::now();
        if marker || self.doubles.contains(&from) {
            self.doubles.extend([from, to]);
        }
        for saved in &mut self.saved {
            if !saved.held.contains_key(&from) {
                continue;
            }
            saved.held.insert(to, now);
            if saved.drafts.contains_key(&from) {
                // One of them begins a new incarnation sooner or later, where drafts wait for a first meeting.
                saved.drafts.insert(from, 3);
                saved.drafts.insert(to, 3);
                saved.waited.extend([from, to]);
                saved.maybe_twice = true;
            }
            if saved.by.contains(&from) {
                saved.by.insert(to);
            }
        }
        if self.judged.contains(&from) {
            self.judged.insert(to);
        }
    }

    /// Two databases may have written under one incarnation: what they wrote, and what others wrote on it, may stand on
    /// the branch of a fork that is kept and not shown (docs/PROTOCOL.md, forks). So may what stands above a cut-off.
    #[must_use]
    pub fn may_keep(&self, saved: &Saved) -> bool {
        !self.doubles.is_empty() || self.roles || saved.above
    }

    /// What was saved on this device, is there for sure, and is shown at once when it opens.
    pub fn of(&self, device: usize) -> impl Iterator<Item = &Saved> {
        // A database that finds that it has a double begins anew at any start, and its drafts wait.
        let least = u8::from(!self.begins_anew(device));
        let ready = move |saved: &&Saved| saved.drafts.get(&device).is_none_or(|meetings| *meetings == least);
        self.saved
            .iter()
            .filter(move |saved| saved.by.contains(&device) && saved.held.contains_key(&device))
            .filter(ready)
    }
}
