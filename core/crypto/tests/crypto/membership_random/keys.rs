//! Real entries and keys: after random changes two are made at once, and whoever is out opens nothing that is written
//! when both were seen, and every member opens it, whatever hostile hands signed meanwhile.

mod noise;

use alliance_crypto::{
    DataAt, DataVerdict, EpochKey, Inserted, Keyring, Membership, MembershipRules, Rules, Verified, open, seal,
};
use alliance_wire::membership::CutOff;
use alliance_wire::{EpochId, HashPrefix, HeaderHash, Incarnation, LogId, LogName, Stream};

use crate::support::crowd::{BEN, CAY, CHANGES, Change, DAN, Group, LAPTOP, PEOPLE, PHONE, STEWARD, TABLET, replica};
use crate::support::fixture::Person;
use crate::support::history::Dice;

const LOG: LogId = LogId([5; 20]);
const WORDS: &[u8] = b"what is written when both were seen";

/// What the test knows of who is in: by what honest hands did, not by what the evaluation says.
#[derive(Debug, Clone, Default)]
struct Ledger {
    ben_removed: bool,
    ben_left: bool,
    cay_removed: bool,
    phone_out: bool,
    demoted: bool,
    dan: bool,
    laptop: bool,
    /// By device, the last number of its data log that counts.
    ends: Vec<(usize, u64)>,
}

impl Ledger {
    const fn is_in(&self, hand: usize) -> bool {
        match hand {
            PHONE => !self.phone_out,
            BEN => !self.ben_removed && !self.ben_left,
            CAY => !self.cay_removed,
            DAN => self.dan,
            LAPTOP => self.laptop,
            _ => true,
        }
    }

    /// Whether the words of the person whose device this is are a member's.
    const fn are_words_in(&self, hand: usize) -> bool {
        hand == PHONE || self.is_in(hand)
    }

    /// Honest devices that may write. Cay's is hostile.
    fn writers(&self) -> Vec<usize> {
        let reader = |hand: usize| self.demoted && [PHONE, TABLET, LAPTOP].contains(&hand);
        (0..8).filter(|hand| *hand != CAY && self.is_in(*hand) && !reader(*hand)).collect()
    }

    fn may(&self, change: Change) -> bool {
        match change {
            Change::Add => !self.dan,
            Change::RemoveBen => !self.ben_removed,
            Change::RemoveCay | Change::Rotate => !self.cay_removed,
            Change::ListLaptop => !self.laptop && !self.phone_out,
            Change::SuspendPhone => !self.phone_out,
            Change::Demote => !self.demoted,
            Change::BenLeaves => self.is_in(BEN),
        }
    }

    /// Takes a change that was made in the knowledge of all before.
    fn takes(&mut self, change: Change, ends: &[(usize, u64)]) {
        match change {
            Change::Add => self.dan = true,
            Change::RemoveBen => self.ben_removed = true,
            Change::RemoveCay => self.cay_removed = true,
            Change::Rotate => {}
            Change::ListLaptop => self.laptop = true,
            Change::SuspendPhone => self.phone_out = true,
            Change::Demote => self.demoted = true,
            Change::BenLeaves => self.ben_left = true,
        }
        self.ends.extend(ends);
    }
}

/// One random history and who is who in it.
pub(crate) struct Crowd {
    rules: MembershipRules,
    group: Group,
    ledger: Ledger,
    dice: Dice,
    /// Devices that hostile hands listed, with those hands.
    puppets: Vec<(usize, Person)>,
    log: u8,
    /// The heads of the beginning, as data names them.
    before: Vec<HashPrefix>,
    /// The epoch of the beginning.
    first: EpochId,
    strangers_kept: usize,
    /// Devices that were in at the beginning and are out at the end.
    pub(crate) kept_out: usize,
    pub(crate) pair: Option<(Change, Change)>,
}

