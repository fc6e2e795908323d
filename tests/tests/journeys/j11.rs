//! DOMAIN 2.16, J11 as far as it is built: what was decided and why is a trail that proves itself; J5's decision stands
//! in it. The disclosure itself comes later.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use alliance_client::{DocumentId, PersonTag, View, prove_trail};
use alliance_model::decision::trail::Trail;
use alliance_model::decision::{DecisionCommand as D, DecisionField, DecisionList, DecisionState, EthicsCheck};
use alliance_model::session::{SessionCommand as S, SessionRole};
use alliance_model::{CivilDate, Command, DecisionView, DocumentKind, ItemId, Splice};
use alliance_tests::journey::{Alliance, Way};
use alliance_tests::people::Person;
use alliance_tests::relay;

fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn edit(field: DecisionField, text: &str) -> Command {
    Command::Decision(D::Edit { id: field.id(), splice: Splice::insert(0, text) })
}

async fn write(person: &Person, document: DocumentId, commands: Vec<Command>) {
    person.client.view(document).await.unwrap();
    for command in commands {
        person.client.command(document, None, command).await.unwrap();
    }
}

async fn decision_of(person: &Person, decision: DocumentId) -> DecisionView {
    let View::Decision(view) = person.client.view(decision).await.unwrap().view else { panic!("a decision") };
    view
}

async fn seal(person: &Person, decision: DocumentId, seen: &DecisionView) -> Result<(), String> {
    let sealed = person.client.seal_decision(decision, seen.text.parse().unwrap(), "en", date("2026-12-05")).await;
    sealed.map(|_| ()).map_err(|error| error.code().to_owned())
}

async fn code<T>(of: impl Future<Output = Result<T, alliance_client::Error>>) -> String {
    of.await.map(|_| ()).unwrap_err().code().to_owned()
}

async fn tag(person: &Person, both: &Alliance, name: &str) -> PersonTag {
    let members = person.client.space(both.space).await.unwrap().members;
    members.into_iter().find(|member| member.name == name).unwrap().person
}

/// A session of which it is said who supervises whom.
async fn session(both: &Alliance) -> DocumentId {
    let session = both.ben.client.create_document(both.space, DocumentKind::Session).await.unwrap();
    let roles = [("Amina", SessionRole::Supervisee), ("Ben", SessionRole::Supervisor)];
    for (name, role) in roles {
        let person = tag(&both.ben, both, name).await;
        write(&both.ben, session, vec![Command::Session(S::SetRole { person, role })]).await;
    }
    both.exchange().await;
    session
}

/// Amina words a decision; Ben has it.
async fn decided(both: &Alliance, session: DocumentId, choice: &str) -> DocumentId {
    let client = &both.amina.client;
    let decision = client.begin_decision(both.space, Some(session)).await.unwrap();
    let option = ItemId([7; 8]);
    let commands = vec![
        edit(DecisionField::Question, "May I tell the school what the mother told me?"),
        edit(DecisionField::Rationale, "She trusts me, and nobody is in danger."),
        edit(DecisionField::Choice, choice),
        Command::Decision(D::Add { id: option, list: DecisionList::Option, after: None }),
        Command::Decision(D::Edit { id: option, splice: Splice::insert(0, "Say nothing.") }),
        Command::Decision(D::SetEthical { ethical: true }),
    ];
    write(&both.amina, decision, commands).await;
    client.seal(decision).await.unwrap();
    both.exchange().await;
    decision
}

/// Ben says what he thinks of it, in a program that is killed again and again.
async fn checked_by_a_program_that_is_killed(both: &mut Alliance, decision: DocumentId) {
    let id = decision.to_string();
    let says = |number: usize| format!("Sound, number {number}.");
    let kills =
        both.ben.kill(11, 3, |n| ["decision", "check", &id, "--text", &says(n)].map(str::to_owned).to_vec()).await;
    println!("seed 11: {kills:?}");
    let said: Vec<String> = decision_of(&both.ben, decision).await.checks.into_iter().map(|it| it.text).collect();
    for number in &kills.done {
        assert_eq!(
            said.iter().filter(|text| **text == says(*number)).count(),
            1,
            "what was acknowledged is there, once"
        );
    }
    for number in kills.killed {
        assert!(said.iter().filter(|text| **text == says(number)).count() <= 1);
    }
    both.exchange().await;
}

