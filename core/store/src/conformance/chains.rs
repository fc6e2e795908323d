//! Chains, payloads, pages.

use alliance_sync::{Incoming, Outcome, Outgoing, Page, Part, Since};
use alliance_wire::frame::{Answer, Reason};
use alliance_wire::{HashPrefix, HeaderHash, SpaceId, Stream, vector};

use super::samples::{Author, batch, dropped, items, space};
use crate::replica::{ANSWER_BYTES_MAX, Replica};

/// The state of a space, read without a view.
pub(super) async fn page<R: Replica>(replica: &R, space: SpaceId, after: u64, part: Part, bytes: usize) -> Page {
    replica.since(Since { space, after, part, bytes }).await.expect("a page")
}

/// Puts items and answers what became of them.
pub(super) async fn put<R: Replica>(replica: &R, items: Vec<Incoming>) -> Vec<Outcome> {
    replica.put(batch(items), Vec::new()).await.expect("a batch that is stored").outcomes
}

pub(super) async fn empty_replica_knows_nothing<R: Replica>(replica: &R) {
    assert_eq!(replica.spaces().await, Ok(Vec::new()));
    assert!(replica.view_parts(space(1)).await.expect("an answer").is_none());
    let tail = replica.tails(vec![space(1)]).await.expect("tails").remove(0);
    assert_eq!((tail.arrival, tail.hash, tail.digest), (0, HashPrefix([0; 16]), vector::digest(space(1), [])));
    let page = page(replica, space(1), 0, Part::Everything, 1_000).await;
    assert!(page.items.is_empty() && !page.more && page.upto == 0);
    assert_eq!(replica.hashes_at(vec![(space(1), 1)]).await, Ok(vec![None]));
}

pub(super) async fn entries_come_back_in_order<R: Replica>(replica: &R) {
    let author = Author::new(1);
    let chain = author.chain(space(1), Stream::Data, None, "entry", 5);
    let outcomes = put(replica, items(&chain)).await;
    assert_eq!(outcomes, (1..=5).map(Outcome::Stored).collect::<Vec<_>>());

    let log = chain[0].log();
    let range = replica.range(space(1), log, 2, 2).await.expect("a range");
    assert_eq!(range.iter().map(|(_, entry)| entry).collect::<Vec<_>>(), [chain[2].entry(), chain[3].entry()]);
    let page = page(replica, space(1), 3, Part::Everything, usize::MAX).await;
    assert_eq!((page.upto, page.hash, page.more), (5, chain[4].hash().prefix(), false));
    let sent: Vec<_> = page.items.iter().map(|item| matches!(item, Outgoing::Entry(..))).collect();
    assert_eq!(sent, [true, true]);

    let parts = replica.view_parts(space(1)).await.expect("an answer").expect("a space");
    let head = &parts.heads[&log];
    assert_eq!((head.seq, head.hash, &head.name), (5, chain[4].hash(), &author.name(Stream::Data)));
    assert_eq!(parts.tail.digest, vector::digest(space(1), [(log, 5, chain[4].hash())]));
    assert_eq!((parts.tail.arrival, parts.tail.hash), (5, chain[4].hash().prefix()));
    let hashes = replica.hashes_at(vec![(space(1), 2), (space(1), 6), (space(2), 1)]).await.expect("hashes");
    assert_eq!(hashes, [Some(chain[1].hash().prefix()), None, None]);
}

pub(super) async fn same_entry_is_a_duplicate<R: Replica>(replica: &R) {
    let chain = Author::new(1).chain(space(1), Stream::Data, None, "entry", 3);
    put(replica, items(&chain)).await;
    let before = replica.tails(vec![space(1)]).await.expect("tails");
    // A replay, whole and in part, in one batch with itself.
    let outcomes = put(replica, items(&[&chain[..], &chain[1..2], &chain[..1]].concat())).await;
    assert_eq!(outcomes, vec![Outcome::Duplicate; 5]);
    assert_eq!(replica.tails(vec![space(1)]).await.expect("tails"), before);
}

