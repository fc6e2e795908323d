//! What is confirmed of a note in its document: it is the text in the state that it names, it is locked when everybody
//! confirmed it, and every replica shows the same, in whatever order it came.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod orders;

use alliance_document::{View, WorkingCopy};
use alliance_model::note::{Confirmation, FrozenState, FrozenView, NoteCommand as N, NoteState, Rendering, Stage};
use alliance_model::view::PieceKind;
use alliance_model::{CivilDate, Command, DocumentKind, ItemId, NoteView, Party, RefusalCode, Splice};
use alliance_wire::{FrozenHash, PersonTag};

use crate::support::replica::{PEOPLE, Replica, both, reading, signature};

const ASHA: PersonTag = PEOPLE[0].0;
const BEN: PersonTag = PEOPLE[1].0;

fn members() -> Vec<String> {
    ["asha", "ben", "carol"].map(str::to_owned).to_vec()
}

fn shown(replica: &Replica) -> NoteView {
    let View::Note(view) = replica.document.view(reading(&members())).unwrap() else { panic!("a note") };
    view
}

fn note(name: &'static str) -> Replica {
    Replica::new(name, DocumentKind::Note)
}

fn edit(pos: u32, text: &str) -> Command {
    Command::Note(N::EditSection { stage: Stage::Focus, splice: Splice::insert(pos, text) })
}

fn title(title: &str) -> Command {
    Command::Note(N::SetTitle { title: title.into() })
}

/// What somebody confirms who was shown this text: by default the note as it is.
fn rendering(replica: &Replica, seen: Option<&str>, present: Vec<Party>) -> Rendering {
    let view = shown(replica);
    let seen: FrozenHash = seen.unwrap_or(&view.text).parse().unwrap();
    view.rendering(seen, replica.document.heads().to_bytes(), present, &[]).unwrap()
}

fn confirm(op: u8, rendering: Rendering, person: PersonTag, valid: bool) -> Command {
    let signature = signature(rendering.frozen, person, op, valid);
    confirms(op, Confirmation { rendering, signature }, FrozenHash([0; 32]))
}

fn confirms(op: u8, confirmation: Confirmation, seen: FrozenHash) -> Command {
    Command::Note(N::Confirm { op: ItemId([op; 8]), confirmation: Box::new(confirmation), seen })
}

fn words(view: &NoteView) -> &str {
    &view.section(Stage::Focus).unwrap().text
}

/// The refusal of a command, as its author's program says it.
fn refused(replica: &Replica, command: &Command) -> Option<RefusalCode> {
    let heads = replica.document.heads();
    let copy = WorkingCopy::open(&replica.document, &heads, replica.actor, Vec::new(), 1).unwrap();
    assert!(copy.needs_people(command), "who confirmed has to be asked");
    copy.prepare(1, command, reading(&members())).err().map(|refusal| refusal.code)
}

/// Asha and Ben have one note and both confirm it.
fn locked() -> (Replica, Replica) {
    let (mut asha, mut ben) = (note("asha"), note("ben"));
    let first = asha.write(&[title("Under the tree"), edit(0, "We looked at the visit.")]);
    ben.receive(&[first]);
    let one = asha.write(&[confirm(1, rendering(&asha, None, both()), ASHA, true)]);
    ben.receive(&[one]);
    assert_eq!(shown(&ben).state, NoteState::ConfirmedBySome);
    let other = ben.write(&[confirm(2, rendering(&ben, None, both()), BEN, true)]);
    asha.receive(&[other]);
    (asha, ben)
}

