//! Signing a form, and the file of what all have signed.

use std::path::Path;

use alliance_client::{PersonTag, prove_signed};
use alliance_model::limits::SIGNED_BYTES_MAX;
use alliance_model::signed::SignedText;
use serde_json::json;

use super::opened::{Form, Named, form_in};
use crate::cli::{GivenOut, SignArgs};
use crate::command::decision::{internal, who_waits};
use crate::command::{Call, reference};
use crate::failure::Failure;
use crate::output::{Answer, Teller};
use crate::show;

pub(super) async fn sign(named: Named<'_>, args: &SignArgs, call: &Call) -> Result<(), Failure> {
    let form = Form::open(named, call).await?;
    let mut persons: Vec<PersonTag> = Vec::new();
    for person in &args.party {
        persons.push(reference::person(&call.client, form.space, person).await?);
    }
    let persons = (!persons.is_empty()).then_some(persons);
    let seen = form.view.text.parse().map_err(|_| internal())?;
    let dated = (args.dated.language.as_str(), args.dated.on);
    let name = call.client.sign_form(form.document, seen, dated, persons.as_deref()).await?.to_string();
    let now = form_in(call.client.view(form.document).await?.view)?;
    let seal = now.seals.iter().find(|seal| seal.name == name).ok_or_else(internal)?;
    let text = who_waits(seal.by_party(), ("signed", "sign"));
    call.teller.say(&Answer::new(text, json!({"signed": now.signed, "seal": seal}))).await;
    Ok(())
}

/// Prints the file of what all have signed.
pub(super) async fn give(named: Named<'_>, given: &GivenOut, call: &Call) -> Result<(), Failure> {
    let form = Form::open(named, call).await?;
    say_file(call.client.signed_file(form.document, given.on, &given.reason).await?, call).await
}

/// Prints a signed text.
pub(crate) async fn say_file(file: Vec<u8>, call: &Call) -> Result<(), Failure> {
    let signed = SignedText::parse(&file).map_err(|_| internal())?;
    let text = String::from_utf8(file).map_err(|_| internal())?;
    call.teller.say(&Answer::new(text, json!(signed))).await;
    Ok(())
}

/// A file that `give` printed. The line break at its end is the terminal's: without it, the file has the name under
/// which it was given out.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = crate::input::file(file, SIGNED_BYTES_MAX + 1)?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(bytes)
}

/// Says what a file of a signed text proves.
pub(crate) async fn prove(file: &Path, teller: &Teller) -> Result<(), Failure> {
    let bytes = read(file)?;
    let proved = prove_signed(&bytes).map_err(alliance_client::Error::Refused)?;
    let signed = SignedText::parse(&bytes).map_err(|_| internal())?;
    let text = show::proved(&proved, &signed.signatures, teller.look());
    teller.say(&Answer::new(text, json!({"proved": proved, "signatures": signed.signatures}))).await;
    Ok(())
}