pub(super) async fn gap_is_not_stored<R: Replica>(replica: &R) {
    let author = Author::new(1);
    let chain = author.chain(space(1), Stream::Data, None, "entry", 4);
    // Of an unknown log; beyond the end of a known one; with a predecessor that nobody has.
    assert_eq!(put(replica, items(&chain[1..2])).await, [Outcome::Gap]);
    put(replica, items(&chain[..1])).await;
    let stray = author.entry(space(1), Stream::Data, 2, HeaderHash([7; 32]), b"stray");
    assert_eq!(put(replica, items(&[chain[2].clone(), stray])).await, [Outcome::Gap, Outcome::Gap]);
    assert_eq!(replica.tails(vec![space(1)]).await.expect("tails")[0].arrival, 1);
    // The control: what was a gap is taken once its predecessor is here.
    assert_eq!(put(replica, items(&chain[1..3])).await, [Outcome::Stored(2), Outcome::Stored(3)]);
}

pub(super) async fn arrival_numbers_are_per_space<R: Replica>(replica: &R) {
    let (one, other) = (Author::new(1), Author::new(2));
    let (a, b) = (one.chain(space(1), Stream::Data, None, "a", 2), other.chain(space(2), Stream::Data, None, "b", 2));
    let mixed = [a[0].clone(), b[0].clone(), a[1].clone(), b[1].clone()];
    let outcomes = put(replica, items(&mixed)).await;
    assert_eq!(outcomes, [1, 1, 2, 2].map(Outcome::Stored));
    assert_eq!(replica.spaces().await, Ok(vec![space(1), space(2)]));
}

pub(super) async fn dropped_payload_is_filled_later<R: Replica>(replica: &R) {
    let chain = Author::new(1).chain(space(1), Stream::Data, None, "entry", 3);
    let bare: Vec<_> = chain.iter().map(dropped).collect();
    let outcomes = put(replica, items(&bare)).await;
    assert_eq!(outcomes, [1, 2, 3].map(Outcome::Stored));
    let log = chain[0].log();
    let missing = replica.missing(space(1), 10).await.expect("a list");
    assert_eq!(missing, [(log, 1), (log, 2), (log, 3)]);
    let range = replica.range(space(1), log, 0, 10).await.expect("a range");
    assert!(range.iter().all(|(_, entry)| entry.payload.is_none()), "the chain stands without payloads");

    // By the whole entry, which is a duplicate, or by the payload alone, which takes no number.
    assert_eq!(put(replica, items(&chain[..1])).await, [Outcome::Duplicate]);
    let payload = chain[1].payload().expect("a sample's payload").to_vec();
    let filled = Incoming::Payload(space(1), log, 2, payload.clone());
    assert_eq!(put(replica, vec![filled.clone(), filled]).await, [Outcome::Stored(2), Outcome::Duplicate]);
    assert_eq!(replica.missing(space(1), 10).await, Ok(vec![(log, 3)]));
    let fetched = replica.fetch(space(1), vec![(log, 2), (log, 3), (log, 4)]).await.expect("an answer");
    let answers: Vec<_> = fetched.into_iter().map(|(_, _, answer)| answer).collect();
    assert_eq!(answers, [Answer::Payload(payload.into()), Answer::Absent, Answer::Absent]);
    assert_eq!(replica.tails(vec![space(1)]).await.expect("tails")[0].arrival, 3);
}

pub(super) async fn only_the_right_payload_is_taken<R: Replica>(replica: &R) {
    let chain = Author::new(1).chain(space(1), Stream::Data, None, "entry", 1);
    put(replica, items(&[dropped(&chain[0])])).await;
    let log = chain[0].log();
    let wrong = vec![
        Incoming::Payload(space(1), log, 1, b"entry 1".to_vec()),
        Incoming::Payload(space(1), log, 1, Vec::new()),
        Incoming::Payload(space(1), log, 2, b"entry 0".to_vec()),
        Incoming::Payload(space(2), log, 1, b"entry 0".to_vec()),
    ];
    let malformed = Outcome::Refused(Reason::Malformed);
    assert_eq!(put(replica, wrong).await, [malformed.clone(), malformed, Outcome::Gap, Outcome::Gap]);
    let right = Incoming::Payload(space(1), log, 1, b"entry 0".to_vec());
    assert_eq!(put(replica, vec![right]).await, [Outcome::Stored(1)]);
}

