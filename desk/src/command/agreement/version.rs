//! Proposing, signing and showing versions of a working agreement.

use alliance_client::{DocumentId, DocumentView, FrozenHash};
use alliance_model::agreement::VersionView;
use alliance_model::{AgreementView, CivilDate, DocumentKind, RefusalCode};
use serde_json::{Value, json};

use super::agreement_of;
use crate::cli::{Dated, GivenOut};
use crate::command::note::refused;
use crate::command::{Call, reference};
use crate::failure::Failure;
use crate::output::Answer;
use crate::show;

pub(super) async fn propose(reference: &str, dated: &Dated, call: &Call) -> Result<(), Failure> {
    let (document, view) = open(reference, call).await?;
    let seen = hash(&agreement_of(&view)?.text)?;
    let version = call.client.propose(document, seen, &dated.language, dated.on).await?;
    let text = format!(
        "Proposed as version {0}. It is sealed, and goes to the others at the next sync.\n\
         Sign it with `alliance agreement sign {1} --on {2}`.",
        version.short(),
        crate::output::text::short(&document),
        dated.on
    );
    call.teller.say(&Answer::new(text, json!({"version": version.to_string()}))).await;
    Ok(())
}

pub(super) async fn sign(reference: &str, version: Option<&str>, dated: &Dated, call: &Call) -> Result<(), Failure> {
    let (document, view) = open(reference, call).await?;
    let agreement = agreement_of(&view)?;
    // Who names a version has read that version; who names none has read the agreement.
    let (wanted, seen) = match version {
        Some(digits) => {
            let wanted = named(agreement, digits)?;
            (wanted, hash(&wanted.text)?)
        }
        None => {
            let newest = agreement.on_the_table().or_else(|| agreement.versions.last());
            (newest.ok_or_else(|| refused(RefusalCode::NothingProposed))?, hash(&agreement.text)?)
        }
    };
    let name = hash(&wanted.version)?;
    call.client.sign(document, name, seen, &dated.language, dated.on).await?;
    let now = call.client.view(document).await?;
    let signed = agreement_of(&now)?.version(name);
    let signed = signed.ok_or_else(|| Failure::from(alliance_client::Error::new(alliance_client::Code::Internal)))?;
    let waits = signed.by_party().filter(|(_, by)| by.is_none());
    let waits: Vec<String> = waits.map(|(party, _)| crate::output::text::line(&party.name)).collect();
    let text = if waits.is_empty() {
        format!("You signed version {}. Everybody has: it is {}.", name.short(), signed.state.name().replace('_', " "))
    } else {
        format!("You signed version {}. Still to sign: {}.", name.short(), waits.join(", "))
    };
    call.teller.say(&Answer::new(text, json!({"version": signed}))).await;
    Ok(())
}

pub(super) async fn versions(
    reference: &str,
    wanted: Option<&str>,
    as_of: Option<CivilDate>,
    call: &Call,
) -> Result<(), Failure> {
    let (document, view) = open(reference, call).await?;
    let agreement = agreement_of(&view)?;
    if let Some(digits) = wanted {
        let version = named(agreement, digits)?;
        let text = call.client.version_text(document, hash(&version.version)?).await?;
        let canonical: Value = serde_json::from_str(&text).unwrap_or_default();
        let shown = show::version_of_agreement(version, &canonical, call.teller.look());
        call.teller.say(&Answer::new(shown, json!({"version": version, "canonical": text}))).await;
        return Ok(());
    }
    let due = as_of.map(|date| agreement.review_due(date));
    let shown = show::versions_of_agreement(agreement, due, call.teller.look());
    let answer = json!({"state": agreement.state, "versions": agreement.versions, "review_due": due});
    call.teller.say(&Answer::new(shown, answer)).await;
    Ok(())
}

/// Prints a version that all have signed as a file.
pub(super) async fn give(reference: &str, version: Option<&str>, given: &GivenOut, call: &Call) -> Result<(), Failure> {
    let (document, view) = open(reference, call).await?;
    let agreement = agreement_of(&view)?;
    let wanted = match version {
        Some(digits) => named(agreement, digits)?,
        None => agreement.active().next().ok_or_else(|| refused(RefusalCode::NoActiveAgreement))?,
    };
    let version = hash(&wanted.version)?;
    let file = call.client.signed_version(document, version, (given.on, &given.reason)).await?;
    crate::command::form::say_file(file, call).await
}

async fn open(reference: &str, call: &Call) -> Result<(DocumentId, DocumentView), Failure> {
    let row = reference::document(&call.client, DocumentKind::Agreement, reference).await?;
    Ok((row.document, call.client.view(row.document).await?))
}

fn named<'a>(agreement: &'a AgreementView, digits: &str) -> Result<&'a VersionView, Failure> {
    let digits = digits.to_ascii_lowercase();
    let mut fitting = agreement.versions.iter().filter(|version| version.version.starts_with(&digits));
    match (fitting.next(), fitting.next()) {
        (Some(version), None) => Ok(version),
        (Some(_), Some(_)) => Err(alliance_client::Error::new(alliance_client::Code::AmbiguousSpace).into()),
        (None, _) => Err(refused(RefusalCode::UnknownItem).with("item", digits)),
    }
}

fn hash(digits: &str) -> Result<FrozenHash, Failure> {
    digits.parse().map_err(|_| alliance_client::Error::new(alliance_client::Code::Internal).into())
}
