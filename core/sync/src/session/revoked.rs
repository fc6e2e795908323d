//! The peer was put out of a space that is here (PROTOCOL section 3, put out): what it is told, and what is taken of it.
//!
//! Its question is answered with the signed membership entries, by which it judges for itself, then with a vector of
//! membership and of its own logs, and REVOKED. What it hands over behind its `Anew` is membership and its own entries;
//! the store counts them.

use std::collections::BTreeSet;

use alliance_wire::frame::Reason;
use alliance_wire::{Frame, SpaceId};

use super::sending::Runs;
use super::space::{Space, Standing, Told};
use super::{Asked, Role, Session};
use crate::contract::{Effect, Outgoing, Page, Query, SharedSpace};

impl Session {
    /// Whether the peer may be put out: a relay is in no space, it carries them.
    const fn judges_peer(&self) -> bool {
        self.config.rules.revoke && !matches!(self.config.role, Role::Device { towards_relay: true })
    }

    /// The peer is no longer in a space that was shared with it: it is told at once.
    pub(super) fn revoke(&mut self, id: SpaceId, out: &mut Vec<Effect>) {
        let Some(space) = self.spaces.get_mut(&id).filter(|space| space.is_shared()) else { return };
        space.stop(Standing::Revoked(Told::Nothing));
        space.receiving.gap = true;
        if !std::mem::replace(&mut space.receiving.heard, true) {
            // What it promised will not come.
            self.settling.follow = self.settling.follow.saturating_sub(1);
        }
        self.pending.cursors.retain(|(other, _, _)| *other != id);
        self.settling.disturbed();
        self.answer_revoked(id, out);
    }

    /// Answers the first question of a connection about a space that the peer was put out of.
    pub(super) fn answer_revoked(&mut self, id: SpaceId, out: &mut Vec<Effect>) {
        let Some(space) = self.spaces.get_mut(&id) else { return };
        if !matches!(space.standing, Standing::Revoked(Told::Nothing)) {
            return;
        }
        space.standing = Standing::Revoked(Told::Upto(0));
        space.receiving.gap = true;
        // The view says which continuations need the proof of their fork, and what the peer's own logs are.
        let needs_view = space.receiving.view.is_none();
        self.out_names.forget_sent(id);
        let number = self.out_names.space(id, out);
        out.push(Effect::Send(Frame::Anew { space: number }));
        self.settling.disturbed();
        if needs_view {
            self.ask(Query::View(id), Asked::View(id), out);
        }
    }

    /// A stretch of the membership for a peer that was put out. Behind the last one it is told what is known of its own
    /// logs, and that it is out.
    pub(super) fn on_told_page(&mut self, id: SpaceId, page: Page, out: &mut Vec<Effect>) {
        let Some(space) = self.spaces.get_mut(&id) else { return };
        if !matches!(space.standing, Standing::Revoked(Told::Upto(_))) {
            return;
        }
        let mut runs = Runs::new(id, &mut self.out_names);
        for item in page.items {
            if let Outgoing::Entry(name, entry) = item {
                runs.send(space, &name, entry, out);
            }
        }
        runs.close(out);
        self.credit = false;
        self.settling.disturbed();
        if page.more {
            space.standing = Standing::Revoked(Told::Upto(page.upto));
            return;
        }
        space.standing = Standing::Revoked(Told::All);
        self.refuse(id, None, Reason::Revoked, out);
        self.tell_vector(id, out);
    }

    /// Looks at what these spaces now say of the peer: it may have been put out, or let in again.
    pub(super) fn look_at_peer(&mut self, spaces: &BTreeSet<SpaceId>, out: &mut Vec<Effect>) {
        if !self.judges_peer() {
            return;
        }
        for id in spaces {
            let Some(space) = self.spaces.get(id) else { continue };
            let Some(view) = &space.receiving.view else { continue };
            let active = view.membership.state().may_read(self.config.peer);
            if space.is_shared() && !active && view.membership.was_listed(self.config.peer) {
                self.revoke(*id, out);
            } else if space.is_revoked() && active && space.receiving.under_way == 0 {
                let tail = space.tail;
                self.share(SharedSpace { tail, cursor: None, acked: 0, others: false });
                if let Some(space) = self.spaces.get_mut(id) {
                    // What it brought until now was passed over, but for what it handed over.
                    space.receiving.gap = true;
                }
                self.settling.disturbed();
                self.probe(&[*id], out);
            }
        }
    }

    /// A space changed that the peer was put out of: perhaps it was let in again.
    pub(super) fn look_again(&mut self, id: SpaceId, out: &mut Vec<Effect>) {
        let Some(space) = self.spaces.get_mut(&id) else { return };
        if space.receiving.refresh() {
            self.ask(Query::View(id), Asked::View(id), out);
        }
    }
}

impl Space {
    /// The peer was put out of it.
    pub(super) const fn is_revoked(&self) -> bool {
        matches!(self.standing, Standing::Revoked(_))
    }

    /// How far the membership was told to a peer that was put out, while it is being told.
    pub(super) fn tells(&self) -> Option<u64> {
        let Standing::Revoked(Told::Upto(after)) = self.standing else { return None };
        self.receiving.view.is_some().then_some(after)
    }
}
