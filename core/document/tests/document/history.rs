//! A document as it was: views of earlier states, differences, and passages brought back, over random histories.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs, unreachable_pub)]

use alliance_document::{Heads, HistoryError, PieceKind, View, WorkingCopy};
use alliance_model::decision::DecisionField;
use alliance_model::note::{NoteCommand as N, Stage};
use alliance_model::preparation::{PreparationEntryView, PreparationFieldView};
use alliance_model::{Command, DocumentKind, NoteView, Splice};

use crate::random::Random;
use crate::support::commands::random_command;
use crate::support::replica::{self, Replica, context};

fn note(view: View) -> NoteView {
    let View::Note(note) = view else { panic!("a note") };
    note
}

fn focus(view: View) -> String {
    note(view).section(Stage::Focus).unwrap().text.clone()
}

fn splice(pos: u32, delete: u32, insert: &str) -> Command {
    Command::Note(N::EditSection { stage: Stage::Focus, splice: Splice { pos, delete, insert: insert.into() } })
}

/// Two people write apart and meet now and then; every state is remembered as it was shown.
fn history(seed: u64, kind: DocumentKind) -> (Replica, Vec<(Heads, View)>) {
    let mut random = Random::new(seed);
    let (mut asha, mut ben) = (Replica::new("asha", kind), Replica::new("ben", kind));
    // What is a person's own is worded by one of them: there they are two devices of hers.
    ben.person = asha.person;
    let mut states = Vec::new();
    for session in 0..12 {
        let asha_writes = random.below(2) == 0;
        let (writer, other) = if asha_writes { (&mut asha, &mut ben) } else { (&mut ben, &mut asha) };
        let mut copy =
            WorkingCopy::open(&writer.document, &writer.document.heads(), writer.actor, Vec::new(), session).unwrap();
        for _ in 0..1 + random.below(10) {
            let command = random_command(&mut random, &copy.view(context()).unwrap());
            copy.apply(session, &command).unwrap();
        }
        if copy.seal(&writer.document).unwrap().is_empty() {
            continue;
        }
        writer.write(copy.commands());
        states.push((writer.document.heads(), writer.document.view(context()).unwrap()));
        if random.below(3) == 0 {
            let (sent, back) = (writer.log.clone(), other.log.clone());
            other.receive(&sent);
            writer.receive(&back);
            states.push((writer.document.heads(), writer.document.view(context()).unwrap()));
        }
    }
    let sent = ben.log.clone();
    asha.receive(&sent);
    (asha, states)
}

#[test]
fn every_earlier_state_is_shown_as_it_was() {
    for seed in 0..40 {
        println!("seed {seed}");
        let kind = DocumentKind::ALL[usize::try_from(seed % 13).unwrap()];
        let (asha, states) = history(seed, kind);
        for (heads, view) in &states {
            assert_eq!(asha.document.view_at(heads, context()).unwrap(), *view);
        }
        // What differs between any two states turns the one into the other.
        for pair in [(0, states.len() - 1), (states.len() / 2, 1), (3, 3)] {
            let (before, after) = (&states[pair.0], &states[pair.1]);
            let differences = asha.document.differences(&before.0, &after.0).unwrap();
            assert_eq!(differences.is_empty(), shown(&before.1) == shown(&after.1), "{pair:?}");
            for difference in differences.iter().filter(|it| !it.pieces.is_empty()) {
                let side = |leave: PieceKind| -> String {
                    difference.pieces.iter().filter(|it| it.kind != leave).map(|it| it.text.as_str()).collect()
                };
                assert_eq!(side(PieceKind::Added), text_at(&before.1, &difference.place), "{difference:?}");
                assert_eq!(side(PieceKind::Removed), text_at(&after.1, &difference.place), "{difference:?}");
            }
        }
    }
}

