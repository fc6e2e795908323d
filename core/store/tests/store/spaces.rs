//! Between sessions and the replica: rosters, views kept in memory, what others hear.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_crypto::{RecoverySecret, Verified};
use alliance_store::conformance::{Author, batch, found_space, space};
use alliance_store::{CACHED_ENTRIES_MAX, Fresh, Options, Replica, ShareRule, Spaces, SqliteReplica, roster_of};
use alliance_sync::{Batch, Incoming, Outcome, Query, Reply, View};
use alliance_wire::membership::{MEMBERSHIP_VERSION, Operation, Payload, RelayPin};
use alliance_wire::{DeviceKey, HashPrefix, Incarnation, Instance, PersonTag, SpaceId, Stream};

const RELAY: DeviceKey = DeviceKey([5; 32]);
const OWN: DeviceKey = DeviceKey([6; 32]);

fn spaces(folder: &tempfile::TempDir, kept: usize) -> Spaces<SqliteReplica> {
    let fresh = Fresh { incarnation: Incarnation([1; 16]), instance: Instance([2; 16]) };
    let (replica, _) = SqliteReplica::open(folder.path(), fresh, false, Options::default()).unwrap();
    Spaces::new(replica, kept)
}

fn entries(entries: &[Verified]) -> Batch {
    batch(entries.iter().cloned().map(Incoming::Entry).collect())
}

/// The membership entry that names a relay.
fn pin(author: &Author, space: SpaceId, first: &Verified, random: u8) -> Verified {
    let recovery = RecoverySecret::from_seed([random ^ 0xff; 32]).card();
    let tag = PersonTag::of(space, author.secret.key(), recovery.signer, None);
    let relay = RelayPin { relay: RELAY, address: "relay.example:4433".into(), admission: None };
    let payload = Payload {
        version: MEMBERSHIP_VERSION,
        parents: vec![first.hash()],
        person: Some(tag),
        operation: Operation::Relay(relay),
    };
    author.next(space, Stream::Membership, Some(first), &payload.encode())
}

async fn shared(spaces: &Spaces<SqliteReplica>, peer: DeviceKey, rule: &ShareRule) -> Vec<SpaceId> {
    let Reply::Shared(shared) = spaces.answer(peer, Query::Shared { own: OWN }, rule).await else {
        panic!("another answer")
    };
    assert_eq!(shared.instance, Some(Instance([2; 16])));
    shared.spaces.iter().map(|shared| shared.tail.space).collect()
}

/// What is kept in memory must be what the store would say.
async fn assert_fresh(spaces: &Spaces<SqliteReplica>, space: SpaceId) -> View {
    let kept = spaces.view(space).await.unwrap().unwrap();
    let read = Spaces::new(spaces.replica().clone(), CACHED_ENTRIES_MAX).view(space).await.unwrap().unwrap();
    assert_eq!((&kept.heads, &kept.forks, kept.tail), (&read.heads, &read.forks, read.tail));
    assert_eq!(kept.membership.heads(), read.membership.heads());
    assert_eq!(kept.membership.state(), read.membership.state());
    kept
}

#[tokio::test]
async fn membership_decides_who_shares() {
    let folder = tempfile::tempdir().unwrap();
    let spaces = spaces(&folder, CACHED_ENTRIES_MAX);
    let author = Author::new(1);
    let (space, first) = found_space(&author, 7);
    let pin = pin(&author, space, &first, 7);
    let (device, relay) = (ShareRule::Device { expected: vec![] }, ShareRule::Relay { expected: vec![] });
    assert!(shared(&spaces, author.secret.key(), &ShareRule::Served).await.is_empty());

    spaces.persist(entries(std::slice::from_ref(&first))).await.unwrap();
    assert_eq!(shared(&spaces, author.secret.key(), &ShareRule::Served).await, [space]);
    assert_eq!(shared(&spaces, author.secret.key(), &device).await, [space]);
    assert!(shared(&spaces, RELAY, &relay).await.is_empty());
    spaces.persist(entries(&[pin])).await.unwrap();
    assert_eq!(shared(&spaces, RELAY, &relay).await, [space]);
    assert!(shared(&spaces, RELAY, &ShareRule::Served).await.is_empty(), "a relay is no member");
    let view = assert_fresh(&spaces, space).await;
    assert_eq!(roster_of(&view.membership).relays, [RELAY]);

    spaces.replica().set_absent(RELAY, space).await.unwrap();
    assert!(shared(&spaces, RELAY, &relay).await.is_empty());
    let expected = ShareRule::Relay { expected: vec![space, SpaceId([1; 16])] };
    assert_eq!(shared(&spaces, RELAY, &expected).await.len(), 2);
}

#[tokio::test]
async fn expected_space_has_an_empty_view() {
    let folder = tempfile::tempdir().unwrap();
    let spaces = spaces(&folder, CACHED_ENTRIES_MAX);
    let rule = ShareRule::Device { expected: vec![space(1)] };
    let Reply::View(_, Some(view)) = spaces.answer(RELAY, Query::View(space(1)), &rule).await else {
        panic!("an expected space has a view")
    };
    assert!(view.heads.is_empty() && view.membership.is_empty() && view.tail.arrival == 0);
    let unknown = spaces.answer(RELAY, Query::View(space(2)), &rule).await;
    assert!(matches!(unknown, Reply::View(_, None)));
    let admitted = spaces.answer(RELAY, Query::Admit(space(2), None), &rule).await;
    assert!(matches!(admitted, Reply::Admitted(_, false)), "nobody is admitted here");
}

