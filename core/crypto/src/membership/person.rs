//! Steps 2 and 3 of the evaluation, for one person: which of its entries count, and what it is then.

use std::collections::{BTreeMap, BTreeSet};

use alliance_wire::membership::Role;

use super::bits::Bits;
use super::evaluation::{Evaluation, Key, MemberKeys, MemberRole, Node, Number, Op, Rank, Tag};

/// What evaluating a person gives.
pub(super) struct Outcome {
    /// The entries that count: those that counted before, and the person's.
    pub(super) counting: Bits,
    /// All its recovery keys, oldest first.
    pub(super) keys: Vec<Key>,
    /// What it is, if it is a member.
    pub(super) member: Option<MemberKeys>,
    /// Its `suspend`s and `lost`s that stand.
    pub(super) standing: Vec<Number>,
}

/// Entries of a person that were told apart by its recovery keys.
#[derive(Default)]
struct Words {
    /// All recovery keys, oldest first.
    keys: Vec<Key>,
    /// Their `suspend`s and `lost`s that stand.
    standing: Vec<Number>,
    /// Their `restore`s that count.
    restores: Vec<Number>,
    /// Suspensions that a restore cancelled: they count, and do not cut.
    lifted: Vec<Number>,
}

/// A person's entries in one set of entries, while it is evaluated.
struct Person<'a> {
    all: &'a Evaluation,
    set: &'a Bits,
    /// What counts of others: for the steward's person the first entry, for everybody else the steward's too.
    base: &'a Bits,
    tag: Tag,
    /// Its authorised entries, in causal order.
    mine: Vec<Number>,
}

/// What cuts a person's entries off.
#[derive(Default)]
struct Cuts {
    /// For a key with standing `suspend`s or `lost`s: the entries that are ancestors of every one of them.
    kept: BTreeMap<Key, Bits>,
    /// The entries that are ancestors of every `leave`.
    before_leaves: Option<Bits>,
    /// Entries that count whatever the cuts say.
    settled: BTreeSet<Number>,
}

/// Evaluates one person. `base` holds the entries of others that count.
pub(super) fn evaluate_person(all: &Evaluation, set: &Bits, base: &Bits, tag: Tag) -> Outcome {
    // Removed: only ancestors of every removal count.
    let removes: Vec<Number> =
        all.named(set, tag).filter(|x| matches!(all.nodes[*x].op, Op::Remove) && base.has(*x)).collect();
    let before_removes = common_ancestors(all, &removes).filter(|_| all.rules.removals);
    let mine = all.by_actor(set, tag).filter(|x| before_removes.as_ref().is_none_or(|b| b.has(*x))).collect();
    let mut person = Person { all, set, base, tag, mine };

    let mut words = person.words();
    // (b) Suspensions by devices all stand, mutual ones too.
    let now = person.live(&person.cuts(&words.standing, &[]));
    let by_devices: Vec<Number> = person
        .counting_of(&now)
        .filter(|x| matches!(all.nodes[*x].op, Op::Suspend { .. }) && !words.keys.contains(&all.nodes[*x].key))
        .collect();
    let (lifted, mutual): (Vec<_>, Vec<_>) =
        by_devices.into_iter().partition(|x| person.is_cancelled(*x, &words.restores));
    words.lifted.extend(lifted);
    let mut standing = words.standing;
    standing.extend(mutual);

    // A leave that survives the suspensions, cancelled ones too, is settled before it cuts.
    let all_suspensions: Vec<Number> = standing.iter().chain(&words.lifted).copied().collect();
    let now = person.live(&person.cuts(&all_suspensions, &[]));
    let leaves: Vec<Number> = person.counting_of(&now).filter(|x| matches!(all.nodes[*x].op, Op::Leave)).collect();
    person.mine.retain(|x| !matches!(all.nodes[*x].op, Op::Leave) || leaves.contains(x));
    if let Some(before) = common_ancestors(all, &leaves) {
        standing.retain(|x| before.has(*x));
    }

    // (c) and (d).
    let mut cuts = person.cuts(&standing, &leaves);
    cuts.settled = leaves.iter().chain(&standing).copied().collect();
    let counting = person.live(&cuts);
    let gone = !removes.is_empty() || !leaves.is_empty();
    let member = (!gone).then(|| person.member(&counting, &words.keys, &standing));
    Outcome { counting, keys: words.keys, member, standing }
}

/// The entries that are ancestors of every one of `entries`; `None` where there are none.
fn common_ancestors(all: &Evaluation, entries: &[Number]) -> Option<Bits> {
    let (first, rest) = entries.split_first()?;
    let mut common = all.nodes[*first].ancestors.clone();
    for entry in rest {
        common.intersect(&all.nodes[*entry].ancestors);
    }
    Some(common)
}

