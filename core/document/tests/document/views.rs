//! A note's view tells what the engine tells, asked key by key: every value that people wrote apart, and who wrote it.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

use alliance_document::{Document, View};
use alliance_model::note::{NoteCommand, Stage, Transition};
use alliance_model::{Claim, Command, DocumentKind, ItemId, NoteView, Splice};
use automerge::{Automerge, ObjId, ROOT, ReadDoc as _, Value};

use crate::random::Random;
use crate::support::replica::{Replica, author, context};

/// What one person writes in a session, on what they see.
fn session(random: &mut Random, view: &NoteView) -> Vec<Command> {
    let edit = NoteCommand::EditSection { stage: Stage::Focus, splice: Splice::insert(0, "so ") };
    let mut commands = vec![edit, NoteCommand::AddAction { id: ItemId(random.next().to_be_bytes()), after: None }];
    for _ in 0..4 {
        let Some(id) = view.actions.get(random.below(view.actions.len())).map(|action| action.id) else { continue };
        commands.push(match random.below(7) {
            0 => NoteCommand::SetTitle { title: format!("title {}", random.below(3)) },
            1 => NoteCommand::SetDate { date: format!("2026-05-0{}", 1 + random.below(3)).parse().unwrap() },
            2 => NoteCommand::SetFunction {
                scheme: "proctor3".into(),
                function: ["formative", "normative"][random.below(2)].into(),
                weight: u8::try_from(random.below(3)).unwrap(),
            },
            3 => NoteCommand::SetOwner { id, owner: ["Asha", "Ben"][random.below(2)].into() },
            4 if random.chance(40) => NoteCommand::SetDue { id, due: None },
            4 => NoteCommand::SetDue { id, due: Some("2026-06-01".parse().unwrap()) },
            5 if random.chance(40) => NoteCommand::RemoveAction { id },
            _ => {
                let op = ItemId(random.next().to_be_bytes());
                NoteCommand::MarkAction { id, op, transition: Transition::Done, cites: Vec::new() }
            }
        });
        if matches!(commands.last(), Some(NoteCommand::RemoveAction { .. })) {
            break;
        }
    }
    commands.into_iter().map(Command::Note).collect()
}

/// The engine's answers, key by key.
struct Asked(Automerge);

impl Asked {
    fn object(&self, of: &ObjId, key: &str) -> ObjId {
        let found = self.0.get(of, key).unwrap();
        found.filter(|(value, _)| matches!(value, Value::Object(_))).unwrap().1
    }

    /// Every value at a key with its author, sorted.
    fn values(&self, of: &ObjId, key: &str) -> Vec<(String, String)> {
        let all = self.0.get_all(of, key).unwrap();
        let mut values: Vec<_> = all.iter().map(|(value, operation)| (text(value), by(operation))).collect();
        values.sort();
        values
    }
}

fn text(value: &Value<'_>) -> String {
    let Value::Scalar(scalar) = value else { panic!("an object in a register") };
    match (scalar.as_str(), scalar.as_u64()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(number)) => number.to_string(),
        (None, None) => panic!("no note holds {value:?} in a register"),
    }
}

fn by(operation: &ObjId) -> String {
    match operation {
        ObjId::Id(_, actor, _) => author(actor.to_bytes()),
        ObjId::Root => panic!("the root is no operation"),
    }
}

/// Compares the view with the engine's answers; how many registers hold values that were written apart.
fn compare(document: &Document) -> usize {
    let View::Note(view) = document.view(context()).unwrap() else { panic!("a note") };
    let asked = Asked(Automerge::load(&document.to_automerge().unwrap()).unwrap());
    let mut apart = 0;
    let mut same = |claims: &[Claim], object: &ObjId, key: &str| {
        let mut shown: Vec<_> =
            claims.iter().map(|claim| (claim.value.clone(), view.authors[claim.by].clone())).collect();
        shown.sort();
        let told = asked.values(object, key);
        apart += usize::from(told.len() > 1);
        assert_eq!(shown, told, "{key}");
    };
    let fields = asked.object(&ROOT, "fields");
    let date = view.date.map(|date| date.to_string());
    for (field, shown) in [("title", view.title.clone()), ("date", date)] {
        let told = asked.values(&fields, field);
        match view.conflicts.iter().find(|conflict| conflict.field == field) {
            Some(conflict) => same(&conflict.values, &fields, field),
            None => assert!(told.iter().all(|(value, _)| Some(value) == shown.as_ref()), "{field}: {told:?}"),
        }
        assert_eq!(shown.is_some(), !told.is_empty(), "{field}");
    }
    let functions = asked.object(&ROOT, "functions");
    assert_eq!(view.functions.len(), asked.0.keys(&functions).count());
    for function in &view.functions {
        same(&function.values, &functions, &format!("{}/{}", function.scheme, function.function));
    }
    let actions = asked.object(&ROOT, "actions");
    let is_alive = |key: &String| asked.0.length(asked.object(&asked.object(&actions, key), "alive")) > 0;
    let alive: Vec<String> = asked.0.keys(&actions).filter(is_alive).collect();
    let mut shown: Vec<String> = view.actions.iter().map(|action| action.id.to_string()).collect();
    shown.sort();
    assert_eq!(shown, alive);
    for action in &view.actions {
        let object = asked.object(&actions, &action.id.to_string());
        same(&action.owner, &object, "owner");
        same(&action.due, &object, "due");
        assert_eq!(action.text.text, asked.0.text(asked.object(&object, "text")).unwrap());
        let log = asked.object(&object, "log");
        assert!(action.log.iter().map(|entry| entry.op.to_string()).eq(asked.0.keys(&log)));
    }
    apart
}

#[test]
fn a_view_tells_what_each_key_holds() {
    let mut apart = 0;
    for seed in 0..12 {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let mut peers = ["asha", "ben", "carol"].map(|name| Replica::new(name, DocumentKind::Note));
        for _ in 0..5 {
            let written: Vec<_> = peers
                .iter_mut()
                .map(|peer| {
                    let commands = session(&mut random, &peer.note());
                    peer.write(&commands)
                })
                .collect();
            for (me, peer) in peers.iter_mut().enumerate() {
                for (_, candidate) in written.iter().enumerate().filter(|(who, _)| *who != me) {
                    peer.receive(std::slice::from_ref(candidate));
                }
                apart += compare(&peer.document);
            }
        }
        assert!(peers.iter().all(|peer| peer.document.heads() == peers[0].document.heads()));
    }
    println!("{apart} registers held values that were written apart");
    assert!(apart > 100, "{apart}");
}
