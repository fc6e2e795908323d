//! Entries that do not read as they were written, where no page's signature says so: whatever leaves the store was hashed
//! again. The databases here are without signatures; `flips` has those that programs make.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::path::Path;

use alliance_crypto::Verified;
use alliance_store::conformance::{Author, batch, space};
use alliance_store::{Damaged, Fresh, Options, Replica, SqliteReplica};
use alliance_sync::{Incoming, Outcome, Outgoing, Part, Since};
use alliance_wire::frame::Answer;
use alliance_wire::{Incarnation, Instance, Stream};
use rusqlite::Connection;

const OPTIONS: Options =
    Options { readers: 3, pages_max: None, signed: false, disk: None, rules: alliance_crypto::Rules::ALL };

fn open(folder: &Path) -> SqliteReplica {
    let fresh = Fresh { incarnation: Incarnation([1; 16]), instance: Instance([2; 16]) };
    SqliteReplica::open(folder, fresh, false, OPTIONS).unwrap().0
}

async fn put(replica: &SqliteReplica, entries: &[Verified]) -> Vec<Outcome> {
    let items = entries.iter().cloned().map(Incoming::Entry).collect();
    replica.put(batch(items), Vec::new()).await.unwrap().outcomes
}

async fn entries(replica: &SqliteReplica) -> Vec<alliance_wire::Entry> {
    let since = Since { space: space(1), after: 0, part: Part::Everything, bytes: usize::MAX };
    let items = replica.since(since).await.unwrap().items;
    let entry = |item| match item {
        Outgoing::Entry(_, entry) => entry,
        Outgoing::Receipt(_) | Outgoing::Fork(..) => panic!("entries only"),
    };
    items.into_iter().map(entry).collect()
}

/// Five entries of which the third is damaged by a statement, and what the store says of it.
async fn damaged_by(statement: &str) -> (tempfile::TempDir, SqliteReplica, Vec<Verified>) {
    let folder = tempfile::tempdir().unwrap();
    let chain = Author::new(1).chain(space(1), Stream::Data, None, "entry", 5);
    let replica = open(folder.path());
    put(&replica, &chain).await;
    drop(replica);
    let connection = Connection::open(folder.path().join("store.db")).unwrap();
    assert_eq!(connection.execute(statement, []).unwrap(), 1, "{statement}");
    drop(connection);
    let replica = open(folder.path());
    (folder, replica, chain)
}

