//! A store that is being made is whole or is not there. Every call at which the making can be interrupted is walked
//! through in `tests/tests/faults/steps.rs`.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use alliance_crypto::{Cost, RecoveryWords};
use alliance_store::device::{Profile, RestoreError, restore};
use alliance_store::{Device, Fresh, Kdf, OpenError, Opened, Options, StoreHeader, StoreKey};
use alliance_wire::{Incarnation, Instance};
use tempfile::TempDir;

const SALT: [u8; 16] = [7; 16];

fn fresh(number: u8) -> Fresh {
    Fresh { incarnation: Incarnation([number; 16]), instance: Instance([number; 16]) }
}

fn key(number: u8) -> StoreKey {
    StoreKey::new([number; 32])
}

fn profile(name: &str) -> Profile {
    let recovery = RecoveryWords::generate([2; 32]).secret(Cost::TEST).card();
    Profile { secret: [3; 32].into(), recovery, name: name.into(), created: 0 }
}

fn make(folder: &Path, number: u8, options: Options) -> Result<(Device, Opened), OpenError> {
    let header = StoreHeader::new(SALT, Kdf { memory_kib: 8, passes: 1, lanes: 1 }, &key(number));
    Device::create_for(&profile("Amina"), folder, &header, &key(number), fresh(number), options)
}

fn open(folder: &Path, number: u8) -> Result<(Device, Opened), OpenError> {
    Device::open(folder, &key(number), fresh(9), Options::default())
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()));
    named.filter(|(name, _)| name != "store.lock").collect()
}

/// A folder as an interrupted making left it: with some of the files of a store, the file that says so among them.
fn unfinished(names: &[&str]) -> TempDir {
    let whole = TempDir::new().unwrap();
    make(whole.path(), 1, Options::default()).unwrap().0.close();
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("store.making"), b"").unwrap();
    for (name, bytes) in files(whole.path()) {
        assert_ne!(name, "store.making", "it goes when the store is made");
        if names.contains(&name.as_str()) {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
    }
    folder
}

#[test]
fn an_unfinished_store_is_none_and_is_made_again() {
    let all = ["store.head", "store.head.copy", "store.db", "store.roots", "marker"];
    for count in 0..=all.len() {
        let folder = unfinished(&all[..count]);
        assert_eq!(files(folder.path()).len(), count + 1);
        assert!(Device::is_unfinished(folder.path()));
        assert!(matches!(open(folder.path(), 1), Err(OpenError::Unfinished)), "{count} files");
        // Made again with another passphrase: nobody remembers the first.
        let (device, opened) = make(folder.path(), 2, Options::default()).unwrap();
        assert!(opened.fresh && opened.opens == 1, "{count} files: {opened:?}");
        device.close();
        assert!(!Device::is_unfinished(folder.path()));
        assert!(matches!(open(folder.path(), 1), Err(OpenError::WrongKey)));
        let (_, opened) = open(folder.path(), 2).unwrap();
        assert_eq!((opened.fresh, opened.incarnation), (false, fresh(2).incarnation));
    }
}

#[tokio::test]
async fn a_finished_store_is_never_made_again() {
    let folder = TempDir::new().unwrap();
    make(folder.path(), 1, Options::default()).unwrap().0.close();
    let before = files(folder.path());
    assert!(matches!(make(folder.path(), 2, Options::default()), Err(OpenError::Exists)));
    let backup = restore(folder.path(), &mut [].as_slice());
    assert!(matches!(backup, Err(RestoreError::Open(OpenError::Exists))));
    assert!(files(folder.path()) == before, "not a byte differs");
    // Nor one of which a part is gone.
    for lost in ["store.db", "store.head", "store.head.copy"] {
        fs::remove_file(folder.path().join(lost)).unwrap();
        let left = files(folder.path());
        assert!(matches!(make(folder.path(), 2, Options::default()), Err(OpenError::Exists)), "without {lost}");
        assert!(files(folder.path()) == left, "without {lost}");
        fs::write(folder.path().join(lost), &before[lost]).unwrap();
    }
    let (device, _) = open(folder.path(), 1).unwrap();
    assert_eq!(device.profile().await.unwrap().unwrap().name, "Amina");
}

#[test]
fn a_making_that_fails_leaves_no_store_and_one_under_way_is_busy() {
    let folder = TempDir::new().unwrap();
    let full = Options { pages_max: Some(4), ..Options::default() };
    assert!(matches!(make(folder.path(), 1, full), Err(OpenError::LowStorage)));
    assert_eq!(files(folder.path()), BTreeMap::new(), "nothing is left");
    assert!(matches!(open(folder.path(), 1), Err(OpenError::Absent)));
    assert!(matches!(restore(folder.path(), &mut b"no backup".as_slice()), Err(RestoreError::NotABackup)));
    assert_eq!(files(folder.path()), BTreeMap::new(), "nothing is left");
    // Under way: somebody holds the lock.
    let files = alliance_store::file::Files::new(folder.path());
    let lock = alliance_store::file::Lock::take(&files).unwrap();
    fs::write(folder.path().join("store.making"), b"").unwrap();
    assert!(matches!(open(folder.path(), 1), Err(OpenError::Busy { .. })));
    assert!(matches!(make(folder.path(), 1, Options::default()), Err(OpenError::Busy { .. })));
    drop(lock);
    make(folder.path(), 1, Options::default()).unwrap();
}

/// A crash between raising the database and raising the marker is repaired, however often it happens in a row: a process
/// that is killed again and again while it starts begins no new incarnation (docs/PROTOCOL.md section 1).
#[test]
fn crashes_between_database_and_marker_in_a_row_are_repaired() {
    let folder = TempDir::new().unwrap();
    make(folder.path(), 1, Options::default()).unwrap().0.close();
    // In the way of every raising of the marker: what comes before it is done.
    let in_the_way = folder.path().join("marker.new");
    fs::create_dir(&in_the_way).unwrap();
    for _ in 0..4 {
        assert!(matches!(open(folder.path(), 1), Err(OpenError::Io(_))));
    }
    fs::remove_dir(&in_the_way).unwrap();
    let (device, opened) = open(folder.path(), 1).unwrap();
    device.close();
    assert_eq!((opened.fresh, opened.incarnation, opened.opens), (false, fresh(1).incarnation, 3));
    // The control: the database was raised beyond its marker.
    let marker = fs::read(folder.path().join("marker")).unwrap();
    open(folder.path(), 1).unwrap().0.close();
    open(folder.path(), 1).unwrap().0.close();
    fs::write(folder.path().join("marker"), marker).unwrap();
    assert!(open(folder.path(), 1).unwrap().1.fresh);
}
