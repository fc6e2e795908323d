//! Taking a text apart: one pass, in the order of the text, each token with the bytes it stands on.

use core::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

use super::fold::{Class, class, fold};

/// Scalar values of one word; a longer one is several, one after the other.
const WORD_SCALARS_MAX: usize = 64;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word between spaces.
    Word,
    /// Two neighbours in a script without spaces.
    Pair,
    /// The last character of a run of such a script.
    Last,
    /// An emoji.
    Symbol,
}

/// A token of a text.
#[derive(Debug)]
pub(super) struct Token<'a> {
    /// Folded.
    pub(super) text: &'a str,
    pub(super) kind: Kind,
    /// The bytes of the text that it stands on, whole graphemes.
    pub(super) at: Range<usize>,
}

/// Gives the tokens of a text in their order.
pub(super) fn each_token(text: &str, mut give: impl FnMut(Token<'_>)) {
    let mut open = Open::None;
    let mut letters = Vec::new();
    for (start, grapheme) in text.grapheme_indices(true) {
        letters.clear();
        fold(grapheme, &mut letters);
        let at = start..start + grapheme.len();
        for &c in &letters {
            open = open.take(c, &at, &mut give);
        }
    }
    open.end(&mut give);
}

/// What is being read.
enum Open {
    None,
    Word { text: String, scalars: usize, at: Range<usize> },
    Run { last: char, at: Range<usize> },
}

impl Open {
    fn take(self, c: char, at: &Range<usize>, give: &mut impl FnMut(Token<'_>)) -> Self {
        match (class(c), self) {
            (Class::Letter | Class::Mark, Self::Word { mut text, scalars, at: word }) if scalars < WORD_SCALARS_MAX => {
                text.push(c);
                Self::Word { text, scalars: scalars + 1, at: word.start..at.end }
            }
            (Class::Gram | Class::Mark, Self::Run { last, at: before }) => {
                let pair: String = [last, c].iter().collect();
                give(Token { text: &pair, kind: Kind::Pair, at: before.start..at.end });
                Self::Run { last: c, at: at.clone() }
            }
            // A mark on nothing that is searched for is not searched for.
            (Class::Mark, Self::None) => Self::None,
            (Class::Letter | Class::Mark, before) => {
                before.end(give);
                Self::Word { text: c.to_string(), scalars: 1, at: at.clone() }
            }
            (Class::Gram, before) => {
                before.end(give);
                Self::Run { last: c, at: at.clone() }
            }
            (Class::Symbol, before) => {
                before.end(give);
                let mut bytes = [0; 4];
                give(Token { text: c.encode_utf8(&mut bytes), kind: Kind::Symbol, at: at.clone() });
                Self::None
            }
            (Class::Break, before) => {
                before.end(give);
                Self::None
            }
        }
    }

    fn end(self, give: &mut impl FnMut(Token<'_>)) {
        match self {
            Self::None => {}
            Self::Word { text, at, .. } => give(Token { text: &text, kind: Kind::Word, at }),
            Self::Run { last, at } => {
                let mut bytes = [0; 4];
                give(Token { text: last.encode_utf8(&mut bytes), kind: Kind::Last, at });
            }
        }
    }
}
