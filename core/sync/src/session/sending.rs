//! The sending half: pages of the store become runs, as long as the line takes them.

use std::sync::Arc;

use alliance_wire::frame::{ForkProof, Run, RunEntry, RunPayload};
use alliance_wire::hash::content_hash;
use alliance_wire::limits;
use alliance_wire::receipt::SignedReceipt;
use alliance_wire::{Entry, Frame, HashPrefix, HeaderHash, LogId, LogName, SpaceId, Stream};

use super::names::OutNames;
use super::space::{Gives, Position, Space};
use super::{Asked, Phase, Session};
use crate::contract::{CloseReason, Effect, Event, Outgoing, Page, Part, Query, Since};

/// Bytes that are read from the store at a time: the first page of a connection is small and each is twice as large as
/// the one before it, so that a line that breaks early has brought some that is acknowledged.
pub(super) const PAGE_BYTES_FIRST: usize = 16 * 1024;
const PAGE_BYTES_MAX: usize = 128 * 1024;

impl Session {
    /// Reads the next page, if there is anything to send and the line has taken what was sent.
    pub(super) fn pump(&mut self, out: &mut Vec<Effect>) {
        let may = self.phase == Phase::Open || (self.phase == Phase::Opening && self.config.dials);
        if !may || self.sending_busy || !self.credit {
            return;
        }
        let Some((id, space)) = self.spaces.iter_mut().find(|(_, space)| space.has_more() || space.tells().is_some())
        else {
            return;
        };
        let bytes = self.page_bytes;
        let since = match space.tells().or(space.sending.membership) {
            Some(after) => Since { space: *id, after, part: Part::Membership, bytes: PAGE_BYTES_MAX },
            None => {
                let equal = matches!(space.sending.position, Position::Equal(_));
                let part = if equal { Part::Receipts } else { Part::Everything };
                Since { space: *id, after: space.sending.sent, part, bytes }
            }
        };
        self.sending_busy = true;
        let (round, membership) = (space.sending.round, since.part == Part::Membership);
        let asked = Asked::Page { space: *id, round, membership };
        self.ask(Query::Since(since), asked, out);
    }