/// Everything of a view but who wrote it, and the order and the logs of items.
fn shown(view: &View) -> Vec<String> {
    let mut all: Vec<String> = match view {
        View::Note(note) => {
            let actions = note.actions.iter().map(|it| format!("{} {} {}", it.id, it.text.text, it.state));
            let sections = note.sections.iter().map(|it| it.text.text.clone());
            let functions = note.functions.iter().map(|it| {
                format!("{} {:?}", it.function, it.values.iter().map(|claim| &claim.value).collect::<Vec<_>>())
            });
            let head = format!("{:?} {:?} {:?}", note.title, note.date, note.kind);
            actions.chain(sections).chain(functions).chain([head]).collect()
        }
        View::Session(session) => {
            let items = session.agenda.iter().map(|it| format!("{} {} {:?}", it.id, it.text.text, it.state));
            let fields = session
                .fields
                .iter()
                .map(|it| format!("{} {:?}", it.field, it.values.iter().map(|claim| &claim.value).collect::<Vec<_>>()));
            let people = session.participants.iter().map(|it| format!("{} {:?}", it.person, it.disputed));
            let head = format!("{:?} {:?}", session.state, session.stakeholders);
            items.chain(fields).chain(people).chain([head]).collect()
        }
        View::Preparation(preparation) => {
            let fields = |entry: &PreparationEntryView| -> Vec<String> {
                let values = |it: &PreparationFieldView| -> Vec<String> {
                    it.values.iter().map(|claim| claim.value.clone()).collect()
                };
                entry.fields.iter().map(|it| format!("{} {:?}", it.field, values(it))).collect()
            };
            let entries = preparation.entries.iter();
            entries
                .map(|it| format!("{} {} {:?} {:?} {:?}", it.id, it.text.text, it.state, it.feelings, fields(it)))
                .collect()
        }
        View::Exports(exports) => exports.exports.iter().map(|it| format!("{} {}", it.op, it.reason)).collect(),
        View::Form(form) => {
            let text = alliance_model::form::FormText::of(form);
            let said = form.log.iter().chain(form.items.iter().flat_map(|item| &item.log));
            let said = said.map(|it| format!("{} {} {:?}", it.op, it.word, it.text));
            let items = text.items.iter().map(|it| format!("{} {} {:?}", it.id, it.text, it.fields));
            said.chain(items).chain([format!("{:?} {:?} {:?}", text.texts, text.fields, text.sets)]).collect()
        }
        View::Decision(decision) => {
            let texts = DecisionField::ALL.iter().map(|field| decision.field(*field).text.clone());
            let listed = decision.listed.iter().map(|it| format!("{} {} {}", it.id, it.list, it.text.text));
            texts.chain(listed).chain([decision.ethical.to_string()]).collect()
        }
        View::Agreement(agreement) => {
            agreement.clauses.iter().map(|it| format!("{} {} {:?}", it.id, it.text.text, it.modality)).collect()
        }
    };
    all.sort();
    all
}

fn text_at(view: &View, place: &str) -> String {
    let (list, name) = place.split_once('.').unwrap();
    let found = match view {
        View::Note(note) if list == "sections" => {
            note.sections.iter().find(|it| it.stage.name() == name).map(|it| it.text.text.clone())
        }
        View::Note(note) => note.actions.iter().find(|it| it.id.to_string() == name).map(|it| it.text.text.clone()),
        View::Session(session) => {
            session.agenda.iter().find(|it| it.id.to_string() == name).map(|it| it.text.text.clone())
        }
        View::Preparation(preparation) => {
            preparation.entries.iter().find(|it| it.id.to_string() == name).map(|it| it.text.text.clone())
        }
        View::Exports(_) => None,
        View::Form(form) => {
            let item = || form.items.iter().find(|it| it.id.to_string() == name).map(|it| it.text.text.clone());
            form.text_of(name).map(str::to_owned).or_else(item)
        }
        View::Decision(decision) => {
            let own = DecisionField::from_name(name).map(|field| decision.field(field).text.clone());
            let listed = || decision.listed.iter().find(|it| it.id.to_string() == name).map(|it| it.text.text.clone());
            own.or_else(listed)
        }
        View::Agreement(agreement) => {
            agreement.clauses.iter().find(|it| it.id.to_string() == name).map(|it| it.text.text.clone())
        }
    };
    found.unwrap_or_default()
}

