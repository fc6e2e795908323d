//! What hostile hands sign: anything, on any old heads, several continuations of one log among it.

use alliance_crypto::membership::evaluation::{Key, Op, Tag};

use super::story::{Places, Story};

impl Story {
    /// A hostile hand of anybody's signs something.
    pub(crate) fn hostile(&mut self) -> Option<usize> {
        let hands: Vec<Key> = (0..self.hands.len() as Key).filter(|key| !self.hands[*key as usize].honest).collect();
        let key = self.dice.of(&hands)?;
        let own = self.hands[key as usize].person;
        let person = if self.dice.percent(90) { own } else { self.anybody() };
        self.does(key, person, self.whole())
    }

    fn anybody(&mut self) -> Tag {
        let people = self.people.len();
        self.dice.below(people) as Tag
    }

    /// The key signs something for the person, on entries among these.
    pub(crate) fn does(&mut self, key: Key, person: Tag, among: Places) -> Option<usize> {
        // Most should do something; what does nothing is signed too.
        for _ in 0..6 {
            let (person, op) = self.anything(key, person);
            let parents = self.any_parents(among);
            if self.would_grant(key, person, op, &parents) || self.dice.percent(8) {
                return Some(self.sign(key, person, op, parents));
            }
        }
        None
    }

    /// Old heads or new ones, whatever the key signed before.
    fn any_parents(&mut self, among: Places) -> Vec<usize> {
        let all: Vec<usize> = super::story::places(among).collect();
        if self.dice.percent(40) {
            return self.heads(among);
        }
        let newest = if self.dice.percent(50) { all.len().saturating_sub(6) } else { 0 };
        let count = 1 + self.dice.below(3);
        let mut parents: Vec<usize> = (0..count).filter_map(|_| self.dice.of(&all[newest..])).collect();
        parents.sort_unstable();
        parents.dedup();
        parents
    }

    fn anything(&mut self, key: Key, own: Tag) -> (Tag, Op) {
        let other = self.anybody();
        let anyone = self.dice.below(self.hands.len()) as Key;
        let mine = self.keys(own, |_| true);
        let target = if self.dice.percent(90) { self.dice.of(&mine).unwrap_or(key) } else { anyone };
        let op = match self.dice.below(30) {
            0..=4 => return self.admits(),
            5 | 6 => return (other, Op::Role(self.role())),
            7 | 8 => return (other, Op::Remove),
            9..=12 => self.lists_puppet(own, anyone),
            13 | 14 => self.lists_words(own, anyone),
            15..=20 => Op::Suspend { target },
            21 | 22 => Op::Restore { target },
            23 => Op::Lost { target },
            24 => Op::Leave,
            25 => Op::End,
            26 | 27 => Op::Epoch,
            28 => Op::Admit,
            _ => Op::Box,
        };
        (own, op)
    }

    /// Its own new device, or somebody else's, which has not signed.
    fn lists_puppet(&mut self, own: Tag, anyone: Key) -> Op {
        let new = if self.dice.percent(75) { self.key(own, false, false) } else { None };
        let new = new.unwrap_or(anyone);
        Op::Device { new, fits: !self.hands[new as usize].honest }
    }

    /// Anybody's words: they are not asked.
    fn lists_words(&mut self, own: Tag, anyone: Key) -> Op {
        let new = if self.dice.percent(60) { self.key(own, true, false) } else { None };
        Op::Recovery { new: new.unwrap_or(anyone), fits: true }
    }

    /// Somebody who asked, under the card that it made; or under another card, which does not fit.
    fn admits(&mut self) -> (Tag, Op) {
        let honest = self.dice.percent(50);
        let new = if self.dice.percent(50) { self.human(honest) } else { None };
        let person = new.unwrap_or_else(|| self.anybody());
        let asked = self.asks(person);
        let Op::Add { new, recovery, role, .. } = asked else { return (person, asked) };
        let (anyone, another) = (self.dice.below(self.hands.len()) as Key, self.role());
        let op = match self.dice.below(8) {
            // A role of another name needs another card, which only hostile hands make.
            0 => Op::Add { new, recovery, role: another, fits: another == role || !self.hands[new as usize].honest },
            1 => Op::Add { new: anyone, recovery, role, fits: anyone == new },
            2 => Op::Add { new, recovery: anyone, role, fits: anyone == recovery },
            _ => asked,
        };
        (person, op)
    }
}
