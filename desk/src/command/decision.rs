//! Decisions: one words them, another checks them, both seal.

use std::path::Path;

use alliance_client::{DocumentId, DocumentView, View, item_id, prove_trail};
use alliance_model::decision::trail::TRAIL_BYTES_MAX;
use alliance_model::decision::{DecisionCommand as Change, DecisionField, DecisionList};
use alliance_model::{Command, CosignatureView, DecisionView, DocumentKind, PartyView, RefusalCode, Splice};
use serde_json::json;

use super::note::{apply, list, refused, seen, show_document, write};
use super::{Call, note, reference};
use crate::cli::{Dated, DecisionCommand, ItemArg};
use crate::failure::Failure;
use crate::output::text::{count, line, short};
use crate::output::{Answer, Teller};
use crate::splice;

pub(super) async fn decision(command: &DecisionCommand, call: &Call) -> Result<(), Failure> {
    match command {
        DecisionCommand::New { space, session, ethical, source: _ } => {
            new(space, session.as_deref(), *ethical, call).await
        }
        DecisionCommand::Edit { decision, field, ethical, source: _ } => edit(decision, *field, *ethical, call).await,
        DecisionCommand::Add { decision, list, source: _ } => add(decision, *list, call).await,
        DecisionCommand::Remove { decision, item } => remove(decision, item, call).await,
        DecisionCommand::Check { decision, source: _ } => {
            let (document, _) = open(decision, call).await?;
            call.client.check_decision(document, call.text()?).await?;
            let answer = json!({"document": document.to_string()});
            call.teller.say(&Answer::new("Said. It is sealed, and nobody can change it.", answer)).await;
            Ok(())
        }
        DecisionCommand::Seal { decision, dated } => seal(decision, dated, call).await,
        DecisionCommand::Show { decision } => {
            let row = reference::document(&call.client, DocumentKind::Decision, decision).await?;
            show_document(call, &row).await
        }
        DecisionCommand::List(filter) => list(filter, DocumentKind::Decision, call).await,
        DecisionCommand::Trail { space, given } => {
            let space = reference::space(&call.client, space).await?.space;
            let trail = call.client.decision_trail(space, given.on, &given.reason).await?;
            let text = String::from_utf8(trail.encode()).map_err(|_| internal())?;
            call.teller.say(&Answer::new(text, json!(trail))).await;
            Ok(())
        }
        DecisionCommand::Prove { file } => prove(&call.folder.join(file), &call.teller).await,
    }
}

/// Says what a file of sealed decisions proves.
pub(crate) async fn prove(file: &Path, teller: &Teller) -> Result<(), Failure> {
    let bytes = crate::input::file(file, TRAIL_BYTES_MAX)?;
    let proof = prove_trail(&bytes).map_err(alliance_client::Error::Refused)?;
    let mut text = format!(
        "{} sealed, word for word as people signed.\n",
        count(proof.decisions as u64, "decision is", "decisions are")
    );
    for (person, devices) in &proof.devices {
        let devices: Vec<&str> = devices.iter().map(String::as_str).collect();
        text.push_str(&format!("Person {} signed with device {}\n", &person[..8], devices.join(", ")));
    }
    text.push_str("Whose these devices are, the file cannot prove: compare with `alliance whoami` there.\n");
    if !proof.missing.is_empty() {
        let missing = count(proof.missing.len() as u64, "earlier decision is", "earlier decisions are");
        text.push_str(&format!("{missing} named and not in the file.\n"));
    }
    teller.say(&Answer::new(text, json!({"proof": proof}))).await;
    Ok(())
}

async fn new(space: &str, session: Option<&str>, ethical: bool, call: &Call) -> Result<(), Failure> {
    let splices = call.text_if_any().map(|text| splice::splices("", text)).unwrap_or_default();
    let space = reference::space(&call.client, space).await?.space;
    let session = match session {
        Some(session) => Some(reference::document(&call.client, DocumentKind::Session, session).await?.document),
        None => None,
    };
    let document = call.client.begin_decision(space, session).await?;
    let mut changes = edits(DecisionField::Question, splices);
    changes.extend(ethical.then_some(Change::SetEthical { ethical }));
    let view = call.client.view(document).await?;
    apply(call, document, seen(view.revision), commands(changes)).await?;
    // Also where nothing but its beginning is written.
    note::seal(call, document).await?;
    let text = format!(
        "The decision is yours to word: {document}\nWrite what you chose with `alliance decision edit {} --text ...`.",
        short(&document)
    );
    call.teller.say(&Answer::new(text, json!({"document": document.to_string()}))).await;
    Ok(())
}

