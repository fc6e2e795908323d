//! Signatures: whatever of an entry or receipt is changed, it is refused.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_crypto::{
    BadSignature, DeviceSecret, Place, ReceiptError, Rules, Secret, Verified, VerifiedReceipt, Verifier, VerifyError,
    sign_entry, sign_receipt, verify,
};
use alliance_wire::entry::EntryError;
use alliance_wire::receipt::{RECEIPT_VERSION, Receipt};
use alliance_wire::{
    DeviceKey, Entry, EpochId, HashPrefix, HeaderHash, Incarnation, LogId, LogName, Row, SpaceId, Stream, Suffix,
};

const SPACE: SpaceId = SpaceId([1; 16]);
const EPOCH: EpochId = EpochId([2; 16]);

fn author(seed: u8) -> DeviceSecret {
    DeviceSecret::from_seed([seed; 32])
}

fn place(seq: u64) -> Place {
    let prev = if seq == 1 { HeaderHash::NONE } else { HeaderHash([8; 32]) };
    Place { space: SPACE, incarnation: Incarnation([3; 16]), stream: Stream::Data, seq, prev }
}

fn entry(seed: u8, seq: u64) -> Verified {
    sign_entry(&author(seed), &place(seq), Some(EPOCH), vec![5; 100]).unwrap()
}

/// Applies a change to an honest entry and expects this refusal; the untouched entry is the control.
fn check(what: &str, expected: &VerifyError, change: impl FnOnce(&mut Entry)) {
    let (name, mut entry) = entry(7, 2).into_parts();
    assert!(Verified::verify(SPACE, &name, entry.clone()).is_ok());
    change(&mut entry);
    assert_eq!(Verified::verify(SPACE, &name, entry).as_ref(), Err(expected), "{what}");
}

#[test]
fn every_header_field_is_signed() {
    check("space", &VerifyError::OtherSpace, |e| e.signed.header.space = SpaceId([9; 16]));
    check("log", &VerifyError::OtherLog, |e| e.signed.header.log = LogId([9; 20]));
    check("number", &VerifyError::Signature, |e| e.signed.header.seq += 1);
    check("number 0", &VerifyError::Entry(EntryError::Number), |e| e.signed.header.seq = 0);
    check("predecessor", &VerifyError::Signature, |e| e.signed.header.prev.0[31] ^= 1);
    check("no predecessor", &VerifyError::Entry(EntryError::Number), |e| e.signed.header.prev = HeaderHash::NONE);
    check("epoch", &VerifyError::Signature, |e| {
        e.signed.header.suffix = place(2).suffix(Some(EpochId([9; 16])));
    });
    check("kind", &VerifyError::OtherLog, |e| {
        e.signed.header.suffix = Suffix::new(alliance_wire::Kind::Membership, None);
    });
    check("suffix", &VerifyError::Signature, |e| {
        // The same fields in a longer form of the same CBOR: what is signed is the bytes.
        let mut bytes = e.signed.header.suffix.as_bytes().to_vec();
        assert_eq!(bytes[1..3], [0, 1]);
        bytes.splice(2..3, [0x18, 1]);
        e.signed.header.suffix = Suffix::parse(bytes).unwrap();
    });
    check("payload length", &VerifyError::Entry(EntryError::Payload), |e| e.signed.header.payload_len += 1);
    check("payload hash", &VerifyError::Entry(EntryError::Payload), |e| e.signed.header.payload_hash[0] ^= 1);
    check("payload length alone", &VerifyError::Signature, |e| {
        e.payload = None;
        e.signed.header.payload_len += 1;
    });
    check("payload hash alone", &VerifyError::Signature, |e| {
        e.payload = None;
        e.signed.header.payload_hash[31] ^= 0x80;
    });
}

#[test]
fn every_bit_of_the_signature_and_every_byte_of_the_payload_counts() {
    for bit in 0..512 {
        check("signature", &VerifyError::Signature, |e| e.signed.signature[bit / 8] ^= 1 << (bit % 8));
    }
    for at in 0..100 {
        check("payload", &VerifyError::Entry(EntryError::Payload), |e| e.payload.as_mut().unwrap()[at] ^= 1);
    }
}

