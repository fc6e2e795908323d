//! The note of one session (DOMAIN 2.2): stage sections as text, functions with weights, actions.

mod check;
mod confirm;

pub use check::{check, content_permitted};
pub use confirm::{
    ActionText, AddendumView, ApartView, Confirmation, FrozenState, FrozenView, NoteState, NoteText, RENDERING_FORM,
    Rendering,
};

use alliance_wire::FrozenHash;
use serde::{Deserialize, Serialize};

use crate::agreement::ProtectiveValue;
use crate::date::CivilDate;
use crate::kind::ItemId;
use crate::log::{LogEntry, Said, newest, said};
pub use crate::meeting::MeetingKind;
use crate::text::{Splice, TextView};
use crate::view::{Claim, FieldConflict};
use crate::vocabulary::vocabulary;

vocabulary! {
    /// The stages of a session (DOMAIN A33, C12-C14).
    Stage {
        /// The focus or question.
        Focus = 0 "focus",
        /// Exploration.
        Exploration = 1 "exploration",
        /// Deeper understanding.
        Understanding = 2 "understanding",
        /// Action.
        Action = 3 "action",
        /// Close.
        Close = 4 "close",
    }
}

vocabulary! {
    /// What an entry in an action's log says.
    Transition {
        /// It is done.
        Done = 0 "done",
        /// It is open again.
        Reopened = 1 "reopened",
    }
}

vocabulary! {
    /// An action's state: computed from its log, never stored (DOMAIN 2.3, status).
    ActionState {
        /// To do.
        Open = 0 "open",
        /// Done.
        Done = 1 "done",
        /// People said different things while apart; a later entry that cites both settles it.
        Disputed = 2 "disputed",
    }
}

/// What a person can do to a note.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum NoteCommand {
    /// Sets the title.
    #[n(0)]
    SetTitle {
        /// One line.
        #[n(0)]
        title: String,
    },
    /// Sets the date of the session.
    #[n(1)]
    SetDate {
        /// The civil date.
        #[n(0)]
        date: CivilDate,
    },
    /// Chooses the kind, once.
    #[n(2)]
    SetKind {
        /// The kind.
        #[n(0)]
        kind: MeetingKind,
    },
    /// Edits a section.
    #[n(3)]
    EditSection {
        /// Which.
        #[n(0)]
        stage: Stage,
        /// The edit.
        #[n(1)]
        splice: Splice,
    },
    /// Says how much of the session a function took.
    #[n(4)]
    SetFunction {
        /// The scheme's name.
        #[n(0)]
        scheme: String,
        /// The function's name.
        #[n(1)]
        function: String,
        /// 0 to 100 percent.
        #[n(2)]
        weight: u8,
    },
    /// Adds an action with an empty text behind `after`, or first.
    #[n(5)]
    AddAction {
        /// A fresh random id.
        #[n(0)]
        id: ItemId,
        /// The action that it follows.
        #[n(1)]
        after: Option<ItemId>,
    },
    /// Moves an action behind `after`, or first.
    #[n(6)]
    MoveAction {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// The action that it follows.
        #[n(1)]
        after: Option<ItemId>,
    },
    /// Removes an action; an edit made apart brings it back.
    #[n(7)]
    RemoveAction {
        /// Which.
        #[n(0)]
        id: ItemId,
    },
    /// Edits an action's text.
    #[n(8)]
    EditAction {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// The edit.
        #[n(1)]
        splice: Splice,
    },
    /// Says who does it.
    #[n(9)]
    SetOwner {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// A name, one line.
        #[n(1)]
        owner: String,
    },
    /// Says until when, or that there is no date.
    #[n(10)]
    SetDue {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// The civil date.
        #[n(1)]
        due: Option<CivilDate>,
    },
    /// Writes an entry in an action's log.
    #[n(11)]
    MarkAction {
        /// Which action.
        #[n(0)]
        id: ItemId,
        /// A fresh random id of the entry.
        #[n(1)]
        op: ItemId,
        /// What it says.
        #[n(2)]
        transition: Transition,
        /// The entries that it answers: the newest ones that its author saw.
        #[n(3)]
        cites: Vec<ItemId>,
    },
    /// Confirms what the note says.
    #[n(12)]
    Confirm {
        /// A fresh random id of the log's entry.
        #[n(0)]
        op: ItemId,
        /// What is confirmed, with this person's signature.
        #[n(1)]
        confirmation: Box<Confirmation>,
        /// The hash of the text that the person was shown; it is not written.
        #[n(2)]
        seen: FrozenHash,
    },
    /// Adds something that is never changed.
    #[n(13)]
    AddAddendum {
        /// A fresh random id.
        #[n(0)]
        op: ItemId,
        /// What is said.
        #[n(1)]
        text: String,
    },
    /// Says what the agreement lets this note hold: [`RecordCited`].
    #[n(14)]
    CiteRule {
        /// A value of the record rule.
        #[n(0)]
        rule: ProtectiveValue,
    },
}