#[test]
fn what_everybody_confirmed_is_locked_and_what_was_written_apart_stands_below_it() {
    let (mut asha, mut ben) = (note("asha"), note("ben"));
    let first = asha.write(&[title("Under the tree"), edit(0, "We looked at the visit.")]);
    ben.receive(&[first]);
    let before = ben.document.heads();
    let named = rendering(&asha, None, both());
    let one = asha.write(&[confirm(1, named.clone(), ASHA, true)]);
    ben.receive(&[one]);
    // Ben's other phone goes on writing, and has heard of nothing.
    let mut phone = note("ben");
    phone.receive(&asha.log[..1]);
    let other = ben.write(&[confirm(2, rendering(&ben, None, both()), BEN, true)]);
    let mut carol = note("carol");
    carol.receive(&asha.log[..1]);
    let late = carol.write_at(&before, &[edit(23, " She was afraid."), title("Somewhere")]);
    for replica in [&mut asha, &mut ben] {
        replica.receive(std::slice::from_ref(&late));
    }
    asha.receive(&[other]);
    let view = shown(&asha);
    assert_eq!(shown(&ben), view);
    assert_eq!((view.state, words(&view)), (NoteState::Locked, "We looked at the visit."));
    assert_eq!(view.title.as_deref(), Some("Under the tree"));
    assert_eq!(view.text, view.lock().unwrap().text, "what is shown is what is locked");
    let places: Vec<&str> = view.apart.iter().map(|apart| apart.difference.place.as_str()).collect();
    assert_eq!(places, ["sections.focus", "title"]);
    let apart = &view.apart[0];
    let added: Vec<&str> =
        apart.difference.pieces.iter().filter(|it| it.kind == PieceKind::Added).map(|it| it.text.as_str()).collect();
    assert_eq!((added, &*view.authors[apart.by[0]]), (vec![" She was afraid."], "carol"));
    // Nobody changes it by now, neither a text nor a field; what there is to say is added.
    assert_eq!(refused(&ben, &edit(0, "No. ")), Some(RefusalCode::LockedNote));
    assert_eq!(refused(&ben, &title("No")), Some(RefusalCode::LockedNote));
    let again = confirm(9, named, BEN, true);
    assert_eq!(refused(&ben, &again), Some(RefusalCode::LockedNote));
    let addendum = Command::Note(N::AddAddendum { op: ItemId([5; 8]), text: "She called back.".into() });
    assert_eq!(refused(&ben, &addendum), None);
    ben.write(&[addendum]);
    let view = shown(&ben);
    assert_eq!((view.addenda[0].text.as_str(), words(&view)), ("She called back.", "We looked at the visit."));
}

#[test]
fn a_lock_holds_against_whoever_writes_on_it() {
    let (mut asha, _) = locked();
    let before = shown(&asha);
    // The positive control: what is shown is what everybody may read anew from the state.
    assert_eq!(before.state, NoteState::Locked);
    // A program that is not this one writes on, and knows of the lock; so does one that takes letters away.
    asha.write(&[
        edit(0, "Not so. "),
        Command::Note(N::EditSection {
            stage: Stage::Focus,
            splice: Splice { pos: 8, delete: 10, insert: String::new() },
        }),
    ]);
    let after = shown(&asha);
    assert_eq!((words(&after), after.state, &after.text), (words(&before), NoteState::Locked, &before.text));
    assert_eq!(after.apart.len(), 1);
    assert_eq!(after.confirmed, before.confirmed);
}

#[test]
fn what_is_not_what_it_says_confirms_nothing() {
    let mut asha = note("asha");
    asha.write(&[edit(0, "We met.")]);
    let mut carol = note("carol");
    carol.receive(&asha.log.clone());
    let before = asha.document.heads();
    let hers = carol.write(&[edit(7, " And I was there.")]);
    asha.receive(&[hers]);
    let honest = rendering(&asha, None, PEOPLE.iter().map(|it| Party { person: it.0, name: it.1.into() }).collect());
    // The positive control stands first: the same without a change is shown.
    asha.write(&[confirm(1, honest.clone(), ASHA, true)]);
    assert_eq!(shown(&asha).confirmed.len(), 1);
    let seen = shown(&asha).text;
    let other = |change: &dyn Fn(&mut Rendering)| {
        let mut rendering = honest.clone();
        change(&mut rendering);
        rendering
    };
    // Without Carol, who wrote in it: its hash is right, and it locks nothing.
    let without = |present: Vec<Party>| {
        let mut rendering = Rendering { present, ..honest.clone() };
        rendering.frozen = rendering.hash_of(&shown(&asha).document, &shown(&asha).text_now());
        rendering
    };
    let lies = [
        other(&|it| it.present.truncate(1)),
        other(&|it| it.heads = Vec::new()),
        other(&|it| it.heads = vec![3; 32]),
        other(&|it| it.heads = before.to_bytes()),
        other(&|it| it.form = 2),
        other(&|it| it.frozen = FrozenHash([9; 32])),
        without(both()),
        without(both()[..1].to_vec()),
    ];
    for (op, lie) in (10..).zip(lies) {
        asha.write(&[confirm(op, lie, ASHA, true)]);
        let view = shown(&asha);
        assert_eq!((view.confirmed.len(), view.state), (1, NoteState::ConfirmedBySome), "lie {op}");
    }
    // Neither does a signature that does not verify, nor one of somebody who was not there.
    asha.write(&[confirm(30, honest.clone(), BEN, false)]);
    asha.write(&[confirm(31, honest, PersonTag([0xd; 16]), true)]);
    let view = shown(&asha);
    let confirmed = &view.confirmed[0];
    assert!(confirmed.confirmations.iter().all(|it| it.person == ASHA.to_string()));
    assert_eq!(confirmed.by_party().filter(|(_, by)| by.is_some()).count(), 1);
    assert_eq!(shown(&asha).text, seen);
    // Once Carol is gone, those who are here confirm without her.
    let gone: Vec<String> = ["asha", "ben"].map(str::to_owned).to_vec();
    let View::Note(view) = asha.document.view(reading(&gone)).unwrap() else { panic!("a note") };
    assert_eq!(view.confirmed.len(), 3);
}

