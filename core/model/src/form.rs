//! Forms: documents that are a table of texts, fields, sets and lists (DOMAIN 2.2): charter, contract, goals, feedback,
//! remarks, reviews, closing summaries.
//!
//! What such a document holds is said once, in [`FORMS`]; commands, view, rules, document and command line follow it.
//! Rules that a table cannot say are in [`check`] and beside the kind that has them.

mod check;
mod seal;
mod table;
mod values;
mod view;

pub use check::check;
pub use seal::{FORM_TEXT, FormSeal, FormSealView, FormSealing, FormText, ItemText};
pub use table::{FORMS, form_of};
pub use values::{Field, Keeps, Sort};
pub use view::{
    DISPUTED, FileView, FormFieldView, FormItemView, FormSetView, FormTextView, FormView, SaidView, state_of,
};

use alliance_wire::{FrozenHash, PersonTag};

use crate::date::CivilDate;
use crate::kind::{DocumentKind, ItemId};
use crate::text::Splice;

/// What a kind of document holds. Names are stable: they are keys of the document and paths of its view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// The kind of document.
    pub kind: DocumentKind,
    /// What stands for its title in lists.
    pub title: &'static str,
    /// Whether a space has one, under an id that follows from the space's, which everybody in it writes.
    pub one: bool,
    /// Texts that everybody words together (DOMAIN 2.3, T). A further one behind these is a further schema.
    pub texts: &'static [&'static str],
    /// Fields with one value.
    pub fields: &'static [Field],
    /// Fields with several (DOMAIN 2.3, S).
    pub sets: &'static [Field],
    /// Lists of items, each worded by whoever added it (DOMAIN 2.5).
    pub lists: &'static [List],
    /// What people say of the document, and where it stands (DOMAIN 2.3, G and status).
    pub words: &'static [Word],
    /// How it is signed together; nothing for a kind that is not.
    pub signed: Option<Signing>,
    /// Whether signed files from elsewhere are kept in it: contracts, packs.
    pub files: bool,
}

/// How people sign a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signing {
    /// Texts and fields that must say something first.
    pub needed: &'static [&'static str],
    /// How many sign it at least; everybody who wrote in it and is a member does.
    pub persons: usize,
}

/// A list of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct List {
    /// Its name.
    pub name: &'static str,
    /// Fields of an item, set by whoever added it.
    pub fields: &'static [Field],
    /// What people say of an item.
    pub words: &'static [Word],
    /// Whether an item has words of its own; one without is its fields.
    pub text: bool,
    /// Items that a command may make it grow to.
    pub max: usize,
}

/// Something that people say of a document or item, once and for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub name: &'static str,
    /// Who says it.
    pub by: By,
    /// Whether it says where the document or item stands: then what nothing later answers holds.
    pub state: bool,
    /// What goes with it.
    pub with: &'static [With],
}

/// Who says something of a document or item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Everybody who writes.
    Anyone,
    /// Whoever added the item.
    Author,
    /// Everybody else.
    Others,
    /// Whoever is named in this field of the item, and is not its author.
    Named(&'static str),
}

/// What goes with something that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum With {
    /// A date, which must be given.
    Date,
    /// A number from 0 to this, which must be given.
    Number(u16),
    /// Some text, which may be given.
    Text,
}

/// Something said, as it stands in a log.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Said {
    /// The name of a [`Word`].
    #[n(0)]
    pub word: String,
    /// The entries that it answers.
    #[n(1)]
    pub cites: Vec<ItemId>,
    /// A date.
    #[n(2)]
    pub on: Option<CivilDate>,
    /// A number.
    #[n(3)]
    pub number: Option<u16>,
    /// Some text.
    #[n(4)]
    pub text: Option<String>,
}

impl Said {
    /// A word alone.
    #[must_use]
    pub fn word(word: impl Into<String>) -> Self {
        Self { word: word.into(), cites: Vec::new(), on: None, number: None, text: None }
    }

