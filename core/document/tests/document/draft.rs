//! Drafts: what is shown while writing, what is sealed, and what happens when others write meanwhile.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

use alliance_document::{Heads, RebaseError, SealError, View, ViewContext, WorkingCopy, covering, rebase, seal};
use alliance_model::agreement::AgreementCommand as A;
use alliance_model::decision::DecisionField;
use alliance_model::note::{NoteCommand as N, Stage};
use alliance_model::{Command, DocumentKind, FormView, ItemId, RefusalCode, Splice, TextView};

use crate::random::Random;
use crate::support::commands::random_command;
use crate::support::replica::{Replica, context};

fn splice(stage: Stage, pos: u32, delete: u32, insert: &str) -> Command {
    Command::Note(N::EditSection { stage, splice: Splice { pos, delete, insert: insert.into() } })
}

fn section(view: View, stage: Stage) -> TextView {
    let View::Note(note) = view else { panic!("a note") };
    note.section(stage).unwrap().clone()
}

fn shown(copy: &WorkingCopy) -> String {
    section(copy.view(context()).unwrap(), Stage::Focus).text
}

#[test]
fn what_is_shown_is_what_is_sealed_and_it_is_one_change() {
    for seed in 0..60 {
        println!("seed {seed}");
        let kind = DocumentKind::ALL[usize::try_from(seed % 13).unwrap()];
        let mut random = Random::new(seed);
        let mut asha = Replica::new("asha", kind);
        for session in 0..4_u64 {
            let mut copy =
                WorkingCopy::open(&asha.document, &asha.document.heads(), asha.actor, Vec::new(), session).unwrap();
            for _ in 0..1 + random.below(25) {
                let command = random_command(&mut random, &copy.view(context()).unwrap());
                let decoded = Command::decode(&command.encode()).unwrap();
                assert_eq!(decoded, command);
                copy.apply(session, &decoded).unwrap();
            }
            // A draft that is opened again after a crash shows the same.
            let again =
                WorkingCopy::open(&asha.document, copy.base(), asha.actor, copy.commands().to_vec(), session).unwrap();
            assert_eq!(again.view(context()).unwrap(), copy.view(context()).unwrap());
            let sealed = copy.seal(&asha.document).unwrap();
            assert_eq!(sealed.len(), 1, "one change per editing session");
            asha.write_at(copy.base(), copy.commands());
            assert_eq!(asha.document.view(context()).unwrap(), copy.view(context()).unwrap());
        }
        asha.document.verified_save().unwrap();
    }
}

/// A draft moved onto later heads says what it would have said if it had been sealed and merged.
#[test]
fn a_moved_draft_says_what_the_sealed_one_would() {
    for seed in 1000..1060 {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let kind = DocumentKind::ALL[usize::try_from(seed % 13).unwrap()];
        let mut asha = Replica::new("asha", kind);
        let mut ben = Replica::new("ben", kind);
        // What is a person's own is worded by one of them: there they are two devices of hers.
        ben.person = asha.person;
        let author = |copy: &mut WorkingCopy, random: &mut Random, n: usize| {
            for _ in 0..n {
                let command = random_command(random, &copy.view(context()).unwrap());
                copy.apply(0, &command).unwrap();
            }
        };
        let open = |replica: &Replica| {
            WorkingCopy::open(&replica.document, &replica.document.heads(), replica.actor, Vec::new(), 0).unwrap()
        };
        let mut copy = open(&asha);
        author(&mut copy, &mut random, 12);
        let start = asha.write_at(copy.base(), copy.commands());
        ben.receive(&[start]);
        let mut draft = open(&asha);
        author(&mut draft, &mut random, 10);
        let mut other = open(&ben);
        author(&mut other, &mut random, 10);
        let from = asha.document.heads();
        let theirs = ben.write_at(other.base(), other.commands());
        asha.receive(&[theirs]);
        let to = asha.document.heads();
        let moved = rebase(&asha.document, draft.commands(), &from, &to).unwrap();
        let mut direct = asha.clone();
        direct.write_at(&from, draft.commands());
        let copy = WorkingCopy::open(&asha.document, &to, asha.actor, moved, 0).unwrap();
        let (direct, moved) = (texts(&direct.document.view(context()).unwrap()), texts(&copy.view(context()).unwrap()));
        // Neighbouring insertions at one place may stand in the other order: who moved came later.
        let sorted = |texts: &[String]| {
            let mut letters: Vec<char> = texts.iter().flat_map(|t| t.chars()).collect();
            letters.sort_unstable();
            letters
        };
        assert_eq!(sorted(&direct), sorted(&moved), "seed {seed}: {direct:?} {moved:?}");
    }
}

