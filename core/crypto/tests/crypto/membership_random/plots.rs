//! The kinds of history: who is hostile in it, and who is put out at its end.

use alliance_crypto::membership::evaluation::{Key, Op, Tag};
use alliance_wire::membership::SpaceKind;

use super::story::{By, Places, Story, Turn, lists, places};
use crate::support::history::Dice;

/// A history of about so many steps.
pub(crate) fn story(seed: u64, steps: usize) -> Story {
    let mut dice = Dice(seed);
    let kind = match dice.below(20) {
        0..=11 => SpaceKind::Group,
        12..=16 => SpaceKind::Joint { persons_max: 2 + dice.below(3) as u16 },
        _ => SpaceKind::Personal,
    };
    let label = format!("history {seed}");
    let steps = 2 + dice.below(steps);
    match dice.below(20) {
        0..=6 => {
            let mut story = Story::found(kind, label, dice, true);
            story.goes_on(steps);
            story
        }
        7..=10 => {
            let mut story = Story::found(kind, label, dice, false);
            story.goes_on(steps);
            story
        }
        11..=14 => stolen(Story::found(kind, label, dice, true), steps, By::Words),
        15..=17 => stolen(Story::found(kind, label, dice, true), steps, By::Device),
        _ => stolen(Story::found(SpaceKind::Group, label, dice, true), steps, By::Steward),
    }
}

/// Somebody's devices and younger words are in other hands; at the end they are put out, and sign on.
fn stolen(mut story: Story, steps: usize, by: By) -> Story {
    let founders = by != By::Steward && (story.history.kind == SpaceKind::Personal || story.dice.percent(40));
    let victim = if founders { 0 } else { story.human(false).expect("there is room for one") };
    if !founders {
        let op = story.asks(victim);
        story.sign(0, victim, op, vec![0]);
    }
    let human = story.people[victim as usize];
    story.people[victim as usize].honest = false;
    // One of the first two devices is stolen.
    let first = story.dice.percent(50);
    story.hands[human.first as usize].honest = first;
    story.hands[human.words as usize].honest = true;
    let other = story.key(victim, false, !first).expect("there is room for one");
    for key in [human.first, human.words] {
        story.hands[key as usize].seen = story.whole();
    }
    let listed = story.says(human.first, victim, Op::Device { new: other, fits: true });
    story.hands[other as usize].seen = story.past[listed] | 1 << listed;
    // A device has no say over words.
    if by != By::Device && story.dice.percent(50) {
        let new = story.key(victim, true, false).expect("there is room for one");
        story.hands[human.words as usize].seen = story.whole();
        story.says(human.words, victim, Op::Recovery { new, fits: true });
    }
    story.goes_on(steps);
    story.turns(by, victim);
    story
}

impl Story {
    fn goes_on(&mut self, steps: usize) {
        for _ in 0..steps {
            if self.is_full() {
                return;
            }
            // Who does nothing in a step has nothing to do.
            let _ = match self.dice.below(20) {
                0..=7 => self.steward(),
                8..=12 => self.somebody(),
                _ => self.hostile(),
            };
        }
    }

    /// Puts out the keys of the person that are in other hands, and lets these sign on.
    fn turns(&mut self, by: By, person: Tag) {
        let spoken = self.len();
        let hostile = self.listed_for(person, |story, key| !story.hands[key as usize].honest);
        let devices = match by {
            By::Words => Some(self.words_speak(person)),
            By::Device => self.device_speaks(person, &hostile),
            By::Steward => self.steward_speaks(person),
        };
        let Some(devices) = devices else { return };
        self.turn = Some(Turn { by, person, devices, at: self.len() });
        for _ in 0..4 + self.dice.below(16) {
            let hostile = self.listed_for(person, |story, key| !story.hands[key as usize].honest);
            let key = self.dice.of(&hostile);
            if let Some(key) = key.filter(|_| !self.is_full()) {
                // Mostly as if it had been signed before.
                let at = if self.dice.percent(75) { 1 + self.dice.below(spoken) } else { self.len() };
                self.does(key, person, (1 << at) - 1);
            }
        }
    }