impl NoteCommand {
    /// Whether the command writes something of what was said (DOMAIN 2.6 row 5). Date and kind say that there was a session;
    /// what takes text away leaves less than there was; and what was agreed before is done all the same.
    #[must_use]
    pub const fn is_content(&self) -> bool {
        match self {
            Self::SetDate { .. }
            | Self::SetKind { .. }
            | Self::MoveAction { .. }
            | Self::RemoveAction { .. }
            | Self::MarkAction { .. }
            | Self::Confirm { .. }
            | Self::CiteRule { .. } => false,
            Self::EditSection { splice, .. } | Self::EditAction { splice, .. } => !splice.insert.is_empty(),
            Self::SetTitle { .. }
            | Self::SetFunction { .. }
            | Self::AddAction { .. }
            | Self::SetOwner { .. }
            | Self::SetDue { .. }
            | Self::AddAddendum { .. } => true,
        }
    }

    /// Whether the command changes what people confirm. Whether an action is done is no part of that: it is done, or is
    /// not, long after the note was locked.
    #[must_use]
    pub const fn is_of_the_text(&self) -> bool {
        !matches!(
            self,
            Self::MarkAction { .. } | Self::Confirm { .. } | Self::AddAddendum { .. } | Self::CiteRule { .. }
        )
    }
}

/// A section as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionView {
    /// Its stage.
    pub stage: Stage,
    /// The text.
    pub text: TextView,
}

/// A function's weight as shown: every value that people wrote apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionView {
    /// The scheme.
    pub scheme: String,
    /// The function.
    pub function: String,
    /// The weights, the smallest first: it is the one for calculations.
    pub values: Vec<Claim>,
}

/// An entry of an action's log.
pub type TransitionView = LogEntry<Transition>;

/// An action as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionView {
    /// Its id.
    pub id: ItemId,
    /// What is to be done.
    pub text: TextView,
    /// Who does it: every value written apart.
    pub owner: Vec<Claim>,
    /// Until when: every value written apart, the earlier first.
    pub due: Vec<Claim>,
    /// Its state, computed from the log.
    pub state: ActionState,
    /// The log.
    pub log: Vec<TransitionView>,
}

impl ActionView {
    /// The log entries that no other entry answers: what the next entry cites.
    #[must_use]
    pub fn newest(&self) -> Vec<ItemId> {
        newest(&self.log).map(|entry| entry.op).collect()
    }
}

/// The state that a log says: one word if its unanswered entries agree, else disputed.
#[must_use]
pub fn state_of(log: &[TransitionView]) -> ActionState {
    match said(log) {
        Said::Nothing | Said::One(Transition::Reopened) => ActionState::Open,
        Said::One(Transition::Done) => ActionState::Done,
        Said::Different => ActionState::Disputed,
    }
}

/// The record rule that whoever wrote a note relied on (DOMAIN 2.6 row 5): the strictest of what was cited apart. It is
/// written where a note is begun while nothing of what is said may be kept, and again where text is written once it may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordCited {
    /// The rule's name.
    pub rule: String,
    /// Whether the note holds something of what was said all the same: its author's program knew no rule, or heeded none.
    pub against: bool,
}

/// A session note as the apps and `--json` show it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteView {
    /// The document's id in hexadecimal.
    pub document: String,
    /// Everybody who wrote something that is shown.
    pub authors: Vec<String>,
    /// The title.
    pub title: Option<String>,
    /// The date of the session; of two written apart the earlier.
    pub date: Option<CivilDate>,
    /// The kind of meeting.
    pub kind: Option<MeetingKind>,
    /// The sections, all stages in order.
    pub sections: Vec<SectionView>,
    /// The functions that have a weight.
    pub functions: Vec<FunctionView>,
    /// The actions in order.
    pub actions: Vec<ActionView>,
    /// Where people wrote different values while apart.
    pub conflicts: Vec<FieldConflict>,
    /// The hash of the text as it is shown; empty where nobody asks what was confirmed, as in lists.
    pub text: String,
    /// Where it stands.
    pub state: NoteState,
    /// The texts that somebody confirmed, in the order in which they first were.
    pub confirmed: Vec<FrozenView>,
    /// What was written by people who did not know that the note was locked: it is no part of the locked text.
    pub apart: Vec<ApartView>,
    /// What was added, in order.
    pub addenda: Vec<AddendumView>,
    /// The record rule that it cites, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordCited>,
}

impl NoteView {
    /// Whether it holds something of what was said ([`NoteCommand::is_content`]).
    #[must_use]
    pub fn has_content(&self) -> bool {
        self.title.as_ref().is_some_and(|title| !title.is_empty())
            || self.sections.iter().any(|section| !section.text.text.is_empty())
            || !self.functions.is_empty()
            || !self.actions.is_empty()
            || !self.addenda.is_empty()
    }

    /// The section of this stage.
    #[must_use]
    pub fn section(&self, stage: Stage) -> Option<&TextView> {
        self.sections.iter().find(|section| section.stage == stage).map(|section| &section.text)
    }

    /// The action with this id.
    #[must_use]
    pub fn action(&self, id: ItemId) -> Option<&ActionView> {
        self.actions.iter().find(|action| action.id == id)
    }
}
