//! What was given out of a space (DOMAIN 2.2, ExportRecord): a log that everybody in it sees, and the signature that goes
//! with a file.

use alliance_wire::{FrozenHash, PersonTag};
use serde::{Deserialize, Serialize};

use crate::cosign::{Cosignature, frozen};
use crate::date::CivilDate;
use crate::decision::trail::{bytes64, hexadecimal};
use crate::kind::ItemId;
use crate::limits::EXPORTS_MAX;
use crate::refusal::{Refusal, RefusalCode};
use crate::text::check_line;
use crate::vocabulary::vocabulary;

/// Unicode scalar values of the reason for an export.
pub const REASON_SCALARS_MAX: usize = 200;
/// Bytes of a signature file that is read.
pub const SIGNATURE_BYTES_MAX: usize = 4 * 1024;

vocabulary! {
    /// What was given out.
    ExportScope {
        /// Everything of the space: what everybody in it sees.
        Space = 0 "space",
        /// The sealed decisions.
        Decisions = 1 "decisions",
        /// One text that all have signed.
        Signed = 2 "signed",
    }
}

/// That something was given out, as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct ExportRecord {
    /// Who did.
    #[n(0)]
    pub person: PersonTag,
    /// What.
    #[n(1)]
    pub scope: ExportScope,
    /// The date that the person gave.
    #[n(2)]
    pub on: CivilDate,
    /// Why, in the person's words; may be empty.
    #[n(3)]
    pub reason: String,
    /// The hash of the file.
    #[n(4)]
    pub file: FrozenHash,
}

impl ExportRecord {
    /// Reads what stands in the log; `None` if it is no record.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        alliance_wire::decode(bytes).ok()
    }

    /// What stands in the log.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        alliance_wire::encode(self)
    }
}

/// What a person can do to the log.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum ExportsCommand {
    /// Says that something was given out. It is never changed.
    #[n(0)]
    Record {
        /// A fresh random id for the log entry.
        #[n(0)]
        op: ItemId,
        /// What was.
        #[n(1)]
        record: ExportRecord,
    },
}

/// A record, as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportRecordView {
    /// Its id in the log.
    pub op: ItemId,
    /// Who gave it out: index into the view's `authors`.
    pub by: usize,
    /// What.
    pub scope: ExportScope,
    /// The date that the person gave.
    pub on: CivilDate,
    /// Why.
    pub reason: String,
    /// The hash of the file.
    pub file: String,
}

/// What was given out of a space, as apps and `--json` show it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportsView {
    /// The log's id.
    pub document: String,
    /// The records, in the order of their dates.
    pub exports: Vec<ExportRecordView>,
    /// Who is named above.
    pub authors: Vec<String>,
}

/// Accepts or refuses a command on the log as shown.
///
/// # Errors
/// `ITEM_EXISTS`, `TOO_MANY_ITEMS`, `DATE_INVALID`, `TEXT_TOO_LONG`, `TEXT_INVALID`.
pub fn check(view: &ExportsView, command: &ExportsCommand) -> Result<(), Refusal> {
    let ExportsCommand::Record { op, record } = command;
    if view.exports.iter().any(|known| known.op == *op) {
        return Err(Refusal::new(RefusalCode::ItemExists).with("item", op));
    }
    if view.exports.len() >= EXPORTS_MAX {
        return Err(Refusal::new(RefusalCode::TooManyItems).with("max", EXPORTS_MAX));
    }
    if !record.on.is_valid() {
        return Err(Refusal::new(RefusalCode::DateInvalid));
    }
    if record.reason.is_empty() { Ok(()) } else { check_line(&record.reason, REASON_SCALARS_MAX) }
}

/// A signature that lies beside the file that it is of: JSON, its fields in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetachedSignature {
    /// On which device: its key, in hexadecimal.
    pub device: String,
    /// The hash of the file: [`cosign::frozen`](crate::cosign::frozen) of its bytes.
    pub file: String,
    /// In which language it is.
    pub language: String,
    /// The date that the person gave.
    pub on: CivilDate,
    /// Who, by tag.
    pub person: String,
    /// Ed25519 over [`Cosignature::message`], in hexadecimal.
    pub signature: String,
}

impl From<&Cosignature> for DetachedSignature {
    fn from(it: &Cosignature) -> Self {
        Self {
            device: it.device.to_string(),
            file: it.frozen.to_string(),
            language: it.language.clone(),
            on: it.on,
            person: it.person.to_string(),
            signature: hexadecimal(&it.signature),
        }
    }
}

impl DetachedSignature {
    /// Reads a file; `None` if it is no signature.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > SIGNATURE_BYTES_MAX { None } else { serde_json::from_slice(bytes).ok() }
    }

    /// The file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        crate::cosign::canonical(self)
    }

    /// The signature, if it says that it is of these bytes.
    #[must_use]
    pub fn of(&self, file: &[u8]) -> Option<Cosignature> {
        let name: FrozenHash = self.file.parse().ok()?;
        (name == frozen(file)).then_some(())?;
        Some(Cosignature {
            frozen: name,
            person: self.person.parse().ok()?,
            device: self.device.parse().ok()?,
            language: self.language.clone(),
            on: self.on,
            signature: bytes64(&self.signature)?,
        })
    }
}
