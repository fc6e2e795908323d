//! Replication as a sans-IO machine (PROTOCOL section 3).
//!
//! Two replicas meet over any ordered byte stream: a relay connection, a cable between two laptops, a file. Each runs a
//! [`Session`]. The dialling side says Hello with a root over everything that both share and with cursors into what the
//! other had at their last meeting; most days the roots are equal, and that is all that is said. Otherwise each side
//! finds out how far the other is, by cursor, by digest or by vector, and streams what it lacks. Then both stay live.
//!
//! The machine reads no clock, no store and no socket: see [`contract`] for what it asks and what it is told. It
//! verifies everything that comes in, in order of cost, before it asks for it to be made durable, and acknowledges only
//! what is durable.
//!
//! How to run one: feed [`Input::Start`], perform the effects in their order, feed what comes of them, and wake it with
//! [`Input::Tick`] at [`Session::next_deadline`]. Read frames from the peer only while [`Session::wants_frames`].

pub mod contract;
mod session;

pub use contract::{
    Batch, CloseReason, Effect, Event, Head, Incoming, Input, Millis, Outcome, Outgoing, Page, Part, Persisted, Query,
    Reply, Shared, SharedSpace, Since, Tail, Ticket, View,
};
pub use session::{Config, Judged, Role, Session, judge_bundled, judge_carried, to_be_carried, view_of_nothing};
