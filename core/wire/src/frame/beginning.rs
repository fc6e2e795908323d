//! What came whole of a frame that a cut went through.

use minicbor::Decoder;

use super::{Frame, Run, RunEntry};
use crate::codec;
use crate::ids::HeaderHash;
use crate::limits;

/// Where [`Frame::Run`] stands in the enumeration.
const RUN: u32 = 6;

impl Frame {
    /// The run with the entries that came whole, where a connection broke inside a frame: `bytes` are those of the frame
    /// that came. An exchange then goes on at the entry, not at the frame (PROTOCOL section 3, R8). Nothing else of a
    /// frame is worth anything in part.
    ///
    /// What is read is what the whole frame would have said: the lengths of its arrays and strings stand before them.
    #[must_use]
    pub fn beginning(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > limits::FRAME_BYTES_MAX {
            return None;
        }
        let mut head = Decoder::new(bytes);
        let (log, first, prev, count) = run_head(&mut head)?;
        let mut entries = Vec::new();
        let mut rest = &bytes[head.position()..];
        while (entries.len() as u64) < count
            && let Ok((entry, length)) = codec::decode_first::<RunEntry>(rest)
        {
            entries.push(entry);
            rest = &rest[length..];
        }
        (!entries.is_empty()).then_some(Self::Run(Run { log, first, prev, entries }))
    }
}

/// The fields of a run up to its entries, and how many of them there are.
fn run_head(head: &mut Decoder<'_>) -> Option<(u32, u64, Option<HeaderHash>, u64)> {
    // A variant is its number and its fields; the only field of this one is a run of four.
    let whole = head.array().ok()?? == 2 && head.u32().ok()? == RUN;
    if !whole || head.array().ok()?? < 1 || head.array().ok()?? < 4 {
        return None;
    }
    let (log, first) = (head.u32().ok()?, head.u64().ok()?);
    let prev = head.decode().ok()?;
    let count = head.array().ok()??;
    (count <= limits::RUN_ENTRIES_MAX as u64).then_some((log, first, prev, count))
}
