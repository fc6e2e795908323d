//! Versions of an agreement in its document: a proposal counts if it is what it says, a signature if it verifies, and
//! every replica shows the same.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use alliance_document::{View, ViewContext, WorkingCopy};
use alliance_model::agreement::{
    AgreementCommand as A, AgreementState, ClauseSection, Modality, Proposal, Term, VersionState,
};
use alliance_model::{AgreementView, CivilDate, Command, DocumentKind, ItemId, RefusalCode, Splice};
use alliance_wire::{FrozenHash, PersonTag};

use crate::support::replica::{PEOPLE, Replica, both, context, reading, signature};

const ROLES: ItemId = ItemId([1; 8]);
const ASHA: PersonTag = PEOPLE[0].0;
const BEN: PersonTag = PEOPLE[1].0;

fn on() -> CivilDate {
    CivilDate::new(2026, 11, 30).unwrap()
}

fn shown(replica: &Replica) -> AgreementView {
    let View::Agreement(view) = replica.document.view(reading(&[])).unwrap() else { panic!("an agreement") };
    view
}

fn agreement(name: &'static str) -> Replica {
    Replica::new(name, DocumentKind::Agreement)
}

fn begin() -> Vec<Command> {
    let clause = |id, section, text: &str| {
        [
            A::AddClause { id, section, modality: Modality::Must, after: None },
            A::EditClause { id, splice: Splice::insert(0, text) },
        ]
    };
    let mut commands = Vec::new();
    commands.extend(clause(ROLES, ClauseSection::Roles, "We both prepare."));
    commands.extend(clause(ItemId([2; 8]), ClauseSection::Confidentiality, "It stays between us."));
    commands.push(A::SetTerm { term: Term::ReviewDue(CivilDate::new(2027, 5, 1).unwrap()) });
    commands.into_iter().map(Command::Agreement).collect()
}

fn edit(text: &str) -> Command {
    Command::Agreement(A::EditClause { id: ROLES, splice: Splice::insert(0, text) })
}

fn proposal(replica: &Replica) -> Proposal {
    shown(replica).proposal(replica.document.heads().to_bytes(), both(), "en".into(), on())
}

fn propose(op: u8, proposal: Proposal) -> Command {
    Command::Agreement(A::Propose { op: ItemId([op; 8]), proposal })
}

fn sign(op: u8, frozen: FrozenHash, person: PersonTag, valid: bool) -> Command {
    let signature = signature(frozen, person, op, valid);
    Command::Agreement(A::Sign { op: ItemId([op; 8]), signature, seen: FrozenHash([0; 32]) })
}

#[test]
fn a_version_is_the_text_in_the_state_that_it_names_whatever_is_written_after() {
    let (mut asha, mut ben) = (agreement("asha"), agreement("ben"));
    let first = asha.write(&begin());
    let named = proposal(&asha);
    let second = asha.write(&[propose(1, named.clone())]);
    // While apart, Ben writes into the same clause: that is a new draft, and the version stays what it is.
    ben.receive(&[first]);
    let late = ben.write(&[edit("(Ben:) ")]);
    ben.receive(&[second]);
    asha.receive(&[late]);
    for replica in [&asha, &ben] {
        let view = shown(replica);
        assert_eq!((view.versions.len(), view.state), (1, AgreementState::Proposed));
        let version = &view.versions[0];
        assert_eq!(view.authors[version.by], "asha");
        assert_ne!(version.text, view.text, "the draft went on");
        assert!(view.on_the_table().is_none());
        let text = String::from_utf8(replica.document.version_text(named.frozen).unwrap().unwrap()).unwrap();
        assert!(text.contains("\"We both prepare.\"") && !text.contains("Ben:"), "{text}");
        assert_eq!(alliance_model::cosign::frozen(text.as_bytes()), named.frozen, "its name is its hash");
    }
    assert_eq!(asha.document.version_text(FrozenHash([0; 32])).unwrap(), None);
    // Both sign it all the same: they read it.
    let one = asha.write(&[sign(2, named.frozen, ASHA, true)]);
    let other = ben.write(&[sign(3, named.frozen, BEN, true)]);
    asha.receive(&[other]);
    ben.receive(&[one]);
    assert_eq!(shown(&asha), shown(&ben));
    assert_eq!(shown(&asha).state, AgreementState::Active);
}

