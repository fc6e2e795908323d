//! This device was put out of a space, or the peer says so (PROTOCOL section 3, put out).
//!
//! The peer's word is a hint: the membership entries that it sent before are taken like anybody's, and by what is here
//! the device judges for itself. If it is out, it hands over what it had not sent. If it is not, the peer gets the
//! membership that says so, and the space rests for this connection.

use std::collections::BTreeMap;

use alliance_wire::frame::Reason;
use alliance_wire::{Frame, LogId, SpaceId};

use super::Session;
use super::space::{Out, Position, Space, Standing, Told};
use crate::contract::{Effect, SharedSpace, Tail};

impl Session {
    /// Takes up the spaces that one of both was put out of.
    pub(super) fn begin_out(&mut self, revoked: Vec<Tail>, out: Vec<SharedSpace>) {
        let unsaid = Out { heard: false, really: true };
        for space in out {
            let standing = if self.config.rules.revoke { Standing::Out(unsaid) } else { Standing::Shared };
            self.spaces.insert(space.tail.space, Space::new(space, standing));
        }
        for tail in revoked.into_iter().filter(|_| self.config.rules.revoke) {
            let shared = SharedSpace { tail, cursor: None, acked: 0, others: false };
            let known = self.spaces.entry(tail.space);
            known.or_insert_with(|| Space::new(shared, Standing::Revoked(Told::Nothing))).receiving.gap = true;
        }
    }

    /// Asks about spaces that this device was put out of and of which the peer has not acknowledged everything.
    pub(super) fn ask_out(&mut self, out: &mut Vec<Effect>) {
        let owes = |space: &Space| matches!(space.standing, Standing::Out(_)) && space.acked < space.tail.arrival;
        let asks: Vec<SpaceId> = self.spaces.iter().filter(|(_, space)| owes(space)).map(|(id, _)| *id).collect();
        if !asks.is_empty() {
            self.probe(&asks, out);
            self.settling.disturbed();
            self.settling.awaits();
        }
    }

    /// The peer asks about a space that this device was put out of, as far as it knows: it shares the space. Perhaps it
    /// has not heard, perhaps this device was let in again.
    pub(super) fn take_up(&mut self, id: SpaceId) {
        let Some(space) = self.spaces.get(&id) else { return };
        let Standing::Out(Out { really, .. }) = space.standing else { return };
        let asked = space.sending.probing;
        self.share(SharedSpace { tail: space.tail, cursor: space.cursor, acked: 0, others: false });
        if let Some(space) = self.spaces.get_mut(&id) {
            space.limited = really;
            // What came of it until now was passed over.
            space.receiving.gap = true;
            // Its word answers ours, if there was one.
            space.sending.probing = asked;
        }
    }

    /// Before REVOKED can be judged, the view must be here; the frame waits for it.
    pub(super) fn waits_for_verdict(
        &mut self,
        id: SpaceId,
        entry: Option<(LogId, u64)>,
        out: &mut Vec<Effect>,
    ) -> bool {
        let blind = |space: &Space| space.sends() && space.receiving.view.is_none() && space.tail.arrival > 0;
        let waits = self.spaces.get(&id).is_some_and(blind);
        if waits {
            self.wait_for_view(id, Frame::Refused { space: id, entry, reason: Reason::Revoked }, out);
        }
        waits
    }

    /// The peer says that this device was put out.
    pub(super) fn on_revoked(&mut self, id: SpaceId, out: &mut Vec<Effect>) {
        let Some(space) = self.spaces.get_mut(&id).filter(|space| space.sends()) else { return };
        let own = self.config.own;
        let is_out = |space: &Space| {
            let membership = space.receiving.view.as_ref().map(|view| &view.membership);
            membership.is_some_and(|all| all.was_listed(own) && !all.state().is_active(own))
        };
        let really = is_out(space);
        space.stop(Standing::Out(Out { heard: true, really }));
        space.receiving.gap = false;
        if !std::mem::replace(&mut space.receiving.heard, true) {
            self.settling.follow = self.settling.follow.saturating_sub(1);
        }
        if really {
            // What the peer lacks stands in the vector behind this word.
            space.sending.probing = true;
        } else if space.tail.arrival > 0 {
            space.begin(Position::Rows(BTreeMap::new()), 0);
            self.out_names.forget_sent(id);
            let space = self.out_names.space(id, out);
            out.push(Effect::Send(Frame::Anew { space }));
        }
        self.settling.disturbed();
        self.settling.awaits();
    }
}

impl Space {
    /// This device was put out of it, and the peer has not said so.
    pub(super) const fn is_out_unheard(&self) -> bool {
        matches!(self.standing, Standing::Out(Out { heard: false, .. }))
    }

    /// The peer has said on this connection that this device was put out of it.
    pub(super) const fn is_out_heard(&self) -> bool {
        matches!(self.standing, Standing::Out(Out { heard: true, .. }))
    }

    /// This device is in it again: what was held back goes as well.
    pub(super) fn unlimit(&mut self) {
        self.limited = false;
        if self.sending.position != Position::Unknown {
            let position = std::mem::replace(&mut self.sending.position, Position::Unknown);
            let from = self.sending.from;
            self.begin(position, from);
        }
    }
}
