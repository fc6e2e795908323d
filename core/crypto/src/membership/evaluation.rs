//! `evaluate(set) -> state`: membership as a pure function of the set of entries (PROTOCOL section 4).
//!
//! The evaluation knows nothing of encodings. Keys, persons and entries are numbers that the caller gave out; of an
//! entry's hash only the order counts; what a signature on a card or a tag proves arrives as a verdict in
//! [`Op::Add`] and [`Op::Device`]. [`crate::Membership`] maps entries as sent to this form, and the test
//! vectors map the reference model's.
//!
//! Step 1, the table, is judged once, when an entry is put in, in the state of its ancestors ([`Evaluation::insert`]).
//! Steps 2 to 4 only take away ([`Evaluation::evaluate`]); they are in [`person`](super::person).

mod view;

use std::collections::{BTreeMap, BTreeSet};

use alliance_wire::limits;
use alliance_wire::membership::{Role, SpaceKind};

use super::bits::Bits;
pub use super::op::{Fact, Key, Number, Op, Tag};
use crate::rules::MembershipRules;
use view::View;

/// Orders entries by causality: an ancestor comes before its descendants, whatever set they are in.
pub type Rank = (usize, [u8; 32]);

/// An entry that is in, with the verdict of step 1.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) key: Key,
    /// The person acted on or for.
    pub(super) person: Tag,
    /// The person whose right it needs: the steward's for the steward's operations.
    pub(super) actor: Tag,
    pub(super) op: Op,
    pub(super) ancestors: Bits,
    pub(super) rank: Rank,
    pub(super) authorised: bool,
    /// A `restore` whose target is a device lists it again.
    pub(super) relists: bool,
    /// Authorised ancestors that list the signer for the actor.
    pub(super) listing: Vec<Number>,
    /// The last authorised ancestors that give a role: to the actor where the operation needs one, and in an entry that
    /// gives a role itself, to the same person.
    pub(super) roles: Vec<Number>,
}

impl Node {
    /// The keys that the entry lists for the person.
    pub(super) fn lists(&self, tag: Tag) -> impl Iterator<Item = Key> {
        let (admits, acts) = (self.person == tag, self.actor == tag);
        let mut keys = [None, None];
        if let Op::First { new, recovery } | Op::Add { new, recovery, .. } = self.op {
            keys = if admits { [Some(new), Some(recovery)] } else { keys };
        } else if let Op::Device { new, .. } | Op::Recovery { new, .. } = self.op {
            keys[0] = acts.then_some(new);
        } else if let Op::Restore { target } = self.op {
            keys[0] = (acts && self.relists).then_some(target);
        }
        keys.into_iter().flatten()
    }

    /// Whether the entry lists the key, as a device or as words, for whomever.
    fn lists_key(&self, key: Key) -> bool {
        if let Op::First { new, recovery } | Op::Add { new, recovery, .. } = self.op {
            new == key || recovery == key
        } else if let Op::Device { new, .. } | Op::Recovery { new, .. } = self.op {
            new == key
        } else {
            false
        }
    }
}

/// The steward's role or one that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberRole {
    /// Given by the steward.
    Given(Role),
    /// The founder's person: it may do everything that a signer may, and says who is in.
    Steward,
}

impl MemberRole {
    /// Whether the role is above reader.
    #[must_use]
    pub fn writes(self) -> bool {
        self != Self::Given(Role::Reader)
    }
}

/// A member as evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberKeys {
    /// The role.
    pub role: MemberRole,
    /// Active devices.
    pub devices: BTreeSet<Key>,
    /// Recovery keys, oldest first.
    pub recovery: Vec<Key>,
}

/// What a set of entries amounts to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evaluated {
    /// The members.
    pub members: BTreeMap<Tag, MemberKeys>,
    /// Of everybody who was ever admitted: all recovery keys, oldest first.
    pub keys: BTreeMap<Tag, Vec<Key>>,
    /// The space has ended.
    pub ended: bool,
    /// The entries that count.
    pub counting: Bits,
    /// The `suspend`s and `lost`s that stand.
    pub standing: Vec<Number>,
}

/// All membership entries of one space, in causal order.
#[derive(Debug, Clone)]
pub struct Evaluation {
    pub(super) rules: MembershipRules,
    kind: SpaceKind,
    pub(super) founder: Tag,
    pub(super) nodes: Vec<Node>,
    by_actor: BTreeMap<Tag, Vec<Number>>,
    /// `first` and `add` entries by the person that they admit, and `role` and `remove` entries by whom they name.
    by_person: BTreeMap<Tag, Vec<Number>>,
    adds: Vec<Number>,
    ends: Vec<Number>,
}