/// Brings back a passage of the focus and applies it; the text afterwards.
fn back(asha: &Replica, heads: &Heads, passage: Option<(usize, usize)>) -> Result<(usize, String), HistoryError> {
    let mut copy = WorkingCopy::open(&asha.document, &asha.document.heads(), asha.actor, Vec::new(), 1).unwrap();
    let commands = copy.bring_back(heads, "sections.focus", passage)?;
    for command in &commands {
        copy.apply(1, command).unwrap();
    }
    Ok((commands.len(), focus(copy.view(context()).unwrap())))
}

#[test]
fn what_is_missing_goes_back_where_it_stood() {
    let mut asha = Replica::new("asha", DocumentKind::Note);
    asha.write(&[splice(0, 0, "one two three four five")]);
    let first = asha.document.heads();
    let mut ben = asha.clone();
    (ben.name, ben.actor, ben.log) = ("ben", replica::actor_of("ben"), Vec::new());
    ben.write(&[splice(7, 0, "(ben)")]);
    asha.write(&[splice(4, 10, "")]);
    let sent = ben.log.clone();
    asha.receive(&sent);
    assert_eq!(focus(asha.document.view(context()).unwrap()), "one (ben)four five");
    // Ben's words stand in the middle of what is brought back.
    assert_eq!(back(&asha, &first, Some((4, 10))).unwrap(), (2, "one two(ben) three four five".to_owned()));
    assert_eq!(back(&asha, &first, Some((4, 3))).unwrap(), (1, "one two(ben)four five".to_owned()));
    assert_eq!(back(&asha, &first, None).unwrap().1, "one two(ben) three four five");
    assert_eq!(back(&asha, &first, Some((0, 4))), Err(HistoryError::NothingMissing));
    assert_eq!(back(&asha, &first, Some((20, 10))), Err(HistoryError::UnknownPassage));
    assert_eq!(back(&asha, &first, Some((3, 0))), Err(HistoryError::UnknownPassage));
    let unknown = Heads::new(vec![alliance_document::ChangeId([7; 32])]);
    assert_eq!(back(&asha, &unknown, None), Err(HistoryError::UnknownState));
    assert_eq!(back(&asha, &Heads::default(), None), Err(HistoryError::UnknownState));
    // A long passage comes back in commands that each fit their limit.
    let long: String = (0..20_000_u32).map(|n| char::from_u32(0x4e00 + n % 5_000).unwrap()).collect();
    let pieces: Vec<Command> = long
        .chars()
        .collect::<Vec<_>>()
        .chunks(2_000)
        .enumerate()
        .map(|(n, piece)| splice(u32::try_from(n).unwrap() * 2_000, 0, &piece.iter().collect::<String>()))
        .collect();
    asha.write(&pieces);
    let full = asha.document.heads();
    asha.write(&[splice(0, 20_000, "")]);
    let (commands, text) = back(&asha, &full, Some((0, 20_000))).unwrap();
    assert!(commands >= 8 && text.starts_with(&long), "{commands}");
}

#[test]
fn all_of_a_text_that_was_taken_out_comes_back() {
    let mut asha = Replica::new("asha", DocumentKind::Note);
    asha.write(&[splice(0, 0, "What was taken out.")]);
    let then = asha.document.heads();
    asha.write(&[splice(0, 19, "")]);
    assert_eq!(back(&asha, &then, None).unwrap(), (1, "What was taken out.".to_owned()));
    assert_eq!(back(&asha, &then, Some((5, 3))).unwrap(), (1, "was".to_owned()));
    // What stands there since does not keep it from coming back, nor does what is left of it.
    asha.write(&[splice(0, 0, "New.")]);
    let (_, text) = back(&asha, &then, None).unwrap();
    assert!(text.contains("What was taken out.") && text.contains("New."), "{text}");
}
