//! From frames to entries: what is cheap to check is checked first.

use alliance_crypto::{Rules, Verified, VerifiedReceipt, Verifier};
use alliance_wire::entry::{Header, SignedHeader, Suffix};
use alliance_wire::frame::{ForkHeader, ForkProof, Reason, Run, RunPayload};
use alliance_wire::hash::content_hash;
use alliance_wire::receipt::SignedReceipt;
use alliance_wire::{Entry, HeaderHash, LogName, SpaceId, limits};

use super::names::NamedLog;
use crate::contract::{Head, Millis};

/// Signatures that are still verified for a peer that is not known, this minute.
#[derive(Debug)]
pub(super) struct Budget {
    since: Millis,
    used: u32,
}

impl Budget {
    pub(super) const fn new(now: Millis) -> Self {
        Self { since: now, used: 0 }
    }

    /// Takes `count` signatures of this minute's allowance; `false` when it is used up.
    pub(super) fn take(&mut self, now: Millis, count: usize) -> bool {
        const MINUTE: Millis = 60_000;
        if now.saturating_sub(self.since) >= MINUTE {
            *self = Self::new(now);
        }
        self.used = self.used.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        self.used <= limits::STRANGER_SIGNATURES_PER_MINUTE_MAX
    }
}

/// What a run turned out to be.
#[derive(Debug)]
pub(super) enum Read {
    /// These entries may be new.
    Entries(Vec<Entry>),
    /// Everything in it is here already.
    Known,
    /// Something before it is missing here.
    Gap,
    /// It does not build on what is here under the same number: the log forked.
    Forked,
    /// It is not what a run can be.
    Malformed,
}

/// Reads a run against the log's newest entry here, and notes in `named` what came last.
pub(super) fn read_run(named: &mut NamedLog, run: Run, head: Option<&Head>, rules: Rules) -> Read {
    let count = u64::try_from(run.entries.len()).unwrap_or(u64::MAX);
    if run.first == 0 || count == 0 || run.first.checked_add(count).is_none() {
        return Read::Malformed;
    }
    let newest = head.map_or(0, |head| head.seq);
    let ours = head.filter(|head| head.seq + 1 == run.first).map(|head| head.hash);
    let came = named.last.filter(|(seq, _)| *seq + 1 == run.first).map(|(_, hash)| hash);
    let prev = match (run.first, run.prev.or(came), ours) {
        (1, _, _) => HeaderHash::NONE,
        (_, Some(theirs), Some(ours)) if theirs != ours && rules.check_chain => return Read::Forked,
        (_, Some(theirs), _) => theirs,
        (_, None, Some(ours)) => ours,
        (_, None, None) => return Read::Gap,
    };
    // A continuation begins in the middle; every other log at its first entry.
    let begins_here = head.is_none() && !named.name.path.is_empty();
    if run.first > newest + 1 && !begins_here && rules.check_chain {
        return Read::Gap;
    }
    let mut entries = Vec::with_capacity(run.entries.len());
    let mut known = 0;
    let (mut seq, mut prev) = (run.first, prev);
    for entry in run.entries {
        let Ok(suffix) = Suffix::parse(entry.suffix.into()) else { return Read::Malformed };
        let (payload, len, hash) = match entry.payload {
            RunPayload::Here(bytes) => {
                let bytes: Vec<u8> = bytes.into();
                let hash = content_hash(&bytes);
                let Ok(len) = u32::try_from(bytes.len()) else { return Read::Malformed };
                (Some(bytes), len, hash)
            }
            RunPayload::Absent { len, hash } => (None, len, hash),
        };
        let header = Header {
            space: named.space,
            log: named.name.signed_log(named.space),
            seq,
            prev,
            suffix,
            payload_len: len,
            payload_hash: hash,
        };
        if header.check().is_err() {
            return Read::Malformed;
        }
        prev = header.hash();
        if head.is_some_and(|head| head.seq == seq && head.hash == prev) {
            // The chain up to here is ours: all that came before is known.
            known = entries.len() + 1;
        }
        seq += 1;
        entries.push(Entry { signed: SignedHeader { header, signature: entry.signature }, payload });
    }
    named.last = Some((seq - 1, prev));
    entries.drain(..known);
    if entries.is_empty() { Read::Known } else { Read::Entries(entries) }
}

/// Verifies the entries of one log; the first that does not verify ends the log, since nothing can build on it.
pub(super) fn verify_run(
    named: &NamedLog,
    entries: Vec<Entry>,
    rules: Rules,
) -> (Vec<Verified>, Option<(u64, Reason)>) {
    let seqs: Vec<u64> = entries.iter().map(|entry| entry.header().seq).collect();
    let batch = entries.into_iter().map(|entry| (named.name.clone(), entry)).collect();
    let mut good = Vec::with_capacity(seqs.len());
    for (seq, result) in seqs.into_iter().zip(Verifier::new(rules).verify_batch(named.space, batch)) {
        match result {
            Ok(verified) => good.push(verified),
            Err(alliance_crypto::VerifyError::Signature) => return (good, Some((seq, Reason::Signature))),
            Err(_) => return (good, Some((seq, Reason::Malformed))),
        }
    }
    (good, None)
}

/// Verifies a fork's proof: two different headers of one number, both signed by the log's author.
pub(super) fn verify_fork(space: SpaceId, name: &LogName, proof: &ForkProof) -> bool {
    let header = |part: &ForkHeader| {
        let suffix = Suffix::parse(part.suffix.to_vec()).ok()?;
        let header = Header {
            space,
            log: name.signed_log(space),
            seq: proof.seq,
            prev: proof.prev,
            suffix,
            payload_len: part.payload_len,
            payload_hash: part.payload_hash,
        };
        let entry = Entry { signed: SignedHeader { header, signature: part.signature }, payload: None };
        Verified::verify(space, name, entry).ok().map(|verified| verified.hash())
    };
    matches!((header(&proof.one), header(&proof.other)), (Some(one), Some(other)) if one != other)
}

/// Verifies a receipt's signature and form.
pub(super) fn verify_receipt(space: SpaceId, signed: SignedReceipt) -> Option<VerifiedReceipt> {
    VerifiedReceipt::verify(space, signed).ok()
}
