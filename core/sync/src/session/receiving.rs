//! The receiving half: runs are verified, made durable, and only then acknowledged.

use std::collections::BTreeSet;
use std::sync::Arc;

use alliance_crypto::{Membership, MembershipRules, Verified};
use alliance_wire::frame::{Answer, ForkProof, Reason, Run};
use alliance_wire::limits;
use alliance_wire::receipt::SignedReceipt;
use alliance_wire::{Frame, HashPrefix, Incarnation, Kind, LogId, LogName, SpaceId, Stream};

use super::names::NamedLog;
use super::persisting::UnderWay;
use super::sending::receipt_id;
use super::space::{Space, Standing};
use super::verify::{self, Read};
use super::{Asked, Role, Session};
use crate::contract::{Batch, CloseReason, Effect, Event, Head, Incoming, Query, SharedSpace, Tail, View};

/// Items are made durable when their page is complete, or when so many bytes wait.
const PENDING_BYTES: usize = 512 * 1024;

impl Session {
    /// Puts a frame back until the space's view is here.
    pub(super) fn wait_for_view(&mut self, space: SpaceId, frame: Frame, out: &mut Vec<Effect>) {
        self.inbox.push_front(frame);
        self.blocked = true;
        self.ask(Query::View(space), Asked::View(space), out);
    }

    pub(super) fn on_view(&mut self, id: SpaceId, view: Option<View>, out: &mut Vec<Effect>) {
        self.blocked = false;
        let Some(space) = self.spaces.get_mut(&id) else { return };
        let view = view.unwrap_or_else(|| empty_view(space.tail, self.config.rules.membership));
        space.receiving.view = Some(view);
        self.look_at_peer(&BTreeSet::from([id]), out);
        if self.spaces.get(&id).is_some_and(|space| space.receiving.vector_due) {
            self.tell_vector(id, out);
        }
    }

    pub(super) fn on_run(&mut self, run: Run, out: &mut Vec<Effect>) {
        let number = run.log;
        let Some(mut named) = self.in_names.log(number).cloned() else {
            return self.close(CloseReason::Misbehaved("a log that was not named"), out);
        };
        self.settling.disturbed();
        self.settling.awaits();
        if !self.spaces.contains_key(&named.space) && !self.new_candidate(named.space) {
            self.forgone.insert(named.space);
            return self.refuse(named.space, None, Reason::Absent, out);
        }
        let Some(space) = self.spaces.get_mut(&named.space) else { return };
        match &space.standing {
            Standing::Excluded => {
                self.forgone.insert(named.space);
            }
            Standing::Candidate(_) => self.on_candidate_run(&mut named, run, out),
            Standing::Out(_) if named.name.stream == Stream::Data => {}
            Standing::Revoked(_) if space.receiving.gap => self.answer_revoked(named.space, out),
            Standing::Revoked(_) if space.receiving.refused => {}
            Standing::Revoked(_) if !hands_over(&named, self.config.peer) => space.receiving.refused = true,
            Standing::Shared | Standing::Out(_) if space.receiving.gap => {}
            Standing::Shared | Standing::Out(_) | Standing::Revoked(_) if space.receiving.view.is_none() => {
                self.wait_for_view(named.space, Frame::Run(run), out);
            }
            Standing::Shared | Standing::Out(_) | Standing::Revoked(_) => self.on_shared_run(&mut named, run, out),
        }
        if let Some((seq, hash)) = named.last {
            self.in_names.came(number, seq, hash);
        }
    }

    /// A relay takes up a space that it does not share with the peer as a candidate.
    fn new_candidate(&mut self, id: SpaceId) -> bool {
        if !matches!(self.config.role, Role::Relay { .. }) {
            return false;
        }
        let tail = nothing(id);
        let mut space = Space::new(
            SharedSpace { tail, cursor: None, acked: 0, others: false },
            Standing::Candidate(Default::default()),
        );
        space.receiving.view = Some(empty_view(tail, self.config.rules.membership));
        self.spaces.insert(id, space);
        true
    }

