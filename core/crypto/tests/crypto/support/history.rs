//! Histories of memberships as the evaluation sees them, and the orders in which their entries arrive.
#![allow(clippy::cast_possible_truncation, reason = "a remainder of a usize is one")]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use alliance_crypto::MembershipRules;
use alliance_crypto::membership::evaluation::{Evaluated, Evaluation, Fact, Key, MemberRole, Op};
use alliance_wire::membership::SpaceKind;

/// One entry of a history; parents are places in the history.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) fact: Fact,
    pub(crate) parents: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) label: String,
    pub(crate) kind: SpaceKind,
    pub(crate) items: Vec<Item>,
}

/// What a history amounts to, in places of the history instead of numbers of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) members: BTreeMap<u32, (MemberRole, BTreeSet<Key>, Vec<Key>)>,
    pub(crate) ended: bool,
    pub(crate) counting: BTreeSet<usize>,
    pub(crate) authorised: BTreeSet<usize>,
}

/// A small generator (splitmix64): the same numbers from the same seed, everywhere.
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Whether it happens, so many times in a hundred.
    pub(crate) fn percent(&mut self, times: usize) -> bool {
        self.below(100) < times
    }

    /// One of these; nothing of none.
    pub(crate) fn of<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() { None } else { Some(from[self.below(from.len())].clone()) }
    }
}

/// The places that can arrive next: those whose parents have. Only the first entry has none.
fn ready(history: &History, arrived: &BTreeSet<usize>) -> Vec<usize> {
    let is_ready = |place: &usize| {
        let parents = &history.items[*place].parents;
        !arrived.contains(place) && !parents.is_empty() && parents.iter().all(|p| arrived.contains(p))
    };
    (1..history.items.len()).filter(is_ready).collect()
}

/// An order of arrival by the seed; 0 is as written.
pub(crate) fn arrival(history: &History, seed: u64) -> Vec<usize> {
    let (mut order, mut arrived, mut dice) = (vec![0], BTreeSet::from([0]), Dice(seed));
    loop {
        let ready = ready(history, &arrived);
        if ready.is_empty() {
            return order;
        }
        let place = ready[if seed == 0 { 0 } else { dice.below(ready.len()) }];
        order.push(place);
        arrived.insert(place);
    }
}

/// Every order of arrival, if there are no more than so many.
pub(crate) fn arrivals(history: &History, max: usize) -> Option<Vec<Vec<usize>>> {
    let whole = arrival(history, 0).len();
    let (mut all, mut begun) = (Vec::new(), vec![vec![0]]);
    while let Some(order) = begun.pop() {
        if order.len() == whole {
            all.push(order);
            if all.len() > max {
                return None;
            }
            continue;
        }
        for place in ready(history, &order.iter().copied().collect()) {
            begun.push(order.iter().copied().chain([place]).collect());
        }
    }
    Some(all)
}

/// Evaluates the history as it arrives in the order that the seed gives.
pub(crate) fn evaluate(rules: MembershipRules, history: &History, seed: u64) -> Outcome {
    evaluate_as(rules, history, &arrival(history, seed))
}

/// Evaluates the history as it arrives in this order, which begins with the first entry.
pub(crate) fn evaluate_as(rules: MembershipRules, history: &History, order: &[usize]) -> Outcome {
    let first = &history.items[0].fact;
    let Op::First { new, recovery } = first.op else { panic!("a history begins with its first entry") };
    let mut all = Evaluation::new(rules, history.kind, first.hash, (new, recovery), first.person);
    let mut numbers = HashMap::from([(0, 0)]);
    for place in &order[1..] {
        let item = &history.items[*place];
        let parents = item.parents.iter().map(|p| numbers[p]).collect();
        numbers.insert(*place, all.insert(Fact { parents, ..item.fact.clone() }));
    }
    let Evaluated { members, ended, counting, .. } = all.evaluate(&all.whole());
    Outcome {
        members: members.into_iter().map(|(tag, m)| (tag, (m.role, m.devices, m.recovery))).collect(),
        ended,
        counting: counting.iter().map(|number| order[number]).collect(),
        authorised: (0..all.len()).filter(|n| all.is_authorised(*n)).map(|n| order[n]).collect(),
    }
}
