//! Giving something out of a space in files that stand alone (DOMAIN 2.9, export): what everybody in it sees, as
//! canonical JSON with a signature beside it; tables; and each document as other Automerge programs open it. Everybody
//! in the space sees that it was given out.

use alliance_document::View;
use alliance_model::exports::{DetachedSignature, ExportRecord, ExportScope, ExportsCommand};
use alliance_model::kind::exports_of;
use alliance_model::{CivilDate, Command, Cosignature, DocumentKind, ExportsView, Refusal, RefusalCode};
use alliance_wire::{DocumentId, FrozenHash, SpaceId};
use serde::Serialize;

use crate::error::{Code, Error};
use crate::inner::{Client, Inner, Work};
use crate::tables;
use crate::views::Change;

/// Version of the exported form.
const FORM: u8 = 1;
/// The language of a signature of a file: none (ISO 639-2, undetermined).
const NO_LANGUAGE: &str = "und";

/// What was given out of a space: the bytes of each file.
#[derive(Debug, Clone)]
pub struct Exported {
    /// What everybody in the space sees, as canonical JSON: keys in order, no spaces. Two people who have the same write
    /// the same bytes.
    pub space: Vec<u8>,
    /// The exporter's signature of these bytes ([`prove_export`]), as JSON.
    pub signature: Vec<u8>,
    /// The sessions as a table (RFC 4180).
    pub sessions: String,
    /// The actions as a table.
    pub actions: String,
    /// Each document with its history, in Automerge's own format.
    pub documents: Vec<(DocumentId, Vec<u8>)>,
}

/// Fields stand in the order of their names.
#[derive(Serialize)]
struct SpaceFile {
    as_of: CivilDate,
    documents: Vec<DocumentFile>,
    export: u8,
    members: Vec<MemberFile>,
    space: String,
}

#[derive(Serialize)]
struct DocumentFile {
    document: String,
    heads: Vec<String>,
    kind: DocumentKind,
    view: serde_json::Value,
}

#[derive(Serialize)]
struct MemberFile {
    name: String,
    person: String,
    role: String,
}

/// Whose signature lies beside an exported file.
///
/// # Errors
/// `EXPORT_BROKEN`: it is no signature, or none of these bytes.
pub fn prove_export(file: &[u8], signature: &[u8]) -> Result<Cosignature, Refusal> {
    let broken = |what: &str| Refusal::new(RefusalCode::ExportBroken).with("what", what);
    let detached = DetachedSignature::parse(signature).ok_or_else(|| broken("signature"))?;
    let signed = detached.of(file).ok_or_else(|| broken("file"))?;
    let verified = alliance_crypto::verify(signed.device, &signed.message(), &signed.signature);
    verified.map(|()| signed).map_err(|_| broken("signature"))
}

impl Client {
    /// Gives out what everybody in a space sees, as of a date that the person gives. What was typed is sealed first;
    /// nothing of this device alone is in it. That it was given out, when, why and with which hash stands in the
    /// space's log of exports from then on, which everybody in the space sees.
    ///
    /// # Errors
    /// `DATE_INVALID`, `TEXT_TOO_LONG`, `TEXT_INVALID`, `WAITING_FOR_KEYS`, `UNKNOWN_SPACE`, `NOT_MEMBER`, `ROLE_FORBIDS`,
    /// `DOCUMENT_BROKEN`, and those of the store.
    pub async fn export_space(&self, space: SpaceId, on: CivilDate, reason: &str) -> Result<Exported, Error> {
        let inner = &self.inner;
        inner.may_write(space).await?;
        self.seal_all().await?;
        let people = inner.people(space).await?;
        let members = inner.members(space).await?;
        let mut members: Vec<MemberFile> = members
            .into_iter()
            .map(|it| MemberFile { name: it.name, person: it.person.to_string(), role: it.role.to_owned() })
            .collect();
        members.sort_by(|one, other| one.person.cmp(&other.person));
        let mut work = inner.work.lock().await;
        let (mut files, mut views, mut documents) = (Vec::new(), Vec::new(), Vec::new());
        // Also documents for which another stands: each is one of its own.
        let mut rows = inner.rows_of(space, None).await?;
        rows.sort_by_key(|row| row.document);
        for row in rows {
            let open = inner.open_document(&mut work, space, row.document, None).await?;
            let view = open.seen_by(&people, |context| open.document.view(context))?;
            files.push(DocumentFile {
                document: row.document.to_string(),
                heads: open.document.heads().ids().iter().map(ToString::to_string).collect(),
                kind: open.document.kind(),
                view: serde_json::to_value(&view).map_err(|_| Code::Internal)?,
            });
            let saved = open.document.verified_save().map_err(|_| Error::new(Code::DocumentBroken))?;
            documents.push((row.document, saved));
            views.push((row.document, view));
        }
        let whole = SpaceFile { as_of: on, documents: files, export: FORM, members, space: space.to_string() };
        let file = serde_json::to_vec(&whole).map_err(|_| Code::Internal)?;
        let signature = inner.given_out(&mut work, space, ExportScope::Space, &file, (on, reason)).await?;
        drop(work);
        inner.tell(Change::Document(space, exports_of(&space)));
        let (sessions, actions) = (tables::sessions(&views, &people), tables::actions(&views));
        Ok(Exported {
            space: file,
            signature: DetachedSignature::from(&signature).encode(),
            sessions,
            actions,
            documents,
        })
    }

    /// What was given out of a space, by whom, when and why.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, `DEVICE_SUSPENDED`, `DEVICE_PUT_OUT`, and those of the store.
    pub async fn exports(&self, space: SpaceId) -> Result<ExportsView, Error> {
        let inner = &self.inner;
        inner.unlocked(space)?;
        let log = exports_of(&space);
        if inner.device.find_document(log).await?.is_none() {
            return Ok(ExportsView { document: log.to_string(), ..ExportsView::default() });
        }
        let View::Exports(view) = self.view(log).await?.view else { return Err(Code::DocumentBroken.into()) };
        Ok(view)
    }
}

impl Inner {
    /// Signs a file, and writes into the space's log that it was given out: before anybody has it.
    pub(crate) async fn given_out(
        &self,
        work: &mut Work,
        space: SpaceId,
        scope: ExportScope,
        file: &[u8],
        (on, reason): (CivilDate, &str),
    ) -> Result<Cosignature, Error> {
        let file: FrozenHash = alliance_model::cosign::frozen(file);
        let signature = self.cosignature(space, file, NO_LANGUAGE, on).await?;
        let log = exports_of(&space);
        if self.device.find_document(log).await?.is_none() {
            self.put_new_document(work, space, log, DocumentKind::Exports).await?;
        }
        let record = ExportRecord { person: signature.person, scope, on, reason: reason.to_owned(), file };
        let command = Command::Exports(ExportsCommand::Record { op: self.fresh_item()?, record });
        self.sealed(work, space, log).await?;
        self.write_and_seal(work, space, log, &command).await?;
        Ok(signature)
    }
}
