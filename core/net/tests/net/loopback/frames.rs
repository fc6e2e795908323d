//! The form of frames, without a network.

use alliance_net::{FrameDecoder, FrameError, PREFIX_BYTES_MAX, encode_prefix};
use alliance_wire::limits::FRAME_BYTES_MAX;

/// Decodes `input` in pieces of `step` bytes.
fn decode(limit: usize, input: &[u8], step: usize) -> (Result<Vec<Vec<u8>>, FrameError>, bool) {
    let mut decoder = FrameDecoder::new(limit);
    let mut frames = Vec::new();
    for mut piece in input.chunks(step) {
        while !piece.is_empty() {
            match decoder.push(&mut piece) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => assert!(piece.is_empty()),
                Err(error) => return (Err(error), true),
            }
        }
    }
    (Ok(frames), decoder.is_mid_frame())
}

#[test]
fn frames_come_out_as_they_went_in_whatever_the_pieces() {
    let frames: Vec<Vec<u8>> = [1, 2, 127, 128, 300, 16_383, 16_384].iter().map(|&n| vec![9; n]).collect();
    let mut stream = Vec::new();
    for frame in &frames {
        encode_prefix(frame.len(), &mut stream);
        stream.extend_from_slice(frame);
    }
    for step in [1, 2, 3, 128, 129, 4_096, stream.len()] {
        assert!(decode(FRAME_BYTES_MAX, &stream, step) == (Ok(frames.clone()), false), "pieces of {step}");
    }
    // An end of the stream is a cut everywhere but between frames.
    let mut start = 0;
    for frame in &frames[..4] {
        let mut prefix = Vec::new();
        encode_prefix(frame.len(), &mut prefix);
        let end = start + prefix.len() + frame.len();
        for cut in start + 1..end {
            assert!(decode(FRAME_BYTES_MAX, &stream[..cut], 64).1, "cut at {cut}");
        }
        assert!(!decode(FRAME_BYTES_MAX, &stream[..end], 64).1, "end at {end}");
        start = end;
    }
}

#[test]
fn lengths_have_one_form_and_a_limit() {
    let too_large = |limit| Err(FrameError::TooLarge { limit });
    let cases: [(&[u8], usize, Result<(), FrameError>); 10] = [
        (&[0x05], 5, Ok(())),
        (&[0x06], 5, too_large(5)),
        (&[0x80, 0x01], FRAME_BYTES_MAX, Ok(())),
        (&[0x00], FRAME_BYTES_MAX, Err(FrameError::Empty)),
        (&[0x80, 0x00], FRAME_BYTES_MAX, Err(FrameError::NotShortest)),
        (&[0x85, 0x80, 0x00], FRAME_BYTES_MAX, Err(FrameError::NotShortest)),
        (&[0xff, 0xff, 0x7f], FRAME_BYTES_MAX, too_large(FRAME_BYTES_MAX)),
        (&[0x80, 0x80, 0x80], FRAME_BYTES_MAX, too_large(FRAME_BYTES_MAX)),
        (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], usize::MAX, too_large(FRAME_BYTES_MAX)),
        (&[0x80, 0x20], 4_000, too_large(4_000)),
    ];
    for (prefix, limit, expected) in cases {
        let found = decode(limit, prefix, 1).0.map(|frames| assert!(frames.is_empty()));
        assert_eq!(found, expected, "{prefix:02x?} under {limit}");
    }
    let mut at_limit = Vec::new();
    encode_prefix(FRAME_BYTES_MAX, &mut at_limit);
    assert_eq!(at_limit.len(), PREFIX_BYTES_MAX);
    assert_eq!(decode(FRAME_BYTES_MAX, &at_limit, 1), (Ok(vec![]), true));
    let mut over = Vec::new();
    encode_prefix(FRAME_BYTES_MAX + 1, &mut over);
    assert_eq!(decode(usize::MAX, &over, 1).0, Err(FrameError::TooLarge { limit: FRAME_BYTES_MAX }));
}

#[test]
fn any_bytes_are_frames_or_an_error() {
    let mut frames = 0;
    for seed in 1..2_000_u64 {
        let mut state = seed;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            // xorshift64; small values often, so that short frames occur.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let byte = state.to_le_bytes()[0];
            if state & 0x100 == 0 { byte & 7 } else { byte }
        })
        .take(64)
        .collect();
        let whole = decode(1_000, &bytes, bytes.len());
        assert!(decode(1_000, &bytes, 1) == whole, "seed {seed}");
        let decoded = whole.0.unwrap_or_default();
        assert!(decoded.iter().all(|frame| !frame.is_empty()), "seed {seed}");
        frames += decoded.len();
    }
    assert!(frames > 1_000, "only {frames} frames: the bytes test nothing");
}
