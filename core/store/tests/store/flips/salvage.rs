//! Whatever page is damaged, what lies on the others is saved, and the damaged database is kept as it was.

use std::collections::BTreeSet;
use std::path::Path;

use alliance_store::operator::{Operator, dump};
use alliance_store::{
    Device, Options, Replica, SqliteReplica, check_device, check_relay, salvage_device, salvage_relay,
};
use alliance_sync::{Outgoing, Part, Since};
use alliance_wire::{HeaderHash, Incarnation};

use super::answers::{self, Told};
use super::fixture::{self, draft, fresh, key, spaces};

const PAGE: usize = 4096;

/// What a person would miss.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    entries: BTreeSet<HeaderHash>,
    payloads: usize,
    commands: usize,
    profile: bool,
    spaces: usize,
    long: Option<Vec<u8>>,
}

async fn entries(replica: &SqliteReplica) -> (BTreeSet<HeaderHash>, usize) {
    let (mut found, mut payloads) = (BTreeSet::new(), 0);
    for space in spaces() {
        let since = Since { space, after: 0, part: Part::Everything, bytes: usize::MAX };
        for item in replica.since(since).await.unwrap().items {
            if let Outgoing::Entry(_, entry) = item {
                payloads += usize::from(entry.payload.is_some());
                found.insert(entry.header().hash());
            }
        }
    }
    (found, payloads)
}

async fn kept(folder: &Path) -> (Kept, Incarnation) {
    let (device, opened) = Device::open(folder, &key(), fresh(60), Options::default()).unwrap();
    let (entries, payloads) = entries(device.replica()).await;
    let mut commands = 0;
    for number in 1..4 {
        let found = device.commands(draft(number)).await.unwrap();
        let numbers: Vec<u64> = found.iter().map(|command| command.n).collect();
        assert_eq!(numbers, (1..=found.len() as u64).collect::<Vec<_>>(), "no command is left out in the middle");
        commands += found.len();
    }
    let profile = device.profile().await.unwrap();
    assert!(profile.as_ref().is_none_or(|profile| *profile.secret == [7; 32] && profile.name == "Amina"));
    let (profile, spaces) = (profile.is_some(), device.local_spaces().await.unwrap().len());
    let long = device.setting("long").await.unwrap();
    device.close();
    (Kept { entries, payloads, commands, profile, spaces, long }, opened.incarnation)
}

