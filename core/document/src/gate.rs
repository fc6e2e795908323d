//! The admission gate between a verified entry and a document (PROTOCOL section 2).
//!
//! *Stage 1*, [`Gate::judge`], never calls Automerge. It alone decides what is parked *for good*, as a pure function
//! of a change, its log's earlier entries and its ancestors' operations, so that all replicas agree. It reads the
//! change with its own bounded decoder ([`chunk`]), and asks the [`OpIndex`] of what was admitted before.
//!
//! *Stage 2* is [`Document::apply`](crate::Document::apply): all admitted changes in one call, on a clone, with
//! panics caught. If it fails, or [`Document::verified_save`](crate::Document::verified_save) does, [`rebuild`] makes
//! the document anew from the log and finds the first change that fails: it is parked until an update, later changes
//! of its actor and those that build on it wait.
//!
//! The caller's loop, per document and batch:
//!
//! 1. [`Gate::judge`] with every pending entry of the document, each actor's in log order;
//! 2. commit a `trying` row with [`Judged::trying`];
//! 3. [`Document::apply`](crate::Document::apply); on error [`rebuild`] with the whole log;
//! 4. in one transaction store verdicts and view and remove the `trying` row.
//!
//! A `trying` row found at the next start means that step 3 aborted, hung or was killed: [`Trying::recover`] says
//! what to do. Entries that wait are handed in again with the next batch.

mod chunk;
mod code;
mod columns;
mod index;
mod reader;
mod rebuild;
mod rules;
mod trying;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use alliance_model::DocumentKind;
use alliance_model::kind::is_decision_of;
use alliance_wire::PersonTag;
use alliance_wire::ids::DocumentId;

pub(crate) use chunk::Chunk;
pub use code::ParkCode;
pub use index::OpIndex;
pub use rebuild::{Rebuilt, rebuild};
pub use rules::Rules;
use rules::Writer;
pub use trying::{Recovery, Trying};

use crate::actor::Actor;
use crate::document::Document;
use crate::genesis::{GENESIS_ACTOR, genesis, upgrade};
use crate::heads::ChangeId;
use crate::schema::own_items;

/// Changes in one entry: a draft of 32 KiB of commands becomes a few at most.
pub const ENTRY_CHANGES_MAX: usize = 16;
/// Operations in one entry.
pub const ENTRY_OPS_MAX: usize = 131_072;

/// The changes of one entry that waits for admission, with what its verified header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The caller's name of the entry, for example its arrival number.
    pub entry: u64,
    /// The actor that the entry's (incarnation, document, n) gives: [`Actor::of`].
    pub actor: Actor,
    /// The person who writes as this actor. Of a person who is not known only what this actor made is its own.
    pub person: Option<PersonTag>,
    /// The schema that the payload names.
    pub schema: u16,
    /// The change chunks in order.
    pub changes: Vec<Vec<u8>>,
}

/// Why an entry waits. Nothing is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Waiting {
    /// It builds on changes that have not arrived.
    Missing,
    /// It stands behind a change that is parked until an update, or behind another waiting entry of its log.
    Behind,
    /// A newer schema: `SCHEMA_NEWER`, after an update.
    SchemaNewer,
}

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its changes are in the document.
    Admitted,
    /// Never applied, here as on every replica.
    ParkedForGood(ParkCode),
    /// This version fails on this change; tried again after an update, and named in this device's receipt.
    ParkedUntilUpdate(ChangeId),
    /// Handed in again with the next batch.
    Waiting(Waiting),
}

/// A change that stage 1 let through. Only the gate makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmittedChange {
    pub(crate) id: ChangeId,
    pub(crate) actor: Actor,
    pub(crate) seq: u64,
    pub(crate) start_op: u64,
    pub(crate) bytes: Vec<u8>,
}

impl AdmittedChange {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> ChangeId {
        self.id
    }

    /// The order in which a document is rebuilt: it is topological, because operation numbers rise with ancestry.
    pub(crate) fn order(&self) -> (u64, Actor, u64, ChangeId) {
        (self.start_op, self.actor, self.seq, self.id)
    }
}

/// What stage 1 said about a batch.
#[derive(Debug, Clone, Default)]
pub struct Judged {
    /// A verdict for each candidate, in the order in which they were handed in. `Admitted` holds once stage 2 is done.
    pub verdicts: Vec<(u64, Verdict)>,
    /// What stage 2 applies.
    pub admitted: Vec<AdmittedChange>,
}

impl Judged {
    /// The row to commit before stage 2; `None` if there is nothing to try.
    #[must_use]
    pub fn trying(&self, document: DocumentId) -> Option<Trying> {
        let entries: Vec<u64> = self
            .verdicts
            .iter()
            .filter(|(_, verdict)| *verdict == Verdict::Admitted)
            .map(|(entry, _)| *entry)
            .collect();
        if entries.is_empty() { None } else { Some(Trying { document, entries }) }
    }
}

