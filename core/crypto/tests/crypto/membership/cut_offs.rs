//! Where the data of a device ends, and what admits entries above.

use std::collections::BTreeSet;

use alliance_crypto::{DataAt, DataVerdict, Membership, MembershipError, MembershipRules};
use alliance_wire::membership::{CutOff, Operation, Role, SpaceKind};
use alliance_wire::{HashPrefix, HeaderHash, Incarnation, LogName, SignerKey, Stream};

use super::{every_order_ends_alike, pair, under};
use crate::support::crowd::group;
use crate::support::fixture::{Person, World};

const COUNTS: DataVerdict = DataVerdict::Counts;
const QUARANTINED: DataVerdict = DataVerdict::Quarantined;

/// A data log in which every number has one hash.
struct Log {
    name: LogName,
    at: fn(u64) -> HeaderHash,
}

fn number(seq: u64) -> HeaderHash {
    HeaderHash([u8::try_from(seq).unwrap(); 32])
}

impl Log {
    fn of(person: &Person, incarnation: u8) -> Self {
        Self { name: LogName::new(person.key(), Incarnation([incarnation; 16]), Stream::Data), at: number }
    }

    fn cut(&self, world: &World, seq: u64) -> CutOff {
        CutOff { log: self.name.id(world.space), seq, hash: (self.at)(seq) }
    }

    /// The verdict on each of these numbers, in entries that name these heads; no branch has anything to do with it.
    fn judged<const N: usize>(&self, on: &Membership, heads: &[HashPrefix], numbers: [u64; N]) -> [DataVerdict; N] {
        numbers.map(|seq| {
            let at = DataAt { name: &self.name, seq, hash: (self.at)(seq), heads };
            on.judge_data(&at, |_| panic!("no branch"))
        })
    }
}

#[test]
fn a_suspended_device_keeps_what_it_wrote_until_then() {
    let (mut world, mut phone, ..) = pair();
    let mut laptop = phone.other_device(20);
    world.lists(&mut phone, &laptop);
    let (tag, target) = (phone.tag, SignerKey::from(phone.key()));
    let before = world.membership.head_prefixes();
    let (log, unseen, others) = (Log::of(&phone, 1), Log::of(&phone, 2), Log::of(&laptop, 1));
    assert_eq!(log.judged(&world.membership, &before, [1, 9]), [COUNTS; 2]);
    let ends = vec![log.cut(&world, 5)];
    let entry = laptop.makes(&world.membership, |maker| maker.suspend(tag, target, ends));
    let suspension = world.granted(entry);
    let suspended = world.membership.head_prefixes();

    let now = &world.membership;
    assert_eq!(log.judged(now, &before, [1, 5, 6, 9]), [COUNTS, COUNTS, QUARANTINED, QUARANTINED]);
    assert_eq!(unseen.judged(now, &before, [1, 2]), [QUARANTINED; 2], "a log that is not named ends before it began");
    assert_eq!(others.judged(now, &before, [1, 9]), [COUNTS; 2], "nobody else is concerned");
    assert_eq!(others.judged(now, &suspended, [1, 9]), [COUNTS; 2]);
    assert_eq!(log.judged(now, &suspended, [6]), [DataVerdict::Parked], "no writer at the heads that it names");
    let other = DataAt { name: &log.name, seq: 5, hash: HeaderHash([99; 32]), heads: &before };
    assert_eq!(now.judge_data(&other, |_| panic!("no branch")), QUARANTINED, "another entry at the number named");
    // The control: without the rule all of it counts.
    let (without, _) = under(MembershipRules { cut_offs: false, ..MembershipRules::ALL }, &world, &[]);
    assert_eq!(log.judged(&without, &before, [6]), [COUNTS]);

    // The smallest cut-off holds, whichever comes first.
    let ends = vec![log.cut(&world, 3)];
    let entry = laptop.makes(&world.membership, |maker| maker.suspend(tag, target, ends));
    world.granted(entry);
    assert_eq!(log.judged(&world.membership, &before, [3, 4, 5]), [COUNTS, QUARANTINED, QUARANTINED]);

    // Restored, the device goes on in a new incarnation; the cut-offs stay.
    let entry = phone.words_make(&world.membership, |maker| maker.restore(tag, target));
    world.granted(entry);
    let restored = world.membership.head_prefixes();
    let (now, new) = (&world.membership, Log::of(&phone, 3));
    assert_eq!(log.judged(now, &before, [3, 4]), [COUNTS, QUARANTINED]);
    assert_eq!(log.judged(now, &restored, [6]), [QUARANTINED], "the old log does not go on");
    assert_eq!(new.judged(now, &restored, [1, 7]), [COUNTS; 2]);
    assert_eq!(new.judged(now, &before, [1]), [QUARANTINED], "nobody writes from before by leaving out what it knows");
    assert_ne!(suspension.prefix(), restored[0]);
    every_order_ends_alike(&world);
}

