//! A disk flips a bit in a device's store or in a relay's: it is said, the rest is saved, and what is missing comes back
//! from the others.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use alliance_client::{Client, Code, DocumentId, SpaceId};
use alliance_model::DocumentKind;
use alliance_store::check_relay;
use alliance_tests::binaries;
use alliance_tests::people::{PASSPHRASE, Person, options, pair_up};
use alliance_tests::relay::{Site, open, watched};
use alliance_wire::HeaderHash;

const PAGE: u64 = 4096;

struct Story {
    site: Site,
    ben: Person,
    amina: Person,
    space: SpaceId,
    notes: Vec<DocumentId>,
}

/// Two people with notes that fill pages.
async fn story() -> Story {
    let site = Site::start(open).await;
    let (ben, amina) = (Person::new("Ben").await, Person::new("Amina").await);
    ben.client.add_relay(&site.address().to_string(), None).await.unwrap();
    let space = pair_up(&ben, &amina, 1).await[0];
    let mut notes = Vec::new();
    for number in 0..8 {
        let note = amina.client.create_document(space, DocumentKind::Note).await.unwrap();
        let words: String = (0..300).map(|word| format!("{} ", word * 7919 + number * 104_729)).collect();
        amina.write(note, 0, &words).await;
        notes.push(note);
    }
    amina.sync().await;
    ben.sync().await;
    Story { site, ben, amina, space, notes }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn flip(database: &Path, page: u64) {
    let mut bytes = std::fs::read(database).unwrap();
    bytes[usize::try_from((page - 1) * PAGE + 2_000).unwrap()] ^= 0x10;
    std::fs::write(database, bytes).unwrap();
}

fn pages(database: &Path) -> u64 {
    std::fs::metadata(database).unwrap().len() / PAGE
}

/// Damages a page of Amina's store, which holds a draft; `from` says where to look for one that is in use.
async fn device_heals(from: impl Fn(u64) -> u64, keeps_draft: bool) {
    let Story { mut site, ben, mut amina, notes, .. } = story().await;
    amina.write(notes[0], 0, "A draft that nobody else has. ").await;
    let mut expected = Vec::new();
    for note in &notes {
        expected.push(amina.text(*note).await);
    }
    // As a kill leaves it, written back into the one file by the next opening.
    let clean = amina.beside("clean");
    copy(&amina.store(), &clean);
    drop(Client::open(&clean, PASSPHRASE, options()).await.unwrap());
    assert!(Client::check(&clean, PASSPHRASE).await.unwrap().whole);
    let before = amina.client.whoami();
    let last = pages(&clean.join("store.db"));
    let mut damaged = None;
    for page in from(last)..=last {
        let folder = amina.beside(&format!("damaged-{page}"));
        copy(&clean, &folder);
        flip(&folder.join("store.db"), page);
        if !Client::check(&folder, PASSPHRASE).await.unwrap().whole {
            println!("page {page} of {last}");
            damaged = Some(folder);
            break;
        }
    }
    let folder = damaged.expect("some page is in use");
    let refused = Client::open(&folder, PASSPHRASE, options()).await.map(|_| ()).unwrap_err();
    assert_eq!(refused.code(), Code::StoreDamaged.code());

    let saved = Client::salvage(&folder, PASSPHRASE).await.unwrap();
    println!("{saved:?}");
    assert!(saved.profile && Path::new(&saved.aside).exists());
    amina.client = Client::open(&folder, PASSPHRASE, options()).await.unwrap();
    if amina.client.relays().await.unwrap().is_empty() {
        // The page that was damaged held the relays: a person adds them again.
        amina.client.add_relay(&site.address().to_string(), None).await.unwrap();
    }
    let after = amina.client.whoami();
    assert_eq!(after.device, before.device);
    assert_ne!(after.incarnation, before.incarnation);
    for _ in 0..2 {
        let report = amina.sync().await;
        assert_eq!(report.forks, 0, "{report:?}");
        ben.sync().await;
    }
    for (number, (note, expected)) in notes.iter().zip(&expected).enumerate() {
        let text = amina.text(*note).await;
        assert_eq!(text, ben.text(*note).await, "note {number}");
        if number > 0 || keeps_draft {
            assert_eq!(&text, expected, "note {number}");
        }
    }
    assert!(Client::check(&folder, PASSPHRASE).await.is_err(), "an open store is left alone");
    site.stop().await;
}

#[tokio::test]
async fn a_device_heals_with_its_first_page_gone() {
    watched(device_heals(|_| 1, true)).await;
}

#[tokio::test]
async fn a_device_heals_with_a_page_of_what_was_written_last_gone() {
    watched(device_heals(|last| last * 3 / 4, false)).await;
}

fn relay(arguments: &[&str], data: &Path) -> (Option<i32>, String) {
    let output = Command::new(&binaries().relay).args(arguments).arg("--data").arg(data).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test]
async fn a_relay_heals_from_its_devices() {
    watched(async {
        let Story { mut site, ben, amina, space, .. } = story().await;
        let all: BTreeSet<HeaderHash> = site.hashes(space).await.into_iter().collect();
        let instance = site.relay().instance();
        site.stop().await;
        let data = site.folder().join("data");
        assert_eq!(relay(&["verify"], &data).0, Some(0));
        // A page of entries: where one is gone, devices have something to bring.
        let database = data.join("store.db");
        let clean = std::fs::read(&database).unwrap();
        let mut lost = None;
        for page in (1..=pages(&database)).rev() {
            std::fs::write(&database, &clean).unwrap();
            flip(&database, page);
            if check_relay(&data, "store.db").unwrap().is_whole() {
                continue;
            }
            let (status, said) = relay(&["verify"], &data);
            assert_eq!(status, Some(5), "{said}");
            assert!(said.contains("store.db  damaged") && said.contains("--salvage"), "{said}");
            let (status, said) = relay(&["verify", "--salvage", "--json"], &data);
            assert_eq!(status, Some(0), "{said}");
            site.open(open).await;
            let left: BTreeSet<HeaderHash> = site.hashes(space).await.into_iter().collect();
            assert!(left.is_subset(&all));
            if left.len() < all.len() {
                lost = Some((page, all.len() - left.len()));
                break;
            }
            site.stop().await;
        }
        println!("page, entries that were lost: {lost:?} of {}", all.len());
        assert!(lost.is_some());
        assert_ne!(site.relay().instance(), instance);
        amina.sync().await;
        ben.sync().await;
        let healed: BTreeSet<HeaderHash> = site.hashes(space).await.into_iter().collect();
        assert_eq!(healed, all);
        site.stop().await;
        assert_eq!(relay(&["verify"], &data).0, Some(0));
    })
    .await;
}
