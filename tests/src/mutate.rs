//! Structure-aware mutations of Automerge change chunks: what a hostile member could send.
//!
//! [`Parts`] takes a chunk apart and puts it together again with checksum and hash repaired, so that a mutation is
//! never refused for its checksum. [`Mutator`] draws mutations from a seed: of header fields, dependencies, actors,
//! columns, run lengths up to 2^60, and of decoded operations. One seed gives one sequence of mutations.
//!
//! The module stands alone, so that a worker process and a crate's own test can both include it.

use automerge::legacy::{ElementId, Key, ObjectId, Op, OpId, OpType};
use automerge::{ActorId, Change, ExpandedChange, ObjType, ScalarValue};

/// A small generator (SplitMix64): the same sequence for a seed on every machine.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The generator of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { usize::try_from(self.next() % bound as u64).unwrap_or(0) }
    }
}

/// A change chunk taken apart. Lengths and the checksum are computed when it is put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// Chunk type: 1 is an uncompressed change.
    pub chunk_type: u8,
    /// Dependencies.
    pub deps: Vec<[u8; 32]>,
    /// The author.
    pub actor: Vec<u8>,
    /// Sequence number.
    pub seq: u64,
    /// Number of the first operation.
    pub start_op: u64,
    /// Wall time.
    pub time: i64,
    /// Message.
    pub message: Vec<u8>,
    /// Other actors.
    pub others: Vec<Vec<u8>>,
    /// Column specifications and data.
    pub columns: Vec<(u64, Vec<u8>)>,
    /// Bytes behind the columns.
    pub extra: Vec<u8>,
}

impl Parts {
    /// Takes an honest chunk apart; `None` if it is none.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor(bytes.get(8..)?);
        let chunk_type = *cursor.take(1)?.first()?;
        let len = cursor.length()?;
        let mut cursor = Cursor(cursor.take(len)?);
        let deps = (0..cursor.length()?).map(|_| cursor.take(32)?.try_into().ok()).collect::<Option<_>>()?;
        let actor = cursor.bytes()?;
        let seq = cursor.unsigned()?;
        let start_op = cursor.unsigned()?;
        let time = cursor.signed()?;
        let message = cursor.bytes()?;
        let others = (0..cursor.length()?).map(|_| cursor.bytes()).collect::<Option<_>>()?;
        let count = cursor.length()?;
        let heads: Vec<(u64, usize)> =
            (0..count).map(|_| Some((cursor.unsigned()?, cursor.length()?))).collect::<Option<_>>()?;
        let columns =
            heads.into_iter().map(|(spec, len)| Some((spec, cursor.take(len)?.to_vec()))).collect::<Option<_>>()?;
        let extra = cursor.0.to_vec();
        Some(Self { chunk_type, deps, actor, seq, start_op, time, message, others, columns, extra })
    }

    /// Puts the chunk together, with its length and checksum right.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut data = Vec::new();
        unsigned(&mut data, self.deps.len() as u64);
        data.extend(self.deps.iter().flatten());
        prefixed(&mut data, &self.actor);
        unsigned(&mut data, self.seq);
        unsigned(&mut data, self.start_op);
        signed(&mut data, self.time);
        prefixed(&mut data, &self.message);
        unsigned(&mut data, self.others.len() as u64);
        for other in &self.others {
            prefixed(&mut data, other);
        }
        unsigned(&mut data, self.columns.len() as u64);
        for (spec, column) in &self.columns {
            unsigned(&mut data, *spec);
            unsigned(&mut data, column.len() as u64);
        }
        data.extend(self.columns.iter().flat_map(|(_, column)| column));
        data.extend(&self.extra);
        frame(self.chunk_type, &data)
    }
}

