//! What two devices of one person that wrote the preparation log apart show when they meet.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

use alliance_document::View;
use alliance_model::cosign::frozen;
use alliance_model::preparation::{
    Feeling, PreparationCommand as P, PreparationField, PreparationKind, PreparationMark as M, PreparationState as S,
    PreparationValue as V, Share,
};
use alliance_model::{Command, DocumentKind, ItemId, PreparationView, Splice};
use alliance_wire::{DocumentId, SpaceId};

use crate::support::replica::{self, Replica};

fn id(n: u8) -> ItemId {
    ItemId([n; 8])
}

fn write_down(n: u8, text: &str) -> Vec<P> {
    vec![P::AddEntry { id: id(n), after: None }, P::EditEntry { id: id(n), splice: Splice::insert(0, text) }]
}

fn mark(op: u8, mark: M, cites: &[u8]) -> P {
    P::Mark { id: id(1), op: id(op), mark, cites: cites.iter().map(|n| id(*n)).collect() }
}

fn share(op: u8, session: u8, item: u8) -> P {
    let (space, session) = (SpaceId([1; 16]), DocumentId([session; 16]));
    let share = Share { space, session, item: id(item), hash: frozen(b"The kitchen"), date: None };
    P::Share { id: id(1), op: id(op), share, cites: Vec::new() }
}

fn shown(replica: &Replica) -> PreparationView {
    let View::Preparation(view) = replica.document.view(replica::context()).unwrap() else { panic!("a preparation") };
    view
}

/// Two devices that have both the same log, write these apart, and meet; what both show.
fn apart(before: Vec<P>, one: Vec<P>, other: Vec<P>) -> PreparationView {
    let kind = DocumentKind::Preparation;
    let (mut laptop, mut phone) = (Replica::new("asha", kind), Replica::new("ben", kind));
    let write = |who: &mut Replica, commands: Vec<P>| {
        let commands: Vec<_> = commands.into_iter().map(Command::Preparation).collect();
        if commands.is_empty() { Vec::new() } else { vec![who.write(&commands)] }
    };
    let begun = write(&mut laptop, before);
    phone.receive(&begun);
    let (from_laptop, from_phone) = (write(&mut laptop, one), write(&mut phone, other));
    laptop.receive(&from_phone);
    phone.receive(&from_laptop);
    assert_eq!(shown(&laptop), shown(&phone));
    assert_eq!(laptop.document.content_id(), phone.document.content_id());
    shown(&laptop)
}

#[test]
fn what_both_devices_write_down_is_there() {
    let view = apart(write_down(1, "The kitchen"), write_down(2, "The rota"), write_down(3, "Sleep"));
    let mut texts: Vec<&str> = view.entries.iter().map(|entry| entry.text.text.as_str()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["Sleep", "The kitchen", "The rota"]);
    // One device removes what the other edits: the edit stays, and nothing of the entry is lost.
    let set = P::SetEntry { id: id(1), value: V::Kind(PreparationKind::Upsetting) };
    let mut before = write_down(1, "The kitchen");
    before.push(set);
    let removes = || vec![P::RemoveEntry { id: id(1) }];
    let edits = vec![P::EditEntry { id: id(1), splice: Splice::insert(11, ", again") }];
    let view = apart(before.clone(), removes(), edits);
    let entry = view.entry(id(1)).unwrap();
    assert_eq!(entry.text.text, "The kitchen, again");
    assert_eq!(entry.value(PreparationField::Kind), Some(V::Kind(PreparationKind::Upsetting)));
    assert!(apart(before, removes(), Vec::new()).entries.is_empty(), "the control");
}

#[test]
fn a_field_that_both_devices_wrote_shows_both_values_and_a_later_one_stands_alone() {
    let set = |priority| vec![P::SetEntry { id: id(1), value: V::Priority(priority) }];
    let view = apart(write_down(1, "The kitchen"), set(1), set(4));
    let [conflict] = view.conflicts.as_slice() else { panic!("{view:?}") };
    assert_eq!(conflict.field, format!("entries.{}.priority", id(1)));
    let mut values: Vec<&str> = conflict.values.iter().map(|claim| claim.value.as_str()).collect();
    values.sort_unstable();
    assert_eq!(values, ["1", "4"]);
    let clear = vec![P::ClearEntry { id: id(1), field: PreparationField::Priority }];
    let before = [write_down(1, "The kitchen"), set(1)].concat();
    assert!(apart(before.clone(), clear.clone(), Vec::new()).entries[0].fields.is_empty());
    let view = apart(before, clear, set(4));
    assert_eq!(view.entries[0].value(PreparationField::Priority), Some(V::Priority(4)), "what was set apart stays");
}

