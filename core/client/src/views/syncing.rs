//! What a sync did, and what a running one tells.

use alliance_wire::SpaceId;
use serde::Serialize;

/// What a sync did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SyncReport {
    /// With whom: `relay host:port` or a device key.
    pub peer: String,
    /// Both have the same of everything that they share.
    pub settled: bool,
    /// Items that became durable here.
    pub received: u64,
    /// Own entries that the peer acknowledged.
    pub acknowledged: u64,
    /// Things that one side refused, by code.
    pub refused: Vec<String>,
    /// Forks that were found.
    pub forks: u64,
    /// Spaces that differ after a repair: one of the replicas is wrong.
    pub diverged: u64,
    /// Spaces of which the peer had less than it had acknowledged: it was put back to an older state, or it lies. It was
    /// sent again.
    pub lost: u64,
    /// Bytes of our protocol, up.
    pub bytes_up: u64,
    /// Bytes of our protocol, down.
    pub bytes_down: u64,
    /// UDP payload bytes, up.
    pub udp_up: u64,
    /// UDP payload bytes, down.
    pub udp_down: u64,
    /// Protocol round trips until both had said that they are done: alternations of direction, counted.
    pub round_trips: u32,
    /// Whether the first frame left with the first packet and was taken (0-RTT): a relay that this process met before.
    pub early: bool,
    /// Milliseconds from dialling to done.
    pub millis: u64,
    /// Documents that were loaded on the way.
    pub documents_loaded: u64,
}

/// What a running sync tells.
#[derive(Debug, Clone)]
pub enum Progress {
    /// The connection stands.
    Connected {
        /// With whom.
        peer: String,
    },
    /// Items became durable here.
    Received {
        /// The space.
        space: SpaceId,
        /// How many so far on this connection.
        items: u64,
    },
    /// The peer acknowledged own entries.
    Acknowledged {
        /// The space.
        space: SpaceId,
    },
    /// Both have the same.
    Settled,
    /// A log forked: somebody's database was copied.
    Fork {
        /// The space.
        space: SpaceId,
    },
    /// The peer has less than it had acknowledged: it was put back to an older state, or it lies.
    Lost {
        /// The space.
        space: SpaceId,
    },
    /// Somebody refused something.
    Refused {
        /// The space.
        space: SpaceId,
        /// Stable code.
        code: &'static str,
    },
    /// An invitation or a request to join moved on.
    Invitation,
    /// The connection is over; with a live sync the next attempt follows.
    Disconnected {
        /// One sentence.
        why: String,
    },
}
