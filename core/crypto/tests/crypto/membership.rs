//! Membership from entries as signed and sent: founding, inviting, adding, epochs, boxes and keys.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod cut_offs;
mod devices;
mod epochs;
mod persons;
mod rotations;

use alliance_crypto::{
    DataAt, DataVerdict, Inserted, Keyring, MemberRole, Membership, MembershipError, MembershipRules, Place, Secret,
    Verified, make_boxes, new_epoch, sign_entry,
};
use alliance_wire::membership::{Add, CardFor, Invite, MEMBERSHIP_VERSION, Operation, Payload, Role, SpaceKind};
use alliance_wire::{
    BoxKey, EpochId, HashPrefix, HeaderHash, Incarnation, LogName, PersonTag, SignerKey, SpaceId, Stream,
    hash::content_hash, limits,
};

use crate::support::crowd::{nothing, replica};
use crate::support::fixture::{Person, World, first};

const PAIR: SpaceKind = SpaceKind::Joint { persons_max: 2 };

/// A pair of founder and guest with one epoch for both.
fn pair() -> (World, Person, EpochId, alliance_crypto::EpochKey) {
    let mut world = World::found(PAIR);
    let (epoch, key) = world.epoch_of_founder(1, &[]);
    let mut guest = Person::new(2);
    let boxes = world.boxes_for(&guest, epoch, &key);
    world.add(&mut guest, Role::Writer, boxes);
    (world, guest, epoch, key)
}

#[test]
fn a_founder_is_the_steward() {
    let world = World::found(PAIR);
    let state = world.membership.state();
    assert_eq!((state.kind, state.steward), (Some(PAIR), Some(world.founder.tag)));
    let me = &state.members[&world.founder.tag];
    assert_eq!(me.role, MemberRole::Steward);
    assert_eq!(me.devices.get(&world.founder.key()), Some(&world.founder.device.box_key()));
    assert_eq!(me.recovery, vec![world.founder.recovery.card()]);
    assert!(state.is_steward(world.founder.key()) && state.can_write(world.founder.key()));
    assert!(!state.is_active(Person::new(2).key()));
    assert_eq!(world.membership.head_prefixes(), vec![world.entries[0].hash().prefix()]);
}

#[test]
fn a_guest_is_added_and_reads_what_was_and_is_written() {
    let (world, guest, epoch, key) = pair();
    let state = world.membership.state();
    assert_eq!(state.person_of(guest.key()), Some(guest.tag));
    assert!(state.can_write(guest.key()) && !state.is_steward(guest.key()) && !state.can_sign(guest.key()));
    assert_eq!(state.person_of_recovery(guest.recovery.signer_key()), Some(guest.tag));
    assert_eq!(state.invites.len(), 1);
    assert_eq!(world.membership.best_epoch().map(|best| (best.id, best.generation)), Some((epoch, 1)));
    assert_eq!(world.membership.missing_boxes(), Vec::new());
    for secret_opens in [
        Keyring::new().update(&world.membership, &guest.device),
        Keyring::new().update(&world.membership, &guest.recovery),
        Keyring::new().update(&world.membership, &world.founder.device),
    ] {
        assert_eq!(secret_opens, Vec::new());
    }
    let mut ring = Keyring::new();
    assert_eq!(ring.update(&world.membership, &guest.recovery), Vec::new());
    assert_eq!(ring.get(epoch), Some(&key));
    assert!(Keyring::new().is_empty());
}

/// Puts the entries in at the order of each seed, keeping those with missing ancestors; every order ends alike.
fn every_order_ends_alike(world: &World) {
    for seed in 0..20_u64 {
        let membership = replica(MembershipRules::ALL, world.space, &world.entries, seed);
        assert_eq!(membership.state(), world.membership.state(), "seed {seed}");
        assert_eq!(membership.heads(), world.membership.heads(), "seed {seed}");
        assert_eq!(membership.best_epoch(), world.membership.best_epoch(), "seed {seed}");
        assert_eq!(membership.missing_boxes(), world.membership.missing_boxes(), "seed {seed}");
    }
}

#[test]
fn any_order_of_arrival_ends_alike() {
    let (mut world, mut guest, epoch, key) = pair();
    world.writes(&mut guest, World::relay("one:1"));
    let heads = world.membership.heads();
    // Two entries that do not know each other.
    let founders = world.founder.write(world.space, heads.clone(), World::relay("two:2"));
    let guests = guest.write(world.space, heads, World::relay("three:3"));
    world.take(founders);
    world.take(guests);
    world.epoch_of_founder(2, &[(epoch, &key)]);
    every_order_ends_alike(&world);
    assert_eq!(world.membership.state().relays.len(), 3);
}

