//! The session (DOMAIN 2.2): planned, held or missed, with who takes part and what each brings.
//!
//! A planned session is one document on both phones, and so is its note ([`crate::kind::note_of_session`]).

mod alias;
mod check;
mod values;
mod view;

pub use alias::{AliasEntry, AliasTransition, AliasView, groups};
pub use check::check;
pub use values::{
    AgendaField, AgendaMode, AgendaValue, CivilMoment, CivilTime, FocusType, SessionField, SessionValue, TimeError,
};

pub use view::{AgendaFieldView, AgendaItemView, ParticipantView, SessionFieldView, SessionView};

use alliance_wire::ids::{DocumentId, PersonTag};

use crate::kind::ItemId;
use crate::log::{LogEntry, Said, said};
use crate::policy::AgendaOrigin;
use crate::text::Splice;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// As what somebody takes part in a session (DOMAIN 2.2).
    SessionRole {
        /// Supervises.
        Supervisor = 0 "supervisor",
        /// Is supervised.
        Supervisee = 1 "supervisee",
        /// Observes (DOMAIN A54).
        Observer = 2 "observer",
        /// Is a guest.
        Guest = 3 "guest",
    }
}

vocabulary! {
    /// Whether somebody was there.
    Attendance {
        /// Was there.
        Attended = 0 "attended",
        /// Came later or left earlier.
        InPart = 1 "in_part",
        /// Was not there, and had said so.
        Excused = 2 "excused",
        /// Was not there.
        Absent = 3 "absent",
    }
}

vocabulary! {
    /// What an entry in a session's log says (DOMAIN 2.4).
    SessionTransition {
        /// It took place.
        Held = 0 "held",
        /// It took place without having been planned.
        HeldUnplanned = 1 "held_unplanned",
        /// The supervisor could not.
        MissedBySupervisor = 2 "missed_by_supervisor",
        /// The supervisee could not.
        MissedBySupervisee = 3 "missed_by_supervisee",
        /// Somebody did not come and had not said so.
        MissedNoShow = 4 "missed_no_show",
        /// The organisation did not let it take place.
        MissedOrganisation = 5 "missed_organisation",
        /// There was no connection.
        MissedConnectivity = 6 "missed_connectivity",
        /// It takes place at another time, which is planned now.
        Rescheduled = 7 "rescheduled",
        /// Nothing is to be added.
        Closed = 8 "closed",
    }
}

vocabulary! {
    /// A session's state: computed from its log, never stored.
    SessionState {
        /// To come.
        Planned = 0 "planned",
        /// It took place.
        Held = 1 "held",
        /// It did not; the log says why.
        Missed = 2 "missed",
        /// Nothing is to be added.
        Closed = 3 "closed",
        /// People said different things while apart; a later entry that cites both settles it.
        Disputed = 4 "disputed",
    }
}

vocabulary! {
    /// What an entry in the log of something on the agenda says (DOMAIN 2.4).
    AgendaTransition {
        /// It was talked about.
        Discussed = 0 "discussed",
        /// It is for the next session.
        CarriedOver = 1 "carried_over",
        /// Whoever brought it does not want to talk about it any more.
        Withdrawn = 2 "withdrawn",
        /// It is to be talked about all the same.
        Reopened = 3 "reopened",
    }
}

vocabulary! {
    /// The state of something on the agenda: computed from its log, never stored.
    AgendaState {
        /// To be talked about.
        Open = 0 "open",
        /// It was talked about.
        Discussed = 1 "discussed",
        /// It is for the next session.
        CarriedOver = 2 "carried_over",
        /// It was taken back.
        Withdrawn = 3 "withdrawn",
        /// People said different things while apart.
        Disputed = 4 "disputed",
    }
}