    pub(super) fn on_page(&mut self, id: SpaceId, round: u32, membership: bool, page: Page, out: &mut Vec<Effect>) {
        self.sending_busy = false;
        if page.more && !membership {
            self.page_bytes = (2 * self.page_bytes).min(PAGE_BYTES_MAX);
        }
        if self.spaces.get(&id).is_some_and(Space::is_revoked) {
            return self.on_told_page(id, page, out);
        }
        let Some(space) = self.spaces.get_mut(&id).filter(|space| space.sends()) else { return };
        if space.sending.position == Position::Unknown || space.sending.round != round {
            // The peer moved us to another place while the page was read.
            return;
        }
        let (gives, own) = (space.gives(), self.config.own);
        let before = out.len();
        let mut runs = Runs::new(id, &mut self.out_names);
        for item in page.items {
            match item {
                Outgoing::Entry(name, entry) => {
                    let (log, seq) = (name.id(id), entry.header().seq);
                    let theirs = gives == Gives::All && self.config.rules.pass_on;
                    let membership = gives != Gives::All && name.stream == Stream::Membership;
                    let may = theirs || membership || (name.device == own && gives != Gives::Membership);
                    if may && !space.peer_has(log, seq) {
                        runs.send(space, &name, entry, out);
                        space.sending.peer_has.insert(log, seq);
                    }
                }
                Outgoing::Receipt(receipt) => {
                    let device = receipt.parse().map(|receipt| receipt.device);
                    let theirs = device == Ok(self.config.peer) || (gives != Gives::All && device != Ok(own));
                    if theirs || gives == Gives::Membership || !space.sending.receipts.insert(receipt_id(&receipt)) {
                        continue;
                    }
                    runs.close(out);
                    let space = runs.names.space(id, out);
                    out.push(Effect::Send(Frame::Receipt { space, receipt }));
                }
                Outgoing::Fork(name, proof) => {
                    runs.close(out);
                    runs.fork(&name, proof, out);
                }
            }
        }
        runs.close(out);
        let sent_something = std::mem::take(&mut space.sending.uncovered) | (out.len() > before);
        if membership && (page.more || gives != Gives::Membership) {
            space.sending.uncovered = sent_something;
            space.sending.membership = page.more.then_some(page.upto);
        } else {
            space.sending.membership = None;
            // Equality was shown up to a number; what arrived here since is sent like anything else.
            let equal = if let Position::Equal(upto) = space.sending.position { Some(upto) } else { None };
            space.sending.sent = equal.map_or(page.upto, |equal| page.upto.min(equal));
            if equal.is_some_and(|equal| page.upto >= equal) {
                space.sending.position = Position::Reached;
                if equal.is_some_and(|equal| page.upto > equal) {
                    // The next page begins there, and its `Upto` covers this one.
                    space.sending.uncovered = sent_something;
                    self.credit &= out.len() == before;
                    return;
                }
            }
            let upto = (page.upto, page.hash);
            let promised = std::mem::take(&mut space.sending.promised);
            if promised {
                // The peer waits for this one. What it acknowledged once, or a copy of it did under the same key, is no
                // word of the database that has no cursor here.
                space.acked = space.acked.min(page.upto.saturating_sub(1));
            }
            if sent_something || !self.settling.agreed || promised {
                // What was sent becomes durable with its `Upto`, even if the peer once acknowledged that number.
                space.sending.upto = space.sending.upto.min(page.upto.saturating_sub(u64::from(sent_something)));
                Self::say_upto(space, id, upto, &mut self.out_names, out);
            } else {
                // Only the peer's own entries: it can wait until the line is quiet.
                space.sending.owed = Some(upto);
                self.settling.owe(self.now);
            }
        }
        if out.len() > before {
            self.credit = false;
            self.settling.disturbed();
            self.settling.awaits();
        }
    }

    /// Says that everything up to an arrival number was sent, unless the peer has acknowledged it.
    pub(super) fn say_upto(
        space: &mut Space,
        id: SpaceId,
        (arrival, hash): (u64, HashPrefix),
        names: &mut OutNames,
        out: &mut Vec<Effect>,
    ) {
        space.sending.owed = None;
        if arrival > space.sending.upto || space.acked < arrival {
            space.sending.upto = arrival;
            space.sending.upto_max = space.sending.upto_max.max(arrival);
            let space = names.space(id, out);
            out.push(Effect::Send(Frame::Upto { space, arrival, hash }));
        }
    }

    pub(super) fn on_ack(&mut self, number: u32, arrival: u64, out: &mut Vec<Effect>) {
        let Some(id) = self.in_names.space(number) else {
            return self.close(CloseReason::Misbehaved("a space that was not named"), out);
        };
        let Some(space) = self.spaces.get_mut(&id) else { return };
        if arrival > space.sending.upto_max && arrival <= space.sending.void {
            return;
        }
        if arrival > space.sending.upto_max {
            return self.close(CloseReason::Misbehaved("an acknowledgement of what was not sent"), out);
        }
        // What the peer said before it had this is void: it will say what it has now.
        self.settling.awaits();
        if arrival > space.acked {
            space.acked = arrival;
            if space.gives() == Gives::Membership {
                // Of what was told to a peer that takes this device for out, it says nothing of the rest.
                return;
            }
            // A relay works from the cursors that devices tell it, and saves itself the writing.
            if matches!(self.config.role, super::Role::Device { .. }) {
                self.pending.acked.retain(|(other, _)| *other != id);
                self.pending.acked.push((id, arrival));
            }
            out.push(Effect::Notify(Event::Acknowledged { space: id, arrival }));
        }
    }
}

/// Tells receipts apart on one connection.
pub(super) fn receipt_id(receipt: &SignedReceipt) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&content_hash(&receipt.body)[..16]);
    id
}

