//! Fields of a session and of what is on its agenda, with their stored form, which is also what a person types.

use core::fmt;
use core::str::FromStr;

use alliance_wire::ids::PersonTag;

use crate::date::CivilDate;
use crate::limits::{PRIORITY_MAX, TERM_SCALARS_MAX};
use crate::meeting::MeetingKind;
use crate::policy::AgendaOrigin;
use crate::refusal::{Refusal, RefusalCode};
use crate::text::check_line;
use crate::vocabulary::vocabulary;

/// Minutes of a day: the longest session, and what something on the agenda may take.
const MINUTES_MAX: u16 = 1440;

vocabulary! {
    /// The fields of a session.
    SessionField {
        /// The kind of meeting; fixed once chosen.
        Kind = 0 "kind",
        /// The date for which it is planned.
        Date = 1 "date",
        /// The time of day for which it is planned.
        Time = 2 "time",
        /// The time zone of all times.
        Zone = 3 "zone",
        /// The planned length in minutes.
        Minutes = 4 "minutes",
        /// How they meet: face to face, by phone.
        Format = 5 "format",
        /// Where.
        Place = 6 "place",
        /// When it began.
        Start = 7 "start",
        /// When it ended.
        End = 8 "end",
        /// Who chose the focus (DOMAIN A52).
        FocusChosenBy = 9 "focus_chosen_by",
        /// What came of it.
        Outcome = 10 "outcome",
    }
}

vocabulary! {
    /// The fields of something on the agenda.
    AgendaField {
        /// What sort of question it is (DOMAIN C12).
        Focus = 0 "focus",
        /// Whether it looks ahead or answers something that happened (DOMAIN B08).
        Mode = 1 "mode",
        /// How many minutes it wants.
        Minutes = 2 "minutes",
        /// How urgent it is, 1 before 2.
        Priority = 3 "priority",
        /// Where it comes from, of something that whoever does not own the agenda brought; fixed (DOMAIN D1).
        Origin = 4 "origin",
    }
}

vocabulary! {
    /// Sorts of questions (DOMAIN C12).
    FocusType {
        /// About a client.
        Client = 0 "client",
        /// An ethical concern.
        Ethical = 1 "ethical",
        /// Stress.
        Stress = 2 "stress",
        /// A colleague.
        Colleague = 3 "colleague",
        /// Workload.
        Workload = 4 "workload",
        /// Learning.
        Learning = 5 "learning",
        /// Another.
        Other = 6 "other",
    }
}

vocabulary! {
    /// Whether something looks ahead or answers something that happened.
    AgendaMode {
        /// Looks ahead.
        Proactive = 0 "proactive",
        /// Answers something that happened.
        Reactive = 1 "reactive",
    }
}

/// A time of day, without a zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
pub struct CivilTime {
    #[n(0)]
    hour: u8,
    #[n(1)]
    minute: u8,
}

/// A date and a time of day, as people write it down.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
pub struct CivilMoment {
    #[n(0)]
    date: CivilDate,
    #[n(1)]
    time: CivilTime,
}

/// No time of day, or no date with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a time such as 14:30, or a date and a time such as 2026-11-30 14:30")]
pub struct TimeError;

impl CivilTime {
    /// Whether a day has this time: a decoded one may not.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.hour < 24 && self.minute < 60
    }

    /// Minutes since midnight.
    #[must_use]
    pub const fn minutes(self) -> u16 {
        self.hour as u16 * 60 + self.minute as u16
    }
}

impl FromStr for CivilTime {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let (hour, minute) = text.split_once(':').ok_or(TimeError)?;
        let number = |part: &str| {
            let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            if digits { part.parse::<u8>().map_err(|_| TimeError) } else { Err(TimeError) }
        };
        let time = Self { hour: number(hour)?, minute: number(minute)? };
        if time.is_valid() { Ok(time) } else { Err(TimeError) }
    }
}

impl fmt::Display for CivilTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl fmt::Debug for CivilTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CivilTime({self})")
    }
}

impl CivilMoment {
    /// Its date.
    #[must_use]
    pub const fn date(self) -> CivilDate {
        self.date
    }

    /// Its time of day.
    #[must_use]
    pub const fn time(self) -> CivilTime {
        self.time
    }
}

