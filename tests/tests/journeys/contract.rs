//! DOMAIN 2.16, J2, J3 and J10, what belongs to the employer's contract: it comes as a file, holds for what two people
//! agree, and an agreement begins from a template.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use alliance_client::{Adopted, DocumentId, FrozenHash, View};
use alliance_model::agreement::{AgreementCommand as A, ProtectiveTerm, ProtectiveValue, Term};
use alliance_model::session::{SessionCommand as S, SessionRole, SessionValue};
use alliance_model::{Command, DocumentKind, ItemId, MeetingKind, Splice};
use alliance_tests::agreements::{self, shown};
use alliance_tests::forms::{contract, day, organisation, set, write};
use alliance_tests::journey::{Alliance, Way};
use alliance_tests::people::Person;
use alliance_tests::relay;

async fn agree(of: &Person, agreement: DocumentId, command: A) {
    agreements::write(of, agreement, [command]).await;
}

async fn propose(of: &Person, agreement: DocumentId) -> Result<FrozenHash, String> {
    agreements::propose(of, agreement, day()).await.map_err(|error| error.code().to_owned())
}

fn told(op: u8, what: &str, lifts: Vec<ItemId>) -> A {
    let value = ProtectiveValue::from_name(ProtectiveTerm::AttendanceToOrg, what).unwrap();
    A::Protect { op: ItemId([op; 8]), value, lifts }
}

/// An agreement that begins from the shipped template, on both phones.
async fn from_the_template(both: &Alliance) -> DocumentId {
    let agreement = both.ben.client.create_document(both.space, DocumentKind::Agreement).await.unwrap();
    let names: Vec<String> =
        both.ben.client.templates(both.space).await.unwrap().into_iter().map(|it| it.name).collect();
    assert!(names.contains(&"clinical_pair".to_owned()), "{names:?}");
    both.ben.client.apply_template(agreement, "clinical_pair").await.unwrap();
    let before = shown(&both.ben, agreement).await;
    let first = &before.clauses[0];
    agree(&both.ben, agreement, A::EditClause { id: first.id, splice: Splice::insert(0, "For us two: ") }).await;
    agree(&both.ben, agreement, A::SetTerm { term: Term::ReviewDue("2027-06-01".parse().unwrap()) }).await;
    // The template once more changes nothing that is there.
    both.ben.client.apply_template(agreement, "clinical_pair").await.unwrap();
    let after = shown(&both.ben, agreement).await;
    assert!(after.clauses[0].text.text.starts_with("For us two: "));
    assert_eq!((after.clauses.len(), after.terms.len()), (2 * before.clauses.len(), before.terms.len() + 1));
    both.exchange().await;
    agreement
}

