//! Bytes as text that people copy, scan or type: a word that says what it is, then base32 with a version and a check.
//!
//! Base32 is RFC 4648 section 6 in lower case without padding; capitals are read too, since QR codes are denser in them.

use alliance_wire::hash::content_hash;

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Bytes of BLAKE3 over word, version and content: a slip of the hand is noticed, nothing is proven.
const CHECK_BYTES: usize = 4;
/// Characters that are read at most: far above every text of ours.
const TEXT_CHARS_MAX: usize = 2_048;

/// Why a text is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArmorError {
    /// It begins with another word.
    #[error("it does not begin with {expected:?}")]
    OtherKind {
        /// The word that was expected, with its colon.
        expected: &'static str,
    },
    /// It holds a character that such a text never holds.
    #[error("it holds {0:?}, which such a text never holds")]
    Character(char),
    /// Characters are missing, doubled or wrong.
    #[error("it is damaged: characters are missing or wrong")]
    Damaged,
    /// A newer version of the program wrote it.
    #[error("it is of version {0}, which this program does not know")]
    Newer(u8),
}

/// The text of `content`. `word` ends with a colon.
#[must_use]
pub fn write(word: &'static str, version: u8, content: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(1 + content.len() + CHECK_BYTES);
    bytes.push(version);
    bytes.extend_from_slice(content);
    let check = check(word, &bytes);
    bytes.extend_from_slice(&check);
    let mut text = String::from(word);
    encode(&bytes, &mut text);
    text
}

/// The content of a text; white space around it does not matter.
///
/// # Errors
/// [`ArmorError`].
pub fn read(word: &'static str, version: u8, text: &str) -> Result<Vec<u8>, ArmorError> {
    let text = text.trim();
    let (head, rest) = text.split_at_checked(word.len()).ok_or(ArmorError::OtherKind { expected: word })?;
    if !head.eq_ignore_ascii_case(word) {
        return Err(ArmorError::OtherKind { expected: word });
    }
    if rest.len() > TEXT_CHARS_MAX {
        return Err(ArmorError::Damaged);
    }
    let mut bytes = decode(rest)?;
    let end = bytes.len().checked_sub(CHECK_BYTES).filter(|end| *end > 0).ok_or(ArmorError::Damaged)?;
    if check(word, &bytes[..end]) != bytes[end..] {
        return Err(ArmorError::Damaged);
    }
    if bytes[0] != version {
        return Err(ArmorError::Newer(bytes[0]));
    }
    bytes.truncate(end);
    bytes.remove(0);
    Ok(bytes)
}

fn check(word: &str, bytes: &[u8]) -> [u8; CHECK_BYTES] {
    let mut whole = word.as_bytes().to_vec();
    whole.extend_from_slice(bytes);
    let mut out = [0; CHECK_BYTES];
    out.copy_from_slice(&content_hash(&whole)[..CHECK_BYTES]);
    out
}

fn encode(bytes: &[u8], out: &mut String) {
    let (mut buffer, mut bits) = (0u32, 0u32);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(digit(buffer >> bits));
        }
    }
    if bits > 0 {
        out.push(digit(buffer << (5 - bits)));
    }
}

fn digit(value: u32) -> char {
    char::from(ALPHABET[(value & 31) as usize])
}

/// The bytes of the digits. Bits that belong to no byte must be zero, so that every text has one form.
fn decode(text: &str) -> Result<Vec<u8>, ArmorError> {
    let mut out = Vec::with_capacity(text.len() * 5 / 8);
    let (mut buffer, mut bits) = (0u32, 0u32);
    for character in text.chars() {
        let value = match character.to_ascii_lowercase() {
            letter @ 'a'..='z' => u32::from(letter) - u32::from('a'),
            number @ '2'..='7' => u32::from(number) - u32::from('2') + 26,
            _ => return Err(ArmorError::Character(character)),
        };
        buffer = (buffer << 5) | value;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from((buffer >> bits) & 0xff).expect("eight bits fit a byte"));
        }
    }
    if bits >= 5 || buffer & ((1 << bits) - 1) != 0 {
        return Err(ArmorError::Damaged);
    }
    Ok(out)
}
