//! The preparation log (DOMAIN 2.2, PrepLog; A26): what somebody wants to bring to supervision, for nobody else's eyes.
//!
//! It lives in the person's home and nowhere else ([`crate::kind::preparation_of`]). What is shared of it is a copy on
//! a session's agenda; the log keeps what was copied where, and what became of it.

mod check;
mod values;

pub use check::check;
pub use values::{Feeling, PreparationField, PreparationKind, PreparationValue, Share, shared_item};

use serde::{Deserialize, Serialize};

use crate::date::CivilDate;
use crate::kind::ItemId;
use crate::log::{LogEntry, Said, newest, said};
use crate::text::{Splice, TextView};
use crate::view::{Claim, FieldConflict};
use crate::vocabulary::vocabulary;

vocabulary! {
    /// What an entry in the log of something prepared says (DOMAIN 2.4). That it was shared is said by its [`Share`].
    PreparationMark {
        /// It is to be brought up.
        Selected = 0 "selected",
        /// It is not to be brought up, or was taken back.
        Withdrawn = 1 "withdrawn",
        /// It was talked about.
        Discussed = 2 "discussed",
        /// It is for the next session.
        CarriedOver = 3 "carried_over",
    }
}

vocabulary! {
    /// The state of something prepared: computed from its logs, never stored.
    PreparationState {
        /// Nobody else knows of it.
        Private = 0 "private",
        /// To be brought up, and nobody else knows of it yet.
        Selected = 1 "selected",
        /// A copy stands on an agenda.
        Shared = 2 "shared",
        /// It was talked about.
        Discussed = 3 "discussed",
        /// It is for the next session.
        CarriedOver = 4 "carried_over",
        /// It was shared, and taken back.
        Withdrawn = 5 "withdrawn",
        /// Two devices said different things while apart; a later entry that cites both settles it.
        Disputed = 6 "disputed",
    }
}

impl From<PreparationMark> for PreparationState {
    fn from(mark: PreparationMark) -> Self {
        match mark {
            PreparationMark::Selected => Self::Selected,
            PreparationMark::Withdrawn => Self::Withdrawn,
            PreparationMark::Discussed => Self::Discussed,
            PreparationMark::CarriedOver => Self::CarriedOver,
        }
    }
}

/// What a person can do to a preparation log.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum PreparationCommand {
    /// Begins an entry with an empty text behind `after`, or first.
    #[n(0)]
    AddEntry {
        /// A fresh random id.
        #[n(0)]
        id: ItemId,
        /// What it follows.
        #[n(1)]
        after: Option<ItemId>,
    },
    /// Moves an entry behind `after`, or first.
    #[n(1)]
    MoveEntry {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// What it follows.
        #[n(1)]
        after: Option<ItemId>,
    },
    /// Removes an entry; an edit made on another device comes before it. What was shared of it stays where it is.
    #[n(2)]
    RemoveEntry {
        /// Which.
        #[n(0)]
        id: ItemId,
    },
    /// Edits an entry's text. What was shared of it stays as it was.
    #[n(3)]
    EditEntry {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// The edit.
        #[n(1)]
        splice: Splice,
    },
    /// Says more about an entry.
    #[n(4)]
    SetEntry {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// The field and its value.
        #[n(1)]
        value: PreparationValue,
    },
    /// Takes a value out.
    #[n(5)]
    ClearEntry {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// Which field.
        #[n(1)]
        field: PreparationField,
    },
    /// Names a feeling that goes with it (DOMAIN A25).
    #[n(6)]
    AddFeeling {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// The feeling.
        #[n(1)]
        feeling: Feeling,
    },
    /// Takes one out; named again on another device, it stays.
    #[n(7)]
    RemoveFeeling {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// The feeling.
        #[n(1)]
        feeling: Feeling,
    },
    /// Writes an entry in the log of something prepared.
    #[n(8)]
    Mark {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// A fresh random id of the log entry.
        #[n(1)]
        op: ItemId,
        /// What it says.
        #[n(2)]
        mark: PreparationMark,
        /// The log entries and shares that it answers.
        #[n(3)]
        cites: Vec<ItemId>,
    },
    /// Writes down what was shared of it. Only the program says so, when it has put the copy on the agenda.
    #[n(9)]
    Share {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// A fresh random id of the log entry.
        #[n(1)]
        op: ItemId,
        /// What was put where.
        #[n(2)]
        share: Share,
        /// The log entries that it answers: [`PreparationEntryView::unanswered_marks`].
        #[n(3)]
        cites: Vec<ItemId>,
    },
}

/// A field of an entry as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparationFieldView {
    /// Which.
    pub field: PreparationField,
    /// Every value that two devices wrote apart, the one that is shown first.
    pub values: Vec<Claim>,
}

/// What was shared of an entry, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareView {
    /// Its id in the log.
    pub op: ItemId,
    /// The session's space in hexadecimal.
    pub space: String,
    /// The session in hexadecimal.
    pub session: String,
    /// What was put on its agenda.
    pub item: ItemId,
    /// The hash of its text when it was shared, in hexadecimal.
    pub hash: String,
    /// The day for which it was shared.
    pub date: Option<CivilDate>,
    /// The log entries that it answers.
    pub cites: Vec<ItemId>,
    /// Who shared it: index into the view's `authors`.
    pub by: usize,
    /// What became of it: shared, discussed, carried over, withdrawn or disputed.
    pub state: PreparationState,
}

