//! Marks as bytes.

use alliance_net::{CloseReason, FrameError, Mark, MarkDecoder, MarkError};

fn decode(bytes: &[u8], piece: usize) -> Result<(Vec<Mark>, bool), MarkError> {
    let mut decoder = MarkDecoder::new(1_000);
    let mut marks = Vec::new();
    for mut piece in bytes.chunks(piece) {
        while let Some(mark) = decoder.push(&mut piece)? {
            marks.push(mark);
        }
    }
    Ok((marks, decoder.is_mid_mark()))
}

#[test]
fn marks_come_back_from_pieces_of_any_size() {
    let marks = [
        Mark::Frame(vec![1]),
        Mark::Ask,
        Mark::Frame(vec![2; 1_000]),
        Mark::End,
        Mark::EndHeard,
        Mark::Answer,
        Mark::Close(CloseReason::Unrecognized(u64::MAX)),
    ];
    let mut bytes = Vec::new();
    marks.iter().for_each(|mark| mark.encode(&mut bytes));
    assert_eq!(bytes[..4], [0, 1, 1, 4], "a frame of one byte, and a question");
    for piece in [1, 2, 3, 7, 128, bytes.len()] {
        assert_eq!(decode(&bytes, piece).unwrap(), (marks.to_vec(), false), "pieces of {piece}");
    }
    assert_eq!(decode(&bytes[..1], 1).unwrap(), (Vec::new(), true), "inside a frame");
    assert!(decode(&bytes[..bytes.len() - 1], 9).unwrap().1, "inside the last word");
}

#[test]
fn bytes_that_are_no_marks_are_refused() {
    let close = |more: &[u8]| [&[3, 0, 0, 0, 0, 0, 0, 0, 1], more].concat();
    let cases: [(&[u8], MarkError); 9] = [
        (&[6], MarkError::Unknown),
        (b"G", MarkError::Unknown),
        (&[0, 0], MarkError::Frame(FrameError::Empty)),
        (&[0, 0xe9, 0x07], MarkError::Frame(FrameError::TooLarge { limit: 1_000 })),
        (&[0, 0x81, 0x00], MarkError::Frame(FrameError::NotShortest)),
        (&[1, 0], MarkError::BehindEnd),
        (&[1, 1], MarkError::BehindEnd),
        (&close(&[4]), MarkError::BehindClose),
        (&close(&[3]), MarkError::BehindClose),
    ];
    for (bytes, error) in cases {
        for piece in [1, bytes.len()] {
            assert_eq!(decode(bytes, piece).unwrap_err(), error, "{bytes:?}");
        }
    }
    assert_eq!(decode(&close(&[]), 4).unwrap().0, [Mark::Close(CloseReason::Shutdown)], "the control");
}
