//! DOMAIN 2.16, J3: negotiating and co-signing the working agreement, with a relay and without.
//!
//! Checks of this journey that belong to documents which are not built yet (templates, the PDF) are marked *later* in
//! docs/DOMAIN.md, 2.16.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use alliance_client::{DocumentId, FrozenHash, prove_signed};
use alliance_model::agreement::{AgreementCommand as A, AgreementState, ClauseSection, Modality, Term, VersionState};
use alliance_model::{CivilDate, DocumentKind, ItemId, Splice, cosign};
use alliance_tests::agreements::{self, shown};
use alliance_tests::journey::{Alliance, Way};
use alliance_tests::people::{Person, add_device};
use alliance_tests::relay;

const CONFIDENTIAL: ItemId = ItemId([1; 8]);
const ROLES: ItemId = ItemId([2; 8]);

fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

async fn write(of: &Person, agreement: DocumentId, command: A) {
    agreements::write(of, agreement, [command]).await;
}

async fn edit(of: &Person, agreement: DocumentId, id: ItemId, text: &str) {
    write(of, agreement, A::EditClause { id, splice: Splice::insert(0, text) }).await;
}

async fn propose(of: &Person, agreement: DocumentId) -> Result<FrozenHash, String> {
    agreements::propose(of, agreement, date("2026-11-30")).await.map_err(|error| error.code().to_owned())
}

/// Signs a version, having seen a text.
async fn sign(of: &Person, agreement: DocumentId, version: FrozenHash, seen: &str) -> Result<(), String> {
    let signed = of.client.sign(agreement, version, seen.parse().unwrap(), "sw", date("2026-12-01")).await;
    signed.map_err(|error| error.code().to_owned())
}

/// They write it on both phones at once; wrong before it is whole.
async fn negotiate(both: &Alliance) -> DocumentId {
    let agreement = both.ben.client.create_document(both.space, DocumentKind::Agreement).await.unwrap();
    let clause = |id, section| A::AddClause { id, section, modality: Modality::May, after: None };
    write(&both.ben, agreement, clause(CONFIDENTIAL, ClauseSection::Confidentiality)).await;
    edit(&both.ben, agreement, CONFIDENTIAL, "It stays between us.").await;
    both.exchange().await;
    // Simultaneous typing in one clause keeps both texts.
    edit(&both.ben, agreement, CONFIDENTIAL, "Whatever is said, ").await;
    let end = shown(&both.amina, agreement).await.clause(CONFIDENTIAL).unwrap().text.scalars();
    let splice = Splice::insert(u32::try_from(end).unwrap(), " Unless a child is in danger.");
    write(&both.amina, agreement, A::EditClause { id: CONFIDENTIAL, splice }).await;
    write(&both.amina, agreement, A::SetModality { id: CONFIDENTIAL, modality: Modality::Must }).await;
    both.exchange().await;
    for person in [&both.ben, &both.amina] {
        let view = shown(person, agreement).await;
        let clause = view.clause(CONFIDENTIAL).unwrap();
        assert_eq!(clause.text.text, "Whatever is said, It stays between us. Unless a child is in danger.");
        assert_eq!((clause.modality, clause.text.spans.len()), (Some(Modality::Must), 2));
    }
    // It says nothing about roles, nor when it is reviewed.
    assert_eq!(propose(&both.ben, agreement).await.unwrap_err(), "INCOMPLETE");
    write(&both.amina, agreement, clause(ROLES, ClauseSection::Roles)).await;
    edit(&both.amina, agreement, ROLES, "Amina prepares, Ben listens.").await;
    let remark = A::Remark { id: ROLES, op: ItemId([7; 8]), text: "And I ask before I advise.".into() };
    both.exchange().await;
    write(&both.ben, agreement, remark).await;
    assert_eq!(propose(&both.ben, agreement).await.unwrap_err(), "INCOMPLETE");
    write(&both.ben, agreement, A::SetTerm { term: Term::ReviewDue(date("2027-05-30")) }).await;
    both.exchange().await;
    let wording = shown(&both.amina, agreement).await.clause(ROLES).unwrap().wording();
    write(&both.amina, agreement, A::Understand { id: ROLES, op: ItemId([8; 8]), wording }).await;
    both.exchange().await;
    let view = shown(&both.ben, agreement).await;
    let clause = view.clause(ROLES).unwrap();
    assert_eq!(clause.thread[0].text, "And I ask before I advise.");
    assert_eq!((view.authors[clause.understood[0].by].as_str(), clause.understood[0].current), ("Amina", true));
    agreement
}

