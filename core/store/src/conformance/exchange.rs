//! Receipts, cursors, acknowledgements, rosters.

use alliance_sync::{Batch, Incoming, Outcome, Outgoing, Part};
use alliance_wire::membership::Admission;
use alliance_wire::{DeviceKey, HashPrefix, Incarnation, Instance, Stream};

use super::chains::{page, put};
use super::samples::{Author, batch, items, key, space};
use crate::replica::{Cursor, Replica, Roster};

pub(super) async fn receipts_replace_each_other<R: Replica>(replica: &R) {
    let (old, new, other) = (Author::new(1), restored(1), Author::new(2));
    put(replica, items(&old.chain(space(1), Stream::Data, None, "entry", 1))).await;
    let closes = vec![old.incarnation];
    // (receipt, taken) in this order: counters count within an incarnation, a closing incarnation ends the other.
    let told = [
        (old.receipt(space(1), 5, Vec::new()), true),
        (old.receipt(space(1), 5, Vec::new()), false),
        (old.receipt(space(1), 4, Vec::new()), false),
        (old.receipt(space(1), 7, Vec::new()), true),
        (new.receipt(space(1), 1, closes.clone()), true),
        (old.receipt(space(1), 9, Vec::new()), false),
        (new.receipt(space(1), 2, closes), true),
        (other.receipt(space(1), 1, Vec::new()), true),
    ];
    let mut arrival = 1;
    for (at, (receipt, taken)) in told.into_iter().enumerate() {
        let outcome = put(replica, vec![Incoming::Receipt(receipt)]).await.remove(0);
        arrival += u64::from(taken);
        let expected = if taken { Outcome::Stored(arrival) } else { Outcome::Duplicate };
        assert_eq!(outcome, expected, "receipt {at}");
    }
    let kept = replica.receipts(space(1)).await.expect("receipts");
    assert_eq!(kept.len(), 2, "one for each device");
    let all = page(replica, space(1), 0, Part::Everything, usize::MAX).await;
    let sent = all.items.iter().filter(|item| matches!(item, Outgoing::Receipt(_))).count();
    assert_eq!((sent, all.upto), (2, 6));
}

/// The same device with another database.
fn restored(number: u8) -> Author {
    Author { incarnation: Incarnation([number + 100; 16]), ..Author::new(number) }
}

pub(super) async fn replaced_receipt_still_matches<R: Replica>(replica: &R) {
    let author = Author::new(1);
    put(replica, items(&author.chain(space(1), Stream::Data, None, "entry", 1))).await;
    put(replica, vec![Incoming::Receipt(author.receipt(space(1), 1, Vec::new()))]).await;
    let at = replica.hashes_at(vec![(space(1), 2)]).await.expect("hashes");
    assert!(at[0].is_some());
    put(replica, vec![Incoming::Receipt(author.receipt(space(1), 2, Vec::new()))]).await;
    // A peer's cursor that ends at the replaced receipt is as good as before.
    assert_eq!(replica.hashes_at(vec![(space(1), 2)]).await.expect("hashes"), at);
}

fn from_peer(items: Vec<Incoming>, instance: u8, cursor: u64, acked: u64) -> Batch {
    Batch {
        peer: Some((DeviceKey([8; 32]), Instance([instance; 16]))),
        cursors: vec![(space(1), cursor, HashPrefix([7; 16]))],
        acked: vec![(space(1), acked)],
        ..batch(items)
    }
}

pub(super) async fn cursors_go_with_items<R: Replica>(replica: &R) {
    let chain = Author::new(1).chain(space(1), Stream::Data, None, "entry", 1);
    assert_eq!(replica.peer_instance(DeviceKey([8; 32])).await, Ok(None));
    replica.put(from_peer(items(&chain), 3, 10, 4), Vec::new()).await.expect("stored");
    assert_eq!(replica.peer_instance(DeviceKey([8; 32])).await, Ok(Some(Instance([3; 16]))));
    let cursor = Cursor { space: space(1), number: 10, hash: HashPrefix([7; 16]), acked: 4 };
    assert_eq!(replica.cursors(Instance([3; 16])).await, Ok(vec![cursor]));
    assert_eq!(replica.cursors(Instance([4; 16])).await, Ok(Vec::new()));
}

