//! What must hold of every history, judged by what the test knows: who is honest, who asked for what, who was put out.
//! None of these laws asks the evaluation why.

use std::collections::BTreeSet;

use alliance_crypto::membership::evaluation::{Key, MemberRole, Op, Tag};
use alliance_wire::membership::{Role, SpaceKind};

use super::story::{By, Places, Story, lists, places};
use crate::support::history::Outcome;

/// A history, what it amounts to, and what it amounted to when somebody had been put out (else half-way).
pub(crate) struct Seen<'a> {
    pub(crate) story: &'a Story,
    pub(crate) then: &'a Outcome,
    pub(crate) now: &'a Outcome,
}

type Law = fn(&Seen<'_>) -> Result<(), String>;

pub(crate) const LAWS: [(&str, Law); 12] = [
    ("members are those whom the steward admitted and did not remove", members),
    ("roles are those that the steward gave, of concurrent ones the lowest", roles),
    ("readers do nothing that writers may", readers),
    ("nobody is anywhere without having asked", asked),
    ("nobody but its owner changes a person's devices", own_devices),
    ("the first words of a person stay", first_words),
    ("a joint space expels nobody", expelled),
    ("a space is never fuller than it says", full),
    ("what has ended takes nobody and puts nobody out", ended),
    ("the words bring back exactly the devices that they name", named),
    ("who is out changes nothing from before", back_dated),
    ("who is suspended by a device can only suspend", suspended),
];

fn check(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

impl Seen<'_> {
    /// The steward's hands are all honest: what they sign holds.
    fn is_steady(&self) -> bool {
        self.story.people[0].honest
    }

    fn by_steward(&self, person: Tag, is: impl Fn(Op) -> bool) -> Places {
        let hands = &self.story.hands;
        self.story.entries(|fact| {
            fact.person == person
                && is(fact.op)
                && hands[fact.key as usize].person == 0
                && hands[fact.key as usize].honest
        })
    }

    /// An entry of the person's that one of its keys, or one that was listed for it, signed.
    fn own(&self, person: Tag, is: impl Fn(Op) -> bool) -> Places {
        self.story.entries(|fact| fact.person == person && is(fact.op))
    }

    /// The role that an honest steward's entries among these give: of the last ones the lowest.
    fn given(&self, person: Tag, among: Places) -> Option<Role> {
        let gives = |op| matches!(op, Op::Add { .. } | Op::Role(_));
        let last = self.story.heads(self.by_steward(person, gives) & among).into_iter();
        let role = last.filter_map(|place| {
            let op = self.story.fact(place).op;
            if let Op::Add { role, .. } | Op::Role(role) = op { Some(role) } else { None }
        });
        role.min()
    }

    fn others(&self) -> impl Iterator<Item = Tag> {
        1..self.story.people.len() as Tag
    }

    /// Persons whom exactly one entry ever names as admitted: a second one, with the same card, may replace the first.
    fn is_added_once(&self, person: Tag) -> bool {
        person == 0 || self.own(person, |op| matches!(op, Op::Add { .. })).count_ones() == 1
    }
}

fn members(seen: &Seen<'_>) -> Result<(), String> {
    if !seen.is_steady() {
        return Ok(());
    }
    check(seen.now.members.contains_key(&0), || "the steward is out".to_owned())?;
    for person in seen.others() {
        let added = seen.by_steward(person, |op| matches!(op, Op::Add { .. })) != 0;
        let removed = seen.by_steward(person, |op| op == Op::Remove) != 0;
        let leaves = seen.own(person, |op| op == Op::Leave) != 0;
        let is = seen.now.members.contains_key(&person);
        check(if is { added && !removed } else { !added || removed || leaves }, || {
            format!("person {person}: added {added}, removed {removed}, leaves {leaves}, member {is}")
        })?;
    }
    Ok(())
}

fn roles(seen: &Seen<'_>) -> Result<(), String> {
    for (person, (role, ..)) in seen.now.members.iter().filter(|(person, _)| seen.is_steady() && **person != 0) {
        let given = seen.given(*person, seen.story.whole()).map(MemberRole::Given);
        check(given == Some(*role), || format!("person {person} has {role:?}, was given {given:?}"))?;
    }
    let steward = seen.now.members.get(&0).map(|(role, ..)| *role);
    check(steward.is_none_or(|role| role == MemberRole::Steward), || format!("the steward has {steward:?}"))
}

fn readers(seen: &Seen<'_>) -> Result<(), String> {
    for place in seen.now.counting.iter().copied().filter(|_| seen.is_steady()) {
        let fact = seen.story.fact(place);
        if fact.person != 0 && matches!(fact.op, Op::Epoch | Op::Admit) {
            let given = seen.given(fact.person, seen.story.past[place]);
            check(given.is_some_and(|role| role > Role::Reader), || format!("entry {place} of one who was {given:?}"))?;
        }
    }
    Ok(())
}

fn asked(seen: &Seen<'_>) -> Result<(), String> {
    for (person, (_, devices, _)) in &seen.now.members {
        for device in devices {
            let fits = |op| if let Op::Add { fits, .. } | Op::Device { fits, .. } = op { fits } else { false };
            let signed = seen.own(*person, |op| matches!(op, Op::First { .. }) || fits(op));
            let lists = places(signed).any(|place| lists(seen.story.fact(place)).contains(device));
            check(lists, || format!("device {device} of person {person} never signed for it"))?;
        }
    }
    Ok(())
}

fn own_devices(seen: &Seen<'_>) -> Result<(), String> {
    for (person, (_, devices, words)) in &seen.now.members {
        let human = seen.story.people[*person as usize];
        if !human.honest || !seen.is_added_once(*person) {
            continue;
        }
        let by_own = |fact: &alliance_crypto::membership::evaluation::Fact| {
            let hand = seen.story.hands[fact.key as usize];
            fact.person == *person && hand.person == *person && hand.honest
        };
        let new = |is: fn(Op) -> Option<Key>| -> BTreeSet<Key> {
            places(seen.story.entries(|fact| by_own(fact))).filter_map(|place| is(seen.story.fact(place).op)).collect()
        };
        let mut expected = new(|op| if let Op::Device { new, .. } = op { Some(new) } else { None });
        expected.insert(human.first);
        check(*devices == expected, || format!("person {person} has {devices:?} and listed {expected:?}"))?;
        let mut expected = new(|op| if let Op::Recovery { new, .. } = op { Some(new) } else { None });
        expected.insert(human.words);
        let words: BTreeSet<Key> = words.iter().copied().collect();
        check(words == expected, || format!("person {person} has words {words:?} and listed {expected:?}"))?;
    }
    Ok(())
}

fn first_words(seen: &Seen<'_>) -> Result<(), String> {
    for (person, (.., words)) in &seen.now.members {
        let first = seen.story.people[*person as usize].words;
        check(words.first() == Some(&first), || format!("person {person} has words {words:?}, and {first} first"))?;
    }
    Ok(())
}

fn expelled(seen: &Seen<'_>) -> Result<(), String> {
    let joint = matches!(seen.story.history.kind, SpaceKind::Joint { .. });
    for person in seen.then.members.keys().filter(|_| joint && !seen.now.ended) {
        let left = seen.own(*person, |op| op == Op::Leave) != 0;
        check(left || seen.now.members.contains_key(person), || format!("person {person} is out"))?;
    }
    Ok(())
}

fn full(seen: &Seen<'_>) -> Result<(), String> {
    let most = match seen.story.history.kind {
        SpaceKind::Personal => 1,
        SpaceKind::Joint { persons_max } => usize::from(persons_max),
        SpaceKind::Group => return Ok(()),
    };
    let members = seen.now.members.len();
    check(members <= most || seen.now.ended, || format!("{members} members of {most}"))
}

fn ended(seen: &Seen<'_>) -> Result<(), String> {
    let honest = |fact: &alliance_crypto::membership::evaluation::Fact| {
        let human = seen.story.people.get(fact.person as usize);
        fact.op == Op::End
            && human.is_some_and(|human| human.honest)
            && seen.is_added_once(fact.person)
            && seen.story.hands[fact.key as usize].honest
    };
    for end in places(seen.story.entries(honest)) {
        let person = seen.story.fact(end).person;
        if !seen.now.members.contains_key(&person) {
            continue;
        }
        check(seen.now.ended, || format!("end {end} does not hold"))?;
        for place in seen.now.authorised.iter().filter(|place| seen.story.past[**place] >> end & 1 == 1) {
            let op = seen.story.fact(*place).op;
            let stewards = matches!(op, Op::Invite | Op::Add { .. } | Op::Role(_) | Op::Remove);
            check(!stewards, || format!("entry {place} after end {end}: {op:?}"))?;
        }
    }
    Ok(())
}

fn named(seen: &Seen<'_>) -> Result<(), String> {
    let Some(turn) = seen.story.turn.as_ref().filter(|turn| turn.by == By::Words) else { return Ok(()) };
    if seen.by_steward(turn.person, |op| op == Op::Remove) != 0 {
        return Ok(());
    }
    let expected: BTreeSet<Key> = turn.devices.iter().copied().collect();
    let devices = seen.now.members.get(&turn.person).map(|(_, devices, _)| devices);
    check(devices == Some(&expected), || {
        format!("person {} has {devices:?}, the words named {expected:?}", turn.person)
    })
}

/// Entries that were signed after the turn, by and for whom it put out.
fn late(seen: &Seen<'_>, by: impl Fn(By) -> bool) -> Places {
    let turn = seen.story.turn.as_ref().filter(|turn| by(turn.by));
    turn.map_or(0, |turn| seen.story.whole() & !((1 << turn.at) - 1))
}

fn back_dated(seen: &Seen<'_>) -> Result<(), String> {
    let late = late(seen, |by| by != By::Device);
    if late == 0 {
        return Ok(());
    }
    let counts: Vec<usize> = places(late).filter(|place| seen.now.counting.contains(place)).collect();
    check(counts.is_empty(), || format!("entries {counts:?} count"))?;
    check(seen.now.members == seen.then.members, || {
        format!("members were {:?} and are {:?}", seen.then.members, seen.now.members)
    })?;
    // PROTOCOL section 4, step 4: an `add` that does not count ends a joint space.
    let adds = places(late).any(|place| matches!(seen.story.fact(place).op, Op::Add { .. }));
    check(seen.now.ended == seen.then.ended || adds, || "the space has ended".to_owned())
}

fn suspended(seen: &Seen<'_>) -> Result<(), String> {
    let Some(turn) = seen.story.turn.as_ref() else { return Ok(()) };
    for place in places(late(seen, |by| by == By::Device)).filter(|place| seen.now.counting.contains(place)) {
        let fact = seen.story.fact(place);
        check(matches!(fact.op, Op::Suspend { .. }), || format!("entry {place} counts: {:?}", fact.op))?;
    }
    let others = |outcome: &Outcome| {
        let mut members = outcome.members.clone();
        members.remove(&turn.person);
        members
    };
    let same = turn.by != By::Device || turn.person == 0 || others(seen.now) == others(seen.then);
    check(same, || "others changed".to_owned())
}
