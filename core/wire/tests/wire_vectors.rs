//! The committed golden vectors of the wire hold, and writing them again gives the same ones.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, missing_docs)]

#[path = "../vectors/generate.rs"]
mod generate;

use alliance_wire::content::Content;
use alliance_wire::entry::{EntryError, Header, SignedHeader};
use alliance_wire::membership::Payload;
use alliance_wire::receipt::SignedReceipt;
use alliance_wire::{DecodeError, Entry, Frame, HeaderHash, LogId, SpaceId, Suffix, encode};
use serde_json::Value;

fn file(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    let list = value[name].as_array().unwrap();
    assert!(!list.is_empty());
    list
}

fn kind(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::Shape(_) => "Shape",
        DecodeError::Trailing(_) => "Trailing",
        DecodeError::OverLimit { .. } => "OverLimit",
        DecodeError::Nested => "Nested",
    }
}

/// Every case reads, says what it should and encodes to the same bytes; every must-fail fails as it should.
fn check<T: minicbor::Encode<()> + core::fmt::Debug>(name: &str, parse: impl Fn(&[u8]) -> Result<T, DecodeError>) {
    let vectors = file(name);
    for case in list(&vectors, "cases") {
        let value = parse(&bytes(&case["bytes"])).unwrap_or_else(|error| panic!("{name}, {}: {error}", case["what"]));
        assert_eq!(encode(&value), bytes(&case["bytes"]), "{name}, {}", case["what"]);
        assert_eq!(format!("{value:?}"), case["says"].as_str().unwrap(), "{name}, {}", case["what"]);
    }
    for case in list(&vectors, "must_fail") {
        let input = if let Some(len) = case["zeros_to"].as_u64() {
            let mut input = bytes(&case["prefix"]);
            input.resize(usize::try_from(len).unwrap(), 0);
            input
        } else if let Some(times) = case["times"].as_u64() {
            [bytes(&case["prefix"]), bytes(&case["repeat"]).repeat(usize::try_from(times).unwrap())].concat()
        } else {
            bytes(&case["bytes"])
        };
        let error = parse(&input).expect_err(&format!("{name}, {}", case["what"]));
        assert_eq!(kind(&error), case["error"], "{name}, {}: {error}", case["what"]);
    }
}

#[test]
fn writing_again_gives_the_same_vectors() {
    for (name, content) in generate::files() {
        let written: Value = serde_json::from_str(&content).unwrap();
        assert!(file(name) == written, "{name} is not what `cargo run --example wire_vectors` writes");
    }
}

#[test]
fn encoded_values() {
    check("membership.json", Payload::parse);
    check("content.json", Content::parse);
    check("frames.json", Frame::decode);
    check("receipts.json", |body| SignedReceipt { body: body.to_vec(), signature: [0; 64] }.parse());
    for case in list(&file("receipts.json"), "older") {
        let receipt = SignedReceipt { body: bytes(&case["bytes"]), signature: [0; 64] }.parse().unwrap();
        assert_eq!(encode(&receipt), bytes(&case["reads_as"]), "{}", case["what"]);
    }
    for case in list(&file("frames.json"), "newer") {
        let frame = Frame::decode(&bytes(&case["bytes"])).unwrap();
        assert_eq!(frame.encode(), bytes(&case["reads_as"]), "{}", case["what"]);
    }
}

/// Where a connection breaks inside a run, the entries that came whole are what the run would have begun with; nothing
/// else of a frame is worth anything in part.
#[test]
fn a_frame_that_was_cut_begins_as_the_whole_one() {
    let (mut kept, mut runs) = (0, 0);
    for case in list(&file("frames.json"), "cases") {
        let whole = bytes(&case["bytes"]);
        let frame = Frame::decode(&whole).unwrap();
        let Frame::Run(run) = &frame else {
            assert!((0..=whole.len()).all(|end| Frame::beginning(&whole[..end]).is_none()), "{}", case["what"]);
            continue;
        };
        runs += 1;
        assert_eq!(Frame::beginning(&whole).as_ref(), Some(&frame), "{}", case["what"]);
        let mut before = 0;
        for end in 0..whole.len() {
            let entries = match Frame::beginning(&whole[..end]) {
                Some(Frame::Run(begun)) => {
                    assert_eq!((begun.log, begun.first, begun.prev), (run.log, run.first, run.prev));
                    begun.entries
                }
                Some(other) => panic!("{other:?} out of a run"),
                None => Vec::new(),
            };
            assert_eq!(entries[..], run.entries[..entries.len()], "{}, cut at {end}", case["what"]);
            assert!(entries.len() == before || entries.len() == before + 1, "one more at a time");
            before = entries.len();
            kept += usize::from(before > 0);
        }
    }
    assert!(runs > 0 && kept > 0, "{runs} runs among the cases, {kept} cuts that left an entry");
}

