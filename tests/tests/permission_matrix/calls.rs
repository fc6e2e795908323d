//! Every other call of a client that has a rule about who may, by its name in the table.

use alliance_client::{Client, Error, InviteOptions, Role};
use alliance_model::note::Stage;
use alliance_model::{Command, DocumentKind};
use alliance_tests::hostile::admit_as;
use alliance_tests::people::Person;

use crate::documents::{Scene, day, stage};
use crate::people::{ENTRY, Who};
use crate::{commands, deciding, forming};

/// All of them but those of decisions and forms.
const NAMES: &[&str] = &[
    "agreement.propose",
    "agreement.sign",
    "agreement.sign_founders",
    "note.begin",
    "note.confirm",
    "note.confirm_locked",
    "note.addendum",
    "note.addendum_locked",
    "note.adopt_own",
    "note.adopt_others",
    "session.merge",
    "session.merge_other_kind",
    "session.merge_elsewhere",
    "session.keep_apart",
    "document.create_agreement",
    "document.create_note",
    "document.create_session",
    "document.create_preparation",
    "document.create_decision",
    "document.create_exports",
    "document.create_charter",
    "document.create_contract",
    "document.create_goals",
    "document.create_feedback",
    "document.create_remarks",
    "document.create_review",
    "document.create_closing",
    "document.read",
    "document.restore_passage",
    "document.copy_into",
    "document.copy_out",
    "preparation.read",
    "preparation.read_others",
    "preparation.write_others",
    "preparation.copy",
    "preparation.share",
    "preparation.withdraw",
    "member.admit",
    "member.role",
    "member.role_self",
    "member.expel",
    "space.leave",
    "space.end",
    "space.export",
    "entries.admit",
    "device.suspend_self",
    "device.suspend_others",
];

/// All of them.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    [NAMES, deciding::CALLS, forming::CALLS].into_iter().flatten().copied()
}

/// Does what has to be done before an attempt, as far as this person may. Says whether that can have changed something.
pub(crate) async fn ready(scene: &Scene, client: &Client, who: Who, name: &str) -> bool {
    if let Some(command) = deciding::supervisor(scene, who, name) {
        let _ = client.command(scene.documents.session, None, Command::Session(command)).await;
        return true;
    }
    match name {
        "note.edit_against_record_rule" => {
            let (agreement, command) = commands::nothing_in_writing(scene);
            // Who may not say so has no rule to break, and is refused as well.
            let _ = client.command(agreement, None, command).await;
        }
        "preparation.withdraw" => {
            // There is nothing to take back for whom this is refused.
            let _ = client.share_preparation(ENTRY, scene.documents.session, None, None).await;
        }
        _ => return false,
    }
    true
}

/// Makes the call of this name.
pub(crate) async fn call(scene: &Scene, client: &Client, who: Who, name: &str) -> Result<(), Error> {
    match name.split_once('.').map(|(group, _)| group) {
        Some("agreement") => agreement(scene, client, name).await,
        Some("note") => note(scene, client, who, name).await,
        Some("session") => session(scene, client, who, name).await,
        Some("document") => document(scene, client, who, name).await,
        Some("decision") => deciding::call(scene, client, who, name).await,
        Some("feedback" | "charter" | "closing") => forming::call(scene, client, who, name).await,
        Some("preparation") => preparation(scene, client, who, name).await,
        _ => members(scene, client, who, name).await,
    }
}

async fn agreement(scene: &Scene, client: &Client, name: &str) -> Result<(), Error> {
    let documents = &scene.documents;
    let signed = match name {
        "agreement.propose" => {
            let agreement = documents.agreement;
            return client.propose(agreement.document, agreement.text, "en", day()).await.map(drop);
        }
        "agreement.sign" => documents.proposed,
        "agreement.sign_founders" => documents.founders,
        _ => panic!("{name}: no such call"),
    };
    client.sign(signed.document, signed.version, signed.text, "en", day()).await
}

