//! Opening: marker, passphrase, lock, version, damage.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use alliance_store::conformance::{Author, batch, space};
use alliance_store::device::DeviceOp;
use alliance_store::{Device, Fresh, Kdf, OpenError, Opened, Options, Replica, SqliteReplica, StoreHeader, StoreKey};
use alliance_sync::{Incoming, Outcome};
use alliance_wire::{Incarnation, Instance, Stream};
use rusqlite::Connection;

const KDF: Kdf = Kdf { memory_kib: 8, passes: 1, lanes: 1 };
const SALT: [u8; 16] = [3; 16];

fn key(number: u8) -> StoreKey {
    StoreKey::new([number; 32])
}

fn fresh(number: u8) -> Fresh {
    Fresh { incarnation: Incarnation([number; 16]), instance: Instance([number + 100; 16]) }
}

fn create(folder: &Path, number: u8) -> (Device, Opened) {
    let header = StoreHeader::new(SALT, KDF, &key(1));
    Device::create(folder, &header, &key(1), fresh(number), Options::default()).unwrap()
}

fn open(folder: &Path, number: u8) -> Result<(Device, Opened), OpenError> {
    Device::open(folder, &key(1), fresh(number), Options::default())
}

fn open_relay(folder: &Path, number: u8, renew: bool) -> Result<(SqliteReplica, Opened), OpenError> {
    SqliteReplica::open(folder, fresh(number), renew, Options::default())
}

/// A relay's database without a key, as earlier versions made it, so that a test can change it by statements.
fn open_plain(folder: &Path, number: u8) -> Result<(SqliteReplica, Opened), OpenError> {
    SqliteReplica::open(folder, fresh(number), false, Options { signed: false, ..Options::default() })
}

/// All files of a folder but the lock, which says who holds the store and nothing of it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let read = |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
    entries.map(read).filter(|(name, _)| name != "store.lock").collect()
}

fn restore_files(folder: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        fs::remove_file(entry.path()).unwrap();
    }
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

async fn append(device: &Device, author: &Author, count: usize) {
    let chain = author.chain(space(1), Stream::Data, None, "entry", count);
    let items = chain.into_iter().map(Incoming::Entry).collect();
    device.replica().put(batch(items), Vec::new()).await.unwrap();
}

#[test]
fn marker_matrix() {
    /// What is done to the files between two openings.
    type Between = fn(&Path, &BTreeMap<String, Vec<u8>>);
    // (what happened, how, the store begins anew)
    let table: [(&str, Between, bool); 8] = [
        ("nothing", |_, _| {}, false),
        ("the marker was lost", |folder, _| fs::remove_file(folder.join("marker")).unwrap(), true),
        ("the marker was damaged", |folder, _| fs::write(folder.join("marker"), b"alliance marker\0").unwrap(), true),
        // The state of one opening ago: a crash between raising the database and raising the marker.
        ("a crash between the two", |folder, old| fs::write(folder.join("marker"), &old["marker"]).unwrap(), false),
        ("an old database", |folder, old| fs::write(folder.join("store.db"), &old["store.db"]).unwrap(), true),
        ("an old folder as a whole", |folder, old| restore_files(folder, old), false),
        (
            "a backup without marker",
            |folder, old| {
                restore_files(folder, old);
                fs::remove_file(folder.join("marker")).unwrap();
            },
            true,
        ),
        ("the database is gone", |folder, _| fs::remove_file(folder.join("store.db")).unwrap(), true),
    ];
    for (what, between, anew) in table {
        let folder = tempfile::tempdir().unwrap();
        let (device, made) = create(folder.path(), 1);
        assert!(made.fresh && made.opens == 1 && made.previous.is_none(), "{what}");
        device.close();
        let (device, second) = open(folder.path(), 2).unwrap();
        assert!(!second.fresh && second.opens == 2 && second.incarnation == made.incarnation, "{what}");
        device.close();
        let old = files(folder.path());
        let (device, third) = open(folder.path(), 3).unwrap();
        assert_eq!((third.opens, third.instance), (3, made.instance), "{what}");
        device.close();

        between(folder.path(), &old);
        // A random source that says again what it said when the store was made gives other ids all the same, unless
        // nothing is left that remembers them.
        let (device, found) = open(folder.path(), if what == "the database is gone" { 4 } else { 1 }).unwrap();
        let same = (found.incarnation == made.incarnation, found.instance == made.instance);
        assert_eq!((found.fresh, same), (anew, (!anew, !anew)), "{what}");
        device.close();
        // Whatever it was, it holds from then on.
        let (_, next) = open(folder.path(), 5).unwrap();
        assert_eq!((next.fresh, next.incarnation, next.opens), (false, found.incarnation, found.opens + 1), "{what}");
    }
}

