//! Structure-aware mutations of Automerge change chunks: what a hostile member could send.
//!
//! [`Parts`] takes a chunk apart and puts it together again with checksum and hash repaired, so that a mutation is
//! never refused for its checksum. [`Mutator`] draws mutations from a seed: of header fields, dependencies, actors,
//! columns, run lengths up to 2^60, and of decoded operations. One seed gives one sequence of mutations.
//!
//! A crate's own tests include this file and `random.rs` beside it by their paths, since they cannot depend on this
//! package: both stand at the root of the test, as they do here.

#[path = "mutate/operations.rs"]
mod operations;
#[path = "mutate/parts.rs"]
mod parts;

use automerge::Change;
use automerge::legacy::OpId;

pub use parts::{Parts, frame, signed, unsigned};

use crate::random::Random;

/// Draws mutations of one honest change.
#[derive(Debug, Clone)]
pub struct Mutator {
    random: Random,
    honest: Vec<u8>,
    parts: Parts,
    /// Ids of operations that other changes made, for references that exist but do not fit.
    known: Vec<OpId>,
    /// Other actors of the document.
    actors: Vec<Vec<u8>>,
}

/// A mutated change and what was done to it.
#[derive(Debug, Clone)]
pub struct Mutation {
    /// The chunk.
    pub bytes: Vec<u8>,
    /// What was done, for the printed line that replays it.
    pub what: &'static str,
}

impl Mutator {
    /// Mutations of `honest`, a change of a document whose other changes are `history`; `None` if one is no change.
    #[must_use]
    pub fn new(seed: u64, honest: &[u8], history: &[Vec<u8>]) -> Option<Self> {
        let mut known = Vec::new();
        let mut actors = Vec::new();
        for bytes in history {
            let change = Change::try_from(bytes.as_slice()).ok()?;
            let first = change.start_op().get();
            known.extend((first..first + change.len() as u64).map(|n| OpId::new(n, change.actor_id())));
            actors.push(change.actor_id().to_bytes().to_vec());
        }
        actors.sort();
        actors.dedup();
        let parts = Parts::parse(honest)?;
        Some(Self { random: Random::new(seed), honest: honest.to_vec(), parts, known, actors })
    }

    /// The next mutation: always other bytes than the honest change's.
    pub fn next_mutation(&mut self) -> Mutation {
        self.draw(10)
    }

    /// As [`Mutator::next_mutation`], without decoding the change: for mutations of mutations, on which the engine's
    /// own decoder could panic or hang.
    pub fn next_rough(&mut self) -> Mutation {
        self.draw(6)
    }

    fn draw(&mut self, sorts: usize) -> Mutation {
        loop {
            let mutation = match self.random.below(sorts) {
                0 | 1 => self.header(),
                2 => self.dependencies(),
                3 | 4 => self.columns(),
                5 => self.runs(),
                _ => match self.operations() {
                    Some(mutation) => mutation,
                    None => continue,
                },
            };
            if mutation.bytes != self.honest {
                return mutation;
            }
        }
    }

    fn header(&mut self) -> Mutation {
        let mut parts = self.parts.clone();
        let odd = [
            0,
            1,
            2,
            parts.seq.wrapping_add(1),
            parts.start_op.wrapping_add(1),
            1 << 31,
            u64::from(u32::MAX),
            1 << 60,
            u64::MAX,
        ];
        let number = odd[self.random.below(odd.len())];
        let what = match self.random.below(11) {
            0 => {
                parts.seq = number;
                "seq"
            }
            1 => {
                parts.start_op = number;
                "start op"
            }
            2 => {
                parts.actor = vec![0];
                "genesis actor"
            }
            3 => {
                parts.actor = self.some_actor();
                "another's actor"
            }
            4 => {
                parts.actor = (0..self.random.below(40)).map(|_| self.random.next().to_le_bytes()[0]).collect();
                "random actor"
            }
            5 => {
                parts.time = i64::try_from(self.random.next() >> 1).unwrap_or(1);
                "time"
            }
            6 => {
                parts.message = b"hello".to_vec();
                "message"
            }
            7 => {
                parts.extra = vec![1; 1 + self.random.below(30)];
                "footer"
            }
            8 => {
                let other = self.some_actor();
                parts.others.insert(self.random.below(parts.others.len() + 1), other);
                "one more actor"
            }
            9 => {
                let at = self.random.below(parts.others.len());
                if at < parts.others.len() {
                    parts.others.remove(at);
                }
                "one actor less"
            }
            _ => {
                parts.chunk_type = [0, 2, 3, 4, 255][self.random.below(5)];
                "chunk type"
            }
        };
        Mutation { bytes: parts.encode(), what }
    }