pub(super) async fn pages_are_bounded<R: Replica>(replica: &R) {
    let author = Author::new(1);
    let mut chain: Vec<alliance_crypto::Verified> = Vec::new();
    for number in 0..40_u8 {
        chain.push(author.next(space(1), Stream::Data, chain.last(), &[number; 1_000]));
    }
    put(replica, items(&chain)).await;
    // A page holds its first item whatever the bound.
    let first = page(replica, space(1), 0, Part::Everything, 0).await;
    assert_eq!((first.items.len(), first.upto, first.more), (1, 1, true));
    let (mut after, mut pages, mut seen) = (0, 0, Vec::new());
    loop {
        let page = page(replica, space(1), after, Part::Everything, 8_000).await;
        assert!(page.items.len() <= 8, "a page within its bytes and one item");
        for item in page.items {
            let Outgoing::Entry(_, entry) = item else { continue };
            seen.push(entry.header().seq);
        }
        (after, pages) = (page.upto, pages + 1);
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, (1..=40).collect::<Vec<u64>>());
    assert!(pages >= 5, "several pages, not one");
    let rest = page(replica, space(1), 40, Part::Everything, 8_000).await;
    assert_eq!((rest.items.len(), rest.upto, rest.more), (0, 40, false));
}

pub(super) async fn membership_comes_alone<R: Replica>(replica: &R) {
    let author = Author::new(1);
    let data = author.chain(space(1), Stream::Data, None, "data", 3);
    let membership = author.chain(space(1), Stream::Membership, None, "membership", 2);
    put(replica, items(&[&data[..2], &membership[..], &data[2..]].concat())).await;
    put(replica, vec![Incoming::Receipt(author.receipt(space(1), 1, Vec::new()))]).await;
    let kinds = |page: &Page| -> Vec<Option<Stream>> {
        let kind = |item: &Outgoing| match item {
            Outgoing::Entry(name, _) => Some(name.stream),
            Outgoing::Receipt(_) | Outgoing::Fork(..) => None,
        };
        page.items.iter().map(kind).collect()
    };
    let first = page(replica, space(1), 0, Part::Membership, usize::MAX).await;
    assert_eq!(kinds(&first), [Some(Stream::Membership); 2]);
    let receipts = page(replica, space(1), 0, Part::Receipts, usize::MAX).await;
    assert_eq!((kinds(&receipts), receipts.upto), (vec![None], 6));
    let all = page(replica, space(1), 0, Part::Everything, usize::MAX).await;
    assert_eq!(all.items.len(), 6);
    let parts = replica.view_parts(space(1)).await.expect("an answer").expect("a space");
    assert_eq!(parts.membership, membership, "in the order in which they arrived");
    assert_eq!(parts.heads.len(), 2);
}

pub(super) async fn fetch_stops_at_its_bound<R: Replica>(replica: &R) {
    let author = Author::new(1);
    let mut chain: Vec<alliance_crypto::Verified> = Vec::new();
    for number in 0..40_u8 {
        chain.push(author.next(space(1), Stream::Data, chain.last(), &vec![number; 60_000]));
    }
    put(replica, items(&chain)).await;
    let log = chain[0].log();
    let rows: Vec<_> = (1..=40).map(|seq| (log, seq)).collect();
    let fetched = replica.fetch(space(1), rows).await.expect("an answer");
    assert!(!fetched.is_empty() && fetched.len() <= ANSWER_BYTES_MAX / 60_000 + 1);
    let range = replica.range(space(1), log, 0, 40).await.expect("a range");
    assert!(!range.is_empty() && range.len() <= ANSWER_BYTES_MAX / 60_000 + 1);
}

pub(super) async fn forgotten_space_keeps_its_numbers<R: Replica>(replica: &R) {
    let author = Author::new(1);
    let chain = author.chain(space(1), Stream::Data, None, "entry", 3);
    let kept = author.chain(space(2), Stream::Data, None, "entry", 1);
    put(replica, items(&[&chain[..], &kept[..]].concat())).await;
    assert!(replica.space_bytes(space(1)).await.expect("a count") > 3 * 64);
    replica.forget_space(space(1)).await.expect("done");
    assert_eq!(replica.spaces().await, Ok(vec![space(2)]));
    assert_eq!(replica.space_bytes(space(1)).await, Ok(0));
    assert!(replica.view_parts(space(1)).await.expect("an answer").is_none());
    assert_eq!(replica.hashes_at(vec![(space(1), 2)]).await, Ok(vec![None]));
    // A number is never given twice, or the cursor of a peer would lie.
    assert_eq!(put(replica, items(&chain[..1])).await, [Outcome::Stored(4)]);
    let digest = replica.tails(vec![space(1)]).await.expect("tails")[0].digest;
    assert_eq!(digest, vector::digest(space(1), [(chain[0].log(), 1, chain[0].hash())]));
}