#[test]
fn two_openings_behind_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path(), 1).0.close();
    let marker = fs::read(folder.path().join("marker")).unwrap();
    for number in 2..4 {
        open(folder.path(), number).unwrap().0.close();
    }
    fs::write(folder.path().join("marker"), marker).unwrap();
    let (_, found) = open(folder.path(), 4).unwrap();
    assert_eq!((found.fresh, found.previous), (true, Some(fresh(1).incarnation)));
}

#[test]
fn relay_keeps_its_instance_unless_restored() {
    let folder = tempfile::tempdir().unwrap();
    let open = |number, renew| {
        let (replica, opened) = open_relay(folder.path(), number, renew).unwrap();
        assert_eq!(replica.instance(), opened.instance);
        opened.instance
    };
    assert_eq!(open(1, false), fresh(1).instance);
    assert_eq!(open(2, false), fresh(1).instance);
    let restored = open(1, true);
    assert_ne!(restored, fresh(1).instance, "the operator said that it was restored; the random source said the same");
    fs::remove_file(folder.path().join("marker")).unwrap();
    let again = open(1, false);
    assert!(again != restored && again != fresh(1).instance);
}

#[tokio::test]
async fn new_incarnation_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (device, _) = create(folder.path(), 1);
    let renewed = device.new_incarnation(fresh(1).incarnation).await.unwrap();
    assert_eq!(renewed.previous, Some(fresh(1).incarnation), "even if the random source repeats itself");
    assert_ne!(renewed.incarnation, fresh(1).incarnation);
    assert_eq!(renewed.instance, fresh(1).instance, "its arrival numbers were not disturbed");
    device.close();
    let (_, found) = open(folder.path(), 2).unwrap();
    assert_eq!((found.fresh, found.incarnation), (false, renewed.incarnation));
}

#[tokio::test]
async fn wrong_passphrase_is_certain() {
    let folder = tempfile::tempdir().unwrap();
    let (device, _) = create(folder.path(), 1);
    append(&device, &Author::new(1), 3).await;
    device.close();
    let before = files(folder.path());
    let wrong = Device::open(folder.path(), &key(2), fresh(2), Options::default());
    assert!(matches!(wrong, Err(OpenError::WrongKey)));
    assert_eq!(files(folder.path()), before, "nothing was touched");
    // The same words hold while the database is damaged, so that neither is mistaken for the other.
    let mut bytes = before["store.db"].clone();
    bytes[..4096].fill(0x55);
    fs::write(folder.path().join("store.db"), &bytes).unwrap();
    let wrong = Device::open(folder.path(), &key(2), fresh(2), Options::default());
    assert!(matches!(wrong, Err(OpenError::WrongKey)));
    assert!(matches!(open(folder.path(), 2), Err(OpenError::Damaged)));
    // The control.
    fs::write(folder.path().join("store.db"), &before["store.db"]).unwrap();
    open(folder.path(), 2).unwrap();
}