/// A cursor says that everything up to it is here; what waits for a predecessor is not.
pub(super) async fn cursors_wait_for_what_has_a_gap<R: Replica>(replica: &R) {
    let chain = Author::new(1).chain(space(1), Stream::Data, None, "entry", 3);
    let upto = async || replica.cursors(Instance([3; 16])).await.expect("cursors").first().map_or(0, |it| it.number);
    let gap = [chain[0].clone(), chain[2].clone()];
    replica.put(from_peer(items(&gap), 3, 10, 4), Vec::new()).await.expect("stored");
    assert_eq!(upto().await, 0);
    // The control.
    replica.put(from_peer(items(&chain[1..]), 3, 10, 4), Vec::new()).await.expect("stored");
    assert_eq!(upto().await, 10);
}

pub(super) async fn what_others_wrote_is_told_apart<R: Replica>(replica: &R) {
    let (own, other) = (Author::new(1), Author::new(2));
    let chain = |author: &Author, number, count| author.chain(space(number), Stream::Data, None, "entry", count);
    put(replica, items(&chain(&own, 1, 2))).await;
    put(replica, items(&chain(&other, 1, 1))).await;
    put(replica, items(&chain(&own, 2, 1))).await;
    let own = own.chain(space(3), Stream::Data, None, "entry", 1)[0].author();
    let behind = |rows: &[(u8, u64)]| rows.iter().map(|(number, arrival)| (space(*number), *arrival)).collect();
    let found = replica.others_behind(own, behind(&[(1, 0), (2, 0), (4, 0)])).await.expect("spaces");
    assert_eq!(found, vec![space(1)]);
    assert_eq!(replica.others_behind(own, behind(&[(1, 2)])).await.expect("spaces"), vec![space(1)]);
    assert_eq!(replica.others_behind(own, behind(&[(1, 3)])).await.expect("spaces"), Vec::new(), "nothing behind it");
}

pub(super) async fn cursors_do_not_go_back<R: Replica>(replica: &R) {
    for (cursor, acked) in [(10, 4), (8, 6), (12, 5)] {
        replica.put(from_peer(Vec::new(), 3, cursor, acked), Vec::new()).await.expect("stored");
    }
    let cursors = replica.cursors(Instance([3; 16])).await.expect("cursors");
    assert_eq!((cursors[0].number, cursors[0].acked), (12, 6));
}

pub(super) async fn new_instance_ends_old_cursors<R: Replica>(replica: &R) {
    replica.put(from_peer(Vec::new(), 3, 10, 4), Vec::new()).await.expect("stored");
    replica.put(from_peer(Vec::new(), 4, 2, 1), Vec::new()).await.expect("stored");
    assert_eq!(replica.peer_instance(DeviceKey([8; 32])).await, Ok(Some(Instance([4; 16]))));
    assert_eq!(replica.cursors(Instance([3; 16])).await, Ok(Vec::new()));
    assert_eq!(replica.cursors(Instance([4; 16])).await.expect("cursors").len(), 1);
}

fn roster(number: u8, devices: &[&Author], relays: &[DeviceKey], heads: u8) -> Roster {
    Roster {
        space: space(number),
        readers: devices.iter().map(|author| key(author)).collect(),
        former: Vec::new(),
        relays: relays.to_vec(),
        heads: HashPrefix([heads; 16]),
    }
}

