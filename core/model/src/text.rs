//! Text as commands edit it and as views show it. Positions are Unicode scalar values everywhere in the core; a
//! facade over a language with UTF-16 strings converts.

use serde::{Deserialize, Serialize};

use crate::limits::{INSERT_BYTES_MAX, TEXT_SCALARS_MAX};
use crate::refusal::{Refusal, RefusalCode};

/// Replaces `delete` scalar values at `pos` by `insert`.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Splice {
    /// Where, in Unicode scalar values from the start.
    #[n(0)]
    pub pos: u32,
    /// How many scalar values go.
    #[n(1)]
    pub delete: u32,
    /// What comes in their place.
    #[n(2)]
    pub insert: String,
}

impl Splice {
    /// An insertion.
    #[must_use]
    pub fn insert(pos: u32, text: impl Into<String>) -> Self {
        Self { pos, delete: 0, insert: text.into() }
    }

    /// Whether the splice fits the text of `scalars` scalar values.
    ///
    /// # Errors
    /// `TEXT_EMPTY` if it does nothing, `POSITION_OUT_OF_RANGE`, `TEXT_TOO_LONG` (the insertion above
    /// [`INSERT_BYTES_MAX`] or the result above [`TEXT_SCALARS_MAX`]), `TEXT_INVALID` (control characters).
    pub fn check(&self, scalars: usize) -> Result<(), Refusal> {
        if self.delete == 0 && self.insert.is_empty() {
            return Err(Refusal::new(RefusalCode::TextEmpty));
        }
        let end = u64::from(self.pos) + u64::from(self.delete);
        if end > scalars as u64 {
            return Err(Refusal::new(RefusalCode::PositionOutOfRange).with("length", scalars).with("position", end));
        }
        if self.insert.len() > INSERT_BYTES_MAX {
            return Err(Refusal::new(RefusalCode::TextTooLong).with("bytes", INSERT_BYTES_MAX));
        }
        if self.insert.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            return Err(Refusal::new(RefusalCode::TextInvalid));
        }
        let after = (scalars as u64).saturating_sub(u64::from(self.delete)) + self.insert.chars().count() as u64;
        if after > TEXT_SCALARS_MAX as u64 {
            return Err(Refusal::new(RefusalCode::TextTooLong).with("characters", TEXT_SCALARS_MAX));
        }
        Ok(())
    }
}

/// A stretch of text by one author.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Where it starts, in Unicode scalar values.
    pub start: usize,
    /// Its length in Unicode scalar values.
    pub len: usize,
    /// Index into the view's `authors`.
    pub author: usize,
}

/// A text with the author of each stretch of it (DOMAIN 2.3: author spans are kept).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextView {
    /// The text.
    pub text: String,
    /// Who wrote which part, in order, without gaps.
    pub spans: Vec<Span>,
}

impl TextView {
    /// Length in Unicode scalar values.
    #[must_use]
    pub fn scalars(&self) -> usize {
        self.text.chars().count()
    }
}

/// Whether a one-line field may hold this text.
///
/// # Errors
/// `TEXT_EMPTY`, `TEXT_TOO_LONG` above `scalars_max`, `TEXT_INVALID` for control characters.
pub(crate) fn check_line(text: &str, scalars_max: usize) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new(RefusalCode::TextEmpty));
    }
    if text.chars().count() > scalars_max {
        return Err(Refusal::new(RefusalCode::TextTooLong).with("characters", scalars_max));
    }
    if text.chars().any(char::is_control) {
        return Err(Refusal::new(RefusalCode::TextInvalid));
    }
    Ok(())
}
