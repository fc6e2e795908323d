//! What waits for a person, over all spaces.

use alliance_model::{CivilDate, ItemId};
use alliance_wire::{DocumentId, SpaceId};
use serde::Serialize;

use super::{DocumentRow, text};

/// What came in or is to be decided in a space (DOMAIN 2.9: merging after sessions).
#[derive(Debug, Clone, Serialize)]
pub struct InboxSpace {
    /// The space.
    #[serde(serialize_with = "text")]
    pub space: SpaceId,
    /// Its title.
    pub title: String,
    /// Changed by somebody else alone, and not looked at: what [`crate::Client::accept_unchanged`] takes as seen.
    pub new: Vec<DocumentRow>,
    /// Changed by both while apart, and not looked at.
    pub changed_by_both: Vec<DocumentRow>,
    /// A field has several values, and somebody has to choose.
    pub needs_choice: Vec<DocumentRow>,
    /// Entries are kept and not shown.
    pub parked: Vec<DocumentRow>,
    /// Pairs of sessions that may be one, written down twice.
    pub possible_duplicates: Vec<PossibleDuplicate>,
}

/// Two sessions that may be one.
#[derive(Debug, Clone, Serialize)]
pub struct PossibleDuplicate {
    /// The one.
    #[serde(serialize_with = "text")]
    pub session: DocumentId,
    /// The other.
    #[serde(serialize_with = "text")]
    pub other: DocumentId,
}

impl InboxSpace {
    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        [&self.new, &self.changed_by_both, &self.needs_choice, &self.parked].iter().all(|list| list.is_empty())
            && self.possible_duplicates.is_empty()
    }
}

/// What a space says on a date (DOMAIN 2.7, rhythm, open actions, due reviews). Nothing of it is stored.
#[derive(Debug, Clone, Serialize)]
pub struct TodaySpace {
    /// The space.
    #[serde(serialize_with = "text")]
    pub space: SpaceId,
    /// Its title.
    pub title: String,
    /// The other people in it.
    pub people: Vec<String>,
    /// The date of the last session that took place until then.
    pub last_held: Option<CivilDate>,
    /// When the next one is due, by the agreed rhythm.
    pub next_due: Option<CivilDate>,
    /// It is due before the date that was asked about.
    pub overdue: bool,
    /// Sessions that are planned, the earliest first.
    pub planned: Vec<PlannedSession>,
    /// Actions that are not done, those with the earliest date first.
    pub actions: Vec<OpenAction>,
    /// Reviews of what is in force that are due by then.
    pub reviews: Vec<DueReview>,
    /// Reviews that are planned for a date until then, and of which nobody has said that they were held.
    pub planned_reviews: Vec<PlannedReview>,
    /// Learning goals that were to be looked at by then.
    pub goals: Vec<DueGoal>,
    /// How many documents have a field in which somebody has to choose.
    pub needs_choice: u64,
}

/// A session that is planned.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedSession {
    /// The session.
    #[serde(serialize_with = "text")]
    pub session: DocumentId,
    /// Its date.
    pub date: CivilDate,
    /// The date is over, and nobody has said whether it took place.
    pub overdue: bool,
}

/// Something that was agreed and is not done.
#[derive(Debug, Clone, Serialize)]
pub struct OpenAction {
    /// The note in which it stands.
    #[serde(serialize_with = "text")]
    pub note: DocumentId,
    /// Which.
    pub action: ItemId,
    /// What is to be done.
    pub text: String,
    /// Who does it; of several values the first.
    pub owner: Option<String>,
    /// Until when; of several values the earliest.
    pub due: Option<CivilDate>,
    /// That date is over.
    pub overdue: bool,
}

/// A review that is due.
#[derive(Debug, Clone, Serialize)]
pub struct DueReview {
    /// The agreement.
    #[serde(serialize_with = "text")]
    pub agreement: DocumentId,
    /// Since when.
    pub due: CivilDate,
}

/// A review that is planned.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedReview {
    /// The review.
    #[serde(serialize_with = "text")]
    pub review: DocumentId,
    /// For when; of several dates the earliest.
    pub due: CivilDate,
}

/// A goal that was to be looked at.
#[derive(Debug, Clone, Serialize)]
pub struct DueGoal {
    /// Which.
    pub goal: ItemId,
    /// Its words.
    pub text: String,
    /// Whose it is.
    pub of: String,
    /// Since when.
    pub due: CivilDate,
}