/// Frames chunk data: magic, repaired checksum, type and length.
#[must_use]
pub fn frame(chunk_type: u8, data: &[u8]) -> Vec<u8> {
    let mut head = vec![chunk_type];
    unsigned(&mut head, data.len() as u64);
    let digest = sha256(&[head.as_slice(), data].concat());
    let mut out = vec![0x85, 0x6f, 0x4a, 0x83];
    out.extend(&digest[..4]);
    out.extend(head);
    out.extend(data);
    out
}

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

    /// Changes decoded operations, sometimes several; encoding is Automerge's own, so only what they say is wrong.
    fn operations(&mut self) -> Option<Mutation> {
        let change = Change::try_from(self.honest.as_slice()).ok()?;
        let mut expanded: ExpandedChange = change.decode();
        let edits = if self.random.below(3) == 0 { 2 + self.random.below(3) } else { 1 };
        let mut what = "operations";
        for _ in 0..edits {
            what = self.operation(&mut expanded)?;
        }
        let what = if edits > 1 { "several operations" } else { what };
        // The engine's encoder panics on some nonsense; that is no input then.
        let bytes = std::panic::catch_unwind(move || Change::from(expanded).raw_bytes().to_vec()).ok()?;
        Some(Mutation { bytes, what })
    }

    fn operation(&mut self, expanded: &mut ExpandedChange) -> Option<&'static str> {
        let at = self.random.below(expanded.operations.len());
        let reference = self.some_op(expanded);
        let op = expanded.operations.get_mut(at)?;
        Some(match self.random.below(14) {
            0 => {
                op.obj = ObjectId::Id(reference);
                "another object"
            }
            1 => {
                op.obj = ObjectId::Root;
                "the root"
            }
            2 => {
                op.key = Key::Seq(ElementId::Id(reference));
                "another element"
            }
            3 => {
                op.key = Key::Seq(ElementId::Head);
                "the head"
            }
            4 => {
                op.key = Key::Map("log".into());
                "a map key"
            }
            5 => {
                op.pred = vec![reference].into();
                "another predecessor"
            }
            6 => {
                op.pred = Vec::new().into();
                "no predecessor"
            }
            7 => {
                op.insert = !op.insert;
                "insert flipped"
            }
            8 => {
                op.action = OpType::Delete;
                "delete"
            }
            9 => {
                op.action = OpType::Increment(1);
                "increment"
            }
            10 => {
                op.action = OpType::Make([ObjType::Map, ObjType::List, ObjType::Text][self.random.below(3)]);
                "make"
            }
            11 => {
                op.action = OpType::Put(self.some_value());
                "another value"
            }
            12 => {
                let copy: Op = op.clone();
                expanded.operations.insert(at, copy);
                "operation twice"
            }
            _ => {
                expanded.operations.remove(at);
                "operation dropped"
            }
        })
    }

    fn some_actor(&mut self) -> Vec<u8> {
        let at = self.random.below(self.actors.len());
        self.actors.get(at).cloned().unwrap_or_default()
    }

    fn some_op(&mut self, change: &ExpandedChange) -> OpId {
        let own = change.start_op.get() + self.random.below(change.operations.len() + 2) as u64;
        match self.random.below(4) {
            0 => OpId::new(own, &change.actor_id),
            1 => OpId::new(own + 1_000_000, &ActorId::from(self.some_actor())),
            _ => {
                let at = self.random.below(self.known.len());
                self.known.get(at).cloned().unwrap_or_else(|| OpId::new(own, &change.actor_id))
            }
        }
    }

    fn some_value(&mut self) -> ScalarValue {
        match self.random.below(6) {
            0 => ScalarValue::Null,
            1 => ScalarValue::Str("longer than one letter".into()),
            2 => ScalarValue::Str("".into()),
            3 => ScalarValue::Counter(7.into()),
            4 => ScalarValue::Unknown { type_code: 12, bytes: vec![1, 2, 3] },
            _ => ScalarValue::Bytes(vec![0xff; 20]),
        }
    }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0;
        for index in 0..10 {
            let byte = *self.take(1)?.first()?;
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let mut value = 0_i64;
        for index in 0..9 {
            let byte = *self.take(1)?.first()?;
            value |= i64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                return Some(if byte & 0x40 != 0 { value - (1_i64 << (7 * index + 6) << 1) } else { value });
            }
        }
        None
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.unsigned()?).ok()
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let len = self.length()?;
        self.take(len).map(<[u8]>::to_vec)
    }
}

/// Appends an unsigned LEB128 number.
pub fn unsigned(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if value == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

/// Appends a signed LEB128 number.
pub fn signed(out: &mut Vec<u8>, mut value: i64) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if (value == 0 && low & 0x40 == 0) || (value == -1 && low & 0x40 != 0) {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

fn prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    unsigned(out, bytes.len() as u64);
    out.extend(bytes);
}

/// SHA-256 (FIPS 180-4). Written out here so that a mutator needs no library to repair a checksum.
#[must_use]
pub fn sha256(message: &[u8]) -> [u8; 32] {
    let roots = |exponent: f64| {
        (2_u32..).filter(|n| (2..*n).all(|d| n % d != 0)).map(move |prime| f64::from(prime).powf(exponent))
    };
    let constant = |root: f64| fraction_bits(root);
    let k: Vec<u32> = roots(1.0 / 3.0).take(64).map(constant).collect();
    let mut state: Vec<u32> = roots(0.5).take(8).map(constant).collect();
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(64), 0);
    if padded.len() - message.len() < 9 {
        padded.resize(padded.len() + 64, 0);
    }
    let end = padded.len() - 8;
    padded[end..].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        compress(&mut state, block, &k);
    }
    let mut out = [0; 32];
    for (chunk, word) in out.chunks_exact_mut(4).zip(state) {
        chunk.copy_from_slice(&word.to_be_bytes());
    }
    out
}

/// The first 32 bits of a number's fraction: exact for the square and cube roots that SHA-256 takes.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the fraction times 2^32 is below 2^32")]
fn fraction_bits(root: f64) -> u32 {
    (root.fract() * 4_294_967_296.0) as u32
}

fn compress(state: &mut [u32], block: &[u8], k: &[u32]) {
    let mut w: Vec<u32> = block.chunks_exact(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]])).collect();
    for i in 16..64 {
        let s0 = w[i - 15].rotate_right(7) ^ w[i - 15].rotate_right(18) ^ (w[i - 15] >> 3);
        let s1 = w[i - 2].rotate_right(17) ^ w[i - 2].rotate_right(19) ^ (w[i - 2] >> 10);
        w.push(w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1));
    }
    let mut v = state.to_vec();
    for i in 0..64 {
        let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
        let ch = (v[4] & v[5]) ^ (!v[4] & v[6]);
        let t1 = v[7].wrapping_add(s1).wrapping_add(ch).wrapping_add(k[i]).wrapping_add(w[i]);
        let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
        let maj = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        v.rotate_right(1);
        v[0] = t1.wrapping_add(s0.wrapping_add(maj));
        v[4] = v[4].wrapping_add(t1);
    }
    for (word, add) in state.iter_mut().zip(v) {
        *word = word.wrapping_add(add);
    }
}
