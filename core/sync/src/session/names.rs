//! The numbers that each direction of a connection gives to spaces and logs.

use std::collections::BTreeMap;

use alliance_wire::frame::Number;
use alliance_wire::limits;
use alliance_wire::{Frame, HeaderHash, LogId, LogName, SpaceId};

use crate::contract::Effect;

/// Spaces and logs that one direction may name: far above what two honest replicas share.
const NAMES_MAX: usize = 1 << 20;

/// What this side has named.
#[derive(Debug, Default)]
pub(super) struct OutNames {
    spaces: BTreeMap<SpaceId, Number>,
    logs: BTreeMap<LogId, (Number, SpaceId, Sent)>,
}

/// How far a log was sent on this connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// Number of the newest entry sent, 0 for none.
    pub(super) seq: u64,
    /// Its header hash.
    pub(super) hash: Option<HeaderHash>,
}

impl OutNames {
    /// The space's number; names it first if need be.
    pub(super) fn space(&mut self, space: SpaceId, out: &mut Vec<Effect>) -> Number {
        let next = number(self.spaces.len());
        *self.spaces.entry(space).or_insert_with(|| {
            out.push(Effect::Send(Frame::Space { space }));
            next
        })
    }

    /// The log's number and how far it was sent; names it first if need be.
    pub(super) fn log(&mut self, space: SpaceId, name: &LogName, out: &mut Vec<Effect>) -> (Number, &mut Sent) {
        let id = name.id(space);
        if !self.logs.contains_key(&id) {
            let number_of_space = self.space(space, out);
            out.push(Effect::Send(Frame::Log { space: number_of_space, name: name.clone() }));
            let next = number(self.logs.len());
            self.logs.insert(id, (next, space, Sent::default()));
        }
        let (number, _, sent) = self.logs.get_mut(&id).expect("named above");
        (*number, sent)
    }

    /// Whether a log was named already.
    pub(super) fn knows_log(&self, log: &LogId) -> bool {
        self.logs.contains_key(log)
    }

    /// The peer may have dropped what was sent of this space: the next run of each log says what it follows.
    pub(super) fn forget_sent(&mut self, space: SpaceId) {
        for (_, _, sent) in self.logs.values_mut().filter(|(_, of, _)| *of == space) {
            *sent = Sent::default();
        }
    }
}

/// What the peer has named.
#[derive(Debug, Default)]
pub(super) struct InNames {
    spaces: Vec<SpaceId>,
    logs: Vec<NamedLog>,
}

/// A log that the peer named.
#[derive(Debug, Clone)]
pub(super) struct NamedLog {
    pub(super) space: SpaceId,
    pub(super) id: LogId,
    pub(super) name: LogName,
    /// The newest entry that came in this log on this connection: what the next run follows if it does not say.
    pub(super) last: Option<(u64, HeaderHash)>,
}

impl InNames {
    /// Takes a new space; `None` when there are too many.
    pub(super) fn add_space(&mut self, space: SpaceId) -> Option<()> {
        (self.spaces.len() < NAMES_MAX).then(|| self.spaces.push(space))
    }

    /// Takes a new log; `None` when its space is unknown, its path is too long or there are too many.
    pub(super) fn add_log(&mut self, space: Number, name: LogName) -> Option<()> {
        let space = self.space(space)?;
        if self.logs.len() >= NAMES_MAX || name.path.len() > limits::CONTINUATIONS_MAX {
            return None;
        }
        self.logs.push(NamedLog { space, id: name.id(space), name, last: None });
        Some(())
    }

    /// The space of a number.
    pub(super) fn space(&self, number: Number) -> Option<SpaceId> {
        self.spaces.get(number as usize).copied()
    }

    /// The log of a number.
    pub(super) fn log(&self, number: Number) -> Option<&NamedLog> {
        self.logs.get(number as usize)
    }

    /// Remembers the newest entry that came in a log.
    pub(super) fn came(&mut self, number: Number, seq: u64, hash: HeaderHash) {
        if let Some(log) = self.logs.get_mut(number as usize) {
            log.last = Some((seq, hash));
        }
    }
}

fn number(len: usize) -> Number {
    Number::try_from(len).expect("a replica holds fewer logs than 2^32")
}
