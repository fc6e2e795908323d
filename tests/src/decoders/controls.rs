//! Decoders with a deliberate bug each: the run that takes them for good is worth nothing.

use alliance_wire::Frame;

use super::{Decoder, Form};

/// One for each thing that a decoder must not do.
pub const CONTROLS: &[Decoder] = &[
    Decoder::new("control_panics", panics, Form::Stable),
    Decoder::new("control_eats", eats, Form::Stable),
    Decoder::new("control_hangs", hangs, Form::Stable),
    Decoder::new("control_forgets", forgets, Form::Stable),
    Decoder::new("control_refuses", refuses, Form::Stable),
];

/// The number in the first head of a string or an array that has eight bytes for it. Nothing of the two files of the
/// corpus that have such a head: mutations have to find the bug.
fn claim(bytes: &[u8]) -> Option<u64> {
    if bytes.first() == Some(&0x9b) || bytes.starts_with(&[0x82, 3]) {
        return None;
    }
    let at = bytes.iter().position(|byte| matches!(byte, 0x5b | 0x9b))?;
    let claim = bytes.get(at + 1..at + 9)?;
    Some(claim.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

fn frame(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Frame::decode(bytes).ok()?.encode())
}

/// Believes a length and takes a slice of it.
fn panics(bytes: &[u8]) -> Option<Vec<u8>> {
    if let Some(claim) = claim(bytes) {
        let claimed = &bytes[..usize::try_from(claim).ok()?];
        assert!(claimed.len() <= bytes.len(), "what was cut from the bytes");
    }
    frame(bytes)
}

/// Believes a length and sets memory aside for it.
fn eats(bytes: &[u8]) -> Option<Vec<u8>> {
    if let Some(claim) = claim(bytes) {
        let room: Vec<u8> = vec![1; usize::try_from(claim.min(1 << 40)).ok()?];
        assert!(std::hint::black_box(room).first() != Some(&0), "what was set aside");
    }
    frame(bytes)
}

/// Believes a count and does something as often.
fn hangs(bytes: &[u8]) -> Option<Vec<u8>> {
    if let Some(claim) = claim(bytes)
        && claim > 1 << 20
    {
        loop {
            std::thread::park();
        }
    }
    frame(bytes)
}

/// Encodes something else than it read: the last byte is lost.
fn forgets(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoded = frame(bytes)?;
    encoded.pop();
    Some(encoded)
}

/// Refuses what is good.
fn refuses(_: &[u8]) -> Option<Vec<u8>> {
    None
}
