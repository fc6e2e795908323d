//! Makes, opens or restores one store on one thread and ends at once, so that it can be killed at each of its steps.
//!
//! `alliance-step-worker WHAT FOLDER [BACKUP]`, with WHAT one of `make`, `open`, `restore` for a device's store and
//! `relay` for a relay's folder; `profile-add`, `profile-remove` and `profile-unlock` with a PIN as its third argument
//! for a folder of profiles. It ends with 0 when that is done, without closing anything, or prints the error and
//! ends with 1.

use std::io::Write as _;
use std::path::Path;
use std::process::exit;

use alliance_crypto::{Cost, DeviceSecret, RecoveryWords, Uptime, passphrase_key, seal_for_words};
use alliance_store::device::{Profile, restore};
use alliance_store::operator::{Operator, TicketLimits, Tickets};
use alliance_store::profiles::{NewPin, PinError, ProfileId, Profiles};
use alliance_store::{Device, Fresh, Kdf, Options, SqliteReplica, StoreHeader, StoreKey};
use alliance_tests::people::PASSPHRASE;
use alliance_wire::{Incarnation, Instance};

type Done = Result<(), Box<dyn std::error::Error>>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["make", folder] => make(Path::new(folder)),
        ["open", folder] => open(Path::new(folder)),
        ["relay", folder] => relay(Path::new(folder)),
        ["restore", folder, backup] => put_back(Path::new(folder), Path::new(backup)),
        ["profile-add", folder] => profile_add(&Profiles::new(folder)),
        ["profile-remove", folder] => profile_remove(&Profiles::new(folder)),
        ["profile-unlock", folder, pin] => profile_unlock(&Profiles::new(folder), pin),
        _ => Err("usage: alliance-step-worker WHAT FOLDER [BACKUP|PIN]".into()),
    };
    match done {
        Ok(()) => exit(0),
        Err(error) => {
            let _ = writeln!(std::io::stdout(), "{error:?}");
            exit(1)
        }
    }
}

/// Other ids for each process, as the system's random source gives.
fn fresh() -> Fresh {
    let id = std::process::id().to_be_bytes();
    let bytes = [id, id, id, id].concat().try_into().unwrap_or_default();
    Fresh { incarnation: Incarnation(bytes), instance: Instance(bytes) }
}

fn make(folder: &Path) -> Done {
    let salt = [7; 16];
    let key = StoreKey::new(*passphrase_key(PASSPHRASE, &salt, Cost::TEST)?);
    let kdf = Kdf { memory_kib: Cost::TEST.memory_kib(), passes: Cost::TEST.passes(), lanes: 1 };
    let header = StoreHeader::new(salt, kdf, &key);
    std::mem::forget(Device::create_for(&amina(), folder, &header, &key, fresh(), Options::default())?);
    Ok(())
}

fn amina() -> Profile {
    Profile {
        secret: DeviceSecret::generate([1; 32]).seed(),
        recovery: RecoveryWords::generate([2; 32]).secret(Cost::TEST).card(),
        name: "Amina".into(),
        created: 0,
    }
}

fn open(folder: &Path) -> Done {
    let header = Device::header(folder)?.ok_or("no header")?;
    let key = StoreKey::new(*passphrase_key(PASSPHRASE, &header.salt, Cost::TEST)?);
    std::mem::forget(Device::open(folder, &key, fresh(), Options::default())?);
    Ok(())
}

/// What a relay opens when it starts.
fn relay(folder: &Path) -> Done {
    std::mem::forget(SqliteReplica::open(folder, fresh(), false, Options::default())?);
    std::mem::forget(Operator::open(folder)?);
    let limits = TicketLimits { per_device: 4, total: 100, millis: 1_000_000 };
    std::mem::forget(Tickets::open(folder, limits)?);
    Ok(())
}

fn put_back(folder: &Path, backup: &Path) -> Done {
    restore(folder, &mut std::fs::File::open(backup)?)?;
    Ok(())
}

/// The PIN of the only profile.
const PIN: &str = "5309";

fn id() -> ProfileId {
    ProfileId::new([7; 8])
}

fn profile_add(profiles: &Profiles) -> Done {
    let (person, salt, key) = (amina(), [7; 16], StoreKey::new([8; 32]));
    let sealed = seal_for_words(&person.recovery, &salt, key.bytes(), [6; 32]).ok_or("no box key")?;
    let header = StoreHeader::random(salt, &key, &sealed);
    let pin = NewPin { pin: PIN, secret: None, cost: Cost::TEST, salt: [4; 16], random: [5; 32] };
    let begun = profiles.begin(&id(), Some("Amina".into()), (&header, &key), &pin)?;
    let made = Device::create_for(&person, &profiles.store(&id()), &header, &key, fresh(), Options::default())?;
    drop(begun);
    std::mem::forget(made);
    Ok(())
}

fn profile_remove(profiles: &Profiles) -> Done {
    Ok(profiles.remove(&id())?)
}

/// Tries a PIN. Done is the answer that it should get: yes for the right one, no for another.
fn profile_unlock(profiles: &Profiles, pin: &str) -> Done {
    match profiles.unlock(&id(), (pin, None), || Uptime { boot: [1; 16], millis: 1_000 }) {
        Ok(_) if pin == PIN => Ok(()),
        Err(PinError::Wrong { .. }) if pin != PIN => Ok(()),
        Ok(_) => Err("another PIN opens".into()),
        Err(error) => Err(error.into()),
    }
}
