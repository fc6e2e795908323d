//! No secret is printed by `Debug`, which is what logs and panics show, nor by an error.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_client::{Client, InviteOptions, NewSpace, Profiles, Role};
use alliance_crypto::{
    DeviceSecret, EpochKey, HelpSecret, HelpWrap, Invitation, KeyBytes, Keyring, OneTimeSecret, PendingInvite,
    PendingJoin, RecoverySecret, RecoveryWords, Secret as _,
};
use alliance_net::{AdmissionToken, DeviceIdentity, RelaySecrets};
use alliance_store::device::{DeviceOp, EpochKeyRow, Pending, Profile, RelayRow};
use alliance_store::operator::NewToken;
use alliance_store::profiles::Unlocked;
use alliance_store::{KeptHalf, StoreKey};
use alliance_tests::people::{PASSPHRASE, Person, options};
use alliance_wire::{EpochId, SpaceId};

/// Bytes that give a secret away.
const PIECE: usize = 4;
/// A secret whose bytes all differ.
const SECRET: [u8; 32] = {
    let mut bytes = [101; 32];
    let mut at = 1;
    while at < 32 {
        bytes[at] = bytes[at - 1] + 3;
        at += 1;
    }
    bytes
};

/// Whether four bytes of a secret that follow each other stand in a text: as a list, as digits, or as themselves.
fn shows(text: &str, secret: &[u8]) -> bool {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    secret.windows(PIECE).any(|piece| {
        let list = piece.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
        let digits: String = piece.iter().map(|byte| format!("{byte:02x}")).collect();
        let upper = digits.to_uppercase();
        compact.contains(&list) || compact.contains(&digits) || compact.contains(&upper)
    }) || std::str::from_utf8(secret).is_ok_and(|secret| text.contains(secret))
}

#[track_caller]
fn check(value: &dyn core::fmt::Debug, secret: &[u8]) {
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(!text.is_empty() && !shows(&text, secret), "{text}");
    }
}

#[test]
fn the_look_finds_what_is_printed() {
    let texts = [format!("{SECRET:?}"), format!("{SECRET:#?}"), format!("{:02x?}", SECRET).replace(", ", "")];
    for text in texts.iter().chain([&format!("{:?}", PASSPHRASE)]) {
        assert!(shows(text, &SECRET) || shows(text, PASSPHRASE.as_bytes()), "{text}");
    }
}

#[test]
fn no_key_prints_itself() {
    check(&KeyBytes::new(SECRET), &SECRET);
    check(&StoreKey::new(SECRET), &SECRET);
    check(&EpochKey::from_bytes(SECRET), &SECRET);
    check(&DeviceSecret::from_seed(SECRET), &SECRET);
    check(&OneTimeSecret::from_seed(SECRET), &SECRET);
    check(&HelpSecret::from_seed(SECRET), &SECRET);
    check(&RecoverySecret::from_seed(SECRET), &SECRET);
    check(&Unlocked { key: StoreKey::new(SECRET), wrong: 0 }, &SECRET);
    check(&KeptHalf::split(&StoreKey::new([0; 32]), [0; 16], &SECRET), &SECRET);
    let mut keyring = Keyring::new();
    keyring.insert(EpochId([1; 16]), EpochKey::from_bytes(SECRET));
    check(&keyring, &SECRET);
    let secret = std::sync::Arc::new(DeviceSecret::from_seed(SECRET));
    let signs = std::sync::Arc::clone(&secret);
    check(&DeviceIdentity::new(secret.key(), move |message| signs.sign(message)), &SECRET);
    let words = RecoveryWords::generate(SECRET);
    check(&words, blake3::derive_key("alliance v1 recovery entropy", &SECRET)[..16].as_ref());
    check(&words, words.to_string().as_bytes());
    let mut four = [0; 128];
    four[..32].copy_from_slice(&SECRET);
    check(&RelaySecrets::generate(&four), &SECRET);
    let mut token = [0; 40];
    token[8..].copy_from_slice(&SECRET);
    let token = AdmissionToken::generate(&token);
    check(&token, &SECRET);
    check(&NewToken { id: token.id(), secret: token.secret(), label: "", spaces_max: 1, day: today() }, &SECRET);
}

