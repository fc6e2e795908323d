//! Profiles on disk: a count of wrong PINs that no crash, no full disk and no second process loses, and what is removed.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Barrier;

use alliance_crypto::{Cost, RecoverySecret, RecoveryWords, Uptime, seal_for_words};
use alliance_store::device::Profile;
use alliance_store::file::Files;
use alliance_store::file::tries::{Counter, Slot};
use alliance_store::profiles::{NewPin, PinError, ProfileId, Profiles};
use alliance_store::{Device, Fresh, OpenError, Options, StoreHeader, StoreKey};
use alliance_wire::{Incarnation, Instance};
use tempfile::TempDir;

const NOW: Uptime = Uptime { boot: [1; 16], millis: 1_000_000 };

fn new_pin(pin: &str) -> NewPin<'_> {
    NewPin { pin, secret: None, cost: Cost::TEST, salt: [4; 16], random: [5; 32] }
}

fn words(number: u8) -> RecoverySecret {
    RecoveryWords::generate([number; 32]).secret(Cost::TEST)
}

/// Makes a profile whose key, salt and words are of this number.
fn make(profiles: &Profiles, number: u8, pin: &str) -> ProfileId {
    let (id, key, salt) = (ProfileId::new([number; 8]), StoreKey::new([number; 32]), [number; 16]);
    let recovery = words(number).card();
    let sealed = seal_for_words(&recovery, &salt, key.bytes(), [6; 32]).unwrap();
    let header = StoreHeader::random(salt, &key, &sealed);
    let begun = profiles.begin(&id, Some(format!("number {number}")), (&header, &key), &new_pin(pin)).unwrap();
    assert!(profiles.list().unwrap().iter().all(|(known, _)| *known != id), "a profile before its store is made");
    let profile = Profile { secret: [3; 32].into(), recovery, name: "Amina".into(), created: 0 };
    let fresh = Fresh { incarnation: Incarnation([number; 16]), instance: Instance([number; 16]) };
    let made = Device::create_for(&profile, &profiles.store(&id), &header, &key, fresh, Options::default());
    made.unwrap().0.close();
    drop(begun);
    id
}

fn unlock(profiles: &Profiles, id: &ProfileId, pin: &str) -> Result<(StoreKey, u32), PinError> {
    profiles.unlock(id, (pin, None), || NOW).map(|unlocked| (unlocked.key, unlocked.wrong))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

#[test]
fn a_torn_count_is_the_one_before_or_the_new_one() {
    let folder = TempDir::new().unwrap();
    let files = Files::new(folder.path());
    Counter::make(&files).unwrap();
    let file = folder.path().join("store.tries");
    let made = fs::metadata(&file).unwrap();
    let (mut older, mut newer) = (0, 0);
    for failed in 1..=6 {
        let before = fs::read(&file).unwrap();
        let was = Slot::parse(&before).unwrap().tries;
        Counter::open(&files).unwrap().put(was.with_one_more(NOW)).unwrap();
        let after = fs::read(&file).unwrap();
        assert_eq!(Slot::parse(&after).unwrap().tries.failed(), failed);
        // Power went while the bytes that differ were written: the first of them, in order, have arrived.
        let differ: Vec<usize> = (0..after.len()).filter(|at| before[*at] != after[*at]).collect();
        for arrived in 0..=differ.len() {
            let mut torn = before.clone();
            differ[..arrived].iter().for_each(|at| torn[*at] = after[*at]);
            match Slot::parse(&torn).unwrap().tries {
                tries if tries == was => older += 1,
                tries if tries.failed() == failed => newer += 1,
                tries => panic!("{tries:?}"),
            }
        }
    }
    println!("{older} left the count before, {newer} the new one");
    assert!(older > 100 && newer >= 6);
    // In place: the same file, of the same length, so that a full disk counts as well.
    let now = fs::metadata(&file).unwrap();
    assert_eq!((now.ino(), now.len(), now.blocks()), (made.ino(), made.len(), made.blocks()));
}

#[test]
fn a_count_that_is_lost_is_a_wait() {
    let folder = TempDir::new().unwrap();
    let profiles = Profiles::new(folder.path());
    let id = make(&profiles, 1, "5309");
    let file = profiles.store(&id).join("store.tries");
    let good = fs::read(&file).unwrap();
    for bytes in [None, Some(Vec::new()), Some(vec![0xff; good.len()]), Some(good[..20].to_vec())] {
        match &bytes {
            Some(bytes) => fs::write(&file, bytes).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        assert_eq!(profiles.wait(&id, NOW), 60_000);
        assert!(matches!(unlock(&profiles, &id, "5309"), Err(PinError::Wait(60_000))), "{bytes:?}");
        // Asking again does not begin it again.
        let later = profiles.unlock(&id, ("5309", None), || Uptime { millis: NOW.millis + 59_000, ..NOW });
        assert!(matches!(later, Err(PinError::Wait(1_000))), "{later:?}");
    }
    // The control: with the count as it was there is none.
    fs::write(&file, &good).unwrap();
    assert_eq!(unlock(&profiles, &id, "5309").unwrap().1, 0);
}

#[test]
fn tries_at_the_same_moment_are_counted_one_by_one() {
    let folder = TempDir::new().unwrap();
    let profiles = Profiles::new(folder.path());
    let id = make(&profiles, 1, "5309");
    let together = Barrier::new(8);
    let tries = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    together.wait();
                    // A value of its own, as another process has.
                    unlock(&Profiles::new(folder.path()), &id, "5308")
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap().unwrap_err()).collect::<Vec<_>>()
    });
    let wrong = tries.iter().filter(|error| matches!(error, PinError::Wrong { .. })).count();
    let waits = tries.iter().filter(|error| matches!(error, PinError::Wait(60_000))).count();
    assert_eq!((wrong, waits), (5, 3), "{tries:?}");
}

