//! The evaluation of one set, as far as somebody asks (steps 2 to 4).

use std::collections::{BTreeMap, BTreeSet};

use alliance_wire::membership::SpaceKind;

use super::{Evaluation, Key, MemberKeys, Number, Op, Tag};
use crate::membership::bits::Bits;
use crate::membership::person::{Outcome, evaluate_person};

/// The evaluation of one set, person by person: the steward's first, the others as far as somebody asks.
pub(super) struct View<'a> {
    all: &'a Evaluation,
    set: &'a Bits,
    /// Entries of the persons evaluated so far that count.
    pub(super) counting: Bits,
    pub(super) members: BTreeMap<Tag, MemberKeys>,
    pub(super) keys: BTreeMap<Tag, Vec<Key>>,
    /// Of the persons evaluated so far: the `suspend`s and `lost`s that stand.
    pub(super) standing: Vec<Number>,
}

impl<'a> View<'a> {
    pub(super) fn new(all: &'a Evaluation, set: &'a Bits) -> Self {
        let (members, keys) = (BTreeMap::new(), BTreeMap::new());
        let mut view = Self { all, set, counting: Bits::default(), members, keys, standing: Vec::new() };
        if set.has(0) {
            view.counting.set(0);
            view.take(all.founder);
        }
        view
    }

    /// Whether a counting `add` names the person (the founder's first entry is one).
    pub(super) fn is_admitted(&self, tag: Tag) -> bool {
        let admits = |x: Number| matches!(self.all.nodes[x].op, Op::First { .. } | Op::Add { .. });
        self.all.named(self.set, tag).any(|x| admits(x) && self.counting.has(x))
    }

    /// Evaluates a person, if it was admitted.
    pub(super) fn person(&mut self, tag: Tag) {
        if !self.keys.contains_key(&tag) && self.is_admitted(tag) {
            self.take(tag);
        }
    }

    /// Evaluates everybody who was admitted.
    pub(super) fn everybody(&mut self) {
        let tags: BTreeSet<Tag> = self.all.adds.iter().map(|x| self.all.nodes[*x].person).collect();
        for tag in tags {
            self.person(tag);
        }
    }

    fn take(&mut self, tag: Tag) {
        let Outcome { counting, keys, member, standing } = evaluate_person(self.all, self.set, &self.counting, tag);
        self.counting = counting;
        self.keys.insert(tag, keys);
        self.standing.extend(standing);
        if let Some(member) = member {
            self.members.insert(tag, member);
        }
    }

    /// Step 4. In a joint space everybody must have been evaluated; in others only the steward's `end` counts.
    pub(super) fn ended(&self) -> bool {
        if !self.all.rules.endings {
            return false;
        }
        let authorised = |x: &Number| self.set.has(*x) && self.all.nodes[*x].authorised;
        let counts = |x: &Number| self.counting.has(*x);
        self.all.ends.iter().any(|x| authorised(x) && counts(x))
            || match self.all.kind {
                SpaceKind::Joint { persons_max } => {
                    self.all.rules.persons_max && self.members.len() > usize::from(persons_max)
                        || self.all.adds.iter().any(|x| authorised(x) && !counts(x))
                }
                SpaceKind::Personal | SpaceKind::Group => false,
            }
    }
}
