//! Sealing: what is sealed opens in its own place only, nonces never repeat, and no payload grows without bounds.
//! A program of its own: it counts what a thread allocates, and a program has one allocator.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::HashSet;

use alliance_crypto::{
    DeviceSecret, EpochKey, OpenError, Rules, SEAL_OVERHEAD_BYTES, SMALL_OVERHEAD_BYTES, SealError, SmallDomain,
    Watching, open, open_small, padme, seal, seal_small,
};
use alliance_wire::{DocumentId, EpochId, LogId, SpaceId, limits};

thread_local! {
    /// The largest single allocation since it was last set to 0.
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(layout.size())));
        unsafe { System.alloc(layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(size)));
        unsafe { System.realloc(at, layout, size) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const LOG: LogId = LogId([5; 20]);
const AD: &[u8] = b"prefix and suffix";
const RANDOM: [u8; 32] = [7; 32];

fn key() -> EpochKey {
    EpochKey::from_bytes([6; 32])
}

fn sealed(text: &[u8]) -> Vec<u8> {
    seal(Rules::ALL, &key(), LOG, AD, text, RANDOM).unwrap()
}

fn opened(bytes: &[u8]) -> Result<Vec<u8>, OpenError> {
    open(Rules::ALL, &key(), LOG, AD, bytes)
}

/// Bytes that do not compress.
fn noise(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().update(b"noise").finalize_xof().fill(&mut bytes);
    bytes
}

/// Text that compresses about threefold.
fn prose(len: usize) -> Vec<u8> {
    let digits: String = noise(len).iter().map(|byte| char::from(b'a' + byte % 8)).collect();
    digits.into_bytes()[..len].to_vec()
}

#[test]
fn what_is_sealed_opens() {
    for len in [0, 1, 2, 23, 24, 25, 100, 1_000, 40_000, 62_000] {
        for text in [noise(len), prose(len), vec![0; len.min(300)]] {
            let bytes = sealed(&text);
            assert_eq!(opened(&bytes).unwrap(), text, "{len} bytes");
            assert!(bytes.len() <= limits::DATA_PAYLOAD_BYTES_MAX);
        }
    }
    let text = prose(2_000);
    assert!(sealed(&text).len() < 1_000, "{} bytes", sealed(&text).len());
}

#[test]
fn the_overhead_is_as_stated() {
    assert_eq!(SEAL_OVERHEAD_BYTES, 42);
    for len in [0_usize, 1, 15, 64, 200, 1_000, 5_000] {
        assert_eq!(sealed(&noise(len)).len(), padme(len + 1) + SEAL_OVERHEAD_BYTES - 1, "{len} bytes");
    }
    assert_eq!(seal_small(SmallDomain::Backup, &[1; 32], b"", b"text", RANDOM).len(), 4 + SMALL_OVERHEAD_BYTES);
}

#[test]
fn it_opens_in_its_own_place_only() {
    let bytes = sealed(b"a secret");
    assert_eq!(opened(&bytes).unwrap(), b"a secret");
    assert_eq!(open(Rules::ALL, &EpochKey::from_bytes([9; 32]), LOG, AD, &bytes), Err(OpenError::Cipher));
    assert_eq!(open(Rules::ALL, &key(), LogId([9; 20]), AD, &bytes), Err(OpenError::Cipher));
    assert_eq!(open(Rules::ALL, &key(), LOG, b"another place", &bytes), Err(OpenError::Cipher));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let expected = if at == 0 { OpenError::Version } else { OpenError::Cipher };
        assert_eq!(opened(&changed), Err(expected), "byte {at}");
    }
    for len in 0..bytes.len() {
        let expected = if len < SEAL_OVERHEAD_BYTES { OpenError::Size } else { OpenError::Cipher };
        assert_eq!(opened(&bytes[..len]), Err(expected), "{len} bytes");
    }
    assert_eq!(opened(&vec![1; limits::DATA_PAYLOAD_BYTES_MAX + 1]), Err(OpenError::Size));
}