#[tokio::test]
async fn damaged_payload_reads_as_missing_and_is_filled() {
    let statement = "update payload set bytes = cast(x'00' || substr(bytes, 2) as blob) where entry = 3";
    let (_folder, replica, chain) = damaged_by(statement).await;
    let log = chain[0].log();
    assert!(replica.damaged().is_empty() && replica.missing(space(1), 10).await.unwrap().is_empty());
    let read = entries(&replica).await;
    assert_eq!(read[2].signed, chain[2].entry().signed);
    let whole: Vec<_> = read.iter().map(|entry| entry.payload.is_some()).collect();
    assert_eq!(whole, [true, true, false, true, true]);
    assert_eq!(replica.damaged(), [Damaged { space: space(1), log, seq: 3, header: false }]);
    assert_eq!(replica.missing(space(1), 10).await.unwrap(), [(log, 3)]);
    let fetched = replica.fetch(space(1), vec![(log, 3)]).await.unwrap();
    assert_eq!(fetched, [(log, 3, Answer::Absent)]);

    let payload = chain[2].payload().unwrap().to_vec();
    let filled = replica.put(batch(vec![Incoming::Payload(space(1), log, 3, payload)]), Vec::new()).await.unwrap();
    assert_eq!(filled.outcomes, [Outcome::Stored(3)]);
    assert!(entries(&replica).await.iter().all(|entry| entry.payload.is_some()));
    assert!(replica.damaged().is_empty() && replica.missing(space(1), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn damaged_header_is_not_given_and_is_restored() {
    let columns = ["payload_hash", "hash", "signature", "suffix"];
    // As text a value keeps its bytes and loses its type, as when the bit that flips is in the row's own header.
    let texts = columns.map(|column| format!("update entry set {column} = cast({column} as text) where id = 3"));
    let blobs = columns.map(|column| {
        format!(
            "update entry set {column} = cast(x'a3' || substr({column}, 2) as blob) where id = 3 and substr({column}, 1, 1) <> x'a3'"
        )
    });
    let numbers = ["payload_len", "guard", "stream"];
    let numbers = numbers.map(|column| format!("update entry set {column} = {column} + 1 where id = 3"));
    for statement in blobs.iter().chain(&texts).chain(&numbers) {
        let (_folder, replica, chain) = damaged_by(statement).await;
        let seqs: Vec<_> = entries(&replica).await.iter().map(|entry| entry.header().seq).collect();
        // A damaged hash takes the next entry along: it names its predecessor by it.
        assert!(!seqs.contains(&3), "{statement}: {seqs:?}");
        assert!(replica.damaged().iter().any(|damaged| damaged.seq == 3 && damaged.header), "{statement}");
        let range = replica.range(space(1), chain[0].log(), 0, 10).await.unwrap();
        assert_eq!(range.len(), 2, "{statement}: a run ends before it");
        // A fork is never made of damage.
        assert_eq!(put(&replica, &chain[2..3]).await, [Outcome::Duplicate], "{statement}");
        assert_eq!(entries(&replica).await, chain.iter().map(|entry| entry.entry().clone()).collect::<Vec<_>>());
        assert!(replica.damaged().iter().all(|damaged| damaged.seq != 3), "{statement}");
    }
}

#[tokio::test]
async fn damage_is_not_restored_by_another_entry() {
    let (_folder, replica, chain) = damaged_by("update entry set suffix = x'ff' where id = 3").await;
    let other = Author::new(1).next(space(1), Stream::Data, Some(&chain[1]), b"another third entry");
    let outcomes = put(&replica, &[other]).await;
    assert!(matches!(outcomes[..], [Outcome::Refused(_)]), "{outcomes:?}");
    assert_eq!(put(&replica, &chain[2..3]).await, [Outcome::Duplicate]);
    assert_eq!(entries(&replica).await.len(), 5);
}

/// Single bits of a closed relay database flipped at random: what is read is what was written, or the damage is known.
/// SQLite alone notices about a quarter of them.
#[tokio::test]
async fn flipped_bits_are_never_silent() {
    let folder = tempfile::tempdir().unwrap();
    let author = Author::new(1);
    let mut chain: Vec<Verified> = Vec::new();
    for number in 0..250_u8 {
        chain.push(author.next(space(1), Stream::Data, chain.last(), &[number; 700]));
    }
    let replica = open(folder.path());
    put(&replica, &chain).await;
    drop(replica);
    let database = folder.path().join("store.db");
    let clean = std::fs::read(&database).unwrap();
    let expected: Vec<_> = chain.iter().map(|entry| entry.entry().clone()).collect();
    let (seed, mut noticed, mut harmless) = (20_261_126_u64, 0, 0);
    println!("seed {seed}");
    let mut random = seed;
    for flip in 0..150 {
        // splitmix64
        random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (random ^ (random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bit = usize::try_from(mixed ^ (mixed >> 31)).unwrap() % (clean.len() * 8);
        let mut bytes = clean.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&database, &bytes).unwrap();
        match read_all(folder.path(), chain[0].log()).await {
            None => noticed += 1,
            Some(read) => {
                assert!(read == expected, "flip {flip}, bit {} of byte {}: silent", bit % 8, bit / 8);
                harmless += 1;
            }
        }
    }
    println!("{noticed} noticed, {harmless} in places that say nothing");
    assert!(noticed > 50, "most bits are payload: {noticed}");
}

/// Everything of the space in both ways of reading; absent when damage was noticed in any way.
async fn read_all(folder: &Path, log: alliance_wire::LogId) -> Option<Vec<alliance_wire::Entry>> {
    let fresh = Fresh { incarnation: Incarnation([1; 16]), instance: Instance([2; 16]) };
    let (replica, opened) = SqliteReplica::open(folder, fresh, false, OPTIONS).ok()?;
    let since = Since { space: space(1), after: 0, part: Part::Everything, bytes: usize::MAX };
    let page = replica.since(since).await.ok()?;
    let range = replica.range(space(1), log, 0, 1_000).await.ok()?;
    let parts = replica.view_parts(space(1)).await.ok()?;
    let again = replica.put(batch(Vec::new()), Vec::new()).await.ok().is_some();
    let damaged = !again || opened.fresh && opened.previous.is_some() || !replica.damaged().is_empty();
    if damaged {
        return None;
    }
    let entry = |item: Outgoing| match item {
        Outgoing::Entry(_, entry) => Some(entry),
        Outgoing::Receipt(_) | Outgoing::Fork(..) => None,
    };
    let read: Vec<_> = page.items.into_iter().filter_map(entry).collect();
    let ranged: Vec<_> = range.into_iter().map(|(_, entry)| entry).collect();
    assert!(read == ranged, "both ways of reading agree or damage is known");
    let (seq, hash) = parts.and_then(|parts| parts.heads.get(&log).map(|head| (head.seq, head.hash))).unwrap();
    assert_eq!((seq, hash), (250, read.last().unwrap().header().hash()));
    Some(read)
}
