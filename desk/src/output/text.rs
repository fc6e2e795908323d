//! Text for terminals: cleaned, wrapped, shortened, counted.

use alliance_model::CivilDate;

/// The text without what steers terminals: control characters and bidirectional controls become a visible mark.
/// Line breaks and tabs stay (a tab as a space).
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => '\n',
            '\t' => ' ',
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => '\u{FFFD}',
            c if c.is_control() => '\u{FFFD}',
            c => c,
        })
        .collect()
}

/// The same, on one line.
pub(crate) fn line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

/// Characters of a text, which stand for columns here. A wide script takes more: lines then end further right.
pub(crate) fn width(text: &str) -> usize {
    text.chars().count()
}

/// At most `columns` characters, the last one an ellipsis where something is missing.
pub(crate) fn shorten(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let kept: String = text.chars().take(columns.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Lines of at most `columns` characters, broken at spaces; a longer word is broken where the line ends. Spaces at
/// breaks are dropped, spaces at the beginning are kept.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split_inclusive(' ') {
            let bare = word.trim_end_matches(' ');
            if width(&line) + width(bare) > columns && !line.trim().is_empty() {
                lines.push(line.trim_end().to_owned());
                line.clear();
            }
            let mut rest: &str = word;
            while width(rest.trim_end_matches(' ')) > columns {
                let cut = rest.char_indices().nth(columns).map_or(rest.len(), |(at, _)| at);
                lines.push(rest[..cut].to_owned());
                rest = &rest[cut..];
            }
            line.push_str(rest);
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// A paragraph wrapped at `columns`, each line behind `indent`.
pub(crate) fn paragraph(text: &str, indent: &str, columns: usize) -> String {
    let lines = wrap(text, columns.saturating_sub(width(indent)));
    lines.iter().map(|line| format!("{}\n", format!("{indent}{line}").trim_end())).collect()
}

/// `1 note`, `2 notes`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The first eight digits of an id.
pub(crate) fn short(id: &impl ToString) -> String {
    id.to_string().chars().take(8).collect()
}

/// A moment of a device's clock, as a civil date and time in UTC; it is shown, never reckoned with.
pub(crate) fn moment(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Civil date from days since 1970-01-01, in eras of 400 years that begin in March.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let narrow = |number: u64| u8::try_from(number).ok();
    let date = u16::try_from(year).ok().zip(narrow(month)).zip(narrow(day));
    let date = date.and_then(|((year, month), day)| CivilDate::new(year, month, day).ok());
    date.map_or_else(|| "unknown".to_owned(), |date| format!("{date} {:02}:{:02} UTC", rest / 3600, rest % 3600 / 60))
}

const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const RESET: &str = "\u{1b}[0m";
const HUES: &[&str] = &["\u{1b}[36m", "\u{1b}[33m", "\u{1b}[35m", "\u{1b}[32m", "\u{1b}[34m", "\u{1b}[31m"];

/// A heading.
pub(crate) fn bold(text: &str, color: bool) -> String {
    if color { format!("{BOLD}{text}{RESET}") } else { text.to_owned() }
}

/// Something beside the point.
pub(crate) fn dim(text: &str, color: bool) -> String {
    if color { format!("{DIM}{text}{RESET}") } else { text.to_owned() }
}

/// An author's colour.
pub(crate) fn hue(text: &str, author: usize, color: bool) -> String {
    if color { format!("{}{text}{RESET}", HUES[author % HUES.len()]) } else { text.to_owned() }
}
