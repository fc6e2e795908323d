//! Civil dates: what people choose, never derived from a clock (DOMAIN 2.6 row 14).

use core::fmt;
use core::str::FromStr;

/// A date of the proleptic Gregorian calendar in the years 1900 to 2199, without a time zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
pub struct CivilDate {
    #[n(0)]
    year: u16,
    #[n(1)]
    month: u8,
    #[n(2)]
    day: u8,
}

/// Not a date of the calendar, or outside 1900 to 2199.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a date such as 2026-11-30 between the years 1900 and 2199")]
pub struct DateError;

impl CivilDate {
    /// The date of this year, month (1 to 12) and day.
    ///
    /// # Errors
    /// [`DateError`] if the calendar has no such day or the year is outside 1900 to 2199.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, DateError> {
        let date = Self { year, month, day };
        if date.is_valid() { Ok(date) } else { Err(DateError) }
    }

    /// Whether the calendar has this day: a decoded date may not.
    #[must_use]
    pub fn is_valid(self) -> bool {
        (1900..=2199).contains(&self.year) && self.day >= 1 && self.day <= days_in(self.year, self.month)
    }
}

impl CivilDate {
    /// Days since 1 March of the year 0 in the proleptic Gregorian calendar: the difference of two is a number of days.
    #[must_use]
    pub const fn day_number(self) -> u32 {
        // Years begin in March, so that a leap day is a year's last.
        let (year, month) = (self.year as u32, self.month as u32);
        let (year, month) = if month > 2 { (year, month - 3) } else { (year.saturating_sub(1), month + 9) };
        let leap_days = year / 4 - year / 100 + year / 400;
        year * 365 + leap_days + (153 * month + 2) / 5 + self.day as u32
    }

    /// So many days later; nothing beyond the calendar's years.
    #[must_use]
    pub fn after_days(self, days: u32) -> Option<Self> {
        let wanted = self.day_number().checked_add(days)?;
        // A year has at most 366 days, so this is the wanted year or the one before.
        let mut year = self.year.checked_add(u16::try_from(days / 366).ok()?)?;
        while (Self { year: year + 1, month: 1, day: 1 }).day_number() <= wanted {
            year += 1;
        }
        let mut month = 12;
        while month > 1 && (Self { year, month, day: 1 }).day_number() > wanted {
            month -= 1;
        }
        let day = wanted.checked_sub((Self { year, month, day: 1 }).day_number())? + 1;
        Self::new(year, month, u8::try_from(day).ok()?).ok()
    }

    /// So many months later, on the same day or the month's last one; nothing beyond the calendar's years.
    #[must_use]
    pub fn after_months(self, months: u16) -> Option<Self> {
        let months = u32::from(self.year) * 12 + u32::from(self.month) - 1 + u32::from(months);
        let (year, month) = (u16::try_from(months / 12).ok()?, u8::try_from(months % 12).ok()? + 1);
        Self::new(year, month, self.day.min(days_in(year, month))).ok()
    }
}

const fn days_in(year: u16, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Debug for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CivilDate({self})")
    }
}

impl FromStr for CivilDate {
    type Err = DateError;
    fn from_str(text: &str) -> Result<Self, DateError> {
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts.as_slice() else { return Err(DateError) };
        if (year.len(), month.len(), day.len()) != (4, 2, 2) || !text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
            return Err(DateError);
        }
        let number = |part: &str| part.parse::<u16>().map_err(|_| DateError);
        let small = |part: &str| number(part).and_then(|n| u8::try_from(n).map_err(|_| DateError));
        Self::new(number(year)?, small(month)?, small(day)?)
    }
}

impl serde::Serialize for CivilDate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for CivilDate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