async fn journey(way: Way) {
    let mut both = Alliance::met(way).await;
    let agreement = negotiate(&both).await;

    // Ben proposes, and edits after that: it is a new draft, and what Amina reads now is not what she would sign.
    let first = propose(&both.ben, agreement).await.unwrap();
    edit(&both.ben, agreement, ROLES, "From January on, ").await;
    both.exchange().await;
    let now = shown(&both.amina, agreement).await;
    assert_eq!((now.versions.len(), now.state), (1, AgreementState::Proposed));
    assert!(now.on_the_table().is_none());
    assert_eq!(sign(&both.amina, agreement, first, &now.text).await.unwrap_err(), "STALE_TEXT");
    // The text that was proposed can be read, word for word, and by its name alone.
    let text = both.amina.client.version_text(agreement, first).await.unwrap();
    assert!(text.contains("Amina prepares, Ben listens.") && !text.contains("From January on"), "{text}");
    assert_eq!(cosign::frozen(text.as_bytes()), first);

    let second = propose(&both.ben, agreement).await.unwrap();
    both.exchange().await;
    let table = shown(&both.amina, agreement).await;
    assert_eq!(table.on_the_table().unwrap().version, second.to_string());
    // A signature on a text that somebody else has changed meanwhile stays with the text that was read.
    sign(&both.amina, agreement, second, &table.text).await.unwrap();
    assert_eq!(sign(&both.amina, agreement, second, &table.text).await.unwrap_err(), "ALREADY_SIGNED");

    let laptop = Person::new("Ben").await;
    sign_twice_as_ben(&both, &laptop, agreement, second).await;

    // Both phones show it active, each without the other.
    let review = shown(&both.amina, agreement).await;
    assert!(!review.review_due(date("2027-05-29")) && review.review_due(date("2027-05-30")));
    both.amina.reopen().await;
    let Alliance { ben, amina, space, site, .. } = both;
    if let Some(site) = site {
        drop(site);
    }
    let hers = shown(&amina, agreement).await;
    drop((amina, laptop));
    let his = shown(&ben, agreement).await;
    assert_eq!(hers, his);
    let export = ben.client.export(Some(space)).await.unwrap().to_string();
    assert!(export.contains(&second.to_string()), "the export names what is in force");
    let active = his.active().next().unwrap();
    assert_eq!((active.version.clone(), active.state), (second.to_string(), VersionState::Active));
    let text = ben.client.version_text(agreement, second).await.unwrap();
    assert_eq!(cosign::frozen(text.as_bytes()), second);
    // And so does the file of it, without any phone.
    let early = ben.client.signed_version(agreement, first, (date("2026-12-20"), "")).await.unwrap_err();
    assert_eq!(early.code(), "INCOMPLETE", "nobody signed the first");
    let file = ben.client.signed_version(agreement, second, (date("2026-12-20"), "for the clinic")).await.unwrap();
    drop(ben);
    let proved = prove_signed(&file).unwrap();
    assert_eq!((proved.kind.as_str(), proved.name), ("agreement", second.to_string()));
    assert_eq!((proved.parties.len(), proved.text.to_string()), (2, text));
    let forged = String::from_utf8(file).unwrap().replace("between us", "to nobody");
    assert_eq!(prove_signed(forged.as_bytes()).unwrap_err().code.code(), "SIGNED_BROKEN");
}