async fn edit(decision: &str, field: DecisionField, ethical: Option<bool>, call: &Call) -> Result<(), Failure> {
    let (document, view) = open(decision, call).await?;
    let old = &decision_of(&view)?.field(field).text;
    let splices = call.text_if_any().map(|text| splice::splices(old, text)).unwrap_or_default();
    let mut changes = edits(field, splices);
    changes.extend(ethical.map(|ethical| Change::SetEthical { ethical }));
    write(call, document, view.revision, commands(changes)).await
}

async fn add(decision: &str, list: DecisionList, call: &Call) -> Result<(), Failure> {
    let splices = splice::splices("", call.text()?);
    if splices.is_empty() {
        return Err(refused(RefusalCode::TextEmpty));
    }
    let (document, view) = open(decision, call).await?;
    let (id, after) = (item_id()?, decision_of(&view)?.listed.last().map(|part| part.id));
    let mut changes = vec![Change::Add { id, list, after }];
    changes.extend(splices.into_iter().map(|splice| Change::Edit { id, splice }));
    write(call, document, view.revision, commands(changes)).await
}

async fn remove(decision: &str, item: &ItemArg, call: &Call) -> Result<(), Failure> {
    let (document, view) = open(decision, call).await?;
    let id = reference::item(&decision_of(&view)?.listed, item, |part| part.id)?.id;
    write(call, document, view.revision, commands([Change::Remove { id }])).await
}

async fn seal(decision: &str, dated: &Dated, call: &Call) -> Result<(), Failure> {
    let (document, view) = open(decision, call).await?;
    let text = decision_of(&view)?.text.parse().map_err(|_| internal())?;
    let name = call.client.seal_decision(document, text, &dated.language, dated.on).await?.to_string();
    let now = call.client.view(document).await?;
    let shown = decision_of(&now)?;
    let sealed = shown.seals.iter().find(|it| it.name == name).ok_or_else(internal)?;
    call.teller
        .say(&Answer::new(
            who_waits(sealed.by_party(), ("sealed", "seal")),
            json!({"state": shown.state, "seal": sealed}),
        ))
        .await;
    Ok(())
}

/// Who still has to, of those who seal or sign something together: `done` is what one has done, `to_do` what the others do.
pub(super) fn who_waits<'a>(
    by_party: impl Iterator<Item = (&'a PartyView, Option<&'a CosignatureView>)>,
    (done, to_do): (&str, &str),
) -> String {
    let waits: Vec<String> = by_party.filter(|(_, by)| by.is_none()).map(|(party, _)| line(&party.name)).collect();
    if waits.is_empty() {
        format!("You {done} it. Everybody who has to has: it never changes any more.")
    } else {
        format!("You {done} it. Still to {to_do}: {}.", waits.join(", "))
    }
}

fn edits(field: DecisionField, splices: Vec<Splice>) -> Vec<Change> {
    splices.into_iter().map(|splice| Change::Edit { id: field.id(), splice }).collect()
}

fn commands(changes: impl IntoIterator<Item = Change>) -> Vec<Command> {
    changes.into_iter().map(Command::Decision).collect()
}

pub(super) fn internal() -> Failure {
    alliance_client::Error::new(alliance_client::Code::Internal).into()
}

async fn open(decision: &str, call: &Call) -> Result<(DocumentId, DocumentView), Failure> {
    let row = reference::document(&call.client, DocumentKind::Decision, decision).await?;
    Ok((row.document, call.client.view(row.document).await?))
}

fn decision_of(view: &DocumentView) -> Result<&DecisionView, Failure> {
    let View::Decision(decision) = &view.view else { return Err(refused(RefusalCode::WrongKind)) };
    Ok(decision)
}