/// The id of a change chunk, if its framing is whole: for holding the changes of an entry.
#[must_use]
pub fn change_id(bytes: &[u8]) -> Option<ChangeId> {
    chunk::peek(bytes).ok().map(|(id, _)| id)
}

/// The changes that a change chunk builds on, if its framing is whole: for finding out which branch of a forked log
/// other people's changes follow.
#[must_use]
pub fn change_parents(bytes: &[u8]) -> Option<Vec<ChangeId>> {
    chunk::peek(bytes).ok().and_then(|(_, parents)| parents.ok())
}

/// Who wrote a change chunk, as it says itself, if its framing is whole: for telling which of the actors of an entry's log
/// it means ([`Actor::of_entry`]).
#[must_use]
pub fn change_actor(bytes: &[u8]) -> Option<Actor> {
    chunk::author(bytes).ok()
}

/// Stage 1 of one document: the index of what was admitted, and the changes that others wait behind.
#[derive(Debug, Clone)]
pub struct Gate {
    id: DocumentId,
    kind: DocumentKind,
    rules: Rules,
    index: OpIndex,
    /// Changes parked for good because of what they hold: what builds on them is parked too.
    refused: BTreeSet<ChangeId>,
    /// Changes parked until an update.
    held: BTreeSet<ChangeId>,
}

impl Gate {
    /// The gate of a document of which nothing is known but its genesis.
    #[must_use]
    pub fn new(id: DocumentId, kind: DocumentKind, rules: Rules) -> Self {
        let mut gate =
            Self { id, kind, rules, index: OpIndex::default(), refused: BTreeSet::new(), held: BTreeSet::new() };
        let bytes = genesis(id, kind);
        gate.take_in(&bytes, |_| None).expect("the genesis change passes its own gate: it is a golden vector");
        for map in own_items(kind) {
            gate.index.own_items(&GENESIS_ACTOR, *map);
        }
        if let Some(bytes) = upgrade(id, kind) {
            // It writes at the root, as nobody else may.
            gate.rules.schema = false;
            gate.take_in(&bytes, |_| None).expect("the upgrade passes its own gate: it is a golden vector");
            gate.rules = rules;
        }
        gate
    }

    /// The gate of a document as loaded: its changes were admitted before they were saved. `person` says who writes as an
    /// actor.
    ///
    /// # Errors
    /// [`ParkCode`] if the document holds a change that the gate would not admit: rebuild it from the log.
    pub fn open(
        document: &Document,
        rules: Rules,
        person: impl Fn(&[u8]) -> Option<PersonTag>,
    ) -> Result<Self, ParkCode> {
        let mut gate = Self::new(document.id(), document.kind(), rules);
        let changes = document.changes().map_err(|_| ParkCode::ChunkDamaged)?;
        for (id, bytes) in &changes {
            if !gate.index.contains(id) {
                gate.take_in(bytes, &person)?;
            }
        }
        Ok(gate)
    }

    /// Parks a change until an update: it failed in this version, or a `trying` row names it.
    pub fn hold(&mut self, change: ChangeId) {
        self.held.insert(change);
    }

    /// Tells a gate that was opened from the cache what was parked for good earlier ([`change_id`] of each change of the
    /// entry that failed, and the code), so that what builds on it is parked too.
    pub fn remember(&mut self, change: ChangeId, code: ParkCode) {
        // The same bytes may have come in a wrong entry first; then they are not what is wrong.
        if !code.is_of_entry() && !self.index.contains(&change) {
            self.refused.insert(change);
        }
    }

    /// The index of what is admitted.
    #[must_use]
    pub const fn index(&self) -> &OpIndex {
        &self.index
    }

    /// Whether this change is admitted.
    #[must_use]
    pub fn contains(&self, change: &ChangeId) -> bool {
        self.index.contains(change)
    }

    /// Stage 1 on a batch: every pending entry of the document, those of one actor in log order.
    pub fn judge(&mut self, candidates: &[Candidate]) -> Judged {
        let mut queues: BTreeMap<Actor, VecDeque<usize>> = BTreeMap::new();
        for (index, candidate) in candidates.iter().enumerate() {
            queues.entry(candidate.actor).or_default().push_back(index);
        }
        let mut verdicts: Vec<Option<Verdict>> = vec![None; candidates.len()];
        let mut admitted = Vec::new();
        loop {
            let mut progress = false;
            for queue in queues.values_mut() {
                while let Some(index) = queue.front().copied() {
                    let verdict = self.judge_entry(&candidates[index], &mut admitted);
                    verdicts[index] = Some(verdict);
                    if matches!(verdict, Verdict::Waiting(_) | Verdict::ParkedUntilUpdate(_)) {
                        break;
                    }
                    queue.pop_front();
                    progress = true;
                }
            }
            if !progress {
                break;
            }
        }
        let behind = Verdict::Waiting(Waiting::Behind);
        let verdicts =
            candidates.iter().zip(verdicts).map(|(c, verdict)| (c.entry, verdict.unwrap_or(behind))).collect();
        Judged { verdicts, admitted }
    }

