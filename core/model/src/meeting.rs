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
    }
}