#[test]
fn headers() {
    let vectors = file("entries.json");
    for case in list(&vectors, "cases") {
        let suffix = Suffix::parse(bytes(&case["suffix"])).unwrap();
        assert_eq!(suffix.as_bytes(), bytes(&case["suffix"]), "unknown keys are kept");
        let (space, log) = (SpaceId(array(&case["space"])), LogId(array(&case["log"])));
        let (seq, prev, payload) =
            (case["seq"].as_u64().unwrap(), HeaderHash(array(&case["prev"])), bytes(&case["payload"]));
        let header = Header::new(space, log, seq, prev, suffix, &payload).unwrap();
        assert_eq!(header.associated_data(), bytes(&case["associated_data"]));
        assert_eq!(header.signed_bytes(), bytes(&case["signed_bytes"]));
        assert_eq!(header.hash().0, array(&case["header_hash"]));
        let signed = SignedHeader { header, signature: [0; 64] };
        assert!(Entry::new(signed.clone(), payload.clone()).is_ok());
        let other = [payload.as_slice(), &[0]].concat();
        assert_eq!(Entry::new(signed, other), Err(EntryError::Payload));
    }
    for case in list(&vectors, "must_fail") {
        let zeros = case["zeros"].as_u64().map(|len| vec![0; usize::try_from(len).unwrap()]);
        let error = Suffix::parse(zeros.unwrap_or_else(|| bytes(&case["bytes"]))).unwrap_err();
        let expected = case["error"].as_str().unwrap();
        assert!(format!("{error:?}").starts_with(expected), "{}: {error:?}", case["what"]);
    }
    for case in list(&vectors, "impossible") {
        let mut header = data_header(&vectors);
        header.seq = case["seq"].as_u64().unwrap();
        header.prev = HeaderHash(array(&case["prev"]));
        header.payload_len = u32::try_from(case["payload_len"].as_u64().unwrap()).unwrap();
        let error = header.check().unwrap_err();
        assert!(format!("{error:?}").starts_with(case["error"].as_str().unwrap()), "{}: {error:?}", case["what"]);
    }
}

fn data_header(vectors: &Value) -> Header {
    let case = &vectors["cases"][1];
    let suffix = Suffix::parse(bytes(&case["suffix"])).unwrap();
    let (space, log) = (SpaceId(array(&case["space"])), LogId(array(&case["log"])));
    let header = Header::new(space, log, 2, HeaderHash(array(&case["prev"])), suffix, b"payload").unwrap();
    assert!(header.check().is_ok(), "the control");
    header
}

#[test]
fn no_mutation_of_a_frame_makes_the_decoder_panic() {
    // Each byte of each golden frame set to sixteen values: reads or is refused, never panics or over-allocates.
    let (mut read, mut refused) = (0_u32, 0_u32);
    for case in list(&file("frames.json"), "cases") {
        let good = bytes(&case["bytes"]);
        for at in 0..good.len() {
            for step in 0..16_u8 {
                let mut bad = good.clone();
                bad[at] = bad[at].wrapping_add(step.wrapping_mul(17).wrapping_add(1));
                match Frame::decode(&bad) {
                    Ok(frame) => {
                        read += 1;
                        assert!(frame.encode().len() <= bad.len(), "{}", case["what"]);
                    }
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(read > 1_000 && refused > 1_000, "{read} read, {refused} refused");
}