    fn on_shared_run(&mut self, named: &mut NamedLog, run: Run, out: &mut Vec<Effect>) {
        let Some(space) = self.spaces.get_mut(&named.space) else { return };
        let Some(view) = &space.receiving.view else { return };
        let last = run.first.saturating_add(run.entries.len() as u64).saturating_sub(1);
        let has = space.sending.peer_has.entry(named.id).or_default();
        *has = (*has).max(last);
        match verify::read_run(named, run, view.heads.get(&named.id), self.config.rules) {
            Read::Known => {}
            Read::Gap => self.gap(named.space, None, out),
            Read::Forked => self.gap(named.space, Some(named.id), out),
            Read::Malformed => self.refuse_entry(named, 0, Reason::Malformed, out),
            Read::Entries(entries) => {
                let (good, bad) = verify::verify_run(named, entries, self.config.rules);
                for entry in good {
                    if !self.take(named, entry, out) {
                        return;
                    }
                }
                if let Some((seq, reason)) = bad {
                    self.refuse_entry(named, seq, reason, out);
                }
            }
        }
    }

    /// Judges a verified entry by the membership, and puts it into the pending batch. `false` ends the run.
    pub(super) fn take(&mut self, named: &NamedLog, entry: Verified, out: &mut Vec<Effect>) -> bool {
        let rules = self.config.rules;
        let Some(space) = self.spaces.get_mut(&named.space) else { return false };
        let Some(view) = &mut space.receiving.view else { return false };
        match entry.kind() {
            Kind::Membership => match insert_membership(&mut view.membership, &entry) {
                Ok(()) => {}
                Err(None) => {
                    self.gap(named.space, None, out);
                    return false;
                }
                Err(Some(reason)) => {
                    self.refuse_entry(named, entry.seq(), reason, out);
                    return false;
                }
            },
            Kind::Data => {
                if rules.check_membership && !view.membership.state().is_admitted(entry.author()) {
                    self.refuse_entry(named, entry.seq(), Reason::NotMember, out);
                    return false;
                }
                let others = |head: &&Head| {
                    head.name.device == named.name.device && head.name.incarnation != named.name.incarnation
                };
                let incarnations: BTreeSet<Incarnation> =
                    view.heads.values().filter(others).map(|head| head.name.incarnation).collect();
                if incarnations.len() >= limits::INCARNATIONS_MAX {
                    self.refuse_entry(named, entry.seq(), Reason::TooMany, out);
                    return false;
                }
            }
        }
        let head = Head { name: named.name.clone(), seq: entry.seq(), hash: entry.hash() };
        // An entry at or below the newest one may be a fork's: the store tells, and the view is read anew then.
        if view.heads.get(&named.id).is_none_or(|known| known.seq < head.seq) {
            view.heads.insert(named.id, head);
        }
        if space.limited && view.membership.state().is_active(self.config.own) {
            space.unlimit();
        }
        let bytes = entry.payload().map_or(0, <[u8]>::len) + 256;
        self.push(named.space, Incoming::Entry(entry), bytes);
        true
    }

    fn push(&mut self, id: SpaceId, item: Incoming, bytes: usize) {
        if let Some(space) = self.spaces.get_mut(&id) {
            space.receiving.under_way += 1;
        }
        self.pending.items.push(item);
        self.pending_bytes += bytes;
    }

    /// A predecessor is missing, or the log forked: nothing counts until the peer begins anew from our vector.
    pub(super) fn gap(&mut self, id: SpaceId, suspect: Option<LogId>, out: &mut Vec<Effect>) {
        if let Some(space) = self.spaces.get_mut(&id) {
            space.receiving.suspect.extend(suspect);
            space.receiving.gap = true;
            self.tell_vector(id, out);
        }
    }

    pub(super) fn refuse_entry(&mut self, named: &NamedLog, seq: u64, reason: Reason, out: &mut Vec<Effect>) {
        if let Some(space) = self.spaces.get_mut(&named.space) {
            space.receiving.refused = true;
        }
        self.refuse(named.space, Some((named.id, seq)), reason, out);
    }

