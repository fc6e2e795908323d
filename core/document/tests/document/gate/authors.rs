//! What is a person's own: nobody else words it, fills it in or takes it away, and nobody writes as somebody else's actor.

use alliance_document::gate::{Candidate, Gate, ParkCode, Rules, Verdict};
use alliance_document::{Actor, Document, View, seal};
use alliance_model::session::{AgendaTransition, AgendaValue, SessionCommand as S};
use alliance_model::{Command, DocumentKind, ItemId, SessionView, Splice};
use alliance_wire::DeviceKey;
use alliance_wire::ids::Incarnation;

use crate::support::replica::{DOCUMENT, PEOPLE, Replica, context, person, person_of};

const HERS: ItemId = ItemId([1; 8]);
const HIS: ItemId = ItemId([2; 8]);

fn view(replica: &Replica) -> SessionView {
    let View::Session(view) = replica.document.view(context()).unwrap() else { panic!("a session") };
    view
}

fn add(id: ItemId, text: &str) -> [Command; 2] {
    let splice = Splice::insert(0, text);
    [S::AddItem { id, after: None }, S::EditItem { id, splice }].map(Command::Session)
}

/// Asha and Ben have each put one thing on the agenda, and both have both.
fn scene() -> (Replica, Replica) {
    let (mut asha, mut ben) = (Replica::new("asha", DocumentKind::Session), Replica::new("ben", DocumentKind::Session));
    let one = asha.write(&add(HERS, "The visit."));
    ben.receive(&[one]);
    let other = ben.write(&add(HIS, "The month."));
    asha.receive(&[other]);
    (asha, ben)
}

/// What `replica` writes without asking anybody, as a program that is not ours does.
fn written(replica: &Replica, command: S) -> Candidate {
    let sealed =
        seal(&replica.document, &replica.document.heads(), replica.actor, &[Command::Session(command)]).unwrap();
    let changes = sealed.into_iter().map(|change| change.bytes).collect();
    Candidate { entry: 9, actor: replica.actor, person: person_of(replica.name), schema: 1, changes }
}

#[test]
fn what_a_person_put_on_the_agenda_is_worded_by_that_person() {
    let (asha, ben) = scene();
    let edit = |id| S::EditItem { id, splice: Splice::insert(0, "Not ") };
    let cut = |id| S::EditItem { id, splice: Splice { pos: 0, delete: 3, insert: String::new() } };
    let minutes = |id| S::SetItem { id, value: AgendaValue::Minutes(5) };
    let mark = |id| S::MarkItem { id, op: ItemId([9; 8]), transition: AgendaTransition::Discussed, cites: Vec::new() };
    let own: [(&str, &dyn Fn(ItemId) -> S); 4] = [
        ("words", &edit),
        ("taking out words", &cut),
        ("minutes", &minutes),
        ("taking it away", &|id| S::RemoveItem { id }),
    ];
    for (what, command) in own {
        let judge = |id, rules: Rules| {
            let mut gate = Gate::open(&asha.document, rules, person).unwrap();
            gate.judge(&[written(&ben, command(id))]).verdicts[0].1
        };
        assert_eq!(judge(HIS, Rules::ALL), Verdict::Admitted, "{what}: his own");
        assert_eq!(judge(HERS, Rules::ALL), Verdict::ParkedForGood(ParkCode::NotAuthor), "{what}: hers");
        // The positive control: without the rule it is taken.
        assert_eq!(judge(HERS, Rules { author: false, ..Rules::ALL }), Verdict::Admitted, "{what}: without the rule");
    }
    // Everybody orders the agenda, and says what became of what stands on it.
    for command in [S::MoveItem { id: HERS, after: Some(HIS) }, mark(HERS)] {
        let mut there = asha.clone();
        there.receive(&[written(&ben, command)]);
        assert_eq!(view(&there).agenda.len(), 2);
    }
}

#[test]
fn all_devices_of_a_person_are_that_person() {
    let (asha, _) = scene();
    // Asha's other device, which nobody has seen before.
    let (device, incarnation) = (DeviceKey([77; 32]), Incarnation([77; 16]));
    let actor = Actor::of(device, incarnation, DOCUMENT, 0).unwrap();
    let mut other = Replica { actor, log: Vec::new(), ..asha.clone() };
    let edit = S::EditItem { id: HERS, splice: Splice::insert(0, "Tuesday: ") };
    let candidate = written(&other, edit);
    let verdict = |candidate: &Candidate| asha.clone().judge(std::slice::from_ref(candidate)).verdicts[0].1;
    assert_eq!(verdict(&candidate), Verdict::Admitted);
    // Of Ben, and of nobody who is known, it is not.
    for person in [Some(PEOPLE[1].0), None] {
        let stranger = Candidate { person, ..candidate.clone() };
        assert_eq!(verdict(&stranger), Verdict::ParkedForGood(ParkCode::NotAuthor));
    }
    other.receive(&[candidate]);
    assert_eq!(view(&other).agenda.iter().find(|item| item.id == HERS).unwrap().text.text, "Tuesday: The visit.");
}

#[test]
fn nobody_writes_on_as_the_actor_of_another_person() {
    let (asha, ben) = scene();
    // Ben's program says that it is Asha's: its change follows hers as her own next one would.
    let mut posing = Replica { actor: asha.actor, ..ben.clone() };
    posing.name = "ben";
    let edit = S::EditItem { id: HERS, splice: Splice::insert(0, "Not ") };
    let candidate = written(&posing, edit);
    assert_eq!(candidate.person, person_of("ben"));
    let verdict = |candidate: &Candidate| asha.clone().judge(std::slice::from_ref(candidate)).verdicts[0].1;
    assert_eq!(verdict(&candidate), Verdict::ParkedForGood(ParkCode::Actor));
    assert_eq!(verdict(&Candidate { person: person_of("asha"), ..candidate }), Verdict::Admitted, "hers");
}

/// Under the first version's name of an actor, which says nothing of the device, anybody could have written first.
#[test]
fn an_actor_is_of_one_device() {
    let incarnation = Incarnation([5; 16]);
    let of = |device: u8, first: Option<&[u8]>| {
        Actor::of_entry((DeviceKey([device; 32]), incarnation), DOCUMENT, 0, first).unwrap()
    };
    let earlier = Actor::earlier(incarnation, DOCUMENT, 0).unwrap();
    assert!(of(1, None) != of(2, None) && of(1, None) != earlier);
    // A change that an earlier version wrote says so itself.
    let empty = Document::new(DOCUMENT, DocumentKind::Session);
    let by = |actor| {
        let commands = add(HERS, "The visit.");
        seal(&empty, &empty.heads(), actor, &commands).unwrap().remove(0).bytes
    };
    assert_eq!(of(1, Some(&by(earlier))), earlier);
    assert_eq!(of(1, Some(&by(of(1, None)))), of(1, None));
    assert_eq!(of(1, Some(&by(of(2, None)))), of(1, None), "the gate then finds that the change names another");
    assert_eq!(of(1, Some(b"noise")), of(1, None));
}
