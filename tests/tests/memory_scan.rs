//! A process that closed its store holds no key any more: its memory is read from outside (docs/THREATS.md, a lost or
//! stolen device).
//!
//! Each story looks three times for the same secrets. While the store is open the look finds what has to be there; after
//! closing it finds nothing; then the process leaves every secret lying about, and the look finds each by name.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::path::Path;

use alliance_client::{Client, NewProfile, NewSpace, Profiles};
use alliance_crypto::{Cost, RecoveryWords, passphrase_key};
use alliance_store::file::Files;
use alliance_store::file::pin::PinFile;
use alliance_store::{Device, Fresh, Options, Replica as _, StoreKey};
use alliance_tests::people::{hear, options};
use alliance_tests::relay::{self, Site, watched};
use alliance_tests::scan::{Memory, Secret};
use alliance_wire::{Incarnation, Instance};

#[path = "memory_scan/worker.rs"]
mod worker;

use worker::Worker;

const PASSPHRASE: &str = "seven green lanterns over the river";
const OTHER_PASSPHRASE: &str = "a heron waits where the mill was";
const PIN: &str = "marigold tin 4471 kettle";

/// Words of which everything is known, their entropy included.
fn words() -> (RecoveryWords, Vec<Secret>) {
    let random = [77; 32];
    let words = RecoveryWords::generate(random);
    let entropy = blake3::derive_key("alliance v1 recovery entropy", &random);
    let seed = *words.secret(Cost::TEST).seed();
    let mut secrets = vec![Secret::new("the recovery words", words.to_string().as_bytes())];
    secrets.push(Secret::new("the entropy of the words", &entropy[..16]));
    secrets.extend(derived("recovery", &seed));
    (words, secrets)
}

