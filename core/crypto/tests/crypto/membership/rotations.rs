//! Pairs of changes that do not know of each other: whoever is out reads nothing that is written after both were seen,
//! and every member reads it.

use alliance_crypto::Secret as _;

use super::every_order_ends_alike;
use crate::support::crowd::{BEN, CAY, CHANGES, DESK, Group, PEOPLE};

#[test]
fn after_any_two_changes_at_once_members_read_and_nobody_else() {
    let (mut pairs, mut read, mut kept_out) = (0, 0, 0);
    for one in CHANGES {
        for other in CHANGES.into_iter().filter(|other| *other != one) {
            let mut group = Group::new();
            let first = group.world.membership.best_epoch().unwrap().id;
            for entry in [group.sign(one, false, Vec::new()), group.sign(other, true, Vec::new())] {
                group.take(entry);
            }
            every_order_ends_alike(&group.world);
            let epoch = group.settle(&[DESK]).unwrap();
            let state = group.world.membership.state().clone();
            for person in &group.hands {
                let active = state.is_active(person.key());
                let reads = group.ring(&person.device).get(epoch).is_some();
                assert_eq!(reads, active, "{one:?}, {other:?}: {:?}", person.device);
                read += usize::from(active);
                kept_out += usize::from(!active);
            }
            for person in PEOPLE.map(|person| &group.hands[person]) {
                let listed = state.person_of_recovery(person.recovery.signer_key()).is_some();
                let reads = group.ring(&person.recovery).get(epoch).is_some();
                assert_eq!(reads, listed, "{one:?}, {other:?}: words");
            }
            for gone in [BEN, CAY] {
                let reads = group.ring(&group.hands[gone].device).get(first).is_some();
                assert!(reads, "the control: what was written before is readable");
            }
            pairs += 1;
        }
    }
    assert_eq!(pairs, 56);
    assert!(read > 250 && kept_out > 100, "{read} read, {kept_out} kept out");
}
