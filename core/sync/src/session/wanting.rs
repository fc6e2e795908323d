//! Payloads that are asked for, who is watching, and what the other side refuses.

use std::collections::BTreeMap;

use alliance_wire::frame::{Answer, Reason};
use alliance_wire::limits;
use alliance_wire::{Frame, LogId, SpaceId};

use super::space::{self, Space, Standing};
use super::{Asked, Phase, Role, Session};
use crate::contract::{CloseReason, Effect, Event, Query};

impl Session {
    pub(super) fn watch(&mut self, space: SpaceId, sealed: Vec<u8>, out: &mut Vec<Effect>) {
        if self.phase == Phase::Open && self.spaces.get(&space).is_some_and(Space::is_shared) {
            let space = self.out_names.space(space, out);
            out.push(Effect::Send(Frame::Watching { space, sealed: sealed.into() }));
        }
    }

    pub(super) fn on_watching(&mut self, space: u32, sealed: Vec<u8>, out: &mut Vec<Effect>) {
        if let Some(space) = self.in_names.space(space)
            && self.spaces.get(&space).is_some_and(Space::is_shared)
        {
            out.push(Effect::Notify(Event::Watching(space, sealed)));
        }
    }

    pub(super) fn want(&mut self, space: SpaceId, rows: Vec<(LogId, u64)>, out: &mut Vec<Effect>) {
        if self.phase == Phase::Open && self.spaces.get(&space).is_some_and(Space::is_shared) {
            let space = self.out_names.space(space, out);
            for rows in rows.chunks(limits::WANT_ROWS_MAX) {
                out.push(Effect::Send(Frame::Want { space, rows: rows.to_vec() }));
            }
        }
    }

    pub(super) fn on_want(&mut self, number: u32, rows: Vec<(LogId, u64)>, out: &mut Vec<Effect>) {
        let Some(space) = self.in_names.space(number) else {
            return self.close(CloseReason::Misbehaved("a space that was not named"), out);
        };
        if self.spaces.get(&space).is_some_and(Space::is_shared) {
            self.ask(Query::Fetch(space, rows), Asked::Fetch, out);
        } else {
            let rows = rows.into_iter().map(|(log, seq)| (log, seq, Answer::Absent)).collect();
            self.on_fetched(space, rows, out);
        }
    }

    pub(super) fn on_fetched(&mut self, space: SpaceId, rows: Vec<(LogId, u64, Answer)>, out: &mut Vec<Effect>) {
        let space = self.out_names.space(space, out);
        for (log, seq, answer) in rows {
            out.push(Effect::Send(Frame::Give { space, log, seq, answer }));
        }
    }

    pub(super) fn on_refused(
        &mut self,
        space: SpaceId,
        entry: Option<(LogId, u64)>,
        reason: Reason,
        out: &mut Vec<Effect>,
    ) {
        if reason == Reason::Revoked && self.waits_for_verdict(space, entry, out) {
            return;
        }
        out.push(Effect::Notify(Event::Refused { space, entry, reason, ours: true }));
        if reason == Reason::Revoked {
            return self.on_revoked(space, out);
        }
        let towards_relay = self.config.role == Role::Device { towards_relay: true };
        let Some(known) = self.spaces.get_mut(&space) else { return };
        let nothing_sent = known.sending.position == space::Position::Unknown;
        if entry.is_none() && matches!(known.standing, Standing::Out(_)) {
            // The peer knows nothing of it: there is nobody to hand anything over to.
            known.sending.probing = false;
            known.sending.refused = true;
        } else if reason == Reason::Absent && nothing_sent && towards_relay && known.tail.arrival > 0 {
            // The relay does not have it, or does not know us in it: present the membership logs, and what follows.
            known.sending.probing = false;
            known.begin(space::Position::Rows(BTreeMap::new()), 0);
        } else if entry.is_none() && matches!(reason, Reason::Absent | Reason::TokenNeeded) {
            known.standing = Standing::Excluded;
        } else {
            // One entry, or a receipt: one too many for a day, or for the disk. The rest of the space goes on.
            if std::mem::replace(&mut known.sending.refused, true) {
                return;
            }
        }
        self.settling.disturbed();
    }
}
