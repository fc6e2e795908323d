//! A form as apps and `--json` show it.

use serde::{Deserialize, Serialize};

use super::{Form, FormSealView, List, Word};
use crate::date::CivilDate;
use crate::kind::{DocumentKind, ItemId};
use crate::text::TextView;
use crate::view::{Claim, Difference, FieldConflict};

/// A text that everybody words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormTextView {
    /// Its name.
    pub name: String,
    /// Its words.
    pub text: TextView,
}

/// A field and its values; several only where people wrote different ones apart and all are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormFieldView {
    /// Its name.
    pub field: String,
    /// Its values, the one that counts first.
    pub values: Vec<Claim>,
}

/// A field with several values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormSetView {
    /// Its name.
    pub name: String,
    /// What is in it, in order.
    pub values: Vec<String>,
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidView {
    /// Its id in the log.
    pub op: ItemId,
    /// Who: index into the view's `authors`.
    pub by: usize,
    /// The word.
    pub word: String,
    /// The entries that it answers.
    pub cites: Vec<ItemId>,
    /// A date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<CivilDate>,
    /// A number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u16>,
    /// Some text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormItemView {
    /// Its id.
    pub id: ItemId,
    /// Its list.
    pub list: String,
    /// Whose it is: index into the view's `authors`.
    pub by: usize,
    /// The same by tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Its words.
    pub text: TextView,
    /// Its fields.
    pub fields: Vec<FormFieldView>,
    /// What was said of it, in order.
    pub log: Vec<SaidView>,
    /// Where it stands; `disputed` where people said different things apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// A signed file that is kept in the document, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileView {
    /// The hash of its bytes, in hexadecimal.
    pub file: String,
    /// Who put its last piece there: index into the view's `authors`.
    pub by: usize,
    /// What it says: the files are texts.
    pub text: String,
}

/// A form, as apps and `--json` show it. Once all have signed it, it shows what was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormView {
    /// Its id.
    pub document: String,
    /// What it is.
    pub kind: DocumentKind,
    /// Its texts, in the order of the form.
    pub texts: Vec<FormTextView>,
    /// Its fields that have a value, in the order of the form.
    pub fields: Vec<FormFieldView>,
    /// Its sets that hold something, in the order of the form.
    pub sets: Vec<FormSetView>,
    /// Its items in order.
    pub items: Vec<FormItemView>,
    /// What was said of it, in order.
    pub log: Vec<SaidView>,
    /// Where it stands; `disputed` where people said different things apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The hash of the text as it is shown: what somebody who signs says to have been shown. Empty for a kind that is
    /// not signed.
    pub text: String,
    /// What somebody signed.
    pub seals: Vec<FormSealView>,
    /// Whether all who sign it have: it never changes.
    pub signed: bool,
    /// What was written without knowing that all had signed. It is no part of what they signed.
    pub apart: Vec<Difference>,
    /// Signed files that are kept in it.
    pub files: Vec<FileView>,
    /// Fields with several values.
    pub conflicts: Vec<FieldConflict>,
    /// Who is named above.
    pub authors: Vec<String>,
}

impl FormView {
    /// An empty form.
    #[must_use]
    pub fn new(kind: DocumentKind, document: String) -> Self {
        Self {
            document,
            kind,
            texts: Vec::new(),
            fields: Vec::new(),
            sets: Vec::new(),
            items: Vec::new(),
            log: Vec::new(),
            state: None,
            text: String::new(),
            seals: Vec::new(),
            signed: false,
            apart: Vec::new(),
            files: Vec::new(),
            conflicts: Vec::new(),
            authors: Vec::new(),
        }
    }

    /// A text.
    #[must_use]
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.texts.iter().find(|it| it.name == name).map(|it| it.text.text.as_str())
    }

    /// The value of a field that counts: of several the safer.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&str> {
        value_in(&self.fields, field)
    }

    /// What is in a set.
    #[must_use]
    pub fn set(&self, name: &str) -> &[String] {
        self.sets.iter().find(|it| it.name == name).map_or(&[], |it| &it.values)
    }

    /// An item.
    #[must_use]
    pub fn item(&self, id: ItemId) -> Option<&FormItemView> {
        self.items.iter().find(|item| item.id == id)
    }

    /// The items of a list, in order.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &FormItemView> {
        self.items.iter().filter(move |item| item.list == name)
    }

    /// Who is meant by an index.
    #[must_use]
    pub fn author(&self, index: usize) -> &str {
        self.authors.get(index).map_or("", String::as_str)
    }
}

impl FormItemView {
    /// The value of a field that counts.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&str> {
        value_in(&self.fields, field)
    }
}

fn value_in<'a>(fields: &'a [FormFieldView], name: &str) -> Option<&'a str> {
    let field = fields.iter().find(|it| it.field == name)?;
    field.values.first().map(|claim| claim.value.as_str())
}

/// What stands for a state that people said differently while apart.
pub const DISPUTED: &str = "disputed";

/// Where something stands: the word about states that no later one answers (DOMAIN 2.3, status).
#[must_use]
pub fn state_of(log: &[SaidView], words: &[Word]) -> Option<String> {
    let is_state = |it: &&SaidView| words.iter().any(|word| word.state && word.name == it.word);
    let answered = |op: ItemId| log.iter().any(|it| it.op != op && it.cites.contains(&op));
    let mut newest = log.iter().filter(is_state).filter(|it| !answered(it.op)).map(|it| it.word.as_str());
    let first = newest.next()?;
    Some(if newest.all(|other| other == first) { first } else { DISPUTED }.to_owned())
}

impl Form {
    /// One of its lists.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&'static List> {
        self.lists.iter().find(|list| list.name == name)
    }

    /// Whether somebody may say a word of something that `author` added; of the document there is no author.
    #[must_use]
    pub fn may_say(word: &Word, author: Option<&str>, by: &str) -> bool {
        match word.by {
            super::By::Anyone => true,
            super::By::Author => author.is_none_or(|author| author == by),
            // Whether it is who is named is asked where people are known by their tags.
            super::By::Others | super::By::Named(_) => author.is_some_and(|author| author != by),
        }
    }
}