/// Some day.
fn today() -> alliance_store::operator::RelayDay {
    let folder = tempfile::tempdir().unwrap();
    drop(
        alliance_store::SqliteReplica::open(folder.path(), fresh(), false, alliance_store::Options::default()).unwrap(),
    );
    alliance_store::operator::Operator::open(folder.path()).unwrap().today(1).unwrap()
}

fn fresh() -> alliance_store::Fresh {
    alliance_store::Fresh::draw(&[1; 32], 0)
}

#[test]
fn no_row_and_no_invitation_prints_its_key() {
    let device = DeviceSecret::from_seed(SECRET);
    let recovery = RecoverySecret::from_seed([9; 32]).card();
    let profile = Profile { secret: device.seed(), recovery, name: "Amina".into(), created: 0 };
    check(&profile, &SECRET);
    check(&DeviceOp::PutProfile(profile), &SECRET);
    let row = EpochKeyRow { space: SpaceId([1; 16]), epoch: EpochId([2; 16]), key: SECRET.into() };
    check(&row, &SECRET);
    check(&DeviceOp::PutEpochKey(row), &SECRET);
    let pending = Pending { kind: 1, id: vec![1], value: SECRET.to_vec() };
    check(&pending, &SECRET);
    check(&DeviceOp::PutPending(pending), &SECRET);
    let relay = RelayRow { relay: device.key(), address: String::new(), token: Some(SECRET.to_vec()), added: 0 };
    check(&relay, &SECRET);
    check(&DeviceOp::PutRelay(relay), &SECRET);

    let invite = PendingInvite::new(&device, SpaceId([1; 16]), Role::Writer, 10, [5; 32]);
    let invitation = invite.invitation(None);
    let seed = invitation.secret().seed();
    check(&invite, seed.as_slice());
    check(&invitation, seed.as_slice());
    let read = Invitation::parse(&invitation.to_text()).unwrap();
    check(&PendingJoin::new(&device, recovery, read, "Ben", 1, [6; 32]).unwrap(), seed.as_slice());

    let theirs = KeyBytes::new([7; 32]);
    let helper = [(device.key(), device.box_key())];
    let wrap = HelpWrap::seal(&[8; 32], &[1; 16], &helper, (SECRET, &theirs), [2; 32]).unwrap();
    check(&wrap, &SECRET);
}

#[tokio::test]
async fn no_client_and_no_error_prints_what_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    check(&Profiles::new(folder.path(), options()).with_secret(SECRET), &SECRET);
    let amina = Person::new("Amina").await;
    check(&amina.client, amina.client.store_key().bytes());
    let space = amina.client.create_space("A space", NewSpace::Pair).await.unwrap().space;
    let invite = amina.client.invite(space, InviteOptions { role: Role::Writer, days: 7 }).await.unwrap();
    let text = invite.text.clone();
    check(&invite, text.as_bytes());
    assert!(serde_json::to_string(&invite).unwrap().contains(&text), "whoever asks for the view is shown it");
    amina.client.close().await.unwrap();
    let wrong = "not the passphrase, and secret all the same";
    let error = Client::open(&amina.store(), wrong, options()).await.unwrap_err();
    check(&error, wrong.as_bytes());
    assert!(!error.to_string().contains(wrong));
    let words = "zoo zoo zoo secret zoo zoo zoo zoo zoo zoo zoo zoo";
    let error = Client::create(&folder.path().join("new"), wrong, "Amina", Some(words), options()).await.unwrap_err();
    check(&error, words.as_bytes());
    check(&error, wrong.as_bytes());
    assert!(!error.to_string().contains("zoo"));
}
