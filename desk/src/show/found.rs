//! What a search found, as text.

use alliance_client::{SearchHit, SearchPage, SpaceView};
use alliance_model::search::Snippet;

use crate::output::Look;
use crate::output::text::{bold, clean, count, dim, line, short, wrap};

/// A page of documents with the place in each.
pub(crate) fn page(page: &SearchPage, spaces: &[SpaceView], offset: u64, look: Look) -> String {
    let mut text = String::new();
    for hit in &page.hits {
        text.push_str(&document(hit, spaces, look));
    }
    if page.hits.is_empty() {
        text.push_str("Nothing was found.\n");
    }
    if page.more {
        let next = offset + page.hits.len() as u64;
        text.push_str(&format!("\nMore was found: `--offset {next}` shows what follows.\n"));
    }
    if page.not_searched > 0 {
        let documents = count(page.not_searched, "document is", "documents are");
        text.push_str(&format!("\n{documents} not searched yet.\n"));
    }
    if page.cut > 0 {
        let documents = count(page.cut, "document is", "documents are");
        text.push_str(&format!("\n{documents} too long to be searched to the end.\n"));
    }
    text
}

fn document(hit: &SearchHit, spaces: &[SpaceView], look: Look) -> String {
    let space = spaces.iter().find(|space| space.space == hit.space);
    let mut facts = vec![format!("{} {}", hit.kind, short(&hit.document))];
    if !hit.date.is_empty() {
        facts.push(hit.date.clone());
    }
    facts.push(space.map_or_else(|| short(&hit.space), |space| line(&space.title)));
    if hit.draft {
        facts.push("draft".to_owned());
    }
    if !hit.searched {
        facts.push("changed since".to_owned());
    }
    let mut text = format!("{}  {}\n", bold(&line(&hit.title), look.color), dim(&facts.join(" · "), look.color));
    if let Some(snippet) = &hit.snippet {
        let others = if hit.places > 1 { format!(", and {} more", hit.places - 1) } else { String::new() };
        text.push_str(&format!("  {}{others}\n", place(&hit.place)));
        for row in wrap(&clean(&marked(snippet)), look.columns.saturating_sub(4)) {
            text.push_str(format!("    {row}").trim_end());
            text.push('\n');
        }
    }
    text
}

/// A place's path in words.
pub(super) fn place(path: &str) -> String {
    let mut steps = path.split('.');
    let (first, second, third) = (steps.next().unwrap_or_default(), steps.next(), steps.next());
    match (first, second, third) {
        ("sections", Some(stage), _) => stage.to_owned(),
        ("actions", Some(id), None) => format!("action {}", head(id)),
        ("actions", Some(id), Some(field)) => format!("{field} of action {}", head(id)),
        ("clauses", Some(id), _) => format!("clause {}", head(id)),
        ("addenda", Some(_), _) => "an addendum".to_owned(),
        ("checks", Some(_), _) => "an ethics check".to_owned(),
        // The texts that every decision has once have names; what it lists has ids.
        ("parts", Some(part), _) if part.len() == 16 => format!("{} in the list", head(part)),
        ("parts", Some(part), _) => part.to_owned(),
        ("functions" | "protective", Some(name), _) => name.replace('_', " "),
        ("terms", Some(name), _) => name.replace('_', " "),
        (other, ..) => other.to_owned(),
    }
}

fn head(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// The snippet in one line, what was found between brackets: that can be read without colours, and read aloud.
fn marked(snippet: &Snippet) -> String {
    let mut text = String::new();
    if snippet.before {
        text.push('…');
    }
    let mut marks = snippet.marks.iter().peekable();
    for (at, c) in snippet.text.chars().enumerate() {
        if marks.peek().is_some_and(|mark| mark.start == at) {
            text.push('[');
        }
        text.push(if c.is_whitespace() { ' ' } else { c });
        if marks.peek().is_some_and(|mark| mark.start + mark.len == at + 1) {
            text.push(']');
            marks.next();
        }
    }
    if snippet.after {
        text.push('…');
    }
    text
}
