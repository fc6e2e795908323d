//! What every view shares: who says what about a field, and where people disagree.

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
