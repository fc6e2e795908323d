//! Digests close every exchange (R6): both sides say when they are done, and what they then have.

use alliance_wire::Frame;

use super::opening::shared_root;
use super::space::Standing;
use super::{Phase, Session, Space};
use crate::contract::{Effect, Event, Millis};

/// How long a line must be quiet, after both have once agreed, before what can wait is said.
const QUIET_MILLIS: Millis = 1_000;

/// Repairs before an alarm: the first may bring a fork to light, which renames logs on one side only.
const REPAIRS_MAX: u8 = 2;

/// How far both are from agreeing.
#[derive(Debug, Default)]
pub(super) struct Settling {
    /// Both have said the same root, and nothing has happened since.
    pub(super) agreed: bool,
    /// Both have agreed at least once: from here on, notices wait for a quiet line.
    pub(super) live: bool,
    /// When the line will have been quiet long enough.
    pub(super) due: Option<Millis>,
    /// Something happened since our last notice.
    news: bool,
    /// What we last said, if it still stands.
    said: Option<[u8; 16]>,
    /// What the peer last said, if it still stands.
    theirs: Option<[u8; 16]>,
    /// Spaces in which the peer said that newer receipts follow.
    pub(super) follow: u32,
    /// Repairs that were begun.
    repairs: u8,
    /// Both were done and differed when no repair was left: nothing more will be said of it.
    apart: bool,
    alarmed: bool,
}

impl Settling {
    /// Something was sent, received or changed: earlier words are void.
    pub(super) const fn disturbed(&mut self) {
        self.agreed = false;
        self.news = true;
        self.said = None;
        self.apart = false;
    }

    /// The peer will say anew what it has: its earlier word is void.
    pub(super) const fn awaits(&mut self) {
        self.theirs = None;
    }

    /// Roots were equal from the start.
    pub(super) const fn agree_on(&mut self, root: [u8; 16]) {
        self.live = true;
        self.said = Some(root);
        self.theirs = Some(root);
        self.news = true;
    }

    /// The peer owes a word: receipts that it promised, or that it is done, as we are.
    pub(super) const fn waits(&self) -> bool {
        self.follow > 0 || (self.said.is_some() && self.theirs.is_none() && !self.agreed && !self.apart)
    }

    /// The peer said its root.
    pub(super) const fn heard(&mut self, root: [u8; 16]) {
        self.theirs = Some(root);
    }

    /// Something can wait until the line is quiet.
    pub(super) fn owe(&mut self, now: Millis) {
        self.due = Some(self.due.unwrap_or(now + QUIET_MILLIS));
    }
}

/// How far both are from agreeing, as a host asks.
impl Session {
    /// Both sides have everything of everything that they share, and have said so.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.settling.agreed
    }

    /// Both sides have said at least once that they have the same. What came since is answered for by
    /// acknowledgements; a new word waits for a quiet line.
    #[must_use]
    pub const fn has_settled(&self) -> bool {
        self.settling.live
    }

    /// Both are done and differ, and comparing anew did not help: one of both does not take something, or an alarm was
    /// raised. Nothing more is to be expected until something new is written or comes.
    #[must_use]
    pub fn is_apart(&self) -> bool {
        self.settling.apart && self.is_done()
    }

    /// Nothing is under way in either direction: everything was sent and acknowledged, and everything that came is
    /// durable.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.is_done()
    }
}

impl Session {
    pub(super) fn on_settled(&mut self, _spaces: u32, root: [u8; 16]) {
        self.settling.heard(root);
    }

    /// Says that we are done, when we are, and compares with what the peer said.
    pub(super) fn settle(&mut self, out: &mut Vec<Effect>) {
        let quiet = self.settling.due.is_some_and(|due| self.now >= due);
        if quiet {
            self.settling.due = None;
            let owing = self.spaces.iter_mut().filter(|(_, space)| space.sends());
            for (id, space) in owing {
                if let Some(upto) = space.sending.owed {
                    Self::say_upto(space, *id, upto, &mut self.out_names, out);
                }
            }
        }
        if self.settling.agreed || !self.is_done() {
            return;
        }
        let (spaces, root) = shared_root(self);
        if self.settling.said != Some(root) {
            if self.settling.live && !quiet {
                // Live edits come one after the other: one notice for many.
                return self.settling.owe(self.now);
            }
            self.settling.said = Some(root);
            out.push(Effect::Send(Frame::Settled { spaces, root }));
        }
        match self.settling.theirs {
            Some(theirs) if theirs == root => {
                self.settling.agreed = true;
                self.settling.live = true;
                self.settling.repairs = 0;
                if self.settling.news {
                    self.settling.news = false;
                    out.push(Effect::Notify(Event::Settled));
                }
                self.flush_acks(out);
            }
            Some(_) => self.repair(out),
            None => {}
        }
    }

    /// Nothing is under way in either direction, as far as this side can see.
    pub(super) fn is_done(&self) -> bool {
        self.phase == Phase::Open
            && self.settling.follow == 0
            && !self.blocked
            && self.inbox.is_empty()
            && !self.persisting
            && self.pending.items.is_empty()
            && self.pending.cursors.is_empty()
            && self.handed.is_empty()
            && self.spaces.values().all(Space::is_done)
    }

    /// Both are done and differ: everything is compared anew, twice at most; after that it is an alarm.
    fn repair(&mut self, out: &mut Vec<Effect>) {
        self.settling.theirs = None;
        let shared: Vec<_> = self.spaces.iter().filter(|(_, space)| space.is_shared()).map(|(id, _)| *id).collect();
        // What the peer or we refused by name explains a difference: no alarm for that.
        let apart = |space: &Space| !matches!(space.standing, Standing::Shared | Standing::Candidate(_));
        let explained =
            self.spaces.values().any(|space| space.sending.refused || space.receiving.refused || apart(space));
        if self.settling.repairs < REPAIRS_MAX && self.config.rules.repair {
            self.settling.repairs += 1;
            for space in self.spaces.values_mut() {
                space.receiving.vector_told = false;
            }
            self.probe(&shared, out);
            self.settling.disturbed();
            return;
        }
        self.settling.apart = true;
        if !explained && !self.settling.alarmed {
            self.settling.alarmed = true;
            let differing = shared.into_iter().map(Event::Diverged);
            out.extend(differing.map(Effect::Notify));
        }
    }
}
