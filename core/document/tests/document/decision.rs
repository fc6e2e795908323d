//! A decision in its document: its wording is one person's whoever writes, what both sealed is shown for ever, and every
//! replica shows the same in whatever order it came.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

use alliance_document::gate::{Candidate, Gate, ParkCode, Rules, Verdict};
use alliance_document::{View, ViewContext, WorkingCopy, seal};
use alliance_model::decision::{
    DecisionCommand as D, DecisionField, DecisionList, DecisionState, EthicsCheck, Sealed, Sealing,
};
use alliance_model::{Command, DecisionView, DocumentKind, ItemId, Party, RefusalCode, Splice};
use alliance_wire::{FrozenHash, PersonTag};

use crate::random::Random;
use crate::support::replica::{PEOPLE, Replica, both, person, person_of, reading, signature};

const ASHA: PersonTag = PEOPLE[0].0;
const BEN: PersonTag = PEOPLE[1].0;
const CAROL: PersonTag = PEOPLE[2].0;

fn members() -> Vec<String> {
    ["asha", "ben", "carol"].map(str::to_owned).to_vec()
}

fn shown(replica: &Replica) -> DecisionView {
    let View::Decision(view) = replica.document.view(reading(&members())).unwrap() else { panic!("a decision") };
    view
}

fn replica(name: &'static str) -> Replica {
    Replica::new(name, DocumentKind::Decision)
}

fn edit(field: DecisionField, text: &str) -> Command {
    Command::Decision(D::Edit { id: field.id(), splice: Splice::insert(0, text) })
}

fn option(id: u8, text: &str) -> Vec<Command> {
    let id = ItemId([id; 8]);
    let add = D::Add { id, list: DecisionList::Option, after: None };
    [add, D::Edit { id, splice: Splice::insert(0, text) }].map(Command::Decision).to_vec()
}

fn check(op: u8, person: PersonTag, text: &str) -> Command {
    Command::Decision(D::Check { op: ItemId([op; 8]), check: EthicsCheck { person, text: text.into() } })
}

fn begin() -> Vec<Command> {
    let mut commands = vec![Command::Decision(D::Begin { person: ASHA, session: None })];
    commands.push(edit(DecisionField::Question, "May I tell the school?"));
    commands.push(edit(DecisionField::Rationale, "She trusts me."));
    commands.push(edit(DecisionField::Choice, "I ask her first."));
    commands.extend(option(1, "Tell nobody."));
    commands
}

fn sealing(replica: &Replica, parties: Vec<Party>) -> Sealing {
    let view = shown(replica);
    let seen: FrozenHash = view.text.parse().unwrap();
    view.sealing(seen, replica.document.heads().to_bytes(), parties, Vec::new()).unwrap()
}

fn seals(op: u8, sealing: Sealing, person: PersonTag, valid: bool) -> Command {
    let signature = signature(sealing.frozen, person, op, valid);
    let sealed = Box::new(Sealed { sealing, signature });
    Command::Decision(D::Seal { op: ItemId([op; 8]), sealed, seen: FrozenHash([0; 32]) })
}

/// Asha has decided and Ben has checked it; both have everything.
fn checked() -> (Replica, Replica) {
    let (mut asha, mut ben) = (replica("asha"), replica("ben"));
    let first = asha.write(&begin());
    ben.receive(&[first]);
    let second = ben.write(&[check(2, BEN, "Sound.")]);
    asha.receive(&[second]);
    (asha, ben)
}

/// What `replica` writes without asking anybody, as a program that is not ours does.
fn written(replica: &Replica, commands: &[Command]) -> Candidate {
    let sealed = seal(&replica.document, &replica.document.heads(), replica.actor, commands).unwrap();
    let changes = sealed.into_iter().map(|change| change.bytes).collect();
    Candidate { entry: 9, actor: replica.actor, person: person_of(replica.name), schema: 1, changes }
}