fn texts(view: &View) -> Vec<String> {
    match view {
        View::Note(note) => note
            .sections
            .iter()
            .map(|s| &s.text)
            .chain(note.actions.iter().map(|a| &a.text))
            .map(|t| t.text.clone())
            .collect(),
        View::Agreement(agreement) => agreement.clauses.iter().map(|c| c.text.text.clone()).collect(),
        View::Session(session) => session.agenda.iter().map(|item| item.text.text.clone()).collect(),
        View::Preparation(preparation) => preparation.entries.iter().map(|entry| entry.text.text.clone()).collect(),
        View::Form(form) => form_texts(form),
        View::Exports(exports) => exports.exports.iter().map(|it| it.reason.clone()).collect(),
        View::Decision(decision) => {
            let own = DecisionField::ALL.iter().map(|field| decision.field(*field).text.clone());
            own.chain(decision.listed.iter().map(|part| part.text.text.clone())).collect()
        }
    }
}

#[test]
fn remote_text_enters_at_the_cut_and_older_commands_are_mapped() {
    let mut asha = Replica::new("asha", DocumentKind::Note);
    let mut ben = Replica::new("ben", DocumentKind::Note);
    let start = asha.write(&[splice(Stage::Focus, 0, 0, "one three")]);
    ben.receive(&[start]);
    let mut copy = WorkingCopy::open(&asha.document, &asha.document.heads(), asha.actor, Vec::new(), 5).unwrap();
    copy.apply(5, &splice(Stage::Focus, 9, 0, " four")).unwrap();
    let theirs = ben.write(&[splice(Stage::Focus, 0, 0, "zero "), splice(Stage::Focus, 9, 0, "two ")]);
    asha.receive(&[theirs]);
    assert_eq!(shown(&copy), "one three four", "nothing enters before the cut");

    let sealed = asha.write_at(copy.base(), copy.commands());
    assert!(matches!(copy.cut(&asha.document, None), Err(SealError::CommandMisfit)), "a draft is never lost in a cut");
    let id = alliance_document::gate::change_id(&sealed.changes[0]).unwrap();
    let mut next = copy.cut(&asha.document, Some(id)).unwrap();
    assert_eq!(shown(&next), "zero one two three four");
    assert_eq!(next.revision(), 6);
    next.apply(6, &splice(Stage::Focus, 0, 0, "> ")).unwrap();
    // Made on the old view, inside "three".
    let moved = next.apply(5, &splice(Stage::Focus, 6, 2, "EE")).unwrap();
    assert!(!moved.is_empty());
    assert_eq!(shown(&next), "> zero one two thEEe four");
    let refusal = next.apply(4, &splice(Stage::Focus, 0, 0, "x")).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::StaleView);
    // What is shown after all of it is what is sealed.
    let sealed = seal(&asha.document, next.base(), asha.actor, next.commands()).unwrap();
    assert_eq!(sealed.len(), 1);
    asha.write_at(next.base(), next.commands());
    assert_eq!(section(asha.document.view(context()).unwrap(), Stage::Focus).text, "> zero one two thEEe four");
}

