//! Where in a document a query is found, and the piece of text to show for it.

use core::ops::Range;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation as _;

use super::tokens::each_token;
use super::{Part, Phrase, Query};

/// Graphemes before the first mark, and all in all.
const BEFORE: usize = 40;
const GRAPHEMES: usize = 160;
/// Bytes before the first mark and behind it: a grapheme may hold any number of marks.
const BEFORE_BYTES: usize = 400;
const AFTER_BYTES: usize = 1_600;

/// A stretch that was found, in Unicode scalar values of the snippet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Where it starts.
    pub start: usize,
    /// Its length.
    pub len: usize,
}

/// A piece of a text as it was written, with what was found in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snippet {
    /// The piece, letter by letter.
    pub text: String,
    /// Where it begins in the text, in Unicode scalar values.
    pub start: usize,
    /// What was found, in order, none over another.
    pub marks: Vec<Mark>,
    /// Text stands before it.
    pub before: bool,
    /// Text stands behind it.
    pub after: bool,
}

/// Stretches that are looked at in one text: a letter can stand in a text many thousand times.
const HITS_MAX: usize = 1_000;

/// What a query found in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The place with most of the query in it, the first of several.
    pub place: String,
    /// The piece to show.
    pub snippet: Snippet,
    /// In how many places something was found.
    pub places: usize,
}

/// A phrase and the bytes it stands on.
struct Hit {
    phrase: usize,
    at: Range<usize>,
}

/// Looks a query up in a document's texts.
#[must_use]
pub fn find(query: &Query, parts: &[Part]) -> Option<Found> {
    let mut best: Option<(usize, &Part, Vec<Hit>)> = None;
    let mut places = BTreeSet::new();
    for part in parts {
        let hits = hits(query.phrases(), &part.text);
        let found = hits.iter().map(|hit| hit.phrase).collect::<BTreeSet<_>>().len();
        if found > 0 {
            places.insert(part.place.as_str());
        }
        if found > best.as_ref().map_or(0, |(most, ..)| *most) {
            best = Some((found, part, hits));
        }
    }
    let (_, part, hits) = best?;
    Some(Found { place: part.place.clone(), snippet: snippet(&part.text, &hits), places: places.len() })
}

/// Everywhere that a phrase stands, in the order of the text.
fn hits(phrases: &[Phrase], text: &str) -> Vec<Hit> {
    let mut tokens: Vec<(String, Range<usize>)> = Vec::new();
    each_token(text, |token| tokens.push((token.text.to_owned(), token.at)));
    let mut hits = Vec::new();
    for first in 0..tokens.len() {
        if hits.len() >= HITS_MAX {
            break;
        }
        for (phrase, wanted) in phrases.iter().enumerate() {
            let Some(there) = tokens.get(first..first + wanted.terms.len()) else { continue };
            let last = wanted.terms.len() - 1;
            let fits = wanted.terms.iter().zip(there).enumerate().all(|(at, (term, (token, _)))| {
                if at == last && wanted.prefix { token.starts_with(term.as_str()) } else { token == term }
            });
            if fits {
                // The beginning of a pair is its first character.
                let end = if wanted.prefix && is_pair_begun(&wanted.terms[last], &there[last].0) {
                    first_grapheme(text, &there[last].1)
                } else {
                    there[last].1.end
                };
                hits.push(Hit { phrase, at: there[0].1.start..end });
            }
        }
    }
    hits
}

fn is_pair_begun(term: &str, token: &str) -> bool {
    token.len() > term.len() && term.chars().all(|c| super::fold::class(c) == super::fold::Class::Gram)
}

fn first_grapheme(text: &str, at: &Range<usize>) -> usize {
    at.start + text[at.clone()].graphemes(true).next().map_or(0, str::len)
}

/// The piece round the place where most phrases stand close together.
fn snippet(text: &str, hits: &[Hit]) -> Snippet {
    let close = |from: &Hit| {
        let end = from.at.start + AFTER_BYTES / 4;
        let near = hits.iter().filter(|hit| hit.at.start >= from.at.start && hit.at.end <= end);
        near.map(|hit| hit.phrase).collect::<BTreeSet<_>>().len()
    };
    // The first of the best; hits beyond some hundreds are not compared, they are all alike.
    let best = hits.iter().take(256).rev().max_by_key(|hit| close(hit));
    let first = best.map_or(0, |hit| hit.at.start);
    let begin = begin(text, first);
    let mut end = begin;
    for grapheme in text[begin..].graphemes(true).take(GRAPHEMES) {
        if end + grapheme.len() > first + AFTER_BYTES {
            break;
        }
        end += grapheme.len();
    }
    if end <= first {
        // One grapheme is longer than a snippet: it is cut.
        end = text.floor_char_boundary(first + AFTER_BYTES);
    }
    let end = whole_words(text, begin, end);
    let scalars = |range: Range<usize>| text[range].chars().count();
    let mut marks: Vec<Range<usize>> = Vec::new();
    for hit in hits {
        let (from, to) = (hit.at.start.max(begin), hit.at.end.min(end));
        match marks.last_mut() {
            _ if from >= to => {}
            Some(last) if from <= last.end => last.end = last.end.max(to),
            Some(_) | None => marks.push(from..to),
        }
    }
    Snippet {
        text: text[begin..end].to_owned(),
        start: scalars(0..begin),
        marks: marks
            .into_iter()
            .map(|mark| Mark { start: scalars(begin..mark.start), len: scalars(mark.start..mark.end) })
            .collect(),
        before: begin > 0,
        after: end < text.len(),
    }
}

/// Where a snippet begins: some graphemes before, at a word's beginning where one is near.
fn begin(text: &str, first: usize) -> usize {
    let mut begin = first;
    for (at, grapheme) in text[..first].grapheme_indices(true).rev().take(BEFORE) {
        if first - at > BEFORE_BYTES || grapheme == "\n" {
            break;
        }
        begin = at;
    }
    if begin == 0 || text[..begin].ends_with(char::is_whitespace) {
        return begin;
    }
    let space = text[begin..first].char_indices().find(|(_, c)| c.is_whitespace());
    space.map_or(begin, |(at, c)| begin + at + c.len_utf8())
}

/// Where a snippet ends: behind a whole word, if one ends near.
fn whole_words(text: &str, begin: usize, end: usize) -> usize {
    if end == text.len() || text[end..].starts_with(char::is_whitespace) {
        return end;
    }
    let half = text.ceil_char_boundary(begin + (end - begin) * 3 / 4);
    text[half..end].rfind(char::is_whitespace).map_or(end, |at| half + at)
}
