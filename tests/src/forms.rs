//! Forms as scenarios use them: writing, showing, signing, and an employer with a contract.

use alliance_client::{DocumentId, Error, FrozenHash, NewSpace, SpaceId, View};
use alliance_model::audience::Audience;
use alliance_model::form::FormCommand;
use alliance_model::{CivilDate, Command, DocumentKind, FormView, Splice};

use crate::people::Person;

/// What a form shows.
///
/// # Panics
/// If it cannot be shown, or is none.
pub async fn form(of: &Person, document: DocumentId) -> FormView {
    let View::Form(view) = of.client.view(document).await.expect("it is here").view else {
        unreachable!("{document} is no form")
    };
    view
}

/// A text that everybody words.
#[must_use]
pub fn edit(name: &str, text: &str) -> FormCommand {
    FormCommand::EditText { name: name.to_owned(), splice: Splice::insert(0, text) }
}

/// A field.
#[must_use]
pub fn set(field: &str, value: &str) -> FormCommand {
    FormCommand::Set { field: field.to_owned(), value: value.to_owned() }
}

/// Does something to a form.
///
/// # Errors
/// The first refusal.
///
/// # Panics
/// If it cannot be shown.
pub async fn write(
    of: &Person,
    document: DocumentId,
    commands: impl IntoIterator<Item = FormCommand>,
) -> Result<(), Error> {
    let kind = form(of, document).await.kind;
    for command in commands {
        of.client.command(document, None, Command::Form(kind, command)).await?;
    }
    of.client.seal(document).await
}

/// Signs what a form says as it is shown now.
///
/// # Errors
/// The refusal.
///
/// # Panics
/// If it cannot be shown.
pub async fn sign(of: &Person, document: DocumentId) -> Result<FrozenHash, Error> {
    let seen = form(of, document).await.text.parse().expect("the hash of a text");
    of.client.sign_form(document, seen, ("en", day()), None).await
}

/// The day on which all of it happens.
///
/// # Panics
/// Never.
#[must_use]
pub fn day() -> CivilDate {
    CivilDate::new(2026, 12, 1).expect("a date")
}

/// An organisation's space of somebody's, with nothing in it.
///
/// # Panics
/// If it cannot be founded.
pub async fn organisation(employer: &Person) -> SpaceId {
    let space = employer.client.create_space("Clinic", NewSpace::Group).await.expect("a space").space;
    employer.client.set_audience(space, Audience::Organisation).await.expect("nothing is in it yet");
    space
}

/// The file of a contract that the employer signed: what A39 asks for, and these fields.
///
/// # Panics
/// If it cannot be signed.
pub async fn contract(employer: &Person, space: SpaceId, fields: &[(&str, &str)]) -> Vec<u8> {
    let contract = employer.client.create_document(space, DocumentKind::Contract).await.expect("an organisation's");
    let texts = ["purpose", "manner", "responsibilities", "assessment_methods", "confidentiality_limits"];
    let commands = texts.iter().map(|name| edit(name, &format!("What we say of {name}.")));
    let commands = commands.chain([set("organisation", "Clinic")]);
    let commands = commands.chain(fields.iter().map(|(field, value)| set(field, value)));
    write(employer, contract, commands).await.expect("a contract");
    sign(employer, contract).await.expect("everything is said");
    employer.client.signed_file(contract, day(), "for those whom it binds").await.expect("it is signed")
}
