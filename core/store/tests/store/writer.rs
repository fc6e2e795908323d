//! The writer: group commit, isolation of requests, a full disk.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::path::Path;

use alliance_crypto::Verified;
use alliance_store::conformance::{Author, batch, space};
use alliance_store::{Fresh, Options, Replica, SqliteReplica, StoreError};
use alliance_sync::{Incoming, Outcome, Part, Since};
use alliance_wire::{Incarnation, Instance, Stream};

fn open(folder: &Path, options: Options) -> SqliteReplica {
    let fresh = Fresh { incarnation: Incarnation([1; 16]), instance: Instance([2; 16]) };
    SqliteReplica::open(folder, fresh, false, options).unwrap().0
}

fn items(entries: &[Verified]) -> Vec<Incoming> {
    entries.iter().cloned().map(Incoming::Entry).collect()
}

async fn commits(replica: &SqliteReplica) -> u64 {
    replica.stats().await.unwrap().commits
}

/// Lets every task that can run get to where it waits.
async fn let_all_ask() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn requests_that_wait_share_a_commit() {
    // (requests, rows of each, commits that they take: at most 1,000 rows in one)
    for (requests, rows, expected) in [(1, 1, 1), (64, 1, 1), (25, 100, 3)] {
        let folder = tempfile::tempdir().unwrap();
        let replica = open(folder.path(), Options::default());
        let held = replica.hold_writer().await.unwrap();
        let before = commits(&replica).await;
        let mut tasks = Vec::new();
        for number in 0..requests {
            let author = Author::new(number);
            let chain = author.chain(space(1), Stream::Data, None, "entry", rows);
            let replica = replica.clone();
            tasks.push(tokio::spawn(async move { replica.put(batch(items(&chain)), Vec::new()).await }));
        }
        let_all_ask().await;
        drop(held);
        let mut arrivals = Vec::new();
        for task in tasks {
            for outcome in task.await.unwrap().unwrap().outcomes {
                let Outcome::Stored(arrival) = outcome else { panic!("{outcome:?}") };
                arrivals.push(arrival);
            }
        }
        let total = u64::from(requests) * rows as u64;
        arrivals.sort_unstable();
        assert_eq!(arrivals, (1..=total).collect::<Vec<_>>(), "one number each, none left out");
        assert_eq!(commits(&replica).await - before, expected, "{requests} requests of {rows} rows");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn one_by_one_takes_a_commit_each() {
    // The control of the test above: requests that do not wait for each other are not delayed to be gathered.
    let folder = tempfile::tempdir().unwrap();
    let replica = open(folder.path(), Options::default());
    let before = commits(&replica).await;
    for entry in Author::new(1).chain(space(1), Stream::Data, None, "entry", 5) {
        replica.put(batch(items(&[entry])), Vec::new()).await.unwrap();
    }
    assert_eq!(commits(&replica).await - before, 5);
}

#[tokio::test]
async fn many_writers_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let replica = open(folder.path(), Options::default());
    let mut tasks = Vec::new();
    for number in 0..16 {
        let replica = replica.clone();
        tasks.push(tokio::spawn(async move {
            for entry in Author::new(number).chain(space(number % 3), Stream::Data, None, "entry", 20) {
                let stored = replica.put(batch(items(&[entry])), Vec::new()).await.unwrap();
                assert!(matches!(stored.outcomes[0], Outcome::Stored(_)));
                // What was acknowledged is seen by every reader from then on.
                let tail = replica.tails(vec![space(number % 3)]).await.unwrap()[0];
                assert!(tail.arrival >= stored.tails[0].arrival);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(replica.stats().await.unwrap().entries, 320);
    for number in 0..3 {
        let since = Since { space: space(number), after: 0, part: Part::Everything, bytes: usize::MAX };
        let page = replica.since(since).await.unwrap();
        assert_eq!(page.items.len() as u64, page.upto, "numbers without holes");
    }
}

#[tokio::test]
async fn closed_while_writing_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let replica = open(folder.path(), Options::default());
    let writer = replica.clone();
    let task = tokio::spawn(async move {
        let mut acknowledged = 0;
        for entry in Author::new(1).chain(space(1), Stream::Data, None, "entry", 500) {
            match writer.put(batch(items(&[entry])), Vec::new()).await {
                Ok(_) => acknowledged += 1,
                Err(error) => {
                    assert_eq!(error, StoreError::Closed);
                    break;
                }
            }
        }
        acknowledged
    });
    while replica.tails(vec![space(1)]).await.unwrap()[0].arrival < 3 {}
    let closing = replica.clone();
    tokio::task::spawn_blocking(move || closing.close()).await.unwrap();
    let acknowledged = task.await.unwrap();
    drop(replica);
    let replica = open(folder.path(), Options::default());
    assert!(replica.stats().await.unwrap().entries >= acknowledged);
}

#[tokio::test]
async fn full_disk_is_said_and_survived() {
    let folder = tempfile::tempdir().unwrap();
    let author = Author::new(1);
    let mut chain: Vec<Verified> = Vec::new();
    for number in 0..60_u8 {
        chain.push(author.next(space(1), Stream::Data, chain.last(), &vec![number; 20_000]));
    }
    let replica = open(folder.path(), Options { pages_max: Some(150), ..Options::default() });
    let mut stored = 0;
    let failure = loop {
        match replica.put(batch(items(&chain[stored..=stored])), Vec::new()).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(failure, StoreError::LowStorage);
    assert!(stored > 5, "some fit");
    // Reading works, nothing of the failed request is there, small things may still fit, large ones fail alike.
    let tail = replica.tails(vec![space(1)]).await.unwrap()[0];
    assert_eq!((tail.arrival, tail.hash), (stored as u64, chain[stored - 1].hash().prefix()));
    let again = replica.put(batch(items(&chain[stored..])), Vec::new()).await;
    assert_eq!(again.unwrap_err(), StoreError::LowStorage);
    let range = replica.range(space(1), chain[0].log(), 0, 1_000).await.unwrap();
    assert_eq!(range.len(), stored);
    drop(replica);
    let replica = open(folder.path(), Options::default());
    let outcomes = replica.put(batch(items(&chain[stored..])), Vec::new()).await.unwrap().outcomes;
    assert_eq!(outcomes.last(), Some(&Outcome::Stored(60)), "with room again it goes on where it was");
}

#[tokio::test(flavor = "current_thread")]
async fn failed_request_fails_its_group_only_if_the_disk_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let replica = open(folder.path(), Options { pages_max: Some(150), ..Options::default() });
    let held = replica.hold_writer().await.unwrap();
    let large: Vec<Verified> = {
        let author = Author::new(1);
        let mut chain: Vec<Verified> = Vec::new();
        for number in 0..40_u8 {
            chain.push(author.next(space(1), Stream::Data, chain.last(), &vec![number; 20_000]));
        }
        chain
    };
    let small = Author::new(2).chain(space(2), Stream::Data, None, "entry", 1);
    let ask = |entries: &[Verified]| {
        let (replica, batch) = (replica.clone(), batch(items(entries)));
        tokio::spawn(async move { replica.put(batch, Vec::new()).await })
    };
    let (first, second) = (ask(&small), ask(&large));
    let_all_ask().await;
    drop(held);
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!(second.unwrap_err(), StoreError::LowStorage);
    // Whether the small one shared the fate of the group or not, what is said of it is true.
    let there = replica.tails(vec![space(2)]).await.unwrap()[0].arrival == 1;
    assert_eq!(first.is_ok(), there);
    let again = ask(&small).await.unwrap().unwrap();
    assert!(matches!(again.outcomes[0], Outcome::Stored(1) | Outcome::Duplicate));
}

/// The relay's disk after the benchmark's first push: 9,404 entries in 6.6 MB at most, 702 bytes each, of which the
/// payload is about 430.
#[tokio::test]
async fn entries_are_stored_compactly() {
    let folder = tempfile::tempdir().unwrap();
    let replica = open(folder.path(), Options::default());
    let empty = replica.stats().await.unwrap().bytes;
    let mut stored = 0;
    for number in 0..20 {
        let author = Author::new(number);
        let mut chain: Vec<Verified> = Vec::new();
        for entry in 0..100_u8 {
            chain.push(author.next(space(number), Stream::Data, chain.last(), &[entry; 430]));
        }
        stored += chain.len() as u64;
        replica.put(batch(items(&chain)), Vec::new()).await.unwrap();
    }
    let each = (replica.stats().await.unwrap().bytes - empty) / stored;
    println!("{each} bytes an entry");
    assert!(each <= 700, "{each} bytes an entry");
}