#[test]
fn a_pin_opens_its_own_store_and_so_do_the_words() {
    let folder = TempDir::new().unwrap();
    let profiles = Profiles::new(folder.path());
    let (amina, ben) = (make(&profiles, 1, "5309"), make(&profiles, 2, "7150"));
    assert_eq!(unlock(&profiles, &amina, "5309").unwrap().0.bytes(), &[1; 32]);
    assert!(matches!(unlock(&profiles, &ben, "5309"), Err(PinError::Wrong { free: 4, wait: 0 })));
    assert_eq!(profiles.by_words(&ben, &words(2)).unwrap().bytes(), &[2; 32]);
    assert!(matches!(profiles.by_words(&ben, &words(1)), Err(OpenError::WrongKey)));
    assert!(matches!(profiles.set_pin(&ben, &StoreKey::new([1; 32]), &new_pin("4826")), Err(PinError::Open(_))));
    // Amina's wrap in Ben's folder opens nothing, not even Amina's key.
    let (from, to) = (profiles.store(&amina).join("store.pin"), profiles.store(&ben).join("store.pin"));
    let own = fs::read(&to).unwrap();
    fs::copy(&from, &to).unwrap();
    assert!(matches!(unlock(&profiles, &ben, "5309"), Err(PinError::Wrong { free: 3, .. })));
    // The control: Ben's own, in one copy of two as a flipped bit leaves it.
    fs::write(to.with_extension("pin.copy"), &own).unwrap();
    fs::write(&to, &own[1..]).unwrap();
    let (key, wrong) = unlock(&profiles, &ben, "7150").unwrap();
    assert_eq!((key.bytes(), wrong), (&[2; 32], 2));
    assert_eq!(fs::read(&to).unwrap(), own, "mended from the other copy");
    // Both damaged: the words set another, and the nickname is lost with the PIN.
    fs::write(&to, b"no wrap").unwrap();
    fs::write(to.with_extension("pin.copy"), b"no wrap").unwrap();
    assert!(matches!(unlock(&profiles, &ben, "7150"), Err(PinError::None)));
    profiles.set_pin(&ben, &profiles.by_words(&ben, &words(2)).unwrap(), &new_pin("4826")).unwrap();
    assert_eq!(unlock(&profiles, &ben, "4826").unwrap().0.bytes(), &[2; 32]);
    let nicknames: Vec<_> = profiles.list().unwrap().into_iter().map(|(_, pin)| pin.nickname).collect();
    assert_eq!(nicknames, [Some("number 1".to_owned()), None]);
}

#[test]
fn what_interrupted_makings_and_removings_left_is_swept_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let profiles = Profiles::new(folder.path());
    let (amina, ben) = (make(&profiles, 1, "5309"), make(&profiles, 2, "7150"));
    profiles.choose(Some(&ben)).unwrap();
    assert_eq!(profiles.chosen().unwrap().as_ref(), Some(&ben));
    let place = |name: &str| folder.path().join(name);
    let unfinished = ["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "gone-cccccccccccccccc"];
    let kept = ["dddddddddddddddd", "eeeeeeeeeeeeeeee", "ffffffffffffffff", "somebody's notes", "GONE"];
    for name in unfinished.iter().chain(&kept) {
        fs::create_dir(place(name)).unwrap();
        fs::write(place(name).join("store.pin"), b"a wrap").unwrap();
    }
    // An interrupted making after its first step, and in the midst of the store; an interrupted removing.
    fs::write(place(unfinished[1]).join("store.making"), b"").unwrap();
    fs::write(place(unfinished[1]).join("store.db"), b"a part of a database").unwrap();
    fs::write(place(unfinished[2]).join("store.db"), b"a database").unwrap();
    // A database whose header was lost, one that was set aside, a header that is damaged: somebody's work.
    fs::write(place(kept[0]).join("store.db"), b"a database").unwrap();
    fs::write(place(kept[1]).join("store.db.quarantine-1"), b"a database").unwrap();
    fs::write(place(kept[1]).join("store.making"), b"").unwrap();
    fs::write(place(kept[2]).join("store.head"), b"a header").unwrap();

    // Nobody removes what is in use.
    let fresh = Fresh { incarnation: Incarnation([8; 16]), instance: Instance([8; 16]) };
    let (device, _) = Device::open(&profiles.store(&ben), &StoreKey::new([2; 32]), fresh, Options::default()).unwrap();
    assert!(matches!(profiles.remove(&ben), Err(OpenError::Busy { .. })));
    assert_eq!(profiles.holder(&ben).unwrap(), Some(Some(std::process::id())));
    device.close();
    assert_eq!(profiles.holder(&ben).unwrap(), None);
    profiles.remove(&ben).unwrap();

    let mut expected: Vec<String> = kept.iter().map(|name| (*name).to_owned()).collect();
    expected.extend([amina.to_string(), "profiles.lock".into()]);
    expected.sort();
    assert_eq!(names(folder.path()), expected);
    assert_eq!(profiles.chosen().unwrap(), None);
    assert_eq!(unlock(&profiles, &amina, "5309").unwrap().0.bytes(), &[1; 32]);
}
