//! What every view shares: who says what about a field, where people disagree, and what differs between two states.

use serde::{Deserialize, Serialize};

/// A value of a field and who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The value in its stored form.
    pub value: String,
    /// Index into the view's `authors`.
    pub by: usize,
}

/// A field that has more than one value because people wrote it while apart (DOMAIN 2.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldConflict {
    /// The field's path, for example `terms.cadence` or `actions.<id>.due`.
    pub field: String,
    /// All values, the one that is shown first.
    pub values: Vec<Claim>,
}

/// Notes a field with several *different* values.
pub fn note_conflict(conflicts: &mut Vec<FieldConflict>, field: String, values: &[Claim]) {
    if values.iter().any(|claim| claim.value != values[0].value) {
        conflicts.push(FieldConflict { field, values: values.to_vec() });
    }
}

/// What became of a piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PieceKind {
    /// It stands in both states.
    Kept,
    /// It stands in the later state only.
    Added,
    /// It stands in the earlier state only.
    Removed,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// What became of it.
    pub kind: PieceKind,
    /// Its letters.
    pub text: String,
}

/// A place that differs between two states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The place as a path: `title`, `sections.focus`, `actions.<id>`, `actions.<id>.due`, `functions.<scheme>/<name>`.
    pub place: String,
    /// Scalar values that came.
    pub added: usize,
    /// Scalar values that went.
    pub removed: usize,
    /// A text's pieces in order; empty for a field.
    pub pieces: Vec<Piece>,
    /// A field's value before; absent if it had none, and for a text.
    pub before: Option<String>,
    /// A field's value after.
    pub after: Option<String>,
}

impl Difference {
    /// What came, pieces of a text one below the other.
    #[must_use]
    pub fn added_text(&self) -> String {
        if self.pieces.is_empty() {
            return self.after.clone().unwrap_or_default();
        }
        let added = self.pieces.iter().filter(|piece| piece.kind == PieceKind::Added);
        added.map(|piece| piece.text.trim_matches('\n')).collect::<Vec<_>>().join("\n")
    }
}
