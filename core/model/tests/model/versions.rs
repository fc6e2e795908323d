//! Versions of an agreement: which one is in force, what holds meanwhile, and who may sign what.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;

use alliance_model::agreement::{
    AgreementCommand as A, AgreementState, ClauseSection, ClauseView, PROTECTIVE, ProtectiveEntryView, ProtectiveTerm,
    ProtectiveView, TermName, TermView, VersionState, VersionView, check,
};
use alliance_model::{
    AgreementView, CivilDate, Claim, Cosignature, CosignatureView, FieldConflict, ItemId, Party, PartyView,
    RefusalCode, TextView, snapshot,
};
use alliance_wire::{DeviceKey, FrozenHash, PersonTag};

const AMINA: PersonTag = PersonTag([1; 16]);
const BEN: PersonTag = PersonTag([2; 16]);
const PHONE: DeviceKey = DeviceKey([7; 32]);
const LAPTOP: DeviceKey = DeviceKey([8; 32]);

fn on() -> CivilDate {
    CivilDate::new(2026, 11, 30).unwrap()
}

fn parties() -> Vec<Party> {
    vec![Party { person: AMINA, name: "Amina".into() }, Party { person: BEN, name: "Ben".into() }]
}

fn signed(person: PersonTag) -> CosignatureView {
    CosignatureView { person: person.to_string(), device: PHONE.to_string(), language: "en".into(), on: on() }
}

fn version(name: u8, number: u32, based_on: &[u8], by: &[PersonTag]) -> VersionView {
    VersionView {
        op: ItemId([name; 8]),
        version: FrozenHash([name; 32]).to_string(),
        number,
        language: "en".into(),
        on: on(),
        by: 0,
        parties: parties().iter().map(PartyView::from).collect(),
        based_on: based_on.iter().map(|name| FrozenHash([*name; 32]).to_string()).collect(),
        text: FrozenHash([name; 32]).to_string(),
        terms: BTreeMap::new(),
        protective: BTreeMap::new(),
        state: VersionState::Proposed,
        proofs: Vec::new(),
        signatures: by.iter().map(|person| signed(*person)).collect(),
    }
}

fn settled(versions: Vec<VersionView>) -> AgreementView {
    let mut view = AgreementView::default();
    view.settle(versions);
    view
}

fn states(view: &AgreementView) -> Vec<&'static str> {
    view.versions.iter().map(|version| version.state.name()).collect()
}

#[test]
fn a_version_is_active_when_each_of_its_parties_signed_it_once() {
    assert_eq!(settled(Vec::new()).state, AgreementState::Draft);
    assert_eq!(settled(vec![version(1, 1, &[], &[])]).state, AgreementState::Proposed);
    let one = settled(vec![version(1, 1, &[], &[AMINA])]);
    assert_eq!((one.state, states(&one)), (AgreementState::PartSigned, vec!["part_signed"]));
    let signed: Vec<_> = one.versions[0].by_party().map(|(party, by)| (party.name.as_str(), by.is_some())).collect();
    assert_eq!(signed, [("Amina", true), ("Ben", false)]);
    // Two devices of one person are one signature.
    let mut twice = version(1, 1, &[], &[AMINA, AMINA]);
    twice.signatures[1].device = LAPTOP.to_string();
    assert_eq!(settled(vec![twice]).state, AgreementState::PartSigned);
    assert_eq!(settled(vec![version(1, 1, &[], &[AMINA, BEN])]).state, AgreementState::Active);
}

#[test]
fn a_later_version_takes_the_place_of_what_it_builds_on_and_of_nothing_else() {
    let both = [AMINA, BEN];
    let view = settled(vec![version(1, 1, &[], &both), version(2, 2, &[1], &[AMINA])]);
    assert_eq!(states(&view), ["active", "part_signed"], "the old one stays until then");
    let view = settled(vec![version(2, 2, &[1], &both), version(1, 1, &[], &both)]);
    assert_eq!((states(&view), view.state), (vec!["superseded", "active"], AgreementState::Active));
    // Signed apart, both on version 1: neither is chosen.
    let apart = vec![version(1, 1, &[], &both), version(2, 2, &[1], &both), version(3, 2, &[1], &both)];
    let view = settled(apart.clone());
    assert_eq!((states(&view), view.state), (vec!["superseded", "active", "active"], AgreementState::TwoActive));
    // A third that builds on both ends it, and one that builds on a chain does, too.
    let mut third = apart.clone();
    third.push(version(4, 3, &[2, 3], &both));
    assert_eq!(settled(third.clone()).state, AgreementState::Active);
    third.push(version(5, 4, &[4], &both));
    assert_eq!(states(&settled(third)), ["superseded", "superseded", "superseded", "superseded", "active"]);
    // Circles that a hostile member may write end, and nothing of them is in force.
    let circle = settled(vec![version(1, 1, &[2], &both), version(2, 1, &[1], &both)]);
    assert_eq!(circle.active().count(), 0);
}