#[test]
fn a_feeling_that_is_named_apart_from_its_removal_stays() {
    let feel = |feeling| P::AddFeeling { id: id(1), feeling };
    let before = || [write_down(1, "The kitchen"), vec![feel(Feeling::Shame), feel(Feeling::Anger)]].concat();
    let removes = || vec![P::RemoveFeeling { id: id(1), feeling: Feeling::Shame }];
    let view = apart(before(), removes(), vec![feel(Feeling::Shame), feel(Feeling::Pride)]);
    assert_eq!(view.entries[0].feelings, [Feeling::Anger, Feeling::Shame, Feeling::Pride], "adding wins");
    let view = apart(before(), removes(), Vec::new());
    assert_eq!(view.entries[0].feelings, [Feeling::Anger], "the control");
}

#[test]
fn what_both_devices_shared_is_known_to_both() {
    // With different supervisors while apart: both shares are written down, and each goes its own way.
    let view = apart(write_down(1, "The kitchen"), vec![share(2, 7, 20)], vec![share(3, 8, 30)]);
    let entry = view.entry(id(1)).unwrap();
    let mut items: Vec<(ItemId, S)> = entry.shares.iter().map(|share| (share.item, share.state)).collect();
    items.sort_unstable();
    assert_eq!(items, [(id(20), S::Shared), (id(30), S::Shared)]);
    assert_eq!((entry.state, entry.unanswered_marks().len()), (S::Shared, 0));
    // One device takes one of them back, the other says of the other that it was talked about.
    let before = [write_down(1, "The kitchen"), vec![share(2, 7, 20), share(3, 8, 30)]].concat();
    let view = apart(before, vec![mark(4, M::Withdrawn, &[2])], vec![mark(5, M::CarriedOver, &[3])]);
    let entry = view.entry(id(1)).unwrap();
    let state = |item| entry.shares.iter().find(|share| share.item == id(item)).unwrap().state;
    assert_eq!((state(20), state(30), entry.state), (S::Withdrawn, S::CarriedOver, S::CarriedOver));
    let hash = frozen(b"The kitchen").to_string();
    assert!(entry.shares.iter().all(|share| share.hash == hash && share.session.len() == 32));
}

#[test]
fn what_two_devices_say_differently_is_disputed_until_one_entry_cites_both() {
    let before = [write_down(1, "The kitchen"), vec![share(2, 7, 20)]].concat();
    let (one, other) = (vec![mark(3, M::Discussed, &[2])], vec![mark(4, M::Withdrawn, &[2])]);
    let view = apart(before.clone(), one.clone(), other.clone());
    let entry = view.entry(id(1)).unwrap();
    assert_eq!((entry.state, entry.shares[0].state, entry.unanswered().len()), (S::Disputed, S::Disputed, 2));
    let before = [before, one, other].concat();
    let view = apart(before, vec![mark(5, M::Discussed, &[3, 4])], Vec::new());
    assert_eq!(view.entry(id(1)).unwrap().state, S::Discussed);
}

#[test]
fn a_copy_that_was_begun_and_removed_comes_back_when_it_is_begun_again() {
    use alliance_model::session::{SessionCommand as C, SessionView};
    let mut asha = Replica::new("asha", DocumentKind::Session);
    let agenda = |replica: &Replica| -> SessionView {
        let View::Session(view) = replica.document.view(replica::context()).unwrap() else { panic!("a session") };
        view
    };
    let mut write = |commands: Vec<C>| asha.write(&commands.into_iter().map(Command::Session).collect::<Vec<_>>());
    let item = |n| id(n);
    write(vec![
        C::AddItem { id: item(1), after: None },
        C::EditItem { id: item(1), splice: Splice::insert(0, "The kitchen") },
    ]);
    write(vec![C::RemoveItem { id: item(1) }]);
    write(vec![C::AddItem { id: item(1), after: None }]);
    let view = agenda(&asha);
    assert_eq!((view.agenda.len(), view.agenda[0].text.text.as_str()), (1, "The kitchen"));
}
