//! What a sync did, and what a running one tells.

use alliance_wire::{DeviceKey, SpaceId};
use serde::Serialize;

/// What carried a contact with a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Transport {
    /// `quic` or `tcp`.
    pub over: &'static str,
    /// Why it was not QUIC, by code: `UDP_UNANSWERED`, nothing came back; `UDP_SILENT`, nothing came back any more;
    /// `UDP_UNSENDABLE`, this machine sends none there.
    pub why: Option<&'static str>,
}

impl Transport {
    /// QUIC, as ever.
    pub const QUIC: Self = Self { over: "quic", why: None };
    /// TLS on TCP, because nothing came back over UDP.
    pub const TCP_UNANSWERED: Self = Self { over: "tcp", why: Some("UDP_UNANSWERED") };
    /// TLS on TCP, because nothing came back over UDP any more.
    pub const TCP_SILENT: Self = Self { over: "tcp", why: Some("UDP_SILENT") };
    /// TLS on TCP, because this machine sends no UDP there.
    pub const TCP_UNSENDABLE: Self = Self { over: "tcp", why: Some("UDP_UNSENDABLE") };

    /// Each by its number in the store, from 0.
    const NUMBERED: [Self; 4] = [Self::QUIC, Self::TCP_UNANSWERED, Self::TCP_SILENT, Self::TCP_UNSENDABLE];

    /// Its number in the store.
    pub(crate) fn number(self) -> u8 {
        (0..).zip(Self::NUMBERED).find(|(_, known)| *known == self).map_or(0, |(number, _)| number)
    }

    /// The one with this number, if this version knows it.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::NUMBERED.get(usize::from(number)).copied()
    }
}

/// What a sync did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SyncReport {
    /// With whom: `relay host:port` or a device key.
    pub peer: String,
    /// What carried it, with a relay.
    pub transport: Option<Transport>,
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
    /// This device's clock is days behind what somebody wrote: `CLOCK_SUSPECT`. One of the two clocks is wrong; nothing
    /// was refused or ordered by either.
    pub clock_suspect: bool,
    /// Bytes of our protocol, up.
    pub bytes_up: u64,
    /// Bytes of our protocol, down.
    pub bytes_down: u64,
    /// UDP payload bytes, up; none over TCP.
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

/// What became of the newest connection with a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkView {
    /// The peer's key; a relay's for a relay.
    #[serde(serialize_with = "super::text")]
    pub device: DeviceKey,
    /// `relay host:port` or `device` and the beginning of its key.
    pub name: String,
    /// How far it is.
    pub state: LinkState,
}

/// How far a connection is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum LinkState {
    /// Nobody has answered yet.
    Connecting,
    /// The connection stands, and something may be under way.
    Connected,
    /// Both have the same. A live connection waits for news.
    Settled,
    /// It ended as it should.
    Ended,
    /// It ended otherwise.
    Failed {
        /// Stable code.
        code: &'static str,
    },
    /// A live sync tries again in so long.
    Waiting {
        /// Milliseconds.
        millis: u64,
    },
    /// A live sync rests: nobody is looking.
    Resting,
}

/// What a running sync tells.
#[derive(Debug, Clone)]
pub enum Progress {
    /// This device can be dialled by hand.
    Listening {
        /// Where.
        address: String,
    },
    /// Somebody near shares a space.
    Near {
        /// What the space calls the person.
        name: String,
    },
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
