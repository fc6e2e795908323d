//! Profiles that are made, removed and opened by a process that is killed, or for which a call fails, at each step.

use std::fs;
use std::path::Path;

use alliance_crypto::Uptime;
use alliance_store::file::Files;
use alliance_store::file::tries::Slot;
use alliance_store::profiles::{PinError, ProfileId, Profiles};
use alliance_tests::sim::world::scratch;

use super::strace::{Ended, Fault, each_step, run};
use crate::fixtures::copy;

const ADD: &str = "profile-add";
const REMOVE: &str = "profile-remove";
const UNLOCK: &str = "profile-unlock";
const RIGHT: &str = "5309";
const WRONG: &str = "5308";

fn id() -> ProfileId {
    ProfileId::new([7; 8])
}

fn unlock(folder: &Path, pin: &str) -> Result<u32, PinError> {
    let now = || Uptime { boot: [1; 16], millis: 1_000 };
    Profiles::new(folder).unlock(&id(), (pin, None), now).map(|unlocked| unlocked.wrong)
}

/// Wrong PINs that are counted.
fn counted(folder: &Path) -> u32 {
    let file = Files::new(Profiles::new(folder).store(&id())).tries();
    Slot::parse(&fs::read(file).unwrap()).unwrap().tries.failed()
}

/// A copy of a folder of profiles.
fn copy_of(folder: &Path) -> tempfile::TempDir {
    let place = scratch();
    let store = place.path().join(id().as_str());
    fs::create_dir(&store).unwrap();
    copy(&folder.join(id().as_str()), &store);
    place
}

fn made() -> tempfile::TempDir {
    let place = scratch();
    assert_eq!(run(&[Path::new(ADD), place.path()]), Ended::Done);
    place
}

#[test]
#[ignore = "needs strace; .ci/run"]
fn no_pin_is_answered_before_it_is_counted() {
    let start = made();
    for fault in [Fault::Kill, Fault::Fail] {
        let (mut counted_alone, mut neither) = (0, 0);
        let steps = each_step(fault, |step| {
            let place = copy_of(start.path());
            let Some(ended) = step.run(&[Path::new(UNLOCK), place.path(), Path::new(WRONG)]) else { return false };
            let (what, count) = (format!("{step:?}: {ended:?}"), counted(place.path()));
            assert_ne!(ended, Ended::Done, "{what}: an answer, though a call failed that counts");
            if count == 1 {
                counted_alone += 1
            } else {
                neither += 1
            }
            // Whatever happened, the right one opens and tells of what was counted.
            assert_eq!(unlock(place.path(), RIGHT).unwrap(), count, "{what}");
            true
        });
        println!("a wrong PIN, {fault:?}: {steps} steps, {counted_alone} counted, {neither} not, none answered");
        assert!(counted_alone > 0 && neither > 0, "{fault:?}");
    }
    // The control: undisturbed it is answered, and counted.
    assert_eq!(run(&[Path::new(UNLOCK), start.path(), Path::new(WRONG)]), Ended::Done);
    assert_eq!(counted(start.path()), 1);
}

#[test]
#[ignore = "needs strace; .ci/run"]
fn a_right_pin_that_is_interrupted_at_each_step_costs_one_try_at_most() {
    let start = made();
    for fault in [Fault::Kill, Fault::Fail] {
        let (mut free, mut used) = (0, 0);
        each_step(fault, |step| {
            let place = copy_of(start.path());
            let Some(_) = step.run(&[Path::new(UNLOCK), place.path(), Path::new(RIGHT)]) else { return false };
            match unlock(place.path(), RIGHT).unwrap_or_else(|error| panic!("{step:?}: {error}")) {
                0 => free += 1,
                1 => used += 1,
                more => panic!("{step:?}: {more} tries"),
            }
            true
        });
        println!("the right PIN, {fault:?}: {used} cost a try, {free} none");
        assert!(used > 0 && free > 0, "{fault:?}");
    }
}

#[test]
#[ignore = "needs strace; .ci/run"]
fn making_a_profile_that_is_interrupted_at_each_step_is_whole_or_nothing() {
    for fault in [Fault::Kill, Fault::Fail] {
        let (mut none, mut whole) = (0, 0);
        let steps = each_step(fault, |step| {
            let place = scratch();
            let Some(ended) = step.run(&[Path::new(ADD), place.path()]) else { return false };
            let (what, profiles) = (format!("{step:?}: {ended:?}"), Profiles::new(place.path()));
            if profiles.list().unwrap().is_empty() {
                assert_ne!(ended, Ended::Done, "{what}: it was said to be made");
                assert_eq!(run(&[Path::new(ADD), place.path()]), Ended::Done, "{what}: made again");
                none += 1;
            } else {
                whole += 1;
            }
            let listed: Vec<_> = profiles.list().unwrap().into_iter().map(|(id, pin)| (id, pin.nickname)).collect();
            assert_eq!(listed, [(id(), Some("Amina".to_owned()))], "{what}");
            assert_eq!(unlock(place.path(), RIGHT).unwrap(), 0, "{what}");
            assert!(super::open_as(&profiles.store(&id()), [8; 32]), "{what}");
            true
        });
        println!("a profile, {fault:?}: {steps} steps, {none} left none, {whole} a whole one");
        assert!(none > 10 && whole > 0, "{none} and {whole}");
    }
}

#[test]
#[ignore = "needs strace; .ci/run"]
fn a_removal_that_is_interrupted_at_each_step_leaves_the_profile_or_nothing() {
    let start = made();
    for fault in [Fault::Kill, Fault::Fail] {
        let (mut there, mut gone) = (0, 0);
        let steps = each_step(fault, |step| {
            let place = copy_of(start.path());
            let Some(ended) = step.run(&[Path::new(REMOVE), place.path()]) else { return false };
            let (what, profiles) = (format!("{step:?}: {ended:?}"), Profiles::new(place.path()));
            if profiles.list().unwrap().is_empty() {
                gone += 1;
            } else {
                assert_ne!(ended, Ended::Done, "{what}: it was said to be gone");
                assert_eq!(unlock(place.path(), RIGHT).unwrap(), 0, "{what}");
                assert!(super::open_as(&profiles.store(&id()), [8; 32]), "{what}");
                there += 1;
                profiles.remove(&id()).unwrap();
            }
            profiles.clean().unwrap();
            let left: Vec<_> = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(left, ["profiles.lock"], "{what}");
            true
        });
        println!("a removal, {fault:?}: {steps} steps, {there} left the profile, {gone} nothing");
        assert!(there > 0 && gone > 0, "{there} and {gone}");
    }
}