    fn dependencies(&mut self) -> Mutation {
        let mut parts = self.parts.clone();
        let at = self.random.below(parts.deps.len());
        let what = match self.random.below(5) {
            0 => {
                parts.deps.clear();
                "no deps"
            }
            1 => {
                if let Some(dep) = parts.deps.get(at).copied() {
                    parts.deps.push(dep);
                }
                "dep twice"
            }
            2 => {
                parts.deps.reverse();
                "deps reversed"
            }
            3 => {
                let mut dep = [0; 32];
                dep.iter_mut().for_each(|byte| *byte = self.random.next().to_le_bytes()[0]);
                parts.deps.push(dep);
                parts.deps.sort_unstable();
                "unknown dep"
            }
            _ => {
                if at < parts.deps.len() {
                    parts.deps.remove(at);
                }
                "one dep less"
            }
        };
        Mutation { bytes: parts.encode(), what }
    }

    fn columns(&mut self) -> Mutation {
        let mut parts = self.parts.clone();
        if parts.columns.is_empty() {
            return Mutation { bytes: parts.encode(), what: "nothing" };
        }
        let at = self.random.below(parts.columns.len());
        let other = self.random.below(parts.columns.len());
        let byte = self.random.next().to_le_bytes()[0];
        let what = match self.random.below(9) {
            0 => {
                parts.columns.remove(at);
                "column dropped"
            }
            1 => {
                let column = parts.columns[at].clone();
                parts.columns.insert(at, column);
                "column twice"
            }
            2 => {
                parts.columns[at].0 ^= 8;
                "deflate bit"
            }
            3 => {
                parts.columns[at].0 = u64::from(byte);
                "column type"
            }
            4 => {
                let data = parts.columns[other].1.clone();
                parts.columns[at].1 = data;
                "column copied"
            }
            5 => {
                let len = self.random.below(parts.columns[at].1.len() + 1);
                parts.columns[at].1.truncate(len);
                "column cut"
            }
            6 => {
                let data = &mut parts.columns[at].1;
                let place = self.random.below(data.len() + 1);
                data.insert(place, byte);
                "byte inserted"
            }
            7 => {
                parts.columns.push((9 << 4 | 4, vec![0, 1]));
                "expand column"
            }
            _ => {
                let data = &mut parts.columns[at].1;
                let place = self.random.below(data.len());
                if let Some(old) = data.get_mut(place) {
                    *old = byte;
                }
                "byte changed"
            }
        };
        Mutation { bytes: parts.encode(), what }
    }

    /// Puts a run of an enormous, zero or negative length at the front or end of a column.
    fn runs(&mut self) -> Mutation {
        let mut parts = self.parts.clone();
        let lengths =
            [1 << 60, (1 << 60) - 1, 20_000_000, 65_537, 65_536, 1 << 40, i64::MAX, 0, -(1 << 60), i64::MIN, -1, 2];
        let run = lengths[self.random.below(lengths.len())];
        let mut bytes = Vec::new();
        if self.random.below(4) == 0 {
            signed(&mut bytes, 0);
            unsigned(&mut bytes, run.unsigned_abs());
        } else {
            signed(&mut bytes, run);
            bytes.push(self.random.next().to_le_bytes()[0] & 0x3f);
        }
        // Often the same in every column: a short change that claims to hold very many operations.
        let all = self.random.below(3) == 0;
        let at = self.random.below(parts.columns.len());
        let front = self.random.below(2) == 0;
        for (index, (_, column)) in parts.columns.iter_mut().enumerate() {
            if all || index == at {
                if front {
                    column.splice(0..0, bytes.iter().copied());
                } else {
                    column.extend(&bytes);
                }
            }
        }
        Mutation { bytes: parts.encode(), what: "run length" }
    }

    fn some_actor(&mut self) -> Vec<u8> {
        let at = self.random.below(self.actors.len());
        self.actors.get(at).cloned().unwrap_or_default()
    }
}
