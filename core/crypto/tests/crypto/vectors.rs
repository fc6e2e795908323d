//! The committed golden vectors hold, and writing them again gives the same vectors.
//!
//! A file that differs after an intended change of the format is written by `cargo run --example crypto_vectors`; what
//! older software sealed must still open (`sealing.json`, `open_only`).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    missing_docs
)]

mod discovery;
#[path = "../../vectors/generate.rs"]
pub(crate) mod generate;
mod history;
mod pin;

use alliance_crypto::{
    BoxError, BoxPlace, Canary, Cost, DeviceSecret, EpochKey, Invitation, OpenError, PendingInvite, PendingJoin,
    RecoverySecret, RecoveryWords, Rules, Secret, SmallDomain, Watching, WordsError, open, open_box, open_link,
    open_parcel, open_small, padme, passphrase_key, verify,
};
use alliance_wire::bundle::Bundle;
use alliance_wire::membership::{EpochLink, KeyBox, Role};
use alliance_wire::{DeviceKey, EpochId, HeaderHash, LogId, SignerKey, SpaceId};
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

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn cases<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    let cases = value[name].as_array().unwrap();
    assert!(!cases.is_empty());
    cases
}

#[test]
fn writing_again_gives_the_same_vectors() {
    for (name, content) in generate::files() {
        let written: Value = serde_json::from_str(&content).unwrap();
        assert!(file(name) == written, "{name} is not what `cargo run --example crypto_vectors` writes");
    }
}

#[test]
fn keys_and_signatures() {
    for case in cases(&file("keys.json"), "cases") {
        if case["what"] == "device" {
            let secret = DeviceSecret::from_seed(array(&case["seed"]));
            assert_eq!(secret.key().0, array(&case["signer_key"]));
            assert_eq!(secret.sign(&bytes(&case["message"])), array::<64>(&case["signature"]));
        }
    }
    for case in cases(&file("signatures.json"), "cases") {
        let result = verify(DeviceKey(array(&case["key"])), &bytes(&case["message"]), &array(&case["signature"]));
        assert_eq!(result.is_ok(), case["verifies"].as_bool().unwrap(), "{}", case["what"]);
    }
}

#[test]
fn sealed_payloads() {
    let vectors = file("sealing.json");
    let (key, log) = (EpochKey::from_bytes(array(&vectors["epoch_key"])), LogId(array(&vectors["log"])));
    for pair in cases(&vectors, "padme") {
        assert_eq!(padme(pair[0].as_u64().unwrap() as usize) as u64, pair[1].as_u64().unwrap());
    }
    for case in cases(&vectors, "seal").iter().chain([&vectors["open_only"]]) {
        let opened = open(Rules::ALL, &key, log, &bytes(&case["ad"]), &bytes(&case["sealed"]));
        assert_eq!(opened.unwrap(), bytes(&case["plaintext"]));
    }
    for case in cases(&vectors, "must_fail") {
        let result = if let Some(zeros) = case["sealed_zeros"].as_u64() {
            open(Rules::ALL, &key, log, &[], &vec![0; zeros as usize])
        } else if case["unsealed"].is_null() {
            open(Rules::ALL, &key, log, &bytes(&case["ad"]), &bytes(&case["sealed"]))
        } else {
            let body = [&[0], bytes(&case["unsealed"]).as_slice()].concat();
            open(Rules { seal: false, ..Rules::ALL }, &key, log, &[], &body)
        };
        let expected = match text(&case["error"]) {
            "Cipher" => OpenError::Cipher,
            "Version" => OpenError::Version,
            "Size" => OpenError::Size,
            "Malformed" => OpenError::Malformed,
            "OverLimit" => OpenError::OverLimit,
            other => panic!("{other}"),
        };
        assert_eq!(result, Err(expected), "{}", case["what"]);
    }
    let (small, watching) = (&vectors["small"], &vectors["watching"]);
    for (domain, name) in [(SmallDomain::Invitation, "invitation"), (SmallDomain::Backup, "backup")] {
        let opened = open_small(domain, &array(&small["key"]), &bytes(&small["ad"]), &bytes(&small[name]));
        assert_eq!(opened.unwrap(), bytes(&small["plaintext"]));
    }
    let parcel = &vectors["parcel"];
    let bundle = Bundle::decode(&bytes(&parcel["bundle"])).unwrap();
    let open = |reader| open_parcel(&bundle.salt, DeviceKey(reader), &bundle.parcels[0]);
    for reader in cases(parcel, "readers") {
        assert_eq!(open(array(reader)), Some(bytes(&parcel["contents"])));
    }
    assert_eq!(open([6; 32]), None, "it is not for everybody");
    let space = SpaceId(array(&watching["space"]));
    let notice = Watching::open(space, &bytes(&watching["sealed"]), |epoch| {
        (epoch == EpochId(array(&watching["epoch"]))).then_some(&key)
    });
    assert_eq!(notice.unwrap().document.0, array(&watching["document"]));
}

