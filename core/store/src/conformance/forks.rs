//! Forks: where an author signed two entries of one number.

use std::collections::BTreeMap;

use alliance_crypto::Verified;
use alliance_sync::{Incoming, Outcome, Outgoing, Part};
use alliance_wire::frame::{ForkProof, Reason};
use alliance_wire::{HeaderHash, LogId, Stream, limits, vector};

use super::chains::{page, put};
use super::samples::{Author, items, named, space};
use crate::replica::Replica;

/// The logs of a space: id, number and hash of the newest entry.
async fn logs<R: Replica>(replica: &R) -> BTreeMap<LogId, (u64, HeaderHash)> {
    let parts = replica.view_parts(space(1)).await.expect("an answer").expect("a space");
    let logs: BTreeMap<_, _> = parts.heads.into_iter().map(|(log, head)| (log, (head.seq, head.hash))).collect();
    let rows = logs.iter().map(|(log, (seq, hash))| (*log, *seq, *hash));
    assert_eq!(parts.tail.digest, vector::digest(space(1), rows), "the digest covers exactly these logs");
    logs
}

async fn proofs<R: Replica>(replica: &R) -> BTreeMap<LogId, ForkProof> {
    let parts = replica.view_parts(space(1)).await.expect("an answer").expect("a space");
    parts.forks.into_iter().map(|(log, (_, proof))| (log, proof)).collect()
}

/// A trunk of three and two branches of two behind its second entry.
fn branches(author: &Author) -> (Vec<Verified>, Vec<Verified>, Vec<Verified>) {
    let trunk = author.chain(space(1), Stream::Data, None, "trunk", 2);
    let one = author.chain(space(1), Stream::Data, Some(&trunk[1]), "one", 2);
    let other = author.chain(space(1), Stream::Data, Some(&trunk[1]), "other", 2);
    (trunk, one, other)
}

fn end(chain: &[Verified]) -> (u64, HeaderHash) {
    chain.last().map_or((0, HeaderHash::NONE), |last| (last.seq(), last.hash()))
}

pub(super) async fn second_entry_of_a_number_forks<R: Replica>(replica: &R) {
    let author = Author::new(1);
    let (trunk, one, other) = branches(&author);
    put(replica, items(&[&trunk[..], &one[..]].concat())).await;
    let outcomes = put(replica, items(&other)).await;
    let Outcome::Forked(name, proof) = &outcomes[0] else {
        assert!(matches!(outcomes[0], Outcome::Forked(..)), "the first of the branch shows the fork");
        return;
    };
    assert_eq!((name, proof.seq, proof.prev), (&author.name(Stream::Data), 3, trunk[1].hash()));
    assert!(matches!(outcomes[1], Outcome::Stored(_)), "what follows goes to the continuation");
    let log = trunk[0].log();
    let (a, b) = (log.continuation(one[0].hash()), log.continuation(other[0].hash()));
    assert_eq!(logs(replica).await, BTreeMap::from([(log, end(&trunk)), (a, end(&one)), (b, end(&other))]));
    assert_eq!(proofs(replica).await, BTreeMap::from([(log, proof.clone())]));

    // Nothing is lost, and every entry comes with the log that it stands in now; the proof has a number of its own.
    let all = page(replica, space(1), 0, Part::Everything, usize::MAX).await;
    let mut names = BTreeMap::new();
    for item in &all.items {
        if let Outgoing::Entry(name, entry) = item {
            names.insert(entry.header().hash(), name.id(space(1)));
        }
    }
    assert_eq!((names.len(), all.items.len(), all.upto), (6, 7, 7));
    assert_eq!((names[&one[1].hash()], names[&other[1].hash()]), (a, b));
    let range = replica.range(space(1), b, 2, 10).await.expect("a range");
    assert_eq!(range.iter().map(|(_, entry)| entry).collect::<Vec<_>>(), [other[0].entry(), other[1].entry()]);

    // Both branches go on, each by its predecessor; a replay is a duplicate.
    let more = author.chain(space(1), Stream::Data, one.last(), "one more", 1);
    let outcomes = put(replica, items(&[more[0].clone(), one[0].clone(), other[1].clone()])).await;
    assert_eq!(outcomes, [Outcome::Stored(8), Outcome::Duplicate, Outcome::Duplicate]);
}