/// How many distinct nonces 300 payloads get from a random source that always gives the same.
fn nonces(rules: Rules) -> usize {
    let texts = (0..100_u8).map(|n| [n; 8]);
    let mut nonces = HashSet::new();
    for text in texts {
        for (log, ad) in [(LOG, AD), (LogId([6; 20]), AD), (LOG, b"elsewhere".as_slice())] {
            let bytes = seal(rules, &key(), log, ad, &text, RANDOM).unwrap();
            nonces.insert((log, bytes[1..25].to_vec()));
        }
    }
    nonces.len()
}

#[test]
fn a_repeated_random_source_repeats_no_nonce() {
    assert_eq!(nonces(Rules::ALL), 300);
    // The control: with hedging off, one nonce a key.
    assert_eq!(nonces(Rules { hedge_nonces: false, ..Rules::ALL }), 2);
    assert_eq!(sealed(b"same"), sealed(b"same"), "the same input gives the same bytes");
    let other = seal(Rules::ALL, &key(), LOG, AD, b"same", [8; 32]).unwrap();
    assert_ne!(sealed(b"same"), other, "unless the random source moves on");
}

#[test]
fn without_sealing_the_words_can_be_found() {
    let text = b"we agreed to meet on Tuesdays, we agreed to meet on Tuesdays";
    let found = |bytes: &[u8]| bytes.windows(9).any(|window| window == b"Tuesdays,");
    let unsealed_rules = Rules { seal: false, ..Rules::ALL };
    let unsealed = seal(unsealed_rules, &key(), LOG, AD, text, RANDOM).unwrap();
    assert!(found(&unsealed));
    assert!(!found(&sealed(text)));
    assert_eq!(open(unsealed_rules, &key(), LOG, AD, &unsealed).unwrap(), text);
    assert_eq!(open(unsealed_rules, &key(), LOG, AD, &sealed(text)).unwrap(), text);
    assert_eq!(opened(&unsealed), Err(OpenError::Version), "nobody else takes it");
}

#[test]
fn the_sealer_keeps_the_openers_limits() {
    let too_long = vec![0; limits::PLAINTEXT_BYTES_MAX + 1];
    let result = seal(Rules::ALL, &key(), LOG, AD, &too_long, RANDOM);
    assert_eq!(result, Err(SealError::Plaintext { len: too_long.len() }));
    // Zeros would compress a thousandfold: beyond twentyfold they go uncompressed, and then are too long.
    let zeros = vec![0; 200_000];
    assert!(matches!(seal(Rules::ALL, &key(), LOG, AD, &zeros, RANDOM), Err(SealError::Payload { .. })));
    let zeros = vec![0; 60_000];
    assert_eq!(opened(&sealed(&zeros)).unwrap(), zeros);
    assert!(matches!(seal(Rules::ALL, &key(), LOG, AD, &noise(65_600), RANDOM), Err(SealError::Payload { .. })));
    // The very last length that fits, padded to the limit and not beyond.
    let last = limits::DATA_PAYLOAD_BYTES_MAX - SEAL_OVERHEAD_BYTES;
    let bytes = sealed(&noise(last));
    assert_eq!(bytes.len(), limits::DATA_PAYLOAD_BYTES_MAX);
    assert_eq!(opened(&bytes).unwrap(), noise(last));
    assert!(seal(Rules::ALL, &key(), LOG, AD, &noise(last + 1), RANDOM).is_err());
}

/// A payload whose body is any zstd frame that a hostile member likes, sealed properly: `seal` is told that the frame
/// is what to send, and the form byte after it is set by hand through an unsealed payload.
fn unsealed_frame(frame: &[u8]) -> Vec<u8> {
    [&[0], &frame[4..], &[2]].concat()
}

fn open_unsealed(bytes: &[u8]) -> Result<Vec<u8>, OpenError> {
    open(Rules { seal: false, ..Rules::ALL }, &key(), LOG, AD, bytes)
}

#[test]
fn a_bomb_is_refused_without_room_for_it() {
    let control = zstd::bulk::compress(&prose(5_000), 9).unwrap();
    assert_eq!(open_unsealed(&unsealed_frame(&control)).unwrap(), prose(5_000));
    let bombs =
        [zstd::bulk::compress(&vec![0; 64 << 20], 19).unwrap(), zstd::bulk::compress(&vec![0; 2 << 20], 1).unwrap()];
    for bomb in bombs {
        let bytes = unsealed_frame(&bomb);
        assert!(bytes.len() < 16_384, "{} bytes", bytes.len());
        LARGEST.set(0);
        assert_eq!(open_unsealed(&bytes), Err(OpenError::OverLimit));
        let largest = LARGEST.get();
        assert!(largest <= 2 * limits::COMPRESSION_RATIO_MAX * bytes.len() + 65_536, "allocated {largest} bytes");
    }
}