/// Entries of one log on their way into a frame.
struct OpenRun {
    log: LogId,
    name: Arc<LogName>,
    first: u64,
    prev: HeaderHash,
    last: HeaderHash,
    entries: Vec<RunEntry>,
    bytes: usize,
}

/// An entry as a run has it.
pub(super) fn run_entry(entry: Entry) -> RunEntry {
    let header = &entry.signed.header;
    let suffix = header.suffix.as_bytes().to_vec().into();
    let absent = RunPayload::Absent { len: header.payload_len, hash: header.payload_hash };
    let payload = entry.payload.map_or(absent, |bytes| RunPayload::Here(bytes.into()));
    RunEntry { suffix, signature: entry.signed.signature, payload }
}

/// Groups consecutive entries of a log into runs.
pub(super) struct Runs<'a> {
    space: SpaceId,
    open: Option<OpenRun>,
    names: &'a mut OutNames,
}

impl<'a> Runs<'a> {
    pub(super) const fn new(space: SpaceId, names: &'a mut OutNames) -> Self {
        Self { space, open: None, names }
    }

    /// Sends an entry; before the first of a continuation the proof of its fork.
    pub(super) fn send(&mut self, space: &Space, name: &Arc<LogName>, entry: Entry, out: &mut Vec<Effect>) {
        if !name.path.is_empty() && !self.names.knows_log(&name.id(self.space)) {
            self.prove(space, name, out);
        }
        self.push(name, entry, out);
    }

    fn push(&mut self, name: &Arc<LogName>, entry: Entry, out: &mut Vec<Effect>) {
        let header = &entry.signed.header;
        let log = name.id(self.space);
        let fits = self.open.as_ref().is_some_and(|run| {
            run.log == log
                && run.last == header.prev
                && run.entries.len() < limits::RUN_ENTRIES_MAX
                && run.bytes < limits::RUN_BYTES_TARGET
        });
        if !fits {
            self.close(out);
        }
        let (seq, prev, hash) = (header.seq, header.prev, header.hash());
        let entry = run_entry(entry);
        let run = self.open.get_or_insert_with(|| OpenRun {
            log,
            name: Arc::clone(name),
            first: seq,
            prev,
            last: hash,
            entries: Vec::new(),
            bytes: 0,
        });
        run.last = hash;
        let payload = if let RunPayload::Here(bytes) = &entry.payload { bytes.len() } else { 36 };
        run.bytes += entry.suffix.len() + 64 + payload;
        run.entries.push(entry);
    }

    pub(super) fn close(&mut self, out: &mut Vec<Effect>) {
        let Some(run) = self.open.take() else { return };
        let (log, sent) = self.names.log(self.space, &run.name, out);
        // The peer knows what comes before if it is the first entry of all, or was sent on this connection.
        let implied = run.first == 1 || sent.hash == Some(run.prev);
        sent.hash = Some(run.last);
        out.push(Effect::Send(Frame::Run(Run {
            log,
            first: run.first,
            prev: (!implied).then_some(run.prev),
            entries: run.entries,
        })));
    }

    fn fork(&mut self, name: &LogName, proof: ForkProof, out: &mut Vec<Effect>) {
        let space = self.names.space(self.space, out);
        out.push(Effect::Send(Frame::Fork { space, name: name.clone(), proof }));
    }

    /// Sends the proof of the fork that a continuation follows from, where this session knows it.
    fn prove(&mut self, space: &Space, name: &LogName, out: &mut Vec<Effect>) {
        self.close(out);
        let Some(view) = &space.receiving.view else { return };
        let mut parent = LogName { path: Vec::new(), ..name.clone() };
        for first in &name.path {
            if let Some((name, proof)) = view.forks.get(&parent.id(self.space)) {
                self.fork(name, proof.clone(), out);
            }
            parent = parent.branch(*first);
        }
    }
}