/// An agreement whose log says `said`, with active versions that say these.
fn record_rule(said: Option<&str>, active: &[&str]) -> Option<&'static str> {
    let both = [AMINA, BEN];
    let versions = (1..).zip(active).map(|(name, value)| {
        let mut version = version(name, u32::from(name), &[], &both);
        version.protective.insert("content_record_rule".into(), (*value).into());
        version
    });
    let mut view = settled(versions.collect());
    view.protective.push(ProtectiveView {
        term: ProtectiveTerm::ContentRecordRule,
        value: said.map(str::to_owned),
        entries: Vec::new(),
    });
    view.in_force(ProtectiveTerm::ContentRecordRule).map(alliance_model::agreement::ProtectiveValue::name)
}

#[test]
fn of_what_the_log_and_all_active_versions_say_the_strictest_holds() {
    assert_eq!(record_rule(None, &[]), None);
    assert_eq!(record_rule(Some("full"), &[]), Some("full"));
    assert_eq!(record_rule(Some("full"), &["attendance_only"]), Some("attendance_only"));
    assert_eq!(record_rule(Some("none"), &["full"]), Some("none"), "a stricter wish holds at once");
    assert_eq!(record_rule(None, &["full", "agreed_summary"]), Some("agreed_summary"), "two active: the stricter");
    // Over the whole table: merging another active version never loosens.
    for row in PROTECTIVE {
        for (_, one) in row.order {
            for (_, other) in row.order {
                let rank = |value: &str| row.order.iter().position(|(_, known)| *known == value).unwrap();
                let stricter = if rank(one) <= rank(other) { one } else { other };
                if row.term == ProtectiveTerm::ContentRecordRule {
                    assert_eq!(record_rule(None, &[one, other]), Some(*stricter));
                }
            }
        }
    }
}

#[test]
fn a_review_is_due_on_the_date_that_is_asked_about_and_not_by_a_clock() {
    let both = [AMINA, BEN];
    let due = |dates: &[&str], as_of: &str| {
        let versions = (1..).zip(dates).map(|(name, date)| {
            let mut version = version(name, u32::from(name), &[], &both);
            version.terms.insert("review_due".into(), (*date).into());
            version
        });
        settled(versions.collect()).review_due(as_of.parse().unwrap())
    };
    assert!(!due(&["2026-12-01"], "2026-11-30"));
    assert!(due(&["2026-12-01"], "2026-12-01"));
    assert!(due(&["2027-05-01", "2026-12-01"], "2026-12-01"), "the earlier of two active ones");
    assert!(!due(&[], "2199-12-31"), "nothing is agreed, nothing is due");
}

/// An agreement that says what it must.
fn complete() -> AgreementView {
    let clause = |id: u8, section| ClauseView {
        id: ItemId([id; 8]),
        section: Some(section),
        modality: None,
        text: TextView { text: "We say it.".into(), spans: Vec::new() },
        understood: Vec::new(),
        thread: Vec::new(),
    };
    let due = TermView { name: TermName::ReviewDue, values: vec![Claim { value: "2027-05-01".into(), by: 0 }] };
    let mut view = AgreementView {
        document: "a7".repeat(16),
        clauses: vec![clause(1, ClauseSection::Roles), clause(2, ClauseSection::Confidentiality)],
        terms: vec![due],
        ..AgreementView::default()
    };
    view.text = view.text_now().hash().to_string();
    view
}

fn propose(view: &AgreementView) -> A {
    A::Propose { op: ItemId([9; 8]), proposal: view.proposal(vec![5; 32], parties(), "en".into(), on()) }
}

#[test]
fn what_is_proposed_is_whole_undisputed_and_what_is_shown() {
    let view = complete();
    assert!(check(&view, &propose(&view)).is_ok());
    let refused = |view: &AgreementView, command: &A| check(view, command).unwrap_err().code;
    for section in [0, 1] {
        let mut empty = complete();
        empty.clauses[section].text.text = " ".into();
        assert_eq!(refused(&empty, &propose(&empty)), RefusalCode::Incomplete);
    }
    let mut undated = complete();
    undated.terms.clear();
    assert_eq!(refused(&undated, &propose(&undated)), RefusalCode::Incomplete);
    let mut disputed = complete();
    disputed.conflicts.push(FieldConflict { field: "terms.cadence".into(), values: Vec::new() });
    assert_eq!(refused(&disputed, &propose(&disputed)), RefusalCode::NeedsChoice);
    // A proposal of another text, number or base is no proposal of this.
    let command = propose(&view);
    let mut edited = complete();
    edited.clauses[0].text.text.push('!');
    assert_eq!(refused(&edited, &command), RefusalCode::StaleView);
    let mut further = complete();
    further.settle(vec![version(1, 1, &[], &[AMINA, BEN])]);
    assert_eq!(refused(&further, &command), RefusalCode::StaleView);
    assert!(check(&further, &propose(&further)).is_ok(), "the next one builds on what is active");
    for (parties, language) in [(Vec::new(), "en"), (parties(), "e n"), (parties(), "")] {
        let proposal = view.proposal(vec![5; 32], parties, language.into(), on());
        assert!(check(&view, &A::Propose { op: ItemId([9; 8]), proposal }).is_err());
    }
    let proposal = view.proposal(vec![5; 31], parties(), "en".into(), on());
    assert_eq!(refused(&view, &A::Propose { op: ItemId([9; 8]), proposal }), RefusalCode::StaleView);
}

