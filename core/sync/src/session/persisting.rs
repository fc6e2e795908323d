//! What is being made durable, and what follows when it is: cursors move and acknowledgements go out.

use std::collections::BTreeSet;

use alliance_wire::frame::ForkProof;
use alliance_wire::{Frame, HashPrefix, LogId, LogName, SpaceId};

use super::Session;
use crate::contract::{Batch, Effect, Event, Incoming, Outcome, Persisted};

/// A batch that is being made durable.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    items: Vec<Place>,
    cursors: Vec<(SpaceId, u64, HashPrefix)>,
}

/// Where an item belongs.
#[derive(Debug)]
struct Place {
    space: SpaceId,
    /// Its log and number, if it is of one entry.
    entry: Option<(LogId, u64)>,
    /// The log whose fork it proves.
    fork: Option<LogId>,
}

impl UnderWay {
    /// What will be known of a batch when it is durable. `handed` are acknowledged like its cursors.
    pub(super) fn of(batch: &Batch, handed: Vec<(SpaceId, u64, HashPrefix)>) -> Self {
        let cursors = batch.cursors.iter().copied().chain(handed).collect();
        Self { items: batch.items.iter().map(place).collect(), cursors }
    }
}

impl Session {
    pub(super) fn on_persisted(&mut self, under_way: UnderWay, done: Persisted, out: &mut Vec<Effect>) {
        self.persisting = false;
        let mut stored: Vec<(SpaceId, usize)> = Vec::new();
        let touched: BTreeSet<SpaceId> = under_way.items.iter().map(|place| place.space).collect();
        for (place, outcome) in under_way.items.into_iter().zip(done.outcomes) {
            let (id, entry) = (place.space, place.entry);
            if let Some(space) = self.spaces.get_mut(&id) {
                space.receiving.under_way = space.receiving.under_way.saturating_sub(1);
            }
            match outcome {
                Outcome::Duplicate => {}
                Outcome::Stored(_) if place.fork.is_some() => {
                    self.reread(id);
                    if let (Some(space), Some(log)) = (self.spaces.get_mut(&id), place.fork) {
                        space.forked(log);
                    }
                }
                Outcome::Stored(_) => match stored.iter_mut().find(|(space, _)| *space == id) {
                    Some((_, count)) => *count += 1,
                    None => stored.push((id, 1)),
                },
                Outcome::Forked(name, proof) => self.forked(id, &name, &proof, out),
                // Behind what was not taken of a device that is out nothing can be.
                Outcome::Gap if self.spaces.get(&id).is_some_and(|it| it.is_revoked() && it.receiving.refused) => {}
                Outcome::Gap => {
                    self.reread(id);
                    self.pending.cursors.retain(|(other, _, _)| *other != id);
                    self.gap(id, None, out);
                }
                Outcome::Refused(reason) => {
                    self.reread(id);
                    if let Some(space) = self.spaces.get_mut(&id) {
                        space.receiving.refused = true;
                    }
                    // An `Upto` that came meanwhile is no truer than the one of this batch.
                    self.pending.cursors.retain(|(other, _, _)| *other != id);
                    self.refuse(id, entry, reason, out);
                }
            }
        }
        for tail in done.tails {
            if let Some(space) = self.spaces.get_mut(&tail.space).filter(|space| space.tail.arrival < tail.arrival) {
                space.tail = tail;
            }
        }
        self.acknowledge(under_way.cursors, out);
        self.look_at_peer(&touched, out);
        let mut due = Vec::new();
        for (id, space) in &mut self.spaces {
            let fresh = space.receiving.refresh();
            let waited = space.receiving.vector_due && space.receiving.under_way == 0;
            if waited && (fresh || space.receiving.view.is_some()) {
                due.push(*id);
            }
        }
        for id in due {
            self.tell_vector(id, out);
        }
        out.extend(stored.into_iter().map(|(space, items)| Effect::Notify(Event::Stored { space, items })));
    }

    /// Moves our cursors and says so, now that everything up to them is durable.
    pub(super) fn acknowledge(&mut self, cursors: Vec<(SpaceId, u64, HashPrefix)>, out: &mut Vec<Effect>) {
        for (id, arrival, hash) in cursors {
            let Some(space) = self.spaces.get_mut(&id) else { continue };
            if space.receiving.gap || space.receiving.refused {
                continue;
            }
            if space.is_shared() {
                space.cursor = Some((arrival, hash));
            }
            if self.config.rules.durable_acks {
                let space = self.out_names.space(id, out);
                out.push(Effect::Send(Frame::Ack { space, arrival }));
            }
        }
    }

    pub(super) fn forked(&mut self, id: SpaceId, name: &LogName, proof: &ForkProof, out: &mut Vec<Effect>) {
        let log = name.id(id);
        self.reread(id);
        if let Some(space) = self.spaces.get_mut(&id) {
            space.receiving.suspect.remove(&log);
            space.forked(log);
        }
        out.push(Effect::Notify(Event::Fork { space: id, log, seq: proof.seq }));
    }

    pub(super) fn reread(&mut self, id: SpaceId) {
        if let Some(space) = self.spaces.get_mut(&id) {
            space.receiving.stale = true;
        }
    }
}

/// Where an item belongs.
fn place(item: &Incoming) -> Place {
    let (space, entry, fork) = match item {
        Incoming::Entry(entry) => (entry.space(), Some((entry.log(), entry.seq())), None),
        Incoming::Receipt(receipt) => (receipt.receipt().space, None, None),
        Incoming::Fork(space, name, _) => (*space, None, Some(name.id(*space))),
        Incoming::Payload(space, log, seq, _) => (*space, Some((*log, *seq)), None),
    };
    Place { space, entry, fork }
}