impl Evaluation {
    /// A space with its first entry, which is number 0 and always counts: the founder's device and recovery key.
    #[must_use]
    pub fn new(
        rules: MembershipRules,
        kind: SpaceKind,
        hash: [u8; 32],
        (device, recovery): (Key, Key),
        founder: Tag,
    ) -> Self {
        let first = Node {
            key: device,
            person: founder,
            actor: founder,
            op: Op::First { new: device, recovery },
            ancestors: Bits::default(),
            rank: (0, hash),
            authorised: true,
            relists: false,
            listing: Vec::new(),
            roles: Vec::new(),
        };
        Self {
            rules,
            kind,
            founder,
            nodes: vec![first],
            by_actor: BTreeMap::new(),
            by_person: BTreeMap::from([(founder, vec![0])]),
            adds: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// How many entries there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a space always has its first entry")]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Puts an entry in and judges it by the table, in the state of its ancestors (step 1).
    ///
    /// The parents must be numbers that are in. An entry without parents is never authorised.
    pub fn insert(&mut self, fact: Fact) -> Number {
        let number = self.nodes.len();
        let mut ancestors = Bits::default();
        for &parent in fact.parents.iter().filter(|parent| **parent < number) {
            ancestors.unite(&self.nodes[parent].ancestors);
            ancestors.set(parent);
        }
        let actor = if fact.op.is_stewards() { self.founder } else { fact.person };
        let judged = if self.rules.ancestry { ancestors.clone() } else { self.whole() };
        let mut node = Node {
            key: fact.key,
            person: fact.person,
            actor,
            op: fact.op,
            rank: (ancestors.count(), fact.hash),
            authorised: false,
            relists: false,
            listing: self.listing(&judged, actor, fact.key),
            roles: self.roles_before(&judged, actor, &fact),
            ancestors,
        };
        (node.authorised, node.relists) = self.authorise(&node, &judged);
        self.by_actor.entry(actor).or_default().push(number);
        if matches!(node.op, Op::Add { .. } | Op::Role(_) | Op::Remove) {
            self.by_person.entry(node.person).or_default().push(number);
        }
        if matches!(node.op, Op::Add { .. }) {
            self.adds.push(number);
        }
        if matches!(node.op, Op::End) {
            self.ends.push(number);
        }
        self.nodes.push(node);
        number
    }

    /// Authorised entries of the set that list the signer for the actor.
    fn listing(&self, set: &Bits, actor: Tag, key: Key) -> Vec<Number> {
        if self.rules.table {
            return self.known(set, actor).filter(|x| self.nodes[*x].lists(actor).any(|k| k == key)).collect();
        }
        set.iter().filter(|x| self.nodes[*x].authorised && self.nodes[*x].lists_key(key)).collect()
    }

    /// Whether the table gave the entry's author that right (step 1).
    #[must_use]
    pub fn is_authorised(&self, number: Number) -> bool {
        self.nodes.get(number).is_some_and(|node| node.authorised)
    }

    /// The device that the entry lists again: the target of a `restore` that is a device.
    #[must_use]
    pub fn listed_again(&self, number: Number) -> Option<Key> {
        let node = self.nodes.get(number)?;
        if let Op::Restore { target } = node.op { node.relists.then_some(target) } else { None }
    }

    /// The entry's ancestors.
    #[must_use]
    pub fn ancestors(&self, number: Number) -> Bits {
        self.nodes.get(number).map(|node| node.ancestors.clone()).unwrap_or_default()
    }

    /// The entry's place in causal order.
    #[must_use]
    pub fn rank(&self, number: Number) -> Rank {
        self.nodes.get(number).map_or((usize::MAX, [0xff; 32]), |node| node.rank)
    }

    /// The entries with all their ancestors.
    #[must_use]
    pub fn closure(&self, heads: impl IntoIterator<Item = Number>) -> Bits {
        let mut set = Bits::default();
        for head in heads.into_iter().filter(|head| *head < self.nodes.len()) {
            set.unite(&self.nodes[head].ancestors);
            set.set(head);
        }
        set
    }

    /// All entries.
    #[must_use]
    pub fn whole(&self) -> Bits {
        Bits::below(self.nodes.len())
    }

    /// The state of a set of entries that holds every ancestor of each (steps 2 to 4).
    #[must_use]
    pub fn evaluate(&self, set: &Bits) -> Evaluated {
        let mut view = View::new(self, set);
        view.everybody();
        let ended = view.ended();
        let View { members, keys, counting, standing, .. } = view;
        Evaluated { members, keys, ended, counting, standing }
    }

    /// Authorised entries of the set, in causal order, that are by the actor or admit it.
    fn known<'a>(&'a self, set: &'a Bits, actor: Tag) -> impl Iterator<Item = Number> + 'a {
        let admitting = self.by_person.get(&actor).into_iter().flatten();
        // An entry that both admits the actor and is by it (the steward's own) must not come twice.
        let own = self.by_actor.get(&actor).into_iter().flatten().filter(move |x| {
            let node = &self.nodes[**x];
            !(node.person == actor && matches!(node.op, Op::Add { .. } | Op::Role(_) | Op::Remove))
        });
        admitting.chain(own).copied().filter(move |x| set.has(*x) && self.nodes[*x].authorised)
    }

    /// Authorised entries of the set that name the person: its admission, roles and removals.
    pub(super) fn named<'a>(&'a self, set: &'a Bits, person: Tag) -> impl Iterator<Item = Number> + 'a {
        let named = self.by_person.get(&person).into_iter().flatten().copied();
        named.filter(move |x| set.has(*x) && self.nodes[*x].authorised)
    }

    /// Authorised entries of the set by the actor, in causal order.
    pub(super) fn by_actor<'a>(&'a self, set: &'a Bits, actor: Tag) -> impl Iterator<Item = Number> + 'a {
        let own = self.by_actor.get(&actor).into_iter().flatten().copied();
        own.filter(move |x| set.has(*x) && self.nodes[*x].authorised)
    }

    /// The table: whether the entry is authorised in the state of a set, and whether it lists its target again.
    fn authorise(&self, e: &Node, set: &Bits) -> (bool, bool) {
        // Only the first entry has no parents.
        if e.rank.0 == 0 {
            return (false, false);
        }
        if !self.rules.table {
            return (!e.listing.is_empty(), false);
        }
        let mut view = View::new(self, set);
        view.person(e.actor);
        let Some(me) = view.members.get(&e.actor).cloned() else {
            return (false, false);
        };
        let (device, words) = (me.devices.contains(&e.key), me.recovery.contains(&e.key));
        if e.op.is_stewards() {
            return (device && self.authorise_stewards(e, &mut view), false);
        }
        let steward = e.actor == self.founder;
        let joint = matches!(self.kind, SpaceKind::Joint { .. });
        let listed: BTreeSet<Key> = self.known(set, e.actor).flat_map(|x| self.nodes[x].lists(e.actor)).collect();
        let authorised = match e.op {
            Op::Relay | Op::End => device && (steward || joint),
            Op::Leave => device && !steward,
            Op::Device { new, fits } => {
                (words || device && me.devices.len() < limits::DEVICES_ACTIVE_MAX)
                    && !listed.contains(&new)
                    && self.fits(fits)
            }
            Op::Recovery { new, fits } => words && !listed.contains(&new) && self.fits(fits),
            Op::Suspend { target } | Op::Lost { target } | Op::Restore { target } => {
                let suspend = matches!(e.op, Op::Suspend { .. });
                if !listed.contains(&target) || target == e.key || !(words || device && suspend) {
                    return (false, false);
                }
                let relists = matches!(e.op, Op::Restore { .. }) && self.is_listed_as_device(set, target);
                let keys = view.keys.get(&e.actor).map(Vec::as_slice).unwrap_or_default();
                let age = |key: Key| keys.iter().position(|k| *k == key);
                // A recovery key answers only to an older one of its person.
                let outranks = !self.rules.seniority
                    || age(target).is_none_or(|theirs| words && age(e.key).is_some_and(|mine| mine < theirs));
                return (outranks, relists);
            }
            Op::Epoch | Op::Admit | Op::Erase | Op::Agree => device && self.may_write(me.role),
            Op::Box => device || words,
            Op::First { .. } | Op::Invite | Op::Add { .. } | Op::Role(_) | Op::Remove => false,
        };
        (authorised, false)
    }

    /// The steward's operations, by an active device of the steward's.
    fn authorise_stewards(&self, e: &Node, view: &mut View<'_>) -> bool {
        if self.kind == SpaceKind::Personal {
            return false;
        }
        if let SpaceKind::Joint { .. } = self.kind {
            view.everybody();
        }
        if view.ended() {
            return false;
        }
        if let Op::Add { new, recovery, fits, .. } = e.op {
            let full = match self.kind {
                SpaceKind::Joint { persons_max } => {
                    self.rules.persons_max && view.members.len() >= usize::from(persons_max)
                }
                SpaceKind::Personal | SpaceKind::Group => false,
            };
            return !full && new != recovery && !view.is_admitted(e.person) && self.fits(fits);
        }
        if matches!(e.op, Op::Invite) {
            return true;
        }
        // `role` and `remove`; one who left can still be removed.
        if self.kind != SpaceKind::Group || !view.is_admitted(e.person) || e.person == self.founder {
            return false;
        }
        view.person(e.person);
        matches!(e.op, Op::Remove) || view.members.contains_key(&e.person)
    }

    const fn fits(&self, fits: bool) -> bool {
        fits || !self.rules.cards
    }

    pub(super) fn may_write(&self, role: MemberRole) -> bool {
        role.writes() || !self.rules.readers
    }

    /// Whether an authorised entry of the set lists the key, as a device or as words, of whomever.
    #[must_use]
    pub fn is_listed(&self, set: &Bits, key: Key) -> bool {
        set.iter().any(|number| self.nodes[number].authorised && self.nodes[number].lists_key(key))
    }

    /// Whether an authorised entry of the set lists the key as a device, of whomever.
    fn is_listed_as_device(&self, set: &Bits, key: Key) -> bool {
        let lists = |node: &Node| {
            let (Op::First { new, .. } | Op::Add { new, .. } | Op::Device { new, .. }) = node.op else {
                return false;
            };
            new == key
        };
        set.iter().any(|x| self.nodes[x].authorised && lists(&self.nodes[x]))
    }
}
