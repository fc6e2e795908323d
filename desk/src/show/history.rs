//! Versions and what differs between them, as text.

use alliance_client::{Comparison, HistoryPage, PieceKind, VersionChange, VersionView};

use crate::output::Look;
use crate::output::table::Table;
use crate::output::text::{bold, clean, count, line, moment, paragraph, short};

/// A page of versions, the newest first.
pub(crate) fn page(page: &HistoryPage, offset: u64, look: Look) -> String {
    let mut text = String::new();
    if page.draft {
        text.push_str("On top of these is a draft of yours that is not sealed yet.\n\n");
    }
    let mut table = Table::new(&["VERSION", "WHO", "DEVICE", "SAID TO BE WRITTEN", "WHAT CHANGED"], 4);
    for version in &page.versions {
        table.row([
            short(&version.version),
            line(&version.by),
            short(&version.device),
            version.said_at.map_or_else(|| "unknown".to_owned(), moment),
            changed(version),
        ]);
    }
    text.push_str(&table.print(look.columns, "There is no version yet: nothing of this note was sealed."));
    let shown = offset + page.versions.len() as u64;
    if shown < page.total {
        let all = count(page.total, "version", "versions");
        text.push_str(&format!("\n{all} in all: `--offset {shown}` shows what is older.\n"));
    }
    text
}

/// What a version changed, in a line.
fn changed(version: &VersionView) -> String {
    if let Some(code) = &version.not_shown {
        return format!("kept and not shown [{code}]");
    }
    let change = |change: &VersionChange| {
        let mut words = place(&change.place);
        if change.added > 0 {
            words.push_str(&format!(" +{}", change.added));
        }
        if change.removed > 0 {
            words.push_str(&format!(" −{}", change.removed));
        }
        words
    };
    let changes: Vec<String> = version.changed.iter().map(change).collect();
    if changes.is_empty() { "nothing that shows".to_owned() } else { changes.join(", ") }
}

/// A version in words.
pub(crate) fn version(version: &VersionView) -> String {
    let when = version.said_at.map_or_else(|| "at an unknown time".to_owned(), moment);
    format!("version {} by {}, {when}", short(&version.version), line(&version.by))
}

/// What differs between two versions: what went between [- and -], what came between {+ and +}.
pub(crate) fn comparison(comparison: &Comparison, look: Look) -> String {
    let after = comparison.after.as_ref().map_or_else(|| "the note as it is now".to_owned(), version);
    let mut text = format!("From {} to {after}\n", version(&comparison.before));
    if comparison.differences.is_empty() {
        text.push_str("\nNothing differs.\n");
    }
    comparison.differences.iter().for_each(|it| text.push_str(&difference(it, look)));
    text
}

/// What differs at a place.
pub(super) fn difference(difference: &alliance_client::Difference, look: Look) -> String {
    let body = if difference.pieces.is_empty() {
        let value = |value: &Option<String>| value.as_deref().map_or_else(|| "nothing".to_owned(), line);
        format!("{} → {}", value(&difference.before), value(&difference.after))
    } else {
        let piece = |piece: &alliance_client::Piece| match piece.kind {
            PieceKind::Kept => clean(&piece.text),
            PieceKind::Added => format!("{{+{}+}}", clean(&piece.text)),
            PieceKind::Removed => format!("[-{}-]", clean(&piece.text)),
        };
        difference.pieces.iter().map(piece).collect()
    };
    let heading = bold(&place(&difference.place), look.color);
    format!("\n{heading}\n{}", paragraph(&body, "  ", look.columns))
}

/// A place's path in words.
fn place(path: &str) -> String {
    super::found::place(path)
}
