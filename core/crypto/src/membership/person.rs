//! Steps 2 and 3 of the evaluation, for one person: which of its entries count, and what it is then.

use std::collections::{BTreeMap, BTreeSet};

use alliance_wire::membership::Role;

use super::bits::Bits;
use super::evaluation::{Evaluation, Key, MemberKeys, MemberRole, Node, Number, Op, Rank, Tag};
use super::roles::Followed;

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
    /// The same keys, to be found.
    known: BTreeSet<Key>,
    /// Keys that are listed and whose turn has not come, oldest first, and what each is queued as.
    waiting: BTreeSet<(Rank, Key)>,
    queued: BTreeMap<Key, Rank>,
    /// Their `suspend`s and `lost`s that stand.
    standing: Vec<Number>,
    /// Their `restore`s that count, by target.
    restores: BTreeMap<Key, BTreeSet<Number>>,
    /// Suspensions that a restore cancelled: they count, and do not cut.
    lifted: Vec<Number>,
}

impl Words {
    /// A recovery key's turn comes by the earliest entry that lists it.
    fn queue(&mut self, key: Key, rank: Rank) {
        if self.known.contains(&key) {
            return;
        }
        match self.queued.get(&key) {
            Some(earlier) if *earlier <= rank => return,
            Some(later) => self.waiting.remove(&(*later, key)),
            None => false,
        };
        self.queued.insert(key, rank);
        self.waiting.insert((rank, key));
    }

    /// The oldest recovery key whose turn has not come.
    fn take(&mut self) -> Option<Key> {
        let (_, key) = self.waiting.pop_first()?;
        self.keys.push(key);
        self.known.insert(key);
        Some(key)
    }
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
    followed: Followed,
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
    let mut person = Person { all, set, base, tag, mine, followed: all.followed(set, base, tag) };

    let mut words = person.words();
    // (b) Suspensions by devices all stand, mutual ones too.
    let now = person.live(&person.cuts(&words.standing, &[]));
    let by_devices: Vec<Number> = person
        .counting_of(&now)
        .filter(|x| matches!(all.nodes[*x].op, Op::Suspend { .. }) && !words.known.contains(&all.nodes[*x].key))
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
    let mut last = *first;
    for entry in rest {
        narrow(all, &mut common, &mut last, *entry);
    }
    Some(common)
}

/// Keeps in `common`, which holds ancestors of `last`, the ancestors of `entry`. Of a chain of entries the first has the
/// fewest ancestors, so that the others cost one look each.
fn narrow(all: &Evaluation, common: &mut Bits, last: &mut Number, entry: Number) {
    let ancestors = &all.nodes[entry].ancestors;
    if !ancestors.has(*last) {
        common.intersect(ancestors);
        *last = entry;
    }
}