#[test]
fn a_proposal_that_is_not_what_it_says_is_shown_to_nobody() {
    let mut asha = agreement("asha");
    asha.write(&begin());
    let before = asha.document.heads();
    let honest = proposal(&asha);
    // The positive control stands first: the same proposal without a change is shown.
    asha.write(&[propose(1, honest.clone())]);
    assert_eq!(shown(&asha).versions.len(), 1);
    let looser = |change: &dyn Fn(&mut Proposal)| {
        let mut proposal = honest.clone();
        change(&mut proposal);
        proposal
    };
    let lies = [
        looser(&|it| it.number = 7),
        looser(&|it| it.parties.truncate(1)),
        looser(&|it| it.language = "fr".into()),
        looser(&|it| it.heads = Vec::new()),
        looser(&|it| it.heads = vec![3; 32]),
        looser(&|it| it.form = 2),
        looser(&|it| it.frozen = FrozenHash([9; 32])),
    ];
    for (op, lie) in (10..).zip(lies) {
        asha.write(&[propose(op, lie)]);
    }
    assert_eq!(shown(&asha).versions.len(), 1);
    // A state that the proposal does not build on, although the document has it by now.
    let mut ben = agreement("ben");
    ben.receive(&asha.log.clone());
    let later = asha.write(&[edit("Later: ")]);
    let ahead = proposal(&asha);
    ben.write_at(&before, &[propose(30, ahead.clone())]);
    ben.receive(&[later]);
    assert_eq!(shown(&ben).versions.len(), 1);
    ben.write(&[propose(31, ahead)]);
    assert_eq!(shown(&ben).versions.len(), 2, "now it builds on it");
}

#[test]
fn signatures_count_that_verify_and_are_of_both() {
    let mut asha = agreement("asha");
    asha.write(&begin());
    let named = proposal(&asha);
    asha.write(&[propose(1, named.clone())]);
    asha.write(&[sign(2, named.frozen, BEN, false), sign(3, named.frozen, PersonTag([0xc; 16]), true)]);
    asha.write(&[sign(4, FrozenHash([5; 32]), BEN, true)]);
    let view = shown(&asha);
    assert_eq!((view.state, view.versions[0].signatures.len()), (AgreementState::Proposed, 0));
    asha.write(&[sign(5, named.frozen, BEN, true)]);
    assert_eq!(shown(&asha).versions[0].state, VersionState::PartSigned);
    // Through a working copy, who has signed is refused, on this device and on another.
    let copy = |replica: &Replica| {
        let document = &replica.document;
        WorkingCopy::open(document, &document.heads(), replica.actor, Vec::new(), 1).unwrap()
    };
    let text = shown(&asha).versions[0].text.parse().unwrap();
    let seen = |mut command: Command| {
        if let Command::Agreement(A::Sign { seen, .. }) = &mut command {
            *seen = text;
        }
        command
    };
    let again = seen(sign(6, named.frozen, BEN, true));
    let refused = copy(&asha).prepare(1, &again, reading(&[])).unwrap_err();
    assert_eq!(refused.code, RefusalCode::SamePersonCosign);
    assert!(copy(&asha).prepare(1, &seen(sign(6, named.frozen, ASHA, true)), reading(&[])).is_ok());
}