#[test]
fn nobody_words_anothers_decision_whatever_their_program_does() {
    let (asha, ben) = checked();
    let hostile: [(&str, Vec<Command>); 4] = [
        ("words", vec![edit(DecisionField::Choice, "Not: ")]),
        ("something listed", option(7, "Tell the police.")),
        ("taking something out", vec![Command::Decision(D::Remove { id: ItemId([1; 8]) })]),
        ("calling it ethical", vec![Command::Decision(D::SetEthical { ethical: true })]),
    ];
    for (what, commands) in hostile {
        let judge = |by: &Replica, rules: Rules| {
            let mut gate = Gate::open(&asha.document, rules, person).unwrap();
            gate.judge(&[written(by, &commands)]).verdicts[0].1
        };
        assert_eq!(judge(&ben, Rules::ALL), Verdict::ParkedForGood(ParkCode::NotAuthor), "{what}");
        assert_eq!(judge(&ben, Rules { author: false, ..Rules::ALL }), Verdict::Admitted, "{what}: without the rule");
        assert_eq!(judge(&asha, Rules::ALL), Verdict::Admitted, "{what}: her own");
    }
    // Beginning it before she has: the id says that it is hers.
    let early = replica("ben");
    let mut gate = Gate::open(&early.document, Rules::ALL, person).unwrap();
    let begun = written(&early, &begin());
    assert_eq!(gate.judge(&[begun]).verdicts[0].1, Verdict::ParkedForGood(ParkCode::NotAuthor));
    // Their own programs refuse it, too.
    let code = |replica: &Replica, command: &Command| {
        let heads = replica.document.heads();
        let copy = WorkingCopy::open(&replica.document, &heads, replica.actor, Vec::new(), 1).unwrap();
        assert!(copy.needs_people(command));
        let context = ViewContext { me: replica.name, ..reading(&[]) };
        copy.prepare(1, command, context).err().map(|refusal| refusal.code)
    };
    assert_eq!(code(&ben, &edit(DecisionField::Choice, "Not: ")), Some(RefusalCode::NotAuthor));
    assert_eq!(code(&asha, &edit(DecisionField::Choice, "Today ")), None);
    assert_eq!(code(&asha, &check(3, ASHA, "Sound.")), Some(RefusalCode::NotAuthor));
}

/// A maker's own program may write anything of its own decision, but not whose it is, nor what breaks who reads it.
#[test]
fn whose_a_decision_is_says_its_id() {
    let mut asha = replica("asha");
    asha.write(&[Command::Decision(D::Begin { person: BEN, session: None })]);
    assert_eq!(shown(&asha).maker, None, "she says that it is Ben's");
    let (asha, _) = checked();
    assert_eq!(
        (shown(&asha).maker.as_deref(), shown(&asha).maker_name()),
        (Some(ASHA.to_string().as_str()), Some("asha"))
    );
}

#[test]
fn what_somebody_says_in_anothers_name_is_not_said() {
    let (mut asha, mut ben) = checked();
    // Carol's program writes Ben's name, and Asha's checks herself in Carol's.
    let mut carol = replica("carol");
    carol.receive(&asha.log.clone());
    let forged = carol.write(&[check(4, BEN, "Do it."), check(5, CAROL, "I doubt it.")]);
    let own = asha.write(&[check(6, ASHA, "Sound."), check(7, CAROL, "Sound.")]);
    asha.receive(std::slice::from_ref(&forged));
    ben.receive(&[forged, own]);
    for replica in [&asha, &ben] {
        let said: Vec<(String, String)> =
            shown(replica).checks.iter().map(|it| (it.person.clone(), it.text.clone())).collect();
        let expected = [(BEN.to_string(), "Sound.".to_owned()), (CAROL.to_string(), "I doubt it.".to_owned())];
        assert_eq!(said, expected);
    }
}

#[test]
fn what_both_sealed_stays_whatever_is_written_after() {
    let (mut asha, mut ben) = checked();
    let sealing = sealing(&asha, both());
    let one = asha.write(&[seals(3, sealing.clone(), ASHA, true)]);
    // Her other phone goes on wording while Ben seals what he read.
    let late = asha.write(&[edit(DecisionField::Choice, "Perhaps ")]);
    ben.receive(&[one]);
    assert_eq!(shown(&ben).state, DecisionState::SealedBySome);
    let other = ben.write(&[seals(4, sealing, BEN, true)]);
    ben.receive(&[late]);
    asha.receive(&[other]);
    assert_eq!(shown(&asha), shown(&ben));
    let view = shown(&asha);
    assert_eq!((view.state, view.choice.text.as_str()), (DecisionState::Sealed, "I ask her first."));
    assert_eq!((view.apart.len(), view.apart[0].place.as_str()), (1, "parts.choice"));
    let seal = view.sealed().unwrap();
    assert_eq!((seal.signatures.len(), &seal.text), (2, &view.text));
    // A letter typed into it is refused, and so is every other command.
    let heads = asha.document.heads();
    let copy = WorkingCopy::open(&asha.document, &heads, asha.actor, Vec::new(), 1).unwrap();
    let members = members();
    let context = ViewContext { me: "asha", ..reading(&members) };
    for command in [edit(DecisionField::Choice, "x"), Command::Decision(D::SetEthical { ethical: true })] {
        assert_eq!(copy.prepare(1, &command, context).unwrap_err().code, RefusalCode::Sealed);
    }
}

