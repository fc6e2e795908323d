//! Making, opening, upgrading and restoring a store, with the process killed at each call of the operating system that
//! changes a file, and with each of these calls failing.
//!
//! A kill here leaves what the system was given so far. What a power cut leaves of the write-ahead log besides is in
//! `upgrades`.

#[path = "steps/profiles.rs"]
mod profiles;
#[path = "steps/read_only.rs"]
mod read_only;
#[path = "steps/strace.rs"]
mod strace;

use std::fs;
use std::path::{Path, PathBuf};

use alliance_store::device::Profile;
use alliance_store::file::schema_version;
use alliance_store::{Device, Fresh, OpenError, Opened, Options, StoreKey};
use alliance_tests::sim::world::scratch;
use alliance_wire::{Incarnation, Instance};

use crate::fixtures::copy;
use crate::upgrades::old::{Old, Schema, Tables, missing, older, passphrase};
use strace::{Ended, Fault, each_step, run};

/// What an upgrade left: the older store, to the last row, or the newer one with all of it.
fn whole(old: &Old, before: &Tables, schema: &Schema, left: &Path, what: &str) -> bool {
    let look = scratch();
    copy(left, look.path());
    let version = old.version(look.path());
    assert_eq!(missing(before, &old.tables(look.path())), Vec::<String>::new(), "{what}");
    if version == schema_version() {
        return true;
    }
    assert_eq!(version, old.schema, "{what}");
    assert!(old.schema(look.path()) == *schema, "{what}: another schema under the older number");
    false
}

fn upgrade(old: &Old, fault: Fault) {
    let start = old.copy();
    let (before, schema) = (old.tables(start.path()), old.schema(start.path()));
    let (opened, ()) = old.open(start.path(), Options::default(), || ()).unwrap();
    let command = Path::new(if old.device { "open" } else { "relay" });
    let (mut older, mut newer, mut refused) = (0, 0, 0);
    let steps = each_step(fault, |step| {
        let what = format!("{}: {step:?}", old.name());
        let place = old.copy();
        let Some(ended) = step.run(&[command, place.path()]) else { return false };
        if whole(old, &before, &schema, place.path(), &what) {
            newer += 1;
        } else {
            older += 1;
        }
        if let Ended::Failed(error) = &ended {
            // A log that cannot be removed looks like one that somebody else has open.
            let named = ["LowStorage", "Io(", "Database {", "Busy"].iter().any(|name| error.contains(name));
            assert!(named, "{what}: {error}");
            refused += 1;
        }
        // The newer program finishes it, and knows the store for what it was.
        let (again, ()) = old.open(place.path(), Options::default(), || ()).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!((again.fresh, again.incarnation), (false, opened.incarnation), "{what}");
        assert_eq!(again.instance, opened.instance, "{what}");
        assert_eq!(old.version(place.path()), schema_version(), "{what}");
        assert_eq!(missing(&before, &old.tables(place.path())), Vec::<String>::new(), "{what}");
        true
    });
    println!(
        "{}, {fault:?}: {steps} steps, {older} left the older store, {newer} the newer one; {refused} refused",
        old.name()
    );
    assert!(older > 0 || old.schema == schema_version(), "{}", old.name());
    assert!(newer > 0 && (refused > 0) == (fault == Fault::Fail), "{}", old.name());
}

#[test]
#[ignore = "needs strace; .ci/run"]
fn an_upgrade_that_is_killed_at_each_step_loses_nothing() {
    older().iter().for_each(|old| upgrade(old, Fault::Kill));
}

#[test]
#[ignore = "needs strace; .ci/run"]
fn an_upgrade_that_fails_at_each_step_leaves_a_store_that_can_be_used() {
    older().iter().for_each(|old| upgrade(old, Fault::Fail));
}

fn open(folder: &Path) -> Result<(Device, Opened), OpenError> {
    let Some(_) = Device::header(folder)? else { return Err(OpenError::Absent) };
    let (key, _) = passphrase(folder);
    let fresh = Fresh { incarnation: Incarnation([1; 16]), instance: Instance([2; 16]) };
    Device::open(folder, &StoreKey::new(key), fresh, Options::default())
}

/// Whether the store opens with this key, and its person is in it.
fn open_as(folder: &Path, key: [u8; 32]) -> bool {
    let fresh = Fresh { incarnation: Incarnation([1; 16]), instance: Instance([2; 16]) };
    let (device, _) = Device::open(folder, &StoreKey::new(key), fresh, Options::default()).unwrap();
    let found = profile(&device).is_some();
    device.close();
    found
}

fn profile(device: &Device) -> Option<Profile> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(device.profile()).unwrap()
}

/// The files of a folder that a look may not change.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let names = ["store.db", "store.head", "store.head.copy", "marker", "store.roots"];
    names.into_iter().map(|name| (folder.join(name), fs::read(folder.join(name)).unwrap_or_default())).collect()
}