#[test]
fn key_boxes() {
    let vectors = file("epochs.json");
    let space = SpaceId(array(&vectors["space"]));
    let secret = DeviceSecret::from_seed(array(&vectors["recipient_seed"]));
    let recipient = SignerKey(array(&vectors["recipient"]));
    let open_at = |place: &Value, sealed: &Value, canary: &Value| {
        let parents: Vec<HeaderHash> = cases(place, "parents").iter().map(|p| HeaderHash(array(p))).collect();
        let generation = place["generation"].as_u64().unwrap();
        let place = BoxPlace::Epoch { space, generation, parents: &parents };
        let sealed = KeyBox { recipient, sealed: array(sealed) };
        open_box(&secret, &place, &sealed, &Canary { space, generation: 2, value: array(canary) })
    };
    let epoch = &vectors["epoch"];
    let key = open_at(&epoch["place"], &epoch["sealed"], &epoch["canary"]).unwrap();
    assert_eq!(key.as_bytes(), &array::<32>(&epoch["key"]));
    for case in cases(&vectors, "must_fail") {
        let expected = if case["error"] == "Canary" { BoxError::Canary } else { BoxError::Sealed };
        assert_eq!(open_at(&case["place"], &case["sealed"], &case["canary"]), Err(expected), "{}", case["what"]);
    }
    let appended = &vectors["appended"];
    let canary = Canary { space, generation: 1, value: array(&appended["canary"]) };
    let place = BoxPlace::Appended { space, epoch: EpochId(array(&appended["epoch"])) };
    let sealed = KeyBox { recipient, sealed: array(&appended["sealed"]) };
    assert_eq!(open_box(&secret, &place, &sealed, &canary).unwrap().as_bytes(), &array::<32>(&appended["key"]));
    let link = &vectors["link"];
    let sealed = EpochLink { epoch: EpochId(array(&link["epoch"])), sealed: bytes(&link["sealed"]).into() };
    let opened = open_link(&EpochKey::from_bytes(array(&link["from_key"])), &sealed, &canary);
    assert_eq!(opened.unwrap().as_bytes(), &array::<32>(&link["key"]));
}

#[test]
fn invitations() {
    let vectors = file("invitation.json");
    let invitation = Invitation::parse(text(&vectors["text"])).unwrap();
    assert_eq!(invitation.secret().signer_key().0, array(&vectors["once_key"]));
    let (inviter, newcomer) = (
        DeviceSecret::from_seed(array(&vectors["inviter_seed"])),
        DeviceSecret::from_seed(array(&vectors["newcomer_seed"])),
    );
    let (space, now) = (SpaceId(array(&vectors["space"])), vectors["now"].as_u64().unwrap());
    let mut pending = PendingInvite::new(&inviter, space, Role::Writer, vectors["expires"].as_u64().unwrap(), [5; 32]);
    assert!(pending.receive(&bytes(&vectors["accept"]), now, [7; 32]).is_ok());
    let recovery = RecoverySecret::from_seed(array(&vectors["recovery_seed"])).card();
    let mut join = PendingJoin::new(&newcomer, recovery, invitation, text(&vectors["name"]), now, [6; 32]).unwrap();
    let words = join.receive(&bytes(&vectors["reveal"])).unwrap();
    assert_eq!(Value::from(words.to_vec()), vectors["words"]);
    assert_eq!(pending.words(), Some(words));
    for case in cases(&vectors, "must_fail") {
        let error = Invitation::parse(text(&case["text"])).unwrap_err();
        assert_eq!(format!("{error:?}"), text(&case["error"]), "{}", case["what"]);
    }
}

#[test]
fn recovery_words_and_passphrases() {
    let vectors = file("recovery.json");
    let card = RecoveryWords::parse(text(&vectors["words"])).unwrap().secret(Cost::DEFAULT).card();
    assert_eq!((card.signer.0, card.boxes.0), (array(&vectors["signer"]), array(&vectors["boxes"])));
    let passphrase = &vectors["passphrase"];
    let key = passphrase_key(text(&passphrase["text"]), &array(&passphrase["salt"]), Cost::TEST).unwrap();
    assert_eq!(*key, array::<32>(&passphrase["test_key"]));
    for case in cases(&vectors, "must_fail") {
        let kind = match RecoveryWords::parse(text(&case["words"])).map(|_| ()).unwrap_err() {
            WordsError::Count { .. } => "Count",
            WordsError::Unknown { .. } => "Unknown",
            WordsError::Checksum => "Checksum",
        };
        assert_eq!(kind, text(&case["error"]), "{}", case["what"]);
    }
}
