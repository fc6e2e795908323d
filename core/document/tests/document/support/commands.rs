//! Random commands that fit the document at hand.

use alliance_document::{View, WorkingCopy};
use alliance_model::agreement::{AgreementCommand as A, ClauseSection, Modality, ProtectiveTerm, ProtectiveValue};
use alliance_model::cosign::frozen;
use alliance_model::decision::{DecisionCommand as D, DecisionField, DecisionList};
use alliance_model::exports::{ExportRecord, ExportScope, ExportsCommand};
use alliance_model::form::{FilePiece, FormCommand as F, Said, SaidView, Sort, With, Word};
use alliance_model::note::{NoteCommand as N, Stage, Transition};
use alliance_model::policy::AgendaOrigin;
use alliance_model::preparation::{
    Feeling, PreparationCommand as P, PreparationField, PreparationKind, PreparationMark, PreparationValue, Share,
};
use alliance_model::session::{
    AgendaMode, AgendaTransition, AgendaValue, Attendance, SessionCommand as S, SessionField, SessionRole,
    SessionTransition, SessionValue,
};
use alliance_model::{
    CivilDate, Command, DecisionView, FormView, ItemId, PreparationView, RefusalCode, SessionView, Splice,
};
use alliance_wire::{DocumentId, FrozenHash, PersonTag, SpaceId};

use super::replica::PEOPLE;
use crate::random::Random;

/// A random command that fits the document as shown.
pub fn random_command(random: &mut Random, view: &View) -> Command {
    let fresh = ItemId(random.next().to_be_bytes());
    match view {
        View::Note(view) => {
            let action = view.actions.get(random.below(view.actions.len())).map(|a| a.id);
            let stage = Stage::ALL[random.below(5)];
            let text = |len: usize, random: &mut Random| {
                let pos = random.below(len + 1);
                let delete = random.below((len - pos).min(6) + 1);
                let words = ["sie hört zu ", "á", "聞く", "🌳", "a\nb", ""];
                let insert = if delete == 0 { words[random.below(5)] } else { words[random.below(6)] };
                Splice {
                    pos: u32::try_from(pos).unwrap(),
                    delete: u32::try_from(delete).unwrap(),
                    insert: insert.into(),
                }
            };
            match (random.below(10), action) {
                (0, _) | (1, None) => Command::Note(N::AddAction { id: fresh, after: action }),
                (1, Some(id)) => {
                    let len = view.action(id).unwrap().text.scalars();
                    Command::Note(N::EditAction { id, splice: text(len, random) })
                }
                (2, Some(id)) => {
                    let cites = view.action(id).unwrap().newest();
                    Command::Note(N::MarkAction { id, op: fresh, transition: Transition::Done, cites })
                }
                (3, Some(id)) if random.below(3) == 0 => Command::Note(N::RemoveAction { id }),
                (4, _) => Command::Note(N::SetTitle { title: format!("title {}", random.below(5)) }),
                (8, _) if random.below(4) == 0 => {
                    let numbers = ProtectiveTerm::ContentRecordRule.protection().order;
                    let (number, _) = numbers[random.below(numbers.len())];
                    Command::Note(N::CiteRule {
                        rule: ProtectiveValue { term: ProtectiveTerm::ContentRecordRule, number },
                    })
                }
                (9, _) => Command::Note(N::AddAddendum { op: fresh, text: "und noch: 🌳".into() }),
                (5, _) => Command::Note(N::SetFunction {
                    scheme: "proctor3".into(),
                    function: "formative".into(),
                    weight: u8::try_from(random.below(101)).unwrap(),
                }),
                _ => {
                    let len = view.section(stage).unwrap().scalars();
                    Command::Note(N::EditSection { stage, splice: text(len, random) })
                }
            }
        }
        View::Session(view) => Command::Session(session_command(random, view, fresh)),
        View::Exports(_) => {
            let reason = ["for the board", ""][random.below(2)].into();
            let (scope, on) = (ExportScope::ALL[random.below(2)], CivilDate::new(2026, 12, 20).unwrap());
            let record = ExportRecord { person: PEOPLE[0].0, scope, on, reason, file: FrozenHash([7; 32]) };
            Command::Exports(ExportsCommand::Record { op: fresh, record })
        }
        View::Decision(view) => Command::Decision(decision_command(random, view, fresh)),
        View::Form(view) => Command::Form(view.kind, form_command(random, view, fresh)),
        View::Preparation(view) => Command::Preparation(preparation_command(random, view, fresh)),
        View::Agreement(view) => {
            let clause = view.clauses.get(random.below(view.clauses.len())).map(|c| c.id);
            match (random.below(8), clause) {
                (6, Some(id)) => {
                    let wording = view.clause(id).unwrap().wording();
                    Command::Agreement(A::Understand { id, op: fresh, wording })
                }
                (7, Some(id)) => Command::Agreement(A::Remark { id, op: fresh, text: "asante".into() }),
                (1, Some(id)) => Command::Agreement(A::MoveClause { id, after: None }),
                (2, Some(id)) if random.below(3) == 0 => Command::Agreement(A::RemoveClause { id }),
                (3 | 4, Some(id)) => {
                    let len = u32::try_from(view.clause(id).unwrap().text.scalars()).unwrap();
                    Command::Agreement(A::EditClause { id, splice: Splice::insert(len / 2, "wir ") })
                }
                (5, Some(id)) => Command::Agreement(A::SetModality { id, modality: Modality::ALL[random.below(2)] }),
                _ => Command::Agreement(A::AddClause {
                    id: fresh,
                    section: ClauseSection::Hopes,
                    modality: Modality::May,
                    after: clause,
                }),
            }
        }
    }
}

