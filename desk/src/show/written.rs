//! Text with its authors in the margin.

use alliance_model::TextView;

use crate::output::Look;
use crate::output::text::{clean, hue, line, shorten, width, wrap};

/// Columns of a name in the margin, at most.
const NAME_COLUMNS_MAX: usize = 14;
/// What stands between the margin and the text.
const RULE: &str = " │ ";

/// The text, each stretch behind its author's name; a name is printed where the author changes. A stretch that goes on
/// in the middle of somebody else's line starts a new line, so that the margin is right for every line.
pub(crate) fn written(text: &TextView, authors: &[String], indent: &str, look: Look) -> String {
    let names: Vec<String> = authors.iter().map(|name| shorten(&line(name), NAME_COLUMNS_MAX)).collect();
    let margin = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let room = look.columns.saturating_sub(width(indent) + margin + width(RULE));
    let mut out = String::new();
    let mut before = None;
    for (author, stretch) in stretches(text) {
        for row in wrap(&clean(&stretch), room) {
            let name = if before == Some(author) { "" } else { names.get(author).map_or("?", String::as_str) };
            before = Some(author);
            let padded = format!("{name}{}", " ".repeat(margin.saturating_sub(width(name))));
            let row = format!("{indent}{}{RULE}{}", hue(&padded, author, look.color), hue(&row, author, look.color));
            out.push_str(row.trim_end());
            out.push('\n');
        }
    }
    out
}

/// (author, text) of each stretch. A line break between two stretches is the margin's own, and is left out; so is the
/// space at which one author's words meet another's.
fn stretches(text: &TextView) -> Vec<(usize, String)> {
    let characters: Vec<char> = text.text.chars().collect();
    let mut out: Vec<(usize, String)> = Vec::new();
    for span in &text.spans {
        let end = span.start.saturating_add(span.len).min(characters.len());
        let stretch: String = characters.get(span.start..end).unwrap_or_default().iter().collect();
        match out.last_mut() {
            Some((author, words)) if *author == span.author => words.push_str(&stretch),
            _ => out.push((span.author, stretch)),
        }
    }
    for (_, words) in &mut out {
        let bare = words.strip_prefix(['\n', ' ']).unwrap_or(words);
        let bare = bare.strip_suffix(['\n', ' ']).unwrap_or(bare);
        *words = bare.to_owned();
    }
    out.retain(|(_, words)| !words.is_empty());
    out
}