    pub(super) fn on_upto(&mut self, number: u32, arrival: u64, hash: HashPrefix, out: &mut Vec<Effect>) {
        let Some(id) = self.in_names.space(number) else {
            return self.close(CloseReason::Misbehaved("a space that was not named"), out);
        };
        self.settling.disturbed();
        self.settling.awaits();
        let Some(space) = self.spaces.get_mut(&id) else { return };
        if !std::mem::replace(&mut space.receiving.heard, true) {
            self.settling.follow = self.settling.follow.saturating_sub(1);
        }
        if matches!(space.standing, Standing::Candidate(_)) {
            return self.turn_away(id, out);
        }
        if space.is_revoked() && space.receiving.gap {
            return self.answer_revoked(id, out);
        }
        if space.is_revoked() && !space.receiving.refused {
            self.handed.retain(|(other, _, _)| *other != id);
            return self.handed.push((id, arrival, hash));
        }
        // What came behind something that was refused waits for no cursor.
        self.overdue |= space.receiving.refused;
        if !space.is_shared() || space.receiving.gap || space.receiving.refused {
            return;
        }
        self.pending.cursors.retain(|(other, _, _)| *other != id);
        self.pending.cursors.push((id, arrival, hash));
        if !self.config.rules.durable_acks {
            let space = self.out_names.space(id, out);
            out.push(Effect::Send(Frame::Ack { space, arrival }));
        }
    }

    pub(super) fn on_receipt(&mut self, number: u32, receipt: SignedReceipt, out: &mut Vec<Effect>) {
        let Some(id) = self.in_names.space(number) else {
            return self.close(CloseReason::Misbehaved("a space that was not named"), out);
        };
        let takes = |space: &&Space| space.is_shared() || (space.is_revoked() && !space.receiving.gap);
        let Some(space) = self.spaces.get(&id).filter(takes) else { return };
        let Some(view) = &space.receiving.view else {
            return self.wait_for_view(id, Frame::Receipt { space: number, receipt }, out);
        };
        let id_on_line = receipt_id(&receipt);
        // The last receipt of who was put out says that it knows.
        let (revoke, revoked, peer) = (self.config.rules.revoke, space.is_revoked(), self.config.peer);
        let active = |device| {
            let former = || revoke && view.membership.was_listed(device);
            (view.membership.state().is_active(device) || former()) && (!revoked || device == peer)
        };
        match verify::verify_receipt(id, receipt).filter(|verified| active(verified.receipt().device)) {
            Some(verified) => {
                if let Some(space) = self.spaces.get_mut(&id) {
                    space.sending.receipts.insert(id_on_line);
                }
                let bytes = verified.signed().body.len() + 128;
                self.push(id, Incoming::Receipt(verified), bytes);
            }
            // A receipt says nothing that anybody depends on: it is dropped, and the session goes on.
            None => out.push(Effect::Notify(Event::Refused {
                space: id,
                entry: None,
                reason: Reason::Signature,
                ours: false,
            })),
        }
    }

    pub(super) fn on_fork(&mut self, number: u32, name: LogName, proof: ForkProof, out: &mut Vec<Effect>) {
        let Some(id) = self.in_names.space(number) else {
            return self.close(CloseReason::Misbehaved("a space that was not named"), out);
        };
        if !self.spaces.get(&id).is_some_and(Space::is_shared) {
            return;
        }
        if !verify::verify_fork(id, &name, &proof) {
            // Data entries are verified in batches, which take signatures that the strict check does not: an honest
            // peer may hold such a proof. The entries themselves will show the fork.
            let entry = Some((name.id(id), proof.seq));
            out.push(Effect::Notify(Event::Refused { space: id, entry, reason: Reason::Signature, ours: false }));
            return;
        }
        self.push(id, Incoming::Fork(id, name, proof), 1024);
        if let Some(space) = self.spaces.get_mut(&id) {
            space.receiving.stale = true;
        }
    }

    pub(super) fn on_give(&mut self, number: u32, log: LogId, seq: u64, answer: Answer, out: &mut Vec<Effect>) {
        let Some(id) = self.in_names.space(number) else {
            return self.close(CloseReason::Misbehaved("a space that was not named"), out);
        };
        if let Answer::Payload(bytes) = answer
            && bytes.len() <= limits::MEMBERSHIP_PAYLOAD_BYTES_MAX
            && self.spaces.get(&id).is_some_and(Space::is_shared)
        {
            let len = bytes.len();
            self.push(id, Incoming::Payload(id, log, seq, bytes.into()), len);
        }
    }

