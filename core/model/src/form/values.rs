//! Fields of a form and their stored form, which is also what a person types.

use alliance_wire::{DocumentId, PersonTag};

use crate::date::CivilDate;
use crate::limits::TERM_SCALARS_MAX;
use crate::refusal::{Refusal, RefusalCode};
use crate::text::check_line;

/// A field of a form or item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub sort: Sort,
    /// What happens to values that were written apart.
    pub keeps: Keeps,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A line of text.
    Line,
    /// A civil date.
    Date,
    /// A whole number in this range.
    Number(u16, u16),
    /// One of these, the most protective first.
    Word(&'static [&'static str]),
    /// A member of the space, by tag.
    Person,
    /// A document of the space.
    Document,
}

/// What happens to values of a field that were written apart (DOMAIN 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// The document engine's own winner is shown (R).
    Newest,
    /// All are, the safer first, and somebody chooses (M).
    All,
}

impl Sort {
    /// Accepts or refuses a value in its stored form.
    ///
    /// # Errors
    /// `TEXT_EMPTY`, `TEXT_TOO_LONG`, `TEXT_INVALID`, `DATE_INVALID`, `NUMBER_INVALID`, `UNKNOWN_WORD`.
    pub fn check(self, value: &str) -> Result<(), Refusal> {
        match self {
            Self::Line => check_line(value, TERM_SCALARS_MAX),
            Self::Date => {
                let date = value.parse::<CivilDate>().ok().filter(|date| date.is_valid());
                date.map(|_| ()).ok_or_else(|| Refusal::new(RefusalCode::DateInvalid))
            }
            Self::Number(from, to) => {
                let number = canonical_number(value).filter(|number| (from..=to).contains(number));
                let refused = || Refusal::new(RefusalCode::NumberInvalid).with("from", from).with("to", to);
                number.map(|_| ()).ok_or_else(refused)
            }
            Self::Word(words) if words.contains(&value) => Ok(()),
            Self::Word(words) => Err(Refusal::new(RefusalCode::UnknownWord).with("words", words.join(", "))),
            Self::Person if value.parse::<PersonTag>().is_ok() => Ok(()),
            Self::Document if value.parse::<DocumentId>().is_ok() => Ok(()),
            Self::Person => Err(Refusal::new(RefusalCode::UnknownWord).with("words", "person")),
            Self::Document => Err(Refusal::new(RefusalCode::UnknownWord).with("words", "document")),
        }
    }

    /// Orders values that were written apart, the safer first: the earlier date, the smaller number, the word that
    /// protects more; what cannot be read stands last.
    #[must_use]
    pub fn order(self, value: &str) -> (usize, String) {
        let rank = match self {
            Self::Word(words) => words.iter().position(|word| *word == value).unwrap_or(words.len()),
            Self::Number(..) => canonical_number(value).map_or(usize::MAX, usize::from),
            Self::Line | Self::Date | Self::Person | Self::Document => usize::from(self.check(value).is_err()),
        };
        (rank, value.to_owned())
    }
}

/// A number as it is stored: no sign, no zeros in front.
fn canonical_number(value: &str) -> Option<u16> {
    value.parse::<u16>().ok().filter(|number| number.to_string() == value)
}
