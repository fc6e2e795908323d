//! Typed terms: registers that keep every value written apart, with a rule for the safer one (DOMAIN 2.2, 2.3 M).

use crate::date::CivilDate;
use crate::limits::TERM_SCALARS_MAX;
use crate::refusal::{Refusal, RefusalCode};
use crate::scheme::SCHEMES;
use crate::text::check_line;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// The typed terms of an agreement.
    TermName {
        /// How often they meet.
        Cadence = 0 "cadence",
        /// Planned length in minutes.
        DurationMin = 1 "duration_min",
        /// How they meet: face to face, by phone.
        Format = 2 "format",
        /// Where.
        Venue = 3 "venue",
        /// What each prepares.
        Preparation = 4 "preparation",
        /// When the agreement is reviewed.
        ReviewDue = 5 "review_due",
        /// The vocabulary of functions.
        FunctionScheme = 6 "function_scheme",
        /// The framework of interventions.
        Framework = 7 "framework",
        /// How long notes are kept, in months.
        RetentionMonths = 8 "retention_months",
        /// When it ends.
        EndsOn = 9 "ends_on",
    }
}

vocabulary! {
    /// The unit of a cadence.
    CadenceUnit {
        /// Days.
        Day = 0 "day",
        /// Weeks.
        Week = 1 "week",
        /// Months.
        Month = 2 "month",
    }
}

impl CadenceUnit {
    /// When the next session is due after one of this date, with so many units between them.
    #[must_use]
    pub fn next(self, date: CivilDate, every: u16) -> Option<CivilDate> {
        match self {
            Self::Day => date.after_days(u32::from(every)),
            Self::Week => date.after_days(u32::from(every) * 7),
            Self::Month => date.after_months(every),
        }
    }

    /// Length in days, for comparing cadences only.
    const fn days(self) -> u32 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
        }
    }
}

/// A typed term with its value.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum Term {
    /// Every `every` units.
    #[n(0)]
    Cadence {
        /// 1 to 365.
        #[n(0)]
        every: u16,
        /// The unit.
        #[n(1)]
        unit: CadenceUnit,
    },
    /// Minutes, 1 to 1440.
    #[n(1)]
    DurationMin(#[n(0)] u16),
    /// Free text.
    #[n(2)]
    Format(#[n(0)] String),
    /// Free text.
    #[n(3)]
    Venue(#[n(0)] String),
    /// Free text.
    #[n(4)]
    Preparation(#[n(0)] String),
    /// A civil date.
    #[n(5)]
    ReviewDue(#[n(0)] CivilDate),
    /// The name of a scheme.
    #[n(6)]
    FunctionScheme(#[n(0)] String),
    /// The name of a framework.
    #[n(7)]
    Framework(#[n(0)] String),
    /// Months, 1 to 1200.
    #[n(8)]
    RetentionMonths(#[n(0)] u16),
    /// A civil date.
    #[n(9)]
    EndsOn(#[n(0)] CivilDate),
}

impl Term {
    /// Which term it is.
    #[must_use]
    pub const fn name(&self) -> TermName {
        match self {
            Self::Cadence { .. } => TermName::Cadence,
            Self::DurationMin(_) => TermName::DurationMin,
            Self::Format(_) => TermName::Format,
            Self::Venue(_) => TermName::Venue,
            Self::Preparation(_) => TermName::Preparation,
            Self::ReviewDue(_) => TermName::ReviewDue,
            Self::FunctionScheme(_) => TermName::FunctionScheme,
            Self::Framework(_) => TermName::Framework,
            Self::RetentionMonths(_) => TermName::RetentionMonths,
            Self::EndsOn(_) => TermName::EndsOn,
        }
    }

    /// The stored form, which is also what a person types.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Cadence { every, unit } => format!("{every} {unit}"),
            Self::DurationMin(number) | Self::RetentionMonths(number) => number.to_string(),
            Self::Format(text)
            | Self::Venue(text)
            | Self::Preparation(text)
            | Self::FunctionScheme(text)
            | Self::Framework(text) => text.clone(),
            Self::ReviewDue(date) | Self::EndsOn(date) => date.to_string(),
        }
    }

    /// The term with this stored value; `None` for one that this version cannot read.
    #[must_use]
    pub fn from_text(name: TermName, text: &str) -> Option<Self> {
        let number = || text.parse::<u16>().ok();
        let date = || text.parse::<CivilDate>().ok();
        let line = || Some(text.to_owned());
        match name {
            TermName::Cadence => {
                let (every, unit) = text.split_once(' ')?;
                Some(Self::Cadence { every: every.parse().ok()?, unit: CadenceUnit::from_name(unit)? })
            }
            TermName::DurationMin => number().map(Self::DurationMin),
            TermName::Format => line().map(Self::Format),
            TermName::Venue => line().map(Self::Venue),
            TermName::Preparation => line().map(Self::Preparation),
            TermName::ReviewDue => date().map(Self::ReviewDue),
            TermName::FunctionScheme => line().map(Self::FunctionScheme),
            TermName::Framework => line().map(Self::Framework),
            TermName::RetentionMonths => number().map(Self::RetentionMonths),
            TermName::EndsOn => date().map(Self::EndsOn),
        }
    }

    /// Orders values of one term, the safer first: the earlier date, the shorter cadence and retention; where
    /// neither is safer, the stored form decides so that every replica calculates with the same one.
    #[must_use]
    pub fn safety_key(&self) -> (u32, String) {
        let rank = match self {
            Self::Cadence { every, unit } => u32::from(*every) * unit.days(),
            Self::DurationMin(number) | Self::RetentionMonths(number) => u32::from(*number),
            Self::Format(_)
            | Self::Venue(_)
            | Self::Preparation(_)
            | Self::ReviewDue(_)
            | Self::FunctionScheme(_)
            | Self::Framework(_)
            | Self::EndsOn(_) => 0,
        };
        (rank, self.to_text())
    }

    /// Whether the value is in range.
    ///
    /// # Errors
    /// `NUMBER_INVALID`, `DATE_INVALID`, `UNKNOWN_FUNCTION` (no such scheme), `TEXT_EMPTY`, `TEXT_TOO_LONG`, `TEXT_INVALID`.
    pub fn check(&self) -> Result<(), Refusal> {
        let range = |number: u16, max: u16| {
            if (1..=max).contains(&number) {
                Ok(())
            } else {
                Err(Refusal::new(RefusalCode::NumberInvalid).with("from", 1).with("to", max))
            }
        };
        match self {
            Self::Cadence { every, .. } => range(*every, 365),
            Self::DurationMin(number) => range(*number, 1440),
            Self::RetentionMonths(number) => range(*number, 1200),
            Self::Format(text) | Self::Venue(text) | Self::Preparation(text) | Self::Framework(text) => {
                check_line(text, TERM_SCALARS_MAX)
            }
            Self::ReviewDue(date) | Self::EndsOn(date) => {
                if date.is_valid() {
                    Ok(())
                } else {
                    Err(Refusal::new(RefusalCode::DateInvalid))
                }
            }
            Self::FunctionScheme(name) => {
                if SCHEMES.iter().any(|scheme| scheme.name == name) {
                    Ok(())
                } else {
                    Err(Refusal::new(RefusalCode::UnknownFunction))
                }
            }
        }
    }
}