#[test]
fn an_entry_verifies_in_its_own_log_only() {
    let (name, entry) = entry(7, 2).into_parts();
    let other = |change: fn(&mut LogName)| {
        let mut name = name.clone();
        change(&mut name);
        Verified::verify(SPACE, &name, entry.clone()).map(|verified| verified.log())
    };
    assert_eq!(other(|_| {}), Ok(place(2).log(author(7).key())));
    assert_eq!(other(|n| n.device.0[0] ^= 1), Err(VerifyError::OtherLog));
    assert_eq!(other(|n| n.incarnation.0[0] ^= 1), Err(VerifyError::OtherLog));
    assert_eq!(other(|n| n.stream = Stream::Membership), Err(VerifyError::OtherLog));
    assert_eq!(other(|n| n.path = vec![HeaderHash([1; 32]); 17]), Err(VerifyError::ForkDepth));
    // A continuation is stored under its own id and signed under the log's that forked.
    let first = HeaderHash([6; 32]);
    let branch = name.branch(first);
    let verified = Verified::verify(SPACE, &branch, entry).unwrap();
    assert_eq!(verified.log(), name.id(SPACE).continuation(first));
    assert_eq!(verified.header().log, name.id(SPACE));
}

#[test]
fn an_entry_is_signed_at_a_possible_place_only() {
    let secret = author(7);
    assert_eq!(sign_entry(&secret, &place(2), None, Vec::new()), Err(EntryError::Epoch));
    assert_eq!(sign_entry(&secret, &place(0), Some(EPOCH), Vec::new()), Err(EntryError::Number));
    let big = sign_entry(&secret, &place(2), Some(EPOCH), vec![0; 64 * 1024 + 1]);
    assert_eq!(big, Err(EntryError::PayloadSize { len: 64 * 1024 + 1, limit: 64 * 1024 }));
    assert!(sign_entry(&secret, &place(2), Some(EPOCH), vec![0; 64 * 1024]).is_ok());
}

#[test]
fn a_batch_names_only_what_is_bad() {
    // 200 entries of three authors: more than three groups.
    let mut entries: Vec<(LogName, Entry)> = (0..200_u8).map(|n| entry(n % 3, u64::from(n) + 2).into_parts()).collect();
    let verifier = Verifier::new(Rules::ALL);
    assert!(verifier.verify_batch(SPACE, entries.clone()).iter().all(Result::is_ok));
    entries[70].1.signed.signature[10] ^= 1;
    entries[71].1.payload = Some(vec![6; 100]);
    entries[199].1.signed.header.space = SpaceId([9; 16]);
    for (at, result) in verifier.verify_batch(SPACE, entries.clone()).iter().enumerate() {
        let expected = match at {
            70 => Some(VerifyError::Signature),
            71 => Some(VerifyError::Entry(EntryError::Payload)),
            199 => Some(VerifyError::OtherSpace),
            _ => None,
        };
        assert_eq!(result.as_ref().err(), expected.as_ref(), "entry {at}");
    }
    // The control: without the rule the bad signature is taken.
    let careless = Verifier::new(Rules { verify_signatures: false, ..Rules::ALL });
    let results = careless.verify_batch(SPACE, entries);
    assert!(results[70].is_ok() && results[71].is_err());
}

#[test]
fn membership_entries_in_a_batch_are_verified_one_by_one() {
    let place = Place { stream: Stream::Membership, ..place(2) };
    let good = sign_entry(&author(1), &place, None, vec![1]).unwrap().into_parts();
    let mut bad = good.clone();
    bad.1.signed.signature[0] ^= 1;
    let results = Verifier::new(Rules::ALL).verify_batch(SPACE, vec![good, bad, entry(1, 2).into_parts()]);
    assert!(results[0].is_ok() && results[2].is_ok());
    assert_eq!(results[1], Err(VerifyError::Signature));
}

#[test]
fn a_stored_row_is_taken_back_by_its_hash() {
    let verified = entry(7, 2);
    let hash = verified.hash();
    let (name, mut entry) = verified.clone().into_parts();
    assert_eq!(Verified::trusted(SPACE, name.clone(), entry.clone(), hash), Ok(verified));
    assert_eq!(
        Verified::trusted(SPACE, name.clone(), entry.clone(), HeaderHash([0; 32])),
        Err(VerifyError::StoredHash)
    );
    entry.signed.header.seq += 1;
    assert_eq!(Verified::trusted(SPACE, name, entry, hash), Err(VerifyError::StoredHash));
}

