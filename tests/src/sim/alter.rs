//! Frames that a relay without scruples alters before it passes them on: no transport lets anybody else do it.

use std::collections::BTreeMap;

use alliance_wire::entry::{Header, Suffix};
use alliance_wire::frame::{Run, RunPayload};
use alliance_wire::hash::content_hash;
use alliance_wire::{Frame, HeaderHash, LogName, SpaceId};

use crate::random::Random;

/// What such a relay knows of one connection: which numbers it gave to what.
#[derive(Debug, Default)]
pub(super) struct Alterer {
    spaces: Vec<SpaceId>,
    logs: Vec<(SpaceId, LogName)>,
    /// The newest entry of each log that went over the connection.
    last: BTreeMap<u32, (u64, HeaderHash)>,
}

impl Alterer {
    /// Looks at a frame and perhaps alters it; `true` if it did.
    pub(super) fn frame(&mut self, bytes: &mut Vec<u8>, percent: usize, random: &mut Random) -> bool {
        match Frame::decode(bytes) {
            Ok(Frame::Space { space }) => self.spaces.push(space),
            Ok(Frame::Log { space, name }) => {
                if let Some(space) = self.spaces.get(space as usize) {
                    self.logs.push((*space, name));
                }
            }
            Ok(Frame::Run(mut run)) => {
                let hashes = self.hashes(&run);
                if let Some(last) = hashes.last() {
                    self.last.insert(run.log, (run.first + hashes.len() as u64 - 1, *last));
                }
                if random.chance(percent) && alter(&mut run, &hashes, random) {
                    *bytes = Frame::Run(run).encode();
                    return true;
                }
            }
            _ => {}
        }
        false
    }

    /// The header hashes of a run's entries, as far as they can be told.
    fn hashes(&self, run: &Run) -> Vec<HeaderHash> {
        let before = self.last.get(&run.log).filter(|(seq, _)| *seq + 1 == run.first).map(|(_, hash)| *hash);
        let prev = if run.first == 1 { Some(HeaderHash::NONE) } else { run.prev.or(before) };
        let (Some((space, name)), Some(mut prev)) = (self.logs.get(run.log as usize), prev) else { return Vec::new() };
        let mut hashes = Vec::with_capacity(run.entries.len());
        for (seq, entry) in (run.first..).zip(&run.entries) {
            let Ok(suffix) = Suffix::parse(entry.suffix.to_vec()) else { break };
            let (payload_len, payload_hash) = match &entry.payload {
                RunPayload::Here(bytes) => (u32::try_from(bytes.len()).unwrap_or(0), content_hash(bytes)),
                RunPayload::Absent { len, hash } => (*len, *hash),
            };
            let log = name.signed_log(*space);
            prev = Header { space: *space, log, seq, prev, suffix, payload_len, payload_hash }.hash();
            hashes.push(prev);
        }
        hashes
    }
}

/// Alters a run; `false` if it stays as it is.
fn alter(run: &mut Run, hashes: &[HeaderHash], random: &mut Random) -> bool {
    if run.entries.is_empty() {
        return false;
    }
    let at = random.below(run.entries.len());
    match random.below(4) {
        0 => {
            // The signature is another one.
            let byte = random.below(64);
            run.entries[at].signature[byte] ^= 1;
        }
        1 => {
            // The payload is another one, and so is what the header says of it.
            let RunPayload::Here(payload) = &mut run.entries[at].payload else { return false };
            if payload.is_empty() {
                return false;
            }
            let byte = random.below(payload.len());
            payload[byte] ^= 1;
        }
        2 if run.entries.len() > 1 => {
            run.entries.remove(at);
        }
        3 if run.entries.len() > 1 && hashes.len() == run.entries.len() => {
            // The first ones are left out, and what follows is said to follow what it does follow.
            let out = 1 + random.below(run.entries.len() - 1);
            run.entries.drain(..out);
            run.first += out as u64;
            run.prev = Some(hashes[out - 1]);
        }
        _ => return false,
    }
    true
}