async fn journey(way: Way) {
    let both = Alliance::met(way).await;
    let mara = Person::new("Mara").await;
    let office = organisation(&mara).await;
    let agreement = from_the_template(&both).await;
    assert_eq!(shown(&both.amina, agreement).await.clauses.len(), shown(&both.ben, agreement).await.clauses.len());

    // An employed pair may go on without a contract, and then the employer learns nothing (J2).
    let (charter, _) = both.amina.client.form_of_space(both.space, DocumentKind::Charter).await.unwrap();
    write(&both.amina, charter, [set("employed", "yes")]).await.unwrap();
    assert_eq!(propose(&both.amina, agreement).await.unwrap_err(), "CONTRACT_REQUIRED", "the template says dates");
    agree(&both.amina, agreement, told(31, "none", Vec::new())).await;
    propose(&both.amina, agreement).await.unwrap();
    // Both let go of that again.
    let nothing = vec![ItemId([31; 8])];
    agree(&both.amina, agreement, told(32, "dates", nothing.clone())).await;
    both.exchange().await;
    agree(&both.ben, agreement, told(33, "dates", nothing)).await;
    both.exchange().await;
    assert_eq!(propose(&both.amina, agreement).await.unwrap_err(), "CONTRACT_REQUIRED");

    // The contract comes as a file that proves itself; one that somebody changed is none.
    let fields = [("attendance_projection", "dates"), ("retention_months", "24"), ("line_manager_supervises", "no")];
    let file = contract(&mara, office, &fields).await;
    let text = String::from_utf8(file.clone()).unwrap();
    let forged = text.replace("Clinic", "Klinic").into_bytes();
    let refused = both.amina.client.adopt_file(both.space, &forged, day()).await.unwrap_err();
    assert_eq!(refused.code(), "SIGNED_BROKEN");
    both.amina.client.adopt_file(both.space, &file, day()).await.unwrap();
    both.exchange().await;
    propose(&both.amina, agreement).await.unwrap();
    propose(&both.ben, agreement).await.unwrap();

    // It limits how long records are kept (J10), and who supervises (2.15, 1).
    agree(&both.ben, agreement, A::SetTerm { term: Term::RetentionMonths(36) }).await;
    assert_eq!(propose(&both.ben, agreement).await.unwrap_err(), "RETENTION_LONGER_THAN_CONTRACT");
    agree(&both.ben, agreement, A::SetTerm { term: Term::RetentionMonths(24) }).await;
    propose(&both.ben, agreement).await.unwrap();
    write(&both.ben, charter, [set("independence", "line_manager")]).await.unwrap();
    assert_eq!(propose(&both.ben, agreement).await.unwrap_err(), "INDEPENDENCE");
    both.exchange().await;
    assert_eq!(propose(&both.amina, agreement).await.unwrap_err(), "INDEPENDENCE", "on both phones");
    write(&both.ben, charter, [set("independence", "external")]).await.unwrap();
    propose(&both.ben, agreement).await.unwrap();

    // Ben, whom it binds as well, says that he has read it (2.4): saying so once more adds nothing.
    let read = |files: Vec<Adopted>| files.into_iter().map(|it| (it.acknowledged, it.outstanding)).collect::<Vec<_>>();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let files = both.ben.client.adopted_files(both.space).await.unwrap();
    let adopted = files[0].file.clone();
    assert_eq!(read(files), [(names(&["Amina"]), names(&["Ben"]))]);
    for _ in 0..2 {
        both.ben.client.acknowledge_file(both.space, &adopted[..8], day()).await.unwrap();
    }
    both.exchange().await;
    for person in [&both.amina, &both.ben] {
        let files = person.client.adopted_files(both.space).await.unwrap();
        assert_eq!(read(files), [(names(&["Amina", "Ben"]), names(&[]))]);
    }
    let unknown = both.ben.client.acknowledge_file(both.space, "ffff", day()).await.unwrap_err();
    assert_eq!(unknown.code(), "UNKNOWN_ITEM");

    // Both let go of the contract before it holds no longer: one alone does not end what protects the other.
    both.ben.client.release(both.space, &adopted).await.unwrap();
    both.exchange().await;
    assert_eq!(both.amina.client.adopted_files(both.space).await.unwrap().len(), 1);
    both.amina.client.release(both.space, &adopted).await.unwrap();
    both.exchange().await;
    for person in [&both.amina, &both.ben] {
        assert_eq!(person.client.adopted_files(both.space).await.unwrap().len(), 0);
        assert_eq!(person.client.release(both.space, &adopted).await.unwrap_err().code(), "UNKNOWN_ITEM");
    }
    // The same file can be taken up again; who had read it before has not said so of this.
    both.ben.client.adopt_file(both.space, &file, day()).await.unwrap();
    both.exchange().await;
    let files = both.amina.client.adopted_files(both.space).await.unwrap();
    assert_eq!(read(files), [(names(&["Ben"]), names(&["Amina"]))]);

    // Nothing of this went to the organisation's space.
    let there = mara.client.export(Some(office)).await.unwrap().to_string();
    assert!(there.contains("Clinic") && !there.contains("For us two"), "{there}");
}

#[tokio::test]
async fn an_agreement_under_a_contract_from_phone_to_phone() {
    relay::watched(journey(Way::Direct)).await;
}

#[tokio::test]
async fn an_agreement_under_a_contract_through_a_relay() {
    relay::watched(journey(Way::Relay)).await;
}

