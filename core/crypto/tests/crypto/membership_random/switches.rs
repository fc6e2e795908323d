//! Every rule of section 4 is needed: without it a promise is broken, and the table says which.

use alliance_crypto::{Inserted, MembershipError, MembershipRules};
use alliance_wire::{PersonTag, limits};

use super::{HISTORIES, STEPS, broken, broken_keys, plots};
use crate::support::crowd::{CAY, Change, DAN, DESK, Group};
use crate::support::fixture::World;

/// What notices that a rule is off.
#[derive(Clone, Copy)]
enum Notices {
    /// This law, in a history that is evaluated.
    Law(&'static str),
    /// This one, in a history of real entries and keys.
    Key(&'static str),
    /// What this tells, which no random history comes to soon.
    Told(fn(&Group, MembershipRules) -> bool),
}

use Notices::{Key, Law, Told};

const ALL: MembershipRules = MembershipRules::ALL;

/// A row for each switch: one that is added to the rules and not here does not compile.
macro_rules! table {
    ($($rule:ident: $notices:expr,)*) => {{
        let MembershipRules { $($rule: _,)* } = ALL;
        [$((stringify!($rule), MembershipRules { $rule: false, ..ALL }, $notices),)*]
    }};
}

fn switches() -> [(&'static str, MembershipRules, Notices); 17] {
    table! {
        table: Law("members are those whom the steward admitted and did not remove"),
        ancestry: Law("all replicas agree"),
        closure: Law("who is out changes nothing from before"),
        cuts: Law("the words bring back exactly the devices that they name"),
        removals: Law("who is out changes nothing from before"),
        seniority: Law("the first words of a person stay"),
        readers: Law("readers do nothing that writers may"),
        lowest_role: Law("roles are those that the steward gave, of concurrent ones the lowest"),
        endings: Law("what has ended takes nobody and puts nobody out"),
        persons_max: Law("a space is never fuller than it says"),
        cards: Law("nobody is anywhere without having asked"),
        strangers: Key("nobody keeps what a stranger says"),
        allowance: Told(floods),
        generations: Key("an epoch in use stays in use"),
        void_boxes: Key("an epoch in use stays in use"),
        links: Told(comes_in_by_a_link),
        cut_offs: Key("data counts up to its cut-off"),
    }
}

/// The first seed in which the law is broken under these rules.
fn noticed(base: &Group, rules: MembershipRules, by: Notices) -> Option<u64> {
    (0..HISTORIES).find(|seed| match by {
        Law(law) => broken(rules, &plots::story(*seed, STEPS)).iter().any(|(name, _)| *name == law),
        Key(law) => broken_keys(base, rules, *seed).1.is_some_and(|(name, _)| name == law),
        Told(happens) => happens(base, rules),
    })
}

#[test]
fn without_any_rule_a_promise_is_broken() {
    let base = Group::new();
    let mut unnoticed = Vec::new();
    for (name, rules, by) in switches() {
        let Some(seed) = noticed(&base, rules, by) else {
            unnoticed.push(name);
            continue;
        };
        match by {
            Law(law) | Key(law) => println!("without {name}, seed {seed}: not {law}"),
            Told(_) => println!("without {name}: what its story tells"),
        }
        // The control: with every rule the same history keeps every promise.
        let held = match by {
            Law(_) => broken(ALL, &plots::story(seed, STEPS)).is_empty(),
            Key(_) => broken_keys(&base, ALL, seed).1.is_none(),
            Told(happens) => !happens(&base, ALL),
        };
        assert!(held, "{name}, seed {seed}");
    }
    assert!(unnoticed.is_empty(), "without these rules everything is as with them: {unnoticed:?}");
}

/// Whether a member's device may sign on when it has used its allowance.
fn floods(base: &Group, rules: MembershipRules) -> bool {
    let mut group = base.under(rules);
    let (space, parents) = (group.world.space, group.world.membership.heads());
    let mut hand = group.hands[CAY].in_new_log(200);
    let last = (0..=limits::MEMBERSHIP_ENTRIES_PER_DEVICE_MAX).map(|_| {
        let entry = hand.write(space, parents.clone(), World::relay("z:1"));
        group.world.membership.insert(&entry)
    });
    match last.last().unwrap() {
        Ok(taken) => taken == Inserted::New,
        Err(error) => {
            assert_eq!(error, MembershipError::TooMany { device: hand.key() });
            false
        }
    }
}

/// Whether one who left opens what is written afterwards. An epoch was made by who did not know him, and has no box for
/// him; the next one has, and links to it. When he leaves, that one cannot be used, and the older one names members only.
/// Honest hands alone do all of it.
fn comes_in_by_a_link(base: &Group, rules: MembershipRules) -> bool {
    let mut group = base.under(rules);
    let at_once = [group.sign(Change::Add, false, Vec::new()), group.sign(Change::Rotate, false, Vec::new())];
    at_once.into_iter().for_each(|entry| group.take(entry));
    let unaware = group.world.membership.best_epoch().unwrap();
    assert_eq!(unaware.generation, 2);
    let next = group.sign(Change::Demote, false, Vec::new());
    group.take(next);
    assert_eq!(group.world.membership.best_epoch().unwrap().generation, 3);
    let mut dan = group.hands[DAN].double();
    let leave = dan.makes(&group.world.membership, |maker| maker.leave(dan_tag(&group), Vec::new()));
    group.take(leave);
    assert!(group.ring(&dan.device).get(unaware.id).is_some(), "he walked back along the link");
    let epoch = group.settle(&[DESK]).unwrap();
    group.ring(&dan.device).get(epoch).is_some()
}

fn dan_tag(group: &Group) -> PersonTag {
    group.hands[DAN].tag
}
