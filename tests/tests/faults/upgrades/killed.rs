//! An upgrade that is killed with any part of the write-ahead log written, and one that runs out of room. The steps
//! beside the log are those of `steps`.

use std::fs;
use std::path::Path;

use alliance_store::file::schema_version;
use alliance_store::{OpenError, Options};

use super::old::{Old, count, is_plain, missing, older};

/// Bytes of a frame's header in a write-ahead log, of the log's own header, and of a page.
const FRAME_HEADER: usize = 24;
const LOG_HEADER: usize = 32;
const PAGE: usize = 4_096;

#[test]
fn an_upgraded_schema_equals_a_fresh_one() {
    for old in older() {
        let upgraded = old.copy();
        old.open(upgraded.path(), Options::default(), || ()).unwrap();
        // A fresh store of the same key.
        let fresh = old.copy();
        fs::remove_file(fresh.path().join("store.db")).unwrap();
        old.open(fresh.path(), Options::default(), || ()).unwrap();
        assert_eq!(old.schema(upgraded.path()), old.schema(fresh.path()), "{}", old.name());
        assert_eq!(old.version(upgraded.path()), schema_version());
        // The control: what was opened was another schema.
        assert_eq!(old.version(old.copy().path()), old.schema);
    }
}

/// What a kill leaves of a write-ahead log.
struct Cut {
    what: String,
    log: Vec<u8>,
    /// Space was given to the file, and the disk wrote a part of it: what the log ended with may have been committed.
    torn: bool,
}

/// The log up to each frame, and a part of the next one.
fn cuts(log: &[u8]) -> Vec<Cut> {
    let frame = FRAME_HEADER + PAGE;
    assert_eq!((log.len() - LOG_HEADER) % frame, 0, "whole frames");
    let mut cuts = Vec::new();
    let mut cut = |what: String, log: &[u8], torn| cuts.push(Cut { what, log: log.to_vec(), torn });
    cut("a part of the log's header".into(), &log[..LOG_HEADER / 2], false);
    for at in 0..=(log.len() - LOG_HEADER) / frame {
        let end = LOG_HEADER + at * frame;
        cut(format!("{at} frames"), &log[..end], false);
        if end < log.len() {
            cut(format!("{at} frames and a part"), &log[..end + frame / 2], false);
            let mut torn = log[..end + frame].to_vec();
            torn[end + frame / 2..].fill(0);
            cut(format!("{at} frames and a torn one"), &torn, true);
        }
    }
    cuts
}

/// Puts the files of a moment into a folder.
fn put(folder: &Path, files: &[(String, Vec<u8>)]) {
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

/// The files that the upgrade made so far, but what a killed process leaves no trace of.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    // The marker is raised last; the log's index is made anew.
    let names = names.filter(|name| !["marker", "store.lock", "store.db-shm", "store.db-wal"].contains(&name.as_str()));
    names.map(|name| (name.clone(), fs::read(folder.join(name)).unwrap())).collect()
}