/// A decision of the first of the people; others are refused.
fn decision_command(random: &mut Random, view: &DecisionView, fresh: ItemId) -> D {
    if view.made_by.is_none() {
        return D::Begin { person: PEOPLE[0].0, session: None };
    }
    let listed = view.listed.get(random.below(view.listed.len())).map(|part| part.id);
    let own = DecisionField::ALL[random.below(3)].id();
    match (random.below(8), listed) {
        (0, _) | (1, None) => D::Add { id: fresh, list: DecisionList::ALL[random.below(2)], after: listed },
        (1, Some(id)) if random.below(3) == 0 => D::Remove { id },
        (2, _) => D::SetEthical { ethical: !view.ethical },
        (turn, listed) => {
            let id = listed.filter(|_| turn < 5).unwrap_or(own);
            let len = u32::try_from(view.item(id).unwrap().scalars()).unwrap();
            D::Edit { id, splice: Splice::insert(len / 2, "amua ") }
        }
    }
}

fn session_command(random: &mut Random, view: &SessionView, fresh: ItemId) -> S {
    let item = view.agenda.get(random.below(view.agenda.len())).map(|item| item.id);
    let person = PersonTag([u8::try_from(random.below(3)).unwrap(); 16]);
    let stakeholder = ["client", "log", "colleagues"][random.below(3)].to_owned();
    match (random.below(14), item) {
        (1, Some(id)) => S::MoveItem { id, after: None },
        (2, Some(id)) if random.below(3) == 0 => S::RemoveItem { id },
        (3 | 4, Some(id)) => {
            let len = u32::try_from(view.item(id).unwrap().text.scalars()).unwrap();
            S::EditItem { id, splice: Splice::insert(len / 2, "neno ") }
        }
        (5, Some(id)) => S::SetItem { id, value: AgendaValue::Mode(AgendaMode::ALL[random.below(2)]) },
        (6, Some(id)) => {
            let transition = AgendaTransition::ALL[random.below(4)];
            S::MarkItem { id, op: fresh, transition, cites: view.item(id).unwrap().newest() }
        }
        (7, _) => S::Set { value: SessionValue::Minutes(u16::try_from(random.below(90) + 1).unwrap()) },
        (8, _) => S::SetAttendance { person, attendance: Attendance::ALL[random.below(4)] },
        (9, _) => S::SetRole { person, role: SessionRole::ALL[random.below(4)] },
        (10, _) if view.stakeholders.contains(&stakeholder) => S::RemoveStakeholder { name: stakeholder },
        (10 | 11, _) => S::AddStakeholder { name: stakeholder },
        (12, _) if view.value(SessionField::Minutes).is_some() => S::Clear { field: SessionField::Minutes },
        (12 | 13, _) => {
            // What closes it is refused while nobody said that it was held.
            let transition = SessionTransition::ALL[random.below(8)];
            S::Mark { op: fresh, transition, cites: view.newest() }
        }
        _ if random.below(4) == 0 => {
            S::BringItem { id: fresh, after: item, origin: AgendaOrigin::ALL[random.below(5)] }
        }
        _ => S::AddItem { id: fresh, after: item },
    }
}