#[test]
fn two_texts_that_were_locked_apart_are_both_shown_until_one_is_confirmed_again() {
    let (mut asha, mut ben) = (note("asha"), note("ben"));
    let first = asha.write(&[edit(0, "We met.")]);
    ben.receive(&[first]);
    // Each writes on, and by some way each has the other's signature on their own text before they meet.
    let (mut one, mut other) = (Vec::new(), Vec::new());
    one.push(asha.write(&[edit(7, " Asha's.")]));
    other.push(ben.write(&[edit(7, " Ben's.")]));
    for (replica, log, op) in [(&mut asha, &mut one, 1), (&mut ben, &mut other, 3)] {
        let text = rendering(replica, None, both());
        log.push(replica.write(&[confirm(op, text.clone(), ASHA, true), confirm(op + 1, text, BEN, true)]));
        assert_eq!(shown(replica).state, NoteState::Locked);
    }
    asha.receive(&other);
    ben.receive(&one);
    let view = shown(&asha);
    assert_eq!(shown(&ben), view);
    assert_eq!((view.state, view.locks().count()), (NoteState::TwoLocks, 2));
    let mut texts: Vec<&str> = view.locks().map(|it| it.words.as_ref().unwrap().sections["focus"].as_str()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["We met. Asha's.", "We met. Ben's."]);
    assert_eq!(refused(&asha, &edit(0, "No. ")), Some(RefusalCode::LockedNote));
    // The text that stands there now is neither, and cannot be confirmed.
    let neither = view.rendering(view.text.parse().unwrap(), asha.document.heads().to_bytes(), both(), &[]);
    assert!(neither.is_none());
    // They settle on Ben's.
    let of_ben = |it: &&FrozenView| it.words.as_ref().unwrap().sections["focus"].contains("Ben");
    let chosen = view.locks().find(of_ben).unwrap().text.clone();
    let settles = asha.write(&[confirm(5, rendering(&asha, Some(&chosen), both()), ASHA, true)]);
    assert_eq!(shown(&asha).state, NoteState::TwoLocks);
    ben.receive(&[settles]);
    let seen: FrozenHash = chosen.parse().unwrap();
    let next = rendering(&ben, Some(&chosen), both());
    let confirmation = Confirmation { signature: signature(next.frozen, BEN, 6, true), rendering: next.clone() };
    let honest = confirms(6, confirmation, seen);
    assert_eq!(refused(&ben, &honest), None);
    // With no word of the other lock it would settle nothing.
    let lone = Rendering { over: Vec::new(), ..next };
    assert_eq!(refused(&ben, &confirm(7, lone, BEN, true)), Some(RefusalCode::TwoLocks));
    let settled = ben.write(&[honest]);
    asha.receive(&[settled]);
    let view = shown(&asha);
    assert_eq!(shown(&ben), view);
    assert_eq!((view.state, words(&view), view.text.clone()), (NoteState::Locked, "We met. Ben's.", chosen));
    let states: Vec<FrozenState> = view.confirmed.iter().map(|it| it.state).collect();
    assert_eq!(states, [FrozenState::Superseded, FrozenState::Superseded, FrozenState::Locked]);
}