impl FromStr for CivilMoment {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let (date, time) = text.split_once(' ').ok_or(TimeError)?;
        Ok(Self { date: date.parse().map_err(|_| TimeError)?, time: time.parse()? })
    }
}

impl fmt::Display for CivilMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.date, self.time)
    }
}

impl fmt::Debug for CivilMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CivilMoment({self})")
    }
}

/// A field of a session with its value.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum SessionValue {
    /// The kind of meeting.
    #[n(0)]
    Kind(#[n(0)] MeetingKind),
    /// A civil date.
    #[n(1)]
    Date(#[n(0)] CivilDate),
    /// A time of day.
    #[n(2)]
    Time(#[n(0)] CivilTime),
    /// The name of a zone, such as `Africa/Nairobi`.
    #[n(3)]
    Zone(#[n(0)] String),
    /// Minutes, 1 to 1440.
    #[n(4)]
    Minutes(#[n(0)] u16),
    /// Free text.
    #[n(5)]
    Format(#[n(0)] String),
    /// Free text.
    #[n(6)]
    Place(#[n(0)] String),
    /// A date and a time.
    #[n(7)]
    Start(#[n(0)] CivilMoment),
    /// A date and a time.
    #[n(8)]
    End(#[n(0)] CivilMoment),
    /// A person of the space.
    #[n(9)]
    FocusChosenBy(#[n(0)] PersonTag),
    /// Free text.
    #[n(10)]
    Outcome(#[n(0)] String),
}

impl SessionValue {
    /// Which field it is.
    #[must_use]
    pub const fn field(&self) -> SessionField {
        match self {
            Self::Kind(_) => SessionField::Kind,
            Self::Date(_) => SessionField::Date,
            Self::Time(_) => SessionField::Time,
            Self::Zone(_) => SessionField::Zone,
            Self::Minutes(_) => SessionField::Minutes,
            Self::Format(_) => SessionField::Format,
            Self::Place(_) => SessionField::Place,
            Self::Start(_) => SessionField::Start,
            Self::End(_) => SessionField::End,
            Self::FocusChosenBy(_) => SessionField::FocusChosenBy,
            Self::Outcome(_) => SessionField::Outcome,
        }
    }

    /// The stored form.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Kind(kind) => kind.name().to_owned(),
            Self::Date(date) => date.to_string(),
            Self::Time(time) => time.to_string(),
            Self::Minutes(number) => number.to_string(),
            Self::Zone(text) | Self::Format(text) | Self::Place(text) | Self::Outcome(text) => text.clone(),
            Self::Start(moment) | Self::End(moment) => moment.to_string(),
            Self::FocusChosenBy(person) => person.to_string(),
        }
    }

    /// The field with this stored value; `None` for one that this version cannot read.
    #[must_use]
    pub fn from_text(field: SessionField, text: &str) -> Option<Self> {
        let line = || text.to_owned();
        match field {
            SessionField::Kind => MeetingKind::from_name(text).map(Self::Kind),
            SessionField::Date => text.parse().ok().map(Self::Date),
            SessionField::Time => text.parse().ok().map(Self::Time),
            SessionField::Zone => Some(Self::Zone(line())),
            SessionField::Minutes => text.parse().ok().map(Self::Minutes),
            SessionField::Format => Some(Self::Format(line())),
            SessionField::Place => Some(Self::Place(line())),
            SessionField::Start => text.parse().ok().map(Self::Start),
            SessionField::End => text.parse().ok().map(Self::End),
            SessionField::FocusChosenBy => text.parse().ok().map(Self::FocusChosenBy),
            SessionField::Outcome => Some(Self::Outcome(line())),
        }
    }

    /// Orders values of one field, the safer first: the earlier time, the shorter session; where neither is safer, the
    /// stored form decides so that every replica calculates with the same one.
    #[must_use]
    pub fn safety_key(&self) -> (u16, String) {
        (if let Self::Minutes(number) = self { *number } else { 0 }, self.to_text())
    }

    /// Orders values that were written apart: the safer stands first, and what cannot be read last.
    #[must_use]
    pub fn order(field: SessionField, text: &str) -> (bool, (u16, String)) {
        match Self::from_text(field, text) {
            Some(value) => (false, value.safety_key()),
            None => (true, (0, text.to_owned())),
        }
    }

    /// Whether the value is in range.
    ///
    /// # Errors
    /// `NUMBER_INVALID`, `DATE_INVALID`, `TIME_INVALID`, `TEXT_EMPTY`, `TEXT_TOO_LONG`, `TEXT_INVALID`.
    pub fn check(&self) -> Result<(), Refusal> {
        let moment = |moment: &CivilMoment| date(moment.date).and_then(|()| time(moment.time));
        match self {
            Self::Kind(_) | Self::FocusChosenBy(_) => Ok(()),
            Self::Date(chosen) => date(*chosen),
            Self::Time(chosen) => time(*chosen),
            Self::Start(chosen) | Self::End(chosen) => moment(chosen),
            Self::Minutes(number) => range(*number, MINUTES_MAX),
            Self::Zone(text) | Self::Format(text) | Self::Place(text) | Self::Outcome(text) => {
                check_line(text, TERM_SCALARS_MAX)
            }
        }
    }
}

/// A field of something on the agenda with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum AgendaValue {
    /// What sort of question it is.
    #[n(0)]
    Focus(#[n(0)] FocusType),
    /// Whether it looks ahead.
    #[n(1)]
    Mode(#[n(0)] AgendaMode),
    /// Minutes, 1 to 1440.
    #[n(2)]
    Minutes(#[n(0)] u16),
    /// 1 to 9, 1 before 2.
    #[n(3)]
    Priority(#[n(0)] u16),
    /// Where it comes from.
    #[n(4)]
    Origin(#[n(0)] AgendaOrigin),
}

impl AgendaValue {
    /// Which field it is.
    #[must_use]
    pub const fn field(self) -> AgendaField {
        match self {
            Self::Focus(_) => AgendaField::Focus,
            Self::Mode(_) => AgendaField::Mode,
            Self::Minutes(_) => AgendaField::Minutes,
            Self::Priority(_) => AgendaField::Priority,
            Self::Origin(_) => AgendaField::Origin,
        }
    }

    /// The stored form.
    #[must_use]
    pub fn to_text(self) -> String {
        match self {
            Self::Focus(focus) => focus.name().to_owned(),
            Self::Mode(mode) => mode.name().to_owned(),
            Self::Minutes(number) | Self::Priority(number) => number.to_string(),
            Self::Origin(origin) => origin.name().to_owned(),
        }
    }

    /// The field with this stored value; `None` for one that this version cannot read.
    #[must_use]
    pub fn from_text(field: AgendaField, text: &str) -> Option<Self> {
        match field {
            AgendaField::Focus => FocusType::from_name(text).map(Self::Focus),
            AgendaField::Mode => AgendaMode::from_name(text).map(Self::Mode),
            AgendaField::Minutes => text.parse().ok().map(Self::Minutes),
            AgendaField::Priority => text.parse().ok().map(Self::Priority),
            AgendaField::Origin => AgendaOrigin::from_name(text).map(Self::Origin),
        }
    }

    /// Whether the value is in range, and may be set.
    ///
    /// # Errors
    /// `NUMBER_INVALID`; `KIND_FIXED` (where something comes from is said when it is brought).
    pub fn check(self) -> Result<(), Refusal> {
        match self {
            Self::Focus(_) | Self::Mode(_) => Ok(()),
            Self::Minutes(number) => range(number, MINUTES_MAX),
            Self::Priority(number) => range(number, PRIORITY_MAX),
            Self::Origin(_) => Err(Refusal::new(RefusalCode::KindFixed).with("field", AgendaField::Origin)),
        }
    }
}

fn range(number: u16, max: u16) -> Result<(), Refusal> {
    let inside = (1..=max).contains(&number);
    if inside { Ok(()) } else { Err(Refusal::new(RefusalCode::NumberInvalid).with("from", 1).with("to", max)) }
}

fn date(date: CivilDate) -> Result<(), Refusal> {
    if date.is_valid() { Ok(()) } else { Err(Refusal::new(RefusalCode::DateInvalid)) }
}

fn time(time: CivilTime) -> Result<(), Refusal> {
    if time.is_valid() { Ok(()) } else { Err(Refusal::new(RefusalCode::TimeInvalid)) }
}
