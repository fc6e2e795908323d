//! A store's key that a keeper helps to keep: what opens, what does not, and that the passphrase always does.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use alliance_client::{Client, KeeperError, KeyKeeper, NotKept};
use alliance_tests::people::{PASSPHRASE, Person, options};
use zeroize::Zeroizing;

/// A keeper in memory, which can be in a bad mood.
#[derive(Default)]
struct Memory {
    kept: Mutex<HashMap<String, Vec<u8>>>,
    mood: Mutex<Option<KeeperError>>,
}

impl Memory {
    fn is(&self, mood: Option<KeeperError>) {
        *self.mood.lock().unwrap() = mood;
    }

    fn asked(&self) -> Result<(), KeeperError> {
        self.mood.lock().unwrap().map_or(Ok(()), Err)
    }

    /// The names and secrets, in no order.
    fn all(&self) -> Vec<(String, Vec<u8>)> {
        self.kept.lock().unwrap().clone().into_iter().collect()
    }
}

impl KeyKeeper for Memory {
    async fn fetch(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeeperError> {
        self.asked()?;
        Ok(self.kept.lock().unwrap().get(name).cloned().map(Zeroizing::new))
    }

    async fn keep(&self, name: &str, secret: &[u8]) -> Result<(), KeeperError> {
        self.asked()?;
        self.kept.lock().unwrap().insert(name.to_owned(), secret.to_vec());
        Ok(())
    }

    async fn forget(&self, name: &str) -> Result<(), KeeperError> {
        self.asked()?;
        self.kept.lock().unwrap().remove(name);
        Ok(())
    }
}

fn half(store: &Path) -> PathBuf {
    store.join("store.kept")
}

/// Where some bytes lie in others.
fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[tokio::test]
async fn a_kept_key_opens_the_store_and_so_does_the_passphrase() {
    let keeper = Memory::default();
    let ben = Person::new("Ben").await;
    let store = ben.store();
    assert!(!Client::is_kept(&store));
    assert_eq!(Client::kept_key(&store, &keeper).await.unwrap_err(), NotKept::NoHalf);

    ben.client.keep_key(&keeper).await.unwrap();
    assert!(Client::is_kept(&store));
    let me = ben.client.whoami().device;
    ben.client.close().await.unwrap();
    let key = Client::kept_key(&store, &keeper).await.unwrap();
    let client = Client::open_with(&store, &key, options()).await.unwrap();
    assert_eq!(client.whoami().device, me);
    assert!(client.is_passphrase(PASSPHRASE).await.unwrap());
    assert!(!client.is_passphrase("another").await.unwrap());

    // Either half alone says nothing of the key; the control: together they are the key.
    let (folder, (name, other)) = (std::fs::read(half(&store)).unwrap(), keeper.all().remove(0));
    for part in [&folder, &other] {
        assert!(!holds(part, key.bytes()) && !holds(part, &key.bytes()[..8]));
    }
    let both = |folder: &[u8]| folder.iter().zip(&other).map(|(one, other)| one ^ other).collect::<Vec<u8>>();
    assert!(folder.windows(32).any(|window| both(window) == key.bytes()));
    // The name under which it is kept says nothing of the store either.
    assert!(!name.contains(&me.to_string()[..8]));

    // Kept anew: other halves, and the keeper has one of them only.
    client.keep_key(&keeper).await.unwrap();
    let again = keeper.all();
    assert!(again.len() == 1 && again[0].0 != name && again[0].1 != other);
    client.close().await.unwrap();
    assert_eq!(Client::kept_key(&store, &keeper).await.unwrap().bytes(), key.bytes());

    // No more: nothing is left in either place.
    Client::forget_key(&store, &keeper).await.unwrap().unwrap();
    assert!(!half(&store).exists() && keeper.all().is_empty());
    Client::open(&store, PASSPHRASE, options()).await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn a_keeper_that_does_not_help_is_no_failure() {
    let keeper = Memory::default();
    let ben = Person::new("Ben").await;
    let store = ben.store();
    for (mood, code) in [
        (KeeperError::Absent, "KEYRING_ABSENT"),
        (KeeperError::Locked, "KEYRING_LOCKED"),
        (KeeperError::Refused, "KEYRING_REFUSED"),
    ] {
        keeper.is(Some(mood));
        assert_eq!(ben.client.keep_key(&keeper).await.unwrap_err().code(), code);
        assert!(!Client::is_kept(&store));
    }
    keeper.is(None);
    ben.client.keep_key(&keeper).await.unwrap();
    let kept = std::fs::read(half(&store)).unwrap();
    for mood in [KeeperError::Absent, KeeperError::Locked, KeeperError::Refused] {
        keeper.is(Some(mood));
        assert_eq!(Client::kept_key(&store, &keeper).await.unwrap_err(), NotKept::Keeper(mood));
        // A new attempt that fails leaves what was.
        ben.client.keep_key(&keeper).await.unwrap_err();
        assert_eq!(std::fs::read(half(&store)).unwrap(), kept);
    }
    keeper.is(None);
    Client::kept_key(&store, &keeper).await.unwrap();

    // Taken back while the keeper is away: its half stays there, and opens nothing.
    keeper.is(Some(KeeperError::Absent));
    assert_eq!(Client::forget_key(&store, &keeper).await.unwrap(), Err(KeeperError::Absent));
    keeper.is(None);
    assert_eq!(keeper.all().len(), 1);
    assert_eq!(Client::kept_key(&store, &keeper).await.unwrap_err(), NotKept::NoHalf);
    // The control: with the folder's half it would.
    std::fs::write(half(&store), &kept).unwrap();
    Client::kept_key(&store, &keeper).await.unwrap();
    // Gone at the keeper.
    keeper.kept.lock().unwrap().clear();
    assert_eq!(Client::kept_key(&store, &keeper).await.unwrap_err(), NotKept::Gone);
    ben.client.close().await.unwrap();
    Client::open(&store, PASSPHRASE, options()).await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn halves_that_do_not_belong_together_open_nothing() {
    let keeper = Memory::default();
    let (ben, amina) = (Person::new("Ben").await, Person::new("Amina").await);
    ben.client.keep_key(&keeper).await.unwrap();
    amina.client.keep_key(&keeper).await.unwrap();
    let (bens, aminas) = (half(&ben.store()), half(&amina.store()));
    let good = std::fs::read(&bens).unwrap();
    // Another store's half, with the keeper's half that belongs to it.
    std::fs::copy(&aminas, &bens).unwrap();
    assert_eq!(Client::kept_key(&ben.store(), &keeper).await.unwrap_err(), NotKept::Stale);
    // Any damage, at any place, and any length.
    for place in 0..good.len() {
        let mut damaged = good.clone();
        damaged[place] ^= 0x10;
        for bytes in [damaged.as_slice(), &good[..place]] {
            std::fs::write(&bens, bytes).unwrap();
            assert_eq!(Client::kept_key(&ben.store(), &keeper).await.unwrap_err(), NotKept::NoHalf, "at {place}");
        }
    }
    // What the keeper has is of another length, or other bytes.
    std::fs::write(&bens, &good).unwrap();
    let kept = keeper.kept.lock().unwrap().clone();
    for change in [|secret: &mut Vec<u8>| secret[31] ^= 1, |secret: &mut Vec<u8>| secret.truncate(31)] {
        for secret in keeper.kept.lock().unwrap().values_mut() {
            change(secret);
        }
        assert_eq!(Client::kept_key(&ben.store(), &keeper).await.unwrap_err(), NotKept::Stale);
        keeper.kept.lock().unwrap().clone_from(&kept);
    }
    // The control.
    Client::kept_key(&ben.store(), &keeper).await.unwrap();
}

#[tokio::test]
async fn a_backup_takes_no_half_along() {
    let keeper = Memory::default();
    let ben = Person::new("Ben").await;
    ben.client.keep_key(&keeper).await.unwrap();
    let file = ben.beside("backup");
    ben.client.backup(&file).await.unwrap();
    let (backup, kept) = (std::fs::read(&file).unwrap(), std::fs::read(half(&ben.store())).unwrap());
    let (body, magic) = (&kept[kept.len() - 40..kept.len() - 8], b"alliance store kept");
    assert!(!holds(&backup, body) && !holds(&backup, magic));
    // The control: the same look finds the salt, which the backup needs.
    let head = std::fs::read(ben.store().join("store.head")).unwrap();
    assert!(holds(&backup, &head));
    let restored = ben.beside("restored");
    let client = Client::restore(&restored, &file, PASSPHRASE, options()).await.unwrap();
    assert!(!Client::is_kept(&restored));
    client.close().await.unwrap();
}