#[test]
fn no_key_and_no_signature_makes_verification_panic() {
    let message = b"message";
    let signature = author(7).sign(message);
    assert_eq!(verify(author(7).key(), message, &signature), Ok(()));
    let mut keys: Vec<[u8; 32]> = (0..=255).map(|byte| [byte; 32]).collect();
    keys.extend((0..64).map(|n| *blake3_of(n).as_bytes()));
    // The eight points of small order are among the encodings of 0, 1 and -1.
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let mut one = [0; 32];
    one[0] = 1;
    keys.extend([minus_one, one, [0; 32]]);
    for key in keys {
        assert_eq!(verify(DeviceKey(key), message, &signature), Err(BadSignature));
        let mut forged = [0; 64];
        forged[..32].copy_from_slice(&key);
        assert_eq!(verify(DeviceKey(key), message, &forged), Err(BadSignature));
        assert_eq!(verify(author(7).key(), message, &forged), Err(BadSignature));
    }
}

fn blake3_of(number: u8) -> blake3::Hash {
    blake3::hash(&[number])
}

#[test]
fn secrets_do_not_print() {
    let seed = [0xab; 32];
    let secret = DeviceSecret::from_seed(seed);
    let text = format!("{secret:?}");
    assert!(text.contains("redacted") && !text.contains("abab"), "{text}");
    assert_eq!(*secret.seed(), seed);
}

#[test]
fn hedged_values_differ_by_purpose_place_and_device() {
    let random = [0; 32];
    let (one, other) = (author(1), author(2));
    let values = [
        one.hedge(random, "a", &[b"x"]),
        one.hedge(random, "b", &[b"x"]),
        one.hedge(random, "a", &[b"y"]),
        one.hedge(random, "a", &[b"x", b""]),
        one.hedge(random, "ax", &[]),
        one.hedge([1; 32], "a", &[b"x"]),
        other.hedge(random, "a", &[b"x"]),
    ];
    for (at, value) in values.iter().enumerate() {
        assert!(!values[..at].contains(value), "value {at} repeats");
    }
    assert_eq!(values[0], one.hedge(random, "a", &[b"x"]));
}

fn receipt(device: DeviceKey, counter: u64) -> Receipt {
    Receipt {
        version: RECEIPT_VERSION,
        space: SPACE,
        device,
        incarnation: Incarnation([3; 16]),
        counter,
        closes: Vec::new(),
        vector: vec![(&Row { log: LogId([1; 20]), seq: 4, hash: HashPrefix([2; 16]) }).into()],
        heads: Vec::new(),
        parked: Vec::new(),
        parked_count: 0,
    }
}

#[test]
fn receipts_verify_under_their_device_and_space_only() {
    let secret = author(7);
    let signed = sign_receipt(&secret, &receipt(secret.key(), 1)).unwrap();
    assert_eq!(VerifiedReceipt::verify(SPACE, signed.clone()).unwrap().receipt(), &receipt(secret.key(), 1));
    assert_eq!(sign_receipt(&secret, &receipt(author(8).key(), 1)), Err(ReceiptError::OtherDevice));
    assert_eq!(VerifiedReceipt::verify(SpaceId([9; 16]), signed.clone()), Err(ReceiptError::OtherSpace));
    for at in 0..signed.body.len() {
        let mut changed = signed.clone();
        changed.body[at] ^= 1;
        assert!(VerifiedReceipt::verify(SPACE, changed).is_err(), "body byte {at}");
    }
    let mut changed = signed;
    changed.signature[3] ^= 1;
    assert_eq!(VerifiedReceipt::verify(SPACE, changed), Err(ReceiptError::Signature));
}

#[test]
fn a_receipt_replaces_an_older_one() {
    let secret = author(7);
    let verified = |receipt: &Receipt| VerifiedReceipt::verify(SPACE, sign_receipt(&secret, receipt).unwrap()).unwrap();
    let (old, new) = (receipt(secret.key(), 1), receipt(secret.key(), 2));
    assert!(verified(&new).replaces(&old) && !verified(&old).replaces(&new) && !verified(&old).replaces(&old));
    // A restored database counts from 1 again and closes its predecessor.
    let restored = Receipt { incarnation: Incarnation([4; 16]), closes: vec![new.incarnation], ..old.clone() };
    assert!(verified(&restored).replaces(&new) && !verified(&new).replaces(&restored));
    // Two copies of one store that both live close each other: the higher counter stays, on every replica.
    let (one, other) =
        (Receipt { closes: vec![restored.incarnation], ..new.clone() }, Receipt { counter: 1, ..restored.clone() });
    assert!(one.counter > other.counter && verified(&one).replaces(&other) && !verified(&other).replaces(&one));
    let stranger = Receipt { closes: Vec::new(), ..restored };
    assert!(!verified(&stranger).replaces(&new));
}