#[test]
fn a_writer_admits_single_entries_and_nothing_else_comes_with_them() {
    let (mut world, [mut ann, mut ben, _]) = group();
    let (tag, log) = (ben.tag, Log::of(&ben, 1));
    let before = world.membership.head_prefixes();
    let ends = vec![log.cut(&world, 2)];
    let entry = world.founder.makes(&world.membership, |maker| maker.remove(tag, ends));
    world.granted(entry);
    assert_eq!(log.judged(&world.membership, &before, [2, 3, 4]), [COUNTS, QUARANTINED, QUARANTINED]);
    let four = BTreeSet::from([log.cut(&world, 4)]);
    let by_ben = ben.makes(&world.membership, |maker| maker.admit(tag, four.clone()));
    assert!(!world.would_grant(&by_ben), "one who is out lets nothing in");
    let own = ann.tag;
    let entry = ann.makes(&world.membership, |maker| maker.admit(own, four));
    world.granted(entry);
    assert_eq!(log.judged(&world.membership, &before, [2, 3, 4, 5]), [COUNTS, QUARANTINED, COUNTS, QUARANTINED]);
    let other = DataAt { name: &log.name, seq: 4, hash: HeaderHash([99; 32]), heads: &before };
    assert_eq!(world.membership.judge_data(&other, |_| panic!("no branch")), QUARANTINED);
    every_order_ends_alike(&world);

    // A reader admits nothing, and with the one who admitted demoted and cut, its word goes too.
    let entry = world.founder.makes(&world.membership, |maker| maker.role(own, Role::Reader, Vec::new()));
    world.granted(entry);
    let five = BTreeSet::from([log.cut(&world, 5)]);
    let entry = ann.makes(&world.membership, |maker| maker.admit(own, five));
    assert!(!world.would_grant(&entry));
    assert_eq!(log.judged(&world.membership, &before, [4]), [COUNTS], "what it admitted as a writer stays");
}

#[test]
fn a_demoted_person_writes_no_more_from_before() {
    let (mut world, [ann, ..]) = group();
    let (tag, log, unseen) = (ann.tag, Log::of(&ann, 1), Log::of(&ann, 2));
    let before = world.membership.head_prefixes();
    let ends = vec![log.cut(&world, 2)];
    let entry = world.founder.makes(&world.membership, |maker| maker.role(tag, Role::Reader, ends));
    world.granted(entry);
    let reader = world.membership.head_prefixes();
    let now = &world.membership;
    assert_eq!(log.judged(now, &before, [2, 3]), [COUNTS, QUARANTINED]);
    assert_eq!(unseen.judged(now, &before, [1]), [QUARANTINED]);
    assert_eq!(log.judged(now, &reader, [3]), [DataVerdict::Parked]);
    let entry = world.founder.makes(&world.membership, |maker| maker.role(tag, Role::Writer, vec![]));
    world.granted(entry);
    let writer = world.membership.head_prefixes();
    let now = &world.membership;
    assert_eq!(Log::of(&ann, 3).judged(now, &writer, [1]), [COUNTS]);
    assert_eq!(log.judged(now, &writer, [3]), [QUARANTINED]);
    every_order_ends_alike(&world);
}

#[test]
fn who_left_writes_no_more_and_an_end_is_the_end_of_what_knows_it() {
    let (mut world, mut guest, ..) = pair();
    let (tag, log, mine) = (guest.tag, Log::of(&guest, 1), Log::of(&world.founder, 1));
    let before = world.membership.head_prefixes();
    let ends = vec![log.cut(&world, 2)];
    let entry = guest.makes(&world.membership, |maker| maker.leave(tag, ends));
    world.granted(entry);
    assert_eq!(log.judged(&world.membership, &before, [2, 3]), [COUNTS, QUARANTINED]);
    assert_eq!(mine.judged(&world.membership, &before, [2, 3]), [COUNTS; 2]);
    let own = world.founder.tag;
    let entry = world.founder.makes(&world.membership, |maker| maker.end(own));
    world.granted(entry);
    let ended = world.membership.head_prefixes();
    assert_eq!(mine.judged(&world.membership, &before, [3]), [COUNTS], "written before anybody knew");
    assert_eq!(mine.judged(&world.membership, &ended, [3]), [DataVerdict::Parked]);
}

