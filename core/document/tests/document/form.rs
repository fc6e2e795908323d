//! Documents that a table describes: whose words are whose, what all signed stays, what is taken back, and files in pieces.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

use alliance_document::gate::{Candidate, Gate, ParkCode, Rules, Verdict};
use alliance_document::{View, ViewContext, WorkingCopy, seal};
use alliance_model::cosign::frozen;
use alliance_model::form::{FilePiece, FormCommand as F, FormSeal, FormSealing, FormText, Said, is_paused};
use alliance_model::signed::{SignedText, SignedTextError};
use alliance_model::{CivilDate, Command, DocumentKind, FormView, ItemId, Party, RefusalCode, Splice};
use alliance_wire::{FrozenHash, PersonTag};

use crate::random::Random;
use crate::support::replica::{PEOPLE, Replica, both, person, person_of, reading, signature};

const ASHA: PersonTag = PEOPLE[0].0;
const BEN: PersonTag = PEOPLE[1].0;

fn members() -> Vec<String> {
    ["asha", "ben", "carol"].map(str::to_owned).to_vec()
}

fn shown(replica: &Replica) -> FormView {
    let View::Form(view) = replica.document.view(reading(&members())).unwrap() else { panic!("a form") };
    view
}

const fn id(n: u8) -> ItemId {
    ItemId([n; 8])
}

fn add(n: u8, list: &str, person: PersonTag) -> F {
    F::Add { id: id(n), list: list.into(), after: None, person }
}

fn word(n: u8, text: &str) -> F {
    F::EditItem { id: id(n), splice: Splice::insert(0, text) }
}

fn say(op: u8, item: Option<u8>, said: Said) -> F {
    F::Say { op: id(op), item: item.map(id), said }
}

fn of(kind: DocumentKind, commands: impl IntoIterator<Item = F>) -> Vec<Command> {
    commands.into_iter().map(|command| Command::Form(kind, command)).collect()
}

/// What a person's own program says to a command.
fn refused(replica: &Replica, command: F) -> Option<RefusalCode> {
    let heads = replica.document.heads();
    let copy = WorkingCopy::open(&replica.document, &heads, replica.actor, Vec::new(), 1).unwrap();
    let (command, members) = (Command::Form(replica.document.kind(), command), members());
    let context = ViewContext { me: replica.name, ..reading(&members) };
    copy.prepare(1, &command, context).err().map(|refusal| refusal.code)
}

/// What `replica` writes without asking anybody, as a program that is not ours does.
fn written(replica: &Replica, commands: &[Command]) -> Candidate {
    let sealed = seal(&replica.document, &replica.document.heads(), replica.actor, commands).unwrap();
    let changes = sealed.into_iter().map(|change| change.bytes).collect();
    Candidate { entry: 9, actor: replica.actor, person: person_of(replica.name), schema: 1, changes }
}

#[test]
fn nobody_words_what_another_added_whatever_their_program_does() {
    let kind = DocumentKind::Goals;
    let (mut asha, mut ben) = (Replica::new("asha", kind), Replica::new("ben", kind));
    let first = asha.write(&of(kind, [add(1, "goal", ASHA), word(1, "Bear not knowing.")]));
    ben.receive(&[first]);
    let area = F::SetItem { id: id(1), field: "area".into(), value: "communication".into() };
    for (what, command) in [("words", word(1, "Not: ")), ("a field", area), ("taking it out", F::Remove { id: id(1) })]
    {
        let judge = |by: &Replica, rules: Rules| {
            let mut gate = Gate::open(&asha.document, rules, person).unwrap();
            gate.judge(&[written(by, &of(kind, [command.clone()]))]).verdicts[0].1
        };
        assert_eq!(judge(&ben, Rules::ALL), Verdict::ParkedForGood(ParkCode::NotAuthor), "{what}");
        assert_eq!(judge(&ben, Rules { author: false, ..Rules::ALL }), Verdict::Admitted, "{what}: without the rule");
        assert_eq!(judge(&asha, Rules::ALL), Verdict::Admitted, "{what}: her own");
        assert_eq!(refused(&ben, command.clone()), Some(RefusalCode::NotAuthor), "{what}: his program");
        assert_eq!(refused(&asha, command), None, "{what}: her program");
    }
    // What became of it is for both to say, but that it is achieved only for her.
    let agreed = ben.write(&of(kind, [say(2, Some(1), Said::word("agreed"))]));
    asha.receive(&[agreed]);
    assert_eq!(shown(&asha).items[0].state.as_deref(), Some("agreed"));
    assert_eq!(refused(&ben, say(3, Some(1), Said::word("achieved"))), Some(RefusalCode::NotAuthor));
    // His program may write it all the same: it says nothing.
    let forged = ben.write(&of(kind, [say(3, Some(1), Said { cites: vec![id(2)], ..Said::word("achieved") })]));
    asha.receive(&[forged]);
    assert_eq!(shown(&asha).items[0].state.as_deref(), Some("agreed"));
    let done = asha.write(&of(kind, [say(4, Some(1), Said { cites: vec![id(2)], ..Said::word("achieved") })]));
    ben.receive(&[done]);
    assert_eq!(shown(&ben).items[0].state.as_deref(), Some("achieved"));
}