#[test]
fn nothing_is_readable_without_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let (device, _) = create(folder.path(), 1);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let op = DeviceOp::PutSetting { name: "spoken", value: Some(b"a sentence that only its writer reads".to_vec()) };
    runtime.block_on(device.apply(vec![op])).unwrap();
    let words = b"a sentence that only";
    let found = |files: BTreeMap<String, Vec<u8>>| {
        files.values().any(|bytes| bytes.windows(words.len()).any(|window| window == words))
    };
    assert!(!found(files(folder.path())), "neither in the database nor in its write-ahead log");
    device.close();
    assert!(!found(files(folder.path())));
    // The control: without encryption the same search finds such words.
    let plain = tempfile::tempdir().unwrap();
    let (relay, _) = open_plain(plain.path(), 1).unwrap();
    let entry = Author::new(1).next(space(1), Stream::Data, None, b"a sentence that only its writer reads");
    runtime.block_on(relay.put(batch(vec![Incoming::Entry(entry)]), Vec::new())).unwrap();
    relay.close();
    assert!(found(files(plain.path())));
}

#[test]
fn store_opens_once() {
    let folder = tempfile::tempdir().unwrap();
    let (device, _) = create(folder.path(), 1);
    match open(folder.path(), 2) {
        Err(OpenError::Busy { pid }) => assert_eq!(pid, Some(std::process::id())),
        other => panic!("{other:?}"),
    }
    assert!(matches!(alliance_store::quarantine(folder.path()), Err(OpenError::Busy { .. })));
    let copy = device.clone();
    drop(device);
    assert!(matches!(open(folder.path(), 2), Err(OpenError::Busy { .. })), "a copy holds it, too");
    drop(copy);
    open(folder.path(), 2).unwrap();
}

#[test]
fn create_and_open_tell_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(open(folder.path(), 1), Err(OpenError::Absent)));
    assert!(Device::header(folder.path()).unwrap().is_none());
    create(folder.path(), 1).0.close();
    let header = Device::header(folder.path()).unwrap().unwrap();
    assert_eq!((header.salt, header.kdf), (SALT, KDF));
    let again = Device::create(folder.path(), &header, &key(1), fresh(2), Options::default());
    assert!(matches!(again, Err(OpenError::Exists)));
    // A header that is gone or damaged in one copy is mended from the other; in both, it is said.
    let (head, copy) = (folder.path().join("store.head"), folder.path().join("store.head.copy"));
    let bytes = fs::read(&head).unwrap();
    for damage in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[damage] ^= 1;
        fs::write(&head, &damaged).unwrap();
        fs::write(&copy, &damaged).unwrap();
        assert!(matches!(open(folder.path(), 2), Err(OpenError::Header)), "byte {damage}");
        for (bad, good) in [(&head, &copy), (&copy, &head)] {
            fs::write(bad, &damaged).unwrap();
            fs::write(good, &bytes).unwrap();
            assert_eq!(Device::header(folder.path()).unwrap().as_ref(), Some(&header), "byte {damage}");
            assert_eq!(fs::read(bad).unwrap(), bytes, "byte {damage}: mended");
        }
    }
    fs::remove_file(&head).unwrap();
    fs::remove_file(&copy).unwrap();
    assert!(matches!(open(folder.path(), 2), Err(OpenError::Header)));
    fs::write(&head, bytes).unwrap();
    open(folder.path(), 2).unwrap();
    assert!(copy.exists());
}

/// Sets the schema's version as a newer program would.
fn make_newer(connection: &Connection) {
    connection.pragma_update(None, "user_version", 99).unwrap();
}

fn assert_untouched(folder: &Path, mut open: impl FnMut() -> Result<(), OpenError>) {
    let before = files(folder);
    match open() {
        Err(OpenError::Newer { found: 99, .. }) => {}
        other => panic!("{other:?}"),
    }
    let after = files(folder);
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "no file came or went");
    assert!(after == before, "not a byte differs");
}

#[test]
fn newer_store_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    open_plain(folder.path(), 1).unwrap().0.close();
    let database = folder.path().join("store.db");
    let connection = Connection::open(&database).unwrap();
    make_newer(&connection);
    drop(connection);
    assert!(!folder.path().join("store.db-wal").exists());
    assert_untouched(folder.path(), || open_plain(folder.path(), 2).map(|_| ()));
}