#[test]
fn of_a_fork_the_branch_that_a_cut_off_ends_counts() {
    let (mut world, mut phone, ..) = pair();
    let mut laptop = phone.other_device(20);
    world.lists(&mut phone, &laptop);
    let (tag, target) = (phone.tag, SignerKey::from(phone.key()));
    let before = world.membership.head_prefixes();
    let log = Log::of(&phone, 1);
    // The laptop knows one branch, as the log itself; the fork at number 4 comes to light later.
    let ends = vec![log.cut(&world, 6)];
    let entry = laptop.makes(&world.membership, |maker| maker.suspend(tag, target, ends.clone()));
    world.granted(entry);
    let (known, other) = (log.name.branch(number(4)), log.name.branch(HeaderHash([44; 32])));
    let judge = |name: &LogName, seq, hash, is_before: bool| {
        let at = DataAt { name, seq, hash, heads: &before };
        world.membership.judge_data(&at, |cut_off| {
            assert_eq!(*cut_off, ends[0]);
            is_before
        })
    };
    assert_eq!(judge(&known, 5, number(5), true), COUNTS);
    assert_eq!(judge(&known, 7, number(7), false), QUARANTINED);
    assert_eq!(judge(&other, 5, HeaderHash([55; 32]), false), QUARANTINED, "written back in time");
    // One who knows the branches names them.
    let branch = Log { name: known, at: number };
    let ends = vec![log.cut(&world, 3), branch.cut(&world, 5)];
    let entry = laptop.makes(&world.membership, |maker| maker.suspend(tag, target, ends));
    world.granted(entry);
    let at = |name, seq, hash| DataAt { name, seq, hash, heads: &before };
    let judge = |at: &DataAt<'_>| world.membership.judge_data(at, |cut_off| cut_off.seq == 6 && at.hash.0[0] < 7);
    assert_eq!(judge(&at(&branch.name, 5, number(5))), COUNTS);
    assert_eq!(judge(&at(&branch.name, 6, number(6))), QUARANTINED);
    assert_eq!(judge(&at(&log.name, 3, number(3))), COUNTS);
    assert_eq!(judge(&at(&other, 4, HeaderHash([44; 32]))), QUARANTINED);
}

#[test]
fn a_continuation_that_is_called_otherwise_is_known_by_the_entry_named() {
    let (mut world, [mut ann, ben, _]) = group();
    let (tag, log) = (ben.tag, Log::of(&ben, 1));
    let before = world.membership.head_prefixes();
    // The founder knows a fork at number 5 and names the branch; an earlier one, at number 3, comes to light later.
    let branch = Log { name: log.name.branch(number(5)), at: number };
    let renamed = log.name.branch(number(3)).branch(number(5));
    let ends = vec![log.cut(&world, 4), branch.cut(&world, 8)];
    let entry = world.founder.makes(&world.membership, |maker| maker.remove(tag, ends));
    world.granted(entry);
    let judge = |world: &World, seq, here: bool| {
        let at = DataAt { name: &renamed, seq, hash: number(seq), heads: &before };
        world.membership.judge_data(&at, |cut_off| here && cut_off.seq == 8 && seq <= 8)
    };
    assert_eq!([8, 9].map(|seq| judge(&world, seq, true)), [COUNTS, QUARANTINED]);
    assert_eq!(judge(&world, 7, false), QUARANTINED, "while the entry named is not here");
    // What was admitted under the name of then is known by its hash.
    let (own, nine) = (ann.tag, BTreeSet::from([branch.cut(&world, 9)]));
    let entry = ann.makes(&world.membership, |maker| maker.admit(own, nine));
    world.granted(entry);
    assert_eq!([9, 10].map(|seq| judge(&world, seq, true)), [COUNTS, QUARANTINED]);
    every_order_ends_alike(&world);
}

#[test]
fn cut_offs_that_are_not_in_order_are_no_entry() {
    let (world, guest, ..) = pair();
    let (tag, log) = (guest.tag, Log::of(&guest, 1));
    let insert = |ends: Vec<CutOff>| {
        let entry = guest.double().makes(&world.membership, |maker| {
            let mut made = maker.leave(tag, Vec::new());
            let Operation::Leave(leave) = &mut made.payload.operation else { panic!("a leave") };
            leave.cut_offs = ends;
            made
        });
        world.membership.clone().insert(&entry)
    };
    let (one, two) = (log.cut(&world, 1), log.cut(&world, 2));
    assert!(matches!(insert(vec![one, two]), Err(MembershipError::Malformed(_))));
    assert!(matches!(insert(vec![CutOff { seq: 0, ..one }]), Err(MembershipError::Malformed(_))));
    assert!(insert(vec![one]).is_ok());
    // What makes them puts them in order, and keeps the smaller of two.
    let entry = guest.double().makes(&world.membership, |maker| maker.leave(tag, vec![two, one]));
    let mut copy = world.membership.clone();
    assert!(copy.insert(&entry).is_ok());
    assert_eq!(copy.get(entry.hash()).unwrap().1.operation.cut_offs(), Some([one].as_slice()));
    assert_eq!(world.membership.state().kind, Some(SpaceKind::Joint { persons_max: 2 }));
}