/// J4: the agenda is the supervisee's; a supervisor brings what comes from sessions or is about working together, and an
/// adopted pack may allow less from its day on.
#[tokio::test]
async fn who_brings_what_to_an_agenda() {
    relay::watched(async {
        use alliance_model::policy::AgendaOrigin as From;
        let both = Alliance::met(Way::Direct).await;
        let session = both.ben.client.create_document(both.space, DocumentKind::Session).await.unwrap();
        let members = both.ben.client.space(both.space).await.unwrap().members;
        let roles = [("Amina", SessionRole::Supervisee), ("Ben", SessionRole::Supervisor)];
        let mut commands = vec![
            S::Set { value: SessionValue::Kind(MeetingKind::Clinical) },
            S::Set { value: SessionValue::Date("2026-12-04".parse().unwrap()) },
        ];
        for (name, role) in roles {
            let person = members.iter().find(|member| member.name == name).unwrap().person;
            commands.push(S::SetRole { person, role });
        }
        for command in commands {
            both.ben.client.command(session, None, Command::Session(command)).await.unwrap();
        }
        both.exchange().await;
        let brings = async |of: &Person, command: S| {
            let done = of.client.command(session, None, Command::Session(command)).await;
            done.map(|_| ()).map_err(|error| error.code())
        };
        let item = |n: u8| ItemId([n; 8]);
        let from = |n, origin| S::BringItem { id: item(n), after: None, origin };
        let own = |n| S::AddItem { id: item(n), after: None };
        assert_eq!(brings(&both.amina, own(1)).await, Ok(()));
        assert_eq!(brings(&both.amina, from(2, From::FromWork)).await, Ok(()), "whoever owns it brings anything");
        assert_eq!(brings(&both.ben, own(3)).await, Err("KIND_FORBIDS"));
        assert_eq!(brings(&both.ben, from(3, From::FromWork)).await, Err("KIND_FORBIDS"));
        assert_eq!(brings(&both.ben, from(3, From::FromSessions)).await, Ok(()));
        assert_eq!(brings(&both.ben, from(4, From::WorkingRelationship)).await, Ok(()));
        both.exchange().await;
        let View::Session(view) = both.amina.client.view(session).await.unwrap().view else { panic!("a session") };
        assert_eq!(view.agenda.len(), 4);

        // A pack of their own: the supervisor brings nothing but what comes from sessions.
        let shipped = alliance_model::Pack::shipped();
        let mut record = shipped.kind(MeetingKind::Clinical).unwrap().clone();
        for origins in record.proposers.values_mut() {
            origins.retain(|origin| origin.as_str() == "from_sessions");
        }
        let mut pack: serde_json::Value = serde_json::from_slice(&shipped.encode()).unwrap();
        pack["name"] = "ours".into();
        pack["kinds"] = serde_json::json!([record]);
        (pack["templates"], pack["texts"]) = (serde_json::json!([]), serde_json::json!([]));
        let bytes = serde_json::to_vec(&pack).unwrap();
        let file = both.ben.client.sign_pack(both.space, &bytes, "2026-12-10".parse().unwrap()).await.unwrap();
        // From the tenth on: the session of the fourth keeps its rules, one of the eleventh does not.
        both.ben.client.adopt_pack(both.space, &file, "2026-12-10".parse().unwrap()).await.unwrap();
        both.exchange().await;
        assert_eq!(both.amina.client.packs(both.space).await.unwrap().len(), 1);
        assert_eq!(brings(&both.ben, from(5, From::WorkingRelationship)).await, Ok(()));
        let later = S::Set { value: SessionValue::Date("2026-12-11".parse().unwrap()) };
        assert_eq!(brings(&both.ben, later).await, Ok(()));
        assert_eq!(brings(&both.ben, from(6, From::WorkingRelationship)).await, Err("KIND_FORBIDS"));
        assert_eq!(brings(&both.ben, from(6, From::FromSessions)).await, Ok(()));

        // One that allows more is not signed, and what somebody forged is not taken up.
        pack["kinds"][0]["evidence_sources"] = serde_json::json!(["clinical_session", "work_situation"]);
        let more = serde_json::to_vec(&pack).unwrap();
        let refused = both.ben.client.sign_pack(both.space, &more, day()).await.unwrap_err();
        assert_eq!(refused.code(), "PACK_LOOSENS");
        let forged = String::from_utf8(file).unwrap().replace("ours", "ourS").into_bytes();
        assert_eq!(both.ben.client.adopt_pack(both.space, &forged, day()).await.unwrap_err().code(), "PACK_BROKEN");
    })
    .await;
}
