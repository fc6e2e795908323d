//! DOMAIN 2.16, J14: the organisation asks, as far as the evidence firewall goes: what was said in supervision is no
//! evidence anywhere else, and an organisation's space holds nothing of it. The register and what happens at the end of
//! retention come later.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use alliance_client::{DocumentId, NewSpace, Role, SpaceId};
use alliance_model::audience::Audience;
use alliance_model::form::FormCommand;
use alliance_model::session::{SessionCommand as S, SessionValue};
use alliance_model::{Command, DocumentKind, MeetingKind, NoteCommand as N};
use alliance_tests::forms::{contract, day, form, organisation};
use alliance_tests::hostile::{admit_as, meet};
use alliance_tests::journey::{Alliance, Way};
use alliance_tests::people::Person;
use alliance_tests::relay;

async fn code<T>(of: impl Future<Output = Result<T, alliance_client::Error>>) -> String {
    of.await.map(|_| ()).unwrap_err().code().to_owned()
}

async fn session(of: &Person, space: SpaceId, kind: MeetingKind) -> Result<DocumentId, alliance_client::Error> {
    let session = of.client.create_document(space, DocumentKind::Session).await?;
    let command = Command::Session(S::Set { value: SessionValue::Kind(kind) });
    of.client.command(session, None, command).await?;
    of.client.seal(session).await?;
    Ok(session)
}

async fn challenge(of: &Person, space: SpaceId, fields: &[(&str, &str)]) -> Result<(), alliance_client::Error> {
    let (remarks, _) = of.client.form_of_space(space, DocumentKind::Remarks).await?;
    of.client.add_to_form(remarks, "challenge", fields, "Reports come late.").await?;
    of.client.seal(remarks).await
}

/// A manager with a space for what is hers to talk about with Amina.
async fn management(mara: &Person, amina: &Person) -> SpaceId {
    let space = mara.client.create_space("Mara and Amina", NewSpace::Pair).await.unwrap().space;
    mara.client.set_audience(space, Audience::Management).await.unwrap();
    admit_as(&mara.client, space, &amina.client, Role::Writer).await;
    assert_eq!(amina.client.audience(space).await.unwrap(), Audience::Management);
    space
}