/// Ben has two devices, and they sign while apart: he is one person.
async fn sign_twice_as_ben(both: &Alliance, laptop: &Person, agreement: DocumentId, version: FrozenHash) {
    add_device(&both.ben, laptop).await;
    let exchange = || async {
        alliance_tests::hostile::meet(&both.ben.client, &laptop.client).await;
        alliance_tests::hostile::meet(&laptop.client, &both.ben.client).await;
        alliance_tests::hostile::meet(&both.ben.client, &laptop.client).await;
    };
    exchange().await;
    exchange().await;
    // Neither knows of Amina's signature yet.
    let text = shown(laptop, agreement).await.text;
    sign(laptop, agreement, version, &text).await.unwrap();
    sign(&both.ben, agreement, version, &text).await.unwrap();
    exchange().await;
    let view = shown(&both.ben, agreement).await;
    assert_eq!(view.state, AgreementState::PartSigned, "two devices of one person are one signature");
    assert_eq!(view.versions.last().unwrap().signatures.len(), 2);
    both.exchange().await;
    exchange().await;
    assert_eq!(shown(laptop, agreement).await.state, AgreementState::Active);
    // On a third occasion he is told which it is.
    assert_eq!(sign(laptop, agreement, version, &text).await.unwrap_err(), "ALREADY_SIGNED");
}

#[tokio::test]
async fn negotiating_and_co_signing_through_a_relay() {
    relay::watched(journey(Way::Relay)).await;
}

#[tokio::test]
async fn negotiating_and_co_signing_from_phone_to_phone() {
    relay::watched(journey(Way::Direct)).await;
}

/// Who signs on one device and then on another of the same person is refused there, by name.
#[tokio::test]
async fn the_same_person_does_not_sign_twice() {
    relay::watched(async {
        let both = Alliance::met(Way::Direct).await;
        let agreement = negotiate(&both).await;
        let version = propose(&both.ben, agreement).await.unwrap();
        let laptop = Person::new("Ben").await;
        add_device(&both.ben, &laptop).await;
        let text = shown(&both.ben, agreement).await.text;
        sign(&both.ben, agreement, version, &text).await.unwrap();
        for _ in 0..3 {
            alliance_tests::hostile::meet(&both.ben.client, &laptop.client).await;
        }
        assert_eq!(sign(&laptop, agreement, version, &text).await.unwrap_err(), "SAME_PERSON_COSIGN");
        // Somebody who does not write is no party: his signature is refused, and so is one of a version that is not.
        let unknown = FrozenHash([9; 32]);
        assert_eq!(sign(&both.ben, agreement, unknown, &text).await.unwrap_err(), "UNKNOWN_ITEM");
    })
    .await;
}

/// A phone that dies while its person writes loses nothing that it said to have saved.
#[tokio::test]
async fn a_killed_program_loses_nothing_of_the_agreement() {
    relay::watched(async {
        let mut both = Alliance::met(Way::Direct).await;
        let agreement = negotiate(&both).await;
        let id = agreement.to_string();
        let kills = both
            .amina
            .kill(3, 4, |number| {
                let remark = format!("remark {number}.");
                ["agreement", "clause", &id, &ROLES.to_string()[..8], "--remark", &remark].map(str::to_owned).to_vec()
            })
            .await;
        let said: Vec<String> = {
            let view = shown(&both.amina, agreement).await;
            view.clause(ROLES).unwrap().thread.iter().map(|remark| remark.text.clone()).collect()
        };
        for number in &kills.done {
            assert!(said.contains(&format!("remark {number}.")), "{number} was acknowledged: {said:?}");
        }
        println!("seed 3: {kills:?}: {said:?}");
        // And it goes on from there, on both phones.
        both.exchange().await;
        let version = propose(&both.amina, agreement).await.unwrap();
        both.exchange().await;
        for person in [&both.amina, &both.ben] {
            let text = shown(person, agreement).await.text;
            sign(person, agreement, version, &text).await.unwrap();
        }
        both.exchange().await;
        let (hers, his) = (shown(&both.amina, agreement).await, shown(&both.ben, agreement).await);
        assert_eq!((&hers, hers.state), (&his, AgreementState::Active));
    })
    .await;
}