#[test]
fn an_upgrade_that_is_killed_with_any_part_of_its_log_loses_nothing() {
    for old in older() {
        let before = old.tables(old.copy().path());
        assert!(count(&before) > 20, "{}", old.name());
        let whole = old.copy();
        // As it stands when nothing was copied from the log into the database yet.
        let during = || (files(whole.path()), fs::read(whole.path().join("store.db-wal")).unwrap());
        let (opened, (files, log)) = old.open(whole.path(), Options::default(), during).unwrap();
        assert!(!opened.fresh);
        let (mut behind, mut ahead, mut anew) = (0, 0, 0);
        for cut in cuts(&log) {
            let what = format!("{}, killed with {}", old.name(), cut.what);
            let place = || {
                let place = old.copy();
                put(place.path(), &files);
                fs::write(place.path().join("store.db-wal"), &cut.log).unwrap();
                place
            };
            match old.version(place().path()) {
                found if found == schema_version() => ahead += 1,
                found => {
                    assert_eq!(found, old.schema, "{what}");
                    behind += 1;
                }
            }
            let place = place();
            let (again, ()) = old.open(place.path(), Options::default(), || ()).unwrap();
            // What a torn log ended with cannot be told: the log may have said more to others.
            assert_eq!(again.fresh, cut.torn, "{what}");
            assert_eq!(again.incarnation == opened.incarnation, !cut.torn, "{what}");
            anew += usize::from(again.fresh);
            assert_eq!(old.version(place.path()), schema_version(), "{what}");
            assert_eq!(missing(&before, &old.tables(place.path())), Vec::<String>::new(), "{what}");
        }
        println!(
            "{}: {} moments, {behind} before the upgrade's commit and {ahead} behind it; {anew} began anew",
            old.name(),
            behind + ahead
        );
        assert!(ahead > 1 && anew > 0 && (behind > 3 || old.schema == schema_version()), "{}", old.name());
        // The control: the same look notices one row that is gone.
        old.raw(whole.path(), "store.db").execute("delete from log where id = (select max(id) from log)", []).unwrap();
        assert_eq!(missing(&before, &old.tables(whole.path())), ["store.db log"]);
    }
}

#[test]
fn an_upgrade_without_room_leaves_the_old_store_as_it_was() {
    let mut failed = 0;
    for old in older() {
        let pages = |old: &Old, folder: &Path| -> u32 {
            old.raw(folder, "store.db").query_row("pragma page_count", [], |row| row.get(0)).unwrap()
        };
        let whole = old.copy();
        let (from, before, schema) = (pages(&old, whole.path()), old.tables(whole.path()), old.schema(whole.path()));
        old.open(whole.path(), Options::default(), || ()).unwrap();
        let to = pages(&old, whole.path());
        for pages_max in from..to {
            let what = format!("{}: {pages_max} of {to} pages", old.name());
            let place = old.copy();
            let options = Options { pages_max: Some(pages_max), ..Options::default() };
            let error = old.open(place.path(), options, || ()).map(|_| ()).unwrap_err();
            assert!(matches!(error, OpenError::LowStorage), "{what}: {error}");
            failed += 1;
            // What the older program knows, to the last row: it could go on.
            assert_eq!(old.version(place.path()), old.schema, "{what}");
            assert!(old.schema(place.path()) == schema && old.tables(place.path()) == before, "{what}");
            // With room it succeeds.
            let (opened, ()) = old.open(place.path(), Options::default(), || ()).unwrap();
            assert!(!opened.fresh, "{what}");
            assert_eq!(missing(&before, &old.tables(place.path())), Vec::<String>::new(), "{what}");
        }
        println!("{}: {} upgrades without room", old.name(), to - from);
    }
    assert!(failed > 0, "no upgrade ran out of room");
}

/// Found by `steps`: where the log of a relay's database could not be removed once, the upgrade said from then on that
/// somebody else had the database open.
#[test]
fn an_upgrade_that_could_not_remove_the_log_goes_on_later() {
    for old in older().iter().filter(|old| !old.device) {
        let place = old.copy();
        let before = old.tables(place.path());
        // All of the log is in the database; its file is empty and still there.
        let mode: String =
            old.raw(place.path(), "store.db").query_row("pragma journal_mode = delete", [], |row| row.get(0)).unwrap();
        assert_eq!(mode, "delete");
        fs::write(place.path().join("store.db-wal"), b"").unwrap();
        let (opened, ()) = old.open(place.path(), Options::default(), || ()).unwrap();
        assert!(!opened.fresh, "{}", old.name());
        assert_eq!(missing(&before, &old.tables(place.path())), Vec::<String>::new(), "{}", old.name());
        // The control: one that is open is not upgraded.
        let place = old.copy();
        let held = old.raw(place.path(), "store.db");
        held.execute_batch("begin; select count(*) from log").unwrap();
        assert!(old.open(place.path(), Options::default(), || ()).is_err(), "{}", old.name());
        assert!(is_plain(&place.path().join("store.db")), "{}", old.name());
    }
}