#[test]
fn only_who_was_shown_the_text_confirms_it_and_only_once() {
    let mut asha = note("asha");
    assert_eq!(asked(&asha, ASHA, 1, None), Some(RefusalCode::TextEmpty));
    asha.write(&[edit(0, "We met.")]);
    assert_eq!(asked(&asha, ASHA, 1, None), None);
    assert_eq!(asked(&asha, ASHA, 1, Some(FrozenHash([1; 32]))), Some(RefusalCode::StaleText));
    assert_eq!(asked(&asha, PEOPLE[2].0, 1, None), Some(RefusalCode::NotParty));
    asha.write(&[confirm(1, rendering(&asha, None, both()), ASHA, true)]);
    assert_eq!(asked(&asha, ASHA, 1, None), Some(RefusalCode::AlreadySigned));
    assert_eq!(asked(&asha, ASHA, 2, None), Some(RefusalCode::SamePersonCosign));
    assert_eq!(asked(&asha, BEN, 3, None), None);
    // Ben writes on: what Asha confirmed stays with what she read, and she is asked again.
    asha.write(&[edit(7, " Again.")]);
    let view = shown(&asha);
    assert_eq!((view.state, view.confirmed[0].text == view.text), (NoteState::Shared, false));
    assert_eq!(asked(&asha, ASHA, 1, None), None);
    // People wrote different dates while apart: that is chosen first.
    let mut ben = note("ben");
    ben.receive(&asha.log.clone());
    let date = |day| Command::Note(N::SetDate { date: CivilDate::new(2026, 11, day).unwrap() });
    asha.write(&[date(1)]);
    asha.receive(&[ben.write(&[date(2)])]);
    assert_eq!(asked(&asha, ASHA, 1, None), Some(RefusalCode::NeedsChoice));
}

/// What a program says to somebody who confirms the note as it is, having been shown `seen`.
fn asked(replica: &Replica, person: PersonTag, device: u8, seen: Option<FrozenHash>) -> Option<RefusalCode> {
    let rendering = rendering(replica, None, both());
    let signature = signature(rendering.frozen, person, device, true);
    let seen = seen.unwrap_or_else(|| shown(replica).text.parse().unwrap());
    let command = confirms(0xee, Confirmation { rendering, signature }, seen);
    let copy = WorkingCopy::open(&replica.document, &replica.document.heads(), replica.actor, Vec::new(), 1).unwrap();
    copy.prepare(1, &command, reading(&members())).err().map(|refusal| refusal.code)
}

/// A note of some two pages, confirmed by one, locked by both, and with something written apart.
#[test]
#[ignore = "prints figures"]
fn what_showing_a_locked_note_costs() {
    let timed = |work: &mut dyn FnMut()| {
        let begun = std::time::Instant::now();
        (0..50).for_each(|_| work());
        begun.elapsed() / 50
    };
    let (mut asha, mut ben, mut carol) = (note("asha"), note("ben"), note("carol"));
    let page = "We meet in the shade and nobody else hears it. ".repeat(80);
    let first = asha.write(&[title("Under the tree"), edit(0, &page)]);
    ben.receive(std::slice::from_ref(&first));
    carol.receive(&[first]);
    let look = |replica: &Replica| timed(&mut || drop(shown(replica)));
    println!("{} letters: {:?} open", words(&shown(&asha)).len(), look(&asha));
    let one = asha.write(&[confirm(1, rendering(&asha, None, both()), ASHA, true)]);
    println!("{:?} confirmed by one", look(&asha));
    // Each letter that is typed into what somebody confirmed, and into what nobody did.
    for replica in [&asha, &ben] {
        let heads = replica.document.heads();
        let mut copy = WorkingCopy::open(&replica.document, &heads, replica.actor, Vec::new(), 1).unwrap();
        let letter = edit(0, "x");
        let mut types = || {
            copy.prepare(1, &letter, reading(&members())).unwrap();
            copy.record(letter.clone()).unwrap();
        };
        println!("{:?} a letter", timed(&mut types));
    }
    ben.receive(&[one]);
    let apart = carol.write(&[edit(0, "Apart. ")]);
    let other = ben.write(&[confirm(2, rendering(&ben, None, both()), BEN, true)]);
    asha.receive(&[other]);
    assert_eq!(shown(&asha).state, NoteState::Locked);
    println!("{:?} locked", look(&asha));
    asha.receive(&[apart]);
    assert_eq!(shown(&asha).apart.len(), 1);
    println!("{:?} locked, and written apart", look(&asha));
}