#[test]
fn what_is_not_what_it_says_seals_nothing() {
    let (asha, _) = checked();
    let honest = sealing(&asha, both());
    let with = |change: &dyn Fn(&mut Sealing)| {
        let mut sealing = honest.clone();
        change(&mut sealing);
        sealing
    };
    let alone = |parties: Vec<Party>| {
        let sealing = with(&|it| it.parties.clone_from(&parties));
        let text = shown(&asha);
        let frozen = sealing.hash_of(&text.document, &alliance_model::decision::DecisionText::of(&text));
        Sealing { frozen, ..sealing }
    };
    let count = |sealing: &Sealing, valid| {
        let mut there = asha.clone();
        there.write(&[seals(3, sealing.clone(), ASHA, valid)]);
        shown(&there).seals.len()
    };
    assert_eq!(
        (count(&honest, true), count(&honest, false)),
        (1, 0),
        "the control, and a signature that does not verify"
    );
    assert_eq!(count(&alone(both()), true), 1);
    // Asha alone, without whoever checked it; Ben alone, without whose it is.
    assert_eq!(count(&alone(both()[..1].to_vec()), true), 0);
    assert_eq!(count(&alone(both()[1..].to_vec()), true), 0);
    for lie in [
        with(&|it| it.form = 2),
        with(&|it| it.heads = vec![3; 32]),
        with(&|it| it.heads.clear()),
        with(&|it| it.previous.push(FrozenHash([5; 32]))),
        with(&|it| it.frozen = FrozenHash([9; 32])),
    ] {
        assert_eq!(count(&lie, true), 0, "{lie:?}");
    }
}

/// Three people write what they may, in random order and apart; every delivery order ends in the same view.
#[test]
fn in_whatever_order_it_comes_everybody_sees_the_same() {
    let (mut sealed, mut apart) = (0, 0);
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let (mut asha, mut ben) = checked();
        let mut seal = None;
        for step in 0..8_u8 {
            let op = 20 + step;
            let candidate = match random.below(5) {
                0 | 1 => asha.write(&[edit(DecisionField::ALL[random.below(3)], "more ")]),
                2 => ben.write(&[check(op, BEN, "And this.")]),
                3 => {
                    let sealing = sealing(&asha, both());
                    seal = Some(sealing.clone());
                    asha.write(&[seals(op, sealing, ASHA, true)])
                }
                _ => match &seal {
                    Some(sealing)
                        if ben.document.covers(&alliance_document::Heads::from_bytes(&sealing.heads).unwrap()) =>
                    {
                        ben.write(&[seals(op, sealing.clone(), BEN, true)])
                    }
                    _ => continue,
                },
            };
            if random.below(3) > 0 {
                let _ = if candidate.actor == asha.actor { ben.judge(&asha.log) } else { asha.judge(&ben.log) };
            }
        }
        let log: Vec<Candidate> = asha.log.iter().chain(&ben.log).cloned().collect();
        let mut views = Vec::new();
        for order in 0..4 {
            let mut fresh = replica("carol");
            let mut pending: Vec<Candidate> = Vec::new();
            let mut rest = [asha.log.clone(), ben.log.clone()];
            while rest.iter().any(|log| !log.is_empty()) {
                let which = random.below(2);
                let which = if rest[which].is_empty() { 1 - which } else { which };
                let mut next = rest[which].remove(0);
                next.entry = order * 1_000 + pending.len() as u64;
                pending.push(next);
                let _ = fresh.judge(&pending);
            }
            assert_eq!(fresh.gate.index().len(), log.len() + 1, "seed {seed}: all is admitted");
            views.push(shown(&fresh));
        }
        assert!(views.windows(2).all(|pair| pair[0] == pair[1]), "seed {seed}");
        sealed += usize::from(views[0].is_sealed());
        apart += usize::from(!views[0].apart.is_empty());
    }
    assert!(sealed > 0 && apart > 0, "sealed {sealed}, written apart {apart}");
}