#[tokio::test]
async fn views_follow_what_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let spaces = spaces(&folder, CACHED_ENTRIES_MAX);
    let author = Author::new(1);
    let (space, first) = found_space(&author, 7);
    let mut changes = spaces.changes();
    spaces.persist(entries(std::slice::from_ref(&first))).await.unwrap();
    assert_eq!(changes.recv().await.unwrap().arrival, 1);
    assert_fresh(&spaces, space).await;

    let chain = author.chain(space, Stream::Data, None, "entry", 4);
    for entry in &chain {
        let persisted = spaces.persist(entries(std::slice::from_ref(entry))).await.unwrap();
        assert_eq!(changes.recv().await.unwrap(), persisted.tails[0]);
        assert_fresh(&spaces, space).await;
    }
    // A gap, a replay, a membership entry without its predecessor, a fork, and what follows a fork.
    let other = author.chain(space, Stream::Data, Some(&chain[1]), "other", 3);
    let pin = pin(&author, space, &first, 7);
    let later = author.next(space, Stream::Membership, Some(&pin), b"no membership payload");
    for part in [&other[1..2], &chain[..2], &[later][..], &other[..2], &other[2..], &[pin][..]] {
        spaces.persist(entries(part)).await.unwrap();
        assert_fresh(&spaces, space).await;
    }
    let view = assert_fresh(&spaces, space).await;
    assert_eq!((view.heads.len(), view.forks.len()), (4, 1));
}

#[tokio::test]
async fn forgotten_space_is_gone_from_memory() {
    let folder = tempfile::tempdir().unwrap();
    let spaces = spaces(&folder, CACHED_ENTRIES_MAX);
    let author = Author::new(1);
    let (space, first) = found_space(&author, 7);
    spaces.persist(entries(std::slice::from_ref(&first))).await.unwrap();
    assert!(spaces.view(space).await.unwrap().is_some());
    spaces.forget(space).await.unwrap();
    assert!(spaces.view(space).await.unwrap().is_none());
    assert!(shared(&spaces, author.secret.key(), &ShareRule::Served).await.is_empty());
    spaces.persist(entries(&[first])).await.unwrap();
    assert_eq!(assert_fresh(&spaces, space).await.tail.arrival, 2);
}

#[tokio::test]
async fn little_memory_changes_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    // Room for one or two spaces.
    let spaces = spaces(&folder, 5);
    let mut known = Vec::new();
    for number in 1..=6 {
        let author = Author::new(number);
        let (space, first) = found_space(&author, number);
        let chain = author.chain(space, Stream::Data, None, "entry", 2);
        spaces.persist(entries(&[first])).await.unwrap();
        spaces.persist(entries(&chain)).await.unwrap();
        known.push((space, author.secret.key()));
        for (space, device) in &known {
            let view = assert_fresh(&spaces, *space).await;
            assert!(view.membership.state().is_active(*device));
        }
    }
}

#[tokio::test]
async fn whoever_goes_away_leaves_nothing_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let spaces = spaces(&folder, CACHED_ENTRIES_MAX);
    let author = Author::new(1);
    let (space, first) = found_space(&author, 7);
    spaces.persist(entries(std::slice::from_ref(&first))).await.unwrap();
    spaces.view(space).await.unwrap();
    let mut changes = spaces.changes();
    let held = spaces.replica().hold_writer().await.unwrap();
    let asking = {
        let (spaces, entry) = (spaces.clone(), pin(&author, space, &first, 7));
        tokio::spawn(async move { spaces.persist(entries(&[entry])).await })
    };
    tokio::task::yield_now().await;
    asking.abort();
    let _ = asking.await;
    drop(held);
    // It was asked for before its asker went: either nothing happened, or all of it and everybody heard.
    let again = spaces.persist(entries(&[pin(&author, space, &first, 7)])).await.unwrap();
    assert!(matches!(again.outcomes[0], Outcome::Stored(2) | Outcome::Duplicate));
    assert_eq!(changes.recv().await.unwrap().arrival, 2);
    let view = assert_fresh(&spaces, space).await;
    assert_eq!(view.membership.state().relays.len(), 1);
}

#[tokio::test]
async fn cursors_of_the_last_contact_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let spaces = spaces(&folder, CACHED_ENTRIES_MAX);
    let author = Author::new(1);
    let (space, first) = found_space(&author, 7);
    let peer = author.secret.key();
    let mut batch = entries(&[first]);
    batch.peer = Some((peer, Instance([9; 16])));
    batch.cursors = vec![(space, 12, HashPrefix([3; 16]))];
    batch.acked = vec![(space, 1)];
    let reply = spaces.answer(peer, Query::Persist(batch), &ShareRule::Served).await;
    assert!(matches!(reply, Reply::Persisted(_)));
    let shared = spaces.shared(OWN, peer, &ShareRule::Served).await.unwrap();
    assert_eq!(shared.peer_instance, Some(Instance([9; 16])));
    assert_eq!((shared.spaces[0].cursor, shared.spaces[0].acked), (Some((12, HashPrefix([3; 16]))), 1));
    assert_eq!(shared.spaces[0].tail.arrival, 1);
}
