//! Frames that a relay without scruples alters before it passes them on: no transport lets anybody else do it.

use alliance_wire::Frame;
use alliance_wire::frame::RunPayload;

use crate::random::Random;

/// Alters a frame that carries entries; `false` if it is another and stays as it is.
pub(super) fn frame(bytes: &mut Vec<u8>, random: &mut Random) -> bool {
    let Ok(Frame::Run(mut run)) = Frame::decode(bytes) else { return false };
    if run.entries.is_empty() {
        return false;
    }
    let at = random.below(run.entries.len());
    match random.below(3) {
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
        _ if run.entries.len() > 1 => {
            run.entries.remove(at);
        }
        _ => return false,
    }
    *bytes = Frame::Run(run).encode();
    true
}