    /// An entry stands or falls as a whole.
    fn judge_entry(&mut self, candidate: &Candidate, admitted: &mut Vec<AdmittedChange>) -> Verdict {
        if candidate.schema > self.kind.schema() {
            return Verdict::Waiting(Waiting::SchemaNewer);
        }
        if candidate.changes.is_empty() || candidate.changes.len() > ENTRY_CHANGES_MAX {
            return Verdict::ParkedForGood(ParkCode::EntryLimit);
        }
        let before = if candidate.changes.len() > 1 { Some(self.index.clone()) } else { None };
        let kept = admitted.len();
        let mut ops = 0;
        for bytes in &candidate.changes {
            let verdict = match self.judge_change((candidate.actor, candidate.person), bytes, &mut ops) {
                Ok(change) => {
                    admitted.extend(change);
                    continue;
                }
                Err(verdict) => verdict,
            };
            if let Some(before) = before {
                self.index = before;
            }
            admitted.truncate(kept);
            return verdict;
        }
        Verdict::Admitted
    }

    /// `None` stands for a change of this actor that is admitted already: repeating it changes nothing, so that entries
    /// may be handed in again after a crash.
    fn judge_change(
        &mut self,
        (actor, person): (Actor, Option<PersonTag>),
        bytes: &[u8],
        ops: &mut usize,
    ) -> Result<Option<AdmittedChange>, Verdict> {
        let (id, deps) = chunk::peek(bytes).map_err(Verdict::ParkedForGood)?;
        if self.index.contains(&id) {
            return if self.index.is_of(&id, &actor.0) {
                Ok(None)
            } else {
                Err(Verdict::ParkedForGood(ParkCode::Actor))
            };
        }
        let deps = deps.map_err(|code| self.refuse_for(id, code))?;
        if self.held.contains(&id) {
            return Err(Verdict::ParkedUntilUpdate(id));
        }
        if let Some(dep) = deps.iter().find(|dep| !self.index.contains(dep)) {
            return Err(if self.refused.contains(dep) {
                self.refused.insert(id);
                Verdict::ParkedForGood(ParkCode::DependsOnParked)
            } else if self.held.contains(dep) {
                Verdict::Waiting(Waiting::Behind)
            } else {
                Verdict::Waiting(Waiting::Missing)
            });
        }
        let chunk = Chunk::parse(bytes).map_err(|code| self.refuse_for(id, code))?;
        *ops += chunk.ops.len();
        if *ops > ENTRY_OPS_MAX {
            return Err(Verdict::ParkedForGood(ParkCode::EntryLimit));
        }
        if chunk.deps.is_empty() {
            return Err(self.refuse_for(id, ParkCode::Deps));
        }
        // These two depend on who hands the change in and when, so the same bytes may still be admitted elsewhere.
        if chunk.actors[0] != actor.0 || !self.index.may_be(&actor.0, person) {
            return Err(Verdict::ParkedForGood(ParkCode::Actor));
        }
        let seq = self.index.seq_of(&actor.0) + 1;
        let follows = seq == 1 || deps.iter().any(|dep| self.index.is_change_of(dep, &actor.0, seq - 1));
        if chunk.seq != seq || !follows {
            return Err(Verdict::ParkedForGood(ParkCode::Seq));
        }
        let judged = rules::judge(&self.index, &chunk, self.writer(person), self.rules);
        let made = judged.map_err(|code| self.refuse_for(id, code))?;
        self.index.admit(&chunk, person, &made);
        Ok(Some(AdmittedChange { id, actor, seq, start_op: chunk.start_op, bytes: bytes.to_vec() }))
    }

    /// Who writes, and whether they may make items that are each of one person: in a decision nobody but whose it is.
    fn writer(&self, person: Option<PersonTag>) -> Writer {
        let makes_items =
            self.kind != DocumentKind::Decision || person.is_some_and(|person| is_decision_of(&self.id, &person));
        Writer { person, makes_items }
    }

    fn refuse_for(&mut self, id: ChangeId, code: ParkCode) -> Verdict {
        self.refused.insert(id);
        Verdict::ParkedForGood(code)
    }

    /// Takes in a change that is known to be admitted.
    fn take_in(&mut self, bytes: &[u8], person: impl Fn(&[u8]) -> Option<PersonTag>) -> Result<(), ParkCode> {
        let chunk = Chunk::parse(bytes)?;
        if !chunk.deps.iter().all(|dep| self.index.contains(dep)) {
            return Err(ParkCode::Deps);
        }
        let person = person(chunk.actors[0]);
        let made = rules::judge(&self.index, &chunk, self.writer(person), self.rules)?;
        self.index.admit(&chunk, person, &made);
        Ok(())
    }
}
