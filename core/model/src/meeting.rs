//! What kind of meeting a session or note is of. What follows from a kind is data: [`crate::policy`].

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
        /// A meeting of a manager and a practitioner about the work.
        Management = 4 "management",
        /// An individual performance review: about the document of that name.
        Ipr = 5 "ipr",
        /// A meeting about performance that is challenged, with consequences.
        Disciplinary = 6 "disciplinary",
    }
}

impl MeetingKind {
    /// Whether it is a meeting with a manager, which no content of supervision comes into (DOMAIN D4, D7).
    #[must_use]
    pub const fn is_management(self) -> bool {
        match self {
            Self::Management | Self::Ipr | Self::Disciplinary => true,
            Self::Clinical | Self::Consultative | Self::Training | Self::PeerGroup => false,
        }
    }
}
