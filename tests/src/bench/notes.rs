//! The workload's notes as commands of the model.
//!
//! Two things have no place of their own here: a note's kind is fixed once it is chosen, and there are four of them. So
//! the workload's kind stands behind the title, where it can change as often as it does. Everything else is what it is
//! called: sections, date, weights of the functions, actions with their owner, date and a log that says "done".

use alliance_model::note::{Stage, Transition};
use alliance_model::{CivilDate, Command, ItemId, NoteCommand, Splice};

use super::workload::{Edit, Note, State, Step, Value};
use crate::random::Random;

/// Writes a note's turns as commands, in order.
pub struct Scribe {
    random: Random,
    title: String,
    /// Each action's id, and the newest entry of its log.
    actions: Vec<(ItemId, Option<ItemId>)>,
}

impl Scribe {
    /// For one note. Ids of actions follow from the seed.
    #[must_use]
    pub fn new(note: &Note, seed: u64) -> Self {
        Self { random: Random::new(seed), title: note.base.title.clone(), actions: Vec::new() }
    }

    /// The commands with which the first author begins the note.
    ///
    /// # Panics
    /// If the workload holds a date that is none.
    pub fn begin(&mut self, base: &State) -> Vec<Command> {
        let mut commands = vec![self.titled(&base.kind), NoteCommand::SetDate { date: date(&base.date) }];
        for field in super::workload::FIELDS {
            commands.push(splice(field, 0, 0, base.section(field)));
        }
        commands.extend(super::workload::FUNCTIONS.map(|function| weight(function, 0)));
        let mut after = None;
        for action in &base.actions {
            let id = self.item();
            commands.push(NoteCommand::AddAction { id, after });
            let text = Splice { pos: 0, delete: 0, insert: action.text.clone() };
            commands.push(NoteCommand::EditAction { id, splice: text });
            commands.push(NoteCommand::SetOwner { id, owner: action.owner.clone() });
            commands.push(NoteCommand::SetDue { id, due: Some(date(&action.due)) });
            self.actions.push((id, None));
            after = Some(id);
        }
        commands.into_iter().map(Command::Note).collect()
    }

    /// One edit; nothing for one that deletes nothing, which the workload has six times.
    ///
    /// # Panics
    /// If the workload sets what a note does not have.
    pub fn edit(&mut self, edit: &Edit) -> Option<Command> {
        Some(Command::Note(match edit {
            Edit::Delete { n: 0, .. } => return None,
            Edit::Insert { f, p, t, .. } => splice(f, *p, 0, t),
            Edit::Delete { f, n, p, .. } => splice(f, *p, *n, ""),
            Edit::Set { path, v, .. } => match (path.as_slice(), v) {
                ([Step::Field("functions"), Step::Field(name)], Value::Weight(value)) => weight(name, *value),
                ([Step::Field("actions"), Step::Index(at), Step::Field("done")], Value::Done(true)) => self.done(*at),
                ([Step::Field("kind")], Value::Text(kind)) => self.titled(kind),
                ([Step::Field("date")], Value::Text(day)) => NoteCommand::SetDate { date: date(day) },
                other => unreachable!("the workload sets {other:?}"),
            },
        }))
    }

    fn titled(&self, kind: &str) -> NoteCommand {
        NoteCommand::SetTitle { title: title(&self.title, kind) }
    }

    fn done(&mut self, at: usize) -> NoteCommand {
        let op = self.item();
        let (id, newest) = &mut self.actions[at];
        let cites = newest.replace(op).into_iter().collect();
        NoteCommand::MarkAction { id: *id, op, transition: Transition::Done, cites }
    }

    fn item(&mut self) -> ItemId {
        ItemId(self.random.next().to_be_bytes())
    }
}

/// A note's title as it is shown.
#[must_use]
pub fn title(title: &str, kind: &str) -> String {
    format!("{title}, {kind}")
}

/// The stage of a field.
#[must_use]
pub fn stage(field: &str) -> Stage {
    match field {
        "focus_question" => Stage::Focus,
        "exploration" => Stage::Exploration,
        "understanding" => Stage::Understanding,
        _ => Stage::Action,
    }
}

fn splice(field: &str, pos: usize, delete: usize, insert: &str) -> NoteCommand {
    let number = |value: usize| u32::try_from(value).expect("notes are short");
    let splice = Splice { pos: number(pos), delete: number(delete), insert: insert.to_owned() };
    NoteCommand::EditSection { stage: stage(field), splice }
}

fn weight(function: &str, weight: u8) -> NoteCommand {
    NoteCommand::SetFunction { scheme: "morrison4".to_owned(), function: function.to_owned(), weight }
}

fn date(text: &str) -> CivilDate {
    text.parse().expect("the workload's dates are dates")
}
