//! What kind of meeting a session or note is of.

use crate::vocabulary::vocabulary;

vocabulary! {
    /// The kind of meeting; fixed once chosen (DOMAIN 1.D, D7).
    MeetingKind {
        /// Clinical supervision.
        Clinical = 0 "clinical",
        /// Consultative supervision.
        Consultative = 1 "consultative",
        /// Training.
        Training = 2 "training",
        /// A peer group.
        PeerGroup = 3 "peer_group",
        /// A manager and a practitioner about the work.
        Management = 4 "management",
        /// A review of somebody's performance.
        Ipr = 5 "ipr",
        /// A disciplinary meeting.
        Disciplinary = 6 "disciplinary",
    }
}

impl MeetingKind {
    /// Whether it is a manager's: it lives apart from clinical supervision, and never rests on it (DOMAIN D4, D7).
    #[must_use]
    pub const fn is_management(self) -> bool {
        matches!(self, Self::Management | Self::Ipr | Self::Disciplinary)
    }
}
