//! What honest hands sign: on the heads that they have seen, as their programs do.

use alliance_crypto::membership::evaluation::{Key, Op, Tag};
use alliance_wire::membership::SpaceKind;

use super::story::Story;

impl Story {
    /// The hand meets others: it has seen all, or what some other hand has, or nothing new.
    pub(crate) fn meets(&mut self, key: Key) {
        let seen = match self.dice.below(4) {
            0 | 1 => self.whole(),
            2 => self.hands[self.dice.below(self.hands.len())].seen,
            _ => 0,
        };
        self.hands[key as usize].seen |= seen;
    }

    /// One of the person's honest devices, if it is active in its own eyes and the space has not ended there.
    fn device(&mut self, person: Tag) -> Option<Key> {
        let devices = self.keys(person, |hand| hand.honest && !hand.words && hand.seen != 0);
        let device = self.dice.of(&devices)?;
        self.meets(device);
        self.is_active(self.hands[device as usize].seen, device, person).then_some(device)
    }

    /// An honest steward's device does something.
    pub(crate) fn steward(&mut self) -> Option<usize> {
        let device = self.device(0)?;
        let seen = self.hands[device as usize].seen;
        let known = self.evaluated(seen);
        let group = self.history.kind == SpaceKind::Group;
        // Who has left, in its eyes, gets no role.
        let others: Vec<Tag> = known.members.keys().copied().filter(|tag| *tag != 0).collect();
        let what = self.dice.below(20);
        let (person, op) = match what {
            0..=8 => {
                let honest = self.dice.percent(40);
                let person = self.human(honest)?;
                (person, self.asks(person))
            }
            9..=12 if group => (self.dice.of(&others)?, Op::Role(self.role())),
            13 | 14 if group => (self.dice.of(&others)?, Op::Remove),
            15 => (0, Op::Epoch),
            16 => (0, Op::Admit),
            17 if self.dice.percent(20) => (0, Op::End),
            _ => return self.lists(device, 0),
        };
        let granted = self.would_grant(device, person, op, &self.heads(seen));
        granted.then(|| self.says(device, person, op))
    }

    /// The person's card, as its own hand made it.
    pub(crate) fn asks(&self, person: Tag) -> Op {
        let human = self.people[person as usize];
        // The founder's tag is that of no invitation.
        Op::Add { new: human.first, recovery: human.words, role: human.role, fits: person != 0 }
    }

    /// A device lists another honest one of its person, that signs its own card.
    fn lists(&mut self, by: Key, person: Tag) -> Option<usize> {
        let new = self.key(person, false, true)?;
        let place = self.says(by, person, Op::Device { new, fits: true });
        self.hands[new as usize].seen = self.past[place] | 1 << place;
        Some(place)
    }

    /// An honest hand of somebody else's does something for its person.
    pub(crate) fn somebody(&mut self) -> Option<usize> {
        let person = Tag::try_from(1 + self.dice.below(self.people.len().max(2) - 1)).ok()?;
        let first = self.people.get(person as usize)?.first as usize;
        if self.hands[first].honest && self.hands[first].seen == 0 {
            // A newcomer sees who admitted it.
            self.hands[first].seen = self.whole();
        }
        let device = self.device(person)?;
        let op = match self.dice.below(12) {
            0..=3 => return self.lists(device, person),
            4..=6 => Op::Epoch,
            7 => Op::Admit,
            8 => Op::Box,
            9 => Op::Relay,
            10 if matches!(self.history.kind, SpaceKind::Joint { .. }) && self.dice.percent(30) => Op::End,
            _ => return self.words(person),
        };
        Some(self.says(device, person, op))
    }

    /// Honest words list further ones.
    fn words(&mut self, person: Tag) -> Option<usize> {
        let human = self.people[person as usize];
        if !human.honest {
            return None;
        }
        self.hands[human.words as usize].seen |= self.whole();
        self.is_active(self.whole(), human.words, person).then_some(())?;
        let new = self.key(person, true, true)?;
        Some(self.says(human.words, person, Op::Recovery { new, fits: true }))
    }
}