#[test]
fn newer_store_with_a_pending_log_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    open_plain(folder.path(), 1).unwrap().0.close();
    let database = folder.path().join("store.db");
    // A program that was killed: what it committed last lies in the write-ahead log only.
    let killed = tempfile::tempdir().unwrap();
    let connection = Connection::open(&database).unwrap();
    make_newer(&connection);
    for (name, bytes) in files(folder.path()) {
        fs::write(killed.path().join(name), bytes).unwrap();
    }
    assert!(fs::metadata(killed.path().join("store.db-wal")).unwrap().len() > 0);
    for index in [true, false] {
        if !index {
            fs::remove_file(killed.path().join("store.db-shm")).unwrap();
        }
        assert_untouched(killed.path(), || open_plain(killed.path(), 2).map(|_| ()));
    }
}

#[test]
fn newer_encrypted_store_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path(), 1).0.close();
    let connection = Connection::open(folder.path().join("store.db")).unwrap();
    let hex: String = [[1_u8; 32].as_slice(), &SALT].concat().iter().map(|byte| format!("{byte:02x}")).collect();
    connection.execute_batch(&format!("pragma key = \"x'{hex}'\"")).unwrap();
    make_newer(&connection);
    drop(connection);
    assert_untouched(folder.path(), || open(folder.path(), 2).map(|_| ()));
}

#[test]
fn other_kind_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    open_plain(folder.path(), 1).unwrap().0.close();
    let connection = Connection::open(folder.path().join("store.db")).unwrap();
    connection.pragma_update(None, "application_id", 7).unwrap();
    drop(connection);
    assert!(matches!(open_plain(folder.path(), 2), Err(OpenError::OtherKind)));
}

#[tokio::test]
async fn damaged_store_is_set_aside_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let author = Author::new(1);
    let (device, made) = create(folder.path(), 1);
    append(&device, &author, 30).await;
    device.close();
    let database = folder.path().join("store.db");
    let mut bytes = fs::read(&database).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&database, &bytes).unwrap();
    fs::write(folder.path().join("store.db-wal"), b"").unwrap();
    assert!(matches!(open(folder.path(), 2), Err(OpenError::Damaged)));

    let aside = alliance_store::quarantine(folder.path()).unwrap();
    assert_eq!(aside.file_name().unwrap(), "store.db.quarantine-1");
    assert_eq!(fs::read(&aside).unwrap(), bytes, "every byte is kept");
    assert!(!database.exists());
    assert!(matches!(alliance_store::quarantine(folder.path()), Err(OpenError::Absent)));

    // The same passphrase opens a new database; it is another incarnation.
    let (device, anew) = open(folder.path(), 3).unwrap();
    assert!(anew.fresh && anew.incarnation != made.incarnation);
    let entry = author.next(space(1), Stream::Data, None, b"anew");
    let stored = device.replica().put(batch(vec![Incoming::Entry(entry)]), Vec::new()).await.unwrap();
    assert_eq!(stored.outcomes, [Outcome::Stored(1)]);
    device.close();
    fs::write(&database, b"not a database at all, and longer than a header of one hundred bytes would be: ".repeat(99))
        .unwrap();
    assert!(matches!(open(folder.path(), 4), Err(OpenError::Damaged)));
    let aside = alliance_store::quarantine(folder.path()).unwrap();
    assert_eq!(aside.file_name().unwrap(), "store.db.quarantine-2");
}

#[tokio::test]
async fn reopened_store_has_everything() {
    let folder = tempfile::tempdir().unwrap();
    let author = Author::new(1);
    let (device, _) = create(folder.path(), 1);
    append(&device, &author, 20).await;
    let tails = device.replica().tails(vec![space(1)]).await.unwrap();
    // As a crash leaves it: copied while the writer is open, without a checkpoint.
    let crashed = tempfile::tempdir().unwrap();
    for (name, bytes) in files(folder.path()) {
        fs::write(crashed.path().join(name), bytes).unwrap();
    }
    device.close();
    assert!(device.replica().spaces().await.is_err(), "a closed store answers nobody");
    for path in [folder.path(), crashed.path()] {
        let (device, opened) = open(path, 2).unwrap();
        assert!(!opened.fresh);
        assert_eq!(device.replica().tails(vec![space(1)]).await.unwrap(), tails);
    }
}
