//! A policy pack (DOMAIN 2.2): signed data, and nothing but data. Its canonical text is what people sign.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use alliance_wire::FrozenHash;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{MeetingPolicy, Template, Unknown, Vocabulary, Word, json};
use crate::cosign::{check_language, frozen};
use crate::limits::{
    CLAUSES_MAX, PACK_BYTES_MAX, PACK_KINDS_MAX, PACK_LINES_MAX, PACK_SCHEMES_MAX, PACK_TEMPLATES_MAX, PACK_TEXTS_MAX,
    PACK_WORD_BYTES_MAX, PACK_WORDS_MAX, REMARK_SCALARS_MAX, TITLE_SCALARS_MAX,
};
use crate::refusal::{Refusal, RefusalCode};
use crate::text::check_line;

/// The form of packs that this version of the program reads.
const PACK_FORM: u64 = 1;

static SHIPPED: LazyLock<Pack> = LazyLock::new(|| {
    Pack::parse(include_bytes!("shipped.json")).expect("the shipped pack is a pack: every test of policies reads it")
});

/// A pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pack {
    /// What the file is: the form of the pack.
    pack: u64,
    /// Its name: a word.
    pub name: String,
    /// Its version; a later one is a larger number.
    pub version: u32,
    /// The language of its words for people, a tag of BCP 47; `None` if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Records of meeting kinds, one for a kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<MeetingPolicy>,
    /// Templates of agreements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<Template>,
    /// Texts that are shown: values, checklists, prompts. They ask for nothing, and who leaves them out loses no rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<PackText>,
    /// Function schemes beside the shipped ones (`crate::scheme`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schemes: Vec<PackScheme>,
    /// What else stands in it.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A text of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackText {
    /// Its name: a word.
    pub name: String,
    /// Its language, a tag of BCP 47.
    pub language: String,
    /// The lines, in the order in which they are shown.
    pub lines: Vec<String>,
    /// What else stands there.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A function scheme of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackScheme {
    /// Its name: a word.
    pub name: String,
    /// The functions, in the order in which they are shown.
    pub functions: Vec<String>,
    /// What else stands there.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Why something is no pack. Its parameters are numbers and names of fields, never what stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// It is longer than a pack may be.
    #[error("a pack has at most {PACK_BYTES_MAX} bytes")]
    TooLarge,
    /// It is no JSON with one reading: no key twice, whole numbers, and not too deep.
    #[error("this is no JSON that everybody reads in the same way")]
    Json,
    /// A newer version of the program wrote it.
    #[error("a newer version wrote this pack")]
    Newer,
    /// A field is missing, or is something else than it should be.
    #[error("a field of the pack is missing or of another kind")]
    Shape,
    /// There is more of something than may be.
    #[error("a pack has at most {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
    /// Something stands there twice.
    #[error("the pack has two {0} of one name")]
    Twice(&'static str),
    /// A word, a line or the tag of a language may not be as it is.
    #[error("the pack has {0} that cannot be kept")]
    Text(&'static str),
}

impl From<PackError> for Refusal {
    fn from(error: PackError) -> Self {
        let broken = |reason: &str| Self::new(RefusalCode::PackBroken).with("reason", reason);
        match error {
            PackError::Newer => Self::new(RefusalCode::SchemaNewer),
            PackError::TooLarge => broken("too_large").with("bytes", PACK_BYTES_MAX),
            PackError::Json => broken("json"),
            PackError::Shape => broken("shape"),
            PackError::TooMany { what, max } => broken("too_many").with("what", what).with("max", max),
            PackError::Twice(what) => broken("twice").with("what", what),
            PackError::Text(what) => broken("text").with("what", what),
        }
    }
}

impl Pack {
    /// The pack that comes with the program: DOMAIN 1.D, `consultative`, `training` and `peer_group`, and texts.
    #[must_use]
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// Reads a pack, canonical or not.
    ///
    /// # Errors
    /// [`PackError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PackError> {
        if bytes.len() > PACK_BYTES_MAX {
            return Err(PackError::TooLarge);
        }
        let value = json::read(bytes).ok_or(PackError::Json)?;
        match value.get("pack").and_then(Value::as_u64) {
            Some(PACK_FORM) => {}
            Some(newer) if newer > PACK_FORM => return Err(PackError::Newer),
            Some(_) | None => return Err(PackError::Shape),
        }
        let pack: Self = serde_json::from_value(value).map_err(|_| PackError::Shape)?;
        pack.check()?;
        Ok(pack)
    }

    /// The canonical text: one spelling for each pack (RFC 8785).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let value = serde_json::to_value(self).expect("strings, numbers, lists and objects are always JSON");
        json::canonical(&value)
    }

    /// The hash of the canonical text: what people sign, and what names this pack among others of its name.
    #[must_use]
    pub fn frozen(&self) -> FrozenHash {
        frozen(&self.encode())
    }

    /// The record of a kind of meeting in this pack alone; what holds is [`Policy::in_force`](super::Policy::in_force).
    #[must_use]
    pub fn kind(&self, kind: crate::MeetingKind) -> Option<&MeetingPolicy> {
        self.kinds.iter().find(|record| record.kind == Word::Known(kind))
    }

    /// The text of this name, in the first language in which it is there.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&PackText> {
        self.texts.iter().find(|text| text.name == name)
    }

    /// The template of this name, in the first language in which it is there.
    #[must_use]
    pub fn template(&self, name: &str) -> Option<&Template> {
        self.templates.iter().find(|template| template.name == name)
    }

    /// What the shape does not say: numbers of things, words, and that nothing is there twice.
    fn check(&self) -> Result<(), PackError> {
        word("a name", &self.name)?;
        self.language.iter().try_for_each(|tag| language(tag))?;
        at_most("kinds", PACK_KINDS_MAX, self.kinds.len())?;
        at_most("templates", PACK_TEMPLATES_MAX, self.templates.len())?;
        at_most("texts", PACK_TEXTS_MAX, self.texts.len())?;
        at_most("schemes", PACK_SCHEMES_MAX, self.schemes.len())?;
        once("kinds", self.kinds.iter().map(|record| record.kind.as_str()))?;
        once("templates", self.templates.iter().map(|template| (&template.name, &template.language)))?;
        once("texts", self.texts.iter().map(|text| (&text.name, &text.language)))?;
        once("schemes", self.schemes.iter().map(|scheme| &scheme.name))?;
        self.kinds.iter().try_for_each(check_record)?;
        self.templates.iter().try_for_each(check_template)?;
        self.texts.iter().try_for_each(check_text)?;
        self.schemes.iter().try_for_each(|scheme| {
            word("a name", &scheme.name)?;
            words(scheme.functions.iter().map(String::as_str))
        })
    }
}