#[test]
fn an_entry_is_known_when_it_comes_again() {
    let mut world = World::found(PAIR);
    let first = world.entries[0].clone();
    assert_eq!(world.membership.insert(&first), Ok(Inserted::Known));
    assert_eq!(world.membership.len(), 1);
}

/// Founds a space of which one thing is wrong; `None` is the control.
fn check_first(what: Option<&str>) -> Result<Inserted, MembershipError> {
    let founder = Person::new(1);
    let mut first = first(&founder, PAIR);
    match what {
        Some("random") => first.random = [8; 16],
        Some("kind is another") => first.card.kem = 1,
        Some("device") => first.card.device = Person::new(2).key(),
        Some("box key") => first.card.boxes = Person::new(2).device.box_key(),
        Some("recovery") => first.recovery = Person::new(2).recovery.card(),
        Some("recovery is the device") => {
            first.recovery.signer = founder.key().into();
            first.card = founder.device.card(&CardFor::First { random: first.random }, &first.recovery);
        }
        Some("box key of small order") => {
            first.recovery.boxes = BoxKey([0; 32]);
            first.card = founder.device.card(&CardFor::First { random: first.random }, &first.recovery);
        }
        _ => {}
    }
    let operation = Operation::First(first);
    let payload = Payload { version: MEMBERSHIP_VERSION, parents: Vec::new(), person: None, operation }.encode();
    let space = SpaceId::of(founder.key(), founder.incarnation, content_hash(&payload));
    let entry = sign_entry(&founder.device, &founder.place(space), None, payload).unwrap();
    Membership::new(space).insert(&entry)
}

#[test]
fn a_first_entry_is_in_order() {
    assert_eq!(check_first(None), Ok(Inserted::New));
    for what in [
        "random",
        "kind is another",
        "device",
        "box key",
        "recovery",
        "recovery is the device",
        "box key of small order",
    ] {
        assert_eq!(check_first(Some(what)), Err(MembershipError::FirstCard), "{what}");
    }
}

#[test]
fn entries_of_other_spaces_and_kinds_are_refused() {
    let mut world = World::found(PAIR);
    let other = World::found(SpaceKind::Personal);
    assert_eq!(world.membership.insert(&other.entries[0]), Err(MembershipError::NotThisSpace));
    // A first entry that claims this space's id, but does not hash to it.
    let mut founder = Person::new(1);
    let claim = founder.write(world.space, Vec::new(), Operation::First(first(&Person::new(1), SpaceKind::Group)));
    assert_eq!(world.membership.insert(&claim), Err(MembershipError::NotThisSpace));
    let stream = Stream::Data;
    let place = Place { space: world.space, incarnation: Incarnation([1; 16]), stream, seq: 1, prev: HeaderHash::NONE };
    let data = sign_entry(&world.founder.device, &place, Some(EpochId([1; 16])), vec![1]).unwrap();
    assert_eq!(world.membership.insert(&data), Err(MembershipError::NotMembership));
    let junk = sign_entry(&world.founder.device, &world.founder.place(world.space), None, vec![0xff]).unwrap();
    assert!(matches!(world.membership.insert(&junk), Err(MembershipError::Malformed(_))));
    let (name, mut entry) =
        world.founder.write(world.space, world.membership.heads(), World::relay("a:1")).into_parts();
    entry.payload = None;
    let dropped = Verified::verify(world.space, &name, entry).unwrap();
    assert_eq!(world.membership.insert(&dropped), Err(MembershipError::NoPayload));
    assert_eq!(world.membership.len(), 1);
}

#[test]
fn the_predecessor_is_of_the_same_log() {
    let (mut world, guest, ..) = pair();
    let payload = Payload {
        version: MEMBERSHIP_VERSION,
        parents: world.membership.heads(),
        person: Some(guest.tag),
        operation: World::relay("a:1"),
    };
    // Number 2 of the guest's log that names an entry of the founder's as its predecessor.
    let place = Place { seq: 2, prev: world.entries[0].hash(), ..guest.place(world.space) };
    let entry = sign_entry(&guest.device, &place, None, payload.encode()).unwrap();
    assert_eq!(world.membership.insert(&entry), Err(MembershipError::Chain));
    let place = guest.place(world.space);
    let entry = sign_entry(&guest.device, &place, None, payload.encode()).unwrap();
    assert_eq!(world.membership.insert(&entry), Ok(Inserted::New));
}