#[test]
fn an_older_command_never_replaces_a_value_that_its_author_did_not_see() {
    let mut asha = Replica::new("asha", DocumentKind::Note);
    let mut ben = Replica::new("ben", DocumentKind::Note);
    let title = |text: &str| Command::Note(N::SetTitle { title: text.into() });
    let start = asha.write(&[title("old")]);
    ben.receive(&[start]);
    let copy = WorkingCopy::open(&asha.document, &asha.document.heads(), asha.actor, Vec::new(), 0).unwrap();
    let theirs = ben.write(&[title("ben's")]);
    asha.receive(&[theirs]);
    let next = copy.cut(&asha.document, None).unwrap();
    assert_eq!(next.prepare(0, &title("asha's"), ViewContext::BARE).unwrap_err().code, RefusalCode::StaleView);
    assert!(next.prepare(1, &title("asha's"), ViewContext::BARE).is_ok(), "on the view that shows it, it is a choice");
    let date = Command::Note(N::SetDate { date: "2026-11-30".parse().unwrap() });
    assert!(next.prepare(0, &date, ViewContext::BARE).is_ok(), "nobody else wrote there");
}

#[test]
fn a_draft_behind_its_own_actor_is_refused_until_it_is_moved() {
    let mut asha = Replica::new("asha", DocumentKind::Note);
    let old = asha.document.heads();
    asha.write(&[splice(Stage::Focus, 0, 0, "mine ")]);
    let draft = [splice(Stage::Focus, 0, 0, "too")];
    assert_eq!(seal(&asha.document, &old, asha.actor, &draft), Err(SealError::BaseBehindActor));
    assert!(matches!(
        WorkingCopy::open(&asha.document, &old, asha.actor, draft.to_vec(), 0),
        Err(SealError::BaseBehindActor)
    ));
    let to = covering(&asha.document, &old, asha.actor);
    let moved = rebase(&asha.document, &draft, &old, &to).unwrap();
    // Positive control, and the actor is the expected one.
    let sealed = seal(&asha.document, &to, asha.actor, &moved).unwrap();
    assert_eq!(sealed.len(), 1);
    asha.write_at(&to, &moved);
    assert_eq!(asha.document.newest_of(asha.actor).unwrap().0, 2);
    let text = section(asha.document.view(context()).unwrap(), Stage::Focus).text;
    assert!(text == "mine too" || text == "toomine ", "{text}");
}

#[test]
fn unknown_states_are_stale() {
    let asha = Replica::new("asha", DocumentKind::Note);
    let unknown = Heads::from_bytes(&[9; 32]).unwrap();
    let draft = [splice(Stage::Focus, 0, 0, "x")];
    assert_eq!(seal(&asha.document, &unknown, asha.actor, &draft), Err(SealError::UnknownBase));
    assert_eq!(rebase(&asha.document, &draft, &unknown, &asha.document.heads()), Err(RebaseError::StaleView));
    let misfit = [splice(Stage::Focus, 4, 0, "x")];
    assert_eq!(seal(&asha.document, &asha.document.heads(), asha.actor, &misfit), Err(SealError::CommandMisfit));
    // Control: the same seals where it fits.
    assert!(seal(&asha.document, &asha.document.heads(), asha.actor, &draft).is_ok());
}

#[test]
fn a_draft_without_effect_seals_to_nothing() {
    let mut asha = Replica::new("asha", DocumentKind::Note);
    let title = Command::Note(N::SetTitle { title: "same".into() });
    asha.write(std::slice::from_ref(&title));
    assert!(seal(&asha.document, &asha.document.heads(), asha.actor, &[title]).unwrap().is_empty());
}