fn check_record(record: &MeetingPolicy) -> Result<(), PackError> {
    word("a kind", record.kind.as_str())?;
    word("a word", record.agenda_owner.as_str())?;
    word("a word", record.content_audience.as_str())?;
    word("a word", record.attendance_projection_max.as_str())?;
    words(record.proposers.keys().map(Word::as_str))?;
    record.proposers.values().try_for_each(|origins| words(spelt(origins)))?;
    words(spelt(&record.evidence_sources))?;
    words(spelt(&record.required_close_fields))?;
    let lists = [
        &record.content_record_rules,
        &record.challenge_topics,
        &record.information_purposes,
        &record.outside_help.except,
        &record.catalytic_topics,
        &record.discretion_recipients,
        &record.disclosure_grounds,
    ];
    lists.into_iter().try_for_each(|list| words(list.iter().map(String::as_str)))
}

fn check_template(template: &Template) -> Result<(), PackError> {
    word("a name", &template.name)?;
    language(&template.language)?;
    check_line(&template.title, TITLE_SCALARS_MAX).map_err(|_| PackError::Text("a title"))?;
    at_most("clauses", CLAUSES_MAX, template.clauses.len())?;
    at_most("terms", PACK_WORDS_MAX, template.terms.len())?;
    at_most("protective terms", PACK_WORDS_MAX, template.protective.len())?;
    once("terms", template.terms.iter().map(|term| term.name.as_str()))?;
    once("protective terms", template.protective.iter().map(|it| it.term.as_str()))?;
    template.clauses.iter().try_for_each(|clause| {
        word("a word", clause.section.as_str())?;
        word("a word", clause.modality.as_str())?;
        clause.check()
    })?;
    words(template.terms.iter().map(|term| term.name.as_str()))?;
    template.protective.iter().try_for_each(|it| {
        word("a word", it.term.as_str())?;
        word("a word", &it.value)
    })
}

fn check_text(text: &PackText) -> Result<(), PackError> {
    word("a name", &text.name)?;
    language(&text.language)?;
    at_most("lines", PACK_LINES_MAX, text.lines.len())?;
    text.lines.iter().try_for_each(|line| check_line(line, REMARK_SCALARS_MAX).map_err(|_| PackError::Text("a line")))
}

/// A word of a list of words: small letters, digits and low lines, so that it looks the same to everybody.
fn word(what: &'static str, word: &str) -> Result<(), PackError> {
    let fits = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let begins = word.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if fits && begins && word.len() <= PACK_WORD_BYTES_MAX { Ok(()) } else { Err(PackError::Text(what)) }
}

fn words<'a>(list: impl ExactSizeIterator<Item = &'a str>) -> Result<(), PackError> {
    at_most("words of a list", PACK_WORDS_MAX, list.len())?;
    let mut list = list;
    list.try_for_each(|it| word("a word", it))
}

fn spelt<E: Vocabulary>(words: &[Word<E>]) -> impl ExactSizeIterator<Item = &str> {
    words.iter().map(Word::as_str)
}

fn language(tag: &str) -> Result<(), PackError> {
    check_language(tag).map_err(|_| PackError::Text("the tag of a language"))
}

fn at_most(what: &'static str, max: usize, count: usize) -> Result<(), PackError> {
    if count > max { Err(PackError::TooMany { what, max }) } else { Ok(()) }
}

fn once<T: Ord>(what: &'static str, names: impl Iterator<Item = T>) -> Result<(), PackError> {
    let mut seen = BTreeSet::new();
    let mut names = names;
    if names.all(|name| seen.insert(name)) { Ok(()) } else { Err(PackError::Twice(what)) }
}
