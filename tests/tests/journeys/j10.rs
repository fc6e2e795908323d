//! DOMAIN 2.16, J10: review and re-contract, with two versions that were signed apart.
//!
//! Checks of this journey that belong to documents which are not built yet (the review itself, the contract's limit of
//! retention) are marked *later* in docs/DOMAIN.md, 2.16.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_client::{DocumentId, FrozenHash, View};
use alliance_model::agreement::{
    AgreementCommand as A, AgreementState, CadenceUnit, ProtectiveTerm, ProtectiveValue, Term, VersionState,
};
use alliance_model::{AgreementView, CivilDate, Command, DocumentKind, ItemId, NoteCommand};
use alliance_tests::agreements::{self, draft, shown, write};
use alliance_tests::journey::{Alliance, Way};
use alliance_tests::people::{Person, insert};
use alliance_tests::relay;

fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

async fn propose(of: &Person, agreement: DocumentId) -> FrozenHash {
    agreements::propose(of, agreement, date("2026-11-30")).await.unwrap()
}

async fn sign(of: &Person, agreement: DocumentId, version: FrozenHash) {
    agreements::sign(of, agreement, version, date("2026-12-01")).await.unwrap();
}

const fn rule(number: u8) -> ProtectiveValue {
    ProtectiveValue { term: ProtectiveTerm::ContentRecordRule, number }
}

fn protect(op: u8, number: u8, lifts: Vec<ItemId>) -> A {
    A::Protect { op: ItemId([op; 8]), value: rule(number), lifts }
}

fn every(weeks: u16) -> A {
    A::SetTerm { term: Term::Cadence { every: weeks, unit: CadenceUnit::Week } }
}

/// Version 1, signed by both: notes in full, every four weeks.
async fn first(both: &Alliance) -> (DocumentId, FrozenHash) {
    let terms = [Term::Cadence { every: 4, unit: CadenceUnit::Week }, Term::ReviewDue(date("2027-05-30"))];
    let agreement = draft(&both.ben, both.space, terms).await;
    write(&both.ben, agreement, [protect(1, 3, Vec::new())]).await;
    let version = propose(&both.ben, agreement).await;
    both.exchange().await;
    sign(&both.ben, agreement, version).await;
    sign(&both.amina, agreement, version).await;
    both.exchange().await;
    (agreement, version)
}

fn in_force(view: &AgreementView) -> &'static str {
    view.in_force(ProtectiveTerm::ContentRecordRule).unwrap().name()
}

async fn journey(way: Way) {
    let mut both = Alliance::met(way).await;
    let (agreement, version) = first(&both).await;
    let view = shown(&both.amina, agreement).await;
    assert_eq!((view.state, in_force(&view)), (AgreementState::Active, "full"));
    // The review date passes: the old version stays active, and says so on whatever date one asks about.
    assert!(view.review_due(date("2027-06-01")) && !view.review_due(date("2027-05-01")));

    // While apart each wants a new rhythm, and proposes a version 2 of their own. Amina wants no more than summaries.
    write(&both.amina, agreement, vec![every(2), protect(2, 2, Vec::new())]).await;
    let hers = propose(&both.amina, agreement).await;
    sign(&both.amina, agreement, hers).await;
    both.amina.reopen().await;
    write(&both.ben, agreement, vec![every(8)]).await;
    let his = propose(&both.ben, agreement).await;
    sign(&both.ben, agreement, his).await;
    let before = shown(&both.ben, agreement).await;
    assert_eq!(
        (before.state, before.active().next().unwrap().version.clone()),
        (AgreementState::Active, version.to_string())
    );
    assert_eq!(in_force(&before), "full");
    both.exchange().await;
    // By mistake both sign both.
    sign(&both.amina, agreement, his).await;
    sign(&both.ben, agreement, hers).await;
    both.exchange().await;
    for person in [&both.ben, &both.amina] {
        let view = shown(person, agreement).await;
        assert_eq!((view.state, view.active().count()), (AgreementState::TwoActive, 2), "neither is chosen");
        assert_eq!(in_force(&view), "agreed_summary", "the stricter holds meanwhile");
        let old = view.version(version).unwrap();
        assert_eq!(old.state, VersionState::Superseded);
        // History shows who proposed what, and under which number.
        let proposed = |name: FrozenHash| {
            let version = view.version(name).unwrap();
            (version.number, view.authors[version.by].clone())
        };
        assert_eq!((proposed(hers), proposed(his)), ((2, "Amina".to_owned()), (2, "Ben".to_owned())));
        assert_eq!(view.conflicts.iter().map(|it| it.field.as_str()).collect::<Vec<_>>(), ["terms.cadence"]);
    }
    // A third is proposed once they have chosen; nothing is chosen for them.
    let seen = shown(&both.ben, agreement).await.text.parse().unwrap();
    let refused = both.ben.client.propose(agreement, seen, "en", date("2026-12-02")).await.unwrap_err();
    assert_eq!(refused.code(), "NEEDS_CHOICE");
    write(&both.ben, agreement, vec![every(3)]).await;
    let third = propose(&both.ben, agreement).await;
    both.exchange().await;
    sign(&both.ben, agreement, third).await;
    sign(&both.amina, agreement, third).await;
    both.exchange().await;
    let (hers, his) = (shown(&both.amina, agreement).await, shown(&both.ben, agreement).await);
    assert_eq!(hers, his);
    let active: Vec<_> = his.active().map(|version| (version.version.clone(), version.number)).collect();
    assert_eq!((his.state, active), (AgreementState::Active, vec![(third.to_string(), 3)]));
    assert_eq!(in_force(&his), "agreed_summary");
}