async fn journey(way: Way) {
    let mut both = Alliance::met(way).await;
    let session = session(&both).await;
    assert_eq!(code(both.ben.client.begin_decision(both.space, Some(session))).await, "NOT_AUTHOR");
    let decision = decided(&both, session, "I ask her first.").await;

    // The wording is hers and the ethics check his; neither writes the other's.
    let late = both.ben.client.command(decision, None, edit(DecisionField::Choice, "No. "));
    assert_eq!(code(late).await, "NOT_AUTHOR");
    assert_eq!(code(both.amina.client.check_decision(decision, "Sound.")).await, "NOT_AUTHOR");
    let person = tag(&both.ben, &both, "Ben").await;
    let in_his_name = EthicsCheck { person, text: "Sound.".to_owned() };
    let check = Command::Decision(D::Check { op: ItemId([9; 8]), check: in_his_name });
    assert_eq!(code(both.amina.client.command(decision, None, check)).await, "NOT_AUTHOR");
    let seen = decision_of(&both.amina, decision).await;
    assert_eq!(seal(&both.amina, decision, &seen).await, Err("INCOMPLETE".to_owned()), "nobody has checked it");
    checked_by_a_program_that_is_killed(&mut both, decision).await;
    both.amina.reopen().await;

    // She rewords it while he seals what he read: his seal is of the old text, and she is told so.
    let read = decision_of(&both.ben, decision).await;
    write(&both.amina, decision, vec![edit(DecisionField::Choice, "Today ")]).await;
    seal(&both.ben, decision, &read).await.unwrap();
    both.exchange().await;
    let view = decision_of(&both.ben, decision).await;
    assert_eq!((view.state, view.choice.text.as_str()), (DecisionState::Draft, "Today I ask her first."));
    assert_eq!(view.seals.len(), 1, "what he sealed stays what it was");
    for person in [&both.amina, &both.ben] {
        let now = decision_of(person, decision).await;
        seal(person, decision, &now).await.unwrap();
        both.exchange().await;
    }
    let view = decision_of(&both.amina, decision).await;
    assert_eq!(view, decision_of(&both.ben, decision).await);
    assert_eq!((view.state, view.sealed().unwrap().signatures.len()), (DecisionState::Sealed, 2));
    let late = both.amina.client.command(decision, None, edit(DecisionField::Choice, "No. "));
    assert_eq!(code(late).await, "SEALED");
    assert_eq!(code(both.ben.client.check_decision(decision, "One more thing.")).await, "SEALED");
    trail(&both, session, decision).await;
}

/// A second decision goes on from the first. The file is the same from both phones and proves itself.
async fn trail(both: &Alliance, session: DocumentId, first: DocumentId) {
    let second = decided(both, session, "I tell the school with her.").await;
    both.ben.client.check_decision(second, "Good for both.").await.unwrap();
    both.exchange().await;
    for person in [&both.ben, &both.amina] {
        let now = decision_of(person, second).await;
        seal(person, second, &now).await.unwrap();
        both.exchange().await;
    }
    let names = [first, second].map(|decision| decision.to_string());
    let file = both
        .amina
        .client
        .decision_trail(both.space, date("2026-12-20"), "for the ethics board")
        .await
        .unwrap()
        .encode();
    assert_eq!(
        file,
        both.ben.client.decision_trail(both.space, date("2026-12-20"), "for the ethics board").await.unwrap().encode()
    );
    let read = Trail::parse(&file).unwrap();
    assert_eq!(read.decisions.iter().map(|it| it.decision.clone()).collect::<Vec<_>>(), names);
    assert_eq!(read.decisions[1].previous, [read.decisions[0].name.clone()]);
    // Nothing but the file, and the keys that the two show.
    let proof = prove_trail(&file).unwrap();
    assert_eq!((proof.decisions, proof.missing.len()), (2, 0));
    for person in [&both.amina, &both.ben] {
        let device = person.client.whoami().device.to_string();
        assert_eq!(proof.devices.values().filter(|devices| devices.contains(&device)).count(), 1);
    }
    let text = String::from_utf8(file).unwrap();
    for (what, other) in
        [("tell the school with her", "tell the school"), ("Good for both.", "Good for you."), ("\"en\"", "\"fr\"")]
    {
        assert!(text.contains(what));
        let refused = prove_trail(text.replace(what, other).as_bytes()).unwrap_err();
        assert_eq!(refused.code.code(), "TRAIL_BROKEN", "{what}");
    }
}

#[tokio::test]
async fn what_was_decided_is_a_trail_through_a_relay() {
    relay::watched(journey(Way::Relay)).await;
}

#[tokio::test]
async fn what_was_decided_is_a_trail_from_phone_to_phone() {
    relay::watched(journey(Way::Direct)).await;
}