    /// Asks for the pending batch to be made durable, when a page is complete or much waits.
    pub(super) fn flush_pending(&mut self, out: &mut Vec<Effect>) {
        let asked_for = !self.pending.cursors.is_empty() || !self.handed.is_empty();
        // Who says that this device is out sends no `Upto` behind the membership.
        let ends = || self.overdue || self.spaces.values().any(Space::is_out_heard);
        let told = !self.pending.items.is_empty() && ends();
        let complete = asked_for || told || self.pending_bytes >= PENDING_BYTES;
        let asked = || self.spaces.values().any(|space| space.receiving.vector_due && space.receiving.under_way > 0);
        let complete = complete || (!self.pending.items.is_empty() && asked());
        let alone = self.inbox.is_empty() && self.pending.items.iter().any(|item| !matches!(item, Incoming::Entry(_)));
        if complete || alone {
            self.persist(out);
        }
    }

    /// Acknowledgements are made durable with the next batch, or when the line has settled.
    pub(super) fn flush_acks(&mut self, out: &mut Vec<Effect>) {
        if !self.pending.acked.is_empty() {
            self.persist(out);
        }
    }

    /// The connection is over: what came in whole is still kept.
    pub(super) fn ended(&mut self, out: &mut Vec<Effect>) {
        if !self.config.rules.resume {
            return;
        }
        if !self.pending.items.is_empty() || !self.pending.acked.is_empty() {
            self.persist(out);
        }
    }

    /// Spaces of which a batch makes entries durable that no cursor of it covers, where there is a cursor.
    fn uncovered_by(&mut self, batch: &Batch) -> Vec<SpaceId> {
        let entries = batch.items.iter().filter(|item| matches!(item, Incoming::Entry(_)));
        let mut void: BTreeSet<SpaceId> = entries.map(Incoming::space).collect();
        for (id, ..) in &batch.cursors {
            void.remove(id);
        }
        let had = |id: &SpaceId| {
            let space = self.spaces.get_mut(id).filter(|space| space.is_shared());
            space.is_some_and(|space| space.cursor.take().is_some())
        };
        if self.config.rules.resume { void.into_iter().filter(had).collect() } else { Vec::new() }
    }

    fn persist(&mut self, out: &mut Vec<Effect>) {
        let Some(peer) = self.peer_instance else { return };
        if self.persisting {
            return;
        }
        self.persisting = true;
        self.overdue = false;
        self.pending_bytes = 0;
        let mut batch: Batch = std::mem::take(&mut self.pending);
        batch.peer = Some((self.config.peer, peer));
        batch.void = self.uncovered_by(&batch);
        batch.handed = self.spaces.iter().filter(|(_, space)| space.is_revoked()).map(|(id, _)| *id).collect();
        let under_way = UnderWay::of(&batch, std::mem::take(&mut self.handed));
        self.ask(Query::Persist(batch), Asked::Persist(under_way), out);
    }
}

/// Whether a device that was put out may bring entries of this log: membership, and what it wrote itself.
fn hands_over(named: &NamedLog, peer: alliance_wire::DeviceKey) -> bool {
    named.name.stream == Stream::Membership || named.name.device == peer
}

/// Adds a membership entry to the set; `Err(None)` when an ancestor is missing.
pub(super) fn insert_membership(set: &mut Arc<Membership>, entry: &Verified) -> Result<(), Option<Reason>> {
    use alliance_crypto::MembershipError;
    match Arc::make_mut(set).insert(entry) {
        Ok(_) => Ok(()),
        Err(MembershipError::Missing(_)) => Err(None),
        Err(MembershipError::TooMany { .. }) => Err(Some(Reason::TooMany)),
        Err(MembershipError::Stranger) => Err(Some(Reason::NotMember)),
        Err(_) => Err(Some(Reason::Malformed)),
    }
}

/// A space of which nothing is here.
pub(super) fn nothing(space: SpaceId) -> Tail {
    Tail { space, digest: alliance_wire::vector::digest(space, []), arrival: 0, hash: HashPrefix([0; 16]) }
}

pub(super) fn empty_view(tail: Tail, rules: MembershipRules) -> View {
    View {
        heads: std::collections::BTreeMap::new(),
        membership: Arc::new(Membership::under(rules, tail.space)),
        forks: std::collections::BTreeMap::new(),
        tail,
    }
}