impl Person<'_> {
    fn node(&self, number: Number) -> &Node {
        &self.all.nodes[number]
    }

    /// (a) The words, oldest first: younger keys, and all devices, obey an older one.
    fn words(&self) -> Words {
        let mut words = Words::default();
        for x in self.all.named(self.set, self.tag).filter(|x| self.base.has(*x)) {
            let node = self.node(x);
            if let Op::First { recovery, .. } | Op::Add { recovery, .. } = node.op {
                words.queue(recovery, node.rank);
            }
        }
        let mut by_key: BTreeMap<Key, Vec<Number>> = BTreeMap::new();
        for x in &self.mine {
            by_key.entry(self.node(*x).key).or_default().push(*x);
        }
        let mut live: Option<(usize, Bits)> = None;
        while let Some(key) = words.take() {
            // What counts changes only when more stands.
            let now = match live.take() {
                Some((stood, now)) if stood == words.standing.len() => now,
                _ => self.live(&self.cuts(&words.standing, &[])),
            };
            let stood = words.standing.len();
            let own = by_key.get(&key).into_iter().flatten().copied();
            self.obey(&own.filter(|x| now.has(*x)).collect::<Vec<_>>(), &mut words);
            live = Some((stood, now));
        }
        words
    }

    /// Takes the entries of one recovery key that count now.
    fn obey(&self, own: &[Number], words: &mut Words) {
        for x in own {
            if let Op::Restore { target } = self.node(*x).op {
                words.restores.entry(target).or_default().insert(*x);
            }
        }
        for &x in own {
            let node = self.node(x);
            if let Some(target) = node.op.puts_out()
                && !words.known.contains(&target)
            {
                let cancelled = self.is_cancelled(x, &words.restores);
                if cancelled { &mut words.lifted } else { &mut words.standing }.push(x);
            }
            if let Op::Recovery { new, .. } = node.op {
                words.queue(new, node.rank);
            }
        }
    }

    /// Whether a restore that knows the suspension names the same target; `lost` is never cancelled.
    fn is_cancelled(&self, suspension: Number, restores: &BTreeMap<Key, BTreeSet<Number>>) -> bool {
        let Op::Suspend { target } = self.node(suspension).op else {
            return false;
        };
        // A later restore most likely knows it; none that was put in before does.
        let later = restores.get(&target).into_iter().flat_map(|known| known.range(suspension..).rev());
        later.into_iter().any(|r| self.node(*r).ancestors.has(suspension))
    }

    /// (c) What cuts if these suspensions and leaves stand.
    fn cuts(&self, standing: &[Number], leaves: &[Number]) -> Cuts {
        let mut kept: BTreeMap<Key, (Bits, Number)> = BTreeMap::new();
        for &x in standing {
            let node = self.node(x);
            if let Some(target) = node.op.puts_out() {
                kept.entry(target)
                    .and_modify(|(kept, last)| narrow(self.all, kept, last, x))
                    .or_insert_with(|| (node.ancestors.clone(), x));
            }
        }
        let kept = kept.into_iter().map(|(key, (kept, _))| (key, kept)).collect();
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
        let role = || {
            // Nearly always: the roles that the author knew last count.
            if node.roles.iter().all(|r| counting.has(*r)) {
                return self.role(node.roles.iter().copied());
            }
            self.role(self.all.last_roles(node.roles.iter().copied().collect(), counting, &self.followed))
        };
        !node.op.is_writers() || self.all.may_write(role())
    }

    /// The person's entries that are in the set.
    fn counting_of<'a>(&'a self, counting: &'a Bits) -> impl Iterator<Item = Number> + 'a {
        self.mine.iter().copied().filter(|x| counting.has(*x))
    }

    /// The role that the causally last entries give, of concurrent ones the lowest.
    fn role(&self, last: impl IntoIterator<Item = Number>) -> MemberRole {
        if self.tag == self.all.founder {
            return MemberRole::Steward;
        }
        let role = last.into_iter().filter_map(|x| self.node(x).op.gives_role());
        let role = if self.all.rules.lowest_role { role.min() } else { role.max() };
        MemberRole::Given(role.unwrap_or(Role::Reader))
    }

    /// Step 3.
    fn member(&self, counting: &Bits, keys: &[Key], standing: &[Number]) -> MemberKeys {
        let words: BTreeSet<Key> = keys.iter().copied().collect();
        let stopped: BTreeSet<Key> = standing.iter().filter_map(|x| self.node(*x).op.puts_out()).collect();
        let named = || self.all.named(self.set, self.tag).filter(|x| counting.has(*x));
        let mut listed: BTreeSet<Key> = BTreeSet::new();
        for x in named().chain(self.counting_of(counting)) {
            listed.extend(self.node(x).lists(self.tag).filter(|key| !stopped.contains(key)));
        }
        let roles = self.all.roles_in(self.set, self.tag).filter(|x| counting.has(*x)).collect();
        MemberKeys {
            role: self.role(self.all.last_roles(roles, counting, &self.followed)),
            recovery: keys.iter().copied().filter(|key| listed.contains(key)).collect(),
            devices: listed.into_iter().filter(|key| !words.contains(key)).collect(),
        }
    }
}
