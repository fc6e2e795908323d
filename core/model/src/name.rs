//! The rule for display names (PROTOCOL section 6): at most 64 graphemes, NFC, nothing that turns text round or hides.

use alliance_wire::limits::NAME_GRAPHEMES_MAX;
use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::refusal::{Refusal, RefusalCode};

/// UTF-8 bytes of a display name: a grapheme may hold any number of combining marks, so bytes are bounded too.
pub const NAME_BYTES_MAX: usize = 1024;

/// The name in the form in which it is kept: trimmed and in Unicode normalization form C.
///
/// # Errors
/// `NAME_INVALID` with the reason: empty, too long, or with control or bidirectional control characters.
pub fn display_name(text: &str) -> Result<String, Refusal> {
    let refuse = |reason: &str| Err(Refusal::new(RefusalCode::NameInvalid).with("reason", reason));
    if text.len() > NAME_BYTES_MAX {
        return refuse("too long");
    }
    let name: String = text.trim().nfc().collect();
    if name.is_empty() {
        return refuse("empty");
    }
    if name.chars().any(is_forbidden) {
        return refuse("control characters");
    }
    if name.len() > NAME_BYTES_MAX || name.graphemes(true).count() > NAME_GRAPHEMES_MAX {
        return refuse("too long");
    }
    Ok(name)
}

/// Control characters, line and paragraph separators, the bidirectional controls of UAX #9, and characters that
/// show nothing: a name must look the same to everybody who compares it. The joiners stay, scripts need them.
fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
            | '\u{E0000}'..='\u{E007F}')
}