/// A worker that makes a store in a folder that has none.
struct Maker<'a> {
    what: &'static str,
    backup: Option<&'a Path>,
}

impl Maker<'_> {
    fn arguments<'b>(&'b self, store: &'b Path) -> Vec<&'b Path> {
        [Path::new(self.what), store].into_iter().chain(self.backup).collect()
    }

    /// After an interrupted making there is a whole store, which nothing overwrites, or none, and it can be made again.
    fn is_whole_or_nothing(&self, fault: Fault) {
        let (mut none, mut whole) = (0, 0);
        let steps = each_step(fault, |step| {
            let place = scratch();
            let store = place.path().join("store");
            let Some(ended) = step.run(&self.arguments(&store)) else { return false };
            let what = format!("{} {step:?}: {ended:?}", self.what);
            match open(&store) {
                Ok((device, _)) => {
                    assert!(profile(&device).is_some(), "{what}: a store without a profile");
                    device.close();
                    whole += 1;
                }
                Err(OpenError::Absent | OpenError::Unfinished) => {
                    assert_ne!(ended, Ended::Done, "{what}: it was said to be made");
                    assert_eq!(run(&self.arguments(&store)), Ended::Done, "{what}: made again");
                    none += 1;
                }
                Err(error) => panic!("{what}: {error}"),
            }
            // A store that is whole stays as it is, whoever wants to make another in its place.
            let before = files(&store);
            assert!(matches!(run(&self.arguments(&store)), Ended::Failed(error) if error.contains("Exists")), "{what}");
            assert!(files(&store) == before, "{what}: it was touched");
            let (device, _) = open(&store).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert!(profile(&device).is_some(), "{what}");
            true
        });
        println!("{} {fault:?}: {steps} steps, {none} left no store, {whole} a whole one", self.what);
        assert!(none > 10 && whole > 0, "{none} and {whole}");
    }
}

/// A store with a profile, and a backup of it.
fn backup(folder: &Path) -> PathBuf {
    let store = folder.join("store");
    assert_eq!(run(&[Path::new("make"), &store]), Ended::Done);
    let (device, _) = open(&store).unwrap();
    let backup = folder.join("backup");
    device.backup_to(&mut fs::File::create(&backup).unwrap()).unwrap();
    backup
}

#[test]
#[ignore = "needs strace; .ci/run"]
fn making_a_store_that_is_interrupted_at_each_step_is_whole_or_nothing() {
    for fault in [Fault::Kill, Fault::Fail] {
        Maker { what: "make", backup: None }.is_whole_or_nothing(fault);
    }
}

#[test]
#[ignore = "needs strace; .ci/run"]
fn restoring_a_backup_that_is_interrupted_at_each_step_is_whole_or_nothing() {
    let place = scratch();
    let backup = backup(place.path());
    for fault in [Fault::Kill, Fault::Fail] {
        Maker { what: "restore", backup: Some(&backup) }.is_whole_or_nothing(fault);
    }
}

#[test]
#[ignore = "needs strace; .ci/run"]
fn a_relay_that_is_killed_at_each_step_of_its_first_start_starts_again() {
    let relay = Path::new("relay");
    let steps = each_step(Fault::Kill, |step| {
        let place = scratch();
        if step.run(&[relay, place.path()]).is_none() {
            return false;
        }
        assert_eq!(run(&[relay, place.path()]), Ended::Done, "{step:?}");
        true
    });
    println!("a relay's first start: {steps} steps");
    assert!(steps > 30);
}

/// A crash between raising the database and raising the marker is repaired, however often it happens in a row
/// (docs/PROTOCOL.md section 1).
#[test]
#[ignore = "needs strace; .ci/run"]
fn opening_that_is_killed_at_each_step_three_times_in_a_row_begins_no_new_incarnation() {
    let made = scratch();
    assert_eq!(run(&[Path::new("make"), made.path()]), Ended::Done);
    let (device, opened) = open(made.path()).unwrap();
    device.close();
    let steps = each_step(Fault::Kill, |step| {
        let place = scratch();
        copy(made.path(), place.path());
        let mut kills = 0;
        while kills < 3 && step.run(&[Path::new("open"), place.path()]).is_some() {
            kills += 1;
        }
        let (_, again) = open(place.path()).unwrap_or_else(|error| panic!("{step:?}: {error}"));
        assert_eq!((again.fresh, again.incarnation), (false, opened.incarnation), "{step:?}, {kills} times");
        kills > 0
    });
    println!("opening: {steps} steps");
    assert!(steps > 10);
    // The control: a marker of two openings ago is another thing.
    fs::write(made.path().join("marker"), {
        let before = fs::read(made.path().join("marker")).unwrap();
        (0..2).for_each(|_| open(made.path()).unwrap().0.close());
        before
    })
    .unwrap();
    assert!(open(made.path()).unwrap().1.fresh);
}
