//! A random history with what its author knows of it: whose each key really is, which hands are honest, and what the
//! steward and each person meant.

use alliance_crypto::MembershipRules;
use alliance_crypto::membership::evaluation::{Evaluated, Evaluation, Fact, Key, Op, Tag};
use alliance_wire::membership::{Role, SpaceKind};

use crate::support::history::{Dice, History, Item};

/// The bound on persons; tags beyond the first five are never made.
pub(crate) const PEOPLE_MAX: usize = 5;
/// Its bound on devices.
const DEVICES_MAX: usize = 8;
/// Entries are bits of one number.
const ITEMS_MAX: usize = 100;

/// A set of entries, by place.
pub(crate) type Places = u128;

/// A key and whose it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hand {
    pub(crate) person: Tag,
    pub(crate) words: bool,
    pub(crate) honest: bool,
    /// What this hand has seen.
    pub(crate) seen: Places,
}

/// A person: the keys and the role that its card asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Human {
    pub(crate) first: Key,
    pub(crate) words: Key,
    pub(crate) role: Role,
    /// Everybody who holds a key of its is honest.
    pub(crate) honest: bool,
}

/// Some keys of a person are put out, and sign on all the same.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) by: By,
    pub(crate) person: Tag,
    /// The devices that the words name; nothing where no words speak.
    pub(crate) devices: Vec<Key>,
    /// How many entries there were when it had been signed.
    pub(crate) at: usize,
}

/// Who puts them out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum By {
    Words,
    Device,
    Steward,
}

#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) history: History,
    /// The ancestors of each entry.
    pub(crate) past: Vec<Places>,
    /// By key.
    pub(crate) hands: Vec<Hand>,
    /// By tag; 0 is the steward.
    pub(crate) people: Vec<Human>,
    pub(crate) turn: Option<Turn>,
    pub(crate) dice: Dice,
    /// The history so far, so that most of what is signed does something. No law asks it.
    tried: Evaluation,
}

/// The keys that an entry lists, for whomever.
pub(crate) fn lists(fact: &Fact) -> Vec<Key> {
    if let Op::First { new, recovery } | Op::Add { new, recovery, .. } = fact.op {
        vec![new, recovery]
    } else if let Op::Device { new, .. } | Op::Recovery { new, .. } = fact.op {
        vec![new]
    } else {
        Vec::new()
    }
}

/// The places in a set, smallest first.
pub(crate) fn places(set: Places) -> impl Iterator<Item = usize> {
    (0..ITEMS_MAX).filter(move |place| set >> place & 1 == 1)
}

