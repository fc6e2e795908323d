//! Delivered in any order, the same is locked.

use alliance_document::WorkingCopy;
use alliance_document::gate::{Candidate, Verdict};
use alliance_model::note::{Confirmation, NoteCommand as N, NoteState};
use alliance_model::{Command, ItemId};

use super::{confirms, edit, members, note, shown, title};
use crate::random::Random;
use crate::support::replica::{PEOPLE, Replica, both, reading, signature};

/// Writing, confirming and settling apart, delivered in any order: the same is locked everywhere.
#[test]
fn what_is_locked_is_the_same_in_whatever_order_it_came() {
    let (mut locks, mut pairs, mut apart) = (0, 0, 0);
    for seed in 0..120 {
        let mut random = Random::new(seed);
        let mut people = [note("asha"), note("ben")];
        for step in 0..24_u8 {
            let me = random.below(2);
            act(&mut people[me], me, step, &mut random);
            if random.below(3) == 0 {
                meet(&mut people);
            }
        }
        meet(&mut people);
        let view = shown(&people[0]);
        println!("seed {seed}: {} with {} confirmed", view.state, view.confirmed.len());
        for _ in 0..3 {
            let mut late = note("carol");
            deliver(&mut late, &people, &mut random);
            assert_eq!(shown(&late), view, "seed {seed}");
        }
        assert_eq!(shown(&people[1]), view, "seed {seed}");
        locks += usize::from(view.state == NoteState::Locked);
        pairs += usize::from(view.state == NoteState::TwoLocks);
        apart += usize::from(!view.apart.is_empty());
    }
    println!("locked {locks}, two locks {pairs}, written apart {apart}");
    assert!(locks > 0 && pairs > 0 && apart > 0, "each of these has to happen");
}

/// Writes or confirms what can be written or confirmed.
fn act(replica: &mut Replica, me: usize, step: u8, random: &mut Random) {
    let view = shown(replica);
    let known: Vec<String> = view.confirmed.iter().map(|it| it.text.clone()).collect();
    let op = 0x10 + step;
    let command = match random.below(7) {
        0 if !view.is_locked() => edit(0, ["One. ", "Two. ", "Three. "][random.below(3)]),
        1 if !view.is_locked() => title(&format!("title {step}")),
        2 => Command::Note(N::AddAddendum { op: ItemId([op; 8]), text: "And.".into() }),
        _ => {
            let seen = known.get(random.below(known.len() + 1)).unwrap_or(&view.text).parse().unwrap();
            let Some(rendering) = view.rendering(seen, replica.document.heads().to_bytes(), both(), &[]) else {
                return;
            };
            let signature = signature(rendering.frozen, PEOPLE[me].0, 1, true);
            confirms(op, Confirmation { rendering, signature }, seen)
        }
    };
    let heads = replica.document.heads();
    let copy = WorkingCopy::open(&replica.document, &heads, replica.actor, Vec::new(), 1).unwrap();
    if copy.prepare(1, &command, reading(&members())).is_ok() {
        replica.write(&[command]);
    }
}

fn meet(people: &mut [Replica; 2]) {
    let logs = people.each_ref().map(|person| person.log.clone());
    people[0].receive(&logs[1]);
    people[1].receive(&logs[0]);
}

/// Hands in entries, each log in its order and the logs in any, until all of them are in.
fn deliver(replica: &mut Replica, people: &[Replica; 2], random: &mut Random) {
    let mut next = [0, 0];
    let mut pending: Vec<Candidate> = Vec::new();
    while (0..2).any(|who| next[who] < people[who].log.len()) {
        let who = random.below(2);
        for candidate in people[who].log[next[who]..].iter().take(1 + random.below(3)) {
            let entry = u64::try_from(who).unwrap() * 1_000 + candidate.entry;
            pending.push(Candidate { entry, ..candidate.clone() });
            next[who] += 1;
        }
        let judged = replica.judge(&pending);
        let admitted = |entry: u64| judged.verdicts.iter().any(|it| it.0 == entry && it.1 == Verdict::Admitted);
        pending.retain(|candidate| !admitted(candidate.entry));
    }
    assert!(pending.is_empty(), "all of them are in");
}
