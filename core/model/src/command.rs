//! Commands as the draft's rows hold them: `[format, command]` in CBOR with integer keys.

use crate::agreement::AgreementCommand;
use crate::decision::DecisionCommand;
use crate::exports::ExportsCommand;
use crate::form::FormCommand;
use crate::kind::DocumentKind;
use crate::limits::COMMAND_BYTES_MAX;
use crate::note::NoteCommand;
use crate::preparation::PreparationCommand;
use crate::session::SessionCommand;

/// The number of the format that [`Command::encode`] writes. A migration seals drafts of an older format first
/// (PROTOCOL section 2, granularity).
pub const COMMAND_FORMAT: u16 = 1;

/// A command for a document of any type.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum Command {
    /// For a working agreement.
    #[n(1)]
    Agreement(#[n(0)] AgreementCommand),
    /// For a session note.
    #[n(2)]
    Note(#[n(0)] NoteCommand),
    /// For a session.
    #[n(3)]
    Session(#[n(0)] SessionCommand),
    /// For a preparation log.
    #[n(4)]
    Preparation(#[n(0)] PreparationCommand),
    /// For a decision.
    #[n(5)]
    Decision(#[n(0)] DecisionCommand),
    /// For the log of what was given out.
    #[n(6)]
    Exports(#[n(0)] ExportsCommand),
    /// For a form.
    #[n(7)]
    Form(#[n(0)] DocumentKind, #[n(1)] FormCommand),
}

/// Why bytes are not a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The bytes are damaged, or longer than a command may be.
    #[error("the stored command is damaged")]
    Damaged,
    /// Another version of the program wrote the command.
    #[error("the stored command has format {0}, this version reads format {COMMAND_FORMAT}")]
    OtherFormat(u16),
}

impl Command {
    /// The document type that the command is for.
    #[must_use]
    pub const fn kind(&self) -> DocumentKind {
        match self {
            Self::Agreement(_) => DocumentKind::Agreement,
            Self::Note(_) => DocumentKind::Note,
            Self::Session(_) => DocumentKind::Session,
            Self::Preparation(_) => DocumentKind::Preparation,
            Self::Decision(_) => DocumentKind::Decision,
            Self::Exports(_) => DocumentKind::Exports,
            Self::Form(kind, _) => *kind,
        }
    }

    /// The stored form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        minicbor::to_vec((COMMAND_FORMAT, self)).expect("writing to a Vec cannot fail")
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`CommandError`]; nothing is allocated beyond the input's own length.
    pub fn decode(bytes: &[u8]) -> Result<Self, CommandError> {
        if bytes.len() > COMMAND_BYTES_MAX {
            return Err(CommandError::Damaged);
        }
        let mut decoder = minicbor::Decoder::new(bytes);
        if decoder.array().map_err(|_| CommandError::Damaged)? != Some(2) {
            return Err(CommandError::Damaged);
        }
        let format = decoder.u16().map_err(|_| CommandError::Damaged)?;
        if format != COMMAND_FORMAT {
            return Err(CommandError::OtherFormat(format));
        }
        let command = decoder.decode().map_err(|_| CommandError::Damaged)?;
        if decoder.position() == bytes.len() { Ok(command) } else { Err(CommandError::Damaged) }
    }
}
