//! What a person names: documents and spaces, by title or by the first digits of the id; members, by name or by the first
//! digits of the tag; items, by the first digits of the id.

use alliance_client::{Client, Code, DocumentRow, PersonTag, SpaceId, SpaceView};
use alliance_model::{DocumentKind, ItemId};

use super::note::unknown_item;
use crate::cli::ItemArg;
use crate::failure::Failure;

/// Digits of an id that name something.
const DIGITS_MIN: usize = 4;
/// Documents that are read at once while a title is looked for.
const PAGE: u64 = 500;

/// The space of this title or id.
///
/// # Errors
/// `UNKNOWN_SPACE`, `AMBIGUOUS`.
pub(crate) async fn space(client: &Client, reference: &str) -> Result<SpaceView, Failure> {
    Ok(client.find_space(reference).await?)
}

/// The document of this kind with this id, beginning of an id (four digits or more) or title (case does not matter).
///
/// # Errors
/// `UNKNOWN_DOCUMENT`, `AMBIGUOUS`.
pub(crate) async fn document(client: &Client, kind: DocumentKind, reference: &str) -> Result<DocumentRow, Failure> {
    let digits = reference.len() >= DIGITS_MIN && reference.bytes().all(|digit| digit.is_ascii_hexdigit());
    if digits {
        match client.find_document(&reference.to_ascii_lowercase()).await {
            Ok(row) if row.kind == kind => return Ok(row),
            // A title may look like digits.
            Ok(_) => {}
            Err(error) if error.code() == Code::UnknownDocument.code() => {}
            Err(error) => return Err(error.into()),
        }
    }
    by_title(client, kind, reference).await
}

async fn by_title(client: &Client, kind: DocumentKind, title: &str) -> Result<DocumentRow, Failure> {
    let wanted = title.trim().to_lowercase();
    let mut found: Option<DocumentRow> = None;
    let mut offset = 0;
    loop {
        let page = client.documents(None, Some(kind), None, offset, PAGE).await?;
        let read = page.len() as u64;
        for row in page {
            if row.title.to_lowercase() == wanted && found.replace(row).is_some() {
                return Err(alliance_client::Error::new(Code::AmbiguousSpace)
                    .with("title", "shared by several")
                    .into());
            }
        }
        offset += read;
        if read < PAGE {
            return found.ok_or_else(|| alliance_client::Error::new(Code::UnknownDocument).into());
        }
    }
}

/// A member of a space, by name or by the first digits of the tag.
///
/// # Errors
/// `UNKNOWN_MEMBER`, `AMBIGUOUS`.
pub(crate) async fn person(client: &Client, space: SpaceId, reference: &str) -> Result<PersonTag, Failure> {
    let members = client.space(space).await?.members;
    let wanted = reference.trim().to_lowercase();
    let digits = wanted.len() >= DIGITS_MIN;
    let mut fitting = members.iter().filter(|member| {
        member.name.to_lowercase() == wanted || digits && member.person.to_string().starts_with(&wanted)
    });
    match (fitting.next(), fitting.next()) {
        (Some(member), None) => Ok(member.person),
        (Some(_), Some(_)) => Err(alliance_client::Error::new(Code::AmbiguousSpace).into()),
        (None, _) => Err(alliance_client::Error::new(Code::UnknownMember).into()),
    }
}

/// The item whose id begins so.
///
/// # Errors
/// `UNKNOWN_ITEM`, `AMBIGUOUS`.
pub(crate) fn item<'a, T>(items: &'a [T], wanted: &ItemArg, id: impl Fn(&T) -> ItemId) -> Result<&'a T, Failure> {
    let mut fitting = items.iter().filter(|item| wanted.fits(id(item)));
    match (fitting.next(), fitting.next()) {
        (Some(item), None) => Ok(item),
        (Some(_), Some(_)) => Err(alliance_client::Error::new(Code::AmbiguousSpace).into()),
        (None, _) => Err(unknown_item(wanted)),
    }
}