pub(super) async fn roster_says_who_shares<R: Replica>(replica: &R) {
    let (one, other, relay) = (Author::new(1), Author::new(2), DeviceKey([5; 32]));
    for number in [2, 1] {
        put(replica, items(&one.chain(space(number), Stream::Data, None, "entry", 1))).await;
        replica.set_roster(roster(number, &[&one, &other], &[relay], 1)).await.expect("set");
    }
    assert_eq!(replica.member_spaces(key(&other)).await, Ok(vec![space(1), space(2)]));
    assert_eq!(replica.relay_spaces(relay).await, Ok(vec![space(1), space(2)]));
    assert_eq!(replica.member_spaces(relay).await, Ok(Vec::new()), "a relay is no member");
    assert_eq!(replica.relay_spaces(key(&other)).await, Ok(Vec::new()));
    replica.set_roster(roster(1, &[&one], &[], 2)).await.expect("set");
    assert_eq!(replica.member_spaces(key(&other)).await, Ok(vec![space(2)]));
    let former = Roster { former: vec![key(&other)], ..roster(1, &[&one], &[], 3) };
    replica.set_roster(former).await.expect("set");
    assert_eq!(replica.member_spaces(key(&other)).await, Ok(vec![space(2)]), "who was put out is no member");
    assert_eq!(replica.former_spaces(key(&other)).await, Ok(vec![space(1)]));
    assert_eq!(replica.former_spaces(key(&one)).await, Ok(Vec::new()));
    // A space of which nothing is here is shared with nobody.
    replica.set_roster(roster(3, &[&other], &[relay], 1)).await.expect("set");
    assert_eq!(replica.member_spaces(key(&other)).await, Ok(vec![space(2)]));
}

pub(super) async fn roster_waits_for_its_entries<R: Replica>(replica: &R) {
    let (one, other) = (Author::new(1), Author::new(2));
    let chain = one.chain(space(1), Stream::Membership, None, "membership", 3);
    let stored = replica.put(batch(items(&chain[..1])), vec![roster(1, &[&one], &[], 1)]).await.expect("stored");
    assert_eq!(stored.outcomes, [Outcome::Stored(1)]);
    // The third without the second is not stored, and neither is what would follow from it.
    let wider = roster(1, &[&one, &other], &[], 2);
    let stored = replica.put(batch(items(&chain[2..])), vec![wider.clone()]).await.expect("an answer");
    assert_eq!(stored.outcomes, [Outcome::Gap]);
    assert_eq!(replica.member_spaces(key(&other)).await, Ok(Vec::new()));
    replica.put(batch(items(&chain[1..])), vec![wider]).await.expect("stored");
    assert_eq!(replica.member_spaces(key(&other)).await, Ok(vec![space(1)]));
}

pub(super) async fn absent_holds_until_membership_changes<R: Replica>(replica: &R) {
    let (one, relay) = (Author::new(1), DeviceKey([5; 32]));
    put(replica, items(&one.chain(space(1), Stream::Data, None, "entry", 1))).await;
    replica.set_roster(roster(1, &[&one], &[relay], 1)).await.expect("set");
    replica.set_absent(relay, space(1)).await.expect("set");
    assert_eq!(replica.relay_spaces(relay).await, Ok(Vec::new()));
    replica.set_roster(roster(1, &[&one], &[relay], 1)).await.expect("set");
    assert_eq!(replica.relay_spaces(relay).await, Ok(Vec::new()), "the same membership");
    replica.set_roster(roster(1, &[&one], &[relay], 2)).await.expect("set");
    assert_eq!(replica.relay_spaces(relay).await, Ok(vec![space(1)]));
}

pub(super) async fn tokens_are_counted<R: Replica>(replica: &R) {
    let author = Author::new(1);
    for (number, token) in [(1, Some([1; 8])), (2, Some([1; 8])), (3, Some([2; 8])), (4, None)] {
        let admission = token.map(|token| Admission { token, mac: [0; 32] });
        let mut batch = batch(items(&author.chain(space(number), Stream::Membership, None, "first", 1)));
        batch.creates = vec![(space(number), admission)];
        replica.put(batch.clone(), Vec::new()).await.expect("stored");
        replica.put(batch, Vec::new()).await.expect("stored twice, counted once");
    }
    assert_eq!(replica.spaces_of_token([1; 8]).await, Ok(2));
    assert_eq!(replica.spaces_of_token([2; 8]).await, Ok(1));
    assert_eq!(replica.spaces_of_token([3; 8]).await, Ok(0));
}
