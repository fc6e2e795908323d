//! A relay meets a space that it does not know, or in which it does not know the peer (PROTOCOL section 5).
//!
//! Any authenticated device may present a space's membership logs. They are verified from the first entry, within the
//! limits of a stranger, and nothing is stored until they show the peer as an active member and the space as admitted
//! here. "No such space" and "not yours" take the same way through this module.

use alliance_wire::frame::{Reason, Run};
use alliance_wire::membership::Admission;
use alliance_wire::{Kind, SpaceId, limits};

use super::names::NamedLog;
use super::receiving::insert_membership;
use super::space::{Candidate, Position, Standing};
use super::verify::{self, Read};
use super::{Asked, Role, Session};
use crate::contract::{Effect, Head, Incoming, Query};

impl Session {
    pub(super) fn on_candidate_run(&mut self, named: &mut NamedLog, run: Run, out: &mut Vec<Effect>) {
        let Some(space) = self.spaces.get_mut(&named.space) else { return };
        let (Standing::Candidate(candidate), Some(view)) = (&mut space.standing, &mut space.receiving.view) else {
            return;
        };
        if candidate.asked {
            // Judged when the admission is decided.
            self.inbox.push_front(alliance_wire::Frame::Run(run));
            self.blocked = true;
            return;
        }
        let head = view.heads.get(&named.id);
        let begun = !candidate.held.is_empty();
        let entries = match verify::read_run(named, run, head, self.config.rules) {
            Read::Known => return,
            Read::Entries(entries) if entries[0].header().kind() == Kind::Membership => entries,
            Read::Entries(_) | Read::Gap if !begun => {
                // Sent ahead of our Hello, to a database that had what comes before: ours is another. The peer will ask
                // where we are in this space, and present it.
                self.spaces.remove(&named.space);
                self.forgone.insert(named.space);
                return;
            }
            Read::Entries(_) | Read::Gap | Read::Forked | Read::Malformed => return self.turn_away(named.space, out),
        };
        if !self.verified.take(self.now, entries.len()) {
            return self.reject(named.space, Reason::TooMany, out);
        }
        let (good, bad) = verify::verify_run(named, entries, self.config.rules);
        if bad.is_some() {
            return self.reject(named.space, Reason::Absent, out);
        }
        for entry in good {
            candidate.bytes += entry.payload().map_or(0, <[u8]>::len) + 256;
            if candidate.bytes > limits::STRANGER_BYTES_MAX || insert_membership(&mut view.membership, &entry).is_err()
            {
                return self.reject(named.space, Reason::Absent, out);
            }
            let head = Head { name: named.name.clone(), seq: entry.seq(), hash: entry.hash() };
            view.heads.insert(named.id, head);
            candidate.held.push(Incoming::Entry(entry));
        }
        self.consider(named.space, out);
    }

    /// Takes the candidate up if it shows the peer as a member and names this relay.
    fn consider(&mut self, id: SpaceId, out: &mut Vec<Effect>) {
        let Role::Relay { key, open } = self.config.role else { return };
        let Some(space) = self.spaces.get_mut(&id) else { return };
        let (Standing::Candidate(candidate), Some(view)) = (&mut space.standing, &space.receiving.view) else { return };
        let state = view.membership.state();
        if !state.is_active(self.config.peer) {
            return;
        }
        let Some(pin) = state.relays.iter().rev().find(|pin| pin.relay == key) else { return };
        let admission = pin.admission;
        if open {
            self.promote(id, admission, out);
        } else {
            candidate.asked = true;
            self.blocked = true;
            self.ask(Query::Admit(id, admission), Asked::Admit(id), out);
        }
    }

    pub(super) fn on_admitted(&mut self, id: SpaceId, admitted: bool, out: &mut Vec<Effect>) {
        self.blocked = false;
        let admission = self.spaces.get(&id).and_then(|space| space.receiving.view.as_ref()).and_then(|view| {
            let Role::Relay { key, .. } = self.config.role else { return None };
            view.membership.state().relays.iter().rev().find(|pin| pin.relay == key).and_then(|pin| pin.admission)
        });
        if admitted {
            self.promote(id, admission, out);
        } else if let Some(Standing::Candidate(candidate)) = self.spaces.get_mut(&id).map(|space| &mut space.standing) {
            candidate.asked = false;
            candidate.denied = true;
        }
    }

    /// The peer has shown all the membership that it will, and it was not enough.
    pub(super) fn turn_away(&mut self, id: SpaceId, out: &mut Vec<Effect>) {
        let Some(Standing::Candidate(candidate)) = self.spaces.get(&id).map(|space| &space.standing) else { return };
        let reason = if candidate.denied { Reason::TokenNeeded } else { Reason::Absent };
        self.reject(id, reason, out);
    }

    /// From here on the space is shared like any other; what was held is made durable with what follows.
    fn promote(&mut self, id: SpaceId, admission: Option<Admission>, out: &mut Vec<Effect>) {
        let Some(space) = self.spaces.get_mut(&id) else { return };
        let Standing::Candidate(Candidate { held, bytes, .. }) =
            std::mem::replace(&mut space.standing, Standing::Shared)
        else {
            return;
        };
        space.receiving.under_way += held.len();
        // If the space was here already, the view that counts is the store's, with this on top.
        space.receiving.stale = true;
        space.receiving.gap = self.forgone.remove(&id);
        space.begin(Position::Unknown, 0);
        self.pending.items.extend(held);
        self.pending.creates.push((id, admission));
        self.pending_bytes += bytes;
        self.settling.disturbed();
        self.probe(&[id], out);
    }

    fn reject(&mut self, id: SpaceId, reason: Reason, out: &mut Vec<Effect>) {
        if let Some(space) = self.spaces.get_mut(&id) {
            space.standing = Standing::Excluded;
            space.receiving = super::space::Receiving::default();
            out.push(Effect::Send(alliance_wire::Frame::Refused { space: id, entry: None, reason }));
        }
    }
}