    /// Reads what stands in a log; `None` if it is no such entry.
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

/// A piece of a signed file that is kept in a document.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct FilePiece {
    /// The hash of the whole file: [`cosign::frozen`](crate::cosign::frozen) of its bytes.
    #[n(0)]
    pub file: FrozenHash,
    /// Which piece, from 0.
    #[n(1)]
    pub number: u16,
    /// How many there are.
    #[n(2)]
    pub of: u16,
    /// Its bytes.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

impl FilePiece {
    /// Reads what stands in a log; `None` if it is no such piece.
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

/// What a person can do to a form. Names are those of the [`Form`].
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum FormCommand {
    /// Edits a text that everybody words.
    #[n(0)]
    EditText {
        /// Which.
        #[n(0)]
        name: String,
        /// The edit.
        #[n(1)]
        splice: Splice,
    },
    /// Sets a field.
    #[n(1)]
    Set {
        /// Which.
        #[n(0)]
        field: String,
        /// Its value in the stored form.
        #[n(1)]
        value: String,
    },
    /// Takes a field's value away.
    #[n(2)]
    Clear {
        /// Which.
        #[n(0)]
        field: String,
    },
    /// Puts something into a set.
    #[n(3)]
    Put {
        /// Which set.
        #[n(0)]
        set: String,
        /// What, in the stored form.
        #[n(1)]
        value: String,
    },
    /// Takes something out of a set.
    #[n(4)]
    Take {
        /// Which set.
        #[n(0)]
        set: String,
        /// What.
        #[n(1)]
        value: String,
    },
    /// Adds an item with an empty text behind `after`, or first.
    #[n(5)]
    Add {
        /// A fresh random id.
        #[n(0)]
        id: ItemId,
        /// To which list.
        #[n(1)]
        list: String,
        /// What it follows.
        #[n(2)]
        after: Option<ItemId>,
        /// Who adds it.
        #[n(3)]
        person: PersonTag,
    },
    /// Edits an item's text.
    #[n(6)]
    EditItem {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// The edit.
        #[n(1)]
        splice: Splice,
    },
    /// Sets an item's field.
    #[n(7)]
    SetItem {
        /// Which.
        #[n(0)]
        id: ItemId,
        /// Which field.
        #[n(1)]
        field: String,
        /// Its value in the stored form.
        #[n(2)]
        value: String,
    },
    /// Takes an item out.
    #[n(8)]
    Remove {
        /// Which.
        #[n(0)]
        id: ItemId,
    },
    /// Says something of the document, or of an item.
    #[n(9)]
    Say {
        /// A fresh random id for the log entry.
        #[n(0)]
        op: ItemId,
        /// Of which item; of the document without one.
        #[n(1)]
        item: Option<ItemId>,
        /// What.
        #[n(2)]
        said: Said,
    },
    /// Signs what it says.
    #[n(10)]
    Sign {
        /// A fresh random id for the log entry.
        #[n(0)]
        op: ItemId,
        /// What is signed, and by whom.
        #[n(1)]
        sealed: Box<FormSeal>,
        /// The text that the person was shown.
        #[n(2)]
        seen: FrozenHash,
    },
    /// Keeps a piece of a signed file.
    #[n(11)]
    Keep {
        /// A fresh random id for the log entry.
        #[n(0)]
        op: ItemId,
        /// The piece.
        #[n(1)]
        piece: FilePiece,
    },
}

impl FormCommand {
    /// Whether it leaves what is signed as it is: what people say of a document goes on.
    #[must_use]
    pub const fn is_said(&self) -> bool {
        matches!(self, Self::Say { .. } | Self::Sign { .. } | Self::Keep { .. })
    }
}

/// The id of a document of which a space has one: everybody in it begins the *same* (DOMAIN 2.2).
///
/// # Panics
/// If spaces have several of this kind.
#[must_use]
pub fn form_of_space(kind: DocumentKind, space: &alliance_wire::SpaceId) -> alliance_wire::DocumentId {
    assert!(kind.form().is_some_and(|form| form.one), "a space has several of this kind");
    let parts = [b"alliance v1 form of space".as_slice(), &kind.number().to_be_bytes(), &space.0];
    let digest = alliance_wire::hash::content_hash(&parts.concat());
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    kind.document_id(id)
}

/// Whether a person asked for no more feedback just now (DOMAIN A30): what somebody said so holds until the same person
/// answers it. `charter` is the space's, `person` its name there.
#[must_use]
pub fn is_paused(charter: &FormView, person: &str) -> bool {
    let mine = |said: &&SaidView| charter.authors.get(said.by).is_some_and(|name| name == person);
    let (paused, resumed) = ("no_feedback_now", "feedback_again");
    let answered = |op: ItemId| charter.log.iter().filter(mine).any(|it| it.word == resumed && it.cites.contains(&op));
    charter.log.iter().filter(mine).any(|it| it.word == paused && !answered(it.op))
}