/// What a person can do to a session.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum SessionCommand {
    /// Says what kind of meeting it is, when and where it is planned, when it took place, what came of it.
    #[n(0)]
    Set {
        /// The field and its value.
        #[n(0)]
        value: SessionValue,
    },
    /// Takes a value out.
    #[n(1)]
    Clear {
        /// Which.
        #[n(0)]
        field: SessionField,
    },
    /// Says as what somebody takes part.
    #[n(2)]
    SetRole {
        /// Who.
        #[n(0)]
        person: PersonTag,
        /// As what.
        #[n(1)]
        role: SessionRole,
    },
    /// Says whether somebody was there.
    #[n(3)]
    SetAttendance {
        /// Who.
        #[n(0)]
        person: PersonTag,
        /// Whether.
        #[n(1)]
        attendance: Attendance,
    },
    /// Names somebody off the scene whom the session is about (DOMAIN A46, A56).
    #[n(4)]
    AddStakeholder {
        /// One line, such as `client` or `colleagues`.
        #[n(0)]
        name: String,
    },
    /// Takes one out; named again by somebody apart, it stays.
    #[n(5)]
    RemoveStakeholder {
        /// Which.
        #[n(0)]
        name: String,
    },
    /// Writes an entry in the session's log.
    #[n(6)]
    Mark {
        /// A fresh random id of the entry.
        #[n(0)]
        op: ItemId,
        /// What it says.
        #[n(1)]
        transition: SessionTransition,
        /// The entries that it answers: the newest ones that its author saw.
        #[n(2)]
        cites: Vec<ItemId>,
    },
    /// Puts something with an empty text on the agenda behind `after`, or first.
    #[n(7)]
    AddItem {
        /// A fresh random id.
        #[n(0)]
        id: ItemId,
        /// What it follows.
        #[n(1)]
        after: Option<ItemId>,
    },
    /// Puts something on the agenda that comes from there, with an empty text behind `after`, or first: for who does not
    /// own the agenda (DOMAIN D1).
    #[n(14)]
    BringItem {
        /// A fresh random id.
        #[n(0)]
        id: ItemId,
        /// What it follows.
        #[n(1)]
        after: Option<ItemId>,
        /// Where it comes from; fixed.
        #[n(2)]
        origin: AgendaOrigin,
    },
    /// Moves something on the agenda behind `after`, or first.
    #[n(8)]
    MoveItem {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// What it follows.
        #[n(1)]
        after: Option<ItemId>,
    },
    /// Removes something from the agenda; an edit made apart brings it back.
    #[n(9)]
    RemoveItem {
        /// Which.
        #[n(0)]
        id: ItemId,
    },
    /// Edits what something on the agenda says.
    #[n(10)]
    EditItem {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// The edit.
        #[n(1)]
        splice: Splice,
    },
    /// Says more about something on the agenda.
    #[n(11)]
    SetItem {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// The field and its value.
        #[n(1)]
        value: AgendaValue,
    },
    /// Writes an entry in the log of something on the agenda.
    #[n(12)]
    MarkItem {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// A fresh random id of the entry.
        #[n(1)]
        op: ItemId,
        /// What it says.
        #[n(2)]
        transition: AgendaTransition,
        /// The entries that it answers: the newest ones that its author saw.
        #[n(3)]
        cites: Vec<ItemId>,
    },
    /// Says of another session that it is the same one, written down twice, or that they are two.
    #[n(13)]
    Alias {
        /// A fresh random id of the entry.
        #[n(0)]
        op: ItemId,
        /// The other session.
        #[n(1)]
        other: DocumentId,
        /// What is said.
        #[n(2)]
        transition: AliasTransition,
        /// The entries about that session that it answers: the newest ones that its author saw.
        #[n(3)]
        cites: Vec<ItemId>,
    },
}

/// The state that a session's log says.
#[must_use]
pub fn state_of(log: &[LogEntry<SessionTransition>]) -> SessionState {
    use SessionTransition as T;
    match said(log) {
        Said::Nothing | Said::One(T::Rescheduled) => SessionState::Planned,
        Said::One(T::Held | T::HeldUnplanned) => SessionState::Held,
        Said::One(
            T::MissedBySupervisor
            | T::MissedBySupervisee
            | T::MissedNoShow
            | T::MissedOrganisation
            | T::MissedConnectivity,
        ) => SessionState::Missed,
        Said::One(T::Closed) => SessionState::Closed,
        Said::Different => SessionState::Disputed,
    }
}

/// Whether a log says that the session took place: also of one that was closed since, and of none that was missed.
#[must_use]
pub fn took_place(log: &[LogEntry<SessionTransition>]) -> bool {
    let closes = |it: &&LogEntry<SessionTransition>| it.transition == SessionTransition::Closed;
    let before: Vec<LogEntry<SessionTransition>> = log.iter().filter(|it| !closes(it)).cloned().collect();
    state_of(&before) == SessionState::Held
}

/// The state that the log of something on the agenda says.
#[must_use]
pub fn agenda_state_of(log: &[LogEntry<AgendaTransition>]) -> AgendaState {
    match said(log) {
        Said::Nothing | Said::One(AgendaTransition::Reopened) => AgendaState::Open,
        Said::One(AgendaTransition::Discussed) => AgendaState::Discussed,
        Said::One(AgendaTransition::CarriedOver) => AgendaState::CarriedOver,
        Said::One(AgendaTransition::Withdrawn) => AgendaState::Withdrawn,
        Said::Different => AgendaState::Disputed,
    }
}