#[test]
fn two_versions_signed_apart_are_both_in_force_until_a_third() {
    let (mut asha, mut ben) = (agreement("asha"), agreement("ben"));
    let mut log = vec![asha.write(&begin())];
    ben.receive(&log);
    // Apart, each proposes a rhythm of their own.
    log.push(asha.write(&[edit("Asha's. ")]));
    let hers = proposal(&asha);
    log.push(asha.write(&[propose(1, hers.clone()), sign(2, hers.frozen, ASHA, true)]));
    let mut theirs = vec![ben.write(&[edit("Ben's. ")])];
    let his = proposal(&ben);
    theirs.push(ben.write(&[propose(3, his.clone()), sign(4, his.frozen, BEN, true)]));
    asha.receive(&theirs);
    ben.receive(&log[1..]);
    // Both sign both.
    let one = asha.write(&[sign(5, his.frozen, ASHA, true)]);
    let other = ben.write(&[sign(6, hers.frozen, BEN, true)]);
    asha.receive(&[other]);
    ben.receive(&[one]);
    let view = shown(&asha);
    assert_eq!(view, shown(&ben));
    assert_eq!((view.state, view.active().count()), (AgreementState::TwoActive, 2));
    assert_eq!(view.versions.iter().map(|it| view.authors[it.by].as_str()).filter(|by| *by == "ben").count(), 1);
    // The third builds on both.
    let third = proposal(&asha);
    assert_eq!(third.based_on.len(), 2);
    asha.write(&[propose(7, third.clone()), sign(8, third.frozen, ASHA, true), sign(9, third.frozen, BEN, true)]);
    assert_eq!(shown(&asha).state, AgreementState::Active);
    assert_eq!(shown(&asha).active().next().unwrap().number, 2);
}

#[test]
fn remarks_stand_in_order_and_what_was_understood_is_a_wording() {
    let (mut asha, mut ben) = (agreement("asha"), agreement("ben"));
    let first = asha.write(&begin());
    ben.receive(&[first]);
    let wording = shown(&asha).clauses.iter().find(|clause| clause.id == ROLES).unwrap().wording();
    // Ids that sort the other way round: the order is that of writing.
    let remark =
        |op: u8, text: &str| Command::Agreement(A::Remark { id: ROLES, op: ItemId([op; 8]), text: text.into() });
    let said = asha.write(&[remark(9, "Every week?"), remark(8, "Or every month?")]);
    ben.receive(&[said]);
    let answer = ben.write(&[
        remark(7, "Every month."),
        Command::Agreement(A::Understand { id: ROLES, op: ItemId([1; 8]), wording }),
    ]);
    asha.receive(&[answer]);
    let clause = |replica: &Replica| shown(replica).clause(ROLES).unwrap().clone();
    let texts: Vec<String> = clause(&asha).thread.into_iter().map(|remark| remark.text).collect();
    assert_eq!(texts, ["Every week?", "Or every month?", "Every month."]);
    assert_eq!(shown(&asha).authors[clause(&asha).thread[2].by], "ben");
    assert!(clause(&asha).understood[0].current);
    asha.write(&[edit("From now on: ")]);
    assert!(!clause(&asha).understood[0].current, "another wording");
}

/// An agreement of some two pages with five versions, each signed by both.
#[test]
#[ignore = "prints figures"]
fn what_showing_versions_costs() {
    let mut asha = agreement("asha");
    asha.write(&begin());
    let page = "We meet in the shade and nobody else hears it. ".repeat(80);
    asha.write(&[edit(&page)]);
    for number in 1..=5_u8 {
        asha.write(&[edit("Again: ")]);
        let named = proposal(&asha);
        asha.write(&[
            propose(number, named.clone()),
            sign(number * 16, named.frozen, ASHA, true),
            sign(number * 16 + 1, named.frozen, BEN, true),
        ]);
    }
    let letters = shown(&asha).clauses.iter().map(|clause| clause.text.scalars()).sum::<usize>();
    assert_eq!((shown(&asha).versions.len(), shown(&asha).active().count()), (5, 1));
    let timed = |context: ViewContext<'_>| {
        let begun = std::time::Instant::now();
        (0..50).for_each(|_| drop(asha.document.view(context).unwrap()));
        begun.elapsed() / 50
    };
    println!(
        "{letters} letters, 5 versions: {:?} shown, {:?} without what people sign",
        timed(reading(&[])),
        timed(context())
    );
}
