//! How the work grows with the number of entries, for histories of every kind of operation that cuts or is cut.
#![allow(clippy::print_stdout)]

use alliance_wire::membership::{Role, SpaceKind};

use super::counter::count;
use crate::MembershipRules;
use crate::membership::bits::Bits;
use crate::membership::evaluation::{Evaluation, Fact, Key, Number, Op, Tag};

/// A group: founder (person 0, device 0, words 1, laptop 4) and a writer (person 1, device 2, words 3).
struct Group {
    all: Evaluation,
    heads: Vec<Number>,
}

impl Group {
    fn new() -> Self {
        let all = Evaluation::new(MembershipRules::ALL, SpaceKind::Group, [0; 32], (0, 1), 0);
        let mut group = Self { all, heads: vec![0] };
        group.says(0, 0, Op::Device { new: 4, fits: true });
        group.says(0, 1, Op::Add { new: 2, recovery: 3, role: Role::Writer, fits: true });
        group
    }

    /// An entry that knows everything so far.
    fn says(&mut self, key: Key, person: Tag, op: Op) -> Number {
        let number = self.on(self.heads.clone(), key, person, op);
        self.heads = vec![number];
        number
    }

    fn on(&mut self, parents: Vec<Number>, key: Key, person: Tag, op: Op) -> Number {
        let mut hash = [1; 32];
        hash[..8].copy_from_slice(&(self.all.len() as u64).to_be_bytes());
        let number = self.all.insert(Fact { hash, key, person, op, parents });
        assert!(self.all.is_authorised(number), "every entry of these histories does something: {op:?}");
        number
    }
}

/// How the entry with this number continues a history.
type Shape = fn(&mut Group, u32) -> Number;

fn role(group: &mut Group, at: u32) -> Number {
    group.says(0, 1, Op::Role(if at.is_multiple_of(2) { Role::Writer } else { Role::Signer }))
}

const SHAPES: [(&str, Shape); 9] = [
    ("one person's role, again and again", role),
    ("epochs", |group, _| group.says(2, 1, Op::Epoch)),
    ("a role and an epoch in turn", |group, at| match at % 2 {
        0 => role(group, at / 2),
        _ => group.says(2, 1, Op::Epoch),
    }),
    ("epochs after roles that do not count", |group, at| match at {
        0..100 => group.says(4, 1, Op::Role(Role::Writer)),
        // The words disown what the laptop did.
        100 => {
            let lost = group.on(vec![2], 1, 0, Op::Lost { target: 4 });
            group.heads.push(lost);
            lost
        }
        _ => group.says(2, 1, Op::Epoch),
    }),
    ("suspended and restored in turn", |group, at| match at % 2 {
        0 => group.says(0, 0, Op::Suspend { target: 4 }),
        _ => group.says(1, 0, Op::Restore { target: 4 }),
    }),
    ("suspended again and again", |group, _| group.says(0, 0, Op::Suspend { target: 4 })),
    ("further words", |group, at| group.says(1, 0, Op::Recovery { new: 10 + at, fits: true })),
    ("words that list the next ones", |group, at| {
        let by = if at == 0 { 1 } else { 9 + at };
        group.says(by, 0, Op::Recovery { new: 10 + at, fits: true })
    }),
    ("removed again and again", |group, _| group.says(0, 1, Op::Remove)),
];

/// Steps of taking in a history of so many entries one by one, and of evaluating all of it.
fn steps(shape: Shape, entries: u32) -> (u64, u64) {
    let (taken, group) = count(|| {
        let mut group = Group::new();
        for at in 0..entries {
            shape(&mut group, at);
        }
        group
    });
    let (evaluated, _) = count(|| group.all.evaluate(&group.all.whole()));
    (taken, evaluated)
}

/// Whether the work grows no faster than so many times when its entries double.
fn grows_at_most(times: u64, steps: [u64; 3]) -> bool {
    // A tenth for what does not double.
    steps.windows(2).all(|pair| pair[1] * 10 <= pair[0] * times * 11)
}

#[test]
fn taking_entries_in_is_at_most_quadratic_and_evaluating_them_linear() {
    for (what, shape) in SHAPES {
        let [one, two, four] = [200, 400, 800].map(|entries| steps(shape, entries));
        println!("{what}: {one:?}, {two:?}, {four:?} steps");
        assert!(grows_at_most(4, [one.0, two.0, four.0]), "{what}: taken in");
        assert!(grows_at_most(2, [one.1, two.1, four.1]), "{what}: evaluated");
    }
    // The control: three loops in one another are noticed.
    let cubic = [200, 400, 800_usize].map(|entries| {
        let set = Bits::below(entries);
        let look = || (0..entries / 20).all(|x| set.has(x));
        count(|| (0..entries).all(|_| (0..entries / 20).all(|_| look()))).0
    });
    assert!(!grows_at_most(4, cubic), "{cubic:?}");
}