pub(super) async fn path_alone_makes_no_fork<R: Replica>(replica: &R) {
    let author = Author::new(1);
    let (trunk, one, other) = branches(&author);
    let plain = author.name(Stream::Data);
    let pathed: Vec<_> = one.iter().map(|entry| named(entry, plain.branch(one[0].hash()))).collect();
    put(replica, items(&trunk)).await;
    // Sent under a continuation's name by somebody who knows of a fork: stored where it stands, no fork yet.
    let outcomes = put(replica, items(&pathed)).await;
    assert_eq!(outcomes, [Outcome::Stored(3), Outcome::Stored(4)]);
    assert_eq!(logs(replica).await, BTreeMap::from([(trunk[0].log(), end(&one))]));
    assert!(proofs(replica).await.is_empty());
    assert_eq!(put(replica, items(&pathed)).await, vec![Outcome::Duplicate; 2]);
    // The other branch under its continuation's name differs: that shows the fork.
    let pathed = named(&other[0], plain.branch(other[0].hash()));
    assert!(matches!(put(replica, items(&[pathed])).await[0], Outcome::Forked(..)));
    assert_eq!(logs(replica).await.len(), 3);
    assert_eq!(put(replica, items(&one)).await, vec![Outcome::Duplicate; 2]);
}

/// The proof that another replica has of two entries.
async fn proof_of<R: Replica>(replica: &R, author: &Author, entries: &[Verified]) -> ForkProof {
    // Made in another space's replica: only the proof is taken from it.
    let outcomes = put(replica, items(entries)).await;
    let proof = outcomes.into_iter().find_map(|outcome| match outcome {
        Outcome::Forked(_, proof) => Some(proof),
        Outcome::Stored(_) | Outcome::Duplicate | Outcome::Gap | Outcome::Refused(_) => None,
    });
    replica.forget_space(entries[0].space()).await.expect("done");
    let _ = author;
    proof.expect("a fork")
}

pub(super) async fn proof_ends_the_log<R: Replica>(replica: &R) {
    let author = Author::new(1);
    let (trunk, one, other) = branches(&author);
    let proof = proof_of(replica, &author, &[&trunk[..], &one[..], &other[..1]].concat()).await;
    let name = author.name(Stream::Data);
    let fork = || Incoming::Fork(space(1), name.clone(), proof.clone());
    let log = trunk[0].log();

    // Before its predecessor is here a proof says nothing that could be placed.
    assert_eq!(put(replica, vec![fork()]).await, [Outcome::Gap]);
    put(replica, items(&[&trunk[..], &one[..]].concat())).await;
    assert!(matches!(put(replica, vec![fork()]).await[0], Outcome::Stored(_)));
    let a = log.continuation(one[0].hash());
    assert_eq!(logs(replica).await, BTreeMap::from([(log, end(&trunk)), (a, end(&one))]), "one branch is enough");
    assert_eq!(put(replica, vec![fork()]).await, [Outcome::Duplicate]);
    // The other branch is no news any more.
    assert!(matches!(put(replica, items(&other)).await[..], [Outcome::Stored(_), Outcome::Stored(_)]));
    assert_eq!(logs(replica).await.len(), 3);
    let receipts = page(replica, space(1), 0, Part::Receipts, usize::MAX).await;
    assert_eq!(receipts.items.len(), 1, "a proof travels with the receipts");
}

pub(super) async fn false_proof_is_refused<R: Replica>(replica: &R) {
    let author = Author::new(1);
    let (trunk, one, other) = branches(&author);
    let proof = proof_of(replica, &author, &[&trunk[..], &one[..], &other[..1]].concat()).await;
    put(replica, items(&[&trunk[..], &one[..]].concat())).await;
    let same = ForkProof { other: proof.one.clone(), ..proof.clone() };
    let mut torn = proof.clone();
    torn.one.suffix = vec![0xff].into();
    let name = author.name(Stream::Data);
    let bad = vec![
        Incoming::Fork(space(1), name.clone(), same),
        Incoming::Fork(space(1), name.clone(), torn),
        Incoming::Fork(space(1), name.clone(), ForkProof { seq: 0, ..proof.clone() }),
    ];
    assert_eq!(put(replica, bad).await, vec![Outcome::Refused(Reason::Malformed); 3]);
    assert_eq!(logs(replica).await.len(), 1);
    // The control.
    assert!(matches!(put(replica, vec![Incoming::Fork(space(1), name, proof)]).await[0], Outcome::Stored(_)));
}