fn preparation_command(random: &mut Random, view: &PreparationView, fresh: ItemId) -> P {
    let entry = view.entries.get(random.below(view.entries.len()));
    let Some(entry) = entry else { return P::AddEntry { id: fresh, after: None } };
    let (id, feeling) = (entry.id, Feeling::ALL[random.below(3)]);
    match random.below(13) {
        0 => P::MoveEntry { id, after: None },
        1 if random.below(3) == 0 => P::RemoveEntry { id },
        2 | 3 => {
            let len = u32::try_from(entry.text.scalars()).unwrap();
            P::EditEntry { id, splice: Splice::insert(len / 2, "peke ") }
        }
        4 => P::SetEntry { id, value: PreparationValue::Kind(PreparationKind::ALL[random.below(7)]) },
        5 => {
            let priority = u16::try_from(random.below(9) + 1).unwrap();
            P::SetEntry { id, value: PreparationValue::Priority(priority) }
        }
        6 if entry.value(PreparationField::Priority).is_some() => {
            P::ClearEntry { id, field: PreparationField::Priority }
        }
        7 if entry.feelings.contains(&feeling) => P::RemoveFeeling { id, feeling },
        7 | 8 => P::AddFeeling { id, feeling },
        9 | 10 => {
            let mark = PreparationMark::ALL[random.below(4)];
            P::Mark { id, op: fresh, mark, cites: entry.unanswered() }
        }
        11 => {
            let session = DocumentId([u8::try_from(random.below(2)).unwrap(); 16]);
            let (item, hash) = (fresh, frozen(entry.text.text.as_bytes()));
            let share = Share { space: SpaceId([9; 16]), session, item, hash, date: None };
            P::Share { id, op: fresh, share, cites: entry.unanswered_marks() }
        }
        _ => P::AddEntry { id: fresh, after: Some(id) },
    }
}

/// A value that a field of this sort can hold.
fn value_of(random: &mut Random, sort: Sort) -> String {
    match sort {
        Sort::Line => ["Nyumbani", "at the clinic"][random.below(2)].to_owned(),
        Sort::Date => ["2026-11-30", "2027-01-01"][random.below(2)].to_owned(),
        Sort::Number(from, to) => (usize::from(from) + random.below(usize::from(to - from) + 1)).to_string(),
        Sort::Word(words) => words[random.below(words.len())].to_owned(),
        Sort::Person => PEOPLE[random.below(3)].0.to_string(),
        Sort::Document => DocumentId([u8::try_from(random.below(2)).unwrap(); 16]).to_string(),
    }
}

/// Something that is said, with what the table asks to go with it.
fn said(random: &mut Random, word: &Word, log: &[SaidView]) -> Said {
    let cites = log.iter().rev().take(random.below(3)).map(|it| it.op).collect();
    let mut said = Said { cites, ..Said::word(word.name) };
    for with in word.with {
        match with {
            With::Date => said.on = CivilDate::new(2026, 12, 20).ok(),
            With::Number(max) => said.number = Some(u16::try_from(random.below(usize::from(*max) + 1)).unwrap()),
            With::Text => said.text = (random.below(2) == 0).then(|| "asante".to_owned()),
        }
    }
    said
}

