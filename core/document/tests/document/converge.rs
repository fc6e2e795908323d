//! Three replicas write apart, meet now and then, in any order: at the end they hold the same.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

use alliance_document::gate::{Candidate, Gate, Rules, Verdict};
use alliance_document::{Document, View, ViewContext, WorkingCopy};
use alliance_model::{Command, DecisionCommand, DocumentKind, RefusalCode};

use crate::random::Random;
use crate::support::commands::random_command;
use crate::support::replica::{self, PEOPLE, Replica, context, id_of};

/// A replica and what it has taken in of each other's log.
struct Peer {
    replica: Replica,
    seen: [usize; 3],
    pending: Vec<Candidate>,
}

impl Peer {
    fn write(&mut self, random: &mut Random) {
        let heads = self.replica.document.heads();
        let mut copy = WorkingCopy::open(&self.replica.document, &heads, self.replica.actor, Vec::new(), 0).unwrap();
        for _ in 0..1 + random.below(8) {
            let command = random_command(random, &copy.view(context()).unwrap());
            let begins = matches!(command, Command::Decision(DecisionCommand::Begin { .. }));
            if begins && self.replica.person != Some(PEOPLE[0].0) {
                // A program begins its own person's only.
                continue;
            }
            match copy.prepare(0, &command, ViewContext { me: self.replica.name, ..context() }) {
                Ok(prepared) => prepared.into_iter().for_each(|command| copy.record(command).unwrap()),
                Err(refusal) => {
                    assert_eq!(refusal.code, RefusalCode::NotAuthor, "what somebody else put on the agenda")
                }
            }
        }
        if !copy.seal(&self.replica.document).unwrap().is_empty() {
            self.replica.write_at(&heads, copy.commands());
        }
    }

    /// Takes up to `count` further entries of a log, whether or not what they build on is here.
    fn take(&mut self, who: usize, log: &[Candidate], count: usize) {
        let until = (self.seen[who] + count).min(log.len());
        self.pending.extend(log[self.seen[who]..until].iter().map(|candidate| Candidate {
            entry: u64::try_from(who).unwrap() * 1_000 + candidate.entry,
            ..candidate.clone()
        }));
        self.seen[who] = until;
        let judged = self.replica.judge(&self.pending);
        let waiting: Vec<u64> = judged
            .verdicts
            .iter()
            .filter(|(_, verdict)| {
                assert!(matches!(verdict, Verdict::Admitted | Verdict::Waiting(_)), "{verdict:?}");
                *verdict != Verdict::Admitted
            })
            .map(|(entry, _)| *entry)
            .collect();
        self.pending.retain(|candidate| waiting.contains(&candidate.entry));
    }
}

fn exchange(peers: &mut [Peer], random: &mut Random, all: bool) {
    let logs: Vec<Vec<Candidate>> = peers.iter().map(|peer| peer.replica.log.clone()).collect();
    for (me, peer) in peers.iter_mut().enumerate() {
        for (who, log) in logs.iter().enumerate().filter(|(who, _)| *who != me) {
            let count = if all { log.len() } else { random.below(3) };
            peer.take(who, log, count);
        }
    }
}

#[test]
fn three_replicas_converge() {
    for seed in 0..40 {
        println!("seed {seed}");
        let kind = DocumentKind::ALL[usize::try_from(seed % 13).unwrap()];
        let mut random = Random::new(seed);
        let mut peers: Vec<Peer> = ["asha", "ben", "carol"]
            .into_iter()
            .map(|name| Peer { replica: Replica::new(name, kind), seen: [0; 3], pending: Vec::new() })
            .collect();
        for _ in 0..10 {
            for peer in &mut peers {
                if random.below(3) > 0 {
                    peer.write(&mut random);
                }
            }
            exchange(&mut peers, &mut random, false);
        }
        exchange(&mut peers, &mut random, true);
        let view = peers[0].replica.document.view(context()).unwrap();
        let json = serde_json::to_string(&view).unwrap();
        assert_eq!(serde_json::from_str::<View>(&json).unwrap(), view, "a view survives JSON");
        for peer in &peers {
            assert!(peer.pending.is_empty());
            assert_eq!(peer.replica.document.heads(), peers[0].replica.document.heads());
            assert_eq!(peer.replica.document.view(context()).unwrap(), view);
            let bytes = peer.replica.document.verified_save().unwrap();
            let loaded = Document::load(id_of(kind), kind, &bytes).unwrap();
            assert_eq!(loaded.view(context()).unwrap(), view);
            assert_eq!(
                Gate::open(&loaded, Rules::ALL, replica::person).unwrap().index().rows(),
                peer.replica.gate.index().rows()
            );
        }
    }
}
