//! Which PINs may be chosen. A typed one is only compared, whatever the rules were when it was chosen.

use zeroize::Zeroizing;

use crate::passphrase::PASSPHRASE_BYTES_MAX;

/// Digits of a PIN that is digits alone, at the least.
pub const PIN_DIGITS_MIN: usize = 4;
/// Characters of one that is not digits alone, at the least.
pub const PIN_CHARACTERS_MIN: usize = 8;

/// Why a PIN may not be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinChoiceError {
    /// Fewer than four digits, or fewer than eight characters that are not all digits.
    #[error("a PIN has {PIN_DIGITS_MIN} digits or more, or {PIN_CHARACTERS_MIN} characters or more")]
    Short,
    /// Over the limit of a passphrase.
    #[error("a PIN has at most {PASSPHRASE_BYTES_MAX} bytes")]
    Long,
    /// Among the first that somebody tries who has five tries.
    #[error("this PIN is among the first that others try")]
    Guessable,
}

/// Lines and corners of the keys of a telephone, and what surveys of leaked PINs find most often beside the patterns
/// that [`check_new_pin`] knows.
const COMMON_DIGITS: [&str; 22] = [
    "2580", "0852", "1470", "0741", "3690", "0963", "1397", "7139", "1379", "9731", "2684", "5683", "147258", "258369",
    "147369", "159357", "159753", "123654", "112233", "332211", "520131", "102030",
];
const COMMON_WORDS: [&str; 8] =
    ["password", "passwort", "iloveyou", "qwertyui", "qwertyuiop", "qwertzui", "azertyui", "alliance"];
/// Years that four digits are taken for: of somebody's birth, or of this century's first decades.
const YEARS: core::ops::RangeInclusive<u32> = 1900..=2039;

/// What each script counts with: the characters of its ten digits follow on the first.
const ZEROS: [u32; 21] = [
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0, 0xF20,
    0x1040, 0x1090, 0x17E0, 0x1810, 0xFF10,
];

/// `Err` unless this may be chosen as a PIN: digits, four or more, or any eight characters or more, and not among the
/// few that everybody tries first.
///
/// # Errors
/// [`PinChoiceError`].
pub fn check_new_pin(pin: &str) -> Result<(), PinChoiceError> {
    if pin.len() > PASSPHRASE_BYTES_MAX {
        return Err(PinChoiceError::Long);
    }
    let pin = folded(pin);
    let is_digits = pin.bytes().all(|byte| byte.is_ascii_digit());
    if pin.chars().count() < if is_digits { PIN_DIGITS_MIN } else { PIN_CHARACTERS_MIN } {
        return Err(PinChoiceError::Short);
    }
    let lower = Zeroizing::new(pin.to_lowercase());
    let common = COMMON_DIGITS.iter().chain(&COMMON_WORDS).any(|known| *known == lower.as_str());
    let year = pin.len() == 4 && pin.parse::<u32>().is_ok_and(|year| YEARS.contains(&year));
    if common || year || is_pattern(&lower) { Err(PinChoiceError::Guessable) } else { Ok(()) }
}

/// Two different characters or fewer, one piece again and again, or a run up or down.
fn is_pattern(text: &str) -> bool {
    let characters = Zeroizing::new(text.chars().map(u32::from).collect::<Vec<u32>>());
    let (first, len) = (characters.first(), characters.len());
    let other = characters.iter().find(|character| Some(*character) != first);
    if characters.iter().all(|character| Some(character) == first || Some(character) == other) {
        return true;
    }
    let repeats = |piece: usize| len % piece == 0 && characters.chunks(piece).all(|part| *part == characters[..piece]);
    let steps = |step: u32| {
        // Behind the 9 comes the 0, as on the keys.
        let next = |from: u32| if from < 0x3A { 0x30 + (from - 0x30 + step) % 10 } else { from + step };
        characters.windows(2).all(|pair| pair[0] >= 0x30 && next(pair[0]) == pair[1])
    };
    let down = characters.windows(2).all(|pair| pair[0] == pair[1] + 1);
    (1..=len / 2).any(repeats) || steps(1) || steps(9) || down
}

/// The PIN with the digits of every script written as those of ASCII: who chose it on one keyboard types it on another.
pub(super) fn folded(pin: &str) -> Zeroizing<String> {
    let digit = |character: char| {
        let code = u32::from(character);
        let value = ZEROS.iter().find_map(|zero| code.checked_sub(*zero).filter(|value| *value < 10))?;
        char::from_digit(value, 10)
    };
    // With room for all of it from the beginning: a text that grows leaves its beginning behind.
    let mut folded = Zeroizing::new(String::with_capacity(pin.len()));
    folded.extend(pin.chars().map(|character| digit(character).unwrap_or(character)));
    folded
}