/// Whatever the table of a form allows; what somebody else added is refused.
fn form_command(random: &mut Random, view: &FormView, fresh: ItemId) -> F {
    let form = view.kind.form().unwrap();
    let add = |random: &mut Random| {
        let list = form
            .lists
            .get(random.below(form.lists.len().max(1)))
            .filter(|list| view.list(list.name).count() < list.max);
        list.map(|list| F::Add { id: fresh, list: list.name.into(), after: None, person: PEOPLE[random.below(3)].0 })
    };
    let item = view.items.get(random.below(view.items.len().max(1)));
    let command = match random.below(12) {
        0 | 1 => form.texts.get(random.below(form.texts.len().max(1))).map(|name| {
            let len = u32::try_from(view.text_of(name).unwrap().chars().count()).unwrap();
            F::EditText { name: (*name).into(), splice: Splice::insert(len / 2, "pamoja ") }
        }),
        2 | 3 => form.fields.get(random.below(form.fields.len().max(1))).map(|field| {
            if random.below(4) == 0 {
                return F::Clear { field: field.name.into() };
            }
            F::Set { field: field.name.into(), value: value_of(random, field.sort) }
        }),
        4 => form.sets.get(random.below(form.sets.len().max(1))).map(|set| {
            let (value, set) = (value_of(random, set.sort), set.name.to_owned());
            if view.set(&set).contains(&value) { F::Take { set, value } } else { F::Put { set, value } }
        }),
        5 => add(random),
        6 => item.filter(|item| form.list(&item.list).unwrap().text && item.state.as_deref() != Some("retracted")).map(
            |item| {
                let len = u32::try_from(item.text.scalars()).unwrap();
                F::EditItem { id: item.id, splice: Splice::insert(len / 2, "langu ") }
            },
        ),
        7 => item.and_then(|item| {
            let fields = form.list(&item.list).unwrap().fields;
            let field = fields.get(random.below(fields.len().max(1)))?;
            Some(F::SetItem { id: item.id, field: field.name.into(), value: value_of(random, field.sort) })
        }),
        8 => item.filter(|_| random.below(3) == 0).map(|item| F::Remove { id: item.id }),
        9 => item.and_then(|item| {
            let words = form.list(&item.list).unwrap().words;
            let word = words.get(random.below(words.len().max(1)))?;
            Some(F::Say { op: fresh, item: Some(item.id), said: said(random, word, &item.log) })
        }),
        10 if form.files => {
            let file = frozen(b"a file");
            Some(F::Keep { op: fresh, piece: FilePiece { file, number: 0, of: 1, bytes: b"a file".to_vec() } })
        }
        _ => form.words.get(random.below(form.words.len().max(1))).map(|word| F::Say {
            op: fresh,
            item: None,
            said: said(random, word, &view.log),
        }),
    };
    // A table that has none of it: something that it has.
    command.or_else(|| add(random)).unwrap_or_else(|| match (form.fields.first(), view.items.first()) {
        (Some(field), _) => F::Set { field: field.name.into(), value: value_of(random, field.sort) },
        (None, Some(item)) => F::EditItem { id: item.id, splice: Splice::insert(0, "x") },
        (None, None) => unreachable!("a form has fields or lists"),
    })
}

/// Applies a command; in these tests everybody is one person, who says nothing that is for others to say.
pub fn apply(copy: &mut WorkingCopy, revision: u64, command: &Command) {
    let said = matches!(command, Command::Form(_, F::Say { .. }));
    match copy.apply(revision, command) {
        Ok(_) => {}
        Err(refusal) => assert!(said && refusal.code == RefusalCode::NotAuthor, "{command:?}: {refusal}"),
    }
}
