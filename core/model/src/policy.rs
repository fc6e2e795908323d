//! Policy as data (DOMAIN 1.D, 2.11): what follows from a meeting's kind is a record in a pack, not code.
//!
//! One pack is shipped with the program: the four columns of DOMAIN 1.D, three further kinds, templates of agreements
//! and texts. An organisation may adopt further packs, which are signed files. They can only tighten: [`Policy::in_force`]
//! is the shipped records met with those of every adopted pack, in whatever order they came, and [`Policy::check`] refuses
//! one that says more than it may. Words that only a newer version of the program knows are kept and permit nothing;
//! keys are kept and ignored.

mod json;
mod pack;
mod signed;
mod template;
mod tighten;
mod words;

pub use crate::vocabulary::Vocabulary;
pub use pack::{Pack, PackError, PackScheme, PackText};
pub use signed::{SignedPack, SignedPackError};
pub use template::{Template, TemplateClause, TemplateProtective, TemplateTerm};
pub use tighten::Policy;
pub use words::{AgendaOrigin, AgendaOwner, AttendanceMax, CloseField, ContentAudience, EvidenceSource, Word};

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::limits::CLOSE_FIELDS_MAX;
use crate::meeting::MeetingKind;
use crate::refusal::{Refusal, RefusalCode};
use crate::session::SessionRole;

/// Keys that this version does not know, with what stands there.
pub type Unknown = BTreeMap<String, Value>;

/// What holds for meetings of one kind. A record is whole: each of its fields has to be there, so that none is guessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingPolicy {
    /// The kind.
    pub kind: Word<MeetingKind>,
    /// Whose the agenda is (D1).
    pub agenda_owner: Word<AgendaOwner>,
    /// What others may put on it (D1).
    pub proposers: BTreeMap<Word<SessionRole>, Vec<Word<AgendaOrigin>>>,
    /// In which audience what is said and written lives (D2).
    pub content_audience: Word<ContentAudience>,
    /// What an organisation learns of attendance at most (D2).
    pub attendance_projection_max: Word<AttendanceMax>,
    /// The record rules that may be agreed (D2, D8): names of the agreement's protective term.
    pub content_record_rules: Vec<String>,
    /// What a challenge may rest on (D4).
    pub evidence_sources: Vec<Word<EvidenceSource>>,
    /// What may be challenged (D4).
    pub challenge_topics: Vec<String>,
    /// What information is given for (D3).
    pub information_purposes: Vec<String>,
    /// Help outside meetings (D5).
    pub outside_help: OutsideHelp,
    /// What is brought out (D6).
    pub catalytic_topics: Vec<String>,
    /// Whether a copy may go to a personnel file (D2).
    pub personnel_copy: bool,
    /// Whom or which file content may reach at discretion (D2).
    pub discretion_recipients: Vec<String>,
    /// For what confidentiality may be broken (C17, C18).
    pub disclosure_grounds: Vec<String>,
    /// What closing asks for: at most [`CLOSE_FIELDS_MAX`] fields.
    pub required_close_fields: Vec<Word<CloseField>>,
    /// What else stands in the record.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Whether there is help outside meetings (DOMAIN D5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideHelp {
    /// Whether there is, for whatever it is needed.
    pub allowed: bool,
    /// What there is all the same where it is not allowed; says nothing where it is.
    pub except: Vec<String>,
    /// What else stands there.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What somebody may bring.
#[derive(PartialEq, Eq)]
enum Origins {
    /// Anything.
    All,
    /// What comes from these.
    Listed(BTreeSet<AgendaOrigin>),
}

impl MeetingPolicy {
    /// Whether somebody in this role may put something from there on the agenda. Its owner may bring anything (D1).
    #[must_use]
    pub fn may_propose(&self, role: SessionRole, origin: AgendaOrigin) -> bool {
        match self.origins(role) {
            Origins::All => true,
            Origins::Listed(origins) => origins.contains(&origin),
        }
    }

    /// Whether a challenge may rest on this (D4).
    #[must_use]
    pub fn may_cite(&self, evidence: EvidenceSource) -> bool {
        self.evidence_sources.contains(&Word::Known(evidence))
    }

    /// Whether this may be challenged (D4).
    #[must_use]
    pub fn may_challenge(&self, topic: &str) -> bool {
        has(&self.challenge_topics, topic)
    }

    /// Whether information is given for this (D3).
    #[must_use]
    pub fn may_inform(&self, purpose: &str) -> bool {
        has(&self.information_purposes, purpose)
    }

    /// Whether there is help outside meetings for this (D5).
    #[must_use]
    pub fn may_help_outside(&self, what: &str) -> bool {
        self.outside_help.allowed || has(&self.outside_help.except, what)
    }

    /// Whether this is brought out in such a meeting (D6).
    #[must_use]
    pub fn may_elicit(&self, topic: &str) -> bool {
        has(&self.catalytic_topics, topic)
    }

    /// Whether people may agree on this record rule (D2, D8).
    #[must_use]
    pub fn allows_record_rule(&self, name: &str) -> bool {
        has(&self.content_record_rules, name)
    }

    /// Whether confidentiality may be broken for this (C17, C18).
    #[must_use]
    pub fn may_disclose(&self, ground: &str) -> bool {
        has(&self.disclosure_grounds, ground)
    }

    /// In which audience content lives; in none if only a newer version knows it.
    #[must_use]
    pub fn audience(&self) -> ContentAudience {
        self.content_audience.known().unwrap_or(ContentAudience::Nowhere)
    }

    /// What an organisation learns of attendance at most; nothing if only a newer version knows what.
    #[must_use]
    pub fn attendance_max(&self) -> AttendanceMax {
        self.attendance_projection_max.known().unwrap_or(AttendanceMax::None)
    }

    /// What closing a session asks for: never more than [`CLOSE_FIELDS_MAX`] fields, whatever the record says (B04).
    #[must_use]
    pub fn close_fields(&self) -> Vec<CloseField> {
        let fields: BTreeSet<CloseField> = self.required_close_fields.iter().filter_map(Word::known).collect();
        fields.into_iter().take(CLOSE_FIELDS_MAX).collect()
    }

    /// What the source says of this kind in a row of DOMAIN 1.D (`D1` to `D6`), in the pack's language.
    #[must_use]
    pub fn says(&self, row: &str) -> Option<&str> {
        self.unknown.get("says")?.get(row)?.as_str()
    }

    /// The refusal of something that this kind does not allow: `KIND_FORBIDS` with the field's name.
    #[must_use]
    pub fn forbids(&self, rule: &'static str) -> Refusal {
        Refusal::new(RefusalCode::KindForbids).with("kind", &self.kind).with("rule", rule)
    }

    fn owner(&self) -> AgendaOwner {
        self.agenda_owner.known().unwrap_or(AgendaOwner::Nobody)
    }

    /// What somebody in this role may bring.
    fn origins(&self, role: SessionRole) -> Origins {
        if self.owner().roles().contains(&role) {
            return Origins::All;
        }
        let listed = self.proposers.get(&Word::Known(role)).into_iter().flatten();
        Origins::Listed(listed.filter_map(Word::known).collect())
    }
}

fn has(list: &[String], word: &str) -> bool {
    list.iter().any(|listed| listed == word)
}