type Broken = Result<(), (&'static str, String)>;

fn law(name: &'static str, holds: bool, how: impl FnOnce() -> String) -> Broken {
    if holds { Ok(()) } else { Err((name, how())) }
}

/// Whether any of these keys opens what is written under that one.
fn opens(keys: &Keyring, key: &EpochKey) -> bool {
    let sealed = seal(Rules::ALL, key, LOG, b"", WORDS, [7; 32]).unwrap();
    keys.iter().any(|(_, key)| open(Rules::ALL, key, LOG, b"", &sealed).as_deref() == Ok(WORDS))
}

fn data_log(hand: &Person) -> LogName {
    LogName::new(hand.key(), Incarnation([77; 16]), Stream::Data)
}

fn number(seq: u64) -> HeaderHash {
    HeaderHash([u8::try_from(seq).unwrap(); 32])
}

impl Crowd {
    pub(crate) fn new(base: &Group, rules: MembershipRules, seed: u64) -> Self {
        let group = base.under(rules);
        let before = group.world.membership.head_prefixes();
        let first = group.world.membership.best_epoch().unwrap().id;
        Self {
            rules,
            group,
            ledger: Ledger::default(),
            dice: Dice(seed),
            puppets: Vec::new(),
            log: 100,
            before,
            first,
            strangers_kept: 0,
            kept_out: 0,
            pair: None,
        }
    }

    /// The whole history, and the first promise that is broken.
    pub(crate) fn run(&mut self) -> Broken {
        for _ in 0..self.dice.below(3) {
            let change = self.change(None);
            let (entry, ends) = self.sign(change, false);
            self.group.take(entry);
            self.ledger.takes(change, &ends);
            self.noise(30);
            if self.dice.percent(50) {
                let writers = self.ledger.writers();
                self.group.settle(&writers);
            }
        }
        self.at_once()?;
        self.noise(60);
        law("nobody keeps what a stranger says", self.strangers_kept == 0, || "it was kept".to_owned())?;
        let writers = self.ledger.writers();
        let Some(epoch) = self.group.settle(&writers) else {
            return law("members find an epoch to write under", false, || "none".to_owned());
        };
        self.reads(&writers, epoch)?;
        self.spoils(epoch);
        let best = self.group.world.membership.best_epoch().map(|best| best.id);
        law("an epoch in use stays in use", best == Some(epoch), || format!("{best:?} after {epoch:?}"))?;
        self.data()?;
        self.agree(&self.group.world.membership, &self.replica(self.dice.0))
    }

    fn replica(&self, seed: u64) -> Membership {
        replica(self.rules, self.group.world.space, &self.group.world.entries, seed)
    }

    fn agree(&self, one: &Membership, other: &Membership) -> Broken {
        let same = one.state() == other.state()
            && one.heads() == other.heads()
            && one.best_epoch() == other.best_epoch()
            && one.missing_boxes() == other.missing_boxes();
        law("all replicas agree on members and epoch", same, || format!("{:?}: {:?}", self.pair, one.best_epoch()))
    }

    /// A change that makes sense now, other than this one.
    fn change(&mut self, but: Option<Change>) -> Change {
        let may: Vec<Change> = CHANGES.into_iter().filter(|it| Some(*it) != but && self.ledger.may(*it)).collect();
        self.dice.of(&may).unwrap_or(Change::Rotate)
    }

    /// Signs it, with the ends of the data that it concerns.
    fn sign(&mut self, change: Change, second: bool) -> (Verified, Vec<(usize, u64)>) {
        let hands: &[usize] = match change {
            Change::RemoveBen | Change::BenLeaves => &[BEN],
            Change::RemoveCay => &[CAY],
            Change::SuspendPhone => &[PHONE],
            Change::Demote => &[PHONE, TABLET, LAPTOP],
            Change::Add | Change::Rotate | Change::ListLaptop => &[],
        };
        let ends: Vec<(usize, u64)> = hands.iter().map(|hand| (*hand, 2 + self.dice.below(7) as u64)).collect();
        let cut = |(hand, seq): &(usize, u64)| {
            let log = data_log(&self.group.hands[*hand]).id(self.group.world.space);
            CutOff { log, seq: *seq, hash: number(*seq) }
        };
        let cut_offs = ends.iter().map(cut).collect();
        (self.group.sign(change, second, cut_offs), ends)
    }

    /// Two changes that do not know of each other, taken in both orders.
    fn at_once(&mut self) -> Broken {
        let one = self.change(None);
        let other = self.change(Some(one));
        if one == other {
            return Ok(());
        }
        self.pair = Some((one, other));
        let (first, ends) = self.sign(one, false);
        let (second, more) = self.sign(other, true);
        let [mut forth, mut back] = [0, 1].map(|_| self.group.world.membership.clone());
        for (replica, order) in [(&mut forth, [&first, &second]), (&mut back, [&second, &first])] {
            for entry in order {
                assert_eq!(replica.insert(entry), Ok(Inserted::New));
            }
        }
        self.agree(&forth, &back)?;
        self.group.take(first);
        self.group.take(second);
        self.ledger.takes(one, &ends);
        self.ledger.takes(other, &more);
        let both = |a, b| (one, other) == (a, b) || (one, other) == (b, a);
        // What the suspended phone lists, who suspends it has not seen.
        if (one, other) == (Change::ListLaptop, Change::SuspendPhone) {
            self.ledger.laptop = false;
        }
        // A leave that the removal has not seen does not count, nor does where it ends the data.
        if both(Change::BenLeaves, Change::RemoveBen) {
            let removal = if one == Change::RemoveBen { &ends } else { &more };
            self.ledger.ends.retain(|(hand, _)| *hand != BEN);
            self.ledger.ends.extend(removal);
        }
        Ok(())
    }

    /// Whether each hand, and each person's words, opens what one of the writers writes under the epoch.
    fn reads(&mut self, writers: &[usize], epoch: EpochId) -> Broken {
        let writer = self.dice.of(writers).unwrap();
        let key = self.group.ring(&self.group.hands[writer].device).get(epoch).cloned();
        let Some(key) = key else {
            return law("every member opens it", false, || format!("hand {writer} has no key to write with"));
        };
        let device = |hand: usize| self.group.ring(&self.group.hands[hand].device);
        let words = |hand: usize| self.group.ring(&self.group.hands[hand].recovery);
        let how = |what: &str, hand: usize| format!("{:?}, {what} {hand}, {:?}", self.pair, self.ledger);
        for hand in 0..8 {
            let (is_in, opens) = (self.ledger.is_in(hand), opens(&device(hand), &key));
            law("every member opens it", !is_in || opens, || how("device", hand))?;
            law("nobody who is out opens it", is_in || !opens, || how("device", hand))?;
        }
        for hand in PEOPLE {
            let (are_in, opens) = (self.ledger.are_words_in(hand), opens(&words(hand), &key));
            law("every member opens it", !are_in || opens, || how("words of", hand))?;
            law("nobody who is out opens it", are_in || !opens, || how("words of", hand))?;
        }
        for (hand, puppet) in self.puppets.iter().filter(|(hand, _)| !self.ledger.is_in(*hand)) {
            let opens = opens(&self.group.ring(&puppet.device), &key);
            law("nobody who is out opens it", !opens, || how("puppet of", *hand))?;
        }
        // The control: who is out opens what was written before, so that the look at its keys is a look at its keys.
        let first = device(STEWARD).get(self.first).unwrap().clone();
        for hand in [BEN, CAY, PHONE].into_iter().filter(|hand| !self.ledger.is_in(*hand)) {
            assert!(opens(&device(hand), &first), "{}", how("device", hand));
            self.kept_out += 1;
        }
        Ok(())
    }

    /// Data of who was a writer at the beginning counts up to the smallest end of its log.
    fn data(&self) -> Broken {
        for hand in [BEN, CAY, PHONE, TABLET] {
            let Some(end) = self.ledger.ends.iter().filter(|(of, _)| *of == hand).map(|(_, seq)| *seq).min() else {
                continue;
            };
            let name = data_log(&self.group.hands[hand]);
            let judged = [end, end + 1].map(|seq| {
                let at = DataAt { name: &name, seq, hash: number(seq), heads: &self.before };
                self.group.world.membership.judge_data(&at, |_| false)
            });
            let expected = [DataVerdict::Counts, DataVerdict::Quarantined];
            law("data counts up to its cut-off", judged == expected, || {
                format!("device {hand}: {judged:?}, end {end}")
            })?;
        }
        Ok(())
    }

    /// A log that nobody used yet.
    fn new_log(&mut self, hand: &Person) -> Person {
        self.log += 1;
        hand.in_new_log(self.log)
    }
}
