//! The working agreement (DOMAIN 2.2): clauses that say *must* or *may*, typed terms, protective terms.

mod check;
mod protective;
mod terms;
mod version;

pub use check::check;
pub use protective::{PROTECTIVE, Protection, ProtectionEntry, ProtectiveTerm, ProtectiveValue, Protector, value_of};
pub use terms::{CadenceUnit, Term, TermName};
pub use version::{AgreementState, AgreementText, MANDATORY, Proposal, TEXT_FORM, VersionState, VersionView};

use alliance_wire::FrozenHash;
use serde::{Deserialize, Serialize};

use crate::cosign::{Cosignature, frozen};
use crate::kind::ItemId;
use crate::text::{Splice, TextView};
use crate::view::{Claim, FieldConflict};
use crate::vocabulary::vocabulary;

vocabulary! {
    /// Where a clause belongs: the parts of DOMAIN A07 and those of DOMAIN 2.2.
    ClauseSection {
        /// What each hopes for.
        Hopes = 0 "hopes",
        /// Responsibilities and roles.
        Roles = 1 "responsibilities_roles",
        /// Contextual factors.
        Context = 2 "contextual_factors",
        /// Administrative arrangements.
        Arrangements = 3 "administrative_arrangements",
        /// The supervisor's methods.
        Methods = 4 "supervisor_methods",
        /// Developmental needs and learning goals.
        Needs = 5 "developmental_needs",
        /// Preferred learning styles.
        Styles = 6 "learning_styles",
        /// Resources of the supervisor.
        SupervisorResources = 7 "supervisor_resources",
        /// Resources of the practitioner.
        PractitionerResources = 8 "practitioner_resources",
        /// Confidentiality.
        Confidentiality = 9 "confidentiality",
        /// What is recorded and where.
        RecordKeeping = 10 "record_keeping",
        /// Rules for feedback.
        FeedbackRules = 11 "feedback_rules",
        /// Ground rules.
        GroundRules = 12 "ground_rules",
        /// Special needs that their owner chose to share.
        SpecialNeeds = 13 "special_needs_shared",
        /// What somebody chose not to take part in.
        OptOuts = 14 "opt_outs",
        /// Preparation.
        Preparation = 15 "preparation",
        /// Reviews.
        Reviews = 16 "reviews",
        /// Criteria of good practice.
        Criteria = 17 "criteria",
        /// Recordings.
        Recordings = 18 "recordings",
        /// Disclosure.
        Disclosure = 19 "disclosure",
        /// Ending.
        Ending = 20 "ending",
        /// Language.
        Language = 21 "language",
    }
}

vocabulary! {
    /// Whether a clause states a purpose or a preference (DOMAIN A24).
    Modality {
        /// "We must".
        Must = 0 "must",
        /// "We may".
        May = 1 "may",
    }
}

/// What a person can do to a working agreement.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum AgreementCommand {
    /// Adds an empty clause behind `after`, or first.
    #[n(0)]
    AddClause {
        /// A fresh random id.
        #[n(0)]
        id: ItemId,
        /// Its section.
        #[n(1)]
        section: ClauseSection,
        /// Must or may.
        #[n(2)]
        modality: Modality,
        /// The clause that it follows.
        #[n(3)]
        after: Option<ItemId>,
    },
    /// Moves a clause behind `after`, or first.
    #[n(1)]
    MoveClause {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// The clause that it follows.
        #[n(1)]
        after: Option<ItemId>,
    },
    /// Removes a clause; an edit made apart brings it back (DOMAIN 2.3, delete and edit).
    #[n(2)]
    RemoveClause {
        /// Which.
        #[n(0)]
        id: ItemId,
    },
    /// Says must or may.
    #[n(3)]
    SetModality {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// The new modality.
        #[n(1)]
        modality: Modality,
    },
    /// Edits a clause's text.
    #[n(4)]
    EditClause {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// The edit.
        #[n(1)]
        splice: Splice,
    },
    /// Sets a typed term.
    #[n(5)]
    SetTerm {
        /// The term and its value.
        #[n(0)]
        term: Term,
    },
    /// Takes a typed term out.
    #[n(6)]
    ClearTerm {
        /// Which.
        #[n(0)]
        name: TermName,
    },
    /// Writes an entry in a protective term's log.
    #[n(7)]
    Protect {
        /// A fresh random id of the entry.
        #[n(0)]
        op: ItemId,
        /// The term and the value wanted.
        #[n(1)]
        value: ProtectiveValue,
        /// Entries that the author wants to hold no longer.
        #[n(2)]
        lifts: Vec<ItemId>,
    },
    /// Says that the author understood a clause as it stands (DOMAIN A24).
    #[n(8)]
    Understand {
        /// Which clause.
        #[n(0)]
        id: ItemId,
        /// A fresh random id of the entry.
        #[n(1)]
        op: ItemId,
        /// The wording that was read: [`ClauseView::wording`].
        #[n(2)]
        wording: FrozenHash,
    },
    /// Says something about a clause: negotiating is part of the work (DOMAIN A08).
    #[n(9)]
    Remark {
        /// Which clause.
        #[n(0)]
        id: ItemId,
        /// A fresh random id of the entry.
        #[n(1)]
        op: ItemId,
        /// The remark.
        #[n(2)]
        text: String,
    },
    /// Freezes the agreement as it is for everybody to sign (DOMAIN 2.9, signing together).
    #[n(10)]
    Propose {
        /// A fresh random id of the entry.
        #[n(0)]
        op: ItemId,
        /// What is proposed.
        #[n(1)]
        proposal: Proposal,
    },
    /// Signs a version.
    #[n(11)]
    Sign {
        /// A fresh random id of the entry.
        #[n(0)]
        op: ItemId,
        /// The signature.
        #[n(1)]
        signature: Cosignature,
        /// The hash of the text that the signer was shown.
        #[n(2)]
        seen: FrozenHash,
    },
}