#[test]
fn a_long_draft_becomes_changes_of_at_most_32_kib() {
    let mut asha = Replica::new("asha", DocumentKind::Note);
    let mut ben = Replica::new("ben", DocumentKind::Note);
    let mut draft = Vec::new();
    let mut expected = String::new();
    let mut random = Random::new(5);
    while expected.len() < 40_000 {
        let text: String =
            (0..2_000).map(|_| char::from_u32(0x3b1 + u32::try_from(random.below(24)).unwrap()).unwrap()).collect();
        draft.push(splice(Stage::Focus, u32::try_from(expected.chars().count()).unwrap(), 0, &text));
        expected.push_str(&text);
    }
    let entry = asha.write(&draft);
    assert!(entry.changes.len() > 1, "{} changes", entry.changes.len());
    assert!(entry.changes.iter().all(|change| change.len() <= 32 * 1024));
    ben.receive(&[entry]);
    assert_eq!(section(ben.document.view(context()).unwrap(), Stage::Focus).text, expected);
    // Deleting all of it again goes in pieces too.
    let all = u32::try_from(expected.chars().count()).unwrap();
    let entry = ben.write(&[splice(Stage::Focus, 0, all, "")]);
    asha.receive(&[entry]);
    assert_eq!(section(asha.document.view(context()).unwrap(), Stage::Focus).text, "");
}

/// Long irregular columns are encoded by the engine as our gate expects them.
#[test]
fn scattered_edits_in_scripts_of_all_widths_pass_the_gate() {
    for seed in 0..6 {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let mut asha = Replica::new("asha", DocumentKind::Note);
        let mut ben = Replica::new("ben", DocumentKind::Note);
        let letter = |random: &mut Random| ['a', 'ß', '聞', '🌳'][random.below(4)];
        let text: String = (0..1_500).map(|_| letter(&mut random)).collect();
        let start = asha.write(&[splice(Stage::Focus, 0, 0, &text)]);
        ben.receive(&[start]);
        let mut len = 1_500;
        for _ in 0..4 {
            let mut draft = Vec::new();
            for _ in 0..400 {
                let pos = random.below(len);
                let delete = random.below((len - pos).min(3) + 1);
                let insert: String = (0..random.below(3)).map(|_| letter(&mut random)).collect();
                len = len - delete + insert.chars().count();
                draft.push(splice(Stage::Focus, u32::try_from(pos).unwrap(), u32::try_from(delete).unwrap(), &insert));
            }
            let (me, other) = if random.below(2) == 0 { (&mut asha, &mut ben) } else { (&mut ben, &mut asha) };
            let entry = me.write(&draft);
            other.receive(&[entry]);
        }
        assert_eq!(asha.document.content_id(), ben.document.content_id());
        assert_eq!(asha.note(), ben.note());
        asha.document.verified_save().unwrap();
    }
}

#[test]
fn commands_are_refused_as_data() {
    let asha = Replica::new("asha", DocumentKind::Note);
    let copy = WorkingCopy::open(&asha.document, &asha.document.heads(), asha.actor, Vec::new(), 0).unwrap();
    let item = ItemId([1; 8]);
    let check = |command: Command, code: RefusalCode| {
        assert_eq!(copy.prepare(0, &command, ViewContext::BARE).unwrap_err().code, code, "{command:?}");
    };
    check(splice(Stage::Focus, 1, 0, "x"), RefusalCode::PositionOutOfRange);
    check(splice(Stage::Focus, 0, 0, ""), RefusalCode::TextEmpty);
    check(splice(Stage::Focus, 0, 0, "\u{0}"), RefusalCode::TextInvalid);
    check(splice(Stage::Focus, 0, 0, &"x".repeat(9_000)), RefusalCode::TextTooLong);
    check(Command::Note(N::EditAction { id: item, splice: Splice::insert(0, "x") }), RefusalCode::UnknownItem);
    check(Command::Note(N::RemoveAction { id: item }), RefusalCode::UnknownItem);
    check(Command::Agreement(A::RemoveClause { id: item }), RefusalCode::WrongKind);
    assert!(copy.prepare(0, &splice(Stage::Focus, 0, 0, "x"), ViewContext::BARE).is_ok());
}

fn form_texts(form: &FormView) -> Vec<String> {
    let texts = form.texts.iter().map(|it| it.text.text.clone());
    texts.chain(form.items.iter().map(|item| item.text.text.clone())).collect()
}
