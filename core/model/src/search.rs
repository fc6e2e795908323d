//! Words as they are searched for: what counts as a word in which script, and what counts as the same.
//!
//! Text and queries go through one way of taking them apart, `tokens`, so that what is asked and what is kept always
//! agree. Letters are *folded* first (`fold`): case, width, marks that readers do without, forms of one letter.
//! Words of scripts with spaces are kept whole. Scripts without spaces (Chinese, Japanese, Khmer, Thai, ...) are kept
//! as pairs of neighbouring characters, and the last character of a run alone: a query of any length is then found
//! wherever it stands, also one of two characters, or of one. Emoji are words of their own.
//!
//! Nothing that a person types is syntax, but for quotation marks round words that must stand together.

mod fold;
mod snippet;
mod tokens;

pub use snippet::{Found, Mark, Snippet, find};

use crate::refusal::{Refusal, RefusalCode};
use tokens::{Kind, each_token};

/// Counts the ways in which text was taken apart: rows that an earlier one made are made anew.
pub const WORDS_VERSION: u32 = 1;
/// Unicode scalar values of a query.
pub const QUERY_SCALARS_MAX: usize = 1_000;
/// Words and phrases of a query.
pub const QUERY_PHRASES_MAX: usize = 64;

/// Stands between texts that do not follow each other: no phrase reaches across. A letter that nobody writes.
const BOUNDARY: char = '\u{F8FF}';

/// A text of a document and its place in it, as a path: `title`, `sections.focus`, `actions.<id>`.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Part {
    /// Where.
    #[n(0)]
    pub place: String,
    /// The text as it was written.
    #[n(1)]
    pub text: String,
}

/// Terms that stand one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// The terms, folded: letters, marks, digits and emoji only.
    pub terms: Vec<String>,
    /// The last term may be the beginning of a longer one.
    pub prefix: bool,
}

/// What is looked for: every phrase, in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    phrases: Vec<Phrase>,
}

impl Query {
    /// Takes a query apart. Each word is the beginning of a word; words in quotation marks are whole and stand together.
    /// What is written without a space between stands together, too.
    ///
    /// # Errors
    /// `QUERY_EMPTY` if nothing in it is a letter, a digit or an emoji; `QUERY_TOO_LONG` above [`QUERY_SCALARS_MAX`] or
    /// [`QUERY_PHRASES_MAX`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.chars().nth(QUERY_SCALARS_MAX).is_some() {
            return Err(Refusal::new(RefusalCode::QueryTooLong).with("characters", QUERY_SCALARS_MAX));
        }
        let mut phrases: Vec<Phrase> = Vec::new();
        for (words, quoted) in chunks(text) {
            let phrase = phrase(words, quoted);
            if !phrase.terms.is_empty() && !phrases.contains(&phrase) {
                phrases.push(phrase);
            }
        }
        if phrases.is_empty() {
            return Err(Refusal::new(RefusalCode::QueryEmpty));
        }
        if phrases.len() > QUERY_PHRASES_MAX {
            return Err(Refusal::new(RefusalCode::QueryTooLong).with("words", QUERY_PHRASES_MAX));
        }
        Ok(Self { phrases })
    }

    /// The phrases, none twice.
    #[must_use]
    pub fn phrases(&self) -> &[Phrase] {
        &self.phrases
    }
}

/// Appends a text's terms to those of the texts before it, each behind a space: what an index that splits at spaces
/// takes in.
pub fn append_terms(terms: &mut String, text: &str) {
    if !terms.is_empty() {
        terms.push(' ');
        terms.push(BOUNDARY);
    }
    each_token(text, |token| {
        terms.push(' ');
        terms.push_str(token.text);
    });
}

const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{00AB}' | '\u{00BB}')
}

/// The query in pieces between spaces, and whether a piece stood in quotation marks. A mark inside a word is none:
/// Hebrew writes abbreviations with it.
fn chunks(text: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return found };
        let quoted = is_quote(first);
        if quoted {
            rest = &rest[first.len_utf8()..];
        }
        let end = rest.find(|c: char| if quoted { is_quote(c) } else { c.is_whitespace() }).unwrap_or(rest.len());
        found.push((&rest[..end], quoted));
        rest = &rest[end..];
        if quoted {
            rest = rest.strip_prefix(is_quote).unwrap_or(rest);
        }
    }
}

fn phrase(words: &str, quoted: bool) -> Phrase {
    let mut terms: Vec<(String, Kind)> = Vec::new();
    each_token(words, |token| terms.push((token.text.to_owned(), token.kind)));
    // The last character of a run is a term by itself where the run ends. Whether it ends there in the text as well is
    // not said, so the pair before it says enough; a single character is the beginning of a pair.
    let whole = terms.len();
    if let [.., (_, Kind::Pair), (_, Kind::Last)] = terms.as_slice() {
        terms.truncate(whole - 1);
    }
    let prefix = match terms.last() {
        // A letter alone begins too many words to be of use; written alone, it is one.
        Some((text, Kind::Word)) => !quoted && text.chars().nth(1).is_some(),
        Some((_, Kind::Last)) => true,
        Some((_, Kind::Pair | Kind::Symbol)) | None => false,
    };
    Phrase { terms: terms.into_iter().map(|(text, _)| text).collect(), prefix }
}