impl Story {
    /// A space and its founder, who holds one device.
    pub(crate) fn found(kind: SpaceKind, label: String, mut dice: Dice, honest: bool) -> Self {
        let hash = random_hash(&mut dice);
        let op = Op::First { new: 0, recovery: 1 };
        let first = Item { fact: Fact { hash, key: 0, person: 0, op, parents: Vec::new() }, parents: Vec::new() };
        let hand = |words| Hand { person: 0, words, honest, seen: 1 };
        Self {
            history: History { label, kind, items: vec![first] },
            past: vec![0],
            hands: vec![hand(false), hand(true)],
            people: vec![Human { first: 0, words: 1, role: Role::Signer, honest }],
            turn: None,
            dice,
            tried: Evaluation::new(MembershipRules::ALL, kind, hash, (0, 1), 0),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.history.items.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() == ITEMS_MAX
    }

    pub(crate) fn fact(&self, place: usize) -> &Fact {
        &self.history.items[place].fact
    }

    pub(crate) fn whole(&self) -> Places {
        (1 << self.len()) - 1
    }

    /// A key of the person that nothing lists yet; none once there are eight.
    pub(crate) fn key(&mut self, person: Tag, words: bool, honest: bool) -> Option<Key> {
        let spare = self.keys(person, |hand| hand.words == words && hand.honest == honest);
        if let Some(key) = spare.into_iter().find(|key| self.entries(|fact| lists(fact).contains(key)) == 0) {
            return Some(key);
        }
        let count = self.hands.iter().filter(|hand| hand.words == words).count();
        if count == DEVICES_MAX {
            return None;
        }
        self.hands.push(Hand { person, words, honest, seen: 0 });
        Key::try_from(self.hands.len() - 1).ok()
    }

    /// A person with a device and words that nobody admitted yet; none once there are five.
    pub(crate) fn human(&mut self, honest: bool) -> Option<Tag> {
        let tags = 1..Tag::try_from(self.people.len()).ok()?;
        let is_spare = |tag: &Tag| {
            let human = &self.people[*tag as usize];
            human.honest == honest && self.entries(|fact| lists(fact).contains(&human.first)) == 0
        };
        if let Some(tag) = tags.into_iter().find(is_spare) {
            return Some(tag);
        }
        if self.people.len() == PEOPLE_MAX {
            return None;
        }
        let tag = Tag::try_from(self.people.len()).ok()?;
        let (first, words) = (self.key(tag, false, honest)?, self.key(tag, true, honest)?);
        let role = self.role();
        self.people.push(Human { first, words, role, honest });
        Some(tag)
    }

    pub(crate) fn role(&mut self) -> Role {
        [Role::Reader, Role::Writer, Role::Signer][self.dice.below(3)]
    }

    /// Keys of the person that satisfy this.
    pub(crate) fn keys(&self, person: Tag, is: impl Fn(&Hand) -> bool) -> Vec<Key> {
        let of = |(key, hand): (usize, &Hand)| (hand.person == person && is(hand)).then_some(key as Key);
        self.hands.iter().enumerate().filter_map(of).collect()
    }

    /// The newest entries of a set.
    pub(crate) fn heads(&self, set: Places) -> Vec<usize> {
        let below = places(set).fold(0, |below, place| below | self.past[place]);
        places(set & !below).collect()
    }

    /// A set with all ancestors.
    pub(crate) fn closed(&self, set: Places) -> Places {
        places(set).fold(set, |all, place| all | self.past[place])
    }

    /// The entries of these that build on none of those.
    pub(crate) fn without(&self, set: Places, those: Places) -> Places {
        places(set & !those).filter(|place| self.past[*place] & those == 0).fold(0, |all, place| all | 1 << place)
    }

    /// Entries that satisfy this.
    pub(crate) fn entries(&self, is: impl Fn(&Fact) -> bool) -> Places {
        (0..self.len()).filter(|place| is(self.fact(*place))).fold(0, |all, place| all | 1 << place)
    }

    /// What a set amounts to for who signs next.
    pub(crate) fn evaluated(&self, set: Places) -> Evaluated {
        self.tried.evaluate(&self.tried.closure(places(set)))
    }

    /// Whether the key is an active device, or words, of the person as this set has it.
    pub(crate) fn is_active(&self, set: Places, key: Key, person: Tag) -> bool {
        let evaluated = self.evaluated(set);
        let member = evaluated.members.get(&person);
        !evaluated.ended && member.is_some_and(|m| m.devices.contains(&key) || m.recovery.contains(&key))
    }

    /// Signs an entry on these parents.
    pub(crate) fn sign(&mut self, key: Key, person: Tag, op: Op, parents: Vec<usize>) -> usize {
        let place = self.len();
        let fact = Fact { hash: random_hash(&mut self.dice), key, person, op, parents: Vec::new() };
        let past = self.closed(parents.iter().fold(0, |set, parent| set | 1 << parent));
        // Signed entries are put in as they are signed, so that number and place are one.
        self.tried.insert(Fact { parents: parents.clone(), ..fact.clone() });
        self.past.push(past);
        self.history.items.push(Item { fact, parents });
        self.hands[key as usize].seen |= past | 1 << place;
        place
    }

    /// Signs on all that the hand has seen: an honest hand cites its heads and its own last entry.
    pub(crate) fn says(&mut self, key: Key, person: Tag, op: Op) -> usize {
        let parents = self.heads(self.hands[key as usize].seen);
        self.sign(key, person, op, parents)
    }

    /// Whether the table granted it.
    pub(crate) fn is_authorised(&self, place: usize) -> bool {
        self.tried.is_authorised(place)
    }

    /// Whether the table would grant it.
    pub(crate) fn would_grant(&self, key: Key, person: Tag, op: Op, parents: &[usize]) -> bool {
        let mut tried = self.tried.clone();
        let number = tried.insert(Fact { hash: [0; 32], key, person, op, parents: parents.to_vec() });
        tried.is_authorised(number)
    }
}

fn random_hash(dice: &mut Dice) -> [u8; 32] {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&dice.next().to_be_bytes());
    hash
}