#[test]
fn what_people_sign_is_canonical_json_and_names_everything() {
    let view = complete();
    let proposal = view.proposal(vec![5; 32], parties(), "en".into(), on());
    let text = String::from_utf8(proposal.canonical(&view)).unwrap();
    assert_eq!(
        text,
        concat!(
            r#"{"agreement":"a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7","based_on":[],"form":1,"language":"en","number":1,"#,
            r#""on":"2026-11-30","parties":[{"name":"Amina","person":"01010101010101010101010101010101"},"#,
            r#"{"name":"Ben","person":"02020202020202020202020202020202"}],"text":{"clauses":[{"id":"0101010101010101","#,
            r#""modality":"","section":"responsibilities_roles","text":"We say it."},{"id":"0202020202020202","#,
            r#""modality":"","section":"confidentiality","text":"We say it."}],"protective":{},"#,
            r#""terms":{"review_due":"2027-05-01"}}}"#
        )
    );
    // Every part changes the name.
    let mut other = view.clone();
    other.clauses[1].text.text = "We say it!".into();
    assert_ne!(other.proposal(vec![5; 32], parties(), "en".into(), on()).frozen, proposal.frozen);
    assert_ne!(view.proposal(vec![5; 32], parties(), "fr".into(), on()).frozen, proposal.frozen);
    assert_ne!(view.proposal(vec![5; 32], vec![parties()[0].clone()], "en".into(), on()).frozen, proposal.frozen);
    assert_eq!(
        view.proposal(vec![6; 32], parties(), "en".into(), on()).frozen,
        proposal.frozen,
        "the state is no text"
    );
}

#[test]
fn a_signature_is_of_what_was_shown_by_a_party_and_once() {
    let mut view = complete();
    let proposal = view.proposal(vec![5; 32], parties(), "en".into(), on());
    let shown = view.text_now().version(ItemId([9; 8]), &proposal, 0);
    let text: FrozenHash = shown.text.parse().unwrap();
    assert_eq!(shown.text, view.text, "the draft says what is proposed");
    let mut waiting = shown.clone();
    waiting.signatures.push(signed(BEN));
    view.settle(vec![waiting]);
    assert_eq!(view.on_the_table().unwrap().version, proposal.frozen.to_string());
    let sign = |person, device, seen| A::Sign {
        op: ItemId([4; 8]),
        signature: Cosignature {
            frozen: proposal.frozen,
            person,
            device,
            language: "sw".into(),
            on: on(),
            signature: [0; 64],
        },
        seen,
    };
    assert!(check(&view, &sign(AMINA, LAPTOP, text)).is_ok());
    let code = |command: &A| check(&view, command).unwrap_err().code;
    assert_eq!(code(&sign(PersonTag([3; 16]), LAPTOP, text)), RefusalCode::NotParty);
    assert_eq!(code(&sign(BEN, PHONE, text)), RefusalCode::AlreadySigned);
    assert_eq!(code(&sign(BEN, LAPTOP, text)), RefusalCode::SamePersonCosign);
    assert_eq!(code(&sign(AMINA, LAPTOP, FrozenHash([0; 32]))), RefusalCode::StaleText);
    // An edit makes a new draft: nothing on the table says it.
    view.clauses[0].text.text.push_str(" And more.");
    view.text = view.text_now().hash().to_string();
    assert!(view.on_the_table().is_none());
    let now = view.text.parse().unwrap();
    assert_eq!(check(&view, &sign(AMINA, LAPTOP, now)).unwrap_err().code, RefusalCode::StaleText);
}

#[test]
fn a_copy_loosens_nothing_that_was_signed() {
    let mut view = settled(vec![version(5, 1, &[], &[AMINA, BEN])]);
    view.versions[0].protective.insert("content_record_rule".into(), "attendance_only".into());
    let entry = |op: u8, value: &str, lifted| ProtectiveEntryView {
        op: ItemId([op; 8]),
        value: value.into(),
        by: 0,
        lifts: Vec::new(),
        lifted,
    };
    // Both have lifted it in the draft, and not signed that yet.
    view.protective.push(ProtectiveView {
        term: ProtectiveTerm::ContentRecordRule,
        value: Some("full".into()),
        entries: vec![entry(2, "attendance_only", true), entry(7, "full", false)],
    });
    let copied = |view: &AgreementView| -> Vec<(ItemId, &'static str)> {
        let said = snapshot::agreement(view).into_iter().filter_map(|command| {
            if let A::Protect { op, value, .. } = command { Some((op, value.name())) } else { None }
        });
        said.collect()
    };
    assert_eq!(copied(&view), [(ItemId([5; 8]), "attendance_only"), (ItemId([7; 8]), "full")]);
    // Without the signature it is what the log says.
    view.settle(Vec::new());
    assert_eq!(copied(&view), [(ItemId([7; 8]), "full")]);
}