#[test]
fn a_frame_is_whole_and_alone() {
    let frame = zstd::bulk::compress(&prose(500), 9).unwrap();
    let with = |change: fn(&mut Vec<u8>)| {
        let mut frame = frame.clone();
        change(&mut frame);
        open_unsealed(&unsealed_frame(&frame))
    };
    assert!(with(|_| {}).is_ok());
    assert_eq!(with(|f| f.push(1)), Err(OpenError::Malformed));
    assert_eq!(with(|f| f.extend_from_within(..)), Err(OpenError::Malformed));
    assert_eq!(with(|f| f.truncate(f.len() - 1)), Err(OpenError::Malformed));
    assert_eq!(with(|f| f.truncate(5)), Err(OpenError::Malformed));
    assert_eq!(open_unsealed(&[0, 0, 0, 0]), Err(OpenError::Malformed), "nothing but padding");
    assert_eq!(open_unsealed(&[0, 65, 3]), Err(OpenError::Malformed), "a form that is none");
}

#[test]
fn padme_sizes_are_few_and_near() {
    let table = [(0, 0), (1, 1), (2, 2), (3, 3), (8, 8), (9, 10), (17, 18), (100, 104), (129, 144), (1_000, 1_024)];
    for (len, size) in table {
        assert_eq!(padme(len), size, "{len}");
    }
    assert_eq!(padme(65_537), 67_584);
    let mut sizes = HashSet::new();
    for len in 1..70_000 {
        let size = padme(len);
        assert!(size >= len && size * 100 <= len * 112, "{len} -> {size}");
        assert_eq!(padme(size), size);
        sizes.insert(size);
    }
    assert!(sizes.len() < 300, "{} sizes", sizes.len());
}

#[test]
fn small_messages_open_in_their_own_domain_only() {
    let bytes = seal_small(SmallDomain::Backup, &[1; 32], b"ad", b"text", RANDOM);
    assert_eq!(open_small(SmallDomain::Backup, &[1; 32], b"ad", &bytes).unwrap(), b"text");
    assert_eq!(open_small(SmallDomain::Invitation, &[1; 32], b"ad", &bytes), Err(OpenError::Cipher));
    assert_eq!(open_small(SmallDomain::Backup, &[2; 32], b"ad", &bytes), Err(OpenError::Cipher));
    assert_eq!(open_small(SmallDomain::Backup, &[1; 32], b"", &bytes), Err(OpenError::Cipher));
    assert_eq!(open_small(SmallDomain::Backup, &[1; 32], b"ad", &bytes[..40]), Err(OpenError::Size));
    assert_eq!(open_small(SmallDomain::Backup, &[1; 32], b"ad", &[2; 60]), Err(OpenError::Version));
}

#[test]
fn a_watching_notice_opens_for_holders_of_its_epoch() {
    let (space, epoch) = (SpaceId([1; 16]), EpochId([2; 16]));
    let device = DeviceSecret::from_seed([3; 32]).key();
    let notice = Watching { device, document: DocumentId([4; 16]), id: [5; 16] };
    let bytes = notice.seal(space, epoch, &key(), RANDOM);
    assert_eq!(bytes.len(), 121);
    assert!(bytes.len() <= limits::WATCHING_BYTES_MAX);
    let (held, foreign) = (key(), EpochKey::from_bytes([9; 32]));
    let with = |space, bytes: &[u8], key| Watching::open(space, bytes, |asked| (asked == epoch).then_some(key));
    assert_eq!(with(space, &bytes, &held), Ok(notice));
    assert_eq!(with(space, &bytes, &foreign), Err(OpenError::Cipher));
    assert_eq!(with(SpaceId([9; 16]), &bytes, &held), Err(OpenError::Cipher));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(with(space, &changed, &held).is_err(), "byte {at}");
    }
}
