//! What hostile hands sign meanwhile: Cay's, and those of who is out.

use alliance_crypto::{EpochKey, Inserted, MembershipError, Secret as _, make_boxes, new_epoch};
use alliance_wire::membership::{CardForOwn, Operation, OwnDevice};
use alliance_wire::{BoxKey, EpochId, HeaderHash, SignerKey};

use super::Crowd;
use crate::support::crowd::{BEN, CAY, PHONE};
use crate::support::fixture::{Person, World};

impl Crowd {
    /// So many times in a hundred, each hostile hand signs something on old heads; so does a stranger.
    pub(super) fn noise(&mut self, percent: usize) {
        let hostile: Vec<usize> =
            [BEN, CAY, PHONE].into_iter().filter(|hand| *hand == CAY || !self.ledger.is_in(*hand)).collect();
        for hand in hostile {
            while self.dice.percent(percent) {
                self.signs_something(hand);
            }
        }
        let tag = self.group.hands[CAY].tag;
        let entry = Person::new(99).write_for(self.group.world.space, tag, self.heads(), World::relay("x:1"));
        let kept = self.group.world.membership.insert(&entry) != Err(MembershipError::Stranger);
        self.strangers_kept += usize::from(kept);
        if kept {
            self.group.world.entries.push(entry);
        }
    }

    /// After members settled: a box for nobody in the epoch that they use, and an epoch of a wrong generation.
    pub(super) fn spoils(&mut self, epoch: EpochId) {
        let hand = self.group.hands[CAY].double();
        let space = self.group.world.space;
        if let Some(key) = self.group.ring(&hand.device).get(epoch).cloned() {
            let boxes = make_boxes(&hand.device, [4; 32], space, epoch, &key, &[recipient(&Person::new(98))]);
            self.hostile(&hand, self.group.world.membership.heads(), Operation::Box(boxes));
        }
        self.epoch(&hand, self.group.world.membership.heads(), u64::MAX);
    }

    /// Old heads or new ones.
    fn heads(&mut self) -> Vec<HeaderHash> {
        if self.dice.percent(40) {
            return self.group.world.membership.heads();
        }
        let entries = &self.group.world.entries;
        let old = 8 + self.dice.below(entries.len() - 8);
        vec![entries[old].hash()]
    }

    fn signs_something(&mut self, hand: usize) {
        let (person, heads) = (self.group.hands[hand].double(), self.heads());
        let space = self.group.world.space;
        match self.dice.below(6) {
            0 => {
                let generation = [0, 1, 7, u64::MAX][self.dice.below(4)];
                self.epoch(&person, heads, generation);
            }
            1 | 2 => {
                let generation = self.group.world.membership.generation_after(&heads);
                self.epoch(&person, heads, generation);
            }
            3 => {
                let puppet = person.other_device(self.log);
                let card = puppet.device.own_card(&CardForOwn { space, tag: person.tag, by: person.key().into() });
                let boxes = None;
                let device = OwnDevice { card, boxes };
                self.hostile(&person, heads, Operation::Device(device));
                self.puppets.push((hand, puppet));
            }
            4 => {
                let best = self.group.world.membership.best_epoch().map_or(EpochId([1; 16]), |best| best.id);
                let key = self.group.ring(&person.device).get(best).cloned();
                let key = key.unwrap_or_else(|| EpochKey::from_bytes([6; 32]));
                let boxes = make_boxes(&person.device, [4; 32], space, best, &key, &[recipient(&Person::new(98))]);
                self.hostile(&person, heads, Operation::Box(boxes));
            }
            _ => self.hostile(&person, heads, World::relay("z:1")),
        }
    }

    /// An epoch for some of those who are in, for the hand itself and perhaps for nobody's device; its commitment may
    /// be false. Whoever is in could tell anybody what it reads: hands that are out get nothing from it here.
    fn epoch(&mut self, hand: &Person, heads: Vec<HeaderHash>, generation: u64) {
        let mut to = vec![recipient(hand)];
        for other in 0..8 {
            if self.ledger.is_in(other) && self.dice.percent(70) {
                to.push(recipient(&self.group.hands[other]));
            }
        }
        if self.dice.percent(30) {
            to.push(recipient(&Person::new(98)));
        }
        to.sort_unstable();
        to.dedup();
        let space = self.group.world.space;
        let random = [self.log; 32];
        let (mut epoch, _) = new_epoch(&hand.device, random, space, generation, &heads, &to, &[]);
        if self.dice.percent(25) {
            epoch.canary[0] ^= 1;
        }
        self.hostile(hand, heads, Operation::Epoch(epoch));
    }

    /// The hand signs it in a log of its own. Where it was not listed yet it is a stranger.
    fn hostile(&mut self, hand: &Person, heads: Vec<HeaderHash>, operation: Operation) {
        let mut hand = self.new_log(hand);
        let entry = hand.write(self.group.world.space, heads, operation);
        match self.group.world.membership.insert(&entry) {
            Ok(Inserted::New) => self.group.world.entries.push(entry),
            Err(MembershipError::Stranger) => {}
            other => panic!("{other:?}"),
        }
    }
}

fn recipient(person: &Person) -> (SignerKey, BoxKey) {
    (person.key().into(), person.device.box_key())
}