#[test]
fn nobody_but_the_steward_admits_and_nobody_is_put_in_unasked() {
    let (mut world, mut guest, epoch, _) = pair();
    // The guest adds a third person to a space that is full anyway; and, in a group, without being steward.
    let mut group = World::found(SpaceKind::Group);
    let mut member = Person::new(2);
    group.add(&mut member, Role::Signer, nothing(1));
    let mut third = Person::new(3);
    let add = group.add_operation(&mut third, Role::Writer, HeaderHash([1; 32]), nothing(1));
    let parents = group.membership.heads();
    let by_member = member.write_for(group.space, third.tag, parents.clone(), Operation::Add(add.clone()));
    group.take(by_member.clone());
    assert_eq!(group.membership.is_authorised(by_member.hash()), Some(false));
    assert!(!group.membership.state().is_active(third.key()));
    // The control: the steward may.
    let by_steward = group.founder.write_for(group.space, third.tag, parents, Operation::Add(add.clone()));
    group.take(by_steward);
    assert!(group.membership.state().can_write(third.key()));

    let full = world.add_operation(&mut Person::new(3), Role::Writer, HeaderHash([1; 32]), nothing(1));
    let tag = PersonTag::of(world.space, full.card.device, full.recovery.signer, Some(full.once));
    let entry = world.founder.write_for(world.space, tag, world.membership.heads(), Operation::Add(full));
    world.take(entry.clone());
    assert_eq!(world.membership.is_authorised(entry.hash()), Some(false), "a pair is full");

    type Change = fn(&mut Add);
    let changes: [(&str, Change); 6] = [
        ("another role than asked for", |add| add.role = Role::Reader),
        ("other words", |add| add.recovery = Person::new(9).recovery.card()),
        ("other box key of the words", |add| add.recovery.boxes = Person::new(9).device.box_key()),
        ("another one-time key", |add| add.once = SignerKey([1; 32])),
        ("another box key", |add| add.card.boxes = Person::new(9).device.box_key()),
        ("another device", |add| add.card.device = Person::new(9).key()),
    ];
    for (seed, (what, change)) in changes.into_iter().enumerate() {
        let mut fourth = Person::new(40 + u8::try_from(seed).unwrap());
        let mut add = group.add_operation(&mut fourth, Role::Writer, HeaderHash([1; 32]), nothing(1));
        change(&mut add);
        for tag in [fourth.tag, PersonTag::of(group.space, add.card.device, add.recovery.signer, Some(add.once))] {
            let parents = group.membership.heads();
            let entry = group.founder.write_for(group.space, tag, parents, Operation::Add(add.clone()));
            group.take(entry.clone());
            assert_eq!(group.membership.is_authorised(entry.hash()), Some(false), "{what}");
        }
    }
    // A stranger's entry can never count, and keys cost nothing: it is not even kept.
    let stranger = Person::new(50).write_for(world.space, guest.tag, world.membership.heads(), World::relay("x:1"));
    assert_eq!(world.membership.insert(&stranger), Err(MembershipError::Stranger));
    assert!(world.membership.state().relays.is_empty());
    assert_eq!(world.membership.best_epoch().map(|best| best.id), Some(epoch));
    world.writes(&mut guest, World::relay("y:1"));
    assert_eq!(world.membership.state().relays.len(), 1, "in a joint space any member names a relay");
}

#[test]
fn heads_name_a_state() {
    let (world, guest, ..) = pair();
    let then: Vec<HashPrefix> = vec![world.entries[0].hash().prefix()];
    let now = world.membership.head_prefixes();
    assert!(!world.membership.state_at(&then).unwrap().is_active(guest.key()));
    assert!(world.membership.state_at(&now).unwrap().is_active(guest.key()));
    assert_eq!(world.membership.state_at(&[HashPrefix([7; 16])]), None);
    let judge = |device, heads: &[HashPrefix]| {
        let name = &LogName::new(device, Incarnation([2; 16]), Stream::Data);
        let at = DataAt { name, seq: 1, hash: HeaderHash([3; 32]), heads };
        world.membership.judge_data(&at, |_| panic!("nothing is cut off"))
    };
    assert_eq!(judge(guest.key(), &now), DataVerdict::Counts);
    assert_eq!(judge(guest.key(), &then), DataVerdict::Parked);
    assert_eq!(judge(guest.key(), &[HashPrefix([7; 16])]), DataVerdict::Waits);
    assert_eq!(judge(guest.key(), &[]), DataVerdict::Parked);
    assert_eq!(judge(world.founder.key(), &then), DataVerdict::Counts);
    assert!(world.membership.was_listed(guest.key()) && !world.membership.was_listed(Person::new(9).key()));
}