pub(super) async fn earlier_fork_renames_what_lies_behind<R: Replica>(replica: &R) {
    let author = Author::new(1);
    let (trunk, one, other) = branches(&author);
    put(replica, items(&[&trunk[..], &one[..], &other[..]].concat())).await;
    // Another second entry: now the log ends after its first.
    let early = author.chain(space(1), Stream::Data, Some(&trunk[0]), "early", 1);
    assert!(matches!(put(replica, items(&early)).await[0], Outcome::Forked(..)));
    let log = trunk[0].log();
    let behind = log.continuation(trunk[1].hash());
    let expected = BTreeMap::from([
        (log, end(&trunk[..1])),
        (log.continuation(early[0].hash()), end(&early)),
        (behind, end(&trunk)),
        (behind.continuation(one[0].hash()), end(&one)),
        (behind.continuation(other[0].hash()), end(&other)),
    ]);
    assert_eq!(logs(replica).await, expected);
    assert_eq!(proofs(replica).await.into_keys().collect::<Vec<_>>().len(), 2);
    assert!(proofs(replica).await.contains_key(&behind), "the proof of the later fork moved with its log");
}

/// The same tree of entries learned in many orders gives the same logs. Seeds are part of every message.
pub(super) async fn logs_follow_from_the_set<R: Replica>(replica: &R) {
    let author = Author::new(1);
    for seed in 0..24_u64 {
        let tree = tree(&author, seed);
        let mut expected = None;
        for order in 0..4_u64 {
            let shuffled = shuffled(&tree, seed * 31 + order);
            for chunk in shuffled.chunks(3) {
                for outcome in put(replica, items(chunk)).await {
                    let taken = matches!(outcome, Outcome::Stored(_) | Outcome::Forked(..));
                    assert!(taken, "seed {seed}, order {order}: {outcome:?}");
                }
            }
            let found = (logs(replica).await, proofs(replica).await.into_keys().collect::<Vec<_>>());
            let expected = expected.get_or_insert_with(|| found.clone());
            assert_eq!(&found, expected, "seed {seed}, order {order}");
            replica.forget_space(space(1)).await.expect("done");
        }
    }
}

/// A small pseudo-random sequence (splitmix64); the seed alone decides it.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % (bound as u64)).unwrap_or(0)
    }
}

/// A chain with up to five branchings in it, nested ones included, and forks at the first number.
fn tree(author: &Author, seed: u64) -> Vec<Verified> {
    let mut random = Random(seed);
    let mut tree: Vec<Verified> = Vec::new();
    for number in 0..14 {
        let parent = match tree.len() {
            0 => None,
            // Mostly the newest entry, sometimes any, rarely none.
            len if random.below(3) > 0 => tree.get(len - 1),
            _ if random.below(9) == 0 => None,
            len => tree.get(random.below(len)),
        };
        tree.push(author.next(space(1), Stream::Data, parent, format!("{seed} {number}").as_bytes()));
    }
    tree
}

/// The entries in another order in which every one still comes after its predecessor.
fn shuffled(tree: &[Verified], seed: u64) -> Vec<Verified> {
    let mut random = Random(seed);
    let mut left: Vec<&Verified> = tree.iter().collect();
    let mut known = vec![HeaderHash::NONE];
    let mut order = Vec::new();
    while !left.is_empty() {
        let ready: Vec<usize> = (0..left.len()).filter(|at| known.contains(&left[*at].header().prev)).collect();
        let next = left.remove(ready[random.below(ready.len())]);
        known.push(next.hash());
        order.push(next.clone());
    }
    order
}

pub(super) async fn data_logs_keep_few_continuations<R: Replica>(replica: &R) {
    let author = Author::new(1);
    let trunk = author.chain(space(1), Stream::Data, None, "trunk", 1);
    put(replica, items(&trunk)).await;
    let branch =
        |number: usize| author.chain(space(1), Stream::Data, Some(&trunk[0]), &format!("branch {number}"), 1).remove(0);
    for number in 0..limits::CONTINUATIONS_MAX {
        let outcome = put(replica, items(&[branch(number)])).await.remove(0);
        assert!(matches!(outcome, Outcome::Stored(_) | Outcome::Forked(..)), "branch {number}: {outcome:?}");
    }
    let before = logs(replica).await;
    let refused = put(replica, items(&[branch(limits::CONTINUATIONS_MAX)])).await;
    assert_eq!(refused, [Outcome::Refused(Reason::TooMany)]);
    assert_eq!(logs(replica).await, before);
    // A branch that is here goes on.
    let next = author.next(space(1), Stream::Data, Some(&branch(3)), b"on");
    assert!(matches!(put(replica, items(&[next])).await[0], Outcome::Stored(_)));
}
