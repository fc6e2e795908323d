//! A code in half blocks: two rows of modules in one line of text.
//!
//! A block is *light*. Where colours are allowed the lines say white on black themselves and read the same on every
//! background; without colours they are right on a dark background, and most readers take them inverted, too.

use super::Matrix;

/// White blocks on black, whatever the terminal's own colours are: numbers of the fixed part of the 256 colours.
const WHITE_ON_BLACK: &str = "\u{1b}[38;5;231;48;5;16m";
const RESET: &str = "\u{1b}[0m";

/// The lines, without colours.
pub(crate) fn lines(matrix: &Matrix) -> Vec<String> {
    let side = matrix.side();
    let line = |y: usize| {
        let half = |x: usize| match (matrix.dark(x, y), matrix.dark(x, y + 1)) {
            (false, false) => '█',
            (false, true) => '▀',
            (true, false) => '▄',
            (true, true) => ' ',
        };
        (0..side).map(half).collect()
    };
    (0..side).step_by(2).map(line).collect()
}

/// The lines as one text, with colours or without.
pub(crate) fn colored(lines: &[String], color: bool) -> String {
    let (before, after) = if color { (WHITE_ON_BLACK, RESET) } else { ("", "") };
    lines.iter().map(|line| format!("{before}{line}{after}\n")).collect()
}
