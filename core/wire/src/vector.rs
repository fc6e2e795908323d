//! What a replica has: rows, digests, roots and cursor checks (PROTOCOL section 3).

use minicbor::{Decode, Encode};

use crate::hash::{Domain, hasher};
use crate::ids::{DeviceKey, HashPrefix, HeaderHash, Incarnation, LogId, SpaceId, Stream};

/// One log of a space as a vector names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Row {
    /// The log, or a fork's continuation.
    #[n(0)]
    pub log: LogId,
    /// Verified headers, contiguous from the log's first.
    #[n(1)]
    pub seq: u64,
    /// First 16 bytes of the newest header's hash.
    #[n(2)]
    pub hash: HashPrefix,
}

/// What certifies a log's id: who writes it, and for a fork's continuation the first entries of the branches that lead
/// to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct LogName {
    /// The author.
    #[n(0)]
    pub device: DeviceKey,
    /// The author's database.
    #[n(1)]
    pub incarnation: Incarnation,
    /// Which of the two logs.
    #[n(2)]
    #[cbor(with = "stream_number")]
    pub stream: Stream,
    /// First header hashes of the continuations on the way, outermost first; empty for a log that is no continuation.
    #[n(3)]
    pub path: Vec<HeaderHash>,
}

impl LogName {
    /// The name of a device's own log.
    #[must_use]
    pub const fn new(device: DeviceKey, incarnation: Incarnation, stream: Stream) -> Self {
        Self { device, incarnation, stream, path: Vec::new() }
    }

    /// The log whose id the author signs.
    #[must_use]
    pub fn signed_log(&self, space: SpaceId) -> LogId {
        LogId::of(space, self.stream, self.device, self.incarnation)
    }

    /// The id under which the log is stored and named in vectors.
    #[must_use]
    pub fn id(&self, space: SpaceId) -> LogId {
        self.path.iter().fold(self.signed_log(space), |log, first| log.continuation(*first))
    }

    /// The continuation of this log that begins with `first`.
    #[must_use]
    pub fn branch(&self, first: HeaderHash) -> Self {
        let mut name = self.clone();
        name.path.push(first);
        name
    }
}

mod stream_number {
    use super::Stream;

    pub(super) fn encode<C, W: minicbor::encode::Write>(
        stream: &Stream,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u8(*stream as u8)?.ok()
    }

    pub(super) fn decode<C>(d: &mut minicbor::Decoder<'_>, _: &mut C) -> Result<Stream, minicbor::decode::Error> {
        Stream::from_number(d.u8()?).ok_or_else(|| minicbor::decode::Error::message("no such stream"))
    }
}

/// Digest of a space: first 8 bytes of BLAKE3 over its rows by log id, with full header hashes.
///
/// `rows` must come sorted by log, without rows for number 0: the result for other input agrees with nobody's.
#[must_use]
pub fn digest(space: SpaceId, rows: impl IntoIterator<Item = (LogId, u64, HeaderHash)>) -> [u8; 8] {
    let mut hasher = hasher(Domain::Digest);
    hasher.update(&space.0);
    for (log, seq, hash) in rows {
        hasher.update(&log.0);
        hasher.update(&seq.to_be_bytes());
        hasher.update(&hash.0);
    }
    first8(hasher)
}

/// Root over the digests of the spaces that two replicas share, sorted by space.
#[must_use]
pub fn root<'a>(digests: impl IntoIterator<Item = (&'a SpaceId, &'a [u8; 8])>) -> [u8; 16] {
    let mut hasher = hasher(Domain::Root);
    for (space, digest) in digests {
        hasher.update(&space.0);
        hasher.update(digest);
    }
    let mut out = [0; 16];
    out.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    out
}

/// Check over the cursors of a Hello: each with the hash of what stands at it.
#[must_use]
pub fn cursor_check(cursors: impl IntoIterator<Item = (SpaceId, u64, HashPrefix)>) -> [u8; 8] {
    let mut hasher = hasher(Domain::Check);
    for (space, number, hash) in cursors {
        hasher.update(&space.0);
        hasher.update(&number.to_be_bytes());
        hasher.update(&hash.0);
    }
    first8(hasher)
}

fn first8(hasher: blake3::Hasher) -> [u8; 8] {
    let mut out = [0; 8];
    out.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    out
}