#[test]
fn whose_something_is_says_who_wrote_it() {
    let kind = DocumentKind::Feedback;
    let mut ben = Replica::new("ben", kind);
    ben.write(&of(kind, [add(1, "feedback", ASHA), word(1, "She was late."), add(2, "feedback", BEN)]));
    let people: Vec<Option<String>> = shown(&ben).items.into_iter().map(|item| item.person).collect();
    assert!(people.contains(&None) && people.contains(&Some(BEN.to_string())), "{people:?}");
}

#[test]
fn feedback_is_taken_back_unless_it_was_acknowledged_before() {
    let kind = DocumentKind::Feedback;
    let begin = || {
        let (mut asha, mut ben) = (Replica::new("asha", kind), Replica::new("ben", kind));
        let to = F::SetItem { id: id(1), field: "to".into(), value: BEN.to_string() };
        let first = asha.write(&of(kind, [add(1, "feedback", ASHA), to, word(1, "You interrupt me.")]));
        ben.receive(&[first]);
        (asha, ben)
    };
    let text = |replica: &Replica| shown(replica).items[0].text.text.clone();
    // He has not seen it taken back when he acknowledges it, nor she that he did: it is taken back.
    let (mut asha, mut ben) = begin();
    let back = asha.write(&of(kind, [say(2, Some(1), Said::word("retracted"))]));
    let seen = ben.write(&of(kind, [say(3, Some(1), Said::word("acknowledged"))]));
    asha.receive(&[seen]);
    ben.receive(&[back]);
    assert_eq!((text(&asha), text(&ben)), (String::new(), String::new()));
    assert_eq!(shown(&asha), shown(&ben));
    // She knows that he acknowledged it: it stays.
    let (mut asha, mut ben) = begin();
    let seen = ben.write(&of(kind, [say(3, Some(1), Said::word("acknowledged"))]));
    asha.receive(&[seen]);
    let back = asha.write(&of(kind, [say(2, Some(1), Said::word("retracted"))]));
    ben.receive(&[back]);
    assert_eq!((text(&asha), text(&ben)), ("You interrupt me.".to_owned(), "You interrupt me.".to_owned()));
    // Carol's program acknowledges what was not said to her: that keeps nothing.
    let (mut asha, _) = begin();
    let mut carol = Replica::new("carol", kind);
    carol.receive(&asha.log.clone());
    let meddled = carol.write(&of(kind, [say(3, Some(1), Said::word("acknowledged"))]));
    asha.receive(&[meddled]);
    asha.write(&of(kind, [say(2, Some(1), Said::word("retracted"))]));
    assert_eq!((text(&asha), shown(&asha).items[0].log.len()), (String::new(), 1));
    // Nobody takes back what another said, nor acknowledges what is one's own.
    assert_eq!(refused(&ben, say(4, Some(1), Said::word("retracted"))), Some(RefusalCode::NotAuthor));
    assert_eq!(refused(&asha, say(4, Some(1), Said::word("acknowledged"))), Some(RefusalCode::NotAuthor));
}

#[test]
fn a_pause_of_feedback_is_its_persons_to_end() {
    let kind = DocumentKind::Charter;
    let (mut asha, mut ben) = (Replica::new("asha", kind), Replica::new("ben", kind));
    let paused = asha.write(&of(kind, [say(1, None, Said::word("no_feedback_now"))]));
    ben.receive(&[paused]);
    assert!(is_paused(&shown(&ben), "asha") && !is_paused(&shown(&ben), "ben"));
    let other = ben.write(&of(kind, [say(2, None, Said { cites: vec![id(1)], ..Said::word("feedback_again") })]));
    asha.receive(&[other]);
    assert!(is_paused(&shown(&asha), "asha"), "another says it");
    // Her phone asks once more while her laptop ends the first: the pause that nobody ended holds.
    let again = asha.write(&of(kind, [say(3, None, Said { cites: vec![id(1)], ..Said::word("feedback_again") })]));
    ben.receive(&[again]);
    assert!(!is_paused(&shown(&ben), "asha"));
}