/// Something prepared, as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparationEntryView {
    /// Its id.
    pub id: ItemId,
    /// What it says.
    pub text: TextView,
    /// The fields that have a value.
    pub fields: Vec<PreparationFieldView>,
    /// The feelings that go with it.
    pub feelings: Vec<Feeling>,
    /// Its state, computed from the logs.
    pub state: PreparationState,
    /// What was shared of it.
    pub shares: Vec<ShareView>,
    /// The log.
    pub log: Vec<LogEntry<PreparationMark>>,
}

/// A preparation log as the apps and `--json` show it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparationView {
    /// The document's id in hexadecimal.
    pub document: String,
    /// Everybody who wrote something that is shown: one person.
    pub authors: Vec<String>,
    /// The entries in order.
    pub entries: Vec<PreparationEntryView>,
    /// Where two devices wrote different values while apart.
    pub conflicts: Vec<FieldConflict>,
}

impl PreparationView {
    /// The entry of this id.
    #[must_use]
    pub fn entry(&self, id: ItemId) -> Option<&PreparationEntryView> {
        self.entries.iter().find(|entry| entry.id == id)
    }
}

impl PreparationEntryView {
    /// The value of a field that is shown.
    #[must_use]
    pub fn value(&self, field: PreparationField) -> Option<PreparationValue> {
        let view = self.fields.iter().find(|view| view.field == field)?;
        PreparationValue::from_text(field, &view.values.first()?.value)
    }

    /// The log entries and shares that nothing answers: what the next mark of the whole entry cites.
    #[must_use]
    pub fn unanswered(&self) -> Vec<ItemId> {
        newest(&together(&self.shares, &self.log)).map(|entry| entry.op).collect()
    }

    /// Those of them that are no shares: what selecting it and a further share cite, so that what stands on another
    /// agenda goes on standing there.
    #[must_use]
    pub fn unanswered_marks(&self) -> Vec<ItemId> {
        let all = together(&self.shares, &self.log);
        newest(&all).filter(|entry| entry.transition != PreparationState::Shared).map(|entry| entry.op).collect()
    }

    /// What is unanswered of one share: what a mark of that share alone cites.
    #[must_use]
    pub fn unanswered_of(&self, share: ItemId) -> Vec<ItemId> {
        newest(&of_share(share, &self.shares, &self.log)).map(|entry| entry.op).collect()
    }

    /// What was shared of it in a session, in hexadecimal.
    pub fn shares_in<'a>(&'a self, session: &'a str) -> impl Iterator<Item = &'a ShareView> {
        self.shares.iter().filter(move |share| share.session == session)
    }
}

/// What is written of an entry as one log: a share says that it is shared.
fn together(shares: &[ShareView], log: &[LogEntry<PreparationMark>]) -> Vec<LogEntry<PreparationState>> {
    let shared = shares.iter().map(|share| LogEntry {
        op: share.op,
        transition: PreparationState::Shared,
        cites: share.cites.clone(),
        by: share.by,
    });
    let marks = log.iter().map(|entry| LogEntry {
        op: entry.op,
        transition: entry.transition.into(),
        cites: entry.cites.clone(),
        by: entry.by,
    });
    shared.chain(marks).collect()
}

/// A share and what was said of it since. To select the entry once more is about the next share, not about this one.
fn of_share(share: ItemId, shares: &[ShareView], log: &[LogEntry<PreparationMark>]) -> Vec<LogEntry<PreparationState>> {
    let all = together(shares, log);
    let (mut of, mut rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|entry| entry.op == share);
    rest.retain(|entry| !matches!(entry.transition, PreparationState::Shared | PreparationState::Selected));
    loop {
        let known = |entry: &LogEntry<PreparationState>| {
            entry.cites.iter().any(|cite| of.iter().any(|answered| answered.op == *cite))
        };
        let (more, left): (Vec<_>, Vec<_>) = rest.into_iter().partition(known);
        if more.is_empty() {
            return of;
        }
        of.extend(more);
        rest = left;
    }
}

/// What became of one share.
#[must_use]
pub fn share_state_of(share: ItemId, shares: &[ShareView], log: &[LogEntry<PreparationMark>]) -> PreparationState {
    match said(&of_share(share, shares, log)) {
        Said::Nothing => PreparationState::Private,
        Said::One(state) => state,
        Said::Different => PreparationState::Disputed,
    }
}

/// The state that the logs of something prepared say. While anything of it stands on an agenda, it is shared; of what
/// became of it in several sessions, what is still to be brought up comes first.
#[must_use]
pub fn preparation_state_of(shares: &[ShareView], log: &[LogEntry<PreparationMark>]) -> PreparationState {
    use PreparationState as S;
    let all = together(shares, log);
    let newest: Vec<_> = newest(&all).collect();
    let says = |state: S| newest.iter().any(|entry| entry.transition == state);
    if says(S::Shared) {
        return S::Shared;
    }
    match said(&all) {
        Said::Nothing => S::Private,
        Said::One(S::Withdrawn) if shares.is_empty() => S::Private,
        Said::One(state) => state,
        Said::Different => {
            let apart = |one: &LogEntry<S>, other: &LogEntry<S>| {
                let same = one.cites.iter().any(|cite| other.cites.contains(cite));
                one.transition != other.transition && (same || one.cites.is_empty() && other.cites.is_empty())
            };
            if newest.iter().any(|one| newest.iter().any(|other| apart(one, other))) {
                return S::Disputed;
            }
            let order = [S::CarriedOver, S::Selected, S::Discussed, S::Withdrawn];
            order.into_iter().find(|state| says(*state)).unwrap_or(S::Disputed)
        }
    }
}