async fn note(scene: &Scene, client: &Client, who: Who, name: &str) -> Result<(), Error> {
    let documents = &scene.documents;
    let place = |stage: Stage| format!("sections.{}", stage.name());
    match name {
        "note.begin" => client.note_of_session(documents.twin).await.map(drop),
        "note.confirm" => client.confirm_note(documents.note, documents.note_text, "en", day()).await.map(drop),
        "note.confirm_locked" => {
            client.confirm_note(documents.locked, documents.locked_text, "en", day()).await.map(drop)
        }
        "note.addendum" => client.add_addendum(documents.note, "Since then. ").await,
        "note.addendum_locked" => client.add_addendum(documents.locked, "Since then. ").await,
        "note.adopt_own" => {
            let apart = if who == Who::Steward { documents.locked_by_signer } else { documents.locked };
            client.adopt(apart, &place(stage(who))).await
        }
        "note.adopt_others" => client.adopt(documents.locked, &place(stage(who.other()))).await,
        _ => panic!("{name}: no such call"),
    }
}

async fn session(scene: &Scene, client: &Client, who: Who, name: &str) -> Result<(), Error> {
    let documents = &scene.documents;
    let session = documents.session;
    match name {
        "session.merge" => client.merge_sessions(session, documents.twin).await,
        "session.merge_other_kind" => client.merge_sessions(session, documents.training).await,
        "session.merge_elsewhere" => client.merge_sessions(session, scene.people.own[&who].session).await,
        "session.keep_apart" => client.keep_sessions_apart(session, Some(documents.twin)).await,
        _ => panic!("{name}: no such call"),
    }
}

async fn document(scene: &Scene, client: &Client, who: Who, name: &str) -> Result<(), Error> {
    let (documents, space, own) = (&scene.documents, scene.people.space, scene.people.own[&who]);
    let kind = match name {
        "document.read" => return client.view(documents.note).await.map(drop),
        "document.restore_passage" => {
            let (version, place) = (&documents.worn_version, "sections.exploration");
            return client.restore_passage(documents.worn, version, place, None).await.map(drop);
        }
        "document.copy_into" => return client.copy_document(own.note, space).await.map(drop),
        "document.copy_out" => return client.copy_document(documents.note, own.home).await.map(drop),
        _ => name.strip_prefix("document.create_").and_then(DocumentKind::from_name).expect("a kind of document"),
    };
    client.create_document(space, kind).await.map(drop)
}

async fn preparation(scene: &Scene, client: &Client, who: Who, name: &str) -> Result<(), Error> {
    let (people, session) = (&scene.people, scene.documents.session);
    let own = people.own[&who];
    match name {
        "preparation.read" => client.view(own.log).await.map(drop),
        "preparation.read_others" => client.view(people.own[&who.other()].log).await.map(drop),
        "preparation.write_others" => {
            let (_, command) = commands::named(scene, who, "preparation.edit_entry").expect("a command of a log");
            client.command(people.own[&who.other()].log, None, command).await.map(drop)
        }
        "preparation.copy" => client.copy_document(own.log, people.space).await.map(drop),
        "preparation.share" => client.share_preparation(ENTRY, session, None, None).await.map(drop),
        "preparation.withdraw" => client.withdraw_preparation(ENTRY, session).await,
        _ => panic!("{name}: no such call"),
    }
}

async fn members(scene: &Scene, client: &Client, who: Who, name: &str) -> Result<(), Error> {
    let (people, space) = (&scene.people, scene.people.space);
    let own = people.own[&who];
    let other = || people.own[&who.other()];
    match name {
        "member.admit" => {
            client.invite(space, InviteOptions { role: Role::Writer, days: 7 }).await?;
            // Who may invite lets somebody in, to the end.
            admit_as(client, space, &Person::new("Hana").await.client, Role::Writer).await;
            Ok(())
        }
        "member.role" => client.set_role(space, &other().tag.to_string(), Role::Signer).await.map(drop),
        "member.role_self" => client.set_role(space, &own.tag.to_string(), Role::Signer).await.map(drop),
        "member.expel" => client.remove_member(space, &other().tag.to_string()).await.map(drop),
        "space.leave" => client.leave(space).await.map(drop),
        "space.end" => client.end_space(space).await.map(drop),
        "space.export" => client.export_space(space, day(), "for the archive").await.map(drop),
        "entries.admit" => client.admit(space, &[scene.documents.offered.as_str()]).await,
        "device.suspend_self" => client.suspend_device(&own.device.to_string()).await.map(drop),
        "device.suspend_others" => client.suspend_device(&other().device.to_string()).await.map(drop),
        _ => panic!("{name}: no such call"),
    }
}
