//! Which entries give a person its role: the causally last that count.

use std::collections::{BTreeMap, BTreeSet};

use super::bits::Bits;
use super::evaluation::{Evaluation, Fact, Number, Tag};

/// For each entry that would give a person a role and does not count: the last before it that count.
pub(super) type Followed = BTreeMap<Number, Vec<Number>>;

impl Evaluation {
    /// Authorised entries of the set that give the person a role, in causal order.
    pub(super) fn roles_in<'a>(&'a self, set: &'a Bits, person: Tag) -> impl Iterator<Item = Number> + 'a {
        self.named(set, person).filter(|x| self.nodes[*x].op.gives_role().is_some())
    }

    /// What an entry that is put in remembers of the roles in the set in which it is judged: those that it needs itself,
    /// or those that it follows.
    pub(super) fn roles_before(&self, set: &Bits, actor: Tag, fact: &Fact) -> Vec<Number> {
        let person = match (fact.op.gives_role(), fact.op.is_writers()) {
            (Some(_), _) => fact.person,
            (None, true) => actor,
            (None, false) => return Vec::new(),
        };
        self.last_roles(self.roles_in(set, person).collect(), set, &Followed::new())
    }

    /// What the person's roles that do not count follow, each found once.
    pub(super) fn followed(&self, set: &Bits, counting: &Bits, person: Tag) -> Followed {
        let mut followed = Followed::new();
        for x in self.roles_in(set, person).filter(|x| !counting.has(*x)) {
            let before = self.nodes[x].roles.iter().copied().collect();
            let last = self.last_roles(before, counting, &followed);
            followed.insert(x, last);
        }
        followed
    }

    /// The counting ones among these entries, and where one does not count those that it followed, without those that
    /// another has as an ancestor. A role that changed a thousand times costs no more than one that was given once.
    pub(super) fn last_roles(&self, mut given: BTreeSet<Number>, counting: &Bits, followed: &Followed) -> Vec<Number> {
        let (mut last, mut below) = (Vec::new(), Bits::default());
        // Newest first: none of those that follow here has this one as an ancestor.
        while let Some(x) = given.pop_last() {
            let node = &self.nodes[x];
            if below.has(x) {
                continue;
            }
            if !counting.has(x) {
                given.extend(followed.get(&x).unwrap_or(&node.roles));
                continue;
            }
            if !given.is_empty() {
                below.unite(&node.ancestors);
            }
            last.push(x);
        }
        last
    }
}