/// A closing summary that both can sign.
fn closing() -> (Replica, Replica) {
    let kind = DocumentKind::Closing;
    let (mut asha, mut ben) = (Replica::new("asha", kind), Replica::new("ben", kind));
    let text = |name: &str, text: &str| F::EditText { name: name.into(), splice: Splice::insert(0, text) };
    let first = asha.write(&of(
        kind,
        [text("summary", "We met a year. "), F::Set { field: "ends_on".into(), value: "2026-12-01".into() }],
    ));
    ben.receive(&[first]);
    let second = ben.write(&of(kind, [text("summary", "She leads now. ")]));
    asha.receive(&[second]);
    (asha, ben)
}

fn sealing(replica: &Replica, parties: Vec<Party>) -> FormSealing {
    let view = shown(replica);
    view.sealing(view.text.parse().unwrap(), replica.document.heads().to_bytes(), parties).unwrap()
}

fn sign(op: u8, sealing: FormSealing, person: PersonTag, valid: bool) -> F {
    let signature = signature(sealing.frozen, person, op, valid);
    F::Sign { op: id(op), sealed: Box::new(FormSeal { sealing, signature }), seen: FrozenHash([0; 32]) }
}

#[test]
fn what_all_signed_stays_whatever_is_written_after() {
    let kind = DocumentKind::Closing;
    let (mut asha, mut ben) = closing();
    let both_sign = sealing(&asha, both());
    let one = asha.write(&of(kind, [sign(3, both_sign.clone(), ASHA, true)]));
    let late = asha.write(&of(kind, [F::EditText { name: "summary".into(), splice: Splice::insert(0, "Perhaps ") }]));
    ben.receive(&[one]);
    assert!(!shown(&ben).signed && shown(&ben).seals.len() == 1);
    let other = ben.write(&of(kind, [sign(4, both_sign, BEN, true)]));
    ben.receive(&[late]);
    asha.receive(&[other]);
    let view = shown(&asha);
    assert_eq!(view, shown(&ben));
    assert!(view.signed);
    assert_eq!(view.text_of("summary").map(str::len), Some("She leads now. We met a year. ".len()));
    assert_eq!((view.apart.len(), view.apart[0].place.as_str()), (1, "closing.summary"));
    let edit = F::EditText { name: "summary".into(), splice: Splice::insert(0, "x") };
    assert_eq!(refused(&asha, edit), Some(RefusalCode::Sealed));
    assert_eq!(refused(&asha, F::Clear { field: "reason".into() }), Some(RefusalCode::Sealed));

    // The file of it says so by itself, and no letter of it can be another.
    let file = view.signed_file().unwrap();
    let ok = |it: &alliance_model::Cosignature| it.signature[0] == 1;
    let proved = SignedText::parse(&file.encode()).unwrap().prove(ok).unwrap();
    assert_eq!((proved.kind.as_str(), proved.parties.len()), ("closing", 2));
    assert_eq!(proved.words.texts["summary"], view.text_of("summary").unwrap());
    let mut changed = file.clone();
    changed.text = changed.text.replace("leads", "failed");
    let exactly = |it: &alliance_model::Cosignature| ok(it) && it.frozen.to_string() == view.agreed().unwrap().name;
    assert_eq!(changed.prove(exactly), Err(SignedTextError::Signature));
    let alone = SignedText { signatures: file.signatures[..1].to_vec(), ..file };
    assert_eq!(alone.prove(ok), Err(SignedTextError::NotAll));
}

#[test]
fn what_is_not_what_it_says_is_signed_by_nobody() {
    let kind = DocumentKind::Closing;
    let (asha, _) = closing();
    let count = |sealing: &FormSealing, valid| {
        let mut there = asha.clone();
        there.write(&of(kind, [sign(3, sealing.clone(), ASHA, valid)]));
        shown(&there).seals.len()
    };
    let honest = sealing(&asha, both());
    assert_eq!((count(&honest, true), count(&honest, false)), (1, 0), "the control, and one that does not verify");
    let of_parties = |parties: Vec<Party>| {
        let mut made = FormSealing { parties, ..honest.clone() };
        let view = shown(&asha);
        made.frozen = frozen(&made.canonical(&view, &FormText::of(&view)));
        made
    };
    assert_eq!(count(&of_parties(both()), true), 1);
    let carol = Party { person: PEOPLE[2].0, name: "carol".into() };
    let without_ben = vec![both()[0].clone(), carol];
    assert_eq!(count(&of_parties(without_ben), true), 0, "Ben wrote in it");
    assert_eq!(count(&of_parties(both()[..1].to_vec()), true), 0, "one alone");
    for lie in [
        FormSealing { form: 2, ..honest.clone() },
        FormSealing { heads: vec![3; 32], ..honest.clone() },
        FormSealing { heads: Vec::new(), ..honest.clone() },
        FormSealing { frozen: FrozenHash([9; 32]), ..honest },
    ] {
        assert_eq!(count(&lie, true), 0, "{lie:?}");
    }
}

