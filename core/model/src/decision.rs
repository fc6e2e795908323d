//! Decisions (DOMAIN 2.2, Decision; C10, C14): what somebody decided, why, and what the supervisor said to it.
//!
//! The wording is the supervisee's alone and the ethics check is another's: neither writes the other's. When both have
//! sealed it, a decision never changes, and names the sealed ones before it: the trail of decisions that can be shown to
//! somebody who has nothing else ([`trail`]).

mod check;
mod seal;
pub mod trail;

pub use check::check;
pub use seal::{CheckText, DECISION_FORM, DecisionText, PartText, SealView, Sealed, Sealing};

use alliance_wire::{DocumentId, FrozenHash, PersonTag};
use serde::{Deserialize, Serialize};

use crate::kind::ItemId;
use crate::text::{Splice, TextView};
use crate::view::Difference;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// The texts that every decision has once.
    DecisionField {
        /// What was to be decided.
        Question = 0 "question",
        /// Why it was decided so.
        Rationale = 1 "rationale",
        /// What was chosen.
        Choice = 2 "choice",
    }
}

impl DecisionField {
    /// The item that holds the text: the same in every decision.
    #[must_use]
    pub const fn id(self) -> ItemId {
        match self {
            Self::Question => ItemId(*b"question"),
            Self::Rationale => ItemId(*b"rational"),
            Self::Choice => ItemId(*b"choice  "),
        }
    }

    /// The text that this item holds.
    #[must_use]
    pub fn of(id: ItemId) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.id() == id)
    }
}

vocabulary! {
    /// What a decision has several of.
    DecisionList {
        /// Something that could have been chosen.
        Option = 0 "option",
        /// A code or guideline of the profession that was weighed (A05).
        Code = 1 "code",
    }
}

vocabulary! {
    /// Where a decision stands: computed from who sealed it.
    DecisionState {
        /// It is being worded.
        Draft = 0 "draft",
        /// Not everybody who has to has sealed it.
        SealedBySome = 1 "sealed_by_some",
        /// It never changes any more.
        Sealed = 2 "sealed",
    }
}

/// What somebody said to a decision from the side of ethics, as it stands in its log.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct EthicsCheck {
    /// Who.
    #[n(0)]
    pub person: PersonTag,
    /// What.
    #[n(1)]
    pub text: String,
}

impl EthicsCheck {
    /// Reads what stands in a log; `None` if it is no ethics check.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        alliance_wire::decode(bytes).ok()
    }

    /// What stands in a log.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        alliance_wire::encode(self)
    }
}

/// What a person can do to a decision.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum DecisionCommand {
    /// Begins it. Its id says whose it is ([`decision_of`](crate::kind::decision_of)).
    #[n(0)]
    Begin {
        /// Whose it is.
        #[n(0)]
        person: PersonTag,
        /// The session in which it was talked about.
        #[n(1)]
        session: Option<DocumentId>,
    },
    /// Edits one of its texts.
    #[n(1)]
    Edit {
        /// [`DecisionField::id`], or the id of something listed.
        #[n(0)]
        id: ItemId,
        /// The edit.
        #[n(1)]
        splice: Splice,
    },
    /// Adds something listed with an empty text behind `after`, or first.
    #[n(2)]
    Add {
        /// A fresh random id.
        #[n(0)]
        id: ItemId,
        /// What it is.
        #[n(1)]
        list: DecisionList,
        /// What it follows.
        #[n(2)]
        after: Option<ItemId>,
    },
    /// Takes something listed out.
    #[n(3)]
    Remove {
        /// Which.
        #[n(0)]
        id: ItemId,
    },
    /// Says whether it is an ethical decision (C10).
    #[n(4)]
    SetEthical {
        /// Whether it is.
        #[n(0)]
        ethical: bool,
    },
    /// Says something to it from the side of ethics. It is never changed.
    #[n(5)]
    Check {
        /// A fresh random id for the log entry.
        #[n(0)]
        op: ItemId,
        /// Who says what.
        #[n(1)]
        check: EthicsCheck,
    },
    /// Seals what it says.
    #[n(6)]
    Seal {
        /// A fresh random id for the log entry.
        #[n(0)]
        op: ItemId,
        /// What is sealed, and by whom.
        #[n(1)]
        sealed: Box<Sealed>,
        /// The text that the person was shown.
        #[n(2)]
        seen: FrozenHash,
    },
}

/// Something listed, as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartView {
    /// Its id.
    pub id: ItemId,
    /// What it is.
    pub list: DecisionList,
    /// Its words.
    pub text: TextView,
}

/// An ethics check, as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckView {
    /// Its id in the log.
    pub op: ItemId,
    /// Who: index into the view's `authors`.
    pub by: usize,
    /// Who, by tag.
    pub person: String,
    /// What was said.
    pub text: String,
}

/// A decision, as apps and `--json` show it. Once it is sealed, it shows what was sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionView {
    /// Its id.
    pub document: String,
    /// Whose it is: index into `authors`. Nothing before its beginning has arrived.
    pub made_by: Option<usize>,
    /// The same by tag.
    pub maker: Option<String>,
    /// The session in which it was talked about.
    pub session: Option<String>,
    /// Whether it is an ethical decision.
    pub ethical: bool,
    /// Its texts.
    pub question: TextView,
    /// Why it was decided so.
    pub rationale: TextView,
    /// What was chosen.
    pub choice: TextView,
    /// What could have been chosen, and the codes that were weighed.
    pub listed: Vec<PartView>,
    /// What was said to it from the side of ethics.
    pub checks: Vec<CheckView>,
    /// The hash of the text as it is shown: what somebody who seals says to have been shown.
    pub text: String,
    /// What somebody sealed.
    pub seals: Vec<SealView>,
    /// Where it stands.
    pub state: DecisionState,
    /// What the maker wrote without knowing that it was sealed. It is no part of the decision.
    pub apart: Vec<Difference>,
    /// Who is named above.
    pub authors: Vec<String>,
}

#[allow(clippy::derivable_impls, reason = "a vocabulary's variants take no further attribute")]
impl Default for DecisionState {
    fn default() -> Self {
        Self::Draft
    }
}

impl DecisionView {
    /// One of its texts.
    #[must_use]
    pub const fn field(&self, field: DecisionField) -> &TextView {
        match field {
            DecisionField::Question => &self.question,
            DecisionField::Rationale => &self.rationale,
            DecisionField::Choice => &self.choice,
        }
    }

    /// One of its texts, to be filled in.
    pub const fn field_mut(&mut self, field: DecisionField) -> &mut TextView {
        match field {
            DecisionField::Question => &mut self.question,
            DecisionField::Rationale => &mut self.rationale,
            DecisionField::Choice => &mut self.choice,
        }
    }

    /// What it lists of one sort, in order.
    pub fn list(&self, list: DecisionList) -> impl Iterator<Item = &PartView> {
        self.listed.iter().filter(move |part| part.list == list)
    }

    /// The text of an item: one of its own, or something listed.
    #[must_use]
    pub fn item(&self, id: ItemId) -> Option<&TextView> {
        let of_list = || self.listed.iter().find(|part| part.id == id).map(|part| &part.text);
        DecisionField::of(id).map(|field| self.field(field)).or_else(of_list)
    }

    /// Whose it is, by name.
    #[must_use]
    pub fn maker_name(&self) -> Option<&str> {
        self.authors.get(self.made_by?).map(String::as_str)
    }

    /// Whether it never changes any more.
    #[must_use]
    pub const fn is_sealed(&self) -> bool {
        matches!(self.state, DecisionState::Sealed)
    }
}