    /// Every key that an entry ever listed for the person, whatever became of that.
    fn listed_for(&self, person: Tag, is: impl Fn(&Self, Key) -> bool) -> Vec<Key> {
        let of = |place: usize| if self.fact(place).person == person { lists(self.fact(place)) } else { Vec::new() };
        let mut keys: Vec<Key> = (0..self.len()).flat_map(of).filter(|key| is(self, *key)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The words put out every key but the devices that they name, and restore those. They leave out of their parents
    /// what they disown: leaves, and what younger words did that nothing takes back. The devices that they name.
    fn words_speak(&mut self, person: Tag) -> Vec<Key> {
        let words = self.people[person as usize].words;
        let takes_away = |place: &usize| {
            let fact = self.fact(*place);
            let device = |key: Key| !self.hands[key as usize].words;
            // A device that younger words listed as words is no device, as long as that counts.
            let makes_words =
                if let Op::Recovery { new, .. } = fact.op { fact.key != words && device(new) } else { false };
            let takes = makes_words || matches!(fact.op, Op::Leave | Op::Lost { .. });
            // What does not count today may count again when what took it away is put out.
            fact.person == person && self.is_authorised(*place) && takes
        };
        let disowned = places(self.whole()).filter(takes_away).fold(0, |all, place| all | 1 << place);
        let mut seen: Places = self.without(self.whole(), disowned) | self.hands[words as usize].seen;
        let known = |story: &Self, seen| story.listed_for(person, |story, key| story.is_listed_in(seen, key, person));
        let honest = known(self, seen).into_iter().filter(|key| {
            let hand = self.hands[*key as usize];
            hand.honest && !hand.words && hand.person == person
        });
        let honest: Vec<Key> = honest.collect();
        let named: Vec<Key> = honest.into_iter().filter(|_| self.dice.percent(70)).collect();
        // What was listed by who knew what they disown they cannot put out before that is cut.
        let mut done = vec![words];
        for all in [false, true] {
            seen = if all { self.whole() } else { seen };
            for target in known(self, seen).into_iter().filter(|key| !done.contains(key)).collect::<Vec<_>>() {
                let op = match (named.contains(&target), self.dice.percent(30)) {
                    (true, _) => Op::Restore { target },
                    (false, true) => Op::Lost { target },
                    (false, false) => Op::Suspend { target },
                };
                let parents = self.heads(seen);
                let place = self.sign(words, person, op, parents);
                (seen, done) = (seen | 1 << place, [done, vec![target]].concat());
            }
        }
        let mut named = named;
        if let Some(new) = self.key(person, false, true).filter(|_| self.dice.percent(60)) {
            let parents = self.heads(seen);
            self.sign(words, person, Op::Device { new, fits: true }, parents);
            named.push(new);
        }
        named
    }

    /// Whether an honest hand's listing is among these.
    fn is_listed_in(&self, set: Places, key: Key, person: Tag) -> bool {
        places(set).any(|place| self.fact(place).person == person && lists(self.fact(place)).contains(&key))
    }

    /// Nobody removes anybody from a space that has ended.
    fn steward_speaks(&mut self, person: Tag) -> Option<Vec<Key>> {
        self.hands[0].seen |= self.whole();
        let parents = self.heads(self.whole());
        self.would_grant(0, person, Op::Remove, &parents).then(|| self.says(0, person, Op::Remove))?;
        Some(Vec::new())
    }

    /// A device of the person puts the others out, if it is active itself.
    fn device_speaks(&mut self, person: Tag, hostile: &[Key]) -> Option<Vec<Key>> {
        let honest = self.keys(person, |hand| hand.honest && !hand.words && hand.seen != 0);
        let active: Vec<Key> = honest.into_iter().filter(|key| self.is_active(self.whole(), *key, person)).collect();
        let device = self.dice.of(&active)?;
        self.hands[device as usize].seen |= self.whole();
        for target in hostile {
            self.says(device, person, Op::Suspend { target: *target });
        }
        Some(Vec::new())
    }
}