async fn journey(way: Way) {
    let both = Alliance::met(way).await;
    let mut mara = Person::new("Mara").await;
    let office = organisation(&mara).await;
    let desk = management(&mara, &both.amina).await;

    // Whom a space is for says its founder, once, before anything else is in it.
    assert_eq!(code(both.amina.client.set_audience(desk, Audience::Alliance)).await, "ROLE_FORBIDS");
    assert_eq!(code(mara.client.set_audience(desk, Audience::Alliance)).await, "KIND_FIXED");
    assert_eq!(code(both.ben.client.set_audience(both.space, Audience::Management)).await, "KIND_FIXED");

    // Each kind of meeting has its own place.
    let clinical = session(&both.amina, both.space, MeetingKind::Clinical).await.unwrap();
    let ipr = session(&mara, desk, MeetingKind::Ipr).await.unwrap();
    assert_eq!(code(session(&both.amina, both.space, MeetingKind::Ipr)).await, "KIND_FORBIDS");
    assert_eq!(code(session(&mara, desk, MeetingKind::Clinical)).await, "KIND_FORBIDS");
    let kind = Command::Note(N::SetKind { kind: MeetingKind::Disciplinary });
    assert_eq!(code(both.amina.client.command(both.note, None, kind)).await, "KIND_FORBIDS");
    // The organisation's space holds no meetings, and nothing of what is said in them.
    for kind in [DocumentKind::Session, DocumentKind::Note, DocumentKind::Goals, DocumentKind::Remarks] {
        assert_eq!(code(mara.client.create_document(office, kind)).await, "KIND_FORBIDS", "{kind}");
    }
    assert_eq!(code(both.ben.client.create_document(both.space, DocumentKind::Contract)).await, "KIND_FORBIDS");

    mara.client.seal_all().await.unwrap();
    meet(&mara.client, &both.amina.client).await;
    // The firewall: an appraisal rests on work, and never on supervision, however it is cited.
    let (of_ipr, of_clinical) = (ipr.to_string(), clinical.to_string());
    let cite = |evidence| [("session", of_ipr.as_str()), ("topic", "standards"), ("evidence", evidence)];
    challenge(&mara, desk, &cite("work_situation")).await.unwrap();
    assert_eq!(code(challenge(&mara, desk, &cite("clinical_session"))).await, "EVIDENCE_SOURCE");
    let by_id = [("session", of_ipr.as_str()), ("topic", "standards"), ("evidence_session", of_clinical.as_str())];
    assert_eq!(code(challenge(&both.amina, desk, &by_id)).await, "EVIDENCE_SOURCE", "she has both spaces");
    // And in supervision it is the other way round: what was seen in sessions, and nothing else (D4).
    let here = |evidence| [("session", of_clinical.as_str()), ("topic", "blind_spot"), ("evidence", evidence)];
    challenge(&both.amina, both.space, &here("clinical_session")).await.unwrap();
    assert_eq!(code(challenge(&both.amina, both.space, &here("work_situation"))).await, "EVIDENCE_SOURCE");
    let no_topic = [("session", of_clinical.as_str()), ("topic", "objectives")];
    assert_eq!(code(challenge(&both.amina, both.space, &no_topic)).await, "KIND_FORBIDS");
    // Nor afterwards, when the item is there.
    let remarks = alliance_model::form::form_of_space(DocumentKind::Remarks, &desk);
    let item = form(&mara, remarks).await.items[0].id;
    let later = FormCommand::SetItem { id: item, field: "evidence".into(), value: "clinical_session".into() };
    let later = mara.client.command(remarks, None, Command::Form(DocumentKind::Remarks, later));
    assert_eq!(code(later).await, "EVIDENCE_SOURCE");

    // A program that is killed in the midst of it says nothing twice.
    let (note, _) = mara.client.note_of_session(ipr).await.unwrap();
    let of_note = note.to_string();
    let kills = mara
        .kill(14, 3, |n| {
            ["note", "edit", &of_note, "--section", "focus", "--text", &format!("{n}")].map(str::to_owned).to_vec()
        })
        .await;
    println!("seed 14: {kills:?}");

    // She asks for notes: she is in no space that has them, and nothing that she has names one.
    both.exchange().await;
    mara.client.seal_all().await.unwrap();
    meet(&mara.client, &both.amina.client).await;
    assert_eq!(code(mara.client.view(both.note)).await, "UNKNOWN_DOCUMENT");
    let everything = mara.client.export(None).await.unwrap().to_string();
    for word in [of_clinical, both.note.to_string(), both.space.to_string(), "Our first talk".to_owned()] {
        assert!(!everything.contains(&word), "{word} is in what the manager has");
    }
    // The control: what she may have is there, and Amina's has the rest.
    assert!(everything.contains(&of_ipr));
    assert!(both.amina.client.export(None).await.unwrap().to_string().contains("Our first talk"));

    // What comes from the organisation is its contract, as a file; nothing goes there.
    let file = contract(&mara, office, &[("attendance_projection", "dates"), ("retention_months", "24")]).await;
    both.amina.client.adopt_file(both.space, &file, day()).await.unwrap();
    both.exchange().await;
    let adopted = both.ben.client.adopted_files(both.space).await.unwrap();
    assert_eq!((adopted.len(), adopted[0].kind), (1, DocumentKind::Contract));
    assert_eq!(adopted[0].proved.words.fields["organisation"], "Clinic");
}

#[tokio::test]
async fn the_organisation_asks_from_phone_to_phone() {
    relay::watched(journey(Way::Direct)).await;
}

#[tokio::test]
async fn the_organisation_asks_through_a_relay() {
    relay::watched(journey(Way::Relay)).await;
}
