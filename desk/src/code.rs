//! An invitation's text as a QR code: for a terminal, as PNG and as SVG.
//!
//! The text goes in as capitals, in the code's alphanumeric mode: 5.5 bits a character instead of 8, and an invitation
//! reads the same in capitals. Correction level M (15 %) bears a fold or a stain on paper, and is raised where the same
//! size has room for more. An invitation of some 320 characters is version 11: 61 modules a side, 69 columns of a
//! terminal with the quiet zone, half as many lines. The longest that a relay's address allows is version 17, 93 columns.

mod png;
mod svg;
mod terminal;

use qrcodegen::{QrCode, QrCodeEcc, QrSegment};

pub(crate) use png::png;
pub(crate) use svg::svg;
pub(crate) use terminal::{colored, lines};

/// Modules of quiet zone on each side (ISO/IEC 18004).
const QUIET: usize = 4;

/// The modules of a code with its quiet zone: a square.
pub(crate) struct Matrix {
    code: QrCode,
}

impl Matrix {
    /// The code of a text; `None` if it is longer than a code can be, or has characters beyond the alphanumeric mode.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let capitals = text.to_ascii_uppercase();
        if !QrSegment::is_alphanumeric(&capitals) {
            return None;
        }
        let code = QrCode::encode_segments(&[QrSegment::make_alphanumeric(&capitals)], QrCodeEcc::Medium).ok()?;
        Some(Self { code })
    }

    /// Modules on one side.
    pub(crate) fn side(&self) -> usize {
        usize::try_from(self.code.size()).unwrap_or_default() + 2 * QUIET
    }

    /// Whether a module is dark; those of the quiet zone, and beyond it, are light.
    pub(crate) fn dark(&self, x: usize, y: usize) -> bool {
        let inside = |at: usize| at.checked_sub(QUIET).and_then(|at| i32::try_from(at).ok());
        inside(x).zip(inside(y)).is_some_and(|(x, y)| self.code.get_module(x, y))
    }
}