/// A clause as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClauseView {
    /// Its id.
    pub id: ItemId,
    /// Its section; `None` if a newer version named one that this version does not know.
    pub section: Option<ClauseSection>,
    /// Must or may; of two values written apart the stricter, *must*, is shown and the conflict listed.
    pub modality: Option<Modality>,
    /// The text.
    pub text: TextView,
    /// Who said that they understood it.
    pub understood: Vec<UnderstoodView>,
    /// What was said about it, in order.
    pub thread: Vec<RemarkView>,
}

impl ClauseView {
    /// The hash of its wording: what somebody understood.
    #[must_use]
    pub fn wording(&self) -> FrozenHash {
        frozen(self.text.text.as_bytes())
    }
}

/// Somebody understood a clause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderstoodView {
    /// The entry's id.
    pub op: ItemId,
    /// Who: index into the view's `authors`.
    pub by: usize,
    /// Whether the clause still has the wording that was read.
    pub current: bool,
}

/// A remark on a clause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemarkView {
    /// The entry's id.
    pub op: ItemId,
    /// Who: index into the view's `authors`.
    pub by: usize,
    /// What.
    pub text: String,
}

/// A typed term as shown: every value that people wrote apart, the safer one first (DOMAIN 2.3, M).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermView {
    /// Which.
    pub name: TermName,
    /// The values.
    pub values: Vec<Claim>,
}

/// A protective term as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectiveView {
    /// Which.
    pub term: ProtectiveTerm,
    /// The value that holds: the most protective one that is not lifted; `None` while nobody said anything.
    pub value: Option<String>,
    /// The log.
    pub entries: Vec<ProtectiveEntryView>,
}

/// One entry of a protective term's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectiveEntryView {
    /// Its id.
    pub op: ItemId,
    /// The value that it asks for.
    pub value: String,
    /// Who wrote it: index into the view's `authors`.
    pub by: usize,
    /// The entries that it lifts.
    pub lifts: Vec<ItemId>,
    /// Whether every protector lifted it.
    pub lifted: bool,
}

/// A working agreement as the apps and `--json` show it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementView {
    /// The document's id in hexadecimal.
    pub document: String,
    /// Everybody who wrote something that is shown.
    pub authors: Vec<String>,
    /// The clauses in order.
    pub clauses: Vec<ClauseView>,
    /// The typed terms that have a value.
    pub terms: Vec<TermView>,
    /// The protective terms.
    pub protective: Vec<ProtectiveView>,
    /// Where people wrote different values while apart.
    pub conflicts: Vec<FieldConflict>,
    /// Where it stands.
    pub state: AgreementState,
    /// What was proposed, by number.
    pub versions: Vec<VersionView>,
    /// The hash of the text as it is now, in hexadecimal: what a signer was shown.
    pub text: String,
}

impl AgreementView {
    /// The clause with this id.
    #[must_use]
    pub fn clause(&self, id: ItemId) -> Option<&ClauseView> {
        self.clauses.iter().find(|clause| clause.id == id)
    }

    /// The protective term.
    #[must_use]
    pub fn protective(&self, term: ProtectiveTerm) -> Option<&ProtectiveView> {
        self.protective.iter().find(|view| view.term == term)
    }

    /// The value that calculations use for a term.
    #[must_use]
    pub fn term(&self, name: TermName) -> Option<Term> {
        let view = self.terms.iter().find(|term| term.name == name)?;
        Term::from_text(name, &view.values.first()?.value)
    }
}