impl Person<'_> {
    fn node(&self, number: Number) -> &Node {
        &self.all.nodes[number]
    }

    /// (a) The words, oldest first: younger keys, and all devices, obey an older one.
    fn words(&self) -> Words {
        let mut words = Words::default();
        let mut queue: BTreeMap<Key, Rank> = BTreeMap::new();
        for x in self.all.named(self.set, self.tag).filter(|x| self.base.has(*x)) {
            let node = self.node(x);
            if let Op::First { recovery, .. } | Op::Add { recovery, .. } = node.op {
                let rank = queue.entry(recovery).or_insert(node.rank);
                *rank = node.rank.min(*rank);
            }
        }
        let mut live: Option<(usize, Bits)> = None;
        loop {
            let next = queue.iter().filter(|(key, _)| !words.keys.contains(key)).min_by_key(|(_, rank)| **rank);
            let Some((&key, _)) = next else {
                return words;
            };
            words.keys.push(key);
            // What counts changes only when more stands.
            let now = match live.take() {
                Some((stood, now)) if stood == words.standing.len() => now,
                _ => self.live(&self.cuts(&words.standing, &[])),
            };
            let stood = words.standing.len();
            self.obey(key, &now, &mut words, &mut queue);
            live = Some((stood, now));
        }
    }

    /// Takes the entries of one recovery key that count now.
    fn obey(&self, key: Key, now: &Bits, words: &mut Words, queue: &mut BTreeMap<Key, Rank>) {
        let own: Vec<Number> = self.counting_of(now).filter(|x| self.node(*x).key == key).collect();
        words.restores.extend(own.iter().filter(|x| matches!(self.node(**x).op, Op::Restore { .. })));
        for x in own {
            let node = self.node(x);
            if let Some(target) = node.op.puts_out()
                && !words.keys.contains(&target)
            {
                let cancelled = self.is_cancelled(x, &words.restores);
                if cancelled { &mut words.lifted } else { &mut words.standing }.push(x);
            }
            if let Op::Recovery { new, .. } = node.op {
                let rank = queue.entry(new).or_insert(node.rank);
                *rank = node.rank.min(*rank);
            }
        }
    }

    /// Whether a restore that knows the suspension names the same target; `lost` is never cancelled.
    fn is_cancelled(&self, suspension: Number, restores: &[Number]) -> bool {
        let Op::Suspend { target } = self.node(suspension).op else {
            return false;
        };
        restores.iter().any(|r| {
            let restore = self.node(*r);
            matches!(restore.op, Op::Restore { target: t } if t == target) && restore.ancestors.has(suspension)
        })
    }

    /// (c) What cuts if these suspensions and leaves stand.
    fn cuts(&self, standing: &[Number], leaves: &[Number]) -> Cuts {
        let mut kept: BTreeMap<Key, Bits> = BTreeMap::new();
        for x in standing {
            let node = self.node(*x);
            if let Some(target) = node.op.puts_out() {
                kept.entry(target)
                    .and_modify(|kept| kept.intersect(&node.ancestors))
                    .or_insert_with(|| node.ancestors.clone());
            }
        }
        Cuts { kept, before_leaves: common_ancestors(self.all, leaves), settled: BTreeSet::new() }
    }

    /// (c) and (d), causally: what counts under these cuts.
    fn live(&self, cuts: &Cuts) -> Bits {
        let mut counting = self.base.clone();
        for &x in &self.mine {
            let cut = self.all.rules.cuts
                && (cuts.kept.get(&self.node(x).key).is_some_and(|kept| !kept.has(x))
                    || cuts.before_leaves.as_ref().is_some_and(|before| !before.has(x)));
            if cuts.settled.contains(&x) || !cut && self.is_closed(x, &counting) {
                counting.set(x);
            }
        }
        counting
    }

    /// (d) Counting ancestors still list the key, and give the role.
    fn is_closed(&self, x: Number, counting: &Bits) -> bool {
        let node = self.node(x);
        if !self.all.rules.closure {
            return true;
        }
        if !node.listing.iter().any(|l| counting.has(*l)) {
            return false;
        }
        let role = || self.role(node.roles.iter().copied().filter(|r| counting.has(*r)));
        !node.op.is_writers() || self.all.may_write(role())
    }

    /// The person's entries that are in the set.
    fn counting_of<'a>(&'a self, counting: &'a Bits) -> impl Iterator<Item = Number> + 'a {
        self.mine.iter().copied().filter(|x| counting.has(*x))
    }

    /// The role of the causally last of these entries, of concurrent ones the lowest.
    fn role(&self, given: impl Iterator<Item = Number>) -> MemberRole {
        if self.tag == self.all.founder {
            return MemberRole::Steward;
        }
        let given: Vec<Number> = given.collect();
        let last = given.iter().filter(|x| !given.iter().any(|y| self.node(*y).ancestors.has(**x)));
        let role = last.filter_map(|x| self.node(*x).op.gives_role());
        let role = if self.all.rules.lowest_role { role.min() } else { role.max() };
        MemberRole::Given(role.unwrap_or(Role::Reader))
    }

    /// Step 3.
    fn member(&self, counting: &Bits, keys: &[Key], standing: &[Number]) -> MemberKeys {
        let stopped: BTreeSet<Key> = standing.iter().filter_map(|x| self.node(*x).op.puts_out()).collect();
        let named = || self.all.named(self.set, self.tag).filter(|x| counting.has(*x));
        let mut listed: BTreeSet<Key> = BTreeSet::new();
        for x in named().chain(self.counting_of(counting)) {
            listed.extend(self.node(x).lists(self.tag).filter(|key| !stopped.contains(key)));
        }
        let roles = named().filter(|x| self.node(*x).op.gives_role().is_some());
        MemberKeys {
            role: self.role(roles),
            recovery: keys.iter().copied().filter(|key| listed.contains(key)).collect(),
            devices: listed.into_iter().filter(|key| !keys.contains(key)).collect(),
        }
    }
}