#[test]
fn a_file_is_whole_or_not_there() {
    let kind = DocumentKind::Charter;
    let (mut asha, mut ben) = (Replica::new("asha", kind), Replica::new("ben", kind));
    let bytes: Vec<u8> = "a contract ".repeat(1_000).into_bytes();
    let file = frozen(&bytes);
    let of_ = u16::try_from(bytes.chunks(8_192).count()).unwrap();
    let pieces: Vec<F> = (0..)
        .zip(bytes.chunks(8_192))
        .map(|(number, bytes)| F::Keep {
            op: id(number),
            piece: FilePiece { file, number: number.into(), of: of_, bytes: bytes.to_vec() },
        })
        .collect();
    asha.write(&of(kind, [pieces[0].clone()]));
    assert_eq!(shown(&asha).files, []);
    // Somebody puts another piece under its name: the hash says that it is none of it.
    let mut forged = ben.clone();
    forged.write(&of(
        kind,
        [F::Keep { op: id(9), piece: FilePiece { file, number: 0, of: 1, bytes: b"nothing".to_vec() } }],
    ));
    assert_eq!(shown(&forged).files, []);
    let second = asha.write(&of(kind, [pieces[1].clone()]));
    let log = asha.log.clone();
    ben.receive(&log);
    assert_eq!((second.entry, shown(&ben).files.len()), (1, 1));
    assert_eq!(shown(&ben).files[0].text.as_bytes(), bytes);
    let goals = Replica::new("asha", DocumentKind::Goals);
    assert_eq!(refused(&goals, pieces[0].clone()), Some(RefusalCode::WrongKind));
}

/// Two people write apart what the table lets them; every delivery order ends in the same view, signatures included.
#[test]
fn in_whatever_order_it_comes_everybody_sees_the_same() {
    let kind = DocumentKind::Closing;
    let (mut signed, mut apart) = (0, 0);
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let (mut asha, mut ben) = closing();
        let mut last = None;
        for step in 0..8_u8 {
            let op = 20 + step;
            let (writer, commands) = match random.below(4) {
                0 => (0, vec![F::EditText { name: "summary".into(), splice: Splice::insert(0, "more ") }]),
                1 => (1, vec![F::Set { field: "ends_on".into(), value: format!("2026-12-{op:02}") }]),
                2 => {
                    let made = sealing(&asha, both());
                    last = Some(made.clone());
                    (0, vec![sign(op, made, ASHA, true)])
                }
                _ => match &last {
                    Some(made) if ben.document.covers(&alliance_document::Heads::from_bytes(&made.heads).unwrap()) => {
                        (1, vec![sign(op, made.clone(), BEN, true)])
                    }
                    _ => continue,
                },
            };
            if writer == 0 {
                asha.write(&of(kind, commands))
            } else {
                ben.write(&of(kind, commands))
            };
            if random.below(3) > 0 {
                let _ = if writer == 0 { ben.judge(&asha.log) } else { asha.judge(&ben.log) };
            }
        }
        let mut views = Vec::new();
        for order in 0..4_u64 {
            let mut fresh = Replica::new("carol", kind);
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
            views.push(shown(&fresh));
        }
        assert!(views.windows(2).all(|pair| pair[0] == pair[1]), "seed {seed}");
        signed += usize::from(views[0].signed);
        apart += usize::from(!views[0].apart.is_empty());
    }
    assert!(signed > 0 && apart > 0, "signed {signed}, written apart {apart}");
}

#[test]
fn values_written_apart_are_all_kept_and_the_safer_counts() {
    let kind = DocumentKind::Contract;
    let (mut asha, mut ben) = (Replica::new("asha", kind), Replica::new("ben", kind));
    let set = |value: &str| of(kind, [F::Set { field: "retention_months".into(), value: value.into() }]);
    let (one, other) = (asha.write(&set("84")), ben.write(&set("12")));
    asha.receive(&[other]);
    ben.receive(&[one]);
    let view = shown(&asha);
    assert_eq!(view, shown(&ben));
    assert_eq!((view.value("retention_months"), view.conflicts.len()), (Some("12"), 1));
    let on = CivilDate::new(2026, 12, 1).unwrap();
    let signature = signature(FrozenHash([1; 32]), ASHA, 1, true);
    let made = view.sealing(view.text.parse().unwrap(), asha.document.heads().to_bytes(), both()).unwrap();
    let signature = alliance_model::Cosignature { frozen: made.frozen, on, ..signature };
    let command = F::Sign {
        op: id(1),
        seen: view.text.parse().unwrap(),
        sealed: Box::new(FormSeal { sealing: made, signature }),
    };
    assert_eq!(refused(&asha, command), Some(RefusalCode::Incomplete), "nothing is said yet");
}
