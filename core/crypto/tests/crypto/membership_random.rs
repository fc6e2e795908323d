//! Random memberships: up to five people with eight devices, hostile ones among them, who cite any old heads and sign
//! several continuations of one log. Every replica comes to the same, and what section 4 promises holds.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::cast_possible_truncation, missing_docs)]

mod honest;
mod hostile;
mod keys;
mod laws;
mod plots;
mod story;
mod switches;

use std::collections::{BTreeMap, BTreeSet};

use alliance_crypto::MembershipRules;
use keys::Crowd;
use laws::{LAWS, Seen};
use story::Story;

use crate::soak;
use crate::support::crowd::Group;
use crate::support::history::{History, arrivals, evaluate, evaluate_as};

/// Histories that CI runs; `.ci/soak memberships` runs more.
const HISTORIES: u64 = 1_000;
/// Steps of a history at most.
const STEPS: usize = 60;

/// What fails of a history under these rules: the law and how.
fn broken(rules: MembershipRules, story: &Story) -> Vec<(&'static str, String)> {
    let now = evaluate(rules, &story.history, 0);
    let mut broken = Vec::new();
    for seed in 1..4 {
        let other = evaluate(rules, &story.history, seed);
        if other != now {
            broken.push(("all replicas agree", format!("order {seed}: {other:?}, and as written {now:?}")));
            break;
        }
    }
    let at = story.turn.as_ref().map_or(story.len() / 2, |turn| turn.at);
    let before = History { items: story.history.items[..at.max(1)].to_vec(), ..story.history.clone() };
    let then = evaluate(rules, &before, 0);
    let seen = Seen { story, then: &then, now: &now };
    broken.extend(LAWS.iter().filter_map(|(name, law)| Some((*name, law(&seen).err()?))));
    broken
}

fn holds(seed: u64) -> Story {
    let story = plots::story(seed, STEPS);
    let broken = broken(MembershipRules::ALL, &story);
    if let Some((law, how)) = broken.first() {
        print(&story);
        panic!("seed {seed}: {law}: {how}");
    }
    story
}

fn print(story: &Story) {
    println!("{} {:?}, turn {:?}", story.history.label, story.history.kind, story.turn);
    for (tag, human) in story.people.iter().enumerate() {
        println!("person {tag}: {human:?}");
    }
    for (key, hand) in story.hands.iter().enumerate() {
        println!("key {key}: person {} words {} honest {}", hand.person, hand.words, hand.honest);
    }
    for (place, item) in story.history.items.iter().enumerate() {
        println!("{place}: key {} for {} {:?} < {:?}", item.fact.key, item.fact.person, item.fact.op, item.parents);
    }
}

/// The real entries and keys of a seed, and what fails of them.
fn broken_keys(base: &Group, rules: MembershipRules, seed: u64) -> (Crowd, Option<(&'static str, String)>) {
    let mut crowd = Crowd::new(base, rules, seed);
    let broken = crowd.run().err();
    (crowd, broken)
}

fn keys_hold(base: &Group, seed: u64) -> Crowd {
    let (crowd, broken) = broken_keys(base, MembershipRules::ALL, seed);
    if let Some((law, how)) = broken {
        panic!("seed {seed}: {law}: {how}");
    }
    crowd
}

#[test]
fn random_histories_keep_every_promise() {
    let (mut turns, mut late, mut entries) = (BTreeMap::new(), 0, 0);
    for seed in 0..HISTORIES {
        let story = holds(seed);
        entries += story.len();
        if let Some(turn) = &story.turn {
            *turns.entry(turn.by).or_insert(0) += 1;
            late += story.len() - turn.at;
        }
    }
    println!("{entries} entries; put out, with {late} entries after: {turns:?}");
    assert!(turns.len() == 3 && turns.values().all(|count| *count > 50) && late > 2_000, "each is looked at");
}

#[test]
fn after_any_two_changes_at_once_members_read_and_nobody_else() {
    let (base, mut pairs, mut kept_out) = (Group::new(), BTreeSet::new(), 0);
    for seed in 0..HISTORIES {
        let crowd = keys_hold(&base, seed);
        kept_out += crowd.kept_out;
        pairs.extend(crowd.pair);
    }
    println!("{} pairs of changes, {kept_out} devices kept out", pairs.len());
    assert!(pairs.len() == 56 && kept_out > 500, "each is looked at");
}

#[test]
fn small_histories_end_alike_in_every_order() {
    let here = MembershipRules { ancestry: false, ..MembershipRules::ALL };
    let (mut small, mut orders, mut differ) = (0, 0, 0);
    for seed in 0..10_000 {
        let story = plots::story(seed, 5);
        // The first entry and up to six others.
        let Some(every) = arrivals(&story.history, 720).filter(|every| story.len() <= 7 && every.len() > 1) else {
            continue;
        };
        let ends = |rules| -> Vec<_> { every.iter().map(|order| evaluate_as(rules, &story.history, order)).collect() };
        for (order, end) in every.iter().zip(ends(MembershipRules::ALL)).skip(1) {
            assert_eq!(end, evaluate_as(MembershipRules::ALL, &story.history, &every[0]), "seed {seed}, {order:?}");
        }
        (small, orders) = (small + 1, orders + every.len());
        // The control: judged by what happens to be here, some end as the order wants it.
        differ += usize::from(ends(here).windows(2).any(|two| two[0] != two[1]));
    }
    println!("{small} histories in {orders} orders; {differ} would differ");
    assert!(small > 500 && orders > 2_000 && differ > 100, "{small}, {orders}, {differ}");
}

/// `.ci/soak memberships N`: each seed is one history that is evaluated and one with keys.
#[test]
#[ignore = "needs ALLIANCE_SEED; .ci/soak memberships"]
fn many_histories() {
    let base = Group::new();
    soak::each_seed(|seed| {
        holds(seed);
        keys_hold(&base, seed);
    });
}