#[test]
fn a_device_has_an_allowance() {
    let mut world = World::found(SpaceKind::Group);
    let mut member = Person::new(9);
    world.add(&mut member, Role::Reader, nothing(1));
    let parents = world.membership.heads();
    for _ in 0..limits::MEMBERSHIP_ENTRIES_PER_DEVICE_MAX {
        let entry = member.write_for(world.space, world.founder.tag, parents.clone(), World::relay("x:1"));
        assert_eq!(world.membership.insert(&entry), Ok(Inserted::New));
    }
    let entry = member.write_for(world.space, world.founder.tag, parents, World::relay("x:1"));
    let device = member.key();
    assert_eq!(world.membership.insert(&entry), Err(MembershipError::TooMany { device }));
    world.founder_writes(World::relay("y:1"));
    assert_eq!(world.membership.state().relays.len(), 1, "nobody else is crowded out");
}

#[test]
fn large_entries_use_the_allowance_of_bytes() {
    let mut world = World::found(SpaceKind::Group);
    let mut member = Person::new(9);
    world.add(&mut member, Role::Reader, nothing(1));
    let parents = world.membership.heads();
    let keys =
        vec![alliance_wire::membership::OnceKey { key: SignerKey([1; 32]), commitment: [2; 32] }; limits::MEMBERS_MAX];
    let mut taken = 0;
    let refused = loop {
        let invite = Invite { keys: keys.clone(), role: Role::Reader, expires: 1 };
        let entry = member.write_for(world.space, world.founder.tag, parents.clone(), Operation::Invite(invite));
        match world.membership.insert(&entry) {
            Ok(_) => taken += usize::try_from(entry.header().payload_len).unwrap(),
            Err(error) => break error,
        }
    };
    assert_eq!(refused, MembershipError::TooMany { device: member.key() });
    assert!(taken <= limits::MEMBERSHIP_BYTES_PER_DEVICE_MAX);
    assert!(taken > limits::MEMBERSHIP_BYTES_PER_DEVICE_MAX * 9 / 10, "{taken} bytes");
}

/// Puts the entries into a membership under these rules.
fn under(rules: MembershipRules, world: &World, more: &[Verified]) -> (Membership, Vec<bool>) {
    let mut membership = Membership::under(rules, world.space);
    let taken = world.entries.iter().chain(more).map(|entry| membership.insert(entry).is_ok()).collect();
    (membership, taken)
}

/// What the rules beside the evaluation prevent.
#[test]
fn without_a_rule_of_membership_an_attack_succeeds() {
    let all = MembershipRules::ALL;
    let (world, mut guest, epoch, key) = pair();
    let (space, heads) = (world.space, world.membership.heads());

    // Strangers: keys cost nothing, and everybody would keep what each of them says.
    let stranger = Person::new(50).write_for(space, guest.tag, heads.clone(), World::relay("x:1"));
    let kept = |rules| *under(rules, &world, std::slice::from_ref(&stranger)).1.last().unwrap();
    assert!(kept(MembershipRules { strangers: false, ..all }) && !kept(all));

    // Boxes for nobody: an epoch whose boxes name others than members is used by nobody.
    let other = Person::new(51);
    let to = [(other.key().into(), other.device.box_key())];
    let boxes = make_boxes(&guest.device, [3; 32], space, epoch, &key, &to);
    let appended = guest.write(space, heads.clone(), Operation::Box(boxes));
    let best = |rules| under(rules, &world, std::slice::from_ref(&appended)).0.best_epoch();
    assert!(best(MembershipRules { void_boxes: false, ..all }).is_none() && best(all).is_some());

    // Generations: nobody could ever make an epoch that is better than this one.
    let recipients = world.membership.state().recipients();
    let (last, _) = new_epoch(&guest.device, [1; 32], space, u64::MAX, &heads, &recipients, &[]);
    let last = guest.write(space, heads, Operation::Epoch(last));
    let next = |rules| {
        let (membership, _) = under(rules, &world, &[appended.clone(), last.clone()]);
        membership.generation_after(&membership.heads())
    };
    assert_eq!((next(MembershipRules { generations: false, ..all }), next(all)), (u64::MAX, 2));

    // The allowance: one member's device could fill everybody's disk.
    let mut flood = vec![appended.clone(), last.clone()];
    let parents = vec![last.hash()];
    flood.extend(
        (0..limits::MEMBERSHIP_ENTRIES_PER_DEVICE_MAX)
            .map(|_| guest.write(space, parents.clone(), World::relay("y:1"))),
    );
    let all_taken = |rules| under(rules, &world, &flood).1.iter().all(|taken| *taken);
    assert!(all_taken(MembershipRules { allowance: false, ..all }) && !all_taken(all));
}