/// A seed and what is made of it (docs/PROTOCOL.md section 1, secrets).
fn derived(what: &str, seed: &[u8; 32]) -> Vec<Secret> {
    let made = |of: &str| {
        let key = blake3::derive_key(&format!("alliance v1 {what} {of} key"), seed);
        Secret::new(format!("the {what}'s {of} key"), &key)
    };
    vec![Secret::new(format!("the {what}'s seed"), seed), made("signing"), made("box"), made("hedge")]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The keys of a store that is closed.
async fn keys_in(folder: &Path, key: [u8; 32]) -> Vec<Secret> {
    let mut secrets = vec![Secret::new("the store's key", &key)];
    secrets.push(Secret::new("the store's key in digits", hex(&key).as_bytes()));
    let fresh = Fresh { incarnation: Incarnation([9; 16]), instance: Instance([9; 16]) };
    let (device, _) = Device::open(folder, &StoreKey::new(key), fresh, Options::default()).unwrap();
    secrets.extend(derived("device", &device.profile().await.unwrap().unwrap().secret));
    for space in device.replica().spaces().await.unwrap() {
        for row in device.epoch_keys(space).await.unwrap() {
            secrets.push(Secret::new(format!("the key of epoch {}", row.epoch.short()), &row.key[..]));
        }
    }
    device.close();
    secrets
}

fn key_of(folder: &Path, passphrase: &str) -> [u8; 32] {
    let header = Device::header(folder).unwrap().unwrap();
    *passphrase_key(passphrase, &header.salt, Cost::TEST).unwrap()
}

/// Looks while the store is open, after closing, and when everything was spilled.
fn check(worker: &mut Worker, open: &Memory, closed: &Memory, secrets: &[Secret], held: &[&str]) {
    let found = open.search(secrets);
    println!("{} bytes, {} secrets; while open: {:?}", open.len(), secrets.len(), found.keys());
    for name in held {
        assert!(found.keys().any(|found| found.starts_with(name)), "{name} is not found while the store is open");
    }
    let left = closed.search(secrets);
    for (name, places) in &left {
        println!("{name} is left, {} pieces:\n  {}", places.len(), places.join("\n  "));
    }
    for secret in secrets {
        assert_eq!(worker.ask(&format!("spill {}", hex(secret.bytes()))), "spilled");
    }
    let spilled = worker.memory().search(secrets);
    for secret in secrets {
        assert!(spilled.get(&secret.name).is_some_and(|places| places.len() >= 2), "{} is not found", secret.name);
    }
    assert!(left.is_empty(), "after closing there are still: {:?}", left.keys());
}

/// Somebody with a store that is closed, all of which lies at the relay.
async fn amina(folder: &Path, words: &RecoveryWords, site: &Site) {
    let made = Client::create(folder, PASSPHRASE, "Amina", Some(&words.to_string()), options()).await;
    let client = made.unwrap().0;
    client.set_up_home().await.unwrap();
    client.add_relay(&site.address().to_string(), None).await.unwrap();
    client.create_space("A space", NewSpace::Pair).await.unwrap();
    client.sync_once(hear).await.unwrap();
    client.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_a_passphrase_opened_leaves_no_key() {
    watched(async {
        let (folder, site, words) = (tempfile::tempdir().unwrap(), Site::start(relay::open).await, words());
        let store = folder.path().join("store");
        amina(&store, &words.0, &site).await;

        let mut worker = Worker::start();
        worker.take(PASSPHRASE);
        assert_eq!(worker.ask(&format!("open {}", store.display())), "open");
        assert_eq!(worker.ask("work"), "worked");
        let address = site.address().to_string();
        assert_eq!(tokio::task::block_in_place(|| worker.ask(&format!("sync {address}"))), "synced");
        let open = worker.memory();
        assert_eq!(worker.ask("close"), "closed");
        let closed = worker.memory();

        let mut secrets = keys_in(&store, key_of(&store, PASSPHRASE)).await;
        secrets.push(Secret::new("the passphrase", PASSPHRASE.as_bytes()));
        let held =
            ["the passphrase", "the store's key", "the device's seed", "the device's signing key", "the key of epoch"];
        check(&mut worker, &open, &closed, &secrets, &held);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_came_back_with_the_words_leaves_no_key_and_no_word() {
    watched(async {
        let (folder, site, (words, of_words)) = (tempfile::tempdir().unwrap(), Site::start(relay::open).await, words());
        amina(&folder.path().join("first"), &words, &site).await;
        let store = folder.path().join("second");

        let mut worker = Worker::start();
        worker.take(OTHER_PASSPHRASE);
        worker.take(&words.to_string());
        assert_eq!(worker.ask(&format!("make {} Amina", store.display())), "open");
        let address = site.address().to_string();
        assert_eq!(tokio::task::block_in_place(|| worker.ask(&format!("recover {address}"))), "recovered");
        assert_eq!(worker.ask("work"), "worked");
        let open = worker.memory();
        assert_eq!(worker.ask("close"), "closed");
        let closed = worker.memory();

        let mut secrets = keys_in(&store, key_of(&store, OTHER_PASSPHRASE)).await;
        secrets.push(Secret::new("the passphrase", OTHER_PASSPHRASE.as_bytes()));
        secrets.extend(of_words);
        let held = ["the passphrase", "the recovery words", "the store's key", "the device's seed", "the key of epoch"];
        check(&mut worker, &open, &closed, &secrets, &held);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_a_pin_opened_leaves_no_key() {
    let (folder, (words, of_words)) = (tempfile::tempdir().unwrap(), words());
    let profiles = Profiles::new(folder.path(), options());
    let text = words.to_string();
    let new = NewProfile { nickname: None, name: "Amina", pin: PIN, words: Some(&text) };
    let (id, client, _) = profiles.add(new).await.unwrap();
    client.close().await.unwrap();
    let store = profiles.store(&id);

    let mut worker = Worker::start();
    worker.take(PIN);
    assert_eq!(worker.ask(&format!("unlock {}", folder.path().display())), "open");
    assert_eq!(worker.ask("work"), "worked");
    let open = worker.memory();
    assert_eq!(worker.ask("close"), "closed");
    let closed = worker.memory();

    let header = Device::header(&store).unwrap().unwrap();
    let key = *header.by_words(&words.secret(Cost::TEST)).unwrap().bytes();
    let mut secrets = keys_in(&store, key).await;
    secrets.push(Secret::new("the PIN", PIN.as_bytes()));
    secrets.extend(of_words);
    secrets.extend(under_pin(&store));
    check(
        &mut worker,
        &open,
        &closed,
        &secrets,
        &["the PIN", "the store's key", "the device's seed", "the key of epoch"],
    );
}

/// The keys that are made of a PIN (docs/PROTOCOL.md section 2, a store's random key).
fn under_pin(store: &Path) -> Vec<Secret> {
    let wrap = PinFile::read(&Files::new(store)).unwrap().unwrap().wrap.unwrap();
    let bytes = alliance_wire::encode(&wrap);
    let mut record = minicbor::Decoder::new(&bytes);
    record.array().unwrap();
    let salt: [u8; 16] = record.bytes().unwrap().try_into().unwrap();
    let of_pin = *passphrase_key(PIN, &salt, Cost::TEST).unwrap();
    let wrap = blake3::derive_key("alliance v1 pin wrap", &of_pin);
    let cipher = blake3::derive_key("alliance v1 pin wrap key", &wrap);
    vec![
        Secret::new("what Argon2 makes of the PIN", &of_pin),
        Secret::new("the wrap's key", &wrap),
        Secret::new("the wrap's cipher key", &cipher),
    ]
}
