//! Somebody is put out of the space, by its own words typed on another device, and perhaps let in again.

use alliance_crypto::{RecoverySecret, Verified};
use alliance_wire::membership::{Operation, Restore, Stop};
use alliance_wire::{Frame, Incarnation, SignerKey, Stream};

use super::Driver;
use crate::world::World;

/// A device that was put out.
pub struct PutOut {
    /// Which node.
    pub victim: usize,
    /// What puts it out.
    pub by: Verified,
    /// What lets it in again.
    pub back: Option<Verified>,
    words: RecoverySecret,
    incarnation: Incarnation,
}

impl Driver {
    /// The node that is out as far as the founder's device knows.
    #[must_use]
    pub fn is_out(&self) -> Option<usize> {
        let victim = self.out.as_ref()?.victim;
        self.nodes[0].replica.is_former(self.space, self.nodes[victim].key).then_some(victim)
    }

    /// A device is suspended or lost by its person's words, typed on the founder's device; or restored by them.
    pub(super) fn put_out_or_back(&mut self) {
        let known = self.nodes[0].replica.hashes(self.space).len() >= self.world.membership.len();
        if !known || self.nodes[0].replica.full || self.nodes.len() < 3 {
            return;
        }
        match self.out.take() {
            None => self.put_out(),
            Some(out) => {
                let here = self.nodes[0].replica.hashes(self.space).contains(&out.by.hash());
                self.out = Some(if here && out.back.is_none() { self.let_back(out) } else { out });
            }
        }
    }

    fn put_out(&mut self) {
        let victim = 1 + self.random.below(self.nodes.len() - 2);
        let Some(membership) = self.nodes[0].replica.membership(self.space) else { return };
        let Some(writer) = &self.nodes[victim].writer else { return };
        let words = RecoverySecret::from_seed(*writer.recovery.seed());
        let Some(person) = membership.state().person_of(self.nodes[victim].key) else { return };
        let parents = membership.heads();
        let ending = World::ending(membership.generation_after(&parents), &mut self.random);
        let stop = Stop { target: SignerKey::from(self.nodes[victim].key), ending };
        let operation = if self.random.chance(50) { Operation::Lost(stop) } else { Operation::Suspend(stop) };
        let incarnation = Incarnation(self.random.bytes16());
        let by = self.world.by_key(&words, incarnation, None, (person, parents), operation);
        self.out = Some(PutOut { victim, by: by.clone(), back: None, words, incarnation });
        let tail = self.nodes[0].replica.append(by);
        self.tell(0, usize::MAX, tail);
    }

    fn let_back(&mut self, out: PutOut) -> PutOut {
        let key = self.nodes[out.victim].key;
        let Some(membership) = self.nodes[0].replica.membership(self.space) else { return out };
        let suspended = membership.state().suspended.iter().find(|(_, target)| *target == SignerKey::from(key));
        let Some((person, target)) = suspended.copied() else { return out };
        let restore = Operation::Restore(Restore { target });
        let place = (person, membership.heads());
        let back = self.world.by_key(&out.words, out.incarnation, Some(&out.by), place, restore);
        let tail = self.nodes[0].replica.append(back.clone());
        self.tell(0, usize::MAX, tail);
        PutOut { back: Some(back), ..out }
    }

    /// What this end sends of others, though its replica knows that the peer is out.
    pub(super) fn look_for_leaks(&mut self, at: usize, side: usize, frame: &Frame) {
        let link = &mut self.links[at];
        let (node, peer) = (link.ends[side].node, link.ends[1 - side].node);
        if let Frame::Log { name, .. } = frame {
            link.ends[side].named.push(name.stream);
        } else if let Frame::Run(run) = frame {
            let data = link.ends[side].named.get(run.log as usize) == Some(&Stream::Data);
            let out = self.nodes[node].replica.is_former(self.space, self.nodes[peer].key);
            self.leaks += u64::from(data && out);
        }
    }
}
