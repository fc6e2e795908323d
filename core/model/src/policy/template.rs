//! Templates of agreements: text to begin with. A template is copied in and says nothing afterwards (DOMAIN A10).

use serde::{Deserialize, Serialize};

use super::{PackError, Unknown, Word};
use crate::agreement::{
    AgreementCommand, AgreementView, ClauseSection, Modality, ProtectiveTerm, ProtectiveValue, Term, TermName,
};
use crate::kind::ItemId;
use crate::limits::{INSERT_BYTES_MAX, TEXT_SCALARS_MAX};
use crate::refusal::{Refusal, RefusalCode};
use crate::text::Splice;

/// A template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// Its name: a word.
    pub name: String,
    /// Its language, a tag of BCP 47.
    pub language: String,
    /// What people choose it by.
    pub title: String,
    /// The clauses, in order.
    pub clauses: Vec<TemplateClause>,
    /// The typed terms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<TemplateTerm>,
    /// The protective terms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protective: Vec<TemplateProtective>,
    /// What else stands there.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A clause of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateClause {
    /// Where it belongs.
    pub section: Word<ClauseSection>,
    /// Must or may.
    pub modality: Word<Modality>,
    /// The text.
    pub text: String,
    /// What else stands there.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A typed term of a template, with its value as a person types it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateTerm {
    /// Which.
    pub name: Word<TermName>,
    /// Its value.
    pub value: String,
    /// What else stands there.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A protective term of a template, with the name of its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateProtective {
    /// Which.
    pub term: Word<ProtectiveTerm>,
    /// Its value.
    pub value: String,
    /// What else stands there.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl TemplateClause {
    /// Whether the text may stand in a clause.
    pub(super) fn check(&self) -> Result<(), PackError> {
        let fits = self.text.chars().count() <= TEXT_SCALARS_MAX && !self.text.trim().is_empty();
        let plain = !self.text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t'));
        if fits && plain { Ok(()) } else { Err(PackError::Text("a clause")) }
    }
}

impl Template {
    /// The commands that write it into an empty draft, in order. `fresh` gives a new random id at every call.
    ///
    /// # Errors
    /// As [`Template::commands_into`].
    pub fn commands(&self, fresh: impl FnMut() -> ItemId) -> Result<Vec<AgreementCommand>, Refusal> {
        self.commands_into(&AgreementView::default(), fresh)
    }

    /// The commands that write it into a draft as shown, in order. Nothing that is there is changed: clauses go behind
    /// the last one, and terms of which somebody said something are left as they are (DOMAIN A10).
    ///
    /// # Errors
    /// `SCHEMA_NEWER` (a section or a term of a newer version: half a template is worse than none); `PACK_BROKEN` (a term
    /// whose value cannot be read, named by `term`) and what [`Term::check`] says of one.
    pub fn commands_into(
        &self,
        view: &AgreementView,
        mut fresh: impl FnMut() -> ItemId,
    ) -> Result<Vec<AgreementCommand>, Refusal> {
        let mut commands = Vec::new();
        let mut last = view.clauses.last().map(|clause| clause.id);
        for clause in &self.clauses {
            let id = fresh();
            let (section, modality) = (known(clause.section.known())?, known(clause.modality.known())?);
            commands.push(AgreementCommand::AddClause { id, section, modality, after: last });
            commands.extend(splices(&clause.text).map(|splice| AgreementCommand::EditClause { id, splice }));
            last = Some(id);
        }
        for it in &self.terms {
            let name = known(it.name.known())?;
            let term = Term::from_text(name, &it.value).ok_or_else(|| unread(name.name()))?;
            term.check()?;
            if !view.terms.iter().any(|there| there.name == name) {
                commands.push(AgreementCommand::SetTerm { term });
            }
        }
        for it in &self.protective {
            let term = known(it.term.known())?;
            let value = ProtectiveValue::from_name(term, &it.value).ok_or_else(|| unread(term.name()))?;
            if view.protective(term).is_none_or(|there| there.entries.is_empty()) {
                commands.push(AgreementCommand::Protect { op: fresh(), value, lifts: Vec::new() });
            }
        }
        Ok(commands)
    }
}

fn known<T>(word: Option<T>) -> Result<T, Refusal> {
    word.ok_or_else(|| Refusal::new(RefusalCode::SchemaNewer))
}

fn unread(term: &str) -> Refusal {
    Refusal::new(RefusalCode::PackBroken).with("reason", "term").with("term", term)
}

/// A text as insertions one behind the other, none longer than a command's.
fn splices(text: &str) -> impl Iterator<Item = Splice> + '_ {
    let mut pos = 0;
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.floor_char_boundary(INSERT_BYTES_MAX);
        let (part, behind) = rest.split_at_checked(end).filter(|(part, _)| !part.is_empty())?;
        let splice = Splice::insert(pos, part);
        pos = pos.saturating_add(u32::try_from(part.chars().count()).unwrap_or(u32::MAX));
        rest = behind;
        Some(splice)
    })
}
