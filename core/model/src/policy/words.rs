//! The words by which the program decides, and words of a newer pack that it does not know.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::session::SessionRole;
use crate::vocabulary::{Vocabulary, vocabulary};

vocabulary! {
    /// Whose the agenda is: they may bring anything. The manager of a meeting has the role of a supervisor, the
    /// practitioner that of a supervisee.
    AgendaOwner {
        /// The supervisee.
        Supervisee = 0 "supervisee",
        /// The supervisor, or the manager.
        Supervisor = 1 "supervisor",
        /// The supervisor and the supervisee.
        Both = 2 "both",
        /// Everybody who takes part.
        Everybody = 3 "everybody",
        /// Nobody: what remains of two records that do not agree.
        Nobody = 4 "nobody",
    }
}

impl AgendaOwner {
    /// In which roles people own the agenda.
    #[must_use]
    pub const fn roles(self) -> &'static [SessionRole] {
        match self {
            Self::Supervisee => &[SessionRole::Supervisee],
            Self::Supervisor => &[SessionRole::Supervisor],
            Self::Both => &[SessionRole::Supervisor, SessionRole::Supervisee],
            Self::Everybody => SessionRole::ALL,
            Self::Nobody => &[],
        }
    }
}

vocabulary! {
    /// Where something on an agenda comes from (DOMAIN D1).
    AgendaOrigin {
        /// What was seen or said in sessions.
        FromSessions = 0 "from_sessions",
        /// How the two work together.
        WorkingRelationship = 1 "working_relationship",
        /// Somebody's work.
        FromWork = 2 "from_work",
        /// The document of a performance review.
        IprDocument = 3 "ipr_document",
        /// A procedure that is under way.
        Procedure = 4 "procedure",
    }
}

vocabulary! {
    /// In which audience the content of a meeting lives (DOMAIN 2.1).
    ContentAudience {
        /// That of the alliance.
        Alliance = 0 "alliance",
        /// That of manager and practitioner.
        Management = 1 "management",
        /// In none: what remains of two records that do not agree.
        Nowhere = 2 "nowhere",
    }
}

vocabulary! {
    /// What an organisation learns of attendance at most, in the order of what it learns (DOMAIN D2).
    AttendanceMax {
        /// Nothing.
        None = 0 "none",
        /// Dates and times.
        Dates = 1 "dates",
        /// Those, and who was there.
        DatesParties = 2 "dates_parties",
    }
}

vocabulary! {
    /// What a challenge rests on (DOMAIN D4).
    EvidenceSource {
        /// A session of supervision.
        ClinicalSession = 0 "clinical_session",
        /// Any situation at work.
        WorkSituation = 1 "work_situation",
        /// The document of a performance review.
        IprDocument = 2 "ipr_document",
        /// An exercise of a course.
        TrainingExercise = 3 "training_exercise",
    }
}

vocabulary! {
    /// What closing a session asks for. Those that shipped records ask for stand first, so that no pack crowds them out.
    CloseField {
        /// Who was there.
        Attendance = 0 "attendance",
        /// What it was about.
        Focus = 1 "focus",
        /// When the next one is.
        NextDate = 2 "next_date",
        /// Who does what.
        Actions = 3 "actions",
        /// What came of it.
        Outcome = 4 "outcome",
    }
}

/// A word of a vocabulary, or one that only a newer version of the program knows. That one is kept and permits nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word<E> {
    /// A word of the vocabulary.
    Known(E),
    /// Another one.
    Other(String),
}

impl<E: Vocabulary> Word<E> {
    /// The word that is spelt so.
    #[must_use]
    pub fn new(word: &str) -> Self {
        E::from_word(word).map_or_else(|| Self::Other(word.to_owned()), Self::Known)
    }

    /// The member of the vocabulary; `None` for a word of a newer version.
    #[must_use]
    pub fn known(&self) -> Option<E> {
        match self {
            Self::Known(member) => Some(*member),
            Self::Other(_) => None,
        }
    }

    /// How it is spelt.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(member) => member.word(),
            Self::Other(word) => word,
        }
    }
}

impl<E: Vocabulary> fmt::Display for Word<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<E: Vocabulary> Serialize for Word<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de, E: Vocabulary> Deserialize<'de> for Word<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(&String::deserialize(deserializer)?))
    }
}
