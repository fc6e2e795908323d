//! What a membership costs: an epoch for many devices, a thousand operations, and one device that uses its whole
//! allowance.

use std::time::Instant;

use alliance_crypto::membership::MembershipError;
use alliance_crypto::{DeviceSecret, Membership, Secret as _, Verified, new_epoch};
use alliance_wire::membership::{Epoch, GiveRole, KeyBox, Operation, Role};
use alliance_wire::{PersonTag, limits};
use serde_json::{Value, json};

use super::Bench;
use crate::bench::process::Used;
use crate::random::Random;
use crate::world::{World, Writer};

/// Devices that an epoch's key is sealed to.
const DEVICES: usize = 20;
/// People in the group.
const PEOPLE: usize = 20;
/// Operations of the long history.
const OPERATIONS: usize = 1_000;

impl Bench {
    /// Real signed entries, evaluated as a replica does that takes them in.
    pub(super) fn members(&self) -> Value {
        let mut random = Random::new(1);
        let writers: Vec<Writer> = (0..PEOPLE).map(|_| Writer::new(&mut random)).collect();
        let mut world = World::new(&mut random, &writers, None);
        let somebody = somebody(&world);
        while world.membership.len() < OPERATIONS {
            let role = if world.membership.len().is_multiple_of(2) { Role::Writer } else { Role::Signer };
            world.operate(&writers[0], somebody, Operation::Role(GiveRole { role, ending: None }));
        }
        let stretches = [OPERATIONS / 4, OPERATIONS / 2, OPERATIONS - 1];
        let taken: Vec<Value> = stretches.iter().map(|count| taken(&world.membership[..*count])).collect();
        let mut all = membership(&world.membership[..OPERATIONS - 1]);
        let more = timed(|| all.insert(&world.membership[OPERATIONS - 1]).map(|_| all.state().members.len()));
        json!({
            "epoch": epoch(&mut random, self.count),
            "operations": taken,
            "one_more_s": more.0,
            "hostile": hostile(&mut random, &world, &writers),
        })
    }
}

/// Seals a new epoch's key to all of the devices.
fn epoch(random: &mut Random, count: usize) -> Value {
    let secrets: Vec<DeviceSecret> = (0..DEVICES).map(|_| DeviceSecret::from_seed(random.bytes32())).collect();
    let recipients: Vec<_> = secrets.iter().map(|secret| (secret.signer_key(), secret.box_key())).collect();
    let space = alliance_wire::SpaceId(random.bytes16());
    let mut times: Vec<f64> = (0..count.max(1))
        .map(|_| timed(|| new_epoch(&secrets[0], random.bytes32(), space, 1, &[], &recipients, &[])).0)
        .collect();
    times.sort_by(f64::total_cmp);
    json!({ "devices": DEVICES, "n": times.len(), "p50_s": times.get(times.len() / 2), "max_s": times.last() })
}

/// Takes entries in one by one, each judged in the state of its ancestors, and makes the state of all.
fn taken(entries: &[Verified]) -> Value {
    let (seconds, all) = timed(|| membership(entries));
    let (state, members) = timed(|| all.state().members.len());
    assert_eq!(members, PEOPLE, "everybody is in");
    json!({ "entries": entries.len(), "insert_s": seconds, "state_s": state })
}

/// A member's device that signs epoch after epoch, with as many boxes as fit, until its allowance is used.
fn hostile(random: &mut Random, world: &World, writers: &[Writer]) -> Value {
    let member = &writers[1];
    let mut all = membership(&world.membership);
    let person = all.state().person_of(member.key()).expect("a member");
    let boxes = limits::MEMBERSHIP_BYTES_PER_DEVICE_MAX / limits::MEMBERSHIP_ENTRIES_PER_DEVICE_MAX / 116 - 4;
    let sealed = (0..boxes).map(|_| KeyBox { recipient: member.recovery.signer_key(), sealed: [7; 80] }).collect();
    let mut operation = Epoch { generation: 1, canary: [0; 32], boxes: sealed, links: Vec::new() };
    let (mut last, mut entries, mut bytes, mut seconds): (Option<Verified>, u64, u64, f64) = (None, 0, 0, 0.0);
    let before = Used::here();
    loop {
        operation.generation = all.generation_after(&all.heads());
        operation.canary = random.bytes32();
        let place = (person, all.heads());
        let entry =
            world.by_key(&member.secret, member.incarnation, last.as_ref(), place, Operation::Epoch(operation.clone()));
        let (took, inserted) = timed(|| all.insert(&entry));
        if matches!(inserted, Err(MembershipError::TooMany { .. })) {
            break;
        }
        inserted.expect("a member's epoch is taken");
        (entries, seconds) = (entries + 1, seconds + took);
        bytes += entry.payload().map_or(0, |payload| payload.len() as u64);
        last = Some(entry);
    }
    let (state, _) = timed(|| all.state().members.len());
    let after = Used::here();
    // What it costs the others from then on: one entry more of an honest member's.
    let honest = &writers[2];
    let person = all.state().person_of(honest.key()).expect("a member");
    let epoch =
        Epoch { generation: all.generation_after(&all.heads()), canary: [1; 32], boxes: Vec::new(), links: Vec::new() };
    let entry = world.by_key(&honest.secret, honest.incarnation, None, (person, all.heads()), Operation::Epoch(epoch));
    let more = timed(|| all.insert(&entry).map(|_| all.state().members.len()));
    assert!(more.1.is_ok(), "others go on: {:?}", more.1);
    json!({
        "entries": entries, "bytes": bytes, "insert_s": seconds, "state_s": state, "one_more_s": more.0,
        "rss_kb": after.rss_kb.saturating_sub(before.rss_kb),
    })
}

fn membership(entries: &[Verified]) -> Membership {
    let mut all = Membership::new(entries[0].space());
    for entry in entries {
        all.insert(entry).expect("entries in causal order");
    }
    all
}

/// A member that is not the steward.
fn somebody(world: &World) -> PersonTag {
    let all = membership(&world.membership);
    let members = &all.state().members;
    members.keys().copied().find(|person| *person != world.founder).expect("a member")
}

/// Seconds of wall time, and what the work gave.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let begun = Instant::now();
    let done = work();
    (begun.elapsed().as_secs_f64(), done)
}