fn damage(folder: &Path, page: usize) -> Vec<u8> {
    let path = folder.join("store.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[(page - 1) * PAGE + 1_000] ^= 4;
    std::fs::write(&path, &bytes).unwrap();
    bytes
}

#[tokio::test]
async fn whatever_page_is_damaged_the_rest_is_saved() {
    let pair = fixture::device(Options::default()).await;
    let clean = tempfile::tempdir().unwrap();
    fixture::copy(pair.closed.path(), clean.path());
    assert!(check_device(clean.path(), &key()).unwrap().is_whole());
    let (all, incarnation) = kept(clean.path()).await;
    assert!(all.profile && all.entries.len() > 150 && all.commands == 87, "{all:?}");
    let pages = std::fs::read(clean.path().join("store.db")).unwrap().len() / PAGE;
    let (mut free, mut nothing_lost, mut lost) = (0, 0, Vec::new());
    // The first pages hold the schema and the roots of most tables; then every twentieth.
    for page in (1..=pages).filter(|page| *page <= 6 || page % 20 == 5) {
        let folder = tempfile::tempdir().unwrap();
        fixture::copy(pair.closed.path(), folder.path());
        let damaged = damage(folder.path(), page);
        if check_device(folder.path(), &key()).unwrap().is_whole() {
            free += 1;
            continue;
        }
        let salvaged = salvage_device(folder.path(), &key(), fresh(70)).unwrap();
        assert!(std::fs::read(&salvaged.aside).unwrap() == damaged, "page {page}: kept as it was");
        assert!(check_device(folder.path(), &key()).unwrap().is_whole(), "page {page}");
        let (found, anew) = kept(folder.path()).await;
        assert_ne!(anew, incarnation, "page {page}: a new incarnation");
        assert!(found.profile, "page {page}: the profile lies on two pages");
        assert!(found.entries.is_subset(&all.entries), "page {page}");
        if found == all {
            nothing_lost += 1;
        } else {
            lost.push((page, all.entries.len() - found.entries.len(), all.commands - found.commands));
        }
        if page == 1 {
            assert_eq!(found, all, "all is there under the first page");
            assert!(salvaged.damaged.is_empty(), "{salvaged:?}");
        }
    }
    println!("{pages} pages: {free} say nothing, {nothing_lost} cost nothing, {} cost something", lost.len());
    println!("(page, entries, commands of drafts) that were lost: {lost:?}");
    assert!(nothing_lost > 4 && !lost.is_empty());
}

#[tokio::test]
async fn a_relays_log_is_saved_with_its_tokens_and_what_is_lost_can_be_put_again() {
    let pair = fixture::relay(Options::default()).await;
    let folder = tempfile::tempdir().unwrap();
    fixture::copy(pair.crashed.path(), folder.path());
    let (replica, before) = SqliteReplica::open(folder.path(), fresh(60), false, Options::default()).unwrap();
    let (all, _) = entries(&replica).await;
    replica.close();
    assert!(check_relay(folder.path(), "store.db").unwrap().is_whole());
    assert!(check_relay(folder.path(), "operator.db").unwrap().is_whole());
    damage(folder.path(), 1);
    assert!(SqliteReplica::open(folder.path(), fresh(61), false, Options::default()).is_err());
    assert!(!check_relay(folder.path(), "store.db").unwrap().is_whole());
    let salvaged = salvage_relay(folder.path(), fresh(62)).unwrap();
    assert_eq!((salvaged.entries, salvaged.waiting), (all.len() as u64, 0), "{salvaged:?}");
    let (replica, after) = SqliteReplica::open(folder.path(), fresh(63), false, Options::default()).unwrap();
    assert!(after.fresh && after.instance != before.instance);
    assert_eq!(entries(&replica).await.0, all);
    assert_eq!(replica.spaces_of_token([1; 8]).await.unwrap(), 1);
    // Who may have the space follows from its membership again.
    let founder = fixture::founder().secret.key();
    assert_eq!(replica.member_spaces(founder).await.unwrap(), [fixture::founded()]);
}

/// Earlier versions made a relay's databases without a key.
#[tokio::test]
async fn a_database_without_a_key_is_taken_over_whole() {
    let plain = Options { signed: false, ..Options::default() };
    let pair = fixture::relay(plain.clone()).await;
    for folder in [pair.closed.path(), pair.crashed.path()] {
        let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fixture::copy(folder, before.path());
        fixture::copy(folder, after.path());
        let Told::Lines(before) = answers::of_relay(before.path(), plain.clone()).await else { panic!("it answers") };
        let lines = match answers::of_relay(after.path(), Options::default()).await {
            Told::Lines(lines) => lines,
            Told::Noticed(what) => panic!("nothing tells it from the one that it was: {what}"),
        };
        // The last line but the identity holds the size of the file, which grows by the signatures.
        let same = lines.iter().zip(&before).filter(|(one, other)| one == other).count();
        assert!(same + 1 >= before.len(), "{same} of {}", before.len());
        for name in ["store.db", "operator.db"] {
            assert!(!std::fs::read(after.path().join(name)).unwrap().starts_with(b"SQLite format 3"), "{name}");
        }
        let leftovers = std::fs::read_dir(after.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("keying"));
        assert_eq!(leftovers.count(), 0);
    }
}

/// Without its key a relay's folder shows nothing; with it, everything that it holds can be looked through.
#[tokio::test]
async fn a_dump_shows_every_cell() {
    let pair = fixture::relay(Options::default()).await;
    let mut cells = Vec::new();
    let look = |cells: &mut Vec<Vec<u8>>| {
        dump(pair.closed.path(), |cell| {
            cells.push(cell.bytes.to_vec());
            Ok(())
        })
    };
    look(&mut cells).unwrap();
    for wanted in [b"team 17".to_vec(), vec![3; 40 + 3 * 120], vec![5; 500], b"alliance-relay:somewhere".to_vec()] {
        assert!(cells.contains(&wanted), "{wanted:?}");
    }
    let raw: Vec<u8> = std::fs::read_dir(pair.closed.path())
        .unwrap()
        .flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(!raw.windows(7).any(|window| window == b"team 17"));
    // Gone in both copies, nothing can be read, and no other key is made.
    for name in ["store.key", "store.key.copy"] {
        std::fs::remove_file(pair.closed.path().join(name)).unwrap();
    }
    assert!(look(&mut cells).is_err());
    assert!(Operator::open(pair.closed.path()).is_err());
    assert!(!pair.closed.path().join("store.key").exists());
}