#[tokio::test]
async fn reviewing_and_re_contracting_through_a_relay() {
    relay::watched(journey(Way::Relay)).await;
}

#[tokio::test]
async fn reviewing_and_re_contracting_from_phone_to_phone() {
    relay::watched(journey(Way::Direct)).await;
}

/// Writes something into a note.
async fn keeps(of: &Person, note: DocumentId) -> Result<(), String> {
    let written = of.client.command(note, None, insert(0, "What was said. ")).await;
    written.map(|_| ()).map_err(|error| error.code().to_owned())
}

/// The record rule that a note cites, and whether it holds what that rule lets nobody keep.
async fn cited(of: &Person, note: DocumentId) -> Option<(String, bool)> {
    let View::Note(view) = of.client.view(note).await.unwrap().view else { panic!("a note") };
    view.record.map(|it| (it.rule, it.against))
}

/// Loosening what is protected needs both, and then a version that both sign: a lift alone loosens nothing that was
/// signed, and a version alone loosens nothing that somebody asked for.
#[tokio::test]
async fn what_protects_is_loosened_by_both_and_in_a_version_of_both() {
    relay::watched(async {
        let both = Alliance::met(Way::Direct).await;
        let (agreement, _) = first(&both).await;
        assert_eq!(keeps(&both.ben, both.note).await, Ok(()), "notes in full were agreed");
        write(&both.amina, agreement, vec![protect(2, 1, Vec::new())]).await;
        assert_eq!(
            keeps(&both.amina, both.note).await,
            Err("RECORD_RULE".to_owned()),
            "her own wish, before it is sent"
        );
        both.exchange().await;
        assert_eq!(in_force(&shown(&both.ben, agreement).await), "attendance_only", "a stricter wish holds at once");
        assert_eq!(keeps(&both.ben, both.note).await, Err("RECORD_RULE".to_owned()));
        let dated = NoteCommand::SetDate { date: date("2026-12-04") };
        both.ben.client.command(both.note, None, Command::Note(dated.clone())).await.unwrap();
        assert_eq!(cited(&both.ben, both.note).await, None, "what was written before was written under no such rule");
        // A note that is begun now says under which rule.
        let begun = both.ben.client.create_document(both.space, DocumentKind::Note).await.unwrap();
        both.ben.client.command(begun, None, Command::Note(dated)).await.unwrap();
        both.ben.client.seal(begun).await.unwrap();
        let unlike = NoteCommand::CiteRule { rule: rule(3) };
        let refused = both.ben.client.command(begun, None, Command::Note(unlike)).await.unwrap_err();
        assert_eq!(refused.code(), "RECORD_RULE", "nobody cites what does not hold");
        let strict = propose(&both.amina, agreement).await;
        both.exchange().await;
        sign(&both.ben, agreement, strict).await;
        sign(&both.amina, agreement, strict).await;
        both.exchange().await;
        let lifts = vec![ItemId([2; 8])];
        write(&both.ben, agreement, vec![protect(3, 3, lifts.clone())]).await;
        both.exchange().await;
        let value = |view: &AgreementView| view.protective(ProtectiveTerm::ContentRecordRule).unwrap().value.clone();
        let view = shown(&both.amina, agreement).await;
        assert_eq!((value(&view).as_deref(), in_force(&view)), (Some("attendance_only"), "attendance_only"));
        write(&both.amina, agreement, vec![protect(4, 3, lifts)]).await;
        both.exchange().await;
        let view = shown(&both.amina, agreement).await;
        assert_eq!(
            (value(&view).as_deref(), in_force(&view)),
            (Some("full"), "attendance_only"),
            "the signed one holds"
        );
        let looser = propose(&both.ben, agreement).await;
        both.exchange().await;
        sign(&both.amina, agreement, looser).await;
        assert_eq!(in_force(&shown(&both.amina, agreement).await), "attendance_only");
        assert_eq!(keeps(&both.amina, both.note).await, Err("RECORD_RULE".to_owned()));
        sign(&both.ben, agreement, looser).await;
        both.exchange().await;
        assert_eq!(in_force(&shown(&both.amina, agreement).await), "full");
        for person in [&both.amina, &both.ben] {
            assert_eq!(cited(person, begun).await, Some(("attendance_only".to_owned(), false)));
            assert_eq!(keeps(person, both.note).await, Ok(()), "and now it may be kept again");
        }
        // A date says nothing of what was said: the text does, and with it the rule that lets it be kept.
        let moved = NoteCommand::SetDate { date: date("2026-12-05") };
        both.amina.client.command(begun, None, Command::Note(moved)).await.unwrap();
        assert_eq!(cited(&both.amina, begun).await, Some(("attendance_only".to_owned(), false)));
        assert_eq!(keeps(&both.amina, begun).await, Ok(()));
        both.exchange().await;
        assert_eq!(cited(&both.ben, begun).await, Some(("full".to_owned(), false)), "who writes says what lets them");
    })
    .await;
}
